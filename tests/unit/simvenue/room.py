"""A venue's socket room for tests: listeners without sockets, an exchange without a market."""

from __future__ import annotations

import json
from typing import Any

from simvenue.events import SELL, Bbo, Book, Context, Deposit, LedgerUpdate, Trade, UserFill, UserFunding
from simvenue.feeds.candles import Candles
from simvenue.feeds.feeds import GREETING, Feeds
from simvenue.feeds.wire import Json, Wire
from simvenue.info.queries import Query
from simvenue.info.universe import Universe
from tests.unit.simvenue.small_market import BTC, MS, T0, US500, USER

COIN = "km:US500"


class Listener:
    """A client that keeps what it was told."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def push(self, frame: bytes) -> None:
        self.frames.append(frame)

    def heard(self) -> list[Any]:
        """Everything since the last time, decoded; the greeting is left out."""
        found = [json.loads(frame) for frame in self.frames if frame != GREETING]
        self.frames.clear()
        return found


class Past:
    """An exchange's memory of one address."""

    def __init__(self) -> None:
        self.all_fills: list[UserFill] = []
        self.all_fundings: list[UserFunding] = []

    def fills(self, address: str) -> list[UserFill]:
        return self.all_fills

    def fundings(self, address: str) -> list[UserFunding]:
        return self.all_fundings

    def ledger_updates(self, address: str) -> list[LedgerUpdate]:
        return [Deposit(T0 - 5, T0 - 5, address, 10**10)]


class Answers:
    """Reads that say what they were asked."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.asked = 0

    def context(self, context: Context | None) -> Json:
        return {} if context is None else self._wire.context(context, None, context.mark_px_u)

    def read(self, kind: str, query: Query, now_t_ns: int) -> Json:
        self.asked += 1
        if kind == "l2Book":
            return {"coin": query.coin, "time": now_t_ns, "levels": [[query.nSigFigs] * 20, [query.mantissa] * 20]}
        return {"kind": kind, "user": query.user, "at": now_t_ns}


class Room:
    def __init__(self) -> None:
        self.past = Past()
        self.refused: list[str] = []
        universe = Universe((US500, BTC))
        wire = Wire(universe.sz_decimals())
        self.answers = Answers(wire)
        self.feeds = Feeds(
            wire, universe, self.past, self.answers, Candles(), lambda reason, _detail: self.refused.append(reason)
        )
        self.client = self.join()

    def join(self) -> Listener:
        client = Listener()
        self.feeds.open(client)
        return client

    def send(self, body: Any, *, client: Listener | None = None, t_ns: int = T0) -> Any:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.feeds.receive(client or self.client, text, t_ns)

    def subscribe(self, kind: str, **fields: Any) -> list[Any]:
        self.send({"method": "subscribe", "subscription": {"type": kind, **fields}})
        return self.client.heard()


def a_bbo(t_ns: int = T0, coin: str = COIN) -> Bbo:
    return Bbo(t_ns, t_ns + 100 * MS, coin, (752440, 500, 1), (752460, 700, 2))


def a_book(*, fast: bool) -> Book:
    return Book(T0, T0, COIN, fast, ((752440, 500, 1),), ((752460, 700, 2),))


def a_trade(tid: int, t_ns: int = T0) -> Trade:
    return Trade(t_ns, t_ns, COIN, SELL, 752440, 100, tid, USER, "0x" + "0" * 40)


def a_context() -> Context:
    return Context(T0, T0, COIN, 752440, 752450, 1504900, 0.0000057078, 0.0001, 3007456, 0)
