"""The planted figures of a made-up market, estimated from its event stream alone: A, k, eps, eta, R2.

`flows.py` says what they mean. Every estimate comes with its standard error, so that a test can say how near it must
be. A reach is seen rounded down to a tick, which both fits allow for. Needs numpy, like `measures.py`, on whose
arrays it works.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simvenue.synthetic.measures import Market, markouts, reaches

BLOCK_S = 300.0
"""Orders cluster: the error of a rate is that of its counts in blocks of this length."""


@dataclass(frozen=True, slots=True)
class Estimate:
    value: float
    error: float  # one standard error

    def agrees_with(self, truth: float, errors: float = 3.0) -> bool:
        return abs(self.value - truth) <= errors * self.error


def fit_intensity(m: Market, from_bps: float, tick_u: int) -> tuple[Estimate, Estimate]:
    """A (per second and side) and k (per bps) of lambda(x) = A exp(-k x), from the reaches of at least `from_bps`.

    What lies beyond the first tick there is geometric, and k its maximum-likelihood estimate; every reach counts
    exp(k x) for the distance x of that first tick, which makes a count at 0 of it.
    """
    reach = reaches(m)
    far = reach >= from_bps
    tick_bps = tick_u / m.order_mid[far] * 1e4
    steps = np.floor((reach[far] - from_bps) / tick_bps)
    k = np.log1p(1 / steps.mean()) / tick_bps.mean()
    k_error = k / np.sqrt(len(steps))
    first = reach[far] - steps * tick_bps
    at_zero = np.exp(k * first)
    a = at_zero.sum() / m.span_s / 2
    counts = np.bincount((m.order_t_s[far] / BLOCK_S).astype(int), at_zero, int(m.span_s / BLOCK_S) + 1)
    a_error = np.hypot(counts.std() * np.sqrt(len(counts)) / m.span_s / 2, a * first.mean() * k_error)
    return Estimate(float(a), float(a_error)), Estimate(float(k), float(k_error))


def fit_impact(m: Market, from_bps: float, horizon_s: float, tick_u: int) -> tuple[Estimate, Estimate]:
    """eps and eta: the straight line of the moves after orders through their reach, from `from_bps` on."""
    seen, move = reaches(m), markouts(m, horizon_s)
    used = (seen >= from_bps) & np.isfinite(move)
    x, y = (seen + 0.5 * tick_u / m.order_mid * 1e4)[used], move[used]
    design = np.stack([np.ones(len(x)), x], axis=1)
    inverse = np.linalg.inv(design.T @ design)
    eps, eta = inverse @ design.T @ y
    rest = y - design @ np.array([eps, eta])
    spread = inverse @ (design.T * rest**2) @ design @ inverse  # each order's own variance (White)
    return Estimate(float(eps), float(np.sqrt(spread[0, 0]))), Estimate(float(eta), float(np.sqrt(spread[1, 1])))


def r_squared(forecast: Any, move: Any) -> float:
    """Share of the moves' variance a forecast explains as it stands, without fitting."""
    return float(1 - np.mean((move - forecast) ** 2) / np.mean(move**2))
