"""Scheduled cancels: the dead man's switch of `scheduleCancel`.

Decides who may set a time and whose time has come; the desk cancels. From the docs: at least 5 s ahead, at most ten
triggers a UTC day; from public captures: only for an address that has traded $1,000,000, for clearing as for setting.
Volume is `credit_e6`, as `cumVlm` shows it. Times are market time.
"""

from __future__ import annotations

from common.clock import MS, NS
from simvenue.desk import refusals

VOLUME_E6 = 1_000_000 * 10**6
LEAD_NS = 5 * NS
TRIGGERS_A_DAY = 10
DAY_NS = 86_400 * NS


class DeadMan:
    """The scheduled cancels of all addresses."""

    def __init__(self) -> None:
        self._at_ns: dict[str, int] = {}
        self._fired: dict[str, tuple[int, int]] = {}  # UTC day, triggers that day

    def schedule(self, address: str, time_ms: int | None, volume_e6: int, t_ns: int) -> str | None:
        """Set or (None) clear the address's time; the venue's error text when it may not."""
        if volume_e6 < VOLUME_E6:
            return refusals.SCHEDULE_VOLUME.of(traded=dollars(volume_e6))
        if time_ms is None:
            self._at_ns.pop(address, None)
            return None
        if time_ms * MS < t_ns + LEAD_NS:
            return refusals.SCHEDULE_EARLY.text
        fired = self.fired(address, t_ns)
        if fired >= TRIGGERS_A_DAY:
            return refusals.SCHEDULE_USED_UP.of(fired=fired, cap=TRIGGERS_A_DAY)
        self._at_ns[address] = time_ms * MS
        return None

    def scheduled_ms(self, address: str) -> int | None:
        """When the address's orders will be cancelled; None = never."""
        at_ns = self._at_ns.get(address)
        return None if at_ns is None else at_ns // MS

    def fired(self, address: str, t_ns: int) -> int:
        """Triggers of the UTC day of `t_ns`."""
        day, count = self._fired.get(address, (0, 0))
        return count if day == t_ns // DAY_NS else 0

    def next_t_ns(self) -> int | None:
        return min(self._at_ns.values(), default=None)

    def take_due(self, t_ns: int) -> list[str]:
        """The addresses whose time has come; each counts as one trigger."""
        due = [address for address, at_ns in self._at_ns.items() if at_ns <= t_ns]
        for address in due:
            del self._at_ns[address]
            self._fired[address] = (t_ns // DAY_NS, self.fired(address, t_ns) + 1)
        return due


def dollars(e6: int) -> str:
    """An amount as the venue prints it in its texts: no trailing zeros, "0" for nothing."""
    whole, fraction = divmod(e6, 10**6)
    return f"{whole}.{fraction:06d}".rstrip("0").rstrip(".")
