"""Questions to the venue as jobs: the very requests of `common/hyperliquid.py`, asked in virtual time."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from backtest.seats.floor import Ask
from common.fees import Fees
from common.hyperliquid import (
    ALIGNED,
    FILLS,
    ORDERS,
    PERP_DEXS,
    PERP_META,
    RATE_LIMIT,
    SPOT_META,
    STATE,
    USER_FEES,
    MarketFacts,
    facts_of,
)
from common.venue_types import ClearinghouseState, FillRow, OrderRow, RateLimit


def discover(coin: str) -> Generator[Ask, Any, MarketFacts]:
    """Everything a service must know of `coin` before it starts."""
    dex = coin.partition(":")[0] if ":" in coin else ""
    dexs = yield Ask({"type": "perpDexs"}, PERP_DEXS)
    meta = yield Ask({"type": "meta", "dex": dex}, PERP_META)
    tokens = yield Ask({"type": "spotMeta"}, SPOT_META)
    aligned = False
    if meta.collateral_token:
        said = yield Ask({"type": "alignedQuoteTokenInfo", "token": meta.collateral_token}, ALIGNED)
        aligned = said.is_aligned
    return facts_of(coin, dexs, meta, tokens, aligned=aligned)


def fees(market: MarketFacts, user: str) -> Generator[Ask, Any, Fees | None]:
    rates = yield Ask({"type": "userFees", "user": user}, USER_FEES)
    return market.fees(rates)


def account(user: str, dex: str) -> Generator[Ask, Any, ClearinghouseState]:
    state: ClearinghouseState = yield Ask({"type": "clearinghouseState", "user": user, "dex": dex}, STATE)
    return state


def open_orders(user: str, dex: str) -> Generator[Ask, Any, list[OrderRow]]:
    rows: list[OrderRow] = yield Ask({"type": "frontendOpenOrders", "user": user, "dex": dex}, ORDERS)
    return rows


def fills_since(user: str, start_ms: int) -> Generator[Ask, Any, list[FillRow]]:
    rows: list[FillRow] = yield Ask({"type": "userFillsByTime", "user": user, "startTime": start_ms}, FILLS)
    return rows


def rate_limit(user: str) -> Generator[Ask, Any, RateLimit]:
    limit: RateLimit = yield Ask({"type": "userRateLimit", "user": user}, RATE_LIMIT)
    return limit
