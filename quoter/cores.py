"""Which CPUs the quoter got: looked up once at the start, shown as metrics and as one line in the log.

Linux tells where the process may run; macOS keeps no such list, and inside its virtual machine all CPUs look alike,
so there a pin says only that other containers are kept away (`make pin-check` measures the rest).
"""

from __future__ import annotations

from dataclasses import dataclass

from common import metrics
from common.cpus import Host, affinity, format_list, read_host
from common.log import get_log
from common.qos import current_qos

LABEL_MAX = 64
"""Characters of a list that still fit a label; a longer one is told by its length."""

log = get_log("cores")


@dataclass(frozen=True)
class Got:
    """`cpus`: as a list, "unknown" where it cannot be read; `capacity`: the slowest's, 1024 = the host's fastest."""

    cpus: str
    pinned: bool
    capacity: int
    why: str


def judged(host: Host, may_use: frozenset[int] | None) -> Got:
    """Pinned means: fewer CPUs than the host has, and only performance ones as far as the kernel tells."""
    if may_use is None:
        return Got("unknown", False, 0, "this system tells no process where it may run")
    text = format_list(may_use)
    cpus = text if len(text) <= LABEL_MAX else f"{len(may_use)} CPUs"
    capacity = host.speed(may_use)
    if may_use >= host.online:
        return Got(cpus, False, capacity, "it may run on every CPU")
    if slow := may_use - host.fast:
        return Got(cpus, False, capacity, f"not only performance CPUs: {format_list(slow)[:LABEL_MAX]}")
    return Got(cpus, True, capacity, "all CPUs look alike here" if host.is_alike else f"told by {host.told_by}")


def show_cores() -> Got:
    """Look, export and log; called once, before the service is ready."""
    may_use = affinity()
    got = judged(read_host(may_use=may_use), may_use)
    metrics.set("amm_quoter_cpu_pinned", float(got.pinned))
    metrics.set("amm_quoter_cpu_capacity", got.capacity)
    metrics.set("amm_quoter_cpus_info", 1.0, cpus=got.cpus)
    log.info(
        "cpus_seen", cpus=got.cpus, pinned=got.pinned, capacity=got.capacity, why=got.why, qos=current_qos() or None
    )
    return got
