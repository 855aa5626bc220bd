"""Money states that no test can wait for, told to a real Prometheus with the real rules by a made-up exporter.

What is told comes from the alerts' own cases (`boards/cases.py`): the quiet phase before the fault, the first loud one
after it. Alerts that read the same metric cannot share a system, so there are several, each with a Prometheus of its
own; all are struck at the same moment. Meant for containers: everything runs on a network of its own.
"""

from __future__ import annotations

import dataclasses
import json
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from boards import bounds
from boards.alerts import GROUPS
from boards.case import Age, Case, Course, Rise
from boards.cases import CASES
from boards.prometheus import configuration
from boards.recordings import RECORDING_S
from boards.rule import Rule
from boards.text import to_yaml
from common.kernel import ROOT
from scripts.stack import wait_for
from tests.support.prometheus import asked, first_fired
from tests.support.promql import NAME

EXPORTER, PORT = "exporter", 8000
PROMETHEUS_IMAGE = "prom/prometheus:v2.53.3"
QUIET_SCRAPES = 4
SLACK_S = 15.0
"""A scrape and an evaluation may both be late on a busy machine."""


def case_of(alert: str) -> Case:
    """The first case of an alert: what it is like when nothing is wrong, and when something is."""
    return next(case for case in CASES if case.alert == alert)


def course_of(alert: str) -> dict[str, list[Any]]:
    """Series -> [course before the fault, course after it] as the exporter reads it."""
    phases = case_of(alert).phases
    loud = next(i for i, phase in enumerate(phases) if phase.loud is not None)
    before, after = phases[loud - 1].series, phases[loud].series
    return {name: [_plain(before.get(name)), _plain(after.get(name))] for name in {**before, **after}}


def _plain(course: Course) -> Any:
    match course:
        case Rise():
            return {"rise": course.by}
        case Age():
            return {"age": course.s}
        case _:
            return course


def systems_of(alerts: Sequence[str]) -> list[dict[str, dict[str, list[Any]]]]:
    """Alerts with their courses, in as few systems as keep every metric to one alert."""
    systems: list[dict[str, dict[str, list[Any]]]] = []
    for alert in alerts:
        course = course_of(alert)
        mine = _metrics(course)
        home = next((one for one in systems if not mine & {m for other in one.values() for m in _metrics(other)}), None)
        if home is None:
            systems.append(home := {})
        home[alert] = course
    return systems


def _metrics(course: dict[str, list[Any]]) -> set[str]:
    return {name for series in course for name in NAME.findall(series.partition("{")[0])}


def rule_of(alert: str) -> tuple[Rule, int]:
    """The rule and how often its group is evaluated."""
    return next((rule, group.interval_s) for group in GROUPS for rule in group.rules if rule.alert == alert)


def settle_s(alert: str) -> float:
    """How long after the fault a condition may take to hold: as long as the count it asks for takes to be reached."""
    counts = {"TakerRatioHigh": 250.0, "MakerSharePause": 250.0, "MarkoutNegative": 100.0, "OrderRejects": 125.0}
    return counts.get(alert, 0.0)


def due_s(alert: str) -> float:
    """Seconds after the fault by which it must fire: its own time, a scrape, a recording if any, two evaluations."""
    rule, every_s = rule_of(alert)
    recorded_s = RECORDING_S if "amm:" in rule.expr else 0
    return settle_s(alert) + rule.for_s + bounds.SCRAPE_S + recorded_s + 2 * every_s + SLACK_S


@dataclasses.dataclass
class Faked:
    """The running systems: where each alert's Prometheus answers, and when the fault began (Unix s)."""

    urls: dict[str, str]
    exporter: str
    fault_s: float = 0.0

    def await_scrapes(self) -> None:
        """Enough samples of health that a counter's first step is an increase."""
        for url in set(self.urls.values()):
            wait_for(lambda at=url: _scrapes(at) >= QUIET_SCRAPES, 60, "scrapes of a made-up system", every_s=0.5)

    def firing(self) -> set[str]:
        return {alert for alert, url in self.urls.items() if first_fired(url, alert, time.time() - 300) is not None}

    def strike(self) -> None:
        with urllib.request.urlopen(f"{self.exporter}/fault", timeout=5) as reply:
            self.fault_s = float(reply.read())

    def seconds(self, alert: str) -> float | None:
        return first_fired(self.urls[alert], alert, self.fault_s)


def _scrapes(url: str) -> int:
    rows = asked(url, "query", query="count_over_time(up[5m]) * min_over_time(up[5m:5s])")["result"]
    return int(float(rows[0]["value"][1])) if rows else 0


def write(folder: Path, alerts: Sequence[str]) -> list[list[str]]:
    """The exporter's script and one configuration a system; which alerts each system is for."""
    systems = systems_of(alerts)
    told = {
        str(i): {series: course for one in system.values() for series, course in one.items()}
        for i, system in enumerate(systems)
    }
    (folder / "script.json").write_text(json.dumps(told), encoding="utf-8")
    for i in range(len(systems)):
        tree = configuration()
        target = {"static_configs": [{"targets": [f"{EXPORTER}:{PORT}"]}], "metrics_path": f"/{i}/metrics"}
        tree["scrape_configs"] = [{**tree["scrape_configs"][0], **target}]
        (folder / f"prometheus-{i}.yml").write_text(to_yaml(tree), encoding="utf-8")
    (folder / "rules.yml").write_text((ROOT / "prometheus" / "rules.yml").read_text(encoding="utf-8"), encoding="utf-8")
    for path in folder.iterdir():
        path.chmod(0o644)
    folder.chmod(0o755)
    return [list(system) for system in systems]
