"""Recordings for tests: settings, records, and raw files written by the recorder's own disk side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from common import frames
from common.config import Recording
from common.frames import Record
from feed.disk import Disk, market_folder
from tests.unit.feed.builders import COIN, MS, T0

FACTS = {"coin": COIN, "sz_decimals": 3}


def settings(folder: Path, **changes: Any) -> Recording:
    return Recording.model_validate({"on": True, "folder": folder, "free_gb_min": 0.0, **changes})


def a_disk(folder: Path, **changes: Any) -> Disk:
    disk = Disk(settings(folder, **changes), market_folder(folder, "paper", COIN))
    disk.facts = dict(FACTS)
    return disk


def heard(message: Any, at_ms: int = 0, link: str = "main", kind: int = frames.TEXT, connection: int = 1) -> Record:
    """A record of a message (or raw bytes) received `at_ms` after T0."""
    body = message if isinstance(message, bytes) else msgspec.json.encode(message)
    return Record(kind, T0 + at_ms * MS, link, connection, body)


def written(folder: Path, *batches: list[Record], close: bool = True) -> Path:
    """The market's folder after these frames were recorded."""
    disk = a_disk(folder)
    for batch in batches:
        disk.write(batch)
    if close:
        disk.close()
    return market_folder(folder, "paper", COIN)


def raw(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.rec"))
