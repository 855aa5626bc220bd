"""How far a made-up market's mid stands above its oracle.

A normal number Z that forgets slowly - a share of it within hours, the rest within days, as hourly funding does
(autocorrelation 0.88 after an hour, 0.51 after a day; market-data.md, table 6) - is read as a quantile: the flow's
`premium_bps` gives the premium at each Z. Funding is then what `money/funding.py` makes of it; its atom at the interest
rate is the clamp's.
"""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

from common.clock import NS
from simvenue.synthetic.flows import Points

STEP_NS = 60 * NS
"""The premium changes this often, whenever it is asked for: what is asked does not change the market."""
STEP_H = STEP_NS / (3_600 * NS)
FAST_SHARE, FAST_H = 0.3, 4.0
SLOW_H = 140.0


class Basis:
    """The premium as time goes on."""

    def __init__(self, points: Points, seed: int, origin_ns: int) -> None:
        self._points = points
        self._chance = Random(f"basis {seed}")
        self._fast, self._slow = self._chance.gauss(0.0, 1.0), self._chance.gauss(0.0, 1.0)
        self._t_ns = origin_ns
        self._premium = self._read()

    def premium(self, t_ns: int) -> float:
        """As a share of the oracle; times do not run backwards."""
        while self._t_ns + STEP_NS <= t_ns:
            self._t_ns += STEP_NS
            self._fast = self._later(self._fast, STEP_H / FAST_H)
            self._slow = self._later(self._slow, STEP_H / SLOW_H)
            self._premium = self._read()
        return self._premium

    def _later(self, value: float, steps: float) -> float:
        kept = math.exp(-steps)
        return value * kept + math.sqrt(1 - kept * kept) * self._chance.gauss(0.0, 1.0)

    def _read(self) -> float:
        z = math.sqrt(FAST_SHARE) * self._fast + math.sqrt(1 - FAST_SHARE) * self._slow
        return premium_bps(self._points, z) * 1e-4


def premium_bps(points: Points, z: float) -> float:
    """Straight lines between the points, flat beyond them."""
    if z <= points[0][0]:
        return points[0][1]
    for (z0, bps0), (z1, bps1) in pairwise(points):
        if z <= z1:
            return bps0 + (bps1 - bps0) * (z - z0) / (z1 - z0)
    return points[-1][1]
