"""Virtual time: what is due is done in one order, and what travels arrives when its hop says.

Nothing here knows what a message is. Due work is ordered by (time, rank, number given): ranks are `timing.py`'s, the
number rises with every call to `at`, so equal input gives equal order. A hop is asked at every journey (`Hops`): the
steady one delays by what `Timing` says; another may drop, double or delay by a seed. Times in ns of market time.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Protocol, TypeAlias

Due: TypeAlias = tuple[int, int, int, Callable[..., None], tuple[Any, ...]]

NEVER_NS = 2**63 - 1


class Hops(Protocol):
    """One decision a journey: `line` is "from>to what", it leaves at `sent_ns` and takes `takes_ns` undisturbed."""

    def arrivals(self, line: str, sent_ns: int, takes_ns: int) -> tuple[int, ...]:
        """When it arrives: once as a rule, never when it is lost, twice when it is doubled."""


class Steady:
    """Every journey takes what `Timing` says."""

    def arrivals(self, line: str, sent_ns: int, takes_ns: int) -> tuple[int, ...]:
        return (sent_ns + takes_ns,)


class Loop:
    """The heap of what is due; `now_ns` is the present."""

    def __init__(self, begin_ns: int, hops: Hops) -> None:
        self.now_ns = begin_ns
        self.done = 0
        self._hops = hops
        self._number = 0
        self._due: list[Due] = []

    def at(self, t_ns: int, rank: int, call: Callable[..., None], *arguments: Any) -> None:
        """Do it then; never in the past."""
        self._number += 1
        heappush(self._due, (max(t_ns, self.now_ns), rank, self._number, call, arguments))

    def travel(self, line: str, takes_ns: int, rank: int, call: Callable[..., None], *arguments: Any) -> None:
        """Do it at the other end of a hop that begins now."""
        for t_ns in self._hops.arrivals(line, self.now_ns, takes_ns):
            self.at(t_ns, rank, call, *arguments)

    def every(self, period_ns: int, first_ns: int, rank: int, call: Callable[[], None]) -> None:
        """Do it again and again, the first time at `first_ns`."""

        def turn() -> None:
            self.at(self.now_ns + period_ns, rank, turn)
            call()

        self.at(first_ns, rank, turn)

    @property
    def next_ns(self) -> int:
        return self._due[0][0] if self._due else NEVER_NS

    def step(self) -> None:
        """The next thing that is due."""
        t_ns, _, _, call, arguments = heappop(self._due)
        self.now_ns = t_ns
        self.done += 1
        call(*arguments)
