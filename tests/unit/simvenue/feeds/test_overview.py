"""Channels about all markets at once, and candles: what is told, when, and to whom."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

from simvenue.events import Bbo
from tests.unit.simvenue.room import COIN, Room, a_bbo, a_book, a_context, a_trade
from tests.unit.simvenue.small_market import MS, T0


# ---------------------------------------------------------------------- all markets at once
def test_mids_come_with_the_fast_book_when_they_have_changed() -> None:
    room = Room()
    room.subscribe("allMids", dex="km")
    room.feeds.deliver([a_bbo(), a_book(fast=False)])
    assert room.client.heard() == []
    room.feeds.deliver([a_book(fast=True)])
    (message,) = room.client.heard()
    assert message == {"channel": "allMids", "data": {"dex": "km", "mids": {COIN: "752.45"}}}
    room.feeds.deliver([a_bbo(), a_book(fast=True)])
    assert room.client.heard() == []


def test_mids_of_a_dex_are_not_those_of_another_and_empty_sides_have_none() -> None:
    room = Room()
    room.subscribe("allMids")
    room.feeds.deliver([a_bbo(), a_bbo(coin="BTC"), a_book(fast=True)])
    assert room.client.heard()[0]["data"] == {"mids": {"BTC": "75245.0"}}
    room.feeds.deliver([Bbo(T0, T0, "BTC", None, (752460, 1, 1)), a_book(fast=True)])
    assert room.client.heard()[0]["data"] == {"mids": {}}


def test_newcomer_hears_the_mids_that_were_told() -> None:
    room = Room()
    assert len(room.subscribe("allMids", dex="km")) == 1
    room.feeds.deliver([a_bbo()])
    late = room.join()
    room.send({"method": "subscribe", "subscription": {"type": "allMids", "dex": "km"}}, client=late)
    assert late.heard()[1]["data"]["mids"] == {COIN: "752.45"}


def test_contexts_of_all_dexes_are_positional() -> None:
    room = Room()
    room.subscribe("allDexsAssetCtxs")
    room.feeds.deliver([a_context()])
    (message,) = room.client.heard()
    dexes = dict(message["data"]["ctxs"])
    assert list(dexes) == ["", "km"]
    assert dexes["km"][0]["markPx"] == "752.44"
    assert dexes[""] == [{}, {}]  # BTC and ETH have told nothing yet


def test_fast_contexts_are_deflated_and_only_changes_follow() -> None:
    def inflated(message: Any) -> Any:
        return json.loads(zlib.decompress(base64.b64decode(message["data"]), wbits=-15))

    room = Room()
    room.subscribe("fastAssetCtxs")
    room.feeds.deliver([a_context(), a_bbo(), a_book(fast=True)])
    (message,) = room.client.heard()
    assert inflated(message) == {COIN: {"markPx": "752.44", "midPx": "752.45"}}
    room.feeds.deliver([a_context(), a_book(fast=True)])
    assert room.client.heard() == []
    late = room.join()
    room.send({"method": "subscribe", "subscription": {"type": "fastAssetCtxs"}}, client=late)
    assert inflated(late.heard()[1]) == {COIN: {"markPx": "752.44", "midPx": "752.45"}}


# ---------------------------------------------------------------------- candles
def test_candle_is_told_with_every_print_and_only_of_its_interval() -> None:
    room = Room()
    assert len(room.subscribe("candle", coin=COIN, interval="5m")) == 1
    room.feeds.deliver([a_trade(1), a_trade(2), a_trade(3, T0 + 60_000 * MS)])
    first, second = room.client.heard()
    assert (first["channel"], first["data"]["i"], first["data"]["n"]) == ("candle", "5m", 2)
    assert (second["data"]["t"], second["data"]["n"]) == (first["data"]["t"], 3)
