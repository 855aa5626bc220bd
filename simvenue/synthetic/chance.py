"""Random numbers for kernels: one stream is six integers, the same in plain Python and compiled.

L'Ecuyer's combined generator MRG32k3a ("Good parameters and implementations for combined multiple recursive random
number generators", Operations Research 1999, figure 1): period 2^191, every product below 2^53. A normal number is
Acklam's rational approximation of the inverse distribution (relative error below 1.2e-9), so one draw is one number.
"""

from __future__ import annotations

import math
from random import Random
from typing import Any

from common.kernel import istate, kernel
from simvenue.book.levels import Ints

M1 = 4_294_967_087
M2 = 4_294_944_443
A12, A13 = 1_403_580, 810_728
A21, A23 = 527_612, 1_370_589
SCALE = 2.328306549295727688e-10
"""1 / (M1 + 1)."""
WORDS = 6

TAIL = 0.02425
"""Below this share, and above 1 less it, the normal distribution's tails have their own formula."""


def new_chance(name: str) -> Any:
    """A stream of its own for every name."""
    chance = istate(WORDS)
    draw = Random(name)
    chance[:] = [draw.randrange(1, M2) for _ in range(WORDS)]
    return chance


@kernel("f8(i8[::1])")
def uniform(chance: Ints) -> float:
    """The next number in (0, 1)."""
    p1 = (A12 * chance[1] - A13 * chance[0]) % M1
    chance[0] = chance[1]
    chance[1] = chance[2]
    chance[2] = p1
    p2 = (A21 * chance[5] - A23 * chance[3]) % M2
    chance[3] = chance[4]
    chance[4] = chance[5]
    chance[5] = p2
    gap = p1 - p2
    if gap <= 0:
        gap += M1
    return float(gap) * SCALE


@kernel("f8(i8[::1])")
def waiting(chance: Ints) -> float:
    """Exponential with mean 1."""
    return -math.log(uniform(chance))


@kernel("f8(f8)")
def tail_normal(share: float) -> float:
    """The normal quantile of a small share, below 0."""
    q = math.sqrt(-2.0 * math.log(share))
    top = ((((-7.784894002430293e-3 * q - 3.223964580411365e-1) * q - 2.400758277161838) * q - 2.549732539343734) * q
           + 4.374664141464968) * q + 2.938163982698783  # fmt: skip
    bottom = (((7.784695709041462e-3 * q + 3.224671290700398e-1) * q + 2.445134137142996) * q + 3.754408661907416) * q
    return top / (bottom + 1.0)


@kernel("f8(i8[::1])")
def normal(chance: Ints) -> float:
    """Standard normal."""
    share = uniform(chance)
    if share < TAIL:
        return tail_normal(share)
    if share > 1.0 - TAIL:
        return -tail_normal(1.0 - share)
    q = share - 0.5
    r = q * q
    top = ((((-3.969683028665376e1 * r + 2.209460984245205e2) * r - 2.759285104469687e2) * r + 1.383577518672690e2) * r
           - 3.066479806614716e1) * r + 2.506628277459239  # fmt: skip
    bottom = ((((-5.447609879822406e1 * r + 1.615858368580409e2) * r - 1.556989798598866e2) * r
               + 6.680131188771972e1) * r - 1.328068155288572e1) * r + 1.0  # fmt: skip
    return top * q / bottom
