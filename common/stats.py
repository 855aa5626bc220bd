"""Figures with their uncertainty: weighted means with a block-bootstrap interval, and volatility on a fixed grid.

Plain Python and seeded, so that the same input gives the same digits everywhere. It leaves to others what the figures
decide. Values are whatever the caller measures (bps for edges), weights are usually USD.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from common.clock import NS
from common.errors import OurFault

BLOCKS_MIN = 8
"""Fewer independent blocks and a percentile interval is far too narrow: none is given."""
YEAR_S = 365.0 * 86_400.0


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the bounds of its interval; the bounds are None when there are too few blocks to tell."""

    mean: float
    lo: float | None
    hi: float | None
    n: int
    blocks: int


def weighted_mean(values: Sequence[float], weights: Sequence[float]) -> float | None:
    """Sum of value x weight over sum of weights; None without weight."""
    total = math.fsum(weights)
    return math.fsum(v * w for v, w in zip(values, weights, strict=True)) / total if total > 0 else None


def bootstrap_mean(
    values: Sequence[float],
    weights: Sequence[float],
    blocks: Sequence[int],
    *,
    seed: int,
    level: float = 0.95,
    draws: int = 2_000,
) -> Interval | None:
    """Weighted mean with a percentile interval, resampling whole blocks; None without weight.

    `blocks[i]` names the block of `values[i]` (for example its hour or its 10 minutes): what lies in one block may
    depend on each other, blocks hardly. Source: Kuensch (1989), with non-overlapping blocks (Carlstein 1986).
    """
    mean = weighted_mean(values, weights)
    if mean is None:
        return None
    sums: dict[int, list[float]] = {}
    for value, weight, block in zip(values, weights, blocks, strict=True):
        of_block = sums.setdefault(block, [0.0, 0.0])
        of_block[0] += value * weight
        of_block[1] += weight
    pairs = [sums[block] for block in sorted(sums)]
    if len(pairs) < BLOCKS_MIN:
        return Interval(mean, None, None, len(values), len(pairs))
    means = sorted(_resampled(pairs, random.Random(seed), draws))
    tail = (1.0 - level) / 2.0
    return Interval(mean, _quantile(means, tail), _quantile(means, 1.0 - tail), len(values), len(pairs))


def _resampled(pairs: Sequence[Sequence[float]], rng: random.Random, draws: int) -> list[float]:
    means = []
    for _ in range(draws):
        drawn = rng.choices(pairs, k=len(pairs))
        weight = sum(pair[1] for pair in drawn)
        if weight > 0:
            means.append(sum(pair[0] for pair in drawn) / weight)
    return means


def _quantile(ordered: Sequence[float], q: float) -> float:
    """Linear between the two nearest of a sorted sequence."""
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


# ---------------------------------------------------------------------- volatility
@dataclass(frozen=True, slots=True)
class Vol:
    """`annual` as a ratio (0.2 = 20 %) and the number of returns it rests on."""

    annual: float
    returns: int


class VolMeter:
    """Root mean square of log returns between grid points, annualised with 365 days.

    The grid is `origin + k x step`; its mid is the last one with a venue time at or before the point, so a quiet
    interval is a return of zero, and a silence is zeros and then one whole move: nothing is skipped. The first point
    that has a mid gives no return. Thus the figure depends on the mids and the two times alone, not on when they
    arrived, and equals the same statistic of a recording. Mids are twice-mid integers in venue-time order; one that
    is older than the newest is ignored, one with the same stamp replaces it.
    """

    def __init__(self, origin_t_ns: int, step_s: float = 5.0) -> None:
        self._step_ns = int(step_s * NS)
        if self._step_ns <= 0:
            raise OurFault(f"volatility step of {step_s} s")
        self._next_t_ns = origin_t_ns  # the first grid point that is not closed
        self._t_ns = -1
        self._mid2 = 0
        self._grid_mid2 = 0  # mid at the last closed point, 0 = none yet
        self._sum_sq = 0.0
        self._returns = 0

    def on_mid(self, t_ns: int, mid2_px_u: int) -> None:
        """A touch with both sides."""
        if t_ns < self._t_ns or mid2_px_u <= 0:
            return
        if t_ns > self._next_t_ns:
            self._close(t_ns)
        self._t_ns, self._mid2 = t_ns, mid2_px_u

    def read(self, until_t_ns: int) -> Vol | None:
        """The volatility up to the last grid point at or before `until_t_ns`; None before the first return.

        `until_t_ns` must not lie before the newest mid: points that are closed stay counted.
        """
        points = max((until_t_ns - self._next_t_ns) // self._step_ns + 1, 0) if self._mid2 else 0
        sum_sq, returns = self._sum_sq, self._returns
        if points and self._grid_mid2:
            sum_sq += math.log(self._mid2 / self._grid_mid2) ** 2
            returns += points
        elif points:
            returns += points - 1
        if returns == 0:
            return None
        return Vol(math.sqrt(sum_sq / returns * YEAR_S * NS / self._step_ns), returns)

    def _close(self, before_t_ns: int) -> None:
        """Close all grid points before `before_t_ns` with the mid known so far."""
        points = (before_t_ns - 1 - self._next_t_ns) // self._step_ns + 1
        self._next_t_ns += points * self._step_ns
        if not self._mid2:
            return
        if self._grid_mid2:
            self._sum_sq += math.log(self._mid2 / self._grid_mid2) ** 2
            self._returns += points
        else:
            self._returns += points - 1
        self._grid_mid2 = self._mid2


def rms_vol(mids: Iterable[tuple[int, int]], origin_t_ns: int, end_t_ns: int, step_s: float = 5.0) -> Vol | None:
    """The same figure from a whole recording: (venue_t_ns, twice-mid) in time order, up to `end_t_ns`."""
    meter = VolMeter(origin_t_ns, step_s)
    for t_ns, mid2_px_u in mids:
        if t_ns > end_t_ns:
            break
        meter.on_mid(t_ns, mid2_px_u)
    return meter.read(end_t_ns)
