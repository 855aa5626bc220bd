"""One random, valid argument tuple per kernel of riskd, as plain lists: compiled and plain must agree on it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

from common.config import Risk
from riskd import limits, losses, margin
from riskd.streak import SIZE

MODULES = (limits, losses, margin)
"""Importing a module registers its kernels."""


def ratio(rng: random.Random) -> float:
    """Around the limits, exactly on them, and far outside."""
    return rng.choice([0.0, 0.02, 0.05, 0.5, 0.7, 0.8, 0.85, 0.9, 1.0, 1e6, rng.random(), rng.uniform(-2, 2)])


def table_rows(rng: random.Random) -> list[float]:
    table = limits.limits_of(Risk(max_drawdown=rng.choice([0.02, 0.05, 0.3])))
    cells = [
        (row.figure, row.above, row.upto, row.mode, row.size_scale, row.spread_scale) for row in table
    ]  # fmt: skip
    return [float(cell) for row in cells for cell in row]


def judge(rng: random.Random) -> tuple[Any, ...]:
    figures = [ratio(rng) if rng.random() < 0.3 else 0.0 for _ in range(limits.FIGURES)]
    if rng.random() < 0.1:
        figures[rng.randrange(limits.FIGURES)] = math.nan
    rows = table_rows(rng)
    return figures, rows, len(rows) // limits.ROW, [0.0] * limits.OUT


def caps(rng: random.Random) -> tuple[Any, ...]:
    equity = rng.choice([0.0, -5.0, 1_000.0, 1e12, rng.uniform(0, 1e5)])
    out = [float(rng.randint(0, 4)), rng.random(), 1.0, 7.0, 7.0]
    return equity, rng.uniform(0, 0.25), rng.uniform(0, 0.5), out


def streak_of(rng: random.Random) -> list[float]:
    streak = [0.0] * SIZE
    streak[0] = float(rng.randint(0, 12))
    streak[1] = rng.uniform(0, 5)
    return streak


def a_fall(rng: random.Random) -> tuple[Any, ...]:
    return rng.choice((0, rng.randint(1, 10**13))), rng.randint(-(10**12), 10**13)


def a_loss(rng: random.Random) -> tuple[Any, ...]:
    return *a_fall(rng), rng.choice((0.0, 100.0)), rng.random()


def an_adverse_move(rng: random.Random) -> tuple[Any, ...]:
    return rng.randint(-5, 5), rng.choice((0.0, rng.uniform(1, 100))), rng.choice((0.0, rng.uniform(1, 100)))


CASES: dict[str, Callable[[random.Random], tuple[Any, ...]]] = {
    "riskd.losses.drawdown": a_fall,
    "riskd.losses.loss_share": a_loss,
    "riskd.losses.adverse_share": an_adverse_move,
    "riskd.limits.judge": judge,
    "riskd.limits.caps": caps,
    "riskd.margin.margin_ratio": lambda rng: (rng.uniform(-10, 2_000), rng.choice([0.0, -1.0, rng.uniform(0, 2_000)])),
    "riskd.margin.reducing": lambda rng: (float(rng.randint(0, 1)), ratio(rng), 0.85, 0.70),
    "riskd.streak.step": lambda rng: (streak_of(rng), rng.uniform(-5, 5), rng.uniform(10, 500), 0.2),
    "riskd.streak.kills": lambda rng: (streak_of(rng), 10.0, rng.uniform(0, 5_000), rng.choice([0.0, 0.001])),
}
