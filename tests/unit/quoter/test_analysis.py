"""What the book says, in numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quoter.analysis import analyse, imbalance, median_usd, microprice
from quoter.state import (
    I_DEEP_T,
    I_FAST_LEVELS,
    I_LIQUID,
    NS,
    S_DEPTH,
    S_IMBALANCE,
    S_IMBALANCE_SLOW,
    S_MID,
    S_WORK,
)
from tests.unit.quoter.builders import PX, T0, Rig, a_book, levels

SIZE = st.integers(1, 10**12)


def test_heavy_bid_pulls_microprice_towards_ask() -> None:
    assert microprice(100, 9, 102, 1) == pytest.approx(101.8)
    assert microprice(100, 1, 102, 9) == pytest.approx(100.2)
    assert microprice(100, 5, 102, 5) == 101.0


@given(SIZE, SIZE, SIZE, st.integers(0, 10**6))
def test_microprice_lies_within_the_touch(bid_px: int, bid_sz: int, ask_sz: int, spread: int) -> None:
    assert bid_px <= microprice(bid_px, bid_sz, bid_px + spread, ask_sz) <= bid_px + spread


def test_microprice_of_nothing_is_the_mid() -> None:
    assert microprice(100, 0, 102, 0) == 101.0


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_imbalance_is_signed_and_bounded(bid: float, ask: float) -> None:
    value = imbalance(bid, ask)
    assert -1.0 <= value <= 1.0
    assert value == -imbalance(ask, bid)


def test_depth_counts_ten_levels() -> None:
    rig = Rig()
    bids, asks = levels(PX - 10, -10, 1000, 20), levels(PX + 10, 10, 1000, 20)
    rig.see(bids, asks)
    assert rig.state[S_DEPTH] == pytest.approx(sum(px * sz for px, sz in bids[:10]) / 1e6)
    assert rig.state[S_DEPTH + 1] == pytest.approx(sum(px * sz for px, sz in asks[:10]) / 1e6)


def test_levels_of_the_slow_layer_weigh_less_the_older_they_are() -> None:
    rig = Rig()
    bids, asks = a_book()
    rig.see(bids, asks)
    fresh = rig.state[S_DEPTH]
    rig.ints[I_FAST_LEVELS] = 5
    for age_s, weight in ((6, 0.75), (12, 0.5), (60, 0.5)):
        rig.see(bids, asks)
        rig.ints[I_FAST_LEVELS], rig.ints[I_DEEP_T] = 5, T0 - age_s * NS
        analyse(rig.state, rig.ints, rig.params, rig.vector, T0)
        assert rig.state[S_DEPTH] == pytest.approx(fresh * (0.5 + 0.5 * weight), rel=1e-3)


def test_a_book_with_more_bids_has_positive_imbalance() -> None:
    rig = Rig()
    bids, asks = a_book()
    rig.see([(px, 3 * sz) for px, sz in bids], asks)
    assert rig.state[S_IMBALANCE] == pytest.approx(0.5, abs=0.01)


def test_the_averaged_imbalance_follows_with_its_half_life() -> None:
    rig = Rig()
    bids, asks = a_book()
    rig.see(bids, asks, T0)
    rig.see([(px, 3 * sz) for px, sz in bids], asks, T0 + 5 * NS)
    assert rig.state[S_IMBALANCE_SLOW] == pytest.approx(rig.state[S_IMBALANCE] / 2, abs=0.01)


def test_median_is_the_lower_middle_level() -> None:
    rig = Rig()
    bids = [(PX - 10 * i, sz) for i, sz in enumerate([5, 1, 9, 3])]
    rig.see(bids, bids[:0])
    assert median_usd(rig.vector, 0, 10, 10, 1.0, rig.state, S_WORK) == pytest.approx(3 * (PX - 30) / 1e6)
    assert median_usd(rig.vector, 1, 10, 10, 1.0, rig.state, S_WORK) == 0.0


def test_a_one_sided_book_has_no_mid() -> None:
    rig = Rig()
    assert rig.see(a_book()[0], []) == 0
    assert rig.state[S_MID] == 0.0
    assert math.isfinite(rig.state[S_IMBALANCE])


def test_liquidity_is_entered_at_the_threshold_and_left_at_its_exit_ratio_each_after_three_seconds() -> None:
    rig = Rig()

    def depth(usd: float, at_s: float) -> int:
        rig.see(*a_book(usd=usd), T0 + round(at_s * NS))
        return int(rig.ints[I_LIQUID])

    assert depth(5_100, 0) == 1
    assert depth(3_500, 1) == 1  # below the threshold, above 0.6 of it
    assert depth(3_500, 9) == 1
    assert depth(2_000, 10) == 1
    assert depth(2_000, 12.9) == 1
    assert depth(2_000, 13.1) == 0
    assert depth(4_500, 20) == 0  # between: stays illiquid
    assert depth(5_100, 30) == 0
    assert depth(2_000, 31) == 0  # the deep moment did not last
    assert depth(5_100, 32) == 0
    assert depth(5_100, 35) == 1


def test_the_first_book_decides_liquidity_at_once() -> None:
    assert Rig().see(*a_book(usd=100)) == 1
    rig = Rig()
    rig.see(*a_book(usd=100))
    assert rig.ints[I_LIQUID] == 0
