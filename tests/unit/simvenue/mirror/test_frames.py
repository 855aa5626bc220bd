"""The mirrored venue's frames: what they mean in units, and what is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import BadInput
from common.recorded import BookRow, TouchRow
from simvenue.mirror.frames import Ack, Complaint, Pong, Prices, Said, Traded, parse
from tests.support.shared import shared

DECIMALS = {"BTC": 5, "km:US500": 3}
T_MS = 1_780_000_000_000
MS = 1_000_000


def heard(channel: str, data: Any) -> Any:
    return parse(json.dumps({"channel": channel, "data": data}), DECIMALS)


def a_level(px: str, sz: str = "1.0", n: int = 1) -> dict[str, Any]:
    return {"px": px, "sz": sz, "n": n}


def a_book(bids: list[str], asks: list[str], **more: Any) -> dict[str, Any]:
    return {"coin": "BTC", "time": T_MS, "levels": [[a_level(p) for p in s] for s in (bids, asks)], **more}


def test_book_and_touch_come_in_units() -> None:
    book = heard("l2Book", {**a_book([], []), "levels": [[a_level("77562.0", "0.5", 3)], [a_level("77563.5")]]})
    assert book == Said(
        "BTC", BookRow(0, 0, "mirror", 0, T_MS * MS, False, ((775620, 50000, 3),), ((775635, 100000, 1),))
    )
    assert heard("l2Book", a_book(["1.0"], ["2.0"], fast=True)).row.fast
    touch = heard("bbo", {"coin": "km:US500", "time": T_MS, "bbo": [a_level("752.44", "0.5", 2), None]})
    assert touch == Said("km:US500", TouchRow(0, 0, "mirror", 0, T_MS * MS, (752440, 500, 2), None))


def test_prints_keep_identity_and_side_by_coin() -> None:
    row = {"coin": "BTC", "side": "A", "px": "77562.0", "sz": "0.1", "time": T_MS, "tid": 7, "hash": "0x1"}
    traded = heard(
        "trades", [{**row, "users": ["0xa", "0xb"]}, {**row, "side": "B", "coin": "km:US500", "px": "752.4"}]
    )
    assert isinstance(traded, Traded)
    (first,), (second,) = traded.rows["BTC"], traded.rows["km:US500"]
    assert (first.side, first.px_u, first.sz_u, first.tid, first.buyer) == (-1, 775620, 10000, 7, "0xa")
    assert (second.side, second.px_u, second.sz_u) == (1, 752400, 100)


def test_context_tells_prices_and_keeps_the_venues_own_words() -> None:
    ctx = {"funding": "0.00001", "openInterest": "1.0", "oraclePx": "77605.0", "markPx": "77562.0", "premium": None,
           "midPx": None, "impactPxs": None, "prevDayPx": "1.0", "dayNtlVlm": "2.0", "somethingNew": 5}  # fmt: skip
    told = heard("activeAssetCtx", {"coin": "BTC", "ctx": ctx}).told
    assert (told.oracle_px_u, told.mark_px_u, told.funding_rate_1h, told.premium) == (776050, 775620, 1e-5, None)
    assert told.figures is not None
    assert told.figures["dayNtlVlm"] == "2.0"
    assert told.figures["midPx"] is None
    assert "dayBaseVlm" not in told.figures


def test_acknowledgements_tell_fast_from_slow() -> None:
    body = {"type": "l2Book", "coin": "BTC", "nSigFigs": None, "mantissa": None}
    assert heard("subscriptionResponse", {"method": "subscribe", "subscription": body}) == Ack(("l2Book", "BTC", False))
    fast = heard("subscriptionResponse", {"method": "subscribe", "subscription": {**body, "fast": True}})
    assert fast == Ack(("l2Book", "BTC", True))


def test_small_talk_is_understood() -> None:
    assert parse("Websocket connection established.", DECIMALS) == Pong()
    assert parse('{"channel":"pong"}', DECIMALS) == Pong()
    assert heard("error", "Invalid subscription") == Complaint("Invalid subscription")


@pytest.mark.parametrize(
    ("channel", "data", "reason"),
    [
        ("l2Book", a_book(["2.0"], ["1.0"]), "crossed"),
        ("l2Book", a_book(["1.0"], ["1.0"]), "locked"),
        ("l2Book", a_book(["1.0", "2.0"], ["3.0"]), "unsorted"),
        ("l2Book", a_book(["1.0"] * 2, []), "unsorted"),
        ("l2Book", {**a_book([], []), "coin": "ETH"}, "wrong_coin"),
        ("l2Book", {**a_book([], []), "time": 1_780_000_000}, "shape"),
        ("l2Book", a_book([f"{k}.0" for k in range(200, 0, -1)], []), "too_many_levels"),
        ("l2Book", a_book(["1e3"], []), "not_decimal"),
        ("l2Book", a_book(["0.0"], []), "range"),
        ("l2Book", a_book(["-1.0"], []), "range"),
        ("bbo", {"coin": "BTC", "time": T_MS, "bbo": [a_level("2.0"), a_level("1.0")]}, "crossed"),
        ("bbo", {"coin": "BTC", "time": T_MS, "bbo": [None]}, "shape"),
        ("trades", [{"coin": "BTC", "side": "X", "px": "1.0", "sz": "1.0", "time": T_MS, "tid": 1}], "shape"),
        ("trades", {}, "shape"),
        ("activeAssetCtx", {"coin": "BTC", "ctx": {"funding": "0.1"}}, "shape"),
        ("nothing", {}, "shape"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(channel: str, data: Any, reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        heard(channel, data)
    assert refused.value.reason == reason


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda b: b.decode("latin-1")))
def test_parsing_raises_bad_input_only(text: str) -> None:
    try:
        parse(text, DECIMALS)
    except BadInput:
        return


@pytest.mark.parametrize("name", ["ws_l2book", "ws_trades", "ws_active_asset_ctx_derived", "ws_subscription_response"])
def test_captures_of_the_real_venue_are_understood(name: str) -> None:
    frames = json.loads(shared(f"fixtures/hyperliquid/{name}.json").read_text())
    frames = [frame for frame in frames if "channel" in frame]
    assert frames
    for frame in frames:
        assert isinstance(parse(json.dumps(frame), DECIMALS), (Said, Traded, Prices, Ack))
