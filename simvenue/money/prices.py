"""Oracle and mark of one market: who sets them, how often, and how far they may move at once.

Three ways, in this order: *told* (a mirrored venue's own figures, taken as they are); *set* (a deployer's `setOracle`,
hyperliquid.md 11: at least 2.5 s apart, 0 to 2 marks, new mark = median of those and the local median of bid, ask and
last; after 10 s without one the local median alone); else *derived*, for recordings that have none (design 9): oracle =
the recorded mid of one update ago, mark = median of oracle, local mid and last trade. A builder dex's mark moves at
most 1 % an update and what is set stays within ten times the day's first oracle; for the first dex no such bound is
published. Prices are px_u, mids doubled (`mid2`: bid + ask) so that they stay whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from common.clock import NS
from common.kernel import kernel

UPDATE_NS = 3 * NS
SET_NS_MIN = 5 * NS // 2
STALE_NS = 10 * NS
MARKS_MAX = 2
MARK_MOVE_SHARE = 100
"""A builder dex's mark moves at most 1 / this of itself at once."""
DAY_NS = 86_400 * NS
DAY_RANGE = 10
HOUR_UPDATES = 3_600 * NS // UPDATE_NS


@kernel("i8(i8, i8, i8)")
def middle_px(oracle_px_u: int, local_mid2: int, last_px_u: int) -> int:
    """Median of oracle, local mid and last trade, rounded half up; the oracle while one of them (0) is not known."""
    oracle2 = 2 * oracle_px_u
    if local_mid2 == 0 or last_px_u == 0:
        return oracle_px_u
    low = min(oracle2, local_mid2)
    high = max(oracle2, local_mid2)
    return (min(max(2 * last_px_u, low), high) + 1) // 2


@kernel("i8(i8, i8)")
def bounded_px(before_px_u: int, px_u: int) -> int:
    """A builder dex's next mark: no further from the one before (0 = none) than it may move at once."""
    if before_px_u == 0:
        return px_u
    reach = max(1, before_px_u // MARK_MOVE_SHARE)
    return min(max(px_u, before_px_u - reach), before_px_u + reach)


class Prices:
    """One market's oracle, mark and last trade; 0 = not known yet."""

    def __init__(self, *, is_bounded: bool = True) -> None:
        self.oracle_px_u = 0
        self.mark_px_u = 0
        self.previous_mark_px_u = 0
        """The mark before the last update: what auto-deleveraging closes at."""
        self.last_px_u = 0
        self._is_bounded = is_bounded
        self._recorded_mid2 = 0
        self._set_t_ns: int | None = None
        self._day = (-1, 0)  # number, first oracle
        self._hour = deque[int](maxlen=HOUR_UPDATES)

    @property
    def oracle_mean_1h_px_u(self) -> int:
        """Mean oracle of the last hour's updates, rounded half up."""
        count = len(self._hour)
        return (2 * sum(self._hour) + count) // (2 * count) if count else self.oracle_px_u

    # ---------------------------------------------------------------- the three ways
    def update(
        self,
        recorded_mid2: int,
        local_mid2: int,
        t_ns: int = 0,
        touch: tuple[int, int] | None = None,
        premium: float = 0.0,
    ) -> bool:
        """One update; a mid of 0 means a side is empty, `touch` is (bid, ask).  Returns whether there is an oracle.

        A derived oracle lies by the share `premium` below the recorded mid.
        """
        if self._set_t_ns is not None:
            if t_ns - self._set_t_ns > STALE_NS:
                self._move_mark(self._local(touch) or self.mark_px_u)
            return self._note()
        delayed = self._recorded_mid2 or recorded_mid2
        if recorded_mid2:
            self._recorded_mid2 = recorded_mid2
        if not delayed:
            return False
        self.oracle_px_u = round(delayed / (2 + 2 * premium)) if premium else (delayed + 1) // 2
        self._move_mark(self._median(local_mid2))
        return self._note()

    def follow(self, oracle_px_u: int, mark_px_u: int) -> bool:
        """Another venue's figures, unbounded: it has bounded them itself."""
        self.oracle_px_u = oracle_px_u
        self.previous_mark_px_u, self.mark_px_u = self.mark_px_u or mark_px_u, mark_px_u
        return self._note()

    def set_oracle(
        self, t_ns: int, oracle_px_u: int, marks_px_u: Sequence[int] = (), touch: tuple[int, int] | None = None
    ) -> str | None:
        """A deployer's update; None when taken, else why not (in our words, the venue's are not published)."""
        if self._set_t_ns is not None and t_ns - self._set_t_ns < SET_NS_MIN:
            return "Oracle updates must be at least 2.5 seconds apart."
        if len(marks_px_u) > MARKS_MAX:
            return "Too many mark prices."
        if any(px <= 0 or not self._is_of_the_day(px, t_ns) for px in (oracle_px_u, *marks_px_u)):
            return "Price too far from the start of the day."
        self._set_t_ns = t_ns
        self._start_day(oracle_px_u, t_ns)
        self.oracle_px_u = oracle_px_u
        local = self._local(touch)
        known = sorted([*marks_px_u, *([local] if local else [])])
        self._move_mark(_middle(known) if known else oracle_px_u)
        return None

    # ---------------------------------------------------------------- inside
    def _note(self) -> bool:
        if self.oracle_px_u:
            self._hour.append(self.oracle_px_u)
        return self.oracle_px_u > 0

    def _start_day(self, oracle_px_u: int, t_ns: int) -> None:
        if self._day[0] != t_ns // DAY_NS:
            self._day = (t_ns // DAY_NS, oracle_px_u)

    def _is_of_the_day(self, px_u: int, t_ns: int) -> bool:
        number, first = self._day
        return number != t_ns // DAY_NS or (px_u <= first * DAY_RANGE and px_u * DAY_RANGE >= first)

    def _local(self, touch: tuple[int, int] | None) -> int:
        """Median of bid, ask and last trade; 0 when a side is empty."""
        if touch is None:
            return 0
        return _middle(sorted([*touch, *([self.last_px_u] if self.last_px_u else [])]))

    def _median(self, local_mid2: int) -> int:
        """Doubled prices: the middle of those that are known; of two, the oracle."""
        return int(middle_px(self.oracle_px_u, local_mid2, self.last_px_u))

    def _move_mark(self, px_u: int) -> None:
        before = self.mark_px_u
        if self._is_bounded:
            px_u = int(bounded_px(before, px_u))
        self.previous_mark_px_u, self.mark_px_u = before or px_u, px_u


def _middle(rising: Sequence[int]) -> int:
    """The median; of an even number the mean of the two in the middle, rounded half up."""
    count = len(rising)
    return rising[count // 2] if count % 2 else (rising[count // 2 - 1] + rising[count // 2] + 1) // 2
