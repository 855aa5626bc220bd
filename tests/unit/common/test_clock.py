"""Market time: anchored to the venue's clock, scaled by its rate, corrected by half the round trip."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from common import clock
from common.clock import NS, ClockReading, MarketClock
from common.errors import BadInput, LinkDown
from common.simclock import clock_client, parse_clock, read_clock

GOOD: dict[str, Any] = {"origin_ns": 5, "rate": 20.0, "now_ns": 10**18, "session_offset_ns": -3, "cut_ns": 0}


class Hands:
    """The machine's clocks, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mono = 1_000 * NS
        self.wall = 1_700_000_000 * NS
        monkeypatch.setattr(clock.time, "monotonic_ns", lambda: self.mono)
        monkeypatch.setattr(clock.time, "time_ns", lambda: self.wall)


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    return Hands(monkeypatch)


def test_market_time_is_real_time_until_a_venue_says_otherwise(hands: Hands) -> None:
    market = MarketClock()
    hands.mono += 5 * NS
    assert market.now_ns() == 1_700_000_005 * NS
    assert market.rate == 1.0


def test_wall_clock_steps_do_not_move_market_time(hands: Hands) -> None:
    market = MarketClock()
    hands.wall -= 3_600 * NS
    assert market.now_ns() == 1_700_000_000 * NS


def test_reading_sets_time_rate_and_session_offset(hands: Hands) -> None:
    market = MarketClock()
    correction_s = market.sync(ClockReading(0, 20.0, 42 * NS, 7, 0), hands.mono, hands.mono)
    assert market.now_ns() == 42 * NS
    assert correction_s == pytest.approx(42 - 1_700_000_000)
    hands.mono += NS
    assert market.now_ns() == 62 * NS
    assert market.session_ns(100) == 107


def test_half_the_round_trip_is_allowed_for(hands: Hands) -> None:
    market = MarketClock()
    asked, hands.mono = hands.mono, hands.mono + NS // 10
    market.sync(ClockReading(0, 20.0, 100 * NS, 0, 0), asked, hands.mono)
    assert market.now_ns() == 100 * NS + NS  # 50 ms on the way back are 1 s of the market


@pytest.mark.parametrize("rate", [0.0, -1.0, 1e5, float("nan"), float("inf")])
def test_senseless_rate_is_refused_and_changes_nothing(hands: Hands, rate: float) -> None:
    market = MarketClock()
    before = market.now_ns()
    with pytest.raises(BadInput, match="clock_rate"):
        market.sync(ClockReading(0, rate, 42, 0, 0), hands.mono, hands.mono)
    assert (market.now_ns(), market.rate) == (before, 1.0)


def test_good_answer_is_read() -> None:
    assert parse_clock(json.dumps(GOOD).encode()) == ClockReading(5, 20.0, 10**18, -3, 0)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"{}", b"<html>", b"\xff\xfe", b'{"rate": 1}', b"[" * 50_000,
        *(json.dumps({**GOOD, name: bad}).encode() for name, bad in (
            ("rate", 0), ("rate", -1), ("rate", 1e9), ("rate", "1"), ("rate", True), ("rate", None), ("now_ns", -1),
            ("now_ns", 1.5), ("now_ns", "1"), ("now_ns", 2**70), ("cut_ns", None),
        )),
        json.dumps({**GOOD, "rate": float("nan")}).encode(),
        json.dumps({**GOOD, "rate": float("inf")}).encode(),
    ],
)  # fmt: skip
def test_any_other_answer_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput, match="clock_"):
        parse_clock(body)


async def _asked(handler: Any) -> ClockReading:
    app = web.Application()
    app.router.add_get("/sim/clock", handler)
    async with TestServer(app) as server, clock_client() as client:
        reading, asked, answered = await read_clock(client, str(server.make_url("")).rstrip("/"))
        assert asked <= answered
        return reading


async def test_venue_is_asked_over_http() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(GOOD)

    assert (await _asked(answer)).rate == 20.0


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_other_status_is_refused_and_no_redirect_followed(status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/sim/clock"}, text=json.dumps(GOOD))

    with pytest.raises(BadInput, match="clock_status"):
        await _asked(answer)


async def test_endless_answer_is_cut() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b" " * 1_000_000 + json.dumps(GOOD).encode())

    with pytest.raises(BadInput, match="clock_not_json"):
        await _asked(answer)


async def test_nobody_there_is_a_broken_link() -> None:
    async with clock_client() as client:
        with pytest.raises(LinkDown):
            await read_clock(client, "http://127.0.0.1:9")
