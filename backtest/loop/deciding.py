"""Which kernel decides what should rest: one number a profile, so that the compiled loop can serve them all.

A profile of the production ladder needs nothing here: it is other parameters (`quoters.production`). A new kind of
ladder is one more constant, one more branch in `decide` (and in `measure` when it needs more of the book than its mid)
and its parameters in `quoters.py`.
"""

from __future__ import annotations

from backtest.loop.fixed import quote_fixed
from common.kernel import kernel
from quoter.analysis import analyse
from quoter.quote import quote_sides
from quoter.state import ASK_SIDE, B_COUNT, B_ROWS, B_SIDE, BID_SIDE, I_DEEP_T, I_FAST_LEVELS, S_MID
from quoter.vol import see_mid

FIXED = 0  # `fixed.py`: every ladder of fixed distances
PRODUCTION = 1  # `quoter/quote.py`, whatever its profile
REFERENCE = 2  # `reference.py`: decides by the clock, with a desk and a view of its own (`places.py`)


@kernel("i8(i8, f8[::1], i8[::1], f8[::1], i8[::1], i8, i8, i8)")
def measure(
    profile: int, state: list[float], ints: list[int], params: list[float], book: list[int], t_ns: int,
    fast_levels: int, deep_t_ns: int,
) -> int:  # fmt: skip
    """Take a told book into the quoter's state; returns 1 when there is a mid."""
    ints[I_FAST_LEVELS] = fast_levels
    ints[I_DEEP_T] = deep_t_ns
    if profile == PRODUCTION:
        if analyse(state, ints, params, book, t_ns) == 0:
            return 0
        see_mid(state, ints, params, state[S_MID], t_ns)
        return 1
    state[S_MID] = 0.0
    if book[B_COUNT + BID_SIDE] == 0 or book[B_COUNT + ASK_SIDE] == 0:
        return 0
    state[S_MID] = 0.5 * (float(book[B_ROWS]) + float(book[B_ROWS + B_SIDE]))
    return 1


@kernel("i8(i8, f8[::1], i8[::1], f8[::1], f8[::1], i8[::1], i8, i8[::1])")
def decide(
    profile: int, state: list[float], ints: list[int], params: list[float], lean: list[float], book: list[int],
    t_ns: int, out: list[int],
) -> int:  # fmt: skip
    """The ladder that should rest, into `out`; returns its number of levels."""
    if profile == PRODUCTION:
        return quote_sides(state, ints, params, book, t_ns, out)
    return quote_fixed(state, ints, params, lean, book, out)
