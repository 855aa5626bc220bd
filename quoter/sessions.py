"""What the session of the underlying does to quotes: factors on spread, size and inventory, as places of the state.

The calendar (`common/sessions.py`) names the session of market time; configuration says what that means. Outside the
calendar the widest of everything holds, and a person hears of its end `session_alert_days` before. A market without a
calendar is always in its regular session. What the factors are applied to is decided in the ladder's rooms.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from common.config import Settings
from common.messages import Alert, Severity, Tick
from common.sessions import DAY_NS, FOREVER_NS, Calendar, Span
from quoter.state import S_SESSION_INVENTORY, S_SESSION_SIZE, S_SESSION_SPREAD

UNKNOWN = "unknown"
"""The name of what lies outside the calendar."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Sessions:
    """The session now; `name` is "" before the first tick."""

    def __init__(self, settings: Settings, calendar: Calendar | None) -> None:
        quoting = settings.quoting
        self.name = ""
        self.offset_ns = 0  # wall time in UTC less market time
        self._coin = settings.market.coin
        self._calendar = calendar if quoting.session == "auto" else None
        self._always = Span("regular" if quoting.session == "auto" else quoting.session, -FOREVER_NS, FOREVER_NS)
        self._alert_days = quoting.session_alert_days
        rows = quoting.session_table
        self._factors = {row.name: (row.spread, row.size, row.inventory) for row in rows} | {
            UNKNOWN: (max(r.spread for r in rows), min(r.size for r in rows), min(r.inventory for r in rows))
        }
        self._span = Span("", 0, 0)
        self._wall_ns = 0
        self._warned_t_ns = -FOREVER_NS

    def on_tick(self, tick: Tick, state: Any) -> bool:
        """Write the factors of this moment; True when the session has changed (a replay may also go back)."""
        self.offset_ns = tick.session_offset_ns
        self._wall_ns = tick.t_ns + tick.session_offset_ns
        if self._span.from_ns <= self._wall_ns < self._span.until_ns:
            return False
        before = self.name
        self._span = self._always if self._calendar is None else self._calendar.at(self._wall_ns)
        self.name = self._span.name or UNKNOWN
        factors = self._factors[self.name]
        state[S_SESSION_SPREAD], state[S_SESSION_SIZE], state[S_SESSION_INVENTORY] = factors
        return self.name != before

    @property
    def days_left(self) -> float | None:
        """How far the calendar reaches from now; None without one."""
        return None if self._calendar is None else self._calendar.days_left(self._wall_ns)

    def warning(self, t_ns: int) -> list[Alert]:
        """The calendar ends soon, or says nothing of this moment: once a day of market time."""
        left = self.days_left
        if left is None or (left > self._alert_days and self.name != UNKNOWN) or t_ns - self._warned_t_ns < DAY_NS:
            return []
        self._warned_t_ns = t_ns
        now = EPOCH + timedelta(seconds=self._wall_ns // 1_000_000_000)
        told = f"says nothing of {now:%Y-%m-%d}: widest quotes" if self.name == UNKNOWN else f"ends in {left:.0f} days"
        text = f"{self._coin}: config/sessions.json {told}; make it anew with `make sessions`"
        return [Alert(t_ns, "SessionCalendarEnds", Severity.WARNING, text)]
