"""A taker against the book, and the book as the venue publishes it: kernels over both kinds of size at a price.

At each price the source's contracts and the simulated orders stand in one line: a simulated order has `O_AHEAD` of the
source's before it. What a taker uses up of the source is remembered in the level (`L_USED`) until the source changes
it. A taker who meets his own order withdraws it and goes on (hyperliquid.md 7, "expire maker").
"""

from __future__ import annotations

from typing import Any

from common.kernel import istate, kernel
from simvenue.book.levels import B_N, B_SIDE, HEAD, L_PX, L_SZ, L_USED, STRIDE, Ints, best_level
from simvenue.book.matching import SELF_OUT, TAKEN, fill_resting, put, withdraw
from simvenue.book.table import (
    H_POS,
    H_STRIDE,
    O_AHEAD,
    O_LEFT,
    O_OWNER,
    O_PX,
    O_STRIDE,
    Q_N,
    Q_ROWS,
    UNKNOWN,
    advance_queue,
    rank_from,
)

D_STRIDE = 3
D_PX = 0
D_SZ = 1
D_COUNT = 2  # orders at the price; the source's count as one
DEPTH_MAX = 64


def new_depth() -> Any:
    return istate(D_STRIDE * DEPTH_MAX)


@kernel("i8(i8[::1], i8, i8, i8, i8[::1])")
def take_source(book: Ints, level: int, sz: int, slot: int, out: Ints) -> int:
    """Use up to sz of the level's contracts (level -1: there is none); returns how many were taken."""
    if level < 0:
        return 0
    row = HEAD + STRIDE * level
    taken = min(sz, book[row + L_SZ] - book[row + L_USED])
    if taken > 0:
        book[row + L_USED] += taken
        put(out, TAKEN, slot, book[row + L_PX], taken, -book[B_SIDE])
    return taken


@kernel("i8(i8, i8, i8, i8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])")
def take_at(
    px: int, sz: int, owner: int, level: int, book: Ints, queue: Ints, orders: Ints, holders: Ints, out: Ints
) -> int:
    """Take up to sz at px from the line there; returns how much was taken."""
    side = book[B_SIDE]
    rest = sz
    used = 0
    rank = rank_from(queue, orders, side, px)
    while rest > 0 and rank < queue[Q_N]:
        row = O_STRIDE * queue[Q_ROWS + rank]
        if orders[row + O_PX] != px:
            break
        ahead = rest if orders[row + O_AHEAD] == UNKNOWN else max(0, orders[row + O_AHEAD] - used)
        taken = take_source(book, level, min(rest, ahead), -1, out)
        used += taken
        rest -= taken
        if rest > 0 and orders[row + O_OWNER] == owner:
            withdraw(queue, orders, rank, SELF_OUT, out)
        elif rest > 0:
            rest -= fill_resting(queue, orders, holders, rank, rest, out)
    if rest > 0:
        taken = take_source(book, level, rest, -1, out)
        used += taken
        rest -= taken
    advance_queue(queue, orders, side, px, used, 0)
    return sz - rest


@kernel("i8(i8, i8, i8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])")
def take(limit_px: int, sz: int, owner: int, book: Ints, queue: Ints, orders: Ints, holders: Ints, out: Ints) -> int:
    """An aggressor takes up to sz from this side of the book, no worse than limit_px; returns how much he got."""
    side = book[B_SIDE]
    rest = sz
    while rest > 0:
        level = best_level(book)
        px = 0
        if level >= 0:
            px = book[HEAD + STRIDE * level + L_PX]
        if queue[Q_N] > 0:
            own_px = orders[O_STRIDE * queue[Q_ROWS] + O_PX]
            if level < 0 or side * own_px > side * px:
                px = own_px
                level = -1
        if px == 0 or side * px < side * limit_px:
            break
        rest -= take_at(px, rest, owner, level, book, queue, orders, holders, out)
    holders[H_STRIDE * owner + H_POS] -= side * (sz - rest)
    return sz - rest


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8[::1])")
def depth(book: Ints, queue: Ints, orders: Ints, levels: int, out: Ints) -> int:
    """The best `levels` prices as published, simulated orders included: rows (px, size, orders).  Returns how many."""
    side = book[B_SIDE]
    i = book[B_N] - 1
    k = 0
    n = 0
    while n < levels:
        while i >= 0 and book[HEAD + STRIDE * i + L_SZ] <= book[HEAD + STRIDE * i + L_USED]:
            i -= 1
        px = 0
        sz = 0
        count = 0
        if i >= 0:
            px = book[HEAD + STRIDE * i + L_PX]
        if k < queue[Q_N]:
            own_px = orders[O_STRIDE * queue[Q_ROWS + k] + O_PX]
            if i < 0 or side * own_px > side * px:
                px = own_px
        if px == 0:
            break
        if i >= 0 and book[HEAD + STRIDE * i + L_PX] == px:
            sz += book[HEAD + STRIDE * i + L_SZ] - book[HEAD + STRIDE * i + L_USED]
            count += 1
            i -= 1
        while k < queue[Q_N] and orders[O_STRIDE * queue[Q_ROWS + k] + O_PX] == px:
            sz += orders[O_STRIDE * queue[Q_ROWS + k] + O_LEFT]
            count += 1
            k += 1
        out[D_STRIDE * n + D_PX] = px
        out[D_STRIDE * n + D_SZ] = sz
        out[D_STRIDE * n + D_COUNT] = count
        n += 1
    return n


@kernel("f8(i8[::1], i8[::1], i8[::1], i8)")
def impact_px(book: Ints, queue: Ints, orders: Ints, notional_e6: int) -> float:
    """Average price (px_u) of trading `notional_e6` against this side, 0.0 when it holds less than that."""
    side = book[B_SIDE]
    i = book[B_N] - 1
    k = 0
    left = float(notional_e6)
    bought = 0.0
    while left > 0.0:
        while i >= 0 and book[HEAD + STRIDE * i + L_SZ] <= book[HEAD + STRIDE * i + L_USED]:
            i -= 1
        px = 0
        sz = 0
        if i >= 0:
            px = book[HEAD + STRIDE * i + L_PX]
            sz = book[HEAD + STRIDE * i + L_SZ] - book[HEAD + STRIDE * i + L_USED]
        own = False
        if k < queue[Q_N]:
            own_px = orders[O_STRIDE * queue[Q_ROWS + k] + O_PX]
            if i < 0 or side * own_px > side * px:
                px = own_px
                sz = orders[O_STRIDE * queue[Q_ROWS + k] + O_LEFT]
                own = True
        if px == 0:
            return 0.0
        part = min(left, float(px) * float(sz))
        left -= part
        bought += part / float(px)
        if own:
            k += 1
        else:
            i -= 1
    return float(notional_e6) / bought if bought > 0.0 else 0.0
