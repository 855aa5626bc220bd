"""What holds for every ladder, whatever the market, the account and the memory."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from common.ticks import MIN_NOTIONAL_E6, is_legal_px
from quoter.state import (
    I_REDUCING,
    NS,
    O_LEN,
    O_MERGED,
    O_WHY,
    QUOTES_MAX,
    S_BUDGET,
    S_FAIR,
    S_FLOOR,
    S_IMBALANCE,
    S_LEN,
    S_LOCAL,
    S_MARGIN,
    S_ORACLE,
    S_URGENCY,
    WHY_COLLAR,
    WHY_HIGH_VOL,
    WHY_NO_BOOK,
    WHY_NO_BUDGET,
    WHY_ONE_SIDED,
    WHY_REDUCING,
    numbers,
)
from tests.unit.quoter.builders import PX, T0, Rig, a_book, levels, step_of

SIDES = (0, 1)


@st.composite
def rigs(draw: st.DrawFn) -> tuple[Rig, int]:
    """A rig in any market and account, with its position."""
    sz_decimals = draw(st.integers(0, 6))
    px_u = int(10 ** draw(st.floats(3.5, 8.0)))
    if draw(st.booleans()):  # around a change of tick: 9,999.9 / 10,000 and the like
        px_u = 10 ** draw(st.integers(4, 7)) + draw(st.integers(-30, 30))
    step = step_of(px_u, sz_decimals)
    px_u = max(px_u // step * step, 40 * step)
    equity = draw(st.floats(100, 100_000))
    rig = Rig(sz_decimals=sz_decimals, order_levels=draw(st.integers(1, QUOTES_MAX)))
    rig.told(
        equity=equity,
        fee=draw(st.floats(-0.3, 3.0)),
        hard=equity * draw(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.6])),
        soft=equity * draw(st.sampled_from([0.1, 0.25, 0.3])),
        size_scale=draw(st.sampled_from([1.0, 0.8, 0.3])),
    )
    if draw(st.booleans()):
        rig.vol(draw(st.floats(0, 0.9)))
    rig.state[S_MARGIN] = draw(st.floats(0, 1))
    rig.state[S_ORACLE] = float(px_u) * draw(st.sampled_from([0.985, 0.992, 1.0, 1.0, 1.003, 1.015]))
    gap = draw(st.integers(1, 4))
    sizes = st.lists(st.integers(1, 10**10 // px_u), min_size=1, max_size=20)
    bids = [(px_u - i * step, sz_u) for i, sz_u in enumerate(draw(sizes)) if px_u - i * step > 0]
    asks = [(px_u + (gap + i) * step, sz_u) for i, sz_u in enumerate(draw(sizes))]
    rig.see(bids, asks)
    rig.ints[I_REDUCING] = draw(st.sampled_from([0, 0, 0, 1]))
    position_u = int(equity * draw(st.sampled_from([0.0, 0.02, 0.1, 0.2, 0.4, 0.7])) * 1e6 / px_u)
    position_u *= draw(st.sampled_from([-1, 1]))
    return rig, position_u


def distances(rig: Rig, side: int) -> list[float]:
    """Of the quoted levels from the fair price, bps, outwards positive."""
    fair = rig.state[S_FAIR]
    sign = 1 if side else -1
    return [sign * (px_u - fair) / fair * 1e4 for px_u, _ in rig.side(side)]


@settings(max_examples=250, deadline=None)
@given(rigs())
def test_every_ladder_is_legal_and_within_its_limits(case: tuple[Rig, int]) -> None:
    rig, position_u = case
    bids, asks = rig.quote(position_u)
    sz_decimals = int(rig.ints[2])
    best_bid, best_ask = int(rig.vector[2]), int(rig.vector[2 + 64])
    assert all(px_u < best_ask for px_u, _ in bids)
    assert all(px_u > best_bid for px_u, _ in asks)
    if bids and asks:
        assert bids[0][0] < asks[0][0]
    for rows, sign in ((bids, -1), (asks, 1)):
        assert all(is_legal_px(px_u, sz_decimals) for px_u, _ in rows)
        assert all(px_u * sz_u >= MIN_NOTIONAL_E6 for px_u, sz_u in rows)
        assert all((b[0] - a[0]) * sign > 0 for a, b in itertools.pairwise(rows))
    for side in SIDES:
        assert usd(rig.side(side)) <= rig.state[S_BUDGET + side] * (1 + 1e-9)
        inside_floor_u = sum(
            row[1]
            for row, d in zip(rig.side(side), distances(rig, side), strict=True)
            if d < rig.state[S_FLOOR + side] - 1e-6
        )
        reduces = (position_u > 0) == (side == 1) and position_u != 0
        assert inside_floor_u <= (abs(position_u) if reduces else 0)
    if rig.ints[I_REDUCING]:
        growing = bids if position_u > 0 else asks
        reducing = asks if position_u > 0 else bids
        assert not growing
        assert sum(sz_u for _, sz_u in reducing) <= abs(position_u)
    assert all(math.isfinite(float(x)) for x in numbers(rig.state, 0, S_LEN))


@settings(max_examples=50, deadline=None)
@given(rigs())
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


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from([130, 3_100, 20_300]), min_size=1, max_size=15),
    st.lists(st.sampled_from([130, 3_100, 20_300]), min_size=1, max_size=15),
    st.sampled_from([-0.45, -0.26, -0.2, -0.1, -0.01, 0.0, 0.01, 0.1, 0.2, 0.26, 0.45]),
    st.sampled_from([0.0, 0.04, 0.12, 0.3]),
)
def test_swapping_the_sides_mirrors_the_ladder(
    bid_sizes: list[int], ask_sizes: list[int], position: float, vol: float
) -> None:
    px_u, step = 5_000_000, 500  # whole prices are always legal: 0.002 bps a tick, 5 USD a lot
    position_u = int(position * 20_000 * 1e6 / px_u)

    def quoted(bids: list[int], asks: list[int], held_u: int) -> Rig:
        even = {"thick_ratio": 10.0, "thin_ratio": 0.0}  # whether a level lies at or before one of the market is chance
        rig = Rig(sz_decimals=6, **even).vol(vol).told(equity=20_000, hard=10_000, soft=5_000)
        rig.state[S_ORACLE] = float(px_u)
        rig.see(
            [(px_u - (i + 1) * step, z) for i, z in enumerate(bids)],
            [(px_u + (i + 1) * step, z) for i, z in enumerate(asks)],
        )
        rig.quote(held_u)
        return rig

    one, two = quoted(bid_sizes, ask_sizes, position_u), quoted(ask_sizes, bid_sizes, -position_u)
    assume(abs(abs(one.state[S_IMBALANCE]) - 0.3) > 0.01)  # mirrored prices differ, so on a border the rules may
    for side in SIDES:
        mine, mirrored = distances(one, side), distances(two, 1 - side)
        if position_u:  # a lot more or less may decide whether one level still only reduces
            assert abs(len(mine) - len(mirrored)) <= 1
            mine, mirrored = mine[:1], mirrored[:1]
        assert mine == pytest.approx(mirrored, rel=5e-4, abs=0.01)
        assert usd(one.side(side)) == pytest.approx(usd(two.side(1 - side)), rel=0.05)
        assert one.out[O_WHY + side] == two.out[O_WHY + 1 - side]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-700, 700), min_size=2, max_size=8), st.floats(0, 0.3))
def test_a_longer_position_never_raises_a_bid_or_an_ask(notionals: list[int], vol: float) -> None:
    best: list[tuple[float, float]] = []
    bought: list[float] = []
    for notional in sorted(notionals):
        rig = Rig().liquid().vol(vol)
        bids, asks = rig.quote(notional * 10**6 // PX)
        best.append((bids[0][0] if bids else -math.inf, asks[0][0] if asks else math.inf))
        if notional >= 0:
            bought.append(usd(bids))
    for (bid, ask), (longer_bid, longer_ask) in itertools.pairwise(best):
        assert longer_bid <= bid
        assert longer_ask <= ask
    lots_usd = 12 * PX / 1e6
    assert all(longer <= before + lots_usd for before, longer in itertools.pairwise(bought))


@pytest.mark.parametrize("held_usd", [260, 400, 499, 600])
@pytest.mark.parametrize("sign", [1, -1])
def test_beyond_the_soft_cap_only_the_reducing_side_is_quoted(held_usd: int, sign: int) -> None:
    rig = Rig().liquid()
    bids, asks = rig.quote(sign * held_usd * 10**6 // PX)
    growing, reducing = (bids, asks) if sign > 0 else (asks, bids)
    assert not growing
    assert reducing
    assert rig.out[O_WHY + (0 if sign > 0 else 1)] == WHY_ONE_SIDED


def test_an_empty_or_one_sided_book_gives_no_quotes() -> None:
    bids, asks = a_book()
    for book in (([], []), (bids, []), ([], asks)):
        rig = Rig().liquid()
        assert rig.see(*book) == 0
        assert rig.quote() == ([], [])
        assert rig.out[O_WHY] == rig.out[O_WHY + 1] == WHY_NO_BOOK


def test_levels_run_geometrically_from_lo_through_the_breaks_to_hi() -> None:
    table = [{"from_vol": 0, "lo_bps": 1, "hi_bps": 50}]
    rig = Rig(order_levels=15, vol_table=table, eps_bps=0, eta=0, safety_bps=0)
    px_u = 50_000
    rig.told(equity=100_000, hard=1e6, soft=1e6, fee=0.0).vol(0.1)
    rig.state[S_ORACLE] = float(px_u)
    rig.see(levels(px_u - 1, -1, 10**6), levels(px_u + 1, 1, 10**6))
    rig.quote()
    found = distances(rig, 1)
    wanted = [a * (b / a) ** (i / 5) for a, b in ((1, 4.92), (4.92, 15.21), (15.21, 50)) for i in range(5)]
    assert found == pytest.approx(wanted, abs=0.25)
    sizes = [px_u * sz_u for px_u, sz_u in rig.side(1)]
    assert [sum(sizes[i : i + 5]) / sum(sizes) for i in (0, 5, 10)] == pytest.approx([0.7, 0.2, 0.1], abs=0.01)


def test_levels_below_the_floor_are_moved_to_it_and_merged() -> None:
    rig = Rig(order_levels=12).liquid().vol(0.0)  # lo = 1 bps, the floor is 2.77
    bids, _ = rig.quote()
    assert distances(rig, 0)[0] >= rig.state[S_FLOOR] == pytest.approx(2.7667, abs=1e-3)
    assert len(bids) < 12
    assert rig.out[O_MERGED] > 0
    assert usd(bids) == pytest.approx(500, rel=0.1)


def test_a_level_too_small_for_the_venue_joins_its_inner_neighbour() -> None:
    rig = Rig(order_levels=12).liquid().vol(0.2).told(hard=140.0)  # the outer third would be below 10 USD a level
    bids, _ = rig.quote()
    assert 0 < len(bids) < 12
    assert rig.out[O_MERGED] > 0
    assert usd(bids) > 0.9 * 140


def test_a_budget_below_one_legal_order_gives_no_quotes_and_says_so() -> None:
    rig = Rig().liquid().told(hard=9.0)
    assert rig.quote() == ([], [])
    assert rig.out[O_WHY] == WHY_NO_BUDGET


def test_local_depth_makes_levels_larger_or_smaller() -> None:
    bids, asks = a_book(tick=100, usd=50_000, n=20)
    thick = [(px_u, sz_u * (4 if i == 4 else 1)) for i, (px_u, sz_u) in enumerate(bids)]
    rigs = []
    for side in (bids, thick):
        rig = Rig(order_levels=4).liquid()
        rig.see(side, asks)
        for second in range(60):
            rig.quote(t_ns=T0 + second * NS)
        rigs.append(rig)
    plain, deep = rigs
    assert max(numbers(deep.state, S_LOCAL, S_LOCAL + 4)) > 1.5
    assert plain.side(0) != deep.side(0)
    assert usd(deep.side(0)) <= 500


def test_only_levels_that_fit_the_position_go_inside_the_floor() -> None:
    rig = Rig(order_levels=4).liquid().vol(0.0)
    position_u = 200 * 10**6 // PX
    _, asks = rig.quote(position_u)
    near = [row for row, d in zip(asks, distances(rig, 1), strict=True) if d < rig.state[S_FLOOR + 1]]
    assert rig.state[S_URGENCY] > 0
    assert near
    assert sum(sz_u for _, sz_u in near) <= position_u
    assert distances(rig, 1)[0] >= 0.4  # fee 0.3 + safety 0.1


def test_reducing_offers_no_more_than_the_position() -> None:
    rig = Rig().liquid()
    rig.ints[I_REDUCING] = 1
    position_u = 100 * 10**6 // PX
    bids, asks = rig.quote(position_u)
    assert not bids
    assert rig.out[O_WHY] == WHY_REDUCING
    assert sum(sz_u for _, sz_u in asks) == position_u


def test_reducing_a_position_too_small_for_an_order_offers_nothing() -> None:
    rig = Rig().liquid()
    rig.ints[I_REDUCING] = 1
    assert rig.quote(5 * 10**6 // PX) == ([], [])
    assert rig.out[O_WHY + 1] == WHY_NO_BUDGET


def test_high_volatility_leaves_one_level_at_the_outer_distance_then_none() -> None:
    rig = Rig().liquid().vol(0.55)
    bids, asks = rig.quote()
    assert len(bids) == len(asks) == 1
    assert distances(rig, 0)[0] >= 50
    rig.vol(0.80)
    assert rig.quote(t_ns=T0 + NS) == ([], [])
    assert rig.out[O_WHY] == WHY_HIGH_VOL


def test_beyond_the_collar_only_the_side_that_leads_back_is_quoted() -> None:
    rig = Rig().liquid(oracle=PX * 0.98)  # the market is 2 % above the oracle
    bids, asks = rig.quote()
    assert not asks
    assert rig.out[O_WHY + 1] & WHY_COLLAR
    assert bids
    assert all(px_u <= PX * 0.98 * 1.01 for px_u, _ in bids)


def usd(rows: list[tuple[int, int]]) -> float:
    return sum(px_u * sz_u for px_u, sz_u in rows) / 1e6
