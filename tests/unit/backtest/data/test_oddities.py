"""What is odd about a recording is told with the file's own row; a change of its unit is refused."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from backtest.data.oddities import oddities
from backtest.data.recorded import row_in_array, tape_of_array
from simvenue.recorded.recording import BadRecording
from tests.unit.simvenue.recorded.test_replay import BOOK, BOTH, A, B, FileRow, a_file

BUY_ROW, SELL_ROW = 2 | B | BOTH, 2 | A | BOTH
LOCAL_ONLY = 1 << 30
CLEAR_BOTH_SIDES = 3 | BOTH


def found_in(path: Path) -> list[str]:
    return oddities(path, tape_of_array(path, 4), partial(row_in_array, path))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(1 | B | BOTH, 100, 90_000.2, 0.1)], ("crossed book", "first at row 2")),
        ([(1 | B | BOTH, 60_000, 89_999.0, 0.1)], ("1 silences", "60 s before row 2")),
        ([(1 | B | BOTH, 50, 89_999.0, 0.1), (1 | B | BOTH, 50, 89_999.0, 0.1)], ("1 level rows", "row 3")),
        ([(BUY_ROW, 50, 90_000.1, 0.1)] * 12, ("11 of 12 prints repeat", "row 3")),
    ],
)
def test_what_is_odd_is_told_with_its_first_row(tmp_path: Path, rows: list[FileRow], words: tuple[str, str]) -> None:
    path = a_file(tmp_path / "x.npz", [*BOOK, *rows])
    (line,) = found_in(path)
    assert line.startswith("x.npz: ")
    assert all(word in line for word in words), line


def test_change_of_unit_between_prints_is_refused(tmp_path: Path) -> None:
    rows = [*BOOK, (BUY_ROW, 50, 90_000.1, 0.1), (SELL_ROW, 60, 900.0, 0.1)]
    path = a_file(tmp_path / "x.npz", rows)
    with pytest.raises(BadRecording, match=r"row 3: a print at 2026-01-06T00:00 at more than 3 times"):
        found_in(path)


def test_change_of_unit_between_books_is_refused_where_nothing_is_printed(tmp_path: Path) -> None:
    moved = [(1 | B | BOTH, 50, 900.0, 0.1), (1 | A | BOTH, 50, 90_000.1, 0.0), (1 | A | BOTH, 50, 900.1, 0.1)]
    path = a_file(tmp_path / "x.npz", [*BOOK, (1 | B | BOTH, 50, 90_000.0, 0.0), *moved])
    with pytest.raises(BadRecording, match=r"row 2: a book at 2026-01-06T00:00 at more than 3 times"):
        found_in(path)


def test_a_best_price_that_goes_alone_is_a_thin_book(tmp_path: Path) -> None:
    moved = [(1 | A | BOTH, 50, 90_000.1, 0.0), (1 | A | BOTH, 50, 400_000.0, 0.1)]
    path = a_file(tmp_path / "x.npz", [*BOOK, *moved])
    assert found_in(path) == []


def test_rows_are_counted_as_the_file_has_them(tmp_path: Path) -> None:
    """Not as they are played: what only we saw is left out, and a clearing of both sides is played as two."""
    unseen = [(1 | B | LOCAL_ONLY, 20, 89_000.0, 0.1)] * 3
    crossing = [(1 | B | BOTH, 100, 90_000.2, 0.1)]
    assert "first at row 5" in found_in(a_file(tmp_path / "a.npz", [*BOOK, *unseen, *crossing]))[0]
    anew = [(CLEAR_BOTH_SIDES, 50, 0.0, 0.0), *[(kind, 50, px, qty) for kind, _, px, qty in BOOK]]
    assert "first at row 5" in found_in(a_file(tmp_path / "b.npz", [*BOOK, *anew, *crossing]))[0]


def test_a_file_without_rows_that_one_could_count_is_told_by_times(tmp_path: Path) -> None:
    path = a_file(tmp_path / "x.npz", [*BOOK, (1 | B | BOTH, 100, 90_000.2, 0.1)])
    (line,) = oddities(path, tape_of_array(path, 4))
    assert "first at 2026-01-06T00:00" in line
    assert "row" not in line
