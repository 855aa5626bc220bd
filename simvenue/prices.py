"""Oracle and mark of a market whose recording has none.

Every 3 s of market time: oracle = the recorded mid of 3 s ago; mark = median of the oracle, the local mid (our
orders included) and the last trade, at most 1 % from the last mark (hyperliquid.md 11: `setOracle` every 3 s, mark
moves at most 1 % per update). Prices are px_u, mids doubled (`mid2`: bid + ask) so that they stay whole.
"""

from __future__ import annotations

from common.clock import NS

UPDATE_NS = 3 * NS
MARK_MOVE_SHARE = 100
"""A mark moves at most 1 / this of itself at once."""


class Prices:
    """One market's oracle, mark and last trade; 0 = not known yet."""

    def __init__(self) -> None:
        self.oracle_px_u = 0
        self.mark_px_u = 0
        self.last_px_u = 0
        self._recorded_mid2 = 0

    def update(self, recorded_mid2: int, local_mid2: int) -> bool:
        """One update; a mid of 0 means a side is empty.  Returns whether there is an oracle now."""
        delayed = self._recorded_mid2 or recorded_mid2
        if recorded_mid2:
            self._recorded_mid2 = recorded_mid2
        if not delayed:
            return False
        self.oracle_px_u = (delayed + 1) // 2
        self.mark_px_u = self._bounded(self._median(local_mid2))
        return True

    def _median(self, local_mid2: int) -> int:
        """Doubled prices: the middle of those that are known; of two, the oracle."""
        known = [2 * self.oracle_px_u]
        known += [local_mid2] if local_mid2 else []
        known += [2 * self.last_px_u] if self.last_px_u else []
        middle = sorted(known)[1] if len(known) == 3 else known[0]
        return (middle + 1) // 2

    def _bounded(self, px_u: int) -> int:
        before = self.mark_px_u
        if before == 0:
            return px_u
        reach = max(1, before // MARK_MOVE_SHARE)
        return min(max(px_u, before - reach), before + reach)
