"""What the parser takes and what it refuses, with the reason that reaches the metric."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import BadInput
from common.messages import AssetContext, Side
from feed.parse import Ack, Best, Complaint, Greeting, Pong, Prints, Snapshot, parse
from tests.support.shared import shared
from tests.unit.feed.builders import COIN, MS, T0, ack, bbo, context, l2, text, trade, trades


def read(message: Any, coin: str = COIN, sz_decimals: int = 3) -> Any:
    frame = message if isinstance(message, (str, bytes)) else text(message)
    return parse(frame, coin, sz_decimals, T0)


def reason_of(message: Any) -> str:
    with pytest.raises(BadInput) as caught:
        read(message)
    return caught.value.reason


def without(message: dict[str, Any], *path: str) -> dict[str, Any]:
    """The message with one member removed."""
    copy = json.loads(json.dumps(message))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return dict(copy)


def with_level(**changes: Any) -> dict[str, Any]:
    message = l2()
    message["data"]["levels"][0][0] |= changes
    return message


def test_bbo_becomes_the_touch_in_venue_units() -> None:
    assert read(bbo(at_ms=3)) == Best(T0 + 3 * MS, (752_400, 1_500), (752_500, 1_500))


def test_an_empty_side_of_the_touch_is_none() -> None:
    assert read(bbo(bid=None)) == Best(T0, None, (752_500, 1_500))


def test_book_snapshot_keeps_its_levels_and_its_fast_mark() -> None:
    snapshot = read(l2(fast=True))
    assert snapshot == Snapshot(T0, [(752_400, 1_500), (752_300, 1_500)], [(752_500, 1_500), (752_600, 1_500)], True)
    assert read(l2()).fast is None


def test_one_sided_book_is_a_book() -> None:
    assert read(l2(asks=[])).asks == []


def test_prints_carry_the_aggressor_and_both_times() -> None:
    prints = read(trades(trade(at_ms=1, side="B"), trade(at_ms=2, tid=8, side="A")))
    assert isinstance(prints, Prints)
    first, second = prints.trades
    assert (first.side, first.px_u, first.sz_u, first.tid) == (Side.BID, 752_500, 200, 7)
    assert (second.side, second.venue_t_ns, second.recv_t_ns) == (Side.ASK, T0 + 2 * MS, T0)


def test_no_prints_is_no_error() -> None:
    assert read(trades()) == Prints([])


def test_context_rounds_prices_finer_than_the_grid() -> None:
    read_context = read(context(oracle="752.51449", openInterest="3007.4559999"))
    assert isinstance(read_context, AssetContext)
    assert (read_context.oracle_px_u, read_context.mark_px_u, read_context.open_interest_u) == (
        752_514,
        752_440,
        3_007_456,
    )
    assert read_context.funding_rate_1h == pytest.approx(0.0000057078)


def test_context_of_a_dead_book_has_no_premium() -> None:
    assert read(context(premium=None)).premium is None


def test_acknowledgement_names_the_subscription() -> None:
    assert read(ack("bbo")) == Ack("bbo", COIN, True)


def test_venue_complaint_greeting_and_pong_are_told_apart() -> None:
    assert read({"channel": "error", "data": "Already subscribed"}) == Complaint("Already subscribed")
    assert read("Websocket connection established.") == Greeting()
    assert read({"channel": "pong"}) == Pong()


def test_member_order_and_blanks_do_not_matter() -> None:
    message = bbo()
    turned = json.dumps({"data": message["data"], "channel": message["channel"]}, indent=1)
    assert read(turned) == read(message)


def test_fields_we_do_not_know_are_passed_over() -> None:
    message = l2(newField={"deep": [1, 2]})
    assert isinstance(read(message), Snapshot)


# The corpus of reliability.md 3.1; its numbers stand in the comments.
T0_MS = T0 // MS
CORPUS: list[tuple[str, Any, str]] = [
    ("1 empty frame", "", "not_json"),
    ("2 binary frame of text", text(bbo()).encode(), "binary"),
    ("3 invalid text", '{"channel":"\ud800"}', "bad_utf8"),
    ("3 invalid utf-8 bytes", b"\xff\xfe", "binary"),
    ("4 byte order mark", "\ufeff" + text(bbo()), "not_json"),
    ("6 truncated", text(bbo())[:-4], "not_json"),
    ("7 two objects", text(bbo()) * 2, "not_json"),
    ("8 list", "[]", "not_object"),
    ("8 string", '"bbo"', "not_object"),
    ("8 number", "7", "not_object"),
    ("8 null", "null", "not_object"),
    ("9 empty object", {}, "no_channel"),
    ("10 no channel", {"data": bbo()["data"]}, "no_channel"),
    ("11 channel null", bbo() | {"channel": None}, "no_channel"),
    ("11 channel number", bbo() | {"channel": 7}, "no_channel"),
    ("11 channel unknown", bbo() | {"channel": "candle"}, "unknown_channel"),
    ("11 channel long", bbo() | {"channel": "x" * 900_000}, "unknown_channel"),
    ("11 channel too long", bbo() | {"channel": "x" * (1 << 20)}, "too_long"),
    ("12 data missing", {"channel": "bbo"}, "schema"),
    ("12 data null", {"channel": "bbo", "data": None}, "schema"),
    ("12 data list", {"channel": "bbo", "data": []}, "schema"),
    ("12 error without text", {"channel": "error", "data": {"a": 1}}, "schema"),
    ("14 odd acknowledgement", {"channel": "subscriptionResponse", "data": {"method": "fly"}}, "schema"),
    ("16 price twice", text(bbo()).replace('"px":"752.4"', '"px":"1","px":"752.4"'), "duplicate_key"),
    ("16 size twice", text(l2()).replace('"sz":"1.5"', '"sz":"1","sz":"1.5"', 1), "duplicate_key"),
    ("16 time twice", text(l2()).replace('"time":', '"time":1780000000001,"time":'), "duplicate_key"),
    ("16 trade id twice", text(trades(trade())).replace('"tid":7', '"tid":6,"tid":7'), "duplicate_key"),
    ("16 price twice, escaped", text(bbo()).replace('"px":"752.4"', '"px":"1","\\u0070x":"752.4"'), "escaped"),
    ("16 oracle twice", text(context()).replace('"markPx"', '"oraclePx":"1","markPx"'), "duplicate_key"),
    ("17 NaN", text(bbo()).replace(str(T0_MS), "NaN"), "not_json"),
    ("17 NaN text", with_level(px="NaN"), "not_decimal"),
    ("18 Infinity", text(bbo()).replace(str(T0_MS), "Infinity"), "not_json"),
    ("18 Infinity text", with_level(px="Infinity"), "not_decimal"),
    ("19 1e999", text(bbo()).replace(str(T0_MS), "1e999"), "schema"),
    ("19 exponent text", with_level(px="7e2"), "not_decimal"),
    ("20 price as number", with_level(px=752.4), "schema"),
    ("21 price empty", with_level(px=""), "not_decimal"),
    ("22 price negative", with_level(px="-1"), "not_positive"),
    ("23 price zero", with_level(px="0"), "not_positive"),
    ("24 underscore", with_level(px="1_000"), "not_decimal"),
    ("25 full-width digits", text(with_level()).replace("1.5", "\uff11\uff12", 1), "not_decimal"),
    ("26 blanks", with_level(px=" 7 "), "not_decimal"),
    ("27 hexadecimal", with_level(px="0x10"), "not_decimal"),
    ("28 ten thousand digits", with_level(px="9" * 10_000), "not_decimal"),
    ("29 minus zero", with_level(sz="-0"), "not_positive"),
    ("30 size true", with_level(sz=True), "schema"),
    ("31 one side missing", l2() | {"data": l2()["data"] | {"levels": [[]]}}, "schema"),
    ("32 three sides", l2() | {"data": l2()["data"] | {"levels": [[], [], []]}}, "schema"),
    ("33 both sides empty", l2(bids=[], asks=[]), "empty_book"),
    ("33 touch empty", bbo(bid=None, ask=None), "empty_book"),
    ("34 bids ascending", l2(bids=["752.3", "752.4"]), "unsorted"),
    ("34 asks descending", l2(asks=["752.6", "752.5"]), "unsorted"),
    ("35 crossed", l2(bids=["752.6"]), "crossed"),
    ("35 touch crossed", bbo(bid="752.6"), "crossed"),
    ("36 locked", l2(bids=["752.5"]), "locked"),
    ("36 touch locked", bbo(bid="752.5"), "locked"),
    ("37 a price twice", l2(bids=["752.4", "752.4"]), "duplicate_level"),
    ("38 ten thousand levels", l2(asks=[str(753 + i) for i in range(10_000)]), "too_many_levels"),
    ("39 negative n", with_level(n=-1), "schema"),
    ("39 no n", l2() | {"data": l2()["data"] | {"levels": [[{"px": "1", "sz": "1"}], []]}}, "schema"),
    ("40 another coin", bbo(coin="BTC"), "wrong_coin"),
    ("40 coin in other case", l2(coin="KM:us500"), "wrong_coin"),
    ("40 coin without its dex", context(coin="US500"), "wrong_coin"),
    ("40 a foreign print", trades(trade() | {"coin": "BTC"}), "wrong_coin"),
    ("41 time zero", bbo(at_ms=-T0_MS), "schema"),
    ("41 time negative", bbo(at_ms=-T0_MS - 5), "schema"),
    ("41 time as text", l2() | {"data": l2()["data"] | {"time": str(T0_MS)}}, "schema"),
    ("41 time in seconds", bbo(at_ms=T0_MS // 1000 - T0_MS), "schema"),
    ("41 year 2100", bbo(at_ms=4_102_444_800_000 - T0_MS), "schema"),
    ("41 time true", l2() | {"data": l2()["data"] | {"time": True}}, "schema"),
    ("48 deep nesting", '{"channel":"pong","x":' + "[" * 100_000, "too_deep"),
    ("48 deep nesting in data", '{"channel":"l2Book","data":' + "[" * 100_000, "too_deep"),
    ("52 too many prints", trades(*[trade(tid=i) for i in range(2_001)]), "too_many_trades"),
    ("side of a print", trades(trade(side="X")), "schema"),
    ("print without id", trades(without(trade(), "tid")), "schema"),
    ("print id as text", trades(trade() | {"tid": "7"}), "schema"),
    ("price finer than the grid", with_level(px="752.4001"), "off_grid"),
    ("size finer than the lot", with_level(sz="0.0001"), "off_grid"),
    ("size beyond any book", with_level(sz="999999999999"), "range"),
    ("notional beyond any book", with_level(px="999999999", sz="999999999"), "range"),
    ("oracle zero", context(oracle="0"), "range"),
    ("oracle null", context() | {"data": {"coin": COIN, "ctx": {"oraclePx": None}}}, "schema"),
    ("funding absurd", context(funding="1.5"), "range"),
    ("funding NaN", context(funding="NaN"), "not_decimal"),
    ("interest negative", context(openInterest="-3"), "range"),
]


@pytest.mark.parametrize(("frame", "reason"), [c[1:] for c in CORPUS], ids=[c[0] for c in CORPUS])
def test_malformed_message_is_refused_with_its_reason(frame: Any, reason: str) -> None:
    assert reason_of(frame) == reason


GOOD = [bbo(), l2(fast=True), trades(trade(), trade(tid=8)), context(), ack("bbo"), {"channel": "error", "data": "x"}]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.integers(), max_size=3),
    st.sampled_from(["NaN", "1e5", "-1", "0", "", "\uff11", "752.4", "1_0"]),
)


def members(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a JSON tree."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, child in inner for found in members(child, (*path, key)))]


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """A good message with one member replaced, and perhaps its text cut or changed."""
    message = json.loads(json.dumps(draw(st.sampled_from(GOOD))))
    path = draw(st.sampled_from([p for p in members(message) if p]))
    inner = message
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = draw(ODD)
    frame = json.dumps(message)
    at = draw(st.integers(0, len(frame)))
    how = draw(st.sampled_from(["keep", "keep", "cut", "insert", "swap"]))
    if how == "cut":
        return frame[:at]
    if how == "insert":
        return frame[:at] + draw(st.text(max_size=3)) + frame[at:]
    return frame[:at] + draw(st.characters()) + frame[at + 1 :] if how == "swap" else frame


@given(st.one_of(mangled(), st.text(max_size=200)))
def test_whatever_comes_is_parsed_or_refused_by_name(frame: str) -> None:
    parsed, reason = parsed_or_reason(frame)
    if reason:
        assert reason.replace("_", "").isalnum()
        assert len(reason) <= 20
    else:
        check_sound(parsed)


def parsed_or_reason(frame: str, coin: str = COIN, sz_decimals: int = 3) -> tuple[Any, str]:
    try:
        return parse(frame, coin, sz_decimals, T0), ""
    except BadInput as error:
        return None, error.reason


def check_sound(parsed: Any) -> None:
    """What left the parser keeps every promise its readers rely on."""
    if isinstance(parsed, Snapshot):
        assert all(px > 0 and sz > 0 for px, sz in parsed.bids + parsed.asks)
        assert parsed.bids == sorted(parsed.bids, reverse=True)
        assert not (parsed.bids and parsed.asks) or parsed.bids[0][0] < parsed.asks[0][0]
    elif isinstance(parsed, Best) and parsed.bid and parsed.ask:
        assert parsed.bid[0] < parsed.ask[0]
    elif isinstance(parsed, Prints):
        assert all(t.px_u > 0 and t.sz_u > 0 for t in parsed.trades)
    elif isinstance(parsed, AssetContext):
        assert parsed.mark_px_u > 0
        assert parsed.oracle_px_u > 0
        assert abs(parsed.funding_rate_1h) <= 1


@pytest.mark.parametrize(
    ("name", "coin", "sz_decimals", "kind"),
    [
        ("ws_l2book.json", "BTC", 5, Snapshot),
        ("ws_trades.json", "BTC", 5, Prints),
        ("ws_active_asset_ctx_derived.json", "km:US500", 3, AssetContext),
        ("ws_active_asset_ctx_derived.json", "BTC", 5, AssetContext),
        ("ws_subscription_response.json", "BTC", 5, Ack),
        ("ws_errors.json", "BTC", 5, Complaint),
    ],
)
def test_real_captures_decode(name: str, coin: str, sz_decimals: int, kind: type) -> None:
    captures = json.loads(shared(f"fixtures/hyperliquid/{name}").read_text())
    found = [parsed_or_reason(json.dumps(capture), coin, sz_decimals) for capture in captures]
    assert any(isinstance(parsed, kind) for parsed, _ in found)
    assert {reason for _, reason in found} <= {"", "wrong_coin", "unknown_channel", "no_channel"}


def test_every_context_of_the_venue_decodes() -> None:
    """412 contexts of nine dexes: nulls, zero interest, prices finer than the grid."""
    capture = json.loads(shared("fixtures/hyperliquid/ws_all_dexs_asset_ctxs_full.json").read_text())
    contexts = [ctx for _, rows in capture["data"]["ctxs"] for ctx in rows if float(ctx["markPx"]) > 0.01]
    parsed = [read(context() | {"data": {"coin": COIN, "ctx": ctx}}, sz_decimals=0) for ctx in contexts]
    assert len(parsed) > 300
    assert all(isinstance(one, AssetContext) for one in parsed)


def test_real_twenty_level_book_decodes() -> None:
    cassettes = json.loads(shared("fixtures/hyperliquid/rest_l2book.json").read_text())
    [book] = [c["response"] for c in cassettes if c["request"]["type"] == "l2Book"]
    snapshot = parse(json.dumps({"channel": "l2Book", "data": book}), book["coin"], 2, T0)
    assert isinstance(snapshot, Snapshot)
    assert len(snapshot.bids) == 20
