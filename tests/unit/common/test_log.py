"""One JSON event a line; what looks like a secret never leaves; errors are counted."""

from __future__ import annotations

import base64
import io
import json
import logging
import secrets
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from common import metrics
from common.log import configure, get_log
from common.redact import HIDDEN, TEXT_MAX, redact, redact_value

KEY = secrets.token_bytes(32)
"""A canary: a fresh random key in every run, searched for in everything that was written."""

HEX = KEY.hex()
ADDRESS = "0x" + "ab" * 20
CLOID = "0x" + "12" * 16


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level, hook = list(root.handlers), root.level, sys.excepthook
    stream = io.StringIO()
    configure("tested", "debug", stream)
    yield stream
    configure("-", "info")
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)


def parsed(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def canary_forms() -> dict[str, str]:
    """All the ways a key has been seen to leak."""
    upper, number = HEX.upper(), str(int(HEX, 16)).rjust(77, "1")
    return {
        "hex": HEX,
        "0x hex": "0x" + HEX,
        "upper": upper,
        "0x upper": "0X" + upper,
        "cut hex": HEX[:50],
        "base64": base64.b64encode(b"\x01\xffAz9" + KEY[5:]).decode(),
        "base64 without padding": base64.b64encode(b"\x01\xffAz9" + KEY[5:]).decode().rstrip("="),
        "number": number,
        "bytes": repr(b"\x00\xff" + KEY),
        "json": json.dumps({"k": "0x" + HEX}),
        "numbers": json.dumps(list(KEY)),
        "quoted": f"'{HEX}'",
        "in a sentence": f"bad key 0x{HEX}, refused",
        "in a path": f"/run/{HEX}/x",
        "in a url": f"https://host/?k={HEX}&b=1",
    }


@pytest.mark.parametrize("form", canary_forms())
def test_key_in_any_form_is_hidden(lines: io.StringIO, form: str) -> None:
    text = canary_forms()[form]
    log = get_log("room")
    log.info("key_seen", text=text, deep={"a": [{"b": text}]}, as_name=text)
    log.warning(text)
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("signing_failed")
    logging.getLogger("library").error("said %s", text)
    written = lines.getvalue()
    assert text not in written
    for start in range(len(HEX) - 15):
        assert HEX[start : start + 16] not in written.lower()


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abc.def-123",
        "https://hooks.slack.com/services/T000/B000/XXXX",
        "redis://user:hunter2@host:6379/0",
        "redis://:hunter2@host:6379/0",
        "password=hunter2",
        '"secret": "hunter2"',
        "token: hunter2",
        "private_key hunter2",
    ],
)
def test_password_token_and_webhook_are_hidden(text: str) -> None:
    found = redact(f"before {text} after")
    assert HIDDEN in found
    assert "hunter2" not in found
    assert "T000" not in found
    assert "abc.def" not in found
    assert found.startswith("before")


@pytest.mark.parametrize(
    "text", [ADDRESS, CLOID, "km:US500", "1763638859336215000", "a governor with 12 tokens", "config/us500.toml", "0.1"]
)
def test_what_people_need_to_read_stays(text: str) -> None:
    assert redact(text) == text


def test_value_under_a_secret_name_is_hidden_whatever_it_is() -> None:
    found = redact_value({"agent_key": "short", "private_key": 5, "tokens": 3, "n": {"password": ["a"]}, "b": b"raw"})
    assert found == {
        "agent_key": HIDDEN, "private_key": HIDDEN, "tokens": 3, "n": {"password": HIDDEN}, "b": "[3 bytes]",
    }  # fmt: skip


def test_huge_deep_and_foreign_values_are_cut() -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = [deep]
    assert len(redact("a " * 100_000)) <= TEXT_MAX + 3
    assert "[deep]" in json.dumps(redact_value(deep))
    assert redact_value(object()).startswith("<object")
    assert redact_value(int(HEX, 16) | 1 << 255) == HIDDEN


def test_line_is_one_json_object_with_service_room_and_level(lines: io.StringIO) -> None:
    get_log("feed").info("book_dropped", coin="km:US500", reason="crossed", n=3)
    (line,) = parsed(lines)
    assert line.pop("ts").endswith("Z")
    assert line == {
        "level": "info", "service": "tested", "event": "book_dropped", "room": "feed", "coin": "km:US500",
        "reason": "crossed", "n": 3,
    }  # fmt: skip


def test_newlines_and_escapes_cannot_forge_a_line(lines: io.StringIO) -> None:
    get_log("feed").info("kill_asked", reason='x\n{"level":"error"}\x1b[31m\u2028')
    assert len(lines.getvalue().split("\n")) == 2
    assert "\x1b" not in lines.getvalue()
    assert parsed(lines)[0]["reason"].startswith("x\n")


def test_errors_are_counted_and_lower_levels_are_not(lines: io.StringIO) -> None:
    before = metrics.value("amm_log_errors_total")
    log = get_log("feed")
    log.warning("link_lost")
    log.error("promise_broken")
    log.critical("worse")
    logging.getLogger("asyncio").error("task was destroyed")
    assert metrics.value("amm_log_errors_total") == before + 3


def test_traceback_shows_no_local_variables(lines: io.StringIO) -> None:
    def sign(key: str) -> None:
        raise RuntimeError(f"cannot sign with {len(key)} letters")

    phrase = "-".join(("correct", "horse"))
    try:
        sign(phrase)
    except RuntimeError:
        get_log("executor").exception("signing_failed")
    assert "cannot sign" in lines.getvalue()
    assert phrase not in lines.getvalue()


def test_uncaught_exception_is_a_log_line(lines: io.StringIO) -> None:
    try:
        raise KeyError(f"0x{HEX}")
    except KeyError as error:
        sys.excepthook(KeyError, error, error.__traceback__)
    assert parsed(lines)[0]["event"] == "exception_not_caught"
    assert HEX not in lines.getvalue()


def test_level_below_the_configured_one_is_silent(lines: io.StringIO) -> None:
    configure("tested", "warning", lines)
    get_log("feed").info("nothing")
    assert lines.getvalue() == ""
