"""What the quoter says of the CPUs it got: pinned only when fewer than the host's and all of them fast."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import quoter.cores
from common import metrics
from common.cpus import parse_list, read_host, uniform_host
from quoter.cores import Got, judged, show_cores
from tests.support.fake_hosts import intel_hybrid, rk3588, server


@pytest.mark.parametrize(
    ("cpus", "pinned", "capacity", "why"),
    [
        ("4-5", True, 1024, "told by cpu_capacity"),
        ("6", True, 1006, "told by cpu_capacity"),
        ("0-7", False, 530, "it may run on every CPU"),
        ("3-4", False, 530, "not only performance CPUs: 3"),
        ("0", False, 530, "not only performance CPUs: 0"),
    ],
)
def test_a_pin_counts_when_it_holds_fast_cores_alone(
    tmp_path: Path, cpus: str, pinned: bool, capacity: int, why: str
) -> None:
    assert judged(read_host(rk3588(tmp_path)), parse_list(cpus)) == Got(cpus, pinned, capacity, why)


def test_on_a_hybrid_a_favoured_core_is_the_measure(tmp_path: Path) -> None:
    host = read_host(intel_hybrid(tmp_path))
    assert judged(host, parse_list("8-9")).capacity == 1024
    assert judged(host, parse_list("0-1")) == Got("0-1", True, 970, "told by Intel's lists cpu_core and cpu_atom")
    assert not judged(host, parse_list("16")).pinned


def test_where_all_are_alike_fewer_is_pinned_and_said_so(tmp_path: Path) -> None:
    got = judged(read_host(server(tmp_path)), parse_list("1,9"))
    assert got == Got("1,9", True, 1024, "all CPUs look alike here")


def test_in_a_virtual_machine_capacity_is_unknown() -> None:
    assert judged(uniform_host(4), parse_list("1")) == Got("1", True, 0, "all CPUs look alike here")


def test_one_cpu_can_not_be_narrower_than_the_host() -> None:
    assert not judged(uniform_host(1), parse_list("0")).pinned


def test_a_system_that_tells_nothing_is_unknown_and_not_pinned() -> None:
    assert judged(uniform_host(10), None) == Got("unknown", False, 0, "this system tells no process where it may run")


def test_a_long_list_does_not_become_a_label() -> None:
    many = frozenset(range(0, 200, 2))
    assert judged(uniform_host(256), many).cpus == "100 CPUs"


class Heard:
    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def info(self, event: str, **facts: Any) -> None:
        self.events.append((event, facts))


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system keeps no affinity")
def test_what_was_got_is_exported_and_logged_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    heard = Heard()
    monkeypatch.setattr(quoter.cores, "log", heard)
    monkeypatch.setattr(quoter.cores, "affinity", lambda: parse_list("4-5"))
    host = read_host(rk3588(tmp_path), may_use=parse_list("4-5"))
    monkeypatch.setattr(quoter.cores, "read_host", lambda may_use: host)
    show_cores()
    assert metrics.value("amm_quoter_cpu_pinned") == 1
    assert metrics.value("amm_quoter_cpu_capacity") == 1024
    assert metrics.value("amm_quoter_cpus_info", cpus="4-5") == 1
    assert [(event, facts["cpus"], facts["pinned"]) for event, facts in heard.events] == [("cpus_seen", "4-5", True)]
