"""`make pin-check [NATIVE=1]`: measure one thread inside the quoter's container and on other cores, then judge.

Inside, the measurement is started with `docker exec`, so it runs where the quoter runs; elsewhere it is a container
of the same image on one other CPU each, one fast and one slow where there are both.  Without an engine or a running
quoter, and with NATIVE=1, processes of this machine take their places; that is said.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from common.cpus import Host, affinity, format_list, parse_list, read_host
from common.errors import EXIT_FAULT, EXIT_OK
from scripts.core_plan import Plan, physical_cores, plan_cores
from scripts.pin_verdict import Place, judge, notes
from scripts.seen import Seen

PROJECT = "amm500"
ROUNDS = 15
RUN_S = 60.0
ROOT = Path(__file__).resolve().parent.parent
MODULE = "common.core_speed"
Run = Callable[[], dict[str, Any]]


class NotMeasured(Exception):
    """A place could not be measured; the text says why."""


def pin_check(seen: Seen, plan: Plan, *, native: bool, rounds: int = ROUNDS) -> int:
    """Print each place's speed and the verdict; 1 when the quoter is on slow cores, 0 otherwise."""
    container = "" if native else _quoter_container()
    if not container:
        why = "as asked" if native else "no engine answers" if not seen.engine_cpus else "no quoter's container runs"
        _say(f"measuring processes instead of containers ({why})")
    host = seen.host if container or sys.platform == "darwin" else read_host(may_use=affinity())
    try:
        mine, others = _in_containers(container, seen, host) if container else _as_processes(host, plan, seen)
        measure([mine, *others], rounds)
    except NotMeasured as error:
        _say(f"verdict: cannot be told: {error}")
        return EXIT_OK
    place = mine[0]
    for each, _ in (mine, *others):
        _say(f"  {each.name}: {statistics.median(each.speeds) / 1e6:.2f} million steps a CPU second")
    verdict = judge(place, [each for each, _ in others], host, seen.machine)
    for note in notes(place, host):
        _say(f"note: {note}")
    _say(f"verdict: {verdict.said}: {verdict.why}")
    return EXIT_FAULT if verdict.is_failure else EXIT_OK


def measure(places: Sequence[tuple[Place, Run]], rounds: int) -> None:
    """One run a place and round, the places of a round one after the other; raises NotMeasured."""
    for _ in range(rounds):
        for place, run in places:
            take(place, run())


def take(place: Place, answer: dict[str, Any]) -> None:
    """One run's figures into its place: its fastest turn, since what disturbs only slows; raises NotMeasured."""
    try:
        turns = [(float(cpu_s), float(wall_s)) for cpu_s, wall_s in answer["turns"]]
        place.speeds.append(answer["steps"] / min(cpu_s for cpu_s, _ in turns))
        place.busy.append(sum(cpu_s for cpu_s, _ in turns) / sum(wall_s for _, wall_s in turns))
        place.cpus, place.machine = parse_list(answer["cpus"]), str(answer["machine"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise NotMeasured(f"{place.name} gave no figures ({type(error).__name__}: {error})") from None


def references(host: Host, mine: frozenset[int]) -> list[int]:
    """CPUs to compare with, off the quoter's physical cores: the fastest left, and the slowest if of another kind."""
    taken = frozenset[int]().union(*(group for group in physical_cores(host, host.online) if group & mine))
    left = sorted(host.allowed - taken, key=lambda number: (number not in host.fast, -host.speed((number,)), number))
    if len(left) > 1 and left[0] in host.fast and left[-1] not in host.fast:
        return [left[0], left[-1]]
    return left[:1]


def _in_containers(container: str, seen: Seen, host: Host) -> tuple[tuple[Place, Run], list[tuple[Place, Run]]]:
    inside = _command(["docker", "exec", container, "python", "-m", MODULE])
    image = _text(["docker", "inspect", "-f", "{{.Image}}", container])
    start = ["docker", "run", "--rm", "--network", "none", "--read-only", "--entrypoint", "python"]
    cpus = parse_list(str(inside().get("cpus", "")))
    others = [
        (Place(f"{_kind(host, n)} CPU {n}", "core"), _command([*start, "--cpuset-cpus", str(n), image, "-m", MODULE]))
        for n in references(host, cpus)
    ]
    where = f"the quoter's container (CPU {format_list(cpus)})"
    return (Place(where, "quoter"), inside), [*others, *(_classes() if seen.is_virtual else [])]


def _as_processes(host: Host, plan: Plan, seen: Seen) -> tuple[tuple[Place, Run], list[tuple[Place, Run]]]:
    if sys.platform == "darwin":
        fast, slow = _classes()
        return (Place("a process of the highest class", "quoter"), fast[1]), [slow]
    cpus = (plan if not seen.is_virtual else plan_cores(host)).quoter
    others = [(Place(f"{_kind(host, n)} CPU {n}", "core"), _here("--cpus", str(n))) for n in references(host, cpus)]
    where = f"a process where the quoter would be (CPU {format_list(cpus)})"
    return (Place(where, "quoter"), _here("--cpus", format_list(cpus))), others


def _classes() -> list[tuple[Place, Run]]:
    """macOS: this machine's own threads on performance and on efficiency cores."""
    if sys.platform != "darwin":
        return []
    return [
        (Place("the host, highest class of service", "host_fast"), _here("--qos", "user_interactive")),
        (Place("the host, lowest class of service", "host_slow"), _here("--qos", "background")),
    ]


def _kind(host: Host, number: int) -> str:
    return "other" if host.is_alike else "performance" if number in host.fast else "slower"


def _quoter_container() -> str:
    """The running container of our compose project, "" when there is none."""
    labels = ("service=quoter", f"project={os.environ.get('COMPOSE_PROJECT_NAME') or PROJECT}")
    filters = [word for label in labels for word in ("--filter", f"label=com.docker.compose.{label}")]
    try:
        found = _text(["docker", "ps", "-q", *filters])
    except NotMeasured:
        return ""
    return found.partition("\n")[0]


def _here(*arguments: str) -> Run:
    return _command([sys.executable, "-m", MODULE, *arguments])


def _command(command: list[str]) -> Run:
    def run() -> dict[str, Any]:
        try:
            answer = json.loads(_text(command))
        except ValueError as error:
            raise NotMeasured(f"`{' '.join(command[:3])}` did not answer in JSON: {error}") from None
        if not isinstance(answer, dict):
            raise NotMeasured(f"`{' '.join(command[:3])}` gave no figures")
        return answer

    return run


def _text(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=True, cwd=ROOT)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotMeasured(f"`{' '.join(command[:3])}`: {type(error).__name__}") from None
    except subprocess.CalledProcessError as error:
        raise NotMeasured(f"`{' '.join(command[:3])}`: {str(error.stderr).strip()[-200:]}") from None
    return done.stdout.strip()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit("run it as: make pin-check")
