"""Raw recordings into Parquet: every finished hour once, one file a stream, by a process of its own.

An hour is finished when all its raw files were closed, or when a later file has been begun (a killed feed never
closes its last one). Prints that were heard twice, as the venue's unmarked history after a reconnection, are kept
once, in the hour that first heard them. What cannot be read stays in the raw file and is counted. Running it again
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from common import columns
from common.errors import BadInput
from common.frames import END, FACTS, Damage, Record, read
from common.recorded import AnyRow, Market, TradeRow, rows
from common.ticks import px_decimals
from feed.disk import RAW_FOLDER, SUFFIX

PARQUET_FOLDER = "parquet"

Print: TypeAlias = tuple[int, int]
"""Venue time and tid: what makes a print of one coin unique (hyperliquid.md 5)."""


@dataclass(slots=True)
class RawFile:
    """One raw file, read: its market, its records, and how much of it was lost."""

    path: Path
    bytes: int
    facts: dict[str, Any] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    closed: bool = False


@dataclass(slots=True)
class Hour:
    """What an hour became."""

    hour: str
    done: str  # written, unchanged, unfinished
    rows: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0
    damages: int = 0


def raw_files(folder: Path) -> list[Path]:
    return sorted((folder / RAW_FOLDER).glob(f"*{SUFFIX}"))


def read_raw(path: Path) -> RawFile:
    data = path.read_bytes()
    found = RawFile(path, len(data))
    for item in read(data):
        if isinstance(item, Damage):
            found.damages.append(item)
        elif item.kind == FACTS:
            found.facts = item.facts
        else:
            found.records += item.records
            found.closed = item.kind == END
    return found


def convert(folder: Path, *, unfinished_too: bool = False) -> Iterator[Hour]:
    """Every hour of a market's folder in order; raises BadInput for files that do not name one market."""
    by_hour: dict[str, list[Path]] = {}
    for path in raw_files(folder):
        by_hour.setdefault(_hour(path), []).append(path)
    before: set[Print] = set()
    for hour in sorted(by_hour):
        tables = {stream: folder / PARQUET_FOLDER / stream / f"{hour}.parquet" for stream in columns.STREAMS}
        sources = [{"name": path.name, "bytes": path.stat().st_size} for path in by_hour[hour]]
        if all(_is_made_of(path, sources) for path in tables.values()):
            yield Hour(hour, "unchanged")
        else:
            files = [read_raw(path) for path in by_hour[hour]]
            if hour == max(by_hour) and not unfinished_too and not all(file.closed for file in files):
                yield Hour(hour, "unfinished")
                return
            yield _convert_hour(tables, hour, files, before)
        before = {(row.venue_t_ns, row.tid) for row in columns.read(tables["trades"]) if isinstance(row, TradeRow)}


def _convert_hour(tables: Mapping[str, Path], hour: str, files: Sequence[RawFile], before: set[Print]) -> Hour:
    """`before` holds the prints of the hour before."""
    market, facts = _market(hour, files)
    streams, unreadable = _sorted(files, market, before)
    reasons = [damage.reason for file in files for damage in file.damages]
    damages = sum(reason != "torn" for reason in reasons)
    meta = {
        "format": columns.FORMAT, "coin": market.coin, "sz_decimals": market.sz_decimals,
        "px_decimals": px_decimals(market.sz_decimals), "hour": hour, "unreadable": unreadable, "damages": damages,
        "torn_tails": len(reasons) - damages,
        "sources": [{"name": file.path.name, "bytes": file.bytes} for file in files], "facts": facts,
    }  # fmt: skip
    for stream, path in tables.items():
        columns.write(path, stream, streams[stream], {**meta, "stream": stream})
    return Hour(hour, "written", {stream: len(found) for stream, found in streams.items()}, unreadable, damages)


def _market(hour: str, files: Sequence[RawFile]) -> tuple[Market, dict[str, Any]]:
    found = [file.facts for file in files if file.facts]
    markets = {Market.of(facts) for facts in found}
    if len(markets) != 1:
        raise BadInput("facts", f"hour {hour}: its raw files name {len(markets)} markets instead of one")
    return markets.pop(), found[-1]


def _sorted(files: Sequence[RawFile], market: Market, before: set[Print]) -> tuple[dict[str, list[AnyRow]], int]:
    """Every record's rows by stream, and how many records could not be read."""
    streams: dict[str, list[AnyRow]] = {stream: [] for stream in columns.STREAMS}
    seen = set(before)
    unreadable = 0
    for seq, record in enumerate(record for file in files for record in file.records):
        try:
            found = rows(record, seq, market)
        except BadInput:
            unreadable += 1
            continue
        for row in found:
            if not isinstance(row, TradeRow) or _is_new(row, seen):
                streams[columns.stream_of(row)].append(row)
    return streams, unreadable


def _is_new(row: TradeRow, seen: set[Print]) -> bool:
    key = (row.venue_t_ns, row.tid)
    if key in seen:
        return False
    seen.add(key)
    return True


def _is_made_of(path: Path, sources: list[dict[str, Any]]) -> bool:
    try:
        return path.exists() and columns.read_meta(path).get("sources") == sources
    except BadInput:
        return False


def _hour(path: Path) -> str:
    return path.name.partition("_")[0]
