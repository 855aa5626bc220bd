"""The monitor's HTTP server over real sockets: what it shows, who it obeys, and a kill that needs nobody else."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from common import metrics
from common.bus import Delivery, Hub, MemoryBus, Subscription
from common.config import load
from common.errors import ConfigError
from common.messages import Command, Mode, Verb
from common.streams import CONTROL
from monitor.main import Monitor
from tests.support.ports import free_port_base
from tests.support.venue_peer import VenuePeer
from tests.support.waiting import until
from tests.unit.monitor.builders import COIN, account, beat, context, fill, ladder, permit, spec, touch

TOKEN = "a-token-that-is-long-enough-1234"


class World:
    """A monitor on a bus in memory, the bus of every producer, and a person with an HTTP client."""

    def __init__(self, run_dir: Path, venue_url: str, **more: str) -> None:
        self.run_dir = run_dir
        environ = {
            "MARKET": "us500",
            "VENUE_URL": venue_url,
            "RUN_DIR": str(run_dir),
            "SECRETS_DIR": str(run_dir / "secrets"),
            "PORT_BASE": str(free_port_base("monitor")),
            **more,
        }
        (run_dir / "secrets").mkdir(parents=True)
        (run_dir / "secrets" / "control_token").write_text(TOKEN + "\n")
        self.hub = Hub()
        self.monitor = Monitor(load("monitor", environ), MemoryBus(self.hub, "monitor", block_ms=50))
        self.buses = {name: MemoryBus(self.hub, name, block_ms=50) for name in ("feed", "quoter", "executor", "riskd")}
        self.commands: list[Command] = []
        self.http: aiohttp.ClientSession

    def take(self, items: list[Any]) -> None:
        self.commands += [item.message for item in items if isinstance(item, Delivery)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.monitor.page_port}"

    @property
    def kill_file(self) -> Path:
        return self.run_dir / "kill"

    def now(self) -> int:
        return self.monitor.service.clock.now_ns()

    def speak(self) -> None:
        """Every producer says something ordinary."""
        t_ns = self.now()
        self.buses["feed"].send([spec(t_ns), context(t_ns), touch(t_ns), beat(t_ns, "feed")])
        self.buses["quoter"].send([ladder(t_ns), beat(t_ns, "quoter")])
        self.buses["executor"].send([account(t_ns), fill(t_ns), beat(t_ns, "executor")])
        self.buses["riskd"].send([permit(t_ns), beat(t_ns, "riskd")])

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        async with self.http.get(self.url + path, headers=headers) as reply:
            text = await reply.text()
            return reply.status, json.loads(text) if reply.content_type == "application/json" else text

    async def post(self, verb: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, Any]]:
        said = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", **headers}
        async with self.http.post(f"{self.url}/api/{verb}", data=body, headers=said) as reply:
            return reply.status, await reply.json()

    async def raw(self, text: bytes, wait_s: float = 5.0) -> bytes:
        """Send bytes as they are; the first line of the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.monitor.page_port)
        writer.write(text)
        try:
            return await asyncio.wait_for(reader.readline(), wait_s)
        finally:
            writer.close()


def a_post(path: str) -> bytes:
    """A good command as it stands on the wire."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 0\r\n\r\n"
    return head.encode()


@asynccontextmanager
async def a_world(run_dir: Path, **more: str) -> AsyncIterator[World]:
    async with VenuePeer() as peer:
        found = World(run_dir, peer.url, **more)
        running = asyncio.create_task(found.monitor.run(page_port=0))
        async with aiohttp.ClientSession() as found.http, MemoryBus(found.hub, "executor2", block_ms=50) as listener:
            for bus in found.buses.values():
                await bus.__aenter__()
            reading = asyncio.create_task(
                listener.read([Subscription(CONTROL, CONTROL.of("monitor"), history=True)], found.take)
            )
            await until(found.monitor.service.ready.is_set, "the monitor is ready")
            yield found
            found.monitor.service.stop("the test is over")
            assert await running == 0
            for bus in (*found.buses.values(), listener):
                await bus.close()
            await reading


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as found:
        yield found


async def test_status_shows_what_the_streams_say(world: World) -> None:
    world.speak()
    await until(lambda: world.monitor.engine.permit and world.monitor.engine.money.ledger.fills, "streams")
    code, shown = await world.get("/api/status")
    assert code == 200
    assert (shown["mode"], shown["market"]["coin"], shown["equity"]) == ("active", COIN, 1000.0)
    assert shown["fills"][0]["px"] == 752.4
    assert shown["pnl"]["net_e8"] == 40 * 120 * 100 - 270_900


async def test_page_is_one_file_that_may_only_ask_its_own_origin(world: World) -> None:
    async with world.http.get(world.url + "/") as reply:
        html, policy = await reply.text(), reply.headers["Content-Security-Policy"]
    assert reply.status == 200
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "src=" not in html.replace('rel="icon"', "")
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in html


async def test_health_and_session_answer(world: World) -> None:
    code, health = await world.get("/healthz")
    assert (code, health["ready"]) == (200, True)
    world.speak()
    await until(lambda: world.monitor.engine.money.ledger.fills and world.monitor.engine.market.context, "a fill")
    code, report = await world.get("/api/session?mark_px=753.44")
    assert (code, report["fills"], report["mark_px_u"]) == (200, 1, 753_440)
    assert sum(report["pnl"][f"{n}_e8"] for n in ("spread", "inventory", "fees", "funding")) == report["pnl"]["net_e8"]
    for bad in ("NaN", "-1", "0", "1e5", "752.4401"):
        assert (await world.get(f"/api/session?mark_px={bad}"))[0] == 400


@pytest.mark.parametrize("verb", ["pause", "resume", "drain", "arm"])
async def test_command_with_the_token_is_published_once(world: World, verb: str) -> None:
    code, answer = await world.post(verb, json.dumps({"reason": "because\n\x1b[2J"}).encode())
    assert (code, answer["verb"], answer["reason"]) == (200, verb, "because [2J")
    await until(lambda: world.commands, "the command")
    assert [(c.verb, c.id, c.reason) for c in world.commands] == [(Verb(verb), answer["id"], "because [2J")]
    assert not world.kill_file.exists()


async def test_kill_latches_on_disk_and_is_published(world: World) -> None:
    code, answer = await world.post("kill", b'{"reason":"too much"}')
    assert (code, answer["kill_file"], answer["published"]) == (200, True, True)
    assert json.loads(world.kill_file.read_text()) == {
        "epoch": answer["epoch"],
        "reason": "too much",
        "t_ns": json.loads(world.kill_file.read_text())["t_ns"],
    }
    await until(lambda: world.commands, "the command")
    await until(lambda: world.monitor.engine.kill.epoch, "the monitor sees the file")
    code, shown = await world.get("/api/status")
    assert shown["mode"] == "killed"


async def test_arm_needs_a_higher_epoch_and_takes_the_file_away(world: World) -> None:
    _, killed = await world.post("kill")
    code, armed = await world.post("arm")
    assert code == 200
    assert armed["epoch"] > killed["epoch"]
    assert not world.kill_file.exists()
    await until(lambda: [c.verb for c in world.commands] == [Verb.KILL, Verb.ARM], "both commands")


async def test_kill_works_when_redis_is_dead(world: World) -> None:
    world.hub.down()
    await until(lambda: not world.monitor.service.bus.link_up, "the link is down")
    code, answer = await world.post("kill", b'{"reason":"redis is gone"}')
    assert (code, answer["published"]) == (200, False)
    assert json.loads(world.kill_file.read_text())["reason"] == "redis is gone"
    assert (await world.post("arm"))[1]["reason"] == "link_down"
    assert world.kill_file.exists()
    world.hub.up()
    await until(lambda: world.commands, "the kill, once the link is back")
    assert [c.verb for c in world.commands] == [Verb.KILL]


async def test_disk_that_refuses_the_file_does_not_stop_the_command(world: World) -> None:
    world.kill_file.mkdir()
    (world.kill_file / "in the way").touch()
    code, answer = await world.post("kill")
    assert (code, answer["kill_file"], answer["published"]) == (500, False, True)
    await until(lambda: world.commands, "the command all the same")


async def test_two_kills_at_once_leave_one_latch(world: World) -> None:
    answers = await asyncio.gather(*(world.post("kill", b'{"reason":"x"}') for _ in range(20)))
    assert {code for code, _ in answers} == {200}
    assert json.loads(world.kill_file.read_text())["epoch"] == max(answer["epoch"] for _, answer in answers)


@pytest.mark.parametrize(
    ("headers", "code", "reason"),
    [
        ({"Authorization": ""}, 401, "not_bearer"),
        ({"Authorization": "Bearer " + "x" * len(TOKEN)}, 401, "wrong_token"),
        ({"Authorization": f"Basic {TOKEN}"}, 401, "not_bearer"),
        ({"Host": "evil.example"}, 403, "foreign_host"),
        ({"Origin": "http://evil.example"}, 403, "foreign_origin"),
        ({"Sec-Fetch-Site": "cross-site"}, 403, "foreign_origin"),
        ({"Content-Type": "text/plain"}, 415, "content_type"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "content_type"),
        ({"Content-Encoding": "gzip"}, 415, "content_type"),
    ],
)
async def test_refused_command_changes_nothing_and_is_counted(
    world: World, headers: dict[str, str], code: int, reason: str
) -> None:
    before = metrics.value("amm_bad_input_total", boundary="control", reason=reason)
    status, answer = await world.post("kill", b'{"reason":"x"}', **headers)
    assert (status, answer["reason"]) == (code, reason)
    assert metrics.value("amm_bad_input_total", boundary="control", reason=reason) == before + 1
    assert not world.kill_file.exists()
    assert world.commands == []


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"reason":NaN}', b'{"x":1}', b'{"x":' + b"[" * 60_000])
async def test_bad_body_is_refused(world: World, body: bytes) -> None:
    code, answer = await world.post("kill", body)
    assert (code, answer["reason"]) == (400, "bad_body")
    assert not world.kill_file.exists()


async def test_body_beyond_64_kib_is_refused(world: World) -> None:
    code, answer = await world.post("kill", b" " * (64 * 1024 + 1))
    assert (code, answer["reason"]) == (413, "too_long")
    code, answer = await world.post("kill", b" " * 10_000_000)
    assert code == 413
    assert not world.kill_file.exists()


@pytest.mark.parametrize("verb", ["kill", "arm", "pause", "resume", "drain"])
async def test_reading_a_command_is_not_giving_it(world: World, verb: str) -> None:
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"):
        headers = {"Authorization": f"Bearer {TOKEN}", "X-HTTP-Method-Override": "POST"}
        async with world.http.request(method, f"{world.url}/api/{verb}", headers=headers) as reply:
            assert reply.status == 405
            assert reply.headers["Allow"] == "POST"
            assert "Access-Control-Allow-Origin" not in reply.headers
    assert not world.kill_file.exists()


@pytest.mark.parametrize(
    "path", ["/kill", "//api/kill", "/api/kill/", "/api/KILL", "/api/kill/..;/arm", "/api/set", "/page.html", "/../x"]
)
async def test_other_paths_do_not_exist(world: World, path: str) -> None:
    line = await world.raw(a_post(path))
    assert b" 404 " in line
    assert not world.kill_file.exists()


async def test_token_in_the_query_is_refused(world: World) -> None:
    async with world.http.post(f"{world.url}/api/kill?token={TOKEN}") as reply:
        assert reply.status == 401
    async with world.http.post(f"{world.url}/api/kill?reason=x", headers={"Authorization": f"Bearer {TOKEN}"}) as reply:
        assert (reply.status, (await reply.json())["reason"]) == (400, "query")
    assert not world.kill_file.exists()


@pytest.mark.parametrize(
    "text",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GARBAGE\r\n\r\n",
        a_post("/api/kill").replace(b"Length: 0", b"Length: 100") + b"short",
        b"POST /api/kill HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        b"POST /api/kill HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
        b"POST /api/kill HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
    ],
)
async def test_broken_requests_hurt_nobody(world: World, text: bytes) -> None:
    before = metrics.value("amm_log_errors_total")
    try:
        line = await world.raw(text, wait_s=0.5)
    except (ConnectionError, TimeoutError):
        line = b""
    assert b" 200 " not in line
    assert not world.kill_file.exists()
    assert metrics.value("amm_log_errors_total") == before
    assert (await world.get("/healthz"))[0] == 200


async def test_caller_that_leaves_before_the_answer_has_killed(world: World) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", world.monitor.page_port)
    writer.write(a_post("/api/kill"))
    await writer.drain()
    writer.transport.abort()
    await until(world.kill_file.exists, "the kill file")
    await until(lambda: world.commands, "the command")


async def test_reading_from_a_foreign_host_name_is_refused(world: World) -> None:
    for path in ("/", "/api/status", "/api/session"):
        assert (await world.get(path, Host="attacker.example"))[0] == 403


async def test_in_a_container_the_page_has_no_new_name_and_the_latch_its_own_folder(tmp_path: Path) -> None:
    latch = tmp_path / "latch"
    async with a_world(tmp_path, BIND="0.0.0.0", LATCH_DIR=str(latch)) as world:
        assert (await world.get("/api/status"))[0] == 200
        assert (await world.get("/api/status", Host="0.0.0.0:8080"))[0] == 403
        assert (await world.post("kill"))[0] == 200
        assert (latch / "kill").exists()
        assert not world.kill_file.exists()
        assert (await world.post("arm"))[0] == 200
        assert not (latch / "kill").exists()


async def test_without_its_token_file_nobody_is_obeyed(world: World) -> None:
    (world.run_dir / "secrets" / "control_token").unlink()
    assert (await world.post("kill"))[0] == 503
    assert not world.kill_file.exists()


async def test_taken_port_ends_with_a_sentence_that_names_it(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1"):
            await world.monitor.api.__class__(
                world.monitor.engine, lambda _: None, lambda: True, lambda: True, lambda: 0, "b"
            ).start(port)


async def test_history_is_rebuilt_after_a_restart(tmp_path: Path) -> None:
    """Fills said before the monitor existed count, and raise no alert a second time."""
    async with VenuePeer() as peer:
        world = World(tmp_path, peer.url)
        async with MemoryBus(world.hub, "executor", block_ms=50) as executor:
            executor.send([fill(1_780_000_000_000_000_000, 1), fill(1_780_000_001_000_000_000, 2)])
            assert await executor.flush(5.0)
        running = asyncio.create_task(world.monitor.run(page_port=0))
        await until(lambda: world.monitor.engine.money.ledger.fills == 2, "both fills")
        assert world.monitor.engine.mode(0) == "unknown"
        assert world.monitor.engine.permit is None or world.monitor.engine.permit.mode is Mode.ACTIVE
        world.monitor.service.stop("the test is over")
        assert await running == 0
