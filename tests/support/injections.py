"""Every alert, and the fault that proves it: injected into the running stack, or told by a made-up system.

A live injection names what is done and, for each alert that must follow, the seconds within which it fires: the
alert's own time, one scrape (5 s, of which 4 s may be a timeout), an evaluation, and what the condition itself takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from boards.alerts import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.containers import Running


@dataclass(frozen=True)
class Injection:
    """`fires`: alert -> seconds after the fault within which it must fire."""

    what: str
    fault: Callable[[Running], AbstractContextManager[None]]
    fires: Mapping[str, float]


@contextmanager
def killed_by_hand(stack: Running) -> Iterator[None]:
    stack.command("kill")
    try:
        yield
    finally:
        stack.command("arm")


LIVE = (
    Injection("executor paused", lambda stack: stack.paused("executor"), {"DeadManFired": 20.0}),
    Injection(
        "quoter paused", lambda stack: stack.paused("quoter"), {"ServiceHeartbeatStale": 25.0, "ServiceDown": 40.0}
    ),
    Injection("simvenue paused", lambda stack: stack.paused("simvenue"), {"FeedStale": 25.0}),
    Injection("redis paused", lambda stack: stack.paused("redis"), {"BusLinkDown": 25.0, "StreamDropped": 45.0}),
    Injection("riskd and monitor paused", lambda stack: stack.paused("riskd", "monitor"), {"NoData": 90.0}),
    Injection("make kill", killed_by_hand, {"KillSwitchTripped": 20.0}),
)

PROVEN_LIVE = tuple(alert for injection in LIVE for alert in injection.fires)
FAKED = tuple(rule.alert for rule in RULES if rule.alert not in PROVEN_LIVE)
"""States of money, of days and of disks: told, not waited for."""
