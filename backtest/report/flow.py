"""What the market itself traded in the played span, and the most a maker of our size could have taken from it.

The bound is generous: we are the maker of every print, at its price, for all of it up to twice our inventory cap (from
one cap to the other), the mid never moves against us afterwards, and prints that would not pay the fee are left alone.
What lies above it no quoting can earn from spreads. USD, per day of the span.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from backtest.scoring import HOUR_NS
from backtest.tape import Tape
from simvenue.source import BUY_PRINT, SELL_PRINT

E6 = 1e-6
YEAR_DAYS = 365.0
STEP_NS = 300 * 10**9


@dataclass(frozen=True, slots=True)
class Flow:
    """`best_usd_per_day` is the bound above; `spread_bps` what takers paid against the mid, by dollar."""

    days: float
    trades_per_day: float
    usd_per_day: float
    spread_bps: float | None
    best_usd_per_day: float
    best_turnover_usd_per_day: float
    vol_annual: float | None
    rows: int


def flow_of(tape: Tape, mid2: Any, fee_bps: float, cap_usd: float, from_t_ns: int, to_t_ns: int) -> Flow:
    """`mid2` of each instant of the tape (0 = unknown), as the replay saw it."""
    days = (to_t_ns - from_t_ns) / (24 * HOUR_NS)
    stamps, mids = np.asarray(tape.stamp_ns), np.asarray(mid2)
    first, last = np.searchsorted(stamps, (from_t_ns, to_t_ns))
    rows = slice(int(tape.begin[first]), int(tape.begin[last]))
    what = np.asarray(tape.what[rows])
    prints = np.flatnonzero((what == BUY_PRINT) | (what == SELL_PRINT)) + rows.start
    instant = np.searchsorted(np.asarray(tape.begin), prints, "right") - 1
    before = _filled(mids)[np.maximum(instant - 1, 0)]
    instant, prints, before = instant[before > 0], prints[before > 0], before[before > 0]
    px, sz = np.asarray(tape.px_u)[prints], np.asarray(tape.sz_u)[prints]
    usd = px * sz * E6
    paid = np.sign(np.asarray(tape.what)[prints]) * (px - 0.5 * before) / px * 1e4
    ours = np.minimum(usd, 2.0 * cap_usd) * (paid > fee_bps)
    total = float(usd.sum())
    return Flow(
        days, len(np.unique(instant)) / days, total / days, float((paid * usd).sum() / total) if total else None,
        float(((paid - fee_bps) * 1e-4 * ours).sum() / days), float(ours.sum() / days),
        _volatility(stamps[first:last], mids[first:last]), rows.stop - rows.start,
    )  # fmt: skip


def together(parts: list[Flow]) -> Flow:
    """Flows of spans that follow each other as one, each weighted by its days."""
    days = sum(part.days for part in parts)

    def mean(name: str) -> float:
        return sum(float(getattr(part, name)) * part.days for part in parts) / days

    usd = mean("usd_per_day")
    paid = sum((part.spread_bps or 0.0) * part.usd_per_day * part.days for part in parts) / days
    known = [part for part in parts if part.vol_annual is not None]
    square = sum((part.vol_annual or 0.0) ** 2 * part.days for part in known)
    return Flow(
        days, mean("trades_per_day"), usd, paid / usd if usd else None, mean("best_usd_per_day"),
        mean("best_turnover_usd_per_day"),
        (square / sum(part.days for part in known)) ** 0.5 if known else None, sum(part.rows for part in parts),
    )  # fmt: skip


def _filled(mids: Any) -> Any:
    """Each instant's mid, or the last one known before."""
    known = np.maximum.accumulate(np.where(mids > 0, np.arange(len(mids)), 0))
    return mids[known]


def _volatility(stamps: Any, mids: Any) -> float | None:
    """Root mean square of 5-minute log returns of the mid, annualised over 365 days."""
    stamps, mids = stamps[mids > 0], mids[mids > 0]
    if len(stamps) < 2:
        return None
    grid = np.arange(stamps[0], stamps[-1], STEP_NS)
    at = mids[np.searchsorted(stamps, grid, "right") - 1].astype(float)
    if len(at) < 3:
        return None
    moves = np.diff(np.log(at))
    return float(np.sqrt((moves * moves).mean() * YEAR_DAYS * 24 * HOUR_NS / STEP_NS))
