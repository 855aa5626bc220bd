"""A venue that mirrors another one through real sockets: the same market, our orders in it, and a lost link."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from simvenue.opening import FIRST_BOOKS_S
from tests.integration.simvenue_process import SimVenue, run_to_end, until
from tests.integration.simvenue_socket import hear, listening
from tests.support.venue_peer import VenuePeer
from tests.unit.simvenue.signing import MASTER, STRANGER, address, an_order, place, signed

COIN = "km:US500"
ANN, BOB = address(MASTER), address(STRANGER)
UPSTREAM = ("--latency", "zero", "--no-ip-limit", "--also", "BTC", "--fund", f"{BOB}=1000000")


@pytest.fixture(scope="module")
def upstream() -> Iterator[SimVenue]:
    with SimVenue(*UPSTREAM) as venue:
        yield venue


@pytest.fixture(scope="module")
def mirror(upstream: SimVenue) -> Iterator[SimVenue]:
    with a_mirror_of(upstream.url) as venue:
        yield venue


def a_mirror_of(url: str, *more: str) -> SimVenue:
    arguments = ("mirror", "--upstream", url, "--also", "BTC", "--latency", "zero", "--no-ip-limit", *more)
    return SimVenue(*arguments, "--fund", f"{ANN}=1000000")


class Nonce:
    last = 0

    @classmethod
    def next(cls) -> int:
        cls.last = max(int(time.time() * 1000), cls.last + 1)
        return cls.last


def send(venue: SimVenue, wallet: Any, **order: Any) -> Any:
    status, body = venue.post("/exchange", signed(place(an_order(**order)), Nonce.next(), wallet=wallet))
    assert status == 200, body
    (answer,) = json.loads(body)["response"]["data"]["statuses"]
    return answer


def followed(venue: SimVenue) -> Any:
    return venue.get("/sim/ledger")["mirror"]


def touch(venue: SimVenue) -> tuple[float, float]:
    bids, asks = venue.info("l2Book", coin=COIN)["levels"]
    return float(bids[0]["px"]), float(asks[0]["px"])


def faults(venue: SimVenue, *rules: dict[str, Any]) -> None:
    assert venue.post("/sim/faults", {"rules": list(rules)})[0] == 200


# ---------------------------------------------------------------------- the same market
def test_mirror_lists_the_markets_as_the_mirrored_venue_does(upstream: SimVenue, mirror: SimVenue) -> None:
    assert mirror.info("meta", dex="km") == upstream.info("meta", dex="km")
    assert mirror.info("perpDexs")[5]["name"] == "km"
    dexes = (mirror.info("perpDexs"), upstream.info("perpDexs"))
    assert dexes[0][5]["deployerFeeScale"] == dexes[1][5]["deployerFeeScale"]


async def test_books_are_the_mirrored_ones_at_their_own_times(upstream: SimVenue, mirror: SimVenue) -> None:
    topics: list[dict[str, Any]] = [
        {"type": "l2Book", "coin": COIN, "fast": True},
        {"type": "l2Book", "coin": "BTC", "fast": True},
    ]
    async with listening(upstream, *topics) as there, listening(mirror, *topics) as here:
        seen = [await _books(socket, 8) for socket in (there, here)]
    common = seen[0].keys() & seen[1].keys()
    assert len(common) >= 4
    assert {key: seen[0][key] for key in common} == {key: seen[1][key] for key in common}


async def _books(socket: aiohttp.ClientWebSocketResponse, count: int) -> dict[tuple[str, int], Any]:
    """Books by coin and time; a touch between two of our own stamps does not matter for whole fast books."""
    books = [await hear(socket, "l2Book") for _ in range(count)]
    return {(book["coin"], book["time"]): book["levels"] for book in books}


async def test_prints_and_prices_are_the_mirrored_ones(upstream: SimVenue, mirror: SimVenue) -> None:
    topics = [{"type": "trades", "coin": COIN}, {"type": "activeAssetCtx", "coin": COIN}]
    async with listening(mirror, *topics) as here:
        while (await here.receive_json())["channel"] != "subscriptionResponse":
            continue
        bid, ask = touch(upstream)
        assert "filled" in send(upstream, STRANGER, b=True, p=_px(ask * 1.001), s="0.5", t={"limit": {"tif": "Ioc"}})
        told = [row for row in upstream.info("recentTrades", coin=COIN) if BOB in row["users"]]
        async with asyncio.timeout(10):
            heard: list[Any] = []
            while not {row["tid"] for row in told} <= {row["tid"] for row in heard}:
                message = await here.receive_json()
                heard += message["data"] if message["channel"] == "trades" else []
    ours = {row["tid"]: row for row in heard}
    for row in told:
        assert ours[row["tid"]] == row
    (ctx,) = mirror.info("metaAndAssetCtxs", dex="km")[1]
    assert abs(float(ctx["oraclePx"]) - bid) / bid < 0.01


def _px(px: float) -> str:
    return f"{px:.2f}".rstrip("0").rstrip(".")


def test_mirror_keeps_the_mirrored_venues_time(upstream: SimVenue, mirror: SimVenue) -> None:
    here, there = mirror.get("/sim/clock"), upstream.get("/sim/clock")
    assert here["rate"] == there["rate"] == 1.0
    assert 0 <= (there["now_ns"] - here["now_ns"]) / 1e9 < 2.0


def test_time_of_a_faster_venue_runs_faster_here_too() -> None:
    with SimVenue(*UPSTREAM, "--speed", "10") as fast, a_mirror_of(fast.url) as follower:
        assert follower.get("/sim/clock")["rate"] == 10.0
        book = follower.info("l2Book", coin=COIN)
        assert abs(book["time"] - fast.info("l2Book", coin=COIN)["time"]) < 20_000
        assert follower.errors() == []


# ---------------------------------------------------------------------- our orders in it
def test_own_order_is_filled_by_a_mirrored_taker_and_the_mirrored_venue_never_hears_of_it(
    upstream: SimVenue, mirror: SimVenue
) -> None:
    _, ask = touch(mirror)
    answer = send(mirror, MASTER, b=False, p=_px(ask), s="0.4")
    oid = answer["resting"]["oid"]
    assert not [row for row in upstream.get("/sim/ledger")["orders"] if row["address"] == ANN]
    sweep = an_order(b=True, p=_px(ask * 1.002), s="150", t={"limit": {"tif": "Ioc"}})
    assert upstream.post("/exchange", signed(place(sweep), Nonce.next(), wallet=STRANGER))[0] == 200

    def fills() -> Any:
        return [row for row in mirror.info("userFills", user=ANN) if row["oid"] == oid]

    (first, *_) = until(fills, 10, "the fill")
    assert first["crossed"] is False
    assert float(first["px"]) == pytest.approx(ask)
    assert not upstream.info("userFills", user=ANN)
    send(mirror, MASTER, b=True, p=_px(ask * 1.01), s="0.4", t={"limit": {"tif": "Ioc"}})


# ---------------------------------------------------------------------- a lost link
async def test_lost_link_makes_a_gap_that_is_marked_and_ends(upstream: SimVenue) -> None:
    with a_mirror_of(upstream.url) as own:
        try:
            async with listening(own, {"type": "l2Book", "coin": COIN, "fast": True}) as here:
                await hear(here, "l2Book")
                faults(upstream, {"do": "maintenance"})
                await asyncio.to_thread(until, lambda: followed(own)["link"] == "down", 20, "the loss")
                assert followed(own)["markets"][COIN]["blind"]
                answer = send(own, MASTER, b=True, p="5000", s="1", t={"limit": {"tif": "Ioc"}})
                assert "error" in answer  # nothing to trade with, whatever was shown before
                faults(upstream)
                await asyncio.to_thread(until, lambda: not followed(own)["markets"][COIN]["blind"], 30, "the return")
                told = followed(own)
                book = await hear(here, "l2Book")
        finally:
            faults(upstream)
        assert told["connections"] >= 2
        (gap,) = told["markets"][COIN]["last_gaps"]
        assert gap["from_t_ns"] < gap["to_t_ns"]
        assert gap["to_t_ns"] - gap["from_t_ns"] < 120 * 10**9
        later = [b for b in (book, await _next_book(own)) if b["time"] * 10**6 >= gap["from_t_ns"]]
        assert all(len(b["levels"][0]) == 5 for b in later)
        assert own.errors() == []


async def _next_book(venue: SimVenue) -> Any:
    async with listening(venue, {"type": "l2Book", "coin": COIN, "fast": True}) as socket:
        return await hear(socket, "l2Book")


async def test_nothing_stale_is_published_in_a_gap(upstream: SimVenue) -> None:
    with a_mirror_of(upstream.url) as own:
        topics = [{"type": "bbo", "coin": COIN}, {"type": "l2Book", "coin": COIN, "fast": True}]
        try:
            async with listening(own, *topics) as here:
                await hear(here, "l2Book")
                faults(upstream, {"do": "maintenance"})
                await asyncio.to_thread(until, lambda: followed(own)["link"] == "down", 20, "the loss")
                lost_ms = followed(own)["markets"][COIN]["last_gaps"][-1]["from_t_ns"] // 10**6
                send(own, MASTER, b=True, p="700", s="0.1")  # would be the whole book
                heard: list[Any] = []
                task = asyncio.create_task(_collect(here, heard))
                await asyncio.to_thread(until, lambda: _now_ms(own) - lost_ms > 1500, 10, "1.5 s of the gap")
                task.cancel()
        finally:
            faults(upstream)
    assert [message for message in heard if message["data"]["time"] > lost_ms + 1] == []


def _now_ms(venue: SimVenue) -> int:
    return int(venue.get("/sim/clock")["now_ns"]) // 10**6


async def _collect(socket: aiohttp.ClientWebSocketResponse, heard: list[Any]) -> None:
    async for message in socket:
        frame = message.json()
        if frame["channel"] in ("bbo", "l2Book"):
            heard.append(frame)


# ---------------------------------------------------------------------- start
def test_mirror_of_nobody_is_refused_for_now() -> None:
    code, out, err = run_to_end("mirror", "--port", "0", "--metrics-port", "0", "--upstream", "http://127.0.0.1:9")
    assert (code, out) == (75, "")
    assert "cannot be mirrored" in err
    assert "Traceback" not in err


async def _tell(peer: VenuePeer) -> None:
    """A book and prices, over and over, to whoever follows."""
    while True:
        now_ms = time.time_ns() // 10**6
        levels = [
            [{"px": f"752.{4 - k}0", "sz": "1.0", "n": 1} for k in range(3)],
            [{"px": "752.5", "sz": "1.0", "n": 1}],
        ]
        data = {"coin": COIN, "time": now_ms, "levels": levels, "fast": True}
        await peer.say({"channel": "l2Book", "data": data}, "l2Book", fast=True)
        ctx = {"oraclePx": "752.4", "markPx": "752.45", "funding": "0.00001", "openInterest": "1.0"}
        await peer.say({"channel": "activeAssetCtx", "data": {"coin": COIN, "ctx": ctx}}, "activeAssetCtx")
        await asyncio.sleep(0.05)


async def test_market_delisted_on_the_way_is_settled_at_the_next_look() -> None:
    async with VenuePeer() as peer:
        telling = asyncio.create_task(_tell(peer))
        own = SimVenue("mirror", "--upstream", peer.url, "--latency", "zero", "--fund", f"{ANN}=1000000")
        try:
            await asyncio.to_thread(own.__enter__)
            await asyncio.to_thread(send, own, MASTER, a=110000, b=True, p="752", s="0.1")
            peer.meta["universe"][0]["isDelisted"] = True
            telling.cancel()
            await peer.drop()
            telling = asyncio.create_task(_tell(peer))
            await asyncio.to_thread(until, lambda: not own.info("openOrders", user=ANN, dex="km"), 20, "the settlement")
            assert '"event":"mirrored_market_delisted"' in own.log
        finally:
            telling.cancel()
            await asyncio.to_thread(own.end)


async def test_delisted_market_is_refused_by_name() -> None:
    async with VenuePeer() as peer:
        peer.meta["universe"][0]["isDelisted"] = True
        code, _, err = await asyncio.to_thread(
            run_to_end,
            "mirror",
            "--port",
            "0",
            "--metrics-port",
            "0",
            "--upstream",
            peer.url,
            environ={"MARKET": "us500"},
        )
    assert code == 75
    assert "km:US500 is delisted" in err


def test_market_the_venue_does_not_list_is_refused_by_name(upstream: SimVenue) -> None:
    more = ("--also", "DOGE", "--port", "0", "--metrics-port", "0")
    code, _, err = run_to_end("mirror", "--upstream", upstream.url, *more, environ={"MARKET": "us500"})
    assert code == 75
    assert "DOGE" in err


def test_waiting_for_the_first_books_is_bounded() -> None:
    assert FIRST_BOOKS_S <= 60


def test_mirror_came_back_by_itself_and_logged_no_error(mirror: SimVenue) -> None:
    """It was cut off twice above."""
    until(lambda: not followed(mirror)["markets"][COIN]["blind"], 30, "the return")
    assert followed(mirror)["refused"] == {}
    assert mirror.errors() == []
