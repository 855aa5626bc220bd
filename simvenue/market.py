"""What a market is, and how far away its venue is: the definitions the exchange is built from.

Everything here is data. `sz_decimals` fixes the units: prices in 10^-(6 - sz_decimals) quote (`px_u`), sizes in
10^-sz_decimals base (`sz_u`). Latencies are market time in ns.
"""

from __future__ import annotations

from dataclasses import dataclass

from common.clock import MS
from common.config import Settings

HIP3_ASSET_BASE = 100_000
HIP3_DEX_STRIDE = 10_000


@dataclass(frozen=True, slots=True)
class MarketDef:
    """One perp as its venue lists it; `asset_id` follows hyperliquid.md section 2."""

    coin: str
    asset_id: int
    sz_decimals: int
    max_leverage: int
    collateral: str
    dex: str  # "" = the first dex
    growth_mode: bool
    aligned: bool
    deployer_fee_scale: float
    interest_rate_1h: float
    impact_notional_usd: float
    dex_index: int = 0
    asset_index: int = 0

    @property
    def is_hip3(self) -> bool:
        return self.dex != ""

    @property
    def px_decimals(self) -> int:
        return 6 - self.sz_decimals


@dataclass(frozen=True, slots=True)
class Latency:
    """`feed_ns`: venue to client (market data, user events); `order_ns`: client to matching; `reply_ns`: answer."""

    feed_ns: int = 0
    order_ns: int = 0
    reply_ns: int = 0


#: `--latency`: feed and entry as the edge study names them; an answer travels as market data does.
LATENCIES = {
    "zero": Latency(),
    "good": Latency(50 * MS, 100 * MS, 50 * MS),
    "typical": Latency(100 * MS, 300 * MS, 100 * MS),
    "bad": Latency(500 * MS, 1500 * MS, 500 * MS),
}


def asset_id_of(dex_index: int, asset_index: int) -> int:
    """First dex: the index in its universe; builder dexes: 100000 + dex x 10000 + index."""
    if dex_index == 0:
        return asset_index
    return HIP3_ASSET_BASE + HIP3_DEX_STRIDE * dex_index + asset_index


def market_of(settings: Settings) -> MarketDef:
    """The market a profile describes (`[market]` and `[venue]`)."""
    venue, market = settings.venue, settings.market
    return MarketDef(
        coin=market.coin,
        asset_id=asset_id_of(venue.dex_index, venue.asset_index),
        sz_decimals=venue.sz_decimals,
        max_leverage=venue.max_leverage,
        collateral=market.collateral,
        dex=market.dex,
        growth_mode=venue.growth_mode,
        aligned=venue.aligned,
        deployer_fee_scale=venue.deployer_fee_scale,
        interest_rate_1h=venue.interest_rate_1h,
        impact_notional_usd=venue.impact_notional_usd,
        dex_index=venue.dex_index,
        asset_index=venue.asset_index,
    )
