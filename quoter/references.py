"""Other markets beside our own, in order of venue time: what a fit tells the features of them, and when.

The live quoter hears a reference market's touches and books as they come. A fit has recordings, each complete, and
puts them side by side by venue time: before an event of our own market the features are told every reference mid that
is strictly older, so none is used before it was there. Both markets' feeds are taken to be equally late. Mids in any
unit, each market in its own; times in ns.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from quoter.features import see_reference


class Mids(NamedTuple):
    """One reference market's mids, oldest first."""

    t_ns: Sequence[int]
    mid: Sequence[float]


class Beside:
    """Mids of the reference markets by slot, each told once and in time's order."""

    def __init__(self, references: Sequence[Mids] = ()) -> None:
        told = [(t_ns, slot, mid) for slot, mids in enumerate(references) for t_ns, mid in zip(*mids, strict=True)]
        self._told = sorted(told, key=lambda one: one[0])
        self._next = 0

    def tell(self, features: tuple[Any, Any, Any, Any], before_t_ns: int) -> None:
        """What is strictly older than `before_t_ns` and was not told yet."""
        while self._next < len(self._told) and self._told[self._next][0] < before_t_ns:
            t_ns, slot, mid = self._told[self._next]
            see_reference(*features, slot, t_ns, mid)
            self._next += 1

    def stretches(self, features: tuple[Any, Any, Any, Any], stamp_ns: Any) -> Iterator[tuple[int, int]]:
        """(first, last) of our own instants between which no reference speaks; what is due before each is told."""
        first, n = 0, len(stamp_ns)
        while first < n:
            self.tell(features, int(stamp_ns[first]))
            last = n
            if self._next < len(self._told):
                last = max(bisect_right(stamp_ns, self._told[self._next][0], lo=first), first + 1)
            yield first, last
            first = last
