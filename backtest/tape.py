"""Recorded files as one run of columns for the compiled loop.

Decides which files a span needs: the one it begins in, those up to its end, and one more before, so that features are
warm when quoting begins. What a file may hold is decided by simvenue's reader, which also says what it shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from common.errors import ConfigError
from common.kernel import istate
from simvenue.recorded.recording import REMEMBERED, load

TAIL_NS = 310 * 10**9
"""Markouts look so far beyond the last quote."""
GRID_ROWS = 1 << 16
EVERYTHING = 2**40
"""More levels than a side can have."""


def _no_times() -> Any:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Context:
    """What a recording says of its market's prices, row k from `t_ns[k]` on; px_u, funding per hour as a fraction.

    No rows: the recording has none, and oracle, mark and funding are derived.
    """

    t_ns: Any = field(default_factory=_no_times)
    oracle_px_u: Any = field(default_factory=_no_times)
    mark_px_u: Any = field(default_factory=_no_times)
    funding_1h: Any = field(default_factory=lambda: np.zeros(0, np.float64))

    def between(self, first_t_ns: int, last_t_ns: int) -> Context:
        """What holds within the span: the row it begins with, and those up to its end."""
        first = max(int(np.searchsorted(self.t_ns, first_t_ns, "right")) - 1, 0)
        rows = slice(first, int(np.searchsorted(self.t_ns, last_t_ns, "right")))
        return Context(self.t_ns[rows], self.oracle_px_u[rows], self.mark_px_u[rows], self.funding_1h[rows])


@dataclass(frozen=True, slots=True)
class Seen:
    """A stream of our own, beside the venue's: columns as a tape's, instant k reaches us at `told_ns[k]`.

    Nothing overtakes: `told_ns` never falls (`as_told`).
    """

    what: Any
    px_u: Any
    sz_u: Any
    stamp_ns: Any
    begin: Any
    told_ns: Any
    lag_ns: int | None = None  # the tape's own rows, levels and prints alone: told 0 .. lag_ns late; None = others


@dataclass(frozen=True, slots=True)
class Tape:
    """int64 columns; instant k is rows `begin[k] .. begin[k + 1]` at `stamp_ns[k]`; 1 in `begins_file` = a new file.

    `local_ns[k]` is when the recorder received instant k, by its own clock; empty where that is not known.
    """

    names: tuple[str, ...]
    what: Any
    px_u: Any
    sz_u: Any
    stamp_ns: Any
    begin: Any
    begins_file: Any
    visible: int
    context: Context = field(default_factory=Context)
    local_ns: Any = field(default_factory=_no_times)
    seen: Seen | None = None  # None: we see the venue's own rows
    grid: tuple[int, int, int] | None = None  # lowest, highest and step of its prices (`grid_of`); None: not known yet

    @property
    def kept(self) -> int:
        """Levels a side that are believed; a tape that shows everything (`visible` 0) forgets nothing."""
        return self.visible + REMEMBERED if self.visible > 0 else EVERYTHING


def read_tape(paths: Sequence[Path], sz_decimals: int) -> Tape:
    """All files in the order given; raises BadRecording, or ConfigError when they do not follow each other."""
    parts = [load(path, sz_decimals) for path in paths]
    stamps = [np.array(part.stamp_ns, np.int64) for part in parts]
    for k in range(1, len(parts)):
        if stamps[k][0] < stamps[k - 1][-1]:
            raise ConfigError(f"{paths[k].name} begins before {paths[k - 1].name} ends")
    offsets = np.cumsum([0, *(len(part.what) for part in parts)])
    begin = [np.array(part.begin[:-1], np.int64) + offset for part, offset in zip(parts, offsets[:-1], strict=True)]
    begins_file = [np.zeros(len(stamp), np.int64) for stamp in stamps]
    for flags in begins_file:
        flags[0] = 1
    return Tape(
        tuple(path.name for path in paths),
        np.concatenate([part.what for part in parts]),
        np.concatenate([part.px_u for part in parts]),
        np.concatenate([part.sz_u for part in parts]),
        np.concatenate(stamps),
        np.concatenate([*begin, offsets[-1:]]).astype(np.int64),
        np.concatenate(begins_file),
        max(part.visible for part in parts),
    )


def as_told(times_ns: Any) -> Any:
    """Times at which instants reach us: none before the one it follows."""
    told = istate(len(times_ns))
    told[:] = np.maximum.accumulate(times_ns)
    return told


def grid_of(px_u: Any) -> tuple[int, int, int]:
    """(lowest, highest, step) of prices; a clearing may have none."""
    low, high, step, origin = 2**62, 0, 0, 0
    for first in range(0, len(px_u), GRID_ROWS):
        part = np.asarray(px_u[first : first + GRID_ROWS])
        part = part[part > 0]
        if len(part) == 0:
            continue
        low, high, origin = min(low, int(part.min())), max(high, int(part.max())), origin or int(part[0])
        if step == 0 or np.any((part - origin) % step):
            step = math.gcd(step, int(np.gcd.reduce(np.abs(part - origin))))
    return low, high, max(step, 1)


def cut(tape: Tape, first_t_ns: int, last_t_ns: int) -> Tape:
    """The files a span needs: from the one before the file it begins in, to its end and the tail of markouts."""
    starts = np.flatnonzero(tape.begins_file)
    inside = int(np.searchsorted(tape.stamp_ns[starts], first_t_ns, "right")) - 1
    first = int(starts[max(inside - 1, 0)])
    last = int(np.searchsorted(tape.stamp_ns, last_t_ns + TAIL_NS, "right"))
    if last - first < 2 or tape.stamp_ns[-1] < first_t_ns:
        raise ConfigError(f"no data within {iso(first_t_ns)}/{iso(last_t_ns)}")
    rows = slice(int(tape.begin[first]), int(tape.begin[last]))
    return Tape(
        tape.names, tape.what[rows], tape.px_u[rows], tape.sz_u[rows], tape.stamp_ns[first:last],
        tape.begin[first : last + 1] - tape.begin[first], tape.begins_file[first:last], tape.visible,
        tape.context.between(int(tape.stamp_ns[first]), int(tape.stamp_ns[last - 1])), tape.local_ns[first:last],
    )  # fmt: skip


def iso(t_ns: int) -> str:
    return datetime.fromtimestamp(t_ns / 1e9, UTC).strftime("%Y-%m-%dT%H:%M")
