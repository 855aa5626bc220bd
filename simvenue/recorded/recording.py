"""Read a recorded event array (`.npz`, hftbacktest's row layout) into int64 columns, in slices.

Decides which rows count (those flagged for the exchange, at their exchange time) and how recorded floats become venue
units: exactly, or the file is refused. A file that breaks its contract raises `BadRecording` with file, row and reason.
Rows of one exchange time are one stamp, in the file's order. Level changes, snapshot rows and prints are played; a
row that clears a side does so down to its price (none, or 0: all of it), one without a side clears both.

`Columns` is what every kind of recording becomes; `columns_of` makes them from the rows of any reader.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from common.errors import BadInput
from simvenue.desk.grid import PERP_DECIMALS
from simvenue.source import ASK_LEVEL, BID_CLEAR, BID_LEVEL, BUY_PRINT

ARRAY = "data.npy"
FIELDS = {"ev": "iu", "exch_ts": "iu", "px": "f", "qty": "f"}
CHUNK_ROWS = 1 << 16
VISIBLE_MAX = 300
REMEMBERED = 200
"""Recorders remember so many levels a side that left their window (to say so when they change in view again); of older
ones nothing is ever heard, so a replay that kept them would show levels that are long gone."""
UNITS_MAX = 1e15
GRID_TOLERANCE = 1e-4
"""How far from a whole unit a recorded float may lie; further off, the recording is finer than the market's grid."""

_NPY: Any = np.lib.format  # numpy leaves these readers untyped

DEPTH, TRADE, CLEAR, SNAPSHOT = 1, 2, 3, 4
KIND_MASK = 0xFF
SELL_FLAG, BUY_FLAG, EXCH_FLAG = 1 << 28, 1 << 29, 1 << 31


class BadRecording(BadInput):
    """A recording that cannot be played; `row` counts from 0 in the file's array, None = the file as a whole."""

    def __init__(self, path: Path, row: int | None, why: str) -> None:
        where = f"{path}" if row is None else f"{path} row {row}"
        super().__init__("recording", f"{where}: {why}")
        self.path, self.row, self.why = path, row, why


@dataclass(frozen=True, slots=True)
class Columns:
    """One file's rows; stamp k is `begin[k] .. begin[k + 1]` at recorded time `stamp_ns[k]`."""

    what: Any  # int64 arrays, see source.py
    px_u: Any
    sz_u: Any
    stamp_ns: list[int]
    begin: list[int]
    visible: int
    """Levels a side the first full picture shows: what lies deeper in the book later is only remembered."""


def recordings(path: Path) -> list[Path]:
    """The files a PATH stands for, in the order they play: itself, or a folder's `.npz` by name."""
    found = sorted(path.glob("*.npz")) if path.is_dir() else [path]
    if not found:
        raise BadRecording(path, None, "there is no .npz file in this folder")
    return found


def check_header(path: Path) -> int:
    """Rows the file claims to have; raises BadRecording for what can be seen without reading them."""
    with _array(path) as (_, _, rows):
        return rows


def read(path: Path, sz_decimals: int) -> Generator[None, None, Columns]:
    """Read the file a slice at a time: yields after each, returns the whole."""
    parts: list[tuple[Any, Any, Any, Any]] = []
    last_ns = -1
    with _array(path) as (stream, dtype, rows):
        for first in range(0, rows, CHUNK_ROWS):
            count = min(CHUNK_ROWS, rows - first)
            data = stream.read(count * dtype.itemsize)
            if len(data) != count * dtype.itemsize:
                raise BadRecording(path, first, "the file ends here")
            part = _Slice(path, first, np.frombuffer(data, dtype), sz_decimals).columns(last_ns)
            if len(part[0]):
                last_ns = int(part[0][-1])
                parts.append(part)
            yield
    if not parts:
        raise BadRecording(path, None, "no row is flagged for the exchange")
    return columns_of(parts)


def columns_of(parts: Sequence[tuple[Any, Any, Any, Any]]) -> Columns:
    """Columns of consecutive pieces (recorded time ns, what, px_u, sz_u), int64 arrays in the order of time."""
    exch_ns, what, px_u, sz_u = (np.concatenate(column) for column in zip(*parts, strict=True))
    edges = np.flatnonzero(np.diff(exch_ns)) + 1
    begin = np.concatenate(([0], edges, [len(exch_ns)]))
    return Columns(what, px_u, sz_u, exch_ns[begin[:-1]].tolist(), begin.tolist(), _visible(what, sz_u, begin))


def load(path: Path, sz_decimals: int) -> Columns:
    """The whole file at once."""
    reading = read(path, sz_decimals)
    while True:
        try:
            next(reading)
        except StopIteration as done:
            columns: Columns = done.value
            return columns


def exchange_rows(ev: Any) -> tuple[Any, Any]:
    """Rows of the exchange and their sides, 1 or -1; a clearing without a side is two rows."""
    is_exchange = (ev & EXCH_FLAG) != 0
    both = is_exchange & ((ev & KIND_MASK) == CLEAR) & ((ev & (BUY_FLAG | SELL_FLAG)) == 0)
    keep = np.repeat(np.arange(len(ev)), is_exchange.astype(np.int64) + both)
    sides = np.where((ev[keep] & BUY_FLAG) != 0, 1, -1)
    if both.any():
        sides[np.flatnonzero(both[keep])[::2]] = 1
    return keep, sides


class _Slice:
    """Some consecutive rows of a file on their way to columns."""

    def __init__(self, path: Path, first: int, data: Any, sz_decimals: int) -> None:
        self._path, self._first, self._data = path, first, data
        self._px_decimals, self._sz_decimals = PERP_DECIMALS - sz_decimals, sz_decimals

    def columns(self, last_ns: int) -> tuple[Any, Any, Any, Any]:
        """(recorded time, what, px_u, sz_u) of the exchange's rows."""
        keep, sides = exchange_rows(self._data["ev"])
        ev, px, qty = (self._data[name][keep] for name in ("ev", "px", "qty"))
        exch_ns = self._data["exch_ts"][keep].astype(np.int64)
        kind = ev & KIND_MASK
        is_print, is_clear = kind == TRADE, kind == CLEAR
        known = is_print | is_clear | (kind == DEPTH) | (kind == SNAPSHOT)
        self._refuse(keep, ~known, "a row kind that is not played")
        self._refuse(keep, np.diff(exch_ns, prepend=np.int64(last_ns)) < 0, "exchange times run backwards")
        is_whole = is_clear & ~(px > 0)  # a clearing without a price
        px, qty = np.where(is_whole, 1.0, px), np.where(is_clear, 0.0, qty)
        self._refuse(keep, ~np.isfinite(px) | (px <= 0), "price is not a number above 0")
        self._refuse(keep, ~np.isfinite(qty) | (qty < 0), "size is not a number of 0 or more")
        self._refuse(keep, is_print & (qty == 0), "a trade of size 0")
        px_u = np.where(is_whole, 0, self._units(keep, px, self._px_decimals, "price"))
        sz_u = self._units(keep, qty, self._sz_decimals, "size")
        return exch_ns, sides * _kinds(is_print, is_clear), px_u, sz_u

    def _units(self, keep: Any, values: Any, decimals: int, name: str) -> Any:
        scaled = values * 10.0**decimals
        self._refuse(keep, scaled > UNITS_MAX, f"{name} is too large")
        units = np.rint(scaled)
        self._refuse(keep, np.abs(scaled - units) > GRID_TOLERANCE, f"{name} is finer than 1e-{decimals}")
        return units.astype(np.int64)

    def _refuse(self, keep: Any, bad: Any, why: str) -> None:
        if bad.any():
            raise BadRecording(self._path, self._first + int(keep[int(np.argmax(bad))]), why)


def _kinds(is_print: Any, is_clear: Any) -> Any:
    """What a row is, for the bid side or a buyer."""
    return np.where(is_print, BUY_PRINT, np.where(is_clear, BID_CLEAR, BID_LEVEL)).astype(np.int64)


def _visible(what: Any, sz_u: Any, begin: Any) -> int:
    """Levels a side in the first stamp that shows both: recorders begin with a full picture."""
    for k in range(min(len(begin) - 1, 10_000)):
        rows = what[begin[k] : begin[k + 1]]
        shown = sz_u[begin[k] : begin[k + 1]] > 0
        bids, asks = int(((rows == BID_LEVEL) & shown).sum()), int(((rows == ASK_LEVEL) & shown).sum())
        if bids and asks:
            return min(max(bids, asks), VISIBLE_MAX)
    return 1


@contextmanager
def _array(path: Path) -> Generator[tuple[IO[bytes], Any, int], None, None]:
    """The open array of a file: its byte stream after the header, its row type, its row count."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(ARRAY) as stream:
            yield (stream, *_header(path, stream))
    except FileNotFoundError:
        raise BadRecording(path, None, "there is no such file") from None
    except KeyError:
        raise BadRecording(path, None, "it has no array 'data'") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise BadRecording(path, None, f"not a readable .npz file ({error})") from None


def _header(path: Path, stream: IO[bytes]) -> tuple[Any, int]:
    try:
        version = _NPY.read_magic(stream)
        reader = _NPY.read_array_header_1_0 if version == (1, 0) else _NPY.read_array_header_2_0
        shape, _, dtype = reader(stream)
    except ValueError as error:
        raise BadRecording(path, None, f"its array has no header ({error})") from None
    for name, kinds in FIELDS.items():
        if name not in (dtype.names or ()):
            raise BadRecording(path, None, f"missing field {name!r}")
        if dtype[name].kind not in kinds:
            raise BadRecording(path, None, f"field {name!r} has type {dtype[name]}")
    if len(shape) != 1 or shape[0] == 0:
        raise BadRecording(path, None, "it has zero rows")
    return dtype, int(shape[0])
