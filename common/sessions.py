"""Which session of its underlying a market is in: a calendar as moments at which sessions begin.

A perpetual on an index trades all day, but what its oracle rests on changes: exchange prices, thin after-hours and
overnight prices, or on weekends and holidays the market's own book. This room finds a moment's session; where calendars
come from is `sessions_file.py`'s, what a session does to quotes is configuration (`Quoting.session_table`). Moments are
wall time in UTC ns: on a replayed market `t_ns + session_offset_ns`.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass

DAY_NS = 86_400 * 1_000_000_000
FOREVER_NS = 2**62


@dataclass(frozen=True, slots=True)
class Span:
    """One session: `from_ns` <= moment < `until_ns`; `name` "" = the calendar says nothing of it."""

    name: str
    from_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """Beginnings of sessions, rising; nothing is known before the first and from `until_ns` on."""

    starts_ns: tuple[int, ...]
    names: tuple[str, ...]
    until_ns: int

    def at(self, wall_ns: int) -> Span:
        """The session of a moment."""
        if wall_ns >= self.until_ns:
            return Span("", self.until_ns, FOREVER_NS)
        place = bisect.bisect_right(self.starts_ns, wall_ns) - 1
        if place < 0:
            return Span("", -FOREVER_NS, self.starts_ns[0])
        last = place + 1 == len(self.starts_ns)
        return Span(self.names[place], self.starts_ns[place], self.until_ns if last else self.starts_ns[place + 1])

    def days_left(self, wall_ns: int) -> float:
        """How far the calendar still reaches; negative beyond its end."""
        return (self.until_ns - wall_ns) / DAY_NS
