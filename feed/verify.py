"""What a raw recording holds and what it lacks: frames, span, gaps, and every damage with its offset.

Decides what counts as whole: a file that ends with its END frame and has no damage. A torn tail (the feed was killed,
or is still writing) costs its last frame and is told, but is no fault of the file; anything else is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from common.clock import NS
from common.frames import BINARY, CLOSED, END, FACTS, LOST, OPENED, TEXT, Damage, Record, read
from feed.engine import DATA_AGE_S_MAX, DEEP_AGE_S_MAX

SILENCE_S = {"main": DATA_AGE_S_MAX}
"""No message on a link for longer than this is a gap: as long as the feed itself waits before it gives the link up."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Receive times between which a link said nothing that was kept; `why`: silent, closed, lost."""

    link: str
    from_t_ns: int
    to_t_ns: int
    why: str
    messages: int = 0


@dataclass(slots=True)
class Report:
    """One file, looked at from its first byte to its last."""

    path: Path
    bytes: int
    coin: str = ""
    frames: int = 0
    messages: int = 0
    first_t_ns: int = 0
    last_t_ns: int = 0
    closed: bool = False
    gaps: list[Gap] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)

    @property
    def is_damaged(self) -> bool:
        return any(damage.reason != "torn" for damage in self.damages)


def verify(path: Path) -> Report:
    """Read a whole file; raises OSError when it cannot be read at all."""
    data = path.read_bytes()
    report = Report(path, len(data))
    gaps = _Gaps(report.gaps)
    for item in read(data):
        if isinstance(item, Damage):
            report.damages.append(item)
            continue
        report.frames += 1
        report.closed = item.kind == END
        if item.kind == FACTS:
            report.coin = str(item.facts.get("coin", ""))
        for record in item.records:
            report.messages += record.kind in (TEXT, BINARY)
            report.first_t_ns = report.first_t_ns or record.recv_t_ns
            report.last_t_ns = record.recv_t_ns
            gaps.on(record)
    return report


class _Gaps:
    """Finds them link by link, in the order of the recording."""

    def __init__(self, found: list[Gap]) -> None:
        self._found = found
        self._last: dict[str, tuple[int, bool]] = {}  # when a link was heard last, and whether it was closed then

    def on(self, record: Record) -> None:
        t_ns, is_closed = self._last.get(record.link, (record.recv_t_ns, False))
        silent = record.recv_t_ns - t_ns
        if record.kind == OPENED and is_closed:
            self._found.append(Gap(record.link, t_ns, record.recv_t_ns, "closed"))
        elif record.kind == LOST:
            self._found.append(Gap(record.link, t_ns, record.recv_t_ns, "lost", int(record.body)))
        elif silent > SILENCE_S.get(record.link, DEEP_AGE_S_MAX) * NS and not is_closed:
            self._found.append(Gap(record.link, t_ns, record.recv_t_ns, "silent"))
        self._last[record.link] = (record.recv_t_ns, record.kind == CLOSED)


def lines(report: Report) -> Iterator[str]:
    """The report for people: one line for the file, one for each gap and damage."""
    span = f"{_time(report.first_t_ns)} .. {_time(report.last_t_ns)}" if report.messages else "nothing"
    state = "closed" if report.closed else "not closed (killed, or still being written)"
    yield (
        f"{report.path}: {report.coin or 'market unknown'}, {report.frames} frames, {report.messages} messages, "
        f"{span}, {state}"
    )
    for gap in report.gaps:
        lost = f", {gap.messages} messages not recorded" if gap.messages else ""
        seconds = (gap.to_t_ns - gap.from_t_ns) / NS
        yield f"{report.path}: gap of {seconds:.1f} s on {gap.link} from {_time(gap.from_t_ns)} ({gap.why}{lost})"
    for damage in report.damages:
        lost = "" if damage.frames < 0 else f", {damage.frames} frames lost"
        yield f"{report.path}: {damage.reason} at offset {damage.offset}, {damage.length} bytes{lost}"


def _time(t_ns: int) -> str:
    return datetime.fromtimestamp(t_ns / NS, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
