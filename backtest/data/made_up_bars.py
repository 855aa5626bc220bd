"""Made-up bars for spans whose every tick would take longer to make than to play: a year of 5-minute bars.

The price is a random walk whose variance follows the hours of the market's flow and a level that moves from day to day
(the classical stochastic volatility model: the level's logarithm is a first-order autoregression), each day's surprises
drawn from Student's t. The three numbers are chosen so that a year has the tails of the S&P 500's daily closes of
1990 to 2018: kurtosis 11 (there 11.8), half of the years with a day beyond 4.4 standard deviations (there 3.7), a worst
fall within the year of 1.1 standard deviations of the year (0.8). What a bar becomes is `bridge.py`'s. Volatility is a
fraction a year (365 days), prices are in quote.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backtest.data.bars import YEAR_MS, Bars
from common.clock import MS
from simvenue.synthetic.flows import Flow
from simvenue.synthetic.hours import BLOCK_NS, mean_activity, pace_at

EVERY_MS = 300_000
DAY_MS = 86_400_000
PERSISTENCE = 0.98
"""Of the logarithm of a day's variance, from one day to the next (Jacquier, Polson and Rossi 1994: 0.95 to 0.99)."""
UNREST = 0.2
"""Standard deviation of what is new in it each day."""
TAIL = 8.0
"""Degrees of freedom of a day's surprises."""


def made_up_bars(flow: Flow, px: float, vol_annual: float, *, first_ms: int, days: float, seed: int) -> Bars:
    """Bars from `first_ms` (the begin of a day) on, the first opening at `px`; one seed is one walk.

    Over the whole span the volatility is about `vol_annual`: how it is spread over the days is drawn, not how much.
    """
    ts_ms = np.arange(first_ms, first_ms + int(days * DAY_MS), EVERY_MS, dtype=np.int64)
    draw = np.random.Generator(np.random.PCG64(seed))
    of_day = _day_variances(draw, int((ts_ms[-1] - first_ms) // DAY_MS) + 1)[(ts_ms - first_ms) // DAY_MS]
    variance = vol_annual**2 * EVERY_MS / YEAR_MS * _paces(flow, ts_ms) * of_day
    moves = np.sqrt(variance) * draw.standard_normal(len(ts_ms))
    ends = np.cumsum(moves)
    begins = ends - moves
    over, under = (_reach(draw, sign * moves, variance) for sign in (1.0, -1.0))
    log_px = (begins, begins + over, begins - under, ends)
    opened, high, low, close = (px * np.exp(column) for column in log_px)
    return Bars(ts_ms, opened, high, low, close, np.zeros(len(ts_ms)), EVERY_MS)


def _day_variances(draw: np.random.Generator, days: int) -> Any:
    """What each day's variance is of the span's; 1 on average."""
    spread = UNREST / np.sqrt(1.0 - PERSISTENCE**2)
    new = np.concatenate([[spread], np.full(days - 1, UNREST)]) * draw.standard_normal(days)
    level = np.empty(days)
    at = 0.0
    for day in range(days):
        at = PERSISTENCE * at + new[day]
        level[day] = at
    surprise = (TAIL - 2.0) / draw.chisquare(TAIL, days)
    share = np.exp(level) * surprise
    return share / share.mean()


def _paces(flow: Flow, ts_ms: Any) -> Any:
    """The variance of each bar's hour, 1 on average over a week."""
    blocks, where = np.unique(ts_ms * MS // BLOCK_NS, return_inverse=True)
    paces = np.array([pace_at(flow.hours, int(block) * BLOCK_NS).activity for block in blocks])
    return paces[where] / mean_activity(flow.hours)


def _reach(draw: np.random.Generator, move: Any, variance: Any) -> Any:
    """How far a Brownian path that ends at `move` gets above its begin (its exact distribution)."""
    return 0.5 * (move + np.sqrt(move * move - 2.0 * variance * np.log(draw.uniform(size=len(move)))))
