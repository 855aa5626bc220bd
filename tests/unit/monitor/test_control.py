"""Who may command, and what he may say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.control import BODY_BYTES_MAX, Denied, Sender, check_host, check_sender, clean, reason_of

TOKEN = "t0ken-of-thirty-two-characters-xx"


def a_sender(**changes: Any) -> Sender:
    facts: dict[str, Any] = {
        "method": "POST",
        "host": "127.0.0.1:8080",
        "origin": None,
        "fetch_site": None,
        "authorization": [f"Bearer {TOKEN}"],
        "query": "",
    }
    return Sender(**(facts | changes))


def refused(sender: Sender, token: str = TOKEN) -> tuple[int, str]:
    with pytest.raises(Denied) as caught:
        check_sender(sender, token)
    return caught.value.status, caught.value.reason


def bad_body(body: bytes, content_type: str = "application/json") -> tuple[int, str]:
    with pytest.raises(Denied) as caught:
        reason_of(body, content_type)
    return caught.value.status, caught.value.reason


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"host": "localhost:8080"},
        {"host": "[::1]:8080"},
        {"origin": "http://127.0.0.1:8080", "fetch_site": "same-origin"},
        {"authorization": [f"bearer {TOKEN}"]},
    ],
)
def test_a_person_on_this_machine_with_the_token_is_obeyed(changes: dict[str, Any]) -> None:
    check_sender(a_sender(**changes), TOKEN)


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"authorization": []}, 401, "no_auth"),
        ({"authorization": ["Bearer "]}, 401, "wrong_token"),
        ({"authorization": ["Bearer " + "x" * len(TOKEN)]}, 401, "wrong_token"),
        ({"authorization": [f"Bearer {TOKEN} "]}, 401, "wrong_token"),
        ({"authorization": [f"Bearer {TOKEN}\x00"]}, 401, "wrong_token"),
        ({"authorization": ["Bearer \udcff"]}, 401, "wrong_token"),
        ({"authorization": [TOKEN]}, 401, "not_bearer"),
        ({"authorization": [f"Basic {TOKEN}"]}, 401, "not_bearer"),
        ({"authorization": [f"Bearer {TOKEN}"] * 2}, 401, "two_auth"),
        ({"query": f"token={TOKEN}"}, 400, "query"),
        ({"method": "GET"}, 405, "method"),
        ({"method": "HEAD"}, 405, "method"),
        ({"method": "OPTIONS"}, 405, "method"),
        ({"method": "TRACE"}, 405, "method"),
        ({"host": "evil.example:8080"}, 403, "foreign_host"),
        ({"host": ""}, 403, "foreign_host"),
        ({"host": "[::"}, 403, "foreign_host"),
        ({"host": "127.0.0.1.evil.example"}, 403, "foreign_host"),
        ({"origin": "http://evil.example"}, 403, "foreign_origin"),
        ({"origin": "null"}, 403, "foreign_origin"),
        ({"origin": "http://[::"}, 403, "foreign_origin"),
        ({"fetch_site": "cross-site"}, 403, "foreign_origin"),
    ],
)
def test_everybody_else_is_refused_by_name(changes: dict[str, Any], status: int, reason: str) -> None:
    assert refused(a_sender(**changes)) == (status, reason)


def test_without_a_token_file_nobody_is_obeyed() -> None:
    assert refused(a_sender(authorization=["Bearer "]), token="") == (503, "no_token")
    assert refused(a_sender(authorization=["Bearer short"]), token="short") == (503, "no_token")


def test_reading_needs_a_host_name_of_ours() -> None:
    check_host("127.0.0.1:8080")
    with pytest.raises(Denied):
        check_host("attacker.example")


def test_no_body_gives_no_reason() -> None:
    assert reason_of(b"", "application/octet-stream") == ""
    assert reason_of(b"{}", "application/json") == ""


@pytest.mark.parametrize(
    ("body", "content_type", "status", "reason"),
    [
        (b'{"reason":"x"}', "text/plain", 415, "content_type"),
        (b"reason=x", "application/x-www-form-urlencoded", 415, "content_type"),
        (b"--x", "multipart/form-data", 415, "content_type"),
        (b"[]", "application/json", 400, "bad_body"),
        (b'{"reason":', "application/json", 400, "bad_body"),
        (b'{"reason":NaN}', "application/json", 400, "bad_body"),
        (b'{"reason":7}', "application/json", 400, "bad_body"),
        (b'{"limit":7}', "application/json", 400, "bad_body"),
        (b'{"reason":"\xff"}', "application/json", 400, "bad_body"),
        (b'{"reason":"a","reason":"b"}', "application/json", 400, "duplicate_key"),
        (b'{"x":' + b"[" * 60_000, "application/json", 400, "bad_body"),
        (b" " * (BODY_BYTES_MAX + 1), "application/json", 413, "too_long"),
    ],
)
def test_bad_body_is_refused_by_name(body: bytes, content_type: str, status: int, reason: str) -> None:
    assert bad_body(body, content_type) == (status, reason)


def test_reason_is_one_printable_line_of_bounded_length() -> None:
    body = json.dumps({"reason": "stop\r\n{0.__class__}\x1b[31m%s <b>now</b>\u202e" + "x" * 5_000}).encode()
    told = reason_of(body, "application/json")
    assert told.startswith("stop {0.__class__} [31m%s <b>now</b> x")
    assert len(told) == 500


@given(st.text(max_size=3_000))
def test_cleaned_text_never_breaks_a_line(text: str) -> None:
    told = clean(text)
    assert len(told) <= 500
    assert told.isprintable()


@given(st.binary(max_size=300))
def test_any_body_gives_a_reason_or_a_named_refusal(body: bytes) -> None:
    try:
        assert reason_of(body, "application/json").isprintable()
    except Denied as denied:
        assert 400 <= denied.status < 500  # noqa: PT017
