"""What the venue answers when asked: accounts, orders, books, contexts, as of its last step.

Nothing here changes anything. Units: `events.py`; money is 1e-8 quote, notional 1e-6 quote. A stranger's account is an
empty one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simvenue.book.pit import Pit
from simvenue.desk.orders import OpenOrder, OrderState, Registry
from simvenue.door.latency import Latency
from simvenue.events import BUY, SELL, Account, Book, Context, LedgerUpdate, Trade, UserFill, UserFunding
from simvenue.market import MarketDef
from simvenue.money import fees
from simvenue.money.clearing import Clearing
from simvenue.money.ledger import ledger_of
from simvenue.money.standing import Standing

HISTORY_MAX = 2_000


class Reads:
    """The reading half of `Exchange`."""

    def __init__(self, pits: Sequence[Pit], latency: Latency, origin_ns: int) -> None:
        self.markets: tuple[MarketDef, ...] = tuple(pit.market for pit in pits)
        self.latency = latency
        self.now_ns = origin_ns
        self._pits = list(pits)
        self._by_coin = {pit.market.coin: pit for pit in pits}
        self._registry = Registry()
        self._clearing = Clearing(pits, self._registry, latency)
        self._contexts: dict[str, Context] = {}
        self._paid: dict[str, list[tuple[int, float, float]]] = {coin: [] for coin in self._by_coin}

    # ---------------------------------------------------------------- clock of the first market
    @property
    def ended(self) -> bool:
        """Every source has run out (timers go on)."""
        return all(pit.source.next_t_ns() is None for pit in self._pits)

    @property
    def session_offset_ns(self) -> int:
        """Recorded time minus market time, as of the last stamp."""
        return self._pits[0].source.session_offset_ns

    @property
    def cut_ns(self) -> int:
        return self._pits[0].source.cut_ns

    @property
    def gaps_cut(self) -> int:
        return self._pits[0].source.gaps_cut

    # ---------------------------------------------------------------- accounts
    def is_funded(self, address: str) -> bool:
        return address in self._clearing.accounts

    def addresses(self) -> list[str]:
        """Every funded address."""
        return list(dict.fromkeys(account.address for account in self._clearing.accounts))

    def account(self, address: str, collateral: str = "") -> Account:
        """The address's book of one collateral, "" = the first market's."""
        return self._clearing.accounts.get(address, collateral)

    def standing(self, address: str, collateral: str = "") -> Standing:
        """Value, margin and positions (cross and isolated apart) of one book."""
        return self._clearing.standing(self.account(address, collateral))

    def is_isolated(self, address: str, coin: str) -> bool:
        """Whether the address's margin in this market is isolated."""
        market = self._by_coin[coin].market
        return self._clearing.standings.is_isolated(self.account(address, market.collateral), market)

    def leverage(self, address: str, coin: str) -> int:
        """What was set, else the market's maximum, at most 20."""
        pit = self._by_coin[coin]
        return self._clearing.leverage(self.account(address, pit.market.collateral), pit)

    def equity_e8(self, address: str, collateral: str = "") -> int:
        """Account value of one book: cash and all positions at their marks."""
        return self._clearing.equity_e8(self.account(address, collateral))

    def margin(self, address: str, collateral: str = "") -> tuple[int, int, int]:
        """(used by positions, maintenance of the cross account, withdrawable) in 1e-8 quote."""
        standing = self.standing(address, collateral)
        return standing.used_e8, standing.cross_maintenance_e8, standing.withdrawable_e8

    def volume_e6(self, address: str) -> int:
        """Notional traded in all collaterals."""
        return sum(book.volume_e6 for book in self._clearing.accounts.books(address))

    def credit_e6(self, address: str) -> int:
        """Volume as it earns actions: growth-mode markets count a tenth."""
        return self._clearing.accounts.credit_e6(address)

    def fee_rates_ppb(self, address: str, coin: str) -> tuple[int, int]:
        """(maker, taker) as charged in this market."""
        return fees.rates_ppb(self._by_coin[coin].market, self._clearing.profile(address))

    def base_rates_ppb(self, address: str) -> tuple[int, int]:
        """(maker, taker) before a builder dex scales them: `userAddRate`, `userCrossRate`."""
        return fees.base_rates_ppb(self._clearing.profile(address))

    def fee_profile(self, address: str) -> fees.FeeProfile:
        return self._clearing.profile(address)

    # ---------------------------------------------------------------- orders and fills, newest last
    def open_orders(self, address: str, dex: str | None = None) -> list[OpenOrder]:
        """Resting orders of one dex ("" = the first), or of all (None)."""
        found = self._registry.open_of(address)
        return [order.shown for order in found if dex is None or self._by_coin[order.coin].market.dex == dex]

    def open_order_count(self, address: str) -> int:
        return self._registry.open_count(address)

    def order_status(self, address: str, key: int | str) -> OrderState | None:
        """An order by oid (int) or cloid (text)."""
        order = self._registry.find(address, key)
        return None if order is None else order.state

    def order_history(self, address: str) -> list[OrderState]:
        """One row for each status each order has had."""
        return list(self._clearing.states.get(address, ()))

    def queue_ahead_u(self, address: str, oid: int) -> int | None:
        """Size before a resting order at its price, simulated orders left out; -1 = its price is out of view."""
        order = self._registry.find_open(address, oid)
        return None if order is None else self._by_coin[order.coin].queue_ahead_u(order)

    def fills(self, address: str) -> list[UserFill]:
        return list(self._clearing.fills.get(address, ()))

    def fundings(self, address: str) -> list[UserFunding]:
        return list(self._clearing.fundings.get(address, ()))

    def ledger_updates(self, address: str) -> list[LedgerUpdate]:
        """What moved the address's money without being a fill or funding, newest last."""
        return list(self._clearing.updates.get(address, ()))

    # ---------------------------------------------------------------- markets
    def snapshot(self, coin: str, depth: int = 20) -> Book:
        """The book now, simulated orders included."""
        pit = self._by_coin[coin]
        bids, asks = pit.depth(BUY, depth), pit.depth(SELL, depth)
        return Book(self.now_ns, self.now_ns + self.latency.feed_ns, coin, False, bids, asks)

    def levels(self, coin: str, side: int) -> list[tuple[int, int, int]]:
        """Every price of a side that is seen here, best first: (px_u, sz_u, orders), simulated orders included."""
        found = {px_u: (sz_u, 1) for px_u, sz_u in self.source_levels(coin, side)}
        for order in self._registry.all_open():
            if order.coin == coin and order.side == side and order.slot >= 0:
                sz_u, count = found.get(order.px_u, (0, 0))
                found[order.px_u] = (sz_u + order.sz_u, count + 1)
        return [(px_u, *found[px_u]) for px_u in sorted(found, reverse=side == BUY)]

    def source_levels(self, coin: str, side: int) -> list[tuple[int, int]]:
        """The recorded (or made-up) book alone, best first, less what takers used up."""
        return self._by_coin[coin].source_levels(side)

    def context(self, coin: str) -> Context | None:
        """The last one told; None before there is an oracle."""
        return self._contexts.get(coin)

    def impact_px(self, coin: str) -> tuple[int, int] | None:
        """Average px_u of selling and of buying the impact notional, rounded half up; None = not that much there."""
        bid, ask = self._by_coin[coin].impact_px()
        return (int(bid + 0.5), int(ask + 0.5)) if bid > 0.0 and ask > 0.0 else None

    def trades(self, coin: str) -> list[Trade]:
        return list(self._clearing.trades[coin])

    def funding_history(self, coin: str) -> list[tuple[int, float, float]]:
        """(venue time, hourly rate, premium) of every hour paid."""
        return list(self._paid[coin])

    def describe(self, coin: str) -> dict[str, Any]:
        """What the market is made of, for people."""
        return self._by_coin[coin].source.describe()

    def ledger(self) -> dict[str, Any]:
        """The venue's own truth, see `money/ledger.py`."""
        return ledger_of(self._clearing, self._registry, self._pits, self.now_ns)
