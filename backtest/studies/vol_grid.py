"""Prices on the grid that volatility is measured on: steps, periods of twelve steps, and bars.

A recording has steps of 5 s (mids) and a bar a minute; a bar file has one step a bar, so that its periods are twelve
bars and everything else keeps its proportions. Bars are joined open to close: nights, weekends and missing bars are no
move of theirs. This room decides the grid alone, for the estimators of `vol_study.py`. Log prices, times in wall ns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backtest.data.bars import read_bars
from common.errors import ConfigError
from quoter.rows import find, read
from quoter.samples import Samples, take_samples
from quoter.state import NS

STEP_NS = 5 * NS
PERIOD_STEPS = 12
PERIOD_NS = PERIOD_STEPS * STEP_NS
SILENT_STEPS_MAX = 12
"""A longer silence is a break: the period it lies in is neither forecast nor scored."""


@dataclass(frozen=True, slots=True)
class Grid:
    """`log_px[k]` is the price at the end of step `number[k]`; `bars` are rows of (open, high, low, close)."""

    name: str
    number: Any  # int64, of the step; a period is PERIOD_STEPS of them, from a multiple of it on
    wall_ns: Any  # int64, the step's end
    log_px: Any
    bars: Any  # (n, 4), from the first whole period on
    bars_a_period: int
    looks: float
    """How often the price was looked at within a bar, on average; 0.0 = all the time."""
    block_ns: int
    """What an interval takes as independent: an hour of a recording, a day of bars."""

    @property
    def first_period(self) -> int:
        return int(-(-self.number[0] // PERIOD_STEPS))


def read_grid(paths: Sequence[str], profile: str, sz_decimals: int) -> Grid:
    """What the PATHs hold: event arrays of one market in order of time, or one file of bars."""
    if len(paths) == 1 and Path(paths[0]).suffix.lower() in (".parquet", ".csv"):
        return of_bars(Path(paths[0]))
    files = find(paths, profile)
    if not files or any(path.suffix != ".npz" for path in files):
        raise ConfigError(f"{', '.join(paths)}: event arrays (.npz), or one file of bars (.parquet, .csv)")
    samples = take_samples([read(path, sz_decimals) for path in files])
    return of_mids(" ".join(path.name for path in files), samples)


def of_mids(name: str, samples: Samples) -> Grid:
    """Steps of 5 s: the last mid before each border, silent steps with the mid before them."""
    step = samples.t_ns // STEP_NS
    number = np.arange(int(step[0]), int(step[-1]) + 1, dtype=np.int64)
    at = np.searchsorted(step, number, "right") - 1
    until = step[np.searchsorted(step, number, "left")]
    kept = until - step[at] <= SILENT_STEPS_MAX + 1
    number, at = number[kept], at[kept]
    bars, looks = _minute_bars(samples, -(-int(step[0]) // PERIOD_STEPS))
    return Grid(name, number, (number + 1) * STEP_NS, samples.log_mid[at], bars, 1, looks, 3600 * NS)


def _minute_bars(samples: Samples, first: int) -> tuple[Any, float]:
    """Bars of whole periods, each from the mid before it on; and the looks a bar."""
    period = samples.t_ns // PERIOD_NS
    kept = period >= first
    periods = int(period[-1]) - first + 1
    edges = np.searchsorted(period[kept], first + np.arange(periods + 1))
    log_mid = samples.log_mid[kept]
    bars, last = np.zeros((periods, 4)), float(log_mid[0])
    for k in range(periods):
        inside = np.concatenate(([last], log_mid[edges[k] : edges[k + 1]]))
        bars[k] = inside[0], inside.max(), inside.min(), inside[-1]
        last = float(inside[-1])
    return np.exp(bars), float(kept.sum()) / periods


def of_bars(path: Path) -> Grid:
    """One step a bar, one after the other."""
    found = read_bars(path)
    opened = np.log(found.open)
    moves = np.log(found.close) - opened
    log_px = np.cumsum(moves)
    begin = log_px - moves
    rows = np.stack([begin + np.log(column) - opened for column in (found.open, found.high, found.low, found.close)], 1)
    number = np.arange(len(found), dtype=np.int64)
    wall_ns = (found.ts_ms + found.every_ms) * 1_000_000
    return Grid(path.name, number, wall_ns, log_px, np.exp(rows), PERIOD_STEPS, 0.0, 86_400 * NS)
