"""Where a market's own flow comes from: stamps of level changes and prints, in market time.

A *stamp* is every row of one exchange instant; its rows happen together, in the order given (prints come first). A
row is (`what`, px_u, sz_u): `BID_LEVEL` / `ASK_LEVEL` set the size shown at a price (0 = gone), `BUY_PRINT` /
`SELL_PRINT` are trades by their aggressor. Rows come as three flat columns and a range, so that a kernel reads them
where they lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from common.kernel import istate

BID_LEVEL = 1
ASK_LEVEL = -1
BUY_PRINT = 2
SELL_PRINT = -2


class Rows(NamedTuple):
    """Rows `begin .. end` of three int64 columns (arrays with numba, lists without)."""

    what: Any
    px_u: Any
    sz_u: Any
    begin: int
    end: int


def rows_of(rows: Sequence[tuple[int, int, int]]) -> Rows:
    """Rows written as (what, px_u, sz_u) tuples, as columns a kernel takes."""
    columns = [istate(len(rows)) for _ in range(3)]
    for column, values in zip(columns, zip(*rows, strict=True), strict=False):
        column[:] = values
    return Rows(columns[0], columns[1], columns[2], 0, len(rows))


class Source(Protocol):
    """A market's flow.

    `visible` levels a side are really seen; what lies beyond is only remembered, and not more than `kept` in all.
    """

    visible: int
    kept: int

    def next_t_ns(self) -> int | None:
        """Market time of the next stamp, None when there is none left."""

    def take(self) -> Rows:
        """The next stamp's rows; only valid until the next call."""

    @property
    def session_offset_ns(self) -> int:
        """Recorded time minus market time at the last stamp taken (0 for a made-up market)."""

    @property
    def cut_ns(self) -> int:
        """Silence left out so far."""

    @property
    def gaps_cut(self) -> int:
        """How many silences were left out so far."""

    def describe(self) -> dict[str, Any]:
        """What is played, for people: names and figures."""
