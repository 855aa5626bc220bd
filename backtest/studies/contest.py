"""All quoters on the same tape under the same terms, one after the other, each with its figures.

Decides what each comparison means: which hours a placebo is given, what counts as the best fixed spread in hindsight,
and what a markout interval says of an edge. What the quoters are is decided in `quoters.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtest import quoters
from backtest.playing import Played, Terms, play
from backtest.quoters import HINDSIGHT_BPS, Quoter, Stall
from backtest.scoring import figures, markout
from backtest.studies.gating import for_span, gate_line, gated
from backtest.tape import Tape
from common.config import PROFILES
from quoter.card import Card
from quoter.state import NS

PLACEBO_NS = 3600 * NS
HINDSIGHT_FILLS = 100.0
"""A fixed spread that fills less often a day is no quoter."""

NAMES = ("symmetric", "touch", "grid", "seeds", "best_fixed", "tiered", "lean", "placebo", "bare_lean")
WITH_MODEL = ("lean", "placebo", "bare_lean")

NO_EDGE, EDGE, UNDECIDED = "no edge here", "edge", "undecided"


@dataclass(frozen=True, slots=True)
class Entry:
    """One quoter's result."""

    name: str
    note: str
    played: Played
    figures: dict[str, Any]


def verdict(played: Played, fee_bps: float) -> str:
    """What the edge gate's rule says of the net 60 s markout: upper bound below 0, lower bound above 0, or neither."""
    found = markout(played, 60, fee_bps)
    if found is None or found.lo is None or found.hi is None:
        return UNDECIDED
    if found.hi < 0.0:
        return NO_EDGE
    return EDGE if found.lo > 0.0 else UNDECIDED


def earlier(stamp_ns: Any, forecast: Any, by_ns: int) -> Any:
    """Each instant's newest forecast of so much earlier; before the first hour that of the recording's beginning."""
    told = np.maximum.accumulate(np.where(forecast != 0.0, np.arange(len(forecast)), 0))
    stamps = np.asarray(stamp_ns)
    at = np.maximum(np.searchsorted(stamps, stamps - by_ns, "right") - 1, 0)
    return forecast[told[at]]


class Contest:
    """The tape, the terms and the forecast that all quoters share."""

    def __init__(
        self, tape: Tape, terms: Terms, stall: Stall, card: Card | None, *, executes: bool = False
    ) -> None:  # fmt: skip
        """`executes`: the production ladders have the production executor, else a plain desk that follows them."""
        self._executes = executes
        self._tape, self._terms, self._stall, self._card = tape, terms, stall, card
        stamps = np.asarray(tape.stamp_ns)
        self._gate = for_span(stall.settings, stamps[(stamps >= terms.from_t_ns) & (stamps <= terms.to_t_ns)])
        self._model = card.model() if card is not None else None
        self._forecast: Any = None  # of each instant, once a quoter has made it

    def run(self, wanted: tuple[str, ...]) -> Iterator[Entry]:
        """The quoters in the order asked for; those that need a forecast only when there is one."""
        for name in wanted:
            if self._card is None and name in WITH_MODEL:
                continue
            makers: dict[str, Callable[[], Entry]] = {"best_fixed": self._best_fixed, "placebo": self._placebo}
            yield makers[name]() if name in makers else self._entry(name, self._make(name), "")

    def _make(self, name: str) -> Quoter:
        stall = self._stall
        if name in PROFILES:
            weight = stall.settings.quoting.forecast_weight if self._card is not None else 0.0
            return quoters.production(stall, name, weight=weight, executes=self._executes)
        if name == "bare_lean" and self._card is not None:
            return quoters.bare_lean(stall, self._card.forecast_deviation_bps)
        plain = {"symmetric": quoters.symmetric, "touch": quoters.touch, "grid": quoters.grid, "seeds": quoters.seeds}
        return plain[name](stall)

    def _entry(self, name: str, quoter: Quoter, note: str, given: Any = None) -> Entry:
        """Figures of the whole span, and beside them what the edge gate would have made of it."""
        played = play(self._tape, quoter, self._terms, self._model, given)
        if quoter.uses_forecast and given is None:
            self._forecast = played.forecast
        fee_bps = self._stall.fee_bps
        found = {**figures(played, self._terms, fee_bps), "verdict": verdict(played, fee_bps), "note": note}
        under = gated(
            self._tape, quoter, self._terms, self._gate, fee_bps, model=self._model, given=given, played=played
        )
        found["gate"] = gate_line(under, self._gate, fee_bps)
        return Entry(name, note, played, found)

    def _best_fixed(self) -> Entry:
        """The fixed distance with the best edge among those that trade, chosen knowing the day."""
        found = [
            self._entry("best_fixed", quoters.fixed(self._stall, bps, "best_fixed"), f"{bps:g} bps")
            for bps in HINDSIGHT_BPS
        ]
        trading = [e for e in found if e.figures["fills_per_day"] >= HINDSIGHT_FILLS] or found[:1]
        return max(trading, key=lambda e: e.figures["edge_bps"]["mean"] or -1e9)

    def _placebo(self) -> Entry:
        """`lean` told the forecast of an hour ago."""
        if self._forecast is None:
            self._entry("lean", self._make("lean"), "")
        given = earlier(self._tape.stamp_ns, self._forecast, PLACEBO_NS)
        return self._entry("placebo", self._make("lean"), "forecast of an hour ago", given)
