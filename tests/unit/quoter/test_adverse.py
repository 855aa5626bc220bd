"""Adverse selection by side and distance: what was planted is found, and levels follow what was found."""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.markout import Markouts
from common.messages import Fill, Liquidity, Side
from quoter.adverse import (
    BORDERS,
    band_bound_bps,
    band_of,
    floor_at_bps,
    learn_reach,
    line_bps,
    line_error_bps,
    reach_slope,
    set_needs,
)
from quoter.state import (
    ASK_SIDE,
    BANDS,
    BID_SIDE,
    I_ADVERSE_N,
    I_BAND_N,
    NO_FLOOR,
    O_COUNT,
    O_WHY,
    S_NEED,
    WHY_ADVERSE,
)
from simvenue.source import ASK_LEVEL, BID_LEVEL, BUY_PRINT, SELL_PRINT
from simvenue.synthetic.flows import FLOWS, as_column, planted
from simvenue.synthetic.synthetic import Synthetic
from tests.unit.quoter.builders import COIN, T0, Rig

NS = 1_000_000_000
FILLS = 200
REACHES = (0.6, 1.0, 1.6, 2.4)
"""Distances of our quotes, bps of the mid: behind the touch, where only the planted takers reach."""
APART_NS = 60 * NS
"""Fills of a side are so far apart, so that their 60 s do not overlap and their errors are their own."""


# ---------------------------------------------------------------------- a market that knows more than we do
@dataclass
class Market:
    """The planted market's own book, and one quote of ours a side that trades with every print that reaches it."""

    source: Synthetic
    rng: random.Random
    rig: Rig
    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)
    markouts: Markouts = field(default_factory=lambda: Markouts((60,)))
    distance: dict[int, float] = field(default_factory=dict)
    fills: int = 0
    last_t_ns: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))

    def mid2(self) -> int:
        return max(self.bids) + min(self.asks) if self.bids and self.asks else 0

    def step(self) -> None:
        t_ns = self.source.next_t_ns() or 0
        before = self.mid2()
        rows = self.source.take()
        reached: dict[Side, int] = {}
        for what, px_u, sz_u in list(zip(rows.what, rows.px_u, rows.sz_u, strict=True))[rows.begin : rows.end]:
            if what in (BID_LEVEL, ASK_LEVEL):
                book = self.bids if what == BID_LEVEL else self.asks
                book[px_u] = sz_u
                if sz_u == 0:
                    del book[px_u]
            elif what == SELL_PRINT:
                reached[Side.BID] = min(px_u, reached.get(Side.BID, px_u))
            elif what == BUY_PRINT:
                reached[Side.ASK] = max(px_u, reached.get(Side.ASK, px_u))
        for side, px_u in reached.items():
            self._meet(side, px_u, before, t_ns)
        if self.mid2():
            self._learn(self.markouts.on_mid(t_ns, self.mid2()))

    def _meet(self, side: Side, px_u: int, mid2: int, t_ns: int) -> None:
        """An order that reached `px_u` fills the one quote of ours, at a distance drawn anew each time."""
        asked_bps = self.rng.choice(REACHES)
        if not mid2 or int(side) * (mid2 / 2 - px_u) / mid2 * 2e4 < asked_bps:
            return
        if t_ns - self.last_t_ns[side] < APART_NS:
            return
        self.last_t_ns[side] = t_ns
        own_px = round(mid2 / 2 * (1 - int(side) * asked_bps * 1e-4))
        self.fills += 1
        self.distance[self.fills] = int(side) * (mid2 / 2 - own_px) / own_px * 1e4
        fill = Fill(t_ns, COIN, t_ns, self.fills, 1, "", side, own_px, 1_000, 0, Liquidity.MAKER, 0)
        self._learn(self.markouts.on_fill(fill))

    def _learn(self, scores: list[Any]) -> None:
        for scored in scores:
            side = BID_SIDE if scored.fill.side is Side.BID else ASK_SIDE
            distance_bps = self.distance[scored.fill.tid]
            learn_reach(self.rig.state, self.rig.ints, side, distance_bps, distance_bps - scored.bps)


@functools.cache
def after_200_fills(eps: float, eta: float, k: float, seed: int) -> Rig:
    flow = as_column(planted(FLOWS["us500"], {"A": 0.05, "k": k, "eps": eps, "eta": eta, "vol": 0.3}))
    source = Synthetic("planted", flow, 3, px_start=750.0, vol_annual=0.3, seed=seed, origin_ns=T0)
    market = Market(source, random.Random(seed), Rig())
    while min(market.rig.ints[I_ADVERSE_N : I_ADVERSE_N + 2]) < FILLS:
        market.step()
    return market.rig


PLANTED = [(0.4, 0.3, 1.0, 1)]


@pytest.mark.slow
@pytest.mark.parametrize("figures", PLANTED)
@pytest.mark.parametrize("side", [BID_SIDE, ASK_SIDE])
def test_a_planted_informed_flow_is_found_within_two_standard_errors(
    figures: tuple[float, float, float, int], side: int
) -> None:
    eps, eta, k, _ = figures
    rig = after_200_fills(*figures)
    slope, slope_error = reach_slope(rig.state, rig.ints, side), line_error_bps(rig.state, rig.ints, side, -1.0)
    assert abs(slope - eta) < 2 * slope_error
    assert slope_error < 0.7
    for distance_bps in (0.0, 1.0, 2.0):
        found = line_bps(rig.state, rig.ints, side, distance_bps)
        error = line_error_bps(rig.state, rig.ints, side, distance_bps)
        assert abs(found - (eps + eta * (distance_bps + 1 / k))) < 2 * error


# ---------------------------------------------------------------------- rules
def taught(rig: Rig, side: int, distance_bps: float, adverse_bps: float, n: int, sd: float = 0.0) -> Rig:
    rng = random.Random(7)
    for _ in range(n):
        learn_reach(rig.state, rig.ints, side, distance_bps, rng.gauss(adverse_bps, sd))
    return rig


def test_every_distance_has_one_band() -> None:
    assert [band_of(x) for x in (-3.0, 0.0, *BORDERS, 1e9)] == [0, 0, 1, 2, 3, 4, 5, 6, 7, 7]


def test_until_enough_fills_every_band_asks_for_the_prior() -> None:
    rig = taught(Rig(), BID_SIDE, 1.0, 9.0, 199)
    set_needs(rig.state, rig.ints, rig.params, BID_SIDE)
    assert list(rig.state[S_NEED : S_NEED + BANDS]) == pytest.approx([2.7667] * BANDS, abs=1e-3)


def test_a_band_without_fills_has_its_sides_bound_and_one_with_many_its_own() -> None:
    rig = taught(taught(Rig(), BID_SIDE, 1.0, 0.2, 300), BID_SIDE, 4.0, 3.0, 300)
    near, far, none = (band_bound_bps(rig.state, rig.ints, rig.params, BID_SIDE, band_of(x)) for x in (1.0, 4.0, 12.0))
    assert near < 0.5
    assert 1.6 < none < 2.5 < far


def test_levels_move_out_to_where_they_pay_and_leave_bands_that_ask_too_much() -> None:
    rig = taught(taught(Rig(), BID_SIDE, 1.0, 2.5, 400), BID_SIDE, 4.0, 60.0, 400)
    set_needs(rig.state, rig.ints, rig.params, BID_SIDE)
    assert rig.state[S_NEED + band_of(4.0)] == NO_FLOOR
    assert floor_at_bps(rig.state, BID_SIDE, 4.0) == NO_FLOOR
    far = floor_at_bps(rig.state, BID_SIDE, 30.0)
    assert far == NO_FLOOR or far >= 30.0


def test_a_side_whose_every_distance_loses_is_withheld_and_says_why() -> None:
    rig = taught(Rig(), BID_SIDE, 2.0, 60.0, 300).liquid()
    rig.quote()
    assert rig.out[O_COUNT + BID_SIDE] == 0
    assert rig.out[O_WHY + BID_SIDE] & WHY_ADVERSE
    assert rig.out[O_COUNT + ASK_SIDE] > 0


def test_measured_kind_flow_lets_levels_come_nearer() -> None:
    before, after = Rig(min_spread_bps=0.3).liquid(), taught(Rig(min_spread_bps=0.3), BID_SIDE, 1.0, -0.2, 300).liquid()
    for rig in (before, after):
        rig.params[0] = 12.0
        rig.vol(0.02)
        rig.quote()
    assert after.side(BID_SIDE)[0][0] > before.side(BID_SIDE)[0][0]


@given(st.randoms(use_true_random=False), st.integers(210, 230))
def test_places_never_lie_nearer_than_asked_nor_in_a_band_that_asks_for_more(rng: random.Random, count: int) -> None:
    rig = Rig()
    fills = [(rng.uniform(-1, 20), rng.uniform(-20, 20)) for _ in range(count)]
    for distance_bps, adverse_bps in fills:
        learn_reach(rig.state, rig.ints, ASK_SIDE, distance_bps, adverse_bps)
    assert sum(rig.ints[I_BAND_N + BANDS : I_BAND_N + 2 * BANDS]) == len(fills)
    set_needs(rig.state, rig.ints, rig.params, ASK_SIDE)
    for wanted_bps in (0.1, 1.0, 3.0, 9.0, 40.0):
        place = floor_at_bps(rig.state, ASK_SIDE, wanted_bps)
        assert place >= wanted_bps
        if place < NO_FLOOR:
            assert place >= rig.state[S_NEED + BANDS + band_of(place)] - 1e-9
