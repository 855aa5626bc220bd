"""The figures of one scenario: each by one rule from the account, its interval by the same rule from resampled hours.

A figure that cannot be told is None, never 0, and without fills in at least 8 blocks there is no interval. Shares
and ratios are fractions, money USD, edge and spread bps of what was traded; an interval is 90 %, two-sided.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtest.report.account import Account, Costs
from backtest.report.blocks import SUMS, Blocks, blocks_of, drawn
from backtest.scoring import HOUR_NS, LEVEL
from common.stats import BLOCKS_MIN
from simvenue.desk.actions import START_ACTIONS

DRAWS = 1_000
DAYS_MIN = 5
"""Fewer days and Sharpe is taken from blocks instead of days."""
YEAR_DAYS = 365.0
GROWTH_USD = 10.0
"""USD traded that earn an action in growth mode; 1 otherwise (`simvenue/desk/actions.py`)."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its interval; None = cannot be told."""

    value: float | None
    lo: float | None = None
    hi: float | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What figures need to know beside the account."""

    costs: Costs
    growth: bool
    seed: int
    usd_per_action: tuple[float, ...] = ()
    """USD traded that earn an action, by market, of several; () = as `growth` has it."""

    def earned(self, account: Account) -> Any:
        """Actions each fill earned."""
        per = np.array(self.usd_per_action or (GROWTH_USD if self.growth else 1.0,))
        return account.usd / per[account.market if self.usd_per_action else np.zeros(len(account.usd), int)]


def figures(account: Account, terms: Terms) -> tuple[dict[str, Figure], Blocks]:
    """Every headline figure of one scenario, and the blocks it came from."""
    blocks = blocks_of(account, terms.costs.max_leverage)
    whole = np.arange(len(blocks.number))[None, :]
    value = _measured(blocks, whole, terms.costs.equity_usd)
    if (blocks.sums[:, SUMS.index("fills")] > 0).sum() >= BLOCKS_MIN:
        spread = _measured(blocks, drawn(blocks, DRAWS, terms.seed), terms.costs.equity_usd)
    else:
        spread = {name: np.full(1, np.nan) for name in value}
    found = {name: _figure(float(value[name][0]), spread[name]) for name in value}
    return found | _counted(account, terms), blocks


def sharpe_se(value: float, periods: int, per_year: float) -> float:
    """Standard error of an annualised Sharpe ratio of independent returns (Lo 2002, eq. 9)."""
    return math.sqrt((1.0 + 0.5 * value * value / per_year) * per_year / periods) if periods else math.inf


def sharpe_basis(blocks: Blocks) -> tuple[int, float, int]:
    """(blocks a return, returns a year, returns): days where there are enough of them, else blocks."""
    a_day = 24 * HOUR_NS // blocks.length_ns
    days = len(blocks.number) // a_day
    if days >= DAYS_MIN:
        return a_day, YEAR_DAYS, days
    return 1, YEAR_DAYS * a_day, len(blocks.number)


# ---------------------------------------------------------------------- from blocks
def _measured(blocks: Blocks, at: Any, equity_usd: float) -> dict[str, Any]:
    """The figures of each row of block indices `at` (draws, n)."""
    sums = dict(zip(SUMS, blocks.sums[at].sum(1).T, strict=True))
    days = blocks.days
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "edge_bps": 1e4 * sums["net"] / sums["volume"],
            "m60_bps": 1e4 * sums["m60"] / sums["marked"],
            "roi": sums["net"] / equity_usd,
            "pnl_per_day": sums["net"] / days,
            "max_drawdown": _drawdown(blocks, at, equity_usd),
            "trades_per_day": sums["trades"] / days,
            "maker_share": sums["maker"] / sums["volume"],
            "taker_share": sums["taker"] / sums["volume"],
            "spread_bps": 1e4 * sums["spread"] / sums["volume"],
            "win_rate": sums["wins"] / sums["closes"],
            "turnover_per_day": sums["volume"] / days / equity_usd,
            "fees_usd": -sums["fees"],
            "peak_margin": _peak_margin(blocks, at, equity_usd),
            "sharpe": _sharpe(blocks, at),
        }


def _drawdown(blocks: Blocks, at: Any, equity_usd: float) -> Any:
    """Largest fall from a peak as a share of the peak, inside blocks and across them."""
    net = blocks.sums[at, SUMS.index("net")]
    begin = equity_usd + np.cumsum(net, 1) - net
    peaks = np.maximum.accumulate(begin + blocks.best[at], 1)
    before = np.concatenate([np.full((len(at), 1), equity_usd), peaks[:, :-1]], 1)
    across = (before - begin - blocks.worst[at]) / before
    within = blocks.inside[at] / np.maximum(before, begin + blocks.best[at])
    return np.maximum(across, within).max(1)


def _peak_margin(blocks: Blocks, at: Any, equity_usd: float) -> Any:
    """Most margin used, as a share of equity at that block's lowest."""
    net = blocks.sums[at, SUMS.index("net")]
    low = equity_usd + np.cumsum(net, 1) - net + blocks.worst[at]
    return np.where(low > 0.0, blocks.margin[at] / np.maximum(low, 1e-9), np.inf).max(1)


def _sharpe(blocks: Blocks, at: Any) -> Any:
    """Mean over deviation of net PnL per day (or block), annualised; a constant equity has none."""
    size, a_year, count = sharpe_basis(blocks)
    returns = blocks.sums[at, SUMS.index("net")][:, : size * count].reshape(len(at), count, size).sum(2)
    deviation = returns.std(1, ddof=1) if count > 1 else np.zeros(len(at))
    return np.where(deviation > 0.0, returns.mean(1) / deviation * math.sqrt(a_year), np.nan)


def _figure(value: float, spread: Any) -> Figure:
    if not math.isfinite(value):
        return Figure(None)
    known = spread[np.isfinite(spread)]
    if len(known) < 0.5 * DRAWS:
        return Figure(value)
    lo, hi = np.quantile(known, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Figure(value, float(lo), float(hi))


# ---------------------------------------------------------------------- from counts
def _counted(account: Account, terms: Terms) -> dict[str, Figure]:
    """What is known of the whole span only."""
    orders = account.counts["placed"] + account.counts["moved"]
    usd = float(account.usd.sum())
    cap = START_ACTIONS + float(terms.earned(account).sum())
    return {
        "fill_rate": Figure(len(account.px_u) / orders if orders else None),
        "funding_usd": Figure(account.funding_e8 * 1e-8),
        "budget_use": Figure(account.counts["actions"] / cap),
        "actions_per_usd": Figure(account.counts["actions"] / usd if usd else None),
    }
