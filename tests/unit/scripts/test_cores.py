"""Which CPUs the quoter gets on every kind of machine, in numbers, and the rules that hold on all of them."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.cpus import Cpu, Host, format_list, parse_list, read_host, uniform_host
from common.errors import EXIT_CONFIG, EXIT_OK, ConfigError
from scripts import cores
from scripts.core_plan import Plan, asked_for, physical_cores, plan_cores, platform_of
from scripts.mac_cores import in_words, parse_sysctl
from scripts.seen import Seen
from tests.support.fake_hosts import INTEL_MAC, M4_MINI, M4_PRO, intel_hybrid, machine, rk3588, server


def chosen(host: Host, **more: int) -> tuple[str, str]:
    plan = plan_cores(host, **more)
    return format_list(plan.quoter), format_list(plan.others)


def said(plan: Plan) -> str:
    return "; ".join(plan.reasons)


# ---------------------------------------------------------------------- machines
def test_on_a_big_little_board_the_quoter_gets_big_cores(tmp_path: Path) -> None:
    plan = plan_cores(read_host(rk3588(tmp_path)))
    assert (format_list(plan.quoter), format_list(plan.others)) == ("4-5", "0-3,6-7")
    assert "performance CPUs 4-7, slower ones 0-3, told apart by cpu_capacity" in said(plan)


def test_on_an_intel_hybrid_it_gets_favoured_cores_with_both_threads(tmp_path: Path) -> None:
    assert chosen(read_host(intel_hybrid(tmp_path))) == ("8-11", "0-7,12-31")


def test_on_a_server_with_threads_nobody_else_sits_on_a_sibling(tmp_path: Path) -> None:
    plan = plan_cores(read_host(server(tmp_path)))
    assert (format_list(plan.quoter), format_list(plan.others)) == ("1-2,9-10", "0,3-8,11-15")
    assert "all are alike" in said(plan)
    assert "16 CPUs on 8 physical cores" in said(plan)


def test_on_a_plain_server_the_core_of_interrupts_is_left_to_others(tmp_path: Path) -> None:
    assert chosen(read_host(server(tmp_path, smt=False))) == ("1-2", "0,3-7")


@pytest.mark.parametrize(
    ("count", "quoter", "others"),
    [(1, "0", "0"), (2, "1", "0"), (3, "1", "0,2"), (4, "1", "0,2-3"), (6, "1-2", "0,3-5")],
)
def test_small_hosts_leave_something_for_everybody(count: int, quoter: str, others: str) -> None:
    assert chosen(uniform_host(count)) == (quoter, others)


def test_one_core_with_two_threads_is_shared(tmp_path: Path) -> None:
    plan = plan_cores(read_host(server(tmp_path, 1)))
    assert plan.quoter == plan.others == parse_list("0-1")
    assert "shares it" in said(plan)


def test_only_performance_core_goes_to_the_quoter(tmp_path: Path) -> None:
    host = read_host(machine(tmp_path, range(8), capacity={n: 1024 if n == 0 else 400 for n in range(8)}))
    assert chosen(host) == ("0", "1-7")


def test_a_cpuset_without_performance_cores_is_said(tmp_path: Path) -> None:
    plan = plan_cores(read_host(rk3588(tmp_path), may_use=parse_list("0-3")))
    assert (format_list(plan.quoter), format_list(plan.others)) == ("1", "0,2-3")
    assert "no performance core is among them" in said(plan)
    assert "only CPU 0-3 may be used" in said(plan)


def test_with_cpu0_offline_its_sibling_is_a_core_of_its_own(tmp_path: Path) -> None:
    host = read_host(machine(tmp_path, range(1, 8), siblings=lambda n: (n % 4, n % 4 + 4)))
    assert chosen(host, cores=3) == ("1-3,5-7", "4")


def test_more_cores_than_there_are_leave_one_for_the_others() -> None:
    assert chosen(uniform_host(4), cores=64) == ("1-3", "0")


# ---------------------------------------------------------------------- rules
@st.composite
def hosts(draw: st.DrawFn) -> Host:
    """Any machine: some CPUs online, some of them allowed, threads on shared cores, speeds known or not."""
    online = sorted(draw(st.sets(st.integers(0, 40), min_size=1, max_size=24)))
    threads = draw(st.sampled_from([1, 2, 4]))
    groups: dict[int, int] = {}
    for number in online:
        groups.setdefault(number // threads, number)
    speeds = {n: draw(st.sampled_from([0, 300, 700, 1024])) for n in online}
    allowed = draw(st.sets(st.sampled_from(online), min_size=1))
    fast = draw(st.sets(st.sampled_from(online), min_size=1))
    cpus = tuple(Cpu(n, groups[n // threads], speeds[n]) for n in online)
    return Host(cpus, frozenset(allowed), frozenset(fast), "drawn", draw(st.sampled_from([0.0, 1.5])))


@settings(deadline=None)
@given(hosts(), st.integers(0, 64))
def test_sets_are_disjoint_from_two_cores_on_never_empty_and_only_of_allowed_cpus(host: Host, count: int) -> None:
    plan = plan_cores(host, count)
    groups = physical_cores(host, host.allowed)
    assert plan.quoter
    assert plan.others
    assert plan.quoter | plan.others == host.allowed <= host.online
    if len(groups) >= 2:
        assert not plan.quoter & plan.others
        assert all(group <= plan.quoter or group <= plan.others for group in groups)
        if any(group & host.fast for group in groups):
            assert all(group & host.fast for group in groups if group & plan.quoter)


@settings(deadline=None)
@given(
    st.dictionaries(st.integers(0, 15), st.sampled_from([None, 400, 1024]), min_size=1),
    st.sampled_from([1, 2]),
    st.sets(st.integers(0, 15)),
)
def test_rules_hold_on_files_too(capacity: dict[int, int | None], threads: int, wanted: set[int]) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        known = {n: value for n, value in capacity.items() if value is not None}
        machine(root, capacity, siblings=lambda n: range(n // threads * threads, n // threads * threads + threads))
        for number, value in known.items():
            (root / f"sys/devices/system/cpu/cpu{number}/cpu_capacity").write_text(f"{value}\n")
        may_use = frozenset(wanted) & frozenset(capacity) or None
        host = read_host(root, may_use)
    plan = plan_cores(host)
    assert plan.quoter | plan.others == (may_use or frozenset(capacity))
    assert bool(plan.quoter & plan.others) == (len(physical_cores(host, host.allowed)) == 1)


# ---------------------------------------------------------------------- macOS
@pytest.mark.parametrize(
    ("text", "fast", "slow", "machine_name"),
    [(M4_MINI, 4, 6, "arm64"), (M4_PRO, 10, 4, "arm64"), (INTEL_MAC, 8, 0, "x86_64"), ("", 0, 0, "x86_64")],
)
def test_a_mac_is_read_from_sysctl(text: str, fast: int, slow: int, machine_name: str) -> None:
    mac = parse_sysctl(text)
    assert (mac.performance, mac.efficiency, mac.machine) == (fast, slow, machine_name)


def test_a_virtual_machine_larger_than_the_performance_cores_is_said() -> None:
    words = "; ".join(in_words(parse_sysctl(M4_MINI), 10))
    assert "Apple M4: 4 performance and 6 efficiency cores" in words
    assert "give the virtual machine at most 4" in words


@pytest.mark.parametrize(("text", "count"), [(M4_MINI, 4), (M4_PRO, 8)])
def test_a_virtual_machine_that_fits_promises_nothing_all_the_same(text: str, count: int) -> None:
    assert "promises nothing" in "; ".join(in_words(parse_sysctl(text), count))


def a_mac(monkeypatch: pytest.MonkeyPatch, text: str, engine: str) -> None:
    monkeypatch.setattr(cores.sys, "platform", "darwin")
    monkeypatch.setattr(cores, "_output", lambda command: text if command[0] == "sysctl" else engine)


@pytest.mark.parametrize(
    ("text", "engine", "quoter", "others"),
    [
        (M4_MINI, "4 Docker Desktop\n", "1", "0,2-3"),
        (M4_MINI, "10 Docker Desktop\n", "1-2", "0,3-9"),
        (M4_PRO, "8 Docker Desktop\n", "1-2", "0,3-7"),
        (M4_MINI, "", "0", "0"),
    ],
)
def test_on_a_mac_cpus_are_those_of_the_engines_machine(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str,
    engine: str,
    quoter: str,
    others: str,
) -> None:
    a_mac(monkeypatch, text, engine)
    unasked(monkeypatch)
    assert cores.main(["env"]) == EXIT_OK
    assert capsys.readouterr().out == (f"QUOTER_PLATFORM=linux/arm64\nQUOTER_CPUSET={quoter}\nOTHERS_CPUSET={others}\n")


def test_show_gives_reasons_as_comments(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    a_mac(monkeypatch, M4_MINI, "4 Docker Desktop\n")
    unasked(monkeypatch)
    assert cores.main(["show"]) == EXIT_OK
    lines = capsys.readouterr().out.splitlines()
    assert "# containers run in a virtual machine with 4 CPUs, which macOS binds to no core" in lines
    assert [line for line in lines if not line.startswith("# ")][1] == "QUOTER_CPUSET=1"


# ---------------------------------------------------------------------- wishes and refusals
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QUOTER_PLATFORM", "QUOTER_CPUSET", "OTHERS_CPUSET"):
        monkeypatch.delenv(name, raising=False)


def test_a_wish_is_taken_and_the_others_keep_off_its_cores(tmp_path: Path) -> None:
    host = read_host(server(tmp_path, 4))
    plan = asked_for(host, plan_cores(host), "3", "")
    assert (format_list(plan.quoter), format_list(plan.others)) == ("3", "0-2,4-6")


def test_a_wish_for_every_cpu_shares_them() -> None:
    host = uniform_host(2)
    plan = asked_for(host, plan_cores(host), "0-1", "")
    assert plan.quoter == plan.others == host.allowed


def test_others_may_be_narrowed_alone() -> None:
    host = uniform_host(4)
    assert asked_for(host, plan_cores(host), "", "0").others == parse_list("0")


@pytest.mark.parametrize("text", ["4", "0-4", "x", "1-", ",", " "])
def test_a_cpuset_outside_the_host_is_refused(text: str) -> None:
    host = uniform_host(4)
    with pytest.raises(ConfigError, match="QUOTER_CPUSET"):
        asked_for(host, plan_cores(host), text, "")


@pytest.mark.parametrize(
    ("name", "platform"), [("arm64", "linux/arm64"), ("aarch64", "linux/arm64"), ("x86_64", "linux/amd64")]
)
def test_the_platform_follows_the_architecture(name: str, platform: str) -> None:
    assert platform_of(name) == platform


def test_an_architecture_without_images_is_refused_unless_a_platform_is_asked_for() -> None:
    seen = Seen(uniform_host(2), "riscv64", 2, (), is_virtual=False)
    with pytest.raises(ConfigError, match="riscv64"):
        cores.decide(seen, 0, {})
    assert cores.decide(seen, 0, {"QUOTER_PLATFORM": "linux/amd64"})[1] == "linux/amd64"
    with pytest.raises(ConfigError, match="QUOTER_PLATFORM"):
        cores.decide(seen, 0, {"QUOTER_PLATFORM": "linux/386"})


def test_a_bad_wish_ends_with_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    a_mac(monkeypatch, M4_MINI, "2 Docker Desktop\n")
    monkeypatch.setenv("QUOTER_CPUSET", "7")
    assert cores.main(["env"]) == EXIT_CONFIG
    assert capsys.readouterr() == ("", "cores: QUOTER_CPUSET = '7': allowed are CPUs out of 0-1\n")
    assert cores.main(["env", "--cores", "65"]) == EXIT_CONFIG


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system keeps no affinity")
def test_on_this_machine_every_cpu_named_may_be_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unasked(monkeypatch)
    monkeypatch.setattr(cores, "_output", lambda command: "")
    assert cores.main(["env"]) == EXIT_OK
    found = dict(line.split("=") for line in capsys.readouterr().out.splitlines())
    assert list(found) == ["QUOTER_PLATFORM", "QUOTER_CPUSET", "OTHERS_CPUSET"]
    assert parse_list(found["QUOTER_CPUSET"]) | parse_list(found["OTHERS_CPUSET"]) == os.sched_getaffinity(0)


def test_a_missing_program_is_no_answer() -> None:
    assert cores._output(["there-is-no-such-program"]) == ""


def test_an_engine_in_a_virtual_machine_on_linux_counts_its_own_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores.sys, "platform", "linux")
    monkeypatch.setattr(cores, "_output", lambda command: "3 Docker Desktop\n")
    seen = cores.look()
    assert seen.is_virtual
    assert seen.host.allowed == parse_list("0-2")
