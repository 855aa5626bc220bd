"""Recordings on disk: an hour a file, limits kept, room left, and nothing touched that is not ours."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from common.frames import END, FACTS, RAW_BYTES_MAX, Damage, Frame, read, records_of
from feed import disk as disk_room
from feed.disk import DiskLow, Kept, hour_of, recordings_in, surplus
from tests.unit.feed.builders import T0, S
from tests.unit.feed.recordings import FACTS as THE_FACTS
from tests.unit.feed.recordings import a_disk, heard, raw, written

HOUR_MS = 3_600_000
NOW = T0 // (3600 * S) * 3600 * S


def found(path: Path) -> list[Frame | Damage]:
    return list(read(path.read_bytes()))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    batches = [[heard(b"a", 1), heard(b"b", 2)], [heard(b"c", 3)]]
    written(tmp_path, *batches)
    (path,) = raw(tmp_path)
    frames = found(path)
    assert list(records_of(frames)) == [*batches[0], *batches[1]]
    assert frames[0].facts == THE_FACTS  # type: ignore[union-attr]
    assert frames[-1].kind == END  # type: ignore[union-attr]
    assert path.parent == tmp_path / "paper" / "km-US500" / "raw"
    assert path.name.startswith(hour_of(T0))


def test_every_frame_is_in_the_file_before_it_is_closed(tmp_path: Path) -> None:
    disk = a_disk(tmp_path)
    for k in range(3):
        disk.write([heard(b"x", k)])
        (path,) = raw(tmp_path)
        assert len(list(records_of(found(path)))) == k + 1
    disk.close()


def test_an_hour_is_a_file_and_the_old_one_is_closed(tmp_path: Path) -> None:
    batch = [heard(b"old", 0), heard(b"new", HOUR_MS), heard(b"straggler", 1)]
    written(tmp_path, batch)
    first, second = raw(tmp_path)
    assert [record.body for record in records_of(found(first))] == [b"old"]
    assert [record.body for record in records_of(found(second))] == [b"new", b"straggler"]
    assert all(found(path)[-1].kind == END for path in (first, second))  # type: ignore[union-attr]


def test_a_second_life_never_writes_into_the_file_of_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, [heard(b"first")], close=False)
    (path,) = raw(tmp_path)
    before = path.read_bytes()
    ms = disk_room.wall_ms()
    monkeypatch.setattr(disk_room, "wall_ms", lambda: ms + 1_000)
    written(tmp_path, [heard(b"second")])
    assert path.read_bytes() == before
    assert len(raw(tmp_path)) == 2


def test_facts_are_said_again_so_that_no_frame_is_needed_for_the_others(tmp_path: Path) -> None:
    written(tmp_path, *([heard(b"x", k)] for k in range(2 * disk_room.FACTS_EVERY)))
    (path,) = raw(tmp_path)
    kinds = [item.kind for item in found(path) if isinstance(item, Frame)]
    assert kinds.count(FACTS) == 3
    assert kinds[0] == FACTS


def test_frames_stay_within_the_formats_limit(tmp_path: Path) -> None:
    big = [heard(bytes(1 << 20), k) for k in range(9)]
    written(tmp_path, big)
    (path,) = raw(tmp_path)
    frames = [item for item in found(path) if isinstance(item, Frame) and item.records]
    assert [record.body for record in records_of(frames)] == [record.body for record in big]
    assert max(sum(len(r.body) for r in frame.records) for frame in frames) <= RAW_BYTES_MAX
    assert len(frames) == 3


def test_data_are_forced_to_the_disk_as_configured_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(descriptor), fsync(descriptor)))
    monkeypatch.setattr(disk_room, "mono_ns", lambda: now)
    disk, now = a_disk(tmp_path, fsync_s=10.0), S
    disk.write([heard(b"x")])
    begun = len(synced)  # the folder, for the new file's name
    now += 9 * S
    disk.write([heard(b"x")])
    assert len(synced) == begun
    now += 2 * S
    disk.write([heard(b"x")])
    disk.write([heard(b"x")])
    assert len(synced) == begun + 1
    disk.close()
    assert len(synced) == begun + 2


# ---------------------------------------------------------------------- room and limits
def test_recording_ends_before_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = 3 * 10**9
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": free}))
    disk = a_disk(tmp_path, free_gb_min=2.0)
    disk.write([heard(b"x")])
    free = 2 * 10**9 - 1
    with pytest.raises(DiskLow, match="less than 2 GB free"):
        disk.write([heard(b"y")])


def test_a_write_that_fails_half_way_leaves_only_whole_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = a_disk(tmp_path)
    disk.write([heard(b"kept")])
    write = os.write

    def half(descriptor: int, data: Any) -> int:
        monkeypatch.setattr(os, "write", full)
        return write(descriptor, bytes(data)[: len(data) // 2])

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space"):
        disk.write([heard(b"lost")])
    disk.give_up()
    (path,) = raw(tmp_path)
    assert [record.body for record in records_of(found(path))] == [b"kept"]
    assert not any(isinstance(item, Damage) for item in found(path))


def kept(hours_ago: int, size: int = 100) -> Kept:
    hour = hour_of(NOW - hours_ago * 3600 * S)
    return Kept(hour, Path(f"{hour}_{hours_ago}"), size)


@pytest.mark.parametrize(
    ("keep_hours", "bytes_max", "gone"),
    [
        (100, 1e9, []),
        (2, 1e9, [5, 3]),
        (100, 250, [5, 3, 2]),
        (100, 0, [5, 3, 2, 1]),
        (0, 1e9, [5, 3, 2, 1]),
    ],
)
def test_oldest_recordings_go_first_and_the_present_hour_never(
    keep_hours: int, bytes_max: float, gone: list[int]
) -> None:
    files = [kept(5), kept(3), kept(2), kept(1), kept(0)]
    found = surplus(files, hour_of(NOW), hour_of(NOW - keep_hours * 3600 * S), bytes_max)
    assert [file.path.name.partition("_")[2] for file in found] == [str(hours) for hours in gone]


def test_limits_are_kept_at_every_new_hour_and_touch_only_our_files(tmp_path: Path) -> None:
    folder = tmp_path / "paper" / "km-US500"
    for place in ("raw", "parquet/trades"):
        (folder / place).mkdir(parents=True)
    old, older = hour_of(T0 - 50 * 3600 * S), hour_of(T0 - 99 * 3600 * S)
    ours = [folder / "raw" / f"{old}_1-1.rec", folder / "parquet/trades" / f"{older}.parquet"]
    fresh = folder / "raw" / f"{hour_of(T0 - 3600 * S)}_1-1.rec"
    foreign = [folder / "raw" / "notes.txt", folder / f"{older}.rec.bak", tmp_path / "elsewhere.rec"]
    for path in (*ours, fresh, *foreign):
        path.write_bytes(b"x")
    disk = a_disk(tmp_path, keep_days=2.0)
    disk.write([heard(b"x")])
    disk.close()
    assert not any(path.exists() for path in ours)
    assert all(path.exists() for path in (fresh, *foreign))
    assert disk.deleted == 2
    assert len(recordings_in(folder)) == 2
