"""Samples of our own recordings: the features at every book told, by the very path of the live quoter.

An own recording holds the venue's channels as they were received, so nothing is layered here: each message goes through
the market view and the outlook as in the engine. What was ours in the recorded book is in it still. Times are the
feature clock's, venue ns.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from common.errors import BadInput
from common.messages import AssetContext, BookUpdate, TradePrint
from quoter.outlook import Outlook
from quoter.own import OwnOrders
from quoter.references import Beside
from quoter.retold import Told, retold
from quoter.state import new_book
from quoter.view import MarketView

END_NS = 2**62


class Ear:
    """One market's messages into features."""

    def __init__(self, references: Sequence[str] = ()) -> None:
        self.outlook = Outlook(1.0, references)
        self._view, self._own, self._book = MarketView(), OwnOrders(), new_book()

    def hear(self, message: Told) -> bool:
        """Take a message; whether it told the book and there is a mid."""
        if isinstance(message, AssetContext):
            return False
        if isinstance(message, TradePrint):
            self.outlook.on_print(message)
            return False
        view = self._view
        try:
            taken = view.on_book(message) if isinstance(message, BookUpdate) else view.on_touch(message)
        except BadInput:  # crossed or unsorted: the quoter refuses it too
            return False
        if not taken:
            return False
        view.refresh(self._own)
        view.write(self._book)
        self.outlook.on_market(message, view, self._book)
        return self.outlook.has_mid


def hear(
    paths: Sequence[Path], coin: str, sz_decimals: int, beside: Beside, references: Sequence[str] = ()
) -> tuple[list[int], list[float], list[list[float]]]:
    """(times, log mids, features) of consecutive recordings, one memory through all of them."""
    ear = Ear(references)
    t_ns: list[int] = []
    log_mid: list[float] = []
    x: list[list[float]] = []
    for path in paths:
        for _recv_t_ns, messages in retold(path, coin, sz_decimals, 0, END_NS):
            for message in messages:
                if not isinstance(message, AssetContext):
                    beside.tell(ear.outlook.vectors, message.venue_t_ns)
                if ear.hear(message):
                    t_ns.append(ear.outlook.clock_ns)
                    log_mid.append(ear.outlook.log_mid)
                    x.append(ear.outlook.features())
    if not t_ns:
        raise BadInput("not_a_recording", f"{paths[0].name}: no book of {coin} was recorded")
    return t_ns, log_mid, x
