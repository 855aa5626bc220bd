"""Made-up `/sys` trees and `sysctl` outputs of machines we do not have; figures as those machines report them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from common.cpus import format_list

CPU = "sys/devices/system/cpu"

M4_MINI = """hw.optional.arm64: 1
hw.physicalcpu: 10
machdep.cpu.brand_string: Apple M4
hw.perflevel0.logicalcpu: 4
hw.perflevel0.name: Performance
hw.perflevel1.logicalcpu: 6
hw.perflevel1.name: Efficiency
"""
M4_PRO = M4_MINI.replace("Apple M4", "Apple M4 Pro").replace("cpu: 10", "cpu: 14").replace("cpu: 4", "cpu: 10")
M4_PRO = M4_PRO.replace("perflevel1.logicalcpu: 6", "perflevel1.logicalcpu: 4")
INTEL_MAC = "hw.physicalcpu: 8\nmachdep.cpu.brand_string: Intel(R) Core(TM) i9-9980HK CPU @ 2.40GHz\n"


def put(root: Path, path: str, text: object) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{text}\n", encoding="utf-8")


def machine(
    root: Path,
    cpus: Iterable[int],
    *,
    capacity: Mapping[int, int] | None = None,
    khz: Mapping[int, int] | None = None,
    siblings: Callable[[int], Iterable[int]] = lambda number: (number,),
) -> Path:
    """A tree with these CPUs online; `siblings` gives the CPUs of one's physical core."""
    online = sorted(cpus)
    put(root, f"{CPU}/online", format_list(online))
    for number in online:
        group = frozenset(siblings(number)) & frozenset(online)
        put(root, f"{CPU}/cpu{number}/topology/thread_siblings_list", format_list(group))
        if capacity:
            put(root, f"{CPU}/cpu{number}/cpu_capacity", capacity[number])
        if khz:
            put(root, f"{CPU}/cpu{number}/cpufreq/cpuinfo_max_freq", khz[number])
    return root


def rk3588(root: Path) -> Path:
    """Four A55 and four A76 (two clusters, binned a little apart), with cpu_capacity."""
    capacity = {n: 530 if n < 4 else 1024 if n < 6 else 1006 for n in range(8)}
    return machine(root, range(8), capacity=capacity, khz={n: 1_800_000 if n < 4 else 2_400_000 for n in range(8)})


def intel_hybrid(root: Path) -> Path:
    """Eight P-cores with two threads each (two of them favoured), sixteen E-cores."""
    khz = {n: 5_700_000 if n in (8, 9, 10, 11) else 5_400_000 if n < 16 else 4_300_000 for n in range(32)}
    machine(root, range(32), khz=khz, siblings=lambda n: (n & ~1, n | 1) if n < 16 else (n,))
    put(root, "sys/devices/cpu_core/cpus", "0-15")
    put(root, "sys/devices/cpu_atom/cpus", "16-31")
    return root


def server(root: Path, cores: int = 8, *, smt: bool = True) -> Path:
    """A plain server: all alike; with SMT, CPU n and n + cores share a core."""
    count = cores * (2 if smt else 1)
    return machine(
        root,
        range(count),
        khz=dict.fromkeys(range(count), 3_500_000),
        siblings=lambda n: (n % cores, n % cores + cores),
    )
