"""What the book shows to a person and to research: depth by distance and by level, balances, and where it is thin.

The book handed in is the market without our own orders, merged from its layers; levels of the slow layer count
`deep_weight` (`analysis.py`, whose kernels measure one level, one balance and the microprice for everybody). Nothing
here decides about a quote: what quotes rest on stands in the quoter's state. USD a side, balances in [-1, 1], bps of
mid.
"""

from __future__ import annotations

from typing import Any

from common.kernel import kernel, state
from quoter.analysis import VIEW, depth_usd, imbalance, level_usd, median_usd, microprice
from quoter.state import ASK_SIDE, B_COUNT, B_ROWS, B_SIDE, BID_SIDE, BPS

TOP = 5
BANDS_BPS = (1, 2, 5, 10)
BANDS = 4

(
    G_KNOWN,  # 1 = both sides have a price
    G_MICRO,  # bps, microprice over mid: above 0 when the bid is the heavy side
    G_TOUCH,  # balance at the touch
    G_TOP5,  # balance of the best five levels
    G_PRESSURE,  # balance of the best levels, the near ones weighing more
    G_DEPTH,  # USD a side and band, of the levels within the band's distance: 2 x BANDS
) = range(6)
G_BALANCE = G_DEPTH + 2 * BANDS  # balance within each band
G_LEVEL = G_BALANCE + BANDS  # USD a side and level: 2 x VIEW, 0 where there is none
G_REACH = G_LEVEL + 2 * VIEW  # bps a side, distance of the last level in view: depth beyond is not seen
G_THIN = G_REACH + 2  # levels a side thinner than the given share of the side's median
G_THIN_AT = G_THIN + 2  # bps a side, distance of the nearest such level; 0 = none
G_HOLE = G_THIN_AT + 2  # bps a side, widest empty stretch between neighbouring levels
G_LEN = G_HOLE + 2


def new_signals() -> Any:
    """A vector for `read_signals`."""
    return state(G_LEN)


@kernel("f8(i8)")
def band_bps(band: int) -> float:
    """How far from mid a band reaches."""
    if band == 0:
        return 1.0
    if band == 1:
        return 2.0
    return 5.0 if band == 2 else 10.0


@kernel("f8(i8[::1], i8, i8, f8)")
def distance_bps(book: list[int], side: int, level: int, mid: float) -> float:
    """How far a level lies behind mid; mid is above 0."""
    away = float(book[B_ROWS + side * B_SIDE + 2 * level]) - mid
    return (away if side == ASK_SIDE else -away) / mid / BPS


@kernel("f8(i8[::1], i8, f8, i8, f8)")
def near_usd(book: list[int], side: int, mid: float, fast_levels: int, deep_weight: float) -> float:
    """USD of the best levels of a side, each divided by 1 + its distance from mid in bps; mid is above 0."""
    total = 0.0
    for level in range(min(book[B_COUNT + side], VIEW)):
        away = abs(distance_bps(book, side, level, mid))
        total += level_usd(book, side, level, fast_levels, deep_weight) / (1.0 + away)
    return total


@kernel("void(i8[::1], f8[::1], i8, f8, i8, f8)")
def see_bands(book: list[int], out: list[float], side: int, mid: float, fast_levels: int, deep_weight: float) -> None:
    """G_DEPTH and G_REACH of a side: one walk through all levels in view."""
    band = 0
    total = 0.0
    out[G_REACH + side] = 0.0
    for level in range(book[B_COUNT + side]):
        away = distance_bps(book, side, level, mid)
        while band < BANDS and away > band_bps(band):
            out[G_DEPTH + 2 * band + side] = total
            band += 1
        total += level_usd(book, side, level, fast_levels, deep_weight)
        out[G_REACH + side] = away
    while band < BANDS:
        out[G_DEPTH + 2 * band + side] = total
        band += 1


@kernel("void(i8[::1], f8[::1], i8, f8, i8, f8, f8)")
def see_levels(
    book: list[int], out: list[float], side: int, mid: float, fast_levels: int, deep_weight: float, thin_ratio: float
) -> None:
    """G_LEVEL, G_THIN, G_THIN_AT and G_HOLE of a side, best VIEW levels."""
    limit = thin_ratio * median_usd(book, side, VIEW, fast_levels, deep_weight, out, G_LEVEL + VIEW * side)
    out[G_THIN + side] = 0.0
    out[G_THIN_AT + side] = 0.0
    out[G_HOLE + side] = 0.0
    before = 0.0
    for level in range(VIEW):
        out[G_LEVEL + VIEW * side + level] = 0.0
        if level < book[B_COUNT + side]:
            usd = level_usd(book, side, level, fast_levels, deep_weight)
            away = distance_bps(book, side, level, mid)
            out[G_LEVEL + VIEW * side + level] = usd
            if usd < limit:
                if out[G_THIN + side] == 0.0:
                    out[G_THIN_AT + side] = away
                out[G_THIN + side] += 1.0
            if level > 0:
                out[G_HOLE + side] = max(out[G_HOLE + side], away - before)
            before = away


@kernel("i8(i8[::1], f8[::1], i8, f8, f8)")
def read_signals(book: list[int], out: list[float], fast_levels: int, deep_weight: float, thin_ratio: float) -> int:
    """All signals of the book into `out` (`G_*`); returns G_KNOWN. A side that is empty leaves all of them 0."""
    for place in range(G_LEN):
        out[place] = 0.0
    if book[B_COUNT + BID_SIDE] == 0 or book[B_COUNT + ASK_SIDE] == 0:
        return 0
    bid = B_ROWS
    ask = B_ROWS + B_SIDE
    mid = 0.5 * (float(book[bid]) + float(book[ask]))
    if mid <= 0.0:
        return 0
    out[G_KNOWN] = 1.0
    out[G_MICRO] = (microprice(book[bid], book[bid + 1], book[ask], book[ask + 1]) - mid) / mid / BPS
    out[G_TOUCH] = imbalance(float(book[bid + 1]), float(book[ask + 1]))
    bids_usd = depth_usd(book, BID_SIDE, TOP, fast_levels, deep_weight)
    out[G_TOP5] = imbalance(bids_usd, depth_usd(book, ASK_SIDE, TOP, fast_levels, deep_weight))
    bids_usd = near_usd(book, BID_SIDE, mid, fast_levels, deep_weight)
    out[G_PRESSURE] = imbalance(bids_usd, near_usd(book, ASK_SIDE, mid, fast_levels, deep_weight))
    for side in range(2):
        see_bands(book, out, side, mid, fast_levels, deep_weight)
        see_levels(book, out, side, mid, fast_levels, deep_weight, thin_ratio)
    for band in range(BANDS):
        out[G_BALANCE + band] = imbalance(out[G_DEPTH + 2 * band], out[G_DEPTH + 2 * band + 1])
    return 1
