"""The venue's archive: `market_data/YYYYMMDD/H/l2Book/COIN.lz4` (a book a line) and `asset_ctxs/YYYYMMDD.csv.lz4`.

A line is `{"time": ISO, "ver_num", "raw": {"channel": "l2Book", "data": {...}}}` (hyperliquid.md 12), one LZ4 frame a
file or several. There are *no prints* in it. What cannot be read as that is refused with file and line (from 0);
a book that is crossed, or told again, is left out and counted. Prices px_u, times ns; LZ4 is pyarrow's.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from backtest.data.oddities import LEAP
from backtest.data.recorded import Stamp, context_of, tape_of_stamps
from backtest.tape import Context, Tape
from common.errors import BadInput
from common.frames import TEXT, Record
from common.recorded import BookRow, Market, rows
from common.ticks import px_decimals, to_units_nearest
from simvenue.recorded.layers import SLOW_LEVELS, Layers
from simvenue.recorded.recording import BadRecording
from simvenue.source import Told

NO_PRINTS = "the archive has no prints: resting orders fill only where the book moves through them"
NO_PYARROW = "LZ4 files need pyarrow (requirements/recordings.txt)"
LINE_BYTES_MAX = 1 << 20
CONTEXT_COLUMNS = ("time", "coin", "funding", "oracle_px", "mark_px")


class _Line(msgspec.Struct):
    time: str
    raw: msgspec.Raw


_LINE = msgspec.json.Decoder(_Line)


@dataclass(slots=True)
class _Odd:
    """What was left out: how many, and the first line."""

    crossed: list[tuple[str, int]] = field(default_factory=list)
    again: list[tuple[str, int]] = field(default_factory=list)

    def lines(self) -> list[str]:
        told = []
        for found, what in ((self.crossed, "are crossed"), (self.again, "tell the time before again")):
            if found:
                name, row = found[0]
                told.append(f"{name}: {len(found)} books {what} (first at row {row}) and are left out")
        return told


def tape_of_archive(files: Sequence[Path], coin: str, sz_decimals: int) -> tuple[Tape, list[str]]:
    """The books of consecutive hours as one tape, and lines for the report; raises BadRecording."""
    odd = _Odd()
    market = Market(coin, sz_decimals)
    name = files[0].name if len(files) == 1 else f"{files[0].name} ({len(files)} hours)"
    tape = tape_of_stamps(name, _stamps(files, market, odd), SLOW_LEVELS)
    if len(tape.stamp_ns) == 0:
        raise BadRecording(files[0], None, "it has no book")
    return tape, odd.lines()


def read_contexts(path: Path, coin: str, sz_decimals: int) -> Context:
    """A day's oracle, mark and funding of one coin; raises BadRecording."""
    told = []
    table = csv.DictReader(io.StringIO(b"".join(_bytes(path)).decode("utf-8", "replace")))
    missing = [name for name in CONTEXT_COLUMNS if name not in (table.fieldnames or ())]
    if missing:
        raise BadRecording(path, None, f"not asset contexts: no column {', '.join(missing)}")
    last_ns = 0
    for row, cells in enumerate(table):
        if cells["coin"] != coin:
            continue
        try:
            oracle, mark = (to_units_nearest(cells[name], px_decimals(sz_decimals)) for name in CONTEXT_COLUMNS[3:])
            t_ns, rate = _ns(cells["time"]), float(cells["funding"])
        except (BadInput, ValueError, TypeError) as error:
            raise BadRecording(path, row, f"not a context ({str(error)[:80]})") from None
        if t_ns < last_ns:
            raise BadRecording(path, row, "times run backwards")
        last_ns = t_ns
        told.append((t_ns, Told(oracle, mark, rate, None)))
    return context_of(told)


def check_whole(path: Path) -> None:
    """Raises BadRecording when the LZ4 file ends too early or is none."""
    for _ in _bytes(path):
        continue


def _stamps(files: Sequence[Path], market: Market, odd: _Odd) -> Iterator[Stamp]:
    layers = Layers()
    last_ns, best = 0, (0, 0)
    for path in files:
        for row, line in enumerate(_lines(path)):
            book, received_ns = _book(path, row, line, market)
            if book.venue_t_ns < last_ns:
                raise BadRecording(path, row, "times run backwards")
            if book.venue_t_ns == last_ns:
                odd.again.append((path.name, row))
                continue
            if book.bids and book.asks and book.bids[0][0] >= book.asks[0][0]:
                odd.crossed.append((path.name, row))
                continue
            if book.bids and book.asks:
                if best[0] and _leaps(best, (book.bids[0][0], book.asks[0][0])):
                    raise BadRecording(path, row, f"a book at more than {LEAP:g} times the one before: another unit?")
                best = book.bids[0][0], book.asks[0][0]
            last_ns = book.venue_t_ns
            yield last_ns, [change[:3] for change in layers.book(book)], received_ns, None


def _leaps(before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether both best prices went the same way by more than any market does."""
    return all(b > LEAP * a for a, b in zip(before, after, strict=True)) or all(
        b * LEAP < a for a, b in zip(before, after, strict=True)
    )


def _book(path: Path, row: int, line: bytes, market: Market) -> tuple[BookRow, int]:
    try:
        said = _LINE.decode(line)
        received_ns = _ns(said.time)
        found = rows(Record(TEXT, received_ns, "archive", 0, bytes(said.raw)), row, market)
    except (msgspec.DecodeError, BadInput, ValueError) as error:
        raise BadRecording(path, row, f"not a book of the venue's ({str(error)[:120]})") from None
    if len(found) != 1 or not isinstance(found[0], BookRow):
        raise BadRecording(path, row, "not a book of the venue's")
    return found[0], received_ns


def _ns(text: str) -> int:
    """`2023-09-16T09:00:00.123456789` (UTC, with or without Z) in ns; raises ValueError."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    if not (fraction or "0").isdigit():
        raise ValueError(f"time {text[:40]!r}")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    return seconds * 10**9 + int(fraction[:9].ljust(9, "0") or 0)


def _lines(path: Path) -> Iterator[bytes]:
    """Whole lines; raises BadRecording when the file ends within one or within a frame."""
    rest, row = b"", 0
    for piece in _bytes(path):
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            if line.strip():
                yield line
            row += 1
        if len(rest) > LINE_BYTES_MAX:
            raise BadRecording(path, row, "a line without end")
    if rest.strip():
        yield rest


def _bytes(path: Path) -> Iterator[bytes]:
    try:
        import pyarrow as pa  # noqa: PLC0415 (only needed for these files)
    except ModuleNotFoundError:
        raise BadRecording(path, None, NO_PYARROW) from None
    try:
        with pa.OSFile(str(path)) as file, pa.CompressedInputStream(file, "lz4") as stream:
            while piece := _piece(stream):
                yield piece
    except (OSError, pa.ArrowException) as error:
        raise BadRecording(path, None, f"not a whole LZ4 file ({str(error)[:100]})") from None


def _piece(stream: Any) -> bytes:
    return bytes(stream.read(1 << 20))
