"""From recorded rows to features: one instant's rows as the feed would tell them, and a whole recording as samples.

An instant's prints are told before its book, whatever the order of its rows, then the touch, then the snapshots that
are due. A sample is taken whenever the book was told, which is when the live quoter decides. Fit and replay share these
kernels, so a forecast is fitted on the very numbers it will be given.
"""

from __future__ import annotations

from common.kernel import kernel
from quoter.features import F_LOG_MID, J_MID, read_features, see_book, see_print, see_touch
from quoter.layering import C_DEEP_T, C_FAST_LEVELS, C_TOUCH, TOLD_TOUCH, tell
from quoter.rebuilt import ASK_ROW, BID_ROW, BUY_ROW, SELL_ROW, part, set_row


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, i8, i8, i8[::1], i8[::1], f8[::1], i8[::1])", inline=True)
def take_rows(
    what: list[int], px: list[int], sz: list[int], begin: int, end: int, stamp: int, t_ns: int, bids: list[int],
    asks: list[int], floats: list[float], ints: list[int],
) -> int:  # fmt: skip
    """Levels of the rows `begin .. end` into the book, prints into the features; returns how many levels there were."""
    levels = 0
    for i in range(begin, end):
        kind = what[i]
        if kind == BID_ROW:
            set_row(bids, px[i], sz[i], stamp)
            levels += 1
        elif kind == ASK_ROW:
            set_row(asks, px[i], sz[i], stamp)
            levels += 1
        elif kind == BUY_ROW:
            see_print(floats, ints, t_ns, 1, px[i], sz[i])
        elif kind == SELL_ROW:
            see_print(floats, ints, t_ns, -1, px[i], sz[i])
    if levels > 0:
        part(bids, asks)
    return levels


@kernel(
    "i8(i8[::1], i8[::1], i8[::1], i8, i8, i8, i8, i8[::1], i8[::1], i8[::1], i8[::1], "
    "f8[::1], i8[::1], f8[::1], i8[::1])"
)
def see_instant(
    what: list[int], px: list[int], sz: list[int], begin: int, end: int, stamp: int, t_ns: int, bids: list[int],
    asks: list[int], channel: list[int], book: list[int], floats: list[float], ints: list[int], logs: list[float],
    times: list[int],
) -> int:  # fmt: skip
    """Rows `begin .. end` of venue time `t_ns`, numbered `stamp`; returns what was told of the book (TOLD_* bits)."""
    if take_rows(what, px, sz, begin, end, stamp, t_ns, bids, asks, floats, ints) == 0:
        return 0
    told = tell(bids, asks, channel, t_ns, book)
    if told & TOLD_TOUCH:
        at = C_TOUCH
        see_touch(floats, ints, t_ns, channel[at], channel[at + 1], channel[at + 2], channel[at + 3])
    if told > 0:
        see_book(floats, ints, logs, times, t_ns, book, channel[C_FAST_LEVELS], channel[C_DEEP_T])
    return told


@kernel(
    "i8(i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8, i8, i8[::1], i8[::1], i8[::1], i8[::1], "
    "f8[::1], i8[::1], f8[::1], i8[::1], f8[::1], i8, i8[::1], f8[::1], f8[::1])"
)
def sample(
    what: list[int],
    px: list[int],
    sz: list[int],
    stamp_ns: list[int],
    begin: list[int],
    first: int,
    last: int,
    bids: list[int],
    asks: list[int],
    channel: list[int],
    book: list[int],
    floats: list[float],
    ints: list[int],
    logs: list[float],
    times: list[int],
    x: list[float],
    features: int,
    out_t: list[int],
    out_log: list[float],
    out_x: list[float],
) -> int:
    """Instants `first .. last`: time, log mid and features of each told book into the outs; returns how many."""
    n = 0
    for k in range(first, last):
        told = see_instant(
            what, px, sz, begin[k], begin[k + 1], k + 1, stamp_ns[k],
            bids, asks, channel, book, floats, ints, logs, times,
        )  # fmt: skip
        if told > 0 and ints[J_MID] == 1:
            read_features(floats, ints, logs, times, x)
            out_t[n] = stamp_ns[k]
            out_log[n] = floats[F_LOG_MID]
            for j in range(features):
                out_x[n * features + j] = x[j]
            n += 1
    return n
