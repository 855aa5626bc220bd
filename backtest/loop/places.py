"""The desk of a plain backtester: orders known by their price, placed and cancelled apart, as many as are wanted.

The other desk (`desk.py`) is our executor's: a slot a level, one request in flight, moves. This one is what strategies
of other engines do, and what ours is held against them with: an order keeps its place as long as its price is wanted
and is cancelled else, once its answer has come; a price where an order is known gets no second one. One vector: a head,
two rows of prices' marks (the slot known there, the decision that wanted it), and the slots. A slot is a row of the
venue's table; bids have the first half. Prices px_u, sizes sz_u.
"""

from __future__ import annotations

from typing import Any

from backtest.loop.desk import pop, post
from backtest.loop.layout import CANCEL, D_HEARD_N, D_POSITION, G_KIND, G_SLOT, G_SZ, PLACE, RESTS, TRADED
from common.kernel import istate, kernel
from quoter.state import O_COUNT, O_ROWS, O_SIDE
from simvenue.book.levels import SHIFT

HALF = 256
"""Orders a side, those on their way in and out included."""

(
    PL_LOW,  # px_u of mark 0
    PL_RECIPROCAL,  # 2^SHIFT / tick, rounded up
    PL_MARKS,  # prices marked
    PL_ROUND,  # decisions so far
    PL_ACTIVE,  # slots in use
    PL_FREE,  # free slots: bids, asks
    _PL_FREE_ASKS,
    PL_SLOTS,  # of 2 x HALF: the slots in use, then the free ones a side, then PS_* of each
) = range(8)
PL_STACK = PL_SLOTS + 2 * HALF
PL_EACH = PL_STACK + 2 * HALF
PS_MARK, PS_IS_KNOWN, PS_IS_LEAVING, PS_LEFT, PS_AT = range(5)
PS_STRIDE = 5
PL_KNOWN = PL_EACH + PS_STRIDE * 2 * HALF
"""From here 2 x PL_MARKS of: 1 + the slot known at a price; then as many of: the decision that last wanted it."""


def new_places(low_px: int, high_px: int, tick_px: int) -> Any:
    """No orders yet, of prices low .. high."""
    marks = (high_px - low_px) // tick_px + 1
    places = istate(PL_KNOWN + 4 * marks)
    places[PL_LOW], places[PL_RECIPROCAL], places[PL_MARKS] = low_px, -(-(1 << SHIFT) // tick_px), marks
    for side in range(2):
        places[PL_FREE + side] = HALF
        for k in range(HALF):
            places[PL_STACK + side * HALF + k] = side * HALF + HALF - 1 - k
    return places


@kernel("i8(i8[::1], i8, i8)", inline=True)
def mark_of(places: list[int], side: int, px: int) -> int:
    """Number of a price's mark, -1 = it lies outside."""
    mark = ((px - places[PL_LOW]) * places[PL_RECIPROCAL]) >> SHIFT
    return side * places[PL_MARKS] + mark if px >= places[PL_LOW] and mark < places[PL_MARKS] else -1


@kernel("void(i8[::1], i8)", inline=True)
def leave(places: list[int], slot: int) -> None:
    """Nothing is known at the slot's price any more."""
    mark = places[PL_EACH + PS_STRIDE * slot + PS_MARK]
    if places[PL_KNOWN + mark] == slot + 1:
        places[PL_KNOWN + mark] = 0


@kernel("void(i8[::1], i8)", inline=True)
def release(places: list[int], slot: int) -> None:
    """The slot is free again."""
    side = slot // HALF
    places[PL_ACTIVE] -= 1
    last = places[PL_SLOTS + places[PL_ACTIVE]]
    at = places[PL_EACH + PS_STRIDE * slot + PS_AT]
    places[PL_SLOTS + at] = last
    places[PL_EACH + PS_STRIDE * last + PS_AT] = at
    places[PL_STACK + side * HALF + places[PL_FREE + side]] = slot
    places[PL_FREE + side] += 1


@kernel("i8(i8[::1], i8[::1], i8[::1])", inline=True)
def hear_place(desk: list[int], news: list[int], places: list[int]) -> int:
    """The first news reaches us; returns its kind.  A slot is free when nothing of it is on its way any more."""
    at = pop(news)
    slot = news[at + G_SLOT]
    kind = news[at + G_KIND]
    row = PL_EACH + PS_STRIDE * slot
    if kind == RESTS:
        places[row + PS_IS_KNOWN] = 1
        return kind
    gone = 1
    if kind == TRADED:
        desk[D_HEARD_N] += 1
        desk[D_POSITION] += news[at + G_SZ] if slot < HALF else -news[at + G_SZ]
        places[row + PS_LEFT] -= news[at + G_SZ]
        gone = 1 if places[row + PS_LEFT] <= 0 else 0
    if gone == 1:
        leave(places, slot)
        if kind != TRADED or places[row + PS_IS_LEAVING] == 0:
            release(places, slot)
    return kind


@kernel("i8(i8[::1], i8[::1], i8, i8[::1], i8[::1])", inline=True)
def requote_places(desk: list[int], actions: list[int], now: int, target: list[int], places: list[int]) -> int:
    """Cancel what is not wanted, place what is missing; returns how many orders are known or on their way."""
    places[PL_ROUND] += 1
    this = places[PL_ROUND]
    wanted = PL_KNOWN + 2 * places[PL_MARKS]
    missing = 0
    known = 0
    for side in range(2):
        for level in range(target[O_COUNT + side]):
            mark = mark_of(places, side, target[O_ROWS + side * O_SIDE + 2 * level])
            if mark >= 0 and places[wanted + mark] != this:
                places[wanted + mark] = this
                known += int(places[PL_KNOWN + mark] > 0)
                missing += int(places[PL_KNOWN + mark] == 0)
    active = places[PL_ACTIVE] if known < places[PL_ACTIVE] else 0  # else each is wanted where it is
    for k in range(active):
        slot = places[PL_SLOTS + k]
        row = PL_EACH + PS_STRIDE * slot
        if places[wanted + places[row + PS_MARK]] == this and places[row + PS_LEFT] > 0:
            continue
        if places[row + PS_IS_KNOWN] == 1 and places[row + PS_IS_LEAVING] == 0:
            places[row + PS_IS_LEAVING] = 1
            post(desk, actions, now, slot, CANCEL, 0, 0)
    for side in range(2 if missing > 0 else 0):
        for level in range(target[O_COUNT + side]):
            at = O_ROWS + side * O_SIDE + 2 * level
            mark = mark_of(places, side, target[at])
            if mark < 0 or places[PL_KNOWN + mark] > 0 or places[PL_FREE + side] == 0:
                continue
            places[PL_FREE + side] -= 1
            slot = places[PL_STACK + side * HALF + places[PL_FREE + side]]
            row = PL_EACH + PS_STRIDE * slot
            places[row + PS_MARK] = mark
            places[row + PS_IS_KNOWN] = 0
            places[row + PS_IS_LEAVING] = 0
            places[row + PS_LEFT] = target[at + 1]
            places[PL_KNOWN + mark] = slot + 1
            places[row + PS_AT] = places[PL_ACTIVE]
            places[PL_SLOTS + places[PL_ACTIVE]] = slot
            places[PL_ACTIVE] += 1
            post(desk, actions, now, slot, PLACE, target[at], target[at + 1])
    return places[PL_ACTIVE]
