"""Adaptive modes: which one holds, and what it leaves near the inner edge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quoter.modes import learn_mode, limit_near, mode_of
from quoter.state import (
    I_MODE,
    MODE_AGGRESSIVE,
    MODE_DEFENSIVE,
    MODE_MODERATE,
    MODE_NORMAL,
    MODE_OFF,
    MODE_ROWS,
    MODE_VERY_AGGRESSIVE,
    S_FLOOR,
    S_MODE_SCORE,
    S_WORK,
)
from tests.unit.quoter.builders import Rig

BID = 0


def after(*scores: float, usd: float = 100.0, on: bool = True) -> Rig:
    rig = Rig(adaptive_modes=on)
    for score in scores:
        learn_mode(rig.state, rig.ints, rig.params, score, usd)
    return rig


def near_levels(mode: int, *distances: float, floor: float = 0.0) -> list[float]:
    rig = Rig(adaptive_modes=True)
    rig.ints[I_MODE] = mode
    rig.state[S_FLOOR + BID] = floor
    for i, distance in enumerate(distances):
        rig.state[S_WORK + i] = distance
    limit_near(rig.state, rig.ints, rig.params, BID, len(distances))
    return [float(rig.state[S_WORK + i]) for i in range(len(distances))]


@pytest.mark.parametrize(
    ("score", "mode"),
    [
        (-9.0, MODE_DEFENSIVE), (-3.01, MODE_DEFENSIVE), (-3.0, MODE_MODERATE), (0.99, MODE_MODERATE),
        (1.0, MODE_NORMAL), (10.0, MODE_NORMAL), (10.01, MODE_AGGRESSIVE), (15.0, MODE_AGGRESSIVE),
        (15.01, MODE_VERY_AGGRESSIVE), (99.0, MODE_VERY_AGGRESSIVE),
    ],
)  # fmt: skip
def test_the_rows_end_where_design_says(score: float, mode: int) -> None:
    assert mode_of(Rig().params, score) == mode


def test_fewer_than_twenty_fills_are_normal() -> None:
    assert after(*[-20.0] * 19).ints[I_MODE] == MODE_NORMAL
    assert after(*[-20.0] * 20).ints[I_MODE] == MODE_DEFENSIVE


def test_the_score_is_that_of_the_last_fifty_fills_by_size() -> None:
    assert after(*[-20.0] * 30, *[2.0] * 50).state[S_MODE_SCORE] == pytest.approx(2.0)
    rig = after(*[-8.0] * 25, usd=100.0)
    for _ in range(25):
        learn_mode(rig.state, rig.ints, rig.params, 0.0, 300.0)
    assert rig.state[S_MODE_SCORE] == pytest.approx(-2.0)


def test_modes_are_off_unless_asked_for() -> None:
    assert after(*[-20.0] * 30, on=False).ints[I_MODE] == MODE_OFF
    assert near_levels(MODE_OFF, 1.0, 1.1, 1.2) == [1.0, 1.1, 1.2]


def test_levels_beyond_the_modes_number_move_to_twice_the_inner_edge() -> None:
    assert near_levels(MODE_NORMAL, 1.0, 1.2, 1.4, 1.6, 1.8, 5.0) == [1.0, 1.2, 1.4, 2.0, 2.0, 5.0]


def test_levels_beyond_twice_the_inner_edge_are_left_alone() -> None:
    assert near_levels(MODE_MODERATE, 2.0, 4.0, 9.0, 20.0) == [2.0, 4.0, 9.0, 20.0]


def test_no_level_is_nearer_than_the_modes_least_distance() -> None:
    assert near_levels(MODE_DEFENSIVE, 1.0, 2.0, 4.0)[0] == 2.9
    assert near_levels(MODE_VERY_AGGRESSIVE, 0.1)[0] == 0.36


def test_levels_that_the_floor_brings_together_count_once() -> None:
    assert near_levels(MODE_MODERATE, 1.5, 1.6, 1.7, 3.5, 4.0, floor=3.0) == [1.5, 1.6, 1.7, 3.5, 6.0]


@given(st.integers(0, MODE_ROWS - 1), st.lists(st.floats(0.1, 60), min_size=1, max_size=20), st.floats(0, 5))
def test_a_mode_only_ever_moves_levels_outwards_and_keeps_their_order(
    mode: int, distances: list[float], floor: float
) -> None:
    before = sorted(distances)
    found = near_levels(mode, *before, floor=floor)
    assert found == sorted(found)
    assert all(now >= was for now, was in zip(found, before, strict=True))
