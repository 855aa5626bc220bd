"""The venue's market-data frames as strict types: one decode of text into a shape, everything else refused by name.

What the numbers mean, and whether they make sense together, is `parse.py`'s affair. Unknown further fields are passed
over: the venue adds some every month. `decode` raises BadInput and nothing else.
"""

from __future__ import annotations

from typing import Annotated, Literal, NoReturn, TypeAlias

import msgspec
from msgspec import Meta

from common.errors import BadInput

FRAME_CHARS_MAX = 1 << 20

Ms: TypeAlias = Annotated[int, Meta(ge=1_262_304_000_000, lt=4_102_444_800_000)]  # 2010 .. 2100: seconds are refused
Tid: TypeAlias = Annotated[int, Meta(ge=0, le=2**62)]


class Level(msgspec.Struct, gc=False):
    px: str
    sz: str
    n: Annotated[int, Meta(ge=0, le=10**9)]


class L2Data(msgspec.Struct):
    coin: str
    time: Ms
    levels: tuple[list[Level], list[Level]]
    fast: bool | None = None


class BboData(msgspec.Struct):
    coin: str
    time: Ms
    bbo: tuple[Level | None, Level | None]


class Trade(msgspec.Struct, gc=False):
    coin: str
    side: Literal["A", "B"]
    px: str
    sz: str
    time: Ms
    tid: Tid


class Ctx(msgspec.Struct):
    funding: str
    openInterest: str  # noqa: N815 (the venue's name)
    oraclePx: str  # noqa: N815
    markPx: str  # noqa: N815
    premium: str | None = None


class CtxData(msgspec.Struct):
    coin: str
    ctx: Ctx


class Subscription(msgspec.Struct):
    type: str
    coin: str | None = None


class AckData(msgspec.Struct):
    method: Literal["subscribe", "unsubscribe"]
    subscription: Subscription


class L2Book(msgspec.Struct, tag_field="channel", tag="l2Book"):
    data: L2Data


class Bbo(msgspec.Struct, tag_field="channel", tag="bbo"):
    data: BboData


class Trades(msgspec.Struct, tag_field="channel", tag="trades"):
    data: list[Trade]


class ActiveAssetCtx(msgspec.Struct, tag_field="channel", tag="activeAssetCtx"):
    data: CtxData


class SubscriptionResponse(msgspec.Struct, tag_field="channel", tag="subscriptionResponse"):
    data: AckData


class Error(msgspec.Struct, tag_field="channel", tag="error"):
    data: str


class Pong(msgspec.Struct, tag_field="channel", tag="pong"):
    """Carries nothing."""


class _Probe(msgspec.Struct):
    """Enough of a refused frame to say what was wrong with it."""

    channel: msgspec.Raw = msgspec.Raw()


Wire: TypeAlias = L2Book | Bbo | Trades | ActiveAssetCtx | SubscriptionResponse | Error | Pong
_DECODER: msgspec.json.Decoder[Wire] = msgspec.json.Decoder(Wire)
_PROBE = msgspec.json.Decoder(_Probe)
CHANNELS = frozenset({"l2Book", "bbo", "trades", "activeAssetCtx", "subscriptionResponse", "error", "pong"})


def decode(frame: str) -> Wire:
    """The shape of a text frame."""
    if len(frame) > FRAME_CHARS_MAX:
        raise BadInput("too_long", f"{len(frame)} characters")
    try:
        return _DECODER.decode(frame)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        _refuse(frame, error)


def _refuse(frame: str, error: Exception) -> NoReturn:
    """Name what was wrong with a frame the decoder refused."""
    if isinstance(error, RecursionError):
        raise BadInput("too_deep") from None
    if isinstance(error, UnicodeError):
        raise BadInput("bad_utf8") from None
    if not isinstance(error, msgspec.ValidationError):
        raise BadInput("not_json", str(error)[:120]) from None
    try:
        said = msgspec.json.decode(bytes(_PROBE.decode(frame).channel) or b"null")
    except RecursionError:
        raise BadInput("too_deep") from None
    except msgspec.DecodeError:
        raise BadInput("not_object", str(error)[:120]) from None
    if not isinstance(said, str):
        raise BadInput("no_channel", str(error)[:120]) from None
    if said not in CHANNELS:
        raise BadInput("unknown_channel", said[:40]) from None
    raise BadInput("schema", f"{said}: {error}"[:160]) from None
