"""A venue's truth and a bad network, seeded: for holding the executor's core against what really happened."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from typing import Any

import msgspec

from common.clock import MS, NS
from common.messages import Fill, Side, Tick
from executor.events import (
    AccountSeen,
    ActionReply,
    AskStatus,
    AskVenue,
    Clock,
    FillSeen,
    Holding,
    Kind,
    OrderSeen,
    SendAction,
    Snapshot,
    SnapshotFailed,
    Status,
    StatusAnswer,
    VenueOrder,
)
from tests.unit.executor.builders import COIN, MID_U, Bench, a_context, a_fill, a_ladder, a_permit, a_touch

STEP_S = 0.05


@dataclass
class Truth:
    """One incarnation at the venue."""

    oid: int
    cloid: str
    side: Side
    px_u: int
    sz_u: int
    filled_u: int = 0
    status: str = "open"

    @property
    def alive(self) -> bool:
        return self.status == "open"

    @property
    def left_u(self) -> int:
        return self.sz_u - self.filled_u

    def row(self) -> VenueOrder:
        return VenueOrder(COIN, self.oid, self.cloid, self.side, self.px_u, self.left_u, self.sz_u)


@dataclass
class World:
    """Engine, venue and the messages between them; `trouble` is the share of things that go wrong."""

    seed: int
    trouble: float = 0.3
    bench: Bench = field(default_factory=Bench)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.orders: dict[int, Truth] = {}
        self.fills: list[Fill] = []
        self.position_u = 0
        self.used_nonces: set[int] = set()
        self.raced_u = 0  # filled while a modify of the same order travelled: it rests in full again
        self.worst_u = 0
        self.told: list[Fill] = []
        self.flying: dict[str, int] = {}
        self.faults: list[str] = []
        self._queue: list[tuple[int, int, Any]] = []
        self._number = 0
        self._oid = 1_000
        self._mid_u = MID_U
        self._version = 0
        self._last_nonce = 0

    # ------------------------------------------------------------------ the run
    def run(self, seconds: float, *, ladders: bool = True) -> None:
        for step in range(round(seconds / STEP_S)):
            self._pass()
            if ladders and step % 10 == 0:
                self._quote()
            if self.rng.random() < 0.05 * (self.trouble > 0):
                self._trade()
            while self._queue and self._queue[0][0] <= self.bench.mono_ns:
                _, _, event = heapq.heappop(self._queue)
                self._deliver(event)
            self._hand(Tick(self.bench.t_ns, self.bench.mono_ns))

    def _pass(self) -> None:
        bench = self.bench
        bench.t_ns += int(STEP_S * NS)
        bench.mono_ns += int(STEP_S * NS)
        self._hand(a_touch(self._mid_u, t_ns=bench.t_ns), a_context(self._mid_u, t_ns=bench.t_ns))
        permit = bench.engine.gates.permit
        self._hand(a_permit((permit.version if permit else 0) + 1, t_ns=bench.t_ns))
        ladder = bench.engine.gates.ladder
        if ladder is not None:
            fresh = {"expires_t_ns": bench.t_ns + NS, "venue_t_ns": bench.t_ns}
            self._hand(msgspec.structs.replace(ladder, **fresh))

    def _quote(self) -> None:
        self._mid_u += self.rng.choice((-60, -20, 0, 0, 20, 60))
        self._version += 1
        n = self.rng.choice((2, 3, 3, 4))
        room_u = 500 * 10**6 // self._mid_u
        sides = {}
        for name, side in (("bids", Side.BID), ("asks", Side.ASK)):
            left_u = max(room_u - side * self.position_u - 5, 0)
            sz_u = min(left_u // n, 150)
            ladder = a_ladder(1, self._mid_u, n=n, sz_u=max(sz_u, 1))
            sides[name] = getattr(ladder, name) if sz_u >= 15 else []
        urgent = self.rng.random() < 0.05
        self._hand(a_ladder(self._version, self._mid_u, t_ns=self.bench.t_ns, urgent=urgent, **sides))

    def _hand(self, *events: Any) -> None:
        for event in events:
            self.bench.engine.on(Clock(self.bench.t_ns, self.bench.mono_ns))
            for item in self.bench.engine.on(event):
                self._carry_out(item)
        self._measure()

    def _measure(self) -> None:
        for side in Side:
            resting_u = sum(o.left_u for o in self.orders.values() if o.alive and o.side is side)
            self.worst_u = max(self.worst_u, side * self.position_u + resting_u)

    # ------------------------------------------------------------------ what the engine asks
    def _carry_out(self, item: Any) -> None:
        match item:
            case SendAction():
                self._check(item)
                self._send(item)
            case AskStatus():
                self._later(item, 0.02, 0.4)
            case AskVenue():
                self._later(("look", self.bench.mono_ns), 0.02, 0.4)
            case Fill():
                self.told.append(item)

    def _check(self, sent: SendAction) -> None:
        for entry in sent.entries:
            if entry.cloid in self.flying:
                self.faults.append(f"two actions for {entry.cloid}")
            self.flying[entry.cloid] = sent.nonce
        if sent.kind is not Kind.NOOP:
            if sent.nonce <= self._last_nonce:
                self.faults.append(f"nonce {sent.nonce} after {self._last_nonce}")
            self._last_nonce = sent.nonce

    def _send(self, sent: SendAction) -> None:
        """Taken and answered, taken and not answered, lost, late, or refused."""
        fate = self.rng.random()
        if fate > self.trouble:
            self._later(("act", sent, True), 0.02, 0.3)
        elif fate < self.trouble * 0.25:
            self._later(("reply", ActionReply(sent.nonce, "refused", reason="link_down")), 0.01, 0.05)
        else:
            self._later(("reply", ActionReply(sent.nonce, "unknown", reason="timeout")), 0.5, 2.0)
            if fate < self.trouble * 0.75:
                self._later(("act", sent, False), 0.02, 4.0)

    def _later(self, event: Any, low_s: float, high_s: float) -> None:
        self._number += 1
        at = self.bench.mono_ns + int(self.rng.uniform(low_s, high_s) * NS)
        heapq.heappush(self._queue, (at, self._number, event))

    def _tell(self, event: Any) -> None:
        """Stream news: delayed, sometimes twice, sometimes never."""
        if self.rng.random() >= self.trouble * 0.3:
            self._later(("hand", event), 0.01, 0.6)
            if self.rng.random() < self.trouble * 0.3:
                self._later(("hand", event), 0.01, 1.5)

    def _deliver(self, event: Any) -> None:
        match event:
            case ("act", sent, answered):
                self._act(sent, answered)
            case ("reply", reply):
                for cloid in [c for c, nonce in self.flying.items() if nonce == reply.nonce]:
                    del self.flying[cloid]
                self._hand(reply)
            case ("hand", news):
                self._hand(news)
            case ("look", asked_ns):
                self._look(asked_ns)
            case AskStatus():
                self._status(event)

    # ------------------------------------------------------------------ the venue
    def _act(self, sent: SendAction, answered: bool) -> None:
        text, statuses = "", ()
        if sent.nonce in self.used_nonces:
            text = f"Invalid nonce: duplicate nonce {sent.nonce}"
        else:
            self.used_nonces.add(sent.nonce)
            if sent.expires_ms and sent.kind is not Kind.NOOP and self.bench.t_ns > sent.expires_ms * MS:
                text = "Action expired"
            else:
                statuses = tuple(self._entry(sent.kind, entry) for entry in sent.entries)
        if answered:
            outcome = "unknown" if "duplicate" in text else "refused" if text else "ok"
            self._later(("reply", ActionReply(sent.nonce, outcome, statuses, text)), 0.02, 0.3)

    def _entry(self, kind: Kind, entry: Any) -> Status:
        if kind is Kind.ORDER:
            if self.rng.random() < 0.1 * self.trouble:
                return Status("error", text="Post only order would have immediately matched, bbo was 1@2.")
            return Status("resting", self._rest(entry).oid)
        old = self.orders.get(entry.oid) or next(
            (o for o in self.orders.values() if o.cloid == entry.cloid and o.alive), None
        )
        if old is None or not old.alive:
            return Status("error", text="Order was never placed, already canceled, or filled.")
        if kind is Kind.MODIFY:
            if self.rng.random() < 0.2 * self.trouble:  # refused: whether the old one stays is not documented
                if self.rng.random() < 0.5:
                    self._end(old, "canceled")
                return Status("error", text="Post only order would have immediately matched, bbo was 1@2.")
            self._end(old, "canceled")
            self.raced_u += old.filled_u
            return Status("resting", self._rest(entry).oid)
        self._end(old, "canceled")
        return Status("success")

    def _rest(self, entry: Any) -> Truth:
        self._oid += 1
        order = self.orders[self._oid] = Truth(self._oid, entry.cloid, entry.side, entry.px_u, entry.sz_u)
        self._tell(OrderSeen(order.row(), "open", self.bench.t_ns))
        return order

    def _end(self, order: Truth, status: str) -> None:
        order.status = status
        self._tell(OrderSeen(order.row(), status, self.bench.t_ns))

    def _trade(self) -> None:
        alive = [o for o in self.orders.values() if o.alive]
        if not alive:
            return
        order = self.rng.choice(alive)
        sz_u = order.left_u if self.rng.random() < 0.5 else self.rng.randrange(1, order.left_u + 1)
        fill = a_fill(
            order.side, sz_u, order.px_u, tid=len(self.fills) + 1, t_ns=self.bench.t_ns, cloid=order.cloid,
            oid=order.oid, start_u=self.position_u,
        )  # fmt: skip
        order.filled_u += sz_u
        self.position_u += order.side * sz_u
        self.fills.append(fill)
        self._tell(FillSeen(fill))
        if order.left_u == 0:
            self._end(order, "filled")

    # ------------------------------------------------------------------ answers
    def _status(self, ask: AskStatus) -> None:
        if self.rng.random() < self.trouble * 0.3:
            self._hand(StatusAnswer(ask.cloid, self.bench.t_ns, ""))
            return
        newest = max((o for o in self.orders.values() if o.cloid == ask.cloid), key=lambda o: o.oid, default=None)
        self._answer(ask.cloid, newest)
        if ask.oid and (newest is None or newest.oid != ask.oid):
            self._answer(ask.cloid, self.orders.get(ask.oid))

    def _answer(self, cloid: str, order: Truth | None) -> None:
        if order is None:
            self._hand(StatusAnswer(cloid, self.bench.t_ns, "unknownOid"))
        else:
            self._hand(StatusAnswer(cloid, self.bench.t_ns, order.status, order.row()))

    def _look(self, asked_ns: int) -> None:
        if self.rng.random() < self.trouble * 0.3:
            self._hand(SnapshotFailed("down"))
            return
        held = (Holding(COIN, self.position_u, float(MID_U), 0, 0),) if self.position_u else ()
        account = AccountSeen(self.bench.t_ns // MS * MS, 1000 * 10**8, 0, 0, held)
        rows = tuple(o.row() for o in self.orders.values() if o.alive)
        self._hand(*(FillSeen(fill) for fill in self.fills))
        self._hand(Snapshot(asked_ns, rows, account, (0, 1_000_000)))
