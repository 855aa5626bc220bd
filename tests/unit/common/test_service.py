"""The run loop: one event at a time to the engine, ticks when time is known, an orderly stop, an honest exit code."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from common import metrics, service
from common.bus import Hub, MemoryBus, Subscription
from common.clock import NS
from common.config import Settings, load
from common.errors import ConfigError
from common.events import BatchEnd, Link, Replayed
from common.kernel import COMPILATIONS
from common.messages import Gap, Heartbeat, Tick
from common.service import Service
from common.streams import FILLS, HEARTBEAT, PERMIT
from tests.support.bus_world import DEADLINE_S, Listener
from tests.support.messages import COIN, a_fill, an_alert, an_entry
from tests.support.ports import free_port_base

FILLS_SUB = Subscription(FILLS, FILLS.of(COIN))
TICK_S = 0.01


def settings_of(name: str, **environ: str) -> Settings:
    return load(name, {"TESTNET": "true", "PORT_BASE": str(free_port_base(name)), **environ})


class Recorder:
    """An engine that keeps what it was told and answers what it was asked to."""

    def __init__(self, answers: dict[type, list[Any]] | None = None, batch_end: bool = False) -> None:
        self.seen: list[Any] = []
        self.wants_batch_end = batch_end
        self._answers = answers or {}

    def on(self, event: Any, /) -> list[Any]:
        self.seen.append(event)
        answer = self._answers.get(type(event), [])
        if any(isinstance(item, Exception) for item in answer):
            raise answer[0]
        return answer

    def of(self, *kinds: type) -> list[Any]:
        return [event for event in self.seen if isinstance(event, kinds)]


class Running:
    """A service that runs in the background of a test."""

    def __init__(self, engine: Recorder, hub: Hub | None = None, *subscriptions: Subscription, **more: Any) -> None:
        self.engine = engine
        self.hub = hub or Hub()
        self.effects: list[Any] = []
        name = more.pop("name", "riskd")
        settings = more.pop("settings", None) or settings_of(name)
        effect = more.pop("effect", self.effects.append)
        bus = MemoryBus(self.hub, name, block_ms=10)
        self.service = Service(settings, engine, bus, subscriptions=subscriptions, tick_s=TICK_S, effect=effect, **more)
        self.task = asyncio.create_task(self.service.run())

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not true():
                assert not self.task.done(), "the service has ended"
                await asyncio.sleep(0.002)

    async def ended(self) -> int:
        return await asyncio.wait_for(self.task, DEADLINE_S)

    async def stopped(self) -> int:
        self.service.stop("test is over")
        return await self.ended()


@asynccontextmanager
async def running(engine: Recorder, *rest: Any, **more: Any) -> AsyncIterator[Running]:
    found = Running(engine, *rest, **more)
    try:
        yield found
    finally:
        if not found.task.done():
            await found.stopped()


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    yield
    gc.unfreeze()
    COMPILATIONS._ready = False
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


# ---------------------------------------------------------------------- the engine
async def test_messages_go_to_the_bus_and_effects_to_the_shell() -> None:
    engine = Recorder({str: [an_alert(1), ("effect", 1), an_alert(2)]})
    async with running(engine) as run:
        run.service.post("go")
        await run.until(
            lambda: len(run.hub.streams["alerts:riskd"].ids) == 2 if "alerts:riskd" in run.hub.streams else False
        )
        assert run.effects == [("effect", 1)]


async def test_stream_messages_reach_the_engine_behind_a_tick_of_their_own() -> None:
    engine = Recorder(batch_end=True)
    async with running(engine, None, FILLS_SUB) as run:
        await run.until(lambda: bool(engine.of(Tick)))
        for seq in (1, 3):
            run.hub.add(FILLS_SUB.key, an_entry("executor", 1, seq, a_fill(seq)))
        await run.until(lambda: len(engine.of(type(a_fill(1)))) == 2)
        await run.until(lambda: bool(engine.of(BatchEnd)))
        place = engine.seen.index(a_fill(1))
        assert isinstance(engine.seen[place - 1], Tick)
        assert Gap(FILLS_SUB.key, "executor", 1) in engine.seen


async def test_history_comes_as_replayed_before_the_first_tick() -> None:
    hub, engine = Hub(), Recorder()
    for seq in range(1, 301):
        hub.add(FILLS_SUB.key, an_entry("executor", 1, seq, a_fill(seq)))
    async with running(engine, hub, Subscription(FILLS, FILLS_SUB.key, history=True)) as run:
        await run.until(lambda: bool(engine.of(Tick)))
        before = engine.seen[: engine.seen.index(engine.of(Tick)[0])]
        assert [e.message for e in before if isinstance(e, Replayed)] == [a_fill(n) for n in range(1, 301)]
        hub.add(FILLS_SUB.key, an_entry("executor", 1, 301, a_fill(301)))
        await run.until(lambda: a_fill(301) in engine.seen)


async def test_ticks_carry_market_and_machine_time_and_never_bunch_up() -> None:
    engine = Recorder()
    async with running(engine) as run:
        await run.until(lambda: len(engine.of(Tick)) >= 3)
        time.sleep(0.1)  # noqa: ASYNC251 (a loop that was blocked)
        count = len(engine.of(Tick))
        await asyncio.sleep(0.03)
        assert len(engine.of(Tick)) - count <= 5
    first, *_, last = engine.of(Tick)
    assert last.mono_ns > first.mono_ns
    assert abs((last.t_ns - first.t_ns) - (last.mono_ns - first.mono_ns)) < NS // 10


async def test_engine_hears_of_the_link() -> None:
    engine = Recorder()
    async with running(engine, None, Subscription(PERMIT, PERMIT.of())) as run:
        await run.until(lambda: run.service.bus.link_up)
        run.hub.down()
        await run.until(lambda: engine.of(Link)[-1].up is False)
        run.hub.up()
        await run.until(lambda: engine.of(Link)[-1].up is True)


# ---------------------------------------------------------------------- the stop
async def test_sigterm_runs_the_hooks_in_order_while_the_engine_ticks_and_a_second_one_is_ignored() -> None:
    engine, order = Recorder(), []
    run = Running(engine)

    async def cancel_all() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        ticks = len(engine.of(Tick))
        await run.until(lambda: len(engine.of(Tick)) > ticks + 2)
        order.append("cancelled")
        run.service.bus.send([an_alert(9)])

    async def goodbye() -> None:
        order.append("goodbye")

    run.service.on_stop += [cancel_all, goodbye]
    await run.until(lambda: bool(engine.of(Tick)))
    os.kill(os.getpid(), signal.SIGTERM)
    assert await run.ended() == 0
    assert order == ["cancelled", "goodbye"]
    assert len(run.hub.streams["alerts:riskd"].ids) == 1, "what a hook sent is written before the end"


async def test_hook_that_hangs_or_fails_is_given_up_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "STOP_HOOK_S", 0.05)
    run, order = Running(Recorder()), []

    async def hang() -> None:
        await asyncio.Event().wait()

    async def fail() -> None:
        raise ValueError("no")

    async def work() -> None:
        order.append("worked")

    run.service.on_stop += [hang, fail, work]
    await run.until(lambda: run.service.bus.link_up)
    assert await run.stopped() == 1
    assert order == ["worked"]


async def test_failed_task_ends_the_service_with_1_after_its_hooks() -> None:
    before = metrics.value("amm_log_errors_total")
    run, order = Running(Recorder()), []

    async def broken() -> None:
        raise KeyError("x")

    async def cancel_all() -> None:
        order.append("cancelled")

    run.service.on_stop.append(cancel_all)
    run.service.spawn(broken(), "socket")
    assert await run.ended() == 1
    assert order == ["cancelled"]
    assert metrics.value("amm_log_errors_total") == before + 1


@pytest.mark.parametrize("event", [Tick, type(a_fill(1))])
async def test_broken_engine_ends_the_service_with_1(event: type) -> None:
    run = Running(Recorder({event: [ZeroDivisionError()]}), None, FILLS_SUB)
    run.hub.add(FILLS_SUB.key, an_entry("executor", 1, 1, a_fill(1)))
    assert await run.ended() == 1


async def test_effect_without_anybody_to_carry_it_out_is_our_fault() -> None:
    run = Running(Recorder({Tick: ["effect"]}), effect=None)
    assert await run.ended() == 1


async def test_spawned_tasks_are_cancelled_at_the_stop() -> None:
    ended = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    run = Running(Recorder())
    task = run.service.spawn(forever(), "forever")
    await run.until(lambda: run.service.bus.link_up)
    assert await run.stopped() == 0
    assert ended == [True]
    assert task.cancelled()


# ---------------------------------------------------------------------- pages, heartbeat, ready
async def test_pages_show_metrics_and_health() -> None:
    async with running(Recorder(), state=lambda: "quoting") as run:
        await run.until(lambda: run.service.bus.link_up)
        base = f"http://127.0.0.1:{run.service.exporter.port}"
        async with aiohttp.ClientSession() as client:
            async with client.get(base + "/healthz") as reply:
                assert reply.status == 503
            run.service.mark_ready()
            async with client.get(base + "/healthz") as reply:
                facts = await reply.json()
                assert reply.status == 200
            async with client.get(base + "/metrics") as reply:
                text = await reply.text()
                assert reply.headers["Content-Type"].startswith("text/plain")
            async with client.get(base + "/other") as reply:
                assert reply.status == 404
    assert facts["service"] == "riskd"
    assert facts["state"] == "quoting"
    assert facts["ready"] is True
    assert facts["link_up"] is True
    assert 'amm_build_info{build="' in text
    assert "amm_late_compiles_total 0.0" in text


async def test_taken_port_is_one_sentence_that_names_it() -> None:
    async with running(Recorder()) as first:
        await first.until(lambda: first.service.bus.link_up)
        second = Running(Recorder(), settings=first.service.settings)
        with pytest.raises(
            ConfigError, match=f"port {first.service.settings.metrics_port} on 127.0.0.1 cannot be used"
        ):
            await second.ended()


async def test_heartbeat_tells_build_configuration_lag_and_state() -> None:
    hub = Hub()
    heard = Listener(MemoryBus(hub, "monitor", block_ms=10), Subscription(HEARTBEAT, "hb:riskd"))
    async with running(Recorder(), hub, state=lambda: "waiting" * 20) as run, heard:
        await heard.until(lambda: bool(heard.messages))
        run.service.mark_ready()
        time.sleep(0.2)  # noqa: ASYNC251 (a loop that was blocked)
        await heard.until(lambda: len(heard.messages) >= 2)
    beats = [message for message in heard.messages if isinstance(message, Heartbeat)]
    assert not beats[0].ready
    assert beats[1].ready
    assert beats[1].loop_lag_s > 0.1
    assert beats[0].build == beats[1].build != ""
    assert beats[0].config_hash == run.service.settings.config_hash()
    assert len(beats[0].state) == 64


async def test_ready_means_no_compilation_from_now_on() -> None:
    async with running(Recorder()) as run:
        run.service.mark_ready()
        assert gc.get_freeze_count() > 0
        before = metrics.value("amm_late_compiles_total")
        COMPILATIONS.count()
        await run.until(lambda: metrics.value("amm_late_compiles_total") > before)
    COMPILATIONS.late = 0


# ---------------------------------------------------------------------- market time
@asynccontextmanager
async def a_venue(answers: list[dict[str, Any] | int]) -> AsyncIterator[str]:
    """A venue whose clock gives these answers, the last one for ever; a number is a status."""

    async def clock(_: web.Request) -> web.Response:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return web.Response(status=answer) if isinstance(answer, int) else web.json_response(answer)

    app = web.Application()
    app.router.add_get("/sim/clock", clock)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


def a_reading(**more: Any) -> dict[str, Any]:
    return {"origin_ns": 0, "rate": 20.0, "now_ns": 5_000 * NS, "session_offset_ns": 3, "cut_ns": 0, **more}


async def test_on_paper_nothing_starts_before_the_venues_clock_is_known() -> None:
    engine, began = Recorder(), []

    async def socket_task() -> None:
        began.append(True)

    async with a_venue([500, a_reading(rate=-1), a_reading()]) as url:
        settings = settings_of("riskd", TESTNET="", VENUE_URL=url)
        async with running(engine, settings=settings) as run:
            run.service.spawn(socket_task(), "socket")
            await run.until(lambda: bool(engine.of(Tick)))
            assert began == [True]
            assert run.service.clock.rate == 20.0
            assert 5_000 * NS <= engine.of(Tick)[0].t_ns < 5_100 * NS
            assert run.service.clock.session_ns(0) == 3


async def test_stop_while_waiting_for_the_clock_ends_at_once() -> None:
    settings = settings_of("riskd", TESTNET="", VENUE_URL="http://127.0.0.1:9")
    run = Running(Recorder(), settings=settings)
    task = run.service.spawn(asyncio.sleep(0), "never begins")
    await asyncio.sleep(0.02)
    assert await run.stopped() == 0
    assert task.cancelled()


async def test_clock_is_read_again_and_a_bad_answer_keeps_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "RESYNC_S", 0.02)
    before = metrics.value("amm_bad_input_total", boundary="clock", reason="clock_range")
    async with a_venue([a_reading(), a_reading(rate="x"), a_reading(rate=5.0)]) as url:
        settings = settings_of("riskd", TESTNET="", VENUE_URL=url)
        async with running(Recorder(), settings=settings) as run:
            await run.until(lambda: run.service.clock.rate == 20.0)
            await run.until(lambda: run.service.clock.rate == 5.0)
    assert metrics.value("amm_bad_input_total", boundary="clock", reason="clock_range") == before + 1
