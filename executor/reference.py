"""What the executor itself knows of the market, to hold other services' wishes against.

Keeps the newest touch, book and context with the machine time of their arrival; decides nothing. Prices px_u.
"""

from __future__ import annotations

from common.clock import NS
from common.messages import AssetContext, BookUpdate, Touch


class Reference:
    """Own view of one market."""

    def __init__(self, age_s_max: float) -> None:
        self._age_ns_max = int(age_s_max * NS)
        self._bid_px_u = 0
        self._ask_px_u = 0
        self._venue_t_ns = 0
        self._touch_mono_ns = -(10**18)
        self.mark_px_u = 0
        self.oracle_px_u = 0
        self._context_mono_ns = -(10**18)

    def on_touch(self, touch: Touch, mono_ns: int) -> None:
        self._set(touch.venue_t_ns, touch.bid_px_u, touch.ask_px_u, mono_ns)

    def on_book(self, book: BookUpdate, mono_ns: int) -> None:
        """A book confirms that market data flows; its touch counts when it is not older than the one known."""
        bid_px_u = book.bids[0][0] if book.bids else 0
        ask_px_u = book.asks[0][0] if book.asks else 0
        self._set(book.venue_t_ns, bid_px_u, ask_px_u, mono_ns)

    def on_context(self, context: AssetContext, mono_ns: int) -> None:
        self.mark_px_u, self.oracle_px_u = context.mark_px_u, context.oracle_px_u
        self._context_mono_ns = mono_ns

    def forget(self) -> None:
        """The stream had a gap: nothing known is fresh."""
        self._touch_mono_ns = self._context_mono_ns = -(10**18)

    def touch(self, mono_ns: int) -> tuple[int, int]:
        """Best bid and ask, 0 where that side is empty or nothing fresh is known."""
        if not 0 <= mono_ns - self._touch_mono_ns <= self._age_ns_max:
            return 0, 0
        return self._bid_px_u, self._ask_px_u

    def mid2(self) -> int:
        """Bid + ask of the last touch however old it is; 0 = never seen or a side is empty."""
        return self._bid_px_u + self._ask_px_u if self._bid_px_u and self._ask_px_u else 0

    def prices(self, mono_ns: int) -> list[float]:
        """Every fresh price an order may be held against: the mid, mark and oracle."""
        bid_px_u, ask_px_u = self.touch(mono_ns)
        found = [(bid_px_u + ask_px_u) / 2] if bid_px_u and ask_px_u else []
        if 0 <= mono_ns - self._context_mono_ns <= self._age_ns_max:
            found += [float(px_u) for px_u in (self.mark_px_u, self.oracle_px_u) if px_u]
        return found

    def _set(self, venue_t_ns: int, bid_px_u: int, ask_px_u: int, mono_ns: int) -> None:
        self._touch_mono_ns = mono_ns
        if venue_t_ns >= self._venue_t_ns:
            self._venue_t_ns, self._bid_px_u, self._ask_px_u = venue_t_ns, bid_px_u, ask_px_u
