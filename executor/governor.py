"""Which of the wanted changes are worth an action now.

An address earns actions only by trading (hyperliquid.md section 9), so what is left is spent at the rate that makes it
last `action_budget_horizon_h`: a token bucket in market time. Cancels are free of the bucket (the venue gives them an
allowance of their own). A change costs a token and must be worth its price, which rises as the bucket empties: plenty
of tokens move every level that may not stay, few move only what matters most, the inner levels and the larger sizes.
Outward moves (an order too near, value at risk) come before inward ones and new levels; what is not covered waits.

The bucket is two vectors (`V_*` floats, `N_*` integers) on which kernels work, the same in the executor and in the
compiled replay.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from common.clock import NS
from common.kernel import istate, kernel, state
from common.messages import Level, Side
from executor.diff import Change, What

if TYPE_CHECKING:
    from common.config import Execution

HOUR_S = 3600.0
KEPT_FOR_AN_ORDER = 2
KEPT_AT_LEAST = 200
"""Each open order keeps two actions back for its end, and so many are kept for the unforeseen (reliability.md P26)."""
FIRST_SHARE = 100
"""The first count fills the bucket with one part in so many of what is left."""

(
    V_TOKENS,
    V_HORIZON_S,
    V_BURST,
    V_PRICE,  # USD, what the venue asks for an action
    V_LEN,
) = range(5)
(
    N_USED,
    N_CAP,
    N_T,  # market time of the last refill, 0 = none yet
    N_KNOWN,  # 1 = the venue has told its count
    N_RESERVE,
    N_LEN,
) = range(6)


@kernel("f8(f8[::1], i8[::1], i8)")
def rate_per_s(bucket: list[float], counts: list[int], open_orders: int) -> float:
    """Tokens per market second while so many orders are open."""
    reserve = max(counts[N_RESERVE], KEPT_FOR_AN_ORDER * open_orders + KEPT_AT_LEAST)
    return float(max(counts[N_CAP] - counts[N_USED] - reserve, 0)) / max(bucket[V_HORIZON_S], 1e-9)


@kernel("void(f8[::1], i8[::1], i8, i8)")
def reconcile(bucket: list[float], counts: list[int], used: int, cap: int) -> None:
    """The venue's own count; the first one fills the bucket."""
    counts[N_USED] = used
    counts[N_CAP] = cap
    if counts[N_KNOWN] == 0:
        bucket[V_TOKENS] = min(bucket[V_BURST], float(max(cap - used - counts[N_RESERVE], 0)) / FIRST_SHARE)
        counts[N_KNOWN] = 1


@kernel("void(f8[::1], i8[::1])")
def exhaust(bucket: list[float], counts: list[int]) -> None:
    """The venue says that the budget is gone."""
    bucket[V_TOKENS] = 0.0
    counts[N_USED] = max(counts[N_USED], counts[N_CAP])


@kernel("void(f8[::1], i8[::1], i8, i8)")
def refill(bucket: list[float], counts: list[int], t_ns: int, open_orders: int) -> None:
    """Let market time pass up to `t_ns`; a clock that steps back gives nothing."""
    passed_s = float(max(t_ns - counts[N_T], 0)) / NS if counts[N_T] > 0 else 0.0
    counts[N_T] = max(t_ns, counts[N_T])
    rate = rate_per_s(bucket, counts, open_orders)
    bucket[V_TOKENS] = min(bucket[V_BURST], bucket[V_TOKENS] + rate * passed_s) if rate > 0.0 else 0.0


@kernel("f8(f8[::1], f8, f8)")
def price_bps(bucket: list[float], hold_bps: float, tokens: float) -> float:
    """What a change must be worth: 0 with a full bucket, `hold_bps` at half, rising as it empties, then endless."""
    if tokens < 1.0:
        return math.inf
    fill = min(tokens / max(bucket[V_BURST], 1.0), 1.0)
    return hold_bps * math.sqrt((1.0 - fill) / fill)


@kernel("f8(f8[::1])")
def price_usd(bucket: list[float]) -> float:
    """What an action costs now, in money: the venue's price times how scarce the budget makes it.

    0 with a full bucket (what is not spent is lost), the venue's price at half, without end when none is left.
    """
    if bucket[V_PRICE] <= 0.0:
        return 0.0
    return bucket[V_PRICE] * price_bps(bucket, 1.0, bucket[V_TOKENS])


@kernel("f8(f8, f8, f8, f8, f8, f8)")
def worth_of(gap_bps: float, px_u: float, sz_u: float, mid_px: float, nearest_px: float, mean_sz_u: float) -> float:
    """The gap a change closes, weighted by size (against the mean) and nearness (against the nearest level)."""
    distance_px = max(abs(mid_px - px_u), nearest_px)
    if mean_sz_u <= 0.0 or distance_px <= 0.0:
        return 0.0
    return gap_bps * (sz_u / mean_sz_u) * (nearest_px / distance_px)


def new_bucket(execution: Execution) -> tuple[list[float], list[int]]:
    """The vectors of an empty bucket, before the venue has told its count."""
    bucket, counts = state(V_LEN), istate(N_LEN)
    bucket[V_HORIZON_S] = execution.action_budget_horizon_h * HOUR_S
    bucket[V_BURST], bucket[V_PRICE] = execution.action_burst, execution.action_price_usd
    counts[N_RESERVE] = execution.action_reserve
    return bucket, counts


class Governor:
    """The bucket and the count of actions; market time comes with every call."""

    def __init__(self, execution: Execution) -> None:
        self.bucket, self.counts = new_bucket(execution)

    @property
    def tokens(self) -> float:
        return float(self.bucket[V_TOKENS])

    @tokens.setter
    def tokens(self, tokens: float) -> None:
        self.bucket[V_TOKENS] = tokens

    @property
    def used(self) -> int:
        return int(self.counts[N_USED])

    @property
    def cap(self) -> int:
        return int(self.counts[N_CAP])

    @property
    def remaining(self) -> int:
        """Actions left at the venue, as far as we know."""
        return self.cap - self.used

    def rate_per_s(self, open_orders: int) -> float:
        return float(rate_per_s(self.bucket, self.counts, open_orders))

    def reconcile(self, used: int, cap: int) -> None:
        """The venue's own count."""
        reconcile(self.bucket, self.counts, used, cap)

    def spent(self, entries: int) -> None:
        """`entries` went out."""
        self.counts[N_USED] += entries

    def exhausted(self) -> None:
        """Cancels only until the venue's next count."""
        exhaust(self.bucket, self.counts)

    def refill(self, t_ns: int, open_orders: int) -> None:
        refill(self.bucket, self.counts, t_ns, open_orders)

    def price_bps(self, hold_bps: float, tokens: float) -> float:
        return float(price_bps(self.bucket, hold_bps, tokens))

    def price_usd(self) -> float:
        return float(price_usd(self.bucket))

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
    """What a change is worth (`worth_of`)."""
    return float(worth_of(change.gap_bps, float(change.px_u), float(change.sz_u), *map(float, measure)))
