"""What a decision may take over from the one before: results whose inputs are slow, kept beside the inputs they are of.

The distances and shares of a side's levels and what its bands of distance ask for change with volatility, budget, fee
and own fills, not with every price. Each has a key in the state: every number it is made of. A decision compares the
key with the numbers of now and makes anew what differs, by the same kernels, so that a result is never older than its
inputs; a state that has kept nothing (a key of zeros) gives the same ladder. This room compares; what is made of the
numbers is decided in `ladder.py`, `sizing.py` and `adverse.py`.
"""

from __future__ import annotations

from common.kernel import kernel
from quoter.skew import is_reducing
from quoter.state import (
    BANDS,
    I_ADVERSE_N,
    I_BAND_N,
    LADDER_KEY,
    NEED_KEY,
    P_BAND_WEIGHT,
    P_BREAK_INNER,
    P_BREAK_OUTER,
    P_EPS,
    P_ETA,
    P_FLOOR_FILLS,
    P_FORECAST_EPS,
    P_FORECAST_ETA,
    P_K,
    P_LADDER,
    P_LIST,
    P_SAFETY,
    P_SHARE_INNER,
    P_SHARE_MIDDLE,
    P_SHARE_OUTER,
    P_SIZE_DECAY,
    S_ADVERSE_M2,
    S_ADVERSE_MEAN,
    S_BAND,
    S_FEE,
    S_FORECAST_WEIGHT,
    S_HI,
    S_LADDER_KEY,
    S_LO,
    S_NEED_KEY,
    S_STEP,
)

LADDER_PARAMS = (P_LADDER, P_BREAK_INNER, P_BREAK_OUTER, P_SIZE_DECAY, P_SHARE_INNER, P_SHARE_MIDDLE, P_SHARE_OUTER)
NEED_PARAMS = (P_EPS, P_ETA, P_FORECAST_EPS, P_FORECAST_ETA, P_K, P_SAFETY, P_BAND_WEIGHT)


@kernel("i8(f8[::1], i8, f8)")
def noted(state: list[float], at: int, value: float) -> int:
    """1 when the key's number at `at` was another; it is `value` from now on."""
    if state[at] == value:
        return 0
    state[at] = value
    return 1


@kernel("i8(f8[::1], f8[::1], i8, i8)")
def ladder_differs(state: list[float], params: list[float], side: int, levels: int) -> int:
    """1 when the distances and shares of `levels` levels of a side have other inputs than those kept."""
    at = S_LADDER_KEY + side * LADDER_KEY
    new = noted(state, at, float(levels))
    new |= noted(state, at + 1, state[S_LO])
    new |= noted(state, at + 2, state[S_HI])
    new |= noted(state, at + 3, state[S_STEP])
    at += 4
    for place in LADDER_PARAMS:
        new |= noted(state, at, params[place])
        at += 1
    for level in range(levels):
        new |= noted(state, at + level, params[P_LIST + level])
    return new


@kernel("i8(f8[::1], i8[::1], i8, i8)")
def fills_differ(state: list[float], ints: list[int], side: int, at: int) -> int:
    """1 when the marked-out fills of a side are others than those kept from place `at` on."""
    new = noted(state, at, float(ints[I_ADVERSE_N + side]))
    new |= noted(state, at + 1, state[S_ADVERSE_MEAN + side])
    new |= noted(state, at + 2, state[S_ADVERSE_M2 + side])
    at += 3
    for band in range(side * BANDS, (side + 1) * BANDS):
        new |= noted(state, at, float(ints[I_BAND_N + band]))
        new |= noted(state, at + 1, state[S_BAND + 2 * band])
        new |= noted(state, at + 2, state[S_BAND + 2 * band + 1])
        at += 3
    return new


@kernel("i8(f8[::1], i8[::1], f8[::1], i8)")
def needs_differ(state: list[float], ints: list[int], params: list[float], side: int) -> int:
    """1 when what the bands of a side ask for has other inputs than those kept: fee, priors, own fills that count."""
    at = S_NEED_KEY + side * NEED_KEY
    known = 1 if float(ints[I_ADVERSE_N + side]) >= params[P_FLOOR_FILLS] else 0
    new = noted(state, at, 1.0 + float(known))  # never 0, so that a key of zeros is no key
    new |= noted(state, at + 1, float(is_reducing(ints, side)))
    new |= noted(state, at + 2, state[S_FEE])
    new |= noted(state, at + 3, state[S_FORECAST_WEIGHT])
    at += 4
    for place in NEED_PARAMS:
        new |= noted(state, at, params[place])
        at += 1
    return new | fills_differ(state, ints, side, at) if known == 1 else new
