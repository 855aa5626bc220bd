"""The volatility of the next minute from the last one, five and thirty, and the time of day: a HAR model that learns.

log RV(next minute) = b0 + b1 log RV(1 m) + b2 log RV(5 m) + b3 log RV(30 m) + daily and half-daily waves, where RV is
the sum of squared 5 s mid returns of a minute (the longer ones are means a minute). The coefficients follow by
recursive least squares with a half life of five days from a prior that averages the three. What the exponential of a
mean log falls short of the mean is measured, not assumed lognormal: a market with still minutes has a far left tail
(Duan 1983, "Smearing Estimate"). Sources: Corsi (2009), "A Simple Approximate Long-Memory Model of Realized
Volatility"; strategy.md 1.8 (log form, windows, time of day).

This room decides a forecast and since when it may be used; what it may do to quotes is bounded in `vol.py`. The grid is
market time, the time of day wall time in UTC (on a replay the recording's). Volatilities are annual.
"""

from __future__ import annotations

import math
from typing import Any

from common.kernel import istate, kernel, state
from quoter.state import NS, YEAR_S

BUCKET_NS = 5 * NS
MINUTE_BUCKETS = 12
MINUTES = 30
TERMS = 8
DAY_MINUTES = 1440
KNOWN_AFTER = 120
"""Scored forecasts before one is used: two hours beside the first thirty minutes."""
FORGET = 0.9999
"""Weight of a minute over its follower's: half of it after five days."""
CENTRE = 16.0
"""Added to log RV so that the terms are of order one: 1 bps a 5 s return gives -15.9."""
RV_LEAST = 1.2e-9
"""A minute of 0.1 bps returns, 2.5 % a year, which every volatility table has in its first row: less is no news, and a
market that stands still has no logarithm."""
RATIO_SHARE = 0.003
"""Half of the measured ratio is of the last four hours."""
ERROR_MAX = 4.0
"""Of a log forecast, as far as it counts for the ratio: one jump is no rule."""
COVARIANCE_MAX = 100.0

(
    H_VOL,  # annual, forecast of the next minute; 0 = not known
    H_REF,  # px_u, mid at the last border of the grid
    H_LAST,  # px_u, newest mid
    H_SUM,  # sum of squared returns of the running minute
    H_RATIO,  # average of realised over what the log forecast gives
    H_RV,  # RV of the last minutes, a ring
) = range(6)
H_BETA = H_RV + MINUTES  # coefficients
H_X = H_BETA + TERMS  # terms of the forecast that the running minute will score
H_COV = H_X + TERMS  # TERMS x TERMS
H_GAIN = H_COV + TERMS * TERMS  # no memory
H_LEN = H_GAIN + TERMS

(
    K_BUCKET,  # number of the 5 s bucket of the newest mid
    K_MINUTES,  # whole minutes seen without a break, -1 = the first is not whole
    K_SCORED,  # forecasts held against their minute
    K_ASKED,  # 1 = H_X is a forecast of the running minute
    K_LEN,
) = range(5)


def new_har() -> tuple[Any, Any]:
    """(floats, integers) of a model that has seen nothing."""
    floats, ints = state(H_LEN), istate(K_LEN)
    for term, weight in ((1, 0.3), (2, 0.3), (3, 0.4)):
        floats[H_BETA + term] = weight
    for term in range(TERMS):
        floats[H_COV + TERMS * term + term] = 1.0 if term == 0 else 0.1
    floats[H_RATIO] = 1.1
    return floats, ints


@kernel("f8(f8, f8)")
def qlike(realised: float, forecast: float) -> float:
    """Loss of a variance forecast: RV/h - ln(RV/h) - 1, 0 when right (Patton 2011); both above 0."""
    if realised <= 0.0 or forecast <= 0.0:
        return 0.0
    ratio = realised / forecast
    return ratio - math.log(ratio) - 1.0


@kernel("f8(f8[::1], i8[::1], i8)")
def log_mean(floats: list[float], ints: list[int], minutes: int) -> float:
    """Centred log of the mean RV of the last `minutes`."""
    total = 0.0
    for back in range(minutes):
        total += floats[H_RV + (ints[K_MINUTES] - 1 - back) % MINUTES]
    return math.log(max(total / float(minutes), RV_LEAST)) + CENTRE


@kernel("void(f8[::1], i8[::1], i8)")
def set_terms(floats: list[float], ints: list[int], wall_minute: int) -> None:
    """H_X for the minute `wall_minute` (of UTC since 1970)."""
    floats[H_X] = 1.0
    floats[H_X + 1] = log_mean(floats, ints, 1)
    floats[H_X + 2] = log_mean(floats, ints, 5)
    floats[H_X + 3] = log_mean(floats, ints, 30)
    phase = 2.0 * math.pi * float(wall_minute % DAY_MINUTES) / float(DAY_MINUTES)
    floats[H_X + 4] = math.sin(phase)
    floats[H_X + 5] = math.cos(phase)
    floats[H_X + 6] = math.sin(2.0 * phase)
    floats[H_X + 7] = math.cos(2.0 * phase)


@kernel("f8(f8[::1])")
def expected_log(floats: list[float]) -> float:
    """Centred log RV that the coefficients expect of H_X."""
    total = 0.0
    for term in range(TERMS):
        total += floats[H_BETA + term] * floats[H_X + term]
    return total


@kernel("void(f8[::1], f8)")
def learn(floats: list[float], seen: float) -> None:
    """One step of recursive least squares: the forecast of H_X was to be `seen`."""
    scale = FORGET
    for row in range(TERMS):
        gain = 0.0
        for column in range(TERMS):
            gain += floats[H_COV + TERMS * row + column] * floats[H_X + column]
        floats[H_GAIN + row] = gain
        scale += gain * floats[H_X + row]
    error = seen - expected_log(floats)
    floats[H_RATIO] += RATIO_SHARE * (math.exp(min(error, ERROR_MAX)) - floats[H_RATIO])
    if scale <= 0.0:
        return
    for row in range(TERMS):
        floats[H_BETA + row] += floats[H_GAIN + row] / scale * error
        for column in range(TERMS):
            at = H_COV + TERMS * row + column
            less = floats[at] - floats[H_GAIN + row] * floats[H_GAIN + column] / scale
            floats[at] = min(max(less / FORGET, -COVARIANCE_MAX), COVARIANCE_MAX)


@kernel("void(f8[::1], i8[::1], i8)")
def close_minute(floats: list[float], ints: list[int], wall_minute: int) -> None:
    """A minute is over: score its forecast, remember it, forecast the minute `wall_minute` that begins."""
    realised = max(floats[H_SUM], RV_LEAST)
    floats[H_SUM] = 0.0
    if ints[K_MINUTES] < 0:
        ints[K_MINUTES] = 0
        return
    if ints[K_ASKED] == 1:
        learn(floats, math.log(realised) + CENTRE)
        ints[K_SCORED] += 1
    floats[H_RV + ints[K_MINUTES] % MINUTES] = realised
    ints[K_MINUTES] += 1
    ints[K_ASKED] = 0
    floats[H_VOL] = 0.0
    if ints[K_MINUTES] < MINUTES:
        return
    set_terms(floats, ints, wall_minute)
    ints[K_ASKED] = 1
    if ints[K_SCORED] >= KNOWN_AFTER:
        centred = min(max(expected_log(floats) + math.log(max(floats[H_RATIO], 0.1)), -20.0), 20.0)
        floats[H_VOL] = math.sqrt(math.exp(centred - CENTRE) * YEAR_S / 60.0)


@kernel("void(f8[::1], i8[::1], f8, i8)")
def begin_again(floats: list[float], ints: list[int], mid: float, bucket: int) -> None:
    """The first mid, or one after time went back or stood still too long: what was learnt stays."""
    floats[H_REF] = mid
    floats[H_LAST] = mid
    floats[H_SUM] = 0.0
    floats[H_VOL] = 0.0
    ints[K_BUCKET] = bucket
    ints[K_MINUTES] = -1
    ints[K_ASKED] = 0


@kernel("f8(f8[::1], i8[::1], f8, i8, i8)")
def har_see(floats: list[float], ints: list[int], mid: float, t_ns: int, wall_ns: int) -> float:
    """A mid (px_u) at market time `t_ns`, UTC `wall_ns`; returns the annual forecast, 0 = not known."""
    if mid <= 0.0:
        return floats[H_VOL]
    bucket = t_ns // BUCKET_NS
    passed = bucket - ints[K_BUCKET]
    if floats[H_REF] <= 0.0 or passed < 0 or passed > MINUTE_BUCKETS:
        begin_again(floats, ints, mid, bucket)
        return 0.0
    for step in range(passed):
        if step == 0:
            move = math.log(floats[H_LAST] / floats[H_REF])
            floats[H_SUM] += move * move
            floats[H_REF] = floats[H_LAST]
        ints[K_BUCKET] += 1
        if ints[K_BUCKET] % MINUTE_BUCKETS == 0:
            close_minute(floats, ints, wall_ns // (60 * NS))
    floats[H_LAST] = mid
    return floats[H_VOL]
