"""One side of a book rebuilt from recorded level changes: what a feed of every change would hold.

Decides which levels of a recording still count for us, the readers; what rests there of ours, and who trades, is the
venue's affair. A side is `HEAD + STRIDE x KEEP_MAX` int64: the count, the side (1 bids, -1 asks), the levels to keep,
then one row a level, worst first, so that changes near the touch move little. A full side forgets its worst level.
While bid >= ask the level told longer ago yields, both when told at once (as the venue's replay has it). Prices px_u,
sizes sz_u.
"""

from __future__ import annotations

from typing import Any

from common.kernel import istate, kernel

KEEP_MAX = 512

HEAD = 3
R_N = 0
R_SIDE = 1
R_KEEP = 2

NEAR = 63
"""Levels from the best in which nearly all changes are (on a recorded day 99 % within 32): six steps, not nine."""

STRIDE = 3
R_PX = 0
R_SZ = 1
R_STAMP = 2  # number of the stamp that last told it

BID_ROW = 1
ASK_ROW = -1
BUY_ROW = 2
SELL_ROW = -2
"""What a recorded row is: a level of a side, or a print by its aggressor; others are not for readers."""


def new_side(side: int, keep: int = KEEP_MAX) -> Any:
    """An empty side (1 bids, -1 asks) that keeps at most `keep` levels."""
    rows = istate(HEAD + STRIDE * KEEP_MAX)
    rows[R_SIDE] = side
    rows[R_KEEP] = min(keep, KEEP_MAX)
    return rows


@kernel("i8(i8[::1], i8)")
def place_of(rows: list[int], px: int) -> int:
    """Index of the first level not worse than px (= the count when all are worse)."""
    wanted = rows[R_SIDE] * px
    low = 0
    left = rows[R_N]
    if left > NEAR and rows[R_SIDE] * rows[HEAD + STRIDE * (left - NEAR) + R_PX] < wanted:
        low = left - NEAR
        left = NEAR
    while left > 0:  # the step is chosen, not branched to: which half it is nobody can guess
        half = (left + 1) // 2
        is_worse = rows[R_SIDE] * rows[HEAD + STRIDE * (low + half - 1) + R_PX] < wanted
        low += half if is_worse else 0
        left = left - half if is_worse else half - 1
    return low


@kernel("void(i8[::1], i8)")
def forget(rows: list[int], i: int) -> None:
    """Take level i out."""
    n = rows[R_N] - 1
    for k in range(HEAD + STRIDE * i, HEAD + STRIDE * n):
        rows[k] = rows[k + STRIDE]
    rows[R_N] = n


@kernel("i8(i8[::1], i8)")
def make_room(rows: list[int], i: int) -> int:
    """Room for a new level before index i: its index, -1 when a full side has only better ones."""
    n = rows[R_N]
    if n == rows[R_KEEP]:
        for k in range(HEAD, HEAD + STRIDE * (i - 1)):
            rows[k] = rows[k + STRIDE]
        return i - 1
    for k in range(HEAD + STRIDE * n - 1, HEAD + STRIDE * i - 1, -1):
        rows[k + STRIDE] = rows[k]
    rows[R_N] = n + 1
    return i


@kernel("i8(i8[::1], i8, i8, i8)")
def set_row(rows: list[int], px: int, sz: int, stamp: int) -> int:
    """The recording now shows sz at px (0 = gone); returns the levels left."""
    i = place_of(rows, px)
    known = i < rows[R_N] and rows[HEAD + STRIDE * i + R_PX] == px
    if sz <= 0:
        if known:
            forget(rows, i)
        return rows[R_N]
    if not known:
        i = make_room(rows, i)
    if i >= 0:
        at = HEAD + STRIDE * i
        rows[at + R_PX] = px
        rows[at + R_SZ] = sz
        rows[at + R_STAMP] = stamp
    return rows[R_N]


@kernel("i8(i8[::1], i8[::1])")
def part(bids: list[int], asks: list[int]) -> int:
    """Take crossed or locked levels out, the one told longer ago first; returns how many went."""
    gone = 0
    while bids[R_N] > 0 and asks[R_N] > 0:
        bid = HEAD + STRIDE * (bids[R_N] - 1)
        ask = HEAD + STRIDE * (asks[R_N] - 1)
        if bids[bid + R_PX] < asks[ask + R_PX]:
            break
        bid_stamp = bids[bid + R_STAMP]
        ask_stamp = asks[ask + R_STAMP]
        if bid_stamp <= ask_stamp:
            bids[R_N] -= 1
            gone += 1
        if ask_stamp <= bid_stamp:
            asks[R_N] -= 1
            gone += 1
    return gone


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, i8, i8[::1], i8[::1])")
def see_rows(
    what: list[int], px: list[int], sz: list[int], begin: int, end: int, stamp: int, bids: list[int], asks: list[int]
) -> int:
    """The level rows among `begin .. end`, one instant numbered `stamp`; returns how many there were."""
    seen = 0
    for i in range(begin, end):
        if what[i] == BID_ROW:
            set_row(bids, px[i], sz[i], stamp)
            seen += 1
        elif what[i] == ASK_ROW:
            set_row(asks, px[i], sz[i], stamp)
            seen += 1
    if seen > 0:
        part(bids, asks)
    return seen
