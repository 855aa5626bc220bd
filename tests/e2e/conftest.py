"""One running system for several tests: real processes, real Redis, a seeded synthetic market."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.config import METRICS_PORTS, PAGE_PORT, VENUE_PORT
from scripts.stack import Plan, Stack, wait_for


def free_port_base() -> int:
    """An offset at which every port of ours is free now."""
    for base in range(20_000, 50_000, 137):
        try:
            for port in (VENUE_PORT, PAGE_PORT, *METRICS_PORTS.values()):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port + base))
        except OSError:
            continue
        return base
    raise RuntimeError("no free block of ports")


def started(plan: Plan) -> Stack:
    """A system in the regular session whatever the day, so that a weekend changes no test."""
    plan.environ.setdefault("SESSION", "regular")
    stack = Stack(plan)
    stack.prepare()
    stack.start()
    wait_for(lambda: stack.resting() > 0, 60, "first quotes at the venue")
    return stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    run_dir = Path(tmp_path_factory.mktemp("s")) / "r"
    running = started(Plan(speed=4, port_base=free_port_base(), run_dir=run_dir))
    yield running
    running.stop()
