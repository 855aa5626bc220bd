"""The venue half of the compiled replay, played with the orders of a world: who fills, when, at what size.

Takes what the world's venue did with our requests (each order's opening, refusal and end, at its time), does the same
with the matching kernels as `backtest/replay.py` and `desk.py` call them, and lets the tape run through. Market before
requests at one instant, as `backtest/timing.py` says. What fills is then the replay's own finding.
"""

from __future__ import annotations

from collections.abc import Sequence

from backtest.loop.desk import would_cross
from backtest.tape import Tape
from backtest.world import World
from simvenue.book.matching import E_KIND, E_PX, E_SLOT, E_STRIDE, E_SZ, FILLED, cancel_order, play_stamp, rest_order
from simvenue.book.queue_model import MODELS, POWER
from simvenue.book.state import new_state
from simvenue.book.table import H_ROOM, ORDERS
from simvenue.events import OrderEvent
from simvenue.exchange import QueueModel

Found = tuple[int, int, int, int]
"""Market time ns, oid, px_u, sz_u."""
NO_LIMIT = 2**60
OWN_TOO = 1
"""An order crosses when it meets one of ours as well."""


class Matched:
    """One venue of the replay's; `fills` are what it found, `disagreements` where a request fared otherwise."""

    def __init__(self, tape: Tape, queue: QueueModel = "risk-averse") -> None:
        self._tape = tape
        self._model = MODELS[queue]
        self._venue = new_state(tape.kept)
        self._venue.holders[H_ROOM] = NO_LIMIT
        self._slots: dict[int, int] = {}  # oid -> row of the table
        self._free = list(range(ORDERS - 1, -1, -1))
        self.fills: list[Found] = []
        self.disagreements: list[str] = []

    def play(self, orders: Sequence[OrderEvent], until_ns: int) -> None:
        """All instants up to `until_ns` and all that was asked between them."""
        asked = iter(orders)
        request = next(asked, None)
        for k, stamp_ns in enumerate(self._tape.stamp_ns):
            if stamp_ns > until_ns:
                break
            while request is not None and request.t_ns < stamp_ns:
                self._do(request)
                request = next(asked, None)
            self._stamp(k, int(stamp_ns))
        while request is not None:
            self._do(request)
            request = next(asked, None)

    def _stamp(self, k: int, stamp_ns: int) -> None:
        tape, venue = self._tape, self._venue
        play_stamp(
            tape.what, tape.px_u, tape.sz_u, int(tape.begin[k]), int(tape.begin[k + 1]), k + 1, tape.visible,
            self._model, POWER, venue.bids, venue.asks, venue.orders, venue.bid_queue, venue.ask_queue, venue.holders,
            venue.out,
        )  # fmt: skip
        for row in range(1, 1 + E_STRIDE * int(venue.out[0]), E_STRIDE):
            if venue.out[row + E_KIND] == FILLED:
                oid = next(oid for oid, slot in self._slots.items() if slot == venue.out[row + E_SLOT])
                self.fills.append((stamp_ns, oid, int(venue.out[row + E_PX]), int(venue.out[row + E_SZ])))

    def _do(self, order: OrderEvent) -> None:
        """What the world's venue did with an order, done here."""
        venue = self._venue
        is_bid = order.side > 0
        queue, book = (venue.bid_queue, venue.bids) if is_bid else (venue.ask_queue, venue.asks)
        across, across_queue = (venue.asks, venue.ask_queue) if is_bid else (venue.bids, venue.bid_queue)
        if order.status == "open" and order.oid in self._slots:
            return  # what a fill has left of it
        if order.status == "filled":
            self._free.append(self._slots.pop(order.oid))
        elif order.status == "open":
            if would_cross(order.side, order.px_u, OWN_TOO, venue.orders, across, across_queue):
                self.disagreements.append(f"{order.t_ns} {order.oid} would cross")
                return
            self._slots[order.oid] = slot = self._free.pop()
            rest_order(
                queue, venue.orders, book, slot, order.side, order.px_u, order.sz_u, 0, 0, self._tape.visible
            )  # fmt: skip
        elif order.status == "canceled":
            left = cancel_order(queue, venue.orders, self._slots[order.oid])
            if left != order.sz_u:
                self.disagreements.append(f"{order.t_ns} {order.oid} left {left}, {order.sz_u} at the venue")
            self._free.append(self._slots.pop(order.oid))
        elif order.status == "badAloPxRejected" and not would_cross(
            order.side, order.px_u, OWN_TOO, venue.orders, across, across_queue
        ):
            self.disagreements.append(f"{order.t_ns} {order.oid} would not cross")


def fills_of(world: World, address: str) -> list[Found]:
    """The same of the world's venue."""
    return [(fill.t_ns, fill.oid, fill.px_u, fill.sz_u) for fill in world.venue.fills if fill.address == address]
