"""Every fault switch through real sockets: what a client sees, and what the venue itself knows of it."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.integration.simvenue_process import SimVenue, run_to_end, until
from tests.integration.simvenue_socket import hear, listening
from tests.unit.simvenue.signing import AGENT, MASTER, address, an_order, place, signed

COIN = "km:US500"
ANN = address(MASTER)
ARGUMENTS = ("--latency", "zero", "--no-ip-limit", "--fund", f"{ANN}=100000", "--agent", f"{address(AGENT)}={ANN}")
BROKEN = (http.client.RemoteDisconnected, ConnectionError)


@pytest.fixture(scope="module")
def running() -> Iterator[SimVenue]:
    with SimVenue(*ARGUMENTS) as venue:
        yield venue


@pytest.fixture
def venue(running: SimVenue) -> Iterator[SimVenue]:
    yield running
    put(running)


class Nonce:
    last = 0

    @classmethod
    def next(cls) -> int:
        cls.last = max(int(time.time() * 1000), cls.last + 1)
        return cls.last


def put(venue: SimVenue, *rules: dict[str, Any], seed: int = 1) -> None:
    status, body = venue.post("/sim/faults", {"seed": seed, "rules": list(rules)})
    assert status == 200, body


def done(venue: SimVenue) -> list[int]:
    return [rule["done"] for rule in venue.get("/sim/faults")["rules"]]


def an_action(venue: SimVenue, wallet: Any = AGENT) -> bytes:
    """A post-only order one percent below the market."""
    bid = float(venue.info("l2Book", coin=COIN)["levels"][0][0]["px"])
    return signed(place(an_order(p=f"{bid * 0.99:.2f}".rstrip("0").rstrip("."))), Nonce.next(), wallet=wallet)


def resting(venue: SimVenue) -> int:
    return len(venue.info("openOrders", user=ANN, dex="km"))


async def ended(socket: aiohttp.ClientWebSocketResponse) -> None:
    async with asyncio.timeout(10):
        while not socket.closed:
            await socket.receive()


FAST = {"type": "l2Book", "coin": COIN, "fast": True}


# ---------------------------------------------------------------------- requests
def test_lost_reply_leaves_an_order_nobody_was_told_of(venue: SimVenue) -> None:
    before = resting(venue)
    put(venue, {"do": "lose_reply", "action": "order", "limit": 1})
    with pytest.raises(BROKEN):
        venue.post("/exchange", an_action(venue))
    assert resting(venue) == before + 1
    assert done(venue) == [1]
    assert venue.post("/exchange", an_action(venue))[0] == 200


def test_dropped_request_never_reaches_the_venue(venue: SimVenue) -> None:
    before = resting(venue)
    put(venue, {"do": "drop", "action": "order", "limit": 1})
    with pytest.raises(BROKEN):
        venue.post("/exchange", an_action(venue))
    assert resting(venue) == before


def test_reply_may_hang_before_it_is_lost(venue: SimVenue) -> None:
    put(venue, {"do": "lose_reply", "info": "meta", "hang_s": 0.3, "limit": 1})
    begin = time.monotonic()
    with pytest.raises(BROKEN):
        venue.info("meta")
    assert time.monotonic() - begin >= 0.3


@pytest.mark.parametrize(
    ("rule", "status", "words"),
    [
        ({"status": 429}, 429, "null"),
        ({"status": 502, "html": True}, 502, "<h1>502 Bad Gateway</h1>"),
        ({"status": 500}, 500, "500 Internal Server Error"),
        ({"status": 200, "html": True}, 200, "<html>"),
    ],
)
def test_other_answer_than_the_venues_own(venue: SimVenue, rule: dict[str, Any], status: int, words: str) -> None:
    put(venue, {"do": "answer", "info": "*", "limit": 1, **rule})
    got, body = venue.post("/info", {"type": "meta"})
    assert got == status
    assert words in body
    assert venue.info("meta")["universe"]


def test_gateway_may_time_out_after_the_order_was_taken(venue: SimVenue) -> None:
    before = resting(venue)
    put(venue, {"do": "answer", "action": "order", "status": 504, "html": True, "after": True, "limit": 1})
    assert venue.post("/exchange", an_action(venue))[0] == 504
    assert resting(venue) == before + 1


def test_doubled_request_is_refused_the_second_time_by_its_nonce(venue: SimVenue) -> None:
    before = resting(venue)
    put(venue, {"do": "duplicate", "action": "order", "limit": 1})
    status, body = venue.post("/exchange", an_action(venue))
    assert status == 200
    assert "resting" in json.loads(body)["response"]["data"]["statuses"][0]
    assert resting(venue) == before + 1
    assert '"reason":"nonce_duplicate"' in venue.log


def test_delayed_request_arrives_later(venue: SimVenue) -> None:
    put(venue, {"do": "delay", "info": "meta", "delay_s": [0.2, 0.2], "limit": 1})
    begin = time.monotonic()
    assert venue.info("meta")
    assert time.monotonic() - begin >= 0.2


def test_reordered_request_is_carried_out_after_the_next(venue: SimVenue) -> None:
    put(venue, {"do": "reorder", "action": "order", "limit": 1})
    first, second = an_action(venue), an_action(venue)
    oids: dict[str, int] = {}

    def send(name: str, body: bytes) -> None:
        (status,) = json.loads(venue.post("/exchange", body)[1])["response"]["data"]["statuses"]
        oids[name] = status["resting"]["oid"]

    held = threading.Thread(target=send, args=("first", first))
    held.start()
    until(lambda: done(venue) == [1], 10, "the first request held back")
    send("second", second)
    held.join(10)
    assert oids["second"] < oids["first"]


def test_only_the_named_accounts_requests_are_touched(venue: SimVenue) -> None:
    put(venue, {"do": "answer", "action": "*", "status": 503, "address": "0x" + "11" * 20})
    assert venue.post("/exchange", an_action(venue))[0] == 200
    put(venue, {"do": "answer", "action": "*", "status": 503, "address": ANN})
    assert venue.post("/exchange", an_action(venue))[0] == 503
    assert venue.post("/exchange", an_action(venue, wallet=MASTER))[0] == 503
    put(venue, {"do": "answer", "info": "*", "status": 503, "address": ANN})
    assert venue.post("/info", {"type": "openOrders", "user": ANN})[0] == 503
    assert venue.info("meta")


async def test_posts_over_a_socket_meet_the_same_faults(venue: SimVenue) -> None:
    def post(number: int) -> dict[str, Any]:
        return {"method": "post", "id": number, "request": {"type": "info", "payload": {"type": "meta"}}}

    async with listening(venue) as socket:
        put(venue, {"do": "answer", "info": "meta", "status": 429, "limit": 1})
        await socket.send_json(post(1))
        assert (await hear(socket, "post"))["response"] == {"type": "error", "payload": "429 Too Many Requests"}
        put(venue, {"do": "drop", "info": "meta", "limit": 1})
        await socket.send_json(post(2))
        await socket.send_json(post(3))
        answer = await hear(socket, "post")
        assert (answer["id"], answer["response"]["type"]) == (3, "info")


# ---------------------------------------------------------------------- frames
async def test_dropped_frames_do_not_come_and_others_do(venue: SimVenue) -> None:
    put(venue, {"do": "drop", "channel": "l2Book", "coin": COIN})
    async with listening(venue, FAST, {"type": "activeAssetCtx", "coin": COIN}) as socket:
        seen = []
        async with asyncio.timeout(10):
            while "activeAssetCtx" not in seen:
                seen.append((await socket.receive_json())["channel"])
    assert "l2Book" not in seen
    assert done(venue)[0] >= 1


async def test_doubled_frame_comes_twice(venue: SimVenue) -> None:
    put(venue, {"do": "duplicate", "channel": "l2Book"})
    async with listening(venue, FAST) as socket:
        times = [(await hear(socket, "l2Book"))["time"] for _ in range(4)]
    assert times[0] == times[1]
    assert times[2] == times[3]


async def test_reordered_frame_comes_after_the_next(venue: SimVenue) -> None:
    async with listening(venue, FAST) as socket:
        await hear(socket, "l2Book")
        put(venue, {"do": "reorder", "channel": "l2Book", "by": 1, "limit": 1})
        first, second = [(await hear(socket, "l2Book"))["time"] for _ in range(2)]
    assert first > second


async def test_delayed_frames_are_old_when_they_come(venue: SimVenue) -> None:
    put(venue, {"do": "delay", "channel": "l2Book", "delay_s": [0.4, 0.4]})
    async with listening(venue, FAST) as socket:
        await hear(socket, "l2Book")
        late = (await hear(socket, "l2Book"))["time"]
        assert venue.get("/sim/clock")["now_ns"] // 10**6 - late >= 400


async def test_disconnect_cuts_the_socket_in_place_of_the_frame(venue: SimVenue) -> None:
    async with listening(venue, FAST) as socket:
        put(venue, {"do": "disconnect", "channel": "l2Book", "limit": 1})
        await ended(socket)
    async with listening(venue, FAST) as again:
        await hear(again, "l2Book")


async def test_silent_socket_stays_open_and_says_nothing_not_even_pongs(venue: SimVenue) -> None:
    async with listening(venue, FAST) as silent, listening(venue, FAST) as other:
        await hear(silent, "l2Book")
        put(venue, {"do": "silence", "channel": "pong", "for_s": 600, "limit": 1})
        await silent.send_json({"method": "ping"})
        await asyncio.to_thread(until, lambda: done(venue) == [1], 10, "the silence")
        heard: list[str] = []
        reader = asyncio.create_task(_listen(silent, heard))
        for _ in range(3):
            await hear(other, "l2Book")
        await silent.ping()
        await hear(other, "l2Book")
        assert not silent.closed
        assert not any("pong" in text for text in heard)
        assert len(heard) <= 1  # what was on its way
        reader.cancel()


async def _listen(socket: aiohttp.ClientWebSocketResponse, heard: list[str]) -> None:
    async for message in socket:
        heard.append(str(message.data))


async def test_follower_of_one_account_is_cut_off_alone(venue: SimVenue) -> None:
    async with listening(venue, FAST, {"type": "orderUpdates", "user": ANN}) as mine, listening(venue, FAST) as other:
        await hear(mine, "l2Book")
        put(venue, {"do": "disconnect", "channel": "*", "address": ANN})
        await ended(mine)
        await hear(other, "l2Book")
        assert not other.closed


async def test_opening_a_socket_may_be_refused(venue: SimVenue) -> None:
    put(venue, {"do": "answer", "connect": True, "status": 429, "limit": 1})
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(venue.url + "/ws")
        assert refused.value.status == 429
        async with session.ws_connect(venue.url + "/ws") as socket:
            assert await socket.receive_str()


# ---------------------------------------------------------------------- the whole venue
async def test_maintenance_closes_the_venue_and_ends(venue: SimVenue) -> None:
    async with listening(venue, FAST) as socket:
        put(venue, {"do": "maintenance", "until_s": 1.5})
        await ended(socket)
        got, body = await asyncio.to_thread(venue.post, "/info", {"type": "meta"})
        assert got == 503
        assert "503 Service Temporarily Unavailable" in body
        assert (await asyncio.to_thread(venue.post, "/exchange", an_action_body()))[0] == 503
        assert "t_ns" in venue.get("/sim/ledger")
    await asyncio.to_thread(until, lambda: venue.post("/info", {"type": "meta"})[0] == 200, 10, "the end of it")


def test_only_post_only_orders_are_taken_after_a_maintenance(venue: SimVenue) -> None:
    post_only = an_action(venue)
    put(venue, {"do": "maintenance", "until_s": 0.2, "post_only_s": 600})
    until(lambda: venue.post("/info", {"type": "meta"})[0] == 200, 10, "the end of it")
    assert "resting" in venue.post("/exchange", post_only)[1]
    taker = place(an_order(b=True, p="5000", t={"limit": {"tif": "Ioc"}}))
    _, body = venue.post("/exchange", signed(taker, Nonce.next()))
    assert "Only post-only orders allowed immediately after a network upgrade" in body


def an_action_body() -> bytes:
    return signed({"type": "noop"}, Nonce.next())


def test_clock_is_told_wrong_by_the_offset(venue: SimVenue) -> None:
    put(venue, {"do": "clock_offset", "offset_s": 90})
    told = venue.get("/sim/clock")
    true_ms = venue.info("l2Book", coin=COIN)["time"]
    assert 89_000 <= told["now_ns"] // 10**6 - true_ms <= 90_500


# ---------------------------------------------------------------------- the switch itself
def test_plan_is_told_back_with_what_it_did(venue: SimVenue) -> None:
    rule = {"do": "answer", "info": "meta", "status": 429, "probability": 0.5}
    put(venue, rule, seed=5)
    answers = [venue.post("/info", {"type": "meta"})[0] for _ in range(30)]
    told = venue.get("/sim/faults")
    assert told["seed"] == 5
    assert told["rules"] == [{**rule, "matched": 30, "done": answers.count(429)}]
    assert 0 < answers.count(429) < 30
    put(venue, rule, seed=5)
    assert [venue.post("/info", {"type": "meta"})[0] for _ in range(30)] == answers


def test_wrong_plan_is_refused_by_name_and_changes_nothing(venue: SimVenue) -> None:
    put(venue, {"do": "answer", "info": "meta", "status": 429})
    status, body = venue.post("/sim/faults", {"rules": [{"do": "answer", "info": "meta", "status": 200}]})
    assert status == 422
    assert json.loads(body)["reason"] == "fault_answer"
    assert "rules[0] (answer)" in json.loads(body)["error"]
    assert venue.post("/info", {"type": "meta"})[0] == 429


async def test_plan_must_be_sent_as_json(venue: SimVenue) -> None:
    text = {"Content-Type": "text/plain"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(venue.url + "/sim/faults", data="{}", headers=text) as r,
    ):
        assert r.status == 415


def test_plan_may_be_there_from_the_start(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"seed": 3, "rules": [{"do": "answer", "info": "meta", "status": 503}]}))
    with SimVenue("--faults", str(plan)) as venue:
        assert venue.post("/info", {"type": "meta"})[0] == 503
        assert venue.get("/sim/faults")["seed"] == 3


@pytest.mark.parametrize(
    ("text", "words"), [("{", "--faults"), ('{"rules":[{"do":"drop"}]}', "rules[0] (drop)"), (None, "--faults")]
)
def test_wrong_plan_ends_the_start_with_one_sentence(tmp_path: Path, text: str | None, words: str) -> None:
    plan = tmp_path / "plan.json"
    if text is not None:
        plan.write_text(text)
    code, out, err = run_to_end("--port", "0", "--metrics-port", "0", "--faults", str(plan))
    assert (code, out) == (78, "")
    assert words in err
    assert "Traceback" not in err


def test_nothing_of_all_this_is_a_fault_of_the_venue(running: SimVenue) -> None:
    assert running.errors() == []
    assert "Traceback" not in running.log
