"""What an alert must do at its bound, as data, and that as a file for `promtool test rules`.

A case is a story in phases: what each series does for so long, and whether the alert then fires. A quiet phase is
checked at its end. A loud one is checked just before the alert's time is over (not yet) and when it is. Samples and
evaluations come every 5 s. The numbers are written by hand, so that a changed bound fails its test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from boards.alerts import GROUPS, RULES
from boards.recordings import RECORDING_GROUP
from boards.rule import Rule, rendered

STEP_S = 5


@dataclass(frozen=True)
class Rise:
    """A counter that grows by so much a sample; it begins at 0."""

    by: float


@dataclass(frozen=True)
class Age:
    """A time stamp that is always so many seconds old."""

    s: float


Course: TypeAlias = "float | Rise | Age | None"
"""A constant, or one of the above, or None: no sample."""


@dataclass(frozen=True)
class Phase:
    """`loud`: the value's text while the alert fires, None = it must not. `settle_s`: until the bound is passed."""

    seconds: int
    series: Mapping[str, Course]
    loud: str | None = None
    settle_s: int = 0


@dataclass(frozen=True)
class Case:
    alert: str
    labels: Mapping[str, str]
    phases: Sequence[Phase]
    note: str = ""

    @property
    def rule(self) -> Rule:
        return next(rule for rule in RULES if rule.alert == self.alert)


def gauge(alert: str, series: str, still: float | None, beyond: float | None, text: str, /, **labels: str) -> Case:
    """Exactly at the bound nothing, beyond it the alert once its time is over, back at the bound nothing again."""
    for_s = next(rule.for_s for rule in RULES if rule.alert == alert)
    return Case(
        alert, labels,
        (
            Phase(60, {series: still}),
            Phase(max(for_s, 5) + 30, {series: beyond}, loud=text),
            Phase(60, {series: still}),
        ),
    )  # fmt: skip


def document(cases: Sequence[Case]) -> dict[str, Any]:
    """One file of promtool tests."""
    return {
        "rule_files": ["../rules.yml"],
        "evaluation_interval": f"{STEP_S}s",
        "group_eval_order": [RECORDING_GROUP, *(group.name for group in GROUPS)],  # else it is any order
        "tests": [_test(case) for case in cases],
    }


def _test(case: Case) -> dict[str, Any]:
    names = list(dict.fromkeys(name for phase in case.phases for name in phase.series))
    return {
        "name": case.alert + (f": {case.note}" if case.note else ""),
        "interval": f"{STEP_S}s",
        "input_series": [{"series": name, "values": _values(name, case.phases)} for name in names],
        "alert_rule_test": _checks(case),
    }


def _values(name: str, phases: Sequence[Phase]) -> str:
    """The series in promtool's notation: `ax n` is a and n repetitions of it."""
    parts, at, last = [], 0, 0.0
    for phase in phases:
        n, course = phase.seconds // STEP_S, phase.series.get(name)
        match course:
            case None:
                parts.append(f"_x{n}")
            case Rise():
                first = last if at == 0 else last + course.by
                parts.append(f"{first:g}+{course.by:g}x{n - 1}")
                last = first + course.by * (n - 1)
            case Age():
                parts.append(f"{at * STEP_S - course.s:g}+{STEP_S}x{n - 1}")
            case _:
                parts.append(f"{course:.12g}x{n - 1}")
                last = course
        at += n
    return " ".join(parts)


def _checks(case: Case) -> list[dict[str, Any]]:
    checks, begin_s, rule = [], 0, case.rule
    for phase in case.phases:
        if phase.loud is None:
            checks.append(_check(case, begin_s + phase.seconds - STEP_S, None))
        else:
            due_s = begin_s + phase.settle_s + rule.for_s
            if due_s > begin_s:
                checks.append(_check(case, due_s - STEP_S, None))
            checks.append(_check(case, due_s, phase.loud))
        begin_s += phase.seconds
    return checks


def _check(case: Case, at_s: int, loud: str | None) -> dict[str, Any]:
    expected = []
    if loud is not None:
        texts = {name: _said(text, case.labels, loud) for name, text in case.rule.texts.items()}
        labels = {"severity": case.rule.severity.value, **case.labels}
        expected = [{"exp_labels": labels, "exp_annotations": texts}]
    return {"eval_time": f"{at_s}s", "alertname": case.alert, "exp_alerts": expected}


def _said(text: str, labels: Mapping[str, str], value: str) -> str:
    said = rendered(text, "\0%s\0", value)
    for name, label in labels.items():
        said = said.replace(f"\0{name}\0", label)
    return said
