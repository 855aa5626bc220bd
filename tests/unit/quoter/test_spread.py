"""How far from the fair price: the table, its memory, and what widens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quoter.spread import set_range, set_widening, table_bps, vol_mode
from quoter.state import (
    I_DEPTH_CLASS,
    I_IMBALANCED,
    I_LIQUID,
    I_VOL_N,
    NS,
    S_HI,
    S_IMBALANCE_SLOW,
    S_LO,
    S_SPREAD_SCALE,
    S_VOL_FAST,
    S_VOL_USED,
    S_WIDENING,
    VOL_DEFENSIVE,
    VOL_NORMAL,
    VOL_PULLED,
)
from tests.unit.quoter.builders import T0, Rig, a_book


@pytest.mark.parametrize(
    ("vol", "lo", "hi"),
    [(0.0, 1, 5), (0.05, 2, 10), (0.10, 5, 25), (0.15, 10, 50), (0.9, 10, 50), (0.025, 1.414, 7.07)],
)
def test_the_table_is_exact_at_its_rows_and_log_linear_between(vol: float, lo: float, hi: float) -> None:
    rig = Rig()
    assert table_bps(rig.params, vol, 1) == pytest.approx(lo, rel=1e-3)
    assert table_bps(rig.params, vol, 2) == pytest.approx(hi, rel=1e-3)


@pytest.mark.parametrize(
    ("vol", "lo"), [(0.02, 1), (0.04, 1), (0.115, 2), (0.1575, 10**0.5), (0.2, 5), (0.3, 10), (1, 10)]
)
def test_the_older_btc_table_is_as_the_edge_study_played_it(vol: float, lo: float) -> None:
    rig = Rig("btc", vol_rows="btc-seed")
    assert table_bps(rig.params, vol, 1) == pytest.approx(lo, rel=1e-3)
    assert table_bps(rig.params, vol, 2) == pytest.approx(5 * lo, rel=1e-3)


@given(st.floats(0, 2), st.floats(0, 2))
def test_more_volatility_never_narrows(one: float, two: float) -> None:
    rig = Rig()
    low, high = min(one, two), max(one, two)
    for column in (1, 2):
        assert table_bps(rig.params, low, column) <= table_bps(rig.params, high, column) + 1e-9


def test_too_little_data_means_the_widest_row() -> None:
    rig = Rig()
    rig.state[S_VOL_FAST], rig.ints[I_VOL_N] = 0.01, 3
    assert set_range(rig.state, rig.ints, rig.params) == VOL_NORMAL
    assert (rig.state[S_LO], rig.state[S_HI]) == (10, 50)


def test_volatility_must_leave_the_used_one_by_ten_percent() -> None:
    rig = Rig().vol(0.10)
    set_range(rig.state, rig.ints, rig.params)
    lo = rig.state[S_LO]
    set_range(rig.vol(0.109).state, rig.ints, rig.params)
    assert rig.state[S_LO] == lo
    set_range(rig.vol(0.111).state, rig.ints, rig.params)
    assert rig.state[S_LO] > lo
    assert rig.state[S_VOL_USED] == 0.111


def test_min_and_max_spread_bound_the_range() -> None:
    rig = Rig(min_spread_bps=3.0, max_spread_bps=20.0).vol(0.0)
    set_range(rig.state, rig.ints, rig.params)
    assert (rig.state[S_LO], rig.state[S_HI]) == (3.0, 5.0)
    set_range(rig.vol(0.5).state, rig.ints, rig.params)
    assert (rig.state[S_LO], rig.state[S_HI]) == (10.0, 20.0)


def test_high_volatility_is_left_only_ten_percent_below_where_it_was_entered() -> None:
    params = Rig().params  # HIGH_VOL 0.5, paused above 0.75
    steps = [
        (0.49, VOL_NORMAL), (0.51, VOL_DEFENSIVE), (0.46, VOL_DEFENSIVE), (0.44, VOL_NORMAL), (0.76, VOL_PULLED),
        (0.70, VOL_PULLED), (0.66, VOL_DEFENSIVE), (0.44, VOL_NORMAL),
    ]  # fmt: skip
    mode = VOL_NORMAL
    for vol, wanted in steps:
        mode = vol_mode(params, vol, mode)
        assert mode == wanted


def widening(rig: Rig) -> float:
    set_widening(rig.state, rig.ints, rig.params)
    return float(rig.state[S_WIDENING])


def test_imbalance_widens_from_its_trigger_on_and_ends_milder() -> None:
    rig = Rig().liquid()
    for value, scale in ((0.29, 1.0), (0.31, 1.303), (0.25, 1.3), (0.23, 1.0), (-1.0, 1.5), (-0.25, 1.3), (0.0, 1.0)):
        rig.state[S_IMBALANCE_SLOW] = value
        assert widening(rig) == pytest.approx(scale, abs=1e-3)
    assert rig.ints[I_IMBALANCED] == 0


def test_a_deep_book_narrows_and_a_thin_one_widens_once_the_usual_depth_is_known() -> None:
    rig = Rig().liquid()
    rig.see(*a_book(usd=100_000), T0 + NS)
    assert widening(rig) == 1.0  # nothing is usual after a second
    for second in range(2, 300):
        rig.see(*a_book(usd=20_000), T0 + second * NS)
    assert widening(rig) == 1.0
    rig.see(*a_book(usd=60_000), T0 + 300 * NS)
    assert widening(rig) == pytest.approx(0.85)
    rig.see(*a_book(usd=5_500), T0 + 301 * NS)
    assert widening(rig) == pytest.approx(1.2)
    assert rig.ints[I_DEPTH_CLASS] == -1


def test_an_illiquid_book_and_the_permit_widen_on_top() -> None:
    rig = Rig().liquid()
    rig.ints[I_LIQUID] = 0
    rig.state[S_SPREAD_SCALE] = 1.5
    assert widening(rig) == pytest.approx(1.2 * 1.5)
    rig.state[S_SPREAD_SCALE] = 0.2  # a permit never narrows
    assert widening(rig) == pytest.approx(1.2)
