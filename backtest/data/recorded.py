"""Recordings as tapes: event arrays, our own recordings, and the venue's archive, with what they say of prices.

Each reader refuses what breaks its contract with file, row and reason. What is merely odd - a crossed book, a silence,
a message said twice or too late - is counted into lines for the report; of crossed levels the older one yields when
they are played. Times ns, prices px_u, sizes sz_u.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from backtest.tape import Context, Tape, iso
from common.clock import NS
from common.kernel import istate, kernel
from simvenue.book import levels
from simvenue.book.levels import Ints
from simvenue.recorded.captured import Capture
from simvenue.recorded.playback import Playback
from simvenue.recorded.recording import BadRecording, load
from simvenue.source import ASK_CLEAR, ASK_LEVEL, BID_CLEAR, BID_LEVEL, BUY_PRINT, GAP, Told

Row: TypeAlias = tuple[int, int, int]
Stamp: TypeAlias = tuple[int, Sequence[Row], int, Told | None]
"""Recorded time, rows (`GAP` first where the book begins anew), receive time (0 = not known), prices told with it."""

SILENCE_NS = 30 * NS
EARLIEST_NS = 631_152_000 * NS
LEAP = 3.0
"""Two prints, or two books, one after the other whose prices differ by more: the unit has changed."""

F_LEVELS, F_INSTANTS, F_FIRST, F_LEAP = range(4)


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


# ---------------------------------------------------------------------- what is odd
@kernel("i8(i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])")
def find_crossed(
    what: Ints, px: Ints, sz: Ints, begin: Ints, begins_file: Ints, bids: Ints, asks: Ints, found: Ints
) -> int:  # fmt: skip
    """Play levels alone and count those that had to yield; returns the instants in which any did.

    `found`: levels, instants, the first such instant, and the first in which both best prices leap by more than `LEAP`
    times the same way (-1 = none).
    """
    found[F_FIRST] = -1
    found[F_LEAP] = -1
    bid = 0
    ask = 0
    for k in range(len(begins_file)):
        if begins_file[k] == 1:
            levels.clear_levels(bids, 0)
            levels.clear_levels(asks, 0)
        for row in range(begin[k], begin[k + 1]):
            if what[row] == BID_LEVEL:
                levels.set_level(bids, px[row], sz[row], k + 1)
            elif what[row] == ASK_LEVEL:
                levels.set_level(asks, px[row], sz[row], k + 1)
            elif what[row] == BID_CLEAR:
                levels.clear_levels(bids, px[row])
            elif what[row] == ASK_CLEAR:
                levels.clear_levels(asks, px[row])
        gone = levels.uncross(bids, asks)
        if gone > 0:
            found[F_LEVELS] += gone
            found[F_INSTANTS] += 1
            if found[F_FIRST] < 0:
                found[F_FIRST] = k
        new_bid = levels.best_px(bids)
        new_ask = levels.best_px(asks)
        if new_bid > 0 and new_ask > 0:
            is_up = new_bid > LEAP * bid and new_ask > LEAP * ask
            is_down = new_bid * LEAP < bid and new_ask * LEAP < ask
            if bid > 0 and (is_up or is_down) and found[F_LEAP] < 0:
                found[F_LEAP] = k
            bid = new_bid
            ask = new_ask
    return found[F_INSTANTS]


def oddities(path: Path, tape: Tape) -> list[str]:
    """Lines for the report; raises BadRecording where the price's unit changes."""
    prints = np.flatnonzero(np.abs(tape.what) == BUY_PRINT)
    prices = tape.px_u[prints].astype(np.float64)
    leaps = np.flatnonzero(np.abs(np.log(prices[1:] / prices[:-1])) > np.log(LEAP))
    if len(leaps):
        row = int(prints[leaps[0] + 1])
        raise BadRecording(path, row, f"a print at more than {LEAP:g} times the one before: another unit?")
    return [*_crossed(path, tape), *_silent(tape), *_repeated(tape)]


def _crossed(path: Path, tape: Tape) -> list[str]:
    found = istate(4)
    book = levels.new_book(1, tape.kept), levels.new_book(-1, tape.kept)
    crossed = find_crossed(tape.what, tape.px_u, tape.sz_u, tape.begin, tape.begins_file, *book, found)
    if found[F_LEAP] >= 0:
        row = int(tape.begin[found[F_LEAP]])
        raise BadRecording(path, row, f"a book at more than {LEAP:g} times the one before: another unit?")
    if not crossed:
        return []
    row = int(tape.begin[found[F_FIRST]])
    return [
        f"{tape.names[0]}: {found[F_LEVELS]} levels in {found[F_INSTANTS]} of {len(tape.stamp_ns)} instants stood in "
        f"a locked or crossed book (first at row {row}, {iso(int(tape.stamp_ns[found[F_FIRST]]))}); the older one "
        "yields"
    ]


def _silent(tape: Tape) -> list[str]:
    gaps = np.diff(tape.stamp_ns)
    long = np.flatnonzero(gaps > SILENCE_NS)
    if len(long) == 0:
        return []
    k = int(np.argmax(gaps))
    return [
        f"{tape.names[0]}: {len(long)} silences of more than 30 s, the longest {gaps[k] / NS:.0f} s before row "
        f"{int(tape.begin[k + 1])} ({iso(int(tape.stamp_ns[k + 1]))}); time goes on in them, uncut"
    ]


def _repeated(tape: Tape) -> list[str]:
    """Prints that are equal in everything and come at one time: several makers, or rows written twice."""
    if len(tape.what) < 2:
        return []
    instant = np.repeat(np.arange(len(tape.stamp_ns)), np.diff(tape.begin))
    columns = (tape.what, tape.px_u, tape.sz_u, instant)
    same = np.logical_and.reduce([column[1:] == column[:-1] for column in columns])
    same_prints = same & (np.abs(tape.what[1:]) == BUY_PRINT)
    prints = int((np.abs(tape.what) == BUY_PRINT).sum())
    lines = []
    if same_prints.sum() > max(0.25 * prints, 5):
        row = int(np.argmax(same_prints)) + 1
        lines.append(
            f"{tape.names[0]}: {int(same_prints.sum())} of {prints} prints repeat the row before (first at row {row}): "
            "perhaps recorded twice; all are played"
        )
    levels_twice = int((same & ~same_prints).sum())
    if levels_twice:
        row = int(np.argmax(same & ~same_prints)) + 1
        lines.append(f"{tape.names[0]}: {levels_twice} level rows repeat the row before (first at row {row}); harmless")
    return lines
