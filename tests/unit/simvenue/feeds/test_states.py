"""Channels that show a state: told when it has changed, as it was, and never before a client could know."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simvenue.events import BUY, OrderEvent
from tests.unit.simvenue.feeds.test_wire import a_fill
from tests.unit.simvenue.room import COIN, Room, a_book, a_context
from tests.unit.simvenue.small_market import MS, T0, USER


# ---------------------------------------------------------------------- states
def test_state_is_told_as_it_was_and_as_late_as_the_book_that_set_it_off() -> None:
    room = Room()
    room.subscribe("clearinghouseState", user=USER, dex="km")
    fill, book = a_fill(address=USER), a_book(fast=True)
    late = replace(book, deliver_t_ns=T0 + 100 * MS)
    (told,) = room.feeds.observe([fill, late], T0 + 7)
    assert told.deliver_t_ns == T0 + 7 + 100 * MS
    assert room.client.heard() == []
    room.feeds.deliver([told])
    (message,) = room.client.heard()
    assert message["channel"] == "clearinghouseState"
    assert message["data"]["clearinghouseState"] == {"kind": "clearinghouseState", "user": USER, "at": T0 + 7}
    assert (message["data"]["dex"], message["data"]["user"]) == ("km", USER)


def test_state_that_has_not_changed_is_not_told_again() -> None:
    room = Room()
    room.subscribe("openOrders", user=USER)
    assert room.feeds.observe([a_book(fast=True)], T0) == []
    order = OrderEvent(T0, T0, USER, "BTC", BUY, 300000, 100, 100, 7, None, "open", T0)
    assert room.feeds.observe([order], T0) == []  # waits for the book
    (told,) = room.feeds.observe([a_book(fast=True)], T0)
    assert (told.topic.kind, told.data["orders"]["kind"]) == ("openOrders", "frontendOpenOrders")
    assert room.feeds.observe([a_book(fast=True)], T0) == []
    assert room.feeds.observe([a_context(), a_book(fast=True)], T0) == []  # marks do not move orders


def test_new_mark_moves_every_figure_that_hangs_on_it() -> None:
    room = Room()
    for kind, more in (("clearinghouseState", {}), ("activeAssetData", {"coin": COIN}), ("webData2", {})):
        assert room.subscribe(kind, user=USER, **more)[1]["channel"] == kind  # at once, for a newcomer
    told = room.feeds.observe([a_context(), a_book(fast=True)], T0)
    assert sorted(one.topic.kind for one in told) == ["activeAssetData", "clearinghouseState", "webData2"]


def test_nothing_is_read_for_nobody() -> None:
    room = Room()
    room.subscribe("webData2", user=USER)
    room.send({"method": "unsubscribe", "subscription": {"type": "webData2", "user": USER}})
    room.answers.asked = 0
    assert room.feeds.observe([a_fill(address=USER), a_context(), a_book(fast=True)], T0) == []
    assert room.answers.asked == 0


@pytest.mark.parametrize(("fast", "levels"), [(False, 20), (True, 5)])
def test_coarse_book_comes_with_the_book_it_is_made_of(fast: bool, levels: int) -> None:
    room = Room()
    ack, first = room.subscribe("l2Book", coin=COIN, nSigFigs=5, mantissa=2, **({"fast": True} if fast else {}))
    assert (ack["data"]["subscription"]["nSigFigs"], ack["data"]["subscription"]["mantissa"]) == (5, 2)
    assert first["data"]["levels"] == [[5] * levels, [2] * levels]
    room.feeds.deliver([a_book(fast=fast)])
    assert room.client.heard() == []
    assert room.feeds.observe([a_book(fast=not fast)], T0) == []
    (told,) = room.feeds.observe([a_book(fast=fast)], T0)
    room.feeds.deliver([told])
    assert room.client.heard()[0]["data"].get("fast", False) is fast
