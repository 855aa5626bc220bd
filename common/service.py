"""The run loop every service shares: streams in, engine, streams out, with Tick, heartbeat, clock and exit code.

A service's `main.py` builds an engine and a bus, adds its own socket tasks with `spawn` and calls `run`.  All that
happens to the engine happens here, on one loop, one event at a time: `Tick`, the messages of its streams, `Gap`,
`Replayed`, `Link`, and what `post` brings.  Ticks begin when market time is known and history has been delivered;
from then on each batch of stream messages is preceded by a Tick, so that the engine's clock is that of the batch.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Protocol

from common import metrics
from common.build import build_id
from common.bus_types import Bus, Delivery, Item, Subscription
from common.clock import NS, RESYNC_S, MarketClock, mono_ns
from common.config import Settings
from common.errors import EXIT_FAULT, EXIT_OK, BadInput, LinkDown, OurFault
from common.events import BatchEnd, Link, Replayed
from common.exporter import Exporter
from common.kernel import COMPILATIONS
from common.log import get_log
from common.messages import SCHEMA, Heartbeat, Message, Tick
from common.process import on_stop_signal, watch_parent
from common.simclock import clock_client, read_clock

HEARTBEAT_S = 0.5
LAG_PROBE_S = 0.05
CLOCK_RETRY_S = 0.25
PACE_LEAST_S = 0.005
STOP_HOOK_S = 6.0
"""A stop hook that takes longer is given up: the process must be gone 8 s after SIGTERM."""

FLUSH_S = 1.0

log = get_log("service")


class Engine(Protocol):
    """A core: events in; messages for the bus and effects for the shell out."""

    def on(self, event: Any, /) -> list[Any]: ...


class Service:
    """One engine on one bus; see the module's text."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        bus: Bus,
        *,
        subscriptions: Sequence[Subscription],
        tick_s: float,
        effect: Callable[[Any], None] | None = None,
        state: Callable[[], str] | None = None,
    ) -> None:
        self.settings = settings
        self.engine = engine
        self.bus = bus
        self.clock = MarketClock()
        self.ready = asyncio.Event()
        self.stopping = asyncio.Event()
        self.on_stop: list[Callable[[], Awaitable[None]]] = []
        self.exporter = Exporter(settings.bind, settings.metrics_port, self._health)
        self._subscriptions = subscriptions
        self._tick_s = tick_s
        self._effect = effect
        self._state = state or (lambda: "ready" if self.ready.is_set() else "starting")
        self._wants_batch_end = bool(getattr(engine, "wants_batch_end", False))
        self._started = asyncio.Event()
        self._ticking = False
        self._tasks: dict[asyncio.Task[Any], str] = {}
        self._code = EXIT_OK
        self._late_compiles = 0

    # ------------------------------------------------------------------ for main
    def mark_ready(self) -> None:
        """All is loaded: no compilation from now on, and what lives now is left out of garbage collection."""
        COMPILATIONS.ready()
        gc.collect()
        gc.freeze()
        self.ready.set()
        log.info("service_ready", state=self._state())

    def post(self, event: Any) -> None:
        """Hand an event to the engine now; its messages go to the bus, its effects to the shell."""
        self._emit(self.engine.on(event))

    def spawn(self, coroutine: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run a task once market time is known; it is cancelled at the stop, and its failure ends the service."""
        task = asyncio.get_running_loop().create_task(self._after_start(coroutine), name=name)
        self._keep(task, name)
        return task

    def stop(self, reason: str, code: int = EXIT_OK) -> None:
        """Begin the stop; the first code other than 0 stays."""
        self._code = self._code or code
        if not self.stopping.is_set():
            log.info("service_stopping", reason=reason)
            self.stopping.set()

    async def run(self) -> int:
        """Until a stop signal or a fault; returns the exit code.  Raises ConfigError when the port is taken."""
        on_stop_signal(self.stop)
        await self.exporter.start()
        try:
            self._announce()
            async with self.bus:
                await self._live()
        finally:
            await self.exporter.stop()
        log.info("service_stopped", code=self._code)
        return self._code

    # ------------------------------------------------------------------ life
    async def _live(self) -> None:
        self.bus.on_link(lambda up: self.post(Link(up, mono_ns())))
        if self.settings.parent_pid:
            self._run_task(watch_parent(self.settings.parent_pid, self.stop), "parent watch")
        if self.settings.network == "paper":
            await self._first_clock()
        reading = None
        if not self.stopping.is_set():
            self._started.set()
            reading = asyncio.create_task(self.bus.read(self._paced(), self._on_batch), name="bus reading")
            self._keep(reading, "bus reading", cancel=False)
            self._run_task(self._tick(), "tick")
            self._run_task(self._beat(), "heartbeat")
            await self.stopping.wait()
            await self._run_stop_hooks()
        await self._end(reading)

    def _paced(self) -> list[Subscription]:
        """What is subscribed; faster market time shortens a pace as far as is useful."""
        rate = max(self.clock.rate, 1.0)
        return [
            replace(wanted, pace_s=max(wanted.pace_s / rate, min(wanted.pace_s, PACE_LEAST_S)))
            for wanted in self._subscriptions
        ]

    async def _run_stop_hooks(self) -> None:
        """The engine still ticks and hears its streams: the executor cancels all here."""
        for hook in self.on_stop:
            try:
                async with asyncio.timeout(STOP_HOOK_S):
                    await hook()
            except Exception:
                log.exception("stop_hook_failed")
                self._code = EXIT_FAULT

    async def _end(self, reading: asyncio.Task[None] | None) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if not await self.bus.flush(FLUSH_S):
            log.warning("messages_not_written", reason="the bus did not take them before the stop")
        await self.bus.close()
        if reading is not None:
            await asyncio.gather(reading, return_exceptions=True)

    def _run_task(self, coroutine: Coroutine[Any, Any, Any], name: str) -> None:
        self._keep(asyncio.get_running_loop().create_task(coroutine, name=name), name)

    async def _after_start(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        try:
            await self._started.wait()
        except asyncio.CancelledError:
            coroutine.close()
            raise
        return await coroutine

    def _keep(self, task: asyncio.Task[Any], name: str, cancel: bool = True) -> None:
        """Watch a task; `cancel` tells whether the stop may cancel it (never a blocking read)."""
        if cancel:
            self._tasks[task] = name
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task_failed", task=task.get_name(), exc_info=error)
            self.stop(f"{task.get_name()} failed", EXIT_FAULT)

    # ------------------------------------------------------------------ the engine
    def _on_batch(self, items: list[Item]) -> None:
        now = self._now()
        out = list(self.engine.on(now)) if self._ticking else []
        for item in items:
            if not isinstance(item, Delivery):
                out += self.engine.on(item)
            else:
                out += self.engine.on(Replayed(item.message) if item.replayed else item.message)
        if self._wants_batch_end:
            out += self.engine.on(BatchEnd(now.t_ns, now.mono_ns))
        self._emit(out)

    def _emit(self, outputs: list[Any]) -> None:
        if not outputs:
            return
        messages = [item for item in outputs if isinstance(item, Message)]
        if messages:
            self.bus.send(messages)  # type: ignore[arg-type]
        if len(messages) == len(outputs):
            return
        for item in outputs:
            if not isinstance(item, Message):
                if self._effect is None:
                    raise OurFault(f"nobody carries out {type(item).__name__}")
                self._effect(item)

    async def _tick(self) -> None:
        """A Tick every tick_s; when the loop was late the missed ones are left out, not made up for."""
        await self.bus.history_read.wait()
        self._ticking = True
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self.post(self._now())
            due = max(due + self._tick_s, loop.time())
            await asyncio.sleep(due - loop.time())

    def _now(self) -> Tick:
        return Tick(self.clock.now_ns(), mono_ns(), self.clock.session_offset_ns)

    # ------------------------------------------------------------------ heartbeat, clock, pages
    async def _beat(self) -> None:
        while True:
            lag_s = await self._worst_lag()
            metrics.set("amm_loop_lag_seconds", lag_s)
            metrics.count("amm_late_compiles_total", COMPILATIONS.late - self._late_compiles)
            self._late_compiles = COMPILATIONS.late
            self.bus.send([self._heartbeat(lag_s)])

    async def _worst_lag(self) -> float:
        """How late the loop was at worst during one heartbeat's time, in s."""
        loop = asyncio.get_running_loop()
        end, worst = loop.time() + HEARTBEAT_S, 0.0
        while (begin := loop.time()) < end:
            await asyncio.sleep(LAG_PROBE_S)
            worst = max(worst, loop.time() - begin - LAG_PROBE_S)
        return worst

    def _heartbeat(self, lag_s: float) -> Heartbeat:
        return Heartbeat(
            t_ns=self.clock.now_ns(),
            service=self.settings.service,
            build=build_id(),
            schema=SCHEMA,
            config_hash=self.settings.config_hash(),
            loop_lag_s=lag_s,
            ready=self.ready.is_set(),
            state=self._state()[:64],
        )

    async def _first_clock(self) -> None:
        """Wait for the venue's clock: before it, market time means nothing."""
        client = clock_client()
        try:
            while not self.stopping.is_set() and not await self._sync(client):
                await self._sleep(CLOCK_RETRY_S)
        finally:
            if self.stopping.is_set():
                await client.close()
        if not self.stopping.is_set():
            self._run_task(self._keep_clock(client), "clock")

    async def _keep_clock(self, client: Any) -> None:
        try:
            while True:
                await asyncio.sleep(RESYNC_S)
                await self._sync(client)
        finally:
            await client.close()

    async def _sync(self, client: Any) -> bool:
        try:
            correction_s = self.clock.sync(*await read_clock(client, self.settings.venue_url))
        except LinkDown as error:
            log.debug("clock_not_read", reason=str(error))
            return False
        except BadInput as error:
            metrics.count("amm_bad_input_total", boundary="clock", reason=error.reason)
            log.warning("clock_refused", reason=error.reason, detail=error.detail)
            return False
        metrics.set("amm_clock_offset_seconds", correction_s / self.clock.rate)
        return True

    async def _sleep(self, seconds: float) -> None:
        """Sleep, but not beyond the stop."""
        try:
            async with asyncio.timeout(seconds):
                await self.stopping.wait()
        except TimeoutError:
            return

    def _announce(self) -> None:
        settings = self.settings
        facts = {"build": build_id(), "schema": str(SCHEMA), "config_hash": settings.config_hash()}
        metrics.set("amm_build_info", 1.0, service=settings.service, **facts)
        for name in ("amm_late_compiles_total", "amm_log_errors_total"):
            metrics.count(name, 0)
        metrics.count("amm_bad_input_total", 0, boundary="metric", reason="not_finite")
        log.info("service_started", port=self.exporter.port, market=settings.market.coin, **facts)

    def _health(self) -> dict[str, Any]:
        return {
            "service": self.settings.service,
            "ready": self.ready.is_set() and not self.stopping.is_set(),
            "state": self._state(),
            "link_up": self.bus.link_up,
            "build": build_id(),
            "config_hash": self.settings.config_hash(),
            "since_ok_s": (mono_ns() - self.bus.last_ok_mono_ns) / NS if self.bus.last_ok_mono_ns else None,
        }
