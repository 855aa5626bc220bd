"""Adaptive modes: how many levels may live near the market after how own fills went lately (off by default).

The score is that of the fade: signed markout at 5 s before fees, in bps, here of the last P_MODE_WINDOW fills of both
sides by size. With fewer than P_MODE_MIN fills the mode is NORMAL. A mode limits only levels nearer than P_MODE_NEAR
times the inner edge: those beyond its number move out to that distance (where they merge), and none is nearer than its
least distance. The rows are configuration (P_MODE_TABLE); the first two end below their border, the others at it.
"""

from __future__ import annotations

from common.kernel import kernel
from quoter.state import (
    I_MODE,
    I_SCORES_N,
    MODE_NORMAL,
    MODE_OFF,
    MODE_ROWS,
    P_MODE_MIN,
    P_MODE_NEAR,
    P_MODE_TABLE,
    P_MODE_WINDOW,
    P_MODES,
    RING_MAX,
    S_FLOOR,
    S_MODE_SCORE,
    S_SCORES,
    S_WORK,
)


@kernel("i8(f8[::1], f8)")
def mode_of(params: list[float], score: float) -> int:
    """The row that holds at `score` (bps)."""
    for row in range(MODE_ROWS - 1):
        upto = params[P_MODE_TABLE + 3 * row]
        if score < upto or (row >= MODE_NORMAL and score == upto):
            return row
    return MODE_ROWS - 1


@kernel("void(f8[::1], i8[::1], f8[::1])")
def set_mode(state: list[float], ints: list[int], params: list[float]) -> None:
    """I_MODE for the score as it is."""
    if params[P_MODES] <= 0.0:
        ints[I_MODE] = MODE_OFF
    elif float(ints[I_SCORES_N]) < params[P_MODE_MIN]:
        ints[I_MODE] = MODE_NORMAL
    else:
        ints[I_MODE] = mode_of(params, state[S_MODE_SCORE])


@kernel("void(f8[::1], i8[::1], f8[::1], f8, f8)")
def learn_mode(state: list[float], ints: list[int], params: list[float], score_bps: float, usd: float) -> None:
    """Take the score of one fill of `usd`; S_MODE_SCORE and I_MODE follow."""
    at = S_SCORES + 2 * (ints[I_SCORES_N] % RING_MAX)
    state[at] = score_bps
    state[at + 1] = max(usd, 0.0)
    ints[I_SCORES_N] += 1
    n = min(ints[I_SCORES_N], int(params[P_MODE_WINDOW]), RING_MAX)
    total = 0.0
    weight = 0.0
    for back in range(n):
        at = S_SCORES + 2 * ((ints[I_SCORES_N] - 1 - back) % RING_MAX)
        total += state[at] * state[at + 1]
        weight += state[at + 1]
    state[S_MODE_SCORE] = total / weight if weight > 0.0 else 0.0
    set_mode(state, ints, params)


@kernel("void(f8[::1], i8[::1], f8[::1], i8, i8)")
def limit_near(state: list[float], ints: list[int], params: list[float], side: int, levels: int) -> None:
    """Move the distances in S_WORK of a side as the mode asks."""
    if ints[I_MODE] == MODE_OFF or levels <= 0:
        return
    row = P_MODE_TABLE + 3 * ints[I_MODE]
    near = params[P_MODE_NEAR] * max(state[S_WORK], state[S_FLOOR + side])
    live = 0.0
    before = -1.0
    for i in range(levels):
        state[S_WORK + i] = max(state[S_WORK + i], params[row + 2])
        distance = max(state[S_WORK + i], state[S_FLOOR + side])
        if distance < near:
            if distance > before:  # else it merges with the one before
                live += 1.0
            before = distance
            if live > params[row + 1]:
                state[S_WORK + i] = near
