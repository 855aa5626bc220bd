"""`python -m common.core_speed`: how fast one thread runs where this process runs, as one JSON line.

A fixed number of steps of integer arithmetic in the interpreter, in turns: CPU seconds and wall seconds of each.
CPU time leaves out what others took of the core; wall time shows how much that was.  It runs in any image of ours,
needs only the standard library and writes nothing; figures compare between equal Python builds only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time

from common.cpus import affinity, format_list, parse_list
from common.qos import CLASSES, current_qos, set_qos

STEPS = 300_000
"""One turn: about 20 ms on a fast core, many times a clock's resolution and less than a scheduler's patience."""

TURNS, TURNS_MAX = 5, 1_000
MASK = (1 << 61) - 1


def turn(steps: int = STEPS) -> tuple[float, float]:
    """CPU and wall seconds of one fixed piece of work."""
    wall_s, cpu_s = time.perf_counter(), time.thread_time()
    x = 1
    for _ in range(steps):
        x = (x * 69_069 + 12_345) & MASK
    if x <= 0:
        raise AssertionError(x)  # the work was needed: nothing may leave it out
    return time.thread_time() - cpu_s, time.perf_counter() - wall_s


def measured(turns: int) -> dict[str, object]:
    """What `main` prints; `cpus`: where this process may run, `ran_on`: where it did at the end ("" = unknown)."""
    turn()  # warm: caches, frequency
    timed = [turn() for _ in range(turns)]
    may_use = affinity()
    return {
        "cpus": "" if may_use is None else format_list(may_use), "ran_on": _ran_on(), "qos": current_qos(),
        "machine": platform.machine(), "python": platform.python_version(), "steps": STEPS, "turns": timed,
    }  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m common.core_speed")
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--cpus", default="", help="move there first (Linux)")
    parser.add_argument("--qos", choices=sorted(CLASSES), help="class of the thread (macOS)")
    parsed = parser.parse_args(argv)
    if not 0 < parsed.turns <= TURNS_MAX:
        parser.error(f"--turns {parsed.turns}: allowed is 1 to {TURNS_MAX}")
    if parsed.cpus:
        if not hasattr(os, "sched_setaffinity"):
            parser.error("--cpus: this system binds no process to CPUs")
        try:
            os.sched_setaffinity(0, parse_list(parsed.cpus))
        except (OSError, ValueError) as error:
            parser.error(f"--cpus {parsed.cpus}: {error}")
    if parsed.qos and not set_qos(parsed.qos):
        parser.error(f"--qos {parsed.qos}: this system has no such classes")
    sys.stdout.write(json.dumps(measured(parsed.turns)) + "\n")
    return 0


def _ran_on() -> str:
    """The CPU this thread last ran on (field 39 of /proc/self/stat)."""
    try:
        with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[36]
    except (OSError, IndexError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
