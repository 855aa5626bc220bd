"""One random, valid argument tuple per kernel of the compiled replay, as plain lists."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from backtest import layout as lo
from backtest.fixed import L_CAP, L_LEVELS, L_LIFE, L_PRICE, L_ROWS, L_SHARE, L_TICKS
from quoter import rebuilt as rb
from quoter.features import FEATURES_MAX
from quoter.state import I_SZ_DECIMALS, NS, QUOTES_MAX
from simvenue.book import levels, matching, table
from tests.kernels.forecast_cases import PX, STEP, a_channel, a_feature_state, a_lean, a_model
from tests.kernels.quoter_cases import T0, _book, world

Args = tuple[Any, ...]

RING = 64
KEEP = 12
OUT_ROWS = 300


def a_ring(rng: random.Random, kinds: tuple[int, ...], *, filled: bool = True) -> list[int]:
    ring = [0] * (lo.RING_ROWS + lo.RING_STRIDE * RING)
    ring[lo.RING_SIZE] = RING
    head = rng.randint(0, 200)
    count = rng.randint(1, 20) if filled else rng.choice((0, 3, RING))
    ring[lo.RING_HEAD], ring[lo.RING_TAIL] = head, head + count
    t_ns = T0
    for k in range(head, head + count):
        row = lo.RING_ROWS + lo.RING_STRIDE * (k & (RING - 1))
        t_ns += rng.randint(0, NS // 10)
        px = PX + STEP * rng.randint(-9, 9)
        ring[row : row + 5] = [t_ns, rng.randrange(lo.SLOTS), rng.choice(kinds), px, rng.randint(1, 900)]
    return ring


def actions(rng: random.Random, *, filled: bool = True) -> list[int]:
    return a_ring(rng, (lo.PLACE, lo.MOVE, lo.CANCEL), filled=filled)


def news(rng: random.Random, *, filled: bool = True) -> list[int]:
    return a_ring(rng, (lo.RESTS, lo.TRADED, lo.ENDED), filled=filled)


def a_config(rng: random.Random) -> list[int]:
    config = [0] * lo.CF_LEN
    config[lo.CF_FEED], config[lo.CF_ORDER] = rng.randint(0, NS), rng.randint(0, NS)
    config[lo.CF_SILENCE], config[lo.CF_VISIBLE] = NS + NS // 2, rng.choice((5, 20))
    config[lo.CF_FROM_T], config[lo.CF_TO_T], config[lo.CF_END_T] = T0 - NS, T0 + 60 * NS, T0 + 90 * NS
    config[lo.CF_CYCLE] = rng.choice((0, NS))
    config[lo.CF_QUEUE], config[lo.CF_PROFILE] = rng.randrange(3), rng.randrange(2)
    config[lo.CF_FORECAST], config[lo.CF_CURVE] = rng.randrange(3), NS
    return config


def a_desk(rng: random.Random) -> list[int]:
    desk = [0] * lo.D_LEN
    desk[lo.D_POSITION], desk[lo.D_PULLED] = rng.randint(-900, 900), rng.randrange(2)
    for slot in range(lo.SLOTS):
        row = lo.D_ROWS + lo.K_STRIDE * slot
        desk[row + lo.K_LIVE], desk[row + lo.K_BUSY] = rng.randrange(2), rng.choice((0, 0, 1))
        desk[row + lo.K_PX] = desk[row + lo.K_WANT_PX] = PX + STEP * rng.randint(-9, 9)
        desk[row + lo.K_LEFT], desk[row + lo.K_WANT_SZ] = rng.randint(1, 900), rng.randint(0, 900)
    return desk


def a_venue(rng: random.Random) -> tuple[list[int], ...]:
    """bids, asks, orders, bid queue, ask queue, holders, out; the first 40 rows of the table are our slots."""
    sides = []
    for side in (1, -1):
        count = rng.randint(0, KEEP)
        book = [0] * (levels.HEAD + levels.STRIDE * (KEEP + 1))
        book[levels.B_N], book[levels.B_SIDE], book[levels.B_KEEP] = count, side, KEEP
        for k, distance in enumerate(sorted(rng.sample(range(20), count), reverse=True)):
            row = levels.HEAD + levels.STRIDE * k
            book[row + levels.L_PX], book[row + levels.L_SZ] = PX - side * STEP * (1 + distance), rng.randint(1, 900)
            book[row + levels.L_STAMP] = rng.randint(1, 4)
        sides.append(book)
    orders = [0] * (table.O_STRIDE * lo.SLOTS)
    standing: dict[int, list[int]] = {1: [], -1: []}
    for slot in rng.sample(range(lo.SLOTS), rng.randint(0, 12)):
        side, row = 1 if slot < QUOTES_MAX else -1, table.O_STRIDE * slot
        orders[row + table.O_SIDE], orders[row + table.O_PX] = side, PX - side * STEP * rng.randint(0, 9)
        orders[row + table.O_LEFT], orders[row + table.O_AHEAD] = rng.randint(1, 90), rng.choice((-1, 0, 50))
        orders[row + table.O_SEEN] = rng.randint(0, 60)
        standing[side].append(slot)
    queues = []
    for side, slots in standing.items():
        slots.sort(key=lambda slot: -side * orders[table.O_STRIDE * slot + table.O_PX])
        queues.append([len(slots), *slots] + [0] * (lo.SLOTS + 2 - len(slots)))
    holders = [rng.randint(-60, 60), 10**12]
    out = [0] * (1 + matching.E_STRIDE * OUT_ROWS)
    return sides[0], sides[1], orders, queues[0], queues[1], holders, out


def a_log(rows: int, stride: int) -> list[int]:
    return [0] * (lo.LOG_ROWS + stride * rows)


# ---------------------------------------------------------------------- desk
def push(rng: random.Random) -> Args:
    t_ns = T0 + rng.randint(0, NS)
    return news(rng, filled=False), a_desk(rng), t_ns, rng.randrange(lo.SLOTS), lo.TRADED, PX, rng.randint(1, 9)


def due(rng: random.Random) -> Args:
    return (actions(rng, filled=rng.random() < 0.7),)


def pop(rng: random.Random) -> Args:
    return (actions(rng),)


def send(rng: random.Random) -> Args:
    kind = rng.choice((lo.PLACE, lo.MOVE, lo.CANCEL))
    return a_desk(rng), actions(rng, filled=False), a_config(rng), T0, rng.randrange(lo.SLOTS), kind, PX, 5


def pull(rng: random.Random) -> Args:
    return a_desk(rng), actions(rng), a_config(rng), T0


def would_cross(rng: random.Random) -> Args:
    bids, asks, orders, bid_queue, ask_queue, _, _ = a_venue(rng)
    px = PX + STEP * rng.randint(-5, 5)
    if rng.random() < 0.5:
        return 1, px, orders, asks, ask_queue
    return -1, px, orders, bids, bid_queue


def arrive(rng: random.Random) -> Args:
    bids, asks, orders, bid_queue, ask_queue, _, _ = a_venue(rng)
    sent = actions(rng)
    at = lo.RING_ROWS + lo.RING_STRIDE * (sent[lo.RING_HEAD] & (RING - 1))
    row = table.O_STRIDE * sent[at + lo.G_SLOT]
    if orders[row + table.O_SIDE] != 0 and sent[at + lo.G_KIND] == lo.PLACE:
        sent[at + lo.G_KIND] = lo.MOVE  # nothing is placed where an order rests
    return a_desk(rng), sent, news(rng), a_config(rng), T0, bids, asks, orders, bid_queue, ask_queue


def hear(rng: random.Random) -> Args:
    return a_desk(rng), actions(rng), news(rng), a_config(rng), T0


def worst_case(rng: random.Random) -> Args:
    return a_desk(rng), rng.randrange(2), rng.randrange(lo.SLOTS)


def requote(rng: random.Random) -> Args:
    w = world(rng)
    mid = rng.choice((0.0, float(w.px_u)))
    return (
        a_desk(rng), actions(rng, filled=False), a_config(rng), T0, w.out, mid, rng.choice((500.0, 1e6)),
        rng.random(), rng.random(), rng.random(),
    )  # fmt: skip


def keep_places(rng: random.Random) -> Args:
    w = world(rng)
    rules = a_lean(rng)
    rules[L_PRICE], rules[L_LIFE], rules[L_SHARE] = rng.choice((0.0, 0.0005, 1.0)), rng.uniform(0, 100), rng.random()
    return a_desk(rng), w.state, rules, w.out


# ---------------------------------------------------------------------- deciding
def measure(rng: random.Random) -> Args:
    w = world(rng)
    return rng.randrange(2), w.state, w.ints, w.params, w.book, w.t_ns, rng.randint(0, 20), w.t_ns - NS


def decide(rng: random.Random) -> Args:
    w = world(rng)
    return rng.randrange(2), w.state, w.ints, w.params, a_lean(rng), w.book, w.t_ns, w.out


# ---------------------------------------------------------------------- replay
def take_fills(rng: random.Random) -> Args:
    out = [0] * (1 + matching.E_STRIDE * 12)
    out[0] = rng.randint(0, 10)
    for k in range(out[0]):
        row = 1 + matching.E_STRIDE * k
        kind = rng.choice((matching.FILLED, matching.PRINTED))
        out[row : row + 5] = [kind, rng.randrange(lo.SLOTS), PX, rng.randint(1, 90), 1]
    fills = a_log(rng.choice((2, 20)), lo.FILL_STRIDE)
    return out, T0, a_desk(rng), news(rng, filled=False), a_config(rng), fills


def draw_curve(rng: random.Random) -> Args:
    curve = a_log(3, lo.CURVE_STRIDE)
    curve[lo.LOG_N] = rng.randint(0, 3)
    return a_desk(rng), T0, rng.randint(-9, 9), 2 * PX, curve


def some_fills(rng: random.Random, n: int) -> list[int]:
    fills = a_log(n + 1, lo.FILL_STRIDE)
    fills[lo.LOG_N] = n
    for k in range(n):
        at = lo.LOG_ROWS + lo.FILL_STRIDE * k
        fills[at : at + 4] = [T0 + k * NS, rng.randrange(lo.SLOTS), PX, rng.randint(1, 90)]
    return fills


def learn(rng: random.Random) -> Args:
    w, n = world(rng), rng.randint(0, 8)
    desk = a_desk(rng)
    desk[lo.D_HEARD_N] = rng.randint(0, n)
    mid = rng.choice((0.0, PX + 0.5 * STEP))
    return desk, some_fills(rng, n), T0 + rng.randint(0, 70 * NS), mid, w.state, w.ints, w.params


def hold(rng: random.Random) -> Args:
    return a_desk(rng), world(rng).ints, T0


def a_tape(rng: random.Random) -> tuple[list[int], ...]:
    """Half a minute of a small market: what, px, sz, stamps, begins, begins of files."""
    what, px, sz, stamps, begin = [], [], [], [], [0]
    middle, t_ns = 0, T0
    for _ in range(rng.randint(2, 30)):
        t_ns += rng.choice((NS // 4, NS // 2, 3 * NS))
        middle += rng.choice((-1, 0, 0, 1))
        for _ in range(rng.randint(1, 8)):
            side = rng.choice((1, -1))
            away = rng.randint(1, 6)
            what.append(side if rng.random() < 0.8 else 2 * side)
            px.append(PX + STEP * (middle - side * away))
            sz.append(rng.choice((0, rng.randint(1, 900))) if abs(what[-1]) == 1 else rng.randint(1, 900))
        stamps.append(t_ns)
        begin.append(len(what))
    return what, px, sz, stamps, begin, [1, *([0] * (len(stamps) - 1))]


def replay(rng: random.Random) -> Args:
    tape = a_tape(rng)
    w = world(rng)
    w.ints[I_SZ_DECIMALS] = 5
    lean = a_lean(rng)
    lean[L_CAP], lean[L_TICKS], lean[L_LEVELS] = 5000.0, 1.0, min(lean[L_LEVELS], 5.0)
    for k in range(int(lean[L_LEVELS])):
        lean[L_ROWS + 2 * k + 1] = 900.0
    bids, asks, _, _, _, holders, out = a_venue(rng)
    bids[levels.B_N] = asks[levels.B_N] = 0
    config, channel = a_config(rng), a_channel(rng)
    config[lo.CF_FEED], config[lo.CF_ORDER] = NS // 10, 3 * NS // 10
    sides = [[0, side, KEEP] + [0] * (rb.STRIDE * (KEEP + 1)) for side in (1, -1)]
    empty_queue = [0] * (lo.SLOTS + 2)
    rings = [[0] * (lo.RING_ROWS + lo.RING_STRIDE * 512) for _ in range(2)]
    for ring in rings:
        ring[lo.RING_SIZE] = 512
    n = len(tape[3])
    return (
        *tape, config, 2.0, bids, asks, [0] * (table.O_STRIDE * lo.SLOTS), empty_queue, list(empty_queue), holders,
        out, *sides, channel, _book(rng, PX, STEP), *a_feature_state(rng), [0.0] * FEATURES_MAX, a_model(rng),
        [rng.gauss(0, 2) for _ in range(n)], w.state, w.ints, w.params, lean, w.out, [0] * lo.D_LEN, *rings,
        a_log(300, lo.FILL_STRIDE), a_log(200, lo.CURVE_STRIDE), [0] * n,
    )  # fmt: skip


CASES: dict[str, Callable[[random.Random], Args]] = {
    **{
        f"backtest.desk.{case.__name__}": case
        for case in (push, due, pop, send, pull, would_cross, arrive, hear, worst_case, requote)
    },
    "backtest.keeping.keep_places": keep_places,
    **{f"backtest.deciding.{case.__name__}": case for case in (measure, decide)},
    **{f"backtest.replay.{case.__name__}": case for case in (take_fills, draw_curve, learn, hold, replay)},
}
