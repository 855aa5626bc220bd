"""Our orders between us and the venue: requests that travel, news that come back, and what we make of both.

The replay's executor in small: one request in flight per slot, post-only, a move that comes after the fill is lost, and
the inventory cap counts what we hold, what rests and what is on its way. What should rest is decided by the quoters,
who trades by simvenue's matching kernels, which these call.
"""

from __future__ import annotations

from backtest.loop.account import A_ON, charge_action
from backtest.loop.fixed import is_off
from backtest.loop.layout import (
    CANCEL,
    CF_ASKS,
    CF_OWN,
    CF_VISIBLE,
    CF_WHOLE,
    CROSSED,
    D_ACTIONS,
    D_CANCELLED,
    D_FULL,
    D_HEARD_N,
    D_LOST,
    D_MOVED,
    D_PLACED,
    D_POSITION,
    D_PULLED,
    D_REFUSED,
    D_ROWS,
    ENDED,
    G_KIND,
    G_PX,
    G_SENT_T,
    G_SLOT,
    G_SZ,
    G_T,
    K_BUSY,
    K_LEFT,
    K_LIVE,
    K_PX,
    K_STRIDE,
    K_WANT_PX,
    K_WANT_SZ,
    KEPT,
    MOVE,
    NEVER,
    PLACE,
    RESTS,
    RING_DELAY,
    RING_DRAWN,
    RING_HEAD,
    RING_LAST_T,
    RING_ROWS,
    RING_SIZE,
    RING_STRIDE,
    RING_TAIL,
    SLOTS,
    TOOK,
    TRADED,
)
from common.kernel import kernel
from quoter.state import BID_SIDE, O_COUNT, O_ROWS, O_SIDE, QUOTES_MAX, USD
from simvenue.book.levels import best_px
from simvenue.book.matching import cancel_order, rest_order
from simvenue.book.table import O_PX, O_STRIDE, O_WHOLE, Q_N, Q_ROWS
from simvenue.door.latency import HOLD_NS

ROUNDING = 1.002
"""Whole lots at several prices may exceed the cap at mid by so much."""


@kernel("void(i8[::1], i8[::1], i8, i8, i8, i8, i8)", inline=True)
def push(ring: list[int], desk: list[int], t_ns: int, slot: int, kind: int, px: int, sz: int) -> None:
    """One more row sets out at `t_ns`, at the ring's end; a full ring is told in D_FULL."""
    tail = ring[RING_TAIL]
    if tail - ring[RING_HEAD] >= ring[RING_SIZE]:
        desk[D_FULL] = 1
        return
    delay = ring[RING_DELAY]
    if ring[RING_DRAWN] > 0:
        delay = ring[RING_ROWS + RING_STRIDE * ring[RING_SIZE] + (t_ns // HOLD_NS) % ring[RING_DRAWN]]
    ring[RING_LAST_T] = max(ring[RING_LAST_T], t_ns + delay)
    row = RING_ROWS + RING_STRIDE * (tail & (ring[RING_SIZE] - 1))
    ring[row + G_T] = ring[RING_LAST_T]
    ring[row + G_SLOT] = slot
    ring[row + G_KIND] = kind
    ring[row + G_PX] = px
    ring[row + G_SZ] = sz
    ring[row + G_SENT_T] = t_ns
    ring[RING_TAIL] = tail + 1


@kernel("i8(i8[::1])", inline=True)
def due(ring: list[int]) -> int:
    """When the ring's first row arrives."""
    if ring[RING_HEAD] == ring[RING_TAIL]:
        return NEVER
    return ring[RING_ROWS + RING_STRIDE * (ring[RING_HEAD] & (ring[RING_SIZE] - 1)) + G_T]


@kernel("i8(i8[::1])", inline=True)
def next_kind(ring: list[int]) -> int:
    """What the ring's first row is; there is one."""
    return ring[RING_ROWS + RING_STRIDE * (ring[RING_HEAD] & (ring[RING_SIZE] - 1)) + G_KIND]


@kernel("i8(i8[::1])", inline=True)
def pop(ring: list[int]) -> int:
    """Place of the first row, which is taken out (and stays readable until the ring comes round)."""
    row = RING_ROWS + RING_STRIDE * (ring[RING_HEAD] & (ring[RING_SIZE] - 1))
    ring[RING_HEAD] += 1
    return row


@kernel("void(i8[::1], i8[::1], i8, i8, i8, i8, i8)", inline=True)
def post(desk: list[int], actions: list[int], now: int, slot: int, kind: int, px: int, sz: int) -> None:
    """A request sets out and is counted."""
    desk[D_ACTIONS] += 1
    if kind == PLACE:
        desk[D_PLACED] += 1
    elif kind == MOVE:
        desk[D_MOVED] += 1
    else:
        desk[D_CANCELLED] += 1
    push(actions, desk, now, slot, kind, px, sz)


@kernel("void(i8[::1], i8[::1], i8, i8, i8, i8, i8)", inline=True)
def send(desk: list[int], actions: list[int], now: int, slot: int, kind: int, px: int, sz: int) -> None:
    """A request leaves a slot, which is busy until the answer comes."""
    row = D_ROWS + K_STRIDE * slot
    desk[row + K_BUSY] = 1
    desk[row + K_WANT_PX] = px
    desk[row + K_WANT_SZ] = sz
    post(desk, actions, now, slot, kind, px, sz)


@kernel("void(i8[::1], i8[::1], i8)", inline=True)
def pull(desk: list[int], actions: list[int], now: int) -> None:
    """Cancel all that rests; what is on its way follows when its answer comes."""
    desk[D_PULLED] = 1
    for slot in range(SLOTS):
        row = D_ROWS + K_STRIDE * slot
        if desk[row + K_LIVE] == 1 and desk[row + K_BUSY] == 0:
            send(desk, actions, now, slot, CANCEL, 0, 0)


@kernel("i8(i8, i8, i8, i8[::1], i8[::1], i8[::1])", inline=True)
def would_cross(side: int, px: int, own: int, orders: list[int], opposite: list[int], opposite_queue: list[int]) -> int:
    """1 when a bid (side 1) or ask (-1) at px meets the other side's best: the market's, and with `own` ours too."""
    best = best_px(opposite)
    if best > 0 and side * px >= side * best:
        return 1
    if own == 1 and opposite_queue[Q_N] > 0 and side * px >= side * orders[O_STRIDE * opposite_queue[Q_ROWS] + O_PX]:
        return 1
    return 0


@kernel(
    "void(i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8, i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])", inline=True
)
def arrive(
    desk: list[int], account: list[int], actions: list[int], news: list[int], config: list[int], now: int,
    bids: list[int], asks: list[int], orders: list[int], bid_queue: list[int], ask_queue: list[int],
) -> None:  # fmt: skip
    """The first request reaches the venue; its answer starts back."""
    at = pop(actions)
    slot = actions[at + G_SLOT]
    kind = actions[at + G_KIND]
    px = actions[at + G_PX]
    sz = actions[at + G_SZ]
    is_bid = slot < config[CF_ASKS]
    side = 1 if is_bid else -1
    queue = bid_queue if is_bid else ask_queue
    if account[A_ON] == 1 and charge_action(account, desk, kind, now) == 0:
        push(news, desk, now, slot, ENDED if kind == PLACE else KEPT, px, sz)
        return
    answer = ENDED
    left = 0
    if kind != PLACE:
        left = cancel_order(queue, orders, slot)
        if left < 0:
            desk[D_LOST] += 1
    if kind != CANCEL and left >= 0:
        if is_bid:
            crosses = would_cross(side, px, config[CF_OWN], orders, asks, ask_queue)
        else:
            crosses = would_cross(side, px, config[CF_OWN], orders, bids, bid_queue)
        if crosses == 1:
            desk[D_REFUSED] += 1
            answer = CROSSED
        else:
            rest_order(queue, orders, bids if is_bid else asks, slot, side, px, sz, 0, 0, config[CF_VISIBLE])
            orders[O_STRIDE * slot + O_WHOLE] = config[CF_WHOLE]
            answer = RESTS
    push(news, desk, now, slot, answer, px, sz)


@kernel("i8(i8[::1], i8[::1], i8[::1], i8)", inline=True)
def hear(desk: list[int], actions: list[int], news: list[int], now: int) -> int:
    """The first news reaches us; returns its kind."""
    at = pop(news)
    slot = news[at + G_SLOT]
    row = D_ROWS + K_STRIDE * slot
    kind = news[at + G_KIND]
    if kind == TRADED:
        desk[D_HEARD_N] += 1
        desk[D_POSITION] += news[at + G_SZ] if slot < QUOTES_MAX else -news[at + G_SZ]
        desk[row + K_LEFT] -= news[at + G_SZ]
        if desk[row + K_LEFT] <= 0:
            desk[row + K_LIVE] = 0
        return kind
    if kind == TOOK:
        desk[D_HEARD_N] += 1
        desk[D_POSITION] += news[at + G_SZ] if slot < QUOTES_MAX else -news[at + G_SZ]
        return kind
    desk[row + K_BUSY] = 0
    if kind == KEPT:
        return kind
    desk[row + K_LIVE] = 1 if kind == RESTS else 0
    desk[row + K_PX] = news[at + G_PX]
    desk[row + K_LEFT] = news[at + G_SZ] if kind == RESTS else 0
    if kind == RESTS and desk[D_PULLED] == 1:
        send(desk, actions, now, slot, CANCEL, 0, 0)
    return kind


@kernel("i8(i8[::1], i8, i8)", inline=True)
def worst_case(desk: list[int], side: int, without: int) -> int:
    """Contracts we would hold on a side (0 bids) if all there filled, one slot left out; sz_u, may be negative."""
    total = desk[D_POSITION] if side == BID_SIDE else -desk[D_POSITION]
    for level in range(QUOTES_MAX):
        slot = side * QUOTES_MAX + level
        if slot != without:
            row = D_ROWS + K_STRIDE * slot
            resting = desk[row + K_LEFT] if desk[row + K_LIVE] == 1 else 0
            coming = desk[row + K_WANT_SZ] if desk[row + K_BUSY] == 1 else 0
            total += max(resting, coming)
    return total


@kernel("i8(i8[::1], i8[::1], i8, i8[::1], f8, f8, f8, f8, f8)", inline=True)
def requote(
    desk: list[int], actions: list[int], now: int, target: list[int], mid: float, cap_usd: float,
    out_bps: float, in_bps: float, refill: float,
) -> int:  # fmt: skip
    """Send what turns the known orders into the target ladder; returns the requests sent.

    A slot that is busy waits. What is not wanted goes first, so that it makes room under the cap.
    """
    before = desk[D_ACTIONS]
    if mid <= 0.0:
        return 0
    cap_sz = int(cap_usd * ROUNDING / USD / mid)
    for side in range(2):
        for level in range(target[O_COUNT + side], QUOTES_MAX):
            row = D_ROWS + K_STRIDE * (side * QUOTES_MAX + level)
            if desk[row + K_LIVE] == 1 and desk[row + K_BUSY] == 0:
                send(desk, actions, now, side * QUOTES_MAX + level, CANCEL, 0, 0)
        for level in range(target[O_COUNT + side]):
            slot = side * QUOTES_MAX + level
            row = D_ROWS + K_STRIDE * slot
            if desk[row + K_BUSY] == 1:
                continue
            px = target[O_ROWS + side * O_SIDE + 2 * level]
            sz = target[O_ROWS + side * O_SIDE + 2 * level + 1]
            kind = PLACE
            left = 0
            if desk[row + K_LIVE] == 1:
                kind = MOVE
                left = desk[row + K_LEFT]
                if is_off(side, desk[row + K_PX], left, px, sz, mid, out_bps, in_bps, refill) == 0:
                    continue
            if worst_case(desk, side, slot) + max(left, sz) <= cap_sz:
                send(desk, actions, now, slot, kind, px, sz)
    return desk[D_ACTIONS] - before
