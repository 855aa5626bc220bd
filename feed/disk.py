"""One market's recordings on disk: an hour a file, forced to the disk now and then, old ones deleted, room left free.

The files' side of the recorder, for one thread; what it raises (OSError, `DiskLow`) ends the recording and nothing
else. A file is never opened again: every start of the feed and every hour of market time begins a new one, so that a
torn tail can only be at a file's end. Fsync policy: each frame is handed to the system at once, so a killed process
loses nothing that was flushed; the data are forced to the disk every `fsync_s` and when a file ends, so a power cut
loses that much. (macOS: `fsync` reaches the drive, not necessarily its platter.)
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common.clock import NS, mono_ns, wall_ms
from common.config import Recording
from common.frames import BINARY, RAW_BYTES_MAX, TEXT, Record, Sealer, size

GB = 10**9
HOUR_NS = 3600 * NS
FACTS_EVERY = 30
"""Frames after which the facts are said again (about a minute)."""

RAW_FOLDER = "raw"
SUFFIX = ".rec"
_OURS = re.compile(r"([0-9]{8}T[0-9]{2}Z)(_[0-9]+-[0-9]+\.rec|\.parquet)", re.ASCII)


class DiskLow(OSError):
    """There is less room left on the disk than configured."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of a market's recordings; `hour` as in its name, so that names sort by time."""

    hour: str
    path: Path
    size: int


def market_folder(folder: Path, network: str, coin: str) -> Path:
    """`paper/km-US500`: what a simulated venue said never lies beside what the real one did."""
    return folder / network / coin.replace(":", "-")


def hour_of(t_ns: int) -> str:
    """`20260603T14Z`"""
    return datetime.fromtimestamp(t_ns // NS, UTC).strftime("%Y%m%dT%HZ")


def recordings_in(folder: Path) -> list[Kept]:
    """Everything of ours below a market's folder, oldest hour first; other files are not ours to touch."""
    found = []
    for path in folder.rglob("*"):
        name = _OURS.fullmatch(path.name)
        if name is not None and path.is_file():
            found.append(Kept(name[1], path, path.stat().st_size))
    return sorted(found, key=lambda kept: (kept.hour, kept.path))


def surplus(files: Iterable[Kept], now_hour: str, oldest_hour: str, bytes_max: float) -> list[Kept]:
    """Which files the limits leave no room for, oldest first; the present hour's are never among them."""
    files = list(files)
    total = sum(kept.size for kept in files)
    gone = []
    for kept in files:
        if kept.hour >= now_hour or (kept.hour >= oldest_hour and total <= bytes_max):
            break
        gone.append(kept)
        total -= kept.size
    return gone


class Disk:
    """Writes frames below a market's folder; `facts` are what the next file says of its market."""

    def __init__(self, settings: Recording, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._file = -1  # descriptor
        self._path = Path()
        self._hour = -1
        self._sealer = Sealer()
        self._good_bytes = 0
        self._synced_mono_ns = 0
        self.facts: dict[str, Any] = {}
        self.messages = 0
        self.bytes = 0
        self.deleted = 0

    def write(self, records: list[Record]) -> None:
        """One frame or more, each within its hour's file and the format's limit."""
        self._check_room()
        for part in _parts(records):
            self._turn(part[0].recv_t_ns // HOUR_NS)
            if self._sealer.number % FACTS_EVERY == 0:
                self._put(self._sealer.facts(self.facts))
            self._put(self._sealer.records(part))
            self.messages += sum(record.kind in (TEXT, BINARY) for record in part)
        if mono_ns() - self._synced_mono_ns >= self._settings.fsync_s * NS:
            self._sync()

    def close(self) -> None:
        """Say that the file is whole, and force it to the disk."""
        if self._file < 0:
            return
        self._put(self._sealer.end({"frames": self._sealer.number}))
        self._sync()
        os.close(self._file)
        self._file = -1

    def give_up(self) -> None:
        """After a failure: leave a file that ends with its last good frame, if the disk lets us."""
        if self._file < 0:
            return
        with contextlib.suppress(OSError):  # a torn tail is found by whoever reads it
            os.ftruncate(self._file, self._good_bytes)
        with contextlib.suppress(OSError):
            os.close(self._file)
        self._file = -1

    # ------------------------------------------------------------------ inside
    def _turn(self, hour: int) -> None:
        """A new file for a new hour; a clock that was set back does not reopen an old one."""
        if self._file >= 0 and hour <= self._hour:
            return
        self.close()
        self._hour = hour
        self._prune(hour)
        folder = self._folder / RAW_FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{hour_of(hour * HOUR_NS)}_{wall_ms()}-{os.getpid()}{SUFFIX}"
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        self._sealer, self._good_bytes, self._synced_mono_ns = Sealer(), 0, mono_ns()
        _sync_folder(folder)

    def _put(self, frame: bytes) -> None:
        rest = memoryview(frame)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._good_bytes += len(frame)
        self.bytes += len(frame)

    def _sync(self) -> None:
        os.fsync(self._file)
        self._synced_mono_ns = mono_ns()

    def _prune(self, hour: int) -> None:
        oldest = hour_of(max(hour * HOUR_NS - int(self._settings.keep_days * 24 * HOUR_NS), 0))
        for kept in surplus(recordings_in(self._folder), hour_of(hour * HOUR_NS), oldest, self._settings.max_gb * GB):
            kept.path.unlink(missing_ok=True)
            self.deleted += 1

    def _check_room(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self._folder).free < self._settings.free_gb_min * GB:
            raise DiskLow(f"less than {self._settings.free_gb_min:g} GB free at {self._folder}")


def _parts(records: list[Record]) -> Iterable[list[Record]]:
    """The records in frames: none across an hour's end, none above the format's limit."""
    part: list[Record] = []
    weight = 0
    for record in records:
        if part and (_in_later_hour(record, part[0]) or weight + size(record) > RAW_BYTES_MAX):
            yield part
            part, weight = [], 0
        part.append(record)
        weight += size(record)
    if part:
        yield part


def _in_later_hour(record: Record, first: Record) -> bool:
    return record.recv_t_ns // HOUR_NS > first.recv_t_ns // HOUR_NS


def _sync_folder(folder: Path) -> None:
    """So that a new file's name survives a power cut too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
