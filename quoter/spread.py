"""How far from the fair price we quote: the profile's range of half spreads and what widens or narrows it.

This room decides [lo, hi] in bps (of the volatility table, the profile's list or `glft.py`) and one factor for both
sides, and when volatility alone makes us defensive or quiet.
It leaves to others: the floor (`floor.py`), inventory (`skew.py`), own losses (`fade.py`). Every rule that switches has
memory: it leaves at a milder value than it entered, so that a value on the border does not flap.
"""

from __future__ import annotations

import math

from common.kernel import kernel
from quoter.glft import per_root_second, set_fill, set_glft_range
from quoter.state import (
    ASK_SIDE,
    BID_SIDE,
    I_DEPTH_CLASS,
    I_DEPTH_T,
    I_ILLIQUID_T,
    I_IMBALANCED,
    I_LIQUID,
    I_T,
    I_VOL_MODE,
    LADDER_GLFT,
    LADDER_LIST,
    P_BOOK_WIDENING,
    P_DEEP_SCALE,
    P_HIGH_VOL,
    P_HIGH_VOL_PAUSE,
    P_ILLIQUID_PULL,
    P_ILLIQUID_SPREAD,
    P_IMBALANCE,
    P_IMBALANCE_MAX,
    P_IMBALANCE_MIN,
    P_LADDER,
    P_LIST,
    P_LIST_N,
    P_MAX_SPREAD,
    P_MIN_SPREAD,
    P_ROWS,
    P_SIGMA_CAP,
    P_TABLE,
    P_THICK_RATIO,
    P_THIN_RATIO,
    P_THIN_SCALE,
    P_USUAL_HALF_LIFE,
    P_VOL_HYSTERESIS,
    S_DEPTH,
    S_DEPTH_USUAL,
    S_HI,
    S_IMBALANCE_SLOW,
    S_LO,
    S_SESSION_SPREAD,
    S_SIGMA,
    S_SPREAD_SCALE,
    S_VOL_USED,
    S_WIDENING,
    VOL_DEFENSIVE,
    VOL_NORMAL,
    VOL_PULLED,
)
from quoter.vol import vol_known, vol_now

LEAVE = 0.8
"""The imbalance rule ends at this share of the value at which it begins."""
USUAL_AFTER_SHARE = 0.1
"""The usual depth counts after this share of its half life: before, every depth is usual."""


@kernel("f8(f8[::1], f8, i8)")
def table_bps(params: list[float], vol: float, column: int) -> float:
    """Half spread at annual volatility `vol`: column 1 = lo, 2 = hi; exact at a row, log-linear up to the next one."""
    rows = int(params[P_ROWS])
    row = 0
    while row + 1 < rows and vol >= params[P_TABLE + 3 * (row + 1)]:
        row += 1
    at = P_TABLE + 3 * row
    here = params[at + column]
    if row + 1 >= rows:
        return here
    step = params[at + 3] - params[at]
    there = params[at + 3 + column]
    if step <= 0.0 or here <= 0.0 or there <= 0.0:
        return here
    return here * math.exp((vol - params[at]) / step * math.log(there / here))


@kernel("f8(f8, f8, f8)")
def sticky(used: float, measured: float, share: float) -> float:
    """`used` until `measured` has left it by more than `share`, then `measured`."""
    if abs(measured - used) <= share * used:
        return used
    return measured


@kernel("i8(f8[::1], f8, i8)")
def vol_mode(params: list[float], vol: float, mode: int) -> int:
    """DEFENSIVE above HIGH_VOL, PULLED above a multiple of it; left `P_VOL_HYSTERESIS` below where it was entered."""
    high = params[P_HIGH_VOL]
    pause = high * params[P_HIGH_VOL_PAUSE]
    milder = 1.0 - params[P_VOL_HYSTERESIS]
    if vol > pause or (mode == VOL_PULLED and vol > pause * milder):
        return VOL_PULLED
    if vol > high or (mode != VOL_NORMAL and vol > high * milder):
        return VOL_DEFENSIVE
    return VOL_NORMAL


@kernel("i8(f8[::1], i8[::1], f8[::1])")
def set_range(state: list[float], ints: list[int], params: list[float]) -> int:
    """Set S_LO and S_HI (bps), S_SIGMA and the volatility mode, which is returned.

    Where too few data were seen the widest row of the table counts, and the greatest sigma.
    """
    vol = vol_now(state, params)
    if vol_known(ints, params) == 1:
        state[S_VOL_USED] = sticky(state[S_VOL_USED], vol, params[P_VOL_HYSTERESIS])
        lo = table_bps(params, state[S_VOL_USED], 1)
        hi = table_bps(params, state[S_VOL_USED], 2)
        ints[I_VOL_MODE] = vol_mode(params, vol, ints[I_VOL_MODE])
    else:
        widest = P_TABLE + 3 * (int(params[P_ROWS]) - 1)
        lo = params[widest + 1]
        hi = params[widest + 2]
    state[S_SIGMA] = per_root_second(vol) if vol_known(ints, params) == 1 else params[P_SIGMA_CAP]
    state[S_LO] = min(max(lo, params[P_MIN_SPREAD]), params[P_MAX_SPREAD])
    state[S_HI] = min(max(hi, state[S_LO]), params[P_MAX_SPREAD])
    set_fill(state, ints, params)
    if int(params[P_LADDER]) == LADDER_LIST:
        state[S_LO] = params[P_LIST]
        state[S_HI] = params[P_LIST + max(int(params[P_LIST_N]) - 1, 0)]
    elif int(params[P_LADDER]) == LADDER_GLFT:
        set_glft_range(state, ints, params)
    return ints[I_VOL_MODE]


@kernel("f8(f8[::1], i8[::1], f8[::1])")
def imbalance_scale(state: list[float], ints: list[int], params: list[float]) -> float:
    """P_IMBALANCE_MIN at the trigger rising to P_IMBALANCE_MAX for a book with one side only; else 1."""
    size = abs(state[S_IMBALANCE_SLOW])
    trigger = params[P_IMBALANCE]
    if size > trigger:
        ints[I_IMBALANCED] = 1
    elif size < LEAVE * trigger:
        ints[I_IMBALANCED] = 0
    if ints[I_IMBALANCED] == 0:
        return 1.0
    least = params[P_IMBALANCE_MIN]
    if trigger >= 1.0:
        return least
    share = max(size - trigger, 0.0) / (1.0 - trigger)
    return least + (params[P_IMBALANCE_MAX] - least) * share


@kernel("f8(f8[::1], i8[::1], f8[::1])")
def depth_scale(state: list[float], ints: list[int], params: list[float]) -> float:
    """Narrower on a book deeper than usual, wider on a thinner one; left half-way back to the usual depth."""
    usual = state[S_DEPTH_USUAL]
    seen_s = float(ints[I_T] - ints[I_DEPTH_T]) / 1e9
    if usual <= 0.0 or seen_s < USUAL_AFTER_SHARE * params[P_USUAL_HALF_LIFE]:
        ints[I_DEPTH_CLASS] = 0
        return 1.0
    ratio = min(state[S_DEPTH + BID_SIDE], state[S_DEPTH + ASK_SIDE]) / usual
    before = ints[I_DEPTH_CLASS]
    ints[I_DEPTH_CLASS] = 0
    if ratio > params[P_THICK_RATIO] or (before == 1 and ratio > 0.5 * (1.0 + params[P_THICK_RATIO])):
        ints[I_DEPTH_CLASS] = 1
        return params[P_DEEP_SCALE]
    if ratio < params[P_THIN_RATIO] or (before == -1 and ratio < 0.5 * (1.0 + params[P_THIN_RATIO])):
        ints[I_DEPTH_CLASS] = -1
        return params[P_THIN_SCALE]
    return 1.0


@kernel("void(f8[::1], i8[::1], f8[::1])")
def set_widening(state: list[float], ints: list[int], params: list[float]) -> None:
    """S_WIDENING: imbalance x depth x illiquidity x session x what the permit asks for."""
    scale = 1.0
    if params[P_BOOK_WIDENING] > 0.0:
        scale = imbalance_scale(state, ints, params) * depth_scale(state, ints, params)
    if ints[I_LIQUID] == 0:
        scale *= params[P_ILLIQUID_SPREAD]
    if state[S_SESSION_SPREAD] > 0.0:
        scale *= state[S_SESSION_SPREAD]
    state[S_WIDENING] = scale * max(state[S_SPREAD_SCALE], 1.0)


@kernel("i8(i8[::1], f8[::1], i8)")
def is_pulled_illiquid(ints: list[int], params: list[float], t_ns: int) -> int:
    """1 when the book has been illiquid for P_ILLIQUID_PULL longer than it takes to count as such."""
    if ints[I_LIQUID] == 1:
        return 0
    return 1 if float(t_ns - ints[I_ILLIQUID_T]) >= params[P_ILLIQUID_PULL] * 1e9 else 0
