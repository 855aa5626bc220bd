"""Which part of the published book is ours, so that we never take our own orders for the market.

The venue shows our resting size among everyone's. An order of ours is looked for from the moment it was sent, at every
price where it may rest, until a book newer than its end has been seen: our news and the book travel on different roads
and either may be first. Subtracting what is not (or no longer) there costs at most our own size at one level; not
subtracting what is there would let us follow our own quote. Prices px_u, sizes sz_u, times market ns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.messages import OrderState, OrderUpdate, Side
from common.orders import ENDED

NEVER = 2**62


@dataclass(slots=True)
class _Shown:
    """One place where an order of ours may be in the book; `until_t_ns` is when it was heard to have gone."""

    cloid: str
    side: Side
    px_u: int
    sz_u: int
    until_t_ns: int = NEVER


class OwnOrders:
    """Own size by price, a side at a time."""

    def __init__(self) -> None:
        self._shown: list[_Shown] = []
        self._sizes: dict[Side, dict[int, int]] = {Side.BID: {}, Side.ASK: {}}
        self._next_until_t_ns = NEVER

    def on_update(self, update: OrderUpdate) -> None:
        """Take what the executor says of one order; updates may come late or twice."""
        left_u = max(update.sz_u - update.filled_u, 0)
        mine = [s for s in self._shown if s.cloid == update.cloid]
        here = next((s for s in mine if s.px_u == update.px_u), None)
        if update.state in ENDED or left_u == 0:
            self._end(mine, update.t_ns)
        else:
            if here is None:
                self._shown.append(_Shown(update.cloid, update.side, update.px_u, left_u))
            else:
                here.sz_u, here.until_t_ns = left_u, NEVER
            if update.state is OrderState.OPEN:  # a move has arrived: the old place is being left
                self._end([s for s in mine if s is not here], update.t_ns)
        self._add_up()

    def sizes(self, side: Side, book_t_ns: int) -> Mapping[int, int]:
        """px_u -> sz_u of ours that a book of venue time `book_t_ns` may hold on that side."""
        if book_t_ns > self._next_until_t_ns:
            self._shown = [s for s in self._shown if s.until_t_ns >= book_t_ns]
            self._add_up()
        return self._sizes[side]

    @staticmethod
    def _end(places: list[_Shown], t_ns: int) -> None:
        for place in places:
            place.until_t_ns = min(place.until_t_ns, t_ns)

    def _add_up(self) -> None:
        self._sizes = {Side.BID: {}, Side.ASK: {}}
        self._next_until_t_ns = NEVER
        for place in self._shown:
            sizes = self._sizes[place.side]
            sizes[place.px_u] = sizes.get(place.px_u, 0) + place.sz_u
            self._next_until_t_ns = min(self._next_until_t_ns, place.until_t_ns)
