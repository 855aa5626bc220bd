"""What a Mac tells of its cores, and what that means for containers, which live in a virtual machine there.

macOS offers no hard affinity: neither a process nor a virtual CPU can be bound to a core.  A cpuset inside the
virtual machine keeps services apart from each other; which kind of core runs a virtual CPU is macOS' choice.
Source: Apple, "Determining system capabilities" (hw.perflevelN: lower N, faster cores).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

KEYS = (
    "hw.optional.arm64", "hw.physicalcpu", "machdep.cpu.brand_string", "hw.perflevel0.logicalcpu", "hw.perflevel0.name",
    "hw.perflevel1.logicalcpu", "hw.perflevel1.name",
)  # fmt: skip


@dataclass(frozen=True)
class Mac:
    """`efficiency` is 0 where all cores are of one kind (Intel); `machine` is the chip's, also under Rosetta."""

    chip: str
    performance: int
    efficiency: int
    machine: str


def parse_sysctl(text: str) -> Mac:
    """The `key: value` lines of `sysctl KEYS`; keys that this Mac does not know are left out of them."""
    found = dict(re.findall(r"^([a-z0-9_.]+): (.+)$", text, re.MULTILINE))
    fast = _count(found.get("hw.perflevel0.logicalcpu", "")) or _count(found.get("hw.physicalcpu", ""))
    slow = _count(found.get("hw.perflevel1.logicalcpu", ""))
    is_arm = found.get("hw.optional.arm64", "").strip() == "1"
    return Mac(found.get("machdep.cpu.brand_string", "unknown chip")[:60], fast, slow, "arm64" if is_arm else "x86_64")


def in_words(mac: Mac, engine_cpus: int) -> tuple[str, ...]:
    """What can be said of a virtual machine with so many CPUs; 0 = no engine answered."""
    told = [
        f"{mac.chip}: {mac.performance or 'an unknown number of'} performance and {mac.efficiency} efficiency cores"
    ]
    if not engine_cpus:
        return (
            *told,
            "no container engine answers: how many CPUs its virtual machine has is unknown, CPU 0 is assumed",
        )
    told.append(f"containers run in a virtual machine with {engine_cpus} CPUs, which macOS binds to no core")
    if mac.performance and mac.efficiency:
        if engine_cpus > mac.performance:
            told.append(
                f"more than there are performance cores, so some run on efficiency cores when busy: "
                f"give the virtual machine at most {mac.performance} (Docker Desktop: Settings, Resources, CPU limit)"
            )
        else:
            told.append("no more than there are performance cores: macOS can keep them all there, but promises nothing")
    told.append("`make up NATIVE_QUOTER=1` runs the quoter on the host instead, at the highest quality of service")
    return tuple(told)


def _count(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,4}", text.strip(), re.ASCII) else 0
