"""A market written by hand for tests of the core: stamps of rows, and an exchange that plays them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from simvenue.book.queue_model import POWER
from simvenue.events import (
    CancelOrders,
    ModifyOrders,
    OrderSpec,
    Output,
    PlaceOrders,
    Reply,
    Request,
    Status,
    UserFill,
)
from simvenue.exchange import Exchange, Latency, MarketDef, QueueModel
from simvenue.source import ASK_LEVEL, BID_LEVEL, Rows, rows_of

MS = 1_000_000
S = 1_000 * MS
T0 = 1_780_000_000 * S
ANN, BOB = "0x" + "a1" * 20, "0x" + "b0" * 20

#: 1 px_u = 0.01 USD, 1 sz_u = 0.0001: a BTC-like market with USDC fees of 0.30 / 0.90 bps.
STANDX = MarketDef("sx:BTC", 210000, 4, 20, "USDC", "sx", True, False, 1.0, 0.0000125, 6000.0, 11, 0)

Row = tuple[int, int, int]


class Tape:
    """A `Source` over (ms after T0, rows)."""

    session_offset_ns = 0
    cut_ns = 0
    gaps_cut = 0

    def __init__(self, stamps: Iterable[tuple[float, Sequence[Row]]], visible: int = 20, kept: int = 512) -> None:
        self._stamps = [(T0 + int(ms * MS), list(rows)) for ms, rows in stamps]
        self.visible, self.kept = visible, kept

    def next_t_ns(self) -> int | None:
        return self._stamps[0][0] if self._stamps else None

    def take(self) -> Rows:
        return rows_of(self._stamps.pop(0)[1])

    def describe(self) -> dict[str, Any]:
        return {"market": "tape"}


def a_book(bid: int = 9_000_000, ask: int = 9_000_100, step: int = 100, sz: int = 1_000, levels: int = 5) -> list[Row]:
    """`levels` a side, `step` apart: 90,000 x 90,001 with 0.1 BTC a level."""
    bids = [(BID_LEVEL, bid - k * step, sz) for k in range(levels)]
    return bids + [(ASK_LEVEL, ask + k * step, sz) for k in range(levels)]


class Desk:
    """An exchange and the hand that types into it: zero latency unless asked for."""

    def __init__(
        self,
        *stamps: tuple[float, Sequence[Row]],
        market: MarketDef = STANDX,
        latency: Latency = Latency(),  # noqa: B008 (frozen)
        queue: QueueModel = "risk-averse",
        visible: int = 20,
        kept: int = 512,
        usd: int = 100_000,
        block_ms: int = 0,
        queue_power: float = POWER,
        first: Sequence[Row] | None = None,
    ) -> None:
        self.market = market
        self._block_ms = block_ms
        tape = Tape([(0, a_book() if first is None else first), *stamps], visible, kept)
        self.exchange = Exchange(
            [(market, tape)], origin_ns=T0, latency=latency, queue=queue, queue_power=queue_power,
            block_ns=block_ms * MS,
        )  # fmt: skip
        for address in (ANN, BOB):
            self.exchange.fund(address, usd)
        self.now_ms = 0.0
        self.outputs: list[Output] = self.exchange.advance(T0)
        self._sent = 0

    def until(self, ms: float) -> list[Output]:
        """Everything up to `ms` after T0."""
        self.now_ms = ms
        new = self.exchange.advance(T0 + int(ms * MS))
        self.outputs += new
        return new

    def spec(
        self, side: int, px: str, sz: str, tif: str = "Alo", reduce: bool = False, cloid: str | None = None
    ) -> OrderSpec:
        return OrderSpec(self.market.asset_id, side > 0, px, sz, reduce, tif, cloid)

    def place(self, side: int, px: str, sz: str, tif: str = "Alo", *, who: str = ANN, **more: Any) -> Status:
        """Send one order now and run until it has acted."""
        return self._send(PlaceOrders(who, (self.spec(side, px, sz, tif, **more),)))

    def modify(
        self, key: int | str, side: int, px: str, sz: str, tif: str = "Alo", *, who: str = ANN, **more: Any
    ) -> Status:
        return self._send(ModifyOrders(who, ((key, self.spec(side, px, sz, tif, **more)),)))

    def cancel(self, key: int | str, who: str = ANN) -> Status:
        return self._send(CancelOrders(who, ((self.market.asset_id, key),)))

    def _send(self, request: Request) -> Status:
        reply = self.ask(request)
        assert reply.error is None, reply.error
        return reply.statuses[0]

    def post(self, request: Request) -> int:
        """Send a request now; returns its number."""
        self._sent += 1
        self.exchange.submit(T0 + int(self.now_ms * MS), self._sent, request)
        return self._sent

    def ask(self, request: Request) -> Reply:
        """Send a request now and run until it has acted."""
        number = self.post(request)
        wait_ms = self.exchange.latency.order_ns / MS + self._block_ms
        self.until(self.now_ms + wait_ms)
        return next(o for o in reversed(self.outputs) if isinstance(o, Reply) and o.request_id == number)

    def fills(self, who: str = ANN) -> list[UserFill]:
        return self.exchange.fills(who)

    def of(self, kind: type[Any]) -> list[Any]:
        return [o for o in self.outputs if isinstance(o, kind)]

    def zero(self) -> Any:
        return self.exchange.ledger()["zero"]


def is_zero(sums: dict[str, Any]) -> bool:
    """Whether a ledger's `zero` tree is all zero."""
    return all(value == 0 if isinstance(value, int) else is_zero(value) for value in sums.values())
