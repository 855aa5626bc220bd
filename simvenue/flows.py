"""What made-up markets are like: order flow and book shapes, with where each figure comes from.

Figures are those of market-data.md: flow of `xyz:XYZ100` (table 3), Hyperliquid BTC (table 1 and "Suggested generator
settings"), depth of StandX BTC for a young HIP-3 index perp. Money is USD, distances bps of the mid, rates per second
unless named otherwise. Jump rates and the share of impact that fades are assumptions: no data stands behind them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Flow:
    """Aggressor orders of a market, and the book they meet."""

    orders_per_s: float
    order_usd: tuple[tuple[float, float], ...]  # (share of orders below, USD), rising
    sign_autocorrelation: float
    markout_bps: float  # mean mid move 5 s after an order, in its direction, each order counted once
    touch_usd: float
    depth_1bps_usd: float
    spread_ticks: tuple[tuple[int, float], ...]  # ticks -> share of time
    updates_per_s: float
    jumps_per_h: float
    jump_bps: float  # standard deviation of a jump

    def size_usd(self, share: float) -> float:
        """The order size that `share` of orders stay below: straight lines in logarithms between the known points."""
        points = self.order_usd
        for (p0, usd0), (p1, usd1) in pairwise(points):
            if share <= p1:
                return usd0 * math.exp(math.log(usd1 / usd0) * max(0.0, share - p0) / (p1 - p0))
        return points[-1][1]


INDEX_SIZES = ((0.0, 12.0), (0.1, 34.0), (0.5, 332.0), (0.9, 1_556.0), (0.99, 13_000.0), (1.0, 60_000.0))
BTC_SIZES = ((0.0, 10.0), (0.1, 18.0), (0.5, 500.0), (0.9, 50_000.0), (0.99, 1_000_000.0), (1.0, 4_000_000.0))

FLOWS = {
    "xyz100": Flow(
        orders_per_s=0.54, order_usd=INDEX_SIZES, sign_autocorrelation=0.2, markout_bps=0.2, touch_usd=30_000.0,
        depth_1bps_usd=100_000.0, spread_ticks=((1, 0.1), (2, 0.7), (3, 0.2)), updates_per_s=2.0, jumps_per_h=0.5,
        jump_bps=4.0,
    ),
    "km": Flow(
        orders_per_s=1 / 30, order_usd=INDEX_SIZES, sign_autocorrelation=0.2, markout_bps=0.2, touch_usd=30_000.0,
        depth_1bps_usd=100_000.0, spread_ticks=((1, 0.1), (2, 0.7), (3, 0.2)), updates_per_s=1.0, jumps_per_h=0.5,
        jump_bps=4.0,
    ),
    "btc": Flow(
        orders_per_s=1.0, order_usd=BTC_SIZES, sign_autocorrelation=0.08, markout_bps=0.2, touch_usd=900_000.0,
        depth_1bps_usd=3_000_000.0, spread_ticks=((1, 0.95), (2, 0.05)), updates_per_s=7.0, jumps_per_h=2.0,
        jump_bps=8.0,
    ),
}  # fmt: skip
