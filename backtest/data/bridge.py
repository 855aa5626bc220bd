"""A bar as events: a path that opens, turns and closes where the bar says, traded on by the market's calibrated flow.

Which way the price goes and which order comes when is `way.py`'s. Orders come as in `simvenue/synthetic` (clusters,
sizes, sweeps) at the bar's activity; a book of the same makers is quoted round the price, and follows it as there.
Prices px_u, moves bps, times ns. What a bar may hold is `bars.py`'s.
"""

from __future__ import annotations

from backtest.data.way import (
    C_END,
    C_EVERY_NS,
    C_LEG,
    C_LEGS,
    C_LOOK_NS,
    NEVER,
    W_DRAW,
    W_HIGH,
    W_LOW,
    W_MOVE,
    W_REACH,
    W_TARGET,
    choose,
    drift,
    lay_way,
    range_variance,
    share_variance,
)
from common.clock import NS
from common.kernel import kernel
from simvenue.book.levels import Ints
from simvenue.synthetic.aggressors import size_usd, stop_at, sweep, take_touch
from simvenue.synthetic.arrivals import BUY, MS_NS, QUOTES, excite, schedule
from simvenue.synthetic.layout import (
    B_ASK,
    B_BID,
    B_DUE_NS,
    B_DUE_SIDE,
    B_NOW_NS,
    B_SIZES,
    B_SPREAD,
    B_TICK,
    BOOKS,
    BPS,
    R_COUNT,
    R_PX,
    R_SZ,
    R_WHAT,
    ROWS_MAX,
    S_FAIR,
    S_PENDING,
    T_AT_ONCE,
    Floats,
)
from simvenue.synthetic.makers import contracts, requote, touch

N_ROWS = 0
N_STAMPS = 1
N_ORDERS = 2
N_LEN = 3


@kernel("f8(f8[::1], f8[::1], i8[::1], i8[::1], i8[::1], f8[::1], i8[::1])")
def order(state: Floats, terms: Floats, book: Ints, chance: Ints, rows: Ints, way: Floats, clock: Ints) -> float:
    """One order against the book and what the price learns from it; returns its signed move, bps."""
    side = choose(state, terms, book, chance, way, clock)
    sz = contracts(size_usd(terms, way[W_DRAW]), float(touch(book, -side) * book[B_TICK]), 1)
    stop = stop_at(book, side, way[W_REACH]) if way[W_REACH] >= 0.0 else touch(book, -side)
    if stop == touch(book, -side):
        take_touch(terms, book, chance, rows, side, sz)
    else:
        sweep(terms, book, chance, rows, side, sz, stop)
    room = (way[W_HIGH] if side == BUY else way[W_LOW]) / state[S_FAIR] - 1.0
    moved = float(side) * min(way[W_MOVE], abs(room) / BPS)
    state[S_FAIR] = min(max(state[S_FAIR] * (1.0 + moved * BPS), way[W_LOW]), way[W_HIGH])
    state[S_PENDING] += (1.0 - terms[T_AT_ONCE]) * moved
    excite(state, terms, side)
    return moved


# ---------------------------------------------------------------------- a bar
@kernel("i8(i8[::1], i8)")
def reopen(book: Ints, now_ns: int) -> int:
    """Nothing is quoted any more; the next look at the quotes shows a whole book.  Returns `now_ns`."""
    for k in range(B_SIZES, BOOKS):
        book[k] = 0
    book[B_TICK] = 0
    book[B_SPREAD] = 0
    book[B_NOW_NS] = now_ns
    book[B_DUE_NS] = now_ns
    book[B_DUE_SIDE] = QUOTES
    return now_ns


@kernel("i8(f8[::1], i8[::1], i8[::1], i8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], f8[::1], i8[::1])")
def write(
    state: Floats, book: Ints, rows: Ints, now_ns: int, what: Ints, px: Ints, sz: Ints, stamps: Ints, begin: Ints,
    fair: Floats, counts: Ints,
) -> int:  # fmt: skip
    """Append the stamp's rows to the columns; one in which nothing changed is left out.  Returns its row count."""
    n = rows[R_COUNT]
    if n == 0:
        return 0
    at = counts[N_ROWS]
    for k in range(n):
        what[at + k] = rows[R_WHAT + k]
        px[at + k] = rows[R_PX + k]
        sz[at + k] = rows[R_SZ + k]
    stamp = counts[N_STAMPS]
    stamps[stamp] = now_ns
    fair[stamp] = state[S_FAIR]
    begin[stamp + 1] = at + n
    counts[N_ROWS] = at + n
    counts[N_STAMPS] = stamp + 1
    rows[R_COUNT] = 0
    return n


@kernel("i8(f8[::1], f8[::1], i8[::1], i8[::1], i8[::1], f8, i8)")
def stand_at(state: Floats, terms: Floats, book: Ints, chance: Ints, rows: Ints, px: float, now_ns: int) -> int:
    """The price is exactly here now, and the quotes are round it.  Returns the row count."""
    state[S_FAIR] = px
    state[S_PENDING] = 0.0
    book[B_NOW_NS] = now_ns
    return requote(state, terms, book, chance, rows)


@kernel("i8(f8[::1], f8[::1], i8[::1], i8[::1], i8[::1], f8[::1], i8[::1], i8, i8, f8, f8, f8, f8, f8)")
def enter(
    state: Floats, terms: Floats, book: Ints, chance: Ints, rows: Ints, way: Floats, clock: Ints,
    begin_ns: int, end_ns: int, px_open: float, high: float, low: float, close: float, of_orders: float,
) -> int:  # fmt: skip
    """The bar opens: its way is laid and its first orders are due; `of_orders` is their variance, bps^2 a second.

    Returns how many legs there are; the rows of the opening wait to be written.
    """
    span_s = float(end_ns - begin_ns) / float(NS)
    variance = range_variance(high, low)
    legs = lay_way(chance, way, clock, begin_ns, end_ns, px_open, high, low, close, variance)
    share_variance(way, variance, of_orders * span_s, span_s)
    stand_at(state, terms, book, chance, rows, px_open, begin_ns)
    schedule(state, terms, book, chance)
    clock[C_LOOK_NS] = begin_ns + clock[C_EVERY_NS] if clock[C_EVERY_NS] > 0 else NEVER
    return legs


@kernel("i8(f8[::1], f8[::1], i8[::1], i8[::1], i8[::1], f8[::1], i8[::1])")
def happen(state: Floats, terms: Floats, book: Ints, chance: Ints, rows: Ints, way: Floats, clock: Ints) -> int:
    """What is due before the leg ends happens and the next becomes due; returns 1 for an order, else 0."""
    due_ns, side = book[B_DUE_NS], book[B_DUE_SIDE]
    is_look = clock[C_LOOK_NS] <= due_ns
    now_ns = clock[C_LOOK_NS] if is_look else due_ns
    drift(state, terms, chance, way, clock, book[B_NOW_NS], now_ns)
    book[B_NOW_NS] = now_ns
    if is_look:
        clock[C_LOOK_NS] = now_ns + clock[C_EVERY_NS]
        requote(state, terms, book, chance, rows)
        if due_ns == now_ns:
            book[B_DUE_NS] = due_ns + MS_NS
        return 0
    if side != QUOTES and book[B_ASK] - book[B_BID] > book[B_SPREAD]:  # takers wait for makers to come back
        requote(state, terms, book, chance, rows)
        book[B_DUE_NS] = due_ns + MS_NS
        return 0
    if side == QUOTES:
        requote(state, terms, book, chance, rows)
    else:
        order(state, terms, book, chance, rows, way, clock)
    schedule(state, terms, book, chance)
    return 1 if side != QUOTES else 0


@kernel(
    "i8(f8[::1], f8[::1], i8[::1], i8[::1], i8[::1], f8[::1], i8[::1], "
    "i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], f8[::1], i8[::1])"
)
def walk(
    state: Floats, terms: Floats, book: Ints, chance: Ints, rows: Ints, way: Floats, clock: Ints,
    what: Ints, px: Ints, sz: Ints, stamps: Ints, begin: Ints, fair: Floats, counts: Ints,
) -> int:  # fmt: skip
    """Walk the bar's legs to their end; 1 = done, 0 = the columns are full: make room and call again."""
    while True:
        if counts[N_ROWS] + ROWS_MAX > len(what) or counts[N_STAMPS] + 2 > len(begin):
            return 0
        write(state, book, rows, book[B_NOW_NS], what, px, sz, stamps, begin, fair, counts)
        if clock[C_LEG] == clock[C_LEGS]:
            return 1
        end_ns = clock[C_END + clock[C_LEG]]
        if min(book[B_DUE_NS], clock[C_LOOK_NS]) < end_ns:
            counts[N_ORDERS] += happen(state, terms, book, chance, rows, way, clock)
        else:
            drift(state, terms, chance, way, clock, book[B_NOW_NS], end_ns)
            stand_at(state, terms, book, chance, rows, way[W_TARGET + clock[C_LEG]], end_ns)
            clock[C_LEG] += 1
            if book[B_DUE_NS] == end_ns:
                book[B_DUE_NS] += MS_NS
