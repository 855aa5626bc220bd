"""Volatility from 5 s mids, in market time."""

from __future__ import annotations

import math
import random

import pytest

from quoter.state import I_VOL_N, NS, S_VOL_FAST, S_VOL_SLOW
from quoter.vol import SILENT_BUCKETS_MAX, annual, see_mid, vol_known
from tests.unit.quoter.builders import T0, Rig

GRID = T0 // (5 * NS) * 5 * NS


def mids(rig: Rig, values: list[float], every_s: float = 5.0, begin_ns: int = GRID) -> None:
    for i, mid in enumerate(values):
        see_mid(rig.state, rig.ints, rig.params, mid, begin_ns + round(i * every_s * NS))


def walk(sigma_bps: float, n: int, seed: int = 7) -> list[float]:
    rng = random.Random(seed)
    path = [750_000.0]
    for _ in range(n):
        path.append(path[-1] * math.exp(rng.gauss(0, sigma_bps * 1e-4)))
    return path


def test_a_random_walk_gives_back_its_volatility() -> None:
    rig = Rig(vol_fast_half_life_s=3600, vol_slow_half_life_s=86400)
    mids(rig, walk(1.0, 5000))
    assert rig.state[S_VOL_SLOW] == pytest.approx(1e-4 * math.sqrt(365 * 86400 / 5), rel=0.05)


def test_a_still_market_has_no_volatility_and_no_division_by_zero() -> None:
    rig = Rig()
    mids(rig, [750_000.0] * 100)
    assert rig.state[S_VOL_FAST] == rig.state[S_VOL_SLOW] == 0.0
    assert annual(0.0, 0.0, 0.0) == 0.0


def test_the_fast_memory_forgets_a_jump_before_the_slow_one() -> None:
    rig = Rig()
    mids(rig, [750_000.0] * 30 + [751_000.0] * 2)
    after_jump = rig.state[S_VOL_FAST], rig.state[S_VOL_SLOW]
    assert after_jump[0] > 0
    mids(rig, [751_000.0] * 60, begin_ns=GRID + 32 * 5 * NS)
    assert rig.state[S_VOL_FAST] < 0.3 * after_jump[0]
    assert rig.state[S_VOL_SLOW] > 0.5 * after_jump[1]


def test_ticks_inside_a_bucket_do_not_count_only_its_last_mid() -> None:
    quiet, noisy = Rig(), Rig()
    path = walk(1.0, 50)
    mids(quiet, path)
    noise = [mid * (1 + 1e-3 * (i % 2)) for i, mid in enumerate(m for m in path for _ in range(5))]
    for i, mid in enumerate(path):
        for k in range(4):
            see_mid(noisy.state, noisy.ints, noisy.params, noise[5 * i + k], GRID + i * 5 * NS + k * NS)
        see_mid(noisy.state, noisy.ints, noisy.params, mid, GRID + i * 5 * NS + 4 * NS)
    assert noisy.state[S_VOL_FAST] == pytest.approx(quiet.state[S_VOL_FAST], rel=0.2)


def test_an_estimate_is_known_only_after_enough_returns() -> None:
    rig = Rig(vol_min_samples=24)
    mids(rig, [750_000.0] * 24)
    assert vol_known(rig.ints, rig.params) == 0
    mids(rig, [750_000.0], begin_ns=GRID + 24 * 5 * NS)
    assert vol_known(rig.ints, rig.params) == 1


def test_a_quiet_stretch_counts_as_returns_of_zero_but_an_outage_as_one_return() -> None:
    quiet = Rig()
    mids(quiet, [750_000.0, 750_000.0])
    see_mid(quiet.state, quiet.ints, quiet.params, 750_750.0, GRID + 50 * NS)
    assert quiet.ints[I_VOL_N] == 10
    outage = Rig()
    mids(outage, [750_000.0, 750_000.0])
    see_mid(outage.state, outage.ints, outage.params, 757_500.0, GRID + (SILENT_BUCKETS_MAX + 5) * 5 * NS)
    assert outage.ints[I_VOL_N] == 2
    assert outage.state[S_VOL_FAST] > 10  # a percent in what counts as 5 s


def test_time_going_back_begins_a_new_grid() -> None:
    rig = Rig()
    mids(rig, walk(1.0, 30))
    before = rig.state[S_VOL_FAST]
    see_mid(rig.state, rig.ints, rig.params, 900_000.0, GRID - 3600 * NS)
    see_mid(rig.state, rig.ints, rig.params, 900_000.0, GRID - 3590 * NS)
    assert rig.state[S_VOL_FAST] <= before


def test_a_price_of_zero_is_ignored() -> None:
    rig = Rig()
    mids(rig, [0.0, -5.0])
    assert rig.ints[I_VOL_N] == 0
