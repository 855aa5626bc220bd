"""Who trades against the quotes of a made-up market, and the stamp that comes of it.

An order's size is drawn from the flow's quantiles. The largest `T_SWEEPS` of all orders are *sweeps*: they are ready to
trade up to D bps beyond the mid, D exponential with mean 1 / k, so that a side's sweeps reach a distance x at the rate
A exp(-k x) with A = orders x share / 2. All others trade at the touch, and so does a sweep whose D is nearer; where the
touch has just been used up they come a millisecond later, when makers are back, so that no reach is longer than D. A
sweep finds the levels nearer than D pulled (on the venue cancels go before takers in a block) and trades its size over
what is left of them and the level it stops at.
"""

from __future__ import annotations

import math

from common.clock import NS
from common.kernel import kernel
from simvenue.book.levels import Ints
from simvenue.synthetic.arrivals import BUY, MS_NS, QUOTES, excite, schedule
from simvenue.synthetic.chance import uniform, waiting
from simvenue.synthetic.fair import move, told_by_order
from simvenue.synthetic.layout import (
    B_ASK,
    B_BID,
    B_DUE_NS,
    B_DUE_SIDE,
    B_NOW_NS,
    B_SPREAD,
    B_TICK,
    BPS,
    LOT_USD,
    R_COUNT,
    SIZES,
    T_K,
    T_MAKER_USD,
    T_SIZES,
    T_SWEEPS,
    Floats,
    put,
    straight,
)
from simvenue.synthetic.makers import contracts, outermost, place, pull, requote, set_touch, show, touch

TOUCH_ONLY = -1.0
NEAR_SHARE = 0.03
"""Of a level nearer than a sweep's last price this much is still there: the rest was pulled in the same block."""
PIECES_MAX = 12
"""Prints one aggressor makes at one price at most: one for each maker it meets."""


@kernel("f8(f8[::1], f8)")
def size_usd(terms: Floats, share: float) -> float:
    """The order size that `share` of orders stay below."""
    return math.exp(straight(terms, T_SIZES, SIZES, share))


@kernel("i8(f8[::1], i8[::1], i8[::1], i8, i8, i8)")
def print_at(terms: Floats, chance: Ints, rows: Ints, what: int, px: int, sz: int) -> int:
    """Print sz at px, one print for each maker met; returns the prints made."""
    usual = terms[T_MAKER_USD] / (float(px) * LOT_USD)
    rest = sz
    n = 0
    while rest > 0:
        piece = rest if n == PIECES_MAX - 1 else min(rest, max(1, int(usual * waiting(chance))))
        put(rows, what, px, piece)
        rest -= piece
        n += 1
    return n


@kernel("i8(f8[::1], i8[::1], i8[::1], i8[::1], i8, i8)")
def take_touch(terms: Floats, book: Ints, chance: Ints, rows: Ints, side: int, sz: int) -> int:
    """An order that trades at the touch only: what it finds beyond the size shown came in the same block.

    An order as large as the touch uses it up; the next look at the quotes fills it.  Returns the price.
    """
    at = touch(book, -side)
    print_at(terms, chance, rows, 2 * side, at * book[B_TICK], sz)
    if show(book, rows, -side, at, max(0, book[place(-side, at)] - sz)) == 0:
        set_touch(book, -side, at + side)
    return at


@kernel("i8(i8[::1], i8, f8)")
def stop_at(book: Ints, side: int, reach_bps: float) -> int:
    """The last price a sweep of this reach trades at, in ticks: never beyond it, never nearer than the touch."""
    mid = 0.5 * float(book[B_BID] + book[B_ASK])
    limit = mid * (1.0 + float(side) * reach_bps * BPS)
    at = math.floor(limit) if side == BUY else math.ceil(limit)
    first, last = touch(book, -side), outermost(book, -side)
    if side * at <= side * first:
        return first
    return last if side * at > side * last else at


@kernel("i8(f8[::1], i8[::1], i8[::1], i8[::1], i8, i8, i8)")
def sweep(terms: Floats, book: Ints, chance: Ints, rows: Ints, side: int, sz: int, stop: int) -> int:
    """Trade sz over what is left of the levels up to `stop`; the nearer ones go.  Returns the last price."""
    first = touch(book, -side)
    shown = float(book[place(-side, stop)])
    at = first
    while side * at < side * stop:
        shown += NEAR_SHARE * float(book[place(-side, at)])
        at += side
    rest = sz
    at = first
    while side * at < side * stop:
        part = min(rest - 1, int(NEAR_SHARE * float(sz) * float(book[place(-side, at)]) / max(shown, 1.0)))
        if part > 0:
            print_at(terms, chance, rows, 2 * side, at * book[B_TICK], part)
            rest -= part
        at += side
    print_at(terms, chance, rows, 2 * side, stop * book[B_TICK], rest)
    pull(book, rows, -side, first, stop)
    return set_touch(book, -side, stop)


@kernel("f8(f8[::1], i8[::1], i8[::1], i8[::1], i8)")
def trade(terms: Floats, book: Ints, chance: Ints, rows: Ints, side: int) -> float:
    """One order against the book: its rows, and its reach in bps (`TOUCH_ONLY`: it was no sweep)."""
    draw = uniform(chance)
    sz = contracts(size_usd(terms, draw), float(touch(book, -side) * book[B_TICK]), 1)
    if draw <= 1.0 - terms[T_SWEEPS]:
        take_touch(terms, book, chance, rows, side, sz)
        return TOUCH_ONLY
    reach_bps = waiting(chance) / terms[T_K]
    stop = stop_at(book, side, reach_bps)
    if stop == touch(book, -side):
        take_touch(terms, book, chance, rows, side, sz)
    else:
        sweep(terms, book, chance, rows, side, sz, stop)
    return reach_bps


@kernel("i8(f8[::1], f8[::1], i8[::1], i8[::1], i8[::1])")
def next_stamp(state: Floats, terms: Floats, book: Ints, chance: Ints, rows: Ints) -> int:
    """Play what is due: its rows go to `rows`, and the next thing becomes due.  Returns the row count."""
    rows[R_COUNT] = 0
    due_ns, side = book[B_DUE_NS], book[B_DUE_SIDE]
    if due_ns > book[B_NOW_NS]:
        move(state, terms, chance, float(due_ns - book[B_NOW_NS]) / float(NS))
    book[B_NOW_NS] = due_ns
    if side == QUOTES:
        requote(state, terms, book, chance, rows)
    elif book[B_ASK] - book[B_BID] > book[B_SPREAD]:  # takers wait for makers to come back
        requote(state, terms, book, chance, rows)
        book[B_DUE_NS] = due_ns + MS_NS
        return rows[R_COUNT]
    else:
        told_by_order(state, terms, chance, side, trade(terms, book, chance, rows, side))
        excite(state, terms, side)
    schedule(state, terms, book, chance)
    return rows[R_COUNT]
