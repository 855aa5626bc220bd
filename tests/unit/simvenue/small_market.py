"""A small venue for tests of the shell: `km:US500` and `BTC`, each with a book that a list of stamps writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simvenue.exchange import Exchange, Latency, MarketDef
from simvenue.source import ASK_LEVEL, BID_LEVEL, BUY_PRINT, SELL_PRINT, Rows, rows_of

T0 = 1_780_000_000_000_000_000
MS = 1_000_000
USER = "0x" + "aa" * 20
LATENCY = Latency(feed_ns=100 * MS, order_ns=300 * MS, reply_ns=100 * MS)

US500 = MarketDef("km:US500", 150000, 3, 20, "USDH", "km", True, True, 1.0, 0.0000057078, 6000.0, 5, 0)
BTC = MarketDef("BTC", 0, 5, 40, "USDH", "", False, False, 0.0, 0.0000125, 20000.0, 0, 0)

Row = tuple[int, int, int]


def book(bid_px_u: int, ask_px_u: int, step: int, sz_u: int, levels: int = 25) -> list[Row]:
    """Rows that show `levels` a side, `step` apart."""
    bids = [(BID_LEVEL, bid_px_u - i * step, sz_u) for i in range(levels)]
    return bids + [(ASK_LEVEL, ask_px_u + i * step, sz_u) for i in range(levels)]


class Stamps:
    """A `Source` over a list of (market time, rows)."""

    visible = 25
    kept = 512
    session_offset_ns = 0
    cut_ns = 0
    gaps_cut = 0

    def __init__(self, stamps: Sequence[tuple[int, list[Row]]]) -> None:
        self._stamps = list(stamps)

    def next_t_ns(self) -> int | None:
        return self._stamps[0][0] if self._stamps else None

    def take(self) -> Rows:
        _, rows = self._stamps.pop(0)
        return rows_of(rows)

    def describe(self) -> dict[str, Any]:
        return {"name": "stamps"}


def a_market(later: Sequence[tuple[int, list[Row]]] = ()) -> list[tuple[int, list[Row]]]:
    """US500 at 752.44 x 752.46 with 10 contracts a level; `later` stamps count from T0 in ms."""
    return [(T0, book(752440, 752460, 10, 10_000)), *((T0 + ms * MS, rows) for ms, rows in later)]


def an_exchange(
    later: Sequence[tuple[int, list[Row]]] = (), *, latency: Latency = LATENCY, us500: MarketDef = US500
) -> Exchange:
    markets = [
        (us500, Stamps(a_market(later))),
        (BTC, Stamps([(T0, book(775620, 775630, 10, 100_000))])),
    ]
    exchange = Exchange(markets, origin_ns=T0, latency=latency)
    exchange.fund(USER, 100_000)
    return exchange


__all__ = ["ASK_LEVEL", "BID_LEVEL", "BTC", "BUY_PRINT", "LATENCY", "MS", "SELL_PRINT", "T0", "US500", "USER"]
