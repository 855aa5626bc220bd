"""Random arguments for the kernels of book signals, the HAR model and volatility from bars."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any, TypeAlias

from quoter import bar_vol, har, signals
from tests.kernels.quoter_cases import T0, world

Args: TypeAlias = tuple[Any, ...]
NS = 1_000_000_000


# ---------------------------------------------------------------------- book signals
def band_bps(rng: random.Random) -> Args:
    return (rng.randrange(signals.BANDS),)


def distance_bps(rng: random.Random) -> Args:
    w = world(rng)
    return w.book, w.side, rng.randrange(20), w.px_u * rng.uniform(0.99, 1.01)


def near_usd(rng: random.Random) -> Args:
    w = world(rng)
    return w.book, w.side, w.px_u * rng.uniform(0.99, 1.01), rng.randrange(21), rng.random()


def see_bands(rng: random.Random) -> Args:
    w = world(rng)
    mid = w.px_u * rng.uniform(0.9999, 1.0001)
    return w.book, [0.0] * signals.G_LEN, w.side, mid, rng.randrange(21), rng.random()


def see_levels(rng: random.Random) -> Args:
    w = world(rng)
    mid = w.px_u * rng.uniform(0.9999, 1.0001)
    return (
        w.book,
        [rng.random() for _ in range(signals.G_LEN)],
        w.side,
        mid,
        rng.randrange(21),
        rng.random(),
        rng.random(),
    )


def read_signals(rng: random.Random) -> Args:
    w = world(rng)
    return w.book, [rng.random() for _ in range(signals.G_LEN)], rng.randrange(21), rng.random(), rng.random()


# ---------------------------------------------------------------------- HAR
def a_har(rng: random.Random) -> tuple[list[float], list[int]]:
    """A model that has seen a few hours, or nothing."""
    made, counts = har.new_har()
    floats, ints = [float(x) for x in made], [int(x) for x in counts]
    if rng.random() < 0.2:
        return floats, ints
    for place in range(har.MINUTES):
        floats[har.H_RV + place] = math.exp(rng.gauss(-16, 2))
    for term in range(har.TERMS):
        floats[har.H_BETA + term] += rng.gauss(0, 0.2)
        floats[har.H_X + term] = 1.0 if term == 0 else rng.gauss(0, 1)
    floats[har.H_REF], floats[har.H_LAST] = rng.uniform(900, 1100), rng.uniform(900, 1100)
    floats[har.H_SUM], floats[har.H_RATIO] = math.exp(rng.gauss(-17, 2)), rng.random()
    ints[har.K_BUCKET] = T0 // har.BUCKET_NS - rng.randrange(20)
    ints[har.K_MINUTES] = rng.choice([-1, 3, 29, 30, 31, 500])
    ints[har.K_SCORED] = rng.choice([0, 119, 120, 5000])
    ints[har.K_ASKED] = int(ints[har.K_MINUTES] >= har.MINUTES and rng.random() < 0.8)
    return floats, ints


def qlike(rng: random.Random) -> Args:
    return rng.choice([0.0, math.exp(rng.gauss(-16, 2))]), rng.choice([0.0, math.exp(rng.gauss(-16, 2))])


def log_mean(rng: random.Random) -> Args:
    floats, ints = a_har(rng)
    ints[har.K_MINUTES] = rng.randint(30, 500)
    return floats, ints, rng.choice([1, 5, 30])


def set_terms(rng: random.Random) -> Args:
    floats, ints = a_har(rng)
    ints[har.K_MINUTES] = rng.randint(30, 500)
    return floats, ints, rng.randrange(40_000_000)


def expected_log(rng: random.Random) -> Args:
    return (a_har(rng)[0],)


def learn(rng: random.Random) -> Args:
    return a_har(rng)[0], rng.gauss(0, 3)


def close_minute(rng: random.Random) -> Args:
    return *a_har(rng), rng.randrange(40_000_000)


def begin_again(rng: random.Random) -> Args:
    return *a_har(rng), rng.uniform(900, 1100), rng.randrange(10**9)


def har_see(rng: random.Random) -> Args:
    t_ns = T0 + rng.randrange(-100, 100) * NS
    return *a_har(rng), rng.choice([0.0, rng.uniform(900, 1100)]), t_ns, t_ns + rng.randrange(-(10**9), 10**9) * NS


# ---------------------------------------------------------------------- bars
def bars(rng: random.Random) -> list[float]:
    """A path of bars, now and then one that cannot be."""
    flat, px = [], 100.0
    for _ in range(rng.randint(1, 12)):
        begin = px * math.exp(rng.gauss(0, 1e-3))
        path = [begin]
        for _ in range(rng.randint(1, 6)):
            path.append(path[-1] * math.exp(rng.gauss(0, 1e-3)))
        flat += [begin, max(path), min(path), path[-1]]
        px = path[-1]
    if rng.random() < 0.2:
        flat[rng.randrange(len(flat))] = rng.choice([0.0, -1.0, 1.0, 1e6])
    return flat


def bar_ok(rng: random.Random) -> Args:
    flat = bars(rng)
    return flat, rng.randrange(len(flat) // bar_vol.BAR)


def of_bars(rng: random.Random) -> Args:
    flat = bars(rng)
    return flat, rng.randint(0, len(flat) // bar_vol.BAR)


def variance_of(rng: random.Random) -> Args:
    return *of_bars(rng), rng.randrange(2)


CASES: dict[str, Callable[[random.Random], Args]] = {
    **{
        f"quoter.signals.{case.__name__}": case
        for case in (band_bps, distance_bps, near_usd, see_bands, see_levels, read_signals)
    },
    **{
        f"quoter.har.{case.__name__}": case
        for case in (qlike, log_mean, set_terms, expected_log, learn, close_minute, begin_again, har_see)
    },
    "quoter.bar_vol.bar_ok": bar_ok,
    "quoter.bar_vol.variance_of": variance_of,
    **{f"quoter.bar_vol.{name}": of_bars for name in ("parkinson", "garman_klass", "rogers_satchell", "yang_zhang")},
    "quoter.bar_vol.yang_zhang_weight": lambda rng: (rng.randint(0, 400),),
    "quoter.bar_vol.yang_zhang_bias": lambda rng: (rng.randint(2, 400), rng.uniform(0, 500)),
    **{
        f"quoter.bar_vol.{name}": lambda rng: (rng.uniform(0, 500),)
        for name in ("parkinson_bias", "rogers_satchell_bias", "garman_klass_bias")
    },
    "quoter.bar_vol.annual_of_bar": lambda rng: (rng.uniform(-1e-6, 1e-4), rng.choice([0.0, 60.0, 86_400.0])),
}
