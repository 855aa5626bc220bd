"""The last hop: every order is judged once more before it is signed, whatever quoter and riskd already said.

Stream data counts as hostile: a check passes only when its condition is positively true, so an absent, stale or
absurd number refuses. Amounts are integers (px_u, sz_u, 1e-6 quote); the few floats are ranged at decoding. The
answer is None or one short word, which is the metric's label. What is compared is compared by kernels on three small
vectors (`LM_*`, `MK_*`, `BK_*`), the same in the executor and in the compiled replay.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from common.kernel import istate, kernel, state
from common.orders import Order
from common.ticks import MIN_NOTIONAL_E6, tick_u
from executor.diff import Change
from executor.throttle import Throttle

__all__ = ["Book", "Bounds", "Throttle", "refuse"]

SZ_U_MAX = 10**15
PX_MAX = 1e15
PX_U_MAX = 10**15
PRICES_MAX = 3
"""Mid, mark, oracle."""

(
    LM_DECIMALS,
    LM_HARD,  # worst-case position, 1e-6 quote
    LM_SOFT,  # position beyond which the growing side gets no orders
    LM_POSITION,
    LM_REDUCING,
    LM_BID,  # the market's touch, 0 = unknown
    LM_ASK,
    LM_PRICES,  # reference prices known
    LM_LEN,
) = range(9)
MK_COLLAR = 0
MK_PRICES = 1
MK_LEN = MK_PRICES + PRICES_MAX
(
    BK_VALUE,  # the least price a position is valued at
    BK_BIDS,  # what may fill on each side
    BK_ASKS,
    BK_HIGHEST_BID,
    BK_LOWEST_ASK,
    BK_LEN,
) = range(6)

(
    PASSES, BAD_SIZE, OFF_TICK, TOO_SMALL, NO_REFERENCE, COLLAR, WOULD_CROSS, OWN_CROSS, REDUCING, SOFT, HARD,
) = range(11)  # fmt: skip
WORDS = (
    None, "size", "off_tick", "min_notional", "no_reference", "collar", "would_cross", "own_cross", "reducing",
    "soft_limit", "hard_limit",
)  # fmt: skip


# ---------------------------------------------------------------------- everything of ours that may rest
@kernel("void(i8[::1], i8)")
def clear_book(book: list[int], value_px_u: int) -> None:
    """Nothing rests."""
    book[BK_VALUE] = value_px_u
    book[BK_BIDS] = 0
    book[BK_ASKS] = 0
    book[BK_HIGHEST_BID] = 0
    book[BK_LOWEST_ASK] = PX_U_MAX


@kernel("void(i8[::1], i8, i8)")
def count_in(book: list[int], side: int, sz_u: int) -> None:
    """So much more may fill on a side (1 bids, -1 asks)."""
    if side > 0:
        book[BK_BIDS] += sz_u
    else:
        book[BK_ASKS] += sz_u


@kernel("void(i8[::1], i8, i8)")
def stretch(book: list[int], side: int, px_u: int) -> None:
    """An order of ours may rest there."""
    if side > 0:
        book[BK_HIGHEST_BID] = max(book[BK_HIGHEST_BID], px_u)
    else:
        book[BK_LOWEST_ASK] = min(book[BK_LOWEST_ASK], px_u)


@kernel("i8(i8[::1], i8[::1], i8, i8, i8)")
def room_of(book: list[int], limits: list[int], side: int, px_u: int, held_u: int) -> int:
    """The largest size at px_u within the hard limit for an order that counts with `held_u` already."""
    others_u = (book[BK_BIDS] if side > 0 else book[BK_ASKS]) - held_u
    return limits[LM_HARD] // max(px_u, book[BK_VALUE], 1) - side * limits[LM_POSITION] - others_u


# ---------------------------------------------------------------------- the judgement
@kernel("i8(i8[::1], i8, i8)")
def malformed(limits: list[int], px_u: int, sz_u: int) -> int:
    """BAD_SIZE, OFF_TICK or TOO_SMALL where the venue would not take the order, else PASSES."""
    if sz_u <= 0 or sz_u > SZ_U_MAX:
        return BAD_SIZE
    if px_u <= 0 or px_u % tick_u(px_u, limits[LM_DECIMALS]) != 0:
        return OFF_TICK
    return PASSES if sz_u >= -(-MIN_NOTIONAL_E6 // px_u) else TOO_SMALL


@kernel("i8(i8[::1], f8[::1], i8[::1], i8, i8)")
def misplaced(limits: list[int], marks: list[float], book: list[int], side: int, px_u: int) -> int:
    """NO_REFERENCE, COLLAR, WOULD_CROSS or OWN_CROSS for a price that is far off or meets another, else PASSES."""
    if limits[LM_PRICES] <= 0:
        return NO_REFERENCE
    for k in range(limits[LM_PRICES]):
        px = marks[MK_PRICES + k]
        if not px > 0.0 or not abs(float(px_u) / px - 1.0) * 1e4 <= marks[MK_COLLAR]:
            return COLLAR
    if side > 0:
        if limits[LM_ASK] > 0 and px_u >= limits[LM_ASK]:
            return WOULD_CROSS
        return OWN_CROSS if px_u >= book[BK_LOWEST_ASK] else PASSES
    if limits[LM_BID] > 0 and px_u <= limits[LM_BID]:
        return WOULD_CROSS
    return OWN_CROSS if px_u <= book[BK_HIGHEST_BID] else PASSES


@kernel("i8(i8[::1], i8[::1], i8, i8, i8, i8)")
def too_much(limits: list[int], book: list[int], side: int, px_u: int, sz_u: int, held_u: int) -> int:
    """REDUCING, SOFT or HARD for what a limit does not allow, else PASSES; limits are compared without overflow."""
    grows_u = side * limits[LM_POSITION]  # > 0: this side adds to what we hold
    if limits[LM_REDUCING] == 1 and grows_u >= 0:
        return REDUCING
    added_u = max(sz_u - held_u, 0)
    if added_u == 0:
        return PASSES
    after_u = (book[BK_BIDS] if side > 0 else book[BK_ASKS]) + added_u
    if limits[LM_REDUCING] == 1:
        return PASSES if after_u <= -grows_u else REDUCING
    value_px_u = max(px_u, book[BK_VALUE], 1)
    if grows_u > 0 and grows_u > limits[LM_SOFT] // value_px_u:
        return SOFT
    return PASSES if grows_u + after_u <= limits[LM_HARD] // value_px_u else HARD


@kernel("i8(i8[::1], f8[::1], i8[::1], i8, i8, i8, i8)")
def why_refused(
    limits: list[int], marks: list[float], book: list[int], side: int, px_u: int, sz_u: int, held_u: int
) -> int:
    """Why this order (side 1 bid, -1 ask; counting with `held_u` already) must not be sent now, or PASSES."""
    why = malformed(limits, px_u, sz_u)
    if why == PASSES:
        why = misplaced(limits, marks, book, side, px_u)
    if why == PASSES:
        why = too_much(limits, book, side, px_u, sz_u, held_u)
    return why


# ---------------------------------------------------------------------- the same for structs
class Bounds(Struct, frozen=True):
    """What holds for all orders of one decision."""

    sz_decimals: int
    hard_e6: int
    soft_e6: int
    position_u: int
    reducing: bool
    collar_bps: float
    prices: tuple[float, ...]  # fresh reference prices, px_u
    bid_px_u: int
    ask_px_u: int

    @property
    def dearest_px_u(self) -> int:
        """The highest reference price: what a position is valued at unless an order's own price is more."""
        return max((math.ceil(px) for px in self.prices if 0 < px < PX_MAX), default=0)

    def vectors(self) -> tuple[Any, Any]:
        """As the kernels read it: (`LM_*`, `MK_*`)."""
        limits, marks = istate(LM_LEN), state(MK_LEN)
        for place, value in (
            (LM_DECIMALS, self.sz_decimals), (LM_HARD, self.hard_e6), (LM_SOFT, self.soft_e6),
            (LM_POSITION, self.position_u), (LM_REDUCING, int(self.reducing)), (LM_BID, self.bid_px_u),
            (LM_ASK, self.ask_px_u), (LM_PRICES, len(self.prices)),
        ):  # fmt: skip
            limits[place] = value
        marks[MK_COLLAR] = self.collar_bps
        for k, px in enumerate(self.prices):
            marks[MK_PRICES + k] = px
        return limits, marks


class Book:
    """Everything of ours that may rest: what earlier orders of the same decision add is counted too.

    What the venue says is filled, but whose fills have not arrived, still counts with its order: until they do, the
    position does not hold it. `value_px_u` is the least price a position is valued at.
    """

    def __init__(self, orders: Iterable[Order], value_px_u: int = 0) -> None:
        self.vector = istate(BK_LEN)
        clear_book(self.vector, value_px_u)
        self._held_u: dict[str, int] = {}
        for order in orders:
            count_in(self.vector, int(order.side), unbooked_u(order))
            if not order.live:
                continue
            exposure_u = self._held_u[order.cloid] = order.exposure_u
            count_in(self.vector, int(order.side), exposure_u)
            stretch(self.vector, int(order.side), order.px_u)
            if order.moving and order.asked:
                stretch(self.vector, int(order.side), order.asked[0])

    def held_u(self, cloid: str) -> int:
        """With what the order counts."""
        return self._held_u.get(cloid, 0)

    def add(self, change: Change) -> None:
        """The change will be sent (a smaller size takes nothing off yet)."""
        held_u = self.held_u(change.cloid)
        count_in(self.vector, int(change.side), max(change.sz_u - held_u, 0))
        stretch(self.vector, int(change.side), change.px_u)
        if change.cloid:
            self._held_u[change.cloid] = max(change.sz_u, held_u)


def unbooked_u(order: Order) -> int:
    """What the venue says is filled of the order and no fill has told yet."""
    if not order.filled_u:
        return 0
    booked_u = sum(sz_u for oid, sz_u in order.fills.values() if oid == order.oid)
    return max(order.filled_u - booked_u, 0)


def refuse(change: Change, bounds: Bounds, book: Book) -> str | None:
    """Why this order must not be sent now, or None."""
    limits, marks = bounds.vectors()
    held_u = book.held_u(change.cloid)
    return WORDS[why_refused(limits, marks, book.vector, int(change.side), change.px_u, change.sz_u, held_u)]
