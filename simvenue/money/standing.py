"""How an account stands: its value, margin and positions, cross and isolated, at the marks of now.

Decides nothing; every rule is margin.py's. The cross account of a cash book is what its isolated positions do not own
(`Account.isolated_e8`); within one collateral all cross positions share it. Money 1e-8 quote, notional 1e-6 quote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simvenue.book.pit import Pit
from simvenue.desk.orders import Order, Registry
from simvenue.events import BUY, Account
from simvenue.market import MarketDef
from simvenue.money import margin
from simvenue.money.margin import Exposure


@dataclass(frozen=True, slots=True)
class Held:
    """One open position; `raw_e8` and `equity_e8` are an isolated position's own cash and value, 0 for a cross one."""

    coin: str
    size_u: int
    mark_px_u: int
    leverage: int
    is_isolated: bool
    raw_e8: int
    equity_e8: int
    used_e8: int
    maintenance_e8: int
    available_e8: int
    """Value less maintenance, of the position or of the cross account."""
    market: MarketDef

    @property
    def notional_e6(self) -> int:
        return abs(self.size_u) * self.mark_px_u

    @property
    def liquidation_px_e8(self) -> int | None:
        """In 1e-8 quote; None when no price above 0 does it."""
        market = self.market
        rate, _ = margin.maintenance_rate(self.notional_e6, market.max_leverage, market.margin_tiers)
        px = margin.liquidation_px(self.size_u, self.mark_px_u, self.available_e8, rate)
        return None if px is None else round(px * 10 ** (8 - market.px_decimals))


@dataclass(frozen=True, slots=True)
class Standing:
    """One cash book at the marks; `cross_*` leaves isolated positions out, the others are the whole account's."""

    positions: tuple[Held, ...]
    cross_raw_e8: int
    cross_value_e8: int
    cross_notional_e6: int
    cross_used_e8: int
    cross_maintenance_e8: int
    required_e8: int
    """Initial margin the cross account must keep for its positions and for all resting orders."""
    raw_e8: int
    value_e8: int
    notional_e6: int
    used_e8: int

    @property
    def free_e8(self) -> int:
        """What new orders may still ask for; may be negative."""
        return self.cross_value_e8 - self.required_e8

    @property
    def withdrawable_e8(self) -> int:
        return margin.withdrawable_e8(self.cross_value_e8, self.required_e8, self.cross_notional_e6)


NOTHING = Standing((), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


class Standings:
    """Reads every account's margin from its book, its resting orders and the pits' marks."""

    def __init__(self, pits: Sequence[Pit], registry: Registry) -> None:
        self._pits = {pit.market.coin: pit for pit in pits}
        self._registry = registry

    def pits_of(self, account: Account) -> dict[str, Pit]:
        """The markets of the book's collateral."""
        mine = account.collateral
        return {coin: pit for coin, pit in self._pits.items() if not mine or pit.market.collateral == mine}

    def leverage(self, account: Account, market: MarketDef) -> int:
        return account.leverage.get(market.coin, margin.default_leverage(market))

    def is_isolated(self, account: Account, market: MarketDef) -> bool:
        """What was chosen; where nothing was, cross if the market allows it."""
        return account.is_isolated.get(market.coin, market.is_isolated_only)

    def mark_u(self, pit: Pit) -> int:
        """The mark; before the first context the mid, else the last trade."""
        return pit.prices.mark_px_u or pit.local_mid2() // 2 or pit.prices.last_px_u

    def exposures(self, account: Account) -> dict[str, Exposure]:
        """The account's position and resting orders, market by market of its collateral."""
        pits = self.pits_of(account)
        buys, sells = dict.fromkeys(pits, 0), dict.fromkeys(pits, 0)
        for order in self._registry.open_of(account.address):
            if not order.reduce_only and order.coin in pits:
                (buys if order.side == BUY else sells)[order.coin] += order.px_u * order.sz_u
        return {
            coin: Exposure(
                account.positions_u.get(coin, 0), self.mark_u(pit), buys[coin], sells[coin],
                self.leverage(account, pit.market),
                account.isolated_e8.get(coin, 0) if self.is_isolated(account, pit.market) else None,
            )
            for coin, pit in pits.items()
        }  # fmt: skip

    def standing(self, account: Account) -> Standing:
        exposures = self.exposures(account)
        cross = {coin: e for coin, e in exposures.items() if e.isolated_e8 is None}
        isolated_raw = sum(account.isolated_e8.values())
        own = sum(e.own_equity_e8 for e in exposures.values())
        raw = account.cash_e8 - isolated_raw
        value = raw + sum(e.position_u * e.mark_px_u * 100 for e in cross.values())
        maintenance = {coin: self._maintenance_e8(coin, e) for coin, e in exposures.items()}
        cross_maintenance = sum(maintenance[coin] for coin in cross)
        cross_used = sum(margin.used_e8(e) for e in cross.values())
        return Standing(
            positions=tuple(
                self._held(coin, e, maintenance[coin], value - cross_maintenance)
                for coin, e in exposures.items()
                if e.position_u
            ),
            cross_raw_e8=raw,
            cross_value_e8=value,
            cross_notional_e6=sum(e.notional_e6 for e in cross.values()),
            cross_used_e8=cross_used,
            cross_maintenance_e8=cross_maintenance,
            required_e8=sum(margin.required_e8(e) for e in exposures.values()),
            raw_e8=account.cash_e8,
            value_e8=value + own,
            notional_e6=sum(e.notional_e6 for e in exposures.values()),
            used_e8=cross_used + own,
        )

    def rooms(self, exposures: Mapping[str, Exposure], account: Account) -> dict[str, int]:
        """Largest position each market's margin could carry, other markets and their orders left as they are.

        In an isolated market that is the position and what free collateral could add to it.
        """
        required = {coin: margin.required_e8(e) for coin, e in exposures.items()}
        free = self._cross_value_e8(account, exposures) - sum(required.values())
        return {
            coin: (abs(e.position_u) if e.isolated_e8 is not None else 0)
            + margin.room_u(free + required[coin], e.mark_px_u, e.leverage)
            for coin, e in exposures.items()
        }

    # ---------------------------------------------------------------- a new order
    def carries(self, account: Account, order: Order) -> bool:
        """Whether the account can carry its worst case with this order; one that does not worsen it always passes."""
        exposures = self.exposures(account)
        now, then = exposures[order.coin], self._with(exposures[order.coin], order)
        before, after = margin.required_e8(now), margin.required_e8(then)
        others = sum(margin.required_e8(e) for coin, e in exposures.items() if coin != order.coin)
        return after <= before or others + after <= self._cross_value_e8(account, exposures)

    def fits_tier(self, account: Account, order: Order) -> bool:
        """Whether the chosen leverage is still allowed at the notional of the worst case with this order."""
        market = self._pits[order.coin].market
        if len(market.margin_tiers) == 1:
            return True
        now = self.exposures(account)[order.coin]
        worst_e6 = self._with(now, order).worst_e6
        allowed = margin.leverage_limit(worst_e6, market.max_leverage, market.margin_tiers)
        return worst_e6 <= now.worst_e6 or now.leverage <= allowed

    @staticmethod
    def _with(now: Exposure, order: Order) -> Exposure:
        added = order.px_u * order.sz_u
        buys, sells = (added, 0) if order.side == BUY else (0, added)
        return Exposure(
            now.position_u, now.mark_px_u, now.buys_e6 + buys, now.sells_e6 + sells, now.leverage, now.isolated_e8
        )

    # ---------------------------------------------------------------- inside
    @staticmethod
    def _cross_value_e8(account: Account, exposures: Mapping[str, Exposure]) -> int:
        cross = (e for e in exposures.values() if e.isolated_e8 is None)
        held = sum(e.position_u * e.mark_px_u * 100 for e in cross)
        return account.cash_e8 - sum(account.isolated_e8.values()) + held

    def _maintenance_e8(self, coin: str, exposure: Exposure) -> int:
        market = self._pits[coin].market
        return margin.maintenance_e8(exposure.notional_e6, market.max_leverage, market.margin_tiers)

    def _held(self, coin: str, exposure: Exposure, maintenance: int, cross_available_e8: int) -> Held:
        market = self._pits[coin].market
        is_isolated = exposure.isolated_e8 is not None
        available = exposure.own_equity_e8 - maintenance if is_isolated else cross_available_e8
        return Held(
            coin, exposure.position_u, exposure.mark_px_u, exposure.leverage, is_isolated, exposure.isolated_e8 or 0,
            exposure.own_equity_e8, margin.used_e8(exposure), maintenance, available, market,
        )  # fmt: skip
