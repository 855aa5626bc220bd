"""The user streams' frames: real captures decode, and nothing strange gets in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clock import MS
from common.errors import BadInput
from common.messages import Fill, Liquidity, Side
from common.orders import make_cloid
from executor.convert import account_of, fill_of, order_of
from executor.events import FillSeen, FundingSeen, OrderSeen
from executor.parse import Ack, Complaint, UserParser
from tests.support.shared import shared
from tests.unit.executor.builders import COIN, USER

CLOID = make_cloid(7, 2, Side.BID, 5)
PARSER = UserParser(COIN, 3, USER)
T = 1_780_000_000_000


def order_update(**changes: Any) -> dict[str, Any]:
    order = {"coin": COIN, "side": "B", "limitPx": "752.41", "sz": "0.3", "oid": 7, "timestamp": T, "origSz": "0.5"}
    order |= {"cloid": CLOID}
    status = changes.pop("status", "open")
    return {"order": order | changes, "status": status, "statusTimestamp": T}


def fill_row(**changes: Any) -> dict[str, Any]:
    return {
        "coin": COIN, "px": "752.41", "sz": "0.5", "side": "A", "time": T, "startPosition": "-0.1", "dir": "Close Long",
        "closedPnl": "0.0", "hash": "0x0", "oid": 7, "crossed": False, "fee": "0.0113", "tid": 99, "feeToken": "USDH",
        "cloid": CLOID, "twapId": None,
    } | changes  # fmt: skip


FUNDING = {"time": T, "coin": COIN, "usdc": "-0.0012", "szi": "0.5", "fundingRate": "0.0000125"}


def parse(channel: str, data: Any) -> list[Any]:
    return PARSER.parse(json.dumps({"channel": channel, "data": data}), 5)


def test_an_order_update_is_in_units() -> None:
    (seen,) = parse("orderUpdates", [order_update()])
    assert isinstance(seen, OrderSeen)
    order = seen.order
    assert (order.px_u, order.sz_u, order.orig_sz_u, order.side, order.oid) == (752_410, 300, 500, Side.BID, 7)
    assert (order.cloid, seen.status, seen.venue_t_ns) == (CLOID, "open", T * MS)


def test_a_fill_is_in_units_and_names_our_order() -> None:
    (seen,) = parse("userFills", {"user": USER, "fills": [fill_row()], "isSnapshot": True})
    assert seen == FillSeen(
        Fill(5, COIN, T * MS, 99, 7, CLOID, Side.ASK, 752_410, 500, 1_130_000, Liquidity.MAKER, -100)
    )


def test_a_fill_of_a_foreign_order_has_no_cloid_and_a_liquidation_says_so() -> None:
    rows = [fill_row(cloid="0x" + "1" * 32), fill_row(cloid=None, liquidation={"method": "market"}, crossed=True)]
    first, second = parse("userFills", {"user": USER, "fills": rows})
    assert first.fill.cloid == second.fill.cloid == ""
    assert (second.fill.liquidation, second.fill.liquidity) == (True, Liquidity.TAKER)


def test_only_our_own_liquidation_counts_as_one_and_so_does_being_deleveraged() -> None:
    def forced(**changes: Any) -> bool:
        (seen,) = parse("userFills", {"user": USER, "fills": [fill_row(**changes)]})
        return seen.fill.liquidation

    assert forced(liquidation={"liquidatedUser": USER.upper().replace("0X", "0x"), "method": "market"})
    assert not forced(liquidation={"liquidatedUser": "0x" + "77" * 20, "method": "market"})
    assert forced(dir="Auto-Deleveraging")
    assert not forced()


def test_funding_is_in_units() -> None:
    (seen,) = parse("userFundings", {"user": USER, "fundings": [FUNDING]})
    assert isinstance(seen, FundingSeen)
    assert (seen.payment.usd_e8, seen.payment.rate_1h, seen.payment.position_u) == (-120_000, 0.0000125, 500)


def test_other_markets_are_left_out() -> None:
    assert parse("orderUpdates", [order_update(coin="BTC")]) == []
    assert parse("userFills", {"user": USER, "fills": [fill_row(coin="KM:us500")]}) == []


def test_acknowledgements_complaints_pongs_and_the_greeting() -> None:
    assert parse("subscriptionResponse", {"method": "subscribe", "subscription": {"type": "userFills"}}) == [
        Ack("userFills")
    ]
    assert parse("subscriptionResponse", {"method": "unsubscribe", "subscription": {"type": "userFills"}}) == []
    assert parse("error", "no") == [Complaint("no")]
    assert PARSER.parse('{"channel":"pong"}', 5) == []
    assert PARSER.parse("Websocket connection established.", 5) == []


@pytest.mark.parametrize(
    ("channel", "data", "reason"),
    [
        ("userFills", {"user": "0x" + "cd" * 20, "fills": []}, "other_user"),
        ("userFundings", {"user": "0x" + "cd" * 20, "fundings": []}, "other_user"),
        ("userFills", {"user": USER, "fills": [fill_row(px="-1")]}, "range"),
        ("userFills", {"user": USER, "fills": [fill_row(px="0")]}, "range"),
        ("userFills", {"user": USER, "fills": [fill_row(px="1_000")]}, "not_decimal"),
        ("userFills", {"user": USER, "fills": [fill_row(px="\uff17")]}, "not_decimal"),
        ("userFills", {"user": USER, "fills": [fill_row(px="752.4101")]}, "off_grid"),
        ("userFills", {"user": USER, "fills": [fill_row(sz="0")]}, "range"),
        ("userFills", {"user": USER, "fills": [fill_row(px=752.41)]}, "shape"),
        ("userFills", {"user": USER, "fills": [fill_row(side="X")]}, "shape"),
        ("userFills", {"user": USER, "fills": [fill_row(time=T // 1000)]}, "shape"),
        ("userFills", {"user": USER, "fills": [fill_row(tid="5")]}, "shape"),
        ("userFills", {"user": USER, "fills": [fill_row(crossed=1)]}, "shape"),
        ("userFills", {"user": USER, "fills": [fill_row(fee="99999999999.1")]}, "range"),
        ("userFundings", {"user": USER, "fundings": [FUNDING | {"fundingRate": "2"}]}, "range"),
        ("orderUpdates", [order_update(oid=0)], "shape"),
        ("orderUpdates", [order_update(origSz=None)], "shape"),
        ("orderUpdates", [order_update(sz="-0.1")], "range"),
        ("orderUpdates", None, "shape"),
        ("somethingNew", {}, "shape"),
    ],
)  # fmt: skip
def test_strange_frames_are_refused_by_name(channel: str, data: Any, reason: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(channel, data)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "frame",
    ["", "{", "[]", "5", "null", "[" * 100_000, '{"channel":"orderUpdates"}', '{"channel":NaN}', "\ufeff{}", b"{}"],
)
def test_frames_that_are_none_are_refused(frame: str | bytes) -> None:
    with pytest.raises(BadInput):
        PARSER.parse(frame, 5)


def test_real_captures_decode() -> None:
    folder = shared("fixtures/hyperliquid")
    for message in json.loads((folder / "ws_order_updates.json").read_text()):
        assert UserParser("BTC", 5, USER).parse(json.dumps(message), 5)
    for message in json.loads((folder / "ws_user_fills_snapshot.json").read_text()):
        user = message["data"]["user"]
        (seen,) = UserParser("BTC", 5, user).parse(json.dumps(message), 5)
        assert isinstance(seen, FillSeen)
        assert seen.fill.px_u == 725_280
    for message in json.loads((folder / "ws_user_events_fills.json").read_text()):
        rows = {"channel": "userFills", "data": {"user": USER, "fills": message["data"]["fills"]}}
        for row in message["data"]["fills"]:
            decimals = {"@107": 3, "BTC": 5}[row["coin"]]
            assert len(UserParser(row["coin"], decimals, USER).parse(json.dumps(rows), 5)) == 1


@given(st.text(max_size=200))
def test_no_text_raises_anything_but_bad_input(text: str) -> None:
    try:
        PARSER.parse(text, 5)
    except BadInput:
        return


STRANGE = st.none() | st.booleans() | st.integers() | st.text(max_size=12)


@given(st.dictionaries(st.sampled_from(sorted(fill_row())), STRANGE))
def test_no_mangled_fill_gets_in_with_wrong_units(changes: dict[str, Any]) -> None:
    try:
        events = parse("userFills", {"user": USER, "fills": [fill_row(**changes)]})
    except BadInput:
        return
    for event in events:
        assert event.fill.px_u > 0
        assert event.fill.sz_u > 0


# ---------------------------------------------------------------------- answers of /info
def test_rest_rows_become_the_same_things() -> None:
    from common.hyperliquid import FILLS, ORDERS, STATE, decode

    (row,) = decode(json.dumps([fill_row()]).encode(), FILLS)
    assert fill_of(row, USER, 3, 5).sz_u == 500
    (order,) = decode(json.dumps([order_update()["order"]]).encode(), ORDERS)
    assert order_of(order, 3).orig_sz_u == 500
    plain = {k: v for k, v in order_update()["order"].items() if k not in ("origSz", "cloid")}
    (order,) = decode(json.dumps([plain]).encode(), ORDERS)
    assert (order_of(order, 3).orig_sz_u, order_of(order, 3).cloid) == (300, "")
    position = {
        "coin": COIN, "szi": "-0.5", "entryPx": "752.4123",
        "leverage": {"type": "isolated", "value": 10, "rawUsd": "5"},
        "marginUsed": "37.6", "positionValue": "376.2", "unrealizedPnl": "-0.5", "liquidationPx": None,
    }  # fmt: skip
    summary = {"accountValue": "999.5", "totalMarginUsed": "37.6", "totalNtlPos": "376.2", "totalRawUsd": "1375.7"}
    state = {
        "assetPositions": [{"type": "oneWay", "position": position}], "marginSummary": summary,
        "crossMarginSummary": summary, "crossMaintenanceMarginUsed": "9.4", "withdrawable": "900.0", "time": T,
    }  # fmt: skip
    seen = account_of(decode(json.dumps(state).encode(), STATE), COIN, 3)
    assert (seen.equity_e8, seen.maintenance_e8, seen.venue_t_ns) == (99_950_000_000, 940_000_000, T * MS)
    assert (seen.holdings[0].signed_u, seen.holdings[0].entry_px) == (-500, 752_412.0)
    state["assetPositions"] *= 2  # type: ignore[operator]
    with pytest.raises(BadInput, match="position_twice"):
        account_of(decode(json.dumps(state).encode(), STATE), COIN, 3)
