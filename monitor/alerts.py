"""Alerts as data: which findings become one, how often, and the last ones of all services.

A finding is something that is wrong now. It becomes an Alert when it appears, and again while it lasts after its
severity's cool-down; one that comes and goes is told at most once a minute. Machine time in ns. Delivery to people is
the shell's affair.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from common.messages import MAX_TEXT, Alert, Severity

S = 1_000_000_000
KEPT = 50
REPEAT_S: Final = {
    Severity.INFO: 14_400.0,
    Severity.WARNING: 14_400.0,
    Severity.CRITICAL: 1_800.0,
    Severity.EMERGENCY: 300.0,
}
"""How soon a lasting finding is told again (grafana.md 3: 4 h, 30 min, 5 min)."""
FLAP_S = 60.0


@dataclass(frozen=True)
class Finding:
    name: str
    severity: Severity
    text: str


@dataclass
class _Told:
    mono_ns: int
    severity: Severity
    lasting: bool


class AlertBook:
    """Turns findings into alerts and remembers what was told."""

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}
        self._newest: deque[Alert] = deque(maxlen=KEPT)
        self._seen: deque[tuple[int, str, str]] = deque(maxlen=20 * KEPT)
        self.counts: dict[Severity, int] = dict.fromkeys(Severity, 0)

    def judge(self, findings: Iterable[Finding], t_ns: int, mono_ns: int) -> list[Alert]:
        """Alerts to raise now for everything that is wrong now."""
        alerts, current = [], {finding.name: finding for finding in findings}
        for name, told in self._told.items():
            told.lasting = told.lasting and name in current
        for finding in current.values():
            if self._due(finding, mono_ns):
                self._told[finding.name] = _Told(mono_ns, finding.severity, True)
                alerts.append(Alert(t_ns, finding.name[:64], finding.severity, finding.text[:MAX_TEXT]))
        return alerts

    def _due(self, finding: Finding, mono_ns: int) -> bool:
        told = self._told.get(finding.name)
        if told is None or _rank(finding.severity) > _rank(told.severity):
            return True
        wait_s = REPEAT_S[finding.severity] if told.lasting else FLAP_S
        return mono_ns - told.mono_ns >= wait_s * S

    def keep(self, alert: Alert) -> bool:
        """Remember an alert of any service; False when it was here before (our own come back over the stream)."""
        key = (alert.t_ns, alert.name, alert.text)
        if key in self._seen:
            return False
        self._seen.append(key)
        self._newest.append(alert)
        self.counts[alert.severity] += 1
        return True

    def rows(self) -> list[dict[str, object]]:
        """The last alerts, newest first."""
        return [
            {"t_ns": a.t_ns, "name": a.name, "severity": a.severity.value, "text": a.text}
            for a in sorted(self._newest, key=lambda alert: -alert.t_ns)
        ]


def _rank(severity: Severity) -> int:
    return list(Severity).index(severity)
