"""The same statistic, computed from the recording alone: what a session's own figure is held against.

Reads the event array without any of our code: best bid and ask after each exchange stamp, gaps cut the same way, 5
s grid from the recording's first stamp.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

DEPTH, BUY, EXCHANGE = 1, 1 << 29, 1 << 31
YEAR_S = 365 * 86_400


def mids(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(exchange stamps in ns, mid in quote) after every stamp that leaves both sides of the book filled."""
    rows = np.load(path)["data"]
    rows = rows[(rows["ev"] & np.uint64(EXCHANGE)) != 0]
    rows = rows[np.argsort(rows["exch_ts"], kind="stable")]
    books: tuple[dict[float, float], dict[float, float]] = ({}, {})
    stamps: list[int] = []
    values: list[float] = []
    kind, is_bid = rows["ev"] & np.uint64(0xFF), (rows["ev"] & np.uint64(BUY)) != 0
    ends = np.flatnonzero(np.diff(rows["exch_ts"], append=np.int64(-1)))
    begin = 0
    for end in ends:
        for row in range(begin, end + 1):
            if kind[row] == DEPTH:
                side = books[0] if is_bid[row] else books[1]
                if rows["qty"][row] > 0:
                    side[rows["px"][row]] = rows["qty"][row]
                else:
                    side.pop(rows["px"][row], None)
        begin = end + 1
        if books[0] and books[1]:
            stamps.append(int(rows["exch_ts"][end]))
            values.append((max(books[0]) + min(books[1])) / 2)
    return np.array(stamps), np.array(values)


def cut(stamps: np.ndarray, longest_ns: int = 1_200_000_000, left_ns: int = 1_000_000) -> np.ndarray:
    """Stamps from 0 on, with every gap over `longest_ns` shortened to `left_ns`."""
    gaps = np.diff(stamps)
    removed = np.concatenate([[0], np.cumsum(np.where(gaps > longest_ns, gaps - left_ns, 0))])
    return stamps - stamps[0] - removed


def annualised_vol(path: Path, begin_s: float, end_s: float, every_s: float = 5.0) -> float:
    """Rms of 5 s log returns of the mid between two moments of the cut replay clock, annualised (0.2 = 20 %)."""
    stamps, values = mids(path)
    clock = cut(stamps)
    grid = np.arange(math.ceil(begin_s / every_s) * every_s, end_s + 1e-9, every_s) * 1e9
    place = np.searchsorted(clock, grid, "right") - 1
    returns = np.diff(np.log(values[place[place >= 0]]))
    return float(np.sqrt(np.mean(returns**2) * YEAR_S / every_s))
