"""Rows of another backtester's event array exactly as it plays them: one row one instant, two streams.

Our own way is another: rows of one exchange stamp are one change, and the rows of the exchange serve both sides
(`tape.py`). Here a row flagged for the exchange alone is never seen by us, one flagged for the local side alone never
by the venue, each at its own recorded stamp. For comparisons; times ns, prices px_u, sizes sz_u.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backtest.tape import Context, Seen, Tape, as_told, grid_of
from common.ticks import px_decimals
from simvenue.recorded.recording import DEPTH, EXCH_FLAG, KIND_MASK, SELL_FLAG, SNAPSHOT, TRADE
from simvenue.source import BID_CLEAR, BID_LEVEL, BUY_PRINT

LOCAL_FLAG = 1 << 30


def tape_of_rows(name: str, events: Any, sz_decimals: int) -> Tape:
    """The venue's stream as a tape, ours beside it; every row of depth, trade and clearing counts."""
    ev = events["ev"]
    venue, ours = events[(ev & EXCH_FLAG) != 0], events[(ev & LOCAL_FLAG) != 0]
    told = columns(venue, sz_decimals)
    seen = told if len(venue) == len(ours) == len(events) else columns(ours, sz_decimals)
    stamps, n = venue["exch_ts"].astype(np.int64), len(venue)
    files = np.zeros(n, np.int64)
    files[0] = 1
    begin = np.arange(max(n, len(ours)) + 1)
    told_ns = as_told(ours["local_ts"].astype(np.int64))
    lag_ns = None
    if seen is told and not np.any(np.abs(told[0]) == BID_CLEAR) and np.all(told_ns >= stamps):
        lag_ns = int((told_ns - stamps).max())
    return Tape(
        (name,), *told, stamps, begin[: n + 1], files, 0, Context(), np.zeros(0, np.int64),
        Seen(*seen, told_ns, begin[: len(ours) + 1], told_ns, lag_ns), grid_of(np.concatenate((told[1], seen[1]))),
    )  # fmt: skip


def columns(rows: Any, sz_decimals: int) -> tuple[Any, Any, Any]:
    """(what, px_u, sz_u) of rows."""
    kind = rows["ev"] & KIND_MASK
    is_level = (kind == DEPTH) | (kind == SNAPSHOT)
    what = np.where(is_level, BID_LEVEL, np.where(kind == TRADE, BUY_PRINT, BID_CLEAR))
    side = np.where((rows["ev"] & SELL_FLAG) != 0, -1, 1)
    px_u = np.rint(rows["px"] * 10.0 ** px_decimals(sz_decimals)).astype(np.int64)
    return (what * side).astype(np.int64), px_u, np.rint(rows["qty"] * 10.0**sz_decimals).astype(np.int64)
