"""Bars are taken as they are or refused with file, row and reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtest.data.bars import COLUMNS, Bars, continued, csv_of, read_bars, scaled, told_holes
from common.errors import BadInput
from simvenue.recorded.recording import BadRecording
from tests.support.shared import shared
from tests.unit.backtest.data.builders import a_csv, walk_bars


def changed(path: Path, row: int, name: str, text: str) -> Path:
    """The file with one cell replaced; row from 0."""
    lines = path.read_text().splitlines()
    cells = lines[row + 1].split(",")
    cells[COLUMNS.index(name)] = text
    lines[row + 1] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return a_csv(tmp_path / "bars.csv", walk_bars(20))


def refused(path: Path) -> BadRecording:
    with pytest.raises(BadRecording) as found:
        read_bars(path)
    assert found.value.path == path
    return found.value


def test_bars_read_back_as_they_were_written(path: Path) -> None:
    bars, was = read_bars(path), walk_bars(20)
    assert all(np.array_equal(getattr(bars, name), getattr(was, name)) for name in COLUMNS)
    assert bars.every_ms == 60_000


@pytest.mark.parametrize(
    ("row", "name", "text", "why"),
    [
        (3, "close", "nan", "close is not a number"),
        (4, "open", "", "is not a number"),
        (5, "low", "0", "low is not above 0"),
        (6, "high", "1.0", "high is below"),
        (7, "low", "99999", "high is below open, close or low"),
        (8, "volume", "-1", "volume is below 0"),
        (9, "ts_ms", "1780272000000", "times run backwards"),
        (10, "ts_ms", str(1780272000000 + 9 * 60_000), "the same time"),
        (0, "ts_ms", "1780272000", "looks like seconds"),
        (0, "ts_ms", "1780272000000000", "looks like microseconds"),
        (11, "ts_ms", str(1780272000000 + 11 * 60_000 + 7), "grid"),
        (12, "ts_ms", "1780272720000.5", "whole number"),
    ],
)
def test_bad_cell_is_named_by_row_and_reason(path: Path, row: int, name: str, text: str, why: str) -> None:
    error = refused(changed(path, row, name, text))
    assert (error.row, why in error.why) == (row, True), error


def test_price_in_another_unit_is_a_leap(path: Path) -> None:
    for name in COLUMNS[1:5]:
        value = float(path.read_text().splitlines()[14].split(",")[COLUMNS.index(name)])
        changed(path, 13, name, repr(value * 100))
    error = refused(path)
    assert error.row == 13
    assert "another unit" in error.why


def test_line_that_was_cut_short_is_named(path: Path) -> None:
    text = path.read_text()
    path.write_text(text[: text.rindex(",") - 8])
    error = refused(path)
    assert error.row == 19
    assert "cut short" in error.why


def test_file_without_a_column_or_without_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("ts_ms,open,high,low,close\n1,2,3,1,2\n")
    assert "volume" in refused(path).why
    path.write_text(",".join(COLUMNS) + "\n")
    assert "no bars" in refused(path).why
    path.write_text("")
    assert "no column" in refused(path).why


def test_cut_parquet_file_is_refused(tmp_path: Path) -> None:
    whole = shared("data/us_index/SPX_5m.parquet").read_bytes()
    path = tmp_path / "spx.parquet"
    path.write_bytes(whole[: len(whole) // 2])
    assert "not a readable Parquet file" in refused(path).why


def test_missing_bars_are_told_and_not_filled_in(path: Path) -> None:
    lines = path.read_text().splitlines()
    del lines[6:9]
    path.write_text("\n".join(lines) + "\n")
    bars = read_bars(path)
    assert len(bars) == 17
    (line,) = told_holes("bars.csv", bars)
    assert "3 bars missing in 1 gaps" in line
    assert "after row 4" in line


def test_real_index_bars_are_whole_and_their_nights_are_told() -> None:
    bars = read_bars(shared("data/us_index/SPX_5m.parquet"))
    assert (len(bars), bars.every_ms) == (13_239, 300_000)
    assert "167 gaps" in told_holes("SPX_5m", bars)[0]


def test_scaled_bars_end_at_the_price_with_the_volatility_asked_for() -> None:
    bars = scaled(walk_bars(600, vol=0.4), 752.4, 0.12)
    assert bars.close[-1] == pytest.approx(752.4)
    assert bars.vol_annual == pytest.approx(0.12)
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()


def test_new_bars_go_on_where_the_kept_ones_are_overtaken() -> None:
    bars = walk_bars(30)
    whole = continued(bars.rows(slice(0, 20)), bars.rows(slice(15, 30)))
    assert np.array_equal(whole.ts_ms, bars.ts_ms)
    with pytest.raises(BadInput):
        continued(bars, walk_bars(5, 300_000))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mangled_file_is_refused_or_read_never_anything_else(tmp_path: Path, data: st.DataObject) -> None:
    """Bytes changed, dropped or doubled at random: BadRecording that names the file, or bars that keep their rules."""
    text = bytearray(csv_of(walk_bars(6)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        match data.draw(st.integers(0, 2)):
            case 0:
                text[at] = data.draw(st.integers(0, 255))
            case 1:
                del text[at:]
                text += b"\n"
            case _:
                text[at:at] = text[at : at + 30]
    path = tmp_path / "mangled.csv"
    path.write_bytes(bytes(text))
    try:
        bars = read_bars(path)
    except BadRecording as error:
        named = error.path
    else:
        named = path
        check(bars)
    assert named == path


def check(bars: Bars) -> None:
    assert (np.diff(bars.ts_ms) > 0).all()
    assert all(np.isfinite(getattr(bars, name)).all() for name in COLUMNS)
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
