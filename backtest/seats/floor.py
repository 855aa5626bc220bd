"""What all seats stand on, and their jobs: work of several steps that waits for the venue or for time.

A *job* is a generator that yields what it waits for (`Sleep`, `Ask`, `Act`) and is sent the answer; so what a shell
writes as a coroutine reads alike here, in virtual time. Times ns.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from backtest.seats.loop import Loop
from backtest.seats.streams import Streams
from backtest.seats.venue import VenueSeat
from backtest.timing import BETWEEN, FROM_VENUE, TIMERS, Timing
from common.config import Settings
from common.hyperliquid import decode
from common.killfile import Kill

MONO_NS = 10**12
"""Machine time at the start: no engine takes it for "never"."""
BUILD = "world"


@dataclass(slots=True)
class Floor:
    """`note` writes to the world's log; `kill` is the kill file that all watch; `timing` is in market time."""

    settings: Settings
    timing: Timing
    loop: Loop
    streams: Streams
    venue: VenueSeat
    begin_ns: int
    config_hash: str
    note: Callable[[str, bytes], None]
    rate: float
    """Market seconds a machine second."""
    kill: Kill | None = None
    session_offset_ns: int = 0

    def mono_ns(self) -> int:
        passed_ns = self.loop.now_ns - self.begin_ns
        return MONO_NS + (passed_ns if self.rate == 1.0 else int(passed_ns / self.rate))

    def market_ns(self, machine_ns: int) -> int:
        """Market time that passes in so much machine time."""
        return round(machine_ns * self.rate)


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait so long, ns of machine time."""

    ns: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the venue's `/info`; the answer as typed by `decoder` comes back."""

    question: dict[str, Any]
    decoder: Any


@dataclass(frozen=True, slots=True)
class Act:
    """Send the body of an action; the answer's bytes come back."""

    body: bytes


Job: TypeAlias = Generator[Sleep | Ask | Act, Any, None]


class Jobs:
    """The jobs of one seat, and its way to the venue."""

    def __init__(self, floor: Floor, name: str) -> None:
        self._floor = floor
        self._name = name

    def start(self, job: Job) -> None:
        """Run a job to its first wait."""
        self._go_on(job, None)

    def act(self, body: bytes, answered: Callable[[bytes], None]) -> None:
        """An action leaves us once it is on disk and signed; its answer is an event like any other."""
        floor, name = self._floor, self._name
        floor.note(f"{name}>venue", body)

        def reply(raw: bytes) -> None:
            floor.loop.travel(f"venue>{name} reply", 0, FROM_VENUE, answered, raw)

        floor.loop.travel(f"{name}>venue action", floor.timing.journal_ns, BETWEEN, floor.venue.act, body, reply)

    def _go_on(self, job: Job, answer: Any) -> None:
        try:
            wanted = job.send(answer)
        except StopIteration:
            return
        loop = self._floor.loop
        match wanted:
            case Sleep():
                loop.at(loop.now_ns + self._floor.market_ns(wanted.ns), TIMERS, self._go_on, job, None)
            case Ask():
                there_ns = self._floor.timing.info_ns // 2
                loop.travel(f"{self._name}>venue info", there_ns, BETWEEN, self._asked, job, wanted)
            case Act():
                self.act(wanted.body, lambda raw: self._go_on(job, raw))

    def _asked(self, job: Job, wanted: Ask) -> None:
        """The question is at the venue: its answer is of this moment."""
        raw = self._floor.venue.ask(msgspec.json.encode(wanted.question))
        back_ns = self._floor.timing.info_ns - self._floor.timing.info_ns // 2
        self._floor.loop.travel(f"venue>{self._name} info", back_ns, BETWEEN, self._heard, job, raw, wanted.decoder)

    def _heard(self, job: Job, raw: bytes, decoder: Any) -> None:
        self._go_on(job, decode(raw, decoder))
