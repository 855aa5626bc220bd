"""The headline scenario taken apart: by day, by session, by level, and what fills were worth seconds later.

Times are the recording's own (UTC). A market whose underlying trades all day has no calendar: its sessions are thirds
of the UTC day. Money USD, moves bps of the fill's price weighted by dollars, with 90 % intervals over whole blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from backtest.report.account import Account
from backtest.report.blocks import block_ns
from backtest.scoring import HORIZONS_S, HOUR_NS, LEVEL, SEED
from common.sessions import Calendar
from common.stats import BLOCKS_MIN

DAY_NS = 24 * HOUR_NS
E8 = 1e-8
THIRDS = ("00-08 UTC", "08-16 UTC", "16-24 UTC")
UNKNOWN = "outside the calendar"
DRAWS = 1_000
Point = tuple[float | None, float | None, float | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One day's, session's or level's line; `quoted_bps`: distance of the quote from its fair price, `spread_bps`:
    from the mid just before the fill; `net_usd` is None where equity cannot be told apart (levels)."""

    name: str
    hours: float | None
    fills: int
    usd: float
    net_usd: float | None
    quoted_bps: float | None
    spread_bps: float | None
    edge_bps: float | None
    m60: Point


@dataclass(frozen=True, slots=True)
class Curve:
    """Markouts before fees of one group: (mean, lo, hi) by horizon of `HORIZONS_S`."""

    name: str
    fills: int
    points: tuple[Point, ...]


def session_names(t_ns: Any, calendar: Calendar | None) -> Any:
    """The session of each moment."""
    times = np.asarray(t_ns, np.int64)
    if calendar is None:
        return np.array(THIRDS)[times % DAY_NS // (DAY_NS // 3)]
    at = np.searchsorted(np.array(calendar.starts_ns), times, "right") - 1
    known = (at >= 0) & (times < calendar.until_ns)
    return np.where(known, np.array(calendar.names)[np.maximum(at, 0)], UNKNOWN)


def day_names(t_ns: Any) -> Any:
    days = np.asarray(t_ns, np.int64) // DAY_NS
    names = {day: datetime.fromtimestamp(int(day) * 86_400, UTC).strftime("%Y-%m-%d %a") for day in np.unique(days)}
    return np.array([names[day] for day in days]) if len(days) else np.zeros(0, "<U14")


def by_day(account: Account) -> list[Row]:
    return _rows(account, day_names(account.fill_t_ns), day_names(account.t_ns))


def by_session(account: Account, calendar: Calendar | None) -> list[Row]:
    return _rows(account, session_names(account.fill_t_ns, calendar), session_names(account.t_ns, calendar))


def by_level(account: Account) -> list[Row]:
    """One line a level, the nearest first."""
    return [
        _row(account, f"level {level + 1}", account.level == level, None, None) for level in np.unique(account.level)
    ]


def curves_by_level(account: Account) -> list[Curve]:
    return [_curve(account, f"level {level + 1}", account.level == level) for level in np.unique(account.level)]


def curves_by_session(account: Account, calendar: Calendar | None) -> list[Curve]:
    names = session_names(account.fill_t_ns, calendar)
    return [_curve(account, str(name), names == name) for name in np.unique(names)]


def curve_of_all(account: Account) -> Curve:
    return _curve(account, "all fills", np.ones(len(account.px_u), bool))


# ---------------------------------------------------------------------- helpers
def _rows(account: Account, of_fill: Any, of_row: Any) -> list[Row]:
    """Lines in the order in which the groups first come; each moment's change of equity belongs to its own group."""
    gained = np.diff(account.equity_e8, prepend=0)
    lasts = np.minimum(np.diff(account.t_ns, prepend=account.spans[0][0]), HOUR_NS) / HOUR_NS
    names, first = np.unique(of_row, return_index=True)
    found = []
    for name in names[np.argsort(first)]:
        rows = of_row == name
        found.append(_row(account, str(name), of_fill == name, float(lasts[rows].sum()), int(gained[rows].sum()) * E8))
    return found


def _row(account: Account, name: str, fills: Any, hours: float | None, net_usd: float | None) -> Row:
    usd = float(account.usd[fills].sum())
    spread = float(account.spread_e8[fills].sum()) * E8
    return Row(
        name, hours, int(fills.sum()), usd, net_usd, _quoted(account, fills), 1e4 * spread / usd if usd else None,
        1e4 * net_usd / usd if usd and net_usd is not None else None,
        _point(account, fills, HORIZONS_S.index(60), net=True),
    )  # fmt: skip


def _quoted(account: Account, fills: Any) -> float | None:
    away, usd = account.quoted_bps[fills], account.usd[fills]
    known = np.isfinite(away)
    return float((away * usd)[known].sum() / usd[known].sum()) if known.any() else None


def _curve(account: Account, name: str, fills: Any) -> Curve:
    points = tuple(_point(account, fills, k, net=False) for k in range(len(HORIZONS_S)))
    return Curve(name, int(fills.sum()), points)


def _point(account: Account, fills: Any, horizon: int, *, net: bool) -> Point:
    """(mean, lo, hi) of the markout at one horizon, less the fee when `net`."""
    moves, usd = account.after_bps[fills, horizon], account.usd[fills]
    if net:
        moves = moves - account.fee_e8[fills] / (usd * 1e8) * 1e4
    ok = np.isfinite(moves)
    return point(moves[ok], usd[ok], account.fill_t_ns[fills][ok] // block_ns(account))


def point(values: Any, weights: Any, blocks: Any) -> Point:
    """Weighted mean and its interval, whole blocks resampled (`common/stats.py: bootstrap_mean`, over columns)."""
    if len(values) == 0:
        return None, None, None
    _, at = np.unique(blocks, return_inverse=True)
    n = int(at.max()) + 1
    sums, weight = np.bincount(at, values * weights, n), np.bincount(at, weights, n)
    mean = float(sums.sum() / weight.sum())
    if n < BLOCKS_MIN:
        return mean, None, None
    drawn = np.random.default_rng(SEED).integers(0, n, (DRAWS, n))
    lo, hi = np.quantile(sums[drawn].sum(1) / weight[drawn].sum(1), [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return mean, float(lo), float(hi)
