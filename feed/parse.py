"""Venue JSON -> typed market data: one strict decode per frame, everything else refused with a named reason.

Decides whether a frame is well formed: shape, decimal text, grid, ranges, order of levels, own coin. Leaves to
`engine.py` whether it is fresh, near the oracle or a repetition. Prices and sizes leave here in venue units
(`common/ticks.py`), times in ns; the venue's ms end in this file. `parse` raises BadInput and nothing else.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TypeAlias

import msgspec

from common.errors import BadInput
from common.messages import MAX_LEVELS, AssetContext, Side, TradePrint
from common.ticks import px_decimals, to_units, to_units_nearest
from feed import shapes

MS_IN_NS = 1_000_000
PX_U_MAX = 10**15
SZ_U_MAX = 10**15
LEVEL_NTL_E6_MAX = 10**17
"""1e11 quote at one level; forty such levels still fit int64 where kernels add them up."""
TRADES_MAX = 2_000
"""More prints in one message than a block can hold."""
GREETING = "Websocket connection established."
"""Text the venue may send first; it is not JSON (docs: hyperliquid.md 5)."""


# ---------------------------------------------------------------------- what comes out
class Best(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask as (px_u, sz_u); None is an empty side."""

    venue_t_ns: int
    bid: tuple[int, int] | None
    ask: tuple[int, int] | None


class Snapshot(msgspec.Struct, frozen=True):
    """A whole book, best level first; `fast` is None where the venue does not say which feed it is."""

    venue_t_ns: int
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    fast: bool | None


class Prints(msgspec.Struct, frozen=True):
    trades: list[TradePrint]


class Ack(msgspec.Struct, frozen=True, gc=False):
    """The venue's answer to a (un)subscription."""

    kind: str
    coin: str | None
    subscribed: bool


class Complaint(msgspec.Struct, frozen=True, gc=False):
    """The venue's `error` channel: it refused something we sent."""

    text: str


class Pong(msgspec.Struct, frozen=True, gc=False):
    """Answer to our ping."""


class Greeting(msgspec.Struct, frozen=True, gc=False):
    """The venue's first words."""


Parsed: TypeAlias = Best | Snapshot | Prints | AssetContext | Ack | Complaint | Pong | Greeting


def parse(frame: str | bytes, coin: str, sz_decimals: int, recv_t_ns: int) -> Parsed:
    """What `frame` says of `coin`, stamped with the market time at which it came; raises BadInput only."""
    if not isinstance(frame, str):
        raise BadInput("binary")
    if frame == GREETING:
        return Greeting()
    wire = shapes.decode(frame)
    match wire:
        case shapes.Bbo():
            return _best(wire.data, frame, coin, sz_decimals)
        case shapes.L2Book():
            return _snapshot(wire.data, frame, coin, sz_decimals)
        case shapes.Trades():
            return _prints(wire.data, frame, coin, sz_decimals, recv_t_ns)
        case shapes.ActiveAssetCtx():
            return _context(wire.data, frame, coin, sz_decimals, recv_t_ns)
        case shapes.SubscriptionResponse():
            asked = wire.data.subscription
            return Ack(asked.type, asked.coin, wire.data.method == "subscribe")
        case shapes.Error():
            return Complaint(wire.data[:500])
    return Pong()


def _best(data: shapes.BboData, frame: str, coin: str, sz_decimals: int) -> Best:
    bid, ask = data.bbo
    _same_coin(data.coin, coin)
    sides = (bid is not None) + (ask is not None)
    _keys_once(frame, channel=1, data=1, coin=1, time=1, bbo=2, px=sides, sz=sides)  # bbo: the channel's name too
    best = Best(
        data.time * MS_IN_NS,
        None if bid is None else _level(bid, sz_decimals),
        None if ask is None else _level(ask, sz_decimals),
    )
    _not_crossed(best.bid, best.ask)
    return best


def _snapshot(data: shapes.L2Data, frame: str, coin: str, sz_decimals: int) -> Snapshot:
    _same_coin(data.coin, coin)
    raw_bids, raw_asks = data.levels
    if len(raw_bids) > MAX_LEVELS or len(raw_asks) > MAX_LEVELS:
        raise BadInput("too_many_levels", f"{len(raw_bids)} + {len(raw_asks)}")
    n = len(raw_bids) + len(raw_asks)
    _keys_once(frame, channel=1, data=1, coin=1, time=1, levels=1, px=n, sz=n)
    bids = [_level(level, sz_decimals) for level in raw_bids]
    asks = [_level(level, sz_decimals) for level in raw_asks]
    _sorted(bids, -1)
    _sorted(asks, 1)
    _not_crossed(bids[0] if bids else None, asks[0] if asks else None)
    return Snapshot(data.time * MS_IN_NS, bids, asks, data.fast)


def _prints(data: list[shapes.Trade], frame: str, coin: str, sz_decimals: int, recv_t_ns: int) -> Prints:
    n = len(data)
    if n > TRADES_MAX:
        raise BadInput("too_many_trades", str(n))
    _keys_once(frame, channel=1, data=1, coin=n, side=n, px=n, sz=n, time=n, tid=n)
    trades = []
    for trade in data:
        _same_coin(trade.coin, coin)
        px_u, sz_u = _pair(trade.px, trade.sz, sz_decimals)
        side = Side.BID if trade.side == "B" else Side.ASK
        trades.append(TradePrint(recv_t_ns, coin, trade.time * MS_IN_NS, recv_t_ns, side, px_u, sz_u, trade.tid))
    return Prints(trades)


def _context(data: shapes.CtxData, frame: str, coin: str, sz_decimals: int, recv_t_ns: int) -> AssetContext:
    _same_coin(data.coin, coin)
    _keys_once(frame, channel=1, data=1, coin=1, ctx=1, funding=1, openInterest=1, oraclePx=1, markPx=1)
    ctx = data.ctx
    decimals = px_decimals(sz_decimals)
    mark, oracle = to_units_nearest(ctx.markPx, decimals), to_units_nearest(ctx.oraclePx, decimals)
    interest = to_units_nearest(ctx.openInterest, sz_decimals)
    if not (0 < mark <= PX_U_MAX and 0 < oracle <= PX_U_MAX and 0 <= interest <= SZ_U_MAX):
        raise BadInput("range", f"mark {ctx.markPx} oracle {ctx.oraclePx} interest {ctx.openInterest}"[:120])
    premium = None if ctx.premium is None else _rate(ctx.premium)
    return AssetContext(recv_t_ns, coin, recv_t_ns, mark, oracle, _rate(ctx.funding), interest, premium)


# ---------------------------------------------------------------------- leaves
def _level(level: shapes.Level, sz_decimals: int) -> tuple[int, int]:
    return _pair(level.px, level.sz, sz_decimals)


def _pair(px: str, sz: str, sz_decimals: int) -> tuple[int, int]:
    px_u, sz_u = to_units(px, px_decimals(sz_decimals)), to_units(sz, sz_decimals)
    if px_u <= 0 or sz_u <= 0:
        raise BadInput("not_positive", f"{px} x {sz}")
    if px_u > PX_U_MAX or sz_u > SZ_U_MAX or px_u * sz_u > LEVEL_NTL_E6_MAX:
        raise BadInput("range", f"{px} x {sz}")
    return px_u, sz_u


def _rate(text: str) -> float:
    """A ratio in [-1, 1] from plain decimal text; the regular expression in `to_units` keeps NaN and `1_0` out."""
    to_units_nearest(text, 12)
    rate = float(text)
    if not -1.0 <= rate <= 1.0:
        raise BadInput("range", f"rate {text}")
    return rate


def _same_coin(said: str, coin: str) -> None:
    if said != coin:
        raise BadInput("wrong_coin", said[:40])


def _sorted(levels: list[tuple[int, int]], direction: int) -> None:
    for (nearer, _), (further, _) in pairwise(levels):
        if nearer == further:
            raise BadInput("duplicate_level", str(nearer))
        if (further - nearer) * direction < 0:
            raise BadInput("unsorted", f"{nearer} then {further}")


def _not_crossed(bid: tuple[int, int] | None, ask: tuple[int, int] | None) -> None:
    if bid is None and ask is None:
        raise BadInput("empty_book")
    if bid is None or ask is None or bid[0] < ask[0]:
        return
    raise BadInput("locked" if bid[0] == ask[0] else "crossed", f"{bid[0]} / {ask[0]}")


def _keys_once(frame: str, **counts: int) -> None:
    """Every key as often as the decoded shape says: the decoder lets the last of two equal keys win silently."""
    if "\\" in frame:
        raise BadInput("escaped")  # market data never needs it, and it could hide a key
    for key, count in counts.items():
        if frame.count(f'"{key}"') != count:
            raise BadInput("duplicate_key", key)
