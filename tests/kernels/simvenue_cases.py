"""One random, valid argument tuple per kernel of the simulated venue, as plain lists: compiled and plain must agree."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from common.kernel import istate
from simvenue.book import levels, matching, queue_model, table, taking
from simvenue.book.matching import BUY, SELL
from simvenue.door import latency

Args = tuple[Any, ...]

MID = 10_000
NEAR = 12
"""Prices lie this near to the middle, so that levels, orders and prints meet."""
SLOTS = 24
OWNERS = 4
OUT_ROWS = 400


def a_px(rng: random.Random) -> int:
    return MID + rng.randint(-NEAR, NEAR)


def a_side(rng: random.Random) -> int:
    return rng.choice((BUY, SELL))


def a_book(rng: random.Random, side: int, *, full: bool = False) -> list[int]:
    """A sorted side; `full` fills it to the last level, far away from the middle."""
    count = levels.LEVELS if full else rng.randint(0, 12)
    reach = range(MID - 600, MID + 600) if full else range(MID - NEAR, MID + NEAR + 1)
    book = [0] * (levels.HEAD + levels.STRIDE * levels.LEVELS)
    book[levels.B_N], book[levels.B_SIDE] = count, side
    book[levels.B_BLIND] = int(count == 0 and rng.random() < 0.5)
    book[levels.B_EDGE] = levels.NO_EDGE
    book[levels.B_AWAITED] = rng.choice((levels.NONE_WAITS, levels.LOOKS, levels.LOOKS, levels.WAITS))
    book[levels.B_KEEP] = rng.choice((levels.LEVELS, max(count, 12)))
    for k, px in enumerate(sorted(rng.sample(reach, count), reverse=side == SELL)):
        row = levels.HEAD + levels.STRIDE * k
        size = rng.randint(1, 50)
        book[row + levels.L_PX], book[row + levels.L_SZ] = px, size
        book[row + levels.L_USED] = rng.choice((0, 0, rng.randint(0, size)))
        book[row + levels.L_STAMP] = rng.randint(1, 5)
    return book


def any_book(rng: random.Random, side: int, *, full: bool = False) -> list[int]:
    """The same, now and then as a ruled book."""
    book = a_book(rng, side, full=full)
    if full or rng.random() < 0.7:
        return book
    ruled = levels.new_ruled(side, book[levels.B_KEEP], MID - NEAR - 2, MID + NEAR, rng.choice((1, 2)))
    for k in range(book[levels.B_N]):
        row = levels.HEAD + levels.STRIDE * k
        levels.set_ruled(ruled, book[row + levels.L_PX], book[row + levels.L_SZ], book[row + levels.L_STAMP])
    return [int(x) for x in ruled]


def a_crowd(rng: random.Random, *, free: int = 1) -> tuple[list[int], dict[int, list[int]]]:
    """An order table whose orders stand in their queues; the last `free` rows are free."""
    orders = [0] * (table.O_STRIDE * SLOTS)
    standing: dict[int, list[int]] = {BUY: [], SELL: []}
    whole = int(rng.random() < 0.15)
    for slot in rng.sample(range(SLOTS - free), rng.randint(0, SLOTS - free)):
        side, row = a_side(rng), table.O_STRIDE * slot
        orders[row + table.O_SIDE], orders[row + table.O_PX] = side, a_px(rng)
        orders[row + table.O_LEFT] = rng.randint(1, 40)
        orders[row + table.O_AHEAD] = rng.choice((table.UNKNOWN, 0, rng.randint(0, 60)))
        orders[row + table.O_SEEN] = rng.randint(0, 60)
        orders[row + table.O_OWNER] = rng.randrange(OWNERS)
        orders[row + table.O_REDUCE] = int(rng.random() < 0.2)
        orders[row + table.O_TRADED] = rng.choice((0, 0, rng.randint(0, 30)))
        orders[row + table.O_PART] = rng.choice((0, rng.randrange(table.PARTS)))
        orders[row + table.O_WHOLE] = whole
        orders[row + table.O_TOLD] = rng.choice((0, rng.randint(0, 60)))
        standing[side].append(slot)
    queues = {}
    for side, slots in standing.items():
        slots.sort(key=lambda slot: -side * orders[table.O_STRIDE * slot + table.O_PX])
        queues[side] = [len(slots), *[0] * table.MARKS, *slots] + [0] * (SLOTS + 2 - len(slots))
        for slot in slots:
            queues[side][table.mark_of(orders[table.O_STRIDE * slot + table.O_PX])] += 1
    return orders, queues


def holders(rng: random.Random) -> list[int]:
    rows = []
    for _ in range(OWNERS):
        rows += [rng.randint(-60, 60), rng.choice((0, rng.randint(0, 80), 10**9))]
    return rows


def an_out() -> list[int]:
    return [0] * (1 + matching.E_STRIDE * OUT_ROWS)


# ---------------------------------------------------------------------- levels
def level_from(rng: random.Random) -> Args:
    return any_book(rng, a_side(rng)), a_px(rng)


def drop_level(rng: random.Random) -> Args:
    book = a_book(rng, a_side(rng), full=True)
    book[levels.B_N] = rng.randint(1, levels.LEVELS)
    return book, rng.randrange(book[levels.B_N])


def open_level(rng: random.Random) -> Args:
    book = a_book(rng, a_side(rng), full=rng.random() < 0.3)
    return book, rng.randint(0, book[levels.B_N])


def set_level(rng: random.Random) -> Args:
    book = any_book(rng, a_side(rng), full=rng.random() < 0.1)
    return book, a_px(rng), rng.choice((0, rng.randint(1, 50))), rng.randint(5, 9)


def best(rng: random.Random) -> Args:
    return (any_book(rng, a_side(rng)),)


def clear_levels(rng: random.Random) -> Args:
    return any_book(rng, a_side(rng), full=rng.random() < 0.1), rng.choice((0, a_px(rng)))


def is_seen(rng: random.Random) -> Args:
    return any_book(rng, a_side(rng)), a_px(rng), rng.randint(0, 14)


def a_ruled(rng: random.Random) -> list[int]:
    """A ruled book with at least one level."""
    return a_ruled_side(rng, a_side(rng))


def a_ruled_side(rng: random.Random, side: int) -> list[int]:
    while True:
        book = any_book(rng, side)
        if book[levels.B_RULES] > 0 and book[levels.B_N] > 0:
            return book


def ruled_from(rng: random.Random) -> Args:
    return a_ruled(rng), a_px(rng)


def drop_ruled(rng: random.Random) -> Args:
    book = a_ruled(rng)
    rows = [i for i in range(book[levels.B_N]) if book[levels.HEAD + levels.STRIDE * i + levels.L_SZ] > 0]
    return book, rng.choice(rows)


def set_ruled(rng: random.Random) -> Args:
    return a_ruled(rng), a_px(rng), rng.choice((0, rng.randint(1, 50))), rng.randint(5, 9)


def step_down(rng: random.Random) -> Args:
    return (a_ruled(rng),)


def yield_level(rng: random.Random) -> Args:
    while True:
        book = any_book(rng, a_side(rng))
        if book[levels.B_N] > 0:
            book[levels.B_HIDES] = rng.randrange(2) if book[levels.B_RULES] > 0 else 0
            return book, book[levels.B_N] - 1


def seen_to(rng: random.Random) -> Args:
    return any_book(rng, a_side(rng)), rng.randint(0, 14)


def lose_sight(rng: random.Random) -> Args:
    book, visible = edge_of(rng)
    return book, rng.randrange(levels.HEAD, len(book)) // levels.STRIDE - visible % 2


def edge_of(rng: random.Random) -> Args:
    """A book that has changed since its edge was seen, or whose edge is not known."""
    visible = rng.randint(0, 6)
    if rng.random() < 0.3:
        return any_book(rng, a_side(rng)), visible
    found = a_ruled(rng)
    book = istate(len(found))
    book[:] = found
    book[levels.B_AWAITED] = rng.choice((levels.NONE_WAITS, levels.LOOKS))
    levels.edge_of(book, visible)
    book[levels.B_AWAITED] = levels.WAITS
    for stamp in range(rng.randint(0, 8)):
        levels.set_ruled(book, a_px(rng), rng.choice((0, rng.randint(1, 9))), stamp)
    return [int(x) for x in book], visible


def lies_within(rng: random.Random) -> Args:
    return a_side(rng), a_px(rng), rng.choice((levels.ALL_SEEN, levels.NOTHING_SEEN, a_px(rng)))


def uncross(rng: random.Random) -> Args:
    return any_book(rng, BUY), any_book(rng, SELL)


# ---------------------------------------------------------------------- table
def rank_from(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    side = a_side(rng)
    return queues[side], orders, side, a_px(rng)


def enqueue(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    side, slot = a_side(rng), SLOTS - 1
    orders[table.O_STRIDE * slot + table.O_SIDE] = side
    orders[table.O_STRIDE * slot + table.O_PX] = a_px(rng)
    return queues[side], orders, slot


def _a_queue(rng: random.Random) -> tuple[int, list[int], list[int]]:
    """A side whose queue is not empty."""
    while True:
        orders, queues = a_crowd(rng)
        side = a_side(rng)
        if queues[side][0]:
            return side, queues[side], orders


def dequeue(rng: random.Random) -> Args:
    _, queue, orders = _a_queue(rng)
    return queue, orders, rng.randrange(queue[0])


def rank_of(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    return queues[a_side(rng)], orders, rng.randrange(SLOTS)


def tell_level(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    side = a_side(rng)
    return queues[side], orders, side, a_px(rng), rng.randint(0, 60)


def move_up(rng: random.Random) -> Args:
    _, queue, orders = _a_queue(rng)
    row = table.O_STRIDE * queue[table.Q_ROWS]
    orders[row + table.O_AHEAD] = rng.randint(0, 60)
    return orders, row, rng.randint(0, 60), a_model(rng), a_power(rng)


def restack(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    side = a_side(rng)
    book = any_book(rng, side)
    return queues[side], orders, book, rng.randint(0, 14), a_model(rng), a_power(rng), rng.choice((1, SLOTS))


def mark_of(rng: random.Random) -> Args:
    return (rng.choice((a_px(rng), rng.randint(1, 2**52))),)


def restack_at(rng: random.Random) -> Args:
    side, queue, orders = _a_queue(rng)
    book, rank = any_book(rng, side), rng.randrange(queue[0])
    return queue, orders, book, rank, rng.randint(0, 60), rng.randint(0, 14), a_model(rng), a_power(rng)


def show_level(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    side = a_side(rng)
    book, px, sz = any_book(rng, side), a_px(rng), rng.choice((0, rng.randint(1, 60)))
    return queues[side], orders, book, px, sz, rng.randint(0, 14), a_model(rng), a_power(rng)


def advance_queue(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    side = a_side(rng)
    return queues[side], orders, side, a_px(rng), rng.randint(0, 60), rng.randint(0, 60)


# ---------------------------------------------------------------------- queue_model
def a_model(rng: random.Random) -> int:
    return rng.choice(list(queue_model.MODELS.values()))


def a_power(rng: random.Random) -> float:
    return rng.choice((1.0, 2.0, 3.0, rng.uniform(queue_model.POWER_MIN, queue_model.POWER_MAX)))


def a_size(rng: random.Random) -> float:
    return rng.choice((0.0, float(rng.randint(1, 50)), rng.uniform(0.0, 1e6), 1e15))


def share_behind(rng: random.Random) -> Args:
    return a_size(rng), a_size(rng), a_power(rng)


def front_after(rng: random.Random) -> Args:
    return a_size(rng), a_size(rng), a_size(rng), a_power(rng)


def unseen_ahead(rng: random.Random) -> Args:
    return a_model(rng), rng.randint(0, 60)


# ---------------------------------------------------------------------- matching
def put(rng: random.Random) -> Args:
    out = an_out()
    out[0] = rng.randint(0, 50)
    return out, rng.randint(1, 6), rng.randint(-1, SLOTS - 1), a_px(rng), rng.randint(1, 50), a_side(rng)


def withdraw(rng: random.Random) -> Args:
    _, queue, orders = _a_queue(rng)
    return queue, orders, rng.randrange(queue[0]), rng.randint(3, 5), an_out()


def fill_resting(rng: random.Random) -> Args:
    _, queue, orders = _a_queue(rng)
    return queue, orders, holders(rng), rng.randrange(queue[0]), rng.randint(1, 60), an_out()


def fill_side(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    side = a_side(rng)
    return queues[side], orders, holders(rng), side, a_px(rng), rng.randint(1, 200), an_out()


def is_whole(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    return queues[a_side(rng)], orders


def play_print(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    size = rng.randint(1, 200)
    return a_side(rng), a_px(rng), size, orders, queues[BUY], queues[SELL], holders(rng), an_out()


def _rows(rng: random.Random) -> tuple[list[int], list[int], list[int], int, int]:
    """Three columns and a range; a gap only where a stamp may have one."""
    count = rng.randint(0, 30)
    what = [rng.choice((1, -1, 1, -1, 2, -2, 3, -3)) for _ in range(count)]
    size = [rng.randint(int(abs(w) == 2), 60) for w in what]
    begin = rng.randint(0, count)
    if begin < count and rng.random() < 0.2:
        what[begin] = matching.GAP
    px = [0 if abs(w) == 3 and rng.random() < 0.5 else a_px(rng) for w in what]
    return what, px, size, begin, rng.randint(begin, count)


def play_prints(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    return *_rows(rng), orders, queues[BUY], queues[SELL], holders(rng), an_out()


def play_levels(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    books = any_book(rng, BUY), any_book(rng, SELL)
    return *_rows(rng), 9, rng.randint(0, 14), a_model(rng), a_power(rng), *books, orders, queues[BUY], queues[SELL]


def play_stamp(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    return (
        *_rows(rng), 9, rng.randint(0, 14), a_model(rng), a_power(rng), any_book(rng, BUY), any_book(rng, SELL), orders,
        queues[BUY], queues[SELL], holders(rng), an_out(),
    )  # fmt: skip


def _a_row(rng: random.Random) -> tuple[int, int, int]:
    what = rng.choice((1, -1, 1, -1, 2, -2, 3, -3))
    return what, a_px(rng), rng.randint(int(abs(what) == 2), 60)


def play_row(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    books = any_book(rng, BUY), any_book(rng, SELL)
    how = 9, rng.randint(0, 14), a_model(rng), a_power(rng)
    return *_a_row(rng), *how, *books, orders, queues[BUY], queues[SELL], holders(rng), an_out()


def play_quiet(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    books = a_ruled_side(rng, BUY), a_ruled_side(rng, SELL)
    how = 9, rng.randint(0, 14), a_model(rng), a_power(rng)
    return *_a_row(rng), *how, *books, orders, queues[BUY], queues[SELL]


def set_quietly(rng: random.Random) -> Args:
    return set_ruled(rng)


def stands_beyond(rng: random.Random) -> Args:
    return rank_from(rng)


def lose_place(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    return queues[a_side(rng)], orders


def play_gap(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    return any_book(rng, BUY), any_book(rng, SELL), orders, queues[BUY], queues[SELL]


def fill_crossed(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    side = a_side(rng)
    return queues[side], orders, holders(rng), side, rng.choice((0, a_px(rng))), an_out()


def look_up(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    side = a_side(rng)
    return queues[side], orders, any_book(rng, side), rng.randint(0, 14), a_model(rng)


def settle(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    books = any_book(rng, BUY), any_book(rng, SELL)
    return rng.randint(0, 14), a_model(rng), *books, orders, queues[BUY], queues[SELL], holders(rng), an_out()


def rest_order(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    side = a_side(rng)
    return (
        queues[side], orders, any_book(rng, side), SLOTS - 1, side, a_px(rng), rng.randint(1, 40),
        rng.randrange(OWNERS), rng.randint(0, 1), rng.randint(0, 14),
    )  # fmt: skip


def cancel_order(rng: random.Random) -> Args:
    return rank_of(rng)


# ---------------------------------------------------------------------- taking
def take_source(rng: random.Random) -> Args:
    book = a_book(rng, a_side(rng))
    return book, rng.randint(-1, book[levels.B_N] - 1), rng.randint(0, 60), -1, an_out()


def take_at(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    side = a_side(rng)
    book = a_book(rng, side)
    level = rng.randint(-1, book[levels.B_N] - 1)
    px = a_px(rng) if level < 0 else book[levels.HEAD + levels.STRIDE * level + levels.L_PX]
    owner = rng.randrange(OWNERS)
    return px, rng.randint(1, 150), owner, level, book, queues[side], orders, holders(rng), an_out()


def take(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    side, owner = a_side(rng), rng.randrange(OWNERS)
    return a_px(rng), rng.randint(1, 400), owner, any_book(rng, side), queues[side], orders, holders(rng), an_out()


def depth(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    side = a_side(rng)
    return any_book(rng, side), queues[side], orders, rng.randint(0, 20), [0] * (taking.D_STRIDE * 20)


def impact_px(rng: random.Random) -> Args:
    orders, queues = a_crowd(rng)
    side = a_side(rng)
    return any_book(rng, side), queues[side], orders, rng.randint(0, 3_000_000)


# ---------------------------------------------------------------------- latency
def a_line(rng: random.Random) -> list[int]:
    until = rng.randint(0, 3_000_000_000)
    seeds = rng.randrange(1, latency.MODULUS1), rng.randrange(1, latency.MODULUS2)
    return [rng.randint(0, 4_000_000_000), rng.randint(0, 2_000_000_000), until, *seeds]


def a_delay_table(rng: random.Random) -> list[float]:
    """A few quantiles from share 0 to 1, some shares and delays twice; or one constant."""
    count = rng.randint(1, 6)
    shares = sorted([0.0, 1.0, *(rng.choice((0.5, rng.random())) for _ in range(count - 2))][:count])
    delays = sorted(float(rng.choice((0, rng.randint(0, 5_000_000_000)))) for _ in range(count))
    return [float(count), *(value for row in zip(shares, delays, strict=True) for value in row)]


def draw(rng: random.Random) -> Args:
    return (a_line(rng),)


def delay_at(rng: random.Random) -> Args:
    return a_delay_table(rng), rng.choice((0.0, 0.5, 1.0, rng.random()))


def arrive(rng: random.Random) -> Args:
    return a_line(rng), a_delay_table(rng), rng.randint(0, 3_000_000_000)


# ---------------------------------------------------------------------- money
def fee_e8(rng: random.Random) -> Args:
    return rng.randint(0, 10 ** rng.randint(6, 16)), rng.randint(-30_000, 900_000)


def a_premium(rng: random.Random) -> Args:
    return rng.uniform(9, 11), rng.uniform(9, 11), rng.choice((0.0, 10.0))


def hourly_e10(rng: random.Random) -> Args:
    return rng.gauss(0, 0.01), rng.choice((0.0, 1.25e-5)), rng.choice((0.0003, 0.0005)), rng.uniform(0, 10)


def cash_e8(rng: random.Random) -> Args:
    return rng.randint(-(10**7), 10**7), rng.randint(1, 10**7), rng.randint(-4 * 10**8, 4 * 10**8)


def middle_px(rng: random.Random) -> Args:
    return rng.randint(900, 1_100), rng.choice((0, rng.randint(1_800, 2_200))), rng.choice((0, rng.randint(900, 1_100)))


def bounded_px(rng: random.Random) -> Args:
    return rng.choice((0, rng.randint(50, 1_000))), rng.randint(50, 1_000)


def a_margin(rng: random.Random) -> Args:
    return rng.randint(0, 10**13), rng.randint(1, 50)


def room_u(rng: random.Random) -> Args:
    return rng.randint(-(10**9), 10**13), rng.choice((0, rng.randint(1, 10**7))), rng.randint(1, 50)


def action_cap(rng: random.Random) -> Args:
    return (rng.randint(0, 10**12),)


def most_actions(rng: random.Random) -> Args:
    return rng.randint(0, 10**6), rng.randrange(2)


CASES: dict[str, Callable[[random.Random], Args]] = {
    "simvenue.money.fees.fee_e8": fee_e8,
    "simvenue.money.funding.premium": a_premium,
    "simvenue.money.funding.middle_premium": a_premium,
    "simvenue.money.funding.hourly_e10": hourly_e10,
    "simvenue.money.funding.cash_e8": cash_e8,
    "simvenue.money.prices.middle_px": middle_px,
    "simvenue.money.prices.bounded_px": bounded_px,
    "simvenue.money.margin.initial_e8": a_margin,
    "simvenue.money.margin.half_initial_e8": a_margin,
    "simvenue.money.margin.room_u": room_u,
    "simvenue.desk.actions.action_cap": action_cap,
    "simvenue.desk.actions.most_actions": most_actions,
    "simvenue.door.latency.draw": draw,
    "simvenue.door.latency.delay_at": delay_at,
    "simvenue.door.latency.arrive": arrive,
    "simvenue.book.levels.level_from": level_from,
    "simvenue.book.levels.shown_at": level_from,
    "simvenue.book.levels.recorded_at": level_from,
    "simvenue.book.levels.clear_levels": clear_levels,
    "simvenue.book.levels.drop_level": drop_level,
    "simvenue.book.levels.ruled_from": ruled_from,
    "simvenue.book.levels.ruled_at": ruled_from,
    "simvenue.book.levels.drop_ruled": drop_ruled,
    "simvenue.book.levels.set_ruled": set_ruled,
    "simvenue.book.levels.step_down": step_down,
    "simvenue.book.levels.row_of": level_from,
    "simvenue.book.levels.yield_level": yield_level,
    "simvenue.book.levels.seen_to": seen_to,
    "simvenue.book.levels.edge_of": edge_of,
    "simvenue.book.levels.lose_sight": lose_sight,
    "simvenue.book.levels.lies_within": lies_within,
    "simvenue.book.levels.open_level": open_level,
    "simvenue.book.levels.set_level": set_level,
    "simvenue.book.levels.best_level": best,
    "simvenue.book.levels.best_px": best,
    "simvenue.book.levels.is_seen": is_seen,
    "simvenue.book.levels.uncross": uncross,
    "simvenue.book.table.mark_of": mark_of,
    "simvenue.book.table.rank_from": rank_from,
    "simvenue.book.table.enqueue": enqueue,
    "simvenue.book.table.dequeue": dequeue,
    "simvenue.book.table.rank_of": rank_of,
    "simvenue.book.table.tell_level": tell_level,
    "simvenue.book.table.move_up": move_up,
    "simvenue.book.table.restack": restack,
    "simvenue.book.table.restack_at": restack_at,
    "simvenue.book.table.show_level": show_level,
    "simvenue.book.table.advance_queue": advance_queue,
    "simvenue.book.queue_model.share_behind": share_behind,
    "simvenue.book.queue_model.front_after": front_after,
    "simvenue.book.queue_model.unseen_ahead": unseen_ahead,
    "simvenue.book.matching.put": put,
    "simvenue.book.matching.withdraw": withdraw,
    "simvenue.book.matching.fill_resting": fill_resting,
    "simvenue.book.matching.fill_through": fill_side,
    "simvenue.book.matching.fill_at": fill_side,
    "simvenue.book.matching.is_whole": is_whole,
    "simvenue.book.matching.print_whole": fill_side,
    "simvenue.book.matching.play_print": play_print,
    "simvenue.book.matching.play_prints": play_prints,
    "simvenue.book.matching.play_levels": play_levels,
    "simvenue.book.matching.play_row": play_row,
    "simvenue.book.matching.play_stamp": play_stamp,
    "simvenue.book.quiet.set_quietly": set_quietly,
    "simvenue.book.quiet.stands_beyond": stands_beyond,
    "simvenue.book.quiet.play_quiet": play_quiet,
    "simvenue.book.matching.lose_place": lose_place,
    "simvenue.book.matching.play_gap": play_gap,
    "simvenue.book.matching.fill_crossed": fill_crossed,
    "simvenue.book.matching.look_up": look_up,
    "simvenue.book.matching.settle": settle,
    "simvenue.book.matching.rest_order": rest_order,
    "simvenue.book.matching.cancel_order": cancel_order,
    "simvenue.book.taking.take_source": take_source,
    "simvenue.book.taking.take_at": take_at,
    "simvenue.book.taking.take": take,
    "simvenue.book.taking.depth": depth,
    "simvenue.book.taking.impact_px": impact_px,
}
