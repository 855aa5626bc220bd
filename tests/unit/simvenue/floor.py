"""A venue whose marks a test sets: several markets and collaterals, a quiet book in each, zero latency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from simvenue.events import OrderSpec, Output, PlaceOrders, Reply, Status
from simvenue.exchange import Exchange, Latency, MarketDef
from simvenue.source import ASK_LEVEL, BID_LEVEL, Told
from tests.unit.simvenue.tape import ANN, BOB, STANDX, T0, Row, S, Tape

CAT = "0x" + "c4" * 20
USD = 10**8
BTC = MarketDef("BTC", 0, 5, 40, "USDC", "", False, False, 0.0, 0.0000125, 20000.0, 0, 0)
US500 = MarketDef("km:US500", 150000, 3, 20, "USDH", "km", True, True, 1.0, 0.0000057078, 6000.0, 5, 0)
#: A second builder market in USDC whose margin can never be taken out.
STRICT = replace(STANDX, coin="sx:OIL", asset_id=210001, asset_index=1, margin_mode="strictIsolated")


class ToldTape(Tape):
    """Also says oracle and mark, as a mirrored venue does."""

    def __init__(self, rows: Sequence[Row], px_u: int) -> None:
        super().__init__([(0, rows)])
        self.told: Told | None = Told(px_u, px_u, 0.0, None)

    def add(self, t_ns: int, rows: Sequence[Row]) -> None:
        """More rows, at market time t_ns."""
        self._stamps.append((t_ns, list(rows)))


def a_thick_book(px_u: int, step: int, sz_u: int, levels: int = 5) -> list[Row]:
    """`levels` a side, one step from px_u and one step apart."""
    bids = [(BID_LEVEL, px_u - (k + 1) * step, sz_u) for k in range(levels)]
    return bids + [(ASK_LEVEL, px_u + (k + 1) * step, sz_u) for k in range(levels)]


class Floor:
    """Markets around a price each; the hand that sets marks and types orders."""

    def __init__(
        self,
        *markets: tuple[MarketDef, int, int],
        usd: int = 10_000,
        sz_u: int = 100_000,
        who: Sequence[str] = (ANN, BOB),
    ) -> None:
        """Each market is (definition, price px_u, step px_u)."""
        self.tapes = {m.coin: ToldTape(a_thick_book(px, step, sz_u), px) for m, px, step in markets}
        self.markets = {m.coin: m for m, _, _ in markets}
        pairs = [(m, self.tapes[m.coin]) for m, _, _ in markets]
        self.exchange = Exchange(pairs, origin_ns=T0, latency=Latency())
        for address in who:
            self.exchange.fund(address, usd)
        self.now_ns = T0
        self.outputs: list[Output] = self.exchange.advance(T0)
        self._sent = 0

    def wait(self, seconds: float) -> list[Output]:
        self.now_ns += int(seconds * S)
        new = self.exchange.advance(self.now_ns)
        self.outputs += new
        return new

    def mark(self, coin: str, px_u: int, *, book: Sequence[Row] = ()) -> list[Output]:
        """The market's mark and oracle are px_u from the next update on, which is waited for; `book` changes first."""
        if book:
            self.tapes[coin].add(self.now_ns, book)
        self.tapes[coin].told = Told(px_u, px_u, 0.0, None)
        return self.wait(3)

    def trade(
        self, side: int, coin: str, px: str, sz: str, tif: str = "Ioc", *, who: str = ANN, reduce: bool = False
    ) -> Status:
        spec = OrderSpec(self.markets[coin].asset_id, side > 0, px, sz, reduce, tif)
        self._sent += 1
        self.exchange.submit(self.now_ns, self._sent, PlaceOrders(who, (spec,)))
        self.wait(0)
        reply = next(o for o in reversed(self.outputs) if isinstance(o, Reply) and o.request_id == self._sent)
        assert reply.error is None, reply.error
        return reply.statuses[0]

    def of(self, kind: type[Any]) -> list[Any]:
        return [o for o in self.outputs if isinstance(o, kind)]

    def zero(self) -> list[dict[str, Any]]:
        """Every collateral's sums."""
        ledger = self.exchange.ledger()
        return [ledger["zero"], *(books["zero"] for books in ledger["collaterals"].values())]


def empty(rows: Sequence[Row]) -> list[Row]:
    """The rows that take these levels away."""
    return [(what, px, 0) for what, px, _ in rows]
