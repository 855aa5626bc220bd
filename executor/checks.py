"""The last hop: every order is judged once more before it is signed, whatever quoter and riskd already said.

Stream data counts as hostile: a check passes only when its condition is positively true, so an absent, stale or
absurd number refuses. Amounts are integers (px_u, sz_u, 1e-6 quote); the few floats are ranged at decoding. The
answer is None or one short word, which is the metric's label.
"""

from __future__ import annotations

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

E6 = 1_000_000
SZ_U_MAX = 10**15


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


class Book:
    """Everything of ours that may rest: what earlier orders of the same decision add is counted too.

    What the venue says is filled, but whose fills have not arrived, still counts with its order: until they do, the
    position does not hold it.
    """

    def __init__(self, orders: Iterable[Order]) -> None:
        self._size_u = {Side.BID: 0, Side.ASK: 0}
        self._px_u: dict[str, tuple[Side, int, int, int]] = {}  # cloid -> side, lowest, highest price, size
        for order in orders:
            self._size_u[order.side] += _unbooked_u(order)
            if not order.live:
                continue
            px_u = order.asked[0] if order.moving and order.asked else order.px_u
            low, high = min(order.px_u, px_u), max(order.px_u, px_u)
            self._px_u[order.cloid] = (order.side, low, high, order.exposure_u)
            self._size_u[order.side] += order.exposure_u

    def added_u(self, change: Change) -> int:
        """By how much more may fill on the change's side once it is sent (a smaller size takes nothing off yet)."""
        held = self._px_u.get(change.cloid)
        return max(change.sz_u - (held[3] if held else 0), 0)

    def after_u(self, change: Change) -> int:
        """What may fill on the change's side once it is sent."""
        return self._size_u[change.side] + self.added_u(change)

    def crosses(self, change: Change) -> bool:
        """Whether the change could meet an order of ours on the other side."""
        if change.side is Side.BID:
            return any(side is Side.ASK and change.px_u >= low for side, low, _, _ in self._px_u.values())
        return any(side is Side.BID and change.px_u <= high for side, _, high, _ in self._px_u.values())

    def add(self, change: Change, name: str) -> None:
        """The change will be sent."""
        self._size_u[change.side] = self.after_u(change)
        held = self._px_u.get(change.cloid)
        low = min(change.px_u, held[1]) if held else change.px_u
        high = max(change.px_u, held[2]) if held else change.px_u
        size_u = max(change.sz_u, held[3]) if held else change.sz_u
        self._px_u[change.cloid or name] = (change.side, low, high, size_u)


def _unbooked_u(order: Order) -> int:
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
    if not all(abs(change.px_u / px - 1.0) * 1e4 <= bounds.collar_bps for px in bounds.prices):
        return "collar"
    if change.side is Side.BID and bounds.ask_px_u and not change.px_u < bounds.ask_px_u:
        return "would_cross"
    if change.side is Side.ASK and bounds.bid_px_u and not change.px_u > bounds.bid_px_u:
        return "would_cross"
    return "own_cross" if book.crosses(change) else None


def _too_much(change: Change, bounds: Bounds, book: Book) -> str | None:
    grows_u = change.side * bounds.position_u  # > 0: this side adds to what we hold
    after_u = book.after_u(change)
    if bounds.reducing and not grows_u < 0:
        return "reducing"
    if book.added_u(change) == 0:
        return None
    if bounds.reducing:
        return None if after_u <= -grows_u else "reducing"
    if grows_u > 0 and not grows_u * change.px_u <= bounds.soft_e6:
        return "soft_limit"
    return None if (grows_u + after_u) * change.px_u <= bounds.hard_e6 else "hard_limit"


class Throttle:
    """Orders a machine second, and repetitions of the same one; times are the machine's."""

    def __init__(self, orders_per_s: int) -> None:
        self._per_s = orders_per_s
        self._sent: deque[int] = deque()
        self._same: dict[tuple[Side, int, int], deque[int]] = {}

    def refuse(self, change: Change, mono_ns: int) -> str | None:
        """Why this order comes too soon, or None; `note` it when it is sent."""
        self._expire(mono_ns)
        if not len(self._sent) < self._per_s:
            return "throttle"
        same = self._same.get((change.side, change.px_u, change.sz_u), ())
        return None if change.cloid or len(same) < REPEATS_MAX else "repeated"

    def note(self, change: Change, mono_ns: int) -> None:
        self._sent.append(mono_ns)
        if not change.cloid:
            self._same.setdefault((change.side, change.px_u, change.sz_u), deque()).append(mono_ns)

    def _expire(self, mono_ns: int) -> None:
        oldest = mono_ns - NS
        while self._sent and self._sent[0] <= oldest:
            self._sent.popleft()
        for key in [k for k, times in self._same.items() if times[-1] <= oldest]:
            del self._same[key]
        for times in self._same.values():
            while times[0] <= oldest:
                times.popleft()
