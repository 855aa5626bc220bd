"""What the book says: depth, imbalance, microprice, and whether there is enough of it to quote on.

The book handed in is the market without our own orders. This room decides how its shape is measured and since when it
counts as (il)liquid; what a shape does to spreads and sizes is decided in `spread.py` and `sizing.py`, what people are
shown of it in `signals.py`. Depths in USD, prices in px_u. Everything changes on book messages only, in their market
time.
"""

from __future__ import annotations

from common.kernel import kernel
from quoter.state import (
    ASK_SIDE,
    B_COUNT,
    B_ROWS,
    B_SIDE,
    BID_SIDE,
    I_DEEP_T,
    I_DEPTH_T,
    I_FAST_LEVELS,
    I_ILLIQUID_T,
    I_LIQUID,
    I_LIQUID_T,
    I_T,
    NS,
    P_BOOK_HALF_LIFE,
    P_LIQUID,
    P_LIQUID_AFTER,
    P_LIQUID_EXIT,
    P_USUAL_HALF_LIFE,
    S_DEPTH,
    S_DEPTH_USUAL,
    S_IMBALANCE,
    S_IMBALANCE_SLOW,
    S_MICRO,
    S_MID,
    USD,
    decay,
)

VIEW = 10
"""Levels a side that are analysed (design 5)."""
DEEP_AGE_NS = 12 * NS
"""The slow layer's weight falls to one half over the age at which the feed drops it (design 4.1)."""


@kernel("f8(i8, i8, i8, i8)")
def microprice(bid_px_u: int, bid_sz_u: int, ask_px_u: int, ask_sz_u: int) -> float:
    """Mid weighted by the opposite side's size (px_u): a heavy bid pulls it towards the ask.

    Lies within [bid, ask]. Source: the weighted mid in Stoikov (2018), "The Micro-Price".
    """
    total = float(bid_sz_u) + float(ask_sz_u)
    if total <= 0.0:
        return 0.5 * (float(bid_px_u) + float(ask_px_u))
    return float(bid_px_u) + float(ask_px_u - bid_px_u) * (float(bid_sz_u) / total)


@kernel("f8(f8, f8)")
def imbalance(bid: float, ask: float) -> float:
    """(bid - ask) / (bid + ask) in [-1, 1]; 0 when both are nothing."""
    total = bid + ask
    if total <= 0.0:
        return 0.0
    return (bid - ask) / total


@kernel("f8(i8, i8)")
def deep_share(t_ns: int, deep_t_ns: int) -> float:
    """What a level of the slow layer counts at `t_ns`: 1 when fresh, falling to one half."""
    age = min(max(t_ns - deep_t_ns, 0), DEEP_AGE_NS)
    return 1.0 - 0.5 * float(age) / float(DEEP_AGE_NS)


@kernel("f8(i8[::1], i8, i8, i8, f8)")
def level_usd(book: list[int], side: int, level: int, fast_levels: int, deep_weight: float) -> float:
    """USD at one level; those of the slow layer count `deep_weight`."""
    at = B_ROWS + side * B_SIDE + 2 * level
    usd = float(book[at]) * float(book[at + 1]) * USD
    if level >= fast_levels:
        return usd * deep_weight
    return usd


@kernel("f8(i8[::1], i8, i8, i8, f8)")
def depth_usd(book: list[int], side: int, levels: int, fast_levels: int, deep_weight: float) -> float:
    """USD in the best `levels` of a side."""
    total = 0.0
    for level in range(min(book[B_COUNT + side], levels)):
        total += level_usd(book, side, level, fast_levels, deep_weight)
    return total


@kernel("f8(i8[::1], i8, i8, i8, f8, f8[::1], i8)")
def median_usd(
    book: list[int], side: int, levels: int, fast_levels: int, deep_weight: float, work: list[float], at: int
) -> float:
    """The (lower) median level of the best `levels` of a side in USD; 0 for an empty side.

    `work` from `at` on is room for so many numbers. They are ranked, not sorted: no branch there is to be guessed.
    """
    n = min(book[B_COUNT + side], levels)
    if n == 0:
        return 0.0
    for level in range(n):
        work[at + level] = level_usd(book, side, level, fast_levels, deep_weight)
    middle = (n - 1) // 2
    found = 0.0
    for i in range(at, at + n):
        usd = work[i]
        less = 0
        more = 0
        for k in range(at, at + n):
            less += 1 if work[k] < usd else 0
            more += 1 if work[k] > usd else 0
        found = usd if less <= middle < n - more else found
    return found


@kernel("void(i8[::1], f8[::1], f8, i8)")
def watch_liquidity(ints: list[int], params: list[float], depth: float, t_ns: int) -> None:
    """Keep I_LIQUID: entered at P_LIQUID, left below a share of it, each only when it has lasted P_LIQUID_AFTER.

    `depth` is the thinner side's in USD. The first book decides at once.
    """
    limit = params[P_LIQUID]
    if ints[I_LIQUID] == 1:
        limit *= params[P_LIQUID_EXIT]
    says = 1 if depth >= limit else 0
    if ints[I_T] == 0:
        ints[I_LIQUID] = says
        ints[I_ILLIQUID_T] = t_ns
    elif says == ints[I_LIQUID]:
        ints[I_LIQUID_T] = 0
    elif ints[I_LIQUID_T] == 0:
        ints[I_LIQUID_T] = t_ns
    if ints[I_LIQUID_T] != 0 and float(t_ns - ints[I_LIQUID_T]) >= params[P_LIQUID_AFTER] * 1e9:
        ints[I_LIQUID] = says
        ints[I_LIQUID_T] = 0
        ints[I_ILLIQUID_T] = t_ns


@kernel("f8(f8, f8, i8, f8)")
def averaged(before: float, now: float, elapsed_ns: int, half_life_s: float) -> float:
    """Average over time: what is left of `before` gives way to `now`."""
    left = decay(elapsed_ns, half_life_s)
    return left * before + (1.0 - left) * now


@kernel("i8(f8[::1], i8[::1], f8[::1], i8[::1], i8)")
def analyse(state: list[float], ints: list[int], params: list[float], book: list[int], t_ns: int) -> int:
    """Measure the book as of market time `t_ns`; returns 1 when both sides have a price, else 0 and S_MID = 0."""
    deep_weight = deep_share(t_ns, ints[I_DEEP_T])
    fast = ints[I_FAST_LEVELS]
    for side in range(2):
        state[S_DEPTH + side] = depth_usd(book, side, VIEW, fast, deep_weight)
    thinner = min(state[S_DEPTH + BID_SIDE], state[S_DEPTH + ASK_SIDE])
    watch_liquidity(ints, params, thinner, t_ns)
    state[S_IMBALANCE] = imbalance(state[S_DEPTH + BID_SIDE], state[S_DEPTH + ASK_SIDE])
    if ints[I_T] == 0:
        ints[I_DEPTH_T] = t_ns
        state[S_DEPTH_USUAL] = thinner
        state[S_IMBALANCE_SLOW] = state[S_IMBALANCE]
    elapsed = t_ns - ints[I_T]
    state[S_DEPTH_USUAL] = averaged(state[S_DEPTH_USUAL], thinner, elapsed, params[P_USUAL_HALF_LIFE])
    state[S_IMBALANCE_SLOW] = averaged(state[S_IMBALANCE_SLOW], state[S_IMBALANCE], elapsed, params[P_BOOK_HALF_LIFE])
    ints[I_T] = max(t_ns, ints[I_T])
    if book[B_COUNT + BID_SIDE] == 0 or book[B_COUNT + ASK_SIDE] == 0:
        state[S_MID] = 0.0
        return 0
    bid = B_ROWS
    ask = B_ROWS + B_SIDE
    mid = 0.5 * (float(book[bid]) + float(book[ask]))
    state[S_MID] = mid
    state[S_MICRO] = microprice(book[bid], book[bid + 1], book[ask], book[ask + 1])
    return 1
