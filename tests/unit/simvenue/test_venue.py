"""The shell's small machines: the market's clock, what happens when the core fails, slow and silent connections."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import WSMsgType

from common.errors import BadInput, OurFault
from simvenue.door.sockets import QUEUE_MAX, Connection
from simvenue.venue import SimClock, Venue
from tests.unit.simvenue.signing import MASTER, address, an_order, place, signed
from tests.unit.simvenue.small_market import LATENCY, T0, an_exchange

FAST = 1000.0  # market seconds a second: a 400 ms reply takes 0.4 ms


def a_venue(rate: float = FAST) -> Venue:
    exchange = an_exchange()
    exchange.fund(address(MASTER), 10_000)
    return Venue(exchange, SimClock(T0, rate), LATENCY)


def placing(nonce_s: int = 1, **how: Any) -> bytes:
    return signed(place(an_order(p="752.3")), T0 // 10**6 + nonce_s * 1000, **how)


# ---------------------------------------------------------------------- time and requests
def test_market_time_stands_still_until_started() -> None:
    clock = SimClock(T0, 20.0)
    assert clock.now_ns() == T0
    clock.start()
    assert clock.now_ns() >= T0
    assert clock.machine_s(10**9) == 0.05


async def test_reply_is_given_when_it_has_travelled() -> None:
    venue = a_venue()
    venue.start()
    reply = await asyncio.wait_for(venue.act(placing()), 5)
    assert "resting" in reply.body["response"]["data"]["statuses"][0]
    assert venue.clock.now_ns() >= T0 + LATENCY.order_ns + LATENCY.reply_ns
    venue.stop()


async def test_nothing_is_delivered_before_its_hour() -> None:
    venue = a_venue(rate=0.001)
    frames: list[bytes] = []

    class Ear:
        def push(self, frame: bytes) -> None:
            frames.append(frame)

    ear = Ear()
    venue.feeds.open(ear)
    venue.feeds.receive(ear, b'{"method":"subscribe","subscription":{"type":"bbo","coin":"BTC"}}', T0)
    venue.start()
    assert [json.loads(f)["channel"] for f in frames[1:]] == ["subscriptionResponse"]
    venue.stop()


async def test_leverage_and_approval_answer_after_the_latency_too() -> None:
    venue = a_venue()
    venue.start()
    body = signed({"type": "updateLeverage", "asset": 150000, "isCross": True, "leverage": 5}, T0 // 10**6)
    assert (await venue.act(body)).body == {"status": "ok", "response": {"type": "default"}}
    assert venue.exchange.leverage(address(MASTER), "km:US500") == 5
    assert venue.clock.now_ns() >= T0 + LATENCY.order_ns + LATENCY.reply_ns
    untraded = signed({"type": "updateLeverage", "asset": 1, "isCross": True, "leverage": 5}, T0 // 10**6 + 1)
    assert (await venue.act(untraded)).body["status"] == "err"
    venue.stop()


async def test_whoever_asked_may_go_away() -> None:
    venue = a_venue()
    venue.start()
    asking = asyncio.create_task(venue.act(placing()))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.sleep(0.01)
    assert len(venue.exchange.open_orders(address(MASTER))) == 1
    assert not venue.failed.is_set()
    venue.stop()


async def test_unreadable_info_is_refused_and_leaves_no_trace() -> None:
    venue = a_venue()
    venue.start()
    before = venue.ledger()["accounts"]
    with pytest.raises(BadInput, match="type_unknown"):
        venue.ask(b'{"type":"nope"}')
    assert venue.ledger()["accounts"] == before
    venue.stop()


async def test_ledger_tells_actions_spent() -> None:
    venue = a_venue()
    venue.start()
    await venue.act(placing())
    assert venue.ledger()["actions"][address(MASTER)] == {"used": 1, "cap": 10_000}
    venue.stop()


# ---------------------------------------------------------------------- faults
async def test_fault_of_the_exchange_ends_the_venue() -> None:
    venue = a_venue()
    venue.start()

    def broken(to_t_ns: int) -> list[Any]:
        raise OurFault("broken")

    venue.exchange.advance = broken  # type: ignore[method-assign]
    with pytest.raises(OurFault, match="broken"):
        venue.pump()
    assert venue.failed.is_set()
    assert not venue.is_running
    with pytest.raises(OurFault, match="stopping"):
        await venue.act(placing())


# ---------------------------------------------------------------------- connections
class FakeSocket:
    """Takes frames, or hangs like a peer that does not read."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.frames: list[bytes] = []
        self.closed = asyncio.Event()
        self._hangs = hangs

    async def send_frame(self, message: bytes, opcode: WSMsgType) -> None:
        assert opcode is WSMsgType.TEXT
        if self._hangs:
            await asyncio.Event().wait()
        self.frames.append(message)

    async def close(self) -> None:
        self.closed.set()


async def test_frames_leave_in_order() -> None:
    socket = FakeSocket()
    client = Connection(socket, lambda: None)
    writing = asyncio.create_task(client.write())
    for number in range(5):
        client.push(b"%d" % number)
    await asyncio.sleep(0.01)
    assert socket.frames == [b"0", b"1", b"2", b"3", b"4"]
    writing.cancel()


async def test_connection_that_was_sent_nothing_is_closed() -> None:
    socket = FakeSocket()
    client = Connection(socket, lambda: None, idle_s=0.02)
    await asyncio.wait_for(client.write(), 5)
    assert socket.closed.is_set()


async def test_reader_that_falls_behind_is_cut_off() -> None:
    cut: list[bool] = []
    client = Connection(FakeSocket(hangs=True), lambda: cut.append(True))
    for _ in range(QUEUE_MAX):
        client.push(b"x")
    assert cut == []
    client.push(b"x")
    assert cut == [True]
