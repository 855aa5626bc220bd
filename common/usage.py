"""What this process uses of the machine: processor time and memory, measured when somebody asks for /metrics.

From `getrusage`, which Linux and macOS share. Memory that is in RAM *now* only Linux tells without a library, so it is
exported there alone; the most there ever was is exported on both.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from common import metrics

STATM = Path("/proc/self/statm")
PEAK_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024
"""`ru_maxrss` is in bytes on macOS and in KiB elsewhere (getrusage(2) of either)."""


def show(statm: Path = STATM) -> None:
    """Set the gauges and bring the counter of processor time up to now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = used.ru_utime + used.ru_stime
    told_s = metrics.value("amm_process_cpu_seconds_total")
    metrics.count("amm_process_cpu_seconds_total", max(cpu_s - told_s, 0.0))
    metrics.set("amm_process_resident_peak_bytes", float(used.ru_maxrss * PEAK_UNIT_BYTES))
    if statm.exists():
        metrics.set("amm_process_resident_bytes", float(resident_bytes(statm.read_text("ascii"))))


def resident_bytes(statm: str) -> int:
    """The second field of /proc/self/statm, pages, in bytes."""
    return int(statm.split()[1]) * resource.getpagesize()
