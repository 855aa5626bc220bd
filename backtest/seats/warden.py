"""The warden's seat: its vigil, its own agent, and cancels until the venue shows nothing."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from backtest.seats import discovery
from backtest.seats.floor import MONO_NS, Act, Ask, Floor, Job, Jobs, Sleep
from backtest.seats.venue import mark_of
from backtest.timing import BETWEEN, TIMERS
from common.clock import NS
from common.messages import Side
from executor import wire
from executor.events import Entry, Kind, SendAction
from executor.nonce import Nonces
from executor.vigil import SETTLE_NS, Vigil

AGENT = "0x" + "b2" * 20
RETRY_NS = NS // 2
CANCELS_MAX = 40


class WardenSeat:
    """One account's dead-man; it hears beats and watches the kill file, the streams are not its business."""

    name = "warden"

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.vigil = Vigil(MONO_NS)
        self._nonces = Nonces()
        self._named: list[tuple[int, str]] = []
        self._named_due_ns = 0
        self._fires = 0
        self._kill: Any = None
        self._is_working = False
        self._jobs = Jobs(floor, self.name)

    def begin(self) -> None:
        tick_ns, phase_ns = self.floor.timing.warden_tick_ns, self.floor.timing.warden_phase_ns
        self.floor.loop.every(tick_ns, self.floor.begin_ns + tick_ns + phase_ns, TIMERS, self._watch)

    def hear(self, orders: list[tuple[int, str]]) -> None:
        """A beat of the executor is on its way here."""
        self.floor.loop.travel("executor>warden beat", self.floor.timing.beat_ns, BETWEEN, self._heard, orders)

    def _heard(self, orders: list[tuple[int, str]]) -> None:
        self.vigil.on_beat(self.floor.mono_ns())
        self._named = orders

    def _watch(self) -> None:
        if self.floor.kill != self._kill:
            self._kill = self.floor.kill
            self.vigil.on_kill(self._kill is not None, self.floor.mono_ns())
        self.vigil.on_tick(self.floor.mono_ns())
        if self.vigil.must_cancel and not self._is_working:
            self._is_working = True
            self._jobs.start(self._work())

    # ------------------------------------------------------------------ acting
    def _work(self) -> Job:
        while self.vigil.must_cancel:
            if self.vigil.fires != self._fires:
                self._fires, self._named_due_ns = self.vigil.fires, 0
            if self._named and self.floor.mono_ns() >= self._named_due_ns:
                self._named_due_ns = self.floor.mono_ns() + SETTLE_NS
                named = [(asset, Entry(cloid, 0, Side.BID, 0, 0, -1)) for asset, cloid in self._named]
                yield from self._cancel(Kind.CANCEL_CLOID, named)
            yield Sleep((yield from self._clear()))
        self._is_working = False

    def _clear(self) -> Generator[Ask | Act, Any, int]:
        """Look, and cancel what is shown; how long the next look can wait, ns."""
        asked_ns = self.floor.mono_ns()
        settings = self.floor.settings
        rows = yield from discovery.open_orders(settings.wallet_address, settings.market.dex)
        self.vigil.on_shown(len(rows), asked_ns, self.floor.mono_ns())
        if not self.vigil.must_cancel:
            return 0
        asset_of = self.floor.venue.universe.by_coin
        entries = [(asset_of[row.coin].asset_id, Entry("", row.oid, Side.BID, 0, 0, -1)) for row in rows]
        if rows and (yield from self._cancel(Kind.CANCEL, entries)) == len(rows):
            self.vigil.on_cancelled()
        return self.vigil.next_look_ns(self.floor.mono_ns())

    def _cancel(self, kind: Kind, entries: list[tuple[int, Entry]]) -> Generator[Act, Any, int]:
        """How many the venue says are gone."""
        gone = 0
        for asset in sorted({asset for asset, _ in entries}):
            mine = [entry for at, entry in entries if at == asset]
            for start in range(0, len(mine), CANCELS_MAX):
                part = tuple(mine[start : start + CANCELS_MAX])
                t_ns = self.floor.loop.now_ns
                sent = SendAction(self._nonces.take(t_ns), kind, asset, part, 0, t_ns)
                raw = yield Act(wire.body(wire.action(kind, asset, part, 0), sent.nonce, mark_of(AGENT), 0))
                gone += sum(status.word == "success" for status in wire.reply(sent, 200, raw).statuses)
        return gone
