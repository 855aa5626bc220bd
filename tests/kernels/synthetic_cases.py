"""One random, valid argument tuple per kernel of the made-up markets and of their survey, as plain lists."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from simvenue.book import levels
from simvenue.synthetic import layout, survey
from simvenue.synthetic.chance import M2, WORDS
from simvenue.synthetic.flows import FLOWS, planted
from simvenue.synthetic.planting import budget, terms_of
from tests.kernels.drawn import uniforms

Args = tuple[Any, ...]

T_NS = 1_780_000_000 * 10**9
UNIT = 1_000
TICK = 10
AT = 75_240
"""Where the books stand, in ticks."""
BUY, SELL = 1, -1
FLOW_NAMES = tuple(FLOWS)


def a_chance(rng: random.Random) -> list[int]:
    return [rng.randrange(1, M2) for _ in range(WORDS)]


@functools.cache
def _terms(name: str, informed: float, excites: bool) -> tuple[float, ...]:
    """`informed`: of a planted flow, 0 = as calibrated."""
    flow = FLOWS[name]
    if informed:
        flow = planted(flow, {"r2": 0.1, "informed": informed, "vol": 2.0})
    if not excites:
        flow = replace(flow, own_excitement=0.0, other_excitement=0.0, cooling_per_s=0.0)
    return tuple(float(x) for x in terms_of(budget(flow, 0.9)))


def some_terms(rng: random.Random) -> list[float]:
    informed = rng.choice((1.0, 0.3)) if rng.random() < 0.4 else 0.0
    return list(_terms(rng.choice(FLOW_NAMES), informed, rng.random() >= 0.2))


def a_state(rng: random.Random) -> list[float]:
    state = [0.0] * layout.STATES
    state[layout.S_FAIR] = float(AT * TICK) * (1 + rng.gauss(0.0, 2e-4))
    state[layout.S_PENDING], state[layout.S_SIGNAL] = rng.gauss(0.0, 1.0), rng.gauss(0.0, 1.0)
    state[layout.S_HEAT_BUY], state[layout.S_HEAT_SELL] = rng.uniform(0.0, 2.0), rng.uniform(0.0, 2.0)
    state[layout.S_ACTIVITY], state[layout.S_WIDTH] = rng.uniform(0.02, 3.0), rng.choice((1.0, 3.0, 5.0))
    state[layout.S_LEAN], state[layout.S_EXPECTED] = rng.gauss(0.0, 1.0), rng.gauss(0.0, 0.5)
    return state


def a_side(rng: random.Random) -> int:
    return rng.choice((BUY, SELL))


def a_book(rng: random.Random, *, may_be_new: bool = False) -> list[int]:
    """A whole quoted book, now and then wide; or one that shows nothing yet."""
    book = [0] * layout.BOOKS
    book[layout.B_NOW_NS] = T_NS
    book[layout.B_DUE_NS] = T_NS + rng.randrange(1, 3_000) * 10**6
    book[layout.B_DUE_SIDE] = rng.choice((BUY, SELL, 0))
    book[layout.B_UNIT] = UNIT
    if may_be_new and rng.random() < 0.1:
        book[layout.B_DUE_NS], book[layout.B_DUE_SIDE] = T_NS, 0
        return book
    book[layout.B_TICK] = TICK if not may_be_new or rng.random() < 0.95 else 1
    book[layout.B_SPREAD] = rng.randint(1, 4)
    bid = AT + rng.randint(-3, 3)
    ask = bid + book[layout.B_SPREAD] + rng.choice((0, 0, 0, 4))
    for side, touch in ((BUY, bid), (SELL, ask)):
        book[layout.B_BID if side == BUY else layout.B_ASK] = touch
        end = touch - side * (layout.LEVELS - 1)
        book[layout.B_BID_END if side == BUY else layout.B_ASK_END] = end
        base = layout.B_SIZES + (0 if side == BUY else layout.RING)
        for k, sz in enumerate(uniforms(rng, layout.LEVELS, 1, 60_001)):
            book[base + (touch - side * k) % layout.RING] = int(sz)
    return book


def no_rows(rng: random.Random) -> list[int]:
    rows = [0] * (1 + 3 * layout.ROWS_MAX)
    if rng.random() < 0.01:
        rows[0] = layout.ROWS_MAX
    return rows


# ---------------------------------------------------------------------- chance, layout
def chance_only(rng: random.Random) -> Args:
    return (a_chance(rng),)


def tail_normal(rng: random.Random) -> Args:
    return (rng.uniform(1e-9, 0.02425),)


def put(rng: random.Random) -> Args:
    return no_rows(rng), rng.choice((1, -1, 2, -2)), rng.randint(1, 10**6), rng.randint(0, 10**6)


def straight(rng: random.Random) -> Args:
    begin, count = rng.choice(((layout.T_DENSITY, layout.DENSITIES), (layout.T_SIZES, layout.SIZES)))
    return some_terms(rng), begin, count, rng.uniform(-0.2, 8.0)


# ---------------------------------------------------------------------- arrivals
def outside_rate(rng: random.Random) -> Args:
    return a_state(rng), some_terms(rng)


def excite(rng: random.Random) -> Args:
    return a_state(rng), some_terms(rng), a_side(rng)


def cool(rng: random.Random) -> Args:
    return a_state(rng), some_terms(rng), rng.uniform(0.0, 2_000.0)


def schedule(rng: random.Random) -> Args:
    return a_state(rng), some_terms(rng), a_book(rng), a_chance(rng)


# ---------------------------------------------------------------------- fair
def quoted_px(rng: random.Random) -> Args:
    return (a_state(rng),)


def shift(rng: random.Random) -> Args:
    return a_state(rng), rng.gauss(0.0, 3.0)


def imbalance(rng: random.Random) -> Args:
    return a_state(rng), some_terms(rng), rng.gauss(0.0, 3.0)


def rare_size(rng: random.Random) -> Args:
    return a_chance(rng), rng.choice((0.0, rng.uniform(0.0, 5.0))), rng.uniform(0.0, 4.0)


def stepped(rng: random.Random) -> Args:
    return a_state(rng), some_terms(rng), a_chance(rng), rng.choice((0.001, rng.uniform(0.001, 60.0)))


def told_by_order(rng: random.Random) -> Args:
    return a_state(rng), some_terms(rng), a_chance(rng), a_side(rng), rng.choice((-1.0, rng.expovariate(1.0)))


# ---------------------------------------------------------------------- makers
def place(rng: random.Random) -> Args:
    return a_side(rng), rng.randint(-1_000, 200_000)


def book_side(rng: random.Random) -> Args:
    return a_book(rng), a_side(rng)


def set_touch(rng: random.Random) -> Args:
    return a_book(rng), a_side(rng), AT


def tick_of(rng: random.Random) -> Args:
    return math.exp(rng.uniform(math.log(50.0), math.log(5e9))), 10 ** rng.randint(0, 6)


def contracts(rng: random.Random) -> Args:
    return rng.uniform(0.0, 1e6), rng.uniform(1.0, 1e6), rng.randint(0, 1)


def deep_sz(rng: random.Random) -> Args:
    return some_terms(rng), a_book(rng), a_chance(rng), AT + rng.randint(-150, 150), AT + 0.5 * rng.randint(-4, 4)


def touch_sz(rng: random.Random) -> Args:
    return a_state(rng), some_terms(rng), a_book(rng), a_chance(rng), a_side(rng)


def show(rng: random.Random) -> Args:
    return a_book(rng), no_rows(rng), a_side(rng), AT + rng.randint(-100, 100), rng.choice((0, rng.randint(1, 10**6)))


def pull(rng: random.Random) -> Args:
    side, begin = a_side(rng), AT + rng.randint(-20, 20)
    return a_book(rng), no_rows(rng), side, begin, begin - side * rng.randint(0, 30)


def fill(rng: random.Random) -> Args:
    side, begin = a_side(rng), AT + rng.randint(-20, 20)
    end = begin - side * rng.randint(0, 30)
    return some_terms(rng), a_book(rng), a_chance(rng), no_rows(rng), side, begin, end, float(AT)


def move_side(rng: random.Random) -> Args:
    far = rng.choice((5, 5, 5, 400))
    to = AT + rng.randint(-far, far)
    return some_terms(rng), a_book(rng), a_chance(rng), no_rows(rng), a_side(rng), to, float(to)


def clear(rng: random.Random) -> Args:
    return a_book(rng), no_rows(rng)


def open_book(rng: random.Random) -> Args:
    return a_book(rng, may_be_new=True), TICK, AT


def wanted(rng: random.Random) -> Args:
    return a_state(rng), some_terms(rng), a_book(rng), a_chance(rng)


def requote_side(rng: random.Random) -> Args:
    to = AT + rng.randint(-8, 8)
    return a_state(rng), some_terms(rng), a_book(rng), a_chance(rng), no_rows(rng), a_side(rng), to, to + 0.5


def whole(rng: random.Random) -> Args:
    return a_state(rng), some_terms(rng), a_book(rng, may_be_new=True), a_chance(rng), no_rows(rng)


def written(rng: random.Random) -> Args:
    """A few stamps, until the time is over or the columns are full."""
    state, terms, book, chance, rows = whole(rng)
    columns = [[0] * (2 * layout.ROWS_MAX) for _ in range(3)]
    stamps = rng.randrange(4)
    until_ns = book[layout.B_DUE_NS] + rng.randrange(2_000) * 10**6
    return state, terms, book, chance, rows, until_ns, *columns, [0] * stamps, [0] * stamps, [0.0] * stamps, [0, 0]


# ---------------------------------------------------------------------- aggressors
def size_usd(rng: random.Random) -> Args:
    return some_terms(rng), rng.random()


def print_at(rng: random.Random) -> Args:
    return some_terms(rng), a_chance(rng), no_rows(rng), 2 * a_side(rng), AT * TICK, rng.randint(1, 100_000)


def take_touch(rng: random.Random) -> Args:
    return some_terms(rng), a_book(rng), a_chance(rng), no_rows(rng), a_side(rng), rng.randint(1, 100_000)


def stop_at(rng: random.Random) -> Args:
    return a_book(rng), a_side(rng), rng.choice((0.01, rng.expovariate(0.3), 90.0))


def sweep(rng: random.Random) -> Args:
    side, book = a_side(rng), a_book(rng)
    stop = book[layout.B_ASK if side == BUY else layout.B_BID] + side * rng.randint(1, 40)
    return some_terms(rng), book, a_chance(rng), no_rows(rng), side, rng.randint(1, 100_000), stop


def trade(rng: random.Random) -> Args:
    return some_terms(rng), a_book(rng), a_chance(rng), no_rows(rng), a_side(rng)


# ---------------------------------------------------------------------- survey
def seen_book(rng: random.Random, side: int) -> list[int]:
    count = rng.randint(0, 15)
    book = [0] * (levels.HEAD + levels.STRIDE * levels.LEVELS)
    book[levels.B_N], book[levels.B_SIDE], book[levels.B_KEEP] = count, side, levels.LEVELS
    for k, px in enumerate(sorted(rng.sample(range(1_000), count), reverse=side == SELL)):
        row = levels.HEAD + levels.STRIDE * k
        book[row + levels.L_PX], book[row + levels.L_SZ] = AT - side * 1_000 + side * px, rng.randint(1, 99)
    return book


def note_print(rng: random.Random) -> Args:
    orders = [0.0] * (survey.ORDER_STRIDE * 6)
    count = rng.randint(0, 4)
    for k in range(count):
        at = survey.ORDER_STRIDE * k
        orders[at], orders[at + 1], orders[at + 4] = float(rng.randint(5, 7)), float(a_side(rng)), float(AT)
    return orders, count, 7, a_side(rng), AT + rng.randint(-9, 9), rng.randint(1, 99)


def note_depth(rng: random.Random) -> Args:
    edges = list(survey.EDGES_BPS)
    return seen_book(rng, a_side(rng)), float(AT), rng.randint(0, 20), edges, [0.0] * (len(edges) + 1), rng.random()


def note_touch(rng: random.Random) -> Args:
    return seen_book(rng, BUY), seen_book(rng, SELL), [0] * (survey.TOUCH_STRIDE * 4), rng.randint(0, 3)


def walk(rng: random.Random) -> Args:
    stamps = rng.randint(0, 12)
    begins = [0]
    for _ in range(stamps):
        begins.append(begins[-1] + rng.randint(0, 8))
    what = [rng.choice((1, 1, -1, -1, 2, -2, 0)) for _ in range(begins[-1])]
    px = [AT + rng.randint(-12, 12) for _ in what]
    size = [rng.randint(int(abs(w) == 2), 60) for w in what]
    lasts = [rng.choice((-1.0, 0.0, rng.random())) for _ in range(stamps)]
    edges = list(survey.EDGES_BPS)
    books = ([int(x) for x in levels.new_book(side)] for side in (BUY, SELL))
    return (
        what, px, size, begins, lasts, 20, *books, [0] * (survey.TOUCH_STRIDE * stamps),
        [0.0] * (survey.ORDER_STRIDE * (2 * stamps + 1)), edges, [0.0] * (len(edges) + 1),
    )  # fmt: skip


CASES: dict[str, Callable[[random.Random], Args]] = {
    "simvenue.synthetic.chance.uniform": chance_only,
    "simvenue.synthetic.chance.waiting": chance_only,
    "simvenue.synthetic.chance.normal": chance_only,
    "simvenue.synthetic.chance.tail_normal": tail_normal,
    "simvenue.synthetic.layout.put": put,
    "simvenue.synthetic.layout.straight": straight,
    "simvenue.synthetic.arrivals.outside_rate": outside_rate,
    "simvenue.synthetic.arrivals.excite": excite,
    "simvenue.synthetic.arrivals.cool": cool,
    "simvenue.synthetic.arrivals.schedule": schedule,
    "simvenue.synthetic.fair.quoted_px": quoted_px,
    "simvenue.synthetic.fair.shift": shift,
    "simvenue.synthetic.fair.expected_drift": outside_rate,
    "simvenue.synthetic.fair.imbalance": imbalance,
    "simvenue.synthetic.fair.rare_size": rare_size,
    "simvenue.synthetic.fair.untraded_move": stepped,
    "simvenue.synthetic.fair.learn_signal": stepped,
    "simvenue.synthetic.fair.move": stepped,
    "simvenue.synthetic.fair.told_by_order": told_by_order,
    "simvenue.synthetic.makers.place": place,
    "simvenue.synthetic.makers.touch": book_side,
    "simvenue.synthetic.makers.set_touch": set_touch,
    "simvenue.synthetic.makers.outermost": book_side,
    "simvenue.synthetic.makers.tick_of": tick_of,
    "simvenue.synthetic.makers.contracts": contracts,
    "simvenue.synthetic.makers.deep_sz": deep_sz,
    "simvenue.synthetic.makers.touch_sz": touch_sz,
    "simvenue.synthetic.makers.show": show,
    "simvenue.synthetic.makers.pull": pull,
    "simvenue.synthetic.makers.fill": fill,
    "simvenue.synthetic.makers.move_side": move_side,
    "simvenue.synthetic.makers.clear": clear,
    "simvenue.synthetic.makers.open_book": open_book,
    "simvenue.synthetic.makers.wanted_spread": wanted,
    "simvenue.synthetic.makers.wanted_bid": wanted,
    "simvenue.synthetic.makers.requote_side": requote_side,
    "simvenue.synthetic.makers.requote": whole,
    "simvenue.synthetic.aggressors.size_usd": size_usd,
    "simvenue.synthetic.aggressors.print_at": print_at,
    "simvenue.synthetic.aggressors.take_touch": take_touch,
    "simvenue.synthetic.aggressors.stop_at": stop_at,
    "simvenue.synthetic.aggressors.sweep": sweep,
    "simvenue.synthetic.aggressors.trade": trade,
    "simvenue.synthetic.aggressors.next_stamp": whole,
    "simvenue.synthetic.stretch.write_until": written,
    "simvenue.synthetic.survey.note_print": note_print,
    "simvenue.synthetic.survey.note_depth": note_depth,
    "simvenue.synthetic.survey.note_touch": note_touch,
    "simvenue.synthetic.survey.walk": walk,
}
