"""Questions to the venue's `/info`, with every answer either typed or refused by name.

This room decides how a reading request is sent and what counts as an answer; it leaves to others what to do with it.
Every request first pays its weight (`common/weights.py`). Failures: BadInput (an answer that is none: not JSON, wrong
shape, too big, a redirect), VenueError (the venue refused: 4xx, 5xx), LinkDown (no answer within 2 s in all, or no
weight left). A reading request changes nothing at the venue, so a lost answer is LinkDown, never UnknownOutcome, and
no failure is ever an empty list: "no positions" is only what the venue said in so many words.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import msgspec
from msgspec.json import Decoder

from common import metrics
from common.errors import BadInput, LinkDown, Refused, VenueError
from common.fees import Fees, market_fees
from common.messages import MarketSpec
from common.venue_types import (
    Aligned,
    AssetMeta,
    CandleRow,
    ClearinghouseState,
    FillRow,
    FundingRateRow,
    FundingRow,
    OrderRow,
    OrderStatusReply,
    PerpDex,
    PerpMeta,
    RateLimit,
    SpotMeta,
    StatusRow,
    UserFees,
)
from common.weights import Weights

TIMEOUT_S = 2.0
BODY_BYTES_MAX = 8 * 1024 * 1024
ERROR_CHARS_MAX = 200
BUILDER_BASE = 100_000
DEX_STRIDE = 10_000

#: Weight by type (hyperliquid.md 3); lists cost more by their length: 1 for so many rows (`BY_LENGTH`).
WEIGHTS = {
    "l2Book": 2, "allMids": 2, "clearinghouseState": 2, "spotClearinghouseState": 2, "orderStatus": 2,
    "userRole": 60,
}  # fmt: skip
WEIGHT_OTHER = 20
BY_LENGTH = dict.fromkeys(("userFills", "userFillsByTime", "userFunding", "fundingHistory", "historicalOrders"), 20)
BY_LENGTH["candleSnapshot"] = 60

T = TypeVar("T")

PERP_DEXS = Decoder(list[PerpDex | None])
PERP_META = Decoder(PerpMeta)
SPOT_META = Decoder(SpotMeta)
ALIGNED = Decoder(Aligned)
USER_FEES = Decoder(UserFees)
STATE = Decoder(ClearinghouseState)
ORDERS = Decoder(list[OrderRow])
FILLS = Decoder(list[FillRow])
FUNDING = Decoder(list[FundingRow])
CANDLES = Decoder(list[CandleRow])
FUNDING_RATES = Decoder(list[FundingRateRow])
ORDER_STATUS = Decoder(OrderStatusReply)
RATE_LIMIT = Decoder(RateLimit)


def decode(body: bytes, decoder: Decoder[T]) -> T:
    """Typed JSON; raises BadInput("not_json") or BadInput("bad_shape")."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise BadInput("bad_shape", str(error)[:ERROR_CHARS_MAX]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("not_json", str(error)[:ERROR_CHARS_MAX]) from error


# ---------------------------------------------------------------------- markets
@dataclass(frozen=True, slots=True)
class MarketFacts:
    """One perpetual as the venue describes it; prices and sizes are on the grid of `sz_decimals`."""

    coin: str
    dex: str
    dex_index: int
    index: int
    asset_id: int
    sz_decimals: int
    max_leverage: int
    collateral: str
    growth_mode: bool
    is_delisted: bool
    margin_mode: str
    deployer_fee_scale: str | None  # None = the venue did not say: fees are unknown
    aligned: bool = False

    def spec(self, t_ns: int) -> MarketSpec:
        return MarketSpec(
            t_ns, self.coin, self.asset_id, self.sz_decimals, self.max_leverage, self.collateral, self.growth_mode,
            self.is_delisted,
        )  # fmt: skip

    def fees(self, rates: UserFees) -> Fees | None:
        """What this account pays here; None while the dex's fee scale is unknown."""
        if self.deployer_fee_scale is None:
            return None
        return market_fees(
            rates.user_add_rate,
            rates.user_cross_rate,
            scale=self.deployer_fee_scale,
            growth=self.growth_mode,
            aligned=self.aligned,
            referral=rates.active_referral_discount,
        )

    def require(self, collateral: str) -> None:
        """Raises Refused unless this market may be traded with the configured collateral."""
        if self.is_delisted:
            raise Refused(f"{self.coin} is delisted at the venue: choose another SYMBOL")
        if self.collateral != collateral:
            raise Refused(f"COLLATERAL = {collateral!r}, but {self.coin} is margined in {self.collateral}")
        if self.sz_decimals > 6:
            raise Refused(f"{self.coin} has {self.sz_decimals} size decimals; at most 6 are supported")


def asset_id(dex_index: int, index: int) -> int:
    """The id an order names: first dex = place in its universe, builder dex = 100000 + dex x 10000 + place."""
    return index if dex_index == 0 else BUILDER_BASE + dex_index * DEX_STRIDE + index


def locate(asset: int) -> tuple[int, int]:
    """(dex index, place) of an asset id: the way back, so that a wrong id cannot pass unnoticed."""
    if asset < BUILDER_BASE:
        return 0, asset
    return divmod(asset - BUILDER_BASE, DEX_STRIDE)


def facts_of(
    coin: str, dexs: list[PerpDex | None], meta: PerpMeta, tokens: SpotMeta, *, aligned: bool = False
) -> MarketFacts:  # fmt: skip
    """Put the answers together; raises BadInput when the coin is not there exactly once or ids do not lead back."""
    dex = coin.partition(":")[0] if ":" in coin else ""
    places = [i for i, one in enumerate(dexs) if (one.name if one else "") == dex]
    found = [i for i, one in enumerate(meta.universe) if one.name == coin]
    if len(places) != 1 or len(found) != 1:
        raise BadInput("no_such_market", f"{coin}: {len(places)} dexs, {len(found)} assets of that name")
    asset = asset_id(places[0], found[0])
    back_dex, back_index = locate(asset)
    named = dexs[back_dex] if back_dex < len(dexs) else None
    if (named.name if named else "") != dex or meta.universe[back_index].name != coin:
        raise BadInput("id_mismatch", f"{coin} -> {asset} -> {back_dex}, {back_index}")
    one = meta.universe[found[0]]
    builder = dexs[places[0]]
    return MarketFacts(
        coin=coin,
        dex=dex,
        dex_index=places[0],
        index=found[0],
        asset_id=asset,
        sz_decimals=one.sz_decimals,
        max_leverage=one.max_leverage,
        collateral=_collateral(meta, tokens),
        growth_mode=_growth(one),
        is_delisted=one.is_delisted,
        margin_mode="noCross" if one.only_isolated and not one.margin_mode else one.margin_mode or "",
        deployer_fee_scale=builder.deployer_fee_scale if builder else "0",
        aligned=aligned,
    )


def _collateral(meta: PerpMeta, tokens: SpotMeta) -> str:
    index = meta.collateral_token or 0
    names = [token.name for token in tokens.tokens if token.index == index]
    if len(names) != 1:
        raise BadInput("no_such_token", f"collateral token {index}: {len(names)} of that index")
    return names[0]


def _growth(one: AssetMeta) -> bool:
    if one.growth_mode not in (None, "enabled", "disabled"):
        raise BadInput("growth_mode", str(one.growth_mode)[:40])
    return one.growth_mode == "enabled"


# ---------------------------------------------------------------------- the client
class InfoClient:
    """Asks one venue; `async with` owns its connection."""

    def __init__(
        self, venue_url: str, weights: Weights, timeout_s: float = TIMEOUT_S, patience_s: float = TIMEOUT_S
    ) -> None:
        """`patience_s`: how long a request may wait for its weight before it fails."""
        self._patience_s = patience_s
        self._url = venue_url.rstrip("/") + "/info"
        self._weights = weights
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=self._timeout, auto_decompress=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    # ------------------------------------------------------------------ markets
    async def perp_dexs(self) -> list[PerpDex | None]:
        return await self._ask({"type": "perpDexs"}, PERP_DEXS)

    async def meta(self, dex: str = "") -> PerpMeta:
        return await self._ask({"type": "meta", "dex": dex}, PERP_META)

    async def spot_meta(self) -> SpotMeta:
        return await self._ask({"type": "spotMeta"}, SPOT_META)

    async def is_aligned(self, token: int) -> bool:
        """Whether a quote token lowers taker fees; a venue that does not say so has none (dearer, so safe)."""
        try:
            return (await self._ask({"type": "alignedQuoteTokenInfo", "token": token}, ALIGNED)).is_aligned
        except (VenueError, BadInput):
            return False

    async def discover(self, coin: str) -> MarketFacts:
        """Everything a service must know of `coin` before it starts."""
        dexs = await self.perp_dexs()
        meta = await self.meta(coin.partition(":")[0] if ":" in coin else "")
        tokens = await self.spot_meta()
        aligned = bool(meta.collateral_token) and await self.is_aligned(meta.collateral_token or 0)
        return facts_of(coin, dexs, meta, tokens, aligned=aligned)

    # ------------------------------------------------------------------ history
    async def candles(self, coin: str, interval: str, start_ms: int, end_ms: int) -> list[CandleRow]:
        """Bars that open within the span, oldest first; of each interval the venue keeps the newest 5,000."""
        asked = {"coin": coin, "interval": interval, "startTime": start_ms, "endTime": end_ms}
        return await self._ask({"type": "candleSnapshot", "req": asked}, CANDLES)

    async def funding_history(self, coin: str, start_ms: int) -> list[FundingRateRow]:
        """The market's hourly rates from `start_ms` on, oldest first, at most 500 (page with the last time)."""
        return await self._ask({"type": "fundingHistory", "coin": coin, "startTime": start_ms}, FUNDING_RATES)

    # ------------------------------------------------------------------ account
    async def user_fees(self, user: str) -> UserFees:
        return await self._ask({"type": "userFees", "user": user}, USER_FEES)

    async def clearinghouse_state(self, user: str, dex: str = "") -> ClearinghouseState:
        return await self._ask({"type": "clearinghouseState", "user": user, "dex": dex}, STATE)

    async def open_orders(self, user: str, dex: str = "") -> list[OrderRow]:
        """With cloids and original sizes (`frontendOpenOrders`)."""
        return await self._ask({"type": "frontendOpenOrders", "user": user, "dex": dex}, ORDERS)

    async def user_fills(self, user: str) -> list[FillRow]:
        """The newest 2,000 fills of the account, all coins."""
        return await self._ask({"type": "userFills", "user": user}, FILLS)

    async def user_fills_by_time(self, user: str, start_ms: int) -> list[FillRow]:
        """Fills from `start_ms` on, oldest first, at most 2,000 (page with the last time)."""
        return await self._ask({"type": "userFillsByTime", "user": user, "startTime": start_ms}, FILLS)

    async def user_funding(self, user: str, start_ms: int) -> list[FundingRow]:
        return await self._ask({"type": "userFunding", "user": user, "startTime": start_ms}, FUNDING)

    async def order_status(self, user: str, order: int | str) -> StatusRow | None:
        """What became of an order, by oid or cloid; None = the venue does not know it."""
        reply = await self._ask({"type": "orderStatus", "user": user, "oid": order}, ORDER_STATUS)
        if reply.status == "unknownOid":
            return None
        if reply.status != "order" or reply.order is None:
            raise self._bad("bad_shape", f"orderStatus {reply.status[:40]!r}")
        return reply.order

    async def user_rate_limit(self, user: str) -> RateLimit:
        return await self._ask({"type": "userRateLimit", "user": user}, RATE_LIMIT)

    # ------------------------------------------------------------------ one request
    async def _ask(self, question: dict[str, Any], decoder: Decoder[T]) -> T:
        name = question["type"]
        await self._weights.spend(WEIGHTS.get(name, WEIGHT_OTHER), self._patience_s)
        body = await self._post(msgspec.json.encode(question))
        try:
            answer = decode(body, decoder)
        except BadInput as error:
            raise self._bad(error.reason, f"{name}: {error.detail}") from error
        if name in BY_LENGTH and isinstance(answer, list):
            self._weights.owe(len(answer) // BY_LENGTH[name])
        return answer

    async def _post(self, payload: bytes) -> bytes:
        if self._session is None:
            raise LinkDown("the client is not open")
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        try:
            async with self._session.post(self._url, data=payload, headers=headers, allow_redirects=False) as reply:
                body = await self._body(reply)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise LinkDown(f"{type(error).__name__}: {str(error)[:ERROR_CHARS_MAX]}") from error
        if reply.status == 200:
            return body
        if 300 <= reply.status < 400:
            raise self._bad("redirect", str(reply.status))
        raise VenueError(f"HTTP {reply.status}: {body[:ERROR_CHARS_MAX].decode('utf-8', 'replace')}")

    async def _body(self, reply: aiohttp.ClientResponse) -> bytes:
        if reply.headers.get("Content-Encoding", "identity") != "identity":
            raise self._bad("encoded", reply.headers["Content-Encoding"][:40])
        body = bytearray()
        async for chunk in reply.content.iter_any():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                raise self._bad("too_big", f"more than {BODY_BYTES_MAX} bytes")
        return bytes(body)

    def _bad(self, reason: str, detail: str) -> BadInput:
        metrics.count("amm_bad_input_total", boundary="rest", reason=reason)
        return BadInput(reason, detail)
