"""Walk once through an event stream and note what its statistics need: touches, aggressor orders, depth by distance.

The same pass serves recordings and made-up markets. After every stamp the book is what `book/levels.py` makes of the
rows (older levels yield where it is locked); all prints of one stamp and side are one aggressor order, seen against the
book *before* the stamp. A state lasts from one stamp with a level in it to the next; depth is weighted by that.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from common.kernel import istate, kernel, state
from simvenue.book.levels import B_N, HEAD, L_PX, L_SZ, STRIDE, Ints, new_book, set_level, uncross
from simvenue.source import GAP
from simvenue.synthetic.layout import BPS, LOT_USD, Floats

EDGES_BPS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0)
"""Outer edges of the bands of distance from the mid."""

TOUCH_STRIDE = 4  # bid, its size, ask, its size; zeros where a side is empty or no level changed
ORDER_STRIDE = 6
A_STAMP = 0
A_SIDE = 1
A_USD = 2
A_SZ = 3
A_WORST = 4
A_PRINTS = 5


class Survey(NamedTuple):
    touches: Any  # int64, TOUCH_STRIDE a stamp
    orders: Any  # float64, ORDER_STRIDE an order
    order_count: int
    depth: Any  # float64: USD x seconds of a side in each band, both sides' mean; then the seconds


@kernel("i8(f8[::1], i8, i8, i8, i8, i8)")
def note_print(orders: Floats, count: int, stamp: int, side: int, px: int, sz: int) -> int:
    """Add a print to its order, the last or the last but one; returns the orders noted."""
    row = -1
    for k in range(max(0, count - 2), count):
        at = ORDER_STRIDE * k
        if orders[at + A_STAMP] == float(stamp) and orders[at + A_SIDE] == float(side):
            row = at
    if row < 0:
        row = ORDER_STRIDE * count
        count += 1
        orders[row + A_STAMP] = float(stamp)
        orders[row + A_SIDE] = float(side)
        orders[row + A_WORST] = float(px)
    orders[row + A_USD] += float(px) * float(sz) * LOT_USD
    orders[row + A_SZ] += float(sz)
    orders[row + A_PRINTS] += 1.0
    if float(side) * float(px) > float(side) * orders[row + A_WORST]:
        orders[row + A_WORST] = float(px)
    return count


@kernel("i8(i8[::1], f8, i8, f8[::1], f8[::1], f8)")
def note_depth(book: Ints, mid: float, visible: int, edges: Floats, depth: Floats, weight_s: float) -> int:
    """Add half of what one side showed while a state lasted; returns the levels looked at."""
    n = book[B_N]
    band = 0
    seen = 0
    while seen < min(n, visible):
        row = HEAD + STRIDE * (n - 1 - seen)
        px = float(book[row + L_PX])
        distance_bps = abs(px - mid) / mid / BPS
        while band < len(edges) and distance_bps > edges[band]:
            band += 1
        if band == len(edges):
            break
        depth[band] += 0.5 * px * float(book[row + L_SZ]) * LOT_USD * weight_s
        seen += 1
    return seen


@kernel("i8(i8[::1], i8[::1], i8[::1], i8)")
def note_touch(bids: Ints, asks: Ints, touches: Ints, stamp: int) -> int:
    """The best levels after a stamp; returns 1 when both sides have one."""
    if bids[B_N] == 0 or asks[B_N] == 0:
        return 0
    bid = HEAD + STRIDE * (bids[B_N] - 1)
    ask = HEAD + STRIDE * (asks[B_N] - 1)
    at = TOUCH_STRIDE * stamp
    touches[at] = bids[bid + L_PX]
    touches[at + 1] = bids[bid + L_SZ]
    touches[at + 2] = asks[ask + L_PX]
    touches[at + 3] = asks[ask + L_SZ]
    return 1


@kernel("i8(i8[::1], i8[::1], i8[::1], i8[::1], f8[::1], i8, i8[::1], i8[::1], i8[::1], f8[::1], f8[::1], f8[::1])")
def walk(
    what: Ints,
    px: Ints,
    sz: Ints,
    begins: Ints,
    lasts_s: Floats,
    visible: int,
    bids: Ints,
    asks: Ints,
    touches: Ints,
    orders: Floats,
    edges: Floats,
    depth: Floats,
) -> int:
    """Stamps in order, stamp k being rows begins[k] .. begins[k + 1]; returns the number of aggressor orders.

    `lasts_s` is how long the state after each stamp lasted, below 0 where no level changes.
    """
    count = 0
    for stamp in range(len(lasts_s)):
        for i in range(begins[stamp], begins[stamp + 1]):
            kind = what[i]
            if kind == GAP:
                bids[B_N] = 0
                asks[B_N] = 0
            elif abs(kind) == 1:
                set_level(bids if kind == 1 else asks, px[i], sz[i], stamp)
            else:
                count = note_print(orders, count, stamp, kind // 2, px[i], sz[i])
        uncross(bids, asks)
        if lasts_s[stamp] >= 0.0 and note_touch(bids, asks, touches, stamp) == 1:
            mid = 0.5 * float(touches[TOUCH_STRIDE * stamp] + touches[TOUCH_STRIDE * stamp + 2])
            note_depth(bids, mid, visible, edges, depth, lasts_s[stamp])
            note_depth(asks, mid, visible, edges, depth, lasts_s[stamp])
            depth[len(edges)] += lasts_s[stamp]
    return count


def survey(what: Any, px_u: Any, sz_u: Any, begins: Any, lasts_s: Any, visible: int) -> Survey:
    """One pass over int64 columns; `lasts_s` (float64) as in `walk`."""
    touches = istate(TOUCH_STRIDE * len(lasts_s))
    orders = state(ORDER_STRIDE * (2 * len(lasts_s) + 1))
    edges = state(len(EDGES_BPS))
    edges[:] = list(EDGES_BPS)
    depth = state(len(EDGES_BPS) + 1)
    bids, asks = new_book(1), new_book(-1)
    count = walk(what, px_u, sz_u, begins, lasts_s, visible, bids, asks, touches, orders, edges, depth)
    return Survey(touches, orders, int(count), depth)
