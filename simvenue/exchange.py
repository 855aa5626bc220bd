"""The venue's core: market data and signed requests in, everything the venue says out, in venue-time order.

Sans-IO: time arrives as data, nothing is read or sent. Decides *when* things happen: a request arrives after its order
latency and acts in the next block (`desk/blocks.py`), a stamp of market data comes before requests of the same instant,
scheduled cancels after them, timers last; snapshots, contexts, premium samples and funding run on market time. What an
order does is the desk's, matching the pit's, money the clearing's. Signatures, nonces, agents, action budgets and JSON
are the shell's. Units: `events.py`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence

from common.clock import NS
from simvenue.book.pit import Pit
from simvenue.book.queue_model import POWER, QueueModel
from simvenue.desk.blocks import BlockClock
from simvenue.desk.budget import Means
from simvenue.desk.controls import Controls
from simvenue.desk.desk import Desk
from simvenue.desk.orders import OpenOrder, OrderState
from simvenue.door.latency import LATENCIES, Latency
from simvenue.door.lines import Lines
from simvenue.events import BUY, SELL, Bbo, Book, Context, Deposit, Output, Request, SetAbstraction, UpdateLeverage
from simvenue.market import MarketDef, market_of
from simvenue.money import fees, funding
from simvenue.money.accounts import HOUSE
from simvenue.money.prices import UPDATE_NS
from simvenue.reads import HISTORY_MAX
from simvenue.source import Source, spoken_by, told_by

__all__ = [
    "HOUSE",
    "LATENCIES",
    "Exchange",
    "Latency",
    "MarketDef",
    "OpenOrder",
    "OrderState",
    "QueueModel",
    "market_of",
]

FAST_NS = NS // 2
FAST_LEVELS = 5
SLOW_NS = 5 * NS
SLOW_LEVELS = 20
PREMIUM_NS = funding.SAMPLE_S * NS
HOUR_NS = 3_600 * NS
NEVER_NS = 2**63 - 1


class Exchange(Controls):
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
        queue_power: float = POWER,
        block_ns: int = 0,
        latency_seed: int = 0,
    ) -> None:
        pits = [Pit(market, source, queue=queue, queue_power=queue_power) for market, source in markets]
        super().__init__(pits, latency, origin_ns)
        self._desk = Desk(pits, self._registry, self._clearing, latency)
        self._blocks = BlockClock(block_ns)
        self._lines = Lines(latency, latency_seed)
        self._inbox: list[tuple[int, int, int, int, Request]] = []
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
        self._words = {"context": self._on_prices, "fast": self._on_fast, "slow": self._on_slow}

    # ---------------------------------------------------------------- set-up
    def fund(self, address: str, usd: int, collateral: str = "") -> None:
        """Deposit whole quote tokens of one collateral, or ("") so many of each that is used here."""
        for name in (collateral,) if collateral else self._clearing.accounts.collaterals:
            self._clearing.accounts.deposit(address, usd, name)
            self._clearing.note(Deposit(self.now_ns, self.now_ns + self.latency.feed_ns, address, usd * 10**8))
        self._clearing.recheck([address], self.now_ns)

    def set_leverage(self, address: str, coin: str, n: int, is_cross: bool = True) -> str | None:
        """None when done, else the venue's error text; a lower leverage needs the margin for it."""
        asset = self._by_coin[coin].market.asset_id
        return self._desk.settings.act(self.now_ns, UpdateLeverage(address, asset, is_cross, n), coin)

    def set_mode(self, address: str, mode: str) -> None:
        """Give an address another account mode (of `events.MODES`)."""
        self._desk.settings.act(self.now_ns, SetAbstraction(address, mode), "")

    def means(self, address: str) -> Means:
        """What the address's action budget depends on."""
        account = self.account(address)
        return Means(self.credit_e6(address), account.bought_actions, account.mode)

    def allow_post_only_until(self, t_ns: int) -> None:
        """Refuse every order that is not post-only until then, as after a network upgrade."""
        self._desk.post_only_until_ns = t_ns

    def set_fee_profile(self, address: str, profile: fees.FeeProfile) -> None:
        """Give an address another tier or discounts; it starts at the base tier."""
        self._clearing.profiles[address] = profile

    # ---------------------------------------------------------------- running
    def arrives_ns(self, t_ns: int) -> int:
        """When a request sent at `t_ns` arrives: the order latency less its share of the wait for a block."""
        return max(self._lines.arrives(t_ns) - self._blocks.wait_ns, t_ns, self.now_ns)

    def acts_ns(self, arrives_ns: int) -> int:
        """When a request that arrives then acts, unless it is a fast cancel."""
        return self._blocks.block_ns(arrives_ns)

    def submit(self, t_ns: int, request_id: int, request: Request, arrives_ns: int | None = None) -> None:
        """A request signed and admitted at `t_ns`; it arrives by its latency (or as told), never in the past."""
        self._sent += 1
        arrives_ns = self.arrives_ns(t_ns) if arrives_ns is None else max(arrives_ns, self.now_ns)
        acts_ns, order = self._blocks.place(arrives_ns, request)
        heapq.heappush(self._inbox, (acts_ns, order, self._sent, request_id, request))

    def next_t_ns(self) -> int:
        """When the next thing is due: market data, a request, a scheduled cancel or a timer."""
        due = self._timers[0][0]
        if self._inbox:
            due = min(due, self._inbox[0][0])
        due = min(due, self._next_scheduled_ns())
        for pit in self._pits:
            stamp = pit.source.next_t_ns()
            if stamp is not None and stamp < due:
                due = stamp
        return due

    def _next_scheduled_ns(self) -> int:
        """The block of the next scheduled cancel; endlessly far when there is none."""
        scheduled = self._desk.settings.deadman.next_t_ns()
        return NEVER_NS if scheduled is None else self._blocks.block_ns(scheduled)

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
        return self._lines.stamped(outputs)

    def _step(self, t_ns: int) -> None:
        """All that happens at one instant; then the touches that changed are published."""
        spoken: list[tuple[Pit, str]] = []
        for pit in self._pits:
            while (stamp := pit.source.next_t_ns()) is not None and stamp <= t_ns:
                self._clearing.clear(pit, t_ns, pit.play())
                spoken += [(pit, word) for word in spoken_by(pit.source) or ()]
        while self._inbox and self._inbox[0][0] <= t_ns:
            _, _, _, request_id, request = heapq.heappop(self._inbox)
            self._clearing.outputs.append(self._desk.act(t_ns, request_id, request))
        if self._next_scheduled_ns() <= t_ns:
            self._desk.run_schedule(t_ns)
        for pit in self._pits:
            self._publish_touch(pit, t_ns)
        for pit, word in spoken:
            self._words[word](pit, t_ns)
        while self._timers[0][0] <= t_ns:
            due, order, every, handler = self._timers[0]
            heapq.heapreplace(self._timers, (due + every, order, every, handler))
            for pit in self._pits:
                if not self._speaks_itself(pit, handler):
                    handler(pit, t_ns)

    def _speaks_itself(self, pit: Pit, handler: Callable[[Pit, int], None]) -> bool:
        """Whether the market's source says when this is due (`source.Speaker`); prices only once it has told some."""
        if spoken_by(pit.source) is None or handler not in self._words.values():
            return False
        return handler != self._on_prices or told_by(pit.source) is not None

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
        if self._update_prices(pit, t_ns):
            context = self._context(pit, t_ns)
            self._contexts[pit.market.coin] = context
            self._clearing.outputs.append(context)
        self._after_marks(t_ns)
        self._publish_touch(pit, t_ns)

    def _on_premium(self, pit: Pit, t_ns: int) -> None:
        told = told_by(pit.source)
        if told is not None and told.premium is not None:
            pit.premium.sample(told.premium)
            return
        bid, ask = pit.impact_px()
        if bid > 0.0 and ask > 0.0 and pit.prices.oracle_px_u:
            pit.premium.sample(funding.premium_of(pit.market, (bid, ask), float(pit.prices.oracle_px_u)))

    def _on_hour(self, pit: Pit, t_ns: int) -> None:
        """Funding of the hour that ends; nothing before there is an oracle."""
        if not pit.prices.oracle_px_u:
            return
        mean = pit.premium.close()
        rate_e10 = funding.rate_of(pit.market, mean)
        self._clearing.pay_funding(pit, t_ns, rate_e10)
        paid = self._paid[pit.market.coin]
        paid.append((t_ns, rate_e10 / funding.RATE_E10, mean))
        del paid[:-HISTORY_MAX]
        self._after_marks(t_ns)

    def _book(self, pit: Pit, t_ns: int, count: int, *, fast: bool) -> Book:
        bids, asks = pit.depth(BUY, count), pit.depth(SELL, count)
        return Book(t_ns, t_ns + self.latency.feed_ns, pit.market.coin, fast, bids, asks)

    def _context(self, pit: Pit, t_ns: int) -> Context:
        coin, prices = pit.market.coin, pit.prices
        rate_e10 = funding.rate_of(pit.market, pit.premium.mean)
        told = told_by(pit.source)
        return Context(
            t_ns, t_ns + self.latency.feed_ns, coin, prices.mark_px_u, prices.oracle_px_u, pit.local_mid2() or None,
            rate_e10 / funding.RATE_E10, pit.premium.last, self._clearing.open_interest_u(coin),
            self._clearing.day_ntl_e6(coin, t_ns), None if told is None else told.figures,
        )  # fmt: skip
