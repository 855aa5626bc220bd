"""How likely is a liquidation: blocks of the played account resampled into many paths, each watched to its end.

A path is liquidated when its equity falls to the maintenance margin of what it holds (half the initial margin at the
market's highest leverage; hyperliquid.md 10). Two accounts are watched: the one that was played, whose position is
capped at half its equity whatever the leverage, and one that takes the chosen leverage at its word and holds
`leverage` x equity at the cap (positions, PnL and maintenance scaled alike). The first is the headline; the second
says what the leverage would mean without the cap. USD.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtest.report.blocks import SUMS, Blocks
from backtest.scoring import HOUR_NS

PATHS = 10_000
CHUNK = 500
HORIZON_DAYS = 30.0
Z90 = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class Liquidation:
    """Share of paths liquidated within `days`, with its Wilson interval; None = nothing to resample."""

    probability: float | None
    lo: float | None
    hi: float | None
    days: float
    scale: float


def liquidation(blocks: Blocks, equity_usd: float, scale: float, seed: int) -> Liquidation:
    """Resample `HORIZON_DAYS` of blocks `PATHS` times; positions are `scale` x those played."""
    steps = max(round(HORIZON_DAYS * 24 * HOUR_NS / blocks.length_ns), 1)
    if len(blocks.number) < 2:
        return Liquidation(None, None, None, HORIZON_DAYS, scale)
    rng = np.random.default_rng(seed)
    net, need = scale * blocks.sums[:, SUMS.index("net")], scale * blocks.need
    dead = 0
    for first in range(0, PATHS, CHUNK):
        at = rng.integers(0, len(net), (min(CHUNK, PATHS - first), steps))
        begin = equity_usd + np.cumsum(net[at], 1) - net[at]
        dead += int(((begin + need[at]) <= 0.0).any(1).sum())
    lo, hi = wilson(dead, PATHS)
    return Liquidation(dead / PATHS, lo, hi, HORIZON_DAYS, scale)


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """90 % interval of a share."""
    share, z2 = hits / trials, Z90 * Z90
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z90 / (1 + z2 / trials) * np.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    return float(centre - half) if hits else 0.0, float(centre + half) if hits < trials else 1.0


def full_scale(leverage: int, hard_ratio: float) -> float:
    """How much larger positions are when the cap is `leverage` x equity instead of `hard_ratio` x."""
    return leverage / hard_ratio
