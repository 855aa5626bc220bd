"""What the market looks like now, from `md:{coin}`: touch, book, mark, oracle, volatility, and how old it is.

Prices in px_u, mids doubled (bid + ask). Data age counts machine time since the newest *newer* touch or book.
"""

from __future__ import annotations

from typing import Any

from common.messages import AssetContext, BookUpdate, MarketSpec, Touch
from common.stats import Vol, VolMeter
from common.ticks import px_decimals

S = 1_000_000_000
BOOK_ROWS = 20


class MarketView:
    """Touch, book and context of one coin; `vol` runs on a 5 s grid from the session's origin."""

    def __init__(self, coin: str) -> None:
        self.coin = coin
        self.spec: MarketSpec | None = None
        self.context: AssetContext | None = None
        self.book: BookUpdate | None = None
        self.bid: tuple[int, int] = (0, 0)
        self.ask: tuple[int, int] = (0, 0)
        self.venue_t_ns = 0
        self.fresh_mono_ns: int | None = None
        self._vol: VolMeter | None = None

    def begin(self, origin_t_ns: int) -> None:
        """Volatility is measured from here on."""
        if self._vol is None:
            self._vol = VolMeter(origin_t_ns)

    def on(self, message: Any, mono_ns: int) -> int:
        """Take one market message; the doubled mid when it changed the touch, else 0."""
        match message:
            case MarketSpec():
                self.spec = message
            case AssetContext():
                self.context = message
            case Touch():
                bid, ask = (message.bid_px_u, message.bid_sz_u), (message.ask_px_u, message.ask_sz_u)
                return self._touch(message.venue_t_ns, bid, ask, mono_ns)
            case BookUpdate():
                self.book = message
                bid = message.bids[0] if message.bids else (0, 0)
                ask = message.asks[0] if message.asks else (0, 0)
                return self._touch(message.venue_t_ns, bid, ask, mono_ns)
        return 0

    def _touch(self, venue_t_ns: int, bid: tuple[int, int], ask: tuple[int, int], mono_ns: int) -> int:
        if venue_t_ns < self.venue_t_ns:
            return 0
        if venue_t_ns > self.venue_t_ns:
            self.fresh_mono_ns = mono_ns
        self.venue_t_ns, self.bid, self.ask = venue_t_ns, bid, ask
        if self._vol is not None and self.mid2_px_u:
            self._vol.on_mid(venue_t_ns, self.mid2_px_u)
        return self.mid2_px_u

    @property
    def mid2_px_u(self) -> int:
        """Bid + ask; 0 while a side is empty."""
        return self.bid[0] + self.ask[0] if self.bid[0] and self.ask[0] else 0

    @property
    def mark_px_u(self) -> int:
        """The venue's mark, else the mid; 0 = neither is known."""
        return self.context.mark_px_u if self.context else self.mid2_px_u // 2

    @property
    def sz_decimals(self) -> int:
        return self.spec.sz_decimals if self.spec else 0

    def data_age_s(self, mono_ns: int) -> float | None:
        return None if self.fresh_mono_ns is None else (mono_ns - self.fresh_mono_ns) / S

    def volatility(self, t_ns: int) -> Vol | None:
        """Annualised rms of 5 s mid returns since the session's origin."""
        return self._vol.read(max(t_ns, self.venue_t_ns)) if self._vol else None

    def row(self, mono_ns: int) -> dict[str, object]:
        """The market for people: plain numbers, None for what is not known."""
        spec, context, age_s = self.spec, self.context, self.data_age_s(mono_ns)
        scale = 10.0 ** px_decimals(self.sz_decimals)
        mid2 = self.mid2_px_u
        return {
            "coin": self.coin,
            "asset_id": spec.asset_id if spec else None,
            "collateral": spec.collateral if spec else None,
            "sz_decimals": self.sz_decimals,
            "px_decimals": px_decimals(self.sz_decimals),
            "max_leverage": spec.max_leverage if spec else None,
            "growth_mode": spec.growth_mode if spec else None,
            "bid": self.bid[0] / scale if self.bid[0] else None,
            "ask": self.ask[0] / scale if self.ask[0] else None,
            "mid": mid2 / 2.0 / scale if mid2 else None,
            "spread_bps": round(2e4 * (self.ask[0] - self.bid[0]) / mid2, 4) if mid2 else None,
            "mark": context.mark_px_u / scale if context else None,
            "mark_px_u": self.mark_px_u or None,
            "oracle": context.oracle_px_u / scale if context else None,
            "funding_rate_1h": context.funding_rate_1h if context else None,
            "data_age_s": None if age_s is None else round(age_s, 2),
            "book": self._book(scale),
        }

    def _book(self, scale: float) -> dict[str, list[list[float]]]:
        lots = 10.0**self.sz_decimals
        sides = (self.book.bids, self.book.asks) if self.book else ([], [])
        bids, asks = ([[px / scale, sz / lots] for px, sz in side[:BOOK_ROWS]] for side in sides)
        return {"bids": bids, "asks": asks}
