"""How much the market moves: decayed averages of squared 5 s mid returns on a grid in market time.

Two memories (60 s and 600 s); the larger one counts, and a model (`vol_model.py`) may pull it a little. Source:
strategy.md 1.8. This room decides the estimate and
whether it may be trusted yet; what it does to the spread is decided in `spread.py`. Volatilities are annual over
365 x 24 h.
"""

from __future__ import annotations

import math

from common.kernel import kernel
from quoter.state import (
    I_VOL_BUCKET,
    I_VOL_N,
    P_VOL_BUCKET,
    P_VOL_FAST,
    P_VOL_MIN_SAMPLES,
    P_VOL_PULL,
    P_VOL_SLOW,
    S_VOL_FAST,
    S_VOL_FAST_SUM,
    S_VOL_FAST_WEIGHT,
    S_VOL_LAST,
    S_VOL_MODEL,
    S_VOL_REF,
    S_VOL_SLOW,
    S_VOL_SLOW_SUM,
    S_VOL_SLOW_WEIGHT,
    YEAR_S,
)

SILENT_BUCKETS_MAX = 12
"""After a longer silence the move over it counts as one return: an outage is no calm."""


@kernel("f8(f8, f8, f8)")
def annual(total: float, weight: float, bucket_s: float) -> float:
    """Annual volatility of an average squared return; 0 without data."""
    if weight <= 0.0 or bucket_s <= 0.0 or total <= 0.0:
        return 0.0
    return math.sqrt(total / weight * YEAR_S / bucket_s)


@kernel("void(f8[::1], f8[::1], f8)")
def add_return(state: list[float], params: list[float], squared: float) -> None:
    """One more squared return of the grid into both memories."""
    fast = params[P_VOL_FAST]
    slow = params[P_VOL_SLOW]
    state[S_VOL_FAST_SUM] = fast * state[S_VOL_FAST_SUM] + (1.0 - fast) * squared
    state[S_VOL_FAST_WEIGHT] = fast * state[S_VOL_FAST_WEIGHT] + (1.0 - fast)
    state[S_VOL_SLOW_SUM] = slow * state[S_VOL_SLOW_SUM] + (1.0 - slow) * squared
    state[S_VOL_SLOW_WEIGHT] = slow * state[S_VOL_SLOW_WEIGHT] + (1.0 - slow)


@kernel("void(f8[::1], i8[::1], f8[::1], f8, i8)")
def see_mid(state: list[float], ints: list[int], params: list[float], mid: float, t_ns: int) -> None:
    """A mid (px_u) at market time `t_ns`; the price at a border of the grid is the last one seen before it."""
    if mid <= 0.0 or params[P_VOL_BUCKET] <= 0.0:
        return
    bucket = t_ns // int(params[P_VOL_BUCKET] * 1e9)
    passed = bucket - ints[I_VOL_BUCKET]
    if state[S_VOL_REF] <= 0.0 or passed < 0:
        state[S_VOL_REF] = mid
        ints[I_VOL_BUCKET] = bucket
    elif 0 < passed <= SILENT_BUCKETS_MAX:
        move = math.log(state[S_VOL_LAST] / state[S_VOL_REF])
        add_return(state, params, move * move)
        for _ in range(passed - 1):
            add_return(state, params, 0.0)
        state[S_VOL_REF] = state[S_VOL_LAST]
        ints[I_VOL_N] += passed
        ints[I_VOL_BUCKET] = bucket
    elif passed > SILENT_BUCKETS_MAX:
        move = math.log(mid / state[S_VOL_REF])
        add_return(state, params, move * move)
        state[S_VOL_REF] = mid
        ints[I_VOL_N] += 1
        ints[I_VOL_BUCKET] = bucket
    state[S_VOL_LAST] = mid
    if passed != 0:
        bucket_s = params[P_VOL_BUCKET]
        state[S_VOL_FAST] = annual(state[S_VOL_FAST_SUM], state[S_VOL_FAST_WEIGHT], bucket_s)
        state[S_VOL_SLOW] = annual(state[S_VOL_SLOW_SUM], state[S_VOL_SLOW_WEIGHT], bucket_s)


@kernel("f8(f8[::1], f8[::1])")
def vol_now(state: list[float], params: list[float]) -> float:
    """Annual: the larger of the two memories, pulled towards a model's forecast by no more than P_VOL_PULL of it."""
    measured = max(state[S_VOL_FAST], state[S_VOL_SLOW])
    if state[S_VOL_MODEL] <= 0.0:
        return measured
    pull = params[P_VOL_PULL]
    return min(max(state[S_VOL_MODEL], measured * (1.0 - pull)), measured * (1.0 + pull))


@kernel("i8(i8[::1], f8[::1])")
def vol_known(ints: list[int], params: list[float]) -> int:
    """1 when enough returns were seen to trust the estimate."""
    return 1 if float(ints[I_VOL_N]) >= params[P_VOL_MIN_SAMPLES] else 0
