"""The market as the feed last told it, without us: the newest book, a newer touch put over it, our own size taken off.

This room decides which message still counts (venue time never goes back) and refuses crossed or unsorted ones. It
leaves to others: measuring the book (`analysis.py`) and whether it is fresh enough to quote on (`gate.py`).
"""

from __future__ import annotations

from typing import Any

from common.book import LevelU, check, subtract_own, touch_over
from common.messages import BookUpdate, Side, Touch
from quoter.own import OwnOrders
from quoter.state import ASK_SIDE, B_COUNT, B_ROWS, B_SIDE, BID_SIDE, VIEW_MAX


class MarketView:
    """Bids and asks of everyone but us, best first, in px_u and sz_u."""

    def __init__(self) -> None:
        self.bids: list[LevelU] = []
        self.asks: list[LevelU] = []
        self.venue_t_ns = 0
        self.recv_t_ns = 0
        self.fast_levels = 0
        self.deep_t_ns = 0
        self._book: BookUpdate | None = None
        self._touch: Touch | None = None

    def on_book(self, book: BookUpdate) -> bool:
        """Take a layered book; False when it is older than the one here.  Raises BadInput."""
        if self._book is not None and book.venue_t_ns < self._book.venue_t_ns:
            return False
        check(book.bids, book.asks)
        self._book = book
        self.fast_levels, self.deep_t_ns = book.fast_levels, book.deep_t_ns
        self._note(book)
        return True

    def on_touch(self, touch: Touch) -> bool:
        """Take a touch; False when it is older than what is here.  Raises BadInput."""
        if touch.venue_t_ns < self.venue_t_ns:
            return False
        if touch.bid_px_u and touch.ask_px_u:
            check([(touch.bid_px_u, touch.bid_sz_u)], [(touch.ask_px_u, touch.ask_sz_u)])
        self._touch = touch
        self._note(touch)
        return True

    def refresh(self, own: OwnOrders) -> None:
        """Make `bids` and `asks` anew from the newest messages and what is ours."""
        book, touch = self._book, self._touch
        bids: list[LevelU] = list(book.bids) if book else []
        asks: list[LevelU] = list(book.asks) if book else []
        if touch is not None and (book is None or touch.venue_t_ns >= book.venue_t_ns):
            bids, asks = touch_over(bids, asks, touch)
        self.bids = subtract_own(bids, own.sizes(Side.BID, self.venue_t_ns))
        self.asks = subtract_own(asks, own.sizes(Side.ASK, self.venue_t_ns))

    def write(self, vector: Any) -> None:
        """Put the market into a book vector (`B_*`)."""
        for side, levels in ((BID_SIDE, self.bids), (ASK_SIDE, self.asks)):
            flat = [number for level in levels[:VIEW_MAX] for number in level]
            at = B_ROWS + side * B_SIDE
            vector[B_COUNT + side] = len(flat) // 2
            vector[at : at + len(flat)] = flat

    def _note(self, message: BookUpdate | Touch) -> None:
        self.venue_t_ns = max(self.venue_t_ns, message.venue_t_ns)
        self.recv_t_ns = max(self.recv_t_ns, message.recv_t_ns)
