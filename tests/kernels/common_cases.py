"""Random valid arguments for the kernels of `common`."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any


def _a_price(rng: random.Random) -> tuple[int, int]:
    """A price in units, over every number of digits, and its market's size decimals."""
    sz_decimals = rng.randint(0, 6)
    magnitude = rng.randint(0, 13)
    px_u = rng.choice((10**magnitude, 10**magnitude - 1, rng.randint(0, 10 ** (magnitude + 1))))
    return px_u, sz_decimals


def _a_markout(rng: random.Random) -> tuple[int, int, int]:
    """Side, a fill's price and bid + ask."""
    return rng.choice((1, -1)), rng.randint(10**5, 10**7), rng.randint(2 * 10**5, 2 * 10**7)


CASES: dict[str, Callable[[random.Random], tuple[Any, ...]]] = {
    "common.ticks.tick_u": _a_price,
    "common.ticks.floor_px": _a_price,
    "common.ticks.ceil_px": _a_price,
    "common.markout.markout_bps": _a_markout,
}
