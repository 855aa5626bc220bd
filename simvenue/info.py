"""POST /info: one table from a request's type to what answers it and what it weighs (hyperliquid.md section 3).

Reads only. The queries of an agent's address find nothing, as on the venue: its master holds the account. A type that
is not in the table, or a field that is missing or malformed, is refused as the venue's own decoder would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from common.errors import BadInput
from simvenue.actions import Address, Hex128, Uint
from simvenue.events import Context
from simvenue.exchange import Exchange
from simvenue.gateway import Gateway
from simvenue.universe import Listing, Universe
from simvenue.views import AccountViews
from simvenue.wire import Json, Wire, decimal, ms, rate, tx_hash

FILLS_MAX = 2000
FUNDING_MAX = 500
ORDERS_MAX = 2000
TRADES_MAX = 100
BOOK_LEVELS = 20


class Query(Struct, frozen=True):
    """Every field an info request may have; which ones are needed depends on `type`."""

    type: Annotated[str, Meta(max_length=64)]
    user: Address | None = None
    dex: Annotated[str, Meta(max_length=16)] | None = None
    coin: Annotated[str, Meta(max_length=32)] | None = None
    oid: Uint | Hex128 | None = None
    token: Uint | None = None
    startTime: Uint | None = None  # noqa: N815
    endTime: Uint | None = None  # noqa: N815
    nSigFigs: int | None = None  # noqa: N815
    mantissa: int | None = None
    aggregateByTime: bool | None = None  # noqa: N815


@dataclass(frozen=True, slots=True)
class Answer:
    """`weight` is what the request costs the asking IP; lists cost more by their length."""

    body: Json
    weight: int


Handler: TypeAlias = Callable[[Query, int], Json]
_QUERY = msgspec.json.Decoder(Query)


class Info:
    """Answers from one exchange and its gateway."""

    def __init__(self, exchange: Exchange, gateway: Gateway, universe: Universe, wire: Wire) -> None:
        self._exchange = exchange
        self._gateway = gateway
        self._universe = universe
        self._wire = wire
        self._accounts = AccountViews(exchange, universe, wire)
        self._first_mark_px_u: dict[str, int] = {}
        self._table: dict[str, tuple[Handler, int]] = self._handlers()

    def answer(self, body: bytes, now_t_ns: int) -> Answer:
        """The reply to one body; raises BadInput with a reason fit for a metric label."""
        try:
            query = _QUERY.decode(body)
        except msgspec.ValidationError as error:
            raise BadInput("shape", str(error)) from None
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise BadInput("not_json", type(error).__name__) from None
        if query.type not in self._table:
            raise BadInput("type_unknown", query.type)
        if query.nSigFigs is not None or query.mantissa is not None or query.aggregateByTime:
            raise BadInput("aggregation_left_out", query.type)
        handler, weight = self._table[query.type]
        reply = handler(query, now_t_ns)
        by_length = query.type in _LISTS and isinstance(reply, list)
        return Answer(reply, weight + (len(reply) // 20 if by_length else 0))

    def context(self, context: Context) -> Json:
        """An asset context as the wire has it; until a day has passed the previous day's price is the first mark."""
        first = self._first_mark_px_u.setdefault(context.coin, context.mark_px_u)
        return self._wire.context(context, self._exchange.impact_px(context.coin), first)

    def _handlers(self) -> dict[str, tuple[Handler, int]]:
        views = self._accounts
        return {
            "meta": (lambda q, _: self._universe.meta(self._dex(q)), 20),
            "spotMeta": (lambda _q, _t: self._universe.spot_meta(), 20),
            "perpDexs": (lambda _q, _t: self._universe.perp_dexs(), 20),
            "allPerpMetas": (lambda _q, _t: [self._universe.meta(d) for d in self._universe.dexes], 20),
            "metaAndAssetCtxs": (self._meta_and_contexts, 20),
            "perpDexLimits": (lambda q, _: self._universe.dex_limits(self._dex(q)), 20),
            "alignedQuoteTokenInfo": (lambda q, _: self._universe.aligned(_need(q.token, "token")), 20),
            "allMids": (self._mids, 2),
            "l2Book": (self._book, 2),
            "recentTrades": (self._trades, 20),
            "fundingHistory": (self._funding_history, 20),
            "clearinghouseState": (lambda q, t: views.state(_user(q), self._dex(q), t), 2),
            "spotClearinghouseState": (lambda q, _: views.spot() if _user(q) else None, 2),
            "openOrders": (lambda q, _: [self._wire.order(o) for o in self._open(q)], 20),
            "frontendOpenOrders": (lambda q, _: [self._wire.frontend_order(o) for o in self._open(q)], 20),
            "orderStatus": (self._order_status, 2),
            "historicalOrders": (self._order_history, 20),
            "userFills": (self._fills, 20),
            "userFillsByTime": (self._fills_by_time, 20),
            "userFunding": (self._fundings, 20),
            "userFees": (lambda q, _: views.fees(_user(q)), 20),
            "userRateLimit": (self._rate_limit, 20),
            "userRole": (self._role, 60),
            "extraAgents": (self._extra_agents, 20),
            "userAbstraction": (lambda q, _: "disabled" if _user(q) else None, 20),
            "activeAssetData": (self._active_asset, 20),
        }

    # ------------------------------------------------------------------ market
    def _meta_and_contexts(self, query: Query, _now: int) -> Json:
        dex = self._dex(query)
        return [self._universe.meta(dex), [self._listing_context(p) for p in self._universe.perps[dex]]]

    def _listing_context(self, listing: Listing) -> Json:
        context = self._exchange.context(listing.coin) if listing.market is not None else None
        if context is not None:
            return self.context(context)
        zeros = dict.fromkeys(("funding", "openInterest", "prevDayPx", "dayNtlVlm", "oraclePx", "markPx"), "0.0")
        return {**zeros, "premium": None, "midPx": None, "impactPxs": None, "dayBaseVlm": "0.0"}

    def _mids(self, query: Query, _now: int) -> Json:
        mids = {}
        for listing in self._universe.perps[self._dex(query)]:
            book = self._exchange.snapshot(listing.coin, 1) if listing.market is not None else None
            if book is not None and book.bids and book.asks:
                mids[listing.coin] = self._wire.mid(listing.coin, book.bids[0][0] + book.asks[0][0])
        return mids

    def _book(self, query: Query, now_t_ns: int) -> Json:
        listing = self._universe.by_coin.get(_need(query.coin, "coin"))
        if listing is None:
            return None
        if listing.market is None:
            return {"coin": listing.coin, "time": ms(now_t_ns), "levels": [[], []]}
        book = self._wire.book(self._exchange.snapshot(listing.coin, BOOK_LEVELS))
        book.pop("fast", None)
        return {**book, "time": ms(now_t_ns)}

    def _trades(self, query: Query, _now: int) -> Json:
        return [self._wire.trade(t) for t in reversed(self._exchange.trades(self._coin(query))[-TRADES_MAX:])]

    def _funding_history(self, query: Query, _now: int) -> Json:
        coin, begin, end = self._coin(query), _need(query.startTime, "startTime"), query.endTime or 2**53
        rows = [
            {"coin": coin, "fundingRate": rate(hourly), "premium": rate(premium), "time": ms(t_ns)}
            for t_ns, hourly, premium in self._exchange.funding_history(coin)
            if begin <= ms(t_ns) <= end
        ]
        return rows[:FUNDING_MAX]

    # ------------------------------------------------------------------ orders, fills
    def _open(self, query: Query) -> Json:
        return self._exchange.open_orders(_user(query), self._dex(query))

    def _order_status(self, query: Query, _now: int) -> Json:
        key = _need(query.oid, "oid")
        state = self._exchange.order_status(_user(query), key.lower() if isinstance(key, str) else key)
        if state is None:
            return {"status": "unknownOid"}
        return {"status": "order", "order": self._wire.order_state(state)}

    def _order_history(self, query: Query, _now: int) -> Json:
        return [self._wire.order_state(s) for s in reversed(self._exchange.order_history(_user(query))[-ORDERS_MAX:])]

    def _fills(self, query: Query, _now: int) -> Json:
        return [self._wire.fill(f) for f in reversed(self._exchange.fills(_user(query))[-FILLS_MAX:])]

    def _fills_by_time(self, query: Query, _now: int) -> Json:
        """Oldest first, so that a client can page on from the last time it saw."""
        begin, end = _need(query.startTime, "startTime"), query.endTime or 2**53
        found = [f for f in self._exchange.fills(_user(query)) if begin <= ms(f.t_ns) <= end]
        return [self._wire.fill(f) for f in found[:FILLS_MAX]]

    def _fundings(self, query: Query, _now: int) -> Json:
        begin, end = _need(query.startTime, "startTime"), query.endTime or 2**53
        found = [p for p in self._exchange.fundings(_user(query)) if begin <= ms(p.t_ns) <= end]
        return [_funding_row(self._wire.funding(p)) for p in found[:FUNDING_MAX]]

    # ------------------------------------------------------------------ the address
    def _rate_limit(self, query: Query, _now: int) -> Json:
        user = _user(query)
        return {
            "cumVlm": decimal(self._exchange.credit_e6(user), 6), "nRequestsUsed": self._gateway.actions_used(user),
            "nRequestsCap": self._gateway.actions_cap(user), "nRequestsSurplus": 0,
        }  # fmt: skip

    def _role(self, query: Query, now_t_ns: int) -> Json:
        user = _user(query)
        agent = self._gateway.agent(user, now_t_ns)
        if agent is not None:
            return {"role": "agent", "data": {"user": agent.master}}
        return {"role": "user" if self._exchange.is_funded(user) else "missing"}

    def _extra_agents(self, query: Query, now_t_ns: int) -> Json:
        return [
            {"name": a.name, "address": a.address, "validUntil": ms(a.valid_until_ns)}
            for a in self._gateway.agents_of(_user(query), now_t_ns)
            if a.name
        ]

    def _active_asset(self, query: Query, _now: int) -> Json:
        return self._accounts.active_asset(_user(query), self._coin(query))

    # ------------------------------------------------------------------ fields
    def _dex(self, query: Query) -> str:
        dex = query.dex or ""
        if dex not in self._universe.perps:
            raise BadInput("dex_unknown", dex)
        return dex

    def _coin(self, query: Query) -> str:
        """A coin that is traded here."""
        coin = str(_need(query.coin, "coin"))
        if coin not in self._universe.markets:
            raise BadInput("coin_unknown", coin)
        return coin


_LISTS = frozenset(
    ("recentTrades", "fundingHistory", "historicalOrders", "userFills", "userFillsByTime", "userFunding")
)


def _need(value: Json, name: str) -> Json:
    if value is None:
        raise BadInput("shape", f"missing field {name}")
    return value


def _user(query: Query) -> str:
    return str(_need(query.user, "user")).lower()


def _funding_row(funding: dict[str, Json]) -> Json:
    """REST wraps what the socket sends flat."""
    time = funding.pop("time")
    return {"time": time, "hash": tx_hash(0), "delta": {"type": "funding", **funding}}
