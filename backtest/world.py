"""The exact world: the engines of all services and the venue's core in one process, on one virtual clock.

Feed, quoter, executor, riskd, monitor and warden are the cores that trade, on the in-memory bus; the venue is
simvenue's core behind its own door. What the processes say to each other and to the venue are the very bytes they
would say; what they wait for is `Timing`'s. Nothing is drawn at random, so equal input gives an equal log (`digest`).
A seat does what a shell does and no more; faults come in through `Hops`. Market time is the recording's, ns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtest.seats.executor import AGENT as EXECUTOR_AGENT
from backtest.seats.executor import ExecutorSeat
from backtest.seats.feed import FeedSeat
from backtest.seats.floor import Floor
from backtest.seats.loop import Hops, Loop, Steady
from backtest.seats.market import TapeMarket
from backtest.seats.monitor import MonitorSeat
from backtest.seats.quoter import QuoterSeat
from backtest.seats.riskd import RiskSeat
from backtest.seats.streams import Streams
from backtest.seats.venue import VenueSeat
from backtest.seats.warden import AGENT as WARDEN_AGENT
from backtest.seats.warden import WardenSeat
from backtest.tape import Tape, iso
from backtest.timing import SEATS, TIMERS, Timing
from common.clock import NS, RESYNC_S
from common.config import Settings
from common.errors import ConfigError, OurFault
from common.ledger import Pnl
from common.orders import level_of
from common.sessions import Calendar
from quoter.card import Card
from quoter.engine import QuoteEngine
from quoter.state import QUOTES_MAX
from simvenue.door.latency import Latency
from simvenue.events import OrderEvent, UserFill
from simvenue.exchange import Exchange, QueueModel
from simvenue.market import market_of
from simvenue.source import Source

MASTER = "0x" + "c3" * 20
"""The account that trades."""
CURVE_NS = 10 * NS
F_T, F_SLOT, F_PX, F_SZ, F_FEE, F_LEN = range(6)
"""Columns of `fills`: market time ns, slot, px_u, sz_u, fee 1e-8 quote."""
C_T, C_POSITION, C_EQUITY, C_MARGIN, C_MARK, C_LEN = range(6)
"""Columns of `curve`: market time ns, sz_u, 1e-8 quote twice (value, margin used), px_u."""
TAIL_NS = 10 * NS
"""After the span: everything is cancelled, and the last answers and looks come in."""


@dataclass(frozen=True, slots=True)
class WorldPlayed:
    """What came of a run: the venue's truth, and what our own books say of it."""

    fills: Any
    """(n, F_LEN) int64 in the order filled; slots are those of `loop/layout.py`."""
    orders: tuple[OrderEvent, ...]
    """One row for each status each order of ours has had at the venue."""
    curve: Any
    """(n, C_LEN) int64, every `CURVE_NS`."""
    account: dict[str, Any]
    """Our account at the venue."""
    parts: Pnl
    """Our own ledger's, at the venue's last mark."""
    earned_e8: int
    """What the account's value at the venue has changed by."""
    mark_px_u: int
    actions: dict[str, int]
    """Entries sent, by kind."""
    alerts: tuple[str, ...]
    refused: tuple[tuple[int, str], ...]
    """What the venue's door would not take: market time, reason."""
    delivered: int
    """Stream messages handed to their readers."""
    steps: int
    digest: str


class World:
    """One run; `play` it once."""

    def __init__(
        self, settings: Settings, source: Source, timing: Timing, *, begin_ns: int, queue: QueueModel = "risk-averse",
        calendar: Calendar | None = None, card: Card | None = None, hops: Hops | None = None,
        rate: float = 1.0, log: Callable[[int, str, bytes], None] | None = None,
        quoter: type[QuoteEngine] = QuoteEngine,
    ) -> None:  # fmt: skip
        """`rate`: market seconds a machine second, at which our own part takes so much more market time.

        `log` is handed (market time, where, bytes) of all that is said; `quoter` may be a watched engine.
        """
        self.settings = settled(settings, timing)
        timing = timing.at_speed(rate)
        self._hash, self._log = hashlib.sha256(), log
        self._curve: list[tuple[int, ...]] = []
        self.loop = Loop(begin_ns, hops or Steady())
        latency = Latency(timing.feed_ns, timing.order_ns, timing.reply_ns)
        self.exchange = Exchange(
            [(market_of(self.settings), source)], origin_ns=begin_ns, latency=latency, queue=queue,
            block_ns=timing.block_ns,
        )  # fmt: skip
        self.exchange.fund(MASTER, int(settings.equity_usd))
        self.venue = VenueSeat(self.exchange, self.loop, timing.reply_ns)
        for agent, name in ((EXECUTOR_AGENT, "agent1"), (WARDEN_AGENT, "agent2")):
            self.venue.gateway.register(agent, MASTER, name, begin_ns)
        self.streams = Streams(self.loop, timing, self.note)
        self.floor = Floor(
            self.settings, timing, self.loop, self.streams, self.venue, begin_ns, self.settings.config_hash(),
            self.note, rate,
        )  # fmt: skip
        self.warden = WardenSeat(self.floor)
        self.feed = FeedSeat(self.floor)
        self.quoter = QuoterSeat(self.floor, calendar, card, quoter)
        self.executor = ExecutorSeat(self.floor, self.warden.hear, self.warden.vigil)
        self.riskd = RiskSeat(self.floor)
        self.monitor = MonitorSeat(self.floor, calendar)

    def note(self, where: str, body: bytes) -> None:
        """One line of the log."""
        self._hash.update(b"%d %s %d " % (self.loop.now_ns, where.encode(), len(body)))
        self._hash.update(body)
        if self._log is not None:
            self._log(self.loop.now_ns, where, body)

    # ------------------------------------------------------------------ time
    def play(self, until_ns: int) -> WorldPlayed:
        """From the start to `until_ns`, then cancel all and let the last news come in."""
        self.begin()
        self.run(until_ns)
        self.executor.stop()
        self.run(until_ns + TAIL_NS)
        return self.played()

    def begin(self) -> None:
        seats = {seat: getattr(self, seat) for seat in SEATS}
        for seat in SEATS:
            seats[seat].begin()
        self.loop.every(self.floor.market_ns(int(RESYNC_S * NS)), self.loop.now_ns, TIMERS, self._sync)
        self.loop.every(CURVE_NS, self.loop.now_ns, TIMERS, self._draw)

    def run(self, until_ns: int) -> None:
        """Everything up to and including `until_ns`; at one instant the venue first."""
        loop, venue = self.loop, self.venue
        while True:
            if venue.next_ns <= loop.next_ns:
                if venue.next_ns > until_ns:
                    return
                loop.now_ns = max(venue.next_ns, loop.now_ns)
                venue.advance(loop.now_ns)
            elif loop.next_ns > until_ns:
                return
            else:
                loop.step()

    def _sync(self) -> None:
        """All read the venue's clock again."""
        self.floor.session_offset_ns = self.exchange.session_offset_ns

    def _draw(self) -> None:
        """One more row of the curve, of the venue's truth."""
        coin = self.settings.market.coin
        account, context = self.exchange.account(MASTER), self.exchange.context(coin)
        if context is not None:
            worth = self.exchange.equity_e8(MASTER), self.exchange.margin(MASTER)[0]
            self._curve.append((self.loop.now_ns, account.positions_u.get(coin, 0), *worth, context.mark_px_u))

    # ------------------------------------------------------------------ what came of it
    def played(self) -> WorldPlayed:
        fills = [fill for fill in self.venue.fills if fill.address == MASTER]
        context = self.exchange.context(self.settings.market.coin)
        if context is None:
            raise OurFault("the venue has no mark")
        account = self.exchange.ledger()["accounts"][MASTER]
        money = self.monitor.monitor.money
        return WorldPlayed(
            fills=_table([_row(fill) for fill in fills], F_LEN),
            orders=tuple(event for event in self.venue.orders if event.address == MASTER),
            curve=_table(self._curve, C_LEN),
            account=account,
            parts=money.ledger.parts(context.mark_px_u),
            earned_e8=account["equity_e8"] - account["deposits_e8"],
            mark_px_u=context.mark_px_u,
            actions=dict(self.executor.sent),
            alerts=tuple(alert.name for alert in self.monitor.alerts),
            refused=tuple(self.venue.refused),
            delivered=self.streams.delivered,
            steps=self.loop.done,
            digest=self._hash.hexdigest(),
        )


def settled(settings: Settings, timing: Timing) -> Settings:
    """The settings all seats share: our account, and the permit's period as the timing has it."""
    risk = settings.risk.model_copy(update={"permit_every_s": timing.permit_ns / NS})
    return settings.model_copy(update={"wallet_address": MASTER, "risk": risk})


def play_world(
    tape: Tape, settings: Settings, timing: Timing, *, from_t_ns: int = 0, to_t_ns: int = 0, market_ns: int = 0,
    cut_gaps: bool = False, seen: Callable[[World], None] | None = None, **more: Any,
) -> WorldPlayed:  # fmt: skip
    """Play a span of a tape; `more` goes to `World`, which `seen` is shown before it plays.

    `from_t_ns` and `to_t_ns` are the recording's (0 = its beginning, its end); `market_ns` > 0 stops after so much
    market time, which is less than the recording's where gaps are cut. Raises ConfigError when there is no data.
    """
    first = int(np.searchsorted(tape.stamp_ns, from_t_ns, "left"))
    last = int(np.searchsorted(tape.stamp_ns, to_t_ns, "right")) if to_t_ns else len(tape.stamp_ns)
    if first >= last:
        raise ConfigError(f"no data within {iso(from_t_ns)}/{iso(to_t_ns) if to_t_ns else 'the end'}")
    begin_ns = int(tape.stamp_ns[first])
    source = TapeMarket(tape, first, last, cut_gaps=cut_gaps)
    world = World(settings, source, timing, begin_ns=begin_ns, **more)
    if seen is not None:
        seen(world)
    ends_ns = to_t_ns or int(tape.stamp_ns[-1])
    return world.play(min(ends_ns, begin_ns + market_ns) if market_ns else ends_ns)


def _table(rows: Sequence[tuple[int, ...]], columns: int) -> Any:
    return np.array(rows, np.int64).reshape(len(rows), columns)


def _row(fill: UserFill) -> tuple[int, ...]:
    side = 0 if fill.side > 0 else QUOTES_MAX
    return fill.t_ns, side + max(level_of(fill.cloid), 0), fill.px_u, fill.sz_u, fill.fee_e8
