"""One replay as an account: every fill with its mid and fee, and equity, margin and actions over time, in integers.

The only room of the report that reads `Played`: what the rest computes rests on these columns. The parts of PnL are
the ledger's (`common/ledger.py`): spread = what a fill earned against the mid just before it, inventory = what the
position then gained or lost (what a liquidation's backstop kept included), fees (what they added, so paid is negative)
and funding; they sum to the change of equity to the last 1e-8 quote. Times ns of the recording, px_u, sz_u, money 1e-8
quote unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np

from backtest.loop.layout import (
    CURVE_FUNDING,
    CURVE_SEIZED,
    CURVE_SENT,
    CURVE_T,
    FAIR_PARTS,
    FILL_FAIR,
    FILL_FEE,
    FILL_PX,
    FILL_SLOT,
    FILL_SZ,
    FILL_T,
    FILL_TAKER,
)
from backtest.playing import Money, Played
from backtest.scoring import HORIZONS_S, markouts
from common.errors import OurFault
from quoter.state import QUOTES_MAX

E6_TO_E8 = 100


@dataclass(frozen=True, slots=True)
class Costs:
    """What the venue takes and asks for: rates in ppb, leverage of ours and of the market, equity at the start."""

    maker_ppb: int
    taker_ppb: int
    leverage: int
    max_leverage: int
    equity_usd: float


@dataclass(frozen=True, slots=True)
class Account:
    """Columns of n fills and m moments, and counts; `spans` are begin and end of each span we quoted in.

    `market` says of each fill which of several markets it was in (`several.py`); one market is number 0.
    Fills: t_ns, side (+1 bought), level (0 nearest), px_u, sz_u, mid2 just before, fair_px_u of our last
    decision before it (0 = none), fee_e8 (paid > 0), is_maker,
    `after_bps` (n, 5): signed moves to the horizons of `scoring.py`, before fees, NaN = unknown.
    Moments: t_ns, mid2, position (sz_u), equity_e8 (change since the start), margin_e8 used, funding_by_row_e8
    received and actions_by_row sent so far.
    """

    fill_t_ns: Any
    side: Any
    level: Any
    px_u: Any
    sz_u: Any
    mid2: Any
    fair_px_u: Any
    fee_e8: Any
    is_maker: Any
    after_bps: Any
    market: Any
    t_ns: Any
    row_mid2: Any
    position_u: Any
    equity_e8: Any
    margin_e8: Any
    funding_by_row_e8: Any
    actions_by_row: Any
    spans: tuple[tuple[int, int], ...]
    counts: dict[str, int]
    events: tuple[str, ...] = ()

    @property
    def funding_e8(self) -> int:
        return int(self.funding_by_row_e8[-1]) if len(self.funding_by_row_e8) else 0

    @property
    def length_ns(self) -> int:
        """Time quoted in, gaps between spans left out."""
        return sum(last - first for first, last in self.spans)

    @property
    def parts_e8(self) -> dict[str, int]:
        """What each part added; `net` is their sum and the change of equity."""
        spread = int((self.side * self.sz_u * (self.mid2 - 2 * self.px_u)).sum()) * (E6_TO_E8 // 2)
        fees = -int(self.fee_e8.sum())
        net = int(self.equity_e8[-1]) if len(self.equity_e8) else 0
        return {
            "net": net, "spread": spread, "inventory": net - spread - fees - self.funding_e8, "fees": fees,
            "funding": self.funding_e8,
        }  # fmt: skip

    @property
    def spread_e8(self) -> Any:
        """What each fill earned against the mid before it."""
        return self.side * self.sz_u * (self.mid2 - 2 * self.px_u) * (E6_TO_E8 // 2)

    @property
    def quoted_bps(self) -> Any:
        """How far each fill's quote stood from the fair price it was made for; NaN where that is not known."""
        away = self.side * (self.fair_px_u - self.px_u) / self.px_u * 1e4
        return np.where(self.fair_px_u > 0, away, np.nan)

    @property
    def usd(self) -> Any:
        """Notional of each fill."""
        return self.px_u * self.sz_u * 1e-6


def account_of(played: Played, costs: Costs, from_t_ns: int, to_t_ns: int) -> Account:
    """The account of one replay of one span; raises OurFault for a replay that kept none."""
    money = played.money
    if money is None:
        raise OurFault("a report needs a replay with an account")
    fills = np.asarray(played.fills)
    t_ns, px_u, sz_u, fee_e8 = (fills[:, column] for column in (FILL_T, FILL_PX, FILL_SZ, FILL_FEE))
    side = np.where(fills[:, FILL_SLOT] < QUOTES_MAX, 1, -1)
    known = played.mid2 > 0
    stamps, mids = played.stamp_ns[known], played.mid2[known]
    rows_t, rows_mid2, of_curve = _moments(played, stamps, mids)
    at = np.searchsorted(t_ns, rows_t, "right")
    position = _sums(side * sz_u)[at]
    funding, seized, actions = (
        np.append(played.curve[:, column], last)[of_curve]
        for column, last in (
            (CURVE_FUNDING, money.funding_e8), (CURVE_SEIZED, money.seized_e8), (CURVE_SENT, played.actions),
        )
    )  # fmt: skip
    trading = position * rows_mid2 * (E6_TO_E8 // 2) - _sums(side * sz_u * px_u)[at] * E6_TO_E8
    return Account(
        t_ns, side, fills[:, FILL_SLOT] % QUOTES_MAX, px_u, sz_u, _before(stamps, mids, t_ns),
        fills[:, FILL_FAIR] / FAIR_PARTS,
        fee_e8, fills[:, FILL_TAKER] == 0, _after(played), np.zeros(len(fills), np.int64), rows_t, rows_mid2, position,
        trading - _sums(fee_e8)[at] + funding - seized,
        np.abs(position) * rows_mid2 * (E6_TO_E8 // 2) // costs.leverage, funding, actions,
        ((from_t_ns, to_t_ns),), _counts(played, money), _events(money),
    )  # fmt: skip


def _counts(played: Played, money: Money) -> dict[str, int]:
    return {
        "actions": played.actions, "placed": played.placed, "moved": played.moved, "cancelled": played.cancelled,
        "refused": played.refused, "lost": played.lost, "pulls": played.pulls, "over budget": money.actions_over,
        "liquidations": money.liquidations,
    }  # fmt: skip


def _events(money: Money) -> tuple[str, ...]:
    """What stopped the replay, in words."""
    found = []
    if money.killed_t_ns:
        stamp = datetime.fromtimestamp(money.killed_t_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")
        found.append(f"killed at {stamp} UTC by {', '.join(money.killed_by)}; nothing was quoted from then on")
    if money.liquidations:
        found.append(f"liquidated {money.liquidations} times; the backstop kept {money.seized_e8 / 1e8:.2f} USD")
    return tuple(found)


def _moments(played: Played, stamps: Any, mids: Any) -> tuple[Any, Any, Any]:
    """(times, twice-mids, rows of the curve) at which equity is taken: the curve's rows, and the very last instant."""
    times = np.asarray(played.curve[:, CURVE_T])
    if len(stamps) and (len(times) == 0 or times[-1] < stamps[-1]):
        times = np.append(times, stamps[-1])
    rows = np.arange(len(times))
    if len(rows):
        rows[-1] = len(played.curve)  # the last moment knows what the whole replay came to
    if len(times) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), rows
    return times, mids[np.maximum(np.searchsorted(stamps, times, "right") - 1, 0)], rows


def _sums(values: Any) -> Any:
    """Running sums, 0 first: `sums[k]` is that of the first k."""
    return np.concatenate(([0], np.cumsum(values))).astype(np.int64)


def _before(stamps: Any, mids: Any, t_ns: Any) -> Any:
    """Twice the mid of the last instant before each time; the first known one where there is none before."""
    if len(stamps) == 0:
        return np.zeros(0, np.int64)
    return mids[np.maximum(np.searchsorted(stamps, t_ns, "left") - 1, 0)]


def _after(played: Played) -> Any:
    if len(played.fills) == 0:
        return np.zeros((0, len(HORIZONS_S)))
    return np.stack([markouts(played, horizon_s) for horizon_s in HORIZONS_S], 1)


def chained(parts: Sequence[Account]) -> Account:
    """Accounts of spans that follow each other as one; each began flat and was valued at the mid of its end."""
    if len(parts) == 1:
        return parts[0]
    columns = {
        f.name: np.concatenate([getattr(part, f.name) for part in parts])
        for f in fields(Account)
        if f.name not in ("spans", "counts", "events")
    }
    for name in ("equity_e8", "funding_by_row_e8", "actions_by_row"):
        ends = [0, *(int(getattr(part, name)[-1]) for part in parts[:-1])]
        sizes = [len(part.t_ns) for part in parts]
        columns[name] = columns[name] + np.repeat(np.cumsum(ends), sizes)
    return Account(
        **columns,
        spans=tuple(span for part in parts for span in part.spans),
        counts={name: sum(part.counts[name] for part in parts) for name in parts[0].counts},
        events=tuple(dict.fromkeys(event for part in parts for event in part.events)),
    )
