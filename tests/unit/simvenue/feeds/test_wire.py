"""The venue's JSON, held against real captures of the same messages."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simvenue.events import (
    BUY,
    SELL,
    Bbo,
    Book,
    Context,
    Deposit,
    Error,
    Filled,
    OrderEvent,
    Reply,
    Resting,
    Success,
    Trade,
    UserFill,
    UserFunding,
)
from simvenue.feeds import wire
from simvenue.feeds.wire import Wire, decimal
from tests.support.shared import shared

WIRE = Wire({"BTC": 5, "km:US500": 3})
T = 1_780_000_000_123_456_789
CLOID = "0x00000000000000000000000000000a01"


def capture(name: str) -> Any:
    found = json.loads(shared(f"fixtures/hyperliquid/{name}.json").read_text())
    return found[0] if isinstance(found, list) else found


def same_shape(ours: Any, theirs: Any, *, optional: tuple[str, ...] = ()) -> None:
    """Same keys and the same JSON type of every value, recursively; `optional` may be on either side."""
    if isinstance(theirs, dict):
        assert set(ours) - set(optional) == set(theirs) - set(optional)
        for key in set(ours) & set(theirs):
            same_shape(ours[key], theirs[key], optional=optional)
    elif isinstance(theirs, list):
        assert isinstance(ours, list)
        if ours and theirs:
            same_shape(ours[0], theirs[0], optional=optional)
    else:
        assert theirs is None or ours is None or type(ours) is type(theirs), (ours, theirs)


# ---------------------------------------------------------------------- numbers
@pytest.mark.parametrize(
    ("units", "decimals", "text"),
    [(752440, 3, "752.44"), (775620, 1, "77562.0"), (5, 0, "5.0"), (0, 3, "0.0"), (-1, 3, "-0.001"), (10, 2, "0.1")],
)
def test_numbers_have_one_decimal_at_least(units: int, decimals: int, text: str) -> None:
    assert decimal(units, decimals) == text


@given(st.integers(-(10**16), 10**16), st.integers(0, 10))
def test_decimal_text_is_exact(units: int, decimals: int) -> None:
    text = decimal(units, decimals)
    assert Decimal(text) == Decimal(units).scaleb(-decimals)
    assert "." in text
    assert text.endswith(".0") or not text.endswith("0")


def test_rate_is_written_as_the_capture_has_it() -> None:
    assert wire.rate(0.0000057078) == "0.0000057078"
    assert wire.rate(-0.0000843843) == "-0.0000843843"


# ---------------------------------------------------------------------- market data
def a_book(*, fast: bool = False) -> Book:
    return Book(T, T, "BTC", fast, ((686740, 97139, 4),), ((686750, 4396, 1),))


def test_book_equals_the_capture() -> None:
    theirs = capture("ws_l2book")["data"]
    ours = WIRE.book(a_book())
    assert ours["levels"] == theirs["levels"]
    same_shape(ours, theirs)


def test_fast_book_says_so() -> None:
    assert WIRE.book(a_book(fast=True))["fast"] is True
    assert "fast" not in WIRE.book(a_book())


def test_empty_side_of_the_touch_is_null() -> None:
    assert WIRE.bbo(Bbo(T, T, "km:US500", (752440, 500, 2), None)) == {
        "coin": "km:US500",
        "time": T // 10**6,
        "bbo": [{"px": "752.44", "sz": "0.5", "n": 2}, None],
    }


def test_trade_has_the_shape_of_the_capture() -> None:
    trade = Trade(T, T, "BTC", SELL, 685170, 500, 981894269203506, "0x" + "a" * 40, "0x" + "b" * 40)
    theirs = capture("ws_trades")["data"][0]
    ours = WIRE.trade(trade)
    same_shape(ours, theirs, optional=("users",))
    assert (ours["px"], ours["sz"], ours["side"]) == (theirs["px"], theirs["sz"], "A")
    assert len(ours["hash"]) == len(theirs["hash"])


def test_context_equals_the_capture() -> None:
    theirs = capture("ws_active_asset_ctx_derived")["data"]["ctx"]
    context = Context(T, T, "km:US500", 752440, 752510, 2 * 752445, 0.0000057078, -0.0000843843, 3007456, 3386355586790)
    ours = WIRE.context(context, (752440, 752453), 751930)
    same_shape(ours, theirs)
    for key in ("funding", "openInterest", "prevDayPx", "premium", "oraclePx", "markPx", "midPx", "impactPxs"):
        assert ours[key] == theirs[key], key


def test_context_of_a_one_sided_book_has_nulls() -> None:
    context = Context(T, T, "km:US500", 752440, 752510, None, 0.0, None, 0, 0)
    ours = WIRE.context(context, None, 752440)
    assert (ours["midPx"], ours["premium"], ours["impactPxs"]) == (None, None, None)


def test_mid_between_two_prices_is_exact() -> None:
    assert WIRE.mid("BTC", 775620 + 775630) == "77562.5"
    assert WIRE.mid("km:US500", 752440 + 752441) == "752.4405"


# ---------------------------------------------------------------------- accounts
def a_fill(**changes: Any) -> UserFill:
    fields: dict[str, Any] = {
        "t_ns": T, "deliver_t_ns": T, "address": "0x" + "a" * 40, "coin": "BTC", "side": SELL, "px_u": 666530,
        "sz_u": 100, "oid": 55030848197, "cloid": CLOID, "tid": 745210434703679, "crossed": False, "fee_e8": 999700,
        "fee_token": "USDC", "start_position_u": -2130, "closed_pnl_e8": 0, "direction": "Open Short",
    }  # fmt: skip
    return UserFill(**{**fields, **changes})


def test_fill_has_the_shape_of_the_capture() -> None:
    theirs = capture("ws_user_events_fill_liquidation")["data"]["fills"][0]
    ours = WIRE.fill(a_fill())
    same_shape(ours, theirs, optional=("liquidation", "cloid"))
    for key in ("px", "sz", "side", "startPosition", "dir", "closedPnl", "fee", "feeToken", "twapId"):
        assert ours[key] == theirs[key], key


def test_trade_and_its_fills_share_a_hash() -> None:
    trade = Trade(T, T, "BTC", BUY, 666530, 100, 745210434703679, "0x", "0x")
    assert WIRE.trade(trade)["hash"] == WIRE.fill(a_fill())["hash"]


def test_order_update_has_the_shape_of_the_capture() -> None:
    event = OrderEvent(T, T, "0x", "BTC", BUY, 300000, 100, 100, 7456484275, None, "open", T)
    theirs = capture("ws_order_updates")["data"][0]
    ours = WIRE.order_update(event)
    same_shape(ours, theirs)
    assert ours["order"]["limitPx"] == "30000.0"
    assert ours["order"]["sz"] == "0.001"
    cloid = OrderEvent(T, T, "0x", "BTC", BUY, 300000, 0, 100, 1, CLOID, "filled", T)
    assert WIRE.order_update(cloid)["order"]["cloid"] == CLOID


def test_funding_payment_is_signed_as_our_cash_moves() -> None:
    paid = WIRE.funding(UserFunding(T, T, "0x", "km:US500", -3_625_312_00, 49_147, 0.0000417))
    assert (paid["usdc"], paid["szi"], paid["fundingRate"]) == ("-3.625312", "49.147", "0.0000417")


# ---------------------------------------------------------------------- replies
def reply_of(action: str, *statuses: Any, error: str | None = None, coins: tuple[str, ...] = ()) -> Any:
    return WIRE.reply(action, coins or ("BTC",) * len(statuses), Reply(T, T, 1, statuses, error))


def test_order_replies_equal_the_captures() -> None:
    resting, filled = json.loads(shared("fixtures/hyperliquid/exchange_batch_modify_ok.json").read_text())
    assert reply_of("order", Resting(5063830287, None)) == resting
    btc_size = Filled(6195281425, None, 10_000, "100.84")
    assert reply_of("batchModify", btc_size) == filled


def test_cancel_reply_equals_the_capture() -> None:
    assert reply_of("cancelByCloid", Success()) == capture("exchange_cancel_ok")


def test_error_status_stands_at_its_place() -> None:
    answer = reply_of("order", Resting(1, CLOID), Error("Insufficient margin to place order. asset=4"))
    statuses = answer["response"]["data"]["statuses"]
    assert statuses == [
        {"resting": {"oid": 1, "cloid": CLOID}},
        {"error": "Insufficient margin to place order. asset=4"},
    ]


def test_modify_and_noop_answer_default_or_the_error() -> None:
    assert reply_of("modify", Success()) == {"status": "ok", "response": {"type": "default"}}
    assert reply_of("noop") == {"status": "ok", "response": {"type": "default"}}
    failed = reply_of("modify", Error("Cannot modify canceled or filled order"))
    assert failed == {"status": "err", "response": "Cannot modify canceled or filled order"}


def test_whole_action_refusal_is_err() -> None:
    assert reply_of("order", error="no") == {"status": "err", "response": "no"}


def test_money_that_leaves_is_a_withdrawal() -> None:
    row = WIRE.ledger_update(Deposit(T, T, "0x" + "a" * 40, -(25 * 10**7)))
    assert row["delta"] == {"type": "withdraw", "usdc": "2.5", "nonce": T // 10**6, "fee": "0.0"}
