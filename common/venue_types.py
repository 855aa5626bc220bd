"""What the venue answers to `/info`, as strict types: one decode checks shape, decimal text and ranges.

Decimals stay the venue's text (checked to be plain decimals) until someone who knows the market's grid turns them into
units (`common/ticks.py`). Unknown extra fields are allowed: the venue adds some every month. Captures and shapes:
hyperliquid.md 3 and 5.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

Dec: TypeAlias = Annotated[str, Meta(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,12})?\Z")]
"""A plain decimal: no exponent, no sign but a minus, no spaces, ASCII digits."""
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
Ms: TypeAlias = Annotated[int, Meta(ge=0, le=4_102_444_800_000)]
Whole: TypeAlias = Annotated[int, Meta(ge=0, le=2**62)]
BidAsk: TypeAlias = Literal["B", "A"]


class Answer(msgspec.Struct, frozen=True, rename="camel"):
    """Base of all replies: fields are named as ours and read from the venue's camelCase."""


# ---------------------------------------------------------------------- markets
class PerpDex(Answer, frozen=True):
    name: Name
    deployer_fee_scale: Dec | None = None


class AssetMeta(Answer, frozen=True):
    name: Name
    sz_decimals: Annotated[int, Meta(ge=0, le=8)]
    max_leverage: Annotated[int, Meta(ge=1, le=200)]
    only_isolated: bool = False
    is_delisted: bool = False
    margin_mode: str | None = None
    growth_mode: str | None = None


class PerpMeta(Answer, frozen=True):
    universe: list[AssetMeta]
    collateral_token: Whole | None = None


class Token(Answer, frozen=True):
    name: Name
    index: Whole


class SpotMeta(Answer, frozen=True):
    """Tokens may have gaps in their indices: look them up by `index`, never by place."""

    tokens: list[Token]


class Aligned(Answer, frozen=True):
    is_aligned: bool


# ---------------------------------------------------------------------- account
class UserFees(Answer, frozen=True):
    """Rates after tier and staking, before referral and the HIP-3 scale."""

    user_cross_rate: Dec
    user_add_rate: Dec
    active_referral_discount: Dec = "0"


class MarginSummary(Answer, frozen=True):
    account_value: Dec
    total_margin_used: Dec
    total_ntl_pos: Dec
    total_raw_usd: Dec


class Leverage(Answer, frozen=True):
    type: str
    value: Annotated[int, Meta(ge=0, le=1000)]
    raw_usd: Dec | None = None


class PositionRow(Answer, frozen=True):
    coin: Name
    szi: Dec
    leverage: Leverage
    margin_used: Dec
    position_value: Dec
    unrealized_pnl: Dec
    entry_px: Dec | None = None
    liquidation_px: Dec | None = None


class AssetPosition(Answer, frozen=True):
    position: PositionRow
    type: str = "oneWay"


class ClearinghouseState(Answer, frozen=True):
    asset_positions: list[AssetPosition]
    cross_margin_summary: MarginSummary
    margin_summary: MarginSummary
    cross_maintenance_margin_used: Dec
    withdrawable: Dec
    time: Ms


class RateLimit(Answer, frozen=True):
    cum_vlm: Dec
    n_requests_used: Whole
    n_requests_cap: Whole
    n_requests_surplus: Whole = 0


class FundingDelta(Answer, frozen=True):
    coin: Name
    usdc: Dec
    szi: Dec
    funding_rate: Dec


class FundingRow(Answer, frozen=True):
    """`time` is the hour; `usdc` is what the account changed by, in the collateral (negative = paid)."""

    time: Ms
    delta: FundingDelta


class CandleRow(Answer, frozen=True):
    """One bar of `candleSnapshot`; `t` is its open, `T` its last millisecond, `v` base units."""

    t: Ms
    close_ms: Ms = msgspec.field(name="T")
    coin: Name = msgspec.field(name="s")
    interval: Name = msgspec.field(name="i")
    o: Dec
    h: Dec
    l: Dec  # noqa: E741 (the venue's name)
    c: Dec
    v: Dec


class FundingRateRow(Answer, frozen=True):
    """One hour of `fundingHistory`: a fraction per hour."""

    coin: Name
    funding_rate: Dec
    time: Ms


# ---------------------------------------------------------------------- orders and fills
class OrderRow(Answer, frozen=True):
    """One order of `openOrders`, `frontendOpenOrders`, `orderStatus` or `orderUpdates`; `sz` is what remains."""

    coin: Name
    side: BidAsk
    limit_px: Dec
    sz: Dec
    oid: Whole
    timestamp: Ms
    orig_sz: Dec | None = None
    cloid: str | None = None
    reduce_only: bool | None = None


class StatusRow(Answer, frozen=True):
    """An order with what became of it (`orderStatus`, `orderUpdates`)."""

    order: OrderRow
    status: Name
    status_timestamp: Ms


class OrderStatusReply(Answer, frozen=True):
    status: str
    order: StatusRow | None = None


class Liquidation(Answer, frozen=True):
    mark_px: Dec
    method: str
    liquidated_user: str | None = None


class FillRow(Answer, frozen=True):
    """One fill of `userFills`; unique by (time, coin, tid).  `fee` includes `builder_fee`, negative = rebate."""

    coin: Name
    px: Dec
    sz: Dec
    side: BidAsk
    time: Ms
    start_position: Dec
    dir: str
    closed_pnl: Dec
    oid: Whole
    crossed: bool
    fee: Dec
    tid: Whole
    fee_token: Name
    cloid: str | None = None
    builder_fee: Dec | None = None
    liquidation: Liquidation | None = None
