"""From matches to money and messages: fills booked, fees charged, owners told, trades published.

Decides the price of a fill to an account (fees.py, accounts.py), the status of an order that ends, and how much more
position each account's margin allows. Leaves who trades with whom to the pit and what may be ordered to `desk/desk.py`.
Everything it says goes to `outputs`, stamped with venue time and the time a client sees it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence

from simvenue.book import matching
from simvenue.book.pit import Event, Pit
from simvenue.desk.orders import Order, OrderState, Registry
from simvenue.door.latency import Latency
from simvenue.events import (
    BUY,
    Account,
    LedgerUpdate,
    Liquidation,
    OrderEvent,
    Output,
    Trade,
    UserFill,
    UserFunding,
)
from simvenue.money import fees
from simvenue.money.accounts import HOUSE, Accounts, Booked, equity_e8
from simvenue.money.funding import cash_e8
from simvenue.money.margin import Exposure
from simvenue.money.standing import Standing, Standings
from simvenue.source import printed_by

FILLS_MAX = 10_000
"""The venue's reads reach no further back (hyperliquid.md 3: `userFillsByTime`)."""
TRADES_MAX = 500
STATES_MAX = 2_000
"""The venue shows the newest of an address's order states, one row for each status an order has had."""
UPDATES_MAX = 2_000
HOUR_NS = 3_600 * 10**9
DAY_HOURS = 24
TID_STEP = 0x1F83D9ABFB41BD
TID_RANGE = 1 << 50

WITHDRAWN = {
    matching.REDUCED_OUT: "reduceOnlyCanceled",
    matching.MARGIN_OUT: "marginCanceled",
    matching.SELF_OUT: "selfTradeCanceled",
}


class Clearing:
    """The books behind every pit of one venue."""

    def __init__(self, pits: Sequence[Pit], registry: Registry, latency: Latency) -> None:
        self.accounts = Accounts(tuple(dict.fromkeys(pit.market.collateral for pit in pits)))
        self.standings = Standings(pits, registry)
        self.outputs: list[Output] = []
        self.profiles: dict[str, fees.FeeProfile] = {}
        self.fills: dict[str, deque[UserFill]] = {}
        self.fundings: dict[str, deque[UserFunding]] = {}
        self.updates: dict[str, deque[LedgerUpdate]] = {}
        self.states: dict[str, deque[OrderState]] = {}
        self.trades = {pit.market.coin: deque[Trade](maxlen=TRADES_MAX) for pit in pits}
        self.fill_count: Counter[str] = Counter()
        self._pits = {pit.market.coin: pit for pit in pits}
        self._registry = registry
        self._latency = latency
        self._volume: dict[str, deque[list[int]]] = {pit.market.coin: deque(maxlen=DAY_HOURS) for pit in pits}
        self._next_tid = 1

    # ---------------------------------------------------------------- matches
    def clear(
        self, pit: Pit, t_ns: int, events: Sequence[Event], taker: Order | None = None, why: Liquidation | None = None
    ) -> None:
        """Book what matching found; `taker` is the aggressive order when there is one, `why` what forced it."""
        last = {event.order.oid: k for k, event in enumerate(events) if event.order is not None}
        for k, event in enumerate(events):
            order = event.order
            if event.kind == matching.PRINTED:
                printed = printed_by(pit.source, event.side, event.px_u)
                if printed is None:
                    self._trade(pit, t_ns, event, self._tid(), HOUSE, HOUSE)
                else:
                    self._trade(pit, t_ns, event, printed.tid, printed.buyer, printed.seller, printed.hash)
            elif order is not None and event.kind in WITHDRAWN:
                self.end(order, WITHDRAWN[event.kind], t_ns)
            else:
                self._match(pit, t_ns, event, taker, why)
                if order is not None and last[order.oid] == k:
                    self._after_fill(order, t_ns)
        changed = {event.order.address for event in events if event.order is not None}
        if changed or taker is not None:
            self.recheck(changed | ({taker.address} if taker else set()), t_ns)

    def _after_fill(self, order: Order, t_ns: int) -> None:
        if order.sz_u == 0:
            self.end(order, "filled", t_ns)
        else:
            self.tell(order, t_ns)

    def end(self, order: Order, status: str, t_ns: int) -> None:
        """The order is over: keep its last state and tell its owner."""
        self._registry.close(order, status, t_ns)
        self.tell(order, t_ns)

    def tell(self, order: Order, t_ns: int) -> None:
        if order.told != order.status:  # a partial fill leaves an order open: no row of its own
            order.told = order.status
            self.states.setdefault(order.address, deque(maxlen=STATES_MAX)).append(order.state)
        self.outputs.append(
            OrderEvent(
                t_ns, t_ns + self._latency.feed_ns, order.address, order.coin, order.side, order.px_u, order.sz_u,
                order.orig_sz_u, order.oid, order.cloid, order.status, order.placed_t_ns,
            )
        )  # fmt: skip

    def _match(self, pit: Pit, t_ns: int, event: Event, taker: Order | None, why: Liquidation | None) -> None:
        maker = event.order
        tid = self._tid()
        taking, making = taker.address if taker else HOUSE, maker.address if maker else HOUSE
        buyer, seller = (taking, making) if event.side == BUY else (making, taking)
        self._trade(pit, t_ns, event, tid, buyer, seller)
        if maker is not None:
            self._fill(pit, t_ns, event, tid, maker, -event.side, why, crossed=False)
        if taker is not None:
            self._fill(pit, t_ns, event, tid, taker, event.side, why, crossed=True)

    def _trade(self, pit: Pit, t_ns: int, event: Event, tid: int, buyer: str, seller: str, told_hash: str = "") -> None:
        coin = pit.market.coin
        trade = Trade(
            t_ns, t_ns + self._latency.feed_ns, coin, event.side, event.px_u, event.sz_u, tid, buyer, seller, told_hash
        )  # fmt: skip
        self.outputs.append(trade)
        self.trades[coin].append(trade)
        hours, hour = self._volume[coin], t_ns // HOUR_NS
        if not hours or hours[-1][0] != hour:
            hours.append([hour, 0])
        hours[-1][1] += event.px_u * event.sz_u

    def _fill(
        self, pit: Pit, t_ns: int, event: Event, tid: int, order: Order, side: int, why: Liquidation | None, *,
        crossed: bool,
    ) -> None:  # fmt: skip
        market = pit.market
        maker_ppb, taker_ppb = fees.rates_ppb(market, self.profile(order.address))
        fee = fees.fee_e8(event.px_u * event.sz_u, taker_ppb if crossed else maker_ppb)
        account = self.accounts.get(order.address, market.collateral)
        booked = self.accounts.fill(
            order.address, market.coin, side, event.px_u, event.sz_u, fee, crossed, market.growth_mode,
            market.collateral, self._isolated_leverage(account, pit),
        )  # fmt: skip
        self._tell_fill(
            UserFill(
                t_ns, t_ns + self._latency.feed_ns, order.address, market.coin, side, event.px_u, event.sz_u,
                order.oid, order.cloid, tid, crossed, fee, market.collateral, booked.start_position_u,
                booked.closed_pnl_e8, booked.direction, why,
            )
        )  # fmt: skip

    def force(
        self, pit: Pit, t_ns: int, account: Account, side: int, px_u: int, sz_u: int, direction: str,
        why: Liquidation | None = None,
    ) -> Booked:  # fmt: skip
        """Change a position outside the book, without fee or volume: the house, or whoever is forced next, takes it."""
        market = pit.market
        leverage = self._isolated_leverage(account, pit)
        booked = self.accounts.move(account, market.coin, side, px_u, sz_u, 0, leverage)
        pit.set_position(account.address, account.positions_u[market.coin])
        if account.address in self.accounts:
            self._tell_fill(
                UserFill(
                    t_ns, t_ns + self._latency.feed_ns, account.address, market.coin, side, px_u, sz_u,
                    self._registry.next_oid(), None, self._tid(), True, 0, market.collateral,
                    booked.start_position_u, booked.closed_pnl_e8, direction, why,
                )
            )  # fmt: skip
        return booked

    def _tell_fill(self, fill: UserFill) -> None:
        self.fill_count[fill.address] += 1
        self.outputs.append(fill)
        self.fills.setdefault(fill.address, deque(maxlen=FILLS_MAX)).append(fill)

    def _isolated_leverage(self, account: Account, pit: Pit) -> int:
        """0 = the position's margin is cross."""
        if not self.standings.is_isolated(account, pit.market):
            return 0
        return self.standings.leverage(account, pit.market)

    def _tid(self) -> int:
        """A 50-bit number that never repeats (an odd factor modulo a power of two is a permutation)."""
        self._next_tid += 1
        return self._next_tid * TID_STEP % TID_RANGE

    # ---------------------------------------------------------------- funding
    def pay_funding(self, pit: Pit, t_ns: int, rate_e10: int) -> None:
        """The hour's payment of every holder."""
        coin, oracle = pit.market.coin, pit.prices.oracle_px_u
        for account in self.accounts.held(pit.market.collateral):
            position = account.positions_u.get(coin, 0)
            if position == 0:
                continue
            usd_e8 = cash_e8(position, oracle, rate_e10)
            self.accounts.fund(account, coin, usd_e8)
            if account.address not in self.accounts:
                continue
            payment = UserFunding(
                t_ns, t_ns + self._latency.feed_ns, account.address, coin, usd_e8, position, rate_e10 / 10**10
            )
            self.outputs.append(payment)
            self.fundings.setdefault(account.address, deque(maxlen=FILLS_MAX)).append(payment)

    def note(self, update: LedgerUpdate) -> None:
        """Keep and tell what moved an account's money without being a fill or funding."""
        self.outputs.append(update)
        self.updates.setdefault(update.address, deque(maxlen=UPDATES_MAX)).append(update)

    def cover(self, account: Account, missing_e8: int) -> None:
        """The house makes good what an account could not pay; nothing when nothing is missing."""
        if missing_e8 > 0:
            self.accounts.transfer(self.accounts.houses[account.collateral], account, missing_e8)

    # ---------------------------------------------------------------- margin
    def profile(self, address: str) -> fees.FeeProfile:
        return self.profiles.get(address, fees.BASE)

    def leverage(self, account: Account, pit: Pit) -> int:
        return self.standings.leverage(account, pit.market)

    def equity_e8(self, account: Account) -> int:
        """Account value, isolated positions included."""
        held = [coin for coin, position in account.positions_u.items() if position]
        marks = dict.fromkeys(account.positions_u, 0) | {coin: self.mark_u(self._pits[coin]) for coin in held}
        return equity_e8(account, marks)

    def exposures(self, account: Account) -> dict[str, Exposure]:
        """The account's position and resting orders, market by market of its collateral."""
        return self.standings.exposures(account)

    def standing(self, account: Account) -> Standing:
        """Value, margin and positions at the marks of now."""
        return self.standings.standing(account)

    def mark_u(self, pit: Pit) -> int:
        """The mark; before the first context the mid, else the last trade."""
        return self.standings.mark_u(pit)

    def recheck(self, addresses: Iterable[str], t_ns: int) -> None:
        """After cash, positions or marks moved: what each may still open, and reduce-only orders with nothing left."""
        for address in dict.fromkeys(addresses):
            for account in self.accounts.books(address):
                exposures = self.standings.exposures(account)
                for coin, room in self.standings.rooms(exposures, account).items():
                    self._pits[coin].set_room(address, room)
            self._withdraw_idle(address, t_ns)

    def _withdraw_idle(self, address: str, t_ns: int) -> None:
        for order in self._registry.open_of(address):
            if not order.reduce_only or order.slot < 0:  # an order that is just being matched does not rest yet
                continue
            pit = self._pits[order.coin]
            if order.side * self.accounts.get(address, pit.market.collateral).positions_u.get(order.coin, 0) >= 0:
                pit.cancel(order)
                self.end(order, "reduceOnlyCanceled", t_ns)

    # ---------------------------------------------------------------- figures
    def day_ntl_e6(self, coin: str, t_ns: int) -> int:
        """Notional traded in the last 24 clock hours."""
        since = t_ns // HOUR_NS - DAY_HOURS
        return sum(ntl for hour, ntl in self._volume[coin] if hour > since)

    def open_interest_u(self, coin: str) -> int:
        """Contracts held long, the house included."""
        collateral = self._pits[coin].market.collateral
        everybody = (*self.accounts.held(collateral), self.accounts.houses[collateral])
        held = [account.positions_u.get(coin, 0) for account in everybody]
        return sum(position for position in held if position > 0)

    def is_capped(self, pit: Pit) -> bool:
        """Whether the market's open interest has reached its cap: then nobody may add to it."""
        cap_e6 = pit.market.oi_cap_usd * 10**6
        return cap_e6 > 0 and self.open_interest_u(pit.market.coin) * pit.prices.oracle_px_u >= cap_e6
