"""Each service killed, frozen and cut off: what rests at the venue is gone within its bound, and quotes come back.

Bounds are those of the reliability note's fault matrix, measured in wall time against the venue's own ledger, from the
moment before the fault is injected. A measurement over its bound during which the machine was late is made once more.
"""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager, nullcontext

import pytest

from common.errors import LinkDown
from scripts.stack import wait_for
from tests.support.containers import Measured, Running, note

pytestmark = pytest.mark.container

BOUND_S = {"feed": 2.5, "quoter": 2.5, "riskd": 2.5, "redis": 3.0, "executor": 5.0}
UNDISTURBED = ("warden", "monitor", "prometheus")
"""Trading goes on without them."""

FAULTS = ("killed", "paused", "cut off")
BACK_S = 30.0
WARDEN_TOLD_S = 10.0
VENUE_BACK_S = 2.5
LIMIT_S = 20.0
ACTIONS = 10
"""So many order actions more, counted by the venue, are proof that we go on quoting."""


def fault(stack: Running, service: str, how: str) -> AbstractContextManager[None]:
    """Held while the block runs; a killed process is restarted by the engine at once."""
    match how:
        case "killed":
            stack.kill(service)
            return nullcontext()
        case "paused":
            return stack.paused(service)
        case _:
            return stack.cut_off(service)


@pytest.mark.parametrize("how", FAULTS)
@pytest.mark.parametrize("service", BOUND_S)
def test_nothing_rests_within_the_bound_and_quotes_come_back(stack: Running, service: str, how: str) -> None:
    gone, back_s = struck(stack, service, how)
    if gone.seconds > BOUND_S[service] and gone.disturbed:
        note(f"{service} {how}: {gone.seconds:.2f} s while the machine was {gone.late_s:.2f} s late: once more")
        gone, back_s = struck(stack, service, how)
    note(
        f"{service:10s} {how:8s} 0 resting after {gone.seconds:.2f} s (bound {BOUND_S[service]:g}), "
        f"quotes {back_s:.1f} s after its end (load {os.getloadavg()[0]:.1f})"
    )
    assert gone.seconds <= BOUND_S[service]
    assert back_s <= BACK_S
    wait_for(
        lambda: stack.cloids() and stack.cloids() == stack.booked(), 30, "every order at the venue is in our books"
    )


def struck(stack: Running, service: str, how: str) -> tuple[Measured, float]:
    """(until none rest, seconds from the end of the fault until quotes are back)."""
    stack.await_health()
    began = time.monotonic()
    with fault(stack, service, how):
        gone = stack.until_none_rest(LIMIT_S, began)
    ended = time.monotonic()
    wait_for(lambda: stack.resting() > 0, 2 * BACK_S, f"quotes after {service} was {how}")
    return gone, time.monotonic() - ended


@pytest.mark.parametrize("how", FAULTS)
@pytest.mark.parametrize("service", UNDISTURBED)
def test_trading_goes_on_without_it(stack: Running, service: str, how: str) -> None:
    stack.await_health()
    fires = stack.deadman_fires()
    before, began = stack.actions(), time.monotonic()
    with fault(stack, service, how):
        went_on = stack.until(lambda: stack.actions() >= before + ACTIONS, LIMIT_S, began, "actions go on")
        if (service, how) == ("warden", "paused"):  # cut off it still answers the executor, on its own line
            told = stack.until(lambda: silent(stack, "warden"), WARDEN_TOLD_S, began, "the warden's silence noticed")
            note(f"warden     {how:8s} silence noticed after {told.seconds:.1f} s (bound {WARDEN_TOLD_S:g})")
    note(f"{service:10s} {how:8s} {ACTIONS} more actions within {went_on.seconds:.1f} s")
    stack.await_health()
    if service == "warden" and how != "killed":  # a killed one counts anew
        assert stack.deadman_fires() == fires, "who could not listen has heard no silence"


def silent(stack: Running, service: str) -> bool:
    """What the page shows, and alerts about unless it just did."""
    return any(row["name"] == service and not row["alive"] for row in stack.status()["services"])


@pytest.mark.parametrize("how", ["paused", "cut off"])
def test_when_the_venue_answers_again_no_old_order_stays(stack: Running, how: str) -> None:
    """Nobody can cancel at a venue that hears nobody: what rested before goes as soon as it does."""
    stack.await_health()
    old = stack.cloids()
    with fault(stack, "simvenue", how):
        wait_for(lambda: stack.status()["mode"] != "active", LIMIT_S, "no permission while the venue is away")
    ended = time.monotonic()
    gone = stack.until(lambda: heard(stack) and not old & stack.cloids(), LIMIT_S, ended, "old orders gone")
    wait_for(lambda: stack.resting() > 0, 2 * BACK_S, "quotes after the venue came back")
    back_s = time.monotonic() - ended
    note(f"simvenue   {how:8s} old orders gone {gone.seconds:.2f} s after its end, quotes {back_s:.1f} s")
    assert gone.seconds <= VENUE_BACK_S
    assert back_s <= BACK_S
    stack.await_health()


def heard(stack: Running) -> bool:
    try:
        stack.ledger()
    except LinkDown:
        return False
    return True
