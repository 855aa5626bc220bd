"""Where a market's own flow comes from: stamps of level changes and prints, in market time.

A *stamp* is every row of one exchange instant; its rows happen together: first its prints, in the order given, then its
levels, of each price the last row (`book/matching.py`). A row is (`what`, px_u, sz_u): `BID_LEVEL` / `ASK_LEVEL` set
the size shown at a price (0 = gone), `BUY_PRINT` / `SELL_PRINT` are trades by their aggressor, `BID_CLEAR` /
`ASK_CLEAR` empty a side from its best level to px_u (0 = all of it) before the rows that follow fill it again. Rows
come as three flat columns and a range, so that a kernel reads them where they lie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from common.kernel import istate

BID_LEVEL = 1
ASK_LEVEL = -1
BUY_PRINT = 2
SELL_PRINT = -2
BID_CLEAR = 3
ASK_CLEAR = -3
GAP = 0
"""A row of this kind, first in its stamp (price and size 0): the source saw nothing for a while. All levels are
forgotten and every resting order's place is unknown; the stamp's other rows, if any, show the book anew."""


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


class Told(NamedTuple):
    """What the mirrored venue itself says of a market, beside its flow; `figures` is its context as it wrote it."""

    oracle_px_u: int
    mark_px_u: int
    funding_rate_1h: float
    premium: float | None
    figures: Mapping[str, Any] | None = None


class Teller(Protocol):
    """A source that may bring its venue's own prices (a mirror); `told` is None until it has."""

    told: Told | None


def told_by(source: object) -> Told | None:
    """The venue's own prices where the source is a `Teller` that has heard them, else None."""
    return getattr(source, "told", None)


class Printed(NamedTuple):
    """Who a print of the last stamp was, at the recorded venue; `side` is the aggressor's sign."""

    side: int
    px_u: int
    tid: int
    hash: str
    buyer: str
    seller: str


class Speaker(Protocol):
    """A source that says again what its venue published, so that nothing else is published at other times.

    Of the last stamp taken: `spoken` are `context`, `fast` and `slow` (book) in the order they came, `prints` the
    identities of its prints; `order_counts` is the number of orders by side (1, -1) and price.
    """

    spoken: tuple[str, ...]
    prints: list[Printed]
    order_counts: Mapping[int, Mapping[int, int]]


def spoken_by(source: object) -> tuple[str, ...] | None:
    """What a `Speaker` said with its last stamp; None for any other source."""
    return getattr(source, "spoken", None)


def order_counts_of(source: object) -> Mapping[int, Mapping[int, int]] | None:
    """How many orders a `Speaker`'s venue has at a price, by side; None for any other source."""
    return getattr(source, "order_counts", None)


def printed_by(source: object, side: int, px_u: int) -> Printed | None:
    """The next print of a `Speaker`'s last stamp at that price, each once."""
    prints: list[Printed] = getattr(source, "prints", [])
    for k, printed in enumerate(prints):
        if (printed.side, printed.px_u) == (side, px_u):
            return prints.pop(k)
    return None


class Priced(Protocol):
    """A source that knows how far its mid stands above the oracle (a made-up market), as a share of the oracle."""

    def premium(self, t_ns: int) -> float: ...


def premium_at(source: object, t_ns: int) -> float:
    """The premium of a `Priced` source; 0.0 for any other."""
    known = getattr(source, "premium", None)
    return 0.0 if known is None else float(known(t_ns))


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
