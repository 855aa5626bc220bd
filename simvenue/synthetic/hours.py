"""How busy a made-up market is at an hour of the week, and how wide makers quote then.

`activity` multiplies order rates and variances (volume and variance go together); 1 in the session a flow's figures
belong to. `width` multiplies spreads. Each kind of hours is a table over half hours, in UTC; an index follows New
York's clock: regular session 9:30-16:00 on weekdays, daylight saving from the second Sunday of March to the first of
November (2:00 local). Exchange holidays are not known here.

Index: the shape inside the session is that of SPY 1-minute bars (market-data.md, table 7: 3.5, 3.1, 2.5, 2.2, 2.8, 3.1,
3.3 bps by hour); outside it the overnight deviation of the same set (48 bps in 17.5 h, against 2.9 bps a minute inside)
gives 0.26 of the session's variance per second. Nights three times and weekends five times as wide, and 0.05 of the
variance on weekends, are assumptions. Crypto: mean volume by UTC hour of 88 days of Hyperliquid BTC 5-minute bars.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from common.clock import NS

Kind = Literal["always", "index", "crypto"]

BLOCK_NS = 1_800 * NS
WEEK = 336
"""Half hours of a week."""

SESSION_BPS = (3.5, 3.1, 2.5, 2.2, 2.8, 3.1, 3.3)  # 9:30-10, 10-11, .. 15-16, New York
NIGHT_ACTIVITY, NIGHT_WIDTH = 0.26, 3.0
WEEKEND_ACTIVITY, WEEKEND_WIDTH = 0.05, 5.0
CRYPTO_VOLUME = (
    0.93, 0.99, 0.75, 0.66, 0.69, 0.50, 0.65, 0.79, 0.72, 0.66, 0.67, 0.73, 0.90, 1.56, 2.01, 1.63, 1.32, 1.48, 1.21,
    1.14, 1.07, 0.92, 1.02, 1.01,
)  # fmt: skip


class Pace(NamedTuple):
    activity: float
    width: float


def pace_at(kind: Kind, t_ns: int) -> Pace:
    """The pace of the half hour that holds `t_ns`."""
    if kind == "index":
        return _index_pace(t_ns)
    if kind == "crypto":
        return Pace(CRYPTO_VOLUME[t_ns // (3_600 * NS) % 24], 1.0)
    return Pace(1.0, 1.0)


def mean_activity(kind: Kind) -> float:
    """Average over a week: what the variance of a year is to that of the session, per second."""
    monday_ns = 4 * 86_400 * NS  # the epoch was a Thursday
    return sum(pace_at(kind, monday_ns + k * BLOCK_NS).activity for k in range(WEEK)) / WEEK


def next_change_ns(t_ns: int) -> int:
    """When the next half hour begins."""
    return (t_ns // BLOCK_NS + 1) * BLOCK_NS


def _index_pace(t_ns: int) -> Pace:
    local = new_york(t_ns)
    half_hours = 2 * local.hour + local.minute // 30
    if local.weekday() < 5 and 19 <= half_hours < 32:
        bps = SESSION_BPS[half_hours // 2 - 9]
        return Pace(bps * bps / _SESSION_SQUARE, 1.0)
    opens_sunday = local.weekday() == 6 and local.hour >= 18
    closed_friday = local.weekday() == 4 and local.hour >= 17
    if (local.weekday() >= 5 and not opens_sunday) or closed_friday:
        return Pace(WEEKEND_ACTIVITY, WEEKEND_WIDTH)
    return Pace(NIGHT_ACTIVITY, NIGHT_WIDTH)


_SESSION_SQUARE = (0.5 * SESSION_BPS[0] ** 2 + sum(bps**2 for bps in SESSION_BPS[1:])) / 6.5


def new_york(t_ns: int) -> datetime:
    """Local time in New York; the offset is ours to know, so that no time zone files are needed."""
    utc = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=t_ns // NS)
    begins = _sunday(utc.year, 3, 2) + timedelta(hours=7)
    ends = _sunday(utc.year, 11, 1) + timedelta(hours=6)
    return utc - timedelta(hours=4 if begins <= utc < ends else 5)


def _sunday(year: int, month: int, which: int) -> datetime:
    """Midnight (UTC) of the month's first, second, .. Sunday."""
    first = datetime(year, month, 1, tzinfo=UTC)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (which - 1))
