"""A and k from the market's prints: recovered where they are known, left to the priors where they are not."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from quoter.intensity import see_print, straightness
from quoter.state import (
    FIT_IS_MEASURED,
    FIT_IS_PRIOR,
    FIT_IS_VOL,
    FIT_LONG,
    FIT_N,
    FIT_TIME,
    I_FIT_MODE,
    NS,
    S_FILL_A,
    S_FILL_K,
    S_FIT,
    S_MID,
)
from tests.unit.quoter.builders import T0, Rig

MID = 50_000_000


def sweeps(
    rig: Rig, events: int, a: float, k: float, seed: int = 7, near: float = 0.5, shape: str = "exponential"
) -> Rig:
    """Prints of sweeps that reach beyond `near`: each side A exp(-k near) a second, depth exponential beyond it.

    With `shape` "two_sizes" every sweep is either very shallow or very deep.
    """
    rng = random.Random(seed)
    rate = 2 * a * math.exp(-k * near)
    t_s = 0.0
    rig.state[S_MID] = float(MID)
    for _ in range(events):
        wait = rng.expovariate(rate)
        for step in range(int(wait)):  # shallow prints in between: time passes, nothing reaches us
            see_print(rig.state, rig.ints, rig.params, MID + 1, T0 + round((t_s + step) * NS))
        t_s += wait
        depth = near + (rng.expovariate(k) if shape == "exponential" else rng.choice([0.02, 30.0]))
        sign = rng.choice([-1, 1])
        see_print(rig.state, rig.ints, rig.params, MID + round(sign * MID * depth * 1e-4), T0 + round(t_s * NS))
    see_print(rig.state, rig.ints, rig.params, MID + 1, T0 + round((t_s + 1) * NS))
    return rig


def glft(**quoting: Any) -> Rig:
    return Rig(kind="glft", **quoting)


@pytest.mark.parametrize(("a", "k"), [(0.5, 0.5), (0.4, 1.1), (0.3, 0.8)])
def test_five_thousand_sweeps_give_a_and_k_within_five_percent(a: float, k: float) -> None:
    rig = sweeps(glft(glft_fit_long_s=604_800.0, glft_fit_weight=1e6), 5_000, a, k)
    assert rig.ints[I_FIT_MODE] == FIT_IS_MEASURED
    assert rig.state[S_FILL_K] == pytest.approx(k, rel=0.05)
    assert rig.state[S_FILL_A] == pytest.approx(a, rel=0.05)


def test_too_few_events_leave_the_priors() -> None:
    rig = sweeps(glft(), 25, 0.5, 1.1)
    assert rig.ints[I_FIT_MODE] == FIT_IS_PRIOR
    assert (rig.state[S_FILL_A], rig.state[S_FILL_K]) == (0.05, 0.5)


def test_an_intensity_that_is_not_exponential_is_noticed() -> None:
    rig = sweeps(glft(), 400, 0.5, 1.1, shape="two_sizes")
    assert straightness(rig.state) < 0.8
    assert rig.ints[I_FIT_MODE] == FIT_IS_VOL


def test_a_change_of_the_flow_is_followed_by_the_short_window() -> None:
    rig = sweeps(glft(), 1_500, 0.5, 0.6)
    before = float(rig.state[S_FILL_K])
    sweeps_later = sweeps(glft(), 1_500, 0.5, 1.6)
    assert before == pytest.approx(0.6, rel=0.15)
    assert sweeps_later.state[S_FILL_K] == pytest.approx(1.6, rel=0.15)


def test_of_one_bucket_and_side_only_the_deepest_print_counts() -> None:
    rig = glft()
    rig.state[S_MID] = float(MID)
    see_print(rig.state, rig.ints, rig.params, MID, T0)
    for depth_bps in (1.0, 3.0, 2.0):
        see_print(rig.state, rig.ints, rig.params, MID + round(MID * depth_bps * 1e-4), T0 + NS // 20)
    see_print(rig.state, rig.ints, rig.params, MID, T0 + NS)
    assert rig.state[S_FIT + FIT_LONG + FIT_N] == 1.0


def test_depth_is_measured_from_the_mid_at_the_buckets_beginning() -> None:
    """A print that has already moved the mid is as deep as it was for who rested there."""
    rig = glft()
    rig.state[S_MID] = float(MID)
    see_print(rig.state, rig.ints, rig.params, MID, T0)
    rig.state[S_MID] = float(MID + round(MID * 3e-4))
    see_print(rig.state, rig.ints, rig.params, MID + round(MID * 3e-4), T0 + NS // 20)
    see_print(rig.state, rig.ints, rig.params, MID, T0 + NS)
    assert rig.state[S_FIT + FIT_LONG + FIT_N] == 1.0


def test_a_silence_is_no_time_without_hits() -> None:
    rig = glft()
    rig.state[S_MID] = float(MID)
    see_print(rig.state, rig.ints, rig.params, MID, T0)
    see_print(rig.state, rig.ints, rig.params, MID, T0 + 3600 * NS)
    assert rig.state[S_FIT + FIT_LONG + FIT_TIME] == pytest.approx(5.0, rel=1e-3)


def test_without_a_mid_nothing_is_learnt() -> None:
    rig = glft()
    see_print(rig.state, rig.ints, rig.params, MID, T0)
    see_print(rig.state, rig.ints, rig.params, MID + 10_000, T0 + NS)
    see_print(rig.state, rig.ints, rig.params, MID, T0 + 2 * NS)
    assert rig.state[S_FIT + FIT_LONG + FIT_N] == 0.0
