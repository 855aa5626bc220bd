"""Five million made-up events with the shape of an index perp, for measuring backtesters.

6,900.0 with a tick of 0.1 and lots of 0.001; a tenth are prints, most changes lie near the touch, three stamps in a
thousand are a sweep through several levels, and a wide spread closes again. About 17 ms between stamps, received some
60 ms later. Compiled, because of its length; drawn from its seed alone.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from hftbacktest.types import event_dtype

from simvenue.recorded.recording import BUY_FLAG, DEPTH, EXCH_FLAG, SELL_FLAG, TRADE

TICK, LOT = 0.1, 0.001
SZ_DECIMALS = 3
MIDDLE, TICKS = 69_000, 140_000
OPENING = 200
GAP_NS, LAG_NS = 17_280_000.0, 60e6
LOCAL_FLAG = 1 << 30
T0_NS = 1_700_000_000_000_000_000
BOTH = EXCH_FLAG | LOCAL_FLAG
BID_ROW, ASK_ROW = BOTH | DEPTH | BUY_FLAG, BOTH | DEPTH | SELL_FLAG
BUY_PRINT, SELL_PRINT = BOTH | TRADE | BUY_FLAG, BOTH | TRADE | SELL_FLAG


def events(rows: int, seed: int = 7) -> Any:
    """So many rows, a few less at most, as hftbacktest reads them."""
    made = np.zeros(rows, event_dtype)
    kind, tick, lots, stamps, received = (np.zeros(rows, np.int64) for _ in range(5))
    n = _fill(seed, kind, tick, lots, stamps, received)
    made["ev"], made["exch_ts"], made["local_ts"] = kind, stamps, received
    made["px"], made["qty"] = tick * TICK, lots * LOT
    return made[:n]


@numba.njit  # type: ignore[untyped-decorator]
def _lots(mean: float) -> int:
    return int(np.exp(0.6 * np.random.standard_normal()) * mean * 1000.0) + 1


@numba.njit  # type: ignore[untyped-decorator]
def _fill(seed: int, kind: Any, tick: Any, lots: Any, stamps: Any, received: Any) -> int:
    """Draw rows until a sweep might not fit; returns how many."""
    np.random.seed(seed)
    shown = np.zeros((2, TICKS), np.int64)
    best = np.array([MIDDLE, MIDDLE + 1])
    n, now, told = 0, T0_NS, T0_NS
    for side in range(2):
        for k in range(OPENING):
            shown[side, best[side] - (1 - 2 * side) * k] = _lots(2.0)
    for k in range(OPENING):
        for side in range(2):
            at = best[side] - (1 - 2 * side) * k
            kind[n], tick[n], lots[n], stamps[n] = BID_ROW if side == 0 else ASK_ROW, at, shown[side, at], now
            received[n] = told + 1_000_000
            n += 1
    while n < len(kind) - 100:
        now += int(np.random.exponential(GAP_NS)) + 1
        told = max(told + 1, now + int(np.exp(0.25 * np.random.standard_normal()) * LAG_NS))
        chance, side = np.random.random(), np.random.randint(2)
        step, row = 1 - 2 * side, BID_ROW if side == 0 else ASK_ROW
        taken = SELL_PRINT if side == 0 else BUY_PRINT
        prints, at, size = 0, 0, 0
        if chance > 0.997:
            prints = 2 + min(int(np.random.exponential(5.0)), 28)
        elif chance < 0.10:
            prints = 1
        elif best[1] - best[0] > 1 and np.random.random() < 0.6:
            at, size = best[side] + step, _lots(1.0)
        else:
            deep = min(int(np.random.exponential(15.0)), 190)
            at, size = best[side] - step * deep, _lots(1.0 + 0.05 * deep)
            size = 0 if np.random.random() < 0.08 else size
        for _ in range(max(prints, 1)):
            if prints > 0:
                at = best[side]
                part = shown[side, at] if prints > 1 else min(int(np.random.exponential(600.0)) + 1, shown[side, at])
                size = shown[side, at] - part
                kind[n], tick[n], lots[n], stamps[n], received[n] = taken, at, part, now, told
                n += 1
            kind[n], tick[n], lots[n], stamps[n], received[n] = row, at, size, now, told
            n += 1
            shown[side, at] = size
            if size > 0 and (at - best[side]) * step > 0:
                best[side] = at
            while shown[side, best[side]] == 0:
                best[side] -= step
    return n


@numba.njit  # type: ignore[untyped-decorator]
def floor_book(kind: Any, tick: Any, lots: Any, low: int, rows: int) -> int:
    """What every replay does at least: both sides kept, the best prices known."""
    shown = np.zeros((2, rows), np.int64)
    bid, ask, spreads = -1, rows, 0
    for i in range(len(kind)):
        at = tick[i] - low
        if kind[i] == BID_ROW:
            shown[0, at] = lots[i]
            bid = max(bid, at) if lots[i] > 0 else bid
            while bid >= 0 and shown[0, bid] == 0:
                bid -= 1
        elif kind[i] == ASK_ROW:
            shown[1, at] = lots[i]
            ask = min(ask, at) if lots[i] > 0 else ask
            while ask < rows and shown[1, ask] == 0:
                ask += 1
        spreads += ask - bid
    return spreads
