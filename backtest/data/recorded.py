"""Recordings as tapes: event arrays, our own recordings, and the venue's archive, with what they say of prices.

Each reader refuses what breaks its contract with file, row and reason; what is merely odd is told by `oddities.py`, of
our own recordings what was left out is told here. Times ns, prices px_u, sizes sz_u.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from backtest.tape import Context, Tape
from common.clock import NS
from simvenue.recorded.captured import Capture
from simvenue.recorded.playback import Playback
from simvenue.recorded.recording import BadRecording, exchange_rows, load
from simvenue.source import GAP, Told

Row: TypeAlias = tuple[int, int, int]
Stamp: TypeAlias = tuple[int, Sequence[Row], int, Told | None]
"""Recorded time, rows (`GAP` first where the book begins anew), receive time (0 = not known), prices told with it."""

EARLIEST_NS = 631_152_000 * NS


# ---------------------------------------------------------------------- event arrays
def tape_of_array(path: Path, sz_decimals: int) -> Tape:
    """One `.npz` file; raises BadRecording."""
    columns = load(path, sz_decimals)
    stamp_ns = np.array(columns.stamp_ns, np.int64)
    if stamp_ns[0] < EARLIEST_NS:
        raise BadRecording(path, 0, f"exchange time {int(stamp_ns[0])} is not in ns")
    begins_file = np.zeros(len(stamp_ns), np.int64)
    begins_file[0] = 1
    begin = np.array(columns.begin, np.int64)
    local_ns = _received(path, begin)
    return Tape(
        (path.name,), columns.what, columns.px_u, columns.sz_u, stamp_ns, begin, begins_file, columns.visible,
        Context(), local_ns,
    )  # fmt: skip


def _received(path: Path, begin: Any) -> Any:
    """When the recorder had the whole of each instant; empty where the array does not say."""
    with np.load(path, allow_pickle=False) as archive:
        data = archive["data"]
    if "local_ts" not in (data.dtype.names or ()):
        return np.zeros(0, np.int64)
    kept = data["local_ts"][(data["ev"] & (1 << 31)) != 0].astype(np.int64)
    if len(kept) != begin[-1] or not (kept > 0).all():
        return np.zeros(0, np.int64)
    return np.maximum.reduceat(kept, begin[:-1])


def row_in_array(path: Path, row: int) -> int:
    """Which row of the file's array became this row of its tape."""
    with np.load(path, allow_pickle=False) as archive:
        kept, _ = exchange_rows(archive["data"]["ev"])
    return int(kept[row])


# ---------------------------------------------------------------------- our own
def tape_of_capture(taken: Capture, coin: str, sz_decimals: int) -> tuple[Tape, list[str]]:
    """The files of a recording as one tape, and what of them was not played; raises BadRecording."""
    playback = Playback(taken, coin, sz_decimals, origin_ns=0, cut_gaps=False)
    name = taken.files[0].name if len(taken.files) == 1 else f"{taken.files[0].name} .. {taken.files[-1].name}"
    tape = tape_of_stamps(name, _played(playback), playback.visible)
    left_out = playback.left_out
    lines = []
    if left_out["late"]:
        lines.append(f"{name}: {left_out['late']} messages came more than 30 s after their time and are not played")
    if left_out["prints_of_gaps"]:
        lines.append(f"{name}: {left_out['prints_of_gaps']} prints of gaps in the recording are not played")
    return tape, lines


def _played(playback: Playback) -> Iterable[Stamp]:
    while (due_ns := playback.next_t_ns()) is not None:
        rows = playback.take()
        columns = (rows.what, rows.px_u, rows.sz_u)
        what, px, sz = (list(map(int, column[rows.begin : rows.end])) for column in columns)
        t_ns = due_ns + playback.session_offset_ns
        yield t_ns, list(zip(what, px, sz, strict=True)), playback.recv_t_ns, playback.told


# ---------------------------------------------------------------------- stamps to columns
def tape_of_stamps(name: str, stamps: Iterable[Stamp], visible: int) -> Tape:
    """Columns of what a reader yields in the order of time; what comes of one time is one instant."""
    rows: list[Row] = []
    stamp_ns: list[int] = []
    local_ns: list[int] = []
    begin: list[int] = []
    opened: list[int] = []
    told: list[tuple[int, Told]] = []
    for t_ns, found, received_ns, prices in stamps:
        begins_anew = not stamp_ns or (bool(found) and found[0][0] == GAP)
        played = [row for row in found if row[0] != GAP]
        if prices is not None and (not told or told[-1][1][:3] != prices[:3]):
            told.append((t_ns, prices))
        if not played:
            continue
        if begins_anew or stamp_ns[-1] != t_ns:
            if begins_anew:
                opened.append(len(stamp_ns))
            begin.append(len(rows))
            stamp_ns.append(t_ns)
            local_ns.append(received_ns)
        local_ns[-1] = max(local_ns[-1], received_ns)
        rows += played
    flags = np.zeros(len(stamp_ns), np.int64)
    flags[opened] = 1
    table = np.array(rows, np.int64).reshape(len(rows), 3)
    what, px_u, sz_u = (np.ascontiguousarray(table[:, k]) for k in range(3))
    received = np.array(local_ns if all(local_ns) else [], np.int64)
    return Tape(
        (name,), what, px_u, sz_u, np.array(stamp_ns, np.int64), np.array([*begin, len(rows)], np.int64), flags,
        visible, context_of(told), received,
    )  # fmt: skip


def context_of(told: Sequence[tuple[int, Told]]) -> Context:
    t_ns, oracle, mark = (np.array(column, np.int64) for column in (
        [t for t, _ in told], [one.oracle_px_u for _, one in told], [one.mark_px_u for _, one in told],
    ))  # fmt: skip
    return Context(t_ns, oracle, mark, np.array([one.funding_rate_1h for _, one in told], np.float64))
