"""From a fair price, distances, floor and budget to the legal levels of one side.

The stages: distances, sizes, what reduces the position, prices, merging; every profile passes through all of them. This
room decides prices and sizes; it leaves to `quote.py`: the fair price, floors and budgets, and whether the side is
quoted. Distances in bps of the fair price, prices px_u, sizes sz_u.

What holds for every ladder: a bid is below the market's best ask and an ask above its best bid; a bid is rounded down
and an ask up to the venue's grid; no level is nearer than the side's floor unless it only reduces the position; what
rests on a side is worth no more than its budget; a level too small for the venue joins its inner neighbour.
"""

from __future__ import annotations

import math

from common.kernel import kernel
from common.ticks import MIN_NOTIONAL_E6, ceil_px, floor_px, tick_u
from quoter.adverse import set_places
from quoter.analysis import VIEW, deep_share, median_usd
from quoter.fair import collar_px
from quoter.floor import reduce_floor_bps, tick_bps
from quoter.kept import ladder_differs
from quoter.modes import limit_near
from quoter.sizing import level_behind, level_share, local_ratio, thickness
from quoter.skew import is_reducing, tilt
from quoter.state import (
    B_COUNT,
    B_ROWS,
    B_SIDE,
    BID_SIDE,
    BPS,
    I_DEEP_T,
    I_FAST_LEVELS,
    I_POSITION,
    I_REDUCING,
    I_SZ_DECIMALS,
    I_T,
    LADDER_GLFT,
    LADDER_LIST,
    NO_FLOOR,
    O_COUNT,
    O_MERGED,
    O_ROWS,
    O_SIDE,
    O_WHY,
    P_BREAK_INNER,
    P_BREAK_OUTER,
    P_COLLAR,
    P_HORIZON,
    P_LADDER,
    P_LIST,
    P_SIGMA_MAX,
    P_STEP_INSIDE,
    P_TICKS,
    QUOTES_MAX,
    S_BASE,
    S_BLEND,
    S_BUDGET,
    S_CENTRE,
    S_FADE,
    S_FAIR,
    S_FLOOR,
    S_HI,
    S_LO,
    S_LOCAL,
    S_NEAR,
    S_ORACLE,
    S_PLACE,
    S_SHARE,
    S_SIGMA,
    S_STEP,
    S_URGENCY,
    S_WHOLE,
    S_WIDENING,
    S_WORK,
    USD,
    WHY_COLLAR,
    WHY_NO_BUDGET,
)

ANY_PX = 2**62
E6 = 1e6
"""px_u x sz_u of one USD."""
REDUCES = S_WORK + QUOTES_MAX
"""Second half of the work space: weights first, then 1 for a level that only reduces the position."""


@kernel("f8(f8[::1], i8, i8, f8, f8)")
def level_bps(params: list[float], level: int, levels: int, lo: float, hi: float) -> float:
    """Distance of a level: geometric pieces through lo, lo + (hi - lo) x the two breaks, and hi, a third each."""
    at = 3.0 * float(level) / float(levels)
    piece = min(int(at), 2)
    first = lo + (hi - lo) * params[P_BREAK_INNER]
    second = lo + (hi - lo) * params[P_BREAK_OUTER]
    begin = lo
    end = first
    if piece == 1:
        begin = first
        end = second
    elif piece == 2:
        begin = second
        end = hi
    if begin <= 0.0 or end <= 0.0:
        return lo
    return begin * math.exp((at - float(piece)) * math.log(end / begin))


@kernel("f8(f8[::1], f8[::1], i8, i8)")
def base_bps(state: list[float], params: list[float], level: int, levels: int) -> float:
    """Distance of a level as the profile has it, within S_LO .. S_HI."""
    kind = int(params[P_LADDER])
    if kind == LADDER_LIST:
        return min(max(params[P_LIST + level], state[S_LO]), state[S_HI])
    if kind == LADDER_GLFT:
        return min(state[S_LO] + float(level) * state[S_STEP], state[S_HI])
    return level_bps(params, level, levels, state[S_LO], state[S_HI])


@kernel("i8(i8, i8, i8)")
def short_of(side: int, opposite_px_u: int, sz_decimals: int) -> int:
    """The best legal price of a side that does not meet the opposite best (0 = none, then any price)."""
    if side == BID_SIDE:
        return max(floor_px(opposite_px_u - 1, sz_decimals), 0) if opposite_px_u > 0 else ANY_PX
    return ceil_px(opposite_px_u + 1, sz_decimals)


@kernel("i8(i8, f8, f8, i8, i8)", inline=True)
def level_px(side: int, fair: float, distance_bps: float, limit_px_u: int, sz_decimals: int) -> int:
    """The legal price at least that far from fair and no better than `limit_px_u`; 0 = no such price."""
    if side == BID_SIDE:
        return min(floor_px(max(math.floor(fair * (1.0 - distance_bps * BPS)), 0), sz_decimals), limit_px_u)
    return max(ceil_px(math.ceil(fair * (1.0 + distance_bps * BPS)), sz_decimals), limit_px_u)


@kernel("i8(i8[::1], i8)")
def opposite_best(book: list[int], side: int) -> int:
    """The market's best price on the other side, 0 = empty."""
    other = 1 - side
    return book[B_ROWS + other * B_SIDE] if book[B_COUNT + other] > 0 else 0


@kernel("i8(f8[::1], i8[::1], i8, i8)")
def kept_from(params: list[float], book: list[int], side: int, sz_decimals: int) -> int:
    """The best price a side may have: short of the opposite best by the ticks the profile keeps."""
    opposite = opposite_best(book, side)
    if opposite > 0 and params[P_TICKS] > 1.0:
        kept = (int(params[P_TICKS]) - 1) * tick_u(opposite, sz_decimals)
        opposite = max(opposite - kept, 1) if side == BID_SIDE else opposite + kept
    return short_of(side, opposite, sz_decimals)


@kernel("i8(f8[::1], i8[::1], i8, i8)")
def joined_px(params: list[float], book: list[int], side: int, sz_decimals: int) -> int:
    """The best price shown, where the profile may not be better than it; 0 = it may."""
    if params[P_STEP_INSIDE] > 0.0 or book[B_COUNT + side] == 0:
        return 0
    best = book[B_ROWS + side * B_SIDE]
    return floor_px(best, sz_decimals) if side == BID_SIDE else ceil_px(best, sz_decimals)


@kernel("i8(i8, f8, f8, i8, i8, i8)")
def placed_px(side: int, fair: float, distance_bps: float, limit_px_u: int, join_px_u: int, sz_decimals: int) -> int:
    """`level_px`, and no better than `join_px_u` where that is a price."""
    px = level_px(side, fair, distance_bps, limit_px_u, sz_decimals)
    if join_px_u > 0:
        return min(px, join_px_u) if side == BID_SIDE else max(px, join_px_u)
    return px


@kernel("void(f8[::1], f8[::1], i8, i8)")
def set_shape(state: list[float], params: list[float], side: int, levels: int) -> None:
    """S_BASE and S_SHARE of a side, made anew when something they are made of has changed."""
    if ladder_differs(state, params, side, levels) == 0:
        return
    for i in range(levels):
        state[S_BASE + side * QUOTES_MAX + i] = base_bps(state, params, i, levels)
        state[S_SHARE + side * QUOTES_MAX + i] = level_share(params, i, levels)


@kernel("void(f8[::1], i8[::1], f8[::1], i8, i8)")
def set_distances(state: list[float], ints: list[int], params: list[float], side: int, levels: int) -> None:
    """Distances from fair into S_WORK, before floor and grid: widened, tilted, the centre moved, limited.

    S_PLACE has them behind their floors.
    """
    scale = state[S_WIDENING] * state[S_FADE + side] * tilt(state, ints, params, side)
    shift = state[S_CENTRE] if side == BID_SIDE else -state[S_CENTRE]
    furthest = 1e9
    if params[P_SIGMA_MAX] > 0.0:
        furthest = params[P_SIGMA_MAX] * state[S_SIGMA] * math.sqrt(max(params[P_HORIZON], 0.0))
    set_shape(state, params, side, levels)
    for i in range(levels):
        state[S_WORK + i] = min(state[S_BASE + side * QUOTES_MAX + i] * scale + shift, furthest)
    limit_near(state, ints, params, side, levels)
    set_places(state, side, levels, tick_bps(state[S_FAIR], ints[I_SZ_DECIMALS]))


@kernel("void(f8[::1], i8, i8, i8[::1])")
def set_sizes(state: list[float], side: int, levels: int, out: list[int]) -> None:
    """USD of the levels (second half of the work space) into whole lots; what makes none joins its inner neighbour."""
    base = O_ROWS + side * O_SIDE
    for i in range(levels - 1, -1, -1):
        usd = state[REDUCES + i]
        state[REDUCES + i] = 0.0
        row = base + 2 * i
        out[row + 1] = int(usd * E6 / max(float(out[row]), state[S_FAIR]))
        if out[row + 1] > 0 or usd <= 0.0:
            continue
        if i > 0:
            state[REDUCES + i - 1] += usd
            out[O_MERGED] += 1
        elif levels > 1 and out[row + 3] > 0:
            out[row + 3] += int(usd * E6 / max(float(out[row + 2]), state[S_FAIR]))
            out[O_MERGED] += 1


@kernel("void(f8[::1], i8[::1], f8[::1], i8[::1], i8, i8, i8[::1])")
def set_levels(
    state: list[float], ints: list[int], params: list[float], book: list[int], side: int, levels: int, out: list[int]
) -> None:
    """Distances into S_WORK, prices behind the floor and sizes into `out`; the sizes fit the side's budget."""
    deep_weight = deep_share(ints[I_T], ints[I_DEEP_T])
    median = median_usd(book, side, VIEW, ints[I_FAST_LEVELS], deep_weight, state, S_WORK)
    scale = USD / median if median > 0.0 else 0.0
    set_distances(state, ints, params, side, levels)
    fair = state[S_FAIR]
    blend = state[S_BLEND]
    grid = ints[I_SZ_DECIMALS]
    limit = kept_from(params, book, side, grid)
    join = joined_px(params, book, side, grid)
    total = 0.0
    last = 0
    behind = 0
    for i in range(levels):
        place = state[S_PLACE + side * QUOTES_MAX + i]
        distance = place if place < NO_FLOOR else state[S_WORK + i]
        px = placed_px(side, fair, distance, limit, join, grid)
        at = S_LOCAL + side * QUOTES_MAX + i
        is_nearer = px > last if side == BID_SIDE else px < last
        behind = level_behind(book, side, px, 0 if is_nearer else behind)
        last = px
        local = state[at]
        local += blend * (local_ratio(book, side, behind, scale) - local)
        weight = 0.0
        if place < NO_FLOOR:
            weight = state[S_SHARE + side * QUOTES_MAX + i] * thickness(params, local)
        state[at] = local
        state[REDUCES + i] = weight
        total += weight
        out[O_ROWS + side * O_SIDE + 2 * i] = px
    part = state[S_WHOLE + side] / max(total, 1.0)
    room = state[S_BUDGET + side]
    for i in range(levels):
        usd = min(part * state[REDUCES + i], room)
        state[REDUCES + i] = usd
        room -= usd
    set_sizes(state, side, levels, out)


@kernel("void(f8[::1], i8[::1], i8, i8, i8[::1])")
def set_reducing(state: list[float], ints: list[int], side: int, levels: int, out: list[int]) -> None:
    """Mark the inner levels that only reduce the position; the level across its end is cut there.

    What is cut off joins the next level (same notional); with I_REDUCING it and all behind it are left away.
    """
    only = ints[I_REDUCING] == 1
    left = abs(ints[I_POSITION])
    for i in range(levels):
        row = O_ROWS + side * O_SIDE + 2 * i
        size = out[row + 1]
        if left == 0:
            out[row + 1] = 0 if only else size
        elif size <= left:
            state[REDUCES + i] = 1.0
            left -= size
        elif left * out[row] >= MIN_NOTIONAL_E6:
            state[REDUCES + i] = 1.0
            out[row + 1] = left
            if not only and i + 1 < levels and out[row + 2] > 0:
                out[row + 3] += (size - left) * out[row] // out[row + 2]
            left = 0
        else:
            if only:
                out[row + 1] = 0
                if i > 0:
                    out[row - 1] += left
            left = 0


@kernel("i8(f8[::1], i8[::1], f8[::1], i8[::1], i8, i8, i8[::1])")
def set_prices(
    state: list[float], ints: list[int], params: list[float], book: list[int], side: int, levels: int, out: list[int]
) -> int:
    """Final prices, and levels of one price (or within one tick) joined; returns how many levels are left.

    A level beyond the collar is left away and said so in O_WHY.
    """
    fair = state[S_FAIR]
    tick = tick_bps(fair, ints[I_SZ_DECIMALS])
    near = reduce_floor_bps(state, params, tick)
    if state[REDUCES] > 0.0:
        state[S_NEAR + side] = min(near, state[S_FLOOR + side])
    grid = ints[I_SZ_DECIMALS]
    limit = kept_from(params, book, side, grid)
    join = joined_px(params, book, side, grid)
    direction = -1 if side == BID_SIDE else 1
    border = collar_px(state[S_ORACLE], params[P_COLLAR], direction)
    kept = 0
    base = O_ROWS + side * O_SIDE
    for i in range(levels):
        size = out[base + 2 * i + 1]
        reduces = state[REDUCES + i]
        distance = state[S_PLACE + side * QUOTES_MAX + i]
        px = out[base + 2 * i]
        if reduces > 0.0:
            distance = max(state[S_WORK + i], near)
            px = placed_px(side, fair, distance, limit, join, grid)
        if size <= 0 or px <= 0:
            continue
        if state[S_ORACLE] > 0.0 and float(direction) * (float(px) - border) > 0.0:
            out[O_WHY + side] |= WHY_COLLAR
            continue
        last = base + 2 * (kept - 1)
        if kept > 0 and (
            px == out[last] or (reduces == state[REDUCES + kept - 1] and distance - state[S_WORK + kept - 1] < tick)
        ):
            out[last + 1] += size
            out[O_MERGED] += 1
            continue
        out[base + 2 * kept] = px
        out[base + 2 * kept + 1] = size
        state[S_WORK + kept] = distance
        state[REDUCES + kept] = reduces
        kept += 1
    return kept


@kernel("void(i8[::1], f8[::1], i8, i8, i8)")
def drop_row(out: list[int], state: list[float], side: int, row: int, levels: int) -> None:
    """Close the gap that row leaves among `levels` rows of a side."""
    base = O_ROWS + side * O_SIDE
    for i in range(row, levels - 1):
        out[base + 2 * i] = out[base + 2 * i + 2]
        out[base + 2 * i + 1] = out[base + 2 * i + 3]
        state[REDUCES + i] = state[REDUCES + i + 1]


@kernel("i8(f8[::1], i8, i8, i8[::1])")
def merge_small(state: list[float], side: int, levels: int, out: list[int]) -> int:
    """Join levels below the venue's minimum to their inner neighbour; returns how many are left.

    The innermost joins the next one outwards. What is too small and may not join a level that only reduces the
    position cannot rest at all.
    """
    base = O_ROWS + side * O_SIDE
    kept = levels
    for i in range(levels - 1, 0, -1):
        row = base + 2 * i
        if out[row] * out[row + 1] < MIN_NOTIONAL_E6:
            if state[REDUCES + i - 1] == 0.0 or state[REDUCES + i] > 0.0:
                out[row - 1] += out[row + 1]
            drop_row(out, state, side, i, kept)
            out[O_MERGED] += 1
            kept -= 1
    if kept > 0 and out[base] * out[base + 1] < MIN_NOTIONAL_E6:
        if kept > 1:
            out[base + 3] += out[base] * out[base + 1] // out[base + 2]
        drop_row(out, state, side, 0, kept)
        out[O_MERGED] += 1
        kept -= 1
    return kept


@kernel("void(f8[::1], i8[::1], f8[::1], i8[::1], i8, i8, i8[::1])")
def build_side(
    state: list[float], ints: list[int], params: list[float], book: list[int], side: int, levels: int, out: list[int]
) -> None:
    """The levels of one side into `out`."""
    kept = 0
    if levels > 0:
        set_levels(state, ints, params, book, side, levels, out)
        if is_reducing(ints, side) == 1 and (state[S_URGENCY] > 0.0 or ints[I_REDUCING] == 1):
            set_reducing(state, ints, side, levels, out)
        kept = set_prices(state, ints, params, book, side, levels, out)
        kept = merge_small(state, side, kept, out)
    if kept == 0 and out[O_WHY + side] == 0:
        out[O_WHY + side] = WHY_NO_BUDGET
    out[O_COUNT + side] = kept
    for i in range(2 * kept, O_SIDE):
        out[O_ROWS + side * O_SIDE + i] = 0
