"""From matches to money and messages: fills booked, fees charged, owners told, trades published.

Decides the price of a fill to an account (fees.py, accounts.py), the status of an order that ends, and how much more
position each account's margin allows. Leaves who trades with whom to the pit and what may be ordered to `desk.py`.
Everything it says goes to `outputs`, stamped with venue time and the time a client sees it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence

from simvenue import fees, matching
from simvenue.accounts import HOUSE, Accounts, equity_e8
from simvenue.events import BUY, Account, OrderEvent, Output, Trade, UserFill, UserFunding
from simvenue.funding import cash_e8
from simvenue.margin import Exposure, default_leverage, required_e8, room_u
from simvenue.market import Latency
from simvenue.orders import Order, Registry
from simvenue.pit import Event, Pit

FILLS_MAX = 10_000
"""The venue's reads reach no further back (hyperliquid.md 3: `userFillsByTime`)."""
TRADES_MAX = 500
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
        self.accounts = Accounts()
        self.outputs: list[Output] = []
        self.profiles: dict[str, fees.FeeProfile] = {}
        self.fills: dict[str, deque[UserFill]] = {}
        self.fundings: dict[str, deque[UserFunding]] = {}
        self.trades = {pit.market.coin: deque[Trade](maxlen=TRADES_MAX) for pit in pits}
        self.fill_count: Counter[str] = Counter()
        self._pits = {pit.market.coin: pit for pit in pits}
        self._registry = registry
        self._latency = latency
        self._volume: dict[str, deque[list[int]]] = {pit.market.coin: deque(maxlen=DAY_HOURS) for pit in pits}
        self._next_tid = 1

    # ---------------------------------------------------------------- matches
    def clear(self, pit: Pit, t_ns: int, events: Sequence[Event], taker: Order | None = None) -> None:
        """Book what matching found; `taker` is the aggressive order when there is one."""
        last = {event.order.oid: k for k, event in enumerate(events) if event.order is not None}
        for k, event in enumerate(events):
            order = event.order
            if event.kind == matching.PRINTED:
                self._trade(pit, t_ns, event, self._tid(), HOUSE, HOUSE)
            elif order is not None and event.kind in WITHDRAWN:
                self.end(order, WITHDRAWN[event.kind], t_ns)
            else:
                self._match(pit, t_ns, event, taker)
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
        self.outputs.append(
            OrderEvent(
                t_ns, t_ns + self._latency.feed_ns, order.address, order.coin, order.side, order.px_u, order.sz_u,
                order.orig_sz_u, order.oid, order.cloid, order.status, order.placed_t_ns,
            )
        )  # fmt: skip

    def _match(self, pit: Pit, t_ns: int, event: Event, taker: Order | None) -> None:
        maker = event.order
        tid = self._tid()
        taking, making = taker.address if taker else HOUSE, maker.address if maker else HOUSE
        buyer, seller = (taking, making) if event.side == BUY else (making, taking)
        self._trade(pit, t_ns, event, tid, buyer, seller)
        if maker is not None:
            self._fill(pit, t_ns, event, tid, maker, -event.side, crossed=False)
        if taker is not None:
            self._fill(pit, t_ns, event, tid, taker, event.side, crossed=True)

    def _trade(self, pit: Pit, t_ns: int, event: Event, tid: int, buyer: str, seller: str) -> None:
        coin = pit.market.coin
        trade = Trade(
            t_ns, t_ns + self._latency.feed_ns, coin, event.side, event.px_u, event.sz_u, tid, buyer, seller
        )  # fmt: skip
        self.outputs.append(trade)
        self.trades[coin].append(trade)
        hours, hour = self._volume[coin], t_ns // HOUR_NS
        if not hours or hours[-1][0] != hour:
            hours.append([hour, 0])
        hours[-1][1] += event.px_u * event.sz_u

    def _fill(self, pit: Pit, t_ns: int, event: Event, tid: int, order: Order, side: int, *, crossed: bool) -> None:
        market = pit.market
        maker_ppb, taker_ppb = fees.rates_ppb(market, self.profile(order.address))
        fee = fees.fee_e8(event.px_u * event.sz_u, taker_ppb if crossed else maker_ppb)
        booked = self.accounts.fill(
            order.address, market.coin, side, event.px_u, event.sz_u, fee, crossed, market.growth_mode
        )
        fill = UserFill(
            t_ns, t_ns + self._latency.feed_ns, order.address, market.coin, side, event.px_u, event.sz_u, order.oid,
            order.cloid, tid, crossed, fee, market.collateral, booked.start_position_u, booked.closed_pnl_e8,
            booked.direction,
        )  # fmt: skip
        self.fill_count[order.address] += 1
        self.outputs.append(fill)
        self.fills.setdefault(order.address, deque(maxlen=FILLS_MAX)).append(fill)

    def _tid(self) -> int:
        """A 50-bit number that never repeats (an odd factor modulo a power of two is a permutation)."""
        self._next_tid += 1
        return self._next_tid * TID_STEP % TID_RANGE

    # ---------------------------------------------------------------- funding
    def pay_funding(self, pit: Pit, t_ns: int, rate_e10: int) -> None:
        """The hour's payment of every holder."""
        coin, oracle = pit.market.coin, pit.prices.oracle_px_u
        for account in self.accounts:
            position = account.positions_u.get(coin, 0)
            if position == 0:
                continue
            usd_e8 = cash_e8(position, oracle, rate_e10)
            self.accounts.fund(account.address, usd_e8)
            payment = UserFunding(
                t_ns, t_ns + self._latency.feed_ns, account.address, coin, usd_e8, position, rate_e10 / 10**10
            )
            self.outputs.append(payment)
            self.fundings.setdefault(account.address, deque(maxlen=FILLS_MAX)).append(payment)

    # ---------------------------------------------------------------- margin
    def profile(self, address: str) -> fees.FeeProfile:
        return self.profiles.get(address, fees.BASE)

    def leverage(self, account: Account, pit: Pit) -> int:
        return account.leverage.get(pit.market.coin, default_leverage(pit.market))

    def equity_e8(self, account: Account) -> int:
        return equity_e8(account, {coin: self.mark_u(pit) for coin, pit in self._pits.items()})

    def exposures(self, account: Account) -> dict[str, Exposure]:
        """The account's position and resting orders, market by market."""
        buys = dict.fromkeys(self._pits, 0)
        sells = dict.fromkeys(self._pits, 0)
        for order in self._registry.open_of(account.address):
            if not order.reduce_only:
                (buys if order.side == BUY else sells)[order.coin] += order.px_u * order.sz_u
        return {
            coin: Exposure(
                account.positions_u.get(coin, 0), self.mark_u(pit), buys[coin], sells[coin], self.leverage(account, pit)
            )
            for coin, pit in self._pits.items()
        }

    def mark_u(self, pit: Pit) -> int:
        """The mark; before the first context the mid, else the last trade."""
        return pit.prices.mark_px_u or pit.local_mid2() // 2 or pit.prices.last_px_u

    def recheck(self, addresses: Iterable[str], t_ns: int) -> None:
        """After cash, positions or marks moved: what each may still open, and reduce-only orders with nothing left."""
        for address in addresses:
            account = self.accounts.get(address)
            exposures = self.exposures(account)
            required = {coin: required_e8(exposure) for coin, exposure in exposures.items()}
            free = self.equity_e8(account) - sum(required.values())
            for coin, exposure in exposures.items():
                room = room_u(free + required[coin], exposure.mark_px_u, exposure.leverage)
                self._pits[coin].set_room(address, room)
            for order in self._registry.open_of(address):
                idle = order.reduce_only and order.side * exposures[order.coin].position_u >= 0
                if idle and order.slot >= 0:  # an order that is just being matched does not rest yet
                    self._pits[order.coin].cancel(order)
                    self.end(order, "reduceOnlyCanceled", t_ns)

    # ---------------------------------------------------------------- figures
    def day_ntl_e6(self, coin: str, t_ns: int) -> int:
        """Notional traded in the last 24 clock hours."""
        since = t_ns // HOUR_NS - DAY_HOURS
        return sum(ntl for hour, ntl in self._volume[coin] if hour > since)

    def open_interest_u(self, coin: str) -> int:
        """Contracts held long, the house included."""
        held = [account.positions_u.get(coin, 0) for account in (*self.accounts, self.accounts.house)]
        return sum(position for position in held if position > 0)
