"""Who trades with whom: one stamp of market data against the resting orders (takers: `taking.py`).

The rules of a resting order (as the edge study's simulator has them):
(a) a print through its price, whatever the print's sign, fills it up to the print's size, shared over all orders the
    print passed, best first;
(b) an aggressor's print at its price uses up the size ahead, then fills;
(c) when the source's opposite best reaches its price, it is filled at its own price in full.
A print never moves the book, and a book that shows our price fills nobody.

All rows of a stamp are one atomic change, whatever their order: its prints meet the orders as they stood before it;
then the levels change, of each price the last row counts; then crosses, (c) and places in the queue are judged by the
book as it is after the last row. Played row by row instead (each row a stamp of its own), the same kernels behave as
row-by-row backtesters do.

Results go to `out`: a count, then rows of (kind, table row, px_u, sz_u, aggressor side). Reduce-only orders never
fill beyond the position, and an order that would open more than its owner's margin allows is withdrawn. Queues and
books are those of `table.py` and `levels.py`, all vectors together those of `state.py`.
"""

from __future__ import annotations

from typing import Any

from common.kernel import istate, kernel
from simvenue.book.levels import (
    B_AWAITED,
    B_EDGE,
    B_SIDE,
    HEAD,
    L_SZ,
    L_USED,
    LOOKS,
    NO_EDGE,
    NONE_WAITS,
    NOTHING_SEEN,
    STRIDE,
    WAITS,
    Ints,
    best_px,
    clear_levels,
    edge_of,
    is_seen,
    lies_within,
    recorded_at,
    row_of,
    set_level,
    shown_at,
    uncross,
)
from simvenue.book.queue_model import unseen_ahead
from simvenue.book.table import (
    H_POS,
    H_ROOM,
    H_STRIDE,
    O_AHEAD,
    O_LEFT,
    O_OWNER,
    O_PART,
    O_PX,
    O_REDUCE,
    O_SEEN,
    O_SIDE,
    O_STRIDE,
    O_TOLD,
    O_TRADED,
    O_WHOLE,
    ORDERS,
    PARTS,
    Q_N,
    Q_ROWS,
    UNKNOWN,
    advance_queue,
    dequeue,
    enqueue,
    mark_of,
    rank_from,
    rank_of,
    restack,
    show_level,
    tell_level,
)

BUY = 1
SELL = -1

ROWS_MAX = 4096
"""Market rows one call may be given, so that `out` always has room."""

GAP, LEVEL, PRINT, CLEAR = 0, 1, 2, 3
"""What a row is, times the side: 1 bids / buyer, -1 asks / seller (`source.py`)."""

E_STRIDE = 5
E_KIND = 0
E_SLOT = 1
E_PX = 2
E_SZ = 3
E_SIDE = 4  # the aggressor's

FILLED = 1  # a resting order traded
PRINTED = 2  # a print (or what is left of it) between others
REDUCED_OUT = 3  # a reduce-only order had nothing left to reduce
MARGIN_OUT = 4  # its owner could no longer carry the fill
SELF_OUT = 5  # would have traded with its own owner
TAKEN = 6  # a taker traded with the source


def new_out() -> Any:
    """Room for one call: every print and level row at most once, every order filled and withdrawn once."""
    return istate(1 + E_STRIDE * (2 * ROWS_MAX + 4 * ORDERS))


@kernel("i8(i8[::1], i8, i8, i8, i8, i8)", inline=True)
def put(out: Ints, kind: int, slot: int, px: int, sz: int, side: int) -> int:
    """Append one result row; returns the count."""
    n = out[0]
    row = 1 + E_STRIDE * n
    out[row + E_KIND] = kind
    out[row + E_SLOT] = slot
    out[row + E_PX] = px
    out[row + E_SZ] = sz
    out[row + E_SIDE] = side
    out[0] = n + 1
    return n + 1


@kernel("i8(i8[::1], i8[::1], i8, i8, i8[::1])", inline=True)
def withdraw(queue: Ints, orders: Ints, rank: int, kind: int, out: Ints) -> int:
    """The order at `rank` leaves without trading; returns its table row."""
    slot = dequeue(queue, orders, rank)
    row = O_STRIDE * slot
    put(out, kind, slot, orders[row + O_PX], orders[row + O_LEFT], 0)
    orders[row + O_SIDE] = 0
    return slot


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, i8[::1])", inline=True)
def fill_resting(queue: Ints, orders: Ints, holders: Ints, rank: int, want: int, out: Ints) -> int:
    """Fill the order at `rank` with up to `want` at its own price; returns what it took.  It leaves when done."""
    slot = queue[Q_ROWS + rank]
    row = O_STRIDE * slot
    side = orders[row + O_SIDE]
    holder = H_STRIDE * orders[row + O_OWNER]
    held = side * holders[holder + H_POS]  # > 0: the fill adds to the position
    sz = min(want, orders[row + O_LEFT])
    if orders[row + O_REDUCE] == 1:
        sz = min(sz, -held)
        if sz <= 0:
            withdraw(queue, orders, rank, REDUCED_OUT, out)
            return 0
    elif held + sz > holders[holder + H_ROOM] and held + sz > -held:
        withdraw(queue, orders, rank, MARGIN_OUT, out)
        return 0
    orders[row + O_LEFT] -= sz
    holders[holder + H_POS] += side * sz
    put(out, FILLED, slot, orders[row + O_PX], sz, -side)
    if orders[row + O_LEFT] == 0:
        dequeue(queue, orders, rank)
        orders[row + O_SIDE] = 0
    return sz


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, i8, i8[::1])", inline=True)
def fill_through(queue: Ints, orders: Ints, holders: Ints, side: int, px: int, sz: int, out: Ints) -> int:
    """Rule (a) for one side: orders better than the print's px share its size, best first.  Returns what they took."""
    rest = sz
    while rest > 0 and queue[Q_N] > 0:
        if side * orders[O_STRIDE * queue[Q_ROWS] + O_PX] <= side * px:
            break
        rest -= fill_resting(queue, orders, holders, 0, rest, out)
    return sz - rest


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, i8, i8[::1])", inline=True)
def fill_at(queue: Ints, orders: Ints, holders: Ints, side: int, px: int, sz: int, out: Ints) -> int:
    """Rule (b): sz trades at px against this side; size ahead goes first.  Returns what our orders took."""
    rest = sz
    ahead_used = 0
    if queue[mark_of(px)] == 0:
        return 0
    rank = rank_from(queue, orders, side, px)
    while rest > 0 and rank < queue[Q_N]:
        row = O_STRIDE * queue[Q_ROWS + rank]
        if orders[row + O_PX] != px or orders[row + O_AHEAD] == UNKNOWN:
            break
        ahead = min(rest, max(0, orders[row + O_AHEAD] - ahead_used))
        ahead_used += ahead
        rest -= ahead
        if rest > 0:
            rest -= fill_resting(queue, orders, holders, rank, rest, out)
    return sz - ahead_used - rest


@kernel("i8(i8[::1], i8[::1])", inline=True)
def is_whole(queue: Ints, orders: Ints) -> int:
    """1 when a side's orders are whole ones: all of a market are, or none; 0 when there are none."""
    return orders[O_STRIDE * queue[Q_ROWS] + O_WHOLE] if queue[Q_N] > 0 else 0


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, i8, i8[::1])", inline=True)
def print_whole(queue: Ints, orders: Ints, holders: Ints, side: int, px: int, sz: int, out: Ints) -> int:
    """A print against a side of whole orders: it fills all it passed, and at its price those it gets to.

    It gets to an order when what it leaves ahead of it, rounded to whole contracts, is less than nothing. Returns sz:
    such an order takes nothing from the print. Orders of the other side never meet it, wherever it went. (The rules of
    a backtester without partial fills.)
    """
    standing = -1
    while queue[Q_N] != standing and queue[Q_N] > 0 and side * orders[O_STRIDE * queue[Q_ROWS] + O_PX] > side * px:
        standing = queue[Q_N]
        fill_resting(queue, orders, holders, 0, orders[O_STRIDE * queue[Q_ROWS] + O_LEFT], out)
    rank = rank_from(queue, orders, side, px) if queue[mark_of(px)] > 0 else queue[Q_N]
    while rank < queue[Q_N] and orders[O_STRIDE * queue[Q_ROWS + rank] + O_PX] == px:
        row = O_STRIDE * queue[Q_ROWS + rank]
        orders[row + O_TRADED] += sz
        over = (sz - orders[row + O_AHEAD]) * PARTS + orders[row + O_PART]
        if 2 * over >= PARTS:
            standing = queue[Q_N]
            fill_resting(queue, orders, holders, rank, orders[row + O_LEFT], out)
            if queue[Q_N] < standing:
                continue
        orders[row + O_AHEAD] = max(0, orders[row + O_AHEAD] - sz)
        if orders[row + O_AHEAD] == 0:
            orders[row + O_PART] = 0
        rank += 1
    put(out, PRINTED, -1, px, sz, -side)
    return sz


@kernel("i8(i8, i8, i8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])", inline=True)
def play_print(
    aggressor: int, px: int, sz: int, orders: Ints, bid_queue: Ints, ask_queue: Ints, holders: Ints, out: Ints
) -> int:
    """One print of the source: rules (a) and (b); what our orders left of it is printed.  Returns that.

    Whole orders have rules of their own, an empty side with whole orders opposite included.
    """
    hit = bid_queue if aggressor == SELL else ask_queue
    if is_whole(bid_queue, orders) == 1 or is_whole(ask_queue, orders) == 1:
        return print_whole(hit, orders, holders, -aggressor, px, sz, out)
    rest = sz - fill_through(bid_queue, orders, holders, BUY, px, sz, out)
    rest -= fill_through(ask_queue, orders, holders, SELL, px, rest, out)
    taken = 0
    if rest > 0:
        taken = fill_at(hit, orders, holders, -aggressor, px, rest, out)
    advance_queue(hit, orders, -aggressor, px, rest - taken, sz)
    rest -= taken
    if rest > 0:
        put(out, PRINTED, -1, px, rest, aggressor)
    return rest


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])", inline=True)
def play_prints(
    what: Ints,
    px: Ints,
    sz: Ints,
    begin: int,
    end: int,
    orders: Ints,
    bid_queue: Ints,
    ask_queue: Ints,
    holders: Ints,
    out: Ints,
) -> int:
    """The prints among rows `begin .. end` (at most ROWS_MAX), in order.  Returns the result count."""
    for i in range(begin, end):
        if abs(what[i]) == PRINT:
            aggressor = BUY if what[i] > 0 else SELL
            if bid_queue[Q_N] > 0 or ask_queue[Q_N] > 0:
                play_print(aggressor, px[i], sz[i], orders, bid_queue, ask_queue, holders, out)
            else:
                put(out, PRINTED, -1, px[i], sz[i], aggressor)
    return out[0]


@kernel(
    "i8(i8[::1], i8[::1], i8[::1], i8, i8, i8, i8, i8, f8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])", inline=True
)
def play_levels(
    what: Ints,
    px: Ints,
    sz: Ints,
    begin: int,
    end: int,
    stamp: int,
    visible: int,
    model: int,
    power: float,
    bids: Ints,
    asks: Ints,
    orders: Ints,
    bid_queue: Ints,
    ask_queue: Ints,
) -> int:
    """The level changes among rows `begin .. end`, then our places in the queues.  Returns how many orders it told.

    A cleared book is its recorder's doing: it moves nobody up; what the refill then shows does.
    """
    bids_told = 0
    asks_told = 0
    for i in range(begin, end):
        kind = what[i]
        if kind == LEVEL:
            set_level(bids, px[i], sz[i], stamp)
            if bid_queue[Q_N] > 0:
                bids_told += tell_level(bid_queue, orders, BUY, px[i], sz[i])
        elif kind == -LEVEL:
            set_level(asks, px[i], sz[i], stamp)
            if ask_queue[Q_N] > 0:
                asks_told += tell_level(ask_queue, orders, SELL, px[i], sz[i])
        elif kind == CLEAR:
            clear_levels(bids, px[i])
        elif kind == -CLEAR:
            clear_levels(asks, px[i])
    if bids_told > 0:
        restack(bid_queue, orders, bids, visible, model, power, bids_told)
    if asks_told > 0:
        restack(ask_queue, orders, asks, visible, model, power, asks_told)
    return bids_told + asks_told


@kernel("i8(i8[::1], i8[::1])", inline=True)
def lose_place(queue: Ints, orders: Ints) -> int:
    """After a gap in what was seen nobody knows who stands before our orders; returns how many there are."""
    for k in range(queue[Q_N]):
        row = O_STRIDE * queue[Q_ROWS + k]
        orders[row + O_AHEAD] = UNKNOWN
        orders[row + O_PART] = 0
    return queue[Q_N]


@kernel("i8(i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])", inline=True)
def play_gap(bids: Ints, asks: Ints, orders: Ints, bid_queue: Ints, ask_queue: Ints) -> int:
    """The source saw nothing for a while: its levels and our places are forgotten.  Returns how many orders rest."""
    clear_levels(bids, 0)
    clear_levels(asks, 0)
    bids[B_AWAITED] = LOOKS
    asks[B_AWAITED] = LOOKS
    return lose_place(bid_queue, orders) + lose_place(ask_queue, orders)


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, i8[::1])", inline=True)
def fill_crossed(queue: Ints, orders: Ints, holders: Ints, side: int, opposite_px: int, out: Ints) -> int:
    """Rule (c) for one side; returns how many orders it concerned."""
    found = 0
    while opposite_px > 0 and queue[Q_N] > 0:
        row = O_STRIDE * queue[Q_ROWS]
        if side * orders[row + O_PX] < side * opposite_px:
            break
        before = queue[Q_N]
        fill_resting(queue, orders, holders, 0, orders[row + O_LEFT], out)
        if queue[Q_N] == before:  # a reduce-only order that had more than its position
            withdraw(queue, orders, 0, REDUCED_OUT, out)
        found += 1
    return found


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8)", inline=True)
def look_up(queue: Ints, orders: Ints, book: Ints, visible: int, model: int) -> int:
    """Orders whose price has come into view learn their place there; returns how many looked in vain."""
    if book[B_AWAITED] != LOOKS:
        return 0
    waiting = 0
    edge = NOTHING_SEEN
    for k in range(queue[Q_N]):
        row = O_STRIDE * queue[Q_ROWS + k]
        if orders[row + O_AHEAD] == UNKNOWN:
            px = orders[row + O_PX]
            if waiting == 0:
                edge = edge_of(book, visible)
            if lies_within(book[B_SIDE], px, edge) == 1:
                orders[row + O_AHEAD] = unseen_ahead(model, shown_at(book, px))
                orders[row + O_SEEN] = recorded_at(book, px)
                orders[row + O_TRADED] = 0
            else:
                waiting += 1
    if waiting == 0:
        book[B_AWAITED] = NONE_WAITS
        book[B_EDGE] = NO_EDGE
    elif edge != NOTHING_SEEN:
        book[B_AWAITED] = WAITS
    return waiting


@kernel("i8(i8, i8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])", inline=True)
def settle(
    visible: int,
    model: int,
    bids: Ints,
    asks: Ints,
    orders: Ints,
    bid_queue: Ints,
    ask_queue: Ints,
    holders: Ints,
    out: Ints,
) -> int:
    """End of a stamp: the recording's crosses, rule (c), prices come into view.  Returns the result count."""
    uncross(bids, asks)
    if bid_queue[Q_N] > 0:
        fill_crossed(bid_queue, orders, holders, BUY, best_px(asks), out)
    if ask_queue[Q_N] > 0:
        fill_crossed(ask_queue, orders, holders, SELL, best_px(bids), out)
    look_up(bid_queue, orders, bids, visible, model)
    look_up(ask_queue, orders, asks, visible, model)
    return out[0]


@kernel("i8(i8, i8, i8, i8, i8, i8, f8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])", inline=True)
def play_row(
    what: int, px: int, sz: int, stamp: int, visible: int, model: int, power: float, bids: Ints, asks: Ints,
    orders: Ints, bid_queue: Ints, ask_queue: Ints, holders: Ints, out: Ints,
) -> int:  # fmt: skip
    """A stamp of one row, which is no gap: `play_prints` and `play_levels` in one.  Returns the result count."""
    kind = abs(what)
    side = BUY if what > 0 else SELL
    if kind == PRINT:
        if bid_queue[Q_N] > 0 or ask_queue[Q_N] > 0:
            play_print(side, px, sz, orders, bid_queue, ask_queue, holders, out)
        else:
            put(out, PRINTED, -1, px, sz, side)
        return out[0]
    book = bids if what > 0 else asks
    queue = bid_queue if what > 0 else ask_queue
    if kind == LEVEL:
        set_level(book, px, sz, stamp)
        if queue[mark_of(px)] > 0:
            show_level(queue, orders, book, px, sz, visible, model, power)
    elif kind == CLEAR:
        clear_levels(book, px)
    return out[0]


@kernel(
    "i8(i8[::1], i8[::1], i8[::1], i8, i8, i8, i8, i8, f8, "
    "i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])",
    inline=True,
)
def play_stamp(
    what: Ints,
    px: Ints,
    sz: Ints,
    begin: int,
    end: int,
    stamp: int,
    visible: int,
    model: int,
    power: float,
    bids: Ints,
    asks: Ints,
    orders: Ints,
    bid_queue: Ints,
    ask_queue: Ints,
    holders: Ints,
    out: Ints,
) -> int:
    """Rows `begin .. end` (at most ROWS_MAX) as one atomic change, numbered `stamp`.  Returns the result count."""
    out[0] = 0
    if end - begin == 1 and what[begin] != GAP:
        play_row(
            what[begin], px[begin], sz[begin], stamp, visible, model, power, bids, asks, orders, bid_queue, ask_queue,
            holders, out,
        )  # fmt: skip
        return settle(visible, model, bids, asks, orders, bid_queue, ask_queue, holders, out)
    if begin < end and what[begin] == GAP:
        play_gap(bids, asks, orders, bid_queue, ask_queue)
    play_prints(what, px, sz, begin, end, orders, bid_queue, ask_queue, holders, out)
    play_levels(what, px, sz, begin, end, stamp, visible, model, power, bids, asks, orders, bid_queue, ask_queue)
    return settle(visible, model, bids, asks, orders, bid_queue, ask_queue, holders, out)


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, i8, i8, i8, i8, i8)", inline=True)
def rest_order(
    queue: Ints, orders: Ints, book: Ints, slot: int, side: int, px: int, sz: int, owner: int, reduce: int, visible: int
) -> int:
    """Let an order rest in the free table row `slot`, behind all that is shown at its price.  Returns its rank."""
    row = O_STRIDE * slot
    orders[row + O_SIDE] = side
    orders[row + O_PX] = px
    orders[row + O_LEFT] = sz
    orders[row + O_OWNER] = owner
    orders[row + O_REDUCE] = reduce
    level = row_of(book, px)
    recorded = book[HEAD + STRIDE * level + L_SZ] if level >= 0 else 0
    shown = recorded - book[HEAD + STRIDE * level + L_USED] if level >= 0 else 0
    known = shown > 0 or is_seen(book, px, visible) == 1
    orders[row + O_AHEAD] = shown if known else UNKNOWN
    if not known:
        book[B_AWAITED] = LOOKS
    orders[row + O_SEEN] = recorded
    orders[row + O_TRADED] = 0
    orders[row + O_PART] = 0
    orders[row + O_TOLD] = 0
    orders[row + O_WHOLE] = 0
    return enqueue(queue, orders, slot)


@kernel("i8(i8[::1], i8[::1], i8)", inline=True)
def cancel_order(queue: Ints, orders: Ints, slot: int) -> int:
    """Take a resting order out; returns what was left of it, -1 when it does not rest."""
    rank = rank_of(queue, orders, slot)
    if rank < 0:
        return -1
    dequeue(queue, orders, rank)
    orders[O_STRIDE * slot + O_SIDE] = 0
    return orders[O_STRIDE * slot + O_LEFT]
