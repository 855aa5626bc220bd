"""The running venue: market time drives the exchange, what it says waits for its hour, requests find their answers.

Market time is the clock's (`clocks.py`), begun when `start` is called. One timer sleeps until the next market event or
delivery, never shorter than a millisecond of machine time, so that a fast market costs events, not wake-ups. The event
loop is used for its timer and futures only; sockets are `door/server.py`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, TypeAlias

from common import metrics
from common.clock import NS
from common.errors import BadInput, OurFault
from common.log import get_log
from simvenue.clocks import Clock, SimClock
from simvenue.desk.refusals import UNREADABLE
from simvenue.door.actions import action_name
from simvenue.door.gateway import Admitted, Command, Gateway, Refused
from simvenue.events import CancelOrders, ModifyOrders, Output, PlaceOrders, Reply
from simvenue.exchange import Exchange, Latency
from simvenue.faults.subject import account_of
from simvenue.feeds.candles import Candles
from simvenue.feeds.feeds import Feeds, Told
from simvenue.feeds.wire import DEFAULT_OK, Json, Wire, refusal, status_refusal
from simvenue.info.table import Answer, Info
from simvenue.info.universe import Universe
from simvenue.mirror.following import Mirror

WAKE_S_MIN = 0.001
BATCH_WEIGHT = 40  # docs: an action weighs 1 + floor(entries / 40)
LATE_S = 0.1  # machine time behind which the simulated market counts as late

__all__ = ["HttpReply", "SimClock", "Venue"]

log = get_log("simvenue")


@dataclass(frozen=True, slots=True)
class HttpReply:
    """`body` is JSON unless `is_text`; a batch weighs 1 more for each 40 entries."""

    status: int
    body: Json
    is_text: bool = False
    more_weight: int = 0


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request inside the exchange: how its reply is shaped, and who waits for it."""

    action: str
    coins: tuple[str, ...]
    waiter: asyncio.Future[Json]


@dataclass(frozen=True, slots=True)
class _Later:
    """An answer the shell gives itself, at the time a client would have it."""

    waiter: asyncio.Future[Json]
    body: Json


Due: TypeAlias = tuple[int, int, Output | Told | _Later]


class Venue:
    """One exchange with its door, its reads and its listeners; `mirror` is what it follows, if anything."""

    def __init__(self, exchange: Exchange, clock: Clock, latency: Latency, mirror: Mirror | None = None) -> None:
        self.exchange = exchange
        self.clock = clock
        self._mirror = mirror
        self.universe = Universe(exchange.markets)
        self.wire = Wire(self.universe.sz_decimals())
        self.gateway = Gateway(exchange)
        candles = Candles()
        self._info = Info(exchange, self.gateway, self.universe, self.wire, candles)
        self.feeds = Feeds(self.wire, self.universe, exchange, self._info, candles, _refused_ws)
        self._latency = latency
        self._due: list[Due] = []
        self._order = 0
        self._asked: dict[int, _Asked] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._wake_t_ns = 0
        self._has_ended = False
        self.is_running = False
        self.failed = asyncio.Event()

    # ------------------------------------------------------------------ time
    def start(self) -> None:
        """Let market time run."""
        self.is_running = True
        self.clock.start()
        self.pump()

    def stop(self) -> None:
        self.is_running = False
        if self._timer is not None:
            self._timer.cancel()
        for asked in self._asked.values():
            asked.waiter.cancel()

    def pump(self) -> int:
        """Bring the exchange and all deliveries up to now; returns market time.

        A fault of the exchange ends the venue: `failed` is set, and nothing is played on over a broken state.
        """
        if self.failed.is_set():
            raise OurFault("the venue has failed and is stopping")
        now_t_ns = self.clock.now_ns()
        try:
            self._pump(now_t_ns)
        except Exception:
            self.stop()
            self.failed.set()
            raise
        return now_t_ns

    def _pump(self, now_t_ns: int) -> None:
        outputs = self.exchange.advance(now_t_ns)
        if self._mirror is not None:
            outputs = [output for output in outputs if not self._mirror.hides(output)]
        for output in (*outputs, *self.feeds.observe(outputs, now_t_ns)):
            self._put(output.deliver_t_ns, output)
        told = []
        while self._due and self._due[0][0] <= now_t_ns:
            _, _, item = heappop(self._due)
            if isinstance(item, Reply):
                self._answer(item)
            elif isinstance(item, _Later):
                _settle(item.waiter, item.body)
            else:
                told.append(item)
        self.feeds.deliver(told)
        self._schedule(now_t_ns)

    def _put(self, t_ns: int, item: Output | Told | _Later) -> None:
        self._order += 1
        heappush(self._due, (t_ns, self._order, item))

    def _schedule(self, now_t_ns: int) -> None:
        """Sleep until something happens or is due; an earlier timer that is still set is replaced."""
        times = [t for t in (self.exchange.next_t_ns(), self._due[0][0] if self._due else None) if t is not None]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.exchange.ended and not self._has_ended:
            self._has_ended = True
            log.warning("market_ended", t_ns=now_t_ns)
        if times:
            self._wake_t_ns = min(times)
            delay_s = max(self.clock.machine_s(self._wake_t_ns - now_t_ns), WAKE_S_MIN)
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._wake)

    def _wake(self) -> None:
        late_s = self.clock.machine_s(self.clock.now_ns() - self._wake_t_ns)
        metrics.set("amm_sim_lag_seconds", max(late_s, 0.0))
        if late_s > LATE_S:
            metrics.count("amm_sim_lags_total")
        self.pump()

    # ------------------------------------------------------------------ requests
    async def act(self, body: bytes) -> HttpReply:
        """POST /exchange: judged now, matched when it arrives, answered when the reply has travelled."""
        now_t_ns = self.pump()
        arrives_ns = self.exchange.arrives_ns(now_t_ns)
        verdict = self.gateway.admit(body, now_t_ns, self.exchange.acts_ns(arrives_ns))
        if isinstance(verdict, Refused):
            return _refused(verdict)
        waiter: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        entries = self._enter(verdict, waiter, now_t_ns, arrives_ns)
        self._schedule(now_t_ns)
        return HttpReply(200, await waiter, more_weight=entries // BATCH_WEIGHT)

    def _enter(self, admitted: Admitted, waiter: asyncio.Future[Json], now_t_ns: int, arrives_ns: int) -> int:
        """Hand the command on; returns how many entries it has."""
        command = admitted.command
        if command is None:
            acts_ns = self.exchange.acts_ns(arrives_ns)
            self._put(acts_ns + self._latency.reply_ns, _Later(waiter, DEFAULT_OK))
            return 1
        self._order += 1
        coins = _coins(command, self.universe.coin_of)
        self._asked[self._order] = _Asked(admitted.action, coins, waiter)
        self.exchange.submit(now_t_ns, self._order, command, arrives_ns)
        return len(coins)

    def _answer(self, reply: Reply) -> None:
        asked = self._asked.pop(reply.request_id)
        _settle(asked.waiter, self.wire.reply(asked.action, asked.coins, reply))

    def subject(self, body: bytes, with_account: bool) -> tuple[str, str]:
        """(type, account) of an action that has not been judged yet, "" for what is not known."""
        name = action_name(body)
        return name, account_of(body, self._master) if with_account else ""

    def _master(self, signer: str) -> str | None:
        agent = self.gateway.agent(signer, self.clock.now_ns())
        if agent is not None:
            return agent.master
        return signer if self.exchange.is_funded(signer) else None

    def post_only_for(self, seconds: float) -> None:
        """Take post-only orders alone for so many machine seconds from now."""
        self.exchange.allow_post_only_until(self.clock.now_ns() + int(seconds * self.clock.rate * NS))

    def ask(self, body: bytes) -> Answer:
        """POST /info; raises BadInput (counted) for what the venue would not read."""
        try:
            return self._info.answer(body, self.pump())
        except BadInput as error:
            metrics.count("amm_bad_input_total", boundary="info", reason=error.reason)
            log.info("info_refused", reason=error.reason, detail=error.detail[:200])
            raise

    # ------------------------------------------------------------------ the simulator's own paths
    def clock_reading(self) -> Json:
        return {
            "origin_ns": self.clock.origin_ns, "rate": self.clock.rate, "now_ns": self.clock.now_ns(),
            "session_offset_ns": self.exchange.session_offset_ns, "cut_ns": self.exchange.cut_ns,
        }  # fmt: skip

    def ledger(self) -> dict[str, Any]:
        """The exchange's own truth, and what each address has spent of its actions."""
        self.pump()
        spent = sorted({*self.exchange.addresses(), *self.gateway.addresses()})
        actions = {
            a: {"used": self.gateway.actions_used(a), "cap": self.gateway.actions_cap(a)} for a in spent
        }  # fmt: skip
        followed = {} if self._mirror is None else {"mirror": self._mirror.report()}
        return {**self.exchange.ledger(), "actions": actions, **followed}


def _coins(command: Command, coin_of: Mapping[int, str]) -> tuple[str, ...]:
    """The market of each entry, "" for an asset nobody lists."""
    match command:
        case PlaceOrders():
            assets = [o.asset for o in command.orders]
        case ModifyOrders():
            assets = [o.asset for _, o in command.modifies]
        case CancelOrders():
            assets = [asset for asset, _ in command.cancels]
        case _:
            assets = []
    return tuple(coin_of.get(asset, "") for asset in assets)


def _settle(waiter: asyncio.Future[Json], body: Json) -> None:
    if not waiter.done():  # whoever asked may have gone away
        waiter.set_result(body)


def _refused(verdict: Refused) -> HttpReply:
    metrics.count("amm_bad_input_total", boundary="exchange", reason=verdict.reason)
    log.info("action_refused", reason=verdict.reason, action=verdict.action, text=verdict.text)
    if verdict.http != 200:
        return HttpReply(verdict.http, UNREADABLE, is_text=True)
    return HttpReply(200, status_refusal(verdict.text) if verdict.as_status else refusal(verdict.text))


def _refused_ws(reason: str, detail: str) -> None:
    metrics.count("amm_bad_input_total", boundary="ws", reason=reason)
    log.info("ws_refused", reason=reason, detail=detail[:200])
