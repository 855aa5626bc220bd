"""The forecast in the live engine: the feed's messages into features, features into the expected move of the mid.

Decides what each message means to the features (the feature clock of design 5) and when there is a forecast at all: a
model is installed, there is a mid, and no message was lost in the last 30 s. The features themselves and the forecast
are kernels, the same as in fit and replay. The market handed in is already without our own orders; of reference
markets only the mid counts, at every touch and book of theirs. Prices px_u, each market's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from common.kernel import state
from common.messages import BookUpdate, Touch, TradePrint
from quoter.card import Card
from quoter.features import (
    F_LOG_MID,
    FEATURES_MAX,
    J_MID,
    J_T,
    doubt_flow,
    is_known,
    new_features,
    read_features,
    see_book,
    see_print,
    see_reference,
    see_touch,
)
from quoter.forecast import M_DEVIATION, M_N, forecast_bps, new_model
from quoter.state import S_FORECAST, S_FORECAST_SD, S_FORECAST_WEIGHT
from quoter.view import MarketView


class Outlook:
    """Features of one coin and the model that reads them; `card` is the model in use, None = none."""

    def __init__(self, weight: float, references: Sequence[str] = ()) -> None:
        """`references`: other coins in the order of their features."""
        self._weight = weight
        self._slots = {coin: slot for slot, coin in enumerate(references)}
        self._floats, self._ints, self._logs, self._times = self.vectors = new_features(len(references))
        self._x = state(FEATURES_MAX)
        self._model = new_model()
        self._t_ns = 0
        self.card: Card | None = None

    def install(self, card: Card | None) -> None:
        """Use this model from the next decision on; features go on as they are."""
        self.card = card
        self._model = new_model() if card is None else card.model()

    def on_touch(self, t_ns: int, view: MarketView, book: Any) -> None:
        """After a touch of venue time `t_ns`; `book` is the merged market as a vector."""
        bid = view.bids[0] if view.bids else (0, 0)
        ask = view.asks[0] if view.asks else (0, 0)
        see_touch(self._floats, self._ints, t_ns, *bid, *ask)
        self.on_book(t_ns, view, book)

    def on_book(self, t_ns: int, view: MarketView, book: Any) -> None:
        """After a layered book of venue time `t_ns`."""
        see_book(*self.vectors, t_ns, book, view.fast_levels, view.deep_t_ns)
        self._t_ns = t_ns

    def on_market(self, message: object, view: MarketView, book: Any) -> None:
        """A touch or book that the view has taken."""
        if isinstance(message, BookUpdate):
            self.on_book(message.venue_t_ns, view, book)
        else:
            self.on_touch(view.venue_t_ns, view, book)

    def on_reference(self, message: Touch | BookUpdate) -> bool:
        """A reference market's touch or book; False when it is none of ours, or one-sided: then it says nothing."""
        slot = self._slots.get(message.coin)
        bid_px_u, ask_px_u = best_of(message)
        if slot is None or not bid_px_u or not ask_px_u:
            return False
        see_reference(*self.vectors, slot, message.venue_t_ns, 0.5 * (float(bid_px_u) + float(ask_px_u)))
        return True

    def on_print(self, trade: TradePrint) -> None:
        see_print(self._floats, self._ints, trade.venue_t_ns, int(trade.side), trade.px_u, trade.sz_u)

    def on_gap(self) -> None:
        """Market data was lost."""
        doubt_flow(self._floats, self._ints, self._t_ns)

    @property
    def clock_ns(self) -> int:
        return int(self._ints[J_T])

    @property
    def has_mid(self) -> bool:
        return bool(self._ints[J_MID])

    @property
    def log_mid(self) -> float:
        return float(self._floats[F_LOG_MID])

    def features(self) -> list[float]:
        """The feature vector as of the last message."""
        n = read_features(self._floats, self._ints, self._logs, self._times, self._x)
        return [float(value) for value in self._x[:n]]

    def expect(self, quoter_state: Any) -> None:
        """Put the forecast and its weight where the kernels look; weight 0 = there is none."""
        quoter_state[S_FORECAST], quoter_state[S_FORECAST_WEIGHT] = 0.0, 0.0
        quoter_state[S_FORECAST_SD] = self._model[M_DEVIATION]
        if self._model[M_N] > 0.0 and is_known(self._ints):
            read_features(self._floats, self._ints, self._logs, self._times, self._x)
            quoter_state[S_FORECAST] = forecast_bps(self._model, self._x)
            quoter_state[S_FORECAST_WEIGHT] = self._weight


def best_of(message: Touch | BookUpdate) -> tuple[int, int]:
    """Best bid and ask (px_u), 0 = that side is empty."""
    if isinstance(message, Touch):
        return message.bid_px_u, message.ask_px_u
    return message.bids[0][0] if message.bids else 0, message.asks[0][0] if message.asks else 0
