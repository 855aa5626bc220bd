"""Which well-formed messages may change what we believe: fresh, in order, near the oracle, not seen before.

Each rule answers with a reason ("" = accept), a word for the metric. Market time in ns, machine time as `mono_ns`,
prices in px_u; mids come doubled (`bid + ask`) so that they stay whole. Leaves to `engine.py` what is published.
"""

from __future__ import annotations

from collections import OrderedDict, deque

S = 1_000_000_000
FUTURE_S_MAX = 10.0
"""A message further ahead of our clock is refused: one absurd time must not make all later ones look old."""
LATE_S_MAX = 1.5
"""Design 2: `now - venue_t_ns` in market time, times `max(1, rate / 4)`."""
DEEP_LATE_S_MAX = 12.0
PRINT_LATE_S_MAX = 10.0
"""The first `trades` message is unmarked history (hyperliquid.md 5); prints missed in a short gap still count."""
JUMP_BPS_MAX = 1_000
"""Books and prints further from the oracle are a fault of somebody's: no index or coin moves 10 % between updates."""
REFERENCE_S_MAX = 60.0
TRADES_KEPT = 20_000
FAULTS_PER_S_MAX = 5
"""More malformed or contradictory messages in one second disable the market (reliability.md 5) ..."""
DISABLED_S = 5.0
"""... until this long after the last of them."""


class TimeGuard:
    """Venue times of one layer: never backwards, never far ahead, never too late."""

    def __init__(self, late_s_max: float) -> None:
        self._late_ns = late_s_max * S
        self.last_t_ns = 0

    def reset(self) -> None:
        """A new connection may begin anywhere."""
        self.last_t_ns = 0

    def refuse(self, venue_t_ns: int, recv_t_ns: int, rate: float) -> str:
        if venue_t_ns > recv_t_ns + FUTURE_S_MAX * max(1.0, rate / 4) * S:
            return "future_time"
        if recv_t_ns - venue_t_ns > self._late_ns * max(1.0, rate / 4):
            return "stale"
        return "backwards_time" if venue_t_ns < self.last_t_ns else ""

    def advance(self, venue_t_ns: int) -> bool:
        """Take an accepted message's time; True when it is newer than all before (frozen time is not fresh data)."""
        newer = venue_t_ns > self.last_t_ns
        self.last_t_ns = max(self.last_t_ns, venue_t_ns)
        return newer


class JumpGuard:
    """Prices against the oracle, or against the last accepted mid while no oracle is known."""

    def __init__(self) -> None:
        self._oracle_px_u = 0
        self._oracle_mono_ns = 0
        self._mid2_px_u = 0
        self._mid_mono_ns = 0

    def on_oracle(self, px_u: int, mono_ns: int) -> None:
        self._oracle_px_u, self._oracle_mono_ns = px_u, mono_ns

    def on_mid(self, mid2_px_u: int, mono_ns: int) -> None:
        self._mid2_px_u, self._mid_mono_ns = mid2_px_u, mono_ns

    def refuse(self, px2_u: int, mono_ns: int) -> str:
        """`px2_u` is twice a price (or bid + ask)."""
        if self._oracle_px_u and mono_ns - self._oracle_mono_ns <= REFERENCE_S_MAX * S:
            return _far(px2_u, 2 * self._oracle_px_u, "far_from_oracle")
        if self._mid2_px_u and mono_ns - self._mid_mono_ns <= REFERENCE_S_MAX * S:
            return _far(px2_u, self._mid2_px_u, "price_jump")
        return ""


def _far(px2_u: int, reference2_u: int, reason: str) -> str:
    return reason if abs(px2_u - reference2_u) * 10_000 > JUMP_BPS_MAX * reference2_u else ""


class SeenTrades:
    """Prints by (venue_t_ns, coin, tid), the newest `TRADES_KEPT` of them."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[int, str, int], None] = OrderedDict()

    def is_new(self, venue_t_ns: int, coin: str, tid: int) -> bool:
        key = (venue_t_ns, coin, tid)
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > TRADES_KEPT:
            self._seen.popitem(last=False)
        return True


class FaultRate:
    """Whether so many bad messages came that even the good ones are not to be believed."""

    def __init__(self) -> None:
        self._recent: deque[int] = deque(maxlen=FAULTS_PER_S_MAX + 1)
        self._until_mono_ns = 0

    def fault(self, mono_ns: int) -> bool:
        """Note one; True when the market becomes disabled by it."""
        was = self.disabled(mono_ns)
        self._recent.append(mono_ns)
        full = len(self._recent) > FAULTS_PER_S_MAX and mono_ns - self._recent[0] <= S
        if full or was:
            self._until_mono_ns = mono_ns + int(DISABLED_S * S)
        return full and not was

    def disabled(self, mono_ns: int) -> bool:
        return mono_ns < self._until_mono_ns
