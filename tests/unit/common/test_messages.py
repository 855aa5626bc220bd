"""Messages on the wire: small, tagged, growing only at their ends, and checked when they are read."""

from __future__ import annotations

import contextlib
import json
import math
import typing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import BadInput
from common.inbox import decode
from common.messages import AnyMessage, BookUpdate, Envelope, Level, Position, QuoteInputs, QuoteRecord, Touch
from tests.support.messages import COIN, a_fill, a_heartbeat, a_permit, a_touch, an_alert

FIELDS = Path(__file__).parent / "message_fields.json"
PARTS = (Level, QuoteInputs, QuoteRecord, Position, Envelope)
ALL = (*typing.get_args(AnyMessage), *PARTS)
encode = msgspec.msgpack.encode


def a_book(levels: int = 20) -> BookUpdate:
    return BookUpdate(
        t_ns=1, coin=COIN, venue_t_ns=1, recv_t_ns=1, bids=[(752_000 - n, 10) for n in range(levels)],
        asks=[(752_100 + n, 10) for n in range(levels)], touch_t_ns=1, fast_t_ns=1, deep_t_ns=1, fast_levels=5,
    )  # fmt: skip


@pytest.mark.parametrize("message", [a_touch(1), a_fill(1), a_permit(1), an_alert(1), a_heartbeat("feed"), a_book()])
def test_message_comes_back_as_it_went(message: AnyMessage) -> None:
    envelope = Envelope("feed", 3, 7, message)
    assert decode(encode(envelope)) == envelope


def test_field_names_are_those_of_the_first_release_in_their_order() -> None:
    """An older reader takes fields by place: a struct may grow at its end, with a default, and change no other way."""
    recorded = json.loads(FIELDS.read_text())
    for kind in ALL:
        before = recorded.get(kind.__name__)
        assert before is not None, f"{kind.__name__} is new: add its fields to {FIELDS.name}"
        assert list(kind.__struct_fields__[: len(before)]) == before
        added = len(kind.__struct_fields__) - len(before)
        assert added <= len(kind.__struct_defaults__), f"{kind.__name__}: what is added needs a default"


def test_older_reader_ignores_what_a_newer_writer_appends() -> None:
    raw = msgspec.msgpack.decode(encode(Envelope("feed", 1, 1, a_touch(5))))
    raw[3].append("something new")
    assert decode(encode(raw)).message == a_touch(5)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_ratio_outside_its_range_never_passes(value: float) -> None:
    body = encode(Envelope("riskd", 1, 1, a_permit(1, size_scale=value)))
    if 0.0 <= value <= 1.0:
        assert decode(body).message == a_permit(1, size_scale=value)
    else:
        with pytest.raises(BadInput, match="type_or_range"):
            decode(body)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_are_a_message(body: bytes) -> None:
    with contextlib.suppress(BadInput):
        assert isinstance(decode(body).message, ALL)


@given(st.data())
def test_a_message_cut_or_flipped_anywhere_does_no_harm(data: st.DataObject) -> None:
    body = bytearray(encode(Envelope("feed", 1, 1, a_book(5))))
    place = data.draw(st.integers(0, len(body) - 1))
    if data.draw(st.booleans()):
        body[place] = data.draw(st.integers(0, 255))
    else:
        del body[place:]
    try:
        message = decode(bytes(body)).message
    except BadInput:
        return
    for name in getattr(message, "__struct_fields__", ()):
        value = getattr(message, name)
        assert not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize(
    "more",
    [
        {"bid_px_u": -1}, {"bid_px_u": 10**16}, {"coin": ""}, {"coin": "x" * 33}, {"coin": "BTC\n"}, {"coin": "a b"},
        {"t_ns": -1}, {"t_ns": 2**63}, {"bid_sz_u": 1.5}, {"bid_sz_u": None}, {"bid_sz_u": True},
    ],
)  # fmt: skip
def test_field_out_of_its_range_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="type_or_range"):
        decode(encode(Envelope("feed", 1, 1, a_touch(1, **more))))


def test_too_many_levels_are_refused() -> None:
    decode(encode(Envelope("feed", 1, 1, a_book(32))))
    with pytest.raises(BadInput):
        decode(encode(Envelope("feed", 1, 1, a_book(33))))


def test_cloid_with_a_newline_is_refused() -> None:
    good = "0x" + "a" * 32
    update = ["OrderUpdate", 1, COIN, good, 0, 1, 5, 5, 0, "open", ""]
    decode(encode(["executor", 1, 1, update]))
    for bad in (good[:-1] + "\n", good.upper(), good[:-1], good + "0"):
        update[3] = bad
        with pytest.raises(BadInput):
            decode(encode(["executor", 1, 1, update]))


def test_a_touch_is_small_enough_for_the_hot_path() -> None:
    assert len(encode(Envelope("feed", 1_763_638_859_336, 1, a_touch(1_763_638_859_336_215_000)))) < 120
    assert isinstance(a_touch(1), Touch)
