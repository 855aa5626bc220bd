"""Who is told, and how often: a limit that begins to hold, and again now and then while it does.

Machine time. A limit that flickers is told once per cool-down.
"""

from __future__ import annotations

from collections.abc import Iterable

from common.clock import NS
from common.messages import Alert
from riskd.limits import Limit

COOL_DOWN_S = 60.0
REPEAT_S = 1_800.0


class Alerts:
    """When each limit was last told of, and which held a moment ago."""

    def __init__(self) -> None:
        self._told_ns: dict[str, int] = {}
        self._held: frozenset[str] = frozenset()

    def of(self, held: Iterable[Limit], t_ns: int, mono_ns: int, values: dict[str, float]) -> list[Alert]:
        """Alerts due now; `values` are the figures by the limit's name, for the text."""
        alerts = []
        names = set()
        for limit in held:
            names.add(limit.name)
            if limit.alert is None or not self._due(limit.name, mono_ns):
                continue
            self._told_ns[limit.name] = mono_ns
            text = f"{limit.text} ({values[limit.name]:.4g})"
            alerts.append(Alert(t_ns, limit.name, limit.alert, text))
        self._held = frozenset(names)
        return alerts

    def _due(self, name: str, mono_ns: int) -> bool:
        told_ns = self._told_ns.get(name)
        if told_ns is None:
            return True
        wait_s = REPEAT_S if name in self._held else COOL_DOWN_S
        return mono_ns - told_ns >= wait_s * NS
