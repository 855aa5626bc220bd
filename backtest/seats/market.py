"""A tape as the venue's market: the same instants the compiled replay plays, at the same times.

Market time is the recording's. A span that begins within a file begins with the book as it then stood. With `cut_gaps`
a silence shrinks as the venue's own replay shrinks it; without, a new file begins with a gap row, after which nobody's
place in the queue is known, as in `replay.py`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from backtest.tape import Tape
from common.clock import MS
from common.kernel import COMPILED, istate
from quoter.rebuilt import HEAD, R_N, R_PX, R_SZ, STRIDE, new_side, see_rows
from simvenue.source import ASK_LEVEL, BID_LEVEL, GAP, Rows

GAP_NS = 1_200 * MS
GAP_KEPT_NS = 1 * MS
"""As `simvenue/recorded/replay.py` cuts them."""

Row: TypeAlias = tuple[int, int, int]


class TapeMarket:
    """A `Source` over instants `first .. last` of a tape."""

    def __init__(self, tape: Tape, first: int, last: int, *, cut_gaps: bool) -> None:
        self._tape = tape
        self._at, self._last = first, last
        self._cut_gaps = cut_gaps
        self._shift_ns = 0
        self._stamps: list[int] = np.asarray(tape.stamp_ns[first:last]).tolist()
        self._first = first
        self._due_ns: int | None = self._stamps[0]
        self._before = _standing(tape, first)
        self.visible = tape.visible
        self.kept = tape.kept
        self.session_offset_ns = 0
        self.cut_ns = 0
        self.gaps_cut = 0

    def next_t_ns(self) -> int | None:
        return self._due_ns

    def take(self) -> Rows:
        """The instant that is due; the next one becomes due."""
        self.gaps_cut += self._shift_ns > self.session_offset_ns
        self.session_offset_ns = self.cut_ns = self._shift_ns
        k, tape = self._at, self._tape
        begin, end = int(tape.begin[k]), int(tape.begin[k + 1])
        before = self._before
        if tape.begins_file[k] == 1 and k > self._first and not self._cut_gaps:
            before = [(GAP, 0, 0)]
        self._before = []
        self._at += 1
        self._schedule()
        if before:
            return _with(before, tape, begin, end)
        if COMPILED:
            return Rows(tape.what, tape.px_u, tape.sz_u, begin, end)
        columns = [np.asarray(column[begin:end]).tolist() for column in (tape.what, tape.px_u, tape.sz_u)]
        return Rows(columns[0], columns[1], columns[2], 0, end - begin)

    def describe(self) -> dict[str, Any]:
        return {"market": "tape", "files": list(self._tape.names), "instants": self._last - self._first}

    def _schedule(self) -> None:
        if self._at == self._last:
            self._due_ns = None
            return
        at = self._at - self._first
        gap_ns = self._stamps[at] - self._stamps[at - 1]
        if self._cut_gaps and gap_ns > GAP_NS:
            self._shift_ns += gap_ns - GAP_KEPT_NS
        self._due_ns = self._stamps[at] - self._shift_ns


def _standing(tape: Tape, first: int) -> list[Row]:
    """The levels that stand just before instant `first`, as rows."""
    begins = np.flatnonzero(np.asarray(tape.begins_file[: first + 1]))
    start = int(begins[-1]) if len(begins) else 0
    bids, asks = new_side(1, tape.kept), new_side(-1, tape.kept)
    for k in range(start, first):
        see_rows(tape.what, tape.px_u, tape.sz_u, int(tape.begin[k]), int(tape.begin[k + 1]), k + 1, bids, asks)
    return [
        (what, int(side[at + R_PX]), int(side[at + R_SZ]))
        for what, side in ((BID_LEVEL, bids), (ASK_LEVEL, asks))
        for at in range(HEAD, HEAD + STRIDE * int(side[R_N]), STRIDE)
    ]


def _with(before: list[Row], tape: Tape, begin: int, end: int) -> Rows:
    """An instant's rows with others before them."""
    count = len(before)
    columns = []
    for place, column in enumerate((tape.what, tape.px_u, tape.sz_u)):
        rows = istate(count + end - begin)
        rows[:count] = [row[place] for row in before]
        rows[count:] = np.asarray(column[begin:end]) if COMPILED else np.asarray(column[begin:end]).tolist()
        columns.append(rows)
    return Rows(columns[0], columns[1], columns[2], 0, count + end - begin)
