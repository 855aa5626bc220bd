"""The efficient price of a made-up market, and how the quotes follow it.

It moves by orders, by small and (as news, rarely) large repricings nobody traded on, and by what the planted predictor
knows. An order moves it by what its reach tells, *less what its arrival was expected to tell*: between orders the
price drifts against the side that is hot, so that however much orders cluster they foretell nothing, and the mean move
after an order is exactly its own. Quotes take `T_AT_ONCE` of a move at once and follow the rest with time constant
`T_FOLLOW_S`; the predictor's part shows with `T_SIGNAL_S`. Moves in bps.
"""

from __future__ import annotations

import math

from common.kernel import kernel
from simvenue.book.levels import Ints
from simvenue.synthetic.arrivals import BUY
from simvenue.synthetic.chance import normal, uniform
from simvenue.synthetic.layout import (
    BPS,
    S_ACTIVITY,
    S_EXPECTED,
    S_FAIR,
    S_LEAN,
    S_PENDING,
    S_SIGNAL,
    T_AT_ONCE,
    T_BOOK_EDGE,
    T_EPS,
    T_ETA,
    T_FOLLOW_S,
    T_INFORMED,
    T_JUMP_RATE,
    T_JUMP_SD,
    T_LEAN_GAIN,
    T_LEAN_S,
    T_LEAN_SD,
    T_MEAN_MOVE,
    T_QUIET_RATE,
    T_QUIET_SD,
    T_SIGNAL_S,
    T_SIGNAL_SD,
    T_TOUCH_MOVE,
    Floats,
)

ROOT_MEAN_SQUARE = math.sqrt(13.0 / 12.0)
"""Of a number drawn evenly from 0.5 .. 1.5."""


@kernel("f8(f8[::1])")
def quoted_px(state: Floats) -> float:
    """Where makers centre their quotes now, px_u."""
    return state[S_FAIR] * (1.0 - (state[S_PENDING] + state[S_SIGNAL]) * BPS)


@kernel("f8(f8[::1], f8)")
def shift(state: Floats, bps: float) -> float:
    """Move the efficient price; returns it."""
    state[S_FAIR] *= 1.0 + bps * BPS
    return state[S_FAIR]


@kernel("f8(f8[::1], f8[::1])")
def expected_drift(state: Floats, terms: Floats) -> float:
    """What the orders expected since the last stamp would have told, taken back; bps."""
    bps = -state[S_EXPECTED] * terms[T_MEAN_MOVE]
    state[S_EXPECTED] = 0.0
    return bps


@kernel("f8(f8[::1], f8[::1], f8)")
def imbalance(state: Floats, terms: Floats, coming_bps: float) -> float:
    """(bid - ask) / (bid + ask) of the touch: what wanders, leaning on a move to come."""
    x = terms[T_LEAN_SD] * state[S_LEAN] + terms[T_LEAN_GAIN] * coming_bps
    return x / math.sqrt(1.0 + x * x)


@kernel("f8(i8[::1], f8, f8)")
def rare_size(chance: Ints, expected: float, sd_bps: float) -> float:
    """Standard deviation of what happens in a step that expects so many rare moves: mostly 0, its variance exact."""
    happens = 1.0 - math.exp(-expected)
    if happens <= 0.0 or uniform(chance) >= happens:
        return 0.0
    return sd_bps * math.sqrt(expected / happens)


@kernel("f8(f8[::1], f8[::1], i8[::1], f8)")
def untraded_move(state: Floats, terms: Floats, chance: Ints, step_s: float) -> float:
    """Repricings without a trade, bps: a small one goes up with the probability (1 + edge x imbalance) / 2; news."""
    size = rare_size(chance, terms[T_QUIET_RATE] * state[S_ACTIVITY] * step_s, terms[T_QUIET_SD])
    bps = 0.0
    if size > 0.0:
        bps = size * (0.5 + uniform(chance)) / ROOT_MEAN_SQUARE
        if uniform(chance) >= 0.5 + 0.5 * terms[T_BOOK_EDGE] * imbalance(state, terms, 0.0):
            bps = -bps
    size = rare_size(chance, terms[T_JUMP_RATE] * state[S_ACTIVITY] * step_s, terms[T_JUMP_SD])
    return bps + size * normal(chance) if size > 0.0 else bps


@kernel("f8(f8[::1], f8[::1], i8[::1], f8)")
def learn_signal(state: Floats, terms: Floats, chance: Ints, step_s: float) -> float:
    """The predictor comes to know of a new move, bps; what it knew before shows a little more in the quotes."""
    if terms[T_SIGNAL_SD] <= 0.0:
        return 0.0
    steps = step_s / terms[T_SIGNAL_S]
    news = terms[T_SIGNAL_SD] * math.sqrt(state[S_ACTIVITY] * step_s) * normal(chance)
    kept = math.sqrt((1.0 - math.exp(-2.0 * steps)) / (2.0 * steps)) if steps > 1e-9 else 1.0
    state[S_SIGNAL] = state[S_SIGNAL] * math.exp(-steps) + news * kept
    return news


@kernel("f8(f8[::1], f8[::1], i8[::1], f8)")
def move(state: Floats, terms: Floats, chance: Ints, step_s: float) -> float:
    """Let `step_s` pass; returns the efficient price."""
    state[S_PENDING] *= math.exp(-step_s / terms[T_FOLLOW_S])
    untraded = untraded_move(state, terms, chance, step_s)
    state[S_PENDING] += (1.0 - terms[T_AT_ONCE]) * untraded
    bps = expected_drift(state, terms) + untraded + learn_signal(state, terms, chance, step_s)
    lasts = math.exp(-step_s / terms[T_LEAN_S])
    state[S_LEAN] = state[S_LEAN] * lasts + math.sqrt(1.0 - lasts * lasts) * normal(chance)
    return shift(state, bps)


@kernel("f8(f8[::1], f8[::1], i8[::1], i8, f8)")
def told_by_order(state: Floats, terms: Floats, chance: Ints, side: int, reach_bps: float) -> float:
    """An order of this side has traded: the price learns from it.  `reach_bps` < 0: it only took the touch.

    A sweep of reach D tells (eps + eta D) / informed with the chance `informed`, else nothing.  Returns the move.
    """
    bps = terms[T_TOUCH_MOVE]
    if reach_bps >= 0.0:
        knows = terms[T_INFORMED] >= 1.0 or uniform(chance) < terms[T_INFORMED]
        bps = (terms[T_EPS] + terms[T_ETA] * reach_bps) / terms[T_INFORMED] if knows else 0.0
    if side != BUY:
        bps = -bps
    state[S_PENDING] += (1.0 - terms[T_AT_ONCE]) * bps
    shift(state, bps)
    return bps
