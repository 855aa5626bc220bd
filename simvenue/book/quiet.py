"""Rows of a ruled book that change nothing but themselves: most of a market, and played without a look at the rest.

A level that is changed where or behind where the best one stays, a print that meets no order: no cross can come of
them and no fill, so that of `matching.play_stamp` only the level, the places of those who rest there and of those whose
price comes into view are left to do. Nothing is decided otherwise here: what is not quiet is left undone and told.
"""

from __future__ import annotations

from common.kernel import kernel
from simvenue.book.levels import (
    B_AWAITED,
    B_N,
    HEAD,
    L_STAMP,
    L_SZ,
    L_USED,
    LOOKS,
    STRIDE,
    Ints,
    ruled_at,
    set_ruled,
)
from simvenue.book.matching import LEVEL, PRINT, look_up
from simvenue.book.table import O_PX, O_STRIDE, Q_N, Q_ROWS, mark_of, show_level

LOUD, QUIET, PRINTED_ALONE = 0, 1, 2
"""Not played; played; a print that met nobody."""


@kernel("i8(i8[::1], i8, i8, i8)", inline=True)
def set_quietly(book: Ints, px: int, sz: int, stamp: int) -> int:
    """`set_level` of a ruled book in order where its best price stays what it is; returns 1, or 0 and does nothing."""
    i = ruled_at(book, px)
    if i < 0 or i >= book[B_N]:
        return 0
    row = HEAD + STRIDE * i
    if sz > 0 and book[row + L_SZ] > 0 and book[row + L_USED] == 0:
        book[row + L_SZ] = sz
        book[row + L_STAMP] = stamp
        return 1
    best = HEAD + STRIDE * (book[B_N] - 1)
    if row == best or book[best + L_SZ] <= book[best + L_USED]:
        return 0
    set_ruled(book, px, sz, stamp)
    return 1


@kernel("i8(i8[::1], i8[::1], i8, i8)", inline=True)
def stands_beyond(queue: Ints, orders: Ints, side: int, px: int) -> int:
    """1 when no order of a side is better than px."""
    return 1 if queue[Q_N] == 0 or side * orders[O_STRIDE * queue[Q_ROWS] + O_PX] <= side * px else 0


@kernel(
    "i8(i8, i8, i8, i8, i8, i8, f8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])",
    inline=True,
)
def play_quiet(
    what: int, px: int, sz: int, stamp: int, visible: int, model: int, power: float, bids: Ints, asks: Ints,
    orders: Ints, bid_queue: Ints, ask_queue: Ints,
) -> int:  # fmt: skip
    """A stamp of one row, if it is quiet: ruled books, settled before it, no order that crosses."""
    if bids[B_AWAITED] == LOOKS or asks[B_AWAITED] == LOOKS:
        return LOUD
    kind = abs(what)
    if kind == LEVEL:
        book = bids if what > 0 else asks
        if set_quietly(book, px, sz, stamp) == 0:
            return LOUD
        queue = bid_queue if what > 0 else ask_queue
        if queue[mark_of(px)] > 0:
            show_level(queue, orders, book, px, sz, visible, model, power)
        look_up(queue, orders, book, visible, model)
        return QUIET
    if kind != PRINT or stands_beyond(bid_queue, orders, 1, px) == 0 or stands_beyond(ask_queue, orders, -1, px) == 0:
        return LOUD
    hit = ask_queue if what > 0 else bid_queue
    return PRINTED_ALONE if hit[mark_of(px)] == 0 else LOUD
