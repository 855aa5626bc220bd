"""What a PATH holds, by what its files are called and say: recognised once, and named.

A file or a folder is one of: our own recordings (raw or Parquet), hftbacktest event arrays, the Hyperliquid archive,
bars. A folder that holds more than one kind, or nothing that is known, is refused with what was found. What is inside
the files is their readers' business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from common.errors import ConfigError
from quoter.rows import find
from simvenue.recorded.captured import RAW, TABLES, Capture, capture

Layout = Literal["own", "npz", "archive", "bars"]

NAMES: dict[Layout, str] = {
    "own": "our own recordings",
    "npz": "hftbacktest event arrays",
    "archive": "Hyperliquid archive",
    "bars": "bars",
}
LZ4, ASSET_CTXS = ".lz4", ".csv.lz4"
BARS = (".csv", ".parquet")
KNOWN = "own recordings (.rec or Parquet), event arrays (.npz), Hyperliquid archive (.lz4), bars (.csv, .parquet)"
_DAY = re.compile(r"20[0-9]{6}", re.ASCII)


class NothingKnown(ConfigError):
    """A path that holds nothing that can be played."""


@dataclass(frozen=True, slots=True)
class Found:
    """Files of one kind in the order they play; of our own recordings, how they are kept."""

    layout: Layout
    path: Path
    files: tuple[Path, ...]
    capture: Capture | None = None

    @property
    def name(self) -> str:
        kept = ""
        if self.capture is not None:
            kept = " (raw)" if self.capture.layout == RAW else " (Parquet)"
        count = f", {len(self.files)} files" if len(self.files) != 1 else f", {self.files[0].name}"
        return f"{NAMES[self.layout]}{kept}: {self.path.name}{'' if self.path.is_file() else count}"


def recognise(path: Path, profile: str, coin: str) -> Found:
    """Raises ConfigError when there is nothing, nothing known, or more than one kind."""
    if not path.exists():
        raise ConfigError(f"{path}: there is no such file or folder")
    kinds = [found for found in (_own(path), _arrays(path, profile), _archive(path, coin), _bars(path)) if found]
    if len(kinds) == 1:
        return kinds[0]
    if kinds:
        raise ConfigError(f"{path}: holds {' and '.join(NAMES[found.layout] for found in kinds)}; name one of them")
    raise NothingKnown(f"{path}: nothing that can be played here; known are {KNOWN}")


def day_of(path: Path) -> str:
    """The date `YYYYMMDD` in a file's name or its nearest folder's, '' = none."""
    for part in reversed(path.parts):
        found = _DAY.search(part)
        if found is not None:
            return found[0]
    return ""


def hour_in(path: Path) -> int:
    """The hour an archive file is of, by its folder."""
    return next((int(part) for part in reversed(path.parts[:-1]) if part.isdigit() and len(part) <= 2), 0)


def _own(path: Path) -> Found | None:
    if path.is_file() and path.parent.name == "touches" and path.suffix == ".parquet":
        taken: Capture | None = Capture(TABLES, (path,))
    else:
        taken = capture(path) if path.is_dir() or path.suffix == ".rec" else None
    return None if taken is None else Found("own", path, taken.files, taken)


def _arrays(path: Path, profile: str) -> Found | None:
    if path.suffix == ".npz" or (path.is_dir() and any(path.glob("*.npz"))):
        return Found("npz", path, tuple(find([str(path)], profile)))
    return None


def _archive(path: Path, coin: str) -> Found | None:
    """Books of this coin; contexts alone are no market."""
    if path.is_file():
        is_book = path.name.endswith(LZ4) and not path.name.endswith(ASSET_CTXS)
        return Found("archive", path, (path,)) if is_book else None
    names = {f"{coin}{LZ4}", f"{coin.replace(':', '-')}{LZ4}"}
    files = [file for file in path.rglob(f"*{LZ4}") if file.name in names]
    files.sort(key=lambda file: (day_of(file), hour_in(file), file.as_posix()))
    return Found("archive", path, tuple(files)) if files else None


def _bars(path: Path) -> Found | None:
    if path.is_file():
        is_bars = path.suffix.lower() in BARS and path.parent.name != "touches"
        return Found("bars", path, (path,)) if is_bars else None
    files = tuple(sorted(file for file in path.iterdir() if file.suffix.lower() in BARS and file.is_file()))
    markets = {file.stem.rpartition("_")[0] or file.stem for file in files}
    if len(markets) > 1:
        raise ConfigError(
            f"{path}: tables of {len(markets)} names ({', '.join(sorted(markets)[:4])}); bars of one market are "
            "wanted: name the file"
        )
    return Found("bars", path, files) if files else None
