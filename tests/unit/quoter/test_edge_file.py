"""A stop our own fills asked for outlives the process, and what cannot be read never counts as no evidence."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from common.bus import Hub, MemoryBus, Subscription
from common.config import TESTNET_URL, Settings
from common.errors import BadInput
from common.messages import Alert, Ladder, Verb
from common.messages import Command as Told
from common.streams import QUOTES
from quoter.edge_file import edge_path, read_edge, write_edge
from quoter.edge_gate import EdgeGate
from quoter.engine import QuoteEngine
from quoter.events import EdgeKept
from quoter.main import make_service
from tests.support.bus_world import Listener
from tests.support.ports import free_port_base
from tests.unit.quoter.builders import PX, T0, Desk, settings
from tests.unit.quoter.test_edge_gate import BLOCK_NS, SETTLED_NS, fed
from tests.unit.quoter.test_main import LiveDesk

ORIGIN_NS = 0


@pytest.fixture
def market(tmp_path: Path) -> Settings:
    return settings(edge_gate="enforce").model_copy(update={"run_dir": tmp_path})


def restarted(gate: EdgeGate, market: Settings, origin_ns: int = ORIGIN_NS) -> EdgeGate:
    """The gate of the next process."""
    write_edge(gate, market, origin_ns)
    fresh = EdgeGate(market)
    kept = read_edge(market, origin_ns)
    assert kept is not None
    fresh.take_up(kept)
    return fresh


@pytest.mark.parametrize("cut", [1, 7, 12, 13, 14])
def test_a_restart_anywhere_changes_no_decision(market: Settings, cut: int) -> None:
    whole, parted = EdgeGate(market), EdgeGate(market)
    stops: list[list[int]] = [[], []]
    for block in range(16):
        begin_ns = T0 + block * BLOCK_NS
        if block == cut:
            parted = restarted(parted, market)
        for n, gate in enumerate((whole, parted)):
            if gate.look(begin_ns + SETTLED_NS, SETTLED_NS):
                stops[n].append(block)
            for k in range(10):
                gate.on_score(begin_ns, -2.0 + k, 100.0)
                gate.on_score(begin_ns, -4.0, 300.0)
    assert stops[0] == stops[1] != []
    assert (whole.found, whole.fills, whole.why) == (parted.found, parted.fills, parted.why)


def test_a_stop_and_what_re_arms_it_outlive_the_process(market: Settings) -> None:
    gate = EdgeGate(market)
    gate.on_fee(30_000)
    gate.on_model("a")
    fed(gate, -5.0)
    again = restarted(gate, market)
    again.on_model("a")
    again.on_fee(30_000)
    assert again.stopped
    assert again.why == gate.why
    again.on_fee(20_000)
    assert not again.stopped


def test_what_was_told_before_the_evidence_was_read_is_held_against_it(market: Settings) -> None:
    gate = EdgeGate(market)
    gate.on_model("a")
    fed(gate, -5.0)
    write_edge(gate, market, ORIGIN_NS)
    kept = read_edge(market, ORIGIN_NS)
    assert kept is not None
    fresh = EdgeGate(market)
    fresh.on_model("b")
    fresh.take_up(kept)
    assert not fresh.stopped


def test_evidence_of_another_market_venue_or_session_is_not_taken_up(market: Settings) -> None:
    gate = EdgeGate(market)
    fed(gate, -5.0)
    write_edge(gate, market, ORIGIN_NS)
    assert edge_path(market) != edge_path(market.model_copy(update={"network": "testnet"}))
    other_coin = market.market.model_copy(update={"coin": "BTC"})
    for change in ({"venue_url": "http://127.0.0.1:4001"}, {"market": other_coin}):
        assert read_edge(market.model_copy(update=change), ORIGIN_NS) is None
    assert read_edge(market, T0) is None
    assert read_edge(market, ORIGIN_NS) is not None


def test_no_file_is_no_evidence_and_a_torn_one_is_a_fault(market: Settings) -> None:
    assert read_edge(market, ORIGIN_NS) is None
    gate = EdgeGate(market)
    fed(gate, -5.0)
    write_edge(gate, market, ORIGIN_NS)
    assert [path.name for path in market.run_dir.iterdir()] == [edge_path(market).name]  # nothing half-written is left
    body = edge_path(market).read_bytes()
    for torn in (body[:-40], b"", b"\xff" + body, body.replace(b'"schema":1', b'"schema":2')):
        edge_path(market).write_bytes(torn)
        with pytest.raises(BadInput, match="edge_file"):
            read_edge(market, ORIGIN_NS)


def test_evidence_that_says_nothing_stops_the_market_until_a_person_looks() -> None:
    desk = Desk(edge_gate="enforce").start()
    assert desk.ladder.bids
    desk.send(EdgeKept(None), desk.permit(), desk.book())
    assert [alert.text for alert in desk.found(Alert) if alert.name == "NoEdge"] == [
        "what was kept of our fills cannot be read: the market is stopped"
    ]
    assert desk.ladder.reasons == ["no_edge"]
    desk.send(Told(desk.t_ns, Verb.RESUME, "a-command-1", 1, "looked"), desk.permit(), desk.book())
    assert desk.ladder.bids


# ---------------------------------------------------------------------- the shell
async def run_once(live: Settings, hub: Hub, wanted: str) -> None:
    """One life of the quoter's process: until it shows a ladder with this reason ("" = with asks)."""
    buses = {name: MemoryBus(hub, name, block_ms=10) for name in ("feed", "executor", "riskd")}
    for bus in buses.values():
        await bus.__aenter__()
    desk = LiveDesk()
    service = make_service(live, MemoryBus(hub, "quoter", block_ms=10))
    running = asyncio.create_task(service.run())
    async with Listener(MemoryBus(hub, "monitor", block_ms=10), Subscription(QUOTES, QUOTES.of(desk.coin))) as reader:

        def shown() -> bool:
            buses["executor"].send([desk.account()])
            buses["feed"].send([desk.spec(), desk.context(PX), desk.book(PX)])
            buses["riskd"].send([desk.permit()])
            ladders = [m for m in reader.messages if isinstance(m, Ladder)]
            return bool(ladders) and (wanted in ladders[-1].reasons if wanted else bool(ladders[-1].asks))

        await reader.until(shown)
        assert wanted == "" or not any(m.asks for m in reader.messages if isinstance(m, Ladder))  # not even at first
        if wanted == "":  # our fills lose: the next process must know
            assert isinstance(service.engine, QuoteEngine)
            gate = service.engine.edge_gate
            block_ns = 300 * 10**9
            now_ns = time.time_ns() // block_ns * block_ns
            for k in range(13):
                gate.on_score(now_ns - (14 - k) * block_ns, -5.0 - 0.1 * (k % 3), 100.0)
            assert gate.look(now_ns + block_ns + SETTLED_NS, SETTLED_NS)
        service.stop("test")
        assert await running == 0
    for bus in buses.values():
        await bus.__aexit__(None, None, None)


async def test_a_stopped_market_stays_stopped_when_the_quoter_is_started_again(tmp_path: Path) -> None:
    changes = {
        "network": "testnet", "venue_url": TESTNET_URL, "port_base": free_port_base("quoter"), "run_dir": tmp_path,
    }  # fmt: skip
    live = settings(session="regular", edge_gate="enforce").model_copy(update=changes)
    await run_once(live, Hub(), "")
    kept = read_edge(live, 0)
    assert kept is not None
    assert kept.stopped
    await run_once(live, Hub(), "no_edge")


def test_the_file_of_a_day_of_blocks_is_small(market: Settings) -> None:
    gate = EdgeGate(market)
    for block in range(400):
        gate.on_score(T0 + block * BLOCK_NS, 1.2345678901, 123.456789)
    write_edge(gate, market, ORIGIN_NS)
    assert edge_path(market).stat().st_size < 30_000
