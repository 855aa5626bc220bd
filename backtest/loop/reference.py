"""A plain ladder that two backtesters can both play: what our engine is held against others with.

Nothing here is meant to earn. Fifteen tiers a side, in equal ratios from 1 to 50 bps, round a centre that leans with
the book's imbalance and away from the position; prices on every fifth tick, so that quotes move only when the market
does; post only, one size. All arithmetic is on whole ticks and whole sizes, so that whoever plays it with the
same numbers quotes the same prices. Used by tests and benchmarks alone.
"""

from __future__ import annotations

from typing import Any

from backtest.loop.layout import CF_FEED
from common.kernel import kernel, state
from quoter.state import B_COUNT, B_ROWS, B_SIDE, O_COUNT, O_ROWS, O_SIDE
from simvenue.book.levels import B_N, B_RULES, HEAD, L_PX, L_SZ, STRIDE, set_level, uncross
from simvenue.book.matching import LEVEL
from simvenue.book.quiet import set_quietly

TIERS = 15
SNAP = 5
SNAPS = 1.0 / SNAP
NEAREST_BPS, FARTHEST_BPS = 1.0, 50.0
SKEW_BPS = 2.0
"""The centre moves so far at the largest position."""
LEAN_TICKS = 2.0
"""... and so far with a book of one side only."""
SEEN_TICKS = 5

(
    RF_TICK,  # px_u
    RF_SIZE,  # sz_u of each order
    RF_POSITION,  # most orders' sizes held on a side
    RF_LEVELS,  # levels a side looked at
    RF_TIERS,  # distance of each tier as a share of the mid
) = range(5)
RF_LEN = RF_TIERS + TIERS


def new_reference(tick_px_u: int, size_u: int, position: int = 60) -> Any:
    """Parameters of the ladder for a market with this tick and order size."""
    rules = state(RF_LEN)
    rules[RF_TICK], rules[RF_SIZE], rules[RF_POSITION] = float(tick_px_u), float(size_u), float(position)
    rules[RF_LEVELS] = float(SEEN_TICKS)
    for k in range(TIERS):
        rules[RF_TIERS + k] = NEAREST_BPS * 1e-4 * (FARTHEST_BPS / NEAREST_BPS) ** (k / (TIERS - 1))
    return rules


@kernel("i8(f8[::1], i8, i8, i8, i8, i8, i8[::1])", inline=True)
def tiers(rules: list[float], bid: int, ask: int, near_bid: int, near_ask: int, held: int, out: list[int]) -> int:
    """The whole ladder into `out`; returns its number of levels.

    `bid`, `ask` in ticks; `near_*` is what rests within SEEN_TICKS of each (any unit); `held` in orders, long > 0.
    """
    tick = int(rules[RF_TICK])
    size = int(rules[RF_SIZE])
    mid = 0.5 * float(bid + ask)
    near = float(near_bid + near_ask)
    lean = LEAN_TICKS * float(near_bid - near_ask) / near if near > 0.0 else 0.0
    centre = mid + lean - mid * SKEW_BPS * 1e-4 * float(held) / max(rules[RF_POSITION], 1.0)
    best_buy = ((ask - 1) // SNAP) * SNAP
    best_sell = (bid // SNAP + 1) * SNAP
    below = ask
    above = bid
    bids = 0
    asks = 0
    for k in range(TIERS):
        away = mid * rules[RF_TIERS + k]
        buy = min(int((centre - away) * SNAPS) * SNAP, best_buy)
        sell = int((centre + away) * SNAPS) * SNAP
        if float(sell) < centre + away:
            sell += SNAP
        sell = max(sell, best_sell)
        if buy < below and float(held) < rules[RF_POSITION]:
            out[O_ROWS + 2 * bids] = buy * tick
            out[O_ROWS + 2 * bids + 1] = size
            bids += 1
            below = buy
        if sell > above and float(-held) < rules[RF_POSITION]:
            out[O_ROWS + O_SIDE + 2 * asks] = sell * tick
            out[O_ROWS + O_SIDE + 2 * asks + 1] = size
            asks += 1
            above = sell
    out[O_COUNT] = bids
    out[O_COUNT + 1] = asks
    return bids + asks


@kernel("i8(i8[::1], i8[::1], i8)", inline=True)
def show_best(levels: list[int], out: list[int], at: int) -> int:
    """The best SEEN_TICKS levels of a venue's book as (price, size) from `at` on; returns how many."""
    n = 0
    i = levels[B_N] - 1
    while i >= 0 and n < SEEN_TICKS:
        row = HEAD + STRIDE * i
        if levels[row + L_SZ] > 0:
            out[at + 2 * n] = levels[row + L_PX]
            out[at + 2 * n + 1] = levels[row + L_SZ]
            n += 1
        i -= 1
    return n


@kernel("i8(i8[::1], i8, i8)", inline=True)
def near_touch(book: list[int], side: int, tick: int) -> int:
    """Size within SEEN_TICKS of a side's best, that one included."""
    at = B_ROWS + side * B_SIDE
    total = 0
    for k in range(book[B_COUNT + side]):
        if abs(book[at + 2 * k] - book[at]) < SEEN_TICKS * tick:
            total += book[at + 2 * k + 1]
    return total


@kernel("i8(f8[::1], i8, i8[::1], i8[::1])", inline=True)
def quote_reference(rules: list[float], position: int, book: list[int], out: list[int]) -> int:
    """The ladder for the told book and position (sz_u) into `out`; returns its number of levels."""
    tick = int(rules[RF_TICK])
    size = int(rules[RF_SIZE])
    out[O_COUNT] = 0
    out[O_COUNT + 1] = 0
    if book[B_COUNT] == 0 or book[B_COUNT + 1] == 0 or tick <= 0 or size <= 0:
        return 0
    bid = book[B_ROWS] // tick
    ask = book[B_ROWS + B_SIDE] // tick
    return tiers(rules, bid, ask, near_touch(book, 0, tick), near_touch(book, 1, tick), position // size, out)


@kernel(
    "i8(i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8, i8, i8[::1], i8[::1], i8[::1])",
    inline=True,
)
def see_best(
    what: list[int], px: list[int], sz: list[int], stamp_ns: list[int], begin: list[int], told_ns: list[int],
    first: int, now: int, config: list[int], bids: list[int], asks: list[int],
) -> int:  # fmt: skip
    """Bring our books up to what was told by `now`, every change of every level; returns the next instant."""
    v = first
    while v < len(stamp_ns):
        if (told_ns[v] if len(told_ns) > 0 else stamp_ns[v] + config[CF_FEED]) > now:
            break
        loud = 0
        for k in range(begin[v], begin[v + 1]):
            if abs(what[k]) == LEVEL:
                book = bids if what[k] > 0 else asks
                if bids[B_RULES] == 0 or set_quietly(book, px[k], sz[k], v + 1) == 0:
                    set_level(book, px[k], sz[k], v + 1)
                    loud = 1
        if loud == 1:
            uncross(bids, asks)
        v += 1
    return v
