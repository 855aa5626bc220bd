"""The executor's hands: carries out the core's effects and brings it what happens outside.

Journal before wire: an order action that the disk did not take is not sent; a cancel always is. What the answers mean
is `wire.py`'s and the core's. Nothing here decides about orders.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from common import metrics
from common.clock import NS, mono_ns
from common.config import Settings
from common.errors import BadInput, LinkDown, UnknownOutcome, VenueError
from common.hyperliquid import InfoClient
from common.log import get_log
from common.service import Service
from common.venue_types import StatusRow
from common.weights import Weights
from executor import wire
from executor.convert import account_of, fill_of, order_of
from executor.events import (
    ActionReply,
    AskStatus,
    AskVenue,
    Clock,
    Facts,
    FeeDiffers,
    FillSeen,
    FundingSeen,
    JournalTrouble,
    Kind,
    Latch,
    ReadFees,
    Refusal,
    ReserveNonces,
    SendAction,
    Snapshot,
    SnapshotFailed,
    StatusAnswer,
    StoreFill,
    StoreFunding,
    Unlatch,
)
from executor.fee_reader import FeeReader
from executor.journal import Journal, JournalError
from executor.nonce import Nonces
from executor.transport import Transport
from executor.venue import Signer

ASK_FAILURES = (LinkDown, VenueError, BadInput)
OVERLAP_NS = 60 * NS
"""Fills are asked for from this long before the last look (market time); those known already are dropped."""

log = get_log("executor")


class Desk:
    """The shell's side of one engine; `service` and `placed` are set before anything runs."""

    service: Service
    placed: Callable[[], None]  # an action that leaves orders in the book is on its way

    def __init__(
        self,
        settings: Settings,
        *,
        journal: Journal,
        signer: Signer,
        transport: Transport,
        info: InfoClient,
        weights: Weights,
        nonces: Nonces,
    ) -> None:
        self.nonces = nonces
        self.journal = journal
        self.info = info
        self.fees = FeeReader(settings, info, self.post)
        self.floor_t_ns = 0  # fills before this market time are none of ours
        self._settings = settings
        self._signer = signer
        self._transport = transport
        self._weights = weights
        self._coin = settings.market.coin
        self._user = settings.wallet_address
        self._dex = settings.market.dex
        self._facts: Facts | None = None
        self._fills_from_t_ns = 0
        self._journal_ok = True
        self._number = 0

    # ------------------------------------------------------------------ time and events
    def clock(self) -> Clock:
        clock = self.service.clock
        return Clock(clock.now_ns(), mono_ns(), clock.rate)

    def post(self, event: Any) -> None:
        """Hand an event to the core, with the time before it."""
        self.service.post(self.clock())
        self.service.post(event)

    def later(self, event: Any) -> None:
        """As `post`, once the present turn is over."""
        asyncio.get_running_loop().call_soon(self.post, event)

    def market(self, facts: Facts, fills_from_t_ns: int) -> None:
        """What everything after it is measured in."""
        self._facts, self._fills_from_t_ns = facts, fills_from_t_ns

    # ------------------------------------------------------------------ effects
    def effect(self, effect: Any) -> None:
        """Carry out one effect of the core."""
        match effect:
            case SendAction():
                self._send(effect)
            case ReserveNonces():
                self._record("reserve", lambda: self.journal.reserve(effect.until))
            case AskStatus():
                self._run(self._ask_status(effect))
            case AskVenue():
                self._run(self.look(effect.reason, whole=effect.whole))
            case StoreFill():
                self._store_fill(effect)
            case StoreFunding():
                self._record("funding", lambda: self.journal.store_funding(effect.payment))
            case Latch():
                metrics.set("amm_kill_switch_tripped", 1, reason="executor")
                log.warning("kill_latched", epoch=effect.epoch, reason=effect.reason)
                self._record("latch", lambda: self.journal.latch(effect.epoch, effect.reason))
            case Unlatch():
                metrics.set("amm_kill_switch_tripped", 0, reason="executor")
                log.info("kill_cleared", epoch=effect.epoch)
                self._record("latch", lambda: self.journal.unlatch(effect.epoch))
            case Refusal():
                self._refused(effect)
            case ReadFees():
                self.fees.want()
            case FeeDiffers():
                metrics.count("amm_fee_differences_total", coin=self._coin, liquidity=effect.liquidity.value)

    def _refused(self, refusal: Refusal) -> None:
        metrics.count("amm_order_rejects_total", reason=refusal.reason)
        log.debug("order_refused", reason=refusal.reason, detail=refusal.detail)

    def _store_fill(self, effect: StoreFill) -> None:
        fill = effect.fill
        labels = {"coin": fill.coin, "side": fill.side.name.lower(), "liquidity": fill.liquidity.value}
        metrics.count("amm_fills_total", **labels)
        metrics.count("amm_fill_notional_usd_total", fill.px_u * fill.sz_u / 1e6, **labels)
        self._record("fill", lambda: self.journal.store_fill(fill))

    def _record(self, what: str, write: Any) -> bool:
        """Write to the journal; False, and the core told once, when the disk does not take it."""
        try:
            write()
        except JournalError as error:
            if self._journal_ok:
                self._journal_ok = False
                log.error("journal_failed", what=what, reason=str(error))
                self.later(JournalTrouble(str(error)))
            return False
        return True

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._number += 1
        self.service.spawn(coroutine, f"request {self._number}")

    # ------------------------------------------------------------------ actions
    def _send(self, sent: SendAction) -> None:
        """Journal, sign, send; the answer comes as an ActionReply."""
        noop = sent.kind is Kind.NOOP  # stands in for an action whose intent is recorded
        recorded = noop or self._record("intent", lambda: self.journal.intend(sent))
        if not recorded and sent.kind.places:
            self.later(ActionReply(sent.nonce, "refused", reason="journal"))
            return
        if self._facts is None:
            self.later(ActionReply(sent.nonce, "refused", reason="no_market"))
            return
        tree = wire.action(sent.kind, sent.asset_id, sent.entries, self._facts.sz_decimals)
        body = wire.body(tree, sent.nonce, self._signer.sign(tree, sent.nonce, sent.expires_ms), sent.expires_ms)
        self._weights.owe(1 + len(sent.entries) // 40)
        self._run(self._deliver(sent, body))
        if sent.kind.places:
            asyncio.get_running_loop().call_soon(self.placed)

    async def _deliver(self, sent: SendAction, body: bytes) -> None:
        begun = mono_ns()
        if sent.prompt:
            clock = self.service.clock
            passed_s = (clock.now_ns() - sent.recv_t_ns) / NS / clock.rate
            metrics.observe("amm_tick_to_order_seconds", passed_s, coin=self._coin)
        metrics.count("amm_orders_sent_total", max(len(sent.entries), 1), action=sent.kind.value)
        try:
            reply = wire.reply(sent, *await self._transport.post(body))
            metrics.observe("amm_order_ack_seconds", (mono_ns() - begun) / NS, coin=self._coin)
        except LinkDown:
            reply = ActionReply(sent.nonce, "refused", reason="link_down")
        except UnknownOutcome as error:
            reply = ActionReply(sent.nonce, "unknown", reason=str(error)[:100])
        self._note(sent, reply)
        self.post(reply)

    def _note(self, sent: SendAction, reply: ActionReply) -> None:
        """Count and log what the venue did not simply take."""
        if reply.outcome != "ok":
            metrics.count("amm_order_rejects_total", reason=wire.reason(reply.reason))
            log.warning("action_not_taken", kind=sent.kind.value, outcome=reply.outcome, reason=reply.reason[:200])
            return
        for status in reply.statuses:
            if status.word == "error":
                metrics.count("amm_order_rejects_total", reason=wire.reason(status.text))
                log.info("entry_not_taken", kind=sent.kind.value, reason=status.text)

    # ------------------------------------------------------------------ questions
    async def _ask_status(self, ask: AskStatus) -> None:
        """By cloid; and by the number we know, when the answer is about another incarnation."""
        asked_t_ns = self.service.clock.now_ns()
        try:
            row = await self.info.order_status(self._user, ask.cloid)
            self._answer(ask.cloid, asked_t_ns, row)
            if ask.oid and (row is None or row.order.oid != ask.oid):
                self._answer(ask.cloid, asked_t_ns, await self.info.order_status(self._user, ask.oid))
        except ASK_FAILURES as error:
            log.info("order_status_unknown", cloid=ask.cloid, reason=str(error)[:200])
            self.post(StatusAnswer(ask.cloid, asked_t_ns, ""))

    def _answer(self, cloid: str, asked_t_ns: int, row: StatusRow | None) -> None:
        if row is None or self._facts is None:
            self.post(StatusAnswer(cloid, asked_t_ns, "unknownOid"))
        else:
            order = order_of(row.order, self._facts.sz_decimals)
            self.post(StatusAnswer(cloid, asked_t_ns, row.status, order))

    async def look(self, why: str, *, whole: bool) -> int | None:
        """One look at orders and position; how many of our orders the venue shows, None when it could not be asked.

        A whole look (62 of weight instead of 22) reads budget and fills too; the fills go to the core before the
        snapshot they are part of.
        """
        if self._facts is None:
            return None
        asked_mono_ns, sz_decimals = mono_ns(), self._facts.sz_decimals
        try:
            rows = await self.info.open_orders(self._user, self._dex)
            account = account_of(await self.info.clearinghouse_state(self._user, self._dex), self._coin, sz_decimals)
            budget = await self._budget_and_fills(account.venue_t_ns, sz_decimals) if whole else None
            orders = tuple(order_of(row, sz_decimals) for row in rows if row.coin == self._coin)
        except ASK_FAILURES as error:
            log.warning("look_failed", reason=str(error)[:200], why=why)
            self.post(SnapshotFailed(str(error)[:100]))
            return None
        self.post(Snapshot(asked_mono_ns, orders, account, budget))
        return len(orders)

    async def _budget_and_fills(self, until_t_ns: int, sz_decimals: int) -> tuple[int, int]:
        limit = await self.info.user_rate_limit(self._user)
        await self._fetch_fills(until_t_ns, sz_decimals)
        return limit.n_requests_used, limit.n_requests_cap

    async def _fetch_fills(self, until_t_ns: int, sz_decimals: int) -> None:
        """Everything from the last look on, page by page."""
        start_ms = self._fills_from_t_ns // 1_000_000
        while True:
            rows = await self.info.user_fills_by_time(self._user, start_ms)
            self._tell_fills([row for row in rows if row.coin == self._coin], sz_decimals)
            if len(rows) < 2000 or max(row.time for row in rows) <= start_ms:
                break
            start_ms = max(row.time for row in rows)
        overlap_ns = int(OVERLAP_NS * max(1.0, self.service.clock.rate))
        self._fills_from_t_ns = max(self._fills_from_t_ns, until_t_ns - overlap_ns)

    def _tell_fills(self, rows: list[Any], sz_decimals: int) -> None:
        for row in rows:
            self.fill(FillSeen(fill_of(row, self._user, sz_decimals, self.service.clock.now_ns())))

    def fill(self, seen: FillSeen) -> None:
        """A fill from either source; older ones than our books are left out."""
        if seen.fill.venue_t_ns >= self.floor_t_ns:
            self.post(seen)

    def published(self, keys: list[tuple[int, str, int]]) -> None:
        """These fills are in the stream."""
        self._record("published", lambda: self.journal.published(keys))

    def from_stream(self, event: Any) -> None:
        """What the user streams tell, which begin with history."""
        match event:
            case FillSeen():
                self.fill(event)
            case FundingSeen() if event.payment.venue_t_ns < self.floor_t_ns:
                return
            case _:
                self.post(event)

    async def look_at_account(self) -> None:
        """One `clearinghouseState` for equity and position."""
        if self._facts is None:
            return
        try:
            state = await self.info.clearinghouse_state(self._user, self._dex)
            self.post(account_of(state, self._coin, self._facts.sz_decimals))
        except ASK_FAILURES as error:
            log.info("account_not_read", reason=str(error)[:200])

    async def act(self, tree: dict[str, Any]) -> str | None:
        """Sign and send an action that is no order (`updateLeverage`); the venue's refusal, or None when it is done.

        Raises LinkDown or UnknownOutcome.
        """
        t_ns = self.clock().t_ns
        until = self.nonces.due(t_ns)
        if until is not None:
            self.nonces.reserve(until)
            self._record("reserve", lambda: self.journal.reserve(until))
        nonce = self.nonces.take(t_ns)
        signature = self._signer.sign(tree, nonce, 0)
        _, raw = await self._transport.post(wire.body(tree, nonce, signature, 0))
        return wire.refusal(raw)
