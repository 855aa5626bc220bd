"""Our orders and the actions under way: what is asked of the venue, what it answered, what must be asked again.

One action at a time per order. A reply that proves nothing makes the order UNKNOWN; it then counts as exposure until
the venue has been asked, after the action can no longer land: its expiry has passed, or a `noop` with the same nonce
was accepted in its place. Nothing is ever sent a second time under a new nonce. States and their moves are
`common/orders.py`'s; whether something may be sent is decided before it comes here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from common.clock import MS, NS
from common.errors import OurFault
from common.messages import ActionReport, Fill, Ladder, OrderState, OrderUpdate, Side
from common.orders import Order, OrderTable, Said, make_cloid
from executor.checks import unbooked_u
from executor.diff import Change, What
from executor.events import (
    ActionReply,
    AskStatus,
    Clock,
    Entry,
    Facts,
    Kind,
    OrderSeen,
    ReserveNonces,
    SendAction,
    StatusAnswer,
)
from executor.inquiry import Inquiry
from executor.nonce import Nonces
from executor.wire import reason as reason_word

CANCEL_EVERY_NS = NS
"""A cancel that the venue refused or never answered is repeated at most this often (machine time)."""

FORGET_NS = 30 * NS
"""An order that ended this long ago (machine time) is dropped; a late fill still reaches the position."""


class Tracker:
    """Orders of one market and the signed actions that concern them."""

    def __init__(
        self, coin: str, epoch: int, nonces: Nonces, batch_max: int, expires_after_s: float, queue_age_s: float
    ) -> None:
        self.table = OrderTable(coin)
        self.inquiry = Inquiry(self.table)
        self.nonces = nonces
        self.facts: Facts | None = None
        self._sent_entries = 0
        self._coin = coin
        self._epoch = epoch
        self._counter = 0
        self._batch_max = batch_max
        self._expires_ns = int(expires_after_s * NS)
        self._queue_age_ns = int(queue_age_s * NS)
        self._flying: dict[int, SendAction] = {}
        self._busy: dict[str, int] = {}  # cloid -> nonce of its open action
        self._cancelled_mono_ns: dict[str, int] = {}
        self._crossed: dict[Side, tuple[int, int]] = {}  # side -> price the venue refused as crossing, market time
        self._touched: dict[str, int] = {}  # cloid -> machine time of the last thing asked or heard

    # ------------------------------------------------------------------ reading
    @property
    def flying(self) -> int:
        """Actions without an answer."""
        return len(self._flying)

    def is_busy(self, order: Order) -> bool:
        return order.cloid in self._busy

    def untouched_since(self, order: Order, mono_ns: int) -> bool:
        """Whether nothing was asked or heard of the order since then, and nothing is open."""
        return order.cloid not in self._busy and self._touched.get(order.cloid, 0) < mono_ns

    def row(self, order: Order, t_ns: int) -> tuple[tuple[int, ...], float]:
        """An order as `plan.py` reads it (`R_*`), and how much of its queue it has behind it.

        The latter is taken from how long it has been there (market time `t_ns`).
        """
        live, moving_to = order.live, order.asked if order.moving else None
        px_u, sz_u = moving_to or (order.px_u, order.remaining_u)
        is_open, is_busy = order.state is OrderState.OPEN, order.cloid in self._busy
        age_ns = max(t_ns - order.changed_t_ns, 0)
        return (
            int(order.side), int(live), px_u, sz_u, int(not is_open or is_busy),
            int(live and order.state is not OrderState.CANCELLING), int(is_open), int(is_busy), order.px_u,
            moving_to[0] if moving_to else 0, order.exposure_u, unbooked_u(order),
        ), age_ns / (age_ns + self._queue_age_ns)  # fmt: skip

    def count(self, state: OrderState) -> int:
        return sum(order.state is state for order in self.table.orders.values())

    def crossed(self, side: Side) -> tuple[int, int]:
        """Price at which the venue last refused an order of a side because it would have matched, and when."""
        return self._crossed.get(side, (0, 0))

    def take_sent(self) -> int:
        """Entries sent since the last call: what the venue counts against the budget."""
        sent, self._sent_entries = self._sent_entries, 0
        return sent

    # ------------------------------------------------------------------ sending
    def send(
        self, changes: Sequence[Change], now: Clock, ladder: Ladder | None, *, prompt: bool, reduce_only: bool
    ) -> list[Any]:
        """Cancels, then moves, then new orders: one action a kind (or several when there are many)."""
        out: list[Any] = []
        cancels = [self.table.orders[c.cloid] for c in changes if c.what is What.CANCEL]
        out += self.cancel(cancels, now)
        moves, news = [], []
        for change in changes:
            if change.what is What.NEW:
                news.append(self._place(change, now, reduce_only, out))
            elif change.what is not What.CANCEL:
                moves.append(self._move(change, now, reduce_only, out))
        for kind, entries in ((Kind.MODIFY, moves), (Kind.ORDER, news)):
            out += self._actions(kind, entries, now, ladder, prompt)
        return out

    def cancel(self, orders: Iterable[Order], now: Clock) -> list[Any]:
        """Cancel what may be cancelled now: by number where it is known, by cloid where not."""
        out: list[Any] = []
        by_oid: list[Entry] = []
        by_cloid: list[Entry] = []
        for order in orders:
            if not self._may_cancel(order, now):
                continue
            self._cancelled_mono_ns[order.cloid] = now.mono_ns
            update = self.table.cancel(now.t_ns, order.cloid)
            if update is None:
                continue
            out.append(update)
            entry = Entry(order.cloid, order.oid, order.side, order.px_u, order.remaining_u, order.level)
            (by_oid if order.oid else by_cloid).append(entry)
        out += self._actions(Kind.CANCEL, by_oid, now, None, prompt=False)
        return out + self._actions(Kind.CANCEL_CLOID, by_cloid, now, None, prompt=False)

    def _may_cancel(self, order: Order, now: Clock) -> bool:
        if not order.live or order.cloid in self._busy:
            return False
        return now.mono_ns - self._cancelled_mono_ns.get(order.cloid, -CANCEL_EVERY_NS) >= CANCEL_EVERY_NS

    def _place(self, change: Change, now: Clock, reduce_only: bool, out: list[Any]) -> Entry:
        self._counter += 1
        cloid = make_cloid(self._epoch, change.level, change.side, self._counter)
        px_u, sz_u = change.px_u, change.sz_u
        out.append(self.table.place(now.t_ns, cloid, change.side, px_u, sz_u, reduce_only=reduce_only))
        return Entry(cloid, 0, change.side, px_u, sz_u, change.level, reduce_only)

    def _move(self, change: Change, now: Clock, reduce_only: bool, out: list[Any]) -> Entry:
        order = self.table.orders[change.cloid]
        out.append(self.table.move(now.t_ns, change.cloid, change.px_u, change.sz_u))
        return Entry(change.cloid, order.oid, change.side, change.px_u, change.sz_u, order.level, reduce_only)

    def _actions(
        self, kind: Kind, entries: Sequence[Entry], now: Clock, ladder: Ladder | None, prompt: bool
    ) -> list[Any]:
        out: list[Any] = []
        for start in range(0, len(entries), self._batch_max):
            out += self._action(kind, tuple(entries[start : start + self._batch_max]), now, ladder, prompt)
        return out

    def _action(
        self, kind: Kind, entries: tuple[Entry, ...], now: Clock, ladder: Ladder | None, prompt: bool
    ) -> list[Any]:
        out: list[Any] = [*self.reserve(now)]
        nonce = self.nonces.take(now.t_ns)
        expires_ns = self._expires_ns * max(1.0, now.rate / 4)  # played faster, a machine's hiccup is longer
        expires_ms = (now.t_ns + int(expires_ns)) // MS if kind.places else 0
        sent = SendAction(
            nonce=nonce,
            kind=kind,
            asset_id=self._asset_id(),
            entries=entries,
            expires_ms=expires_ms,
            t_ns=now.t_ns,
            quote_t_ns=ladder.t_ns if ladder else 0,
            recv_t_ns=ladder.recv_t_ns if ladder else 0,
            prompt=prompt,
        )
        self._fly(sent, now)
        return [*out, sent]

    def _fly(self, sent: SendAction, now: Clock) -> None:
        self._flying[sent.nonce] = sent
        self._sent_entries += max(len(sent.entries), 1)
        for entry in sent.entries:
            self._busy[entry.cloid] = sent.nonce
            self._touched[entry.cloid] = now.mono_ns

    def _asset_id(self) -> int:
        if self.facts is None:
            raise OurFault("an action before the market is known")
        return self.facts.asset_id

    def reserve(self, now: Clock) -> list[ReserveNonces]:
        """Reserve the next block of nonces when it is due; called ahead, so that no action waits for the disk."""
        until = self.nonces.due(now.t_ns, now.rate)
        if until is None:
            return []
        self.nonces.reserve(until)
        return [ReserveNonces(until)]

    # ------------------------------------------------------------------ replies
    def on_reply(self, reply: ActionReply, now: Clock) -> list[Any]:
        """Apply what came of an action; what stays unproven is voided or asked for later."""
        sent = self._flying.pop(reply.nonce, None)
        if sent is None:
            return []
        out: list[Any] = [self._report(sent, reply, now)]
        for entry in sent.entries:
            self._busy.pop(entry.cloid, None)
            self._touched[entry.cloid] = now.mono_ns
        if sent.kind is Kind.NOOP:
            self.inquiry.voided(reply, now)
            return out
        for i, entry in enumerate(sent.entries):
            out += self._heard(sent, entry, reply, i, now)
        if reply.outcome == "unknown" and sent.kind.places:
            out += self._void(sent, now)
        return out

    def _heard(self, sent: SendAction, entry: Entry, reply: ActionReply, i: int, now: Clock) -> list[OrderUpdate]:
        word, oid, text = reply.outcome, 0, reply.reason
        if word == "ok":
            word, oid, text = reply.statuses[i].word, reply.statuses[i].oid, reply.statuses[i].text
        hear, why = self.table.hear, reason_word(text) if text else ""
        if why == "bad_alo_px":
            self._crossed[entry.side] = (entry.px_u, now.t_ns)
        match (sent.kind, word):
            case (Kind.ORDER, "resting"):
                update = hear(now.t_ns, entry.cloid, Said.PLACED, oid=oid, px_u=entry.px_u, sz_u=entry.sz_u)
            case (Kind.MODIFY, "resting"):
                update = hear(now.t_ns, entry.cloid, Said.MOVED, oid=oid, px_u=entry.px_u, sz_u=entry.sz_u)
            case (Kind.ORDER, "error" | "refused"):
                update = hear(now.t_ns, entry.cloid, Said.PLACE_REFUSED, reason=why)
            case (Kind.MODIFY, "error" | "refused"):
                update = hear(now.t_ns, entry.cloid, Said.MOVE_REFUSED, reason=why)
            case (Kind.CANCEL | Kind.CANCEL_CLOID, "success"):
                update = hear(now.t_ns, entry.cloid, Said.CANCELLED)
            case (Kind.CANCEL | Kind.CANCEL_CLOID, "error" | "refused"):
                update = hear(now.t_ns, entry.cloid, Said.CANCEL_REFUSED, reason=why)
            case _:
                update = hear(now.t_ns, entry.cloid, Said.TIMEOUT, reason=text[:40] or word)
        return [update] if update else []

    def _report(self, sent: SendAction, reply: ActionReply, now: Clock) -> ActionReport:
        return ActionReport(
            t_ns=now.t_ns,
            coin=self._coin,
            kind=sent.kind.value,
            entries=len(sent.entries),
            nonce=sent.nonce,
            quote_t_ns=sent.quote_t_ns,
            send_t_ns=sent.t_ns,
            reply_t_ns=0 if reply.outcome == "unknown" else now.t_ns,
            outcome=reply.outcome,
            reason=reply.reason,
        )

    # ------------------------------------------------------------------ what is not known
    def _void(self, sent: SendAction, now: Clock) -> list[Any]:
        """Spend the nonce of an action that may still land."""
        if not self.inquiry.unanswered(sent, now):
            return []
        noop = SendAction(sent.nonce, Kind.NOOP, sent.asset_id, (), sent.expires_ms, now.t_ns)
        self._fly(noop, now)
        return [noop]

    def ask(self, now: Clock) -> list[AskStatus]:
        """Questions that are due about UNKNOWN orders."""
        return self.inquiry.due(self._busy, now)

    def on_answer(self, answer: StatusAnswer, now: Clock) -> list[OrderUpdate]:
        """The venue's word on one order."""
        update = self.inquiry.answered(answer, self._busy, now)
        if answer.status and answer.cloid in self.table.orders:
            self._touched[answer.cloid] = now.mono_ns
        return _listed(update)

    # ------------------------------------------------------------------ the user stream
    def on_seen(self, seen: OrderSeen, now: Clock) -> list[OrderUpdate]:
        """A status change of one of our orders."""
        order = seen.order
        known = self.table.orders.get(order.cloid) or self.table.find(order.oid)
        if known is not None:
            self._touched[known.cloid] = now.mono_ns
        return _listed(
            self.table.hear(
                now.t_ns,
                known.cloid if known else order.cloid or None,
                Said.STATUS,
                oid=order.oid,
                status=seen.status,
                px_u=order.px_u,
                sz_u=order.orig_sz_u,
                filled_u=max(order.orig_sz_u - order.sz_u, 0) if seen.status == "open" else None,
            )
        )

    def on_fill(self, fill: Fill, now: Clock) -> list[OrderUpdate]:
        update = self.table.fill(fill)
        if update is not None:
            self._touched[update.cloid] = now.mono_ns
        return _listed(update)

    def forget(self, now: Clock) -> None:
        """Drop what ended long ago."""
        self.table.forget(now.t_ns - int(FORGET_NS * max(1.0, now.rate)))
        self.inquiry.forget(self.table.orders)
        for memory in (self._cancelled_mono_ns, self._touched):
            for cloid in memory.keys() - self.table.orders.keys():
                del memory[cloid]


def _listed(update: OrderUpdate | None) -> list[OrderUpdate]:
    return [update] if update is not None else []
