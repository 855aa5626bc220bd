"""Bars from Parquet or CSV (`ts_ms, open, high, low, close, volume`), checked row by row; nothing is repaired.

What breaks the contract is refused with file, row (from 0, the header not counted) and reason: a missing column, what
is no number, a price of 0 or less, a range that does not hold open and close, times that repeat or run backwards or are
in another unit, a price that leaps as if its unit had changed. Bars that are missing are told, not filled in. What is
needed to play an index through another market's grid - its price and its volatility - is `scaled`, and said.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from common.errors import BadInput
from simvenue.recorded.recording import BadRecording

COLUMNS = ("ts_ms", "open", "high", "low", "close", "volume")
PRICES = COLUMNS[1:5]
EARLIEST_MS, LATEST_MS = 631_152_000_000, 4_102_444_800_000  # 1990 .. 2100
LEAP = 3.0
"""A price this many times its neighbour's is taken for a change of unit: no index or major coin ever did that."""

YEAR_MS = 365 * 86_400_000
NO_PYARROW = "Parquet needs pyarrow (requirements/recordings.txt); the same bars play from CSV"


@dataclass(frozen=True, slots=True)
class Bars:
    """Columns of equal length, oldest first; `ts_ms` int64 is when a bar opens, prices in quote, volume in base."""

    ts_ms: Any
    open: Any
    high: Any
    low: Any
    close: Any
    volume: Any
    every_ms: int

    def __len__(self) -> int:
        return len(self.ts_ms)

    def since(self, first_ms: int) -> Bars:
        """Those that open at `first_ms` or later."""
        rows = slice(int(np.searchsorted(self.ts_ms, first_ms)), None)
        return self.rows(rows)

    def rows(self, rows: Any) -> Bars:
        return Bars(**{name: getattr(self, name)[rows] for name in COLUMNS}, every_ms=self.every_ms)

    @property
    def span_days(self) -> float:
        return float(self.ts_ms[-1] - self.ts_ms[0] + self.every_ms) / 86_400_000 if len(self) else 0.0

    @property
    def vol_annual(self) -> float:
        """Of all moves from close to close, nights and weekends too, by the calendar (365 days)."""
        moves = np.diff(np.log(self.close))
        years = float(self.ts_ms[-1] - self.ts_ms[0]) / YEAR_MS if len(self) > 1 else 0.0
        return math.sqrt(float(np.sum(moves * moves)) / years) if years > 0 else 0.0


def read_bars(path: Path) -> Bars:
    """One file's bars; raises BadRecording."""
    columns = _csv(path) if path.suffix.lower() == ".csv" else _parquet(path)
    return checked(path, columns)


def checked(path: Path, columns: dict[str, Any]) -> Bars:
    """Columns of a file as bars, or BadRecording with the first row that is wrong."""
    ts, prices, volume = columns["ts_ms"], [columns[name] for name in PRICES], columns["volume"]
    if len(ts) == 0:
        raise BadRecording(path, None, "it has no bars")
    for name in COLUMNS:
        _refuse(path, ~np.isfinite(columns[name]), f"{name} is not a number")
    _refuse(path, ts != np.rint(ts), "ts_ms is not a whole number")
    _refuse(path, (ts < EARLIEST_MS) | (ts > LATEST_MS), _unit(float(ts[0])))
    times = ts.astype(np.int64)
    steps = np.diff(times, prepend=times[0] - 1)
    _refuse(path, steps == 0, "the same time as the row before")
    _refuse(path, steps < 0, "times run backwards")
    for name, column in zip(PRICES, prices, strict=True):
        _refuse(path, column <= 0, f"{name} is not above 0")
    opened, high, low, close = prices
    _refuse(path, (high < np.maximum(opened, close)) | (high < low), "high is below open, close or low")
    _refuse(path, low > np.minimum(opened, close), "low is above open or close")
    _refuse(path, volume < 0, "volume is below 0")
    _refuse(path, high > LEAP * low, f"high is more than {LEAP:g} times low")
    leap = np.abs(np.log(opened[1:] / close[:-1])) > math.log(LEAP)
    _refuse(path, np.concatenate(([False], leap)), f"the price leaps by more than {LEAP:g} times: another unit?")
    every_ms = _every(times)
    _refuse(path, (times - times[0]) % every_ms != 0, f"it does not lie on the grid of {every_ms / 1000:g} s bars")
    return Bars(times, opened, high, low, close, volume, every_ms)


def holes(bars: Bars) -> tuple[Any, Any]:
    """(rows after which bars are missing, how many each)."""
    missing = np.diff(bars.ts_ms) // bars.every_ms - 1
    rows = np.flatnonzero(missing > 0)
    return rows, missing[rows]


def told_holes(name: str, bars: Bars) -> list[str]:
    """The line for the report when bars are missing."""
    rows, missing = holes(bars)
    if len(rows) == 0:
        return []
    k = int(np.argmax(missing))
    return [
        f"{name}: {int(missing.sum())} bars missing in {len(rows)} gaps, the longest {int(missing[k])} bars after row "
        f"{int(rows[k])}; nothing is played there, and a gap of more than an hour ends a replay"
    ]


def scaled(bars: Bars, px: float, vol_annual: float) -> Bars:
    """The same bars as of a market whose last close is `px` and whose volatility is `vol_annual`; 0.0 = as it is."""
    now = bars.vol_annual
    power = vol_annual / now if vol_annual > 0 and now > 0 else 1.0
    last = float(bars.close[-1])
    changed = {name: px * (getattr(bars, name) / last) ** power for name in PRICES}
    changed["high"] = np.maximum(changed["high"], np.maximum(changed["open"], changed["close"]))  # rounding of a power
    changed["low"] = np.minimum(changed["low"], np.minimum(changed["open"], changed["close"]))
    return replace(bars, **changed)


def continued(before: Bars, new: Bars) -> Bars:
    """Both, where they overlap the new ones; raises BadInput when they are not of one interval."""
    if before.every_ms != new.every_ms:
        raise BadInput("bars", f"bars of {new.every_ms / 1000:g} s where {before.every_ms / 1000:g} s are kept")
    kept = before.rows(slice(0, int(np.searchsorted(before.ts_ms, new.ts_ms[0]))))
    whole = {name: np.concatenate([getattr(kept, name), getattr(new, name)]) for name in COLUMNS}
    return Bars(**whole, every_ms=new.every_ms)


def csv_of(bars: Bars) -> bytes:
    """The bars as a CSV file that reads back equal."""
    columns = [getattr(bars, name).tolist() for name in COLUMNS]
    lines = [",".join(COLUMNS), *(",".join(map(repr, row)) for row in zip(*columns, strict=True))]
    return ("\n".join(lines) + "\n").encode()


# ---------------------------------------------------------------------- files
def _csv(path: Path) -> dict[str, Any]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadRecording(path, None, f"not a readable CSV file ({error})") from None
    heading = [name.strip().lower() for name in rows[0]] if rows else []
    places = _places(path, heading)
    body = rows[1:]
    for row, cells in enumerate(body):
        if len(cells) != len(heading):
            raise BadRecording(path, row, f"{len(cells)} fields where the heading has {len(heading)}: cut short?")
    return {name: _numbers(path, name, [cells[place] for cells in body]) for name, place in places.items()}


def _numbers(path: Path, name: str, texts: list[str]) -> Any:
    try:
        return np.array(texts, dtype=np.float64) if texts else np.zeros(0)
    except ValueError:
        for row, text in enumerate(texts):
            try:
                float(text)
            except ValueError:
                raise BadRecording(path, row, f"{name} {text[:30]!r} is not a number") from None
        raise


def _parquet(path: Path) -> dict[str, Any]:
    try:
        import pyarrow as pa  # noqa: PLC0415 (only needed for Parquet)
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ModuleNotFoundError:
        raise BadRecording(path, None, NO_PYARROW) from None
    try:
        file = pq.ParquetFile(path)
        _places(path, file.schema_arrow.names)
        table = file.read(columns=list(COLUMNS))
        return {name: table[name].to_numpy().astype(np.float64) for name in COLUMNS}
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        raise BadRecording(path, None, f"not a readable Parquet file ({str(error)[:120]})") from None


def _places(path: Path, heading: list[str]) -> dict[str, int]:
    missing = [name for name in COLUMNS if name not in heading]
    if missing:
        raise BadRecording(path, None, f"not bars: no column {', '.join(missing)}")
    return {name: heading.index(name) for name in COLUMNS}


# ---------------------------------------------------------------------- checks
def _refuse(path: Path, bad: Any, why: str) -> None:
    if bad.any():
        raise BadRecording(path, int(np.argmax(bad)), why)


def _every(times: Any) -> int:
    """The distance most bars have, ms; one bar alone counts as a minute."""
    steps, counts = np.unique(np.diff(times), return_counts=True)
    return int(steps[np.argmax(counts)]) if len(steps) else 60_000


def _unit(first: float) -> str:
    for unit, factor in (("seconds", 1e3), ("microseconds", 1e-3), ("nanoseconds", 1e-6)):
        if EARLIEST_MS <= first * factor <= LATEST_MS:
            return f"ts_ms is not in ms (it looks like {unit})"
    return "ts_ms is not a time between 1990 and 2100"
