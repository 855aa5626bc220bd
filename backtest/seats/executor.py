"""The executor's seat: signed actions out as the venue's texts, its answers, streams and looks back in.

Does what `executor/main.py`, `desk.py`, `startup.py` and `userstream.py` do around the engine: the journal is
taken for written, an action leaves `journal_ns` later and is answered by the venue's own text. Our agent's signature is
its address (`venue.mark_of`). Not here: the bucket of request weight, which a single account on one machine never
empties.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from backtest.seats import discovery
from backtest.seats.floor import Act, Ask, Floor, Job
from backtest.seats.seat import Seat
from backtest.seats.venue import mark_of
from backtest.timing import FROM_VENUE
from common.bus_types import Subscription
from common.clock import NS
from common.errors import OurFault
from common.hyperliquid import ORDER_STATUS
from common.killfile import Kill
from common.streams import CONTROL, MD, PERMIT, QUOTES
from executor import wire
from executor.convert import account_of, fill_of, order_of
from executor.engine import ExecutorEngine
from executor.events import (
    AskStatus,
    AskVenue,
    Clock,
    Facts,
    FeeDiffers,
    FeesRead,
    FillSeen,
    KillFile,
    Latch,
    ReadFees,
    Recovered,
    Refusal,
    ReserveNonces,
    SendAction,
    Snapshot,
    StatusAnswer,
    Stop,
    StoreFill,
    StoreFunding,
    TopUp,
    Unlatch,
    UserStream,
)
from executor.parse import Ack, Complaint, UserParser
from executor.vigil import Vigil

EPOCH = 1
AGENT = "0x" + "a1" * 20
USER_KINDS = ("orderUpdates", "userFills", "userFundings")
KILL_WATCH_NS = NS // 20
PACE_S = 0.02
"""That market data is read at a pace; at which, is `Timing`'s."""
TOP_UP_NS = NS // 10
ACCOUNT_NS = 2 * NS
BEAT_NS = NS // 5
FEES_RETRY_NS = 60 * NS
WARDEN_TOLD_NS = NS // 2
FILLS_PAGE = 2_000
OVERLAP_NS = 60 * NS
"""Fills are asked for from so long before the last look."""

Beat = Callable[[list[tuple[int, str]]], None]


def subscriptions(coin: str, pace_s: float) -> list[Subscription]:
    return [
        Subscription(MD, MD.of(coin), pace_s=pace_s),
        Subscription(QUOTES, QUOTES.of(coin)),
        Subscription(PERMIT, PERMIT.of()),
        *(Subscription(CONTROL, CONTROL.of(writer)) for writer in CONTROL.writers),
    ]


class UserLink:
    """Our user stream: what the venue pushes is parsed where it arrives."""

    def __init__(self, seat: ExecutorSeat, parser: UserParser) -> None:
        self._seat = seat
        self._parser = parser
        self._waiting = set(USER_KINDS)

    def push(self, frame: bytes) -> None:
        self._seat.floor.loop.travel("venue>executor user", 0, FROM_VENUE, self._arrived, frame)

    def _arrived(self, frame: bytes) -> None:
        for event in self._parser.parse(frame.decode(), self._seat.floor.loop.now_ns):
            if isinstance(event, Ack):
                self._waiting.discard(event.kind)
                if not self._waiting:
                    self._seat.post(UserStream(True))
            elif isinstance(event, Complaint):
                raise OurFault(f"the venue complains of our subscriptions: {event.text}")
            else:
                self._seat.post(event)


class ExecutorSeat(Seat):
    """One account's executor; `beat` reaches the warden."""

    name = "executor"

    def __init__(self, floor: Floor, beat: Beat, vigil: Vigil) -> None:
        self.executor = ExecutorEngine(floor.settings, epoch=EPOCH, latched=None)
        coin = floor.settings.market.coin
        super().__init__(floor, self.executor, subscriptions(coin, PACE_S))
        self._user, self._dex, self._coin = floor.settings.wallet_address, floor.settings.market.dex, coin
        self._beat = beat
        self._vigil = vigil
        self._kill: Kill | None = None
        self._facts: Facts | None = None
        self._fills_from_ns = floor.begin_ns
        self._fees_wanted = False
        self._warden_told_ns = 0
        self.refusals: dict[str, int] = {}
        self.sent: dict[str, int] = {}

    def begin(self) -> None:
        super().begin()
        self.jobs.start(self._prepare())
        self.every(KILL_WATCH_NS, self._watch_kill_file)
        self.every(TOP_UP_NS, lambda: self.post(TopUp()))
        self.every(BEAT_NS, self._say_alive)
        self.every(ACCOUNT_NS, lambda: self.jobs.start(self._look_at_account()))
        self.every(FEES_RETRY_NS, self._read_fees_if_wanted)

    def post(self, event: Any) -> None:
        """With the time before it, as the desk does."""
        self.engine.on(Clock(self.floor.loop.now_ns, self.mono_ns(), self.floor.rate))
        super().post(event)

    def state(self) -> str:
        return self.executor.stance.value + (f" {self.executor.why}" if self.executor.why else "")

    # ------------------------------------------------------------------ the start
    def _prepare(self) -> Job:
        market = yield from discovery.discover(self._coin)
        market.require(self.floor.settings.market.collateral)
        fees = yield from discovery.fees(market, self._user)
        facts = Facts(
            market.asset_id, market.sz_decimals, market.max_leverage,
            fees.maker_ppb if fees else None, fees.taker_ppb if fees else None,
        )  # fmt: skip
        self.post(Recovered(last_nonce=0, last_expiry_ms=0, fills=[], fundings=[]))
        wanted = min(self.floor.settings.execution.leverage, market.max_leverage)
        nonce = self.executor.tracker.nonces.take(self.floor.loop.now_ns)
        tree = wire.leverage(market.asset_id, market.margin_mode == "", wanted)
        refused = wire.refusal((yield Act(wire.body(tree, nonce, mark_of(AGENT), 0))))
        if refused is not None:
            raise OurFault(f"updateLeverage: {refused}")
        self._facts = facts
        self.post(facts)
        link = UserLink(self, UserParser(self._coin, market.sz_decimals, self._user))
        self.floor.venue.feeds.open(link)
        for kind in USER_KINDS:
            text = f'{{"method":"subscribe","subscription":{{"type":"{kind}","user":"{self._user}"}}}}'
            self.floor.venue.receive(link, text)
        self.is_ready = True

    # ------------------------------------------------------------------ timers
    def _watch_kill_file(self) -> None:
        kill = self.floor.kill
        if kill != self._kill:
            self._kill = kill
            self.post(KillFile(True, kill.epoch, kill.reason) if kill else KillFile(False))

    def _say_alive(self) -> None:
        """One beat with all that may rest, and the warden's own heartbeat with it."""
        if not self.executor.in_control or self._facts is None:
            return
        self._say_what_rests()
        if self.mono_ns() - self._warden_told_ns >= WARDEN_TOLD_NS:
            self._warden_told_ns = self.mono_ns()
            self.send([self.heartbeat("warden", self._vigil.state.value)])

    def _say_what_rests(self) -> None:
        if self._facts is not None:
            orders = [(self._facts.asset_id, order.cloid) for order in self.executor.tracker.table.live()]
            self._beat(orders)

    def stop(self) -> None:
        """Cancel everything and place nothing any more."""
        self.post(Stop())

    # ------------------------------------------------------------------ effects
    def effect(self, effect: Any) -> None:
        match effect:
            case SendAction():
                self._send(effect)
            case AskStatus():
                self.jobs.start(self._ask_status(effect))
            case AskVenue():
                self.jobs.start(self._look(effect.whole))
            case ReadFees():
                self._fees_wanted = True
            case Refusal():
                self.refusals[effect.reason] = self.refusals.get(effect.reason, 0) + 1
            case ReserveNonces() | StoreFill() | StoreFunding() | Latch() | Unlatch() | FeeDiffers():
                return  # the journal takes it
            case _:
                super().effect(effect)

    def _send(self, sent: SendAction) -> None:
        if self._facts is None:
            raise OurFault("an action before the market is known")
        self.sent[sent.kind.value] = self.sent.get(sent.kind.value, 0) + max(len(sent.entries), 1)
        tree = wire.action(sent.kind, sent.asset_id, sent.entries, self._facts.sz_decimals)
        body = wire.body(tree, sent.nonce, mark_of(AGENT), sent.expires_ms)
        self.jobs.act(body, lambda raw: self.post(wire.reply(sent, 200, raw)))
        if sent.kind.places:
            self.floor.loop.at(self.floor.loop.now_ns, FROM_VENUE, self._say_what_rests)

    # ------------------------------------------------------------------ questions
    def _ask_status(self, ask: AskStatus) -> Job:
        asked_ns = self.floor.loop.now_ns
        keys: tuple[str | int, ...] = (ask.cloid, ask.oid) if ask.oid else (ask.cloid,)
        for key in keys:
            found = yield Ask({"type": "orderStatus", "user": self._user, "oid": key}, ORDER_STATUS)
            row = found.order
            if row is None or self._facts is None:
                self.post(StatusAnswer(ask.cloid, asked_ns, "unknownOid"))
                continue
            order = order_of(row.order, self._facts.sz_decimals)
            self.post(StatusAnswer(ask.cloid, asked_ns, row.status, order))
            if row.order.oid == ask.oid:
                return

    def _look(self, whole: bool) -> Job:
        """Orders and account; fills and budget too when `whole`, and the fills first."""
        asked_mono_ns = self.mono_ns()
        if self._facts is None:
            raise OurFault("a look before the market is known")
        decimals = self._facts.sz_decimals
        rows = yield from discovery.open_orders(self._user, self._dex)
        state = yield from discovery.account(self._user, self._dex)
        account = account_of(state, self._coin, decimals)
        budget = None
        if whole:
            limit = yield from discovery.rate_limit(self._user)
            yield from self._fetch_fills(account.venue_t_ns, decimals)
            budget = (limit.n_requests_used, limit.n_requests_cap)
        orders = tuple(order_of(row, decimals) for row in rows if row.coin == self._coin)
        self.post(Snapshot(asked_mono_ns, orders, account, budget))

    def _fetch_fills(self, until_ns: int, decimals: int) -> Generator[Ask, Any, None]:
        start_ms = self._fills_from_ns // 1_000_000
        while True:
            rows = yield from discovery.fills_since(self._user, start_ms)
            for row in rows:
                if row.coin == self._coin:
                    self.post(FillSeen(fill_of(row, self._user, decimals, self.floor.loop.now_ns)))
            if len(rows) < FILLS_PAGE or max(row.time for row in rows) <= start_ms:
                break
            start_ms = max(row.time for row in rows)
        overlap_ns = int(OVERLAP_NS * max(1.0, self.floor.rate))
        self._fills_from_ns = max(self._fills_from_ns, until_ns - overlap_ns)

    def _look_at_account(self) -> Job:
        if self._facts is None:
            return
        state = yield from discovery.account(self._user, self._dex)
        self.post(account_of(state, self._coin, self._facts.sz_decimals))

    def _read_fees_if_wanted(self) -> None:
        if self._fees_wanted:
            self._fees_wanted = False
            self.jobs.start(self._read_fees())

    def _read_fees(self) -> Job:
        market = yield from discovery.discover(self._coin)
        fees = yield from discovery.fees(market, self._user)
        self.post(
            FeesRead(fees.maker_ppb, fees.taker_ppb) if fees else FeesRead(None, None, "the dex does not say its scale")
        )
