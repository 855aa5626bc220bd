"""How far each of our fills lay from the fair price we saw just before it.

A fill is heard of after the fact, when the fair price has already answered it; what a quote asked for is its distance
from the fair price of the last decision before the fill's own time. This room remembers the decisions of the last
seconds and the distances of fills until they are marked out. Prices px_u, times market ns, distances bps.
"""

from __future__ import annotations

from collections import deque

from common.messages import Fill
from quoter.state import BPS

DECISIONS_MAX = 2_000
FILLS_MAX = 10_000
AGE_NS_MAX = 30_000_000_000
"""An older fair price says nothing of what the quote asked for."""


class FairPast:
    """Fair prices in, distances of fills out."""

    def __init__(self) -> None:
        self._fair: deque[tuple[int, float]] = deque(maxlen=DECISIONS_MAX)
        self._of_fill: dict[tuple[int, int], float] = {}

    def decided(self, t_ns: int, fair_px: float) -> None:
        """The fair price of a decision; times do not run backwards."""
        if fair_px > 0.0:
            self._fair.append((t_ns, fair_px))

    def before(self, t_ns: int) -> float | None:
        """The fair price of the last decision before `t_ns`."""
        for at_ns, fair_px in reversed(self._fair):
            if at_ns < t_ns:
                return fair_px if t_ns - at_ns <= AGE_NS_MAX else None
        return None

    def on_fill(self, fill: Fill) -> None:
        """Remember the fill's distance; the mid it came with serves where no decision is known."""
        fair_px = self.before(fill.venue_t_ns) or fill.mid2_px_u / 2
        if fair_px <= 0.0:
            return
        while len(self._of_fill) >= FILLS_MAX:
            self._of_fill.pop(next(iter(self._of_fill)))
        self._of_fill[fill.venue_t_ns, fill.tid] = int(fill.side) * (fair_px - fill.px_u) / fill.px_u / BPS

    def take(self, fill: Fill) -> float | None:
        """Its distance in bps, once; None = never known."""
        return self._of_fill.pop((fill.venue_t_ns, fill.tid), None)
