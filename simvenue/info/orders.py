"""What the venue knows of an address's orders and fills (hyperliquid.md section 3).

Unsigned, so anybody may ask. Newest first but for `userFillsByTime`, which goes on from its start. The limits are the
venue's: 2,000 rows a reply, of fills only the newest 10,000.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from common.errors import BadInput
from simvenue.desk.orders import OpenOrder
from simvenue.events import UserFill
from simvenue.exchange import Exchange
from simvenue.feeds.aggregation import by_time
from simvenue.feeds.wire import Json, Wire
from simvenue.info.queries import Entry, Query, dex_of, for_anybody, in_range, user_of
from simvenue.info.universe import Universe

FILLS_MAX = 2000
FILLS_REACHED = 10_000
ORDERS_MAX = 2000


class OrderReads:
    """Answers about orders and fills of one exchange."""

    def __init__(self, exchange: Exchange, universe: Universe, wire: Wire) -> None:
        self._exchange = exchange
        self._universe = universe
        self._wire = wire

    def table(self) -> Mapping[str, Entry]:
        wire = self._wire
        return {
            "openOrders": Entry(lambda q, _: [wire.order(o) for o in self._open(q)]),
            "frontendOpenOrders": Entry(lambda q, _: [wire.frontend_order(o) for o in self._open(q)]),
            "orderStatus": Entry(self._status, 2),
            "historicalOrders": Entry(self._history, rows=20),
            "userFills": Entry(self._fills, rows=20),
            "userFillsByTime": Entry(self._fills_by_time, rows=20),
            "userTwapSliceFills": Entry(for_anybody([]), rows=20),
        }

    def _open(self, query: Query) -> list[OpenOrder]:
        return self._exchange.open_orders(user_of(query), dex_of(query, self._universe))

    def _status(self, query: Query, _now: int) -> Json:
        key = query.oid
        if key is None:
            raise BadInput("shape", "missing field oid")
        state = self._exchange.order_status(user_of(query), key.lower() if isinstance(key, str) else key)
        if state is None:
            return {"status": "unknownOid"}
        return {"status": "order", "order": self._wire.order_state(state)}

    def _history(self, query: Query, _now: int) -> Json:
        states = self._exchange.order_history(user_of(query))[-ORDERS_MAX:]
        return [self._wire.order_state(state) for state in reversed(states)]

    # ------------------------------------------------------------------ fills
    def _fills(self, query: Query, _now: int) -> Json:
        found = self._wanted(query, self._exchange.fills(user_of(query)))
        return [self._wire.fill(fill) for fill in reversed(found[-FILLS_MAX:])]

    def _fills_by_time(self, query: Query, _now: int) -> Json:
        """Oldest first from `startTime`; with `reversed` newest first from `endTime`."""
        reached = self._exchange.fills(user_of(query))[-FILLS_REACHED:]
        found = self._wanted(query, in_range(query, reached, FILLS_REACHED))
        rows = found[: -FILLS_MAX - 1 : -1] if query.reversed else found[:FILLS_MAX]
        return [self._wire.fill(fill) for fill in rows]

    @staticmethod
    def _wanted(query: Query, fills: Sequence[UserFill]) -> Sequence[UserFill]:
        return by_time(fills) if query.aggregateByTime else fills
