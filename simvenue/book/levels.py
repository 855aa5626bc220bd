"""One side of a market's own book: its price levels, kept sorted in one flat vector.

Decides what the source shows at each price and how much of it simulated takers have already used up. Leaves
simulated orders to `table.py` and fills to `matching.py`. A book is `HEAD + STRIDE x LEVELS` int64: a head (count,
side, levels to keep, what it counts), then one row a level, worst first, so that changes near the touch move little.
Prices are px_u, sizes sz_u. A full book forgets its worst level: what a recorder has long lost sight of is not to be
believed.

A *ruled* book (`new_ruled`) has a row for every tick between two prices, absent levels with size 0, so that a price is
found without a search: for tapes whose prices are known beforehand. It answers every question alike; there `B_N` is
the number of rows up to the best level. A price that is not on its lines has no level.

Rule for a locked or crossed recording (*the older level yields*): while best bid >= best ask, the level whose row is
older goes; when both came with the same stamp, both go. `B_YIELDED` counts them, for each side.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from common.errors import OurFault
from common.kernel import istate, kernel

Ints: TypeAlias = list[int]
"""A flat int64 vector: a list when kernels are plain, an array when they are compiled."""

LEVELS = 512
"""Room for levels a side; a book may be told to keep fewer (`B_KEEP`)."""

HEAD = 16
B_N = 0
B_SIDE = 1
B_KEEP = 2
B_YIELDED = 3  # levels of this side that gave way in a locked or crossed recording, so far
B_BLIND = 4  # 1 = nothing of this side was seen yet, or since it was cleared: that it is empty says nothing
B_RULES = 5  # ruled: rows, 0 = a row for each level only
B_TICK = 6  # ruled: price between rows
B_ORIGIN = 7  # ruled: side x price of row 0
B_RECIPROCAL = 8  # ruled: 2^SHIFT / tick, rounded up
B_WORST = 9  # ruled: no level lies before this row
B_COUNT = 10  # ruled: levels that exist
B_AWAITED = 11  # whether simulated orders rest where nothing is seen yet: NONE_WAITS, LOOKS, WAITS
B_HIDES = 12  # ruled: 1 = a crossed level is passed over until it is told again, not taken out
B_SPAN = 13  # ruled: rows x tick
B_EDGE = 14  # ruled, while orders wait: row of the level that was the last in view, NO_EDGE = not known
B_LOST = 15  # levels from there to the best that went since, less those that came
SHIFT = 40

NONE_WAITS, LOOKS, WAITS = 0, 1, 2
"""LOOKS: one of them may have come into view; WAITS: not before a level in view goes."""

NO_EDGE = -1

ALL_SEEN, NOTHING_SEEN = 0, -1
"""Instead of a price: how far a book is seen."""

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
    book[B_EDGE] = NO_EDGE
    return book


def new_ruled(side: int, keep: int, low_px: int, high_px: int, tick_px: int) -> Any:
    """An empty ruled side for prices low .. high, each a whole number of ticks above low.

    Raises OurFault when there are too many rows to number them in int64 (`can_rule`).
    """
    rows = (high_px - low_px) // tick_px + 1
    if not can_rule(low_px, high_px, tick_px):
        raise OurFault(f"{rows} rows of {tick_px} px_u")
    book = istate(HEAD + STRIDE * rows)
    book[B_SIDE], book[B_KEEP], book[B_BLIND] = side, keep, 1
    book[B_RULES], book[B_TICK], book[B_SPAN] = rows, tick_px, rows * tick_px
    book[B_EDGE] = NO_EDGE
    book[B_RECIPROCAL] = -(-(1 << SHIFT) // tick_px)
    book[B_ORIGIN], book[B_WORST] = low_px if side == 1 else -(low_px + (rows - 1) * tick_px), rows
    lines = range(low_px, low_px + rows * tick_px, tick_px)
    book[HEAD + L_PX :: STRIDE] = list(lines if side == 1 else reversed(lines))
    return book


def can_rule(low_px: int, high_px: int, tick_px: int) -> bool:
    """Whether row numbers of such prices come out exact."""
    rows = (high_px - low_px) // tick_px + 1
    return tick_px > 0 and 0 < rows * tick_px * tick_px < 1 << SHIFT and rows < 1 << (62 - SHIFT)


@kernel("i8(i8[::1], i8)", inline=True)
def ruled_from(book: Ints, px: int) -> int:
    """Ruled: the first row not worse than px, the number of rows when all are worse."""
    beyond = book[B_SIDE] * px - book[B_ORIGIN]
    if beyond <= 0:
        return 0
    if beyond > book[B_RULES] * book[B_TICK]:
        return book[B_RULES]
    i = (beyond * book[B_RECIPROCAL]) >> SHIFT
    return i if i * book[B_TICK] >= beyond else i + 1


@kernel("i8(i8[::1], i8)", inline=True)
def ruled_at(book: Ints, px: int) -> int:
    """Ruled: the row of px, -1 when it lies on no line."""
    beyond = book[B_SIDE] * px - book[B_ORIGIN]
    if beyond < 0 or beyond >= book[B_SPAN]:
        return -1
    i = (beyond * book[B_RECIPROCAL]) >> SHIFT
    return i if book[HEAD + STRIDE * i + L_PX] == px else -1


@kernel("void(i8[::1], i8)", inline=True)
def lose_sight(book: Ints, i: int) -> None:
    """The level in row i goes: when it was in view, one behind the view comes into it."""
    if book[B_AWAITED] != NONE_WAITS and i >= book[B_EDGE]:
        book[B_LOST] += 1
        if book[B_LOST] > 0 or book[B_EDGE] == NO_EDGE:
            book[B_AWAITED] = LOOKS


@kernel("i8(i8[::1])", inline=True)
def step_down(book: Ints) -> int:
    """Ruled: the best level is the next one behind; returns the rows up to it."""
    row = HEAD + STRIDE * (book[B_N] - 2)
    while row >= HEAD and book[row + L_SZ] == 0:
        row -= STRIDE
    book[B_N] = (row - HEAD) // STRIDE + 1
    return book[B_N]


@kernel("i8(i8[::1], i8)", inline=True)
def drop_ruled(book: Ints, i: int) -> int:
    """Ruled: the level of row i goes; returns the rows up to the best that is left."""
    row = HEAD + STRIDE * i
    book[row + L_SZ] = 0
    book[row + L_USED] = 0
    book[B_COUNT] -= 1
    lose_sight(book, i)
    if book[B_COUNT] == 0:
        book[B_N] = 0
        book[B_WORST] = book[B_RULES]
    elif i == book[B_N] - 1:
        step_down(book)
    return book[B_N]


@kernel("i8(i8[::1], i8, i8, i8)", inline=True)
def set_ruled(book: Ints, px: int, sz: int, stamp: int) -> int:
    """`set_level` of a ruled book."""
    i = ruled_at(book, px)
    row = HEAD + STRIDE * i
    if i < 0:
        return book[B_N]
    if sz <= 0:
        return drop_ruled(book, i) if book[row + L_SZ] > 0 else book[B_N]
    book[B_BLIND] = 0
    if book[row + L_SZ] == 0:
        if book[B_COUNT] >= book[B_KEEP]:
            worst = book[B_WORST]
            while book[HEAD + STRIDE * worst + L_SZ] == 0:
                worst += 1
            book[B_WORST] = worst
            if i < worst:
                return book[B_N]
            drop_ruled(book, worst)
        book[B_COUNT] += 1
        book[B_WORST] = min(book[B_WORST], i)
        if i >= book[B_EDGE]:
            book[B_LOST] -= 1
    book[B_N] = max(book[B_N], i + 1)
    book[row + L_SZ] = sz
    book[row + L_USED] = 0
    book[row + L_STAMP] = stamp
    return book[B_N]


@kernel("i8(i8[::1], i8)", inline=True)
def level_from(book: Ints, px: int) -> int:
    """Index of the first level not worse than px (= the count when all are worse)."""
    if book[B_RULES] > 0:
        return min(ruled_from(book, px), book[B_N])
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


@kernel("i8(i8[::1], i8)", inline=True)
def row_of(book: Ints, px: int) -> int:
    """Index of the row at px, -1 when it has none."""
    if book[B_RULES] > 0:
        return ruled_at(book, px)
    i = level_from(book, px)
    return i if i < book[B_N] and book[HEAD + STRIDE * i + L_PX] == px else -1


@kernel("i8(i8[::1], i8)", inline=True)
def shown_at(book: Ints, px: int) -> int:
    """Size left at px, 0 when there is no such level."""
    i = row_of(book, px)
    return book[HEAD + STRIDE * i + L_SZ] - book[HEAD + STRIDE * i + L_USED] if i >= 0 else 0


@kernel("i8(i8[::1], i8)", inline=True)
def recorded_at(book: Ints, px: int) -> int:
    """Size the source shows at px, whatever takers used up; 0 when there is no such level."""
    i = row_of(book, px)
    return book[HEAD + STRIDE * i + L_SZ] if i >= 0 else 0


@kernel("i8(i8[::1], i8)", inline=True)
def drop_level(book: Ints, i: int) -> int:
    """Take level i out; returns the levels left."""
    if book[B_RULES] > 0:
        return drop_ruled(book, i)
    lose_sight(book, i)
    n = book[B_N] - 1
    for k in range(HEAD + STRIDE * i, HEAD + STRIDE * n):
        book[k] = book[k + STRIDE]
    book[B_N] = n
    return n


@kernel("i8(i8[::1], i8)", inline=True)
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


@kernel("i8(i8[::1], i8, i8, i8)", inline=True)
def set_level(book: Ints, px: int, sz: int, stamp: int) -> int:
    """The source now shows sz at px (0 = gone): what takers had used there is forgotten.  Returns the level count."""
    if book[B_RULES] > 0:
        return set_ruled(book, px, sz, stamp)
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


@kernel("i8(i8[::1], i8)", inline=True)
def clear_levels(book: Ints, px: int) -> int:
    """The source forgets its levels from the best one to px (0 = all of them); returns the levels left."""
    first = level_from(book, px) if px > 0 else 0
    book[B_AWAITED] = min(book[B_AWAITED], LOOKS)
    book[B_EDGE] = NO_EDGE
    if book[B_RULES] > 0:
        while book[B_N] > first:
            drop_ruled(book, book[B_N] - 1)
    else:
        book[B_N] = first
    if book[B_N] == 0:
        book[B_BLIND] = 1
    return book[B_N]


@kernel("i8(i8[::1])", inline=True)
def best_level(book: Ints) -> int:
    """Index of the best level with size left, -1 when there is none."""
    for i in range(book[B_N] - 1, -1, -1):
        row = HEAD + STRIDE * i
        if book[row + L_SZ] > book[row + L_USED]:
            return i
    return -1


@kernel("i8(i8[::1])", inline=True)
def best_px(book: Ints) -> int:
    """Price of the best level with size left, 0 when there is none."""
    i = best_level(book)
    return book[HEAD + STRIDE * i + L_PX] if i >= 0 else 0


@kernel("i8(i8[::1], i8)", inline=True)
def seen_to(book: Ints, visible: int) -> int:
    """Price of the last of the `visible` best levels; ALL_SEEN when there are fewer, NOTHING_SEEN in a blind book."""
    if book[B_BLIND] == 1:
        return NOTHING_SEEN
    n = book[B_COUNT] if book[B_RULES] > 0 else book[B_N]
    if visible < 1 or n < visible:
        return ALL_SEEN
    i = book[B_N] - visible
    if book[B_RULES] > 0:
        i = book[B_N]
        left = visible
        while left > 0 and i > 0:
            i -= 1
            if book[HEAD + STRIDE * i + L_SZ] > 0:
                left -= 1
        if left > 0:  # the others are hidden
            return ALL_SEEN
    return book[HEAD + STRIDE * i + L_PX]


@kernel("i8(i8[::1], i8)", inline=True)
def edge_of(book: Ints, visible: int) -> int:
    """`seen_to`, counted on from where the view ended when orders began to wait."""
    if book[B_BLIND] == 1 or book[B_EDGE] == NO_EDGE or book[B_COUNT] < visible:
        edge = seen_to(book, visible)
        book[B_EDGE] = NO_EDGE
        if edge > 0 and book[B_RULES] > 0 and book[B_HIDES] == 0:
            book[B_EDGE] = ruled_at(book, edge)
        book[B_LOST] = 0
        return edge
    i = book[B_EDGE]
    step = -1 if book[B_LOST] > 0 else 1
    left = abs(book[B_LOST])
    while left > 0:
        i += step
        if book[HEAD + STRIDE * i + L_SZ] > 0:
            left -= 1
    book[B_EDGE] = i
    book[B_LOST] = 0
    return book[HEAD + STRIDE * i + L_PX]


@kernel("i8(i8, i8, i8)", inline=True)
def lies_within(side: int, px: int, edge: int) -> int:
    """1 when px is seen in a book of that side that is seen to `edge`."""
    if edge == NOTHING_SEEN:
        return 0
    return 1 if edge == ALL_SEEN or side * px >= side * edge else 0


@kernel("i8(i8[::1], i8, i8)", inline=True)
def is_seen(book: Ints, px: int, visible: int) -> int:
    """1 when px lies within the `visible` best levels (or the book has fewer): only there an absent level is empty."""
    return lies_within(book[B_SIDE], px, seen_to(book, visible))


@kernel("i8(i8[::1], i8)", inline=True)
def yield_level(book: Ints, i: int) -> int:
    """The best level, in row i, gives way; returns the rows or levels left."""
    if book[B_HIDES] == 0:
        return drop_level(book, i)
    book[B_AWAITED] = min(book[B_AWAITED], LOOKS)
    return step_down(book)


@kernel("i8(i8[::1], i8[::1])", inline=True)
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
            yield_level(bids, b)
            bids[B_YIELDED] += 1
            gone += 1
        if ask_stamp <= bid_stamp:
            yield_level(asks, a)
            asks[B_YIELDED] += 1
            gone += 1
    return gone
