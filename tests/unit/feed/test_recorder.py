"""The recorder keeps everything in order while the disk keeps up, and never holds the feed when it does not."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.frames import CLOSED, LOST, OPENED, TEXT, Record, read, records_of
from feed.disk import Disk, DiskLow
from feed.events import Closed, Frame, Opened
from feed.recorder import Recorder
from tests.support.waiting import until
from tests.unit.feed.builders import T0
from tests.unit.feed.recordings import a_disk, raw, settings


class SlowDisk(Disk):
    """A disk that takes what it is given when it is told to, or fails as it is told to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(settings(folder), folder)
        self.ready = threading.Event()
        self.writing = threading.Event()
        self.taken: list[Record] = []
        self.failure: Exception | None = None
        self.gave_up = False

    def write(self, records: list[Record]) -> None:
        self.writing.set()
        self.ready.wait(10)
        if self.failure is not None:
            raise self.failure
        self.taken += records
        self.messages += sum(record.kind == TEXT for record in records)

    def close(self) -> None:
        return

    def give_up(self) -> None:
        self.gave_up = True


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[SlowDisk]:
    disk = SlowDisk(tmp_path)
    yield disk
    disk.ready.set()


def a_recorder(disk: Disk, *, flush_s: float = 0.01, buffer_bytes: int = 10**6) -> Recorder:
    recorder = Recorder(disk, lambda: T0, flush_s=flush_s, buffer_bytes=buffer_bytes)
    recorder.start()
    return recorder


def frame(k: int, link: str = "main", text: str | bytes | None = None) -> Frame:
    return Frame(link, f"message {k}" if text is None else text, T0 + k, 1 + k)


async def test_messages_and_connections_are_recorded_as_they_came(tmp_path: Path) -> None:
    recorder = a_recorder(a_disk(tmp_path), flush_s=60.0)
    for event in (Opened("main", 1), frame(1), frame(2, text="µ"), Closed("main", 2), Opened("main", 3), frame(3)):
        recorder.take(event)
    await recorder.close()
    (path,) = raw(tmp_path)
    rows = [(r.kind, r.link, r.connection, r.body) for r in records_of(read(path.read_bytes()))]
    assert rows == [
        (OPENED, "main", 1, b""),
        (TEXT, "main", 1, b"message 1"),
        (TEXT, "main", 1, "µ".encode()),
        (CLOSED, "main", 1, b""),
        (OPENED, "main", 2, b""),
        (TEXT, "main", 2, b"message 3"),
    ]
    figures = recorder.figures()
    assert (figures.messages, figures.bytes, figures.lag_s, figures.stopped) == (3, path.stat().st_size, 0.0, "")


async def test_frames_reach_the_disk_without_being_asked_for(tmp_path: Path) -> None:
    recorder = a_recorder(a_disk(tmp_path))
    recorder.take(frame(1))
    await until(lambda: recorder.figures().messages == 1, "the frame")
    await recorder.close()


async def test_nothing_is_taken_after_the_close(tmp_path: Path) -> None:
    recorder = a_recorder(a_disk(tmp_path))
    recorder.take(frame(1))
    await recorder.close()
    recorder.take(frame(2))
    (path,) = raw(tmp_path)
    assert [r.body for r in records_of(read(path.read_bytes()))] == [b"message 1"]


async def test_disk_that_stalls_costs_messages_but_never_the_feed(slow: SlowDisk) -> None:
    recorder = a_recorder(slow, buffer_bytes=100)
    recorder.take(frame(0))
    await until(slow.writing.is_set, "the write that stalls")
    for k in range(1, 40):
        recorder.take(frame(k))
    stalled = recorder.figures()
    assert stalled.dropped["buffer"] > 20
    assert stalled.lag_s > 0.0
    assert stalled.stopped == ""
    slow.ready.set()
    await until(lambda: recorder.figures().lag_s == 0.0, "the disk to catch up")
    recorder.take(frame(99))
    await recorder.close()
    lost = [int(record.body) for record in slow.taken if record.kind == LOST]
    texts = [record.body for record in slow.taken if record.kind == TEXT]
    assert sum(lost) == recorder.figures().dropped["buffer"]
    assert len(texts) + sum(lost) == 41
    assert texts[-1] == b"message 99"


@pytest.mark.parametrize(
    ("failure", "word"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
        (OSError(errno.EIO, "Input/output error"), "disk_error"),
        (DiskLow("less than 2 GB free"), "low_room"),
        (ValueError("a mistake of ours"), "fault"),
    ],
)
async def test_failure_ends_the_recording_and_only_that(slow: SlowDisk, failure: Exception, word: str) -> None:
    slow.failure = failure
    slow.ready.set()
    recorder = a_recorder(slow)
    recorder.take(frame(1))
    await until(lambda: recorder.figures().stopped, "the end of the recording")
    for k in range(2, 7):
        recorder.take(frame(k))
    figures = recorder.figures()
    assert (figures.stopped, figures.dropped, figures.lag_s) == (word, {"buffer": 0, "stopped": 6}, 0.0)
    assert str(failure.args[-1]) in figures.detail
    assert slow.gave_up
    await recorder.close()


async def test_disk_that_hangs_holds_the_stop_no_longer_than_its_time(
    slow: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feed.recorder.CLOSE_S", 0.05)
    recorder = a_recorder(slow)
    recorder.take(frame(1))
    await until(slow.writing.is_set, "the write that hangs")
    await recorder.close()
    assert recorder.figures().messages == 0


async def test_many_messages_wake_the_writer_before_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feed.recorder.FLUSH_BYTES", 1_000)
    recorder = a_recorder(a_disk(tmp_path), flush_s=60.0)
    for k in range(20):
        recorder.take(frame(k, text="x" * 100))
    await until(lambda: recorder.figures().messages >= 10, "a frame")
    await recorder.close()


def test_full_queue_is_measured_by_what_is_in_it(slow: SlowDisk) -> None:
    taken: list[Any] = []
    recorder = Recorder(slow, lambda: T0, flush_s=60.0, buffer_bytes=30)
    for k in range(5):
        recorder.take(frame(k, text="x" * 10))
        taken.append(recorder.figures().dropped["buffer"])
    assert taken == [0, 0, 0, 1, 2]
