"""One random, valid argument tuple per kernel of the compiled replay, as plain lists."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from backtest.loop import account as ac
from backtest.loop import course as co
from backtest.loop import layout as lo
from backtest.loop import pictures as pt
from backtest.loop import places as pc
from backtest.loop import reference as rf
from backtest.loop.account import A_LEN
from backtest.loop.deciding import PRODUCTION
from backtest.loop.executing import TYPES, new_executing
from backtest.loop.fixed import L_CAP, L_LEVELS, L_LIFE, L_PRICE, L_ROWS, L_SHARE, L_TICKS
from backtest.loop.guard import new_guard
from backtest.loop.own import new_own
from backtest.loop.slots import SLOTS_A_SIDE
from common.config import Risk, load
from common.kernel import istate
from quoter import rebuilt as rb
from quoter.features import FEATURES_MAX
from quoter.state import I_SZ_DECIMALS, NS, O_LEN, O_ROWS, O_SIDE, QUOTES_MAX
from simvenue.book import levels, matching, table
from tests.kernels.forecast_cases import PX, STEP, a_channel, a_feature_state, a_lean, a_model
from tests.kernels.quoter_cases import T0, _book, world

Args = tuple[Any, ...]

RING = 64
KEEP = 12
SETTINGS = load("quoter", over={"MARKET": "standx"})
OUT_ROWS = 300


def a_ring(rng: random.Random, kinds: tuple[int, ...], *, filled: bool = True) -> list[int]:
    drawn = [rng.randint(0, NS) for _ in range(rng.choice((0, 4)))]
    ring = [0] * (lo.RING_ROWS + lo.RING_STRIDE * RING) + drawn
    ring[lo.RING_SIZE], ring[lo.RING_DELAY], ring[lo.RING_DRAWN] = RING, rng.randint(0, NS), len(drawn)
    head = rng.randint(0, 200)
    count = rng.randint(1, 20) if filled else rng.choice((0, 3, RING))
    ring[lo.RING_HEAD], ring[lo.RING_TAIL] = head, head + count
    t_ns = T0
    for k in range(head, head + count):
        row = lo.RING_ROWS + lo.RING_STRIDE * (k & (RING - 1))
        t_ns += rng.randint(0, NS // 10)
        px = PX + STEP * rng.randint(-9, 9)
        ring[row : row + 6] = [t_ns, rng.randrange(lo.SLOTS), rng.choice(kinds), px, rng.randint(1, 900), t_ns]
    return ring


def actions(rng: random.Random, *, filled: bool = True) -> list[int]:
    return a_ring(rng, (lo.PLACE, lo.MOVE, lo.CANCEL), filled=filled)


def news(rng: random.Random, *, filled: bool = True) -> list[int]:
    return a_ring(rng, (lo.RESTS, lo.TRADED, lo.ENDED, lo.KEPT, lo.TOOK), filled=filled)


def a_config(rng: random.Random) -> list[int]:
    config = [0] * lo.CF_LEN
    config[lo.CF_FEED], config[lo.CF_ASKS] = rng.randint(0, NS), QUOTES_MAX
    config[lo.CF_MARKET_FIRST], config[lo.CF_OWN] = rng.randrange(2), rng.randrange(2)
    config[lo.CF_WHOLE] = int(rng.random() < 0.2)
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
        queues.append([len(slots), *[0] * table.MARKS, *slots] + [0] * (lo.SLOTS + 2 - len(slots)))
        for slot in slots:
            queues[-1][table.mark_of(orders[table.O_STRIDE * slot + table.O_PX])] += 1
    holders = [rng.randint(-60, 60), 10**12]
    out = [0] * (1 + matching.E_STRIDE * OUT_ROWS)
    return sides[0], sides[1], orders, queues[0], queues[1], holders, out


def an_account(rng: random.Random) -> tuple[list[int], list[float]]:
    """An account in the middle of a tape (or none), and its sums."""
    if rng.random() < 0.2:
        return [0] * ac.A_LEN, [0.0] * ac.Y_LEN
    charges = ac.Charges(
        rng.choice((30_000, 150_000, -10_000)), 450_000, rng.choice((3, 10, 20)), 20, rng.choice((10.0, 1_000.0)),
        rng.random() < 0.5, rng.random() < 0.5, rng.random() < 0.5, rng.choice((0.0, 1e-5)),
    )  # fmt: skip
    made, sums = ac.new_account(charges, T0)
    account, sums = [int(x) for x in made], [float(x) for x in sums]
    account[ac.A_MARK] = rng.choice((0, PX))
    account[ac.A_ORACLE], account[ac.A_LAST] = PX + STEP * rng.randint(-3, 3), rng.choice((0, PX))
    account[ac.A_POSITION], account[ac.A_BASIS_E6] = rng.randint(-900, 900), rng.randint(-(10**9), 10**9)
    account[ac.A_SENT], account[ac.A_SLOW_T] = rng.choice((0, 9_990, 10_400)), T0 - rng.randint(0, 20 * NS)
    account[ac.A_BEFORE_SENT], account[ac.A_BEFORE_EARNED_E6] = rng.choice((0, 400)), rng.choice((0, 300 * 10**6))
    account[ac.A_FUNDING_E8] = rng.randint(-(10**7), 10**7)
    account[ac.A_PRICE_T] = rng.choice((0, T0 + 60 * NS))
    sums[ac.Y_PREMIUM], sums[ac.Y_SAMPLES] = rng.gauss(0, 1e-3), float(rng.randint(0, 5))
    return account, sums


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
    return a_desk(rng), actions(rng, filled=False), T0, rng.randrange(lo.SLOTS), kind, PX, 5


def next_kind(rng: random.Random) -> Args:
    return (actions(rng),)


def pull(rng: random.Random) -> Args:
    return a_desk(rng), actions(rng), T0


def would_cross(rng: random.Random) -> Args:
    bids, asks, orders, bid_queue, ask_queue, _, _ = a_venue(rng)
    px = PX + STEP * rng.randint(-5, 5)
    if rng.random() < 0.5:
        return 1, px, rng.randrange(2), orders, asks, ask_queue
    return -1, px, rng.randrange(2), orders, bids, bid_queue


def arrive(rng: random.Random) -> Args:
    bids, asks, orders, bid_queue, ask_queue, _, _ = a_venue(rng)
    sent = actions(rng)
    at = lo.RING_ROWS + lo.RING_STRIDE * (sent[lo.RING_HEAD] & (RING - 1))
    row = table.O_STRIDE * sent[at + lo.G_SLOT]
    if orders[row + table.O_SIDE] != 0 and sent[at + lo.G_KIND] == lo.PLACE:
        sent[at + lo.G_KIND] = lo.MOVE  # nothing is placed where an order rests
    account, _ = an_account(rng)
    return a_desk(rng), account, sent, news(rng), a_config(rng), T0, bids, asks, orders, bid_queue, ask_queue


def hear(rng: random.Random) -> Args:
    return a_desk(rng), actions(rng), news(rng), T0


def worst_case(rng: random.Random) -> Args:
    return a_desk(rng), rng.randrange(2), rng.randrange(lo.SLOTS)


def requote(rng: random.Random) -> Args:
    w = world(rng)
    mid = rng.choice((0.0, float(w.px_u)))
    return (
        a_desk(rng), actions(rng, filled=False), T0, w.out, mid, rng.choice((500.0, 1e6)),
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
    fair = rng.choice((0.0, PX + 0.4))
    return out, T0, fair, a_desk(rng), an_account(rng)[0], news(rng, filled=False), a_config(rng), fills


def log_fill(rng: random.Random) -> Args:
    slot, fills = rng.randrange(lo.SLOTS), a_log(rng.choice((0, 3)), lo.FILL_STRIDE)
    account = an_account(rng)[0]
    return a_desk(rng), account, fills, T0, slot, rng.randrange(2), PX, rng.randint(1, 90), PX + 0.4, rng.randrange(2)


def draw_curve(rng: random.Random) -> Args:
    curve = a_log(3, lo.CURVE_STRIDE)
    curve[lo.LOG_N] = rng.randint(0, 3)
    account = [rng.randint(0, 10**9) for _ in range(A_LEN)]
    return a_desk(rng), account, T0, rng.randint(-9, 9), 2 * PX, curve


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
    t_ns = T0 + rng.randint(0, 70 * NS)
    since_ns = rng.choice((NS, 31 * NS))
    return desk, some_fills(rng, n), t_ns, t_ns + NS // 10, mid, since_ns, w.state, w.ints, w.params


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
    config[lo.CF_FEED] = NS // 10
    sides = [[0, side, KEEP] + [0] * (rb.STRIDE * (KEEP + 1)) for side in (1, -1)]
    empty_queue = [0] * (table.Q_ROWS + 2 * SLOTS_A_SIDE + 2)
    rings = [[0] * (lo.RING_ROWS + lo.RING_STRIDE * 512) for _ in range(2)]
    for ring, delay in zip(rings, (3 * NS // 10, NS // 10), strict=True):
        ring[lo.RING_SIZE], ring[lo.RING_DELAY] = 512, delay
    n = len(tape[3])
    executes = rng.random() < 0.5
    if executes:
        config[lo.CF_EXECUTES], config[lo.CF_PROFILE], config[lo.CF_ASKS] = 1, PRODUCTION, SLOTS_A_SIDE
        config[lo.CF_PACE] = NS // 50
        config[lo.CF_TICK], config[lo.CF_PLAN], config[lo.CF_REBALANCE] = NS // 20, NS // 5, NS // 2
    executing = [
        [int(x) for x in vector] if kind.startswith("i") else [float(x) for x in vector]
        for kind, vector in zip(TYPES, new_executing(SETTINGS if executes else None, 5), strict=True)
    ]
    account, sums = an_account(rng)
    account[ac.A_DUE_T] = T0 if account[ac.A_ON] == 1 else lo.NEVER
    guarding = [
        list(map(float, vector)) for vector in new_guard(Risk.model_validate({}) if rng.random() < 0.5 else None)
    ]
    own = [int(x) for x in new_own()] if executes else [0]
    return (
        *tape, config, 2.0, bids, asks, [0] * (table.O_STRIDE * 2 * SLOTS_A_SIDE), empty_queue, list(empty_queue),
        holders, out, *sides, channel, _book(rng, PX, STEP), *a_feature_state(rng), [0.0] * FEATURES_MAX, a_model(rng),
        [rng.gauss(0, 2) for _ in range(n)], w.state, w.ints, w.params, lean, w.out, [0] * lo.D_LEN, *rings,
        a_log(300, lo.FILL_STRIDE), a_log(200, lo.CURVE_STRIDE), [0] * n,
        *tape[:5], [], [], [], account, sums, [], [], [], [], *guarding, *executing, own, a_course(rng),
    )  # fmt: skip


def a_course(rng: random.Random) -> list[int]:
    """A replay that begins, to its end or for a while."""
    course = [0] * co.C_LEN
    for timer in co.TIMERS:
        course[timer] = lo.NEVER
    course[co.C_UNTIL_T] = rng.choice((lo.NEVER, T0 + rng.randint(0, 20 * NS)))
    return course


def next_tick(rng: random.Random) -> Args:
    return T0, T0 + rng.randint(-NS, 9 * NS), rng.choice((0, NS // 20))


def see_best(rng: random.Random) -> Args:
    tape = a_tape(rng)
    bids, asks, *_ = a_venue(rng)
    told = [t + NS // 3 for t in tape[3]] if rng.random() < 0.5 else []
    return *tape[:5], told, 0, T0 + rng.randint(0, 20 * NS), a_config(rng), bids, asks


def hear_prints(rng: random.Random) -> Args:
    tape, w = a_tape(rng), world(rng)
    return tape[0], tape[1], 0, len(tape[0]), w.t_ns, w.state, w.ints, w.params


def play_until(rng: random.Random) -> Args:
    tape = a_tape(rng)
    curve, fills = a_log(60, lo.CURVE_STRIDE), a_log(60, lo.FILL_STRIDE)
    bids, asks, orders, bid_queue, ask_queue, holders, out = a_venue(rng)
    return (
        *tape, 0, len(tape[3]), T0 + rng.randint(0, 20 * NS), a_config(rng), 2.0, bids, asks, orders, bid_queue,
        ask_queue, holders, out, rng.choice((0.0, PX + 0.4)), a_desk(rng), an_account(rng)[0],
        news(rng, filled=False), fills, curve, [0] * rng.choice((0, len(tape[3]))),
    )  # fmt: skip


# ---------------------------------------------------------------------- account, guard, forced
def book_fill(rng: random.Random) -> Args:
    return an_account(rng)[0], rng.choice((1, -1)), PX, rng.randint(1, 2_000), rng.randrange(2)


def equity_e8(rng: random.Random) -> Args:
    desk = a_desk(rng)
    desk[lo.D_CASH] = rng.randint(-(10**9), 10**9)
    return an_account(rng)[0], desk, rng.randint(-900, 900)


def charge_action(rng: random.Random) -> Args:
    desk = a_desk(rng)
    desk[lo.D_VOLUME] = rng.choice((0, 5 * 10**8))
    return an_account(rng)[0], desk, rng.choice((lo.PLACE, lo.CANCEL)), T0


def earned_e6(rng: random.Random) -> Args:
    return charge_action(rng)[:2]


def sent_in_all(rng: random.Random) -> Args:
    return (an_account(rng)[0],)


def told_prices(rng: random.Random) -> tuple[list[int], list[int], list[int], list[float]]:
    if rng.random() < 0.5:
        return [], [], [], []
    n = rng.randint(1, 5)
    times = [T0 - NS + k * NS for k in range(n)]
    return times, [PX + k for k in range(n)], [PX - k for k in range(n)], [rng.gauss(0, 1e-5) for _ in range(n)]


def price(rng: random.Random) -> Args:
    return an_account(rng)[0], rng.choice((0, 2 * PX + 3)), T0 + rng.randint(0, 4 * NS), *told_prices(rng)[:3]


def sample_premium(rng: random.Random) -> Args:
    bids, asks, orders, bid_queue, ask_queue, _, _ = a_venue(rng)
    account, sums = an_account(rng)
    account[ac.A_IMPACT_E6] = rng.choice((10**6, 10**10, 10**15))
    return account, sums, bids, asks, orders, bid_queue, ask_queue


def pay_funding(rng: random.Random) -> Args:
    times, _, _, rates = told_prices(rng)
    account, sums = an_account(rng)
    account[ac.A_HOUR_T] = T0
    return account, sums, rng.randint(-900, 900), times, rates


def rest_until_price(rng: random.Random) -> Args:
    account, _ = an_account(rng)
    account[ac.A_PRICE_T], account[ac.A_SAMPLE_T] = (T0 + rng.randint(-4 * NS, 4 * NS) for _ in range(2))
    return (account,)


def look_again(rng: random.Random) -> Args:
    account, _ = an_account(rng)
    account[ac.A_TICK_T] = T0 + rng.randint(-4 * NS, 4 * NS)
    return account, T0


def measure_margin(rng: random.Random) -> Args:
    return *an_account(rng), a_desk(rng), rng.randint(-900, 900)


def is_liquidated(rng: random.Random) -> Args:
    return an_account(rng)[0], a_desk(rng), rng.randint(-900, 900)


def look(rng: random.Random) -> Args:
    bids, asks, orders, bid_queue, ask_queue, _, _ = a_venue(rng)
    now = T0 + rng.randint(0, 7_200) * NS
    account, sums = an_account(rng)
    account[ac.A_HOUR_T] = max(account[ac.A_HOUR_T], T0)  # an hour since 1970 each would be paid
    return account, sums, a_desk(rng), 50, now, *told_prices(rng), bids, asks, orders, bid_queue, ask_queue


def flatten(rng: random.Random) -> Args:
    desk = a_desk(rng)
    desk[lo.D_TAKING] = rng.randrange(2)
    return desk, actions(rng, filled=False), T0, rng.choice((0.0, PX + 0.5))


def take_off(rng: random.Random) -> Args:
    bids, asks, orders, bid_queue, ask_queue, holders, out = a_venue(rng)
    side = rng.choice((1, -1))
    return (
        a_desk(rng), an_account(rng)[0], news(rng, filled=False), a_log(60, lo.FILL_STRIDE), T0, side,
        PX + side * STEP * rng.randint(0, 30), rng.randint(1, 90), 0.0, bids, asks, orders, bid_queue, ask_queue,
        holders, out,
    )  # fmt: skip


def take_next(rng: random.Random) -> Args:
    bids, asks, orders, bid_queue, ask_queue, holders, out = a_venue(rng)
    return (
        a_desk(rng), an_account(rng)[0], actions(rng), news(rng, filled=False), a_log(60, lo.FILL_STRIDE), T0, 0.0,
        bids, asks, orders, bid_queue, ask_queue, holders, out,
    )  # fmt: skip


def withdraw_all(rng: random.Random) -> Args:
    _, _, orders, bid_queue, ask_queue, _, _ = a_venue(rng)
    return a_desk(rng), news(rng, filled=False), rng.choice((bid_queue, ask_queue)), orders, T0


def liquidate(rng: random.Random) -> Args:
    bids, asks, orders, bid_queue, ask_queue, holders, out = a_venue(rng)
    holders[0] = holders[0] or 5
    account = an_account(rng)[0]
    account[ac.A_MARK] = PX
    return (
        a_desk(rng), account, news(rng, filled=False), a_log(60, lo.FILL_STRIDE), T0, 0.0, bids, asks, orders,
        bid_queue, ask_queue, holders, out,
    )  # fmt: skip


def score_fills(rng: random.Random) -> Args:
    knobs = [float(x) for x in new_guard(Risk.model_validate({}))[0]]
    losing = [float(rng.randint(0, 6)), rng.uniform(0, 3)]
    return an_account(rng)[0], some_fills(rng, 8), T0 + rng.randint(0, 20) * NS, 2 * PX + 40, knobs, losing


def guard(rng: random.Random) -> Args:
    vectors = [list(map(float, vector)) for vector in new_guard(Risk.model_validate({}))]
    return (
        an_account(rng)[0], a_desk(rng), some_fills(rng, 8), rng.randint(-900, 900), rng.randint(0, 10**11),
        rng.random(), PX, T0 + rng.randint(0, 20) * NS, *vectors,
    )  # fmt: skip


# ---------------------------------------------------------------------- the reference and its desk
def some_places(rng: random.Random) -> list[int]:
    """A desk on which a few decisions were taken and half of their news heard."""
    places, desk, ring = pc.new_places(PX - 40 * STEP, PX + 40 * STEP, STEP), lo.new_desk(), lo.new_ring(0, (), 512)
    for _ in range(rng.randint(0, 3)):
        target = istate(O_LEN)
        target[:] = a_target(rng)
        pc.requote_places(desk, ring, T0, target, places)
        for _ in range(rng.randint(0, 5)):
            if ring[lo.RING_HEAD] < ring[lo.RING_TAIL]:
                row = lo.RING_ROWS + lo.RING_STRIDE * ring[lo.RING_HEAD]
                answer = lo.RESTS if ring[row + lo.G_KIND] == lo.PLACE else lo.ENDED
                ring[row + lo.G_KIND] = answer
                pc.hear_place(desk, ring, places)
    return [int(x) for x in places]


def a_target(rng: random.Random) -> list[int]:
    out = [0] * O_LEN
    for side in range(2):
        for k, away in enumerate(sorted(rng.sample(range(1, 30), rng.randint(0, 6)))):
            out[O_ROWS + side * O_SIDE + 2 * k] = PX - (1 - 2 * side) * STEP * away
            out[O_ROWS + side * O_SIDE + 2 * k + 1] = rng.randint(1, 9)
            out[side] = k + 1
    return out


def in_use(rng: random.Random) -> tuple[list[int], int]:
    """Places and one of the slots in use."""
    while True:
        places = some_places(rng)
        if places[pc.PL_ACTIVE] > 0:
            return places, places[pc.PL_SLOTS + rng.randrange(places[pc.PL_ACTIVE])]


def mark_of(rng: random.Random) -> Args:
    return some_places(rng), rng.randrange(2), PX + STEP * rng.randint(-60, 60)


def hear_place(rng: random.Random) -> Args:
    places, slot = in_use(rng)
    heard = a_ring(rng, (lo.RESTS, lo.TRADED, lo.ENDED))
    heard[lo.RING_ROWS + lo.RING_STRIDE * (heard[lo.RING_HEAD] & (RING - 1)) + lo.G_SLOT] = slot
    return a_desk(rng), heard, places


def requote_places(rng: random.Random) -> Args:
    return a_desk(rng), actions(rng, filled=False), T0, a_target(rng), some_places(rng)


def tiers(rng: random.Random) -> Args:
    bid = rng.randint(5_000, 90_000)
    rules = [float(x) for x in rf.new_reference(10, 5)]
    near = rng.choice((0, 700)), rng.randint(0, 900)
    return rules, bid, bid + rng.randint(1, 20), *near, rng.randint(-65, 65), [0] * O_LEN


def show_best(rng: random.Random) -> Args:
    bids, asks, *_ = a_venue(rng)
    return rng.choice((bids, asks)), [0] * 12, rng.randrange(2)


def some_pictures(rng: random.Random) -> list[int]:
    pictures = [int(x) for x in pt.new_pictures(T0 + rng.randint(0, 5 * NS), rng.randint(0, 3))]
    pictures[pt.P_SHOWN] = rng.randint(0, 20)
    pictures[pt.P_TAKEN] = pictures[pt.P_SHOWN] + rng.randint(0, pt.PICTURES)
    for at in range(pt.P_ROWS, len(pictures), pt.SIDE):
        pictures[at] = rng.randint(0, rf.SEEN_TICKS)
        pictures[at + 1 : at + pt.SIDE] = [rng.randint(1, 900) for _ in range(pt.SIDE - 1)]
    return pictures


def take_pictures(rng: random.Random) -> Args:
    bids, asks, *_ = a_venue(rng)
    return some_pictures(rng), rng.randint(0, 3), NS // 2, a_tape(rng)[3], bids, asks


def show_picture(rng: random.Random) -> Args:
    return some_pictures(rng), _book(rng, PX, STEP)


def near_touch(rng: random.Random) -> Args:
    return _book(rng, PX, STEP), rng.randrange(2), STEP


def quote_reference(rng: random.Random) -> Args:
    rules = [float(x) for x in rf.new_reference(STEP, 5)]
    return rules, rng.randint(-400, 400), _book(rng, PX, STEP), [0] * O_LEN


CASES: dict[str, Callable[[random.Random], Args]] = {
    **{
        f"backtest.loop.desk.{case.__name__}": case
        for case in (push, due, pop, next_kind, send, pull, would_cross, arrive, hear, worst_case, requote)
    },
    "backtest.loop.desk.post": send,
    "backtest.loop.keeping.keep_places": keep_places,
    **{f"backtest.loop.deciding.{case.__name__}": case for case in (measure, decide)},
    **{f"backtest.loop.pictures.{case.__name__}": case for case in (take_pictures, show_picture)},
    **{f"backtest.loop.learning.{case.__name__}": case for case in (learn, hear_prints, hold)},
    "backtest.replay.replay": replay,
    "backtest.loop.course.next_tick": next_tick,
    **{f"backtest.loop.market.{case.__name__}": case for case in (log_fill, take_fills, draw_curve, play_until)},
    **{
        f"backtest.loop.account.{case.__name__}": case
        for case in (
            book_fill,
            equity_e8,
            charge_action,
            earned_e6,
            sent_in_all,
            price,
            sample_premium,
            pay_funding,
            measure_margin,
            rest_until_price,
            look_again,
            is_liquidated,
            look,
        )
    },
    **{
        f"backtest.loop.forced.{case.__name__}": case
        for case in (flatten, take_off, take_next, withdraw_all, liquidate)
    },
    **{f"backtest.loop.guard.{case.__name__}": case for case in (score_fills, guard)},
    **{f"backtest.loop.places.{case.__name__}": case for case in (mark_of, hear_place, requote_places)},
    "backtest.loop.places.leave": in_use,
    "backtest.loop.places.release": in_use,
    **{
        f"backtest.loop.reference.{case.__name__}": case
        for case in (tiers, show_best, near_touch, see_best, quote_reference)
    },
}
