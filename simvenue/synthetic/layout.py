"""Where everything of a made-up market lies in its vectors: the state and the terms its kernels share.

Five vectors go through every kernel: `state` and `terms` (float64), `book`, `chance` (int64) and `rows` (int64, the
stamp being written). Terms never change while a market runs; `planting.py` computes them from a `Flow`.
Prices px_u, moves bps, rates per second, money USD unless the name says otherwise.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from common.kernel import COMPILED, istate, kernel, state
from simvenue.book.levels import Ints

Floats: TypeAlias = list[float]

# ---------------------------------------------------------------------- state
S_FAIR = 0
"""The efficient price: what all that is known makes it."""
S_PENDING = 1
"""Bps the quotes still have to follow it."""
S_SIGNAL = 2
"""Bps the planted predictor knows of and the quotes do not show yet."""
S_HEAT_BUY = 3
S_HEAT_SELL = 4
"""Orders per second each side gets because of earlier orders."""
S_ACTIVITY = 5
"""Pace of the market: rates and variances are multiples of it, 1 in the session the figures belong to."""
S_WIDTH = 6
"""Spreads are multiples of this."""
S_LEAN = 7
"""Touch imbalance before the coming move leans on it, standard deviations."""
S_EXPECTED = 8
"""Buys less sells that earlier orders let expect since the last stamp."""
STATES = 9

# ---------------------------------------------------------------------- terms
T_ORDERS = 0
T_UPDATES = 1
T_SELF = 2
T_CROSS = 3
T_COOLING = 4
T_SWEEPS = 5  # share of orders
T_K = 6
T_EPS = 7
T_ETA = 8
T_INFORMED = 9
T_TOUCH_MOVE = 10
T_MEAN_MOVE = 11
T_AT_ONCE = 12
T_FOLLOW_S = 13
T_QUIET_RATE = 14
T_QUIET_SD = 15
T_JUMP_RATE = 16
T_JUMP_SD = 17
T_SIGNAL_SD = 18  # bps per square root of a second
T_SIGNAL_S = 19
T_TOUCH_USD = 20
T_LEAN_SD = 21
T_LEAN_S = 22
T_LEAN_GAIN = 23  # per bps of the coming move
T_TOUCH_SD = 24
T_DEEP_SD = 25
T_TOUCH_CHANCE = 26
T_RESPREAD = 27
T_MAKER_USD = 28
T_BOOK_EDGE = 29
T_SPREADS = 30  # pairs (ticks, share of draws at or below), the last share 1
SPREADS = 6
T_DENSITY = T_SPREADS + 2 * SPREADS  # pairs (bps, USD per bps a side), rising
DENSITIES = 6
T_SIZES = T_DENSITY + 2 * DENSITIES  # pairs (share of orders below, ln USD), rising from 0 to 1
SIZES = 8
TERMS = T_SIZES + 2 * SIZES

# ---------------------------------------------------------------------- book
B_NOW_NS = 0
B_DUE_NS = 1
B_DUE_SIDE = 2  # 0: quotes are looked at, else an aggressor's side
B_UNIT = 3  # px_u of one quote token
B_TICK = 4  # 0: nothing is quoted yet
B_SPREAD = 5  # wanted, in ticks
B_BID = 6  # touches and outermost levels as numbers of ticks
B_ASK = 7
B_BID_END = 8
B_ASK_END = 9
B_SIZES = 10  # of both sides, by tick number modulo RING
RING = 512
LEVELS = 160
"""Levels quoted a side."""
BOOKS = B_SIZES + 2 * RING

# ---------------------------------------------------------------------- rows
ROWS_MAX = 4096
R_COUNT = 0
R_WHAT = 1
R_PX = R_WHAT + ROWS_MAX
R_SZ = R_PX + ROWS_MAX

LOT_USD = 1e-6
"""What px_u x sz_u = 1 is worth."""
BPS = 1e-4


def new_state() -> Any:
    fresh = state(STATES)
    fresh[S_ACTIVITY] = fresh[S_WIDTH] = 1.0
    return fresh


def new_terms() -> Any:
    return state(TERMS)


def new_book(t_ns: int, sz_decimals: int) -> Any:
    """Nothing is quoted; a look at the quotes is due at once."""
    book = istate(BOOKS)
    book[B_NOW_NS] = book[B_DUE_NS] = t_ns
    book[B_UNIT] = 10 ** (6 - sz_decimals)
    return book


def new_rows() -> Any:
    return istate(1 + 3 * ROWS_MAX)


def columns(rows: Any) -> tuple[Any, Any, Any]:
    """(what, px_u, sz_u) of the stamp written last: views of its vector, copies without numba."""
    count = ROWS_MAX if COMPILED else int(rows[R_COUNT])
    return rows[R_WHAT : R_WHAT + count], rows[R_PX : R_PX + count], rows[R_SZ : R_SZ + count]


@kernel("i8(i8[::1], i8, i8, i8)")
def put(rows: Ints, what: int, px: int, sz: int) -> int:
    """Append one row (`source.py`); returns the count.  A full stamp takes no more."""
    n = rows[R_COUNT]
    if n == ROWS_MAX:
        return n
    rows[R_WHAT + n] = what
    rows[R_PX + n] = px
    rows[R_SZ + n] = sz
    rows[R_COUNT] = n + 1
    return n + 1


@kernel("f8(f8[::1], i8, i8, f8)")
def straight(terms: Floats, begin: int, count: int, x: float) -> float:
    """The straight lines through `count` points (x, y) at `begin`; flat beyond the first and the last."""
    if x <= terms[begin]:
        return terms[begin + 1]
    for k in range(1, count):
        right = begin + 2 * k
        if x <= terms[right]:
            run = terms[right] - terms[right - 2]
            if run <= 0.0:
                return terms[right + 1]
            return terms[right - 1] + (terms[right + 1] - terms[right - 1]) * ((x - terms[right - 2]) / run)
    return terms[begin + 2 * count - 1]
