"""Every alert, in the groups Prometheus evaluates together."""

from __future__ import annotations

from boards.alerts_money import MONEY_GROUPS
from boards.alerts_system import SYSTEM_GROUPS

GROUPS = (*MONEY_GROUPS, *SYSTEM_GROUPS)
RULES = tuple(rule for group in GROUPS for rule in group.rules)
