"""What a decision takes over from the one before is what it would have made anew: no result outlives its inputs."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from common.kernel import istate, state
from quoter.kept import ladder_differs, needs_differ
from quoter.quote import quote_sides
from quoter.state import (
    BANDS,
    BID_SIDE,
    I_ADVERSE_N,
    I_BAND_N,
    I_LEN,
    I_POSITION,
    I_VOL_N,
    LADDER_KEY,
    NEED_KEY,
    NO_FLOOR,
    O_COUNT,
    O_LEN,
    P_BAND_WEIGHT,
    P_BREAK_INNER,
    P_FLOOR_FILLS,
    P_LEN,
    P_LIST,
    P_MIN_SPREAD,
    P_SAFETY,
    P_SHARE_OUTER,
    P_SIZE_DECAY,
    S_ADVERSE_M2,
    S_ADVERSE_MEAN,
    S_BAND,
    S_BASE,
    S_EQUITY,
    S_FEE,
    S_FORECAST_WEIGHT,
    S_HARD,
    S_HI,
    S_LADDER_KEY,
    S_LEN,
    S_LO,
    S_NEED,
    S_NEED_KEY,
    S_RING,
    S_STEP,
    numbers,
)
from tests.kernels.quoter_cases import World, world
from tests.unit.quoter.builders import PX, T0, Rig, a_book

STEPS = 60
LEVELS = 15


def vectors(w: World) -> tuple[Any, Any, Any, Any, Any]:
    """The world's lists as what this mode's kernels take."""
    made = []
    for values in (w.state, w.ints, w.params, w.book, w.out):
        vector = state(len(values)) if isinstance(values[0], float) else istate(len(values))
        vector[:] = values
        made.append(vector)
    floats, ints, params, book, out = made
    return floats, ints, params, book, out


def decided(w: World) -> int:
    """Levels that the world's vectors give, which they are from then on."""
    floats, ints, params, book, out = vectors(w)
    levels = quote_sides(floats, ints, params, book, w.t_ns, out)
    w.state[:], w.ints[:], w.out[:] = numbers(floats, 0, S_LEN), numbers(ints, 0, I_LEN), numbers(out, 0, O_LEN)
    return int(levels)


def next_world(now: World, rng: random.Random) -> World:
    """Some time later: a few numbers, the book or a parameter are another world's."""
    then, other = copy.deepcopy(now), world(rng)
    for _ in range(rng.choice([0, 0, 1, 1, 2, 5])):
        place = rng.choice([*range(S_RING), *range(S_BAND, S_NEED)])
        then.state[place] = other.state[place]
        place = rng.choice([I_POSITION, I_POSITION, I_VOL_N, *range(I_LEN)])
        then.ints[place] = other.ints[place]
    if rng.random() < 0.1:
        place = rng.randrange(P_LEN)
        then.params[place] = other.params[place]
    if rng.random() < 0.1:
        then.params[P_MIN_SPREAD] = rng.uniform(0.0, 20.0)
    if rng.random() < 0.2:
        then.state[S_HARD] = then.state[S_EQUITY] * rng.uniform(0.0, 0.5)
    for side in range(2):
        if rng.random() < 0.2:
            then.state[S_ADVERSE_MEAN + side] += rng.gauss(0.0, 0.3)
            then.ints[I_ADVERSE_N + side] = rng.choice([0, 150, 250])
    then.t_ns += rng.randrange(2_000_000_000)
    return then


@pytest.mark.parametrize("seed", range(20))
def test_a_ladder_with_kept_results_is_the_one_made_afresh_bit_for_bit(seed: int) -> None:
    """A life of decisions: what changed is drawn, most of it leaves something to quote."""
    rng = random.Random(seed)
    now = world(rng)
    while decided(now) < 6:
        now = world(rng)
    for _ in range(STEPS):
        then = next_world(now, rng)
        fresh = copy.deepcopy(then)
        fresh.state[S_BASE:] = [0.0] * (S_LEN - S_BASE)
        levels = decided(then)
        decided(fresh)
        assert (then.out, then.ints) == (fresh.out, fresh.ints)
        assert repr(then.state[:S_BASE]) == repr(fresh.state[:S_BASE])
        if levels > 0 or rng.random() < 0.2:
            now = then


def a_rig() -> Rig:
    rig = Rig(order_levels=LEVELS).told(equity=10_000.0, hard=5_000.0, soft=2_500.0)
    rig.vol(0.12).see(*a_book())
    rig.ints[I_ADVERSE_N] = rig.ints[I_ADVERSE_N + 1] = 250
    return rig


def test_a_market_that_only_moves_takes_over_all_that_is_slow() -> None:
    rig = a_rig()
    rig.quote()
    assert rig.out[O_COUNT] == LEVELS
    rig.see(*a_book(PX + 30))
    for side in range(2):
        assert ladder_differs(rig.state, rig.params, side, LEVELS) == 0
        assert needs_differ(rig.state, rig.ints, rig.params, side) == 0


@pytest.mark.parametrize("place", [S_LO, S_HI, S_STEP])
def test_another_range_makes_the_distances_anew(place: int) -> None:
    rig = a_rig()
    rig.quote()
    rig.state[place] += 0.25
    assert ladder_differs(rig.state, rig.params, BID_SIDE, LEVELS) == 1
    assert ladder_differs(rig.state, rig.params, BID_SIDE, LEVELS) == 0


@pytest.mark.parametrize("place", [P_BREAK_INNER, P_SIZE_DECAY, P_SHARE_OUTER, P_LIST + LEVELS - 1])
def test_another_parameter_of_the_ladder_makes_it_anew(place: int) -> None:
    rig = a_rig()
    rig.quote()
    rig.params[place] += 0.1
    assert ladder_differs(rig.state, rig.params, BID_SIDE, LEVELS) == 1


def test_another_number_of_levels_makes_the_ladder_anew() -> None:
    rig = a_rig()
    rig.quote()
    assert ladder_differs(rig.state, rig.params, BID_SIDE, LEVELS - 1) == 1


@pytest.mark.parametrize(
    "place", [S_FEE, S_FORECAST_WEIGHT, S_ADVERSE_MEAN, S_ADVERSE_M2, S_BAND, S_BAND + 2 * BANDS - 1]
)
def test_another_fee_forecast_or_fill_makes_the_floors_anew(place: int) -> None:
    rig = a_rig()
    rig.quote()
    rig.state[place] += 0.25
    assert needs_differ(rig.state, rig.ints, rig.params, BID_SIDE) == 1
    assert needs_differ(rig.state, rig.ints, rig.params, BID_SIDE) == 0


@pytest.mark.parametrize("place", [I_ADVERSE_N, I_BAND_N, I_BAND_N + BANDS - 1])
def test_another_count_of_fills_makes_the_floors_anew(place: int) -> None:
    rig = a_rig()
    rig.quote()
    rig.ints[place] += 1
    assert needs_differ(rig.state, rig.ints, rig.params, BID_SIDE) == 1


def test_a_position_to_get_rid_of_makes_the_floors_anew() -> None:
    rig = a_rig()
    rig.quote()
    rig.ints[I_POSITION] = -5
    assert needs_differ(rig.state, rig.ints, rig.params, BID_SIDE) == 1


@pytest.mark.parametrize("place", [P_SAFETY, P_BAND_WEIGHT, P_FLOOR_FILLS])
def test_another_parameter_of_the_floors_makes_them_anew(place: int) -> None:
    rig = a_rig()
    rig.quote()
    rig.params[place] += 100.0
    assert needs_differ(rig.state, rig.ints, rig.params, BID_SIDE) == 1


def test_a_state_that_has_kept_nothing_makes_everything() -> None:
    rig = a_rig()
    assert ladder_differs(rig.state, rig.params, BID_SIDE, 1) == 1
    empty = Rig()
    empty.params[P_FLOOR_FILLS] = NO_FLOOR
    empty.state[S_FEE] = 0.0
    assert needs_differ(empty.state, empty.ints, empty.params, BID_SIDE) == 1


def test_keys_hold_every_number_they_compare() -> None:
    """The last number of a side's key lies within it, and the other side's key is left alone."""
    rig = a_rig()
    ladder_differs(rig.state, rig.params, BID_SIDE, 20)
    needs_differ(rig.state, rig.ints, rig.params, BID_SIDE)
    assert not any(numbers(rig.state, S_LADDER_KEY + LADDER_KEY, S_NEED_KEY))
    assert not any(numbers(rig.state, S_NEED_KEY + NEED_KEY, S_LEN))


def test_time_alone_changes_nothing_that_is_kept() -> None:
    rig = a_rig()
    first = rig.quote()
    assert rig.quote(t_ns=T0 + 60_000_000_000) == first
