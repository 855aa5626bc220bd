"""Recordings become stamps in market time, exactly, or are refused with file, row and reason."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.clock import MS, NS
from simvenue.events import BUY, SELL
from simvenue.exchange import Exchange, Latency
from simvenue.recorded import recording
from simvenue.recorded.recording import BadRecording, load, recordings
from simvenue.recorded.replay import Replay
from simvenue.source import ASK_CLEAR, ASK_LEVEL, BID_CLEAR, BID_LEVEL, BUY_PRINT, SELL_PRINT
from tests.support.shared import shared
from tests.unit.simvenue.tape import STANDX, T0

DTYPE = np.dtype(
    [("ev", "<u8"), ("exch_ts", "<i8"), ("local_ts", "<i8"), ("px", "<f8"), ("qty", "<f8"), ("order_id", "<u8"),
     ("ival", "<i8"), ("fval", "<f8")]
)  # fmt: skip
EXCH, LOCAL, B, A = 1 << 31, 1 << 30, 1 << 29, 1 << 28
BOTH = EXCH | LOCAL
DAY = 1_767_657_600 * NS

FileRow = tuple[int, float, float, float]
"""ev, ms after DAY, px, qty"""

BOOK: list[FileRow] = [(1 | B | BOTH, 0, 90_000.0, 0.5), (1 | A | BOTH, 0, 90_000.1, 0.25)]


def a_file(path: Path, rows: list[FileRow], dtype: Any = DTYPE, key: str = "data") -> Path:
    data = np.zeros(len(rows), dtype)
    for k, (ev, ms, px, qty) in enumerate(rows):
        for name, value in (("ev", ev), ("exch_ts", DAY + int(ms * MS)), ("px", px), ("qty", qty)):
            if name in (dtype.names or ()):
                data[name][k] = value
    arrays: dict[str, Any] = {key: data}
    np.savez_compressed(path, **arrays)
    return path


def a_replay(*paths: Path, cut_gaps: bool = False) -> Replay:
    return Replay(paths, 4, origin_ns=T0, cut_gaps=cut_gaps)


def stamps(source: Replay) -> list[tuple[float, list[tuple[int, int, int]]]]:
    """Every stamp as (ms after T0, rows)."""
    found = []
    while (t_ns := source.next_t_ns()) is not None:
        rows = source.take()
        part = slice(rows.begin, rows.end)
        columns = (np.asarray(column)[part].tolist() for column in (rows.what, rows.px_u, rows.sz_u))
        found.append(((t_ns - T0) / MS, list(zip(*columns, strict=True))))
    return found


# ---------------------------------------------------------------------- rows
def test_rows_become_exact_units_with_one_stamp_a_time(tmp_path: Path) -> None:
    rows = [
        *BOOK,
        (2 | A | BOTH, 40, 90_000.0, 0.0001),
        (2 | B | BOTH, 40, 90_000.1, 0.3),
        (1 | B | BOTH, 40, 90_000.0, 0),
    ]
    assert stamps(a_replay(a_file(tmp_path / "x.npz", rows))) == [
        (0, [(BID_LEVEL, 9_000_000, 5_000), (ASK_LEVEL, 9_000_010, 2_500)]),
        (40, [(SELL_PRINT, 9_000_000, 1), (BUY_PRINT, 9_000_010, 3_000), (BID_LEVEL, 9_000_000, 0)]),
    ]


def test_rows_for_the_local_side_only_are_left_out(tmp_path: Path) -> None:
    rows = [
        *BOOK,
        (1 | B | LOCAL, 10, 89_999.0, 1.0),
        (1 | B | EXCH, 20, 89_998.0, 1.0),
        (4 | A | BOTH, 30, 90_005.0, 1.0),
    ]
    found = stamps(a_replay(a_file(tmp_path / "x.npz", rows)))
    assert [t for t, _ in found] == [0, 20, 30]
    assert found[2][1] == [(ASK_LEVEL, 9_000_500, 10_000)]


def test_a_clearing_is_of_one_side_down_to_its_price_or_of_both(tmp_path: Path) -> None:
    rows = [
        *BOOK,
        (3 | B | BOTH, 10, 89_990.0, float("nan")),
        (3 | A | BOTH, 20, float("nan"), 5.0),
        (3 | LOCAL, 25, 0.0, 0.0),
        (3 | BOTH, 30, 0.0, 0.0),
        (4 | B | BOTH, 30, 90_000.0, 0.1),
    ]
    assert stamps(a_replay(a_file(tmp_path / "x.npz", rows)))[1:] == [
        (10, [(BID_CLEAR, 8_999_000, 0)]),
        (20, [(ASK_CLEAR, 0, 0)]),
        (30, [(BID_CLEAR, 0, 0), (ASK_CLEAR, 0, 0), (BID_LEVEL, 9_000_000, 1_000)]),
    ]


def test_the_first_picture_tells_how_deep_the_recorder_saw(tmp_path: Path) -> None:
    bids = [(1 | B | BOTH, 0.0, 90_000.0 - k, 1.0) for k in range(7)]
    asks = [(1 | A | BOTH, 0.0, 90_001.0 + k, 1.0) for k in range(5)]
    assert a_replay(a_file(tmp_path / "x.npz", [*bids, *asks])).visible == 7


# ---------------------------------------------------------------------- time
def test_recorded_time_is_shifted_to_the_origin(tmp_path: Path) -> None:
    source = a_replay(a_file(tmp_path / "x.npz", [*BOOK, (1 | B | BOTH, 5_000, 90_000.0, 1.0)]))
    assert source.session_offset_ns == DAY - T0
    assert [t for t, _ in stamps(source)] == [0, 5_000]
    assert (source.cut_ns, source.gaps_cut, source.session_offset_ns) == (0, 0, DAY - T0)


def test_long_silences_are_cut_and_counted(tmp_path: Path) -> None:
    times = [100, 1_300, 2_501, 60_000, 60_001]
    rows = [*BOOK, *((1 | B | BOTH, float(ms), 90_000.0, 1.0 + k) for k, ms in enumerate(times))]
    source = a_replay(a_file(tmp_path / "x.npz", rows), cut_gaps=True)
    found = []
    while (t_ns := source.next_t_ns()) is not None:
        source.take()
        found.append(((t_ns - T0) // MS, source.gaps_cut, source.cut_ns // MS, t_ns + source.session_offset_ns - DAY))
    assert found == [
        (0, 0, 0, 0),
        (100, 0, 0, 100 * MS),
        (1_300, 0, 0, 1_300 * MS),  # 1.2 s is not longer than 1.2 s
        (1_301, 1, 1_200, 2_501 * MS),
        (1_302, 2, 58_698, 60_000 * MS),
        (1_303, 2, 58_698, 60_001 * MS),
    ]


def test_a_folder_plays_its_files_in_order_as_one_recording(tmp_path: Path) -> None:
    a_file(tmp_path / "b.npz", [(1 | B | BOTH, 3_000, 90_000.0, 2.0)])
    a_file(tmp_path / "a.npz", BOOK)
    (tmp_path / "notes.txt").write_text("not a recording")
    assert [p.name for p in recordings(tmp_path)] == ["a.npz", "b.npz"]
    source = a_replay(*recordings(tmp_path))
    assert source.describe()["files"] == ["a.npz", "b.npz"]
    assert [t for t, _ in stamps(source)] == [0, 3_000]
    assert [t for t, _ in stamps(a_replay(*recordings(tmp_path), cut_gaps=True))] == [0, 1]


def test_the_next_file_is_read_while_this_one_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simvenue.recorded.replay.CHUNK_ROWS", 4)
    monkeypatch.setattr("simvenue.recorded.recording.CHUNK_ROWS", 4)
    first = a_file(tmp_path / "a.npz", [*BOOK, *((1 | B | BOTH, float(k), 90_000.0, 1.0) for k in range(1, 20))])
    second = a_file(tmp_path / "b.npz", [(1 | A | BOTH, 30.0 + k, 90_001.0, 1.0) for k in range(9)])
    source = a_replay(first, second)
    for _ in range(12):
        source.take()
    assert source._ahead._columns is not None
    assert len(stamps(source)) == 20 + 9 - 12


# ---------------------------------------------------------------------- bad files
@pytest.mark.parametrize(
    ("row", "why"),
    [
        ((1 | B | BOTH, -1, 90_000.0, 1.0), "exchange times run backwards"),
        ((1 | B | BOTH, 5, float("nan"), 1.0), "price is not a number above 0"),
        ((1 | B | BOTH, 5, 0.0, 1.0), "price is not a number above 0"),
        ((1 | B | BOTH, 5, float("inf"), 1.0), "price is not a number above 0"),
        ((1 | B | BOTH, 5, 90_000.0, float("nan")), "size is not a number of 0 or more"),
        ((1 | B | BOTH, 5, 90_000.0, -1.0), "size is not a number of 0 or more"),
        ((2 | B | BOTH, 5, 90_000.0, 0.0), "a trade of size 0"),
        ((1 | B | BOTH, 5, 90_000.001, 1.0), "price is finer than 1e-2"),
        ((1 | B | BOTH, 5, 90_000.0, 0.00005), "size is finer than 1e-4"),
        ((1 | B | BOTH, 5, 1e15, 1.0), "price is too large"),
        ((5 | B | BOTH, 5, 90_000.0, 1.0), "a row kind that is not played"),
        ((3 | B | BOTH, 5, float("inf"), 0.0), "price is not a number above 0"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: FileRow, why: str) -> None:
    path = a_file(tmp_path / "x.npz", [*BOOK, (1 | B | LOCAL, 3, 1.0, 1.0), row])
    with pytest.raises(BadRecording) as caught:
        a_replay(path)
    assert (caught.value.path, caught.value.row, caught.value.why) == (path, 3, why)
    assert str(path) in str(caught.value)
    assert caught.value.reason == "recording"


def test_a_file_without_what_it_needs_is_refused(tmp_path: Path) -> None:
    short = np.dtype([("ev", "<u8"), ("exch_ts", "<i8"), ("px", "<f8")])
    words = np.dtype([("ev", "<u8"), ("exch_ts", "<f8"), ("px", "<f8"), ("qty", "<f8")])
    text = tmp_path / "text.npz"
    text.write_text("ev,exch_ts,px,qty\n")
    flat = tmp_path / "flat.npz"
    np.savez(flat, data=np.zeros((2, 2)))
    cases = [
        (a_file(tmp_path / "short.npz", BOOK, short), "missing field 'qty'"),
        (a_file(tmp_path / "words.npz", BOOK, words), "field 'exch_ts' has type float64"),
        (a_file(tmp_path / "empty.npz", []), "it has zero rows"),
        (a_file(tmp_path / "other.npz", BOOK, key="rows"), "it has no array 'data'"),
        (a_file(tmp_path / "local.npz", [(1 | B | LOCAL, 0, 1.0, 1.0)]), "no row is flagged for the exchange"),
        (text, "not a readable .npz file (File is not a zip file)"),
        (flat, "missing field 'ev'"),
        (tmp_path / "absent.npz", "there is no such file"),
    ]
    for path, why in cases:
        with pytest.raises(BadRecording) as caught:
            a_replay(path)
        assert (caught.value.path, caught.value.row, caught.value.why) == (path, None, why)


def test_a_cut_off_file_is_refused(tmp_path: Path) -> None:
    path = a_file(
        tmp_path / "x.npz", [*BOOK, *((1 | B | BOTH, k, 90_000.0 - k * k % 977, 1.0 + k) for k in range(500))]
    )
    path.write_bytes(path.read_bytes()[:1_000])
    with pytest.raises(BadRecording, match="not a readable"):
        a_replay(path)


def test_a_later_file_is_checked_before_anything_plays(tmp_path: Path) -> None:
    good, empty = a_file(tmp_path / "a.npz", BOOK), a_file(tmp_path / "b.npz", [])
    with pytest.raises(BadRecording, match="it has zero rows"):
        a_replay(good, empty)
    with pytest.raises(BadRecording, match="in this folder"):
        recordings(_empty(tmp_path))


def _empty(tmp_path: Path) -> Path:
    folder = tmp_path / "nothing"
    folder.mkdir()
    return folder


def test_files_that_overlap_are_refused_when_the_second_is_reached(tmp_path: Path) -> None:
    first = a_file(tmp_path / "a.npz", [*BOOK, (1 | B | BOTH, 50, 90_000.0, 1.0)])
    source = a_replay(first, a_file(tmp_path / "b.npz", BOOK))
    source.take()
    with pytest.raises(BadRecording, match="begins before the file played before it ends"):
        source.take()


# ---------------------------------------------------------------------- real recordings
def test_a_real_day_is_ready_in_a_second() -> None:
    """The bound leaves room for a machine that does other things; alone it takes 0.3-0.5 s."""
    path = shared("data/events/standx_BTC_2026-01-06.npz")
    best_s = 9.0
    for _ in range(2):
        begin = time.process_time()
        source = a_replay(path)
        best_s = min(best_s, time.process_time() - begin)
    assert best_s < 2.5
    assert (source.visible, source.describe()["rows"]) == (20, 1_709_076)


def test_a_real_recording_is_played_row_by_row_as_numpy_reads_it() -> None:
    path = shared("data/events/standx_BTC_2026-01-05.npz")
    raw = np.load(path)["data"]
    raw = raw[(raw["ev"] & EXCH) != 0]
    columns = load(path, 4)
    assert np.array_equal(columns.px_u, np.rint(raw["px"] * 100).astype(np.int64))
    assert np.array_equal(columns.sz_u, np.rint(raw["qty"] * 10_000).astype(np.int64))
    assert np.array_equal(np.abs(columns.what) == 2, (raw["ev"] & 0xFF) == recording.TRADE)
    assert columns.stamp_ns == sorted(set(raw["exch_ts"].tolist()))


def test_a_real_book_replays_to_the_same_touch_as_a_dictionary() -> None:
    """20 minutes of StandX through the exchange against two plain dicts of levels."""
    path = shared("data/events/standx_BTC_2026-01-05.npz")
    exchange = Exchange([(STANDX, a_replay(path))], origin_ns=T0, latency=Latency())
    columns = load(path, 4)
    books: dict[int, dict[int, int]] = {BUY: {}, SELL: {}}
    for k, (recorded_ns, begin) in enumerate(zip(columns.stamp_ns, columns.begin, strict=False)):
        if recorded_ns > columns.stamp_ns[0] + 1_200 * NS:
            break
        for i in range(begin, columns.begin[k + 1]):
            what = int(columns.what[i])
            if abs(what) == 1:
                books[what][int(columns.px_u[i])] = int(columns.sz_u[i])
        if k % 97 == 0:
            exchange.advance(T0 + recorded_ns - columns.stamp_ns[0])
            for side in (BUY, SELL):
                shown = sorted(((p, q) for p, q in books[side].items() if q), reverse=side == BUY)[:20]
                assert exchange.source_levels("sx:BTC", side)[:20] == shown
