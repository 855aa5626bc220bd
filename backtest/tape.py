"""Recorded files as one run of columns for the compiled loop.

Decides which files a span needs: the one it begins in, those up to its end, and one more before, so that features are
warm when quoting begins. What a file may hold is decided by simvenue's reader, which also says what it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from common.errors import ConfigError
from simvenue.recorded.recording import REMEMBERED, load

TAIL_NS = 310 * 10**9
"""Markouts look so far beyond the last quote."""


@dataclass(frozen=True, slots=True)
class Tape:
    """int64 columns; instant k is rows `begin[k] .. begin[k + 1]` at `stamp_ns[k]`; 1 in `begins_file` = a new file."""

    names: tuple[str, ...]
    what: Any
    px_u: Any
    sz_u: Any
    stamp_ns: Any
    begin: Any
    begins_file: Any
    visible: int

    @property
    def kept(self) -> int:
        return self.visible + REMEMBERED


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
    )  # fmt: skip


def iso(t_ns: int) -> str:
    return datetime.fromtimestamp(t_ns / 1e9, UTC).strftime("%Y-%m-%dT%H:%M")
