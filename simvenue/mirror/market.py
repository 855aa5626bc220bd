"""One mirrored market: what its venue says becomes the stamps of a `Source`, at the venue's own times.

Decides when each message happens here: at its venue time, in that order; one that comes after its own instant has
passed happens at once (counted as late), a book or touch older than one already played not at all (outdated). How
touch, fast and slow book make one book is `recorded/layers.py`'s. What the venue published with a stamp is published
again with it (`spoken`, `prints`, `order_counts`), with our orders in it.

The rule of a gap (*what was not seen is not made up*): when the link is lost the market is blind. All levels are
forgotten, nobody knows his place in the queue, prints are counted and not played, until a whole book comes; then our
orders stand behind all that is shown, and what that book has passed is filled at its own price. Times market time, ns.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias

from common.recorded import BookRow, TouchRow, TradeRow
from simvenue.recorded.layers import FAST_LEVELS, KEPT, Change, Layers
from simvenue.source import BUY_PRINT, GAP, SELL_PRINT, Printed, Rows, Told, rows_of

FOREVER_NS = 2**62
"""When the next stamp is due while none is known: a mirror never runs out."""
TIDS_KEPT = 20_000
GAPS_KEPT = 100


@dataclass(slots=True)
class Gap:
    """From when to when (None = still) nothing was seen, and how many prints of that time were heard of later."""

    from_t_ns: int
    to_t_ns: int | None = None
    prints_missed: int = 0


class _Lost:
    """The link is gone."""


@dataclass(frozen=True, slots=True)
class _Whole:
    """The market is seen again, or for the first time: forget all before this book."""

    row: BookRow


Item: TypeAlias = TouchRow | BookRow | TradeRow | Told | _Lost | _Whole


@dataclass(order=True, slots=True)
class _Due:
    """Something that happens at `t_ns`; of one instant in the order of venue time, then as heard."""

    t_ns: int
    venue_t_ns: int
    place: int
    item: Item = field(compare=False)


class MirrorMarket:
    """A `Source` that is a `Teller` and a `Speaker`; `now_t_ns` of each call is market time here."""

    visible = FAST_LEVELS
    kept = KEPT
    cut_ns = 0

    def __init__(self, coin: str, sz_decimals: int, session_offset_ns: int = 0) -> None:
        self.coin = coin
        self.sz_decimals = sz_decimals
        self.session_offset_ns = session_offset_ns
        self.told: Told | None = None
        self.spoken: tuple[str, ...] = ()
        self.prints: list[Printed] = []
        self.is_blind = True
        self.gaps: list[Gap] = []
        self.gaps_cut = 0
        self.late = 0
        self.outdated = 0
        self._layers = Layers()
        self.order_counts = self._layers.orders
        self._due: list[_Due] = []
        self._places = count()
        self._is_looking = True  # for a whole book
        self._whole_t_ns = 0
        self._levels_t_ns = 0  # venue time of the newest book or touch played
        self._tids: OrderedDict[tuple[int, int], None] = OrderedDict()
        self._has_begun = False

    @property
    def is_complete(self) -> bool:
        """A book and the venue's own prices have been heard."""
        return not self._is_looking and any(isinstance(due.item, Told) for due in self._due)

    # ------------------------------------------------------------------ as a source
    def next_t_ns(self) -> int:
        return self._due[0].t_ns if self._due else FOREVER_NS

    def take(self) -> Rows:
        """All that happens at the next instant, as one atomic change."""
        t_ns = self._due[0].t_ns
        changes: list[Change] = []
        spoken: list[str] = []
        self.prints = []
        while self._due and self._due[0].t_ns == t_ns:
            changes = self._happen(heapq.heappop(self._due), changes, spoken)
        self.spoken = tuple(dict.fromkeys(spoken))
        return rows_of([change[:3] for change in changes])

    def describe(self) -> dict[str, Any]:
        return {"market": "mirror", "visible_levels": self.visible}

    # ------------------------------------------------------------------ what is heard
    def begin(self, t_ns: int) -> None:
        """The market opens here at `t_ns` with what is known by now; how it came to that is not played."""
        self._due = [
            _Due(t_ns, due.venue_t_ns, due.place, due.item) for due in self._due if not isinstance(due.item, TradeRow)
        ]
        heapq.heapify(self._due)
        self._has_begun = True

    def hear(self, row: TouchRow | BookRow, now_t_ns: int) -> None:
        """A touch or book of this market."""
        item: Item = row
        if self._is_looking:
            if isinstance(row, TouchRow):
                return
            self._is_looking = False
            self._whole_t_ns = row.venue_t_ns
            item = _Whole(row)
            if self.gaps and self.gaps[-1].to_t_ns is None:
                self.gaps[-1].to_t_ns = max(row.venue_t_ns, now_t_ns)
        self._put(row.venue_t_ns, now_t_ns, item)

    def hear_prints(self, rows: list[TradeRow], now_t_ns: int) -> None:
        """Trades; those of before the book we began with, of a gap, or heard already are not played."""
        for row in rows:
            key = (row.venue_t_ns, row.tid)
            if key in self._tids:
                continue
            self._tids[key] = None
            if len(self._tids) > TIDS_KEPT:
                self._tids.popitem(last=False)
            if not self._is_looking and row.venue_t_ns > self._whole_t_ns:
                self._put(row.venue_t_ns, now_t_ns, row)
            elif self.gaps and row.venue_t_ns >= self.gaps[-1].from_t_ns:
                self.gaps[-1].prints_missed += 1

    def hear_prices(self, told: Told, now_t_ns: int) -> None:
        """The venue's own prices; it gives them no time, so they happen now."""
        self._put(now_t_ns, now_t_ns, told)

    def lose(self, now_t_ns: int) -> None:
        """Nothing is seen from now on."""
        if self._is_looking:
            return
        self._is_looking = self.is_blind = True
        if self._has_begun:
            self.gaps_cut += 1
            self.gaps.append(Gap(now_t_ns))
            del self.gaps[:-GAPS_KEPT]
            last = max(self._due, default=None)
            self._put(max(now_t_ns, last.t_ns if last is not None else 0), now_t_ns, _Lost())
        else:
            self._due.clear()

    # ------------------------------------------------------------------ inside
    def _put(self, venue_t_ns: int, now_t_ns: int, item: Item) -> None:
        self.late += self._has_begun and venue_t_ns < now_t_ns
        heapq.heappush(self._due, _Due(max(venue_t_ns, now_t_ns), venue_t_ns, next(self._places), item))

    def _happen(self, due: _Due, changes: list[Change], spoken: list[str]) -> list[Change]:
        """The stamp's changes with one thing more."""
        match due.item:
            case TradeRow() as row:
                self.prints.append(Printed(row.side, row.px_u, row.tid, row.hash, row.buyer, row.seller))
                what = BUY_PRINT if row.side > 0 else SELL_PRINT
                return [*changes, (what, row.px_u, row.sz_u, 0)]
            case Told() as told:
                self.told = told
                spoken.append("context")
            case _Lost():
                return self._anew(changes)
            case _Whole():
                self.is_blind = False
                anew = self._anew(changes) if self.gaps_cut else changes
                return anew + self._levels(due.item.row, spoken)
            case TouchRow() | BookRow() as row:
                return changes + self._levels(row, spoken)
        return changes

    def _anew(self, changes: list[Change]) -> list[Change]:
        """Levels of before are forgotten, prints of the same instant stay."""
        self._layers.forget()
        self._levels_t_ns = 0
        return [(GAP, 0, 0, 0), *(change for change in changes if change[0] in (BUY_PRINT, SELL_PRINT))]

    def _levels(self, row: TouchRow | BookRow, spoken: list[str]) -> list[Change]:
        if row.venue_t_ns < self._levels_t_ns:
            self.outdated += 1
            return []
        self._levels_t_ns = row.venue_t_ns
        if isinstance(row, TouchRow):
            return self._layers.touch(row)
        spoken.append("fast" if row.fast else "slow")
        return self._layers.book(row)
