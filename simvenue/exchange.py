"""The venue's core: market data and signed requests in, everything the venue says out, in venue-time order.

Sans-IO: time arrives as data, nothing is read or sent. Decides *when* things happen: a request acts when it arrives
(sent + order latency), a stamp of market data before requests of the same instant, timers last; snapshots, contexts,
premium samples and funding run on market time. What an order does is the desk's, matching the pit's, money the
clearing's. Signatures, nonces, agents, action budgets and JSON are the shell's. Units: `events.py`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import Literal

from common.clock import NS
from simvenue import fees, funding, margin
from simvenue.accounts import HOUSE
from simvenue.desk import Desk
from simvenue.events import BUY, SELL, Bbo, Book, Context, Output, Request
from simvenue.market import LATENCIES, Latency, MarketDef, market_of
from simvenue.orders import OpenOrder, OrderState
from simvenue.pit import Pit
from simvenue.prices import UPDATE_NS
from simvenue.reads import HISTORY_MAX, Reads
from simvenue.source import Source

__all__ = ["HOUSE", "LATENCIES", "Exchange", "Latency", "MarketDef", "OpenOrder", "OrderState", "market_of"]

FAST_NS = NS // 2
FAST_LEVELS = 5
SLOW_NS = 5 * NS
SLOW_LEVELS = 20
PREMIUM_NS = funding.SAMPLE_S * NS
HOUR_NS = 3_600 * NS
BAD_LEVERAGE = "Invalid leverage value"

QueueModel = Literal["risk-averse", "probabilistic"]


class Exchange(Reads):
    """One venue: its markets, accounts and orders.

    `origin_ns` is the market time of the first stamp; addresses are lower case. Reads answer as of the last `advance`.
    """

    def __init__(
        self,
        markets: Sequence[tuple[MarketDef, Source]],
        *,
        origin_ns: int,
        latency: Latency,
        queue: QueueModel = "risk-averse",
    ) -> None:
        if len({market.collateral for market, _ in markets}) != 1:
            raise ValueError("the markets of one exchange share one collateral")
        pits = [Pit(market, source, probabilistic=queue == "probabilistic") for market, source in markets]
        super().__init__(pits, latency, origin_ns)
        self._desk = Desk(pits, self._registry, self._clearing, latency)
        self._inbox: list[tuple[int, int, int, Request]] = []
        self._sent = 0
        hour = (origin_ns // HOUR_NS + 1) * HOUR_NS
        self._timers: list[tuple[int, int, int, Callable[[Pit, int], None]]] = [
            (origin_ns, 0, UPDATE_NS, self._on_prices),
            (origin_ns, 1, FAST_NS, self._on_fast),
            (origin_ns, 2, SLOW_NS, self._on_slow),
            (origin_ns, 3, PREMIUM_NS, self._on_premium),
            (hour, 4, HOUR_NS, self._on_hour),
        ]
        heapq.heapify(self._timers)

    # ---------------------------------------------------------------- set-up
    def fund(self, address: str, usd: int) -> None:
        """Deposit whole quote tokens."""
        self._clearing.accounts.deposit(address, usd)
        self._clearing.recheck([address], self.now_ns)

    def set_leverage(self, address: str, coin: str, n: int) -> str | None:
        """None when done, else the venue's error text; a lower leverage needs the margin for it."""
        pit = self._by_coin[coin]
        if not 1 <= n <= pit.market.max_leverage:
            return BAD_LEVERAGE
        account = self._clearing.accounts.get(address)
        before = account.leverage.get(coin)
        account.leverage[coin] = n
        required = sum(margin.required_e8(e) for e in self._clearing.exposures(account).values())
        if account.positions_u.get(coin) and required > self.equity_e8(address):
            account.leverage[coin] = margin.default_leverage(pit.market) if before is None else before
            return "Insufficient margin to change leverage."
        if address in self._clearing.accounts:
            self._clearing.recheck([address], self.now_ns)
        return None

    def set_fee_profile(self, address: str, profile: fees.FeeProfile) -> None:
        """Give an address another tier or discounts; it starts at the base tier."""
        self._clearing.profiles[address] = profile

    # ---------------------------------------------------------------- running
    def submit(self, t_ns: int, request_id: int, request: Request) -> None:
        """A request signed and admitted at `t_ns`; it acts at `t_ns` + order latency, never in the past."""
        self._sent += 1
        arrives = max(t_ns + self.latency.order_ns, self.now_ns)
        heapq.heappush(self._inbox, (arrives, self._sent, request_id, request))

    def next_t_ns(self) -> int:
        """When the next thing is due: market data, a request or a timer."""
        due = self._timers[0][0]
        if self._inbox:
            due = min(due, self._inbox[0][0])
        for pit in self._pits:
            stamp = pit.source.next_t_ns()
            if stamp is not None and stamp < due:
                due = stamp
        return due

    def advance(self, to_t_ns: int) -> list[Output]:
        """Everything that happened up to and including `to_t_ns`, in venue-time order."""
        outputs: list[Output] = []
        self._clearing.outputs, spare = outputs, self._clearing.outputs
        outputs.extend(spare)
        while (t_ns := self.next_t_ns()) <= to_t_ns:
            self.now_ns = max(self.now_ns, t_ns)
            self._step(t_ns)
        self.now_ns = max(self.now_ns, to_t_ns)
        self._clearing.outputs = []
        return outputs

    def _step(self, t_ns: int) -> None:
        """All that happens at one instant; then the touches that changed are published."""
        for pit in self._pits:
            while (stamp := pit.source.next_t_ns()) is not None and stamp <= t_ns:
                self._clearing.clear(pit, t_ns, pit.play())
        while self._inbox and self._inbox[0][0] <= t_ns:
            _, _, request_id, request = heapq.heappop(self._inbox)
            self._clearing.outputs.append(self._desk.act(t_ns, request_id, request))
        for pit in self._pits:
            self._publish_touch(pit, t_ns)
        while self._timers[0][0] <= t_ns:
            due, order, every, handler = self._timers[0]
            heapq.heapreplace(self._timers, (due + every, order, every, handler))
            for pit in self._pits:
                handler(pit, t_ns)

    def _publish_touch(self, pit: Pit, t_ns: int) -> None:
        touch = (pit.best(BUY), pit.best(SELL))
        if touch != pit.touch:
            pit.touch = touch
            self._clearing.outputs.append(Bbo(t_ns, t_ns + self.latency.feed_ns, pit.market.coin, *touch))

    # ---------------------------------------------------------------- timers
    def _on_fast(self, pit: Pit, t_ns: int) -> None:
        self._clearing.outputs.append(self._book(pit, t_ns, FAST_LEVELS, fast=True))

    def _on_slow(self, pit: Pit, t_ns: int) -> None:
        self._clearing.outputs.append(self._book(pit, t_ns, SLOW_LEVELS, fast=False))

    def _on_prices(self, pit: Pit, t_ns: int) -> None:
        """New oracle and mark, told as the asset's context; what accounts may open follows the mark."""
        known = pit.prices.update(pit.recorded_mid2(), pit.local_mid2())
        if known:
            context = self._context(pit, t_ns)
            self._contexts[pit.market.coin] = context
            self._clearing.outputs.append(context)
        self._clearing.recheck([account.address for account in self._clearing.accounts], t_ns)
        self._publish_touch(pit, t_ns)

    def _on_premium(self, pit: Pit, t_ns: int) -> None:
        bid, ask = pit.impact_px()
        if bid > 0.0 and ask > 0.0 and pit.prices.oracle_px_u:
            pit.premium.sample(funding.premium(bid, ask, float(pit.prices.oracle_px_u)))

    def _on_hour(self, pit: Pit, t_ns: int) -> None:
        """Funding of the hour that ends; nothing before there is an oracle."""
        if not pit.prices.oracle_px_u:
            return
        mean = pit.premium.close()
        rate_e10 = funding.rate_e10_1h(mean, pit.market.interest_rate_1h)
        self._clearing.pay_funding(pit, t_ns, rate_e10)
        paid = self._paid[pit.market.coin]
        paid.append((t_ns, rate_e10 / funding.RATE_E10, mean))
        del paid[:-HISTORY_MAX]
        self._clearing.recheck([account.address for account in self._clearing.accounts], t_ns)

    def _book(self, pit: Pit, t_ns: int, count: int, *, fast: bool) -> Book:
        bids, asks = pit.depth(BUY, count), pit.depth(SELL, count)
        return Book(t_ns, t_ns + self.latency.feed_ns, pit.market.coin, fast, bids, asks)

    def _context(self, pit: Pit, t_ns: int) -> Context:
        coin, prices = pit.market.coin, pit.prices
        rate_e10 = funding.rate_e10_1h(pit.premium.mean, pit.market.interest_rate_1h)
        return Context(
            t_ns, t_ns + self.latency.feed_ns, coin, prices.mark_px_u, prices.oracle_px_u, pit.local_mid2() or None,
            rate_e10 / funding.RATE_E10, pit.premium.last, self._clearing.open_interest_u(coin),
            self._clearing.day_ntl_e6(coin, t_ns),
        )  # fmt: skip
