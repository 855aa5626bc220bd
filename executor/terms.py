"""At which terms orders move now: hold thresholds, the action's price, and what the quoter knows of the market.

Fills the vector of `economics.py` for one side from the newest ladder's figures; a ladder without figures leaves the
hold thresholds alone. Decides nothing itself. It also adds up, for people, what the moves sent were expected to gain
and what they cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from common.kernel import kernel, state
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

if TYPE_CHECKING:
    from common.config import Settings

PRICE_MAX_USD = 1e3
"""Stands for a price without end: an empty budget."""


(
    F_IS_KNOWN,  # 1.0 = the ladder came with figures
    F_FAIR,  # px_u
    F_FLOOR,  # bps of the bids, then of the asks
    _F_FLOOR_ASK,
    F_A,  # 1/s, fill intensity at the fair price
    F_K,  # 1/bps
    F_QUEUE_TICKS,
    F_DECIMALS,  # of sizes
    F_LEN,
) = range(9)
"""What a ladder says of the market."""


@kernel("void(f8[::1], f8[::1], i8, f8)")
def set_terms(terms: list[float], facts: list[float], side: int, price_usd: float) -> None:
    """The terms of a side (0 bids) while an action costs `price_usd`."""
    terms[T_PRICE] = price_usd
    terms[T_FAIR] = 0.0
    fair = facts[F_FAIR]
    if facts[F_IS_KNOWN] == 0.0 or fair <= 0.0:
        return
    terms[T_A] = facts[F_A]
    terms[T_K] = facts[F_K]
    terms[T_FAIR] = fair
    terms[T_FLOOR] = facts[F_FLOOR + side]
    terms[T_QUEUE] = facts[F_QUEUE_TICKS] * (float(tick_u(max(int(fair), 1), int(facts[F_DECIMALS]))) / fair / BPS)


def new_terms_of(settings: Settings) -> Any:
    """The vector with what the configuration says."""
    terms = new_terms()
    for place, value in (
        (T_OUT, settings.quoting.out_bps), (T_IN, settings.quoting.in_bps), (T_SIZE, SIZE_RATIO),
        (T_LIFE, settings.quoting.forecast_horizon_s), (T_SHARE, settings.execution.hold_share_max),
    ):  # fmt: skip
        terms[place] = value
    return terms


class Terms:
    """One vector, filled anew for each side of each plan; `price_usd` and `bands` are what the last plan went by."""

    def __init__(self, settings: Settings) -> None:
        self.vector = new_terms_of(settings)
        self.facts = state(F_LEN)
        self.facts[F_QUEUE_TICKS] = settings.execution.queue_ticks
        self.price_usd = 0.0
        self.bands: dict[Side, float] = {}
        self._gained_usd = self._paid_usd = 0.0

    def look(self, ladder: Ladder, price_usd: float, sz_decimals: int) -> None:
        """A plan begins: take the ladder's figures, and note for people how far off orders may be (`bands`)."""
        self.price_usd = min(price_usd, PRICE_MAX_USD)
        facts, inputs = self.facts, ladder.inputs
        facts[F_IS_KNOWN], facts[F_FAIR], facts[F_DECIMALS] = float(inputs is not None), 0.0, float(sz_decimals)
        if inputs is None:
            return
        for place, value in (
            (F_FAIR, inputs.fair_px), (F_FLOOR, inputs.floor_bid_bps), (F_FLOOR + 1, inputs.floor_ask_bps),
            (F_A, inputs.fill_a_per_s), (F_K, inputs.fill_k_per_bps),
        ):  # fmt: skip
            facts[place] = value
        if inputs.fair_px <= 0.0:
            return
        for side, levels in ((Side.BID, ladder.bids), (Side.ASK, ladder.asks)):
            if levels:
                self._note_band(side, levels[0].px_u, levels[0].sz_u)

    def note(self, sent: Sequence[Change]) -> None:
        """Add up what the moves just sent are expected to gain and what they cost."""
        for change in sent:
            if change.what in (What.INWARD, What.OUTWARD):
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
        vector = self.vector
        set_terms(vector, self.facts, 0 if side is Side.BID else 1, self.price_usd)
        if vector[T_FAIR] <= 0.0:
            return 0.0, 0.0
        distance_bps = max(float(away_bps(float(vector[T_FAIR]), px_u, int(side))), 0.0)
        known = float(vector[T_A]), float(vector[T_K])
        return float(fill_chance(*known, distance_bps, float(vector[T_LIFE]))), distance_bps

    def _note_band(self, side: Side, px_u: int, sz_u: int) -> None:
        """How far off the innermost level of the side may be, for people."""
        vector = self.vector
        chance, distance_bps = self._chance(side, px_u)
        hold = max(float(vector[T_OUT]), float(vector[T_IN]))
        most = float(vector[T_SHARE]) * distance_bps
        self.bands[side] = max(hold, float(band_bps(px_u * sz_u / 1e6, self.price_usd, 0.0, chance, most)))
