"""Orders nobody knows the fate of: when the venue may be asked about them, and what its answer proves.

An answer counts only when nothing sent for the order can land any more: the action's expiry has passed, or a `noop`
took its nonce. No answer teaches nothing. The states are `common/orders.py`'s.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from common.clock import MS, NS
from common.messages import OrderState, OrderUpdate
from common.orders import OrderTable, Said
from executor.events import ActionReply, AskStatus, Clock, SendAction, StatusAnswer

ASK_EVERY_NS = NS // 2
ASKS_OPEN_MAX = 4

LAND_NS = NS
"""Market time after an action's expiry from which it is certain that it can no longer land."""

UNKNOWN_OID_MAX = 3
"""Times the venue must deny an order that it once numbered before that counts as its end."""


class Inquiry:
    """Questions about UNKNOWN orders of one table."""

    def __init__(self, table: OrderTable) -> None:
        self._table = table
        self._lands_t_ns: dict[str, int] = {}  # cloid -> until when an unanswered action may still land
        self._asked: dict[str, int] = {}  # cloid -> machine time of the open or last question
        self._open: set[str] = set()
        self._denied: dict[str, int] = {}
        self._voiding: dict[int, tuple[str, ...]] = {}  # nonce -> cloids of the action a noop stands in for

    def unanswered(self, sent: SendAction, now: Clock) -> bool:
        """An order action got no answer; whether its nonce should be spent by a noop, since it may still land."""
        lands_t_ns = sent.expires_ms * MS + LAND_NS
        cloids = tuple(entry.cloid for entry in sent.entries)
        for cloid in cloids:
            self._lands_t_ns[cloid] = lands_t_ns
        if now.t_ns >= lands_t_ns:
            return False
        self._voiding[sent.nonce] = cloids
        return True

    def voided(self, reply: ActionReply, now: Clock) -> None:
        """The noop's reply: accepted, or its nonce was used, both mean that whatever was to happen has happened."""
        cloids = self._voiding.pop(reply.nonce, ())
        if reply.outcome == "ok" or "duplicate nonce" in reply.reason.lower():
            for cloid in cloids:
                self._lands_t_ns[cloid] = now.t_ns

    def due(self, busy: Container[str], now: Clock) -> list[AskStatus]:
        """Questions that may be asked now, a few at a time."""
        out = []
        for order in self._table.live():
            if order.state is not OrderState.UNKNOWN or order.cloid in busy or order.cloid in self._open:
                continue
            certain = now.t_ns >= self._lands_t_ns.get(order.cloid, 0)
            rested = now.mono_ns - self._asked.get(order.cloid, -ASK_EVERY_NS) >= ASK_EVERY_NS
            if certain and rested and len(self._open) < ASKS_OPEN_MAX:
                self._asked[order.cloid] = now.mono_ns
                self._open.add(order.cloid)
                out.append(AskStatus(order.cloid, order.oid))
        return out

    def answered(self, answer: StatusAnswer, busy: Container[str], now: Clock) -> OrderUpdate | None:
        """What the venue's word changes; nothing while another action for the order is under way."""
        self._open.discard(answer.cloid)
        order = self._table.orders.get(answer.cloid)
        if order is None or answer.status == "" or order.cloid in busy:
            return None
        if (found := answer.order) is not None:
            self._denied.pop(order.cloid, None)
            filled_u = max(found.orig_sz_u - found.sz_u, 0)
            return self._table.hear(
                now.t_ns, answer.cloid, Said.FOUND, oid=found.oid, status=answer.status, px_u=found.px_u,
                sz_u=found.orig_sz_u, filled_u=filled_u,
            )  # fmt: skip
        if not order.oid:
            return self._table.hear(now.t_ns, order.cloid, Said.NOT_FOUND)
        denied = self._denied[order.cloid] = self._denied.get(order.cloid, 0) + 1
        if denied < UNKNOWN_OID_MAX:
            return None
        return self._table.hear(
            now.t_ns, order.cloid, Said.FOUND, oid=order.oid, status="canceled", reason="unknown_at_venue"
        )

    def forget(self, kept: Iterable[str]) -> None:
        """Only these orders are still in the table."""
        known = set(kept)
        for memory in (self._lands_t_ns, self._asked, self._denied):
            for cloid in memory.keys() - known:
                del memory[cloid]
