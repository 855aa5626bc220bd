"""Faults on purpose, decided: what each rule does, when it is awake, that chance comes from the seed alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import BadInput
from simvenue.faults.faults import NO_ORDEAL, UNHARMED, Fate, Faults, Ordeal, Page
from simvenue.faults.rules import RULES_MAX, Plan, decode

S = 1_000_000_000
ANN, BOB = "0x" + "a1" * 20, "0x" + "b0" * 20
NOBODY: frozenset[str] = frozenset()


def faults(*rules: dict[str, Any], seed: int = 1) -> Faults:
    return Faults(decode(json.dumps({"seed": seed, "rules": rules}).encode()), 0)


def a_frame(at: Faults, s: float = 0.0, *, line: int = 0, channel: str = "bbo", coin: str = "BTC", **more: Any) -> Fate:
    return at.frame(int(s * S), line, channel, coin, more.get("follows", NOBODY))


def a_request(at: Faults, s: float = 0.0, kind: str = "action", name: str = "order", address: str = ANN) -> Ordeal:
    return at.request(int(s * S), kind, name, address)


# ---------------------------------------------------------------------- what each rule does
@pytest.mark.parametrize(
    ("rule", "fate"),
    [
        ({"do": "drop"}, Fate(copies=0)),
        ({"do": "duplicate"}, Fate(copies=2)),
        ({"do": "delay", "delay_s": [0.5, 0.5]}, Fate(delay_s=0.5)),
        ({"do": "reorder", "by": 3}, Fate(behind=3)),
        ({"do": "disconnect"}, Fate(copies=0, cut=True)),
        ({"do": "silence", "for_s": 9}, Fate(copies=0, silent_s=9.0)),
    ],
)
def test_frame_of_the_named_channel_meets_its_fate(rule: dict[str, Any], fate: Fate) -> None:
    at = faults({**rule, "channel": "bbo"})
    assert a_frame(at) == fate
    assert a_frame(at, channel="trades") == UNHARMED


@pytest.mark.parametrize(
    ("rule", "ordeal"),
    [
        ({"do": "drop"}, Ordeal(copies=0, hang_s=0.0)),
        ({"do": "duplicate"}, Ordeal(copies=2)),
        ({"do": "delay", "delay_s": [2, 2]}, Ordeal(delay_s=2.0)),
        ({"do": "reorder"}, Ordeal(behind=1)),
        ({"do": "lose_reply", "hang_s": 5}, Ordeal(hang_s=5.0)),
        ({"do": "answer", "status": 429}, Ordeal(copies=0, page=Page(429, False))),
        ({"do": "answer", "status": 502, "html": True, "after": True}, Ordeal(page=Page(502, True))),
    ],
)
def test_request_of_the_named_type_goes_through_its_ordeal(rule: dict[str, Any], ordeal: Ordeal) -> None:
    at = faults({**rule, "action": "order"})
    assert a_request(at) == ordeal
    assert a_request(at, name="cancel") == NO_ORDEAL
    assert a_request(at, kind="info", name="order") == NO_ORDEAL


def test_star_means_every_type_of_its_kind_and_no_other_kind() -> None:
    at = faults({"do": "drop", "info": "*"})
    assert a_request(at, kind="info", name="meta").copies == 0
    assert a_request(at) == NO_ORDEAL
    assert a_frame(at) == UNHARMED


def test_rules_add_up() -> None:
    at = faults(
        {"do": "delay", "channel": "*", "delay_s": [1, 1]},
        {"do": "delay", "channel": "bbo", "delay_s": [2, 2]},
        {"do": "duplicate", "channel": "bbo"},
        {"do": "duplicate", "channel": "bbo"},
    )
    assert a_frame(at) == Fate(copies=3, delay_s=3.0)


def test_what_was_dropped_is_not_doubled_back_to_life() -> None:
    at = faults({"do": "drop", "channel": "bbo"}, {"do": "duplicate", "channel": "bbo"})
    assert a_frame(at).copies == 0


def test_coin_and_address_narrow_a_rule() -> None:
    by_coin = faults({"do": "drop", "channel": "bbo", "coin": "BTC"})
    assert a_frame(by_coin).copies == 0
    assert a_frame(by_coin, coin="ETH") == UNHARMED
    by_follower = faults({"do": "drop", "channel": "bbo", "address": ANN})
    assert a_frame(by_follower, follows=frozenset({ANN, BOB})).copies == 0
    assert a_frame(by_follower, follows=frozenset({BOB})) == UNHARMED
    by_account = faults({"do": "lose_reply", "action": "*", "address": ANN})
    assert a_request(by_account).hang_s == 0.0
    assert a_request(by_account, address=BOB) == NO_ORDEAL


def test_delay_lies_within_its_range() -> None:
    at = faults({"do": "delay", "channel": "bbo", "delay_s": [0.2, 0.4]})
    delays = [a_frame(at).delay_s for _ in range(200)]
    assert 0.2 <= min(delays) < 0.22
    assert 0.38 < max(delays) < 0.4


# ---------------------------------------------------------------------- when
def test_rule_sleeps_outside_its_window() -> None:
    at = faults({"do": "drop", "channel": "bbo", "from_s": 10, "until_s": 20})
    assert [a_frame(at, s).copies for s in (0, 9.999, 10, 19.999, 20)] == [1, 1, 0, 0, 1]


def test_limit_ends_a_rule() -> None:
    at = faults({"do": "drop", "channel": "bbo", "limit": 2})
    assert [a_frame(at).copies for _ in range(4)] == [0, 0, 1, 1]
    assert at.report(S)["rules"][0]["done"] == 2


def test_maintenance_closes_everything_for_its_window() -> None:
    at = faults({"do": "maintenance", "from_s": 1, "until_s": 2})
    closed = Page(503, is_html=True)
    assert a_request(at, 1) == Ordeal(copies=0, page=closed)
    assert a_frame(at, 1) == Fate(copies=0, cut=True)
    assert at.connect(S) == closed
    assert (a_request(at, 2), a_frame(at, 2), at.connect(2 * S)) == (NO_ORDEAL, UNHARMED, None)


def test_post_only_period_follows_a_maintenance_that_says_so() -> None:
    at = faults({"do": "maintenance", "from_s": 1, "until_s": 2, "post_only_s": 3})
    assert [at.post_only_left_s(s * S) for s in (0, 1, 2, 4, 5, 6)] == [0.0, 0.0, 3.0, 1.0, 0.0, 0.0]
    assert faults({"do": "maintenance"}).post_only_left_s(S) == 0.0


def test_opening_of_a_socket_may_be_refused() -> None:
    at = faults({"do": "answer", "connect": True, "status": 429, "limit": 1})
    assert at.connect(0) == Page(429, is_html=False)
    assert at.connect(0) is None
    assert a_request(at) == NO_ORDEAL


def test_clock_offsets_add_up_within_their_windows() -> None:
    at = faults({"do": "clock_offset", "offset_s": 2.5}, {"do": "clock_offset", "offset_s": -1, "from_s": 10})
    assert at.clock_offset_ns(0) == 2_500_000_000
    assert at.clock_offset_ns(10 * S) == 1_500_000_000


# ---------------------------------------------------------------------- chance
CHANCY = {"do": "drop", "channel": "*", "probability": 0.3}


def test_probability_is_kept() -> None:
    at = faults(CHANCY)
    dropped = sum(a_frame(at).copies == 0 for _ in range(4000))
    assert 1120 <= dropped <= 1280
    assert at.report(0)["rules"][0]["matched"] == 4000
    assert at.report(0)["rules"][0]["done"] == dropped


def test_certain_rule_always_strikes_and_impossible_one_never() -> None:
    sure, never = faults({**CHANCY, "probability": 1}), faults({**CHANCY, "probability": 0})
    assert {a_frame(sure).copies for _ in range(300)} == {0}
    assert {a_frame(never).copies for _ in range(300)} == {1}


def test_same_seed_gives_the_same_faults_and_another_seed_others() -> None:
    def run(seed: int) -> list[int]:
        at = faults(CHANCY, seed=seed)
        return [a_frame(at).copies for _ in range(200)]

    assert run(4711) == run(4711)
    assert run(4711) != run(4712)


@given(st.permutations([0] * 15 + [1] * 15 + [2] * 15))
def test_streams_meet_the_same_faults_however_they_interleave(order: list[int]) -> None:
    """Three coins of one socket, in any order: what happens to each coin's n-th frame stays the same."""
    apart, mixed = faults(CHANCY), faults(CHANCY)
    want = {coin: [a_frame(apart, coin=f"C{coin}").copies for _ in range(15)] for coin in range(3)}
    got: dict[int, list[int]] = {0: [], 1: [], 2: []}
    for coin in order:
        got[coin].append(a_frame(mixed, coin=f"C{coin}").copies)
    assert got == want


def test_rules_and_sockets_draw_apart() -> None:
    at = faults(CHANCY, {**CHANCY, "do": "duplicate"})
    first = [a_frame(at, line=0) for _ in range(100)]
    second = [a_frame(at, line=1) for _ in range(100)]
    assert first != second
    assert {fate.copies for fate in first} == {0, 1, 2}


def test_what_was_counted_of_a_socket_is_forgotten_with_it() -> None:
    at = faults(CHANCY)
    for line in range(1000):
        a_frame(at, line=line)
        at.gone(line)
    assert len(at._places) == 0


# ---------------------------------------------------------------------- strict reading
def test_empty_plan_touches_nothing() -> None:
    at = Faults(Plan(), 0)
    assert not at.touches_frames
    assert not at.needs_address
    assert (a_frame(at), a_request(at), at.connect(0), at.clock_offset_ns(0)) == (UNHARMED, NO_ORDEAL, None, 0)


def test_plan_knows_what_it_needs() -> None:
    assert not faults({"do": "drop", "action": "*"}).touches_frames
    assert faults({"do": "drop", "channel": "*"}).touches_frames
    assert faults({"do": "maintenance"}).touches_frames
    assert faults({"do": "drop", "action": "*", "address": ANN}).needs_address
    assert not faults({"do": "drop", "channel": "*", "address": ANN}).needs_address


@pytest.mark.parametrize(
    ("rules", "reason", "words"),
    [
        ([{"do": "explode"}], "fault_shape", "explode"),
        ([{"channel": "bbo"}], "fault_shape", "do"),
        ([{"do": "drop", "channel": "bbo", "chance": 1}], "fault_shape", "chance"),
        ([{"do": "drop"}], "fault_subject", "action, channel, info"),
        ([{"do": "drop", "channel": "bbo", "action": "order"}], "fault_subject", "exactly one"),
        ([{"do": "drop", "action": "order", "coin": "BTC"}], "fault_subject", "coin"),
        ([{"do": "disconnect"}], "fault_shape", "channel"),
        ([{"do": "lose_reply", "channel": "bbo"}], "fault_shape", "channel"),
        ([{"do": "drop", "channel": "b-b-o"}], "fault_shape", "channel"),
        ([{"do": "drop", "channel": "bbo", "probability": 1.1}], "fault_shape", "probability"),
        ([{"do": "drop", "channel": "bbo", "probability": -0.1}], "fault_shape", "probability"),
        ([{"do": "drop", "channel": "bbo", "from_s": 5, "until_s": 5}], "fault_window", "rules[0]"),
        ([{"do": "drop", "channel": "bbo", "from_s": -1}], "fault_shape", "from_s"),
        ([{"do": "drop", "channel": "bbo", "limit": 0}], "fault_shape", "limit"),
        ([{"do": "drop", "channel": "bbo", "address": "0xAA"}], "fault_shape", "address"),
        ([{"do": "delay", "channel": "bbo"}], "fault_shape", "delay_s"),
        ([{"do": "delay", "channel": "bbo", "delay_s": [2, 1]}], "fault_delay", "greater"),
        ([{"do": "delay", "channel": "bbo", "delay_s": [0, 601]}], "fault_shape", "delay_s"),
        ([{"do": "reorder", "channel": "bbo", "by": 0}], "fault_shape", "by"),
        ([{"do": "silence", "channel": "bbo", "for_s": 0}], "fault_shape", "for_s"),
        ([{"do": "answer", "action": "order", "status": 200}], "fault_answer", "html"),
        ([{"do": "answer", "action": "order", "status": 418}], "fault_shape", "418"),
        ([{"do": "answer", "connect": True, "after": True, "status": 502}], "fault_answer", "after"),
        ([{"do": "answer", "connect": True, "address": ANN, "status": 502}], "fault_answer", "connect"),
        ([{"do": "clock_offset", "offset_s": 1e9}], "fault_shape", "offset_s"),
        ([{"do": "maintenance", "probability": 0.5}], "fault_shape", "probability"),
        ([{"do": "maintenance"}] * (RULES_MAX + 1), "fault_shape", "rules"),
    ],
)
def test_wrong_rule_is_refused_by_name(rules: list[dict[str, Any]], reason: str, words: str) -> None:
    with pytest.raises(BadInput) as refused:
        decode(json.dumps({"rules": rules}).encode())
    assert refused.value.reason == reason
    assert words in refused.value.detail


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"\xff", b"[" * 100_000, b'{"sed":1}', b'{"seed":-1}'])
def test_what_is_no_plan_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput):
        decode(body)


@given(st.binary(max_size=200))
def test_decoding_raises_bad_input_only(body: bytes) -> None:
    try:
        decode(body)
    except BadInput:
        return


def test_report_repeats_the_plan_so_that_it_can_be_given_again() -> None:
    rule = {"do": "delay", "channel": "bbo", "delay_s": [0.1, 0.2], "probability": 0.5, "limit": 7}
    (told,) = faults(rule, seed=9).report(3 * S)["rules"]
    again = json.loads(json.dumps({key: value for key, value in told.items() if key not in ("matched", "done")}))
    assert again == rule
    assert faults(rule, seed=9).report(3 * S)["age_s"] == 3.0
