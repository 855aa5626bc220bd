"""An alert as data: what is compared, for how long, how bad it is, what it says and what to do.

Texts name labels and the value in braces: `{coin}` is the label, `{value}` the compared figure in the rule's format.
Prometheus, Grafana and the tests each get them in their own words. The value is the left side of the comparison.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from common.messages import Severity

PERCENT, DURATION, NUMBER = "humanizePercentage", "humanizeDuration", "humanize"
"""Functions that the templates of Prometheus and of Grafana both have."""

BRACES = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Compare:
    """`left op bound`, and no further than `upto` (a band, whose upper edge belongs to it)."""

    left: str
    op: str
    bound: str
    upto: str = ""

    @property
    def expr(self) -> str:
        band = {">": "<=", "<": ">="}
        more = f" and {self.left} {band[self.op]} {self.upto}" if self.upto else ""
        return f"{self.left} {self.op} {self.bound}{more}"


@dataclass(frozen=True)
class Rule:
    """One alert. `guard` narrows it (`on () x >= 100`); `health`: no data at all is as bad as a bad value."""

    alert: str
    severity: Severity
    when: tuple[Compare, ...]
    summary: str
    description: str
    runbook: str
    for_s: int = 0
    guard: Compare | None = None
    guard_on: str = "on ()"
    health: bool = False
    form: str = NUMBER
    panel: str = ""  # "board/title" of the panel that shows it
    needs: tuple[str, ...] = ()  # what must have data while all is well; () = the left sides

    @property
    def expr(self) -> str:
        """The whole condition in PromQL."""
        body = " or ".join(compare.expr for compare in self.when)
        if self.guard is None:
            return body
        return f"{body if len(self.when) == 1 else f'({body})'} and {self.guard_on} {self.guard.expr}"

    @property
    def lefts(self) -> tuple[str, ...]:
        """What a healthy system must have an answer to."""
        if self.needs:
            return self.needs
        compared = (*self.when, self.guard) if self.guard else self.when
        return tuple(compare.left for compare in compared)

    @property
    def texts(self) -> dict[str, str]:
        return {"summary": self.summary, "description": self.description, "runbook": self.runbook}


@dataclass(frozen=True)
class Recording:
    record: str
    expr: str


@dataclass(frozen=True)
class Group:
    name: str
    interval_s: int
    rules: tuple[Rule, ...]


def rendered(text: str, label: str, value: str) -> str:
    """The text with `{value}` as `value` and `{x}` as `label` with its name in place of `%s`."""
    return BRACES.sub(lambda found: value if found[1] == "value" else label.replace("%s", found[1]), text)


def over(left: str, bound: float, upto: float | None = None) -> tuple[Compare, ...]:
    """left > bound, and at most `upto`."""
    return (Compare(left, ">", f"{bound:g}", "" if upto is None else f"{upto:g}"),)


def under(left: str, bound: float, upto: float | None = None) -> tuple[Compare, ...]:
    """left < bound, and at least `upto`."""
    return (Compare(left, "<", f"{bound:g}", "" if upto is None else f"{upto:g}"),)


def equal(left: str, bound: float) -> tuple[Compare, ...]:
    return (Compare(left, "==", f"{bound:g}"),)
