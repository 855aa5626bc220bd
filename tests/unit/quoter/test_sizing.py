"""How much rests, and in how many pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quoter.sizing import (
    least_level_usd,
    level_behind,
    level_count,
    level_share,
    local_ratio,
    side_budget_usd,
    thickness,
)
from quoter.state import I_HALF_T, I_LIQUID, I_POSITION, NS, USD
from tests.unit.quoter.builders import PX, T0, Rig, a_book

BID, ASK = 0, 1


def budget(rig: Rig, side: int) -> float:
    return float(side_budget_usd(rig.state, rig.ints, rig.params, side, float(PX), T0))


def test_the_least_level_is_whole_lots_above_the_minimum_with_a_margin() -> None:
    assert least_level_usd(float(PX), 1.05) == pytest.approx(14 * 0.75241 * 1.05)
    assert least_level_usd(9_300_000.0, 1.05) == pytest.approx(2 * 9.3 * 1.05)
    assert least_level_usd(0.0, 1.05) > 1e17


def test_the_hard_cap_less_the_position_may_rest_on_the_growing_side() -> None:
    rig = Rig().liquid()
    rig.ints[I_POSITION] = round(200 * 1e6 / PX)
    assert budget(rig, BID) == pytest.approx(300, rel=0.01)
    assert budget(rig, ASK) == pytest.approx(500)


def test_the_hard_cap_is_the_smaller_of_permit_and_equity_share() -> None:
    rig = Rig().liquid()
    assert budget(rig.told(hard=200), BID) == 200
    assert budget(rig.told(hard=5_000), BID) == 500


def test_permit_liquidity_and_fade_scale_the_budget() -> None:
    rig = Rig().told(size_scale=0.8).liquid()
    assert budget(rig, BID) == pytest.approx(400)
    rig.ints[I_LIQUID] = 0
    assert budget(rig, BID) == pytest.approx(200)
    rig.ints[I_HALF_T] = T0 + NS
    assert budget(rig, BID) == pytest.approx(100)
    assert budget(rig, ASK) == pytest.approx(200)


def test_a_position_beyond_the_cap_leaves_nothing_not_less() -> None:
    rig = Rig()
    rig.ints[I_POSITION] = round(900 * 1e6 / PX)
    assert budget(rig, BID) == 0.0


@given(st.floats(0, 1e5), st.integers(1, 20))
def test_levels_never_exceed_the_configured_number_or_what_the_budget_feeds(usd: float, most: int) -> None:
    rig = Rig(order_levels=most)
    n = level_count(rig.params, usd, float(PX))
    assert 0 <= n <= most
    assert n * least_level_usd(float(PX), 1.05) <= usd + 1e-6


@given(st.integers(1, 20))
def test_shares_sum_to_one_and_fall_by_thirds(n: int) -> None:
    rig = Rig()
    shares = [level_share(rig.params, i, n) for i in range(n)]
    assert sum(shares) == pytest.approx(1.0)
    if n % 3 == 0:
        assert sum(shares[: n // 3]) == pytest.approx(0.7)
        assert sum(shares[-n // 3 :]) == pytest.approx(0.1)


def test_shares_of_zero_are_spread_evenly() -> None:
    rig = Rig(tier_shares=(0.0, 0.0, 1.0))
    assert level_share(rig.params, 0, 1) == 1.0
    assert [level_share(rig.params, i, 3) for i in range(3)] == [0.0, 0.0, 1.0]


def test_local_depth_is_that_of_the_first_level_at_or_behind_the_price() -> None:
    bids, asks = a_book()
    rig = Rig()
    asks[3] = (asks[3][0], asks[3][1] * 4)
    rig.see(bids, asks)
    median = asks[0][1] * asks[0][0] / 1e6
    ask = level_behind(rig.vector, ASK, asks[3][0] - 5, 0)
    bid = level_behind(rig.vector, BID, bids[3][0] + 5, 0)
    assert (ask, bid) == (3, 3)
    assert local_ratio(rig.vector, ASK, ask, USD / median) == pytest.approx(4, rel=0.01)
    assert local_ratio(rig.vector, BID, bid, USD / median) == pytest.approx(1, rel=0.01)


def test_behind_the_last_visible_level_the_local_depth_is_usual() -> None:
    rig = Rig()
    rig.see(*a_book())
    assert local_ratio(rig.vector, ASK, level_behind(rig.vector, ASK, PX * 2, 0), 100.0) == 1.0
    assert local_ratio(rig.vector, ASK, 0, 0.0) == 1.0


@pytest.mark.parametrize(("ratio", "scale"), [(0.4, 0.5), (0.5, 1.0), (1.0, 1.0), (1.5, 1.0), (1.6, 1.5)])
def test_thick_places_get_more_and_thin_ones_less(ratio: float, scale: float) -> None:
    assert thickness(Rig().params, ratio) == scale
