"""The mirrored venue's time, told from the stamps of its messages: no clock of ours has to be right.

A message that took least on its way shows how far the venue's clock is ahead of our monotonic one; market time here is
the venue's less that shortest way and `HOLD_S`, in which messages of one instant gather and come into order. So every
event of the venue happens here at its own venue time, and the configured latencies are added to nothing. Pure:
machine time comes as `mono_ns`; the time told never goes back.
"""

from __future__ import annotations

from collections import deque

from common.clock import NS

HOLD_S = 0.1
"""Machine seconds; a message delayed by more than this beyond the fastest counts as late."""
WINDOW_S = 60.0
"""The shortest way is that of the last minute: clocks drift, routes change."""
SLICE_S = 5.0
STRANGE_S = 2.0
"""A stamp so far ahead of the rest is not believed ..."""
STRANGE_MAX = 10
"""... unless so many in a row say the same."""
BACK_S = 10.0
"""A venue whose time goes back by more than this cannot be followed."""


class VenueTime:
    """`rate` market seconds pass in one of ours (1 at the real venue)."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._leads: deque[tuple[int, int]] = deque()  # (slice, largest lead in it)
        self._strange = 0
        self._told_ns = 0

    @property
    def is_known(self) -> bool:
        return bool(self._leads)

    def observe(self, venue_t_ns: int, mono_ns: int) -> None:
        """A message stamped `venue_t_ns` came at `mono_ns`."""
        lead = venue_t_ns - int(mono_ns * self.rate)
        if self._leads and lead - self._lead() > STRANGE_S * NS * self.rate:
            self._strange += 1
            if self._strange < STRANGE_MAX:
                return
        self._strange = 0
        place = int(mono_ns / (SLICE_S * NS))
        if self._leads and self._leads[-1][0] == place:
            self._leads[-1] = (place, max(lead, self._leads[-1][1]))
        else:
            self._leads.append((place, lead))
        while place - self._leads[0][0] > WINDOW_S / SLICE_S:
            self._leads.popleft()

    def at(self, mono_ns: int) -> int:
        """Market time; 0 before the first message."""
        if self._leads:
            now = int(mono_ns * self.rate) + self._lead() - int(HOLD_S * NS * self.rate)
            self._told_ns = max(self._told_ns, now)
        return self._told_ns

    def went_back_s(self, mono_ns: int) -> float:
        """By how much the venue's clock has gone back behind what was told already; 0 while it goes on."""
        if not self._leads:
            return 0.0
        now = int(mono_ns * self.rate) + self._lead()
        return max(self._told_ns - now, 0) / NS

    def _lead(self) -> int:
        return max(lead for _, lead in self._leads)
