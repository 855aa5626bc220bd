"""What a replay earned: net edge per dollar traded, markouts, money, risk and the actions it took.

Edge is the change of equity (cash and position at mid) less fees over what was traded, markouts the move of the mid
after each fill less the fee; both with 90 % intervals that resample whole hours (5 minutes where a recording has less
than eight hours). bps of dollars traded, money in USD.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backtest.loop.layout import (
    CURVE_CASH,
    CURVE_MID2,
    CURVE_POSITION,
    CURVE_T,
    CURVE_VOLUME,
    FILL_PX,
    FILL_SLOT,
    FILL_SZ,
    FILL_T,
)
from backtest.playing import Played, Terms
from common.stats import Interval, bootstrap_mean
from quoter.state import NS, QUOTES_MAX

HOUR_NS = 3600 * NS
SHORT_BLOCK_NS = 300 * NS
BLOCKS_HOURS_MIN = 8
HORIZONS_S = (1, 5, 30, 60, 300)
LEVEL = 0.90
SEED = 1
E6 = 1e-6


def interval(values: Sequence[float], weights: Sequence[float], blocks: Sequence[int]) -> Interval | None:
    return bootstrap_mean(values, weights, blocks, seed=SEED, level=LEVEL)


def told(found: Interval | None) -> dict[str, float | None]:
    """An interval as the report has it."""
    if found is None:
        return {"mean": None, "lo": None, "hi": None}
    return {"mean": found.mean, "lo": found.lo, "hi": found.hi}


def block_ns(played: Played) -> int:
    """What is resampled whole: an hour, or 5 minutes of a short recording."""
    span = int(played.curve[-1, CURVE_T] - played.curve[0, CURVE_T]) if len(played.curve) else 0
    return HOUR_NS if span >= (BLOCKS_HOURS_MIN - 1) * HOUR_NS else SHORT_BLOCK_NS


def markouts(played: Played, horizon_s: float) -> Any:
    """Signed move from fill price to the mid so much later, bps before fees; NaN where the recording ends before."""
    fills = played.fills
    side = np.where(fills[:, FILL_SLOT] < QUOTES_MAX, 1.0, -1.0)
    known = played.mid2 > 0
    stamps, mids = played.stamp_ns[known], played.mid2[known] * 0.5
    at = fills[:, FILL_T] + int(horizon_s * NS)
    later = mids[np.maximum(np.searchsorted(stamps, at, "right") - 1, 0)]
    moves = side * (later - fills[:, FILL_PX]) / fills[:, FILL_PX] * 1e4
    moves[at > stamps[-1]] = np.nan
    return moves


def markout(played: Played, horizon_s: float, fee_bps: float) -> Interval | None:
    """USD-weighted mean markout net of the fee."""
    if len(played.fills) == 0:
        return None
    moves = markouts(played, horizon_s) - fee_bps
    usd = played.fills[:, FILL_PX] * played.fills[:, FILL_SZ] * E6
    ok = np.isfinite(moves)
    return interval(moves[ok].tolist(), usd[ok].tolist(), (played.fills[ok, FILL_T] // block_ns(played)).tolist())


def equity(played: Played, fee_bps: float) -> Any:
    """Net USD at each row of the curve, from 0."""
    curve = played.curve
    gross = (curve[:, CURVE_CASH] + curve[:, CURVE_POSITION] * (curve[:, CURVE_MID2] * 0.5)) * E6
    return gross - fee_bps * 1e-4 * curve[:, CURVE_VOLUME] * E6


def by_block(played: Played, fee_bps: float, length_ns: int) -> tuple[Any, Any, Any]:
    """(numbers, net USD, USD traded) of each block of the curve."""
    hours = played.curve[1:, CURVE_T] // length_ns
    numbers = np.unique(hours)
    gained, traded = np.diff(equity(played, fee_bps)), np.diff(played.curve[:, CURVE_VOLUME]) * E6
    pick = [hours == h for h in numbers]
    return numbers, np.array([gained[p].sum() for p in pick]), np.array([traded[p].sum() for p in pick])


def edge(played: Played, fee_bps: float) -> Interval | None:
    """Net bps of what was traded."""
    hours, gained, traded = by_block(played, fee_bps, block_ns(played))
    some = traded > 0.0
    values = np.where(some, gained / np.where(some, traded, 1.0), 0.0) * 1e4
    return interval(values[some].tolist(), traded[some].tolist(), hours[some].tolist())


def drawdown_usd(played: Played, fee_bps: float) -> float:
    curve = equity(played, fee_bps)
    return float((np.maximum.accumulate(curve) - curve).max()) if len(curve) else 0.0


def figures(played: Played, terms: Terms, fee_bps: float) -> dict[str, Any]:
    """One quoter's line of the report."""
    days = (terms.to_t_ns - terms.from_t_ns) / (24 * HOUR_NS)
    hours, gained, _ = by_block(played, fee_bps, HOUR_NS)
    usd = float(played.curve[-1, CURVE_VOLUME] * E6)
    position_usd = played.curve[:, CURVE_POSITION] * played.curve[:, CURVE_MID2] * 0.5 * E6
    return {
        "edge_bps": told(edge(played, fee_bps)),
        **{f"m{h}": told(markout(played, h, fee_bps)) for h in HORIZONS_S},
        "pnl_per_day": float(equity(played, fee_bps)[-1] / days),
        "fills_per_day": len(np.unique(played.fills[:, FILL_T])) / days,
        "usd_per_day": usd / days,
        "actions_per_day": played.actions / days,
        "actions_per_usd": played.actions / usd if usd > 0 else None,
        "max_drawdown_usd": drawdown_usd(played, fee_bps),
        "inventory_sd_usd": float(position_usd.std()),
        "hours_positive": int((gained > 0).sum()),
        "hours": len(hours),
        "refused": played.refused,
        "lost": played.lost,
        "pulls": played.pulls,
    }
