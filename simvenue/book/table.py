"""The order table: every simulated order that rests in one market, and the order in which they are served.

Decides price-time priority among simulated orders and how many of the source's contracts stand before each, estimated
from what the source shows of a price and what traded there (`queue_model.py` says whose a withdrawal was). Three kinds
of vectors, all int64: the *table* (one row an order, `ORDERS` rows, a row is free when `O_SIDE` is 0), one *queue* a
side (a count, `MARKS` counts of the orders at prices that share a mark, then row numbers, best price first and oldest
first within a price), and the *holders* (one row an owner: his position here, and the largest position his margin
allows). Most changes of the market concern prices where nobody rests: a mark of 0 says so at once.

A place only ever gets better: prints use up the size ahead, a level that shrinks is judged by the queue model, and
one that grows does so behind us. Rows of one stamp are one change: `tell_level` notes the last size told of a price,
`restack` draws the conclusion once, at the end of the stamp.
"""

from __future__ import annotations

import math
from typing import Any

from common.kernel import istate, kernel
from simvenue.book.levels import B_SIDE, Ints, is_seen
from simvenue.book.queue_model import OPTIMISTIC, PROBABILISTIC, front_after

ORDERS = 2048
HOLDERS = 256

O_STRIDE = 11
O_SIDE = 0  # 1 bid, -1 ask, 0 free
O_PX = 1
O_LEFT = 2
O_AHEAD = 3  # the source's size before us at our price; UNKNOWN until our price comes into view
O_SEEN = 4  # the source's size at our price when it was last told
O_OWNER = 5
O_REDUCE = 6  # 1 = reduce-only
O_TRADED = 7  # what has traded at our price since then
O_PART = 8  # millionths of the first contract ahead that have left (probabilistic queue)
O_TOLD = 9  # 1 + the size told in this stamp, 0 = none
O_WHOLE = 10  # 1 = whatever trades with it fills it in full (a backtester without partial fills; never at the venue)

Q_N = 0
Q_MARKS = 1
MARKS = 512
Q_ROWS = Q_MARKS + MARKS
MIX = 2_654_435_761  # 2^32 over the golden ratio (Knuth's multiplicative hash): neighbouring prices get distant marks
MIXED = 32 - 9  # the highest nine of its low 32 bits number the marks

PARTS = 1_000_000
UNKNOWN = -1

H_STRIDE = 2
H_POS = 0  # signed, long > 0
H_ROOM = 1  # largest |position| that margin allows to be opened


def new_table() -> Any:
    return istate(O_STRIDE * ORDERS)


def new_queue() -> Any:
    return istate(Q_ROWS + ORDERS)


def new_holders() -> Any:
    return istate(H_STRIDE * HOLDERS)


@kernel("i8(i8)", inline=True)
def mark_of(px: int) -> int:
    """Where a queue counts the orders at px, and at a few other prices."""
    return Q_MARKS + ((px * MIX >> MIXED) & (MARKS - 1))


@kernel("i8(i8[::1], i8[::1], i8, i8)", inline=True)
def rank_from(queue: Ints, orders: Ints, side: int, px: int) -> int:
    """Rank of the first order not better than px (= the count when all are better)."""
    low = 0
    left = queue[Q_N]
    while left > 0:  # the same steps whatever the prices: nothing to guess for the processor
        half = (left + 1) // 2
        low += half * int(side * orders[O_STRIDE * queue[Q_ROWS - 1 + low + half] + O_PX] > side * px)
        left -= half
    return low


@kernel("i8(i8[::1], i8[::1], i8)", inline=True)
def enqueue(queue: Ints, orders: Ints, slot: int) -> int:
    """Put the order in table row `slot` behind all others at its price; returns its rank."""
    side = orders[O_STRIDE * slot + O_SIDE]
    # Prices are whole numbers: "behind everybody at px" is "before the first one worse than px".
    rank = rank_from(queue, orders, side, orders[O_STRIDE * slot + O_PX] - side)
    n = queue[Q_N]
    for k in range(Q_ROWS + n, Q_ROWS + rank, -1):
        queue[k] = queue[k - 1]
    queue[Q_ROWS + rank] = slot
    queue[Q_N] = n + 1
    queue[mark_of(orders[O_STRIDE * slot + O_PX])] += 1
    return rank


@kernel("i8(i8[::1], i8[::1], i8)", inline=True)
def dequeue(queue: Ints, orders: Ints, rank: int) -> int:
    """Take the order at `rank` out of the queue; returns its table row."""
    slot = queue[Q_ROWS + rank]
    n = queue[Q_N] - 1
    for k in range(Q_ROWS + rank, Q_ROWS + n):
        queue[k] = queue[k + 1]
    queue[Q_N] = n
    queue[mark_of(orders[O_STRIDE * slot + O_PX])] -= 1
    return slot


@kernel("i8(i8[::1], i8[::1], i8)", inline=True)
def rank_of(queue: Ints, orders: Ints, slot: int) -> int:
    """Rank of the order in table row `slot`, -1 when it does not rest."""
    side = orders[O_STRIDE * slot + O_SIDE]
    if side == 0:
        return -1
    px = orders[O_STRIDE * slot + O_PX]
    for k in range(rank_from(queue, orders, side, px), queue[Q_N]):
        if queue[Q_ROWS + k] == slot:
            return k
        if orders[O_STRIDE * queue[Q_ROWS + k] + O_PX] != px:
            return -1
    return -1


@kernel("i8(i8[::1], i8[::1], i8, i8, i8)", inline=True)
def tell_level(queue: Ints, orders: Ints, side: int, px: int, sz: int) -> int:
    """The source says it shows sz at px; the last word of a stamp counts.  Returns how many orders rest there."""
    found = 0
    if queue[mark_of(px)] == 0:
        return found
    for k in range(rank_from(queue, orders, side, px), queue[Q_N]):
        row = O_STRIDE * queue[Q_ROWS + k]
        if orders[row + O_PX] != px:
            break
        orders[row + O_TOLD] = 1 + sz
        found += 1
    return found


@kernel("i8(i8[::1], i8, i8, i8, f8)", inline=True)
def move_up(orders: Ints, row: int, sz: int, model: int, power: float) -> int:
    """One order whose price now shows sz: its place by the queue model.  Returns the size before it."""
    ahead = orders[row + O_AHEAD]
    gone = orders[row + O_SEEN] - orders[row + O_TRADED] - sz  # withdrawn: what prints do not explain
    if gone > 0 and model == OPTIMISTIC:
        ahead = max(0, ahead - gone)
    elif gone > 0 and model == PROBABILISTIC and ahead > 0:
        front = float(ahead) - float(orders[row + O_PART]) / PARTS
        front = front_after(front, float(orders[row + O_SEEN]), float(gone), power)
        ahead = math.ceil(front)
        orders[row + O_PART] = int((float(ahead) - front) * PARTS)
    if ahead >= sz:
        ahead = sz
        orders[row + O_PART] = 0
    orders[row + O_AHEAD] = ahead
    return ahead


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, i8, i8, f8)", inline=True)
def restack_at(
    queue: Ints, orders: Ints, book: Ints, rank: int, sz: int, visible: int, model: int, power: float
) -> int:
    """The orders at the price of the one at `rank`, the first there, move up: it shows sz.  Returns how many.

    At one price an order never passes an older one, whatever the model made of their places. A level that goes where
    nothing is seen was lost sight of, not emptied: it moves nobody.
    """
    px = orders[O_STRIDE * queue[Q_ROWS + rank] + O_PX]
    known = sz > 0 or is_seen(book, px, visible) == 1
    k = rank
    least = 0
    while k < queue[Q_N]:
        row = O_STRIDE * queue[Q_ROWS + k]
        if orders[row + O_PX] != px:
            break
        before = orders[row + O_AHEAD]
        orders[row + O_TOLD] = 0
        if known:
            if before != UNKNOWN and move_up(orders, row, sz, model, power) < min(least, before):
                orders[row + O_AHEAD] = min(least, before)
                orders[row + O_PART] = 0
            orders[row + O_SEEN] = sz
            orders[row + O_TRADED] = 0
        least = max(least, orders[row + O_AHEAD])
        k += 1
    return k - rank


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, f8, i8)", inline=True)
def restack(queue: Ints, orders: Ints, book: Ints, visible: int, model: int, power: float, told: int) -> int:
    """End of a stamp: every order whose price was told, `told` at most, moves up.  Returns how many there were."""
    found = 0
    k = 0
    while found < told and k < queue[Q_N]:
        size = orders[O_STRIDE * queue[Q_ROWS + k] + O_TOLD]
        moved = 1
        if size > 0:
            moved = restack_at(queue, orders, book, k, size - 1, visible, model, power)
            found += moved
        k += moved
    return found


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, i8, i8, f8)", inline=True)
def show_level(queue: Ints, orders: Ints, book: Ints, px: int, sz: int, visible: int, model: int, power: float) -> int:
    """A stamp that is but the one row "sz at px": who rests there moves up.  Returns how many."""
    if queue[mark_of(px)] == 0:
        return 0
    rank = rank_from(queue, orders, book[B_SIDE], px)
    if rank == queue[Q_N] or orders[O_STRIDE * queue[Q_ROWS + rank] + O_PX] != px:
        return 0
    return restack_at(queue, orders, book, rank, sz, visible, model, power)


@kernel("i8(i8[::1], i8[::1], i8, i8, i8, i8)", inline=True)
def advance_queue(queue: Ints, orders: Ints, side: int, px: int, used: int, traded: int) -> int:
    """`used` of the source's contracts at px are gone: everybody there moves up.  Returns how many orders rest at px.

    `traded` is what the source itself saw trade there, our share included: no withdrawal when its level shrinks by it.
    """
    found = 0
    if queue[mark_of(px)] == 0:
        return found
    for k in range(rank_from(queue, orders, side, px), queue[Q_N]):
        row = O_STRIDE * queue[Q_ROWS + k]
        if orders[row + O_PX] != px:
            break
        found += 1
        orders[row + O_TRADED] += traded
        if used > 0 and orders[row + O_AHEAD] != UNKNOWN:
            orders[row + O_AHEAD] = max(0, orders[row + O_AHEAD] - used)
            if orders[row + O_AHEAD] == 0:
                orders[row + O_PART] = 0
    return found
