"""What the quoter learns in the replay: from its own fills once their horizons are over, from prints, of its position.

`quoter/engine.py` does the same with the same kernels. Times ns, prices px_u, sizes sz_u, markouts bps.
"""

from __future__ import annotations

from backtest.loop.layout import (
    D_HEARD_N,
    D_LONG_N,
    D_POSITION,
    D_SHORT_N,
    FAIR_PARTS,
    FILL_FAIR,
    FILL_PX,
    FILL_SLOT,
    FILL_STRIDE,
    FILL_SZ,
    FILL_T,
    LOG_ROWS,
)
from common.kernel import kernel
from common.markout import GAP_NS_MAX, markout_bps
from quoter.adverse import learn_reach
from quoter.fade import learn_score
from quoter.intensity import see_print
from quoter.modes import learn_mode
from quoter.rebuilt import BUY_ROW, SELL_ROW
from quoter.state import BPS, I_HALF_T, I_MODE, I_PAUSE_T, I_POSITION, I_POSITION_T, NS, QUOTES_MAX, S_FADE_BASE

SHORT_NS = 5 * NS
LONG_NS = 60 * NS


@kernel("i8(i8[::1], i8[::1], i8, i8, f8, i8, f8[::1], i8[::1], f8[::1])")
def learn(
    desk: list[int], fills: list[int], t_ns: int, now: int, mid: float, since_ns: int, state: list[float],
    ints: list[int], params: list[float],
) -> int:  # fmt: skip
    """Own fills whose 5 s and 60 s are over by `t_ns` teach the fade and the floor; `mid` is the last one before.

    It is `since_ns` old: when that is too long, nothing is known of them. Returns 1 when what they say of distances,
    sizes, pauses or the mode has changed.
    """
    if mid <= 0.0:
        return 0
    mid2 = int(2.0 * mid)
    changed = 0
    while desk[D_SHORT_N] < desk[D_HEARD_N]:
        at = LOG_ROWS + FILL_STRIDE * desk[D_SHORT_N]
        if fills[at + FILL_T] + SHORT_NS > t_ns:
            break
        desk[D_SHORT_N] += 1
        if since_ns > GAP_NS_MAX:
            continue
        side = 0 if fills[at + FILL_SLOT] < QUOTES_MAX else 1
        gain = markout_bps(1 - 2 * side, fills[at + FILL_PX], mid2)
        usd = float(fills[at + FILL_PX] * fills[at + FILL_SZ]) / 1e6
        base = state[S_FADE_BASE + side]
        half_t = ints[I_HALF_T + side]
        pause_t = ints[I_PAUSE_T + side]
        mode = ints[I_MODE]
        learn_score(state, ints, params, side, gain, usd, now)
        learn_mode(state, ints, params, gain, usd)
        if state[S_FADE_BASE + side] != base or ints[I_HALF_T + side] != half_t:
            changed = 1
        if ints[I_PAUSE_T + side] != pause_t or ints[I_MODE] != mode:
            changed = 1
    while desk[D_LONG_N] < desk[D_HEARD_N]:
        at = LOG_ROWS + FILL_STRIDE * desk[D_LONG_N]
        if fills[at + FILL_T] + LONG_NS > t_ns:
            break
        desk[D_LONG_N] += 1
        if since_ns > GAP_NS_MAX:
            continue
        side = 0 if fills[at + FILL_SLOT] < QUOTES_MAX else 1
        px = float(fills[at + FILL_PX])
        gain = markout_bps(1 - 2 * side, fills[at + FILL_PX], mid2)
        fair = float(fills[at + FILL_FAIR]) / FAIR_PARTS
        distance = (fair - px if side == 0 else px - fair) / px / BPS
        if fair > 0.0:
            learn_reach(state, ints, side, distance, distance - gain)
    return changed


@kernel("void(i8[::1], i8[::1], i8, i8, i8, f8[::1], i8[::1], f8[::1])")
def hear_prints(
    what: list[int], px: list[int], begin: int, end: int, t_ns: int, state: list[float], ints: list[int],
    params: list[float],
) -> None:  # fmt: skip
    """Prints among the rows `begin .. end` of venue time `t_ns` teach the fill intensity."""
    for k in range(begin, end):
        if what[k] == BUY_ROW or what[k] == SELL_ROW:
            see_print(state, ints, params, px[k], t_ns)


@kernel("void(i8[::1], i8[::1], i8)")
def hold(desk: list[int], ints: list[int], t_ns: int) -> None:
    """The quoter's position is what we have heard of; `t_ns` is when it came to be."""
    before = ints[I_POSITION]
    ints[I_POSITION] = desk[D_POSITION]
    if desk[D_POSITION] == 0:
        ints[I_POSITION_T] = 0
    elif before == 0 or (before > 0) != (desk[D_POSITION] > 0):
        ints[I_POSITION_T] = t_ns
