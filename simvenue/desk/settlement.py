"""The end of a market, and its new beginning: halt, delisting, resumption.

A deployer's `haltTrading` cancels all orders and settles all positions at the mark (hyperliquid.md 11, docs: HIP-3); a
delisted perp of the first dex settles at the mean oracle of its last hour (docs: "Delisting"), one of a builder dex at
the mark. Settling costs no fee. A halted market refuses orders and shows an empty book; its flow is not played until it
resumes. What an order is told there is not published: `refusals.HALTED` is ours.
"""

from __future__ import annotations

from simvenue.book.pit import Pit
from simvenue.desk.orders import Registry
from simvenue.money.clearing import Clearing
from simvenue.money.deleverage import close_whole

DIRECTION = "Settlement"
CANCELED = "delistedCanceled"


def halt(clearing: Clearing, registry: Registry, pit: Pit, t_ns: int) -> int:
    """End trading at the mark; returns the price positions were settled at."""
    return _settle(clearing, registry, pit, t_ns, clearing.mark_u(pit))


def delist(clearing: Clearing, registry: Registry, pit: Pit, t_ns: int) -> int:
    """End trading for good; returns the price positions were settled at."""
    px_u = clearing.mark_u(pit) if pit.market.is_hip3 else pit.prices.oracle_mean_1h_px_u or clearing.mark_u(pit)
    pit.is_delisted = True
    return _settle(clearing, registry, pit, t_ns, px_u)


def _settle(clearing: Clearing, registry: Registry, pit: Pit, t_ns: int, px_u: int) -> int:
    coin = pit.market.coin
    for order in registry.all_open():
        if order.coin == coin and order.slot >= 0:
            pit.cancel(order)
            clearing.end(order, CANCELED, t_ns)
    held = [account for account in clearing.accounts.held(pit.market.collateral) if account.positions_u.get(coin, 0)]
    for account in held:
        close_whole(clearing, pit, t_ns, account, px_u, DIRECTION, None)
    pit.halt()
    clearing.recheck([account.address for account in held], t_ns)
    return px_u
