"""The CPUs of a Linux machine: which are online, which share a core, which are fast, which this process may use.

Read from `/sys` under any root folder, so that a made-up tree serves as well.  What the kernel does not tell stays
unknown: speed 0, and no CPU is called slow.  Nothing here is cached: CPUs come and go, and so do limits.

Sources: Documentation/ABI/testing/sysfs-devices-system-cpu (cpu_capacity, topology, cpufreq), sysfs-devices-hybrid
(cpu_core, cpu_atom) of the Linux kernel; a cpuset is part of the affinity that sched_getaffinity(2) returns.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

SCALE = 1024
"""Speed of the machine's fastest CPU; the kernel's own scale of cpu_capacity."""

FAST_SHARE = 0.85
"""A CPU is a performance one from this share of the fastest on. Measured pairs: favoured against plain cores of one
kind lie at 0.93-0.99, the next kind at 0.82 or below (cpufreq: A55 / A76, Gracemont / Golden Cove, Zen 5c / Zen 5)."""

NUMBER_MAX = 8191
"""Highest CPU number the kernel can be built for; a list beyond it is refused instead of filling memory."""

CPU_FOLDER = "sys/devices/system/cpu"


@dataclass(frozen=True)
class Cpu:
    """One online CPU. `core`: the lowest CPU of its physical core; `speed`: against SCALE, 0 = unknown."""

    number: int
    core: int
    speed: int


@dataclass(frozen=True)
class Host:
    """`fast`: performance CPUs, all of them when nothing tells CPUs apart; `told_by`: what did, "" = nothing."""

    cpus: tuple[Cpu, ...]
    allowed: frozenset[int]
    fast: frozenset[int]
    told_by: str = ""
    quota: float = 0.0  # CPUs' worth of time the control group grants, 0 = no limit

    @property
    def online(self) -> frozenset[int]:
        return frozenset(cpu.number for cpu in self.cpus)

    @property
    def is_alike(self) -> bool:
        """Whether all CPUs are of one kind, as far as the kernel tells."""
        return self.fast == self.online

    def speed(self, cpus: Iterable[int]) -> int:
        """Speed of the slowest of these CPUs, 0 when one is unknown or there are none."""
        wanted = frozenset(cpus)
        return min((cpu.speed for cpu in self.cpus if cpu.number in wanted), default=0)


def parse_list(text: str) -> frozenset[int]:
    """`0-3,8` as numbers, "" as none; raises ValueError for what the kernel would not write."""
    found: set[int] = set()
    for part in text.strip().split(",") if text.strip() else ():
        match = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", part.strip(), re.ASCII)
        if match is None:
            raise ValueError(f"{text[:40]!r} is no list of CPUs such as 0-3,8")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last > NUMBER_MAX:
            raise ValueError(f"{part!r}: CPUs are counted upwards, 0 to {NUMBER_MAX}")
        found.update(range(first, last + 1))
    return frozenset(found)


def format_list(cpus: Iterable[int]) -> str:
    """The shortest text that `parse_list` and container engines read: `0-3,8`."""
    runs: list[list[int]] = []
    for number in sorted(frozenset(cpus)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def affinity() -> frozenset[int] | None:
    """CPUs the calling thread may run on, cpusets included; None where the system keeps no such list (macOS)."""
    return frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def usable() -> int:
    """How many CPUs this process may use: what pools of threads and processes are sized by."""
    return len(affinity() or ()) or os.cpu_count() or 1


def read_host(root: Path = Path("/"), may_use: frozenset[int] | None = None) -> Host:
    """What the tree under `root` tells; `may_use` is the affinity of whom it is asked for, None = everything."""
    files = _Files(root)
    listed = files.cpus(f"{CPU_FOLDER}/online") or files.folders() or may_use or frozenset(range(os.cpu_count() or 1))
    allowed = listed if may_use is None else (listed & may_use) or may_use
    online = listed | allowed  # an affinity holds online CPUs only: where /sys says otherwise it is a masked one
    speeds, fast, told_by = _kinds(files, online)
    cpus = tuple(Cpu(n, files.core(n, online), speeds.get(n, 0)) for n in sorted(online))
    return Host(cpus, allowed, fast, told_by, files.quota())


def uniform_host(count: int) -> Host:
    """A machine of which only the number of CPUs is known: a container engine's virtual machine."""
    every = frozenset(range(max(count, 1)))
    return Host(tuple(Cpu(n, n, 0) for n in sorted(every)), every, every)


def _kinds(files: _Files, online: frozenset[int]) -> tuple[Mapping[int, int], frozenset[int], str]:
    """Speeds, the performance CPUs and what told them apart, the most direct source first."""
    capacity = _relative({n: files.number(f"{CPU_FOLDER}/cpu{n}/cpu_capacity") for n in online})
    highest = _relative({n: files.number(f"{CPU_FOLDER}/cpu{n}/cpufreq/cpuinfo_max_freq") for n in online})
    speeds = next((known for known in (capacity, highest) if _differ(known)), capacity or highest)
    performance = files.cpus("sys/devices/cpu_core/cpus") & online
    efficiency = files.cpus("sys/devices/cpu_atom/cpus") & online
    if performance and efficiency:
        return speeds, performance, "Intel's lists cpu_core and cpu_atom"
    fast = frozenset(n for n in online if speeds.get(n, SCALE) >= FAST_SHARE * SCALE)
    if fast == online:
        return speeds, online, ""
    return speeds, fast, "cpu_capacity" if _differ(capacity) else "the highest frequencies of cpufreq"


def _relative(values: Mapping[int, int]) -> Mapping[int, int]:
    """Against the largest one, which becomes SCALE; nothing when one is missing."""
    if not values or min(values.values()) <= 0:
        return {}
    largest = max(values.values())
    return {n: value * SCALE // largest for n, value in values.items()}


def _differ(speeds: Mapping[int, int]) -> bool:
    return len(set(speeds.values())) > 1


class _Files:
    """Small files under one root; a missing, unreadable or mangled one is as good as unknown."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def text(self, path: str) -> str:
        try:
            return (self._root / path).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return ""

    def cpus(self, path: str) -> frozenset[int]:
        try:
            return parse_list(self.text(path))
        except ValueError:
            return frozenset()

    def number(self, path: str) -> int:
        text = self.text(path)
        return int(text) if re.fullmatch(r"\d{1,12}", text, re.ASCII) else 0

    def folders(self) -> frozenset[int]:
        """CPUs by their folders, without those whose file `online` says 0."""
        names = (re.fullmatch(r"cpu(\d{1,4})", path.name) for path in (self._root / CPU_FOLDER).glob("cpu[0-9]*"))
        return frozenset(int(n[1]) for n in names if n and self.text(f"{CPU_FOLDER}/{n[0]}/online") != "0")

    def core(self, number: int, online: frozenset[int]) -> int:
        """The lowest online CPU of the same physical core; itself where topology is unknown."""
        folder = f"{CPU_FOLDER}/cpu{number}/topology"
        siblings = self.cpus(f"{folder}/thread_siblings_list") or self.cpus(f"{folder}/core_cpus_list")
        return min((siblings & online) | {number})

    def quota(self) -> float:
        """CPUs' worth of time the control group grants (v2, else v1), 0 = no limit."""
        limit, _, period = self.text("sys/fs/cgroup/cpu.max").partition(" ")
        if not limit:
            limit = self.text("sys/fs/cgroup/cpu/cpu.cfs_quota_us")
            period = self.text("sys/fs/cgroup/cpu/cpu.cfs_period_us")
        if not re.fullmatch(r"\d{1,12}", limit, re.ASCII) or not re.fullmatch(r"[1-9]\d{0,11}", period, re.ASCII):
            return 0.0
        return int(limit) / int(period)
