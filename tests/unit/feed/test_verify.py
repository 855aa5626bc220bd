"""Looking at a recording: what it holds, what it lacks, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from common import frames
from common.errors import EXIT_CONFIG, EXIT_FAULT, EXIT_OK
from feed import tools
from feed.verify import lines, verify
from tests.unit.feed.builders import MS, T0, bbo
from tests.unit.feed.recordings import heard, raw, written


def quiet(*at_ms: int, link: str = "main") -> list[frames.Record]:
    return [heard(bbo(ms), ms, link) for ms in at_ms]


def the_file(tmp_path: Path, *batches: list[frames.Record], close: bool = True) -> Path:
    (path,) = raw(written(tmp_path, *batches, close=close))
    return path


def test_whole_file_has_frames_span_and_no_gap(tmp_path: Path) -> None:
    report = verify(the_file(tmp_path, quiet(0, 2_000), quiet(4_000)))
    assert (report.coin, report.frames, report.messages, report.closed) == ("km:US500", 4, 3, True)
    assert (report.first_t_ns, report.last_t_ns) == (T0, T0 + 4_000 * MS)
    assert (report.gaps, report.damages, report.is_damaged) == ([], [], False)
    assert len(list(lines(report))) == 1


def test_silences_closed_links_and_lost_messages_are_gaps(tmp_path: Path) -> None:
    records = [
        *quiet(0, 5_000),
        *quiet(10_001),
        heard(b"", 11_000, kind=frames.CLOSED),
        heard(b"", 31_000, kind=frames.OPENED, connection=2),
        heard(b"17", 32_000, kind=frames.LOST, connection=2),
        *quiet(33_000),
    ]
    report = verify(the_file(tmp_path, records))
    assert [(gap.why, (gap.to_t_ns - gap.from_t_ns) // MS, gap.messages) for gap in report.gaps] == [
        ("silent", 5_001, 0), ("closed", 20_000, 0), ("lost", 1_000, 17),
    ]  # fmt: skip


def test_links_are_silent_each_for_itself(tmp_path: Path) -> None:
    main = [heard(bbo(ms), ms) for ms in range(0, 24_000, 4_000)]
    records = [*quiet(0, 5_000, link="deep"), *main, *quiet(25_001, link="deep")]  # a slow book comes every 5 s
    (gap,) = verify(the_file(tmp_path, records)).gaps
    assert (gap.link, gap.to_t_ns - gap.from_t_ns) == ("deep", 20_001 * MS)


def test_torn_tail_is_told_but_is_no_damage(tmp_path: Path) -> None:
    path = the_file(tmp_path, quiet(0), quiet(1), close=False)
    path.write_bytes(path.read_bytes()[:-3])
    report = verify(path)
    assert (report.messages, report.closed, report.is_damaged) == (1, False, False)
    assert [damage.reason for damage in report.damages] == ["torn"]
    assert "not closed" in next(lines(report))


def test_damage_is_named_with_its_offset(tmp_path: Path) -> None:
    path = the_file(tmp_path, quiet(0), quiet(1))
    data = bytearray(path.read_bytes())
    begin = [item.offset for item in frames.read(bytes(data)) if isinstance(item, frames.Frame)][2]
    data[begin + 33] ^= 4
    path.write_bytes(data)
    report = verify(path)
    assert report.is_damaged
    assert list(lines(report))[1].startswith(f"{path}: checksum at offset {begin}, ")
    assert list(lines(report))[1].endswith("1 frames lost")


# ---------------------------------------------------------------------- the command line
def test_verify_looks_at_files_and_folders_and_says_whether_they_are_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = the_file(tmp_path, quiet(0, 1))
    assert tools.run(["verify", str(tmp_path), str(path)]) == EXIT_OK
    said = capsys.readouterr().out.splitlines()
    assert said == [said[0]] * 2
    assert "km:US500, 3 frames, 2 messages" in said[0]
    path.write_bytes(b"\0" + path.read_bytes()[1:])
    assert tools.run(["verify", str(path)]) == EXIT_FAULT
    assert "header at offset 0" in capsys.readouterr().out


def test_parquet_says_what_each_hour_became(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path, quiet(0, 1))
    assert tools.run(["parquet", str(folder)]) == EXIT_OK
    assert ": written: touches 2, books_fast 0" in capsys.readouterr().out
    assert tools.run(["parquet", str(folder)]) == EXIT_OK
    assert capsys.readouterr().out.endswith(": unchanged\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify"], "required: FILE"),
        (["verify", "/nowhere/x.rec"], "No such file"),
        (["parquet", "/nowhere"], "there is no folder raw in it"),
        (["mend"], "invalid choice: 'mend'"),
    ],
)
def test_wrong_command_line_is_one_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tools.run(arguments) == EXIT_CONFIG
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.startswith("feed: ")
    assert said in found.err
    assert found.err.count("\n") == 1


def test_folder_without_recordings_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tools.run(["verify", str(tmp_path)]) == EXIT_CONFIG
    assert "there is no .rec file" in capsys.readouterr().err
