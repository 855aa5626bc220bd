"""Tapes kept on the shelf: made once from their data, then read back as columns for as long as nothing changes.

A tape's entry also keeps what was odd about its data, so that a cached run's report says the same as the first one's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtest.data.kept import Entry, Shelf
from backtest.data.opened import Part
from backtest.tape import Context, Tape

COLUMNS = ("what", "px_u", "sz_u", "stamp_ns", "begin", "begins_file", "local_ns")
CONTEXT = ("t_ns", "oracle_px_u", "mark_px_u", "funding_1h")

Made = tuple[Tape, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A part that lies on the shelf, and what its report says."""

    part: Part
    rows: int
    lines: tuple[str, ...]
    last_mid2: int  # of its touch: bid + ask, px_u; 0 = not asked for


def prepare(shelf: Shelf, key: str, make: Callable[[], Made], *, wants_mid: bool = False) -> Prepared:
    """The tape of this key, made if it is not there yet; whatever `make` raises."""

    def stored() -> Entry:
        entry = shelf.get(key)
        if entry is None:
            tape, lines = make()
            entry = shelf.put(key, columns_of(tape), _meta(tape, lines, wants_mid))
        return entry

    meta = stored().meta
    part = Part(meta["names"][0], meta["first_t_ns"], meta["last_t_ns"], lambda: tape_of(stored()))
    return Prepared(part, meta["rows"], tuple(meta["lines"]), meta["last_mid2"])


def columns_of(tape: Tape) -> dict[str, Any]:
    context = {f"context_{name}": getattr(tape.context, name) for name in CONTEXT}
    return {name: getattr(tape, name) for name in COLUMNS} | context


def tape_of(entry: Entry) -> Tape:
    context = Context(*(entry.columns[f"context_{name}"] for name in CONTEXT))
    columns = {name: entry.columns[name] for name in COLUMNS}
    return Tape(names=tuple(entry.meta["names"]), visible=entry.meta["visible"], context=context, **columns)


def _meta(tape: Tape, lines: Sequence[str], wants_mid: bool) -> dict[str, Any]:
    return {
        "names": list(tape.names), "visible": tape.visible, "lines": list(lines), "rows": len(tape.what),
        "first_t_ns": int(tape.stamp_ns[0]), "last_t_ns": int(tape.stamp_ns[-1]),
        "last_mid2": last_mid2(tape) if wants_mid else 0,
    }  # fmt: skip


def last_mid2(tape: Tape) -> int:
    """Best bid + best ask after the last row, px_u; 0 = a side is empty."""
    first = int((tape.begins_file.nonzero()[0])[-1])
    rows = slice(int(tape.begin[first]), None)
    what, px, sz = tape.what[rows], tape.px_u[rows], tape.sz_u[rows]
    best = []
    for side, nearest in ((1, np.max), (-1, np.min)):
        mine = what == side
        shown, last = np.unique(px[mine][::-1], return_index=True)  # of each price the row that came last
        shown = shown[sz[mine][::-1][last] > 0]
        best += [int(nearest(shown))] if len(shown) else []
    return sum(best) if len(best) == 2 else 0
