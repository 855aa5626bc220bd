"""One random, valid argument tuple per kernel of bars made into events, and of the search for crossed books."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

from backtest.data import bridge as br
from backtest.data import way as wy
from simvenue.book import levels
from simvenue.synthetic import layout
from tests.kernels.synthetic_cases import AT, T_NS, TICK, a_book, a_chance, a_state, some_terms

Args = tuple[Any, ...]
MS = 10**6
SPAN_NS = 60_000 * MS
ROOM = 4 * layout.ROWS_MAX


def a_bar(rng: random.Random) -> tuple[float, float, float, float]:
    """Open, high, low, close in px_u; now and then flat, or opening at an extreme."""
    px = float(AT * TICK)
    width = rng.choice((0.0, 20.0, 200.0, 2_000.0))
    prices = sorted(px + rng.uniform(-1.0, 1.0) * width for _ in range(4))
    low, a, b, high = prices
    if rng.random() < 0.5:
        a, b = b, a
    if rng.random() < 0.3:
        a = rng.choice((low, high))
    return a, high, low, b


def variance_of(high: float, low: float) -> float:
    spread = math.log(high / low) * 1e4
    return spread * spread / (4 * math.log(2))


def a_way(rng: random.Random) -> tuple[list[float], list[int]]:
    """A way being walked, and its clock."""
    way, clock = [0.0] * wy.W_LEN, [0] * wy.C_LEN
    opened, high, low, close = a_bar(rng)
    way[wy.W_QUIET], way[wy.W_RATE] = rng.uniform(0.1, 1.0), variance_of(high, low) / 60.0
    way[wy.W_LOW], way[wy.W_HIGH] = low, high
    clock[wy.C_LEGS] = rng.randint(1, 3)
    clock[wy.C_LEG] = rng.randrange(clock[wy.C_LEGS])
    for leg in range(clock[wy.C_LEGS]):
        way[wy.W_TARGET + leg] = (opened, low, close)[leg]
        clock[wy.C_END + leg] = T_NS + SPAN_NS * (leg + 1) // 3
    clock[wy.C_EVERY_NS] = rng.choice((0, 10**9))
    clock[wy.C_LOOK_NS] = T_NS + rng.randrange(1, 2_000) * MS if clock[wy.C_EVERY_NS] else wy.NEVER
    return way, clock


def within(rng: random.Random) -> tuple[list[float], list[float], list[int]]:
    """State, way and clock that fit each other: the price is within its bar."""
    way, clock = a_way(rng)
    state = a_state(rng)
    state[layout.S_FAIR] = rng.uniform(way[wy.W_LOW], way[wy.W_HIGH])
    return state, way, clock


def vectors(rng: random.Random) -> Args:
    state, way, clock = within(rng)
    rows = [0] * (1 + 3 * layout.ROWS_MAX)
    return state, some_terms(rng), a_book(rng), a_chance(rng), rows, way, clock


def columns(rng: random.Random) -> Args:
    """what, px, sz, stamps, begin, fair, counts with room for a few stamps."""
    counts = [0] * br.N_LEN
    stamps = 2_000
    return [0] * ROOM, [0] * ROOM, [0] * ROOM, [0] * stamps, [0] * (stamps + 1), [0.0] * stamps, counts


def low_first(rng: random.Random) -> Args:
    return (a_chance(rng), *a_bar(rng), rng.uniform(0.0, 50.0))


def lay(rng: random.Random) -> Args:
    bar = a_bar(rng)
    return a_chance(rng), [0.0] * wy.W_LEN, [0] * wy.C_LEN, T_NS, T_NS + SPAN_NS, *bar, variance_of(bar[1], bar[2])


def shares(rng: random.Random) -> Args:
    return [0.0] * wy.W_LEN, rng.choice((0.0, 3.0)), rng.uniform(0.0, 5.0), rng.uniform(0.0, 300.0)


def left(rng: random.Random) -> Args:
    way, clock = a_way(rng)
    return way, clock, T_NS + rng.randrange(0, 60_000) * MS


def going(rng: random.Random) -> Args:
    state, way, _ = within(rng)
    return state, way, rng.gauss(0.0, 20.0)


def drifting(rng: random.Random) -> Args:
    state, way, clock = within(rng)
    end_ns = clock[wy.C_END + clock[wy.C_LEG]]
    return state, some_terms(rng), a_chance(rng), way, clock, T_NS, rng.randint(T_NS, end_ns)


def told(rng: random.Random) -> Args:
    return some_terms(rng), a_chance(rng), rng.choice((-1.0, rng.expovariate(1.0)))


def likely(rng: random.Random) -> Args:
    state, way, clock = within(rng)
    return state, way, clock, T_NS + MS, rng.choice((0.0, rng.gauss(0.0, 2.0)))


def choosing(rng: random.Random) -> Args:
    state, way, clock = within(rng)
    return state, some_terms(rng), a_book(rng), a_chance(rng), way, clock


def opening(rng: random.Random) -> Args:
    return a_book(rng), T_NS


def entering(rng: random.Random) -> Args:
    return (*vectors(rng), T_NS, T_NS + SPAN_NS, *a_bar(rng), rng.uniform(0.0, 1.0))


def writing(rng: random.Random) -> Args:
    state, _, book, _, rows, _, _ = vectors(rng)
    rows[layout.R_COUNT] = rng.randrange(5)
    for k in range(rows[layout.R_COUNT]):
        rows[layout.R_WHAT + k], rows[layout.R_PX + k] = rng.choice((1, -1, 2, -2)), AT * TICK
        rows[layout.R_SZ + k] = rng.randint(0, 900)
    return state, book, rows, T_NS, *columns(rng)


def standing(rng: random.Random) -> Args:
    state, terms, book, chance, rows, _, _ = vectors(rng)
    return state, terms, book, chance, rows, float(AT * TICK) * (1 + rng.gauss(0.0, 1e-3)), T_NS + MS


def walking(rng: random.Random) -> Args:
    """A few seconds of a leg."""
    state, terms, book, chance, rows, way, clock = vectors(rng)
    for leg in range(clock[wy.C_LEGS]):
        clock[wy.C_END + leg] = T_NS + (leg + 1) * 1_500 * MS
    book[layout.B_DUE_NS] = T_NS + rng.randrange(1, 900) * MS
    if clock[wy.C_EVERY_NS]:
        clock[wy.C_LOOK_NS] = T_NS + rng.randrange(1, 900) * MS
    return state, terms, book, chance, rows, way, clock, *columns(rng)


def crossed(rng: random.Random) -> Args:
    instants = rng.randint(1, 12)
    begin = [0]
    for _ in range(instants):
        begin.append(begin[-1] + rng.randint(1, 5))
    what = [rng.choice((1, 1, -1, -1, 2, 3, -3)) for _ in range(begin[-1])]
    scale = [1 if k < begin[-1] * rng.random() * 2 else 5 for k in range(begin[-1])]  # sometimes in another unit
    px = [times * (AT * TICK + TICK * rng.randint(-4, 4)) for times in scale]
    sz = [rng.choice((0, 5, 9)) for _ in what]
    flags = [1, *(int(rng.random() < 0.2) for _ in range(instants - 1))]
    books = [levels.new_book(side, 20) for side in (1, -1)]
    return what, px, sz, begin, flags, *([int(x) for x in book] for book in books), [0] * 4


def named(room: str, cases: dict[str, Callable[[random.Random], Args]]) -> dict[str, Callable[[random.Random], Args]]:
    return {f"{room}.{name}": case for name, case in cases.items()}


def two_prices(rng: random.Random) -> Args:
    return rng.uniform(1.0, 9e6), rng.uniform(1.0, 9e6)


CASES: dict[str, Callable[[random.Random], Args]] = {
    **named(
        "backtest.data.way",
        {
            "apart_bps": two_prices, "low_comes_first": low_first, "lay_way": lay, "share_variance": shares,
            "range_variance": two_prices, "left_bps2": left, "go": going, "drift": drifting, "told_bps": told,
            "likelihood": likely, "choose": choosing,
        },
    ),
    **named(
        "backtest.data.bridge",
        {
            "order": vectors, "reopen": opening, "write": writing, "stand_at": standing, "enter": entering,
            "happen": vectors, "walk": walking,
        },
    ),
    "backtest.data.oddities.find_crossed": crossed,
}  # fmt: skip
