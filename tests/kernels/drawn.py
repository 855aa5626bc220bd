"""Long random vectors for kernel cases, cheaply: slices of two pools at a drawn place.

Drawing a few hundred numbers one by one for every case took longer than all kernels together.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from common.kernel import istate, state

POOL = 8_192
_chance = random.Random("pools")
NORMALS = [_chance.gauss(0.0, 1.0) for _ in range(POOL)]
UNIFORMS = [_chance.random() for _ in range(POOL)]


def normals(rng: random.Random, n: int, mean: float = 0.0, sd: float = 1.0) -> list[float]:
    """n numbers of a normal distribution."""
    at = rng.randrange(POOL - n)
    return [mean + sd * x for x in NORMALS[at : at + n]]


def uniforms(rng: random.Random, n: int, low: float = 0.0, high: float = 1.0) -> list[float]:
    """n numbers from `low` on below `high`."""
    at = rng.randrange(POOL - n)
    return [low + (high - low) * x for x in UNIFORMS[at : at + n]]


def as_vector(values: Sequence[float]) -> Any:
    """The same numbers as this process' kernels take them: a case may need a kernel to be made."""
    vector = state(len(values)) if isinstance(values[0], float) else istate(len(values))
    vector[:] = values
    return vector
