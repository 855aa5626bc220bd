"""The nearest distance at which a quote can pay for itself."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quoter.adverse import side_floor_bps
from quoter.floor import (
    MEMORY_FILLS,
    adverse_bound_bps,
    learn_adverse,
    prior_floor_bps,
    reduce_floor_bps,
    tick_bps,
)
from quoter.state import I_ADVERSE_N, I_POSITION, NO_FLOOR, P_ETA, P_K, S_ADVERSE_MEAN
from tests.unit.quoter.builders import Rig


def a_rig(fee: float = 0.3) -> Rig:
    return Rig().told(fee=fee)


def floor_of(rig: Rig, tick: float = 0.1) -> float:
    return float(side_floor_bps(rig.state, rig.ints, rig.params, 0, tick))


def scored(rig: Rig, n: int, mean: float, sd: float = 0.0, side: int = 0) -> None:
    rng = random.Random(1)
    for _ in range(n):
        learn_adverse(rig.state, rig.ints, side, rng.gauss(mean, sd))


@pytest.mark.parametrize(("fee", "wanted"), [(0.3, 2.7667), (1.5, 4.7667), (3.0, 7.2667), (-0.3, 1.7667)])
def test_the_prior_is_the_break_even_of_strategy_md(fee: float, wanted: float) -> None:
    assert prior_floor_bps(a_rig().params, fee) == pytest.approx(wanted, abs=1e-3)  # eps .5, eta .4, k .5, safety .1


def test_the_prior_counts_until_enough_fills_are_marked_out() -> None:
    rig = a_rig()
    scored(rig, 199, mean=0.2)
    assert floor_of(rig) == pytest.approx(2.7667, abs=1e-3)
    scored(rig, 1, mean=0.2)
    assert floor_of(rig) == pytest.approx(0.3 + 0.2 + 0.1, abs=1e-2)


def test_the_measured_floor_is_never_below_fee_and_safety() -> None:
    rig = a_rig()
    scored(rig, 300, mean=-5.0)
    assert floor_of(rig) == pytest.approx(0.4)


def test_nothing_is_quoted_where_the_bound_lies_above_three_times_the_prior() -> None:
    rig = a_rig()
    scored(rig, 300, mean=3 * 2.7667 - 0.4 - 0.01)
    assert floor_of(rig) == pytest.approx(3 * 2.7667, abs=0.02)
    scored(rig, 300, mean=50.0)
    assert floor_of(rig) == NO_FLOOR


def test_the_side_that_reduces_the_position_is_quoted_all_the_same() -> None:
    rig = a_rig()
    scored(rig, 300, mean=50.0)
    rig.ints[I_POSITION] = -5
    assert floor_of(rig) == pytest.approx(3 * 2.7667, abs=1e-3)


def test_uncertain_measurements_raise_the_floor() -> None:
    sure, unsure = a_rig(), a_rig()
    scored(sure, 250, mean=1.0, sd=0.1)
    scored(unsure, 250, mean=1.0, sd=8.0)
    assert adverse_bound_bps(unsure.state, unsure.ints, 0) > adverse_bound_bps(sure.state, sure.ints, 0)
    assert floor_of(unsure) > floor_of(sure)


def test_each_side_learns_for_itself() -> None:
    rig = a_rig()
    scored(rig, 250, mean=2.0, side=1)
    assert floor_of(rig) == pytest.approx(2.7667, abs=1e-3)
    assert rig.ints[I_ADVERSE_N + 1] == 250


def test_old_fills_fade_from_the_estimate() -> None:
    rig = a_rig()
    scored(rig, MEMORY_FILLS, mean=5.0)
    scored(rig, 3 * MEMORY_FILLS, mean=1.0)
    assert rig.state[S_ADVERSE_MEAN] == pytest.approx(1.0, abs=0.3)


@given(st.floats(-0.5, 5), st.floats(0.01, 3))
def test_no_floor_lies_below_one_tick(fee: float, tick: float) -> None:
    rig = a_rig(fee)
    assert floor_of(rig, tick) >= tick
    assert reduce_floor_bps(rig.state, rig.params, tick) >= max(tick, fee + 0.1)


@pytest.mark.parametrize(
    ("px_u", "sz_decimals", "wanted"),
    [(752_410, 3, 0.1329), (77_562_0, 5, 0.1289), (99_999, 4, 0.1), (100_000, 4, 1.0), (0.0, 3, 1e4)],
)
def test_the_tick_in_bps(px_u: float, sz_decimals: int, wanted: float) -> None:
    assert tick_bps(float(px_u), sz_decimals) == pytest.approx(wanted, rel=1e-2)


def test_an_impossible_prior_is_a_floor_nobody_reaches() -> None:
    for place, value in ((P_ETA, 1.0), (P_K, 0.0)):
        broken = a_rig()
        broken.params[place] = value
        assert prior_floor_bps(broken.params, 0.3) == 1e4
