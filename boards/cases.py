"""All cases, in the files promtool reads: one a group of alerts."""

from __future__ import annotations

from typing import Any

from boards.alerts import GROUPS
from boards.case import Case, document
from boards.cases_money import MONEY_CASES
from boards.cases_system import SYSTEM_CASES

CASES: tuple[Case, ...] = (*MONEY_CASES, *SYSTEM_CASES)


def documents() -> dict[str, dict[str, Any]]:
    """File name without its ending -> what stands in it."""
    found = {}
    for group in GROUPS:
        names = {rule.alert for rule in group.rules}
        found[group.name.removeprefix("amm_")] = document([case for case in CASES if case.alert in names])
    return found
