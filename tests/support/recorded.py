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
    """(exchange stamps in ns, mid in quote) after every stamp that leaves both sides of the book filled.

    The arrays do not say when a level far from the market has gone, so old ones can come to stand beyond the other
    side: where the book is crossed or locked, the level that was heard of longer ago goes.
    """
    rows = np.load(path)["data"]
    rows = rows[(rows["ev"] & np.uint64(EXCHANGE)) != 0]
    rows = rows[np.argsort(rows["exch_ts"], kind="stable")]
    rows = rows[(rows["ev"] & np.uint64(0xFF)) == DEPTH]
    is_bid = ((rows["ev"] & np.uint64(BUY)) != 0).tolist()
    stamp_of, px, qty = rows["exch_ts"].tolist(), rows["px"].tolist(), rows["qty"].tolist()
    bids: dict[float, int] = {}  # price -> when it was last heard of
    asks: dict[float, int] = {}
    stamps: list[int] = []
    values: list[float] = []
    for row, stamp in enumerate(stamp_of):
        side = bids if is_bid[row] else asks
        if qty[row] > 0:
            side[px[row]] = stamp
        else:
            side.pop(px[row], None)
        if row + 1 < len(stamp_of) and stamp_of[row + 1] == stamp:
            continue
        while bids and asks and (best_bid := max(bids)) >= (best_ask := min(asks)):
            age_bid, age_ask = bids[best_bid], asks[best_ask]
            if age_bid <= age_ask:
                del bids[best_bid]
            if age_ask <= age_bid:
                del asks[best_ask]
        if bids and asks:
            stamps.append(stamp)
            values.append((max(bids) + min(asks)) / 2)
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
