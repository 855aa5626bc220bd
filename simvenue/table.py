"""The order table: every simulated order that rests in one market, and the order in which they are served.

Decides price-time priority among simulated orders and how many of the source's contracts stand before each. Three
kinds of vectors, all int64: the *table* (one row an order, `ORDERS` rows, a row is free when `O_SIDE` is 0), one
*queue* a side (a count, then row numbers, best price first and oldest first within a price), and the *holders* (one
row an owner: his position here, and the largest position his margin allows).
"""

from __future__ import annotations

from typing import Any

from common.kernel import istate, kernel
from simvenue.levels import Ints

ORDERS = 2048
HOLDERS = 256

O_STRIDE = 8
O_SIDE = 0  # 1 bid, -1 ask, 0 free
O_PX = 1
O_LEFT = 2
O_AHEAD = 3  # the source's size before us at our price; UNKNOWN until our price comes into view
O_SEEN = 4  # the source's size at our price when last looked at (probabilistic queue)
O_OWNER = 5
O_REDUCE = 6  # 1 = reduce-only

UNKNOWN = -1

H_STRIDE = 2
H_POS = 0  # signed, long > 0
H_ROOM = 1  # largest |position| that margin allows to be opened


def new_table() -> Any:
    return istate(O_STRIDE * ORDERS)


def new_queue() -> Any:
    return istate(1 + ORDERS)


def new_holders() -> Any:
    return istate(H_STRIDE * HOLDERS)


@kernel("i8(i8[::1], i8[::1], i8, i8)")
def rank_from(queue: Ints, orders: Ints, side: int, px: int) -> int:
    """Rank of the first order not better than px (= the count when all are better)."""
    low = 0
    high = queue[0]
    while low < high:
        middle = (low + high) // 2
        if side * orders[O_STRIDE * queue[1 + middle] + O_PX] > side * px:
            low = middle + 1
        else:
            high = middle
    return low


@kernel("i8(i8[::1], i8[::1], i8)")
def enqueue(queue: Ints, orders: Ints, slot: int) -> int:
    """Put the order in table row `slot` behind all others at its price; returns its rank."""
    side = orders[O_STRIDE * slot + O_SIDE]
    # Prices are whole numbers: "behind everybody at px" is "before the first one worse than px".
    rank = rank_from(queue, orders, side, orders[O_STRIDE * slot + O_PX] - side)
    n = queue[0]
    for k in range(n, rank, -1):
        queue[1 + k] = queue[k]
    queue[1 + rank] = slot
    queue[0] = n + 1
    return rank


@kernel("i8(i8[::1], i8)")
def dequeue(queue: Ints, rank: int) -> int:
    """Take the order at `rank` out of the queue; returns its table row."""
    slot = queue[1 + rank]
    n = queue[0] - 1
    for k in range(rank, n):
        queue[1 + k] = queue[2 + k]
    queue[0] = n
    return slot


@kernel("i8(i8[::1], i8[::1], i8)")
def rank_of(queue: Ints, orders: Ints, slot: int) -> int:
    """Rank of the order in table row `slot`, -1 when it does not rest."""
    side = orders[O_STRIDE * slot + O_SIDE]
    if side == 0:
        return -1
    px = orders[O_STRIDE * slot + O_PX]
    for k in range(rank_from(queue, orders, side, px), queue[0]):
        if queue[1 + k] == slot:
            return k
        if orders[O_STRIDE * queue[1 + k] + O_PX] != px:
            return -1
    return -1


@kernel("i8(i8[::1], i8[::1], i8, i8, i8, i8)")
def restack(queue: Ints, orders: Ints, side: int, px: int, sz: int, probabilistic: int) -> int:
    """The source now shows sz at px: move our orders there up.  Returns how many orders rest at px.

    Risk-averse: only a level that has shrunk below our place moves us up. Probabilistic: what went away without a
    print is shared out between those before and those behind us, in proportion.
    """
    found = 0
    for k in range(rank_from(queue, orders, side, px), queue[0]):
        row = O_STRIDE * queue[1 + k]
        if orders[row + O_PX] != px:
            break
        found += 1
        ahead = orders[row + O_AHEAD]
        if ahead == UNKNOWN:
            continue
        seen = orders[row + O_SEEN]
        if probabilistic == 1 and 0 <= sz < seen:
            ahead -= int((seen - sz) * (ahead / seen))
        orders[row + O_AHEAD] = min(ahead, sz)
        orders[row + O_SEEN] = sz
    return found


@kernel("i8(i8[::1], i8[::1], i8, i8, i8)")
def advance_queue(queue: Ints, orders: Ints, side: int, px: int, sz: int) -> int:
    """sz of the source's contracts at px have traded: everybody there moves up.  Returns how many orders rest at px."""
    found = 0
    for k in range(rank_from(queue, orders, side, px), queue[0]):
        row = O_STRIDE * queue[1 + k]
        if orders[row + O_PX] != px:
            break
        found += 1
        if orders[row + O_AHEAD] != UNKNOWN:
            orders[row + O_AHEAD] = max(0, orders[row + O_AHEAD] - sz)
            orders[row + O_SEEN] = max(0, orders[row + O_SEEN] - sz)
    return found
