"""What a desk that decides by the clock sees, when we are told the venue's own rows: pictures of the venue's book.

Such a desk needs no book of its own. What it sees at a decision is the venue's book as it stood when it had played what
has been told by then, and when that will be is known beforehand: decisions come every step, told times are given. So
the best levels are kept as the venue plays past that instant, and shown when the decision is due. Rows that are told
later than `PICTURES` steps after their stamps, or are not the venue's, ask for a book (`replay.see_best`).
"""

from __future__ import annotations

from typing import Any

from backtest.loop.reference import SEEN_TICKS, show_best
from common.kernel import istate, kernel
from quoter.state import B_COUNT, B_ROWS, B_SIDE

PICTURES = 8
"""Kept at once, a power of two."""

(
    P_TAKEN,
    P_SHOWN,
    P_T,  # the decision the next one is for
    P_TOLD,  # instants told by then: it is taken when they are played
    P_ROWS,
) = range(5)
SIDE = 1 + 2 * SEEN_TICKS  # a count, then (price, size)


def new_pictures(first_t_ns: int, told: int) -> Any:
    """None taken yet; the first decision is at `first_t_ns`, when so many instants have been told."""
    pictures = istate(P_ROWS + PICTURES * 2 * SIDE)
    pictures[P_T], pictures[P_TOLD] = first_t_ns, told
    return pictures


@kernel("i8(i8[::1], i8, i8, i8[::1], i8[::1], i8[::1])", inline=True)
def take_pictures(
    pictures: list[int], played: int, step_ns: int, told_ns: list[int], bids: list[int], asks: list[int]
) -> int:
    """One for every decision that will see the book as it is; returns the instants told by the next one after."""
    told = pictures[P_TOLD]
    while told == played and pictures[P_TAKEN] - pictures[P_SHOWN] < PICTURES:
        at = P_ROWS + 2 * SIDE * (pictures[P_TAKEN] & (PICTURES - 1))
        pictures[at] = show_best(bids, pictures, at + 1)
        pictures[at + SIDE] = show_best(asks, pictures, at + SIDE + 1)
        pictures[P_TAKEN] += 1
        pictures[P_T] += step_ns
        while told < len(told_ns) and told_ns[told] <= pictures[P_T]:
            told += 1
        pictures[P_TOLD] = told
    return told


@kernel("i8(i8[::1], i8[::1])", inline=True)
def show_picture(pictures: list[int], book: list[int]) -> int:
    """The oldest picture into our view of the market; returns how many levels it shows."""
    shown = 0
    for side in range(2):
        at = P_ROWS + 2 * SIDE * (pictures[P_SHOWN] & (PICTURES - 1)) + SIDE * side
        book[B_COUNT + side] = pictures[at]
        for k in range(2 * pictures[at]):
            book[B_ROWS + side * B_SIDE + k] = pictures[at + 1 + k]
        shown += pictures[at]
    pictures[P_SHOWN] += 1
    return shown
