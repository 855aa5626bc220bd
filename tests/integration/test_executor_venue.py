"""The executor's sockets and hands on real ports: a peer that misbehaves, and `simvenue`."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from coincurve import PrivateKey
from eth_hash.auto import keccak

import executor.userstream
from common import killfile, metrics
from common.bus import Hub, MemoryBus
from common.clock import NS, mono_ns
from common.config import Settings, load
from common.errors import ConfigError, LinkDown, Refused, UnknownOutcome
from common.hyperliquid import InfoClient
from common.messages import (
    AccountState,
    AssetContext,
    Command,
    Fill,
    Heartbeat,
    Ladder,
    Level,
    Mode,
    OrderUpdate,
    RiskPermit,
    Side,
    Touch,
    Verb,
)
from common.simclock import clock_client, read_clock
from common.weights import WARDEN, Weights
from executor import wire
from executor.deadman import ENCODE, WARDEN_SOCKET, Beat, Goodbye, Line
from executor.desk import Desk
from executor.engine import ExecutorEngine
from executor.events import Entry, FillSeen, FrameRefused, Kind, UserStream
from executor.journal import Journal
from executor.main import Executor, build, lock
from executor.parse import UserParser
from executor.transport import REPLY_BYTES_MAX, Transport
from executor.userstream import UserStreams
from executor.venue import Signer
from executor.vigil import State
from executor.warden import Warden
from tests.integration.simvenue_process import SimVenue
from tests.support.exchange_peer import ExchangePeer
from tests.support.ports import free_port_base

COIN = "km:US500"
USER = "0x" + "ab" * 20
OK = '{"status":"ok","response":{"type":"default"}}'


async def soon(what: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Ask again until the answer is true; the last answer."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not (answer := what()):
        assert loop.time() < deadline, f"not within {seconds} s"
        await asyncio.sleep(0.02)
    return answer


# ---------------------------------------------------------------------- transport
async def test_an_answer_comes_back_with_its_status() -> None:
    async with ExchangePeer() as peer, Transport(peer.url, 1.0) as transport:
        peer.answers = [peer.body(OK), peer.body("no", 422)]
        assert await transport.post(b'{"action":{"type":"noop"}}') == (200, OK.encode())
        assert (await transport.post(b'{"action":{"type":"noop"}}'))[0] == 422


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with ExchangePeer() as peer, Transport(peer.url, 1.0) as transport:
        peer.answers = [peer.body("", 302, Location=peer.url + "/exchange")]
        assert (await transport.post(b"{}"))[0] == 302
        assert len(peer.bodies) == 1


async def test_nothing_was_sent_when_nobody_listens() -> None:
    async with Transport("http://127.0.0.1:9", 0.5) as transport:
        with pytest.raises(LinkDown):
            await transport.post(b"{}")
    with pytest.raises(LinkDown):
        await Transport("http://127.0.0.1:9", 0.5).post(b"{}")


@pytest.mark.parametrize(
    "answer",
    [
        ExchangePeer.silence(5.0),
        ExchangePeer.reset(),
        ExchangePeer.torn(),
        ExchangePeer.body(b"x" * (REPLY_BYTES_MAX + 1)),
    ],
    ids=["silence", "reset", "torn", "too long"],
)
async def test_what_left_without_an_answer_is_unknown(answer: Any) -> None:
    async with ExchangePeer() as peer, Transport(peer.url, 0.4) as transport:
        peer.answers = [answer]
        with pytest.raises(UnknownOutcome):
            await transport.post(b"{}")
        assert len(peer.bodies) == 1


async def test_the_connection_stays_warm() -> None:
    async with ExchangePeer() as peer, Transport(peer.url, 1.0) as transport:
        await transport.post(b'{"action":{"type":"noop"}}')
        begun = mono_ns()
        for _ in range(20):
            await transport.post(b'{"action":{"type":"noop"}}')
        assert mono_ns() - begun < NS


# ---------------------------------------------------------------------- user streams
@asynccontextmanager
async def following(peer: ExchangePeer) -> AsyncIterator[list[Any]]:
    events: list[Any] = []
    parser = UserParser(COIN, 3, USER)
    url = peer.url.replace("http", "ws") + "/ws"
    streams = UserStreams(url, USER, parser, events.append, lambda: 5, random.Random(1))
    task = asyncio.create_task(streams.follow())
    try:
        yield events
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


FILL = {
    "coin": COIN, "px": "752.4", "sz": "0.5", "side": "A", "time": 1_780_000_000_000, "startPosition": "0.0",
    "oid": 7, "crossed": False, "fee": "0.01", "tid": 9, "feeToken": "USDH", "dir": "Open Short", "closedPnl": "0.0",
}  # fmt: skip


async def test_streams_are_up_once_all_three_are_acknowledged() -> None:
    async with ExchangePeer() as peer, following(peer) as events:
        await soon(lambda: UserStream(True) in events)
        assert peer.subscribed == ["orderUpdates", "userFills", "userFundings"]
        await peer.say("Websocket connection established.")
        await peer.say({"channel": "userFills", "data": {"user": USER, "fills": [FILL]}})
        await soon(lambda: any(isinstance(e, FillSeen) for e in events))


async def test_a_lost_connection_is_told_and_made_again() -> None:
    async with ExchangePeer() as peer, following(peer) as events:
        await soon(lambda: UserStream(True) in events)
        await peer.drop()
        await soon(lambda: events.count(UserStream(True)) == 2)
        assert [e.up for e in events if isinstance(e, UserStream)] == [True, False, True]


async def test_a_frame_that_cannot_be_read_is_told_and_the_stream_goes_on() -> None:
    async with ExchangePeer() as peer, following(peer) as events:
        await soon(lambda: UserStream(True) in events)
        for frame in ("{", "[]", b"\x00\x01", {"channel": "new"}, {"channel": "error", "data": "no"}):
            await peer.say(frame)
        await peer.say({"channel": "userFills", "data": {"user": USER, "fills": [FILL]}})
        await soon(lambda: any(isinstance(e, FillSeen) for e in events))
        assert sum(isinstance(e, FrameRefused) for e in events) == 4
        assert peer.connections == 1


async def test_without_acknowledgement_the_streams_are_not_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor.userstream, "ACK_S", 0.2)
    async with ExchangePeer() as peer:
        peer.acknowledges = False
        async with following(peer) as events:
            await soon(lambda: any(isinstance(e, UserStream) for e in events))
            assert events == [UserStream(False, "not_acknowledged")]


async def test_a_silent_connection_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor.userstream, "SILENCE_S", 0.3)
    async with ExchangePeer() as peer, following(peer) as events:
        await soon(lambda: UserStream(False, "silent") in events)


async def test_pings_keep_it_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor.userstream, "SILENCE_S", 0.5)
    monkeypatch.setattr(executor.userstream, "PING_S", 0.1)
    async with ExchangePeer() as peer, following(peer) as events:
        await soon(lambda: peer.pings > 8)
        assert [e.up for e in events if isinstance(e, UserStream)] == [True]


async def test_nobody_there_is_tried_again() -> None:
    events: list[Any] = []
    streams = UserStreams("ws://127.0.0.1:9/ws", USER, UserParser(COIN, 3, USER), events.append, int, random.Random(1))
    task = asyncio.create_task(streams.follow())
    await soon(lambda: len(events) > 1)
    task.cancel()
    assert not any(e.up for e in events)


# ---------------------------------------------------------------------- with simvenue
def new_key(path: Path) -> str:
    """A throw-away key in a file; its address."""
    key = PrivateKey(secrets.token_bytes(32))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(key.secret.hex())
    path.chmod(0o400)
    return "0x" + keccak(key.public_key.format(compressed=False)[1:])[-20:].hex()


class Rig:
    """simvenue, an executor in this process, and the other services played by the test."""

    def __init__(self, venue: SimVenue, settings: Settings, hub: Hub) -> None:
        self.venue = venue
        self.settings = settings
        self.hub = hub
        self.buses = {name: MemoryBus(hub, name) for name in ("quoter", "riskd", "feed", "monitor")}
        self.mid_u = 0
        self.version = 0
        self.mode = Mode.ACTIVE
        self.quoting = True
        self.offset_u = 1_500
        self.follows = False
        self.told: list[Any] = []
        self.engine: Any = None
        self.executor: Any = None
        self.task: asyncio.Task[int] | None = None

    async def start(self) -> None:
        journal = Journal(self.settings.run_dir / "journal.sqlite", "agent")
        signer = Signer(self.settings.secrets_dir / "agent_key", self.settings.wallet_address, is_mainnet=False)
        engine = ExecutorEngine(self.settings, epoch=random.randrange(2**31), latched=journal.latched())
        self.engine = engine

        async def run() -> int:
            bus = Told(self.hub, self.told)
            weights = Weights("executor", bus)
            async with (
                InfoClient(self.settings.venue_url, weights) as info,
                Transport(self.settings.venue_url, 2.0) as transport,
            ):
                desk = Desk(
                    self.settings, journal=journal, signer=signer, transport=transport, info=info, weights=weights,
                    nonces=engine.tracker.nonces,
                )  # fmt: skip
                self.executor = Executor(self.settings, engine, desk, signer.address, 7)
                try:
                    return await self.executor.run(bus)
                finally:
                    journal.close()

        self.task = asyncio.create_task(run())
        await soon(lambda: self.engine.in_control or self.task.done())  # type: ignore[union-attr]

    async def stop(self) -> int:
        assert self.task is not None
        self.executor._desk.service.stop("test")
        return await self.task

    def resting(self) -> list[dict[str, Any]]:
        """Ours at the venue, by its own ledger (which costs no request weight)."""
        rows = self.venue.get("/sim/ledger")["orders"]
        return [row for row in rows if row["address"] == self.settings.wallet_address]

    async def feed(self) -> None:
        """Touch, context, ladder and permit, 10 times a second, around the venue's first mid, or its newest."""
        turn = 0
        async with clock_client() as client:
            while True:
                if turn == 0 or (self.follows and turn % 3 == 0):
                    book = await asyncio.to_thread(self.venue.info, "l2Book", coin=COIN)
                    bid_u, ask_u = (round(float(side[0]["px"]) * 1000) for side in book["levels"])
                    self.mid_u = (bid_u + ask_u) // 20 * 10
                turn += 1
                reading, _, _ = await read_clock(client, self.settings.venue_url)
                t_ns = reading.now_ns
                touch = Touch(t_ns, COIN, t_ns, t_ns, self.mid_u - 30, 5, self.mid_u + 30, 5)
                context = AssetContext(t_ns, COIN, t_ns, self.mid_u, self.mid_u, 0.00001, 1)
                self.buses["feed"].send([touch, context])
                if self.quoting:
                    self.version += 1
                    self.buses["quoter"].send([self.ladder(t_ns)])
                    self.buses["riskd"].send([self.permit(t_ns)])
                await asyncio.sleep(0.1)

    def ladder(self, t_ns: int) -> Ladder:
        bids = [Level(self.mid_u - self.offset_u - 300 * i, 60) for i in range(3)]
        asks = [Level(self.mid_u + self.offset_u + 300 * i, 60) for i in range(3)]
        return Ladder(t_ns, COIN, self.version + 1, t_ns, t_ns, t_ns + NS, bids, asks, False, [])

    def permit(self, t_ns: int) -> RiskPermit:
        return RiskPermit(t_ns, self.version + 1, self.mode, 1.0, 1.0, 250.0, 500.0, 0.0, 0.0, t_ns + NS, [])


@asynccontextmanager
async def rig(folder: Path) -> AsyncIterator[Rig]:
    wallet = "0x" + secrets.token_hex(20)
    agent, warden, taker = (new_key(folder / "secrets" / f"{name}_key") for name in ("agent", "warden", "taker"))
    arguments = ("--market", "synthetic", "--seed", "5", "--latency", "good", "--fund", f"{wallet}=1000")
    arguments += ("--fund", f"{taker}=1000")
    with SimVenue(*arguments, "--agent", f"{agent}={wallet}", "--agent", f"{warden}={wallet}") as venue:
        env = {"WALLET_ADDRESS": wallet, "RUN_DIR": str(folder / "run"), "SECRETS_DIR": str(folder / "secrets")}
        env |= {"VENUE_URL": venue.url, "PORT_BASE": str(free_port_base("executor"))}
        settings = load("executor", env)
        quick = settings.execution.model_copy(update={"expires_after_s": 0.5})  # a restart waits until it has passed
        settings = settings.model_copy(update={"execution": quick})
        found = Rig(venue, settings, Hub())
        async with found.buses["quoter"], found.buses["riskd"], found.buses["feed"], found.buses["monitor"]:
            feeding = asyncio.create_task(found.feed())
            try:
                yield found
            finally:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
                if found.task is not None and not found.task.done():
                    found.executor._desk.service.stop("test over")
                    await found.task


class Told(MemoryBus):
    """The executor's bus, which also keeps what it was given to send."""

    def __init__(self, hub: Hub, told: list[Any]) -> None:
        super().__init__(hub, "executor")
        self._told = told

    def send(self, messages: Iterable[Any]) -> None:
        kept = list(messages)
        self._told += kept
        super().send(kept)


def said(found: Rig, kind: type, **fields: Any) -> list[Any]:
    """Messages of one kind that the executor has sent."""
    return [m for m in found.told if isinstance(m, kind) and all(getattr(m, k) == v for k, v in fields.items())]


async def test_orders_rest_are_reported_and_are_gone_after_the_stop(tmp_path: Path) -> None:
    async with rig(tmp_path) as found:
        await found.start()
        await soon(lambda: len(found.resting()) == 6)
        await soon(lambda: found.engine.tracker.flying == 0)
        states = [u.state.value for u in said(found, OrderUpdate)]
        assert states.count("pending") == states.count("open") == 6
        account = said(found, AccountState)[-1]
        assert (account.reconciled, account.maker_fee_ppb, account.equity_e8) == (True, 30_000, 1000 * 10**8)
        found.mid_u += 300
        moved = {found.mid_u - 1500, found.mid_u + 1500}
        await soon(lambda: moved <= {row["px_u"] for row in found.resting()})
        assert await found.stop() == 0
        assert found.resting() == []


async def test_a_fill_is_told_once_with_the_venues_fee(tmp_path: Path) -> None:
    async with rig(tmp_path) as found:
        found.offset_u, found.follows = 20, True  # near enough for one large taker
        await found.start()
        await soon(lambda: any(row["side"] == 1 for row in found.resting()))
        for side in [Side.ASK, Side.BID] * 10:  # a large taker, to and fro, until he has reached us
            order = Entry("0x" + "1" * 32, 0, side, found.mid_u + side * 1000, 20_000, 0)
            await send(found, "taker_key", [order], "Ioc")
            await asyncio.sleep(0.3)
            if said(found, Fill):
                break
        (fill, *_) = said(found, Fill)
        row = next(r for r in found.venue.info("userFills", user=found.settings.wallet_address) if r["tid"] == fill.tid)
        assert (fill.sz_u, fill.liquidity.value) == (round(float(row["sz"]) * 1000), "maker")
        assert fill.fee_e8 == round(float(row["fee"]) * 10**8)
        assert fill.level >= 0
        assert fill.mid2_px_u > 0
        found.executor._desk.from_stream(FillSeen(msgspec.structs.replace(fill, level=-1)))
        assert len(said(found, Fill)) == len({f.tid for f in said(found, Fill)})
        assert await found.stop() == 0
        held = sum(int(f.side) * f.sz_u for f in said(found, Fill))
        account = found.venue.get("/sim/ledger")["accounts"][found.settings.wallet_address]
        assert account["positions_u"].get(COIN, 0) == held == found.engine.account.position_u


async def test_silence_of_the_others_clears_the_book(tmp_path: Path) -> None:
    async with rig(tmp_path) as found:
        await found.start()
        await soon(lambda: len(found.resting()) == 6)
        found.quoting = False
        begun = mono_ns()
        await soon(lambda: found.resting() == [])
        assert 1.0 * NS < mono_ns() - begun < 3.0 * NS


async def test_the_kill_file_clears_the_book_latches_and_survives_a_restart(tmp_path: Path) -> None:
    async with rig(tmp_path) as found:
        await found.start()
        await soon(lambda: len(found.resting()) == 6)
        killfile.write(found.settings.run_dir, killfile.Kill(3, "test"))
        begun = mono_ns()
        await soon(lambda: found.resting() == [])
        assert mono_ns() - begun < 2 * NS
        killfile.clear(found.settings.run_dir)
        assert await found.stop() == 0
        await found.start()
        await soon(lambda: found.engine.gates.permit is not None and found.engine.lookout.doubt == "")
        assert found.engine.gates.latched == (3, "test")
        assert found.resting() == []
        found.buses["monitor"].send([Command(1, Verb.ARM, "arm-00001", 4, "operator")])
        await soon(lambda: len(found.resting()) == 6)


async def test_what_an_earlier_life_left_is_cancelled_before_the_first_quote(tmp_path: Path) -> None:
    async with rig(tmp_path) as found:
        await place(found, 3)
        assert len(found.resting()) == 3
        found.quoting = False
        await found.start()
        await soon(lambda: found.resting() == [])


async def place(found: Rig, n: int) -> None:
    """Orders of ours without our cloid, sent by hand."""
    entries = [Entry("0x" + f"{i:032x}", 0, Side.BID, 740_000 - 100 * i, 60, 0) for i in range(n)]
    statuses = await send(found, "agent_key", entries, "Alo")
    assert all("resting" in status for status in statuses), statuses


async def send(found: Rig, key: str, entries: list[Entry], tif: str) -> list[Any]:
    """Sign an order action with one of the rig's keys; the venue's statuses."""
    signer = Signer(found.settings.secrets_dir / key, "", is_mainnet=False)
    async with Transport(found.settings.venue_url, 2.0) as transport, clock_client() as client:
        reading, _, _ = await read_clock(client, found.settings.venue_url)
        tree = wire.action(Kind.ORDER, 150_000, entries, 3)
        for order in tree["orders"]:
            order["t"]["limit"]["tif"] = tif
        nonce = reading.now_ns // 1_000_000
        status, raw = await transport.post(wire.body(tree, nonce, signer.sign(tree, nonce, 0), 0))
        assert status == 200
        statuses: list[Any] = json.loads(raw)["response"]["data"]["statuses"]
        return statuses


async def test_a_wrong_collateral_refuses_the_start(tmp_path: Path) -> None:
    async with rig(tmp_path) as found:
        market = found.settings.market.model_copy(update={"collateral": "USDC"})
        found.settings = found.settings.model_copy(update={"market": market})
        await found.start()
        assert found.task is not None
        assert await found.task == 75


# ---------------------------------------------------------------------- the warden
@asynccontextmanager
async def watching(found: Rig) -> AsyncIterator[Warden]:
    settings = found.settings.model_copy(update={"service": "warden"})
    signer = Signer(settings.secrets_dir / "warden_key", settings.wallet_address, is_mainnet=False)
    async with (
        InfoClient(settings.venue_url, Weights("warden")) as info,
        Transport(settings.venue_url, 2.0) as transport,
    ):
        warden = Warden(settings, signer, info, transport)
        task = asyncio.create_task(warden.run())
        try:
            yield warden
        finally:
            warden.stopping.set()
            await asyncio.gather(task, return_exceptions=True)


async def test_the_warden_cancels_within_5_s_of_the_last_beat(tmp_path: Path) -> None:
    async with rig(tmp_path) as found:
        found.quoting = False
        await place(found, 3)
        async with watching(found) as warden:
            await soon((found.settings.run_dir / WARDEN_SOCKET).exists)
            heard: list[bytes] = []
            line = Line(found.settings.run_dir / "reply.sock", lambda data, _: heard.append(data))
            for seq in range(1, 4):
                line.send(
                    ENCODE(Beat(7, seq, [(COIN, 150_000)], "0x1", [])), str(found.settings.run_dir / WARDEN_SOCKET)
                )
                await asyncio.sleep(0.1)
            await soon(lambda: len(heard) == 3)
            assert warden.vigil.state is State.ARMED
            begun = mono_ns()
            assert len(found.resting()) == 3
            await soon(lambda: found.resting() == [])
            assert 1.5 * NS < mono_ns() - begun < 5 * NS
            await soon(lambda: warden.vigil.state is State.DONE)
            await soon(lambda: metrics.value("amm_deadman_state") == list(State).index(State.DONE))
            assert metrics.value("amm_deadman_fires_total", reason="executor silent") >= warden.vigil.fires == 1
            line.close()


async def test_the_warden_cancels_what_was_named_without_any_request_weight(tmp_path: Path) -> None:
    async with rig(tmp_path) as found:
        found.quoting = False
        await place(found, 3)
        async with watching(found) as warden:
            await warden._info._weights.spend(WARDEN.capacity, 0.0)
            await soon((found.settings.run_dir / WARDEN_SOCKET).exists)
            line = Line(found.settings.run_dir / "reply.sock", lambda *_: None)
            named = [(150_000, row["cloid"]) for row in found.resting()]
            beat = Beat(7, 1, [(COIN, 150_000)], "0x1", named)
            line.send(ENCODE(beat), str(found.settings.run_dir / WARDEN_SOCKET))
            await soon(lambda: warden.vigil.state is State.ARMED)
            assert len(found.resting()) == 3
            await soon(lambda: found.resting() == [])
            assert warden.vigil.state is State.FIRING  # it still wants to see that nothing rests
            line.close()


async def test_the_warden_obeys_the_kill_file_and_a_goodbye(tmp_path: Path) -> None:
    async with rig(tmp_path) as found:
        found.quoting = False
        await place(found, 3)
        async with watching(found) as warden:
            line = Line(found.settings.run_dir / "reply.sock", lambda *_: None)
            await soon((found.settings.run_dir / WARDEN_SOCKET).exists)
            line.send(ENCODE(Goodbye(7)), str(found.settings.run_dir / WARDEN_SOCKET))
            line.send(b"\x93\x01junk", str(found.settings.run_dir / WARDEN_SOCKET))
            await soon(lambda: warden.vigil.state is State.DISARMED)
            killfile.write(found.settings.run_dir, killfile.Kill(1, "test"))
            await soon(lambda: found.resting() == [])
            line.close()
            assert warden.health()["state"] in ("firing", "done")


async def test_the_executor_tells_of_its_warden(tmp_path: Path) -> None:
    async with rig(tmp_path) as found, watching(found) as warden:
        await found.start()
        await soon(lambda: said(found, Heartbeat, service="warden"))
        assert warden.vigil.state is State.ARMED
        assert await found.stop() == 0
        await soon(lambda: warden.vigil.state is State.DISARMED)


async def test_the_same_key_for_both_is_refused(tmp_path: Path) -> None:
    async with rig(tmp_path) as found:
        settings = found.settings
        signer = Signer(settings.secrets_dir / "warden_key", settings.wallet_address, is_mainnet=False)
        async with (
            InfoClient(settings.venue_url, Weights("warden")) as info,
            Transport(settings.venue_url, 2) as transport,
        ):
            task = asyncio.create_task(Warden(settings, signer, info, transport).run())
            await asyncio.sleep(0.05)
            line = Line(settings.run_dir / "reply.sock", lambda *_: None)
            line.send(ENCODE(Beat(7, 1, [], signer.address, [])), str(settings.run_dir / WARDEN_SOCKET))
            with pytest.raises(ConfigError, match="same key"):
                await task
            line.close()


# ---------------------------------------------------------------------- refusals at the start
def test_a_second_executor_is_refused(tmp_path: Path) -> None:
    held = lock(tmp_path)
    with pytest.raises(Refused, match="another executor"):
        lock(tmp_path)
    import os

    os.close(held)
    os.close(lock(tmp_path))


async def test_mainnet_and_a_missing_wallet_are_refused(tmp_path: Path) -> None:
    from common.config import MAINNET_URL
    from executor.warden import build as build_warden

    live = load("executor", {"NETWORK": "mainnet", "VENUE_URL": MAINNET_URL, "RUN_DIR": str(tmp_path)})
    for start in (build, build_warden):
        with pytest.raises(Refused, match="mainnet"):
            await start(live)
        with pytest.raises(ConfigError, match="WALLET_ADDRESS"):
            await start(load("executor", {"RUN_DIR": str(tmp_path)}))
