"""The last hop: every order is judged once more before it is signed, whatever quoter and riskd already said.

Stream data counts as hostile: a check passes only when its condition is positively true, so an absent, stale or
absurd number refuses. Amounts are integers (px_u, sz_u, 1e-6 quote); the few floats are ranged at decoding. The
answer is None or one short word, which is the metric's label.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

from msgspec import Struct

from common.clock import NS
from common.messages import Side
from common.orders import Order
from common.ticks import MIN_NOTIONAL_E6, is_legal_px
from executor.diff import Change

REPEATS_MAX = 2
"""Identical new orders (side, price, size) within one machine second (reliability.md P09)."""

SZ_U_MAX = 10**15
PX_MAX = 1e15
PX_U_MAX = 10**15


class Bounds(Struct, frozen=True):
    """What holds for all orders of one decision."""

    sz_decimals: int
    hard_e6: int  # worst-case position, 1e-6 quote
    soft_e6: int  # position beyond which the growing side gets no orders
    position_u: int
    reducing: bool
    collar_bps: float
    prices: tuple[float, ...]  # fresh reference prices, px_u
    bid_px_u: int  # the market's touch, 0 = unknown
    ask_px_u: int

    @property
    def dearest_px_u(self) -> int:
        """The highest reference price: what a position is valued at unless an order's own price is more."""
        return max((math.ceil(px) for px in self.prices if 0 < px < PX_MAX), default=0)


class Book:
    """Everything of ours that may rest: what earlier orders of the same decision add is counted too.

    What the venue says is filled, but whose fills have not arrived, still counts with its order: until they do, the
    position does not hold it. `value_px_u` is the least price a position is valued at.
    """

    def __init__(self, orders: Iterable[Order], value_px_u: int = 0) -> None:
        self.value_px_u = value_px_u
        self.bid_u = self.ask_u = 0  # what may fill on each side
        self._highest_bid_px_u = 0
        self._lowest_ask_px_u = PX_U_MAX
        self._held_u: dict[str, int] = {}
        for order in orders:
            self._count(order.side, _unbooked_u(order))
            if not order.live:
                continue
            exposure_u = self._held_u[order.cloid] = order.exposure_u
            self._count(order.side, exposure_u)
            self._stretch(order.side, order.px_u)
            if order.moving and order.asked:
                self._stretch(order.side, order.asked[0])

    def added_u(self, change: Change) -> int:
        """By how much more may fill on the change's side once it is sent (a smaller size takes nothing off yet)."""
        return max(change.sz_u - self._held_u.get(change.cloid, 0), 0)

    def after_u(self, change: Change) -> int:
        """What may fill on the change's side once it is sent."""
        return (self.bid_u if change.side > 0 else self.ask_u) + self.added_u(change)

    def room_u(self, change: Change, bounds: Bounds) -> int:
        """The largest size with which the change would stay within the hard limit."""
        others_u = (self.bid_u if change.side > 0 else self.ask_u) - self._held_u.get(change.cloid, 0)
        value_px_u = max(change.px_u, self.value_px_u, 1)
        return bounds.hard_e6 // value_px_u - int(change.side) * bounds.position_u - others_u

    def crosses(self, change: Change) -> bool:
        """Whether the change could meet an order of ours on the other side."""
        if change.side > 0:
            return change.px_u >= self._lowest_ask_px_u
        return change.px_u <= self._highest_bid_px_u

    def add(self, change: Change) -> None:
        """The change will be sent."""
        self._count(change.side, self.added_u(change))
        self._stretch(change.side, change.px_u)
        if change.cloid:
            self._held_u[change.cloid] = max(change.sz_u, self._held_u.get(change.cloid, 0))

    def _count(self, side: Side, sz_u: int) -> None:
        if side > 0:
            self.bid_u += sz_u
        else:
            self.ask_u += sz_u

    def _stretch(self, side: Side, px_u: int) -> None:
        if side > 0:
            self._highest_bid_px_u = max(self._highest_bid_px_u, px_u)
        else:
            self._lowest_ask_px_u = min(self._lowest_ask_px_u, px_u)


def _unbooked_u(order: Order) -> int:
    if not order.filled_u:
        return 0
    booked_u = sum(sz_u for oid, sz_u in order.fills.values() if oid == order.oid)
    return max(order.filled_u - booked_u, 0)


def refuse(change: Change, bounds: Bounds, book: Book) -> str | None:
    """Why this order must not be sent now, or None."""
    return _malformed(change, bounds) or _misplaced(change, bounds, book) or _too_much(change, bounds, book)


def _malformed(change: Change, bounds: Bounds) -> str | None:
    if not 0 < change.sz_u <= SZ_U_MAX:
        return "size"
    if not is_legal_px(change.px_u, bounds.sz_decimals):
        return "off_tick"
    if not change.px_u * change.sz_u >= MIN_NOTIONAL_E6:
        return "min_notional"
    return None


def _misplaced(change: Change, bounds: Bounds, book: Book) -> str | None:
    if not bounds.prices:
        return "no_reference"
    for px in bounds.prices:
        if not abs(change.px_u / px - 1.0) * 1e4 <= bounds.collar_bps:
            return "collar"
    if change.side > 0:
        crosses = bounds.ask_px_u and not change.px_u < bounds.ask_px_u
    else:
        crosses = bounds.bid_px_u and not change.px_u > bounds.bid_px_u
    if crosses:
        return "would_cross"
    return "own_cross" if book.crosses(change) else None


def _too_much(change: Change, bounds: Bounds, book: Book) -> str | None:
    grows_u = int(change.side) * bounds.position_u  # > 0: this side adds to what we hold
    if bounds.reducing and not grows_u < 0:
        return "reducing"
    if book.added_u(change) == 0:
        return None
    after_u = book.after_u(change)
    if bounds.reducing:
        return None if after_u <= -grows_u else "reducing"
    value_px_u = max(change.px_u, book.value_px_u)
    if grows_u > 0 and not grows_u * value_px_u <= bounds.soft_e6:
        return "soft_limit"
    return None if (grows_u + after_u) * value_px_u <= bounds.hard_e6 else "hard_limit"


class Throttle:
    """Orders a machine second, and repetitions of the same one; times are the machine's."""

    def __init__(self, orders_per_s: int) -> None:
        self._per_s = orders_per_s
        self._sent: deque[int] = deque()
        self._same: dict[tuple[int, int, int], deque[int]] = {}  # side, price, size
        self._expired_ns = -1

    def refuse(self, change: Change, mono_ns: int) -> str | None:
        """Why this order comes too soon, or None; `note` it when it is sent."""
        if mono_ns != self._expired_ns:
            self._expire(mono_ns)
        if not len(self._sent) < self._per_s:
            return "throttle"
        same = self._same.get((int(change.side), change.px_u, change.sz_u), ())
        return None if change.cloid or len(same) < REPEATS_MAX else "repeated"

    def note(self, change: Change, mono_ns: int) -> None:
        self._sent.append(mono_ns)
        if not change.cloid:
            self._same.setdefault((int(change.side), change.px_u, change.sz_u), deque()).append(mono_ns)

    def _expire(self, mono_ns: int) -> None:
        self._expired_ns, oldest = mono_ns, mono_ns - NS
        while self._sent and self._sent[0] <= oldest:
            self._sent.popleft()
        for key in [k for k, times in self._same.items() if times[-1] <= oldest]:
            del self._same[key]
        for times in self._same.values():
            while times[0] <= oldest:
                times.popleft()
