"""Frames that wait, change places, arrive twice or never; requests that wait for others."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simvenue.faults.faults import Fate, Faults, Page
from simvenue.faults.gate import Gate, Passed, Vanished, page_text, question
from simvenue.faults.line import HELD_S, Line, Pipe, named
from simvenue.faults.rules import decode
from tests.support.waiting import until

S = 1_000_000_000


def sent(pipe: Pipe, s: float) -> list[str]:
    return [frame.decode() for frame in pipe.due(int(s * S))]


def put(pipe: Pipe, frame: str, s: float = 0.0, **fate: object) -> None:
    pipe.put(int(s * S), frame.encode(), Fate()._replace(**fate))


# ---------------------------------------------------------------------- the pipe
def test_unharmed_frames_pass_at_once_and_in_order() -> None:
    pipe = Pipe()
    for frame in "abc":
        put(pipe, frame)
    assert sent(pipe, 0) == ["a", "b", "c"]
    assert pipe.is_empty
    assert pipe.next_ns() is None


def test_delayed_frame_holds_up_all_behind_it() -> None:
    pipe = Pipe()
    put(pipe, "a", delay_s=2.0)
    put(pipe, "b", 0.5)
    assert sent(pipe, 1) == []
    assert pipe.next_ns() == 2 * S
    assert sent(pipe, 2) == ["a", "b"]


def test_doubled_frame_arrives_twice_and_dropped_one_never() -> None:
    pipe = Pipe()
    put(pipe, "a", copies=2)
    put(pipe, "b", copies=0)
    assert sent(pipe, 0) == ["a", "a"]


def test_frame_held_back_follows_after_so_many_others() -> None:
    pipe = Pipe()
    put(pipe, "a", behind=2)
    for frame in "bcd":
        put(pipe, frame)
    assert sent(pipe, 0) == ["b", "c", "a", "d"]


def test_frame_held_back_does_not_wait_for_ever() -> None:
    pipe = Pipe()
    put(pipe, "a", behind=2)
    put(pipe, "b")
    assert sent(pipe, 0.5) == ["b"]
    assert pipe.next_ns() == int(HELD_S * S)
    assert sent(pipe, HELD_S) == ["a"]


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([0.0, 0.0, 0.1, 1.5]), st.integers(0, 3), st.floats(0, 0.3)),
        max_size=40,
    )
)
def test_pipe_loses_and_adds_nothing_on_its_own(script: list[tuple[int, float, int, float]]) -> None:
    pipe, now, out, want = Pipe(), 0.0, list[str](), list[str]()
    for number, (copies, delay_s, behind, step) in enumerate(script):
        now += step
        put(pipe, str(number), now, copies=copies, delay_s=delay_s, behind=behind)
        want += [str(number)] * copies
        out += sent(pipe, now)
    while (due := pipe.next_ns()) is not None:
        now = max(now, due / S)
        out += sent(pipe, now + 1e-6)
    assert sorted(out) == sorted(want)


# ---------------------------------------------------------------------- the line
class Ear:
    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.hears = asyncio.Event()
        self.is_cut = False

    def push(self, frame: bytes) -> None:
        self.heard.append(frame)
        self.hears.set()

    def cut(self) -> None:
        self.is_cut = True


def a_line(*rules: dict[str, object]) -> tuple[Line, Ear]:
    faults = Faults(decode(json.dumps({"rules": rules}).encode()), 0)
    ear = Ear()
    return Line(0, ear, lambda: faults), ear


BBO = b'{"channel":"bbo","data":{"coin":"km:US500","time":1}}'


@pytest.mark.parametrize(
    ("frame", "names"),
    [
        (BBO, ("bbo", "km:US500")),
        (b'{"channel":"trades","data":[{"coin":"BTC"}]}', ("trades", "BTC")),
        (b'{"channel":"pong"}', ("pong", "")),
        (b"Websocket connection established.", ("", "")),
    ],
)
def test_frame_is_known_by_channel_and_coin(frame: bytes, names: tuple[str, str]) -> None:
    assert named(frame) == names


async def test_silent_line_swallows_everything_until_it_wakes() -> None:
    line, ear = a_line({"do": "silence", "channel": "bbo", "for_s": 0.05, "limit": 1})
    line.push(b'{"channel":"pong"}')
    line.push(BBO)
    line.push(b'{"channel":"pong"}')
    assert ear.heard == [b'{"channel":"pong"}']
    assert line.is_silent
    await until(lambda: not line.is_silent, "the end of the silence")
    line.push(BBO)
    assert ear.heard[1:] == [BBO]


async def test_cut_line_cuts_its_socket() -> None:
    line, ear = a_line({"do": "disconnect", "channel": "bbo"})
    line.push(BBO)
    assert ear.is_cut
    assert ear.heard == []


async def test_delayed_frame_is_sent_by_the_lines_own_timer() -> None:
    line, ear = a_line({"do": "delay", "channel": "bbo", "delay_s": [0.02, 0.02]})
    line.push(BBO)
    assert ear.heard == []
    await asyncio.wait_for(ear.hears.wait(), 5)
    assert ear.heard == [BBO]
    line.close()


# ---------------------------------------------------------------------- the gate
def a_gate(*rules: dict[str, object]) -> Gate:
    return Gate(decode(json.dumps({"rules": rules}).encode()))


class Hand:
    """Carries requests out and counts."""

    def __init__(self) -> None:
        self.done: list[int] = []

    async def do(self, number: int = 0) -> int:
        self.done.append(number)
        return len(self.done)


async def ask(gate: Gate, hand: Hand, number: int = 0, name: str = "order") -> object:
    return await gate.request("action", name, "", lambda: hand.do(number))


async def test_lost_reply_was_carried_out_and_a_lost_request_was_not() -> None:
    hand = Hand()
    with pytest.raises(Vanished):
        await ask(a_gate({"do": "lose_reply", "action": "order"}), hand)
    assert len(hand.done) == 1
    with pytest.raises(Vanished):
        await ask(a_gate({"do": "drop", "action": "order"}), hand)
    assert len(hand.done) == 1


async def test_page_may_come_before_or_after_the_deed() -> None:
    hand = Hand()
    assert await ask(a_gate({"do": "answer", "action": "order", "status": 429}), hand) == Page(429, False)
    assert hand.done == []
    after = a_gate({"do": "answer", "action": "order", "status": 504, "after": True})
    assert await ask(after, hand) == Page(504, False)
    assert hand.done == [0]


async def test_doubled_request_is_answered_once_with_the_first_answer() -> None:
    hand = Hand()
    assert await ask(a_gate({"do": "duplicate", "action": "order"}), hand) == Passed(1)
    assert len(hand.done) == 2


async def test_request_held_back_lets_the_next_pass() -> None:
    hand = Hand()
    gate = a_gate({"do": "reorder", "action": "order", "limit": 1})
    first = asyncio.create_task(ask(gate, hand, 1))
    await asyncio.sleep(0)
    await ask(gate, hand, 2)
    await asyncio.wait_for(first, 0.5)
    assert hand.done == [2, 1]


def test_pages_read_as_a_proxy_and_the_venue_write_them() -> None:
    assert page_text(Page(429, is_html=False)) == ("null", "application/json")
    body, kind = page_text(Page(502, is_html=True))
    assert kind == "text/html"
    assert "<h1>502 Bad Gateway</h1>" in body
    assert page_text(Page(500, is_html=False)) == ("500 Internal Server Error", "text/plain")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"type":"openOrders","user":"0xAB"}', ("openOrders", "0xab")),
        (b'{"type":"meta"}', ("meta", "")),
        (b"{", ("", "")),
        (b'{"type":5}', ("", "")),
        (b"[" * 100_000, ("", "")),
    ],
)
def test_question_is_known_by_type_and_account(body: bytes, found: tuple[str, str]) -> None:
    assert question(body) == found
