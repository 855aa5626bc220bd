"""The verdict from measured speeds: fast cores reached, missed, or left open when noise or a Mac hides it."""

from __future__ import annotations

import platform
import random
from pathlib import Path
from typing import Any

import pytest

from common.cpus import Host, parse_list, read_host, uniform_host
from common.errors import EXIT_FAULT, EXIT_OK
from scripts import pin_check
from scripts.core_plan import plan_cores
from scripts.pin_check import NotMeasured, references, take
from scripts.pin_verdict import NOT_REACHED, OPEN, REACHED, Place, judge, notes, outliers, ratio
from scripts.seen import Seen
from tests.support.fake_hosts import intel_hybrid, rk3588, server

ROUNDS = 15


def a_place(speed: float, cpus: str = "", *, kind: str = "core", noise: float = 0.02, machine: str = "arm64") -> Place:
    """Speeds of one place around `speed`, the same ones for the same arguments."""
    draw = random.Random(f"{speed}{cpus}{kind}")
    speeds = [speed * (1 + noise * draw.uniform(-1, 1)) for _ in range(ROUNDS)]
    return Place(f"CPU {cpus}", kind, parse_list(cpus), machine, speeds, [0.99] * ROUNDS)


@pytest.fixture
def board(tmp_path: Path) -> Host:
    return read_host(rk3588(tmp_path))


def said(mine: Place, others: list[Place], host: Host) -> str:
    return judge(mine, others, host, "arm64").said


def test_faster_than_a_slow_core_and_equal_to_a_fast_one_is_reached(board: Host) -> None:
    verdict = judge(a_place(100, "4-5"), [a_place(100, "6"), a_place(45, "0")], board, "arm64")
    assert verdict.said == REACHED
    assert "faster than CPU 0: x2.2" in verdict.why
    assert not verdict.is_failure


def test_slower_than_another_core_is_not_reached(board: Host) -> None:
    verdict = judge(a_place(45, "4-5"), [a_place(100, "6"), a_place(45, "0")], board, "arm64")
    assert verdict.said == NOT_REACHED
    assert verdict.is_failure


def test_a_cpu_that_the_kernel_calls_slow_is_not_reached_however_fast_it_looks(board: Host) -> None:
    assert said(a_place(100, "0-7"), [a_place(100, "6")], board) == NOT_REACHED


def test_no_difference_where_there_should_be_one_is_left_open(board: Host) -> None:
    assert said(a_place(100, "4-7"), [a_place(100, "0")], board) == OPEN


def test_where_all_are_alike_equal_is_enough() -> None:
    assert said(a_place(100, "1"), [a_place(99, "0")], uniform_host(2)) == REACHED


def test_noise_leaves_it_open() -> None:
    assert said(a_place(95, "1", noise=0.4), [a_place(100, "0", noise=0.4)], uniform_host(2)) == OPEN


def test_a_lonely_core_can_not_be_compared() -> None:
    assert said(a_place(100, "0"), [], uniform_host(1)) == OPEN


def test_an_emulated_image_says_nothing_about_cores() -> None:
    verdict = judge(a_place(100, "1", machine="x86_64"), [a_place(100, "0")], uniform_host(2), "arm64")
    assert verdict.said == OPEN
    assert "QUOTER_PLATFORM" in verdict.why


@pytest.mark.parametrize(("speed", "expected"), [(95, REACHED), (75, REACHED), (42, NOT_REACHED), (30, NOT_REACHED)])
def test_in_a_macs_virtual_machine_the_hosts_own_threads_are_the_yardsticks(speed: float, expected: str) -> None:
    yardsticks = [a_place(100, kind="host_fast"), a_place(40, kind="host_slow")]
    assert said(a_place(speed, "1"), [a_place(speed, "0"), *yardsticks], uniform_host(4)) == expected


def test_a_speed_between_the_yardsticks_is_left_open() -> None:
    yardsticks = [a_place(100, kind="host_fast"), a_place(40, kind="host_slow")]
    assert said(a_place(63, "1", noise=0.1), yardsticks, uniform_host(4)) == OPEN


def test_yardsticks_that_hardly_differ_measure_nothing() -> None:
    yardsticks = [a_place(100, kind="host_fast"), a_place(90, kind="host_slow")]
    assert said(a_place(95, "1"), yardsticks, uniform_host(4)) == OPEN


@pytest.mark.parametrize(("speed", "expected"), [(200, REACHED), (105, OPEN)])
def test_natively_on_a_mac_the_highest_class_must_beat_the_lowest(speed: float, expected: str) -> None:
    assert said(a_place(speed), [a_place(100, kind="host_slow")], uniform_host(4)) == expected


def test_interval_leaves_out_outliers_and_keeps_95_percent() -> None:
    assert [outliers(n) for n in (1, 6, 8, 9, 12, 15, 20)] == [0, 0, 0, 1, 2, 3, 5]
    mine, other = a_place(100, "1", noise=0.0), a_place(100, "0", noise=0.0)
    mine.speeds[:3] = [1.0, 900.0, 2.0]
    assert ratio(mine, other) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_interval_holds_the_true_ratio_as_often_as_it_says(seed: int) -> None:
    draw = random.Random(seed)
    held = 0
    for _ in range(400):
        mine = Place("a", "core", speeds=[draw.lognormvariate(0.0, 0.3) for _ in range(ROUNDS)])
        other = Place("b", "core", speeds=[1.0] * ROUNDS)
        _, low, high = ratio(mine, other)
        held += low <= 1.0 <= high
    assert held >= 0.93 * 400  # 96.5 % is promised, 1 % its deviation in 400 trials


def test_an_unpinned_quoter_and_a_shared_core_are_noted() -> None:
    place = a_place(100, "0-1")
    place.busy = [0.5] * ROUNDS
    found = notes(place, uniform_host(2))
    assert ["not pinned" in found[0], "50%" in found[1]] == [True, True]
    assert notes(a_place(100, "1"), uniform_host(2)) == []


# ---------------------------------------------------------------------- where to compare
def test_comparison_takes_a_fast_and_a_slow_core_off_the_quoters_own(board: Host, tmp_path: Path) -> None:
    assert references(board, parse_list("4-5")) == [6, 3]
    hybrid = read_host(intel_hybrid(tmp_path / "hybrid"))
    assert references(hybrid, parse_list("8")) == [10, 31]


def test_a_sibling_thread_is_no_other_core(tmp_path: Path) -> None:
    assert references(read_host(server(tmp_path, 1)), parse_list("0")) == []
    assert references(read_host(server(tmp_path / "two", 2)), parse_list("1")) == [0]


# ---------------------------------------------------------------------- the shell
@pytest.mark.parametrize(
    "answer",
    [{}, {"turns": [], "steps": 1, "cpus": "0", "machine": "m"}, {"turns": [[0.0, 0.0]], "steps": 1}, {"turns": [[1]]},
     {"turns": [[1.0, 1.0]], "steps": 1, "cpus": "x", "machine": "m"}],
)  # fmt: skip
def test_an_answer_without_figures_is_no_measurement(answer: dict[str, Any]) -> None:
    with pytest.raises(NotMeasured, match="gave no figures"):
        take(Place("there", "core"), answer)


def test_fastest_turn_counts() -> None:
    place = Place("there", "core")
    take(place, {"turns": [[0.5, 1.0], [0.25, 0.25]], "steps": 100, "cpus": "1", "machine": "m"})
    assert (place.speeds, place.busy, place.cpus) == ([400.0], [0.6], parse_list("1"))


def alone(host: Host) -> Seen:
    """This machine's architecture, no engine."""
    return Seen(host, platform.machine(), 0, (), is_virtual=False)


def test_without_an_engine_it_measures_processes_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    host = read_host(may_use=pin_check.affinity())
    code = pin_check.pin_check(alone(host), plan_cores(host), native=True, rounds=2)
    out = capsys.readouterr().out
    assert "measuring processes instead of containers (as asked)" in out
    assert "million steps a CPU second" in out
    assert code in (EXIT_OK, EXIT_FAULT)
    assert ("verdict: not reached" in out) == (code == EXIT_FAULT)


def test_a_command_that_fails_leaves_it_open(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    host = uniform_host(2)
    monkeypatch.setattr(pin_check, "_quoter_container", lambda: "abc")
    monkeypatch.setattr(pin_check, "_text", failing)
    assert pin_check.pin_check(alone(host), plan_cores(host), native=False, rounds=1) == EXIT_OK
    assert "verdict: cannot be told: no engine" in capsys.readouterr().out


def failing(command: list[str]) -> str:
    raise NotMeasured("no engine")


@pytest.mark.parametrize("text", ["", "[]", "no json"])
def test_text_that_is_no_answer_is_no_measurement(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(pin_check, "_text", lambda command: text)
    with pytest.raises(NotMeasured):
        pin_check._command(["docker", "exec", "abc"])()


def test_containers_are_measured_inside_and_on_the_cpus_left(monkeypatch: pytest.MonkeyPatch, board: Host) -> None:
    ran: list[list[str]] = []

    def text(command: list[str]) -> str:
        ran.append(command)
        return "sha256:image" if command[1] == "inspect" else '{"cpus": "4-5"}'

    monkeypatch.setattr(pin_check, "_text", text)
    seen = Seen(board, "aarch64", 8, (), is_virtual=False)
    mine, others = pin_check._in_containers("abc", seen, board)
    assert mine[0].name == "the quoter's container (CPU 4-5)"
    assert [place.name for place, _ in others] == ["performance CPU 6", "slower CPU 3"]
    ran.clear()
    assert others[1][1]() == {"cpus": "4-5"}
    assert ran[0][ran[0].index("--cpuset-cpus") + 1] == "3"
    assert ran[0][-3:] == ["sha256:image", "-m", "common.core_speed"]


def test_on_a_mac_the_yardsticks_are_the_hosts_own_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def text(command: list[str]) -> str:
        ran.append(command)
        return "sha256:image" if command[1] == "inspect" else '{"cpus": "1"}'

    monkeypatch.setattr(pin_check, "_text", text)
    monkeypatch.setattr(pin_check.sys, "platform", "darwin")
    seen = Seen(uniform_host(4), "arm64", 4, (), is_virtual=True)
    _, others = pin_check._in_containers("abc", seen, seen.host)
    assert [place.kind for place, _ in others] == ["core", "host_fast", "host_slow"]
    mine, alone_there = pin_check._as_processes(seen.host, plan_cores(seen.host), seen)
    assert [place.kind for place, _ in alone_there] == ["host_slow"]
    ran.clear()
    mine[1]()
    assert ran[0][-2:] == ["--qos", "user_interactive"]
