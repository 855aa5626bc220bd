"""Several markets as the one account they are: fills in the order of time, equity and margin summed at every moment.

Sums are exact: each market's equity is in 1e-8 quote, and holds between its own moments. `position_u` is gross here,
the USD held in all markets together (1e-6, a price of 1), so that margin is what all of them need. Levels and sessions
are counted over all markets. Decides no figure; those are made from the summed account by the same rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from backtest.report.account import Account, Costs
from backtest.report.figures import GROWTH_USD, Terms
from backtest.report.flow import Flow
from backtest.report.running import Done, Plan
from backtest.scoring import HOUR_NS

FILL_COLUMNS = (
    "fill_t_ns", "side", "level", "px_u", "sz_u", "mid2", "fair_px_u", "fee_e8", "is_maker", "after_bps", "market",
)  # fmt: skip
HELD_COLUMNS = ("equity_e8", "margin_e8", "funding_by_row_e8", "actions_by_row")


def together(done: Sequence[Done], names: Sequence[str]) -> list[Done]:
    """The markets of each piece and scenario as one; `names` are the markets'."""
    groups: dict[tuple[int, Any], list[Done]] = {}
    for one in done:
        groups.setdefault((one.piece, one.scenario), []).append(one)
    found = []
    for (piece, scenario), parts in groups.items():
        account = summed([(one.market, one.account) for one in parts], names)
        flows = [one.flow for one in parts if one.flow is not None]
        flow = beside(flows, account.length_ns / (24 * HOUR_NS)) if flows else None
        found.append(Done(piece, scenario, account, flow))
    return found


def summed(parts: Sequence[tuple[int, Account]], names: Sequence[str]) -> Account:
    """Accounts of the same stretch of time as one."""
    accounts = [account for _, account in parts]
    columns: dict[str, Any] = {}
    order = np.argsort(np.concatenate([account.fill_t_ns for account in accounts]), kind="stable")
    for name in FILL_COLUMNS:
        whole = [
            np.full(len(account.px_u), market) if name == "market" else getattr(account, name)
            for market, account in parts
        ]
        columns[name] = np.concatenate(whole)[order]
    moments = np.unique(np.concatenate([account.t_ns for account in accounts]))
    for name in HELD_COLUMNS:
        columns[name] = sum(_held(account, getattr(account, name), moments) for account in accounts)
    gross = [np.abs(account.position_u) * account.row_mid2 // 2 for account in accounts]
    held = sum(_held(account, usd_e6, moments) for account, usd_e6 in zip(accounts, gross, strict=True))
    ends = np.array([span for account in accounts for span in account.spans])
    return Account(
        **columns, t_ns=moments, row_mid2=np.full(len(moments), 2), position_u=held,
        spans=((int(ends[:, 0].min()), int(ends[:, 1].max())),),
        counts={name: sum(account.counts[name] for account in accounts) for name in accounts[0].counts},
        events=tuple(f"{names[market]}: {event}" for market, account in parts for event in account.events),
    )  # fmt: skip


def _held(account: Account, values: Any, moments: Any) -> Any:
    """A column of an account's moments at other moments: what held last, 0 before the first."""
    at = np.searchsorted(account.t_ns, moments, "right") - 1
    return np.where(at >= 0, values[np.maximum(at, 0)], 0) if len(values) else np.zeros(len(moments), np.int64)


def beside(flows: Sequence[Flow], days: float) -> Flow:
    """What several markets traded in the same days; a volatility of all of them there is not."""

    def a_day(name: str) -> float:
        return sum(float(getattr(flow, name)) * flow.days for flow in flows) / days

    usd = a_day("usd_per_day")
    paid = sum((flow.spread_bps or 0.0) * flow.usd_per_day * flow.days for flow in flows) / days
    return Flow(
        days, a_day("trades_per_day"), usd, paid / usd if usd else None, a_day("best_usd_per_day"),
        a_day("best_turnover_usd_per_day"), None, sum(flow.rows for flow in flows),
    )  # fmt: skip


def terms_of(plans: Sequence[Plan], growths: Sequence[bool], seed: int) -> Terms:
    """Of the account as a whole; maintenance margin as in the market that asks for most."""
    costs: Costs = replace(
        plans[0].costs, max_leverage=min(plan.costs.max_leverage for plan in plans),
        leverage=min(plan.costs.leverage for plan in plans),
    )  # fmt: skip
    return Terms(costs, all(growths), seed, tuple(GROWTH_USD if growth else 1.0 for growth in growths))
