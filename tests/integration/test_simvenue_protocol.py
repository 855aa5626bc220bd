"""simvenue as a process: the protocol beyond what the SDK uses, its limits, its refusals, its start and its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.simvenue_process import SimVenue, run_to_end, until
from tests.integration.simvenue_socket import hear, listening
from tests.support.shared import ROOT, shared
from tests.unit.simvenue.signing import MASTER, STRANGER, address, an_order, place, signed

COIN = "km:US500"
UNREADABLE = "Failed to deserialize the JSON body into the target type"
FUND = ("--fund", f"{address(MASTER)}=100000")


@pytest.fixture(scope="module")
def venue() -> Iterator[SimVenue]:
    with SimVenue("--speed", "10", "--latency", "good", "--no-ip-limit", *FUND) as running:
        yield running
        assert running.errors() == []
        assert running.end() == 0


class Nonce:
    """Nonces of the test account, above whatever other tests used."""

    last = 0

    @classmethod
    def next(cls) -> int:
        cls.last = max(int(time.time() * 1000), cls.last + 1)
        return cls.last


def far_order(venue: SimVenue, **changes: Any) -> dict[str, Any]:
    """An order one percent below the market."""
    bid = float(venue.info("l2Book", coin=COIN)["levels"][0][0]["px"])
    return an_order(p=f"{bid * 0.99:.2f}".rstrip("0").rstrip("."), **changes)


def act(venue: SimVenue, action: dict[str, Any], **how: Any) -> Any:
    status, body = venue.post("/exchange", signed(action, Nonce.next(), **how))
    assert status == 200, body
    return json.loads(body)


# ---------------------------------------------------------------------- actions over HTTP
def test_single_modify_answers_default_or_err(venue: SimVenue) -> None:
    placed = act(venue, place(far_order(venue)))
    oid = placed["response"]["data"]["statuses"][0]["resting"]["oid"]
    moved = {"type": "modify", "oid": oid, "order": far_order(venue, s="0.6")}
    assert act(venue, moved) == {"status": "ok", "response": {"type": "default"}}
    gone = act(venue, moved)
    assert gone["status"] == "err"
    assert gone["response"].startswith("Cannot modify canceled or filled order")
    (order,) = venue.info("openOrders", user=address(MASTER), dex="km")
    done = act(venue, {"type": "cancel", "cancels": [{"a": 150000, "o": order["oid"]}]})
    assert done["response"] == {"type": "cancel", "data": {"statuses": ["success"]}}


def test_action_left_out_is_unreadable_and_named_in_the_log(venue: SimVenue) -> None:
    body = signed({"type": "twapOrder"}, Nonce.next())
    assert venue.post("/exchange", body) == (422, UNREADABLE)
    until(lambda: '"action":"twapOrder"' in venue.log, 5, "the log line")


def test_market_nobody_trades_is_refused(venue: SimVenue) -> None:
    assert act(venue, place(an_order(a=1)))["status"] == "err"


def test_action_that_comes_too_late_costs_five(venue: SimVenue) -> None:
    before = venue.info("userRateLimit", user=address(MASTER))["nRequestsUsed"]
    late = venue.get("/sim/clock")["now_ns"] // 1_000_000
    answer = act(venue, place(far_order(venue)), expires_after=late)
    assert answer["status"] == "err"
    assert venue.info("userRateLimit", user=address(MASTER))["nRequestsUsed"] == before + 5
    assert venue.get("/sim/ledger")["actions"][address(MASTER)]["used"] == before + 5


def test_reply_takes_the_latency_of_the_market(venue: SimVenue) -> None:
    """Good latency is 100 ms there and 50 ms back: 15 ms of machine time at ten times the speed."""
    begin = time.monotonic()
    act(venue, {"type": "noop"})
    assert time.monotonic() - begin >= 0.0149


# ---------------------------------------------------------------------- malformed input
@pytest.mark.parametrize("path", ["/info", "/exchange"])
@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b'{"type":"nope"}', b"\xff\xfe", b"[" * 100_000])
def test_malformed_body_is_a_422(venue: SimVenue, path: str, body: bytes) -> None:
    assert venue.post(path, body) == (422, UNREADABLE)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["/info", "/exchange"]),
    st.binary(max_size=300)
    | st.builds(
        lambda action, nonce, extra: json.dumps({"action": action, "nonce": nonce, **extra}).encode(),
        st.dictionaries(st.sampled_from(["type", "orders", "cancels", "oid"]), st.text(max_size=9) | st.integers()),
        st.integers() | st.text(max_size=3),
        st.dictionaries(st.sampled_from(["signature", "vaultAddress", "expiresAfter"]), st.none() | st.text()),
    ),
)
def test_no_body_is_ever_a_fault_of_the_venue(venue: SimVenue, path: str, body: bytes) -> None:
    status, _ = venue.post(path, body)
    assert status == 422


def test_refusals_change_nothing(venue: SimVenue) -> None:
    def money() -> Any:
        ledger = venue.get("/sim/ledger")
        return ledger["accounts"], ledger["orders"], ledger["actions"]

    before = money()
    venue.post("/exchange", signed(place(), Nonce.next(), wallet=STRANGER))
    venue.post("/exchange", signed({"type": "usdSend"}, Nonce.next()))
    venue.post("/exchange", signed(place(), 1))
    assert money() == before


def test_too_large_body_is_refused(venue: SimVenue) -> None:
    assert venue.post("/info", b" " * (2 << 20))[0] == 413


def test_unknown_path_is_not_found_and_reads_need_post(venue: SimVenue) -> None:
    assert venue.post("/nothing", b"{}")[0] == 404
    with pytest.raises(Exception, match="405"):
        venue.get("/info")


# ---------------------------------------------------------------------- clock, ledger, metrics
def test_market_time_runs_at_its_rate(venue: SimVenue) -> None:
    first, begin = venue.get("/sim/clock"), time.monotonic()
    time.sleep(0.3)
    second, end = venue.get("/sim/clock"), time.monotonic()
    assert first["rate"] == 10.0
    assert set(first) == {"origin_ns", "rate", "now_ns", "session_offset_ns", "cut_ns"}
    passed = (second["now_ns"] - first["now_ns"]) / 1e9
    assert 2.9 < passed <= 10 * (end - begin) + 0.5


def test_metrics_and_health_have_a_port_of_their_own(venue: SimVenue) -> None:
    venue.post("/exchange", b"{}")
    port = json.loads(next(line for line in venue.log.splitlines() if "service_ready" in line))["metrics_port"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
        assert json.loads(answer.read())["ready"] is True
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    assert 'amm_bad_input_total{boundary="exchange",reason="shape"}' in text
    assert "amm_late_compiles_total 0.0" in text
    assert "amm_sim_lag_seconds" in text


def test_weight_by_ip_ends_in_429() -> None:
    with SimVenue("--speed", "1") as limited:
        answers = [limited.post("/info", {"type": "userRole", "user": address(MASTER)}) for _ in range(22)]
        assert [status for status, _ in answers[:20]] == [200] * 20
        assert answers[-1] == (429, "null")
        assert limited.post("/exchange", b"{}")[0] in (422, 429)


# ---------------------------------------------------------------------- WebSocket
async def test_socket_answers_pings_and_refuses_nonsense(venue: SimVenue) -> None:
    async with listening(venue) as socket:
        await socket.send_json({"method": "ping"})
        assert await socket.receive_json() == {"channel": "pong"}
        await socket.send_str("{}")
        assert (await hear(socket, "error")).startswith("Error parsing JSON into valid websocket request: ")
        await socket.send_bytes(b"{}")
        assert "binary" in await hear(socket, "error")


async def test_what_is_not_served_is_refused_on_its_channel_and_named_in_the_log(venue: SimVenue) -> None:
    async with listening(venue) as socket:
        await socket.send_json({"method": "subscribe", "subscription": {"type": "webData3"}})
        assert await hear(socket, "error") == 'Invalid subscription {"type": "webData3"}'
    assert venue.post("/info", {"type": "webData3"}) == (422, UNREADABLE)
    until(lambda: '"event":"ws_refused"' in venue.log and '"detail":"webData3"' in venue.log, 5, "the log lines")


async def test_posts_carry_info_and_actions(venue: SimVenue) -> None:
    async with listening(venue) as socket:
        await socket.send_json(
            {"method": "post", "id": 1, "request": {"type": "info", "payload": {"type": "allMids", "dex": "km"}}}
        )
        answer = await hear(socket, "post")
        assert (answer["id"], answer["response"]["type"]) == (1, "info")
        assert answer["response"]["payload"]["type"] == "allMids"
        payload = json.loads(signed({"type": "noop"}, Nonce.next()))
        await socket.send_json({"method": "post", "id": 2, "request": {"type": "action", "payload": payload}})
        answer = await hear(socket, "post")
        assert answer == {
            "id": 2,
            "response": {"type": "action", "payload": {"status": "ok", "response": {"type": "default"}}},
        }
        for number, kind in ((3, "info"), (4, "action")):
            await socket.send_json({"method": "post", "id": number, "request": {"type": kind, "payload": {}}})
            answer = await hear(socket, "post")
            assert answer["response"]["type"] == "error"
            assert answer["response"]["payload"].startswith("422")


async def test_posts_in_flight_are_limited() -> None:
    with SimVenue("--latency", "bad", *FUND) as slow:
        async with listening(slow) as socket:
            payloads = [json.loads(signed({"type": "noop"}, Nonce.next())) for _ in range(102)]
            for number, payload in enumerate(payloads):  # signed beforehand: all are sent before the first answer
                await socket.send_json(
                    {"method": "post", "id": number, "request": {"type": "action", "payload": payload}}
                )
            assert (await hear(socket, "error")).startswith("too many pending post requests id=")


async def test_fast_book_comes_ten_times_as_often_as_the_slow_one(venue: SimVenue) -> None:
    async with listening(venue) as socket:
        for fast in (False, True):
            body = {"type": "l2Book", "coin": COIN, **({"fast": True} if fast else {})}
            await socket.send_json({"method": "subscribe", "subscription": body})
        counts = {True: 0, False: 0}
        while counts[False] < 4:
            counts[bool((await hear(socket, "l2Book")).get("fast"))] += 1
        assert 20 <= counts[True] <= 45


async def test_owner_hears_of_an_order_from_open_to_canceled(venue: SimVenue) -> None:
    async with listening(venue) as socket:
        await socket.send_json(
            {"method": "subscribe", "subscription": {"type": "orderUpdates", "user": address(MASTER)}}
        )
        await hear(socket, "subscriptionResponse")
        order = far_order(venue, s="7.777")
        placed = await asyncio.to_thread(act, venue, place(order))
        (update,) = await hear(socket, "orderUpdates")
        assert update["status"] == "open"
        oid = placed["response"]["data"]["statuses"][0]["resting"]["oid"]
        assert update["order"]["oid"] == oid
        cancel = {"type": "cancel", "cancels": [{"a": 150000, "o": oid}]}
        await asyncio.to_thread(act, venue, cancel)
        (update,) = await hear(socket, "orderUpdates")
        assert update["status"] == "canceled"


# ---------------------------------------------------------------------- start and end
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_with_zero_even_with_open_sockets(number: int) -> None:
    async def while_listening(running: SimVenue) -> int:
        async with listening(running) as socket:
            await socket.send_json({"method": "subscribe", "subscription": {"type": "bbo", "coin": COIN}})
            await hear(socket, "subscriptionResponse")
            return await asyncio.to_thread(running.end, number)

    with SimVenue(*FUND) as running:
        assert asyncio.run(while_listening(running)) == 0
        assert running.errors() == []


def test_it_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    """A shell starts it in the background and is killed; the child must not stay behind."""
    out = tmp_path / "out"
    script = f"{sys.executable} -m simvenue --port 0 --metrics-port 0 > {out} 2>/dev/null & echo $!; wait"
    environ = {**os.environ, "AMM_PARENT": "1", "AMM_KERNELS": "plain", "MARKET": "us500"}
    parent = subprocess.Popen(["/bin/sh", "-c", script], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    until(lambda: out.exists() and out.read_text(), 30, "the venue's first line")
    parent.kill()
    parent.wait()
    until(lambda: _is_gone(child), 10, "the end of the orphan")


def _is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "words"),
    [
        (["--market", "mirror", "--upstream", "http://127.0.0.1:9"], {}, 75, "mirrored"),
        (["--market", "replay"], {}, 78, "--data"),
        (["--market", "replay", "--data", "/nowhere.npz"], {}, 78, "/nowhere.npz"),
        (["--speed", "0"], {}, 78, "--speed"),
        (["--fund", "0x12=5"], {}, 78, "--fund"),
        (["--agent", f"{'0x' + '1' * 40}"], {}, 78, "--agent"),
        (["--nonsense"], {}, 78, "--nonsense"),
        (["--profile", "atlantis"], {}, 78, "atlantis"),
        (["--also", "ETH"], {}, 78, "eth"),
        ([], {"MARKET": "atlantis"}, 78, "atlantis"),
    ],
)
def test_bad_start_ends_with_one_sentence(arguments: list[str], environ: dict[str, str], code: int, words: str) -> None:
    got, out, err = run_to_end("--port", "0", "--metrics-port", "0", *arguments, environ=environ)
    assert got == code, err
    assert out == ""
    assert words in err
    assert "Traceback" not in err


def test_taken_port_is_named() -> None:
    with SimVenue() as running:
        port = running.url.rpartition(":")[2]
        code, out, err = run_to_end("--port", port, "--metrics-port", "0")
        assert (code, out) == (78, "")
        assert port in err


def test_recorded_day_plays_from_its_first_book() -> None:
    day = shared("data/events/standx_BTC_2026-01-05.npz")
    with SimVenue("--market", "replay", "--data", str(day), "--speed", "20", profile="standx") as replay:
        book = until(lambda: _two_sided(replay.info("l2Book", coin="sx:BTC")), 10, "a book")
        assert len(book["levels"][0]) == 20
        assert [d["name"] for d in replay.info("perpDexs")[1:]][-1] == "sx"
        assert replay.info("meta", dex="sx")["universe"][0]["growthMode"] == "enabled"
        clock = replay.get("/sim/clock")
        recorded = (clock["now_ns"] + clock["session_offset_ns"]) / 1e9
        assert time.gmtime(recorded)[:3] == (2026, 1, 5)


def _two_sided(book: Any) -> Any:
    return book if all(book["levels"]) else None
