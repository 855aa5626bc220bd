"""How long everything takes and what comes first: one struct for the compiled replay and the exact world.

All times are ns of market time (the rate is 1, so machine time runs alike), all phases are measured from the start of
the run. The defaults are design section 3's periods, the shells' own timers, and medians of the hops measured in the
process stack (`make bench`: feed's write to quoter's read 0.41 ms; journal and signature 0.41 ms, HTTP client 1.26
ms); venue latencies are the typical ones of the edge study (edge.md 5).

Order at one instant, in the world and in the replay alike: the venue first (inside it a stamp of market data, then
requests in the order they arrive, then its timers), what the venue sends to us next, then messages between services
in the order they were sent, last our own timers in the order of `SEATS`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from common.clock import MS
from common.errors import ConfigError

SEATS = ("feed", "quoter", "executor", "riskd", "monitor", "warden")
"""Whose timer goes first when several are due at once."""

FROM_VENUE, BETWEEN, TIMERS = range(1, 4)
"""Ranks of what is due at one instant; the venue itself is rank 0."""


OURS = ("info_ns", "bus_ns", "beat_ns", "journal_ns", "permit_ns", "_tick_ns", "_phase_ns")
"""Ends of the names of what happens in machine time."""
PACE_LEAST_NS = 5 * MS


@dataclass(frozen=True, slots=True)
class Timing:
    """Latencies, hops, periods and phases in ns; 0 where a step costs no time."""

    # the venue
    feed_ns: int = 100 * MS  # venue -> us: market data and user events alike
    order_ns: int = 300 * MS  # us -> matching, the mean wait for a block included
    reply_ns: int = 100 * MS  # the venue's answer to an action
    info_ns: int = 2 * MS  # a question about account or market, there and back
    block_ns: int = 0  # period of the venue's blocks, 0 = every action acts when it arrives
    # between our processes
    bus_ns: int = 4 * MS // 10  # from a message's sending to its reader
    beat_ns: int = MS // 10  # executor -> warden, over their socket
    journal_ns: int = 17 * MS // 10  # an action's intent on disk, its signature, the way out of the process
    # how often who does what
    permit_ns: int = 250 * MS  # riskd's permit
    feed_tick_ns: int = 250 * MS
    quoter_tick_ns: int = 50 * MS
    executor_tick_ns: int = 50 * MS
    riskd_tick_ns: int = 50 * MS
    monitor_tick_ns: int = 250 * MS
    warden_tick_ns: int = 50 * MS
    executor_pace_ns: int = 20 * MS  # how often market data is read; quotes, permit and commands wake at once
    riskd_pace_ns: int = 50 * MS
    monitor_pace_ns: int = 100 * MS
    # when the first timer of each is due
    feed_phase_ns: int = 0
    quoter_phase_ns: int = 0
    executor_phase_ns: int = 0
    riskd_phase_ns: int = 0
    monitor_phase_ns: int = 0
    warden_phase_ns: int = 0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if value < 0 or (value == 0 and name.endswith(("_tick_ns", "_pace_ns", "permit_ns"))):
                raise ConfigError(f"timing: {name} = {value} ns")

    def tick_ns(self, seat: str) -> int:
        return int(getattr(self, f"{seat}_tick_ns"))

    def phase_ns(self, seat: str) -> int:
        return int(getattr(self, f"{seat}_phase_ns"))

    def pace_ns(self, seat: str) -> int:
        """How often a paced stream is read by this seat."""
        return int(getattr(self, f"{seat}_pace_ns"))

    def at_speed(self, rate: float) -> Timing:
        """The same machine in market time that runs `rate` times as fast: all that is ours takes longer.

        The venue's latencies are market time and stay. Faster readers wait less, as in `common/service.py`.
        """
        if not 0.0 < rate <= 100.0:
            raise ConfigError(f"timing: {rate} market seconds a second")
        mine = {name: getattr(self, name) for name in self.__slots__ if name.endswith(OURS)}
        slower = {name: round(ns * rate) for name, ns in mine.items()}
        for name in self.__slots__:
            if name.endswith("_pace_ns"):
                pace_ns = getattr(self, name)
                slower[name] = round(max(pace_ns / max(rate, 1.0), min(pace_ns, PACE_LEAST_NS)) * rate)
        return replace(self, **slower)

    def between(self, feed_ms: float, order_ms: float) -> Timing:
        """The same with other venue latencies; an answer travels as market data does."""
        return replace(
            self, feed_ns=round(feed_ms * MS), order_ns=round(order_ms * MS), reply_ns=round(feed_ms * MS)
        )  # fmt: skip


INSTANT = Timing(info_ns=0, bus_ns=0, beat_ns=0, journal_ns=0)
"""Hops inside our machine cost nothing: what the compiled replay plays, with the venue's latencies alone."""
