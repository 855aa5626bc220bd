"""How often a quote at some distance would be hit: A exp(-k d), measured from the market's own prints.

Of each bucket of 0.1 s and side the deepest print counts, as distance from the mid at the bucket's beginning: an order
nearer than that would have been filled once. On [from, to], where we quote, the depths beyond `from` are exponential
and those beyond `to` are only known to be deeper, so the maximum likelihood estimate has a closed form:
    k = (events not cut) / (sum of min(depth, to) - from),   A = events / (2 sides x time) x exp(k from).
A short and a long window, both decaying; the short one's share is n / (n + P_FIT_WEIGHT) (strategy.md 1.7). With too
few events the priors count; where log counts over depth are no straight line (R2 below P_FIT_R2) the intensity is not
exponential and the ladder follows volatility alone. Two sweeps of one side in one bucket count once, so A is too small
by about half of A x bucket. Depths bps, times s; a silence does not count as time without hits.
"""

from __future__ import annotations

import math

from common.kernel import kernel
from quoter.state import (
    ASK_SIDE,
    BID_SIDE,
    BPS,
    FIT_BINS,
    FIT_COUNTS,
    FIT_DEPTH,
    FIT_EXCESS,
    FIT_IS_MEASURED,
    FIT_IS_PRIOR,
    FIT_IS_VOL,
    FIT_LONG,
    FIT_MID,
    FIT_N,
    FIT_SHORT,
    FIT_TIME,
    FIT_UNCENSORED,
    I_FIT_MODE,
    I_FIT_T,
    LN2,
    P_FILL_A,
    P_FIT_BUCKET,
    P_FIT_EVENTS,
    P_FIT_FROM,
    P_FIT_LONG,
    P_FIT_R2,
    P_FIT_SHORT,
    P_FIT_TO,
    P_FIT_WEIGHT,
    P_K,
    S_FILL_A,
    S_FILL_K,
    S_FIT,
    S_MID,
)

SILENCE_S = 5.0
BORDERS_MIN = 3
"""A line through fewer points says nothing."""


@kernel("void(f8[::1], f8[::1], f8)")
def add_event(state: list[float], params: list[float], depth: float) -> None:
    """One bucket and side whose deepest print was `depth` bps away."""
    near, far = params[P_FIT_FROM], params[P_FIT_TO]
    if depth < near or far <= near:
        return
    for window in (FIT_SHORT, FIT_LONG):
        at = S_FIT + window
        state[at + FIT_N] += 1.0
        state[at + FIT_EXCESS] += min(depth, far) - near
        if depth < far:
            state[at + FIT_UNCENSORED] += 1.0
    for j in range(FIT_BINS):
        if depth >= near + (far - near) * float(j) / float(FIT_BINS):
            state[S_FIT + FIT_COUNTS + j] += 1.0


@kernel("void(f8[::1], i8, f8, f8)")
def fade_window(state: list[float], window: int, seconds: float, half_life_s: float) -> None:
    """Let `seconds` pass in a window: its sums decay and it has seen more time."""
    if half_life_s <= 0.0:
        return
    left = math.exp(-LN2 * seconds / half_life_s)
    at = S_FIT + window
    for place in (FIT_N, FIT_UNCENSORED, FIT_EXCESS, FIT_TIME):
        state[at + place] *= left
    state[at + FIT_TIME] += (1.0 - left) * half_life_s / LN2
    if window == FIT_LONG:
        for j in range(FIT_BINS):
            state[S_FIT + FIT_COUNTS + j] *= left


@kernel("f8(f8[::1], i8, f8)")
def window_k(state: list[float], window: int, prior: float) -> float:
    """Decay of the intensity in a window, 1/bps."""
    at = S_FIT + window
    if state[at + FIT_EXCESS] <= 0.0 or state[at + FIT_UNCENSORED] <= 0.0:
        return prior
    return state[at + FIT_UNCENSORED] / state[at + FIT_EXCESS]


@kernel("f8(f8[::1], f8[::1], i8, f8)")
def window_a(state: list[float], params: list[float], window: int, k: float) -> float:
    """Intensity at distance 0 a side in a window with decay `k`, 1/s."""
    at = S_FIT + window
    if state[at + FIT_TIME] <= 0.0 or state[at + FIT_N] <= 0.0:
        return params[P_FILL_A]
    return state[at + FIT_N] / (2.0 * state[at + FIT_TIME]) * math.exp(min(k * params[P_FIT_FROM], 50.0))


@kernel("f8(f8[::1])")
def straightness(state: list[float]) -> float:
    """R2 of log counts over depth, 0..1; 0 with too few borders that anything reached."""
    n = 0
    sx = sy = sxx = sxy = syy = 0.0
    for j in range(FIT_BINS):
        count = state[S_FIT + FIT_COUNTS + j]
        if count <= 0.0:
            continue
        x, y = float(j), math.log(count)
        n += 1
        sx += x
        sy += y
        sxx += x * x
        sxy += x * y
        syy += y * y
    if n < BORDERS_MIN:
        return 0.0
    cov = sxy - sx * sy / float(n)
    var_x = sxx - sx * sx / float(n)
    var_y = syy - sy * sy / float(n)
    if var_x <= 0.0 or var_y <= 0.0:
        return 0.0
    return min(cov * cov / (var_x * var_y), 1.0)


@kernel("void(f8[::1], i8[::1], f8[::1])")
def fit(state: list[float], ints: list[int], params: list[float]) -> None:
    """S_FILL_A, S_FILL_K and what they are (I_FIT_MODE)."""
    ints[I_FIT_MODE] = FIT_IS_PRIOR
    state[S_FILL_A] = params[P_FILL_A]
    state[S_FILL_K] = params[P_K]
    if state[S_FIT + FIT_LONG + FIT_N] < params[P_FIT_EVENTS]:
        return
    if straightness(state) < params[P_FIT_R2]:
        ints[I_FIT_MODE] = FIT_IS_VOL
        return
    n = state[S_FIT + FIT_SHORT + FIT_N]
    share = 0.0
    if n > 0.0:
        share = n / (n + params[P_FIT_WEIGHT])
    k_long = window_k(state, FIT_LONG, params[P_K])
    k_short = window_k(state, FIT_SHORT, k_long)
    a_long = window_a(state, params, FIT_LONG, k_long)
    a_short = window_a(state, params, FIT_SHORT, k_short)
    ints[I_FIT_MODE] = FIT_IS_MEASURED
    state[S_FILL_K] = share * k_short + (1.0 - share) * k_long
    state[S_FILL_A] = share * a_short + (1.0 - share) * a_long


@kernel("void(f8[::1], i8[::1], f8[::1], i8)")
def pass_bucket(state: list[float], ints: list[int], params: list[float], t_ns: int) -> None:
    """At market time `t_ns`: when the bucket is over, its deepest prints count and the next one begins."""
    passed_s = float(t_ns - ints[I_FIT_T]) / 1e9
    if ints[I_FIT_T] != 0:
        if passed_s < params[P_FIT_BUCKET]:
            return
        seconds = min(passed_s, SILENCE_S)
        fade_window(state, FIT_SHORT, seconds, params[P_FIT_SHORT])
        fade_window(state, FIT_LONG, seconds, params[P_FIT_LONG])
        for side in range(2):
            if state[S_FIT + FIT_DEPTH + side] > 0.0:
                add_event(state, params, state[S_FIT + FIT_DEPTH + side])
                state[S_FIT + FIT_DEPTH + side] = 0.0
        fit(state, ints, params)
    ints[I_FIT_T] = t_ns
    state[S_FIT + FIT_MID] = state[S_MID]


@kernel("void(f8[::1], i8[::1], f8[::1], i8, i8)")
def see_print(state: list[float], ints: list[int], params: list[float], px_u: int, t_ns: int) -> None:
    """A print of the market at `px_u`."""
    pass_bucket(state, ints, params, t_ns)
    mid = state[S_FIT + FIT_MID]
    if mid <= 0.0:
        return
    side = ASK_SIDE if float(px_u) > mid else BID_SIDE
    at = S_FIT + FIT_DEPTH + side
    state[at] = max(state[at], abs(float(px_u) - mid) / mid / BPS)
