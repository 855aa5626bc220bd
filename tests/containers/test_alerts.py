"""Each alert is proven: a table of alert, fault, and the seconds until a real Prometheus fires it by the real rules."""

from __future__ import annotations

import os
import time

import pytest

from scripts.stack import wait_for
from tests.support.containers import Running, note
from tests.support.faked_systems import Faked, case_of, course_of, due_s, rule_of
from tests.support.injections import FAKED, LIVE, Injection
from tests.support.prometheus import firing

pytestmark = pytest.mark.container

LATE = {"ClockStepped", "TickToOrderSlow"}
BUSY_PER_CPU = 2.5
"""The stack alone keeps the load of two CPUs below this."""


def test_nothing_fires_in_made_up_health(faked: Faked) -> None:
    """And the fault begins: what it brings is looked at when its time has come."""
    faked.await_scrapes()
    assert faked.firing() == set()
    faked.strike()


def test_nothing_but_the_market_alerts_while_all_is_well(stack: Running) -> None:
    """A recorded market may show no edge; where CPUs are fought for, orders and clocks are late by right."""
    stack.await_health()
    allowed = {"EdgeStopped", "LosingFillsStreak", "FundingHigh", "MarkoutNegative"}
    load, cpus = os.getloadavg()[0], os.cpu_count() or 1
    if load > BUSY_PER_CPU * cpus:
        note(f"load {load:.1f} on {cpus} CPUs: {', '.join(LATE)} would be this machine's fault")
        allowed |= LATE
    assert firing(stack.prometheus) <= allowed


@pytest.mark.parametrize("injection", LIVE, ids=lambda one: one.what)
def test_injected_fault_fires(stack: Running, injection: Injection) -> None:
    stack.await_health()
    stack.await_fresh_scrapes()
    wait_for(lambda: not firing(stack.prometheus) & set(injection.fires), 60, "the last fault forgotten", every_s=0.5)
    began_s = time.time()
    with injection.fault(stack):
        for alert, within_s in injection.fires.items():
            left_s = within_s + began_s - time.time()
            seconds = wait_for(lambda name=alert: stack.fires_after(name, began_s), left_s, alert, every_s=0.25)
            note(f"{alert:24s} {injection.what:32s} {seconds:5.0f} s (within {within_s:.0f})")
    stack.await_health()


def test_made_up_systems_fire(faked: Faked) -> None:
    """The later half of the table: what the system was told, and the seconds it took."""
    wrong = []
    for alert in sorted(FAKED, key=due_s):
        left_s = max(due_s(alert) + faked.fault_s - time.time(), 0.0)
        seconds = wait_for(lambda name=alert: faked.seconds(name), left_s, alert, every_s=1.0)
        rule, _ = rule_of(alert)
        told = ", ".join(f"{series}: {before} -> {after}" for series, (before, after) in course_of(alert).items())
        note(f"{alert:24s} {seconds:5.0f} s (within {due_s(alert):.0f}): {told}")
        if not rule.for_s <= seconds <= due_s(alert):
            wrong.append(f"{alert} after {seconds:.0f} s ({case_of(alert).note or 'no note'})")
    assert wrong == []
