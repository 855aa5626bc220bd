"""A recorded market's book, put together from its touches, fast books and slow books, as changes of its levels.

A touch speaks for its price and all better ones, a fast book down to its fifth level, a slow one down to its
twentieth; a book of fewer levels is all there is. What lies behind the fast book's reach goes when no slow one has
come for as long as the feed keeps it. Messages come in the order of their venue time; of the same instant the touch
is right. Rows are those of `source.py`; prices px_u, sizes sz_u.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from common.book import DEEP_AGE_NS_MAX
from common.recorded import BookRow, LevelRow, TouchRow
from simvenue.source import ASK_LEVEL, BID_LEVEL

BUY, SELL = 1, -1
FAST_LEVELS = 5
SLOW_LEVELS = 20
KEPT = 64
"""Levels a side in all: what a recording has not spoken of for so long is gone."""

Change: TypeAlias = tuple[int, int, int, int]
"""A row of `source.py`, and the number of orders at that price."""


class Layers:
    """What the recorded venue shows: size and number of orders by side and price."""

    def __init__(self) -> None:
        self.shown: dict[int, dict[int, int]] = {BUY: {}, SELL: {}}
        self.orders: dict[int, dict[int, int]] = {BUY: {}, SELL: {}}
        self._touch_t_ns = 0
        self._slow_t_ns = 0
        self._touch: dict[int, int | None] = {BUY: None, SELL: None}

    def forget(self) -> None:
        """Nothing is known any more."""
        for side in (BUY, SELL):
            self.shown[side].clear()
            self.orders[side].clear()
        self._touch_t_ns = self._slow_t_ns = 0

    def everything(self) -> list[Change]:
        """The whole book as rows."""
        return [
            (_what(side), px, sz, self.orders[side][px]) for side in (BUY, SELL) for px, sz in self.shown[side].items()
        ]

    # ------------------------------------------------------------------ what is heard
    def touch(self, row: TouchRow) -> list[Change]:
        self._touch_t_ns = row.venue_t_ns
        rows = []
        for side, level in ((BUY, row.bid), (SELL, row.ask)):
            self._touch[side] = level[0] if level else None
            rows += self._replace(side, [level] if level else [], level[0] if level else None)
        return rows

    def book(self, row: BookRow) -> list[Change]:
        depth = FAST_LEVELS if row.fast else SLOW_LEVELS
        rows = []
        for side, levels in ((BUY, row.bids), (SELL, row.asks)):
            worst = levels[-1][0] if len(levels) >= depth else None
            if not row.fast and self._touch_t_ns >= row.venue_t_ns:
                rows += self._behind_the_touch(side, levels, worst)
            else:
                rows += self._replace(side, levels, worst)
            if row.fast and levels and row.venue_t_ns - self._slow_t_ns > DEEP_AGE_NS_MAX:
                rows += self._drop(side, [px for px in self.shown[side] if side * px < side * levels[-1][0]])
        if not row.fast:
            self._slow_t_ns = row.venue_t_ns
        return rows

    # ------------------------------------------------------------------ inside
    def _replace(self, side: int, levels: Sequence[LevelRow], worst: int | None) -> list[Change]:
        """Rows that make the side what `levels` say, from the best price to `worst` (None = all of it)."""
        said = {level[0] for level in levels}
        gone = [px for px in self.shown[side] if px not in said and (worst is None or side * px >= side * worst)]
        return self._drop(side, gone) + self._set(side, levels)

    def _behind_the_touch(self, side: int, levels: Sequence[LevelRow], worst: int | None) -> list[Change]:
        """As `_replace`, but of the touch and what is better nothing is heard."""
        best = self._touch[side]
        if best is None:
            return []
        kept = [(px, sz, self.orders[side][px]) for px, sz in self.shown[side].items() if side * px >= side * best]
        return self._replace(side, [*kept, *(level for level in levels if side * level[0] < side * best)], worst)

    def _set(self, side: int, levels: Sequence[LevelRow]) -> list[Change]:
        shown, orders, rows = self.shown[side], self.orders[side], []
        for px, sz, n in levels:
            if (shown.get(px), orders.get(px)) != (sz, n):
                shown[px], orders[px] = sz, n
                rows.append((_what(side), px, sz, n))
        return rows + self._drop(side, sorted(shown, key=lambda px: side * px)[: max(len(shown) - KEPT, 0)])

    def _drop(self, side: int, prices: Sequence[int]) -> list[Change]:
        for px in prices:
            del self.shown[side][px], self.orders[side][px]
        return [(_what(side), px, 0, 0) for px in prices]


def _what(side: int) -> int:
    return BID_LEVEL if side == BUY else ASK_LEVEL
