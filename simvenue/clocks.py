"""Market time for the running venue: made up from the machine's clock, or that of a mirrored venue.

Shell: both read this machine's monotonic clock. What a mirrored venue's time is, decides `mirror/venue_time.py`.
"""

from __future__ import annotations

import time
from typing import Protocol

from common.clock import NS
from simvenue.mirror.venue_time import VenueTime


class Clock(Protocol):
    """`rate` market seconds a machine second; `origin_ns` is the market time at which the venue opened."""

    origin_ns: int
    rate: float

    def start(self) -> None: ...
    def now_ns(self) -> int: ...
    def machine_s(self, market_ns: int) -> float: ...


class SimClock:
    """`rate` times machine time from `origin_ns` on; it stands still until started."""

    def __init__(self, origin_ns: int, rate: float) -> None:
        self.origin_ns = origin_ns
        self.rate = rate
        self._begun_mono_ns: int | None = None

    def start(self) -> None:
        self._begun_mono_ns = time.monotonic_ns()

    def now_ns(self) -> int:
        if self._begun_mono_ns is None:
            return self.origin_ns
        return self.origin_ns + int((time.monotonic_ns() - self._begun_mono_ns) * self.rate)

    def machine_s(self, market_ns: int) -> float:
        """Machine seconds that `market_ns` of market time last."""
        return market_ns / NS / self.rate


class MirrorClock:
    """The mirrored venue's time; it runs whether started or not."""

    def __init__(self, venue_time: VenueTime) -> None:
        self._time = venue_time
        self.rate = venue_time.rate
        self.origin_ns = self.now_ns()

    def start(self) -> None:
        """Nothing to do: the other venue has long begun."""

    def now_ns(self) -> int:
        return self._time.at(time.monotonic_ns())

    def machine_s(self, market_ns: int) -> float:
        return market_ns / NS / self.rate
