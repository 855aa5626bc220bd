"""Recorded messages become exact typed rows, or are refused by name."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import frames
from common.errors import BadInput
from common.frames import Record
from common.recorded import AnyRow, BookRow, ContextRow, LinkRow, Market, TouchRow, TradeRow, rows
from tests.support.shared import shared
from tests.unit.feed.builders import MS, T0, ack, bbo, context, l2, trade, trades

KM = Market("km:US500", 3)
WHERE = (7, T0 + 5, "main", 2)


def a_record(message: Any, link: str = "main", kind: int = frames.TEXT) -> Record:
    body = message if isinstance(message, bytes) else msgspec.json.encode(message)
    return Record(kind, T0 + 5, link, 2, body)


def said(message: Any, link: str = "main", market: Market = KM) -> list[AnyRow]:
    return rows(a_record(message, link), 7, market)


def refused(message: Any, market: Market = KM) -> str:
    with pytest.raises(BadInput) as caught:
        said(message, market=market)
    return caught.value.reason


def test_touch_keeps_prices_sizes_and_order_counts_exactly() -> None:
    assert said(bbo(12)) == [TouchRow(*WHERE, T0 + 12 * MS, (752_400, 1_500, 1), (752_500, 1_500, 1))]
    assert said(bbo(12, bid=None)) == [TouchRow(*WHERE, T0 + 12 * MS, None, (752_500, 1_500, 1))]


def test_book_is_fast_where_it_says_so_or_where_only_fast_ones_are_asked_for() -> None:
    for message, link, fast in [
        (l2(fast=True), "deep", True),
        (l2(fast=False), "main", False),
        (l2(), "main", True),
        (l2(), "deep", False),
    ]:
        (row,) = said(message, link)
        assert isinstance(row, BookRow)
        assert row.fast is fast
    assert row.bids == ((752_400, 1_500, 1), (752_300, 1_500, 1))


def test_every_print_of_a_message_is_a_row() -> None:
    first, second = said(trades(trade(3, tid=1), trade(4, tid=2, side="A", sz="1.25")))
    assert first == TradeRow(*WHERE, T0 + 3 * MS, 1, 752_500, 200, 1, "0x0", "a", "b")
    assert (second.side, second.sz_u, second.venue_t_ns) == (-1, 1_250, T0 + 4 * MS)  # type: ignore[union-attr]


def test_context_keeps_every_digit_the_venue_wrote() -> None:
    (row,) = said(context(midPx="752.4455", impactPxs=["752.1", "752.9"], dayNtlVlm="3390000.000001"))
    assert isinstance(row, ContextRow)
    assert (row.mid_px, row.impact_bid_px, row.impact_ask_px) == ("752.4455", "752.1", "752.9")
    assert (row.funding_1h, row.premium, row.day_ntl) == ("0.0000057078", "-0.0000843843", "3390000.000001")
    assert row.prev_day_px is None


def test_what_is_no_market_data_is_passed_over() -> None:
    for body in (b"Websocket connection established.", b'{"channel":"pong"}', msgspec.json.encode(ack("bbo"))):
        assert said(body) == []


def test_events_of_a_connection_are_rows() -> None:
    for kind, event in ((frames.OPENED, "opened"), (frames.CLOSED, "closed")):
        assert rows(a_record(b"", kind=kind), 7, KM) == [LinkRow(*WHERE, event, 0)]
    assert rows(a_record(b"42", kind=frames.LOST), 7, KM) == [LinkRow(*WHERE, "lost", 42)]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"{", "not_the_venues"),
        (b"\xff", "not_the_venues"),
        (b'{"channel":"bbo"}', "not_the_venues"),
        (bbo(coin="BTC"), "wrong_coin"),
        (bbo(bid="752.4001"), "off_grid"),
        (trades({**trade(), "px": "NaN"}), "not_decimal"),
        (trades({**trade(), "time": 1_700_000_000}), "not_the_venues"),
        (context(oracle="1e3"), "not_decimal"),
        (context(premium="0.1234567890123"), "not_decimal"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(message: Any, reason: str) -> None:
    assert refused(message) == reason


@pytest.mark.parametrize("kind", [0, 9])
def test_record_of_an_unknown_kind_is_refused(kind: int) -> None:
    with pytest.raises(BadInput, match="record_kind"):
        rows(a_record(b"", kind=kind), 0, KM)


@pytest.mark.parametrize("facts", [{}, {"coin": "BTC"}, {"coin": "BTC", "sz_decimals": 7}, {"sz_decimals": 3}])
def test_facts_without_a_market_are_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="facts"):
        Market.of(facts)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(BadInput):
        assert isinstance(said(body), list)


def captured(name: str) -> Any:
    return msgspec.json.decode(shared(f"fixtures/hyperliquid/{name}.json").read_bytes())


def test_captures_of_the_real_venue_are_read() -> None:
    for name, kind in (
        ("ws_l2book", BookRow),
        ("ws_trades", TradeRow),
        ("ws_active_asset_ctx_derived", ContextRow),
    ):
        found = captured(name)
        messages = found if isinstance(found, list) else [found]
        for message in (m for m in messages if m.get("channel") in ("l2Book", "trades", "activeAssetCtx")):
            data = message["data"]
            coin = (data[0] if isinstance(data, list) else data)["coin"]
            read = said(message, "deep", Market(coin, 3 if coin == "km:US500" else 5))
            assert read, name
            assert all(isinstance(row, kind) for row in read)
