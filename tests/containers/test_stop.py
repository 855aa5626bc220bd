"""SIGTERM leaves 0 resting and ends every service with exit code 0 within its grace; `make down` leaves nothing."""

from __future__ import annotations

import time

import pytest

from common.errors import EXIT_OK
from scripts.engine import Compose
from scripts.stack import wait_for
from tests.support.containers import PROJECT, SERVICES, Running, docker, make, note

pytestmark = pytest.mark.container

GRACE_S = 12.0
FIRST = ("quoter", "executor")


def test_sigterm_leaves_nothing_resting_and_every_service_ends_well(stack: Running, compose: Compose) -> None:
    """In compose's own order; the venue last, so that it can be asked what rests."""
    stack.await_health()
    for name in SERVICES:
        wait_for(lambda service=name: stack.healthy(service), 60, f"{name} healthy", every_s=0.5)
    assert stack.resting() > 0
    for name in (*FIRST, *(one for one in SERVICES if one not in (*FIRST, "simvenue")), "simvenue"):
        if name == "simvenue":
            assert stack.resting() == 0
        began = time.monotonic()
        compose.output("stop", name)
        took_s = time.monotonic() - began
        state = stack.inspect(name)["State"]
        note(f"{name:10s} stopped in {took_s:.1f} s (grace {GRACE_S:g}), exit code {state['ExitCode']}")
        assert (state["Status"], state["ExitCode"], state["OOMKilled"]) == ("exited", EXIT_OK, False), name
        assert took_s <= GRACE_S + 1.0
        if name == "executor":
            assert stack.resting() == 0


def test_make_down_says_that_nothing_rests_and_leaves_no_container(stack: Running) -> None:
    said = make("up", *stack.market, COMPOSE_UP_ARGS="--no-build", **stack.environ)
    again = Running(stack.port_base, stack.market, stack.environ, said)
    again.await_health()
    assert again.resting() > 0
    began = time.monotonic()
    assert "none of our orders rest" in make("down")
    note(f"make down: {time.monotonic() - began:.1f} s")
    mine = ("--filter", f"label=com.docker.compose.project={PROJECT}")
    made = ("--filter", "label=com.docker.compose.container-number")  # images bear the project's label too
    wait_for(lambda: docker("ps", "--all", "--quiet", *mine, *made) == "", 10, "no container left")
    wait_for(lambda: docker("network", "ls", "--quiet", *mine) == "", 10, "no network left")
