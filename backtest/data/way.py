"""The way through a bar: where the price has to be and when, and which order comes on it.

The price goes from the open over both extremes to the close and is exactly there at those instants; in between it
stays within the bar. It moves as the made-up markets do - orders carry it by eps + eta x their reach, quotes follow,
the rest is untraded - but *given* where it has to be: with R bps to go and v bps^2 of variance left, an order that
moves the price by m, for either side, is exp(m (2 R - m) / 2v) times as likely as before, and one that would leave the
bar does not come (Doob's transform of a process whose rest is near normal); the untraded part is a Brownian bridge. So
orders go where the price goes; with sides drawn blindly on a given path no fill would be adverse. What it is worth: a
made-up market (48 h of `xyz100`) and its own bars made into events again, one quote a side, 60 s after its fills,
before fees: at 0.5, 1 and 2 bps -0.38, -0.02, 0.56 bps in the market; -0.49, -0.23, 0.23 and 0.8, 0.8, 0.7 of the fills
from 5-minute bars; -0.44, -0.22, 0.16 and 0.6, 0.5, 0.4 of the fills from 1-minute bars: too little, not too much
(`tests/unit/backtest/data/test_bridge_edge.py` plays both).

Prices px_u, moves bps, times ns. The book it is traded on is `bridge.py`'s.
"""

from __future__ import annotations

import math

from common.clock import NS
from common.kernel import kernel
from simvenue.book.levels import Ints
from simvenue.synthetic.aggressors import TOUCH_ONLY
from simvenue.synthetic.arrivals import BUY, MS_NS, SELL, outside_rate
from simvenue.synthetic.chance import normal, uniform, waiting
from simvenue.synthetic.fair import expected_drift
from simvenue.synthetic.layout import (
    B_NOW_NS,
    BPS,
    S_FAIR,
    S_HEAT_BUY,
    S_HEAT_SELL,
    S_LEAN,
    S_PENDING,
    T_AT_ONCE,
    T_EPS,
    T_ETA,
    T_FOLLOW_S,
    T_INFORMED,
    T_K,
    T_LEAN_S,
    T_SWEEPS,
    T_TOUCH_MOVE,
    Floats,
)

(
    W_LOW,  # the bar's extremes
    W_HIGH,
    W_QUIET,  # share of the variance that is untraded
    W_RATE,  # variance, bps^2 a second
    W_DRAW,  # the order being made: its place among all orders by size,
    W_REACH,  # its reach and
    W_MOVE,  # its move without sign, bps
    W_TARGET,  # where each leg ends, three places
) = range(8)
LEGS_MAX = 3
W_LEN = W_TARGET + LEGS_MAX

(
    C_LEG,  # the leg being walked
    C_LEGS,
    C_LOOK_NS,  # when makers look at their quotes next
    C_EVERY_NS,  # how often they do, 0 = at random times, as the flow has it
    C_END,  # when each leg ends, three places
) = range(5)
C_LEN = C_END + LEGS_MAX
NEVER = 2**62

LEG_MS_MIN = 1
ORDERS_SHARE_MAX = 0.9
"""In a calmer bar orders tell as much as ever, and are thrown back at its extremes."""
CANDIDATES = 8
ODDS_MAX = 30.0
"""Logarithm of odds beyond which a draw is certain."""
LN4 = 2.0 * math.log(2.0)


# ---------------------------------------------------------------------- the way through a bar
@kernel("f8(f8, f8)")
def apart_bps(a: float, b: float) -> float:
    return abs(math.log(b / a)) / BPS


@kernel("i8(i8[::1], f8, f8, f8, f8, f8)")
def low_comes_first(chance: Ints, px_open: float, high: float, low: float, close: float, variance: float) -> int:
    """1 when the bar turns at its low first: two ways, each as likely as its length lets a Brownian motion take it."""
    span = apart_bps(low, high)
    by_low = apart_bps(px_open, low) + span + apart_bps(high, close)
    by_high = apart_bps(px_open, high) + span + apart_bps(low, close)
    odds = (by_high * by_high - by_low * by_low) / (2.0 * max(variance, 1e-12))
    odds = min(max(odds, -ODDS_MAX), ODDS_MAX)
    return 1 if uniform(chance) < 1.0 / (1.0 + math.exp(-odds)) else 0


@kernel("i8(i8[::1], f8[::1], i8[::1], i8, i8, f8, f8, f8, f8, f8)")
def lay_way(
    chance: Ints, way: Floats, clock: Ints, begin_ns: int, end_ns: int,
    px_open: float, high: float, low: float, close: float, variance: float,
) -> int:  # fmt: skip
    """Where the bar's legs end and when; returns how many there are.  Turns at the open or the close are no legs.

    A leg's time is as its length, with a random factor; the last one ends 1 ms before the bar does.
    """
    first, second = high, low
    if low_comes_first(chance, px_open, high, low, close, variance) == 1:
        first, second = low, high
    legs = 0
    at = px_open
    total = 0.0
    for k in range(LEGS_MAX):
        target = close
        if k == 0:
            target = first
        elif k == 1:
            target = second
        if target == at and not (k == LEGS_MAX - 1 and legs == 0):
            continue
        total += (apart_bps(at, target) + 1e-6) * (0.5 + waiting(chance))
        way[W_TARGET + legs] = target
        clock[C_END + legs] = int(total * 1e6)
        at = target
        legs += 1
    room = (end_ns - begin_ns) // MS_NS - LEGS_MAX * LEG_MS_MIN - 1
    whole = max(total * 1e6, 1.0)
    for k in range(legs):
        share = float(clock[C_END + k]) / whole
        clock[C_END + k] = begin_ns + (int(share * float(room)) + (k + 1) * LEG_MS_MIN) * MS_NS
    clock[C_END + legs - 1] = end_ns - MS_NS
    clock[C_LEG] = 0
    clock[C_LEGS] = legs
    way[W_LOW] = low
    way[W_HIGH] = high
    return legs


@kernel("f8(f8[::1], f8, f8, f8)")
def share_variance(way: Floats, variance: float, of_orders: float, span_s: float) -> float:
    """Who brings the bar's variance, bps^2: orders at most `ORDERS_SHARE_MAX`.  Returns the untraded share."""
    traded = min(of_orders, ORDERS_SHARE_MAX * variance)
    way[W_QUIET] = (variance - traded) / variance if variance > 0.0 else 1.0
    way[W_RATE] = variance / max(span_s, 1e-3)
    return way[W_QUIET]


@kernel("f8(f8, f8)")
def range_variance(high: float, low: float) -> float:
    """Variance of the bar's move from its range, bps^2 (Parkinson 1980)."""
    spread = apart_bps(low, high)
    return spread * spread / (2.0 * LN4)


# ---------------------------------------------------------------------- one step of it
@kernel("f8(f8[::1], i8[::1], i8)")
def left_bps2(way: Floats, clock: Ints, now_ns: int) -> float:
    """Variance left until the leg ends."""
    return max(way[W_RATE] * float(clock[C_END + clock[C_LEG]] - now_ns) / float(NS), 1e-9)


@kernel("f8(f8[::1], f8[::1], f8)")
def go(state: Floats, way: Floats, bps: float) -> float:
    """Move the price, thrown back at the bar's extremes; returns the move that came of it, bps."""
    before = state[S_FAIR]
    px = before * (1.0 + bps * BPS)
    if px > way[W_HIGH]:
        px = 2.0 * way[W_HIGH] - px
    elif px < way[W_LOW]:
        px = 2.0 * way[W_LOW] - px
    state[S_FAIR] = min(max(px, way[W_LOW]), way[W_HIGH])
    return (state[S_FAIR] / before - 1.0) / BPS


@kernel("f8(f8[::1], f8[::1], i8[::1], f8[::1], i8[::1], i8, i8)")
def drift(state: Floats, terms: Floats, chance: Ints, way: Floats, clock: Ints, from_ns: int, to_ns: int) -> float:
    """Let time pass without an order; returns the untraded move, bps."""
    step_s = float(to_ns - from_ns) / float(NS)
    state[S_PENDING] *= math.exp(-step_s / terms[T_FOLLOW_S])
    lasts = math.exp(-step_s / terms[T_LEAN_S])
    state[S_LEAN] = state[S_LEAN] * lasts + math.sqrt(1.0 - lasts * lasts) * normal(chance)
    left = left_bps2(way, clock, from_ns)
    quiet = min(way[W_QUIET] * way[W_RATE] * step_s, left)
    to_go = math.log(way[W_TARGET + clock[C_LEG]] / state[S_FAIR]) / BPS
    bps = to_go * quiet / left + math.sqrt(max(quiet * (left - quiet) / left, 0.0)) * normal(chance)
    moved = go(state, way, bps + expected_drift(state, terms))
    state[S_PENDING] += (1.0 - terms[T_AT_ONCE]) * moved
    return moved


@kernel("f8(f8[::1], i8[::1], f8)")
def told_bps(terms: Floats, chance: Ints, reach_bps: float) -> float:
    """How far an order of this reach moves the price for good, in its direction; `TOUCH_ONLY`: it was no sweep."""
    bps = terms[T_TOUCH_MOVE]
    if reach_bps >= 0.0:
        knows = terms[T_INFORMED] >= 1.0 or uniform(chance) < terms[T_INFORMED]
        bps = (terms[T_EPS] + terms[T_ETA] * reach_bps) / terms[T_INFORMED] if knows else 0.0
    return bps


@kernel("f8(f8[::1], f8[::1], i8[::1], i8, f8)")
def likelihood(state: Floats, way: Floats, clock: Ints, now_ns: int, bps: float) -> float:
    """How much likelier the leg ends where it must after a move of `bps` than after none; 0 = it leaves the bar."""
    px = state[S_FAIR] * (1.0 + bps * BPS)
    if bps != 0.0 and (px > way[W_HIGH] or px < way[W_LOW]):
        return 0.0
    to_go = math.log(way[W_TARGET + clock[C_LEG]] / state[S_FAIR]) / BPS
    odds = bps * (2.0 * to_go - bps) / (2.0 * left_bps2(way, clock, now_ns))
    return math.exp(min(max(odds, -ODDS_MAX), ODDS_MAX))


@kernel("i8(f8[::1], f8[::1], i8[::1], i8[::1], f8[::1], i8[::1])")
def choose(state: Floats, terms: Floats, book: Ints, chance: Ints, way: Floats, clock: Ints) -> int:
    """One of `CANDIDATES` orders of the flow, for either side, by how well it fits the way left; returns its side.

    `W_DRAW`, `W_REACH` and `W_MOVE` of the way say which.
    """
    outside = outside_rate(state, terms)
    buys, sells = max(outside + state[S_HEAT_BUY], 1e-12), max(outside + state[S_HEAT_SELL], 1e-12)
    total = 0.0
    found = BUY
    for k in range(CANDIDATES):
        draw = uniform(chance)
        reach_bps = waiting(chance) / terms[T_K] if draw > 1.0 - terms[T_SWEEPS] else TOUCH_ONLY
        bps = told_bps(terms, chance, reach_bps)
        for side in (BUY, SELL):
            weight = buys if side == BUY else sells
            weight *= likelihood(state, way, clock, book[B_NOW_NS], float(side) * bps)
            total += weight
            if (k == 0 and side == BUY) or uniform(chance) * total < weight:
                way[W_DRAW], way[W_REACH], way[W_MOVE] = draw, reach_bps, bps
                found = side
    return found
