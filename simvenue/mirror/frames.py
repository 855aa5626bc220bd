"""The mirrored venue's market data: one strict decode of a frame into venue units, everything else refused by name.

Decides whether a frame is well formed and speaks of a market we mirror: shape, decimal text on the market's grid,
ranges, order of levels. Whether it is new, late or a repetition is `market.py`'s. Unknown further fields are
passed over: the venue adds some every month. `parse` raises BadInput and nothing else. Prices px_u, sizes sz_u, times
venue time in ns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta, Struct

from common.book import check
from common.errors import BadInput
from common.recorded import BookRow, LevelRow, TouchRow, TradeRow
from common.ticks import px_decimals, to_units, to_units_nearest
from common.venue_types import Dec
from simvenue.source import Told

GREETING = "Websocket connection established."
MS_NS = 1_000_000
UNITS_MAX = 10**15
LEVELS_MAX = 100
PRINTS_MAX = 5_000
TEXT_MAX = 300
NOWHERE = (0, 0, "mirror", 0)
"""Rows of a recording know their place in it; these have none."""

Ms: TypeAlias = Annotated[int, Meta(ge=1_262_304_000_000, lt=4_102_444_800_000)]  # 2010 .. 2100: seconds are refused
Coin: TypeAlias = Annotated[str, Meta(max_length=64)]
Word: TypeAlias = Annotated[str, Meta(max_length=80)]


# ---------------------------------------------------------------------- what comes out
class Said(NamedTuple):
    """A touch or a whole book of one market."""

    coin: str
    row: TouchRow | BookRow


class Traded(NamedTuple):
    """Prints, by coin, in the order told."""

    rows: dict[str, list[TradeRow]]


class Prices(NamedTuple):
    """The venue's own prices of one market."""

    coin: str
    told: Told


class Ack(NamedTuple):
    """The venue has taken a subscription: (type, coin, fast)."""

    topic: tuple[str, str, bool]


class Complaint(NamedTuple):
    """The venue refused something we sent."""

    text: str


class Pong(NamedTuple):
    """Answer to a ping, or the greeting: the link is alive."""


Heard: TypeAlias = Said | Traded | Prices | Ack | Complaint | Pong


# ---------------------------------------------------------------------- shapes
class _Level(Struct, gc=False):
    px: str
    sz: str
    n: Annotated[int, Meta(ge=0, le=10**9)]


class _Book(Struct):
    coin: Coin
    time: Ms
    levels: tuple[list[_Level], list[_Level]]
    fast: bool | None = None


class _Best(Struct):
    coin: Coin
    time: Ms
    bbo: tuple[_Level | None, _Level | None]


class _Trade(Struct, gc=False):
    coin: Coin
    side: Literal["A", "B"]
    px: str
    sz: str
    time: Ms
    tid: Annotated[int, Meta(ge=0, le=2**62)]
    hash: Word = ""
    users: tuple[Word, Word] = ("", "")


class _Ctx(Struct):
    oraclePx: Dec  # noqa: N815 (the venue's name)
    markPx: Dec  # noqa: N815
    funding: Dec
    openInterest: Dec  # noqa: N815
    premium: Dec | None = None
    midPx: Dec | None = None  # noqa: N815
    impactPxs: tuple[Dec, Dec] | None = None  # noqa: N815
    prevDayPx: Dec | None = None  # noqa: N815
    dayNtlVlm: Dec | None = None  # noqa: N815
    dayBaseVlm: Dec | None = None  # noqa: N815


class _CoinCtx(Struct):
    coin: Coin
    ctx: _Ctx


class _Topic(Struct):
    type: str
    coin: Coin = ""
    fast: bool | None = None


class _Answer(Struct):
    method: str
    subscription: _Topic


class _L2Book(Struct, tag_field="channel", tag="l2Book"):
    data: _Book


class _Bbo(Struct, tag_field="channel", tag="bbo"):
    data: _Best


class _Trades(Struct, tag_field="channel", tag="trades"):
    data: list[_Trade]


class _ActiveAssetCtx(Struct, tag_field="channel", tag="activeAssetCtx"):
    data: _CoinCtx


class _SubscriptionResponse(Struct, tag_field="channel", tag="subscriptionResponse"):
    data: _Answer


class _Error(Struct, tag_field="channel", tag="error"):
    data: str


class _Pong(Struct, tag_field="channel", tag="pong"):
    pass


_FRAME = msgspec.json.Decoder(
    _L2Book | _Bbo | _Trades | _ActiveAssetCtx | _SubscriptionResponse | _Error | _Pong
)  # fmt: skip


def parse(frame: str, sz_decimals: Mapping[str, int]) -> Heard:
    """What a frame says; `sz_decimals` of the mirrored markets by coin."""
    if frame == GREETING:
        return Pong()
    try:
        wire = _FRAME.decode(frame)
    except msgspec.ValidationError as error:
        raise BadInput("shape", str(error)[:TEXT_MAX]) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadInput("not_json", str(error)[:TEXT_MAX]) from None
    match wire:
        case _L2Book():
            return _snapshot(wire.data, sz_decimals)
        case _Bbo():
            return _touch(wire.data, sz_decimals)
        case _Trades():
            return _prints(wire.data, sz_decimals)
        case _ActiveAssetCtx():
            return _prices(wire.data, sz_decimals)
        case _SubscriptionResponse():
            asked = wire.data.subscription
            return Ack((asked.type, asked.coin, asked.type == "l2Book" and bool(asked.fast)))
        case _Error():
            return Complaint(wire.data[:TEXT_MAX])
    return Pong()


def _snapshot(data: _Book, sz_decimals: Mapping[str, int]) -> Said:
    decimals = _decimals(data.coin, sz_decimals)
    if max(map(len, data.levels)) > LEVELS_MAX:
        raise BadInput("too_many_levels", data.coin)
    bids, asks = (tuple(_level(row, decimals) for row in side) for side in data.levels)
    check([level[:2] for level in bids], [level[:2] for level in asks])
    return Said(data.coin, BookRow(*NOWHERE, data.time * MS_NS, bool(data.fast), bids, asks))


def _touch(data: _Best, sz_decimals: Mapping[str, int]) -> Said:
    decimals = _decimals(data.coin, sz_decimals)
    bid, ask = (None if row is None else _level(row, decimals) for row in data.bbo)
    check([bid[:2]] if bid else [], [ask[:2]] if ask else [])
    return Said(data.coin, TouchRow(*NOWHERE, data.time * MS_NS, bid, ask))


def _prints(data: list[_Trade], sz_decimals: Mapping[str, int]) -> Traded:
    if len(data) > PRINTS_MAX:
        raise BadInput("too_many_trades", str(len(data)))
    found: dict[str, list[TradeRow]] = {}
    for row in data:
        px_u, sz_u = _pair(row.px, row.sz, _decimals(row.coin, sz_decimals))
        side = 1 if row.side == "B" else -1
        trade = TradeRow(*NOWHERE, row.time * MS_NS, side, px_u, sz_u, row.tid, row.hash, *row.users)
        found.setdefault(row.coin, []).append(trade)
    return Traded(found)


def _prices(data: _CoinCtx, sz_decimals: Mapping[str, int]) -> Prices:
    decimals = px_decimals(_decimals(data.coin, sz_decimals))
    ctx = data.ctx
    oracle, mark = to_units_nearest(ctx.oraclePx, decimals), to_units_nearest(ctx.markPx, decimals)
    if not (0 < oracle <= UNITS_MAX and 0 < mark <= UNITS_MAX):
        raise BadInput("range", f"oracle {ctx.oraclePx} mark {ctx.markPx}"[:TEXT_MAX])
    premium = None if ctx.premium is None else _rate(ctx.premium)
    figures = {
        name: value
        for name, value in msgspec.to_builtins(ctx).items()
        if value is not None or name in ("premium", "midPx", "impactPxs")
    }
    return Prices(data.coin, Told(oracle, mark, _rate(ctx.funding), premium, figures))


# ---------------------------------------------------------------------- leaves
def _decimals(coin: str, sz_decimals: Mapping[str, int]) -> int:
    if coin not in sz_decimals:
        raise BadInput("wrong_coin", coin)
    return sz_decimals[coin]


def _level(row: _Level, decimals: int) -> LevelRow:
    return (*_pair(row.px, row.sz, decimals), row.n)


def _pair(px: str, sz: str, decimals: int) -> tuple[int, int]:
    px_u, sz_u = to_units(px, px_decimals(decimals)), to_units(sz, decimals)
    if not (0 < px_u <= UNITS_MAX and 0 < sz_u <= UNITS_MAX and px_u * sz_u <= 10**17):
        raise BadInput("range", f"{px} x {sz}"[:TEXT_MAX])
    return px_u, sz_u


def _rate(text: str) -> float:
    """A ratio in [-1, 1] from plain decimal text."""
    rate = float(text)
    if not -1.0 <= rate <= 1.0:
        raise BadInput("range", f"rate {text}"[:TEXT_MAX])
    return rate
