"""When the next thing happens in a made-up market, and whether it is an order of a buyer or of a seller.

Orders excite each other (a Hawkes process with an exponential kernel, drawn by Ogata's thinning): every order raises
the rate of its own side by `T_SELF` and of the other by `T_CROSS`, and what is raised cools by `T_COOLING` a second.
With n = (self + cross) / cooling, of the mean rate r a share 1 - n comes from outside. Quotes are looked at as a
Poisson process. Stamps are whole milliseconds, at least one apart.
"""

from __future__ import annotations

import math

from common.kernel import kernel
from simvenue.book.levels import Ints
from simvenue.synthetic.chance import uniform, waiting
from simvenue.synthetic.layout import (
    B_DUE_NS,
    B_DUE_SIDE,
    B_NOW_NS,
    S_ACTIVITY,
    S_EXPECTED,
    S_HEAT_BUY,
    S_HEAT_SELL,
    T_COOLING,
    T_CROSS,
    T_ORDERS,
    T_SELF,
    T_UPDATES,
    Floats,
)

MS_NS = 1_000_000
BUY, SELL, QUOTES = 1, -1, 0
TRIES = 1_000


@kernel("f8(f8[::1], f8[::1])")
def outside_rate(state: Floats, terms: Floats) -> float:
    """Orders per second and side that no earlier order caused."""
    caused = 0.0
    if terms[T_COOLING] > 0.0:
        caused = (terms[T_SELF] + terms[T_CROSS]) / terms[T_COOLING]
    return 0.5 * terms[T_ORDERS] * max(0.0, 1.0 - caused) * state[S_ACTIVITY]


@kernel("i8(f8[::1], f8[::1], i8)")
def excite(state: Floats, terms: Floats, side: int) -> int:
    """An order of this side has come: more will follow.  Returns the side."""
    own, other = S_HEAT_BUY, S_HEAT_SELL
    if side == SELL:
        own, other = S_HEAT_SELL, S_HEAT_BUY
    state[own] += terms[T_SELF]
    state[other] += terms[T_CROSS]
    return side


@kernel("f8(f8[::1], f8[::1], f8)")
def cool(state: Floats, terms: Floats, step_s: float) -> float:
    """Let `step_s` pass without an order; returns the buys less sells that were to be expected in it."""
    if terms[T_COOLING] <= 0.0:
        return 0.0
    kept = math.exp(-terms[T_COOLING] * step_s)
    expected = (state[S_HEAT_BUY] - state[S_HEAT_SELL]) * (1.0 - kept) / terms[T_COOLING]
    state[S_HEAT_BUY] *= kept
    state[S_HEAT_SELL] *= kept
    state[S_EXPECTED] += expected
    return expected


@kernel("i8(f8[::1], f8[::1], i8[::1], i8[::1])")
def schedule(state: Floats, terms: Floats, book: Ints, chance: Ints) -> int:
    """Draw what happens next and when.  Returns the side, QUOTES for a look at the quotes."""
    outside = outside_rate(state, terms)
    ahead_s = 0.0
    side = QUOTES
    for _ in range(TRIES):
        most = terms[T_UPDATES] + 2.0 * outside + state[S_HEAT_BUY] + state[S_HEAT_SELL]
        step_s = waiting(chance) / max(most, 1e-6)
        ahead_s += step_s
        cool(state, terms, step_s)
        draw = uniform(chance) * most - terms[T_UPDATES]
        if draw < 0.0:
            break
        if draw < outside + state[S_HEAT_BUY]:
            side = BUY
            break
        if draw < 2.0 * outside + state[S_HEAT_BUY] + state[S_HEAT_SELL]:
            side = SELL
            break
    book[B_DUE_NS] = book[B_NOW_NS] + max(1, int(ahead_s * 1e3 + 0.5)) * MS_NS
    book[B_DUE_SIDE] = side
    return side
