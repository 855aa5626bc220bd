"""Ask a real Prometheus every question that boards and alerts ask: what fails, and what has no answer.

Works on the committed files' source, `boards/`: each panel's queries with their variables filled in, each recording,
and the left side of each alert's comparison (a comparison that does not hold is empty by right; its left side is not).

    python -m tests.support.expressions http://127.0.0.1:9090

Only some systems have: amm_session_calendar_days (an underlying with sessions), amm_recorder_* (RECORD=true),
amm_sim_* (paper), amm_process_resident_bytes (Linux). US500 on paper, recorded, has them all.
"""

from __future__ import annotations

import json
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from boards.alerts import RULES
from boards.dashboards import BOARDS
from boards.panel import Panel
from boards.recordings import RECORDINGS

VARIABLES = {"$__rate_interval": "1m", "$__range": "1h", "$__interval": "15s", "$coin": ".*"}
WINDOW_S, STEP_S = 180, 15
"""A side without quotes for a moment, or a minute without a fill, is no mistake of a board."""

NO_NUMBER = ("NaN", "+Inf", "-Inf")
GROUP_REFERENCE = re.compile(r"\"\$\d\"")
"""`label_replace` names a group of its pattern so; no variable of Grafana's."""


@dataclass(frozen=True)
class Question:
    """`where`: board/panel or the rule."""

    where: str
    expr: str


@dataclass(frozen=True)
class Answer:
    question: Question
    error: str
    series: int
    finite: int


def questions() -> Iterator[Question]:
    """Every expression, variables filled in."""
    for board in BOARDS:
        for item in board.items:
            if isinstance(item, Panel):
                yield from (Question(f"{board.name}/{item.title}", filled(ask.expr)) for ask in item.asks)
    yield from (Question(one.record, filled(one.expr)) for one in RECORDINGS)
    for rule in RULES:
        yield from (Question(rule.alert, left) for left in rule.lefts)


def filled(expr: str) -> str:
    """An expression as Prometheus takes it; raises ValueError for a variable nobody fills in."""
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    if "$" in GROUP_REFERENCE.sub("", expr):
        raise ValueError(f"a variable is left over in {expr}")
    return expr


def ask(url: str, question: Question) -> Answer:
    """What a panel of the last few minutes would show."""
    now_s = time.time()
    asked = {"query": question.expr, "start": now_s - WINDOW_S, "end": now_s, "step": STEP_S}
    body = urllib.parse.urlencode(asked).encode()
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query_range", body, timeout=20) as reply:
            said: Any = json.load(reply)
    except urllib.error.HTTPError as error:
        said = json.load(error)
    if said["status"] != "success":
        return Answer(question, str(said.get("error", said)), 0, 0)
    result = said["data"]["result"]
    finite = sum(any(value not in NO_NUMBER for _, value in row["values"]) for row in result)
    return Answer(question, "", len(result), finite)


def bad_answers(url: str) -> list[Answer]:
    """Errors, and expressions without a single number."""
    answers = [ask(url, question) for question in questions()]
    return [one for one in answers if one.error or not one.finite]


def main(url: str) -> int:
    bad = bad_answers(url)
    for answer in bad:
        why = answer.error or ("no number" if answer.series else "empty")
        sys.stdout.write(f"{answer.question.where}: {why}: {answer.question.expr}\n")
    sys.stdout.write(f"{len(list(questions()))} expressions, {len(bad)} without an answer\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
