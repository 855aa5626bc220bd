"""The bus in memory keeps every rule of a bus; what needs a clock of its own stands below."""

from __future__ import annotations

import asyncio

import pytest

from common import bus_writer, metrics
from common.bus import Hub, MemoryBus
from common.streams import FILLS, PERMIT
from tests.support.bus_rules import FILLS_SUB, PERMIT_SUB, BusRules
from tests.support.bus_world import Listener, MemoryWorld, World
from tests.support.messages import COIN, a_fill, a_permit, an_alert


class TestMemoryBus(BusRules):
    @pytest.fixture
    def world(self) -> World:
        return MemoryWorld()


class Clock:
    def __init__(self) -> None:
        self.ns = 1_700_000_000_000_000_000

    def ms(self) -> int:
        return self.ns // 1_000_000


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(clock: Clock) -> Hub:
    return Hub(clock.ms, lambda: clock.ns)


async def test_late_newest_is_dropped_and_counted_but_group_is_kept(hub: Hub, clock: Clock) -> None:
    before = metrics.value("amm_stream_dropped_total", stream=PERMIT.of())
    hub.down()
    async with MemoryBus(hub, "riskd", block_ms=10) as writer:
        writer.send([a_permit(1), an_alert(1)])
        clock.ns += 1_600_000_000
        writer.send([a_permit(2)])
        hub.up()
        async with Listener(MemoryBus(hub, "executor", block_ms=10), PERMIT_SUB) as reader:
            assert await reader.got(1) == [a_permit(2)]
    assert metrics.value("amm_stream_dropped_total", stream=PERMIT.of()) == before + 1
    assert len(hub.streams["alerts:riskd"].ids) == 1


async def test_queue_of_a_broken_link_is_bounded(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_writer, "KEPT_MAX", 100)
    before = metrics.value("amm_stream_dropped_total", stream=FILLS.of(COIN))
    hub.down()
    async with MemoryBus(hub, "executor", block_ms=10) as writer:
        writer.send([a_fill(n) for n in range(1, 111)])
        assert metrics.value("amm_stream_dropped_total", stream=FILLS.of(COIN)) == before + 10
        hub.up()
        assert await writer.flush(8.0)
    assert len(hub.streams[FILLS.of(COIN)].ids) == 100


async def test_refusing_server_is_a_broken_link_and_group_entries_wait(hub: Hub) -> None:
    async with MemoryBus(hub, "executor", block_ms=10) as writer:
        writer.send([a_fill(1)])
        assert await writer.flush(5.0)
        hub.refusal = "OOM command not allowed when used memory > 'maxmemory'"
        writer.send([a_fill(2), an_alert(1)])
        assert not await writer.flush(0.05)
        assert not writer.link_up
        hub.refusal = ""
        assert await writer.flush(5.0)
        assert writer.link_up
    assert len(hub.streams[FILLS.of(COIN)].ids) == 2


async def test_broken_writer_ends_the_reading(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours in the writer must not leave a service that hears and cannot speak."""
    async with MemoryBus(hub, "riskd", block_ms=10) as bus:
        reading = asyncio.create_task(bus.read([], list))
        monkeypatch.setattr(bus._writer, "_command", lambda _: 1 / 0)
        bus.send([a_permit(1)])
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(reading, 5.0)


async def test_ids_never_run_ahead_of_the_clock_and_old_group_entries_are_trimmed(hub: Hub, clock: Clock) -> None:
    async with MemoryBus(hub, "executor", block_ms=10) as writer:
        writer.send([a_fill(1), a_fill(2)])
        assert await writer.flush(5.0)
        assert hub.streams[FILLS.of(COIN)].ids == [(clock.ms(), 0), (clock.ms(), 1)]
        clock.ns -= 10_000_000_000
        writer.send([a_fill(3)])
        assert await writer.flush(5.0)
        assert hub.streams[FILLS.of(COIN)].ids[-1] == (clock.ms() + 10_000, 2)
        clock.ns += 86_400_000_000_000 + 20_000_000_000
        writer.send([a_fill(4)])
        assert await writer.flush(5.0)
        assert hub.streams[FILLS.of(COIN)].ids == [(clock.ms(), 0)]


async def test_entries_delivered_on_a_lost_reply_are_found_by_the_check(hub: Hub, clock: Clock) -> None:
    async with MemoryBus(hub, "executor", block_ms=10) as writer:
        async with Listener(MemoryBus(hub, "riskd", block_ms=10), FILLS_SUB) as reader:
            writer.send([a_fill(1)])
            await reader.got(1)
            # Another process under our name took an entry and died.
            reader._bus._readers[0].stop()
            await asyncio.sleep(0.02)
            writer.send([a_fill(2)])
            assert await writer.flush(5.0)
            hub.execute("XREADGROUP", "GROUP", "riskd", "riskd", "COUNT", 10, "STREAMS", FILLS.of(COIN), ">")
            writer.send([a_fill(3)])
            assert await writer.flush(5.0)
        async with Listener(MemoryBus(hub, "riskd", block_ms=10), FILLS_SUB) as again:
            assert await again.got(2) == [a_fill(2), a_fill(3)]
