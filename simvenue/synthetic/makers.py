"""The quoted book of a made-up market: what it shows and how it follows the price.

A heavy touch, a thin step behind it, then a density that rises with distance (market-data.md, table 2). Each side's
touch is a share of a common size, (1 + I) and (1 - I); I wanders and leans towards the coming move. What an aggressor
does to it is left to `aggressors.py`. Prices are numbers of ticks inside, px_u in rows.
"""

from __future__ import annotations

import math

from common.kernel import kernel
from simvenue.book.levels import Ints
from simvenue.synthetic.arrivals import BUY, SELL
from simvenue.synthetic.chance import normal, uniform
from simvenue.synthetic.fair import imbalance, quoted_px
from simvenue.synthetic.layout import (
    B_ASK,
    B_ASK_END,
    B_BID,
    B_BID_END,
    B_SIZES,
    B_SPREAD,
    B_TICK,
    B_UNIT,
    BPS,
    DENSITIES,
    LEVELS,
    LOT_USD,
    RING,
    S_PENDING,
    S_SIGNAL,
    S_WIDTH,
    SPREADS,
    T_DEEP_SD,
    T_DENSITY,
    T_RESPREAD,
    T_SPREADS,
    T_TOUCH_CHANCE,
    T_TOUCH_SD,
    T_TOUCH_USD,
    Floats,
    put,
    straight,
)

STALE_TICKS = 0.6
"""The quoted mid is left alone while it is this near to the efficient price (half a tick more for odd spreads)."""
DEEP_LOOKS = 2
"""Levels behind the touch that change each time quotes are looked at, a side."""


# ---------------------------------------------------------------------- places and sizes
@kernel("i8(i8, i8)")
def place(side: int, at: int) -> int:
    """Where the book keeps the size of a side at a price."""
    return B_SIZES + at % RING if side == BUY else B_SIZES + RING + at % RING


@kernel("i8(i8[::1], i8)")
def touch(book: Ints, side: int) -> int:
    return book[B_BID] if side == BUY else book[B_ASK]


@kernel("i8(i8[::1], i8, i8)")
def set_touch(book: Ints, side: int, to: int) -> int:
    book[B_BID if side == BUY else B_ASK] = to
    return to


@kernel("i8(i8[::1], i8)")
def outermost(book: Ints, side: int) -> int:
    return book[B_BID_END] if side == BUY else book[B_ASK_END]


@kernel("i8(f8, i8)")
def tick_of(px: float, unit: int) -> int:
    """The venue's tick that all levels round px share: five digits, or whole quote tokens (`grid.tick_u`)."""
    tick = 1
    for _ in range(2):
        reach = px + float(LEVELS * tick)
        while tick < unit and reach >= 1e5 * float(tick):
            tick *= 10
    return min(tick, unit)


@kernel("i8(f8, f8, i8)")
def contracts(usd: float, px: float, least: int) -> int:
    """USD as sz_u."""
    return max(least, int(usd / (px * LOT_USD)))


@kernel("i8(f8[::1], i8[::1], i8[::1], i8, f8)")
def deep_sz(terms: Floats, book: Ints, chance: Ints, at: int, mid: float) -> int:
    """A fresh size for the level `at`, behind the touch; `mid` in ticks."""
    px = float(at * book[B_TICK])
    distance_bps = abs(float(at) - mid) / mid / BPS
    usual = straight(terms, T_DENSITY, DENSITIES, distance_bps) / (mid * BPS)
    sd = terms[T_DEEP_SD]
    return contracts(usual * math.exp(sd * normal(chance) - 0.5 * sd * sd), px, 1)


@kernel("i8(f8[::1], f8[::1], i8[::1], i8[::1], i8)")
def touch_sz(state: Floats, terms: Floats, book: Ints, chance: Ints, side: int) -> int:
    """A fresh size for a side's touch."""
    sd = terms[T_TOUCH_SD]
    coming_bps = state[S_PENDING] + state[S_SIGNAL]
    usd = terms[T_TOUCH_USD] * (1.0 + float(side) * imbalance(state, terms, coming_bps))
    usd *= math.exp(sd * normal(chance) - 0.5 * sd * sd)
    return contracts(usd, float(touch(book, side) * book[B_TICK]), 1)


@kernel("i8(i8[::1], i8[::1], i8, i8, i8)")
def show(book: Ints, rows: Ints, side: int, at: int, sz: int) -> int:
    """Set the size at a price and tell it when it is new; returns it."""
    where = place(side, at)
    if book[where] != sz:
        book[where] = sz
        put(rows, side, at * book[B_TICK], sz)
    return sz


# ---------------------------------------------------------------------- quoting
@kernel("i8(i8[::1], i8[::1], i8, i8, i8)")
def pull(book: Ints, rows: Ints, side: int, begin: int, end: int) -> int:
    """Take away the levels from `begin` outwards, `end` not included; returns how many places that were."""
    at = begin
    while side * at > side * end:
        show(book, rows, side, at, 0)
        at -= side
    return abs(end - begin)


@kernel("i8(f8[::1], i8[::1], i8[::1], i8[::1], i8, i8, i8, f8)")
def fill(terms: Floats, book: Ints, chance: Ints, rows: Ints, side: int, begin: int, end: int, mid: float) -> int:
    """Quote the levels from `begin` outwards, `end` not included, anew; returns how many."""
    at = begin
    while side * at > side * end:
        show(book, rows, side, at, deep_sz(terms, book, chance, at, mid))
        at -= side
    return abs(end - begin)


@kernel("i8(f8[::1], i8[::1], i8[::1], i8[::1], i8, i8, f8)")
def move_side(terms: Floats, book: Ints, chance: Ints, rows: Ints, side: int, to: int, mid: float) -> int:
    """Let a side begin at `to` and hold LEVELS levels; the size at the touch is left to others.  Returns `to`."""
    begin = touch(book, side)
    last = outermost(book, side)
    end = to - side * LEVELS  # one beyond the outermost level
    if abs(to - begin) >= LEVELS or side * last > side * begin:  # too far away, or nothing is quoted yet
        pull(book, rows, side, begin, last - side)
        last = to + side
    elif side * to < side * begin:
        pull(book, rows, side, begin, to)
    else:
        fill(terms, book, chance, rows, side, to, begin, mid)
    if side * last < side * (end + side):
        pull(book, rows, side, end, last - side)
    else:
        fill(terms, book, chance, rows, side, last - side, end, mid)
    if side == BUY:
        book[B_BID_END] = end + side
    else:
        book[B_ASK_END] = end + side
    return set_touch(book, side, to)


@kernel("i8(i8[::1], i8[::1])")
def clear(book: Ints, rows: Ints) -> int:
    """Take every level away; returns how many places that were."""
    n = pull(book, rows, BUY, book[B_BID], book[B_BID_END] - 1)
    return n + pull(book, rows, SELL, book[B_ASK], book[B_ASK_END] + 1)


@kernel("i8(i8[::1], i8, i8)")
def open_book(book: Ints, tick: int, at: int) -> int:
    """An empty book in this tick, round the price `at`; returns it."""
    book[B_TICK] = tick
    book[B_BID] = at
    book[B_BID_END] = at + 1
    book[B_ASK] = at
    book[B_ASK_END] = at - 1
    return at


@kernel("i8(f8[::1], f8[::1], i8[::1], i8[::1])")
def wanted_spread(state: Floats, terms: Floats, book: Ints, chance: Ints) -> int:
    """The spread makers keep now, in ticks; now and then it is drawn anew."""
    if book[B_SPREAD] == 0 or uniform(chance) < terms[T_RESPREAD]:
        draw = uniform(chance)
        k = 0
        while k < SPREADS - 1 and draw > terms[T_SPREADS + 2 * k + 1]:
            k += 1
        book[B_SPREAD] = max(1, int(terms[T_SPREADS + 2 * k] * state[S_WIDTH] + 0.5))
    return book[B_SPREAD]


@kernel("i8(f8[::1], f8[::1], i8[::1], i8[::1])")
def wanted_bid(state: Floats, terms: Floats, book: Ints, chance: Ints) -> int:
    """Where the bid is to be, in ticks: left alone while it is near enough."""
    spread = wanted_spread(state, terms, book, chance)
    px = quoted_px(state) / float(book[B_TICK])
    bid, ask = book[B_BID], book[B_ASK]
    slack = STALE_TICKS + 0.5 * float(spread % 2)
    if ask - bid == spread and abs(0.5 * float(bid + ask) - px) <= slack:
        return bid
    return max(1, math.floor(px - 0.5 * float(spread) + 0.5))


@kernel("i8(f8[::1], f8[::1], i8[::1], i8[::1], i8[::1], i8, i8, f8)")
def requote_side(
    state: Floats, terms: Floats, book: Ints, chance: Ints, rows: Ints, side: int, to: int, mid: float
) -> int:
    """Let a side begin at `to` with a touch of its own, and change a few levels behind it.  Returns `to`."""
    begin = touch(book, side)
    if begin != to or outermost(book, side) != to - side * (LEVELS - 1):
        is_better = side * to > side * begin and side * outermost(book, side) <= side * begin
        move_side(terms, book, chance, rows, side, to, mid)
        if is_better and abs(to - begin) < LEVELS:  # the former touch is one of many now
            show(book, rows, side, begin, deep_sz(terms, book, chance, begin, mid))
    if book[place(side, to)] == 0 or begin != to or uniform(chance) < terms[T_TOUCH_CHANCE]:
        show(book, rows, side, to, touch_sz(state, terms, book, chance, side))
    for _ in range(DEEP_LOOKS):
        draw = uniform(chance)
        at = to - side * (1 + int(draw * draw * float(LEVELS - 1)))
        show(book, rows, side, at, deep_sz(terms, book, chance, at, mid))
    return to


@kernel("i8(f8[::1], f8[::1], i8[::1], i8[::1], i8[::1])")
def requote(state: Floats, terms: Floats, book: Ints, chance: Ints, rows: Ints) -> int:
    """Look at the quotes: follow the price, refresh touch sizes and a few levels.  Returns the row count."""
    tick = tick_of(quoted_px(state), book[B_UNIT])
    if tick != book[B_TICK]:
        if book[B_TICK] > 0:
            clear(book, rows)
        open_book(book, tick, int(quoted_px(state) / float(tick)))
    bid = wanted_bid(state, terms, book, chance)
    spread = book[B_SPREAD]
    mid = float(bid) + 0.5 * float(spread)
    requote_side(state, terms, book, chance, rows, BUY, bid, mid)
    requote_side(state, terms, book, chance, rows, SELL, bid + spread, mid)
    return rows[0]
