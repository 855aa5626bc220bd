"""`python -m scripts.cores env | show | pin-check`: performance cores for the quoter, the rest for the others.

`env` prints QUOTER_PLATFORM, QUOTER_CPUSET and OTHERS_CPUSET for compose, `show` the same with its reasons,
`pin-check` measures whether the quoter's container really runs on fast cores (`scripts/pin_check.py`).  The three
names in the environment are taken as wishes and checked.  Only the standard library is needed, no container engine.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Mapping

from common.cpus import affinity, read_host, uniform_host
from common.errors import EXIT_CONFIG, EXIT_OK, ConfigError
from scripts.core_plan import PLATFORMS, Plan, asked_for, plan_cores, platform_of
from scripts.mac_cores import KEYS, in_words, parse_sysctl
from scripts.pin_check import pin_check
from scripts.seen import Seen

ASK_S = 20.0
"""A container engine that has just been started answers late."""

CORES_MAX = 64


def main(argv: list[str] | None = None) -> int:
    """Exit code 0; 78 for CPUs or an architecture that cannot be used; 1 when `pin-check` finds slow cores."""
    parser = argparse.ArgumentParser(prog="python -m scripts.cores", description=__doc__)
    parser.add_argument("verb", choices=("env", "show", "pin-check"))
    parser.add_argument(
        "--cores", type=int, default=0, help="whole cores for the quoter; 0: one, two on large machines"
    )
    parser.add_argument("--native", action="store_true", help="pin-check: measure processes instead of containers")
    parsed = parser.parse_args(argv)
    try:
        if not 0 <= parsed.cores <= CORES_MAX:
            raise ConfigError(f"--cores {parsed.cores}: allowed is 0 to {CORES_MAX}")
        seen = look()
        plan, where = decide(seen, parsed.cores, dict(os.environ))
    except ConfigError as error:
        sys.stderr.write(f"cores: {error}\n")
        return EXIT_CONFIG
    if parsed.verb == "pin-check":
        return pin_check(seen, plan, native=parsed.native)
    if parsed.verb == "show":
        sys.stdout.writelines(f"# {reason}\n" for reason in (*seen.words, *plan.reasons))
    sys.stdout.write(plan.lines(where))
    return EXIT_OK


def look() -> Seen:
    """This machine and its container engine, as they are now."""
    engine_cpus, engine_system = _engine()
    if sys.platform == "darwin":
        mac = parse_sysctl(_output(["sysctl", *KEYS]))
        return Seen(uniform_host(engine_cpus), mac.machine, engine_cpus, in_words(mac, engine_cpus), is_virtual=True)
    if "Docker Desktop" in engine_system:
        words = f"containers run in a virtual machine with {engine_cpus} CPUs, not bound to cores of this machine"
        return Seen(uniform_host(engine_cpus), platform.machine(), engine_cpus, (words,), is_virtual=True)
    host = read_host(may_use=affinity())
    told = []
    if 0 < engine_cpus < len(host.online):
        told.append(f"the container engine itself may use only {engine_cpus} CPUs")
    return Seen(host, platform.machine(), engine_cpus, tuple(told), is_virtual=False)


def decide(seen: Seen, cores: int, environ: Mapping[str, str]) -> tuple[Plan, str]:
    """The plan and the images' platform, wishes of the environment included; raises ConfigError."""
    wish = environ.get("QUOTER_PLATFORM", "")
    if wish and wish not in PLATFORMS.values():
        raise ConfigError(f"QUOTER_PLATFORM = {wish[:40]!r}: allowed are {', '.join(sorted(set(PLATFORMS.values())))}")
    plan = plan_cores(seen.host, cores)
    plan = asked_for(seen.host, plan, environ.get("QUOTER_CPUSET", ""), environ.get("OTHERS_CPUSET", ""))
    return plan, wish or platform_of(seen.machine)


def _engine() -> tuple[int, str]:
    """How many CPUs the container engine has and what it runs on; (0, "") when none answers."""
    count, _, system = _output(["docker", "info", "-f", "{{.NCPU}} {{.OperatingSystem}}"]).strip().partition(" ")
    return (int(count), system) if count.isdecimal() else (0, "")


def _output(command: list[str]) -> str:
    """What a command wrote, also when it ended with an error; "" when it is missing or does not end."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASK_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
