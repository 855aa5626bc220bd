"""Our orders, as a table of states and legal moves.

This room decides what state each of our orders is in, given what we asked and what the venue said - in whatever
order, however often, and however late it said it. It leaves to others: asking, sending, and the position (that is the
ledger's). Sizes are sz_u, prices px_u, times market ns.

An order keeps its cloid for life; every modify gives it a new oid (an *incarnation*; oids rise). Three rules make the
end the same for every order of arrival: what was said of an old incarnation is remembered and decides only when no
modify is open; a state that was asked for and could not be proven is UNKNOWN and counts as exposure; news of an oid
newer than all known ones always counts, even after an end. Fills are counted once by their key and in every state.

Exposure: each order that may rest counts with its full remaining size; one that is being modified counts with the
larger of its two sizes. (If the old incarnation is partly filled while the modify travels, the venue rests the new
size in full: for one latency the sum can be passed by what was filled.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from common.errors import OurFault
from common.messages import Fill, OrderState, OrderUpdate, Side
from common.order_states import ENDED, LIVE, TABLE, FillKey, Move, Order, Said, status_state

__all__ = [
    "ENDED", "LIVE", "STRAY_EPOCH", "TABLE", "FillKey", "Order", "OrderTable", "Said", "is_ours", "level_of", "life_of",
    "make_cloid", "status_state",
]  # fmt: skip

CLOID_MAGIC = "a500"
"""First four digits of every cloid of ours: orders without it are strangers."""

STRAY_EPOCH = 2**32 - 1
"""Names for orders without a cloid of ours: this epoch and the venue's number."""


# ---------------------------------------------------------------------- cloids
def make_cloid(epoch: int, level: int, side: Side, counter: int) -> str:
    """`0x` + magic (4) + epoch (8) + level (2, ff = none) + side (2, 0b bid / 0a ask) + counter (16 hex digits).

    `epoch` is the executor's life, `counter` rises within it, so no cloid is ever used twice.
    """
    if not (0 <= epoch < 2**32 and -1 <= level < 255 and 0 <= counter < 2**64):
        raise OurFault(f"cloid out of range: epoch {epoch}, level {level}, counter {counter}")
    return f"0x{CLOID_MAGIC}{epoch:08x}{level & 0xFF:02x}{'0b' if side is Side.BID else '0a'}{counter:016x}"


def is_ours(cloid: str | None) -> bool:
    """Whether this cloid was made here."""
    return cloid is not None and len(cloid) == 34 and cloid.startswith("0x" + CLOID_MAGIC)


def level_of(cloid: str | None) -> int:
    """The ladder level an order of ours was placed for; -1 = none or not ours."""
    if cloid is None or not is_ours(cloid):
        return -1
    level = int(cloid[14:16], 16)
    return -1 if level == 0xFF else level


def life_of(cloid: str | None) -> int | None:
    """The executor's life that named an order of ours; None = a stranger's, which was taken in to be cancelled."""
    if cloid is None or not is_ours(cloid):
        return None
    life = int(cloid[6:14], 16)
    return None if life == STRAY_EPOCH else life


# ---------------------------------------------------------------------- all orders
class _News(NamedTuple):
    """One thing the venue said of one incarnation; px_u, sz_u 0 and filled_u None = it did not say."""

    t_ns: int
    oid: int
    state: OrderState
    px_u: int
    sz_u: int
    filled_u: int | None
    reason: str


class OrderTable:
    """All orders of one market.  Requests (`place`, `move`, `cancel`) are ours; `hear` and `fill` are the venue's.

    Each returns the OrderUpdate to publish, or None when nothing changed. `faults` counts what only a bug of ours (or
    of the venue) can explain, such as a fill beyond an order's size; the position is then the venue's to tell.
    """

    def __init__(self, coin: str) -> None:
        self.coin = coin
        self.orders: dict[str, Order] = {}
        self.faults: dict[str, int] = {}
        self.strangers = 0
        self._by_oid: dict[int, str] = {}

    # ------------------------------------------------------------------ ours
    def place(
        self, t_ns: int, cloid: str, side: Side, px_u: int, sz_u: int, *, reduce_only: bool = False, ioc: bool = False
    ) -> OrderUpdate:
        """A new order, about to be sent; raises OurFault for a cloid used before."""
        if cloid in self.orders:
            raise OurFault(f"cloid used twice: {cloid}")
        order = Order(cloid, side, px_u, sz_u, level_of(cloid), reduce_only, ioc, OrderState.PENDING, t_ns, t_ns)
        self.orders[cloid] = order
        return self._update(order, t_ns)

    def move(self, t_ns: int, cloid: str, px_u: int, sz_u: int) -> OrderUpdate:
        """A modify, about to be sent; only an OPEN order with a known oid may be moved."""
        order = self._ours(cloid)
        if order.state is not OrderState.OPEN or order.oid == 0:
            raise OurFault(f"cannot move {cloid} in state {order.state.value}")
        order.asked, order.moving = (px_u, sz_u), True
        self._step(order, Move.MOVE, t_ns, "")
        return self._update(order, t_ns)

    def cancel(self, t_ns: int, cloid: str) -> OrderUpdate | None:
        """A cancel, about to be sent; None when the order has ended already."""
        order = self._ours(cloid)
        if not order.live:
            return None
        order.cancel_asked = True
        self._step(order, Move.CANCEL, t_ns, "")
        return self._update(order, t_ns)

    def adopt(
        self,
        t_ns: int,
        cloid: str,
        side: Side,
        px_u: int,
        sz_u: int,
        *,
        oid: int = 0,
        state: OrderState = OrderState.UNKNOWN,
    ) -> OrderUpdate:
        """Take in an order of an earlier life (journal or the venue's open orders); UNKNOWN until proven."""
        order = Order(cloid, side, px_u, sz_u, level_of(cloid), False, False, state, t_ns, t_ns)
        self.orders[cloid] = order
        if oid:
            self._know(order, oid)
        return self._update(order, t_ns)

    # ------------------------------------------------------------------ the venue's
    def hear(
        self,
        t_ns: int,
        cloid: str | None,
        said: Said,
        *,
        oid: int = 0,
        status: str = "",
        px_u: int = 0,
        sz_u: int = 0,
        filled_u: int | None = None,
        reason: str = "",
    ) -> OrderUpdate | None:
        """Apply one piece of news.  px_u, sz_u (the incarnation's whole size), filled_u: where the venue gave them.

        `cloid` may be None when the venue names only an oid.
        """
        order = self.orders.get(cloid or self._by_oid.get(oid, ""))
        if order is None:
            self.strangers += 1
            return None
        before = (order.state, order.oid, order.filled_u, order.px_u, order.sz_u)
        resting = said in (Said.PLACED, Said.MOVED)
        state = OrderState.OPEN if resting else status_state(status)
        self._hear(order, said, _News(t_ns, oid, state, px_u, sz_u, filled_u, reason or status))
        self._settle(order, t_ns)
        after = (order.state, order.oid, order.filled_u, order.px_u, order.sz_u)
        return self._update(order, t_ns) if after != before else None

    def fill(self, fill: Fill) -> OrderUpdate | None:
        """Count a fill once; None when it was counted before or is of an order that is not in this table."""
        order = self.orders.get(fill.cloid or self._by_oid.get(fill.oid, ""))
        if order is None:
            self.strangers += 1
            return None
        key = (fill.venue_t_ns, fill.coin, fill.tid)
        if key in order.fills:
            return None
        order.fills[key] = (fill.oid, fill.sz_u)
        if order.state is OrderState.REJECTED and not order.weak_end:
            self._fault("fill_after_reject")
        if fill.oid > order.oid:
            self._incarnate(order, fill.oid, fill.venue_t_ns, alive=True)
        self._count(order)
        if fill.oid == order.oid:
            self._step(order, Move.PART, fill.venue_t_ns, "")
        self._settle(order, fill.venue_t_ns)
        return self._update(order, fill.venue_t_ns)

    # ------------------------------------------------------------------ reading
    def __iter__(self) -> Iterator[Order]:
        return iter(self.orders.values())

    def live(self) -> list[Order]:
        """Orders that rest or may rest."""
        return [order for order in self.orders.values() if order.state in LIVE]

    def find(self, oid: int) -> Order | None:
        """The order one of whose incarnations has this oid."""
        return self.orders.get(self._by_oid.get(oid, ""))

    def exposure_u(self, side: Side) -> int:
        """Sum of everything that may still fill on `side`."""
        return sum(order.exposure_u for order in self.orders.values() if order.side is side)

    def worst_case_u(self, side: Side, position_u: int) -> int:
        """Position in the direction of `side` if everything there fills (negative = still on the other side)."""
        return side * position_u + self.exposure_u(side)

    def forget(self, before_t_ns: int) -> int:
        """Drop orders that ended before this market time; returns how many.  Late news of them become strangers'."""
        old = [o.cloid for o in self.orders.values() if o.state in ENDED and o.changed_t_ns < before_t_ns]
        for cloid in old:
            for oid in self.orders.pop(cloid).oids:
                self._by_oid.pop(oid, None)
        return len(old)

    # ------------------------------------------------------------------ how news become moves
    def _hear(self, order: Order, said: Said, news: _News) -> None:
        match said:
            case Said.PLACED | Said.MOVED | Said.STATUS:
                self._status(order, news)
            case Said.FOUND:
                self._found(order, news)
            case Said.PLACE_FILLED:
                self._place_filled(order, news)
            case Said.PLACE_REFUSED:
                if order.oid and order.live:
                    self._fault("refused_but_known")
                self._step(order, Move.DOUBT if order.oid else Move.REJECTED, news.t_ns, news.reason)
            case Said.MOVE_REFUSED:
                self._move_refused(order, news)
            case Said.CANCELLED:
                order.moving = False
                self._step(order, Move.CANCELLED, news.t_ns, news.reason)
            case Said.CANCEL_REFUSED:
                if order.cancel_asked:
                    self._step(order, Move.DOUBT, news.t_ns, news.reason)
            case Said.TIMEOUT:
                if order.state is not OrderState.OPEN:
                    self._step(order, Move.DOUBT, news.t_ns, news.reason)
            case Said.NOT_FOUND:
                self._not_found(order, news)

    def _status(self, order: Order, news: _News) -> None:
        """The venue says what became of incarnation `oid`: an end is final, `open` may be late."""
        oid, state = news.oid, news.state
        if oid <= 0:  # a reply that names no order proves nothing
            self._step(order, Move.DOUBT, news.t_ns, news.reason)
            return
        if news.filled_u is not None:
            order.reported[oid] = max(order.reported.get(oid, 0), news.filled_u)
        if state is OrderState.REJECTED and order.oid and oid > order.oid:
            self._end(order, oid, state)  # the replacement was refused; what became of the old one must be asked
            self._move_refused(order, news)
            return
        if oid > order.oid:
            self._incarnate(order, oid, news.t_ns, alive=state not in ENDED)
        if oid == order.oid and news.px_u and news.sz_u:
            order.px_u, order.sz_u = news.px_u, news.sz_u
        if state in ENDED:
            self._end(order, oid, state)
            order.reason = (news.reason or order.reason)[:64] if oid == order.oid else order.reason
        elif state is OrderState.UNKNOWN:
            self._step(order, Move.DOUBT, news.t_ns, news.reason)
        self._count(order)

    def _found(self, order: Order, news: _News) -> None:
        """An answer to our own question: requests that were open have landed or never will."""
        if news.oid < order.oid:
            return
        asked = order.state is OrderState.UNKNOWN
        if asked:
            order.cancel_asked = False
            order.moving = order.moving and news.oid > order.oid
        self._status(order, news)
        if asked and news.state is OrderState.OPEN and order.oids.get(news.oid) is OrderState.OPEN:
            self._rests(order, news.t_ns)

    def _not_found(self, order: Order, news: _News) -> None:
        if not order.live:
            return
        if order.oid:
            self._fault("not_found_but_known")
            return
        order.weak_end = True
        self._step(order, Move.REJECTED, news.t_ns, news.reason or "never_placed")

    def _place_filled(self, order: Order, news: _News) -> None:
        if news.oid > order.oid:
            self._incarnate(order, news.oid, news.t_ns, alive=False)
        order.reported[news.oid] = max(order.reported.get(news.oid, 0), news.filled_u or 0)
        self._count(order)
        if order.filled_u < order.sz_u:  # an IOC's rest is cancelled; of any other order we would have to ask
            move = Move.CANCELLED if order.ioc else Move.DOUBT
            self._step(order, move, news.t_ns, news.reason or "partly_filled")

    def _move_refused(self, order: Order, news: _News) -> None:
        if order.moving:
            order.moving = False
            self._step(order, Move.DOUBT, news.t_ns, news.reason)

    # ------------------------------------------------------------------ incarnations
    def _know(self, order: Order, oid: int) -> None:
        order.oid = oid
        order.oids.setdefault(oid, OrderState.OPEN)
        self._by_oid[oid] = order.cloid

    def _incarnate(self, order: Order, oid: int, t_ns: int, *, alive: bool) -> None:
        """First news of a newer oid: the modify landed (or the placement did).  `alive`: it rests or fills."""
        known = order.oid > 0
        self._know(order, oid)
        if known and order.asked is not None:
            order.px_u, order.sz_u = order.asked
            order.asked, order.moving = None, False
        if alive and (order.state is OrderState.REJECTED or (known and order.state in ENDED)):
            self._revive(order, t_ns)
        elif alive:
            self._rests(order, t_ns)

    def _revive(self, order: Order, t_ns: int) -> None:
        """The venue shows an order alive that we took for ended: it counts again; UNKNOWN if we were told so."""
        told = order.state is OrderState.REJECTED and not order.weak_end
        order.state, order.changed_t_ns, order.reason = OrderState.UNKNOWN if told else OrderState.OPEN, t_ns, "revived"
        order.weak_end = False
        self._fault("revived")

    def _end(self, order: Order, oid: int, state: OrderState) -> None:
        order.oids[oid] = state
        self._by_oid[oid] = order.cloid

    def _rests(self, order: Order, t_ns: int) -> None:
        if not order.cancel_asked:
            self._step(order, Move.RESTS, t_ns, "")

    def _count(self, order: Order) -> None:
        """filled_u of the newest incarnation: its fills or the venue's total, whichever is more."""
        own = sum(sz_u for oid, sz_u in order.fills.values() if oid == order.oid)
        before, order.filled_u = order.filled_u, max(own, order.reported.get(order.oid, 0))
        if order.filled_u > order.sz_u and order.filled_u > before:
            self._fault("overfilled")

    def _settle(self, order: Order, t_ns: int) -> None:
        """What is known by now of the newest incarnation decides, unless a modify from it is still open."""
        if order.oid == 0:
            return
        ended = order.oids.get(order.oid, OrderState.OPEN)
        if order.filled_u >= order.sz_u or ended is OrderState.FILLED:
            order.filled_u = max(order.filled_u, order.sz_u)
            order.moving = False
            self._step(order, Move.FULL, t_ns, "")
        elif ended in ENDED and not order.moving:
            self._step(order, Move.CANCELLED if ended is OrderState.CANCELLED else Move.REJECTED, t_ns, order.reason)

    def _step(self, order: Order, move: Move, t_ns: int, reason: str) -> None:
        following = TABLE[order.state].get(move)
        if following is None:
            return
        if following is not order.state:
            order.changed_t_ns = max(t_ns, order.changed_t_ns)
        order.state, order.reason = following, (reason or order.reason)[:64]
        if following in ENDED:
            order.moving = False

    # ------------------------------------------------------------------ small helpers
    def _ours(self, cloid: str) -> Order:
        order = self.orders.get(cloid)
        if order is None:
            raise OurFault(f"no such order: {cloid}")
        return order

    def _fault(self, name: str) -> None:
        self.faults[name] = self.faults.get(name, 0) + 1

    def _update(self, order: Order, t_ns: int) -> OrderUpdate:
        return OrderUpdate(
            t_ns=t_ns,
            coin=self.coin,
            cloid=order.cloid,
            oid=order.oid,
            side=order.side,
            px_u=order.px_u,
            sz_u=order.sz_u,
            filled_u=order.filled_u,
            state=order.state,
            reason=order.reason,
            level=order.level,
        )
