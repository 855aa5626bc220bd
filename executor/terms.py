"""At which terms orders move now: hold thresholds, the action's price, and what the quoter knows of the market.

Fills the vector of `economics.py` for one side from the newest ladder's figures; a ladder without figures leaves the
hold thresholds alone. Decides nothing itself. It also adds up, for people, what the moves sent were expected to gain
and what they cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from common.config import Settings
from common.messages import Ladder, Side
from common.ticks import tick_u
from executor.diff import SIZE_RATIO, Change, What
from executor.economics import (
    BPS,
    T_A,
    T_FAIR,
    T_FLOOR,
    T_IN,
    T_K,
    T_LIFE,
    T_OUT,
    T_PRICE,
    T_QUEUE,
    T_SHARE,
    T_SIZE,
    away_bps,
    band_bps,
    cost_usd,
    fill_chance,
    gain_usd,
    new_terms,
)

PRICE_MAX_USD = 1e3
"""Stands for a price without end: an empty budget."""


class Terms:
    """One vector, filled anew for each side of each plan; `price_usd` and `bands` are what the last plan went by."""

    def __init__(self, settings: Settings) -> None:
        self._queue_ticks = settings.execution.queue_ticks
        self._vector = new_terms()
        self.price_usd = 0.0
        self.bands: dict[Side, float] = {}
        self._gained_usd = self._paid_usd = 0.0
        for place, value in (
            (T_OUT, settings.quoting.out_bps), (T_IN, settings.quoting.in_bps), (T_SIZE, SIZE_RATIO),
            (T_LIFE, settings.quoting.forecast_horizon_s), (T_SHARE, settings.execution.hold_share_max),
        ):  # fmt: skip
            self._vector[place] = value

    def of(self, ladder: Ladder, side: Side, price_usd: float, sz_decimals: int) -> Any:
        """The terms of a side while an action costs `price_usd` (infinite: none is left)."""
        vector, inputs = self._vector, ladder.inputs
        self.price_usd = vector[T_PRICE] = min(price_usd, PRICE_MAX_USD)
        vector[T_FAIR] = 0.0
        if inputs is None or inputs.fair_px <= 0.0:
            return vector
        floor_bps = inputs.floor_bid_bps if side is Side.BID else inputs.floor_ask_bps
        tick_bps = tick_u(max(int(inputs.fair_px), 1), sz_decimals) / inputs.fair_px / BPS
        for place, value in (
            (T_A, inputs.fill_a_per_s), (T_K, inputs.fill_k_per_bps), (T_FAIR, inputs.fair_px), (T_FLOOR, floor_bps),
            (T_QUEUE, self._queue_ticks * tick_bps),
        ):  # fmt: skip
            vector[place] = value
        levels = ladder.bids if side is Side.BID else ladder.asks
        if levels:
            self._note_band(side, levels[0].px_u, levels[0].sz_u)
        return vector

    def note(self, ladder: Ladder, sent: Sequence[Change], sz_decimals: int) -> None:
        """Add up what the moves just sent are expected to gain and what they cost."""
        for change in sent:
            if change.what in (What.INWARD, What.OUTWARD):
                self.of(ladder, change.side, self.price_usd, sz_decimals)
                usd = change.px_u * change.sz_u / 1e6
                chance, _ = self._chance(change.side, change.px_u)
                self._gained_usd += float(gain_usd(usd, change.gap_bps, chance))
                self._paid_usd += float(cost_usd(usd, self.price_usd, 0.0, chance))

    def take(self) -> tuple[float, float]:
        """USD (gained, paid) since the last call."""
        found = self._gained_usd, self._paid_usd
        self._gained_usd = self._paid_usd = 0.0
        return found

    def _chance(self, side: Side, px_u: int) -> tuple[float, float]:
        """(chance of a fill, distance in bps) of a price; no chance where the market is not known."""
        vector = self._vector
        if vector[T_FAIR] <= 0.0:
            return 0.0, 0.0
        distance_bps = max(float(away_bps(float(vector[T_FAIR]), px_u, int(side))), 0.0)
        known = float(vector[T_A]), float(vector[T_K])
        return float(fill_chance(*known, distance_bps, float(vector[T_LIFE]))), distance_bps

    def _note_band(self, side: Side, px_u: int, sz_u: int) -> None:
        """How far off the innermost level of the side may be, for people."""
        vector = self._vector
        chance, distance_bps = self._chance(side, px_u)
        hold = max(float(vector[T_OUT]), float(vector[T_IN]))
        most = float(vector[T_SHARE]) * distance_bps
        self.bands[side] = max(hold, float(band_bps(px_u * sz_u / 1e6, self.price_usd, 0.0, chance, most)))
