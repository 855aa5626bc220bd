"""What of a recording is odd but played: a crossed book, a silence, rows that repeat; each a line for the report.

Nothing is repaired: of crossed levels the older one yields when they are played, time goes on in a silence. A price
whose unit changes within a file is refused. Times ns, prices px_u, sizes sz_u.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backtest.tape import Tape, iso
from common.clock import NS
from common.kernel import istate, kernel
from simvenue.book import levels
from simvenue.book.levels import Ints
from simvenue.recorded.recording import BadRecording
from simvenue.source import ASK_CLEAR, ASK_LEVEL, BID_CLEAR, BID_LEVEL, BUY_PRINT

SILENCE_NS = 30 * NS
LEAP = 3.0
"""Two prints, or two books, one after the other whose prices differ by more: the unit has changed."""

F_LEVELS, F_INSTANTS, F_FIRST, F_LEAP = range(4)

RowOf = Callable[[int], int]
"""Which row of the file became a row of its tape."""


def oddities(path: Path, tape: Tape, row_of: RowOf | None = None) -> list[str]:
    """Lines for the report; raises BadRecording where the price's unit changes.

    Without `row_of` the file has no rows that a person could count, and times alone are said.
    """
    found = _Found(path, tape, row_of)
    found.refuse_leaps()
    return [*found.crossed(), *found.silent(), *found.repeated()]


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    tape: Tape
    row_of: RowOf | None

    def refuse_leaps(self) -> None:
        """Prints whose price leaps; a book's leaps are seen with its crossings."""
        tape = self.tape
        prints = np.flatnonzero(np.abs(tape.what) == BUY_PRINT)
        prices = tape.px_u[prints].astype(np.float64)
        leaps = np.flatnonzero(np.abs(np.log(prices[1:] / prices[:-1])) > np.log(LEAP))
        if len(leaps):
            self._refuse(int(prints[leaps[0] + 1]), "print")

    def crossed(self) -> list[str]:
        tape, found = self.tape, istate(4)
        book = levels.new_book(1, tape.kept), levels.new_book(-1, tape.kept)
        crossed = find_crossed(tape.what, tape.px_u, tape.sz_u, tape.begin, tape.begins_file, *book, found)
        if found[F_LEAP] >= 0:
            self._refuse(int(tape.begin[found[F_LEAP]]), "book")
        if not crossed:
            return []
        first = self._at(int(tape.begin[found[F_FIRST]]))
        return [
            f"{tape.names[0]}: {found[F_LEVELS]} levels in {found[F_INSTANTS]} of {len(tape.stamp_ns)} instants stood "
            f"in a locked or crossed book (first at {first}); the older one yields"
        ]

    def silent(self) -> list[str]:
        tape = self.tape
        gaps = np.diff(tape.stamp_ns)
        long = np.flatnonzero(gaps > SILENCE_NS)
        if len(long) == 0:
            return []
        k = int(np.argmax(gaps))
        return [
            f"{tape.names[0]}: {len(long)} silences of more than 30 s, the longest {gaps[k] / NS:.0f} s before "
            f"{self._at(int(tape.begin[k + 1]))}; time goes on in them, uncut"
        ]

    def repeated(self) -> list[str]:
        """Prints that are equal in everything and come at one time: several makers, or rows written twice."""
        tape = self.tape
        if len(tape.what) < 2:
            return []
        instant = np.repeat(np.arange(len(tape.stamp_ns)), np.diff(tape.begin))
        columns = (tape.what, tape.px_u, tape.sz_u, instant)
        same = np.logical_and.reduce([column[1:] == column[:-1] for column in columns])
        same_prints = same & (np.abs(tape.what[1:]) == BUY_PRINT)
        prints = int((np.abs(tape.what) == BUY_PRINT).sum())
        lines = []
        if same_prints.sum() > max(0.25 * prints, 5):
            first = self._at(int(np.argmax(same_prints)) + 1)
            lines.append(
                f"{tape.names[0]}: {int(same_prints.sum())} of {prints} prints repeat the row before (first at "
                f"{first}): perhaps recorded twice; all are played"
            )
        levels_twice = int((same & ~same_prints).sum())
        if levels_twice:
            first = self._at(int(np.argmax(same & ~same_prints)) + 1)
            lines.append(
                f"{tape.names[0]}: {levels_twice} level rows repeat the row before (first at {first}); harmless"
            )
        return lines

    def _refuse(self, row: int, what: str) -> None:
        at = f"a {what} at {self._time(row)} at more than {LEAP:g} times the one before: another unit?"
        raise BadRecording(self.path, self.row_of(row) if self.row_of is not None else None, at)

    def _at(self, row: int) -> str:
        return self._time(row) if self.row_of is None else f"row {self.row_of(row)}, {self._time(row)}"

    def _time(self, row: int) -> str:
        return iso(int(self.tape.stamp_ns[int(np.searchsorted(self.tape.begin, row, "right")) - 1]))


@kernel("i8(i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])")
def find_crossed(
    what: Ints, px: Ints, sz: Ints, begin: Ints, begins_file: Ints, bids: Ints, asks: Ints, found: Ints
) -> int:  # fmt: skip
    """Play levels alone and count those that had to yield; returns the instants in which any did.

    `found`: levels, instants, the first such instant, and the first in which both best prices leap by more than `LEAP`
    times the same way (-1 = none).
    """
    found[F_FIRST] = -1
    found[F_LEAP] = -1
    bid = 0
    ask = 0
    for k in range(len(begins_file)):
        if begins_file[k] == 1:
            levels.clear_levels(bids, 0)
            levels.clear_levels(asks, 0)
        for row in range(begin[k], begin[k + 1]):
            if what[row] == BID_LEVEL:
                levels.set_level(bids, px[row], sz[row], k + 1)
            elif what[row] == ASK_LEVEL:
                levels.set_level(asks, px[row], sz[row], k + 1)
            elif what[row] == BID_CLEAR:
                levels.clear_levels(bids, px[row])
            elif what[row] == ASK_CLEAR:
                levels.clear_levels(asks, px[row])
        gone = levels.uncross(bids, asks)
        if gone > 0:
            found[F_LEVELS] += gone
            found[F_INSTANTS] += 1
            if found[F_FIRST] < 0:
                found[F_FIRST] = k
        new_bid = levels.best_px(bids)
        new_ask = levels.best_px(asks)
        if new_bid > 0 and new_ask > 0:
            is_up = new_bid > LEAP * bid and new_ask > LEAP * ask
            is_down = new_bid * LEAP < bid and new_ask * LEAP < ask
            if bid > 0 and (is_up or is_down) and found[F_LEAP] < 0:
                found[F_LEAP] = k
            bid = new_bid
            ask = new_ask
    return found[F_INSTANTS]
