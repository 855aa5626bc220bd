"""An executor with a shadow: the compiled replay's order table and plan on the same news, compared bit by bit.

The shadow has an order table (`backtest/loop/slots.py`), a bucket, a throttle and a memory of its own. It is told what
a replay is told: the ladder, the bounds of a plan, the venue's count of actions, answers and fills. What it plans, what
it sends and its state must be the live executor's at every plan.
"""

from __future__ import annotations

import struct
from typing import Any

from backtest.loop import executing as ex
from backtest.loop import slots as sl
from backtest.loop.desk import push
from backtest.loop.layout import (
    CANCEL,
    CROSSED,
    D_POSITION,
    ENDED,
    FILL_STRIDE,
    G_KIND,
    G_PX,
    G_SLOT,
    G_SZ,
    MOVE,
    PLACE,
    RESTS,
    RING_HEAD,
    RING_ROWS,
    RING_SIZE,
    RING_STRIDE,
    RING_TAIL,
    TRADED,
    new_desk,
    new_log,
    new_ring,
)
from backtest.timing import INSTANT
from common.config import Settings
from executor import governor as gv
from executor import plan as pl
from executor.engine import ExecutorEngine
from executor.events import ActionReply, Clock, Kind, SendAction
from executor.wire import reason
from quoter.state import O_COUNT, O_LEN, O_ROWS, O_SIDE

KINDS = {Kind.ORDER: PLACE, Kind.MODIFY: MOVE, Kind.CANCEL: CANCEL, Kind.CANCEL_CLOID: CANCEL}
FILLS = 10_000
FILL_TRAVELS_NS = INSTANT.feed_ns
"""A look at the account may know of a fill so long before it is told."""


class ShadowExecutor:
    """Watches one engine; `plans` were compared, `requests` sent alike, `differences` says where they were not."""

    def __init__(self, engine: ExecutorEngine, settings: Settings, sz_decimals: int) -> None:
        self.plans = self.requests = self.compared = 0
        self.differences: list[str] = []
        self._engine = engine
        made = ex.new_executing(settings, sz_decimals)
        self._own = ex.Executing(*made[: len(ex.Executing._fields)])
        self._work = pl.Work(*made[len(ex.Executing._fields) :])
        self._desk, self._actions, self._news = new_desk(), new_ring(0), new_ring(0)
        self._fills = new_log(FILLS, FILL_STRIDE)
        self._slot_of: dict[str, int] = {}
        self._asked: dict[int, list[int]] = {}
        self._planned: list[tuple[int, int, int, int]] = []
        self._watch()

    # ------------------------------------------------------------------ what it is told
    def _watch(self) -> None:
        planner, tracker, governor = self._engine.planner, self._engine.tracker, self._engine.governor
        own = self._own
        decide, fly, on_reply, on_fill = planner._decide, tracker._fly, tracker.on_reply, tracker.on_fill
        new_ladder, refill, reconcile, spent = (
            planner.new_ladder, governor.refill, governor.reconcile, governor.spent,
        )  # fmt: skip

        def watched_decide(bounds: Any, orders: int, mid_px: float, now: Clock) -> None:
            self._plan(bounds, mid_px, now)
            decide(bounds, orders, mid_px, now)
            self._compare(orders, now)

        def watched_fly(sent: SendAction, now: Clock) -> None:
            fly(sent, now)
            self._sent(sent, now)

        def watched_reply(reply: ActionReply, now: Clock) -> list[Any]:
            sent = tracker._flying.get(reply.nonce)
            if sent is not None:
                self._answered(sent, reply, now)
            return on_reply(reply, now)

        def watched_fill(fill: Any, now: Clock) -> list[Any]:
            self._hear(self._slot_of[fill.cloid], TRADED, fill.px_u, fill.sz_u, now)
            return on_fill(fill, now)

        def watched_ladder(ladder: Any) -> None:
            own.q[pl.Q_IS_URGENT] = int(ladder.urgent)
            new_ladder(ladder)

        def watched_refill(t_ns: int, open_orders: int) -> None:
            gv.refill(own.bucket, own.counts, t_ns, open_orders)
            refill(t_ns, open_orders)

        def watched_reconcile(used: int, cap: int) -> None:
            gv.reconcile(own.bucket, own.counts, used, cap)
            reconcile(used, cap)

        def watched_spent(entries: int) -> None:
            own.counts[gv.N_USED] += entries
            spent(entries)

        for owner, name, watched in (
            (planner, "_decide", watched_decide), (tracker, "_fly", watched_fly), (tracker, "on_reply", watched_reply),
            (tracker, "on_fill", watched_fill), (planner, "new_ladder", watched_ladder),
            (governor, "refill", watched_refill), (governor, "reconcile", watched_reconcile),
            (governor, "spent", watched_spent),
        ):  # fmt: skip
            setattr(owner, name, watched)

    def _hear(self, slot: int, kind: int, px_u: int, sz_u: int, now: Clock) -> None:
        own = self._own
        push(self._news, self._desk, now.t_ns, slot, kind, px_u, sz_u)
        sl.hear_order(own.slots, self._desk, self._news, own.q, self._fills, now.t_ns)

    def _answered(self, sent: SendAction, reply: ActionReply, now: Clock) -> None:
        for entry, slot, status in zip(sent.entries, self._asked.pop(sent.nonce), reply.statuses, strict=True):
            kind = RESTS if status.word == "resting" else ENDED
            if status.word == "error" and reason(status.text) == "bad_alo_px":
                kind = CROSSED
            self._hear(slot, kind, entry.px_u, entry.sz_u, now)

    # ------------------------------------------------------------------ what it works out itself
    def _plan(self, bounds: Any, mid_px: float, now: Clock) -> None:
        own, planner = self._own, self._engine.planner
        ladder = self._engine.gates.ladder
        assert ladder is not None
        for side, levels in enumerate((ladder.bids, ladder.asks)):
            own.shown[O_LEN + O_COUNT + side] = len(levels)
            for k, level in enumerate(levels):
                at = O_LEN + O_ROWS + side * O_SIDE + 2 * k
                own.shown[at], own.shown[at + 1] = level.px_u, level.sz_u
        n = sl.pack_orders(own.slots, now.t_ns, int(own.manner[ex.X_QUEUE_AGE_NS]), own.orders, own.places)
        ex.pack_wanted(own.shown, own.want)
        own.q[pl.Q_IS_CANCELLING] = sl.in_state(own.slots, sl.CANCELLING)
        limits, marks = bounds.vectors()
        pl.plan(
            own.orders, n, own.places, own.want, limits, marks, own.bucket, planner.terms.facts, own.terms, own.recent,
            own.q, own.manner[ex.X_HOLD_BPS], mid_px, bounds.dearest_px_u, now.t_ns, now.mono_ns, *self._work,
        )  # fmt: skip
        begin = int(self._actions[RING_TAIL])
        ex.send_chosen(own.slots, self._desk, self._actions, self._work.chosen, now.t_ns)
        self._planned += [self._request(k) for k in range(begin, int(self._actions[RING_TAIL]))]
        self._actions[RING_HEAD] = self._actions[RING_TAIL]
        self._orders = n

    def _request(self, k: int) -> tuple[int, int, int, int]:
        row = RING_ROWS + RING_STRIDE * (k & (int(self._actions[RING_SIZE]) - 1))
        slot, kind, px_u, sz_u = (int(self._actions[row + at]) for at in (G_SLOT, G_KIND, G_PX, G_SZ))
        return slot, kind, px_u, sz_u

    def _sent(self, sent: SendAction, now: Clock) -> None:
        """What the live executor sends is what the shadow has sent, entry by entry."""
        slots = []
        for entry in sent.entries:
            kind = KINDS[sent.kind]
            if self._planned:
                slot, planned, px_u, sz_u = self._planned.pop(0)
                wanted = (kind, 0, 0) if kind == CANCEL else (kind, entry.px_u, entry.sz_u)
                if (planned, px_u, sz_u) != wanted:
                    self.differences.append(f"{now.t_ns} sent {wanted}, the shadow {(planned, px_u, sz_u)}")
            else:
                slot = self._slot_of[entry.cloid]
                sl.cancel_slot(self._own.slots, self._desk, self._actions, now.t_ns, slot)
                self._actions[RING_HEAD] = self._actions[RING_TAIL]
            self._slot_of[entry.cloid] = slot
            slots.append(slot)
        self._asked[sent.nonce] = slots
        self.requests += len(slots)

    # ------------------------------------------------------------------ both
    def _compare(self, orders: int, now: Clock) -> None:
        planner, governor, own = self._engine.planner, self._engine.governor, self._own
        self.plans += 1
        pairs = [
            ("chosen", self._work.chosen, planner._work.chosen, 1 + pl.C_STRIDE * int(planner._work.chosen[0])),
            ("refused", self._work.refused, planner._work.refused, 1 + pl.X_STRIDE * int(planner._work.refused[0])),
            ("bucket", own.bucket, governor.bucket, len(own.bucket)),
            ("counts", own.counts, governor.counts, len(own.counts)),
            ("throttle", own.recent, planner.throttle.ring, len(own.recent)),
            ("memory", own.q, planner._q, len(own.q)),
        ]
        if self._engine.tracker.flying == 0:
            self.compared += 1
            pairs.append(("orders", own.orders, planner._orders, pl.R_STRIDE * orders))
            pairs.append(("places", own.places, planner._places, orders))
        account = self._engine.account
        looked_ns = now.t_ns - account.base.venue_t_ns if account.base is not None else 0
        if looked_ns > FILL_TRAVELS_NS and int(self._desk[D_POSITION]) != account.position_u:
            self.differences.append(f"{now.t_ns} position")
        for name, mine, theirs, count in pairs:
            found = [k for k in range(count) if _bits(mine[k]) != _bits(theirs[k])]
            if found:
                self.differences.append(f"{now.t_ns} {name} {found[:8]}")


def _bits(value: Any) -> bytes:
    return struct.pack("<d", value) if isinstance(value, float) else struct.pack("<q", int(value))
