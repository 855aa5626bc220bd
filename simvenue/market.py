"""What a market is: the definitions the exchange is built from.

Everything here is data. `sz_decimals` fixes the units: prices in 10^-(6 - sz_decimals) quote (`px_u`), sizes in
10^-sz_decimals base (`sz_u`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.config import Settings


HIP3_ASSET_BASE = 100_000
HIP3_DEX_STRIDE = 10_000

#: `marginTables` with more than one tier, as the venue listed them in 2025 and 2026 (ids below 50 have one tier).
MARGIN_TABLES = {
    54: ((0, 20), (70_000_000, 10)),
    55: ((0, 25), (100_000_000, 15)),
    56: ((0, 40), (150_000_000, 20)),
}
FIRST_DEX_TABLES = {"BTC": 56, "ETH": 55, "SOL": 54}
EQUITY_FUNDING_CLAMP = 0.0003
"""Reported for equity perps of builder dexes (hyperliquid.md 10, third party); elsewhere 0.05 % per 8 h."""


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
    margin_table_id: int = 0  # of MARGIN_TABLES; 0 = one tier at the market's highest leverage
    margin_mode: str = ""  # "" = cross allowed, "noCross", "strictIsolated" (margin cannot be taken out)
    funding_multiplier: float = 1.0
    funding_clamp: float = 0.0005  # per 8 h
    oi_cap_usd: int = 0  # notional cap of open interest; 0 = none

    @property
    def margin_tiers(self) -> tuple[tuple[int, int], ...]:
        """(notional it begins at in whole quote, highest leverage there), rising."""
        return MARGIN_TABLES.get(self.margin_table_id, ((0, self.max_leverage),))

    @property
    def is_isolated_only(self) -> bool:
        return self.margin_mode != ""

    @property
    def is_hip3(self) -> bool:
        return self.dex != ""

    @property
    def px_decimals(self) -> int:
        return 6 - self.sz_decimals


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
        margin_table_id=_table_of(settings),
        funding_clamp=EQUITY_FUNDING_CLAMP if market.dex and market.kind == "index" else 0.0005,
    )


def _table_of(settings: Settings) -> int:
    """The first dex's tiered table when the profile's highest leverage is its first tier's."""
    table = FIRST_DEX_TABLES.get(settings.market.coin, 0)
    return table if table and MARGIN_TABLES[table][0][1] == settings.venue.max_leverage else 0
