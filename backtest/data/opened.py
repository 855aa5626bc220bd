"""What a source of data is once it is open: its tapes, where they come from, and what a reader must know of them.

Tapes are loaded one part at a time (a recorded file, or a day), so that a year need not fit into memory. Every line in
`caveats` stands in the report; every file that was read stands in `datasets`. Times ns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from backtest.tape import Context, Tape
from common.errors import ConfigError

WHOLE = ("what", "px_u", "sz_u", "stamp_ns", "begins_file")

Kind = Literal["recorded", "npz", "hyperliquid", "bars", "synthetic"]


@dataclass(frozen=True, slots=True)
class Touched:
    """One file that was read (or what was made up): its rows, the hash of its bytes, the span of its rows."""

    name: str
    rows: int
    sha256: str
    first_t_ns: int
    last_t_ns: int


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the source that is loaded as one tape; its book begins anew."""

    name: str
    first_t_ns: int
    last_t_ns: int
    load: Callable[[], Tape]


@dataclass(frozen=True, slots=True)
class Opened:
    """`name` says what is played, `reasons` why nothing better was; both are said first, and stand in every report.

    `caveats` are the reasons and everything else a reader must know.
    """

    parts: tuple[Part, ...]
    name: str
    kind: Kind
    caveats: tuple[str, ...]
    datasets: tuple[Touched, ...]
    reasons: tuple[str, ...] = ()
    cycle_ms: float = 0.0
    """Our quoter decides at most so often: where the data are coarse, so is he.  0 = whenever the book is told."""

    def tapes(self) -> Iterator[Tape]:
        """One part after the other; each is let go when the next is asked for."""
        for part in self.parts:
            yield part.load()

    def tape(self) -> Tape:
        """All parts as one tape; for spans that fit into memory."""
        return joined([part.load() for part in self.parts])

    @property
    def days(self) -> float:
        """Days that are played: what lies between two parts does not count."""
        return sum(part.last_t_ns - part.first_t_ns for part in self.parts) / 86_400e9


def joined(tapes: Sequence[Tape]) -> Tape:
    """Tapes that follow each other as one; raises ConfigError when they do not."""
    if len(tapes) == 1:
        return tapes[0]
    for before, after in pairwise(tapes):
        if after.stamp_ns[0] < before.stamp_ns[-1]:
            raise ConfigError(f"{after.names[0]} begins before {before.names[0]} ends")
    offsets = np.cumsum([0, *(len(tape.what) for tape in tapes)])
    begin = [tape.begin[:-1] + offset for tape, offset in zip(tapes, offsets[:-1], strict=True)]
    has_local = all(len(tape.local_ns) == len(tape.stamp_ns) for tape in tapes)
    whole: dict[str, Any] = {name: np.concatenate([getattr(tape, name) for tape in tapes]) for name in WHOLE}
    return Tape(
        names=tuple(name for tape in tapes for name in tape.names),
        begin=np.concatenate([*begin, offsets[-1:]]).astype(np.int64),
        visible=max(tape.visible for tape in tapes),
        context=_contexts([tape.context for tape in tapes]),
        local_ns=np.concatenate([tape.local_ns for tape in tapes]) if has_local else np.zeros(0, np.int64),
        **whole,
    )


def _contexts(parts: Sequence[Context]) -> Context:
    names = ("t_ns", "oracle_px_u", "mark_px_u", "funding_1h")
    return Context(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
