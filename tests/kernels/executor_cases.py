"""Random inputs for the executor's kernels: plain and compiled must agree bit for bit."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from executor.economics import (
    T_A,
    T_FAIR,
    T_FLOOR,
    T_IN,
    T_K,
    T_LEN,
    T_LIFE,
    T_OUT,
    T_PRICE,
    T_QUEUE,
    T_SHARE,
    T_SIZE,
)


def _px_u(rng: random.Random) -> int:
    return rng.randrange(700_000, 800_000)


def _sz_u(rng: random.Random) -> int:
    return rng.randrange(1, 2_000)


def gap_bps(rng: random.Random) -> tuple[Any, ...]:
    return (rng.choice([0, -5, _px_u(rng)]), _px_u(rng))


def _terms(rng: random.Random) -> list[float]:
    terms = [0.0] * T_LEN
    for place, value in (
        (T_OUT, rng.uniform(0, 1)), (T_IN, rng.uniform(0, 1)), (T_SIZE, 0.3), (T_PRICE, rng.choice([0.0, 0.0005, 1e3])),
        (T_A, rng.choice([0.0, rng.uniform(0.01, 2)])), (T_K, rng.choice([0.0, rng.uniform(0.1, 2)])),
        (T_FAIR, rng.choice([0.0, 750_000.0])), (T_FLOOR, rng.uniform(0, 5)), (T_QUEUE, rng.uniform(0, 0.5)),
        (T_LIFE, rng.uniform(0, 100)), (T_SHARE, rng.random()),
    ):  # fmt: skip
        terms[place] = value
    return terms


def _usd(rng: random.Random) -> float:
    return rng.uniform(1, 1e4)


def _price(rng: random.Random) -> float:
    return rng.choice([0.0, 0.0005, 1e3])


def fill_chance(rng: random.Random) -> tuple[Any, ...]:
    return rng.uniform(0, 2), rng.uniform(0, 2), rng.uniform(-5, 5_000), rng.uniform(-1, 100)


def gain_usd(rng: random.Random) -> tuple[Any, ...]:
    return _usd(rng), rng.uniform(0, 20), rng.random()


def cost_usd(rng: random.Random) -> tuple[Any, ...]:
    return _usd(rng), _price(rng), rng.uniform(-0.1, 0.5), rng.random()


def band_bps(rng: random.Random) -> tuple[Any, ...]:
    return _usd(rng), _price(rng), rng.uniform(0, 0.5), rng.choice([0.0, rng.random()]), rng.uniform(0, 20)


def away_bps(rng: random.Random) -> tuple[Any, ...]:
    return rng.choice([0.0, 750_000.0]), _px_u(rng), rng.choice([1, -1])


def pays_to_stay(rng: random.Random) -> tuple[Any, ...]:
    px_u = _px_u(rng)
    return (
        rng.choice([1, -1]), rng.choice([px_u, 0]), px_u + rng.randrange(-60, 60), _usd(rng),
        rng.choice([0.0, 750_000.0]), rng.uniform(0, 5), rng.choice([0.0, 0.05]), rng.choice([0.0, 0.5]),
        rng.uniform(0, 100), _price(rng), rng.uniform(0, 0.5), rng.random(),
    )  # fmt: skip


def stays(rng: random.Random) -> tuple[Any, ...]:
    px_u, sz_u = _px_u(rng), _sz_u(rng)
    near_px_u = px_u + rng.randrange(-60, 60)
    near_sz_u = max(1, int(sz_u * rng.uniform(0.5, 1.6)))
    side = rng.choice([1, -1])
    return (_terms(rng), side, px_u, rng.choice([sz_u, 0]), near_px_u, near_sz_u, rng.random())


def assign(rng: random.Random) -> tuple[Any, ...]:
    side = rng.choice([1, -1])
    n, m = rng.randrange(0, 13), rng.randrange(0, 13)
    held = sorted((_px_u(rng) for _ in range(n)), reverse=side == 1)
    wanted = sorted((_px_u(rng) for _ in range(m)), reverse=side == 1)
    for i in range(min(n, m)):
        if rng.random() < 0.5:
            held[i] = wanted[i] + rng.randrange(-50, 50)
    held.sort(reverse=side == 1)
    sizes = [_sz_u(rng) for _ in range(n)]
    want_sizes = [sizes[i] if i < n and rng.random() < 0.7 else _sz_u(rng) for i in range(m)]
    locked = [int(rng.random() < 0.2) for _ in range(n)]
    out = [0] * (3 * n + 2 * m)
    place = [rng.random() for _ in range(n)]
    return (side, n, held, sizes, locked, place, m, wanted, want_sizes, _terms(rng), out)


CASES: dict[str, Callable[[random.Random], tuple[Any, ...]]] = {
    "executor.diff.gap_bps": gap_bps,
    "executor.economics.fill_chance": fill_chance,
    "executor.economics.gain_usd": gain_usd,
    "executor.economics.cost_usd": cost_usd,
    "executor.economics.band_bps": band_bps,
    "executor.economics.away_bps": away_bps,
    "executor.economics.pays_to_stay": pays_to_stay,
    "executor.economics.stays": stays,
    "executor.diff.assign": assign,
}
