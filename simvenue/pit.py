"""One market's pit: the vectors the kernels work on, and which table row is whose order.

Decides nothing itself: it hands stamps, orders and takers to `matching.py` and `taking.py` and turns their result rows
into `Event`s that name orders. Money, statuses and messages are left to `clearing.py`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from common.errors import OurFault
from common.kernel import COMPILED
from simvenue import levels, matching, table, taking
from simvenue.events import BUY, SELL
from simvenue.funding import PremiumHour
from simvenue.market import MarketDef
from simvenue.orders import Order
from simvenue.prices import Prices
from simvenue.source import Source

LevelView = tuple[int, int, int]
"""Price, size, number of orders."""


class Event(NamedTuple):
    """One result of matching; `kind` is of `matching.py`, `order` the simulated one, `side` the aggressor's."""

    kind: int
    order: Order | None
    px_u: int
    sz_u: int
    side: int


class Pit:
    """Order book of one market: the source's flow and the simulated orders in it."""

    def __init__(self, market: MarketDef, source: Source, *, probabilistic: bool) -> None:
        self.market = market
        self.source = source
        self.prices = Prices()
        self.premium = PremiumHour()
        self.touch: tuple[LevelView | None, LevelView | None] = (None, None)
        self._probabilistic = int(probabilistic)
        self._stamp = 0
        self._books = {side: levels.new_book(side, source.kept) for side in (BUY, SELL)}
        self._queues = {BUY: table.new_queue(), SELL: table.new_queue()}
        self._orders = table.new_table()
        self._holders = table.new_holders()
        self._out = matching.new_out()
        self._depth = taking.new_depth()
        self._owner: dict[str, int] = {}
        self._by_slot: dict[int, Order] = {}
        self._free = list(range(table.ORDERS - 1, -1, -1))

    # ---------------------------------------------------------------- market data
    def play(self) -> list[Event]:
        """The source's next stamp, as one atomic change."""
        rows = self.source.take()
        self._stamp += 1
        bids, asks = self._books[BUY], self._books[SELL]
        bid_queue, ask_queue = self._queues[BUY], self._queues[SELL]
        events: list[Event] = []
        for begin in range(rows.begin, rows.end, matching.ROWS_MAX):
            self._out[0] = 0
            matching.play(
                rows.what, rows.px_u, rows.sz_u, begin, min(rows.end, begin + matching.ROWS_MAX), self._stamp,
                self._probabilistic, bids, asks, self._orders, bid_queue, ask_queue, self._holders, self._out,
            )  # fmt: skip
            events += self._events()
        self._out[0] = 0
        matching.settle(
            self.source.visible, bids, asks, self._orders, bid_queue, ask_queue, self._holders, self._out
        )  # fmt: skip
        return events + self._events()

    # ---------------------------------------------------------------- orders
    @property
    def is_full(self) -> bool:
        return not self._free

    def rest(self, order: Order) -> None:
        """Let what is left of the order rest, behind all that is shown at its price."""
        slot = self._free.pop()
        matching.rest_order(
            self._queues[order.side], self._orders, self._books[order.side], slot, order.side, order.px_u, order.sz_u,
            self._holder(order.address), int(order.reduce_only), self.source.visible,
        )  # fmt: skip
        order.slot = slot
        self._by_slot[slot] = order

    def cancel(self, order: Order) -> None:
        if matching.cancel_order(self._queues[order.side], self._orders, order.slot) < 0:
            raise OurFault(f"order {order.oid} was thought to rest")
        self._release(order)

    def take(self, order: Order, sz_u: int) -> list[Event]:
        """Match up to sz_u of an aggressive order; what it got is taken off its size."""
        self._out[0] = 0
        got = taking.take(
            order.px_u, sz_u, self._holder(order.address), self._books[-order.side], self._queues[-order.side],
            self._orders, self._holders, self._out,
        )  # fmt: skip
        order.sz_u -= got
        return self._events()

    def queue_ahead_u(self, order: Order) -> int:
        """The source's contracts before a resting order; -1 while its price is out of view."""
        return int(self._orders[table.O_STRIDE * order.slot + table.O_AHEAD])

    # ---------------------------------------------------------------- holders
    def position_u(self, address: str) -> int:
        return int(self._holders[table.H_STRIDE * self._holder(address) + table.H_POS])

    def set_room(self, address: str, room_u: int) -> None:
        """The largest position the address may open here now."""
        self._holders[table.H_STRIDE * self._holder(address) + table.H_ROOM] = room_u

    # ---------------------------------------------------------------- views
    def depth(self, side: int, count: int) -> tuple[LevelView, ...]:
        """The best `count` levels of a side as published, simulated orders included."""
        n = taking.depth(self._books[side], self._queues[side], self._orders, count, self._depth)
        flat = _ints(self._depth, 0, taking.D_STRIDE * n)
        return tuple(zip(flat[0::3], flat[1::3], flat[2::3], strict=True))

    def best(self, side: int) -> LevelView | None:
        found = self.depth(side, 1)
        return found[0] if found else None

    def source_levels(self, side: int) -> list[tuple[int, int]]:
        """The source's own levels, best first, less what takers used up."""
        book = self._books[side]
        flat = _ints(book, levels.HEAD, levels.HEAD + levels.STRIDE * int(book[levels.B_N]))
        rows = zip(flat[0::4], flat[1::4], flat[2::4], strict=True)
        return [(px, sz - used) for px, sz, used in rows if sz > used][::-1]

    def recorded_mid2(self) -> int:
        """Bid + ask as the source shows them, whatever takers used up; 0 when a side is empty."""
        bid, ask = (_shown_px(self._books[side]) for side in (BUY, SELL))
        return bid + ask if bid and ask else 0

    def local_mid2(self) -> int:
        bid, ask = self.best(BUY), self.best(SELL)
        return bid[0] + ask[0] if bid and ask else 0

    def impact_px(self) -> tuple[float, float]:
        """Average price (px_u) of selling and of buying the market's impact notional, 0.0 = not that much there."""
        notional_e6 = int(self.market.impact_notional_usd * 10**6)
        bid = taking.impact_px(self._books[BUY], self._queues[BUY], self._orders, notional_e6)
        ask = taking.impact_px(self._books[SELL], self._queues[SELL], self._orders, notional_e6)
        return bid, ask

    # ---------------------------------------------------------------- inside
    def _holder(self, address: str) -> int:
        index = self._owner.setdefault(address, len(self._owner))
        if index >= table.HOLDERS:
            raise OurFault(f"more than {table.HOLDERS} addresses trade {self.market.coin}")
        return index

    def _events(self) -> list[Event]:
        """Read the kernel's result rows; a withdrawn or finished order gives its table row back."""
        count = int(self._out[0])
        if count == 0:
            return []
        flat = _ints(self._out, 1, 1 + matching.E_STRIDE * count)
        events = []
        for k in range(0, len(flat), matching.E_STRIDE):
            kind, slot, px_u, sz_u, side = flat[k : k + matching.E_STRIDE]
            order = self._by_slot[slot] if slot >= 0 else None
            if order is not None:
                if kind == matching.FILLED:
                    order.sz_u -= sz_u
                if kind != matching.FILLED or order.sz_u == 0:
                    self._release(order)
            if kind in (matching.FILLED, matching.PRINTED, matching.TAKEN):
                self.prices.last_px_u = px_u
            events.append(Event(kind, order, px_u, sz_u, side))
        return events

    def _release(self, order: Order) -> None:
        del self._by_slot[order.slot]
        self._free.append(order.slot)
        order.slot = -1


def _shown_px(book: Any) -> int:
    """The source's best price, 0 when it shows none."""
    n = int(book[levels.B_N])
    return int(book[levels.HEAD + levels.STRIDE * (n - 1) + levels.L_PX]) if n else 0


def _ints(vector: Any, begin: int, end: int) -> list[int]:
    """Part of a vector as plain ints."""
    part = vector[begin:end]
    return list(part.tolist() if COMPILED else part)
