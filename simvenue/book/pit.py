"""One market's pit: the vectors the kernels work on, and which table row is whose order.

Decides nothing itself: it hands stamps, orders and takers to `matching.py` and `taking.py` and turns their result rows
into `Event`s that name orders. Money, statuses and messages are left to `money/clearing.py`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from common.errors import OurFault
from common.kernel import COMPILED
from simvenue.book import levels, matching, queue_model, table, taking
from simvenue.book.queue_model import QueueModel
from simvenue.book.state import new_state
from simvenue.desk.orders import Order
from simvenue.events import BUY, SELL
from simvenue.market import MarketDef
from simvenue.money.funding import PremiumHour
from simvenue.money.prices import Prices
from simvenue.source import Rows, Source, order_counts_of

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

    def __init__(
        self,
        market: MarketDef,
        source: Source,
        *,
        queue: QueueModel = "risk-averse",
        queue_power: float = queue_model.POWER,
    ) -> None:
        self.market = market
        self.source = source
        self.prices = Prices(is_bounded=market.is_hip3)
        self.premium = PremiumHour()
        self.touch: tuple[LevelView | None, LevelView | None] = (None, None)
        self.crossed_stamps = 0
        self._order_counts = order_counts_of(source)
        self.is_halted = False
        self.is_delisted = False
        self.queue = queue
        self._model, self._power = queue_model.MODELS[queue], queue_power
        self._stamp = 0
        self._yielded = 0
        self._state = new_state(source.kept)
        self._owner: dict[str, int] = {}
        self._by_slot: dict[int, Order] = {}
        self._free = list(range(table.ORDERS - 1, -1, -1))

    # ---------------------------------------------------------------- market data
    def play(self) -> list[Event]:
        """The source's next stamp, as one atomic change."""
        rows = self.source.take()
        if self.is_halted:
            return []
        self._stamp += 1
        state = self._state
        if rows.end - rows.begin > matching.ROWS_MAX:
            return self._play_long(rows)
        found = matching.play_stamp(
            rows.what, rows.px_u, rows.sz_u, rows.begin, rows.end, self._stamp, self.source.visible, self._model,
            self._power, state.bids, state.asks, state.orders, state.bid_queue, state.ask_queue, state.holders,
            state.out,
        )  # fmt: skip
        self._count_crossed()
        return self._events() if found else []

    def _play_long(self, rows: Rows) -> list[Event]:
        """A stamp of more rows than `out` has room for: the same change, its prints in pieces."""
        state = self._state
        events: list[Event] = []
        if rows.what[rows.begin] == matching.GAP:
            matching.play_gap(state.bids, state.asks, state.orders, state.bid_queue, state.ask_queue)
        for begin in range(rows.begin, rows.end, matching.ROWS_MAX):
            state.out[0] = 0
            matching.play_prints(
                rows.what, rows.px_u, rows.sz_u, begin, min(rows.end, begin + matching.ROWS_MAX), state.orders,
                state.bid_queue, state.ask_queue, state.holders, state.out,
            )  # fmt: skip
            events += self._events()
        matching.play_levels(
            rows.what, rows.px_u, rows.sz_u, rows.begin, rows.end, self._stamp, self.source.visible, self._model,
            self._power, state.bids, state.asks, state.orders, state.bid_queue, state.ask_queue,
        )  # fmt: skip
        state.out[0] = 0
        matching.settle(
            self.source.visible, self._model, state.bids, state.asks, state.orders, state.bid_queue, state.ask_queue,
            state.holders, state.out,
        )  # fmt: skip
        self._count_crossed()
        return events + self._events()

    @property
    def yielded_levels(self) -> int:
        """Levels that gave way so far because the recording was locked or crossed (*the older level yields*)."""
        return self._yielded

    def _count_crossed(self) -> None:
        yielded = int(self._state.bids[levels.B_YIELDED] + self._state.asks[levels.B_YIELDED])
        if yielded != self._yielded:
            self._yielded = yielded
            self.crossed_stamps += 1

    # ---------------------------------------------------------------- orders
    @property
    def is_full(self) -> bool:
        return not self._free

    def rest(self, order: Order) -> None:
        """Let what is left of the order rest, behind all that is shown at its price."""
        slot = self._free.pop()
        matching.rest_order(
            self._state.queue(order.side), self._state.orders, self._state.book(order.side), slot, order.side,
            order.px_u, order.sz_u, self._holder(order.address), int(order.reduce_only), self.source.visible,
        )  # fmt: skip
        order.slot = slot
        self._by_slot[slot] = order

    def cancel(self, order: Order) -> None:
        if matching.cancel_order(self._state.queue(order.side), self._state.orders, order.slot) < 0:
            raise OurFault(f"order {order.oid} was thought to rest")
        self._release(order)

    def take(self, order: Order, sz_u: int) -> list[Event]:
        """Match up to sz_u of an aggressive order; what it got is taken off its size."""
        state = self._state
        state.out[0] = 0
        got = taking.take(
            order.px_u, sz_u, self._holder(order.address), state.book(-order.side), state.queue(-order.side),
            state.orders, state.holders, state.out,
        )  # fmt: skip
        order.sz_u -= got
        return self._events()

    def queue_ahead_u(self, order: Order) -> int:
        """The source's contracts before a resting order; -1 while its price is out of view."""
        return int(self._state.orders[table.O_STRIDE * order.slot + table.O_AHEAD])

    # ---------------------------------------------------------------- halt
    def halt(self) -> None:
        """Show nothing and play nothing; no order may rest any more."""
        self.is_halted = True
        for book in (self._state.bids, self._state.asks):
            book[levels.B_N] = 0

    def resume(self) -> None:
        """Play again; the book is what changes from now on."""
        self.is_halted = False

    # ---------------------------------------------------------------- holders
    def position_u(self, address: str) -> int:
        return int(self._state.holders[table.H_STRIDE * self._holder(address) + table.H_POS])

    def set_position(self, address: str, position_u: int) -> None:
        """The address's position changed outside the book."""
        self._state.holders[table.H_STRIDE * self._holder(address) + table.H_POS] = position_u

    def set_room(self, address: str, room_u: int) -> None:
        """The largest position the address may open here now."""
        self._state.holders[table.H_STRIDE * self._holder(address) + table.H_ROOM] = room_u

    # ---------------------------------------------------------------- views
    def depth(self, side: int, count: int) -> tuple[LevelView, ...]:
        """The best `count` levels of a side as published, simulated orders included."""
        state = self._state
        n = taking.depth(state.book(side), state.queue(side), state.orders, count, state.depth)
        flat = _ints(state.depth, 0, taking.D_STRIDE * n)
        if self._order_counts is not None:  # the kernel counts one order for what the source shows
            counts = self._order_counts[side]
            flat[2::3] = [n + counts.get(px, 1) - 1 for px, n in zip(flat[0::3], flat[2::3], strict=True)]
        return tuple(zip(flat[0::3], flat[1::3], flat[2::3], strict=True))

    def best(self, side: int) -> LevelView | None:
        """The first of `depth`; asked for after every step, so it takes the short way."""
        state, one = self._state, self._state.depth
        if side == BUY:
            n = taking.depth(state.bids, state.bid_queue, state.orders, 1, one)
        else:
            n = taking.depth(state.asks, state.ask_queue, state.orders, 1, one)
        if n == 0:
            return None
        px, sz, count = one[0 : taking.D_STRIDE].tolist() if COMPILED else one[0 : taking.D_STRIDE]
        if self._order_counts is not None:
            count += self._order_counts[side].get(px, 1) - 1
        return px, sz, count

    def source_levels(self, side: int) -> list[tuple[int, int]]:
        """The source's own levels, best first, less what takers used up."""
        book = self._state.book(side)
        flat = _ints(book, levels.HEAD, levels.HEAD + levels.STRIDE * int(book[levels.B_N]))
        rows = zip(flat[0::4], flat[1::4], flat[2::4], strict=True)
        return [(px, sz - used) for px, sz, used in rows if sz > used][::-1]

    def recorded_mid2(self) -> int:
        """Bid + ask as the source shows them, whatever takers used up; 0 when a side is empty."""
        bid, ask = (_shown_px(self._state.book(side)) for side in (BUY, SELL))
        return bid + ask if bid and ask else 0

    def local_mid2(self) -> int:
        bid, ask = self.best(BUY), self.best(SELL)
        return bid[0] + ask[0] if bid and ask else 0

    def impact_px(self) -> tuple[float, float]:
        """Average price (px_u) of selling and of buying the market's impact notional, 0.0 = not that much there."""
        notional_e6 = int(self.market.impact_notional_usd * 10**6)
        state = self._state
        bid = taking.impact_px(state.bids, state.bid_queue, state.orders, notional_e6)
        ask = taking.impact_px(state.asks, state.ask_queue, state.orders, notional_e6)
        return bid, ask

    # ---------------------------------------------------------------- inside
    def _holder(self, address: str) -> int:
        index = self._owner.setdefault(address, len(self._owner))
        if index >= table.HOLDERS:
            raise OurFault(f"more than {table.HOLDERS} addresses trade {self.market.coin}")
        return index

    def _events(self) -> list[Event]:
        """Read the kernel's result rows; a withdrawn or finished order gives its table row back."""
        count = int(self._state.out[0])
        if count == 0:
            return []
        flat = _ints(self._state.out, 1, 1 + matching.E_STRIDE * count)
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
