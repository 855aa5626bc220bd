"""What time it is for a core that reads no clock: told by ticks and messages.

Market time moves on with every message; machine time only with ticks, so ages on it are never too small by more than
nothing and too large by at most one tick. The rate (market seconds a machine second) is measured between ticks.
"""

from __future__ import annotations

from common.messages import Tick

NS = 1_000_000_000
SPAN_NS = NS // 2
RATE_MAX = 1e4


class Pace:
    """`t_ns` market time, `mono_ns` this machine's monotonic time (None before the first tick), `rate`."""

    def __init__(self) -> None:
        self.t_ns = 0
        self.mono_ns: int | None = None
        self.rate = 1.0
        self._anchor: Tick | None = None

    def tick(self, tick: Tick) -> None:
        self.t_ns = max(self.t_ns, tick.t_ns)
        self.mono_ns = tick.mono_ns
        if self._anchor is None:
            self._anchor = tick
        elif tick.mono_ns - self._anchor.mono_ns >= SPAN_NS:
            rate = (tick.t_ns - self._anchor.t_ns) / (tick.mono_ns - self._anchor.mono_ns)
            if 0.0 < rate <= RATE_MAX:
                self.rate = rate
            self._anchor = tick

    def see(self, t_ns: int) -> None:
        """A message was made at market time `t_ns`."""
        self.t_ns = max(self.t_ns, t_ns)

    def market_ns(self, machine_s: float) -> int:
        """How much market time passes in so many machine seconds."""
        return int(machine_s * NS * self.rate)
