"""What a recorded message says, as one typed row per fact: touch, book, print, context, or an event of the connection.

The venue's text becomes the exact integers of the house (`px_u`, `sz_u`, times in ns); contexts, whose prices may be
finer than the grid, stay decimal texts. Nothing is judged: stale, crossed or repeated messages are rows like others,
only what cannot be read as the venue's is refused (BadInput). Every row keeps its place in the recording (`seq`), its
receive time and its connection. Both the Parquet step and the replay read recordings through here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from common.errors import BadInput
from common.frames import BINARY, CLOSED, LOST, OPENED, TEXT, Record
from common.ticks import px_decimals, to_units

MS_IN_NS = 1_000_000
CONTEXT_DECIMALS = 12
MARKET_CHANNELS = ("bbo", "l2Book", "trades", "activeAssetCtx")
GREETING = b"Websocket connection established."
EVENTS = {OPENED: "opened", CLOSED: "closed", LOST: "lost"}

LevelRow: TypeAlias = tuple[int, int, int]
"""Price, size, number of orders."""


@dataclass(frozen=True, slots=True)
class Row:
    """Where and when: `seq` counts the recording's records, `connection` a link's lives."""

    seq: int
    recv_t_ns: int
    link: str
    connection: int


@dataclass(frozen=True, slots=True)
class TouchRow(Row):
    venue_t_ns: int
    bid: LevelRow | None
    ask: LevelRow | None


@dataclass(frozen=True, slots=True)
class BookRow(Row):
    """A whole snapshot, best first; `fast` is the half-second five-level one."""

    venue_t_ns: int
    fast: bool
    bids: tuple[LevelRow, ...]
    asks: tuple[LevelRow, ...]


@dataclass(frozen=True, slots=True)
class TradeRow(Row):
    """One print; `side` is the aggressor's sign (1 = a buyer took)."""

    venue_t_ns: int
    side: int
    px_u: int
    sz_u: int
    tid: int
    hash: str
    buyer: str
    seller: str


@dataclass(frozen=True, slots=True)
class ContextRow(Row):
    """The venue gives contexts no time of their own; texts are plain decimals, None = null."""

    mark_px: str
    oracle_px: str
    mid_px: str | None
    impact_bid_px: str | None
    impact_ask_px: str | None
    prev_day_px: str | None
    funding_1h: str
    premium: str | None
    open_interest: str
    day_ntl: str | None
    day_base: str | None


@dataclass(frozen=True, slots=True)
class LinkRow(Row):
    """`event`: opened, closed, or lost (`messages` came and were not recorded)."""

    event: str
    messages: int


AnyRow: TypeAlias = TouchRow | BookRow | TradeRow | ContextRow | LinkRow


# ---------------------------------------------------------------------- the venue's shapes
_Ms: TypeAlias = Annotated[int, Meta(ge=1_262_304_000_000, lt=4_102_444_800_000)]  # 2010 .. 2100
_Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**62)]


class _Level(msgspec.Struct):
    px: str
    sz: str
    n: _Count


class _Bbo(msgspec.Struct):
    coin: str
    time: _Ms
    bbo: tuple[_Level | None, _Level | None]


class _Book(msgspec.Struct):
    coin: str
    time: _Ms
    levels: tuple[list[_Level], list[_Level]]
    fast: bool | None = None


class _Trade(msgspec.Struct):
    coin: str
    side: Literal["A", "B"]
    px: str
    sz: str
    time: _Ms
    tid: _Count
    hash: str = ""
    users: tuple[str, str] = ("", "")


class _Ctx(msgspec.Struct, rename="camel"):
    mark_px: str
    oracle_px: str
    funding: str
    open_interest: str
    premium: str | None = None
    mid_px: str | None = None
    impact_pxs: tuple[str, str] | None = None
    prev_day_px: str | None = None
    day_ntl_vlm: str | None = None
    day_base_vlm: str | None = None


class _CtxData(msgspec.Struct):
    coin: str
    ctx: _Ctx


class _Said(msgspec.Struct):
    channel: str
    data: msgspec.Raw = msgspec.Raw()


_SAID = msgspec.json.Decoder(_Said)
_BBO, _BOOK = msgspec.json.Decoder(_Bbo), msgspec.json.Decoder(_Book)
_TRADES, _CTX = msgspec.json.Decoder(list[_Trade]), msgspec.json.Decoder(_CtxData)


# ---------------------------------------------------------------------- reading
@dataclass(frozen=True, slots=True)
class Market:
    """What the units of a recording mean; from its FACTS."""

    coin: str
    sz_decimals: int

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Market:
        """Raises BadInput for facts that name no market."""
        coin, sz_decimals = facts.get("coin"), facts.get("sz_decimals")
        if not isinstance(coin, str) or not isinstance(sz_decimals, int) or not 0 <= sz_decimals <= 6:
            raise BadInput("facts", f"coin {coin!r}, sz_decimals {sz_decimals!r}")
        return cls(coin, sz_decimals)


def rows(record: Record, seq: int, market: Market) -> list[AnyRow]:
    """What one record says of the market: nothing for pongs and acknowledgements; raises BadInput."""
    where = (seq, record.recv_t_ns, record.link, record.connection)
    if record.kind in EVENTS:
        return [LinkRow(*where, EVENTS[record.kind], _lost(record))]
    if record.kind not in (TEXT, BINARY):
        raise BadInput("record_kind", str(record.kind))
    if record.body == GREETING:
        return []
    try:
        said = _SAID.decode(record.body)
        if said.channel not in MARKET_CHANNELS:
            return []
        return list(_rows(said, where, record.link, market))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("not_the_venues", str(error)[:120]) from None


def _lost(record: Record) -> int:
    if record.kind != LOST:
        return 0
    if not record.body.isdigit():
        raise BadInput("lost_count", repr(record.body)[:40])
    return int(record.body)


def _rows(said: _Said, where: tuple[int, int, str, int], link: str, market: Market) -> Iterator[AnyRow]:
    match said.channel:
        case "bbo":
            best = _BBO.decode(said.data)
            _same(best.coin, market)
            bid, ask = (None if side is None else _level(side, market) for side in best.bbo)
            yield TouchRow(*where, best.time * MS_IN_NS, bid, ask)
        case "l2Book":
            book = _BOOK.decode(said.data)
            _same(book.coin, market)
            fast = link == "main" if book.fast is None else book.fast  # where the venue does not say which feed it is
            bids, asks = (tuple(_level(level, market) for level in side) for side in book.levels)
            yield BookRow(*where, book.time * MS_IN_NS, fast, bids, asks)
        case "trades":
            for trade in _TRADES.decode(said.data):
                yield _trade(trade, where, market)
        case _:
            yield _context(_CTX.decode(said.data), where, market)


def _trade(trade: _Trade, where: tuple[int, int, str, int], market: Market) -> TradeRow:
    _same(trade.coin, market)
    px_u, sz_u = _pair(trade.px, trade.sz, market)
    side = 1 if trade.side == "B" else -1
    return TradeRow(*where, trade.time * MS_IN_NS, side, px_u, sz_u, trade.tid, trade.hash, *trade.users)


def _context(data: _CtxData, where: tuple[int, int, str, int], market: Market) -> ContextRow:
    _same(data.coin, market)
    ctx = data.ctx
    impact = ctx.impact_pxs or (None, None)
    texts = (
        ctx.mark_px, ctx.oracle_px, ctx.mid_px, *impact, ctx.prev_day_px, ctx.funding, ctx.premium, ctx.open_interest,
        ctx.day_ntl_vlm, ctx.day_base_vlm,
    )  # fmt: skip
    for text in texts:
        if text is not None:
            to_units(text, CONTEXT_DECIMALS)  # plain decimals of at most 12 decimals, or refused
    return ContextRow(*where, *texts)


def _level(level: _Level, market: Market) -> LevelRow:
    return (*_pair(level.px, level.sz, market), level.n)


def _pair(px: str, sz: str, market: Market) -> tuple[int, int]:
    return to_units(px, px_decimals(market.sz_decimals)), to_units(sz, market.sz_decimals)


def _same(coin: str, market: Market) -> None:
    if coin != market.coin:
        raise BadInput("wrong_coin", coin[:40])
