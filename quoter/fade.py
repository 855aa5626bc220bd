"""Stepping back after own fills that went wrong, per side: a safety, never counted as edge (edge.md 4).

A fill's score is its signed markout at P_FADE horizon (5 s) before fees, in bps; it is losing below -P_FADE_LOSING.
A size-weighted mean of the last fills below -P_FADE_MEAN widens by 1 + |mean|/10; a losing streak widens x2.5 at half
size and, when it goes on, begins a cool-down - both only when the streak has cost more than P_FADE_MEAN in sum, because
three losses in a row happen by chance all day. A fade fades with its half life. What a cool-down withholds (its side,
or the market but for what reduces the position) is decided in `quote.py`.
"""

from __future__ import annotations

from common.kernel import kernel
from quoter.state import (
    I_FADE_T,
    I_HALF_T,
    I_PAUSE_T,
    I_RING_N,
    I_SCORED_T,
    I_STREAK,
    P_FADE_COOLDOWN,
    P_FADE_LOSING,
    P_FADE_MAX,
    P_FADE_MEAN,
    P_FADE_PAUSE_STREAK,
    P_FADE_REARM,
    P_FADE_SIZE,
    P_FADE_STEP,
    P_FADE_STREAK,
    P_FADE_STREAK_SCALE,
    P_FADE_WINDOW,
    RING_MAX,
    S_FADE_BASE,
    S_RING,
    S_STREAK_SUM,
    decay,
)

FORGET_HALF_LIVES = 10.0
"""A side that had no fill for so many half lives starts anew."""


@kernel("f8(f8[::1], i8[::1], f8[::1], i8)")
def mean_score(state: list[float], ints: list[int], params: list[float], side: int) -> float:
    """Size-weighted score of the last P_FADE_WINDOW fills of a side (bps); 0 with fewer than P_FADE_STREAK."""
    window = min(int(params[P_FADE_WINDOW]), RING_MAX)
    seen = ints[I_RING_N + side]
    n = min(seen, window)
    if float(n) < params[P_FADE_STREAK]:
        return 0.0
    total = 0.0
    weight = 0.0
    for back in range(n):
        at = S_RING + 2 * (side * RING_MAX + (seen - 1 - back) % RING_MAX)
        total += state[at] * state[at + 1]
        weight += state[at + 1]
    if weight <= 0.0:
        return 0.0
    return total / weight


@kernel("f8(f8[::1], i8[::1], f8[::1], i8, i8)")
def fade_scale(state: list[float], ints: list[int], params: list[float], side: int, t_ns: int) -> float:
    """Factor on the distances of a side now: 1 = no fade."""
    if ints[I_FADE_T + side] == 0:
        return 1.0
    left = decay(t_ns - ints[I_FADE_T + side], params[P_FADE_REARM])
    return 1.0 + (state[S_FADE_BASE + side] - 1.0) * left


@kernel("f8(i8[::1], f8[::1], i8, i8)")
def fade_size(ints: list[int], params: list[float], side: int, t_ns: int) -> float:
    """Factor on the sizes of a side."""
    return params[P_FADE_SIZE] if t_ns < ints[I_HALF_T + side] else 1.0


@kernel("i8(i8[::1], i8, i8)")
def is_paused(ints: list[int], side: int, t_ns: int) -> int:
    """1 while the side cools down."""
    return 1 if t_ns < ints[I_PAUSE_T + side] else 0


@kernel("void(f8[::1], i8[::1], f8[::1], i8, i8)")
def forget_old(state: list[float], ints: list[int], params: list[float], side: int, t_ns: int) -> None:
    """Start anew when the last score is long past."""
    silent_s = float(t_ns - ints[I_SCORED_T + side]) / 1e9
    if silent_s > FORGET_HALF_LIVES * params[P_FADE_REARM]:
        ints[I_RING_N + side] = 0
        ints[I_STREAK + side] = 0
        state[S_STREAK_SUM + side] = 0.0


@kernel("void(f8[::1], i8[::1], f8[::1], i8, i8)")
def step_back(state: list[float], ints: list[int], params: list[float], side: int, t_ns: int) -> None:
    """After a losing fill: the largest of what is left of the last fade, the mean's and the streak's."""
    scale = fade_scale(state, ints, params, side, t_ns)
    mean = mean_score(state, ints, params, side)
    if mean < -params[P_FADE_MEAN]:
        scale = max(scale, 1.0 - mean / params[P_FADE_STEP])
    streak = float(ints[I_STREAK + side])
    if state[S_STREAK_SUM + side] < -params[P_FADE_MEAN]:
        if streak >= params[P_FADE_STREAK]:
            scale = max(scale, params[P_FADE_STREAK_SCALE])
            ints[I_HALF_T + side] = t_ns + int(params[P_FADE_REARM] * 1e9)
        if streak >= params[P_FADE_PAUSE_STREAK]:
            ints[I_PAUSE_T + side] = t_ns + int(params[P_FADE_COOLDOWN] * 1e9)
    state[S_FADE_BASE + side] = min(scale, params[P_FADE_MAX])
    ints[I_FADE_T + side] = t_ns


@kernel("void(f8[::1], i8[::1], f8[::1], i8, f8, f8, i8)")
def learn_score(
    state: list[float], ints: list[int], params: list[float], side: int, score_bps: float, usd: float, t_ns: int
) -> None:
    """Take the score of one fill of `usd` on `side`, known at market time `t_ns`."""
    forget_old(state, ints, params, side, t_ns)
    ints[I_SCORED_T + side] = t_ns
    at = S_RING + 2 * (side * RING_MAX + ints[I_RING_N + side] % RING_MAX)
    state[at] = score_bps
    state[at + 1] = max(usd, 0.0)
    ints[I_RING_N + side] += 1
    if score_bps >= -params[P_FADE_LOSING]:
        ints[I_STREAK + side] = 0
        state[S_STREAK_SUM + side] = 0.0
        return
    ints[I_STREAK + side] += 1
    state[S_STREAK_SUM + side] += score_bps
    step_back(state, ints, params, side, t_ns)
