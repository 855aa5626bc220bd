"""Our orders as the executor knows them: slots with a state, requests on their way, and what news make of them.

The states are those of `common/orders.py` as far as a venue without faults leads to them. A slot is a row of the
venue's table; bids have the first half. The list of slots in use keeps the order in which they were placed, by which
the executor settles ties. One int64 vector: a head (`SL_*`), the list, the free slots of each side, a row (`OS_*`) a
slot. Prices px_u, sizes sz_u, times ns.
"""

from __future__ import annotations

from typing import Any

from backtest.loop.desk import pop, post
from backtest.loop.layout import (
    CANCEL,
    CROSSED,
    D_HEARD_N,
    D_POSITION,
    FILL_SLOT,
    FILL_STRIDE,
    G_KIND,
    G_PX,
    G_SLOT,
    G_SZ,
    KEPT,
    LOG_ROWS,
    MOVE,
    RESTS,
    TOOK,
    TRADED,
    WITHDRAWN,
)
from common.kernel import istate, kernel
from executor.plan import (
    Q_CROSSED_PX,
    R_AT_PX,
    R_HELD,
    R_IS_BUSY,
    R_IS_LIVE,
    R_IS_LOCKED,
    R_IS_OPEN,
    R_IS_SHOWN,
    R_PX,
    R_SIDE,
    R_STRIDE,
    R_SZ,
    R_TO_PX,
    R_UNBOOKED,
)
from quoter.state import NS, QUOTES_MAX

SLOTS_A_SIDE = 64
"""Orders a side, those on their way in and out included: a ladder twice over, and room."""
ALL_SLOTS = 2 * SLOTS_A_SIDE
CANCEL_EVERY_NS = NS
"""As in `executor/tracker.py`: a cancel is repeated at most this often."""

(
    SL_N,  # in use
    SL_FREE,  # free bids, free asks
    _SL_FREE_ASKS,
    SL_STANCE,  # QUOTE, or WITHDRAW: everything goes
    SL_PLANNED_T,
    SL_COUNTED_T,  # when the venue's count of actions was read, 0 = never
    SL_IS_NEW,  # what came since the last plan and is to be planned at once: NEWS or A_LADDER
    SL_SHOWN_T,  # when the ladder in force was first told, 0 = there is none
    SL_SENT_T,  # ... and told last
    SL_DECIDED_T,
    SL_ADAPTS,  # 1 = something has changed for which even a small move counts
    SL_ON_ITS_WAY,  # what the quoter told at this instant: RENEWAL or A_LADDER, 0 = nothing
    SL_IS_URGENT,  # 1 = that ladder wants cancels first
    SL_ACTION,  # number of the newest action: requests of one kind that set out at once and are answered at once
    SL_LIST,
) = range(15)
SL_STACK = SL_LIST + ALL_SLOTS
SL_PACKED = SL_STACK + ALL_SLOTS
"""The slot of each order a plan was handed."""
SL_ROWS = SL_PACKED + ALL_SLOTS
(
    OS_STATE,
    OS_PX,
    OS_SZ,  # of the newest incarnation
    OS_FILLED,
    OS_TO_PX,  # asked for by the move on its way
    OS_TO_SZ,
    OS_LEVEL,
    OS_CHANGED_T,
    OS_CANCELLED_T,  # when a cancel was last sent
    OS_IS_BUSY,
    OS_ACTION,  # of its newest request
    OS_STRIDE,
) = range(12)
SL_LEN = SL_ROWS + OS_STRIDE * ALL_SLOTS

FREE, PENDING, OPEN, MOVING, CANCELLING, ENDED_BUSY = range(6)
"""ENDED_BUSY: filled or withdrawn, while the answer to a request about it is on its way."""
QUOTE, WITHDRAW = range(2)
RENEWAL, A_LADDER, NEWS = 1, 2, 3


def new_slots() -> Any:
    """No orders yet."""
    slots = istate(SL_LEN)
    for side in range(2):
        slots[SL_FREE + side] = SLOTS_A_SIDE
        for k in range(SLOTS_A_SIDE):
            slots[SL_STACK + side * SLOTS_A_SIDE + k] = (side + 1) * SLOTS_A_SIDE - 1 - k
    return slots


@kernel("i8(i8[::1], i8)")
def take_slot(slots: list[int], side: int) -> int:
    """A free slot of a side (0 bids) is in use from now on; -1 = there is none."""
    if slots[SL_FREE + side] == 0:
        return -1
    slots[SL_FREE + side] -= 1
    slot = slots[SL_STACK + side * SLOTS_A_SIDE + slots[SL_FREE + side]]
    slots[SL_LIST + slots[SL_N]] = slot
    slots[SL_N] += 1
    return slot


@kernel("void(i8[::1], i8)")
def free_slot(slots: list[int], slot: int) -> None:
    """The slot is not in use any more."""
    side = slot // SLOTS_A_SIDE
    slots[SL_ROWS + OS_STRIDE * slot + OS_STATE] = FREE
    slots[SL_STACK + side * SLOTS_A_SIDE + slots[SL_FREE + side]] = slot
    slots[SL_FREE + side] += 1
    found = 0
    for k in range(slots[SL_N]):
        if slots[SL_LIST + k] == slot:
            found = 1
        elif found == 1:
            slots[SL_LIST + k - 1] = slots[SL_LIST + k]
    slots[SL_N] -= found


@kernel("i8(i8[::1], i8)")
def level_slot(slots: list[int], slot: int) -> int:
    """The slot as fills name it: its side and the level it was placed for."""
    level = max(slots[SL_ROWS + OS_STRIDE * slot + OS_LEVEL], 0)
    return min(level, QUOTES_MAX - 1) + (QUOTES_MAX if slot >= SLOTS_A_SIDE else 0)


# ---------------------------------------------------------------------- requests
@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8)")
def cancel_slot(slots: list[int], desk: list[int], actions: list[int], now: int, slot: int) -> int:
    """Cancel what may be cancelled now; returns 1 when the request sets out."""
    row = SL_ROWS + OS_STRIDE * slot
    state = slots[row + OS_STATE]
    if state in (FREE, ENDED_BUSY) or slots[row + OS_IS_BUSY] == 1:
        return 0
    if slots[row + OS_CANCELLED_T] > 0 and now - slots[row + OS_CANCELLED_T] < CANCEL_EVERY_NS:
        return 0
    slots[row + OS_CANCELLED_T] = now
    slots[row + OS_STATE] = CANCELLING
    slots[row + OS_CHANGED_T] = now
    slots[row + OS_IS_BUSY] = 1
    slots[row + OS_ACTION] = slots[SL_ACTION]
    post(desk, actions, now, slot, CANCEL, 0, 0)
    return 1


@kernel("i8(i8[::1], i8[::1], i8[::1], i8)")
def cancel_all(slots: list[int], desk: list[int], actions: list[int], now: int) -> int:
    """Cancel all that rests and is not busy; returns how many."""
    sent = 0
    slots[SL_ACTION] += 1
    for k in range(slots[SL_N]):
        sent += cancel_slot(slots, desk, actions, now, slots[SL_LIST + k])
    return sent


@kernel("void(i8[::1], i8[::1], i8[::1], i8, i8, i8, i8)")
def move_slot(slots: list[int], desk: list[int], actions: list[int], now: int, slot: int, px: int, sz: int) -> None:
    """A resting order is to rest elsewhere."""
    row = SL_ROWS + OS_STRIDE * slot
    slots[row + OS_STATE] = MOVING
    slots[row + OS_CHANGED_T] = now
    slots[row + OS_TO_PX] = px
    slots[row + OS_TO_SZ] = sz
    slots[row + OS_IS_BUSY] = 1
    slots[row + OS_ACTION] = slots[SL_ACTION]
    post(desk, actions, now, slot, MOVE, px, sz)


@kernel("i8(i8[::1], i8, i8, i8, i8, i8)")
def open_slot(slots: list[int], now: int, side: int, px: int, sz: int, level: int) -> int:
    """A new order of a side (0 bids) is about to set out; its slot, -1 = there is none."""
    slot = take_slot(slots, side)
    if slot < 0:
        return -1
    row = SL_ROWS + OS_STRIDE * slot
    for k in range(OS_STRIDE):
        slots[row + k] = 0
    slots[row + OS_STATE] = PENDING
    slots[row + OS_PX] = px
    slots[row + OS_SZ] = sz
    slots[row + OS_LEVEL] = level
    slots[row + OS_CHANGED_T] = now
    slots[row + OS_IS_BUSY] = 1
    slots[row + OS_ACTION] = slots[SL_ACTION]
    return slot


# ---------------------------------------------------------------------- news
@kernel("i8(i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8)")
def hear_order(slots: list[int], desk: list[int], news: list[int], q: list[int], fills: list[int], now: int) -> int:
    """The first news reaches us; returns its kind.  A fill is then named by its level in the log of fills."""
    at = pop(news)
    slot = news[at + G_SLOT]
    kind = news[at + G_KIND]
    slots[SL_IS_NEW] = NEWS
    if kind == TOOK:
        desk[D_HEARD_N] += 1
        desk[D_POSITION] += news[at + G_SZ] if slot < QUOTES_MAX else -news[at + G_SZ]
        return kind
    row = SL_ROWS + OS_STRIDE * slot
    if slots[row + OS_STATE] == FREE:
        return kind
    if kind == TRADED:
        fills[LOG_ROWS + FILL_STRIDE * desk[D_HEARD_N] + FILL_SLOT] = level_slot(slots, slot)
        desk[D_HEARD_N] += 1
        desk[D_POSITION] += news[at + G_SZ] if slot < SLOTS_A_SIDE else -news[at + G_SZ]
        slots[row + OS_FILLED] += news[at + G_SZ]
        if slots[row + OS_FILLED] >= slots[row + OS_SZ]:
            if slots[row + OS_IS_BUSY] == 1:
                slots[row + OS_STATE] = ENDED_BUSY
            else:
                free_slot(slots, slot)
        return kind
    if kind == WITHDRAWN and slots[row + OS_IS_BUSY] == 1:
        slots[row + OS_STATE] = ENDED_BUSY
        return kind
    slots[row + OS_IS_BUSY] = 0
    if kind == RESTS and slots[row + OS_STATE] == ENDED_BUSY:
        slots[row + OS_STATE] = OPEN  # it was filled where it was, and rests anew where it was to go
    if kind == RESTS:
        rests(slots, slot, news[at + G_PX], news[at + G_SZ], now)
        return kind
    if kind == KEPT:
        if slots[row + OS_STATE] == ENDED_BUSY:
            free_slot(slots, slot)
        else:
            slots[row + OS_STATE] = OPEN
            slots[row + OS_CHANGED_T] = now
        return kind
    if kind == CROSSED:
        side = 0 if slot < SLOTS_A_SIDE else 1
        q[Q_CROSSED_PX + 2 * side] = news[at + G_PX]
        q[Q_CROSSED_PX + 2 * side + 1] = now
    free_slot(slots, slot)
    return kind


@kernel("void(i8[::1], i8, i8, i8, i8)")
def rests(slots: list[int], slot: int, px: int, sz: int, now: int) -> None:
    """What was placed or moved rests there."""
    row = SL_ROWS + OS_STRIDE * slot
    slots[row + OS_STATE] = OPEN
    slots[row + OS_CHANGED_T] = now
    slots[row + OS_PX] = px
    slots[row + OS_SZ] = sz
    slots[row + OS_FILLED] = 0
    slots[row + OS_TO_PX] = 0
    slots[row + OS_TO_SZ] = 0


# ---------------------------------------------------------------------- as a plan reads them
@kernel("i8(i8[::1], i8, i8, i8[::1], f8[::1])")
def pack_orders(slots: list[int], now: int, queue_age_ns: int, orders: list[int], places: list[float]) -> int:
    """All live orders as `executor/plan.py` reads them, in the order placed; returns how many."""
    n = 0
    for k in range(slots[SL_N]):
        slot = slots[SL_LIST + k]
        row = SL_ROWS + OS_STRIDE * slot
        state = slots[row + OS_STATE]
        if state == ENDED_BUSY:
            continue
        at = R_STRIDE * n
        left = max(slots[row + OS_SZ] - slots[row + OS_FILLED], 0)
        is_moving = state == MOVING
        orders[at + R_SIDE] = 1 if slot < SLOTS_A_SIDE else -1
        orders[at + R_IS_LIVE] = 1
        orders[at + R_PX] = slots[row + OS_TO_PX] if is_moving else slots[row + OS_PX]
        orders[at + R_SZ] = slots[row + OS_TO_SZ] if is_moving else left
        orders[at + R_IS_LOCKED] = 1 if state != OPEN or slots[row + OS_IS_BUSY] == 1 else 0
        orders[at + R_IS_SHOWN] = 1 if state != CANCELLING else 0
        orders[at + R_IS_OPEN] = 1 if state == OPEN else 0
        orders[at + R_IS_BUSY] = slots[row + OS_IS_BUSY]
        orders[at + R_AT_PX] = slots[row + OS_PX]
        orders[at + R_TO_PX] = slots[row + OS_TO_PX] if is_moving else 0
        orders[at + R_HELD] = max(left, slots[row + OS_TO_SZ]) if is_moving else left
        orders[at + R_UNBOOKED] = 0
        age_ns = max(now - slots[row + OS_CHANGED_T], 0)
        places[n] = float(age_ns) / float(max(age_ns + queue_age_ns, 1))
        slots[SL_PACKED + n] = slot
        n += 1
    return n


@kernel("i8(i8[::1], i8)")
def in_state(slots: list[int], state: int) -> int:
    """How many orders are in a state."""
    n = 0
    for k in range(slots[SL_N]):
        n += 1 if slots[SL_ROWS + OS_STRIDE * slots[SL_LIST + k] + OS_STATE] == state else 0
    return n
