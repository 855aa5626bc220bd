"""Who is alive: heartbeats of every service, aged on this machine's clock, and whether all run the same build.

A heartbeat that lay in the stream when we began to read may be days old: until a service is heard a second time its
age comes from the heartbeat's own stamp. Ages in machine seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from common.messages import Heartbeat
from common.streams import SERVICES

S = 1_000_000_000
SILENT_S = 5.0
"""Heartbeats come every 0.5 s; ten missed ones are a silence (reliability.md 5: alert within 10 s)."""
GRACE_S = 30.0
"""Services may start in any order: one never heard is missed only after this long."""


@dataclass
class Heard:
    beat: Heartbeat
    mono_ns: int
    times: int


class ServiceBoard:
    """Last heartbeat of every service."""

    def __init__(self, expected: tuple[str, ...] = SERVICES) -> None:
        self.expected = expected
        self._heard: dict[str, Heard] = {}
        self._began_mono_ns: int | None = None

    def began(self, mono_ns: int) -> None:
        if self._began_mono_ns is None:
            self._began_mono_ns = mono_ns

    def on_beat(self, beat: Heartbeat, mono_ns: int) -> None:
        times = self._heard[beat.service].times + 1 if beat.service in self._heard else 1
        self._heard[beat.service] = Heard(beat, mono_ns, times)

    def beat(self, service: str) -> Heartbeat | None:
        heard = self._heard.get(service)
        return heard.beat if heard else None

    def age_s(self, service: str, t_ns: int, mono_ns: int) -> float | None:
        """Machine seconds since the service was heard; None = never."""
        heard = self._heard.get(service)
        if heard is None:
            return None
        since_receipt_s = (mono_ns - heard.mono_ns) / S
        return max(since_receipt_s, (t_ns - heard.beat.t_ns) / S) if heard.times == 1 else since_receipt_s

    def silent(self, t_ns: int, mono_ns: int) -> list[str]:
        """Services that should be heard and are not; before the grace is over only those that fell silent."""
        in_grace = self._began_mono_ns is None or mono_ns - self._began_mono_ns < GRACE_S * S
        found = []
        for name in self.expected:
            heard = self._heard.get(name)
            if heard is None or heard.times == 1:
                if not in_grace:
                    found.append(name)
            elif (self.age_s(name, t_ns, mono_ns) or 0.0) > SILENT_S:
                found.append(name)
        return found

    def mismatched(self) -> list[str]:
        """Services whose build, schema or configuration is not the one most of them run."""
        kinds = {name: _kind(heard.beat) for name, heard in self._heard.items() if heard.times > 1}
        if len(set(kinds.values())) <= 1:
            return []
        names = list(kinds.values())
        usual = max(set(names), key=lambda kind: (names.count(kind), kind))
        return sorted(name for name, kind in kinds.items() if kind != usual)

    def rows(self, t_ns: int, mono_ns: int) -> list[dict[str, object]]:
        """One line a service for people, expected ones first."""
        names = list(self.expected) + sorted(set(self._heard) - set(self.expected))
        return [self._row(name, t_ns, mono_ns) for name in names]

    def _row(self, name: str, t_ns: int, mono_ns: int) -> dict[str, object]:
        beat, age_s = self.beat(name), self.age_s(name, t_ns, mono_ns)
        return {
            "name": name,
            "alive": age_s is not None and age_s <= SILENT_S,
            "age_s": None if age_s is None else round(age_s, 2),
            "ready": beat.ready if beat else False,
            "state": beat.state if beat else "",
            "loop_lag_s": round(beat.loop_lag_s, 4) if beat else None,
            "build": beat.build if beat else "",
            "config_hash": beat.config_hash if beat else "",
            "mismatch": name in self.mismatched(),
        }


def _kind(beat: Heartbeat) -> tuple[str, int, str]:
    return beat.build, beat.schema, beat.config_hash
