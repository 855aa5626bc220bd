"""The venue's own truth as one tree of plain values: what `/sim/ledger` shows and reconciliations are held against.

Every sum over all accounts, vaults and the house is shown under `zero` and must be 0: positions by coin, fees,
funding, and cash less deposits. `accounts`, `house`, `vaults` and `zero` are of the first market's collateral; every
other has the same four under `collaterals`. Money 1e-8 quote, notional 1e-6 quote, sizes sz_u, prices px_u, integers
throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from simvenue.book.pit import Pit
from simvenue.desk.orders import Registry
from simvenue.events import Account
from simvenue.money.clearing import Clearing


def ledger_of(clearing: Clearing, registry: Registry, pits: Sequence[Pit], now_ns: int) -> dict[str, Any]:
    books = {name: _books(clearing, registry, name) for name in clearing.accounts.collaterals}
    first, *others = books
    return {
        "t_ns": now_ns,
        **books[first],
        "orders": [asdict(order.shown) | {"address": order.address} for order in registry.all_open()],
        "fills": clearing.fill_count.total(),
        "funding_e8": {address: account["funding_e8"] for address, account in books[first]["accounts"].items()},
        "markets": {pit.market.coin: _market(pit) for pit in pits},
        "collaterals": {name: books[name] for name in others},
    }


def _books(clearing: Clearing, registry: Registry, collateral: str) -> dict[str, Any]:
    accounts, house = clearing.accounts, clearing.accounts.houses[collateral]
    held, vaults = accounts.held(collateral), accounts.vaults(collateral)
    return {
        "accounts": {a.address: _account(clearing, a, registry) for a in held[: len(held) - len(vaults)]},
        "house": asdict(house),
        "vaults": {vault.address: asdict(vault) for vault in vaults},
        "zero": _sums([*held, house]),
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
        "collateral": pit.market.collateral,
        "is_halted": pit.is_halted,
        "queue": pit.queue,
        "crossed_stamps": pit.crossed_stamps,
        "yielded_levels": pit.yielded_levels,
    }


def _sums(accounts: Sequence[Account]) -> dict[str, Any]:
    coins = sorted({coin for account in accounts for coin in account.positions_u})
    return {
        "cash_e8": sum(account.cash_e8 - account.deposits_e8 for account in accounts),
        "fees_e8": sum(account.fees_e8 for account in accounts),
        "funding_e8": sum(account.funding_e8 for account in accounts),
        "positions_u": {coin: sum(account.positions_u.get(coin, 0) for account in accounts) for coin in coins},
    }
