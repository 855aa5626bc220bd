"""What ends in taking: an emergency flatten of ours, and a liquidation by the venue.

Both go through simvenue's taker kernel. A flatten is reduce-only, within a collar, and travels like every request. A
liquidation withdraws our orders first; what the book does not take before nothing is left goes to the venue's backstop
at the mark, with what is left of the margin. Prices px_u, sizes sz_u, money 1e-8 quote.
"""

from __future__ import annotations

from backtest.loop.account import A_LIQUIDATIONS, A_MARK, A_SEIZED_E8, charge_action, equity_e8
from backtest.loop.desk import pop, post, push
from backtest.loop.layout import D_POSITION, D_TAKING, G_PX, G_SLOT, G_SZ, TAKE, TOOK, WITHDRAWN
from backtest.loop.market import log_fill
from common.kernel import kernel
from quoter.state import QUOTES_MAX
from simvenue.book.matching import E_KIND, E_PX, E_SLOT, E_STRIDE, E_SZ, SELF_OUT, TAKEN
from simvenue.book.table import H_POS, O_SIDE, O_STRIDE, Q_N, dequeue
from simvenue.book.taking import take

COLLAR_SHARE = 100
"""A flatten goes no further than 1 / this from the mid."""


@kernel("i8(i8[::1], i8[::1], i8, f8)")
def flatten(desk: list[int], actions: list[int], now: int, mid: float) -> int:
    """Ask for the whole known position to be taken off, unless that is on its way; returns 1 when it sets out."""
    position = desk[D_POSITION]
    if position == 0 or desk[D_TAKING] == 1 or mid <= 0.0:
        return 0
    desk[D_TAKING] = 1
    reach = int(mid) // COLLAR_SHARE
    slot = QUOTES_MAX if position > 0 else 0
    post(desk, actions, now, slot, TAKE, int(mid) - reach if position > 0 else int(mid) + reach, abs(position))
    return 1


@kernel("i8(i8[::1], i8[::1], i8[::1], i8[::1], i8, i8, i8, i8, f8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], "
        "i8[::1], i8[::1])")  # fmt: skip
def take_off(
    desk: list[int], account: list[int], news: list[int], fills: list[int], now: int, side: int, limit_px: int,
    sz: int, fair: float, bids: list[int], asks: list[int], orders: list[int], bid_queue: list[int],
    ask_queue: list[int], holders: list[int], out: list[int],
) -> int:  # fmt: skip
    """Buy (side 1) or sell what reduces the position, no worse than the limit; returns what was taken."""
    desk[D_TAKING] = 0
    want = min(sz, -side * holders[H_POS])
    out[0] = 0
    if want <= 0:
        return 0
    if side == 1:
        got = take(limit_px, want, 0, asks, ask_queue, orders, holders, out)
    else:
        got = take(limit_px, want, 0, bids, bid_queue, orders, holders, out)
    slot = 0 if side == 1 else QUOTES_MAX
    for k in range(out[0]):
        row = 1 + E_STRIDE * k
        if out[row + E_KIND] == SELF_OUT:
            push(news, desk, now, out[row + E_SLOT], WITHDRAWN, 0, 0)
        elif out[row + E_KIND] == TAKEN:
            is_bid = 1 if side == 1 else 0
            log_fill(desk, account, fills, now, slot, is_bid, out[row + E_PX], out[row + E_SZ], fair, 1)
            push(news, desk, now, slot, TOOK, out[row + E_PX], out[row + E_SZ])
    return got


@kernel("i8(i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8, f8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], "
        "i8[::1], i8[::1])")  # fmt: skip
def take_next(
    desk: list[int], account: list[int], actions: list[int], news: list[int], fills: list[int], now: int, fair: float,
    bids: list[int], asks: list[int], orders: list[int], bid_queue: list[int], ask_queue: list[int],
    holders: list[int], out: list[int],
) -> int:  # fmt: skip
    """The first request, one that takes, reaches the venue; returns what it got."""
    at = pop(actions)
    if charge_action(account, desk, TAKE, now) == 0:
        desk[D_TAKING] = 0
        return 0
    side = 1 if actions[at + G_SLOT] < QUOTES_MAX else -1
    return take_off(
        desk, account, news, fills, now, side, actions[at + G_PX], actions[at + G_SZ], fair,
        bids, asks, orders, bid_queue, ask_queue, holders, out,
    )  # fmt: skip


@kernel("i8(i8[::1], i8[::1], i8[::1], i8[::1], i8)")
def withdraw_all(desk: list[int], news: list[int], queue: list[int], orders: list[int], now: int) -> int:
    """The venue cancels all orders of a side; returns how many."""
    gone = 0
    while queue[Q_N] > 0:
        slot = dequeue(queue, orders, 0)
        orders[O_STRIDE * slot + O_SIDE] = 0
        push(news, desk, now, slot, WITHDRAWN, 0, 0)
        gone += 1
    return gone


@kernel("i8(i8[::1], i8[::1], i8[::1], i8[::1], i8, f8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], "
        "i8[::1])")  # fmt: skip
def liquidate(
    desk: list[int], account: list[int], news: list[int], fills: list[int], now: int, fair: float, bids: list[int],
    asks: list[int], orders: list[int], bid_queue: list[int], ask_queue: list[int], holders: list[int], out: list[int],
) -> int:  # fmt: skip
    """The venue closes the position; returns what the book took of it."""
    withdraw_all(desk, news, bid_queue, orders, now)
    withdraw_all(desk, news, ask_queue, orders, now)
    account[A_LIQUIDATIONS] += 1
    position = holders[H_POS]
    side = -1 if position > 0 else 1
    reach = max(equity_e8(account, desk, position), 0) // max(100 * abs(position), 1)
    limit_px = max(account[A_MARK] + side * reach, 1)
    took = take_off(
        desk, account, news, fills, now, side, limit_px, abs(position), fair,
        bids, asks, orders, bid_queue, ask_queue, holders, out,
    )  # fmt: skip
    rest = abs(holders[H_POS])
    if rest > 0:
        slot = 0 if side == 1 else QUOTES_MAX
        log_fill(desk, account, fills, now, slot, 1 if side == 1 else 0, account[A_MARK], rest, fair, 1)
        push(news, desk, now, slot, TOOK, account[A_MARK], rest)
        holders[H_POS] = 0
        account[A_SEIZED_E8] += max(equity_e8(account, desk, 0), 0)
    return took
