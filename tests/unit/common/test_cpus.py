"""What a machine's files say of its CPUs, for machines of every kind, and what is made of files that say nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.cpus import SCALE, affinity, format_list, parse_list, read_host, uniform_host, usable
from tests.support.fake_hosts import CPU, intel_hybrid, machine, put, rk3588, server


def cpus(text: str) -> frozenset[int]:
    return parse_list(text)


@given(st.frozensets(st.integers(0, 8191), max_size=40))
def test_a_list_is_read_back_as_it_was_written(numbers: frozenset[int]) -> None:
    assert parse_list(format_list(numbers)) == numbers


@pytest.mark.parametrize("text", ["a", "1-", "-1", "3-1", "1,,2", "0x1", "1 2", "99999", "0-8192", "٣", "1-2-3"])
def test_a_list_the_kernel_would_not_write_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_list(text)


def test_big_little_board_is_told_by_capacity_and_bins_of_one_kind_stay_together(tmp_path: Path) -> None:
    host = read_host(rk3588(tmp_path))
    assert host.fast == cpus("4-7")
    assert host.told_by == "cpu_capacity"
    assert (host.speed(cpus("4-5")), host.speed(cpus("4-7")), host.speed(cpus("0-7"))) == (1024, 1006, 530)
    assert not host.is_alike


def test_frequencies_tell_kinds_where_capacity_is_missing(tmp_path: Path) -> None:
    host = read_host(machine(tmp_path, range(4), khz={0: 1_800_000, 1: 1_800_000, 2: 2_400_000, 3: 2_400_000}))
    assert (host.fast, host.told_by) == (cpus("2-3"), "the highest frequencies of cpufreq")
    assert host.speed(cpus("0")) == 768


def test_equal_capacity_gives_way_to_frequencies_that_differ(tmp_path: Path) -> None:
    same = dict.fromkeys(range(4), 1024)
    host = read_host(machine(tmp_path, range(4), capacity=same, khz={0: 5_000, 1: 5_000, 2: 3_300, 3: 3_300}))
    assert host.fast == cpus("0-1")


def test_intel_lists_win_and_threads_share_their_core(tmp_path: Path) -> None:
    host = read_host(intel_hybrid(tmp_path))
    assert host.fast == cpus("0-15")
    assert "Intel" in host.told_by
    assert [cpu.core for cpu in host.cpus if cpu.number in (8, 9, 10, 16)] == [8, 8, 10, 16]
    assert host.speed(cpus("8-11")) == SCALE > host.speed(cpus("0")) > host.speed(cpus("20"))


def test_favoured_cores_of_one_kind_do_not_make_the_others_slow(tmp_path: Path) -> None:
    host = read_host(machine(tmp_path, range(4), khz={0: 5_400, 1: 5_400, 2: 5_700, 3: 5_700}))
    assert host.is_alike
    assert host.told_by == ""
    assert host.speed(cpus("2-3")) == SCALE > host.speed(cpus("0-1")) > 0


@pytest.mark.parametrize("smt", [True, False])
def test_a_plain_server_is_alike(tmp_path: Path, smt: bool) -> None:
    host = read_host(server(tmp_path, smt=smt))
    assert host.is_alike
    assert host.speed(host.online) == SCALE
    assert len({cpu.core for cpu in host.cpus}) == 8


def test_a_cpuset_limits_what_is_allowed_and_not_what_is_there(tmp_path: Path) -> None:
    host = read_host(rk3588(tmp_path), may_use=cpus("2-5"))
    assert (host.allowed, host.online, host.fast) == (cpus("2-5"), cpus("0-7"), cpus("4-7"))


def test_an_offline_cpu_is_no_sibling_and_not_there(tmp_path: Path) -> None:
    machine(tmp_path, range(1, 8), siblings=lambda n: (n % 4, n % 4 + 4))
    put(tmp_path, f"{CPU}/cpu0/online", 0)
    host = read_host(tmp_path)
    assert host.online == cpus("1-7")
    assert next(cpu.core for cpu in host.cpus if cpu.number == 4) == 4


def test_without_a_list_of_online_cpus_the_folders_count(tmp_path: Path) -> None:
    machine(tmp_path, range(4))
    (tmp_path / CPU / "online").unlink()
    put(tmp_path, f"{CPU}/cpu3/online", 0)
    (tmp_path / CPU / "cpuidle").mkdir()
    assert read_host(tmp_path).online == cpus("0-2")


@pytest.mark.parametrize(("text", "quota"), [("150000 100000", 1.5), ("max 100000", 0.0), ("5", 0.0), ("5 0", 0.0)])
def test_a_quota_is_read_in_cpus_worth_of_time(tmp_path: Path, text: str, quota: float) -> None:
    put(tmp_path, "sys/fs/cgroup/cpu.max", text)
    assert read_host(tmp_path, may_use=cpus("0")).quota == quota


def test_the_older_control_groups_quota_is_read_too(tmp_path: Path) -> None:
    put(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", 200_000)
    put(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_period_us", 100_000)
    assert read_host(tmp_path, may_use=cpus("0")).quota == 2.0
    put(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", -1)
    assert read_host(tmp_path, may_use=cpus("0")).quota == 0.0


def test_where_nothing_can_be_read_the_affinity_is_the_machine(tmp_path: Path) -> None:
    host = read_host(tmp_path, may_use=cpus("2,5"))
    assert (host.online, host.allowed, host.fast) == (cpus("2,5"), cpus("2,5"), cpus("2,5"))
    assert host.speed(host.online) == 0


def test_an_affinity_beyond_a_masked_sys_is_believed(tmp_path: Path) -> None:
    host = read_host(machine(tmp_path, range(2)), may_use=cpus("6"))
    assert host.allowed == cpus("6") <= host.online


@pytest.mark.parametrize("text", ["", "-5", "many", "1e3", "9" * 40])
def test_a_mangled_number_is_an_unknown_speed(tmp_path: Path, text: str) -> None:
    machine(tmp_path, range(2), capacity={0: 1024, 1: 512})
    put(tmp_path, f"{CPU}/cpu1/cpu_capacity", text)
    host = read_host(tmp_path)
    assert host.is_alike
    assert host.speed(cpus("0-1")) == 0


def test_a_mangled_list_is_no_list(tmp_path: Path) -> None:
    intel_hybrid(tmp_path)
    put(tmp_path, "sys/devices/cpu_atom/cpus", "16-31 or so")
    assert "Intel" not in read_host(tmp_path).told_by


def test_a_virtual_machine_of_unknown_cpus_has_at_least_one() -> None:
    assert uniform_host(0).allowed == cpus("0")
    assert uniform_host(4).fast == cpus("0-3")


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system keeps no affinity")
def test_this_machine_is_what_the_kernel_says_we_may_use() -> None:
    host = read_host(may_use=affinity())
    assert host.allowed == frozenset(os.sched_getaffinity(0))
    assert usable() == len(host.allowed)
