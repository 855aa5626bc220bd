"""What this venue lists: its dexes, the perps of each, and its spot tokens, in the venue's own shapes.

Only the markets given are traded; BTC and ETH stand on the first dex whether traded or not, and places of a builder
dex below the traded market are filled with delisted ones, so that ids and indices are what a real client would find.
Names of the dexes in their order: hyperliquid.md section 2 (`sx` is the recorded stand-in's). Static data only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from simvenue.feeds.wire import Json, decimal, rate
from simvenue.market import MarketDef, asset_id_of

DEXES = ("xyz", "flx", "vntl", "hyna", "km", "abcd", "cash", "para", "mkts", "io", "sx")
TOKENS = {"USDC": 0, "HYPE": 150, "USDE": 235, "USDH": 360}
TOKEN_DECIMALS = {"USDC": 8, "HYPE": 2, "USDE": 2, "USDH": 2}
PAIRS = {107: ("HYPE", "USDC"), 230: ("USDH", "USDC")}  # spot index -> tokens; sparse, as the real list is
ALIGNED_SINCE_MS = 1_758_949_452_538  # the documentation's own example
_FIRST_DEX = (("BTC", 5, 40), ("ETH", 4, 25))


@dataclass(frozen=True, slots=True)
class Listing:
    """One perp in a dex's universe; `market` is None for those nobody can trade here."""

    coin: str
    asset_id: int
    sz_decimals: int
    max_leverage: int
    growth_mode: bool
    is_delisted: bool
    market: MarketDef | None

    @property
    def margin_tiers(self) -> tuple[tuple[int, int], ...]:
        """(notional it begins at in whole quote, highest leverage there)."""
        return ((0, self.max_leverage),) if self.market is None else self.market.margin_tiers

    @property
    def margin_table_id(self) -> int:
        """Tables below 50 have one tier, with the number's leverage."""
        named = self.market.margin_table_id if self.market is not None else 0
        return named or self.max_leverage


class Universe:
    """All listings by dex, coin and asset id."""

    def __init__(self, markets: Iterable[MarketDef]) -> None:
        self.markets = {m.coin: m for m in markets}
        last = max(m.dex_index for m in self.markets.values())
        placed = {m.dex_index: m.dex for m in self.markets.values() if m.is_hip3}
        known = dict(enumerate((n if n not in placed.values() else f"{n}0" for n in DEXES), 1))
        names = [placed.get(i) or known.get(i) or f"dex{i}" for i in range(1, last + 1)]
        self.dexes: tuple[str, ...] = ("", *names)
        self.perps: dict[str, tuple[Listing, ...]] = {d: self._listings(i, d) for i, d in enumerate(self.dexes)}
        self.by_coin = {listing.coin: listing for perps in self.perps.values() for listing in perps}
        self.dex_of = {listing.coin: dex for dex, perps in self.perps.items() for listing in perps}
        self.coin_of = {listing.asset_id: listing.coin for listing in self.by_coin.values()}

    def _listings(self, dex_index: int, dex: str) -> tuple[Listing, ...]:
        traded = {m.asset_index: m for m in self.markets.values() if m.dex_index == dex_index}
        first = dict(enumerate(_FIRST_DEX)) if dex_index == 0 else {}
        places = range(1 + max([*traded, *first], default=-1))
        return tuple(self._listing(dex_index, dex, i, traded.get(i), first.get(i)) for i in places)

    @staticmethod
    def _listing(
        dex_index: int, dex: str, index: int, market: MarketDef | None, listed: tuple[str, int, int] | None
    ) -> Listing:
        asset_id = asset_id_of(dex_index, index)
        if market is not None:
            return Listing(
                market.coin, asset_id, market.sz_decimals, market.max_leverage, market.growth_mode, False, market
            )
        if listed is not None:
            return Listing(listed[0], asset_id, listed[1], listed[2], False, False, None)
        return Listing(f"{dex}:GONE{index}" if dex else f"GONE{index}", asset_id, 2, 10, False, True, None)

    def sz_decimals(self) -> dict[str, int]:
        return {listing.coin: listing.sz_decimals for listing in self.by_coin.values()}

    def collateral(self, dex: str) -> str:
        """Collateral token of a dex: its traded market's, else USDC."""
        return next((m.collateral for m in self.markets.values() if m.dex == dex), "USDC")

    # ------------------------------------------------------------------ the venue's shapes
    def meta(self, dex: str, gone: Collection[str] = ()) -> Json:
        """`gone` are traded coins that have been delisted since."""
        perps = self.perps[dex]
        tables = {p.margin_table_id: p.margin_tiers for p in perps}
        return {
            "universe": [_meta_entry(p, p.is_delisted or p.coin in gone) for p in perps],
            "marginTables": [[number, _margin_table(tables[number])] for number in sorted(tables)],
            "collateralToken": TOKENS[self.collateral(dex)],
        }

    def perp_dexs(self) -> Json:
        return [None, *(self._dex(i) for i in range(1, len(self.dexes)))]

    def _dex(self, index: int) -> Json:
        name = self.dexes[index]
        traded = [m for m in self.markets.values() if m.dex == name]
        scale = traded[0].deployer_fee_scale if traded else 1.0
        deployer = f"0x{index:040x}"
        return {
            "name": name, "fullName": name.upper(), "deployer": deployer, "oracleUpdater": None,
            "feeRecipient": deployer, "assetToStreamingOiCap": [[p.coin, "100000000.0"] for p in self.perps[name]],
            "subDeployers": [], "deployerFeeScale": rate(scale),
            "lastDeployerFeeScaleChangeTime": "1970-01-01T00:00:00",
            "assetToFundingMultiplier": [[m.coin, rate(m.funding_multiplier)] for m in traded],
            "assetToFundingInterestRate": [[m.coin, rate(m.interest_rate_1h * 8)] for m in traded],
        }  # fmt: skip

    def dex_limits(self, dex: str) -> Json:
        """Caps far above anything this venue trades."""
        caps = [[p.coin, "100000000.0"] for p in self.perps[dex]]
        return {
            "totalOiCap": "1000000000.0", "oiSzCapPerPerp": "1000000000.0", "maxTransferNtl": "100000000.0",
            "coinToOiCap": caps,
        }  # fmt: skip

    @staticmethod
    def spot_meta() -> Json:
        tokens = [
            {
                "name": name, "szDecimals": TOKEN_DECIMALS[name], "weiDecimals": 8, "index": index,
                "tokenId": f"0x{index:032x}", "isCanonical": name in ("USDC", "HYPE"), "evmContract": None,
                "fullName": None, "deployerTradingFeeShare": "0.0",
            }
            for name, index in TOKENS.items()
        ]  # fmt: skip
        pairs = [
            {"tokens": [TOKENS[base], TOKENS[quote]], "name": f"@{index}", "index": index, "isCanonical": False}
            for index, (base, quote) in PAIRS.items()
        ]
        return {"tokens": tokens, "universe": pairs}

    @staticmethod
    def spot_contexts() -> Json:
        """No spot is traded here: every pair's figures are nothing."""
        zeros = dict.fromkeys(
            ("prevDayPx", "dayNtlVlm", "markPx", "circulatingSupply", "totalSupply", "dayBaseVlm"), "0.0"
        )
        return [{**zeros, "midPx": None, "coin": f"@{index}"} for index in PAIRS]

    def aligned(self, token: int) -> Json:
        is_aligned = any(m.aligned and TOKENS[m.collateral] == token for m in self.markets.values())
        return {
            "isAligned": is_aligned,
            "firstAlignedTime": ALIGNED_SINCE_MS if is_aligned else None,
            "evmMintedSupply": "0.0",
            "dailyAmountOwed": [],
            "predictedRate": decimal(0, 2),
        }


def _meta_entry(listing: Listing, is_delisted: bool) -> Json:
    entry: Json = {
        "szDecimals": listing.sz_decimals, "name": listing.coin, "maxLeverage": listing.max_leverage,
        "marginTableId": listing.margin_table_id,
    }  # fmt: skip
    if listing.market is not None and listing.market.is_isolated_only:
        entry |= {"onlyIsolated": True, "marginMode": listing.market.margin_mode}
    if is_delisted:
        entry["isDelisted"] = True
    if listing.growth_mode:
        entry["growthMode"] = "enabled"
    return entry


def _margin_table(tiers: Sequence[tuple[int, int]]) -> Json:
    rows = [{"lowerBound": f"{begins}.0", "maxLeverage": leverage} for begins, leverage in tiers]
    return {"description": "" if len(tiers) == 1 else f"tiered {tiers[0][1]}x", "marginTiers": rows}
