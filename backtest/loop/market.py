"""The venue's side of the replay: instants of the recording meet the resting orders, and what they did is written down.

Who trades is decided by simvenue's matching kernels. Here are the logs: a row a fill, and now and then a row of the
curve. Times ns, prices px_u, sizes sz_u, money 1e-6 quote.
"""

from __future__ import annotations

import math

from backtest.loop.account import (
    A_DUE_T,
    A_FUNDING_E8,
    A_LAST,
    A_ON,
    A_SEIZED_E8,
    book_fill,
    look_again,
)
from backtest.loop.desk import push
from backtest.loop.layout import (
    CF_ASKS,
    CF_CURVE,
    CF_END_T,
    CF_FROM_T,
    CF_QUEUE,
    CF_VISIBLE,
    CURVE_FUNDING,
    CURVE_SEIZED,
    CURVE_SENT,
    CURVE_STRIDE,
    D_ACTIONS,
    D_CASH,
    D_CURVE_T,
    D_FULL,
    D_VOLUME,
    FAIR_PARTS,
    FILL_FAIR,
    FILL_FEE,
    FILL_PX,
    FILL_SLOT,
    FILL_STRIDE,
    FILL_SZ,
    FILL_T,
    FILL_TAKER,
    LOG_N,
    LOG_ROWS,
    NEVER,
    TRADED,
)
from common.kernel import kernel
from simvenue.book.levels import B_RULES, best_px
from simvenue.book.matching import E_KIND, E_PX, E_SLOT, E_STRIDE, E_SZ, FILLED, PRINTED, play_gap, play_stamp
from simvenue.book.quiet import LOUD, PRINTED_ALONE, play_quiet
from simvenue.book.table import H_POS


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, i8, i8, i8, f8, i8)", inline=True)
def log_fill(
    desk: list[int], account: list[int], fills: list[int], t_ns: int, slot: int, is_bid: int, px: int, sz: int,
    fair: float, is_taker: int,
) -> int:  # fmt: skip
    """Write one fill down; returns 1, 0 when the log is full."""
    desk[D_CASH] += -px * sz if is_bid == 1 else px * sz
    desk[D_VOLUME] += px * sz
    if account[A_DUE_T] < NEVER:
        look_again(account, t_ns)
    at = LOG_ROWS + FILL_STRIDE * fills[LOG_N]
    if at + FILL_STRIDE > len(fills):
        desk[D_FULL] = 1
        return 0
    fills[at + FILL_T] = t_ns
    fills[at + FILL_SLOT] = slot
    fills[at + FILL_PX] = px
    fills[at + FILL_SZ] = sz
    parts = fair * FAIR_PARTS
    fills[at + FILL_FAIR] = int(parts) + (1 if parts - math.floor(parts) >= 0.5 else 0)  # adding 0.5 may round up
    fills[at + FILL_TAKER] = is_taker
    fills[at + FILL_FEE] = book_fill(account, 2 * is_bid - 1, px, sz, is_taker) if account[A_ON] == 1 else 0
    fills[LOG_N] += 1
    return 1


@kernel("i8(i8[::1], i8, f8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])", inline=True)
def take_fills(
    out: list[int], t_ns: int, fair: float, desk: list[int], account: list[int], news: list[int], config: list[int],
    fills: list[int],
) -> int:  # fmt: skip
    """Write down what the venue's last stamp filled, and send word of it; returns how many fills.

    `fair` (px_u) is the fair price of our last decision: what a quote asked for is its distance from it.
    """
    found = 0
    for k in range(out[0]):
        row = 1 + E_STRIDE * k
        if out[row + E_KIND] == PRINTED:
            account[A_LAST] = out[row + E_PX]
        if out[row + E_KIND] != FILLED:
            continue
        found += 1
        slot = out[row + E_SLOT]
        is_bid = 1 if slot < config[CF_ASKS] else 0
        if log_fill(desk, account, fills, t_ns, slot, is_bid, out[row + E_PX], out[row + E_SZ], fair, 0) == 0:
            return found
        push(news, desk, t_ns, slot, TRADED, out[row + E_PX], out[row + E_SZ])
    return found


@kernel("void(i8[::1], i8[::1], i8, i8, i8, i8[::1])")
def draw_curve(desk: list[int], account: list[int], t_ns: int, position: int, mid2: int, curve: list[int]) -> None:
    """One more row of position, cash and volume, and what the account received and sent."""
    at = LOG_ROWS + CURVE_STRIDE * curve[LOG_N]
    if at + CURVE_STRIDE > len(curve):
        desk[D_FULL] = 1
        return
    curve[at] = t_ns
    curve[at + 1] = position
    curve[at + 2] = desk[D_CASH]
    curve[at + 3] = desk[D_VOLUME]
    curve[at + 4] = mid2
    curve[at + CURVE_FUNDING] = account[A_FUNDING_E8]
    curve[at + CURVE_SEIZED] = account[A_SEIZED_E8]
    curve[at + CURVE_SENT] = desk[D_ACTIONS]
    curve[LOG_N] += 1


@kernel(
    "i8(i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8, i8, i8, i8[::1], f8, "
    "i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], "
    "f8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])",
    inline=True,
)
def play_until(
    what: list[int],
    px: list[int],
    sz: list[int],
    stamp_ns: list[int],
    begin: list[int],
    begins_file: list[int],
    first: int,
    last: int,
    until_t: int,
    config: list[int],
    power: float,
    bids: list[int],
    asks: list[int],
    orders: list[int],
    bid_queue: list[int],
    ask_queue: list[int],
    holders: list[int],
    out: list[int],
    fair: float,
    desk: list[int],
    account: list[int],
    news: list[int],
    fills: list[int],
    curve: list[int],
    mids: list[int],
) -> int:
    """Play instants from `first` on and before `last`, up to `until_t` and no further than the first that fills us.

    Returns the next one to play. `mids`, if it has room, gets bid + ask after each, 0 = one is missing.
    """
    i = first
    found = 0
    keeps = len(mids) > 0
    last_t = min(until_t, config[CF_END_T])
    curve_t = max(desk[D_CURVE_T], config[CF_FROM_T]) if bids[B_RULES] > 0 else 0
    bid = best_px(bids)
    ask = best_px(asks)
    mid2 = bid + ask if bid > 0 and ask > 0 else 0
    while found == 0 and i < last and stamp_ns[i] <= last_t:
        now = stamp_ns[i]
        k = begin[i]
        if now < curve_t and begin[i + 1] == k + 1 and begins_file[i] == 0:
            played = play_quiet(
                what[k], px[k], sz[k], i + 1, config[CF_VISIBLE], config[CF_QUEUE], power, bids, asks, orders,
                bid_queue, ask_queue,
            )  # fmt: skip
            if played != LOUD:
                if played == PRINTED_ALONE:
                    account[A_LAST] = px[k]
                if keeps:
                    mids[i] = mid2
                i += 1
                continue
        if begins_file[i] == 1:
            play_gap(bids, asks, orders, bid_queue, ask_queue)
        play_stamp(
            what, px, sz, begin[i], begin[i + 1], i + 1, config[CF_VISIBLE], config[CF_QUEUE], power,
            bids, asks, orders, bid_queue, ask_queue, holders, out,
        )  # fmt: skip
        found = take_fills(out, now, fair, desk, account, news, config, fills) if out[0] > 0 else 0
        bid = best_px(bids)
        ask = best_px(asks)
        mid2 = bid + ask if bid > 0 and ask > 0 else 0
        if keeps:
            mids[i] = mid2
        if now >= desk[D_CURVE_T] and mid2 > 0 and config[CF_FROM_T] <= now:
            draw_curve(desk, account, now, holders[H_POS], mid2, curve)
            desk[D_CURVE_T] = now + config[CF_CURVE]
            curve_t = desk[D_CURVE_T] if curve_t > 0 else 0
        i += 1
    return i
