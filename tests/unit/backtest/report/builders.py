"""Played accounts written down by hand: fills and mids round 93,000, times in seconds after a midnight."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from backtest.loop.layout import (
    CURVE_FUNDING,
    CURVE_MID2,
    CURVE_STRIDE,
    CURVE_T,
    FILL_FEE,
    FILL_PX,
    FILL_SLOT,
    FILL_STRIDE,
    FILL_SZ,
    FILL_T,
)
from backtest.playing import Money, Played
from backtest.report.account import Account, Costs, account_of
from backtest.report.flow import Flow
from quoter.state import NS, QUOTES_MAX
from simvenue.money.fees import fee_e8
from tests.unit.backtest.builders import MID, T0

HOUR = 3_600
COSTS = Costs(maker_ppb=30_000, taker_ppb=90_000, leverage=10, max_leverage=20, equity_usd=1_000.0)

Trade = tuple[float, int, int, int]
"""(seconds, side, px_u, sz_u)"""


def a_played(
    trades: Sequence[Trade], mids: Sequence[tuple[float, int]], *, funding: Sequence[tuple[float, int]] = (),
    maker_ppb: int = COSTS.maker_ppb, **counts: int,
) -> Played:  # fmt: skip
    """Fills at level 1 with the venue's fees, twice-mids and fundings (1e-8) by time; a curve row at every mid."""
    fills = np.zeros((len(trades), FILL_STRIDE), np.int64)
    for row, (t, side, px, sz) in zip(fills, trades, strict=True):
        row[FILL_T], row[FILL_SLOT], row[FILL_PX], row[FILL_SZ] = stamp(t), 0 if side > 0 else QUOTES_MAX, px, sz
        row[FILL_FEE] = fee_e8(px * sz, maker_ppb)
    stamps = np.array([stamp(t) for t, _ in mids], np.int64)
    mid2 = np.array([mid for _, mid in mids], np.int64)
    curve = np.zeros((len(mids), CURVE_STRIDE), np.int64)
    curve[:, CURVE_T], curve[:, CURVE_MID2] = stamps, mid2
    for t, usd_e8 in funding:
        curve[stamps >= stamp(t), CURVE_FUNDING] += usd_e8
    made = {"actions": 10, "placed": 5, "moved": 3, "cancelled": 2, "refused": 0, "lost": 0, "pulls": 0} | counts
    paid, received = int(fills[:, FILL_FEE].sum()), sum(usd for _, usd in funding)
    money = Money(0, paid, received, 0, 0, 0.0, 0, 0, made["actions"], 0, 0, 0, (), 0)
    return Played(
        fills=fills, curve=curve, stamp_ns=stamps, mid2=mid2, forecast=np.zeros(len(mids)), money=money, **made
    )  # fmt: skip


def stamp(seconds: float) -> int:
    return T0 + round(seconds * NS)


def an_account(
    trades: Sequence[Trade] = (), mids: Sequence[tuple[float, int]] = (), hours: float = 24.0, **more: Any
) -> Account:
    played = a_played(trades, mids or flat(hours), **more)
    return account_of(played, COSTS, T0, T0 + round(hours * HOUR * NS))


def flat(hours: float, every_s: float = 60.0) -> list[tuple[float, int]]:
    """A mid that never moves."""
    return [(k * every_s, 2 * MID) for k in range(int(hours * HOUR / every_s) + 1)]


def wandering(hours: float, seed: int, every_s: float = 60.0) -> list[tuple[float, int]]:
    """A mid that goes up and down by single px_u."""
    rng, mid2, found = random.Random(seed), 2 * MID, []
    for k in range(int(hours * HOUR / every_s) + 1):
        mid2 += rng.randint(-2_000, 2_000)
        found.append((k * every_s, mid2))
    return found


def some_trades(hours: float, seed: int, count: int = 200) -> list[Trade]:
    rng = random.Random(seed)
    times = sorted(rng.uniform(1.0, hours * HOUR - 1.0) for _ in range(count))
    return [(t, rng.choice((1, -1)), MID + rng.randint(-5_000, 5_000), rng.randint(1, 40)) for t in times]


def in_turn(hours: float, seed: int) -> list[Trade]:
    """Bought and sold in turn every ten minutes, at prices by chance: never more than one clip is held."""
    rng = random.Random(seed)
    return [(k * 600.0 + 7, 1 - 2 * (k % 2), MID + rng.randint(-9_000, 9_000), 10) for k in range(int(hours * 6))]


def steady(gain_u: int, hours: float = 48.0, every_s: float = 120.0) -> Account:
    """Buy and sell 10 lots round a mid that stands still, each `gain_u` px_u better (or worse) than it."""
    trades = []
    for k in range(1, int(hours * HOUR / every_s)):
        side = 1 if k % 2 else -1
        trades.append((k * every_s, side, MID - side * gain_u, 10))
    return an_account(trades, hours=hours)


def a_flow(**more: Any) -> Flow:
    told: dict[str, Any] = {
        "days": 7.0, "trades_per_day": 10_000.0, "usd_per_day": 1e7, "spread_bps": 1.0, "best_usd_per_day": 500.0,
        "best_turnover_usd_per_day": 1e6, "vol_annual": 0.1, "rows": 1_000,
    }  # fmt: skip
    return Flow(**{**told, **more})
