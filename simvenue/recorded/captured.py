"""Our own recordings as they are read for a replay: files found and named, rows in the order of venue time.

A PATH may be a raw file, a folder of raw files, a folder of Parquet tables, or a market's folder that holds either
(raw wins: it is complete to the last frame). Rows are read while they play, never a whole recording at once. What
arrived out of the venue's order (two connections; prints told again after a reconnection) is put right within
`WINDOW_NS`; what comes later than that is left out and counted. Contexts, which the venue gives no time, happen as
long after the last touch or book of their connection as they were received after it, and never after the next one.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

from common.clock import NS
from common.errors import BadInput
from common.frames import FACTS, Damage, read
from common.recorded import AnyRow, BookRow, ContextRow, LinkRow, Market, TouchRow, TradeRow, rows
from simvenue.recorded.recording import BadRecording

WINDOW_NS = 30 * NS
"""Of receive time; the feed takes no slow book that is older than 12 s."""

TIDS_KEPT = 20_000
RAW, TABLES = "raw", "parquet"
SUFFIXES = {RAW: "*.rec", TABLES: "touches/*.parquet"}
NO_PYARROW = "Parquet needs pyarrow (requirements/recordings.txt); the raw recording plays without it"

Timed: TypeAlias = tuple[int, AnyRow]


@dataclass(frozen=True, slots=True)
class Capture:
    """Files of one market in the order they play."""

    layout: str  # raw, parquet
    files: tuple[Path, ...]


def capture(path: Path) -> Capture | None:
    """The recording of ours a PATH stands for; None when it is none."""
    if path.suffix == ".rec":
        return Capture(RAW, (path,))
    for layout, pattern in SUFFIXES.items():
        for folder in (path / layout, path):
            found = tuple(sorted(folder.glob(pattern)))
            if found:
                return Capture(layout, found)
    return None


def read_rows(taken: Capture, coin: str, sz_decimals: int) -> Iterator[AnyRow]:
    """Every row in the order of the recording; raises BadRecording for another market's files."""
    first = 0
    for path in taken.files:
        reading = _raw if taken.layout == RAW else _tables
        last = first
        for row in reading(path, Market(coin, sz_decimals)):
            last = max(last, first + row.seq + 1)
            yield replace(row, seq=first + row.seq)
        first = last


def _raw(path: Path, market: Market) -> Iterator[AnyRow]:
    """A damaged stretch is told as messages lost on the main link: nobody knows what was in it."""
    seq, last_t_ns = count(), 0
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadRecording(path, None, str(error)) from None
    for item in read(data):
        if isinstance(item, Damage):
            if item.reason != "torn":
                yield LinkRow(next(seq), last_t_ns, "main", 0, "lost", 0)
            continue
        if item.kind == FACTS:
            _check(path, item.facts, market)
        for record in item.records:
            last_t_ns = record.recv_t_ns
            try:
                found = rows(record, next(seq), market)
            except BadInput:
                continue  # the feed refused it too; `python -m feed parquet` counts them
            yield from found


def _tables(path: Path, market: Market) -> Iterator[AnyRow]:
    """One hour's tables, by the place each row had in the recording."""
    try:
        from common import columns  # noqa: PLC0415 (pyarrow is only needed here)
    except ModuleNotFoundError as error:
        raise BadRecording(path, None, NO_PYARROW if error.name == "pyarrow" else str(error)) from None
    try:
        tables = [path.parent.parent / stream / path.name for stream in columns.STREAMS]
        for table in tables:
            _check(table, columns.read_meta(table), market)
        yield from heapq.merge(*map(columns.read, tables), key=lambda row: row.seq)
    except BadInput as error:
        raise BadRecording(path, None, error.detail) from None


def _check(path: Path, facts: dict[str, Any], market: Market) -> None:
    try:
        recorded = Market.of(facts)
    except BadInput as error:
        raise BadRecording(path, None, error.detail) from None
    if recorded != market:
        raise BadRecording(
            path, None, f"it is of {recorded.coin} with {recorded.sz_decimals} size decimals, "
            f"the market is {market.coin} with {market.sz_decimals}"
        )  # fmt: skip


# ---------------------------------------------------------------------- order
class VenueOrder:
    """Rows with their venue time, in its order; `late` counts those left out because their time had passed."""

    def __init__(self) -> None:
        self.late = 0
        self._tids: OrderedDict[tuple[int, int], None] = OrderedDict()

    def of(self, found: Iterable[AnyRow]) -> Iterator[Timed]:
        waiting: list[tuple[int, int, int, AnyRow]] = []
        places = count()
        newest = last = 0
        for t_ns, row in _timed(found):
            if isinstance(row, TradeRow) and not self._is_new(row):
                continue
            if t_ns < last:
                self.late += 1
                continue
            heapq.heappush(waiting, (t_ns, row.seq, next(places), row))
            newest = max(newest, row.recv_t_ns)
            while waiting and waiting[0][0] < newest - WINDOW_NS:
                last = waiting[0][0]
                yield last, heapq.heappop(waiting)[3]
        while waiting:
            yield waiting[0][0], heapq.heappop(waiting)[3]

    def _is_new(self, row: TradeRow) -> bool:
        key = (row.venue_t_ns, row.tid)
        if key in self._tids:
            return False
        self._tids[key] = None
        if len(self._tids) > TIDS_KEPT:
            self._tids.popitem(last=False)
        return True


def _timed(found: Iterable[AnyRow]) -> Iterator[Timed]:
    """Every row with its venue time; what has none waits for the next touch or book of its link."""
    clocks: dict[str, tuple[int, int]] = {}  # link -> venue time and receive time of its newest touch or book
    waiting: dict[str, list[ContextRow | LinkRow]] = defaultdict(list)
    for row in found:
        if isinstance(row, (ContextRow, LinkRow)):
            waiting[row.link].append(row)
            continue
        if isinstance(row, (TouchRow, BookRow)):
            for other in waiting.pop(row.link, ()):
                yield _estimate(other, clocks.get(row.link), row.venue_t_ns), other
            if row.venue_t_ns >= clocks.get(row.link, (0, 0))[0]:
                clocks[row.link] = (row.venue_t_ns, row.recv_t_ns)
        yield row.venue_t_ns, row
    for link, others in waiting.items():
        for other in others:
            if link in clocks:
                yield _estimate(other, clocks[link], None), other


def _estimate(row: ContextRow | LinkRow, clock: tuple[int, int] | None, next_t_ns: int | None) -> int:
    """A context's time; an event of the link has that of the last message before it."""
    if clock is None:
        return next_t_ns or 0
    venue_t_ns, recv_t_ns = clock
    if isinstance(row, LinkRow):
        return venue_t_ns
    then = venue_t_ns + max(row.recv_t_ns - recv_t_ns, 0)
    return then if next_t_ns is None else max(min(then, next_t_ns), venue_t_ns)
