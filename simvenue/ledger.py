"""The venue's own truth as one tree of plain values: what `/sim/ledger` shows and reconciliations are held against.

Every sum over all accounts and the house is shown under `zero` and must be 0: positions by coin, fees, funding, and
cash less deposits. Money 1e-8 quote, notional 1e-6 quote, sizes sz_u, prices px_u, integers throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from simvenue.clearing import Clearing
from simvenue.events import Account
from simvenue.orders import Registry
from simvenue.pit import Pit


def ledger_of(clearing: Clearing, registry: Registry, pits: Sequence[Pit], now_ns: int) -> dict[str, Any]:
    house = clearing.accounts.house
    return {
        "t_ns": now_ns,
        "accounts": {account.address: _account(clearing, account, registry) for account in clearing.accounts},
        "house": asdict(house),
        "orders": [asdict(order.shown) | {"address": order.address} for order in registry.all_open()],
        "fills": clearing.fill_count.total(),
        "funding_e8": {account.address: account.funding_e8 for account in clearing.accounts},
        "markets": {pit.market.coin: _market(pit) for pit in pits},
        "zero": _sums([*clearing.accounts, house]),
    }


def _account(clearing: Clearing, account: Account, registry: Registry) -> dict[str, Any]:
    return asdict(account) | {
        "equity_e8": clearing.equity_e8(account),
        "credit_e6": clearing.accounts.credit_e6(account.address),
        "open_orders": registry.open_count(account.address),
        "fills": clearing.fill_count[account.address],
    }


def _market(pit: Pit) -> dict[str, Any]:
    return {
        "sz_decimals": pit.market.sz_decimals,
        "oracle_px_u": pit.prices.oracle_px_u,
        "mark_px_u": pit.prices.mark_px_u,
        "last_px_u": pit.prices.last_px_u,
    }


def _sums(accounts: Sequence[Account]) -> dict[str, Any]:
    coins = sorted({coin for account in accounts for coin in account.positions_u})
    return {
        "cash_e8": sum(account.cash_e8 - account.deposits_e8 for account in accounts),
        "fees_e8": sum(account.fees_e8 for account in accounts),
        "funding_e8": sum(account.funding_e8 for account in accounts),
        "positions_u": {coin: sum(account.positions_u.get(coin, 0) for account in accounts) for coin in coins},
    }
