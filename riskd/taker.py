"""The taker share of what we traded in the last 24 h of market time, by notional.

Rebuilt from the fills stream at start; a fill counts once. Notional in 1e-6 quote, exact. What a share that is too
high does is `limits.py`'s; the executor refuses the taker order itself.
"""

from __future__ import annotations

from collections import deque

from common.clock import NS
from common.messages import Fill, Liquidity

WINDOW_NS = 24 * 3600 * NS
KEYS_MAX = 200_000


class TakerWindow:
    """Rolling sums over the fills of one coin."""

    def __init__(self) -> None:
        self.taker_e6 = 0
        self.total_e6 = 0
        self._fills: deque[tuple[int, int, int]] = deque()  # (venue_t_ns, notional, taker notional), in time order
        self._keys: dict[tuple[int, int], None] = {}

    def __len__(self) -> int:
        return len(self._fills)

    def on_fill(self, fill: Fill) -> bool:
        """Count a fill, late ones in their place; False when it was counted before."""
        key = (fill.venue_t_ns, fill.tid)
        if key in self._keys:
            return False
        self._keys[key] = None
        if len(self._keys) > KEYS_MAX:
            self._keys.pop(next(iter(self._keys)))
        notional_e6 = fill.px_u * fill.sz_u
        row = (fill.venue_t_ns, notional_e6, notional_e6 if fill.liquidity is Liquidity.TAKER else 0)
        place = len(self._fills)
        while place > 0 and self._fills[place - 1][0] > row[0]:
            place -= 1
        self._fills.insert(place, row)
        self.total_e6 += row[1]
        self.taker_e6 += row[2]
        return True

    def on_time(self, t_ns: int) -> None:
        """Let go of what is older than the window."""
        while self._fills and self._fills[0][0] < t_ns - WINDOW_NS:
            _, notional_e6, taker_e6 = self._fills.popleft()
            self.total_e6 -= notional_e6
            self.taker_e6 -= taker_e6

    @property
    def ratio(self) -> float:
        """Taker notional over all notional, 0 without fills."""
        return self.taker_e6 / self.total_e6 if self.total_e6 else 0.0
