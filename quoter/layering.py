"""What the feed would have told of a recorded book: the touch per change, 5 levels per 0.5 s, 20 levels per 5 s.

A recording knows more than a live reader does. This room passes it through the venue's channels (design 4.1), so that
fit and replay see exactly the merged book that `common/book.py` and `view.py` make of live messages: the newest
snapshot's levels, behind them the deep ones shifted with the touch and dropped after 12 s, over them a newer touch.
Snapshots are told with the first change that comes when they are due; a deep one brings a fast one along. The
channels' memory is one int64 vector (`C_*`), the merged book the quoter's `B_*`. Times ns, prices px_u, sizes sz_u.
"""

from __future__ import annotations

from typing import Any

from common.book import DEEP_AGE_NS_MAX
from common.kernel import istate, kernel
from quoter.rebuilt import HEAD, R_N, R_PX, R_SZ, STRIDE
from quoter.state import ASK_SIDE, B_COUNT, B_ROWS, B_SIDE, BID_SIDE, NS, VIEW_MAX

FAST_NS = NS // 2
FAST_LEVELS = 5
DEEP_NS = 5 * NS
DEEP_LEVELS = 20

TOLD_TOUCH = 1
TOLD_BOOK = 2

C_SIDE = 2 * VIEW_MAX
(
    C_TOUCH,  # bid px_u, bid sz_u, ask px_u, ask sz_u as last told; 0, 0 = that side is empty
    _C_BID_SZ,
    _C_ASK_PX,
    _C_ASK_SZ,
    C_TOUCH_T,
    C_FAST_T,
    C_DEEP_T,
    C_FAST_LEVELS,  # levels a side of the book that are not from the deep snapshot (the smaller count)
    C_DEEP_N,  # levels a side of the deep snapshot
    _C_DEEP_ASKS,
    C_TOLD_N,  # levels a side of the book told last
    _C_TOLD_ASKS,
    C_DEEP,  # (px, sz) rows of the bids, then of the asks
) = range(13)
C_TOLD = C_DEEP + 2 * C_SIDE
C_LEN = C_TOLD + 2 * C_SIDE


def new_channels() -> Any:
    """Channels that have told nothing yet."""
    return istate(C_LEN)


@kernel("i8(i8[::1], i8[::1])")
def touch_changed(rows: list[int], channel: list[int]) -> int:
    """Take the best level of a side into the touch; 1 when it differs from what was told."""
    at = C_TOUCH if rows[1] > 0 else C_TOUCH + 2
    px = 0
    sz = 0
    if rows[R_N] > 0:
        best = HEAD + STRIDE * (rows[R_N] - 1)
        px = rows[best + R_PX]
        sz = rows[best + R_SZ]
    changed = 1 if px != channel[at] or sz != channel[at + 1] else 0
    channel[at] = px
    channel[at + 1] = sz
    return changed


@kernel("i8(i8[::1], i8, i8[::1], i8)")
def copy_best(rows: list[int], count: int, target: list[int], at: int) -> int:
    """The best `count` levels of a side as (px, sz) rows, best first, from `at` on; returns how many."""
    n = min(rows[R_N], count)
    for k in range(n):
        row = HEAD + STRIDE * (rows[R_N] - 1 - k)
        target[at + 2 * k] = rows[row + R_PX]
        target[at + 2 * k + 1] = rows[row + R_SZ]
    return n


@kernel("void(i8[::1], i8, i8)")
def add_deep(channel: list[int], side: int, t_ns: int) -> None:
    """Deep levels strictly behind the told ones of a side, moved by what its best price has moved since."""
    told = C_TOLD + side * C_SIDE
    deep = C_DEEP + side * C_SIDE
    n = channel[C_TOLD_N + side]
    if n == 0 or channel[C_DEEP_N + side] == 0 or t_ns - channel[C_DEEP_T] > DEEP_AGE_NS_MAX:
        return
    shift = channel[told] - channel[deep]
    worst = channel[told + 2 * (n - 1)]
    direction = -1 if side == BID_SIDE else 1
    for k in range(channel[C_DEEP_N + side]):
        px = channel[deep + 2 * k] + shift
        if px > 0 and (px - worst) * direction > 0 and n < VIEW_MAX:
            channel[told + 2 * n] = px
            channel[told + 2 * n + 1] = channel[deep + 2 * k + 1]
            n += 1
    channel[C_TOLD_N + side] = n


@kernel("void(i8[::1], i8, i8[::1])")
def put_over(channel: list[int], side: int, book: list[int]) -> None:
    """One side of the merged book: the touch, then what of the told book lies strictly behind it."""
    touch = C_TOUCH + 2 * side
    told = C_TOLD + side * C_SIDE
    at = B_ROWS + side * B_SIDE
    n = 0
    if channel[touch] > 0:
        book[at] = channel[touch]
        book[at + 1] = channel[touch + 1]
        n = 1
        direction = -1 if side == BID_SIDE else 1
        for k in range(channel[C_TOLD_N + side]):
            if (channel[told + 2 * k] - channel[touch]) * direction > 0 and n < VIEW_MAX:
                book[at + 2 * n] = channel[told + 2 * k]
                book[at + 2 * n + 1] = channel[told + 2 * k + 1]
                n += 1
    book[B_COUNT + side] = n


@kernel("i8(i8[::1], i8[::1], i8[::1], i8)")
def tell_touch(bids: list[int], asks: list[int], channel: list[int], t_ns: int) -> int:
    """After a change at `t_ns`: the touch, when it differs; returns TOLD_TOUCH or 0."""
    if touch_changed(bids, channel) + touch_changed(asks, channel) == 0:
        return 0
    channel[C_TOUCH_T] = t_ns
    return TOLD_TOUCH


@kernel("void(i8[::1], i8[::1], i8[::1], i8)")
def take_deep(bids: list[int], asks: list[int], channel: list[int], t_ns: int) -> None:
    """The slow snapshot of `t_ns`."""
    channel[C_DEEP_T] = t_ns
    channel[C_DEEP_N] = copy_best(bids, DEEP_LEVELS, channel, C_DEEP)
    channel[C_DEEP_N + 1] = copy_best(asks, DEEP_LEVELS, channel, C_DEEP + C_SIDE)


@kernel("void(i8[::1], i8[::1], i8[::1], i8)")
def take_fast(bids: list[int], asks: list[int], channel: list[int], t_ns: int) -> None:
    """The fast snapshot of `t_ns`, and behind it what is left of the slow one."""
    channel[C_FAST_T] = t_ns
    channel[C_TOLD_N] = copy_best(bids, FAST_LEVELS, channel, C_TOLD)
    channel[C_TOLD_N + 1] = copy_best(asks, FAST_LEVELS, channel, C_TOLD + C_SIDE)
    channel[C_FAST_LEVELS] = min(channel[C_TOLD_N], channel[C_TOLD_N + 1])
    add_deep(channel, BID_SIDE, t_ns)
    add_deep(channel, ASK_SIDE, t_ns)


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8[::1])")
def tell(bids: list[int], asks: list[int], channel: list[int], t_ns: int, book: list[int]) -> int:
    """After a change at `t_ns`: what the channels tell of it, into `book`.  Returns TOLD_* bits, 0 = nothing."""
    told = tell_touch(bids, asks, channel, t_ns)
    deep_due = channel[C_DEEP_T] == 0 or t_ns - channel[C_DEEP_T] >= DEEP_NS
    if deep_due or t_ns - channel[C_FAST_T] >= FAST_NS:
        told |= TOLD_BOOK
        if deep_due:
            take_deep(bids, asks, channel, t_ns)
        take_fast(bids, asks, channel, t_ns)
    if told > 0:
        put_over(channel, BID_SIDE, book)
        put_over(channel, ASK_SIDE, book)
    return told
