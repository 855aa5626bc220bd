"""The whole decision as one kernel, whatever the profile: state and book in, a two-sided ladder out.

`quote_sides` asks the other rooms in turn (range and widening, fair price, urgency and centre, floors, gates, budgets)
and has each side that may be quoted built by `ladder.py`. It leaves to the engine whether we may quote at all, and to
`publisher.py` whether a new ladder is worth telling.
"""

from __future__ import annotations

from common.kernel import kernel
from quoter.adverse import side_floor_bps
from quoter.analysis import averaged
from quoter.fade import fade_scale, is_paused
from quoter.fair import fair_px
from quoter.floor import tick_bps
from quoter.glft import set_glft_centre
from quoter.ladder import build_side
from quoter.modes import set_mode
from quoter.side_gate import gate_why
from quoter.sizing import level_count, set_budget
from quoter.skew import is_capped, is_reducing, set_centre, set_urgency
from quoter.spread import is_pulled_illiquid, set_range, set_widening
from quoter.state import (
    I_DECIDED_T,
    I_REDUCING,
    I_SZ_DECIMALS,
    LADDER_GLFT,
    NO_FLOOR,
    O_COUNT,
    O_LEN,
    O_WHY,
    P_BOOK_HALF_LIFE,
    P_COLLAR,
    P_FADE_MARKET,
    P_LADDER,
    S_BLEND,
    S_BUDGET,
    S_FADE,
    S_FAIR,
    S_FLOOR,
    S_FORECAST,
    S_FORECAST_WEIGHT,
    S_HI,
    S_LO,
    S_MICRO,
    S_MID,
    S_NEAR,
    S_ORACLE,
    S_WHOLE,
    VOL_DEFENSIVE,
    VOL_PULLED,
    WHY_ADVERSE,
    WHY_HIGH_VOL,
    WHY_ILLIQUID,
    WHY_NO_BOOK,
    WHY_ONE_SIDED,
    WHY_PAUSED,
    WHY_REDUCING,
)


@kernel("i8(f8[::1], i8[::1], f8[::1], i8, i8, i8)")
def why_not(state: list[float], ints: list[int], params: list[float], side: int, mode: int, t_ns: int) -> int:
    """WHY_* bits for which a side is withheld now; 0 = it may be quoted."""
    why = 0
    if mode == VOL_PULLED:
        why |= WHY_HIGH_VOL
    if is_pulled_illiquid(ints, params, t_ns) == 1:
        why |= WHY_ILLIQUID
    if is_capped(state, ints, params, side, state[S_FAIR]) == 1:
        why |= WHY_ONE_SIDED
    if ints[I_REDUCING] == 1 and is_reducing(ints, side) == 0:
        why |= WHY_REDUCING
    other_pauses = params[P_FADE_MARKET] > 0.0 and is_paused(ints, 1 - side, t_ns) == 1 and is_reducing(ints, side) == 0
    if is_paused(ints, side, t_ns) == 1 or other_pauses:
        why |= WHY_PAUSED
    return why | gate_why(state, ints, params, side)


@kernel("void(f8[::1], i8[::1], f8[::1], i8, i8)")
def set_inventory(state: list[float], ints: list[int], params: list[float], mode: int, t_ns: int) -> None:
    """What the position and a defensive market do to the quotes: S_URGENCY, S_CENTRE, S_LO."""
    set_urgency(state, ints, params, state[S_FAIR], t_ns)
    if int(params[P_LADDER]) == LADDER_GLFT:
        set_glft_centre(state, ints, params, state[S_FAIR])
    else:
        set_centre(state, ints, params, state[S_FAIR])
    if mode == VOL_DEFENSIVE:
        state[S_LO] = state[S_HI]


@kernel("i8(f8[::1], i8[::1], f8[::1], i8[::1], i8, i8[::1])")
def quote_sides(
    state: list[float], ints: list[int], params: list[float], book: list[int], t_ns: int, out: list[int]
) -> int:
    """The whole two-sided ladder at market time `t_ns` for the book analysed last; returns its number of levels."""
    for i in range(O_LEN):
        out[i] = 0
    state[S_BLEND] = 1.0 - averaged(1.0, 0.0, t_ns - ints[I_DECIDED_T], params[P_BOOK_HALF_LIFE])
    ints[I_DECIDED_T] = max(t_ns, ints[I_DECIDED_T])
    mode = set_range(state, ints, params)
    set_widening(state, ints, params)
    set_mode(state, ints, params)
    for side in range(2):
        state[S_FADE + side] = fade_scale(state, ints, params, side, t_ns)
        state[S_BUDGET + side] = 0.0
    if state[S_MID] <= 0.0:
        out[O_WHY] = WHY_NO_BOOK
        out[O_WHY + 1] = WHY_NO_BOOK
        return 0
    forecast = state[S_FORECAST]
    weight = state[S_FORECAST_WEIGHT]
    fair = fair_px(state[S_MID], state[S_MICRO], forecast, weight, state[S_ORACLE], params[P_COLLAR])
    state[S_FAIR] = fair
    set_inventory(state, ints, params, mode, t_ns)
    tick = tick_bps(fair, ints[I_SZ_DECIMALS])
    for side in range(2):
        state[S_FLOOR + side] = side_floor_bps(state, ints, params, side, tick)
        state[S_NEAR + side] = state[S_FLOOR + side]
        set_budget(state, ints, params, side, fair, t_ns)
        out[O_WHY + side] = why_not(state, ints, params, side, mode, t_ns)
        if state[S_FLOOR + side] >= NO_FLOOR:
            out[O_WHY + side] |= WHY_ADVERSE
        if out[O_WHY + side] == 0:
            levels = level_count(params, state[S_WHOLE + side], fair)
            if mode == VOL_DEFENSIVE:
                levels = min(levels, 1)
            build_side(state, ints, params, book, side, levels, out)
    return out[O_COUNT] + out[O_COUNT + 1]
