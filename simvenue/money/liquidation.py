"""Liquidation: what the venue does with an account, or an isolated position, that is worth less than its maintenance.

From hyperliquid.md 10 (docs: "Liquidations"), looked at whenever marks or funding moved money, isolated positions
first: its orders are cancelled; below 0 it is auto-deleveraged (`deleverage.py`); else its positions go to the book as
market orders, the one with the largest maintenance first, until it is healthy again. Of a position above $100k only
20 % goes, but all of it during the 30 s after such a part. What is then still below 2/3 of maintenance is taken over by
the dex's backstop vault at the mark, position and margin. Vaults are deleveraged like everybody else.

The venue's rules for these are not published: a market order goes no further than the price that leaves 0 (beyond it
the backstop is next); a vault keeps what it took; a builder dex's vault address form is used for the first dex as well.
"""

from __future__ import annotations

from collections.abc import Sequence

from common.clock import NS
from simvenue.book.pit import Pit
from simvenue.desk.orders import Order, Registry
from simvenue.door.latency import Latency
from simvenue.events import BUY, SELL, Account, Liquidated, Liquidation
from simvenue.money.clearing import Clearing
from simvenue.money.deleverage import deleverage
from simvenue.money.standing import Held

PARTIAL_E6 = 100_000 * 10**6
PARTIAL_SHARE = 5
"""Of a larger position one part in this many is sold at first."""
COOLDOWN_NS = 30 * NS
BACKSTOP = (2, 3)
VAULT_BASE = 0x4 << 156
"""Backstop of builder dex i: the address 0x4000...0000 + i (docs: HIP-3)."""
TIF = "LiquidationMarket"


class Liquidator:
    """Watches all accounts of one venue."""

    def __init__(self, pits: Sequence[Pit], registry: Registry, clearing: Clearing, latency: Latency) -> None:
        self._pits = {pit.market.coin: pit for pit in pits}
        self._registry = registry
        self._clearing = clearing
        self._latency = latency
        self._partial_t_ns: dict[tuple[str, str], int] = {}

    def check(self, t_ns: int) -> None:
        """Liquidate whoever is below maintenance, deleverage vaults that are below 0."""
        accounts = self._clearing.accounts
        for account in list(accounts):
            if account.isolated_e8 or any(account.positions_u.values()) or account.cash_e8 < 0:
                self._check(account, t_ns)
        for collateral in accounts.collaterals:
            for vault in accounts.vaults(collateral):
                if self._clearing.standing(vault).cross_value_e8 < 0:
                    self._deleverage(vault, self._cross_pits(vault), t_ns)

    def _check(self, account: Account, t_ns: int) -> None:
        standing = self._clearing.standing(account)
        ill = [p.coin for p in standing.positions if p.is_isolated and p.equity_e8 < p.maintenance_e8]
        for coin in ill:
            self._liquidate(account, coin, t_ns)
        if ill:
            standing = self._clearing.standing(account)
        if standing.cross_value_e8 < standing.cross_maintenance_e8 or standing.cross_value_e8 < 0:
            self._liquidate(account, None, t_ns)

    # ---------------------------------------------------------------- one account or position
    def _liquidate(self, account: Account, isolated: str | None, t_ns: int) -> None:
        """`isolated` names the position; None = the cross account."""
        before = self._scope(account, isolated)
        value, _ = self._figures(account, isolated)
        self._cancel_orders(account, isolated, t_ns)
        pits = [self._pits[held.coin] for held in before]
        if value < 0:
            self._deleverage(account, pits, t_ns)
        else:
            for held in sorted(before, key=lambda held: -held.maintenance_e8):
                if self._is_healthy(account, isolated):
                    break
                self._market_order(account, isolated, held, t_ns)
            value_left, maintenance = self._figures(account, isolated)
            if value_left < 0:
                self._deleverage(account, pits, t_ns)
            elif value_left * BACKSTOP[1] < maintenance * BACKSTOP[0]:
                self._take_over(account, isolated, t_ns)
        self._note(account, isolated, before, value, t_ns)
        self._clearing.recheck([account.address], t_ns)

    def _market_order(self, account: Account, isolated: str | None, held: Held, t_ns: int) -> None:
        pit = self._pits[held.coin]
        value, _ = self._figures(account, isolated)
        side = SELL if held.size_u > 0 else BUY
        sz_u = self._size(account, held, t_ns)
        worst = held.mark_px_u + side * (value // (100 * abs(held.size_u)))
        order = Order(
            account.address, held.coin, pit.market.asset_id, side, max(1, worst), sz_u, sz_u, TIF, True, None,
            self._registry.next_oid(), t_ns, status_t_ns=t_ns,
        )  # fmt: skip
        self._registry.add(order)
        why = Liquidation(account.address, held.mark_px_u, "market")
        self._clearing.clear(pit, t_ns, pit.take(order, sz_u), order, why)
        self._clearing.end(order, "filled" if order.sz_u == 0 else "canceled", t_ns)
        if sz_u < abs(held.size_u) and order.sz_u < sz_u:
            self._partial_t_ns[account.address, account.collateral] = t_ns

    def _size(self, account: Account, held: Held, t_ns: int) -> int:
        """The whole position, or a fifth of a large one outside the cooldown."""
        last = self._partial_t_ns.get((account.address, account.collateral), t_ns)
        is_cooling = last < t_ns < last + COOLDOWN_NS
        if held.notional_e6 <= PARTIAL_E6 or is_cooling:
            return abs(held.size_u)
        return max(1, abs(held.size_u) // PARTIAL_SHARE)

    def _take_over(self, account: Account, isolated: str | None, t_ns: int) -> None:
        """The vault gets positions and margin at the mark; what it gets is worth 0 or more."""
        held = self._scope(account, isolated)
        if not held:
            return
        largest = max(held, key=lambda position: position.maintenance_e8)
        vault = self._vault(account, self._pits[largest.coin])
        margin_e8, _ = self._figures(account, isolated)
        for position in held:
            pit = self._pits[position.coin]
            vault.is_isolated[position.coin] = False
            side = 1 if position.size_u > 0 else -1
            word = f"Liquidated {'Isolated' if isolated else 'Cross'} {'Long' if side > 0 else 'Short'}"
            why = Liquidation(account.address, position.mark_px_u, "backstop")
            for who, way, direction in ((account, -side, word), (vault, side, word)):
                self._clearing.force(pit, t_ns, who, way, position.mark_px_u, abs(position.size_u), direction, why)
        self._clearing.accounts.transfer(account, vault, margin_e8)

    def _deleverage(self, account: Account, pits: Sequence[Pit], t_ns: int) -> None:
        met = deleverage(self._clearing, pits, account, t_ns)
        self._clearing.cover(account, -self._clearing.standing(account).cross_value_e8)
        self._clearing.recheck(met, t_ns)

    # ---------------------------------------------------------------- inside
    def _scope(self, account: Account, isolated: str | None) -> list[Held]:
        positions = self._clearing.standing(account).positions
        return [p for p in positions if (p.coin == isolated if isolated else not p.is_isolated)]

    def _figures(self, account: Account, isolated: str | None) -> tuple[int, int]:
        """(value, maintenance) of what is being liquidated."""
        standing = self._clearing.standing(account)
        if isolated is None:
            return standing.cross_value_e8, standing.cross_maintenance_e8
        held = next((p for p in standing.positions if p.coin == isolated), None)
        return (0, 0) if held is None else (held.equity_e8, held.maintenance_e8)

    def _is_healthy(self, account: Account, isolated: str | None) -> bool:
        value, maintenance = self._figures(account, isolated)
        return value >= maintenance

    def _cross_pits(self, account: Account) -> list[Pit]:
        return [self._pits[held.coin] for held in self._scope(account, None)]

    def _cancel_orders(self, account: Account, isolated: str | None, t_ns: int) -> None:
        """All orders of the collateral, or of the isolated market (which of them is not published)."""
        for order in self._registry.open_of(account.address):
            pit = self._pits[order.coin]
            if order.slot >= 0 and pit.market.collateral == account.collateral and isolated in (None, order.coin):
                pit.cancel(order)
                self._clearing.end(order, "liquidatedCanceled", t_ns)

    def _vault(self, account: Account, pit: Pit) -> Account:
        return self._clearing.accounts.vault(f"0x{VAULT_BASE + pit.market.dex_index:040x}", account.collateral)

    def _note(self, account: Account, isolated: str | None, before: Sequence[Held], value: int, t_ns: int) -> None:
        """Tell it, if anything changed hands."""
        changed = [p for p in before if account.positions_u.get(p.coin, 0) != p.size_u]
        if changed:
            self._clearing.note(
                Liquidated(
                    t_ns, t_ns + self._latency.feed_ns, account.address, sum(p.notional_e6 for p in before), value,
                    isolated is None, tuple((p.coin, p.size_u) for p in before),
                )
            )  # fmt: skip
