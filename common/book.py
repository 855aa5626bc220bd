"""One coin's order book, layered from messages that differ in depth and cadence (design 4.1).

The venue tells the touch per block (`bbo`), five levels every 0.5 s (`fast`) and twenty every 5 s (`l2Book`). This
room decides what of each still counts: the newer venue time wins within a layer; a layer is used only where no newer
one speaks, so nothing contradicts the touch; the deep layer is dropped after `DEEP_AGE_NS_MAX` and until then moves
with its own side's best price. It leaves to others: decoding, and whether the data is fresh enough to quote on.

Prices are px_u, sizes sz_u, times venue time in ns; bids fall, asks rise. Shifted deep prices serve analysis only:
next to a change of tick they may lie off the grid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from common.errors import BadInput
from common.messages import Touch

LevelU: TypeAlias = tuple[int, int]
"""(px_u, sz_u)"""
Levels: TypeAlias = list[LevelU]

DEEP_AGE_NS_MAX = 12_000_000_000
"""The slow snapshot comes every ~5 s (hyperliquid.md 0.3): two missed ones are tolerated."""


class LayeredBook:
    """Three layers in, one merged book out.  The `on_*` methods return False for a message older than its layer."""

    def __init__(self) -> None:
        self.touch_t_ns = 0
        self.fast_t_ns = 0
        self.deep_t_ns = 0
        self._touch: tuple[Levels, Levels] = ([], [])
        self._fast: tuple[Levels, Levels] = ([], [])
        self._deep: tuple[Levels, Levels] = ([], [])

    @property
    def data_t_ns(self) -> int:
        """Venue time of the newest touch or fast snapshot: what the data's age is measured from (0 = none yet)."""
        return max(self.touch_t_ns, self.fast_t_ns)

    def on_touch(self, t_ns: int, bid: LevelU | None, ask: LevelU | None) -> bool:
        """Take a `bbo`; None = that side is empty."""
        layer = check([bid] if bid else [], [ask] if ask else [])
        if t_ns < self.touch_t_ns:
            return False
        self.touch_t_ns, self._touch = t_ns, layer
        return True

    def on_fast(self, t_ns: int, bids: Sequence[LevelU], asks: Sequence[LevelU]) -> bool:
        """Take a `fast` snapshot (5 levels a side, fewer when the book has fewer)."""
        layer = check(bids, asks)
        if t_ns < self.fast_t_ns:
            return False
        self.fast_t_ns, self._fast = t_ns, layer
        return True

    def on_deep(self, t_ns: int, bids: Sequence[LevelU], asks: Sequence[LevelU]) -> bool:
        """Take a slow snapshot of any depth."""
        layer = check(bids, asks)
        if t_ns < self.deep_t_ns:
            return False
        self.deep_t_ns, self._deep = t_ns, layer
        return True

    def levels(self, now_t_ns: int) -> tuple[Levels, Levels]:
        """The merged book at market time `now_t_ns`, best first; empty lists where nothing is known."""
        bids, asks, _ = self.merged(now_t_ns)
        return bids, asks

    def merged(self, now_t_ns: int) -> tuple[Levels, Levels, int]:
        """As `levels`, and how many levels a side (the smaller count) come from the touch and fast layers."""
        use_touch = self.touch_t_ns > 0 and self.touch_t_ns >= max(self.fast_t_ns, self.deep_t_ns)
        use_fast = self.fast_t_ns > 0 and self.fast_t_ns >= self.deep_t_ns
        use_deep = self.deep_t_ns > 0 and now_t_ns - self.deep_t_ns <= DEEP_AGE_NS_MAX
        sides: list[Levels] = []
        fresh: list[int] = []
        for side, direction in ((0, -1), (1, 1)):
            merged: Levels | None = None
            if use_touch:
                merged = list(self._touch[side])
            if use_fast:
                merged = _behind(merged, self._fast[side], direction)
            fresh.append(0 if merged is None else len(merged))
            if use_deep:
                merged = _behind(merged, _shifted(self._deep[side], merged), direction)
            sides.append(merged or [])
        return sides[0], sides[1], min(fresh)


def check(bids: Sequence[LevelU], asks: Sequence[LevelU]) -> tuple[Levels, Levels]:
    """Both sides as lists; raises BadInput: bad_level, unsorted (or a price twice), crossed, locked."""
    for levels, direction in ((bids, -1), (asks, 1)):
        last = 0
        for px_u, sz_u in levels:
            if px_u <= 0 or sz_u <= 0:
                raise BadInput("bad_level", f"{px_u} x {sz_u}")
            if last and (px_u - last) * direction <= 0:
                raise BadInput("unsorted", f"{px_u} after {last}")
            last = px_u
    if bids and asks and bids[0][0] >= asks[0][0]:
        raise BadInput("locked" if bids[0][0] == asks[0][0] else "crossed", f"{bids[0][0]} / {asks[0][0]}")
    return list(bids), list(asks)


def _behind(newer: Levels | None, older: Levels, direction: int) -> Levels:
    """`newer`, then those levels of `older` that lie strictly behind it; None = nothing newer spoke.

    A newer layer that shows an empty side empties it: whatever the older one saw there is gone.
    """
    if newer is None:
        return list(older)
    if not newer:
        return []
    worst = newer[-1][0]
    return newer + [level for level in older if (level[0] - worst) * direction > 0]


def _shifted(deep: Levels, newer: Levels | None) -> Levels:
    """The deep side moved by what its best price has moved since it was taken."""
    if not newer or not deep:
        return deep
    shift = newer[0][0] - deep[0][0]
    return [(px_u + shift, sz_u) for px_u, sz_u in deep if px_u + shift > 0] if shift else deep


def subtract_own(levels: Sequence[LevelU], own: Mapping[int, int]) -> Levels:
    """The levels without our own resting size (`own`: px_u -> sz_u); a level that was only ours disappears."""
    return [(px_u, sz_u - own.get(px_u, 0)) for px_u, sz_u in levels if sz_u > own.get(px_u, 0)]


def touch_over(bids: Sequence[LevelU], asks: Sequence[LevelU], touch: Touch) -> tuple[Levels, Levels]:
    """Put a newer touch over older levels: what is at, better than, or across the touch gives way to it."""
    bid: Levels = [(touch.bid_px_u, touch.bid_sz_u)] if touch.bid_px_u > 0 and touch.bid_sz_u > 0 else []
    ask: Levels = [(touch.ask_px_u, touch.ask_sz_u)] if touch.ask_px_u > 0 and touch.ask_sz_u > 0 else []
    return _behind(bid, list(bids), -1), _behind(ask, list(asks), 1)
