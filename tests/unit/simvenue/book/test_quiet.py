"""A row played the short way leaves everything as the long way does, to the last number."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from common.kernel import istate
from simvenue.book import levels, matching, queue_model, table
from simvenue.book.matching import BUY, CLEAR, LEVEL, PRINT, SELL
from simvenue.book.quiet import LOUD, PRINTED_ALONE, QUIET, play_quiet
from simvenue.book.state import VenueState, new_state

MID, TICK, DEEP = 5_000, 5, 14
Row = tuple[int, int, int]


def a_state(is_ruled: bool, hides: int) -> VenueState:
    state = new_state()
    if is_ruled:
        low, high = MID - 40 * TICK, MID + 40 * TICK
        state = state._replace(bids=levels.new_ruled(BUY, 12, low, high, TICK))
        state = state._replace(asks=levels.new_ruled(SELL, 12, low, high, TICK))
        state.bids[levels.B_HIDES] = state.asks[levels.B_HIDES] = hides
    for owner in range(2):
        state.holders[table.H_STRIDE * owner + table.H_ROOM] = 10**9
    return state


def a_row(rng: random.Random) -> Row:
    kind = rng.choices((LEVEL, PRINT, CLEAR), (90, 12, 1))[0]
    side = rng.choice((BUY, SELL))
    px = MID - side * TICK * rng.choice((rng.randint(-1, 3), rng.randint(0, DEEP)))
    if kind == CLEAR:
        return side * kind, rng.choice((0, px)), 0
    return side * kind, px, rng.randint(1, 40) if kind == PRINT else rng.choice((0, rng.randint(1, 40)))


def the_long_way(state: VenueState, row: Row, stamp: int, how: tuple[int, int, float]) -> None:
    rows = columns(row)
    state.out[0] = 0
    for book in (state.bids, state.asks):  # looks again at every row, from the best on
        book[levels.B_AWAITED] = min(book[levels.B_AWAITED], levels.LOOKS)
        book[levels.B_EDGE] = levels.NO_EDGE
    crowd = state.orders, state.bid_queue, state.ask_queue
    matching.play_prints(*rows, 0, 1, *crowd, state.holders, state.out)
    matching.play_levels(*rows, 0, 1, stamp, *how, state.bids, state.asks, *crowd)
    matching.settle(how[0], how[1], state.bids, state.asks, *crowd, state.holders, state.out)


def columns(row: Row) -> tuple[Any, Any, Any]:
    """A row as vectors of one."""
    what, px, sz = (istate(1) for _ in row)
    what[0], px[0], sz[0] = row
    return what, px, sz


def rest(state: VenueState, slot: int, side: int, px: int, sz: int, visible: int, whole: int) -> None:
    queue, book, other = state.queue(side), state.book(side), state.book(-side)
    best = levels.best_px(other)
    if best == 0 or side * px < side * best:
        matching.rest_order(queue, state.orders, book, slot, side, px, sz, slot % 2, 0, visible)
        state.orders[table.O_STRIDE * slot + table.O_WHOLE] = whole


def everything(state: VenueState) -> list[list[int]]:
    """All facts: when it is looked next for orders that wait to be seen is none."""
    books = [np.asarray(book).copy() for book in (state.bids, state.asks)]
    for book in books:
        book[levels.B_AWAITED] = book[levels.B_EDGE] = book[levels.B_LOST] = 0
    return [np.asarray(vector).tolist() for vector in (*books, state.orders[:400], *state[3:6])]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("model", [queue_model.RISK_AVERSE, queue_model.PROBABILISTIC])
def test_a_quiet_row_changes_what_the_long_way_changes_and_no_more(seed: int, model: int) -> None:
    rng = random.Random(seed)
    hides, whole, visible = seed % 2, seed // 2 % 2, 9 if seed % 3 == 0 else 0
    short, long = (a_state(True, hides) for _ in range(2))
    how = visible, model, 3.0
    found = {LOUD: 0, QUIET: 0, PRINTED_ALONE: 0}
    for stamp in range(1, 500):
        row = a_row(rng)
        the_long_way(long, row, stamp, how)
        crowd = short.orders, short.bid_queue, short.ask_queue
        played = play_quiet(*row, stamp, *how, short.bids, short.asks, *crowd)
        found[played] += 1
        if played == LOUD:
            the_long_way(short, row, stamp, how)
        elif played == QUIET:
            assert long.out[0] == 0
        else:
            one = [int(x) for x in long.out[1 : 1 + matching.E_STRIDE]]
            assert (int(long.out[0]), one) == (1, [matching.PRINTED, -1, row[1], row[2], 1 if row[0] > 0 else -1])
        assert everything(short) == everything(long)
        slot, side, sz = rng.randrange(16), rng.choice((BUY, SELL)), rng.randint(1, 30)
        px = MID - side * TICK * rng.randint(1, DEEP)
        for state in (short, long):
            if state.orders[table.O_STRIDE * slot] != 0:
                matching.cancel_order(state.queue(int(state.orders[table.O_STRIDE * slot])), state.orders, slot)
            else:
                rest(state, slot, side, px, sz, visible, whole)
    assert min(found.values()) > 5, found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("is_ruled", [False, True])
def test_a_stamp_of_one_row_is_played_as_a_longer_one(seed: int, is_ruled: bool) -> None:
    rng = random.Random(seed)
    short, long = (a_state(is_ruled, 0) for _ in range(2))
    how = 3, queue_model.PROBABILISTIC, 2.0
    for stamp in range(1, 400):
        row = a_row(rng)
        the_long_way(long, row, stamp, how)
        matching.play_stamp(
            *columns(row), 0, 1, stamp, *how, short.bids, short.asks, short.orders,
            short.bid_queue, short.ask_queue, short.holders, short.out,
        )  # fmt: skip
        assert everything(short) == everything(long)
        assert list(short.out[:60]) == list(long.out[:60])
        slot, side = rng.randrange(16), rng.choice((BUY, SELL))
        for state in (short, long):
            if state.orders[table.O_STRIDE * slot] == 0:
                rest(state, slot, side, MID - side * TICK * (1 + slot % DEEP), 1 + slot, 3, 0)


def test_a_queue_counts_its_orders_by_mark() -> None:
    rng = random.Random(1)
    state = a_state(False, 0)
    for slot in range(40):
        matching.rest_order(
            state.bid_queue, state.orders, state.bids, slot, BUY, MID - TICK * rng.randint(1, 9), 5, 0, 0, 0
        )
    for slot in rng.sample(range(40), 25):
        matching.cancel_order(state.bid_queue, state.orders, slot)
    marks = [int(x) for x in state.bid_queue[table.Q_MARKS : table.Q_ROWS]]
    rows = [table.O_STRIDE * slot for slot in range(40)]
    prices = [int(state.orders[row + table.O_PX]) for row in rows if state.orders[row + table.O_SIDE]]
    assert sum(marks) == len(prices) == 15
    for px in set(prices):
        assert marks[table.mark_of(px) - table.Q_MARKS] >= prices.count(px)
