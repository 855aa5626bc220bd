"""The venue's archive is read book by book; what it is not is refused with file and line."""

from __future__ import annotations

import gzip
from pathlib import Path

import hypothesis
import msgspec
import numpy as np
import pytest
from hypothesis import strategies as st

from backtest.data.archive import check_whole, read_contexts, tape_of_archive
from common.clock import MS
from simvenue.recorded.recording import BadRecording
from tests.support.shared import shared
from tests.unit.backtest.data.builders import MONDAY_MS, an_lz4, archive_line

pytest.importorskip("pyarrow")


def a_file(tmp_path: Path, *lines: bytes) -> Path:
    return an_lz4(tmp_path / "market_data/20260601/0/l2Book/BTC.lz4", b"".join(lines))


def book(at_ms: int, bid: float = 90_000.0, ask: float = 90_001.0, coin: str = "BTC") -> bytes:
    return archive_line(MONDAY_MS + at_ms, [bid, bid - 1], [ask, ask + 1], coin)


def refused(path: Path) -> BadRecording:
    with pytest.raises(BadRecording) as found:
        tape_of_archive([path], "BTC", 5)
    assert found.value.path == path
    return found.value


def test_books_become_level_changes_with_their_receive_times(tmp_path: Path) -> None:
    path = a_file(tmp_path, book(0), book(500), book(1_000, bid=89_999.0))
    tape, lines = tape_of_archive([path], "BTC", 5)
    assert lines == []
    assert tape.stamp_ns.tolist() == [MONDAY_MS * MS, (MONDAY_MS + 1_000) * MS]  # the second said nothing new
    assert tape.local_ns.tolist() == [(MONDAY_MS + 80) * MS, (MONDAY_MS + 1_080) * MS]
    last = slice(int(tape.begin[1]), None)
    changes = set(zip(tape.what[last].tolist(), tape.px_u[last].tolist(), tape.sz_u[last].tolist(), strict=True))
    assert changes == {(1, 900_000, 0), (1, 899_980, 150_000)}


def test_real_books_are_read_as_the_venue_wrote_them(tmp_path: Path) -> None:
    """Real `l2Book` messages in the archive's envelope: the last book comes out level by level."""
    said = []
    for line in gzip.decompress(shared("data/fixtures/hl_ws_raw_BTC_20250126.jsonl.gz").read_bytes()).splitlines():
        text = line.split(b" ", 1)[1]
        if b'"channel":"l2Book"' in text:
            said.append(b'{"time":"2025-01-26T19:14:03.893903001","ver_num":1,"raw":' + text.strip() + b"}\n")
    path = a_file(tmp_path, *said)
    tape, _ = tape_of_archive([path], "BTC", 5)
    shown: dict[tuple[int, int], int] = {}
    for what, px, sz in zip(tape.what.tolist(), tape.px_u.tolist(), tape.sz_u.tolist(), strict=True):
        shown[what, px] = sz
    levels = msgspec.json.decode(said[-1])["raw"]["data"]["levels"]
    for side, whole in ((1, levels[0]), (-1, levels[1])):
        real = {round(float(level["px"]) * 10): round(float(level["sz"]) * 1e5) for level in whole}
        worst = min(real) if side > 0 else max(real)
        seen = {px: sz for (what, px), sz in shown.items() if what == side and sz and side * px >= side * worst}
        assert seen == real


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (b'{"time": 3}\n', "not a book"),
        (b"{\n", "not a book"),
        (book(400, coin="ETH"), "wrong_coin"),
        (book(-400), "times run backwards"),
        (book(400, bid=90_000.05), "off_grid"),
        (book(400).replace(b"2026-06-01T", b"2026-13-01T"), "not a book"),
        (book(400)[:60], "not a book"),
    ],
)
def test_line_that_is_no_book_is_named(tmp_path: Path, second: bytes, why: str) -> None:
    error = refused(a_file(tmp_path, book(0), second))
    assert error.row == 1
    assert why in error.why


@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], max_examples=60)
@hypothesis.given(st.data())
def test_mangled_archive_is_refused_by_name_or_played(tmp_path: Path, data: st.DataObject) -> None:
    text = bytearray(b"".join(book(k * 500, 90_000.0 + k) for k in range(4)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        if data.draw(st.booleans()):
            text[at] = data.draw(st.integers(0, 255))
        else:
            del text[at : at + data.draw(st.integers(1, 400))]
    path = a_file(tmp_path, bytes(text))
    try:
        tape, _ = tape_of_archive([path], "BTC", 5)
    except BadRecording as error:
        named = error.path
    else:
        named = path
        assert (np.diff(tape.stamp_ns) > 0).all()
    assert named == path


def test_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, *(book(k * 500, 90_000.0 + k % 7) for k in range(500)))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 40])
    assert "not a whole LZ4 file" in refused(path).why
    with pytest.raises(BadRecording):
        check_whole(path)
    path.write_bytes(b"no lz4 at all")
    assert "not a whole LZ4 file" in refused(path).why


def test_crossed_and_repeated_books_are_left_out_and_told(tmp_path: Path) -> None:
    path = a_file(tmp_path, book(0), book(500, 90_005.0, 90_002.0), book(0), book(1_000, 90_000.0, 90_003.0))
    tape, lines = tape_of_archive([path], "BTC", 5)
    assert len(tape.stamp_ns) == 2
    assert [line.split(": ", 1)[1] for line in lines] == [
        "1 books are crossed (first at row 1) and are left out",
        "1 books tell the time before again (first at row 2) and are left out",
    ]


@pytest.mark.parametrize("times", [100.0, 0.01])
def test_books_in_another_unit_are_refused_by_their_line(tmp_path: Path, times: float) -> None:
    rows = [book(k * 500, 90_000.0 + k, 90_003.0 + k) for k in range(3)]
    path = a_file(tmp_path, *rows, book(1_500, 90_000.0 * times, 90_000.0 * times + 1))
    assert refused(path).row == 3
    assert "a book at more than 3 times the one before" in refused(path).why


def test_contexts_are_those_of_the_coin(tmp_path: Path) -> None:
    heading = "time,coin,funding,open_interest,prev_day_px,day_ntl_vlm,premium,oracle_px,mark_px,mid_px\n"
    rows = [
        f"2026-06-01T00:0{k}:00Z,{coin},0.0000125,1,1,1,0.0001,9000{k}.04,9000{k}.5,1"
        for k in range(3)
        for coin in ("ETH", "BTC")
    ]
    path = an_lz4(tmp_path / "asset_ctxs/20260601.csv.lz4", (heading + "\n".join(rows) + "\n").encode())
    found = read_contexts(path, "BTC", 5)
    assert found.t_ns.tolist() == [(MONDAY_MS + k * 60_000) * MS for k in range(3)]
    assert found.oracle_px_u.tolist() == [900_000, 900_010, 900_020]
    assert found.mark_px_u.tolist() == [900_005, 900_015, 900_025]
    assert np.allclose(found.funding_1h, 1.25e-5)
    bad = (heading + rows[1].replace("90000.04", "NaN")).encode()
    with pytest.raises(BadRecording, match="row 0: not a context"):
        read_contexts(an_lz4(tmp_path / "x.csv.lz4", bad), "BTC", 5)
