"""Recorded event arrays (`.npz`, hftbacktest's row layout) as columns for the fit.

Decides which rows a reader of the market may learn from: those flagged for the exchange, at their exchange time; rows
of one time are one instant, in the file's order. Recorded floats become venue units exactly, or the file is refused
(BadInput with the file's name).
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from common.errors import BadInput, ConfigError
from common.ticks import PX_DECIMALS
from quoter.rebuilt import ASK_ROW, BID_ROW, BUY_ROW, SELL_ROW

DEPTH, TRADE, SNAPSHOT = 1, 2, 4
KIND_MASK = 0xFF
BUY_FLAG, EXCHANGE_FLAG = 1 << 29, 1 << 31
UNITS_MAX = 1e15
GRID_TOLERANCE = 1e-4
REMEMBERED = 200
"""Recorders remember so many levels a side that left their window; of older ones nothing is ever heard."""


class Rows(NamedTuple):
    """int64 columns; instant k is `begin[k] .. begin[k + 1]` at recorded time `stamp_ns[k]`."""

    what: Any
    px_u: Any
    sz_u: Any
    stamp_ns: Any
    begin: Any
    keep: int


def find(paths: Sequence[str], profile: str) -> list[Path]:
    """The files PATH stands for, by name: files themselves, of a folder those of the profile's market (or all)."""
    found: list[Path] = []
    for text in paths:
        path = Path(text)
        if path.is_dir():
            inside = sorted(path.glob("*.npz"))
            named = [p for p in inside if p.name.startswith(f"{profile}_")]
            groups = {p.name.rstrip("0123456789-.npz") for p in named or inside}
            if len(groups) != 1:
                raise ConfigError(f"{path}: {len(groups)} markets in this folder; name the files")
            found += named or inside
        elif path.is_file():
            found.append(path)
        else:
            raise ConfigError(f"{path}: there is no such file or folder")
    return sorted(found, key=lambda p: p.name)


def span_ns(text: str) -> tuple[int, int]:
    """`START/END`, dates or times in UTC of the recording; one date alone is that day."""
    parts = text.split("/")
    try:
        times = [datetime.fromisoformat(part) for part in parts]
    except ValueError:
        raise ConfigError(f"span {text!r}: START/END as ISO dates or times") from None
    stamps = [int(t.replace(tzinfo=t.tzinfo or UTC).timestamp()) * 10**9 for t in times]
    if len(parts) == 1:
        stamps.append(stamps[0] + 86_400 * 10**9)
    if len(stamps) != 2 or stamps[0] >= stamps[1]:
        raise ConfigError(f"span {text!r}: START/END with START before END")
    return stamps[0], stamps[1]


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read(path: Path, sz_decimals: int) -> Rows:
    """One file's rows; raises BadInput: unreadable, not_a_recording, off_grid, out_of_order."""
    data = _array(path)
    data = data[(data["ev"] & EXCHANGE_FLAG) != 0]
    if len(data) == 0:
        raise BadInput("not_a_recording", f"{path.name}: no row is flagged for the exchange")
    kind = data["ev"] & KIND_MASK
    times = data["exch_ts"].astype(np.int64)
    is_print = kind == TRADE
    if not (is_print | (kind == DEPTH) | (kind == SNAPSHOT)).all():
        raise BadInput("not_a_recording", f"{path.name}: a row kind that is not known")
    if (np.diff(times) < 0).any() or times[0] <= 0:
        raise BadInput("out_of_order", f"{path.name}: exchange times run backwards")
    buys = (data["ev"] & BUY_FLAG) != 0
    what = np.where(is_print, np.where(buys, BUY_ROW, SELL_ROW), np.where(buys, BID_ROW, ASK_ROW)).astype(np.int64)
    px_u = _units(path, data["px"], PX_DECIMALS - sz_decimals)
    sz_u = _units(path, data["qty"], sz_decimals)
    begin = np.concatenate(([0], np.flatnonzero(np.diff(times)) + 1, [len(times)])).astype(np.int64)
    first = what[begin[0] : begin[1]]
    seen = max(int((first == BID_ROW).sum()), int((first == ASK_ROW).sum()), 1)
    return Rows(what, px_u, sz_u, times[begin[:-1]], begin, seen + REMEMBERED)


def _array(path: Path) -> Any:
    try:
        with np.load(path, allow_pickle=False) as archive:
            data = archive["data"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BadInput("unreadable", f"{path.name}: {error}") from None
    if data.ndim != 1 or not {"ev", "exch_ts", "px", "qty"} <= set(data.dtype.names or ()):
        raise BadInput("not_a_recording", f"{path.name}: no event array")
    return data


def _units(path: Path, values: Any, decimals: int) -> Any:
    scaled = values * 10.0**decimals
    if not np.isfinite(scaled).all() or (scaled < 0).any() or (scaled > UNITS_MAX).any():
        raise BadInput("not_a_recording", f"{path.name}: a price or size is not a number of 0 or more")
    units = np.rint(scaled)
    if (np.abs(scaled - units) > GRID_TOLERANCE).any():
        raise BadInput("off_grid", f"{path.name}: finer than 1e-{decimals}")
    return units.astype(np.int64)
