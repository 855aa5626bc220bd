"""The user streams' JSON -> events: one strict decode per frame, everything else refused with a named reason.

Decides whether a frame is well formed and about our account and market; what it means for an order is
`common/orders.py`'s, and whether a fill is new is the engine's. `UserParser.parse` raises BadInput and nothing else.
One bad entry refuses its frame: the reconciliation that follows a refusal brings what was in it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from common.clock import MS
from common.errors import BadInput
from common.venue_types import OrderRow
from executor.convert import fill_of, funding_of, order_of
from executor.events import FillSeen, FundingSeen, OrderSeen

FRAME_CHARS_MAX = 4_000_000
"""The first `userFills` message holds up to 2,000 fills of about 400 characters."""

GREETING = "Websocket connection established."

Ms: TypeAlias = Annotated[int, Meta(ge=1_262_304_000_000, lt=4_102_444_800_000)]  # 2010 .. 2100: seconds are refused
Oid: TypeAlias = Annotated[int, Meta(ge=1, le=2**53)]
Tid: TypeAlias = Annotated[int, Meta(ge=0, le=2**62)]
HexCloid: TypeAlias = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{32}\Z")]
Event: TypeAlias = OrderSeen | FillSeen | FundingSeen


class Ack(Struct, frozen=True, gc=False):
    """The venue confirmed a subscription of this type."""

    kind: str


class Complaint(Struct, frozen=True, gc=False):
    """The venue's `error` channel: it refused something we sent."""

    text: str


# ---------------------------------------------------------------------- the venue's shapes
class _Order(OrderRow, frozen=True):
    """As everywhere, but numbered, and with its original size."""

    def __post_init__(self) -> None:
        if self.oid < 1 or self.orig_sz is None:
            raise ValueError("an order update needs oid and origSz")


class _Update(Struct, rename="camel"):
    order: _Order
    status: Annotated[str, Meta(min_length=1, max_length=64)]
    status_timestamp: Ms


class _Liquidation(Struct, rename="camel"):
    method: str = ""
    liquidated_user: str | None = None


class _Fill(Struct, rename="camel"):
    coin: str
    px: str
    sz: str
    side: Literal["A", "B"]
    time: Ms
    start_position: str
    oid: Oid
    crossed: bool
    fee: str
    tid: Tid
    dir: str = ""
    cloid: HexCloid | None = None
    liquidation: _Liquidation | None = None


class _Fills(Struct):
    user: str
    fills: list[_Fill]


class _Funding(Struct, rename="camel"):
    time: Ms
    coin: str
    usdc: str
    szi: str
    funding_rate: str


class _Fundings(Struct):
    user: str
    fundings: list[_Funding]


class _Subscription(Struct):
    type: str


class _AckData(Struct):
    method: Literal["subscribe", "unsubscribe"]
    subscription: _Subscription


class _OrderUpdates(Struct, tag_field="channel", tag="orderUpdates"):
    data: list[_Update]


class _UserFills(Struct, tag_field="channel", tag="userFills"):
    data: _Fills


class _UserFundings(Struct, tag_field="channel", tag="userFundings"):
    data: _Fundings


class _SubscriptionResponse(Struct, tag_field="channel", tag="subscriptionResponse"):
    data: _AckData


class _Error(Struct, tag_field="channel", tag="error"):
    data: str


class _Pong(Struct, tag_field="channel", tag="pong"):
    pass


_FRAME: msgspec.json.Decoder[Any] = msgspec.json.Decoder(
    _OrderUpdates | _UserFills | _UserFundings | _SubscriptionResponse | _Error | _Pong
)


class UserParser:
    """Frames of one user's streams about one coin."""

    def __init__(self, coin: str, sz_decimals: int, user: str) -> None:
        self._coin = coin
        self._sz_decimals = sz_decimals
        self._user = user

    def parse(self, frame: str | bytes, t_ns: int) -> list[Event | Ack | Complaint]:
        """The events in one frame, received at `t_ns`."""
        if not isinstance(frame, str):
            raise BadInput("binary")
        if len(frame) > FRAME_CHARS_MAX:
            raise BadInput("too_long")
        if frame == GREETING:
            return []
        try:
            message = _FRAME.decode(frame)
        except msgspec.ValidationError as error:
            raise BadInput("shape", str(error)[:200]) from None
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise BadInput("not_json", type(error).__name__) from None
        match message:
            case _OrderUpdates(data=updates):
                return [self._order(u) for u in updates if u.order.coin == self._coin]
            case _UserFills(data=data):
                self._mine(data.user)
                mine = [f for f in data.fills if f.coin == self._coin]
                return [FillSeen(fill_of(f, self._user, self._sz_decimals, t_ns)) for f in mine]
            case _UserFundings(data=data):
                self._mine(data.user)
                return [self._funding(f, t_ns) for f in data.fundings if f.coin == self._coin]
            case _SubscriptionResponse(data=data):
                return [Ack(data.subscription.type)] if data.method == "subscribe" else []
            case _Error(data=text):
                return [Complaint(text[:200])]
        return []

    def _mine(self, user: str) -> None:
        if user.lower() != self._user:
            raise BadInput("other_user")

    def _order(self, update: _Update) -> OrderSeen:
        return OrderSeen(order_of(update.order, self._sz_decimals), update.status, update.status_timestamp * MS)

    def _funding(self, paid: _Funding, t_ns: int) -> FundingSeen:
        return FundingSeen(
            funding_of(paid.coin, paid.time, paid.usdc, paid.szi, paid.funding_rate, self._sz_decimals, t_ns)
        )
