"""Which of the wanted changes are worth an action now.

An address earns actions only by trading (hyperliquid.md section 9), so what is left is spent at the rate that makes it
last `action_budget_horizon_h`: a token bucket in market time. Cancels are free of the bucket (the venue gives them an
allowance of their own). A change costs a token and must be worth its price, which rises as the bucket empties: plenty
of tokens move every level that may not stay, few move only what matters most, the inner levels and the larger sizes.
Outward moves (an order too near, value at risk) come before inward ones and new levels; what is not covered waits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from common.clock import NS
from common.config import Execution
from common.messages import Level, Side
from executor.diff import Change, What

HOUR_S = 3600.0


class Governor:
    """The bucket and the count of actions; market time comes with every call."""

    def __init__(self, execution: Execution) -> None:
        self._horizon_s = execution.action_budget_horizon_h * HOUR_S
        self._reserve = execution.action_reserve
        self._burst = execution.action_burst
        self._price_usd = execution.action_price_usd
        self.tokens = 0.0
        self.used = 0
        self.cap = 0
        self._t_ns = 0
        self._known = False

    @property
    def remaining(self) -> int:
        """Actions left at the venue, as far as we know."""
        return self.cap - self.used

    def rate_per_s(self, open_orders: int) -> float:
        """Tokens per market second; each open order keeps two actions back for its end (reliability.md P26)."""
        reserve = max(self._reserve, 2 * open_orders + 200)
        return max(0, self.remaining - reserve) / self._horizon_s

    def reconcile(self, used: int, cap: int) -> None:
        """The venue's own count; the first one fills the bucket, within a hundredth of what is left."""
        self.used, self.cap = used, cap
        if not self._known:
            self.tokens = min(self._burst, max(0, self.remaining - self._reserve) / 100)
            self._known = True

    def spent(self, entries: int) -> None:
        """`entries` went out."""
        self.used += entries

    def exhausted(self) -> None:
        """The venue says that the budget is gone: cancels only until its next count."""
        self.tokens = 0.0
        self.used = max(self.used, self.cap)

    def refill(self, t_ns: int, open_orders: int) -> None:
        """Let market time pass."""
        passed_s = max(0, t_ns - self._t_ns) / NS if self._t_ns else 0.0
        self._t_ns = max(t_ns, self._t_ns)
        rate = self.rate_per_s(open_orders)
        self.tokens = min(self._burst, self.tokens + rate * passed_s) if rate > 0 else 0.0

    def price_bps(self, hold_bps: float, tokens: float) -> float:
        """What a change must be worth: 0 with a full bucket, `hold_bps` at half, rising as it empties."""
        if tokens < 1.0:
            return math.inf
        fill = min(tokens / self._burst, 1.0)
        return hold_bps * math.sqrt((1.0 - fill) / fill)

    def price_usd(self) -> float:
        """What an action costs now, in money: the venue's price times how scarce the budget makes it.

        0 with a full bucket (what is not spent is lost), the venue's price at half, without end when none is left.
        """
        return self._price_usd * self.price_bps(1.0, self.tokens) if self._price_usd > 0.0 else 0.0

    def rank(self, orders: Sequence[Change], scales: Mapping[Side, Scale]) -> list[tuple[float, Change]]:
        """The changes (no cancels: those are free) with their worth in bps: outward moves first, then by worth."""
        ranked = [(worth_bps(c, scales[c.side]), c) for c in orders]
        ranked.sort(key=lambda pair: (pair[1].what is not What.OUTWARD, -pair[0]))
        return ranked

    def affords(self, worth: float, hold_bps: float) -> bool:
        """Whether a change of this worth should go out now; `take` its token when it does."""
        return worth >= self.price_bps(hold_bps, self.tokens)

    def take(self) -> None:
        self.tokens -= 1.0


class Scale(NamedTuple):
    """What a side's wanted levels are measured against: the mid, the nearest distance to it, the mean size."""

    mid_px: float
    nearest_px: float
    mean_sz_u: float


def scale(levels: Sequence[Level], mid_px: float) -> Scale:
    """The measures of one side's wanted levels, best first; of an empty side they do not matter."""
    if not levels:
        return Scale(mid_px, 1.0, 1.0)
    nearest_px = max(abs(mid_px - levels[0].px_u), 1.0)
    return Scale(mid_px, nearest_px, sum(level.sz_u for level in levels) / len(levels))


def worth_bps(change: Change, measure: Scale) -> float:
    """The gap it closes, weighted by size (against the mean) and nearness (against the nearest level)."""
    distance_px = max(abs(measure.mid_px - change.px_u), measure.nearest_px)
    return change.gap_bps * (change.sz_u / measure.mean_sz_u) * (measure.nearest_px / distance_px)
