"""Prepared data on disk: plain columns under a key, read back as they lie in the file (memory-mapped).

A key is a hash of what went in: the bytes of the data, the preparation's own source, and its settings; so nothing is
ever out of date, and nothing is looked at twice. An entry is a folder of `.npy` files that gets its name when it is
whole. The hash of a data file is remembered as long as its size and time of change stay the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from common.kernel import ROOT

BYTES_MAX = 8 * 10**9
"""What a shelf holds at most; entries that were not used for longest go first."""

META = "meta.json"
CODE = ("backtest/data", "backtest/data/made_up.py", "backtest/tape.py", "simvenue/recorded", "simvenue/synthetic",
        "simvenue/book", "common/recorded.py", "common/columns.py", "common/frames.py", "common/ticks.py")  # fmt: skip


@cache
def code_version(root: Path = ROOT) -> str:
    """Hash of the source that decides what prepared data look like."""
    digest = hashlib.sha256()
    for name in CODE:
        path = root / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    columns: dict[str, Any]
    meta: dict[str, Any]


class Shelf:
    """Prepared columns below one folder; several processes may share it."""

    def __init__(self, folder: Path, bytes_max: int = BYTES_MAX) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._hashes_path = folder / "hashes.json"
        self._hashes: dict[str, list[Any]] = _read_json(self._hashes_path)

    def sha256(self, path: Path) -> str:
        """Of the file's bytes."""
        found = path.stat()
        facts = [found.st_size, found.st_mtime_ns, found.st_ino]
        name = str(path.resolve())
        known = self._hashes.get(name)
        if known is not None and known[:3] == facts:
            return str(known[3])
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        self._hashes[name] = [*facts, sha256]
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._hashes_path, json.dumps(self._hashes).encode())
        return sha256

    def get(self, key: str) -> Entry | None:
        """The entry, its columns as arrays that may be written to without changing the file; None = not there."""
        folder = self._folder / key
        try:
            meta: dict[str, Any] = json.loads((folder / META).read_bytes())
            columns = {name: _column(folder / f"{name}.npy") for name in meta["columns"]}
            os.utime(folder)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, OSError):  # cut short by a full disk or by hand: made anew
            shutil.rmtree(folder, ignore_errors=True)
            return None
        return Entry(columns, meta["meta"])

    def put(self, key: str, columns: Mapping[str, Any], meta: Mapping[str, Any]) -> Entry:
        """Keep it; what is returned is read back from the disk."""
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=self._folder))
        try:
            for name, column in columns.items():
                with (unfinished / f"{name}.npy").open("wb") as file:
                    np.save(file, np.ascontiguousarray(column))
                    file.flush()
                    os.fsync(file.fileno())
            write_whole(unfinished / META, json.dumps({"columns": list(columns), "meta": dict(meta)}).encode())
            try:
                unfinished.rename(self._folder / key)
            except OSError:  # another process was faster
                if not (self._folder / key / META).exists():
                    raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        self._prune(key)
        return self.get(key) or Entry(dict(columns), dict(meta))

    def _prune(self, kept: str) -> None:
        entries = [path for path in self._folder.iterdir() if path.is_dir() and path.name != kept]
        sizes = {path: sum(file.stat().st_size for file in path.glob("*")) for path in entries}
        total = sum(sizes.values())
        for path in sorted(entries, key=lambda path: path.stat().st_mtime):
            if total <= self._bytes_max:
                return
            total -= sizes[path]
            shutil.rmtree(path, ignore_errors=True)


def key_of(*parts: object) -> str:
    """A folder's name for these inputs and this source."""
    return hashlib.sha256("\0".join([code_version(), *map(str, parts)]).encode()).hexdigest()[:32]


def write_whole(path: Path, data: bytes) -> None:
    """The whole file or the one that was there: half a file is never seen under this name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _column(path: Path) -> Any:
    found = np.load(path, mmap_mode="c" if path.stat().st_size > 1 << 12 else None, allow_pickle=False)
    return np.asarray(found)


def _read_json(path: Path) -> dict[str, list[Any]]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):  # not there yet, or not whole: hashed again
        return {}
    return found if isinstance(found, dict) else {}
