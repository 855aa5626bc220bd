"""A recording as the feed's messages, for a look at what the quoter made of it.

PATH is an event array (`.npz`), a file or folder of the feed's own recordings (`.rec`), or a folder of its Parquet
tables. Event arrays are passed through the venue's channels (touch per change, 5 levels per 0.5 s, 20 levels per 5 s)
and get an oracle from their own mid, `ORACLE_DELAY_NS` old; own recordings are told as they were received. Times of
the recording in ns: an array's are the exchange's, an own recording's those of receipt.
"""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from common.book import LayeredBook, Levels
from common.errors import BadInput, ConfigError
from common.frames import FACTS, Damage, read
from common.messages import AssetContext, BookUpdate, Side, Touch, TradePrint
from common.recorded import AnyRow, BookRow, ContextRow, Market, TouchRow, TradeRow, rows
from common.ticks import px_decimals, to_units_nearest
from quoter import rows as arrays
from quoter.layering import DEEP_LEVELS, DEEP_NS, FAST_LEVELS, FAST_NS
from quoter.rebuilt import BUY_ROW, HEAD, R_N, R_PX, R_SZ, SELL_ROW, STRIDE, new_side, see_rows
from quoter.state import NS

Told: TypeAlias = Touch | BookUpdate | TradePrint | AssetContext
Instant: TypeAlias = tuple[int, list[Told]]
"""Recorded time, and what was told then."""

ORACLE_DELAY_NS = 3 * NS
ORACLE_EVERY_NS = NS
BEFORE_NS = 60 * NS
"""So much of an own recording is read before the wanted span, for books and contexts that come seldom."""


def retold(path: Path, coin: str, sz_decimals: int, from_t_ns: int, to_t_ns: int) -> Iterator[Instant]:
    """What was told from `from_t_ns` to `to_t_ns`; raises BadInput, ConfigError for what is no recording."""
    if path.suffix == ".npz":
        yield from _of_array(path, coin, sz_decimals, from_t_ns, to_t_ns)
        return
    files, tables = own_files(path)
    market = Market(coin, sz_decimals)
    own = _of_tables(tables, market) if tables else _of_files(files, market)
    yield from _of_rows(own, coin, sz_decimals, from_t_ns, to_t_ns)


def begins_at(path: Path, sz_decimals: int, coin: str) -> int:
    """The recording's first moment, ns."""
    if path.suffix == ".npz":
        return int(arrays.read(path, sz_decimals).stamp_ns[0])
    files, tables = own_files(path)
    market = Market(coin, sz_decimals)
    own = _of_tables(tables, market) if tables else _of_files(files, market)
    for row in own:
        return row.recv_t_ns
    raise BadInput("not_a_recording", f"{path}: nothing was recorded")


# ---------------------------------------------------------------------- layering
@dataclass
class _Feed:
    """The layered book of one market, and what the feed says of it."""

    coin: str
    book: LayeredBook = field(default_factory=LayeredBook)
    tid: int = 0

    def update(self, t_ns: int) -> BookUpdate:
        bids, asks, fast_levels = self.book.merged(t_ns)
        layers = (self.book.touch_t_ns, self.book.fast_t_ns, self.book.deep_t_ns)
        return BookUpdate(t_ns, self.coin, max(layers), t_ns, bids[:32], asks[:32], *layers, fast_levels)

    def touch(self, t_ns: int, venue_t_ns: int, bid: tuple[int, int] | None, ask: tuple[int, int] | None) -> Touch:
        return Touch(t_ns, self.coin, venue_t_ns, t_ns, *(bid or (0, 0)), *(ask or (0, 0)))

    def trade(self, t_ns: int, venue_t_ns: int, side: int, px_u: int, sz_u: int) -> TradePrint:
        self.tid += 1
        return TradePrint(t_ns, self.coin, venue_t_ns, t_ns, Side(side), px_u, sz_u, self.tid)


# ---------------------------------------------------------------------- event arrays
def _of_array(path: Path, coin: str, sz_decimals: int, from_t_ns: int, to_t_ns: int) -> Iterator[Instant]:
    found = arrays.read(path, sz_decimals)
    bids, asks = new_side(1, found.keep), new_side(-1, found.keep)
    feed, clock = _Feed(coin), _Clock(coin)
    for k, stamp_ns in enumerate(found.stamp_ns.tolist()):
        if stamp_ns > to_t_ns:
            return
        begin, end = int(found.begin[k]), int(found.begin[k + 1])
        changed = see_rows(found.what, found.px_u, found.sz_u, begin, end, k + 1, bids, asks)
        if stamp_ns < from_t_ns:
            continue
        told: list[Told] = []
        for i in range(begin, end):
            if (what := int(found.what[i])) in (BUY_ROW, SELL_ROW):
                side = 1 if what == BUY_ROW else -1
                told.append(feed.trade(stamp_ns, stamp_ns, side, int(found.px_u[i]), int(found.sz_u[i])))
        if changed:
            told += clock.tell(feed, stamp_ns, _best(bids), _best(asks))
        if told:
            yield stamp_ns, told


def _best(side: list[int]) -> Levels:
    """The best levels of a rebuilt side, best first."""
    n = int(side[R_N])
    places = [HEAD + STRIDE * (n - 1 - k) for k in range(min(n, DEEP_LEVELS))]
    return [(int(side[at + R_PX]), int(side[at + R_SZ])) for at in places]


class _Clock:
    """What of a whole book the venue's channels tell when."""

    def __init__(self, coin: str) -> None:
        self._coin = coin
        self._touch: tuple[object, object] | None = None
        self._fast_t_ns = self._deep_t_ns = self._oracle_t_ns = -(10**18)
        self._mids: deque[tuple[int, int]] = deque()

    def tell(self, feed: _Feed, t_ns: int, bids: Levels, asks: Levels) -> list[Told]:
        told: list[Told] = []
        best = (bids[0] if bids else None, asks[0] if asks else None)
        if best != self._touch:
            self._touch = best
            feed.book.on_touch(t_ns, *best)
            told.append(feed.touch(t_ns, t_ns, *best))
        is_deep = t_ns - self._deep_t_ns >= DEEP_NS
        if is_deep:
            self._deep_t_ns = t_ns
            feed.book.on_deep(t_ns, bids, asks)
        if is_deep or t_ns - self._fast_t_ns >= FAST_NS:
            self._fast_t_ns = t_ns
            feed.book.on_fast(t_ns, bids[:FAST_LEVELS], asks[:FAST_LEVELS])
            told.append(feed.update(t_ns))
        return told + self._oracle(t_ns, bids, asks)

    def _oracle(self, t_ns: int, bids: Levels, asks: Levels) -> list[Told]:
        if not bids or not asks:
            return []
        self._mids.append((t_ns, (bids[0][0] + asks[0][0]) // 2))
        while len(self._mids) > 1 and self._mids[1][0] <= t_ns - ORACLE_DELAY_NS:
            self._mids.popleft()
        if t_ns - self._oracle_t_ns < ORACLE_EVERY_NS:
            return []
        self._oracle_t_ns = t_ns
        px_u = self._mids[0][1]
        return [AssetContext(t_ns, self._coin, t_ns, px_u, px_u, 0.0, 0)]


# ---------------------------------------------------------------------- the feed's own recordings
def is_own(path: Path) -> bool:
    """Whether a PATH is a recording of ours."""
    try:
        own_files(path)
    except ConfigError:
        return False
    return True


def own_files(path: Path) -> tuple[list[Path], list[Path]]:
    """(raw files, tables) a PATH stands for; raw files win where both are there."""
    if path.is_file() and path.suffix == ".rec":
        return [path], []
    for folder in (path / "raw", path):
        if files := sorted(folder.glob("*.rec")):
            return files, []
    for folder in (path / "parquet", path):
        if tables := sorted(folder.glob("*/*.parquet")):
            return [], tables
    raise ConfigError(f"{path}: neither an event array (.npz) nor a recording of ours")


def _of_files(files: Iterable[Path], market: Market) -> Iterator[AnyRow]:
    seq = 0
    for path in files:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadInput("unreadable", f"{path.name}: {error.strerror}") from None
        for item in read(data):
            if isinstance(item, Damage):
                continue
            if item.kind == FACTS:
                _check(path, Market.of(item.facts), market)
            for record in item.records:
                seq += 1
                try:
                    yield from rows(record, seq, market)
                except BadInput:  # what the feed would not have taken either
                    continue


def _check(path: Path, found: Market, wanted: Market) -> None:
    """Raises BadInput for another market's file, or one in other units."""
    if found.coin != wanted.coin:
        raise BadInput("wrong_coin", f"{path.name}: a recording of {found.coin!r}, not of {wanted.coin!r}")
    if found.sz_decimals != wanted.sz_decimals:
        raise BadInput("wrong_units", f"{path.name}: szDecimals {found.sz_decimals}, not {wanted.sz_decimals}")


def _of_tables(tables: Iterable[Path], market: Market) -> Iterator[AnyRow]:
    """Rows of hourly tables in the order of receipt, hour by hour."""
    columns = importlib.import_module("common.columns")  # pyarrow is large, and the service does not carry it
    by_hour: dict[str, list[Path]] = {}
    for path in tables:
        _check(path, Market.of(columns.read_meta(path)), market)
        by_hour.setdefault(path.stem, []).append(path)
    for hour in sorted(by_hour):
        found = [row for path in by_hour[hour] for row in columns.read(path)]
        yield from sorted(found, key=lambda row: row.seq)


def _of_rows(own: Iterable[AnyRow], coin: str, sz_decimals: int, from_t_ns: int, to_t_ns: int) -> Iterator[Instant]:
    feed = _Feed(coin)
    context: AssetContext | None = None
    for row in own:
        t_ns = row.recv_t_ns
        if t_ns < from_t_ns - BEFORE_NS:
            continue
        if t_ns > to_t_ns:
            return
        told = _tell(row, feed, sz_decimals)
        if isinstance(told, AssetContext):
            context = told
        if t_ns < from_t_ns:
            continue
        if context is not None and context.t_ns < from_t_ns:
            yield t_ns, [context]
            context = None
        if told is not None:
            yield t_ns, [told]


def _tell(row: AnyRow, feed: _Feed, sz_decimals: int) -> Told | None:
    t_ns = row.recv_t_ns
    try:
        match row:
            case TouchRow():
                bid, ask = (None if side is None else side[:2] for side in (row.bid, row.ask))
                return (
                    feed.touch(t_ns, row.venue_t_ns, bid, ask) if feed.book.on_touch(row.venue_t_ns, bid, ask) else None
                )
            case BookRow():
                sides = [[level[:2] for level in side] for side in (row.bids, row.asks)]
                take = feed.book.on_fast if row.fast else feed.book.on_deep
                return feed.update(t_ns) if take(row.venue_t_ns, *sides) else None
            case TradeRow():
                return feed.trade(t_ns, row.venue_t_ns, row.side, row.px_u, row.sz_u)
            case ContextRow():
                mark, oracle = (to_units_nearest(px, px_decimals(sz_decimals)) for px in (row.mark_px, row.oracle_px))
                return AssetContext(t_ns, feed.coin, t_ns, mark, oracle, float(row.funding_1h), 0)
    except BadInput:  # stale or crossed: the feed drops it
        return None
    return None
