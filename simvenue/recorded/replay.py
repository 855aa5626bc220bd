"""Play recorded files as a market's source: recorded time becomes market time.

Decides when each stamp happens: all recorded times are shifted so that the first falls on `origin_ns`; with
`cut_gaps` a silence of more than 1.2 s shrinks to 1 ms and is counted. Several files play one after the other, later
ones are read in slices while their predecessor plays. What a file may hold is `recording.py`'s; the first file is
checked as a whole before anything plays, of the others the headers.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from common.clock import MS
from common.kernel import COMPILED
from simvenue.recorded.recording import CHUNK_ROWS, REMEMBERED, BadRecording, Columns, check_header, load, read
from simvenue.source import Rows

GAP_NS = 1_200 * MS
GAP_KEPT_NS = 1 * MS
READ_AHEAD = 4
"""Slices of the next file are read this many times faster than rows are played."""


class Replay:
    """A `Source` over recorded files."""

    def __init__(self, paths: Sequence[Path], sz_decimals: int, *, origin_ns: int, cut_gaps: bool) -> None:
        self._paths = list(paths)
        self._sz_decimals = sz_decimals
        self._cut_gaps = cut_gaps
        self._rows_total = sum(check_header(path) for path in self._paths)
        self._file = 0
        self._columns = load(self._paths[0], sz_decimals)
        self._ahead = _Ahead(self._paths[1:2], sz_decimals)
        self._stamp = 0
        self._last_ns = self._columns.stamp_ns[0]  # recorded time of the last stamp taken
        self._shift_ns = self._last_ns - origin_ns  # recorded time - market time of the stamp that is due
        self._due_ns: int | None = origin_ns
        self.visible = self._columns.visible
        self.kept = self.visible + REMEMBERED
        self.session_offset_ns = self._shift_ns
        self.cut_ns = 0
        self.gaps_cut = 0

    def next_t_ns(self) -> int | None:
        return self._due_ns

    def take(self) -> Rows:
        """The stamp that is due; the next one becomes due."""
        columns, k = self._columns, self._stamp
        self._last_ns = columns.stamp_ns[k]
        cut_ns = self._shift_ns - self.session_offset_ns
        self.session_offset_ns = self._shift_ns
        self.cut_ns += cut_ns
        self.gaps_cut += cut_ns > 0
        rows = _rows(columns, columns.begin[k], columns.begin[k + 1])
        self._ahead.played(rows.end - rows.begin)
        self._stamp += 1
        self._schedule()
        return rows

    def describe(self) -> dict[str, Any]:
        return {
            "market": "replay",
            "files": [path.name for path in self._paths],
            "rows": self._rows_total,
            "visible_levels": self.visible,
            "cut_gaps": self._cut_gaps,
        }

    def _schedule(self) -> None:
        """Find the next stamp, in this file or the next, and its market time."""
        if self._stamp == len(self._columns.stamp_ns):
            self._file += 1
            if self._file == len(self._paths):
                self._due_ns = None
                return
            self._columns = self._ahead.finish()
            self._ahead = _Ahead(self._paths[self._file + 1 : self._file + 2], self._sz_decimals)
            self._stamp = 0
            self.visible = self._columns.visible
            if self._columns.stamp_ns[0] < self._last_ns:
                raise BadRecording(self._paths[self._file], 0, "it begins before the file played before it ends")
        recorded_ns = self._columns.stamp_ns[self._stamp]
        gap_ns = recorded_ns - self._last_ns
        if self._cut_gaps and gap_ns > GAP_NS:
            self._shift_ns += gap_ns - GAP_KEPT_NS
        self._due_ns = recorded_ns - self._shift_ns


class _Ahead:
    """Reads the next file while the current one plays, so that no change of file holds the venue up."""

    def __init__(self, path: Sequence[Path], sz_decimals: int) -> None:
        self._reading: Generator[None, None, Columns] | None = read(path[0], sz_decimals) if path else None
        self._columns: Columns | None = None
        self._rows = 0

    def played(self, rows: int) -> None:
        """So many rows have been played: read a slice when it is time."""
        self._rows += rows
        if self._rows >= CHUNK_ROWS // READ_AHEAD:
            self._rows = 0
            self._slice()

    def finish(self) -> Columns:
        """The whole file, now."""
        while self._columns is None:
            self._slice()
        return self._columns

    def _slice(self) -> None:
        if self._reading is None:
            return
        try:
            next(self._reading)
        except StopIteration as done:
            self._columns, self._reading = done.value, None


def _rows(columns: Columns, begin: int, end: int) -> Rows:
    """Compiled kernels read the columns where they are; plain ones get lists of plain ints."""
    if COMPILED:
        return Rows(columns.what, columns.px_u, columns.sz_u, begin, end)
    part = slice(begin, end)
    what, px_u, sz_u = columns.what[part].tolist(), columns.px_u[part].tolist(), columns.sz_u[part].tolist()
    return Rows(what, px_u, sz_u, 0, end - begin)
