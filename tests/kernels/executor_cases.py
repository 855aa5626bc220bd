"""Random inputs for the executor's kernels: plain and compiled must agree bit for bit."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any


def _px_u(rng: random.Random) -> int:
    return rng.randrange(700_000, 800_000)


def _sz_u(rng: random.Random) -> int:
    return rng.randrange(1, 2_000)


def gap_bps(rng: random.Random) -> tuple[Any, ...]:
    return (rng.choice([0, -5, _px_u(rng)]), _px_u(rng))


def stays(rng: random.Random) -> tuple[Any, ...]:
    px_u, sz_u = _px_u(rng), _sz_u(rng)
    near_px_u = px_u + rng.randrange(-60, 60)
    near_sz_u = max(1, int(sz_u * rng.uniform(0.5, 1.6)))
    return (px_u, rng.choice([sz_u, 0]), near_px_u, near_sz_u, rng.uniform(0.0, 1.0), 0.3, rng.choice([0.0, 0.0005]))


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
    return (side, n, held, sizes, locked, m, wanted, want_sizes, rng.uniform(0.1, 1.0), 0.3, 0.0005, out)


CASES: dict[str, Callable[[random.Random], tuple[Any, ...]]] = {
    "executor.diff.gap_bps": gap_bps,
    "executor.diff.stays": stays,
    "executor.diff.assign": assign,
}
