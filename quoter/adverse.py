"""How far the market goes against us after a fill, by side and distance, and what a level must therefore earn.

A fill's distance x is that of its price from our fair price just before it, its adverse selection what of x is gone
60 s later: x less the markout before fees. Both go into the side's figures, into the band of distance the fill lies in,
and into a straight line through them. strategy.md 1.3 gives the line its meaning: with takers whose orders reach deeper
the more they know, E[adverse | filled at x] = eps + eta (x + 1/k). Levels are told apart by their distance and not by
their number, since what level 3 is changes with every volatility and merge.

A band's mean is drawn to its side's with the weight of P_BAND_WEIGHT fills, so a band without fills has its side's
bound. A level rests no nearer than what its band asks for (fee, upper 80 % bound, safety); a band that asks for more
than three times the prior floor is not quoted in, except on the side that reduces the position, where getting out is
worth more than a bps. Until P_FLOOR_FILLS fills of the side are marked out every band asks for the prior. All in bps.
"""

from __future__ import annotations

import math

from common.kernel import kernel
from quoter.floor import MEMORY_FILLS, PRIOR_MULTIPLE, Z80, floor_prior_bps, learn_adverse
from quoter.kept import needs_differ
from quoter.skew import is_reducing
from quoter.state import (
    BANDS,
    I_ADVERSE_N,
    I_BAND_N,
    NO_FLOOR,
    P_BAND_WEIGHT,
    P_FLOOR_FILLS,
    P_SAFETY,
    QUOTES_MAX,
    REACH_CROSS,
    REACH_LEN,
    REACH_MEAN,
    REACH_SQUARE,
    S_ADVERSE_M2,
    S_ADVERSE_MEAN,
    S_BAND,
    S_FEE,
    S_NEED,
    S_PLACE,
    S_REACH,
    S_WORK,
)

BORDERS = (0.75, 1.25, 2.0, 3.0, 5.0, 8.0, 15.0)
"""Where one band ends and the next begins: about as many fills in each of them (edge.md 2: k = 1.1 per bps)."""


@kernel("i8(f8)")
def band_of(distance_bps: float) -> int:
    """The band a distance lies in; what is nearer than the first border, or beyond the last, is in the outermost."""
    band = 0
    for border in BORDERS:
        band += 1 if distance_bps >= border else 0
    return band


@kernel("void(f8[::1], i8[::1], i8, f8, f8)")
def learn_reach(state: list[float], ints: list[int], side: int, distance_bps: float, adverse_bps: float) -> None:
    """One more marked-out fill of `side`: its distance from fair and how far the market went against it."""
    at = S_REACH + side * REACH_LEN
    n = float(min(ints[I_ADVERSE_N + side] + 1, MEMORY_FILLS))
    if ints[I_ADVERSE_N + side] >= MEMORY_FILLS:
        for place in (REACH_SQUARE, REACH_CROSS):
            state[at + place] *= 1.0 - 1.0 / float(MEMORY_FILLS)
    before = distance_bps - state[at + REACH_MEAN]
    state[at + REACH_MEAN] += before / n
    state[at + REACH_SQUARE] += before * (distance_bps - state[at + REACH_MEAN])
    learn_adverse(state, ints, side, adverse_bps)
    state[at + REACH_CROSS] += before * (adverse_bps - state[S_ADVERSE_MEAN + side])
    band = side * BANDS + band_of(distance_bps)
    cell = S_BAND + 2 * band
    if ints[I_BAND_N + band] >= MEMORY_FILLS:
        state[cell + 1] *= 1.0 - 1.0 / float(MEMORY_FILLS)
    ints[I_BAND_N + band] = min(ints[I_BAND_N + band] + 1, MEMORY_FILLS)
    before = adverse_bps - state[cell]
    state[cell] += before / float(ints[I_BAND_N + band])
    state[cell + 1] += before * (adverse_bps - state[cell])


@kernel("f8(f8[::1], i8[::1], i8)")
def reach_slope(state: list[float], ints: list[int], side: int) -> float:
    """Adverse selection per bps of distance (eta), least squares; 0 while all fills lie at one distance."""
    at = S_REACH + side * REACH_LEN
    if ints[I_ADVERSE_N + side] < 3 or state[at + REACH_SQUARE] <= 1e-9:
        return 0.0
    return state[at + REACH_CROSS] / state[at + REACH_SQUARE]


@kernel("f8(f8[::1], i8[::1], i8, f8)")
def line_bps(state: list[float], ints: list[int], side: int, distance_bps: float) -> float:
    """The line's adverse selection at a distance: eps + eta (x + 1/k)."""
    gone = distance_bps - state[S_REACH + side * REACH_LEN + REACH_MEAN]
    return state[S_ADVERSE_MEAN + side] + reach_slope(state, ints, side) * gone


@kernel("f8(f8[::1], i8[::1], i8, f8)")
def line_error_bps(state: list[float], ints: list[int], side: int, distance_bps: float) -> float:
    """Standard error of the line at a distance; with -1 as distance that of the slope.  0 with fewer than 3 fills."""
    n = float(ints[I_ADVERSE_N + side])
    if n < 3.0:
        return 0.0
    at = S_REACH + side * REACH_LEN
    square = state[at + REACH_SQUARE]
    explained = reach_slope(state, ints, side) * state[at + REACH_CROSS]
    variance = max(state[S_ADVERSE_M2 + side] - explained, 0.0) / (n - 2.0)
    if distance_bps < 0.0:
        return math.sqrt(variance / square) if square > 1e-9 else 0.0
    gone = distance_bps - state[at + REACH_MEAN]
    lever = gone * gone / square if square > 1e-9 else 0.0
    return math.sqrt(variance * (1.0 / n + lever))


@kernel("f8(f8[::1], i8[::1], f8[::1], i8, i8)")
def band_bound_bps(state: list[float], ints: list[int], params: list[float], side: int, band: int) -> float:
    """Upper 80 % bound of the mean adverse selection in a band of distance."""
    all_n = float(ints[I_ADVERSE_N + side])
    all_error = 0.0
    if all_n >= 2.0:
        all_error = max(state[S_ADVERSE_M2 + side], 0.0) / (all_n - 1.0) / all_n
    n = float(ints[I_BAND_N + side * BANDS + band])
    cell = S_BAND + 2 * (side * BANDS + band)
    if n < 2.0:
        return state[S_ADVERSE_MEAN + side] + Z80 * math.sqrt(all_error)
    own = n / (n + params[P_BAND_WEIGHT]) if params[P_BAND_WEIGHT] > 0.0 else 1.0
    error = max(state[cell + 1], 0.0) / (n - 1.0) / n
    mean = own * state[cell] + (1.0 - own) * state[S_ADVERSE_MEAN + side]
    return mean + Z80 * math.sqrt(own * own * error + (1.0 - own) * (1.0 - own) * all_error)


@kernel("void(f8[::1], i8[::1], f8[::1], i8)")
def set_needs(state: list[float], ints: list[int], params: list[float], side: int) -> None:
    """S_NEED of a side: what a quote in each band must earn, NO_FLOOR where that is beyond three times the prior."""
    if needs_differ(state, ints, params, side) == 0:
        return
    prior = floor_prior_bps(state, params)
    least = state[S_FEE] + params[P_SAFETY]
    known = float(ints[I_ADVERSE_N + side]) >= params[P_FLOOR_FILLS]
    leaves = is_reducing(ints, side) == 1
    for band in range(BANDS):
        need = prior
        if known:
            need = max(least + band_bound_bps(state, ints, params, side, band), least)
            if need > PRIOR_MULTIPLE * prior:
                need = PRIOR_MULTIPLE * prior if leaves else NO_FLOOR
        state[S_NEED + side * BANDS + band] = need


@kernel("f8(f8[::1], i8, f8)", inline=True)
def floor_at_bps(state: list[float], side: int, distance_bps: float) -> float:
    """The nearest distance, from `distance_bps` on outwards, that earns what its band asks for; NO_FLOOR = none."""
    floor = distance_bps
    for _ in range(BANDS):
        need = state[S_NEED + side * BANDS + band_of(floor)]
        if need <= floor:
            return floor
        if need >= NO_FLOOR:
            return NO_FLOOR
        floor = need
    return floor


@kernel("f8(f8[::1], i8[::1], f8[::1], i8, f8)")
def side_floor_bps(state: list[float], ints: list[int], params: list[float], side: int, tick: float) -> float:
    """The nearest distance at which a quote of `side` pays, at least one tick; NO_FLOOR = none does."""
    set_needs(state, ints, params, side)
    return floor_at_bps(state, side, tick)


@kernel("void(f8[::1], i8, i8, f8)")
def set_places(state: list[float], side: int, levels: int, tick: float) -> None:
    """S_PLACE of the levels: where they pay from S_WORK outwards, never falling; NO_FLOOR = nowhere."""
    last = tick
    for i in range(levels):
        place = floor_at_bps(state, side, max(state[S_WORK + i], last))
        state[S_PLACE + side * QUOTES_MAX + i] = place
        if place < NO_FLOOR:
            last = place
