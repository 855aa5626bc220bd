"""One side of a market's own book: its price levels, kept sorted in one flat vector.

Decides what the source shows at each price and how much of it simulated takers have already used up. Leaves
simulated orders to `table.py` and fills to `matching.py`. A book is `HEAD + STRIDE x LEVELS` int64: a head (count,
side, levels to keep, what it counts), then one row a level, worst first, so that changes near the touch move little.
Prices are px_u, sizes sz_u. A full book forgets its worst level: what a recorder has long lost sight of is not to be
believed.

Rule for a locked or crossed recording (*the older level yields*): while best bid >= best ask, the level whose row is
older goes; when both came with the same stamp, both go. `B_YIELDED` counts them, for each side.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from common.kernel import istate, kernel

Ints: TypeAlias = list[int]
"""A flat int64 vector: a list when kernels are plain, an array when they are compiled."""

LEVELS = 512
"""Room for levels a side; a book may be told to keep fewer (`B_KEEP`)."""

HEAD = 5
B_N = 0
B_SIDE = 1
B_KEEP = 2
B_YIELDED = 3  # levels of this side that gave way in a locked or crossed recording, so far
B_BLIND = 4  # 1 = nothing of this side was seen yet, or since it was cleared: that it is empty says nothing

STRIDE = 4
L_PX = 0
L_SZ = 1  # as the source shows it
L_USED = 2  # taken by simulated takers since the source last changed the level
L_STAMP = 3  # number of the stamp that last changed it


def new_book(side: int, keep: int = LEVELS) -> Any:
    """An empty side (1 bids, -1 asks) that keeps at most `keep` levels."""
    book = istate(HEAD + STRIDE * LEVELS)
    book[B_SIDE] = side
    book[B_KEEP] = min(keep, LEVELS)
    book[B_BLIND] = 1
    return book


@kernel("i8(i8[::1], i8)")
def level_from(book: Ints, px: int) -> int:
    """Index of the first level not worse than px (= the count when all are worse)."""
    side = book[B_SIDE]
    low = 0
    high = book[B_N]
    while low < high:
        middle = (low + high) // 2
        if side * book[HEAD + STRIDE * middle + L_PX] < side * px:
            low = middle + 1
        else:
            high = middle
    return low


@kernel("i8(i8[::1], i8)")
def shown_at(book: Ints, px: int) -> int:
    """Size left at px, 0 when there is no such level."""
    i = level_from(book, px)
    row = HEAD + STRIDE * i
    if i < book[B_N] and book[row + L_PX] == px:
        return book[row + L_SZ] - book[row + L_USED]
    return 0


@kernel("i8(i8[::1], i8)")
def recorded_at(book: Ints, px: int) -> int:
    """Size the source shows at px, whatever takers used up; 0 when there is no such level."""
    i = level_from(book, px)
    row = HEAD + STRIDE * i
    return book[row + L_SZ] if i < book[B_N] and book[row + L_PX] == px else 0


@kernel("i8(i8[::1], i8)")
def drop_level(book: Ints, i: int) -> int:
    """Take level i out; returns the levels left."""
    n = book[B_N] - 1
    for k in range(HEAD + STRIDE * i, HEAD + STRIDE * n):
        book[k] = book[k + STRIDE]
    book[B_N] = n
    return n


@kernel("i8(i8[::1], i8)")
def open_level(book: Ints, i: int) -> int:
    """Make room for a new level before index i and return its index, -1 when a full book has only better ones."""
    n = book[B_N]
    if n == book[B_KEEP]:
        if i == 0:
            return -1
        for k in range(HEAD, HEAD + STRIDE * (i - 1)):
            book[k] = book[k + STRIDE]
        return i - 1
    for k in range(HEAD + STRIDE * n - 1, HEAD + STRIDE * i - 1, -1):
        book[k + STRIDE] = book[k]
    book[B_N] = n + 1
    return i


@kernel("i8(i8[::1], i8, i8, i8)")
def set_level(book: Ints, px: int, sz: int, stamp: int) -> int:
    """The source now shows sz at px (0 = gone): what takers had used there is forgotten.  Returns the level count."""
    i = level_from(book, px)
    known = i < book[B_N] and book[HEAD + STRIDE * i + L_PX] == px
    if sz <= 0:
        return drop_level(book, i) if known else book[B_N]
    book[B_BLIND] = 0
    if not known:
        i = open_level(book, i)
    if i >= 0:
        row = HEAD + STRIDE * i
        book[row + L_PX] = px
        book[row + L_SZ] = sz
        book[row + L_USED] = 0
        book[row + L_STAMP] = stamp
    return book[B_N]


@kernel("i8(i8[::1], i8)")
def clear_levels(book: Ints, px: int) -> int:
    """The source forgets its levels from the best one to px (0 = all of them); returns the levels left."""
    book[B_N] = level_from(book, px) if px > 0 else 0
    if book[B_N] == 0:
        book[B_BLIND] = 1
    return book[B_N]


@kernel("i8(i8[::1])")
def best_level(book: Ints) -> int:
    """Index of the best level with size left, -1 when there is none."""
    for i in range(book[B_N] - 1, -1, -1):
        row = HEAD + STRIDE * i
        if book[row + L_SZ] > book[row + L_USED]:
            return i
    return -1


@kernel("i8(i8[::1])")
def best_px(book: Ints) -> int:
    """Price of the best level with size left, 0 when there is none."""
    i = best_level(book)
    return book[HEAD + STRIDE * i + L_PX] if i >= 0 else 0


@kernel("i8(i8[::1], i8, i8)")
def is_seen(book: Ints, px: int, visible: int) -> int:
    """1 when px lies within the `visible` best levels (or the book has fewer): only there an absent level is empty."""
    n = book[B_N]
    if book[B_BLIND] == 1:
        return 0
    if visible < 1 or n < visible:
        return 1
    side = book[B_SIDE]
    return 1 if side * px >= side * book[HEAD + STRIDE * (n - visible) + L_PX] else 0


@kernel("i8(i8[::1], i8[::1])")
def uncross(bids: Ints, asks: Ints) -> int:
    """Apply *the older level yields*; returns how many levels went."""
    gone = 0
    while bids[B_N] > 0 and asks[B_N] > 0:
        b = bids[B_N] - 1
        a = asks[B_N] - 1
        bid = HEAD + STRIDE * b
        ask = HEAD + STRIDE * a
        if bids[bid + L_PX] < asks[ask + L_PX]:
            break
        bid_stamp = bids[bid + L_STAMP]
        ask_stamp = asks[ask + L_STAMP]
        if bid_stamp <= ask_stamp:
            drop_level(bids, b)
            bids[B_YIELDED] += 1
            gone += 1
        if ask_stamp <= bid_stamp:
            drop_level(asks, a)
            asks[B_YIELDED] += 1
            gone += 1
    return gone
