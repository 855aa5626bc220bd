"""POST /info: one table from a request's type to what answers it and what it weighs (hyperliquid.md section 3).

The door only: it reads the body, finds the type, and counts the weight; the answers are given by subject, in
`market.py`, `orders.py`, `account.py` and `web.py`. Reads change nothing. A type that is not in
the table, or a field that is missing or malformed, is refused as the venue's own decoder would.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from common.errors import BadInput
from simvenue.door.gateway import Gateway
from simvenue.events import Context
from simvenue.exchange import Exchange
from simvenue.feeds.candles import Candles
from simvenue.feeds.wire import Json, Wire
from simvenue.info.account import AccountReads
from simvenue.info.market import MarketReads
from simvenue.info.orders import OrderReads
from simvenue.info.queries import Entry, Query
from simvenue.info.universe import Universe
from simvenue.info.web import WebData

_QUERY = msgspec.json.Decoder(Query)


@dataclass(frozen=True, slots=True)
class Answer:
    """`weight` is what the request costs the asking IP; lists cost more by their length."""

    body: Json
    weight: int


class Info:
    """Answers from one exchange and its gateway; `candles` are built by whoever sees the prints."""

    def __init__(
        self, exchange: Exchange, gateway: Gateway, universe: Universe, wire: Wire, candles: Candles | None = None
    ) -> None:
        self._markets = MarketReads(exchange, universe, wire, candles if candles is not None else Candles())
        rooms = (
            self._markets,
            OrderReads(exchange, universe, wire),
            AccountReads(exchange, gateway, universe, wire),
            WebData(exchange, gateway, self.read),
        )
        self.table: dict[str, Entry] = {kind: entry for room in rooms for kind, entry in room.table().items()}

    def answer(self, body: bytes, now_t_ns: int) -> Answer:
        """The reply to one body; raises BadInput with a reason fit for a metric label."""
        try:
            query = _QUERY.decode(body)
        except msgspec.ValidationError as error:
            raise BadInput("shape", str(error)) from None
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise BadInput("not_json", type(error).__name__) from None
        entry = self.table.get(query.type)
        if entry is None:
            raise BadInput("type_unknown", query.type)
        reply = entry.handler(query, now_t_ns)
        by_length = len(reply) // entry.rows if entry.rows and isinstance(reply, list) else 0
        return Answer(reply, entry.weight + by_length)

    def context(self, context: Context | None) -> Json:
        """The context of a market as the wire has it; None = nobody trades it, or there is no oracle yet."""
        return self._markets.context(context)

    def read(self, kind: str, query: Query, now_t_ns: int) -> Json:
        """One answer for those inside the venue who tell it on."""
        return self.table[kind].handler(query, now_t_ns)
