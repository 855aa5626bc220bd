"""What holds for the ladder of every profile, in any market, account, session and mood: one ladder, the same stages.

*The mirror*: about the mid M a price p becomes 2M - p, the sizes of the market's sides change places, position and
forecast change their sign. Then bids become asks: every price is mirrored to within a tick and twice the forecast's
share of its distance (bps are measured at the two fair prices; with a position, whose worth and so urgency differ
alike, 0.02 bps more), every side's worth to within a lot a level.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.ticks import MIN_NOTIONAL_E6, is_legal_px
from quoter.modes import learn_mode
from quoter.state import (
    I_ADVERSE_N,
    I_REDUCING,
    NS,
    O_LEN,
    O_WHY,
    P_GATE,
    QUOTES_MAX,
    S_BUDGET,
    S_CENTRE,
    S_FAIR,
    S_FLOOR,
    S_FORECAST,
    S_FORECAST_SD,
    S_FORECAST_WEIGHT,
    S_LEN,
    S_MARGIN,
    S_ORACLE,
    S_SESSION_INVENTORY,
    S_SESSION_SIZE,
    S_SESSION_SPREAD,
    S_SPREAD_SCALE,
    WHY_FORECAST,
    WHY_NO_FORECAST,
    WHY_ONE_SIDED,
    numbers,
)
from tests.unit.quoter.builders import PX, T0, Rig, levels, step_of

PROFILES = ("tiered", "lean", "glft")
SIDES = (0, 1)
EPS = 1e-6


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Rig, int]:
    """A rig in any market, account, session and profile, with its position (sz_u)."""
    sz_decimals = draw(st.integers(0, 6))
    if draw(st.booleans()):  # around a change of tick: 9,999.9 / 10,000 and the like
        px_u = 10 ** draw(st.integers(4, 7)) + draw(st.integers(-30, 30))
    else:
        px_u = int(10 ** draw(st.floats(3.5, 8.0)))
    step = step_of(px_u, sz_decimals)
    px_u = max(px_u // step * step, 40 * step)
    equity = draw(st.floats(100, 100_000))
    quoting: dict[str, Any] = {
        "kind": draw(st.sampled_from(PROFILES)), "order_levels": draw(st.integers(1, QUOTES_MAX)),
        "adaptive_modes": draw(st.booleans()), "ticks_from_opposite": draw(st.integers(1, 2)),
        "step_inside": draw(st.booleans()),
    }  # fmt: skip
    rig = Rig(sz_decimals=sz_decimals, **quoting)
    rig.told(
        equity=equity, fee=draw(st.floats(-0.3, 3.0)), hard=equity * draw(st.sampled_from([0.0, 0.1, 0.5, 0.6])),
        soft=equity * draw(st.sampled_from([0.1, 0.25])), size_scale=draw(st.sampled_from([1.0, 0.8, 0.3])),
    )  # fmt: skip
    if draw(st.booleans()):
        rig.vol(draw(st.floats(0, 0.6)))
    for place, value in (
        (S_MARGIN, draw(st.floats(0, 1))), (S_SPREAD_SCALE, draw(st.sampled_from([1.0, 1.25, 1.75]))),
        (S_FORECAST, draw(st.floats(-8, 8))), (S_FORECAST_SD, draw(st.sampled_from([0.0, 0.5, 1.5]))),
        (S_FORECAST_WEIGHT, draw(st.sampled_from([0.0, 1.0, 1.0, 1.5]))),
        (S_SESSION_SPREAD, draw(st.sampled_from([0.8, 1.0, 2.0]))),
        (S_SESSION_SIZE, draw(st.sampled_from([0.0, 0.5, 1.0, 1.5]))),
        (S_SESSION_INVENTORY, draw(st.sampled_from([0.0, 0.5, 1.0, 1.5]))),
        (S_ORACLE, float(px_u) * draw(st.sampled_from([0.992, 1.0, 1.0, 1.003, 1.015]))),
    ):  # fmt: skip
        rig.state[place] = value
    for score in draw(st.lists(st.floats(-30, 30), max_size=25)):
        learn_mode(rig.state, rig.ints, rig.params, score, 100.0)
    gap = draw(st.integers(1, 4))
    sizes = st.lists(st.integers(1, 10**10 // px_u), min_size=1, max_size=20)
    bids = [(px_u - i * step, sz_u) for i, sz_u in enumerate(draw(sizes)) if px_u - i * step > 0]
    asks = [(px_u + (gap + i) * step, sz_u) for i, sz_u in enumerate(draw(sizes))]
    rig.see(bids, asks)
    rig.ints[I_REDUCING] = draw(st.sampled_from([0, 0, 0, 1]))
    position_u = int(equity * draw(st.sampled_from([0.0, 0.02, 0.1, 0.2, 0.4, 0.7])) * 1e6 / px_u)
    return rig, position_u * draw(st.sampled_from([-1, 1]))


def distances(rig: Rig, side: int) -> list[float]:
    """Of the quoted levels from the fair price, bps, outwards positive."""
    fair, sign = rig.state[S_FAIR], 1 if side else -1
    return [sign * (px_u - fair) / fair * 1e4 for px_u, _ in rig.side(side)]


def usd(rows: list[tuple[int, int]]) -> float:
    return sum(px_u * sz_u for px_u, sz_u in rows) / 1e6


def calm(kind: str, forecast: float = 0.0, **quoting: Any) -> Rig:
    """A liquid symmetric market and an accepted forecast with a deviation of 0.5 bps."""
    rig = Rig(kind=kind, **quoting).liquid()
    rig.state[S_FORECAST], rig.state[S_FORECAST_SD], rig.state[S_FORECAST_WEIGHT] = forecast, 0.5, 1.0
    return rig


# ---------------------------------------------------------------------- what holds for every ladder
@settings(max_examples=250, deadline=None)
@given(worlds())
def test_no_ladder_crosses_the_market_or_itself(case: tuple[Rig, int]) -> None:
    rig, position_u = case
    bids, asks = rig.quote(position_u)
    best_bid, best_ask = int(rig.vector[2]), int(rig.vector[2 + 64])
    assert all(px_u < best_ask for px_u, _ in bids)
    assert all(px_u > best_bid for px_u, _ in asks)
    assert not bids or not asks or bids[0][0] < asks[0][0]
    assert all(math.isfinite(float(x)) for x in numbers(rig.state, 0, S_LEN))


@settings(max_examples=250, deadline=None)
@given(worlds())
def test_every_level_is_legal_sorted_and_worth_the_venues_minimum(case: tuple[Rig, int]) -> None:
    rig, position_u = case
    for rows, sign in zip(rig.quote(position_u), (-1, 1), strict=True):
        assert all(is_legal_px(px_u, int(rig.ints[2])) for px_u, _ in rows)
        assert all(px_u * sz_u >= MIN_NOTIONAL_E6 for px_u, sz_u in rows)
        assert all((b[0] - a[0]) * sign > 0 for a, b in itertools.pairwise(rows))


@settings(max_examples=250, deadline=None)
@given(worlds())
def test_only_what_reduces_the_position_is_nearer_than_the_floor(case: tuple[Rig, int]) -> None:
    rig, position_u = case
    rig.quote(position_u)
    for side in SIDES:
        near = [
            sz_u
            for (_, sz_u), distance in zip(rig.side(side), distances(rig, side), strict=True)
            if distance < rig.state[S_FLOOR + side] - EPS
        ]
        reduces = position_u != 0 and (position_u > 0) == (side == 1)
        assert sum(near) <= (abs(position_u) if reduces else 0)


@settings(max_examples=250, deadline=None)
@given(worlds())
def test_what_rests_fits_the_budget_of_its_side(case: tuple[Rig, int]) -> None:
    rig, position_u = case
    rig.quote(position_u)
    for side in SIDES:
        assert usd(rig.side(side)) <= rig.state[S_BUDGET + side] * (1 + 1e-9)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(PROFILES), st.integers(0, 6), st.floats(3.5, 8.0), st.floats(100, 100_000), st.integers(1, 20),
    st.floats(0, 0.4),
)  # fmt: skip
def test_levels_are_merged_never_dropped(
    kind: str, sz_decimals: int, magnitude: float, equity: float, order_levels: int, vol: float
) -> None:
    """All of the budget rests, but for less than a lot a level; or one legal order does not fit into it."""
    step = step_of(int(10**magnitude), sz_decimals)
    mid_u = max(int(10**magnitude) // step * step, 200 * step)
    rig = Rig(sz_decimals=sz_decimals, kind=kind, order_levels=order_levels, depth_sizes=False).vol(vol)
    rig.told(equity=equity, hard=0.5 * equity, soft=0.25 * equity)
    rig.state[S_FORECAST_SD], rig.state[S_FORECAST_WEIGHT] = 0.5, 1.0
    rig.params[P_GATE] = 0.0
    rig.see(levels(mid_u - step, -step, 10**10 // mid_u), levels(mid_u + step, step, 10**10 // mid_u))
    lot_usd = mid_u * 1e-6 * 1.02
    for rows in rig.quote():
        if 0.5 * equity > 10.0 * 1.05 + 2 * lot_usd:
            assert usd(rows) >= 0.5 * equity * 0.98 - (order_levels + 1) * lot_usd
            assert rows


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_equal_input_gives_equal_output(case: tuple[Rig, int]) -> None:
    rig, position_u = case
    memory = numbers(rig.state, 0, S_LEN), numbers(rig.ints, 0, len(rig.ints))
    rig.quote(position_u, T0 + NS)
    first = numbers(rig.out, 0, O_LEN), numbers(rig.state, 0, S_LEN)
    for vector, before in zip((rig.state, rig.ints), memory, strict=True):
        for i, value in enumerate(before):
            vector[i] = value
    rig.quote(position_u, T0 + NS)
    assert (numbers(rig.out, 0, O_LEN), numbers(rig.state, 0, S_LEN)) == first


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(PROFILES),
    st.sampled_from([-0.3, -0.2, -0.05, 0.0, 0.05, 0.2, 0.3]),
    st.sampled_from([-3.0, -0.55, 0.0, 0.55, 3.0]),
    st.sampled_from([0.0, 0.12]),
)
def test_swapping_the_sides_mirrors_the_ladder(kind: str, position: float, forecast: float, vol: float) -> None:
    mid_u, step, equity = 5_000_000, 500, 20_000.0
    position_u = int(position * equity * 1e6 / mid_u)

    def quoted(held_u: int, expected: float) -> Rig:
        rig = Rig(sz_decimals=6, kind=kind, order_levels=8, thick_ratio=10.0, thin_ratio=0.0)
        rig.vol(vol).told(equity=equity, hard=0.5 * equity, soft=0.25 * equity)
        rig.state[S_ORACLE] = float(mid_u)
        rig.state[S_FORECAST], rig.state[S_FORECAST_SD], rig.state[S_FORECAST_WEIGHT] = expected, 0.5, 1.0
        rig.see(levels(mid_u - step, -step, 9_000), levels(mid_u + step, step, 9_000))
        rig.quote(held_u)
        return rig

    one, two = quoted(position_u, forecast), quoted(-position_u, -forecast)
    for side in SIDES:
        mine, mirrored = one.side(side), two.side(1 - side)
        assert one.out[O_WHY + side] == two.out[O_WHY + 1 - side]
        assert one.state[S_CENTRE] == pytest.approx(-two.state[S_CENTRE], rel=1e-3)
        assert usd(mine) == pytest.approx(usd(mirrored), abs=2 * 8 * mid_u * 1e-6 + 0.01 * equity * bool(position_u))
        if not position_u:  # with one, a lot more or less decides whether a level still only reduces
            assert len(mine) == len(mirrored)
        for (px_u, _), (other_u, _) in list(zip(mine, mirrored, strict=False))[: 1 if position_u else None]:
            slack = step_of(mid_u, 6) + 2 + 2e-4 * abs(forecast) * abs(px_u - mid_u)
            assert abs(px_u + other_u - 2 * mid_u) <= slack + 2e-6 * mid_u * bool(position_u)


# ---------------------------------------------------------------------- inventory, margin, session
@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(PROFILES),
    st.lists(st.integers(-700, 700), min_size=2, max_size=8),
    st.sampled_from([-0.5, 0.0, 0.5, 3.0]),
)
def test_a_longer_position_never_raises_a_bid_or_an_ask(kind: str, notionals: list[int], forecast: float) -> None:
    best = []
    for notional in sorted(notionals):
        bids, asks = calm(kind, forecast).quote(notional * 10**6 // PX)
        best.append((bids[0][0] if bids else -math.inf, asks[0][0] if asks else math.inf))
    for (bid, ask), (longer_bid, longer_ask) in itertools.pairwise(best):
        assert longer_bid <= bid
        assert longer_ask <= ask


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(PROFILES), st.integers(-240, 240), st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_a_fuller_margin_never_brings_the_growing_side_nearer(kind: str, notional: int, margins: list[float]) -> None:
    found = []
    for margin in sorted(margins):
        rig = calm(kind, 0.0, side_gate=0.0)
        rig.state[S_MARGIN] = margin
        bids, asks = rig.quote(notional * 10**6 // PX)
        grows = bids if notional >= 0 else asks
        found.append(abs(grows[0][0] - PX) if grows else math.inf)
    assert found == sorted(found)


@pytest.mark.parametrize("kind", PROFILES)
@pytest.mark.parametrize("sign", [1, -1])
def test_beyond_the_soft_cap_only_the_reducing_side_is_quoted(kind: str, sign: int) -> None:
    rig = calm(kind, -3.0 * sign)  # the forecast speaks for reducing
    bids, asks = rig.quote(sign * 260 * 10**6 // PX)
    growing, reducing = (bids, asks) if sign > 0 else (asks, bids)
    assert not growing
    assert reducing
    assert rig.out[O_WHY + (0 if sign > 0 else 1)] & WHY_ONE_SIDED


@pytest.mark.parametrize("kind", PROFILES)
@pytest.mark.parametrize("equity", [100.0, 1_000.0, 100_000.0])
@pytest.mark.parametrize("order_levels", [1, 3, 12, 20])
def test_every_size_of_account_and_ladder_quotes_both_sides(kind: str, equity: float, order_levels: int) -> None:
    rig = calm(kind, 0.0, side_gate=0.0, order_levels=order_levels)
    rig.told(equity=equity, hard=0.5 * equity, soft=0.25 * equity)
    for rows in rig.quote():
        assert 0 < len(rows) <= order_levels
        assert usd(rows) >= 0.85 * 0.5 * equity - 1.0  # merged, not dropped: what is missing are parts of lots


@pytest.mark.parametrize("kind", PROFILES)
def test_a_session_widens_shrinks_and_lowers_the_caps(kind: str) -> None:
    plain, wide, small, careful = (calm(kind, 0.0, side_gate=0.0) for _ in range(4))
    wide.state[S_SESSION_SPREAD] = 3.0
    small.state[S_SESSION_SIZE] = 0.5
    careful.state[S_SESSION_INVENTORY] = 0.5
    bids, _ = plain.quote()
    assert wide.quote()[0][0][0] < bids[0][0]
    assert usd(small.quote()[0]) == pytest.approx(0.5 * usd(bids), rel=0.1)
    assert usd(careful.quote()[0]) == pytest.approx(0.5 * usd(bids), rel=0.1)
    held_u = 150 * 10**6 // PX
    assert plain.quote(held_u)[0]
    assert not careful.quote(held_u)[0]  # 0.5 x the soft cap of 250


@pytest.mark.parametrize("kind", PROFILES)
def test_no_session_lifts_a_cap(kind: str) -> None:
    rig = calm(kind, 0.0, side_gate=0.0)
    rig.state[S_SESSION_SIZE] = rig.state[S_SESSION_INVENTORY] = 5.0
    for rows in rig.quote():
        assert usd(rows) <= 500.0


# ---------------------------------------------------------------------- lean
def test_lean_quotes_nothing_without_an_accepted_forecast() -> None:
    rig = calm("lean", 3.0)
    rig.state[S_FORECAST_WEIGHT] = 0.0
    assert rig.quote() == ([], [])
    assert rig.out[O_WHY] == rig.out[O_WHY + 1] == WHY_NO_FORECAST


@pytest.mark.parametrize(("forecast", "bids", "asks"), [(0.49, 0, 0), (0.51, 3, 0), (-0.51, 0, 3), (0.0, 0, 0)])
def test_lean_quotes_the_side_its_forecast_favours_by_a_deviation(forecast: float, bids: int, asks: int) -> None:
    rig = calm("lean", forecast)
    assert [len(rows) for rows in rig.quote()] == [bids, asks]
    assert rig.out[O_WHY] == (0 if bids else WHY_FORECAST)


def test_lean_rests_three_equal_levels_at_its_distances_from_the_forecast_price() -> None:
    rig = calm("lean", 0.6).vol(0.2)
    rig.told(equity=10_000, hard=5_000, soft=2_500)
    bids, _ = rig.quote()
    assert rig.state[S_FAIR] == pytest.approx(PX * (1 + 0.6e-4))
    assert distances(rig, 0) == pytest.approx([1.3, 1.8, 2.3], abs=0.14)  # a tick is 0.133 bps
    sizes = [px_u * sz_u / 1e6 for px_u, sz_u in bids]
    assert sizes == pytest.approx([5_000 / 3] * 3, rel=1e-3)


def test_a_position_takes_leans_outer_levels_and_leaves_the_inner_ones_alone() -> None:
    rig = calm("lean", 0.6).vol(0.2)
    full, _ = rig.quote()
    held, _ = rig.quote(200 * 10**6 // PX)
    assert len(full) == 3
    assert len(held) == 2
    assert held[0][1] == full[0][1]


def test_lean_steps_inside_the_spread_unless_told_not_to() -> None:
    wide = [(PX - 500 - 10 * i, 5_000) for i in range(10)], [(PX + 500 + 10 * i, 5_000) for i in range(10)]
    free, joining = calm("lean", 0.6), calm("lean", 0.6, step_inside=False)
    for rig in (free, joining):
        rig.see(*wide)
    assert free.quote()[0][0][0] > PX - 500
    assert joining.quote()[0][0][0] == PX - 500


@pytest.mark.parametrize(("ticks", "kept"), [(1, 10), (2, 20), (3, 30)])
def test_placed_strictly_a_quote_keeps_ticks_from_the_opposite_best(ticks: int, kept: int) -> None:
    rig = calm("lean", 5.0, ticks_from_opposite=ticks)  # the forecast price is far above the best ask
    bids, _ = rig.quote()
    assert bids[0][0] == PX + 10 - kept


def test_no_level_of_lean_is_beyond_three_sigmas_of_the_forecasts_horizon() -> None:
    rig = calm("lean", 0.6, forecast_eps_bps=0.0, safety_bps=0.0).vol(0.04)  # 3 x 0.071 x sqrt(60) = 1.65 bps
    rig.quote()
    assert max(distances(rig, 0)) < 1.8


def test_a_fee_that_lean_cannot_bear_ends_its_quotes_until_own_fills_say_more() -> None:
    rig = calm("lean", 0.6)
    rig.told(fee=1.5)
    assert rig.quote() == ([], [])
    for side in SIDES:
        rig.ints[I_ADVERSE_N + side] = 200
    assert rig.quote()[0]


def test_reducing_on_riskds_word_needs_no_forecast() -> None:
    rig = calm("lean", 0.0)
    rig.state[S_FORECAST_WEIGHT] = 0.0
    rig.ints[I_REDUCING] = 1
    bids, asks = rig.quote(100 * 10**6 // PX)
    assert not bids
    assert sum(sz_u for _, sz_u in asks) <= 100 * 10**6 // PX
    assert asks


# ---------------------------------------------------------------------- tiered and glft
@pytest.mark.parametrize(("forecast", "bids", "asks"), [(-0.5, True, True), (-0.7, False, True), (0.7, True, False)])
def test_tiered_stops_a_side_only_when_the_forecast_is_clearly_against_it(
    forecast: float, bids: bool, asks: bool
) -> None:
    found = calm("tiered", forecast).quote()
    assert [bool(rows) for rows in found] == [bids, asks]


def test_without_a_forecast_tiered_quotes_round_the_microprice() -> None:
    rig = calm("tiered", -3.0)
    rig.state[S_FORECAST_WEIGHT] = 0.0
    assert all(rig.quote())


def test_with_an_accepted_forecast_the_floor_counts_what_is_left_after_it() -> None:
    rig = calm("tiered", 0.0)
    rig.quote()
    assert rig.state[S_FLOOR] == pytest.approx(1.3)  # 0.3 fee + 0.9 left + 0.1 safety
    rig.state[S_FORECAST_WEIGHT] = 0.0
    rig.quote()
    assert rig.state[S_FLOOR] == pytest.approx(2.7667, abs=1e-3)


def test_glft_moves_both_sides_with_the_position() -> None:
    flat, long = calm("glft").vol(0.3), calm("glft").vol(0.3)
    flat_bids, flat_asks = flat.quote()
    bids, asks = long.quote(240 * 10**6 // PX)
    assert long.state[S_CENTRE] > 0
    assert bids[0][0] < flat_bids[0][0]
    assert asks[0][0] < flat_asks[0][0]


def test_glft_sizes_decay_from_level_to_level() -> None:
    rig = calm("glft", depth_sizes=False)
    rig.told(equity=100_000, hard=50_000, soft=25_000)
    sizes = [sz_u for _, sz_u in rig.quote()[0]]
    assert len(sizes) == 5
    assert [b / a for a, b in itertools.pairwise(sizes)] == pytest.approx([0.85] * 4, rel=0.01)


@pytest.mark.parametrize("kind", PROFILES)
def test_a_defensive_market_leaves_one_level_at_the_outer_distance(kind: str) -> None:
    rig = calm(kind, 0.0, side_gate=0.0).vol(0.55)
    calmer = calm(kind, 0.0, side_gate=0.0).vol(0.45)
    calmer.quote()
    bids, asks = rig.quote()
    assert len(bids) == len(asks) == 1
    assert distances(rig, 0)[0] >= distances(calmer, 0)[0]
