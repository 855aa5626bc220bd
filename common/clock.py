"""Market time and machine time, for shells only: cores are handed both as data.

*Market time* (`t_ns`) is `origin + rate x elapsed`; the rate is 1 live, and `SPEED` when a recording or a synthetic
market is played faster. Volatility, markouts, funding, sessions, latency, order age, nonces and every venue `time`
field use it. *Machine time* (`mono_ns`) is this process's own monotonic clock and is never scaled: heartbeats,
timeouts, reconnects and the ages that decide safety use it. No monotonic reading is ever shared between processes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from common.errors import BadInput

NS = 1_000_000_000
MS = 1_000_000
RESYNC_S = 5.0


@dataclass(frozen=True)
class ClockReading:
    """What `GET /sim/clock` answers; `now_ns` is market time at the moment of the answer."""

    origin_ns: int
    rate: float
    now_ns: int
    session_offset_ns: int
    cut_ns: int


class MarketClock:
    """Market time for one process: real time until a venue says otherwise."""

    def __init__(self) -> None:
        self.rate = 1.0
        self.session_offset_ns = 0
        self.origin_ns = 0  # where the venue's clock began: another session has another; 0 = real time
        self._anchor_t_ns = time.time_ns()
        self._anchor_mono_ns = time.monotonic_ns()

    def now_ns(self) -> int:
        """Market time in ns; never steps back between two `sync` calls."""
        elapsed = time.monotonic_ns() - self._anchor_mono_ns
        return self._anchor_t_ns + (elapsed if self.rate == 1.0 else int(elapsed * self.rate))

    def sync(self, reading: ClockReading, asked_mono_ns: int, answered_mono_ns: int) -> float:
        """Take over a venue's clock, allowing for half the round trip; returns the correction in market seconds."""
        if not 0.0 < reading.rate <= 1e4:
            raise BadInput("clock_rate", str(reading.rate))
        before = self.now_ns()
        middle = (asked_mono_ns + answered_mono_ns) // 2
        self.rate = reading.rate
        self.session_offset_ns = reading.session_offset_ns
        self.origin_ns = reading.origin_ns
        self._anchor_t_ns = reading.now_ns
        self._anchor_mono_ns = middle
        return (self.now_ns() - before) / NS

    def session_ns(self, t_ns: int) -> int:
        """Wall time in UTC that `t_ns` stands for on a replayed market: what the session calendar is asked for."""
        return t_ns + self.session_offset_ns


def mono_ns() -> int:
    """The machine's monotonic clock in ns."""
    return time.monotonic_ns()


def wall_ns() -> int:
    """The machine's wall clock in ns since 1970 (Redis ids, log lines)."""
    return time.time_ns()


def wall_ms() -> int:
    """The same in ms: what entry ids are made of."""
    return time.time_ns() // MS
