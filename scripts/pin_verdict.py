"""Did the pin reach fast cores?  Judged from speeds measured in rounds, with an interval, or left open; pure.

Every round measures the quoter's place and each other place one after the other, so a round's ratio is of one
moment.  The interval runs between two of the sorted ratios such that it holds the true median with at least 95 %,
whatever the noise looks like (the sign test: at 15 rounds the fourth lowest to the fourth highest, 96 %).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from common.cpus import Host, format_list

CLEAR = 0.10
"""Speeds nearer than this count as equal: the next kind of core is 20 % slower or more."""

KINDS_APART = 0.80
"""Host threads in the highest and lowest class must differ by more than that to serve as yardsticks."""

BUSY_SHARE = 0.80
"""Below this share of CPU time in wall time the core was shared while measuring."""

TAIL = 0.025

REACHED, OPEN, NOT_REACHED = "reached", "cannot be told", "not reached"


@dataclass
class Place:
    """Somewhere a thread ran. `speeds`: steps a CPU second, one a round; `kind`: see `judge`."""

    name: str
    kind: str
    cpus: frozenset[int] = frozenset()
    machine: str = ""
    speeds: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    said: str
    why: str

    @property
    def is_failure(self) -> bool:
        return self.said == NOT_REACHED


def ratio(mine: Place, other: Place) -> tuple[float, float, float]:
    """(median, low, high) of mine over other, round by round."""
    found = sorted(speed / other.speeds[n] for n, speed in enumerate(mine.speeds))
    left_out = outliers(len(found))
    return statistics.median(found), found[left_out], found[-1 - left_out]


def outliers(rounds: int) -> int:
    """How many ratios at either end lie outside the interval: as many as leave it at 95 % (none below 9 rounds)."""
    below, tail = 0, 0.0
    while (tail := tail + math.comb(rounds, below) / 2**rounds) <= TAIL:
        below += 1
    return max(below - 1, 0)


def judge(mine: Place, others: Sequence[Place], host: Host, machine: str) -> Verdict:
    """`others` by kind: `core` (same build, other CPUs), `host_fast` and `host_slow` (macOS, by class of service)."""
    if mine.machine != machine:
        return Verdict(OPEN, f"the quoter's image is for {mine.machine}, emulated on {machine}: set QUOTER_PLATFORM")
    if mine.cpus and not host.is_alike and not mine.cpus <= host.fast:
        slow = format_list(mine.cpus - host.fast)
        return Verdict(NOT_REACHED, f"it may run on CPU {slow}, no performance core")
    cores = [place for place in others if place.kind == "core"]
    for place in cores:
        middle, low, high = ratio(mine, place)
        if high < 1 - CLEAR:
            return Verdict(NOT_REACHED, f"{place.name} is faster: {_interval(middle, low, high)}")
    yardsticks = {place.kind: place for place in others}
    if "host_fast" in yardsticks and "host_slow" in yardsticks:
        return _by_yardsticks(mine, yardsticks["host_fast"], yardsticks["host_slow"])
    if "host_slow" in yardsticks:
        return _against_background(mine, yardsticks["host_slow"])
    if not cores:
        return Verdict(OPEN, "there is no other core to compare with")
    return _among_equals(mine, cores, host)


def _among_equals(mine: Place, cores: Sequence[Place], host: Host) -> Verdict:
    """No other core was clearly faster: is that enough?"""
    compared = [(place, *ratio(mine, place)) for place in cores]
    slowest = max(compared, key=lambda row: row[1])
    noisy = [row for row in compared if row[2] < 1 - CLEAR]
    if noisy:
        place, middle, low, high = noisy[0]
        return Verdict(OPEN, f"too noisy against {place.name}: {_interval(middle, low, high)}")
    if slowest[2] > 1 + CLEAR:
        return Verdict(REACHED, f"faster than {slowest[0].name}: {_interval(*slowest[1:])}")
    if host.is_alike or any(place.cpus & host.fast for place, *_ in compared):
        alike = "no core that was measured is faster"
        return Verdict(REACHED, f"{alike}: {_interval(*slowest[1:])} against {slowest[0].name}")
    return Verdict(OPEN, f"no faster than {slowest[0].name}, which should be slower: {_interval(*slowest[1:])}")


def _by_yardsticks(mine: Place, fast: Place, slow: Place) -> Verdict:
    """Between the host's own fast and slow threads: which is the container nearer to (in ratios)?"""
    gap, _, gap_high = ratio(slow, fast)
    if gap_high > KINDS_APART:
        return Verdict(OPEN, f"the host's own classes of service differ too little: {gap:.2f}")
    middle, low, high = ratio(mine, fast)
    border = math.sqrt(gap)
    said = REACHED if low > border else NOT_REACHED if high < border else OPEN
    text = f"{_interval(middle, low, high)} of a performance core, an efficiency core has {gap:.2f}"
    return Verdict(said, f"{text} (the host's Python is another build: an estimate)")


def _against_background(mine: Place, slow: Place) -> Verdict:
    """A process of the highest class on macOS: faster than one that is kept on efficiency cores?"""
    middle, low, high = ratio(mine, slow)
    text = f"{_interval(middle, low, high)} against the lowest class of service"
    if low > 1 + CLEAR:
        return Verdict(REACHED, f"faster than an efficiency core: {text}")
    return Verdict(OPEN, f"the classes of service do not show kinds of cores: {text}")


def notes(mine: Place, host: Host) -> list[str]:
    """What a reader should know of the measurement besides the verdict."""
    found = []
    if mine.cpus and mine.cpus == host.online and len(mine.cpus) > 1:
        found.append("it is not pinned: it may use every CPU")
    if mine.busy and statistics.median(mine.busy) < BUSY_SHARE:
        found.append(f"its core was shared: it ran {statistics.median(mine.busy):.0%} of the time it wanted to")
    return found


def _interval(middle: float, low: float, high: float) -> str:
    return f"x{middle:.2f} [{low:.2f}, {high:.2f}]"
