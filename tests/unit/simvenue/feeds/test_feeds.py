"""Subscriptions: who hears what, in which words, and what a listener hears first."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed import parse as feed_parse
from simvenue.door.listeners import MESSAGES_A_MINUTE
from simvenue.events import BUY, Liquidated, OrderEvent, UserFunding
from simvenue.feeds.subscriptions import ALL_KINDS, MARKET_KINDS, USER_KINDS
from tests.unit.simvenue.feeds.test_wire import a_fill
from tests.unit.simvenue.room import COIN, Room, a_bbo, a_book, a_context, a_trade
from tests.unit.simvenue.small_market import MS, T0, USER


# ---------------------------------------------------------------------- talking
def test_first_frame_is_the_plain_greeting() -> None:
    assert Room().client.frames == [b"Websocket connection established."]


def test_ping_is_answered_with_pong() -> None:
    room = Room()
    room.send({"method": "ping"})
    assert room.client.heard() == [{"channel": "pong"}]


def test_subscription_is_repeated_as_the_venue_does() -> None:
    room = Room()
    (ack,) = room.subscribe("l2Book", coin=COIN, fast=True)
    assert ack == {
        "channel": "subscriptionResponse",
        "data": {
            "method": "subscribe",
            "subscription": {"type": "l2Book", "coin": COIN, "nSigFigs": None, "mantissa": None, "fast": True},
        },
    }
    (ack,) = room.subscribe("orderUpdates", user="0x" + "AA" * 20)
    assert ack["data"]["subscription"] == {"type": "orderUpdates", "user": USER}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{ "type": "allMids" }', 'Error parsing JSON into valid websocket request: { "type": "allMids" }'),
        (b"\xff", "Error parsing JSON into valid websocket request: \N{REPLACEMENT CHARACTER}"),
        (
            b'{"method":"subscribe","subscription":{"type":"bbo","coin":"DOGE"}}',
            'Invalid subscription {"type":"bbo","coin":"DOGE"}',
        ),
        (
            b'{"method":"subscribe","subscription":{"type":"webData2","user":"0x"}}',
            'Error parsing JSON into valid websocket request: {"type":"webData2","user":"0x"}',
        ),
        (
            b'{"method":"unsubscribe","subscription":{"type":"bbo","coin":"BTC"}}',
            'Already unsubscribed: {"type":"bbo","coin":"BTC"}',
        ),
        (
            b'{"method":"subscribe","subscription":{"type":"l2Book","coin":"BTC","nSigFigs":6}}',
            'Invalid subscription {"type":"l2Book","coin":"BTC","nSigFigs":6}',
        ),
        (
            b'{"method":"subscribe","subscription":{"type":"candle","coin":"BTC","interval":"7m"}}',
            'Error parsing JSON into valid websocket request: {"type":"candle","coin":"BTC","interval":"7m"}',
        ),
        (
            b'{"method":"subscribe","subscription":{"type":"candle","coin":"BTC"}}',
            'Invalid subscription {"type":"candle","coin":"BTC"}',
        ),
        (
            b'{"method":"subscribe","subscription":{"type":"allMids","dex":"nope"}}',
            'Invalid subscription {"type":"allMids","dex":"nope"}',
        ),
        (
            b'{"method":"subscribe","subscription":{"type":"webData3"}}',
            'Invalid subscription {"type":"webData3"}',
        ),
        (
            b'{"method":"subscribe","subscription":{"type":"orderUpdates"}}',
            'Invalid subscription {"type":"orderUpdates"}',
        ),
        (b'{"method":"subscribe"}', "Error parsing JSON into valid websocket request: null"),
        (b'{"method":"post","id":1}', 'Error parsing JSON into valid websocket request: {"method":"post","id":1}'),
    ],
)
def test_refusals_come_on_the_error_channel_and_are_counted(body: bytes, text: str) -> None:
    room = Room()
    assert room.send(body) is None
    assert room.client.heard() == [{"channel": "error", "data": text}]
    assert len(room.refused) == 1


def test_second_subscription_to_the_same_is_refused() -> None:
    room = Room()
    room.subscribe("bbo", coin=COIN)
    (answer,) = room.subscribe("bbo", coin=COIN)
    assert answer == {"channel": "error", "data": f'Already subscribed: {{"type": "bbo", "coin": "{COIN}"}}'}


def test_eleventh_user_is_refused_and_known_users_are_not() -> None:
    room = Room()
    for i in range(10):
        assert room.subscribe("userEvents", user=f"0x{i:040x}")[0]["channel"] == "subscriptionResponse"
    (answer,) = room.subscribe("userEvents", user=USER)
    assert answer["data"] == "Cannot track more than 10 total users."
    assert room.subscribe("orderUpdates", user=f"0x{3:040x}")[0]["channel"] == "subscriptionResponse"


def test_messages_a_minute_of_market_time_are_limited() -> None:
    room = Room()
    for _ in range(MESSAGES_A_MINUTE):
        room.send({"method": "ping"})
    room.client.heard()
    room.send({"method": "ping"})
    assert room.client.heard()[0]["data"] == "Cannot send more than 2000 messages per minute."
    room.send({"method": "ping"}, t_ns=T0 + 60_000 * MS)
    assert room.client.heard() == [{"channel": "pong"}]


def test_post_is_left_to_the_shell() -> None:
    room = Room()
    frame = room.send({"method": "post", "id": 7, "request": {"type": "info", "payload": {"type": "meta"}}})
    assert (frame.id, frame.request.type) == (7, "info")
    assert json.loads(bytes(frame.request.payload)) == {"type": "meta"}


# ---------------------------------------------------------------------- hearing
def test_only_listeners_of_a_coin_hear_it() -> None:
    room = Room()
    other = room.join()
    room.subscribe("bbo", coin="BTC")
    room.send({"method": "subscribe", "subscription": {"type": "bbo", "coin": COIN}}, client=other)
    other.heard()
    room.feeds.deliver([a_bbo()])
    assert room.client.heard() == []
    assert other.heard()[0]["data"]["coin"] == COIN


def test_one_encoding_serves_all_listeners() -> None:
    room = Room()
    other = room.join()
    for client in (room.client, other):
        room.send({"method": "subscribe", "subscription": {"type": "bbo", "coin": COIN}}, client=client)
        client.heard()
    room.feeds.deliver([a_bbo()])
    assert room.client.frames[0] is other.frames[0]


def test_slow_and_fast_books_are_told_apart() -> None:
    room = Room()
    room.subscribe("l2Book", coin=COIN)
    room.feeds.deliver([a_book(fast=True)])
    assert room.client.heard() == []
    room.subscribe("l2Book", coin=COIN, fast=True)
    room.feeds.deliver([a_book(fast=True), a_book(fast=False)])
    assert [m["data"].get("fast") for m in room.client.heard()] == [True, None]


def test_prints_of_one_delivery_are_one_message_and_later_ones_another() -> None:
    room = Room()
    room.subscribe("trades", coin=COIN)
    room.feeds.deliver([a_trade(1), a_trade(2), a_trade(3, T0 + MS)])
    assert [[t["tid"] for t in m["data"]] for m in room.client.heard()] == [[1, 2], [3]]


def test_user_channels_name_what_the_venue_names() -> None:
    room = Room()
    for kind in ("userFills", "userEvents", "orderUpdates", "userFundings"):
        room.subscribe(kind, user=USER)
    fill = a_fill(address=USER, coin="BTC")
    room.feeds.deliver(
        [
            OrderEvent(fill.t_ns, fill.deliver_t_ns, USER, "BTC", BUY, 300000, 100, 100, 1, None, "open", T0),
            fill,
            UserFunding(fill.t_ns, fill.deliver_t_ns, USER, "BTC", -100, 1, 0.0000125),
        ]
    )
    by_channel: dict[str, list[Any]] = {}
    for message in room.client.heard():
        by_channel.setdefault(message["channel"], []).append(message["data"])
    assert set(by_channel) == {"user", "orderUpdates", "userFills", "userFundings"}
    assert by_channel["userFills"][0]["user"] == USER
    assert "isSnapshot" not in by_channel["userFills"][0]
    assert {key for event in by_channel["user"] for key in event} == {"fills", "funding"}
    assert isinstance(by_channel["orderUpdates"][0], list)


def test_cancel_by_the_venue_is_an_event_of_its_own() -> None:
    room = Room()
    room.subscribe("userEvents", user=USER)
    for status in ("canceled", "selfTradeCanceled"):
        room.feeds.deliver([OrderEvent(T0, T0, USER, "BTC", BUY, 300000, 100, 100, 7, None, status, T0)])
    (event,) = room.client.heard()
    assert event == {"channel": "user", "data": {"nonUserCancel": [{"coin": "BTC", "oid": 7}]}}


def test_nobody_hears_of_anothers_orders() -> None:
    room = Room()
    for kind in ("userFills", "userEvents", "orderUpdates"):
        room.subscribe(kind, user="0x" + "cc" * 20)
    room.feeds.deliver([a_fill(address=USER)])
    assert room.client.heard() == []


def test_after_unsubscribing_or_leaving_nothing_comes() -> None:
    room = Room()
    room.subscribe("bbo", coin=COIN)
    room.send({"method": "unsubscribe", "subscription": {"type": "bbo", "coin": COIN}})
    assert room.client.heard()[0]["data"]["method"] == "unsubscribe"
    room.feeds.deliver([a_bbo()])
    assert room.client.heard() == []
    room.subscribe("bbo", coin=COIN)
    room.feeds.close(room.client)
    room.feeds.deliver([a_bbo()])
    assert room.client.heard() == []


# ---------------------------------------------------------------------- first messages
def test_newcomer_hears_what_was_last_delivered() -> None:
    room = Room()
    assert len(room.subscribe("bbo", coin=COIN)) == 1  # nothing has been told yet
    room.feeds.deliver([a_bbo(), a_bbo(T0 + MS), a_context(), a_book(fast=False)])
    late = Room.join(room)
    for kind in ("bbo", "activeAssetCtx", "l2Book"):
        room.send({"method": "subscribe", "subscription": {"type": kind, "coin": COIN}}, client=late)
    channels = [m["channel"] for m in late.heard()]
    assert channels[0::2] == ["subscriptionResponse"] * 3
    assert channels[1::2] == ["bbo", "activeAssetCtx", "l2Book"]


def test_first_trades_are_history() -> None:
    room = Room()
    room.feeds.deliver([a_trade(i) for i in range(150)])
    _, history = room.subscribe("trades", coin=COIN)
    assert [t["tid"] for t in history["data"]] == list(range(50, 150))


def test_fill_snapshot_holds_only_what_has_been_delivered_newest_first() -> None:
    room = Room()
    told = [a_fill(tid=i, deliver_t_ns=T0 - i) for i in (3, 2, 1)]
    room.past.all_fills = [*told, a_fill(tid=9, deliver_t_ns=T0 + 1)]
    _, snapshot = room.subscribe("userFills", user=USER)
    assert snapshot["data"]["isSnapshot"] is True
    assert [f["tid"] for f in snapshot["data"]["fills"]] == [1, 2, 3]
    _, fundings = room.subscribe("userFundings", user=USER)
    assert fundings["data"] == {"isSnapshot": True, "user": USER, "fundings": []}


# ---------------------------------------------------------------------- an account's other news
def test_ledger_updates_begin_with_what_was_and_liquidation_is_an_event() -> None:
    room = Room()
    _, snapshot = room.subscribe("userNonFundingLedgerUpdates", user=USER)
    assert snapshot["data"]["isSnapshot"] is True
    assert snapshot["data"]["nonFundingLedgerUpdates"][0]["delta"] == {"type": "deposit", "usdc": "100.0"}
    room.subscribe("userEvents", user=USER)
    room.feeds.deliver([Liquidated(T0, T0, USER, 10**9, -(10**8), True, ((COIN, -250),))])
    event, update = room.client.heard()
    assert event["data"]["liquidation"]["liquidated_user"] == USER
    (row,) = update["data"]["nonFundingLedgerUpdates"]
    assert row["delta"]["liquidatedPositions"] == [{"coin": COIN, "szi": "-0.25"}]
    assert (row["delta"]["leverageType"], row["delta"]["accountValue"]) == ("Cross", "-1.0")


def test_fills_of_one_order_come_together_when_asked_for() -> None:
    room = Room()
    room.subscribe("userFills", user=USER, aggregateByTime=True)
    fills = [a_fill(address=USER, tid=tid, oid=7, sz_u=100) for tid in (1, 2)]
    room.feeds.deliver(fills)
    (message,) = room.client.heard()
    assert [f["tid"] for f in message["data"]["fills"]] == [1]
    room.subscribe("userFills", user=USER)
    room.feeds.deliver(fills)
    assert sorted(len(m["data"]["fills"]) for m in room.client.heard()) == [1, 2]


def test_notification_is_accepted_and_silent() -> None:
    room = Room()
    (ack,) = room.subscribe("notification", user=USER)
    assert ack["data"]["subscription"] == {"type": "notification", "user": USER}


# ---------------------------------------------------------------------- both ends
@pytest.mark.parametrize("event", [a_bbo(), a_book(fast=True), a_book(fast=False), a_trade(5), a_context()])
def test_our_own_feed_reads_every_market_message(event: Any) -> None:
    room = Room()
    for kind, more in (("bbo", {}), ("l2Book", {}), ("l2Book", {"fast": True}), ("trades", {}), ("activeAssetCtx", {})):
        room.subscribe(kind, coin=COIN, **more)
    room.feeds.deliver([event])
    (frame,) = room.client.frames
    feed_parse.parse(frame.decode(), COIN, 3, T0)


def test_our_own_feed_reads_acknowledgements_and_errors() -> None:
    room = Room()
    for body in ({"method": "subscribe", "subscription": {"type": "bbo", "coin": COIN}}, {"method": "ping"}, {"x": 1}):
        room.send(body)
    kinds = [type(feed_parse.parse(frame.decode(), COIN, 3, T0)).__name__ for frame in room.client.frames]
    assert kinds == ["Greeting", "Ack", "Pong", "Complaint"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@given(
    st.binary(max_size=100)
    | st.builds(
        lambda method, sub: json.dumps({"method": method, "subscription": sub}).encode(),
        st.sampled_from(["subscribe", "unsubscribe"]) | st.text(max_size=5),
        _JSON
        | st.fixed_dictionaries(
            {"type": st.sampled_from([*ALL_KINDS, *MARKET_KINDS, *USER_KINDS, "webData3"])},
            optional={"coin": _JSON, "user": _JSON, "fast": _JSON, "interval": _JSON, "dex": _JSON, "nSigFigs": _JSON},
        ),
    )
)
def test_any_frame_is_answered_or_refused(body: bytes) -> None:
    room = Room()
    room.client.heard()
    room.send(body)
    (answer,) = room.client.heard()
    assert answer["channel"] in ("error", "pong", "subscriptionResponse")
    room.feeds.close(room.client)
    room.feeds.deliver([a_bbo(), a_context(), a_book(fast=True)])
    assert room.client.heard() == []
