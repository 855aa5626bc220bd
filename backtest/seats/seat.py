"""What every seat shares: one engine, its streams, its timer, its heartbeat.

A seat does for a core what its process' shell does: it hands over time and events in the order of `common/service.py`
(a Tick before each batch, a BatchEnd after it where the engine wants one), sends messages on and carries out effects.
A period is machine time; at speed 1 market time is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from backtest.seats.floor import BUILD, Floor, Jobs
from backtest.timing import TIMERS
from common.bus_types import Delivery, Item, Subscription
from common.errors import OurFault
from common.events import BatchEnd
from common.messages import SCHEMA, Heartbeat, Message, Tick

BEAT_NS = 500_000_000


class Engine(Protocol):
    def on(self, event: Any, /) -> list[Any]: ...


class Seat:
    """One service of the world."""

    name = ""

    def __init__(self, floor: Floor, engine: Engine, subscriptions: Sequence[Subscription] = ()) -> None:
        self.floor = floor
        self.engine = engine
        self._subscriptions = subscriptions
        self._wants_batch_end = bool(getattr(engine, "wants_batch_end", False))
        self.jobs = Jobs(floor, self.name)
        self.is_ready = False

    def begin(self) -> None:
        """Listen and tick from now on."""
        floor = self.floor
        if self._subscriptions:
            floor.streams.read(self.name, self._subscriptions, self.on_batch)
        self.tick()
        tick_ns, now_ns = floor.timing.tick_ns(self.name), floor.loop.now_ns
        floor.loop.every(tick_ns, now_ns + tick_ns + floor.timing.phase_ns(self.name), TIMERS, self.tick)
        self.every(BEAT_NS, self.beat)

    # ------------------------------------------------------------------ time
    def mono_ns(self) -> int:
        return self.floor.mono_ns()

    def now(self) -> Tick:
        return Tick(self.floor.loop.now_ns, self.mono_ns(), self.floor.session_offset_ns)

    def every(self, machine_ns: int, call: Callable[[], None]) -> None:
        """Call after each period of machine time."""
        period_ns = self.floor.market_ns(machine_ns)
        self.floor.loop.every(period_ns, self.floor.loop.now_ns + period_ns, TIMERS, call)

    # ------------------------------------------------------------------ the engine
    def post(self, event: Any) -> None:
        self._emit(self.engine.on(event))

    def tick(self) -> None:
        self._emit(self.engine.on(self.now()))

    def on_batch(self, items: list[Item]) -> None:
        now = self.now()
        out = list(self.engine.on(now))
        for item in items:
            out += self.engine.on(item.message if isinstance(item, Delivery) else item)
        if self._wants_batch_end:
            out += self.engine.on(BatchEnd(now.t_ns, now.mono_ns))
        self._emit(out)

    def _emit(self, out: list[Any]) -> None:
        if not out:
            return
        messages = [item for item in out if isinstance(item, Message)]
        if messages:
            self.send(messages)
        if len(messages) < len(out):
            for item in out:
                if not isinstance(item, Message):
                    self.effect(item)

    def send(self, messages: Sequence[Any]) -> None:
        self.floor.streams.send(self.name, messages)

    def effect(self, effect: Any) -> None:
        raise OurFault(f"the world's {self.name} cannot carry out {type(effect).__name__}")

    def state(self) -> str:
        return "ready" if self.is_ready else "starting"

    def beat(self) -> None:
        self.send([self.heartbeat(self.name, self.state())])

    def heartbeat(self, service: str, state: str) -> Heartbeat:
        return Heartbeat(
            t_ns=self.floor.loop.now_ns,
            service=service,
            build=BUILD,
            schema=SCHEMA,
            config_hash=self.floor.config_hash,
            loop_lag_s=0.0,
            ready=self.is_ready,
            state=state[:64],
        )
