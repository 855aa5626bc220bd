"""A ladder of fixed distances round the mid or a forecast price: what the comparison quoters are made of.

Nothing here quotes live: the production ladder is `quoter/quote.py`. Each comparison quoter (`quoters.py`) is one
vector of numbers (`L_*`); the same vector says of every quoter, production ones too, when a resting order is far
enough from its place to be worth a move. Distances in bps of the fair price, sizes in USD, prices px_u.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from common.errors import OurFault
from common.kernel import kernel, state
from common.ticks import MIN_NOTIONAL_E6, tick_u
from quoter.fair import fair_px
from quoter.forecast import favours
from quoter.ladder import level_px, opposite_best, short_of
from quoter.skew import is_reducing, position_usd
from quoter.state import (
    ASK_SIDE,
    B_COUNT,
    B_ROWS,
    B_SIDE,
    BID_SIDE,
    BPS,
    I_POSITION,
    I_REDUCING,
    I_SZ_DECIMALS,
    O_COUNT,
    O_LEN,
    O_ROWS,
    O_SIDE,
    O_WHY,
    P_COLLAR,
    QUOTES_MAX,
    S_FAIR,
    S_FORECAST,
    S_MID,
    S_ORACLE,
    USD,
    WHY_FORECAST,
    WHY_NO_BOOK,
    WHY_NO_BUDGET,
    WHY_REDUCING,
)

(
    L_LEVELS,
    L_WEIGHT,  # of the forecast in the fair price, 0 = round the mid
    L_GATE,  # bps the forecast must speak for a side; negative = how far it may speak against it
    L_CAP,  # USD, held and resting on one side together
    L_SKEW,  # bps the centre moves away from a position of the cap's size
    L_TILT,  # USD of position at which distances are x(1 + 2) away and x(1 - 0.3) towards; 0 = no tilt
    L_TICKS,  # ticks kept from the opposite best: 1, strictly placed 2
    L_JOIN,  # 1 = never better than the best price shown
    L_OUT,  # bps a resting level may be nearer than it should
    L_IN,  # bps it may be further away
    L_REFILL,  # share of its size below which it is filled up again
    L_PRICE,  # USD an action costs (keeping.py), 0 = nothing is kept for it
    L_LIFE,  # s over which a fill counts there
    L_SHARE,  # of its distance a kept order may be off
    L_ROWS,  # (distance bps, size USD) a level, nearest first
) = range(15)
L_LEN = L_ROWS + 2 * QUOTES_MAX

NO_GATE = -1e9
TILT_AWAY = 2.0
TILT_TOWARDS = 0.3


def new_fixed(
    distances_bps: Sequence[float], sizes_usd: Sequence[float], *, weight: float = 0.0, gate_bps: float = NO_GATE,
    cap_usd: float, skew_bps: float = 0.0, tilt_usd: float = 0.0, ticks: int = 1, join: bool = False,
    out_bps: float, in_bps: float, refill: float = 0.3, price_usd: float = 0.0, life_s: float = 60.0,
    share: float = 0.5,
) -> Any:  # fmt: skip
    """The parameter vector of one ladder."""
    if not len(distances_bps) == len(sizes_usd) <= QUOTES_MAX:
        raise OurFault(f"{len(distances_bps)} distances, {len(sizes_usd)} sizes, {QUOTES_MAX} at most")
    lean = state(L_LEN)
    for place, value in (
        (L_LEVELS, len(distances_bps)), (L_WEIGHT, weight), (L_GATE, gate_bps), (L_CAP, cap_usd), (L_SKEW, skew_bps),
        (L_TILT, tilt_usd), (L_TICKS, ticks), (L_JOIN, join), (L_OUT, out_bps), (L_IN, in_bps), (L_REFILL, refill),
        (L_PRICE, price_usd), (L_LIFE, life_s), (L_SHARE, share),
    ):  # fmt: skip
        lean[place] = float(value)
    for k, (distance, size) in enumerate(zip(distances_bps, sizes_usd, strict=True)):
        lean[L_ROWS + 2 * k], lean[L_ROWS + 2 * k + 1] = float(distance), float(size)
    return lean


@kernel("f8(f8[::1], i8, f8)")
def tilt_of(lean: list[float], side: int, held_usd: float) -> float:
    """Factor on a side's distances for a position (USD, long > 0)."""
    if lean[L_TILT] <= 0.0:
        return 1.0
    share = min(abs(held_usd) / lean[L_TILT], 1.0)
    grows = held_usd >= 0.0 if side == BID_SIDE else held_usd <= 0.0
    return 1.0 + TILT_AWAY * share if grows else 1.0 - TILT_TOWARDS * share


@kernel("i8(f8[::1], i8[::1], i8, f8, f8, i8)")
def place_px(lean: list[float], book: list[int], side: int, centre: float, distance_bps: float, grid: int) -> int:
    """Legal price of a level: behind the centre, so many ticks from the opposite best, joining when told to."""
    opposite = opposite_best(book, side)
    if opposite > 0:
        kept = (int(lean[L_TICKS]) - 1) * tick_u(opposite, grid)
        opposite = opposite - kept if side == BID_SIDE else opposite + kept
    px = level_px(side, centre, distance_bps, short_of(side, opposite, grid), grid)
    if lean[L_JOIN] > 0.0 and book[B_COUNT + side] > 0:
        best = book[B_ROWS + side * B_SIDE]
        px = min(px, best) if side == BID_SIDE else max(px, best)
    return px


@kernel("i8(f8[::1], i8[::1], f8[::1], i8[::1], i8, f8, i8[::1])")
def fixed_side(
    state: list[float], ints: list[int], lean: list[float], book: list[int], side: int, held_usd: float, out: list[int]
) -> int:
    """One side's levels into `out`, nearest first while the cap has room; returns how many."""
    share = held_usd / lean[L_CAP] if lean[L_CAP] > 0.0 else 0.0
    centre = state[S_FAIR] * (1.0 - lean[L_SKEW] * BPS * share)
    room = lean[L_CAP] - held_usd if side == BID_SIDE else lean[L_CAP] + held_usd
    tilt = tilt_of(lean, side, held_usd)
    base = O_ROWS + side * O_SIDE
    n = 0
    used = 0.0
    for k in range(int(lean[L_LEVELS])):
        size = lean[L_ROWS + 2 * k + 1]
        if used + size > room * (1.0 + 1e-9):
            break
        px = place_px(lean, book, side, centre, lean[L_ROWS + 2 * k] * tilt, ints[I_SZ_DECIMALS])
        sz = int(size / USD / state[S_MID])
        if px <= 0 or px * sz < MIN_NOTIONAL_E6:
            break
        used += size
        out[base + 2 * n] = px
        out[base + 2 * n + 1] = sz
        n += 1
    return n


@kernel("i8(i8[::1], i8, i8[::1])")
def leave_side(ints: list[int], side: int, out: list[int]) -> int:
    """Keep of a side's levels what takes the position down; returns how many are left."""
    left = abs(ints[I_POSITION]) if is_reducing(ints, side) == 1 else 0
    base = O_ROWS + side * O_SIDE
    kept = 0
    for k in range(out[O_COUNT + side]):
        row = base + 2 * k
        sz = min(out[row + 1], left)
        if out[row] * sz < MIN_NOTIONAL_E6:
            break
        out[row + 1] = sz
        left -= sz
        kept += 1
    return kept


@kernel("i8(f8[::1], i8[::1], f8[::1], f8[::1], i8[::1], i8[::1])")
def quote_fixed(
    state: list[float], ints: list[int], params: list[float], lean: list[float], book: list[int], out: list[int]
) -> int:
    """The whole two-sided ladder for S_MID, S_FORECAST and the position; returns its number of levels."""
    for i in range(O_LEN):
        out[i] = 0
    if state[S_MID] <= 0.0:
        out[O_WHY] = WHY_NO_BOOK
        out[O_WHY + 1] = WHY_NO_BOOK
        return 0
    forecast = state[S_FORECAST]
    state[S_FAIR] = fair_px(state[S_MID], state[S_MID], forecast, lean[L_WEIGHT], state[S_ORACLE], params[P_COLLAR])
    held_usd = position_usd(ints, state[S_MID])
    for side in range(2):
        if favours(forecast, lean[L_GATE], side) == 0:
            out[O_WHY + side] = WHY_FORECAST
            continue
        out[O_COUNT + side] = fixed_side(state, ints, lean, book, side, held_usd, out)
        if out[O_COUNT + side] == 0:
            out[O_WHY + side] = WHY_NO_BUDGET
        elif ints[I_REDUCING] == 1:
            out[O_COUNT + side] = leave_side(ints, side, out)
            if out[O_COUNT + side] == 0:
                out[O_WHY + side] = WHY_REDUCING
    return out[O_COUNT + BID_SIDE] + out[O_COUNT + ASK_SIDE]


@kernel("i8(i8, i8, i8, i8, i8, f8, f8, f8, f8)")
def is_off(
    side: int, px: int, left: int, wanted_px: int, wanted_sz: int, mid: float, out_bps: float, in_bps: float,
    refill: float,
) -> int:  # fmt: skip
    """1 when a resting level is to be moved: nearer by over `out_bps`, farther by over `in_bps`, or too small."""
    if mid <= 0.0:
        return 0
    nearer = float(px - wanted_px) if side == BID_SIDE else float(wanted_px - px)
    off_bps = nearer / mid / BPS
    if off_bps > out_bps or off_bps < -in_bps:
        return 1
    return 1 if float(left) <= refill * float(wanted_sz) else 0
