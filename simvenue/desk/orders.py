"""Every order the venue has seen: by its own number, by the client's, and open ones by address.

Keeps the last `CLOSED_MAX` finished orders for questions that come late; decides nothing. Sizes are sz_u, prices px_u.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

OPEN = "open"
CLOSED_MAX = 50_000
FIRST_OID = 100_000_000_001


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order as reads show it."""

    coin: str
    side: int  # BUY / SELL
    px_u: int
    sz_u: int  # remaining
    orig_sz_u: int
    oid: int
    cloid: str | None
    tif: str  # Alo, Ioc, Gtc
    reduce_only: bool
    placed_t_ns: int


@dataclass(frozen=True, slots=True)
class OrderState:
    """Last known state of an order, live or gone; `status` is the venue's word (open, filled, canceled ...)."""

    order: OpenOrder
    status: str
    status_t_ns: int


@dataclass(slots=True, eq=False)
class Order:
    """One order while the venue works with it; `slot` is its row in the market's table, -1 when it does not rest."""

    address: str
    coin: str
    asset: int
    side: int
    px_u: int
    sz_u: int  # remaining
    orig_sz_u: int
    tif: str
    reduce_only: bool
    cloid: str | None
    oid: int
    placed_t_ns: int
    status: str = OPEN
    status_t_ns: int = 0
    slot: int = -1
    told: str = ""  # the status its owner last heard

    @property
    def shown(self) -> OpenOrder:
        return OpenOrder(
            self.coin, self.side, self.px_u, self.sz_u, self.orig_sz_u, self.oid, self.cloid, self.tif,
            self.reduce_only, self.placed_t_ns,
        )  # fmt: skip

    @property
    def state(self) -> OrderState:
        return OrderState(self.shown, self.status, self.status_t_ns)


class Registry:
    """All orders of one venue."""

    def __init__(self) -> None:
        self._next_oid = FIRST_OID
        self._by_oid: dict[int, Order] = {}
        self._by_cloid: dict[tuple[str, str], Order] = {}
        self._open: dict[str, dict[int, Order]] = {}
        self._closed: deque[Order] = deque()

    def next_oid(self) -> int:
        self._next_oid += 1
        return self._next_oid - 1

    def add(self, order: Order) -> None:
        """Know an order from now on; the newest bearer of a client's number answers to it."""
        self._by_oid[order.oid] = order
        if order.cloid is not None:
            self._by_cloid[order.address, order.cloid] = order
        if order.status == OPEN:
            self._open.setdefault(order.address, {})[order.oid] = order
        else:
            self._retire(order)

    def close(self, order: Order, status: str, t_ns: int) -> None:
        order.status, order.status_t_ns = status, t_ns
        if self._open.get(order.address, {}).pop(order.oid, None) is not None:
            self._retire(order)

    def find(self, address: str, key: int | str) -> Order | None:
        """The address's order with this oid (int) or cloid (text)."""
        order = self._by_oid.get(key) if isinstance(key, int) else self._by_cloid.get((address, key))
        return order if order is not None and order.address == address else None

    def find_open(self, address: str, key: int | str) -> Order | None:
        order = self.find(address, key)
        return order if order is not None and order.status == OPEN else None

    def open_of(self, address: str) -> list[Order]:
        """Open orders, oldest first."""
        return list(self._open.get(address, {}).values())

    def open_count(self, address: str) -> int:
        return len(self._open.get(address, {}))

    def all_open(self) -> list[Order]:
        return [order for orders in self._open.values() for order in orders.values()]

    def _retire(self, order: Order) -> None:
        self._closed.append(order)
        if len(self._closed) > CLOSED_MAX:
            old = self._closed.popleft()
            del self._by_oid[old.oid]
            if old.cloid is not None and self._by_cloid.get((old.address, old.cloid)) is old:
                del self._by_cloid[old.address, old.cloid]
