"""The forecast in the live engine: the feed's messages into features, features into the expected move of the mid.

Decides what each message means to the features (the feature clock of design 5) and when there is a forecast at all: a
model is installed, there is a mid, and no message was lost in the last 30 s. The features themselves and the forecast
are kernels, the same as in fit and replay. The market handed in is already without our own orders. Prices px_u.
"""

from __future__ import annotations

from typing import Any

from common.kernel import state
from common.messages import BookUpdate, TradePrint
from quoter.card import Card
from quoter.features import (
    FEATURES_MAX,
    doubt_flow,
    is_known,
    new_features,
    read_features,
    see_book,
    see_print,
    see_touch,
)
from quoter.forecast import M_DEVIATION, M_N, forecast_bps, new_model
from quoter.state import S_FORECAST, S_FORECAST_SD, S_FORECAST_WEIGHT
from quoter.view import MarketView


class Outlook:
    """Features of one coin and the model that reads them; `card` is the model in use, None = none."""

    def __init__(self, weight: float) -> None:
        self._weight = weight
        self._floats, self._ints, self._logs, self._times = new_features()
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
        see_book(
            self._floats, self._ints, self._logs, self._times, t_ns, book, view.fast_levels, view.deep_t_ns
        )  # fmt: skip
        self._t_ns = t_ns

    def on_market(self, message: object, view: MarketView, book: Any) -> None:
        """A touch or book that the view has taken."""
        if isinstance(message, BookUpdate):
            self.on_book(message.venue_t_ns, view, book)
        else:
            self.on_touch(view.venue_t_ns, view, book)

    def on_print(self, trade: TradePrint) -> None:
        see_print(self._floats, self._ints, trade.venue_t_ns, int(trade.side), trade.px_u, trade.sz_u)

    def on_gap(self) -> None:
        """Market data was lost."""
        doubt_flow(self._floats, self._ints, self._t_ns)

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
