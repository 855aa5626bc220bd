"""Reads over a small exchange that has traded a little: one resting order, one taker fill, one order in another dex."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from simvenue.door.gateway import Gateway
from simvenue.events import OrderSpec, PlaceOrders, Request, Trade
from simvenue.exchange import Exchange, MarketDef
from simvenue.feeds.candles import Candles
from simvenue.feeds.wire import Wire
from simvenue.info.table import Info
from simvenue.info.universe import Universe
from tests.support.shared import shared
from tests.unit.simvenue.small_market import BTC, MS, T0, US500, USER, an_exchange

CLOID = "0x00000000000000000000000000000a01"
AGENT = "0x" + "bb" * 20
SECOND = 1000 * MS


class Desk:
    """Info over a small exchange that has traded a little."""

    def __init__(self, us500: MarketDef = US500) -> None:
        self.exchange: Exchange = an_exchange(us500=us500)
        self.requests = 1
        universe = Universe((us500, BTC))
        self.gateway = Gateway(self.exchange)
        self.gateway.register(AGENT, USER, "bot", T0)
        self.candles = Candles()
        self.info = Info(self.exchange, self.gateway, universe, Wire(universe.sz_decimals()), self.candles)
        self.exchange.advance(T0)
        orders = (
            OrderSpec(150000, True, "752.44", "0.5", False, "Alo", CLOID),
            OrderSpec(150000, True, "752.46", "0.25", False, "Ioc"),
            OrderSpec(0, True, "77562", "0.001", False, "Gtc"),
        )
        self.exchange.submit(T0, 1, PlaceOrders(USER, orders))
        self.advance(T0 + 7 * SECOND)

    def advance(self, t_ns: int) -> None:
        """Let the market go on; prints make candles at once."""
        for output in self.exchange.advance(t_ns):
            if isinstance(output, Trade):
                self.candles.on_trade(output)

    def submit(self, *requests: Request) -> None:
        """Requests that act within a second."""
        for request in requests:
            self.requests += 1
            self.exchange.submit(self.exchange.now_ns, self.requests, request)
        self.advance(self.exchange.now_ns + SECOND)

    def ask(self, kind: str, **fields: Any) -> Any:
        body = json.dumps({"type": kind, **fields}).encode()
        return json.loads(msgspec.json.encode(self.info.answer(body, self.exchange.now_ns).body))

    def weight(self, kind: str, **fields: Any) -> int:
        return self.info.answer(json.dumps({"type": kind, **fields}).encode(), T0).weight


def typed(answer: Any, kind: Any) -> Any:
    return msgspec.json.decode(json.dumps(answer), type=kind)


def fixture(name: str) -> Any:
    return json.loads(shared(f"fixtures/hyperliquid/{name}.json").read_text())
