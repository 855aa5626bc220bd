"""What anybody may ask: listings, contexts, books, prints, candles and funding (hyperliquid.md section 3).

Everything is answered as of now; only candles are built from what listeners have been told. A coin that is listed but
not traded here has an empty book and a context of zeros, a coin nobody lists is refused (`l2Book`: null, as the venue
answers).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.errors import BadInput
from simvenue.events import BUY, SELL, Context
from simvenue.exchange import Exchange
from simvenue.feeds.aggregation import coarse, grid_of
from simvenue.feeds.candles import Candles
from simvenue.feeds.wire import Json, Wire, ms, rate
from simvenue.info.queries import FOREVER_MS, Entry, Query, dex_of, needed, traded_coin
from simvenue.info.universe import Listing, Universe

HOUR_MS = 3_600_000
FUNDING_MAX = 500
TRADES_MAX = 100
BOOK_LEVELS = 20


class MarketReads:
    """Answers about the markets of one exchange."""

    def __init__(self, exchange: Exchange, universe: Universe, wire: Wire, candles: Candles) -> None:
        self._exchange = exchange
        self._universe = universe
        self._wire = wire
        self._candles = candles
        self._first_mark_px_u: dict[str, int] = {}

    def table(self) -> Mapping[str, Entry]:
        universe = self._universe
        return {
            "meta": Entry(lambda q, _: self._meta(dex_of(q, universe))),
            "allPerpMetas": Entry(lambda _q, _t: [self._meta(dex) for dex in universe.dexes]),
            "metaAndAssetCtxs": Entry(lambda q, _: self._meta_and_contexts(dex_of(q, universe))),
            "spotMeta": Entry(lambda _q, _t: universe.spot_meta()),
            "spotMetaAndAssetCtxs": Entry(lambda _q, _t: [universe.spot_meta(), universe.spot_contexts()]),
            "perpDexs": Entry(lambda _q, _t: universe.perp_dexs()),
            "perpDexLimits": Entry(self._dex_limits),
            "perpsAtOpenInterestCap": Entry(self._at_cap),
            "alignedQuoteTokenInfo": Entry(lambda q, _: universe.aligned(needed(q.token, "token"))),
            "allMids": Entry(lambda q, _: self._mids(dex_of(q, universe)), 2),
            "l2Book": Entry(self._book, 2),
            "recentTrades": Entry(self._trades, rows=20),
            "candleSnapshot": Entry(self._candle_snapshot, rows=60),
            "fundingHistory": Entry(self._funding_history, rows=20),
            "predictedFundings": Entry(self._predicted_fundings),
            "exchangeStatus": Entry(lambda _, t: {"time": ms(t), "specialStatuses": None}),
        }

    # ------------------------------------------------------------------ listings and contexts
    def _meta(self, dex: str) -> Json:
        return self._universe.meta(dex, [coin for coin in self._universe.markets if self._exchange.is_delisted(coin)])

    def _dex_limits(self, query: Query, _now: int) -> Json:
        """The first dex has none: the venue wants the name of a builder's."""
        dex = dex_of(query, self._universe)
        if not dex:
            raise BadInput("dex_unknown", dex)
        return self._universe.dex_limits(dex)

    def _at_cap(self, query: Query, _now: int) -> Json:
        """The dex's markets whose open interest is at its cap now."""
        listed = self._universe.perps[dex_of(query, self._universe)]
        return [p.coin for p in listed if p.market is not None and self._exchange.is_capped(p.coin)]

    def _meta_and_contexts(self, dex: str) -> Json:
        return [self._meta(dex), [self._listing_context(p) for p in self._universe.perps[dex]]]

    def _listing_context(self, listing: Listing) -> Json:
        return self.context(self._exchange.context(listing.coin) if listing.market is not None else None)

    def context(self, context: Context | None) -> Json:
        """An asset context as the wire has it; None = nobody trades it, or there is no oracle yet.

        Until a day has passed the previous day's price is the first mark.
        """
        if context is None:
            zeros = dict.fromkeys(("funding", "openInterest", "prevDayPx", "dayNtlVlm", "oraclePx", "markPx"), "0.0")
            return {**zeros, "premium": None, "midPx": None, "impactPxs": None, "dayBaseVlm": "0.0"}
        if context.figures is not None:
            return dict(context.figures)
        first = self._first_mark_px_u.setdefault(context.coin, context.mark_px_u)
        return self._wire.context(context, self._exchange.impact_px(context.coin), first)

    # ------------------------------------------------------------------ books
    def _mids(self, dex: str) -> Json:
        mids = {}
        for listing in self._universe.perps[dex]:
            book = self._exchange.snapshot(listing.coin, 1) if listing.market is not None else None
            if book is not None and book.bids and book.asks:
                mids[listing.coin] = self._wire.mid(listing.coin, book.bids[0][0] + book.asks[0][0])
        return mids

    def _book(self, query: Query, now_t_ns: int) -> Json:
        """At most 20 levels a side, on a coarser grid when `nSigFigs` asks for it."""
        listing = self._universe.by_coin.get(needed(query.coin, "coin"))
        grid = grid_of(query.nSigFigs, query.mantissa)
        if grid is None:
            raise BadInput("grid_unknown", f"nSigFigs {query.nSigFigs}, mantissa {query.mantissa}")
        if listing is None:
            return None
        levels: list[Any] = [[], []]
        if listing.market is not None:
            for row, side in enumerate((BUY, SELL)):
                found = coarse(self._exchange.levels(listing.coin, side), side, grid, BOOK_LEVELS)
                levels[row] = self._wire.levels(listing.coin, found)
        return {"coin": listing.coin, "time": ms(now_t_ns), "levels": levels}

    # ------------------------------------------------------------------ prints, candles, funding
    def _trades(self, query: Query, _now: int) -> Json:
        coin = traded_coin(query.coin, self._universe)
        return [self._wire.trade(t) for t in reversed(self._exchange.trades(coin)[-TRADES_MAX:])]

    def _candle_snapshot(self, query: Query, now_t_ns: int) -> Json:
        req = needed(query.req, "req")
        coin = traded_coin(req.coin, self._universe)
        end_ms = FOREVER_MS if req.endTime is None else req.endTime
        found = self._candles.between(coin, req.interval, req.startTime, end_ms, ms(now_t_ns))
        return [self._wire.candle(coin, req.interval, candle) for candle in found]

    def _funding_history(self, query: Query, _now: int) -> Json:
        coin = traded_coin(query.coin, self._universe)
        begin, end = needed(query.startTime, "startTime"), FOREVER_MS if query.endTime is None else query.endTime
        rows = [
            {"coin": coin, "fundingRate": rate(hourly), "premium": rate(premium), "time": ms(t_ns)}
            for t_ns, hourly, premium in self._exchange.funding_history(coin)
            if begin <= ms(t_ns) <= end
        ]
        return rows[:FUNDING_MAX]

    def _predicted_fundings(self, _query: Query, now_t_ns: int) -> Json:
        """What the running hour would pay, first dex only; there is no other venue to compare with."""
        following = (ms(now_t_ns) // HOUR_MS + 1) * HOUR_MS
        found = []
        for listing in self._universe.perps[""]:
            context = self._exchange.context(listing.coin) if listing.market is not None else None
            if context is not None:
                here = {"fundingRate": rate(context.funding_rate_1h), "nextFundingTime": following}
                found.append([listing.coin, [["HlPerp", here]]])
        return found
