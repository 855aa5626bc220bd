"""A quote engine with a shadow: the compiled replay's kernels on the same told book, compared bit by bit.

The shadow has vectors of its own. It is told what a replay is told (account, permit, sessions, forecast, position, what
own fills taught) and everything else it must work out itself, with the very kernels `backtest/replay.py` calls
(`deciding.measure` at each told book, `deciding.decide` at each decision). After each decision the target and both
state vectors must be the same to the last bit.
"""

from __future__ import annotations

import struct
from typing import Any, TypeAlias

from backtest.loop.deciding import PRODUCTION, decide, measure
from backtest.tape import Tape
from common.config import Settings
from common.kernel import state as new_vector
from common.markout import Scored
from common.messages import BookUpdate, Touch, TradePrint
from common.sessions import Calendar
from quoter.engine import QuoteEngine
from quoter.features import new_features
from quoter.intensity import see_print
from quoter.layering import C_TOUCH, TOLD_TOUCH, new_channels
from quoter.rebuilt import new_side
from quoter.sampling import see_instant
from quoter.state import (
    I_POSITION,
    I_POSITION_T,
    I_REDUCING,
    I_SZ_DECIMALS,
    S_EQUITY,
    S_FEE,
    S_FORECAST,
    S_FORECAST_SD,
    S_FORECAST_WEIGHT,
    S_HARD,
    S_MARGIN,
    S_ORACLE,
    S_SESSION_INVENTORY,
    S_SESSION_SIZE,
    S_SESSION_SPREAD,
    S_SIZE_SCALE,
    S_SOFT,
    S_SPREAD_SCALE,
    S_VOL_MODEL,
    new_book,
    new_out,
    new_state,
)

Told: TypeAlias = tuple[int, tuple[int, int], tuple[int, int]]
"""Venue time ns, best bid and best ask as (px_u, sz_u), (0, 0) = that side is empty."""

TOLD_FLOATS = (
    S_EQUITY, S_FEE, S_HARD, S_SOFT, S_SIZE_SCALE, S_SPREAD_SCALE, S_MARGIN, S_ORACLE, S_FORECAST, S_FORECAST_WEIGHT,
    S_FORECAST_SD, S_SESSION_SPREAD, S_SESSION_SIZE, S_SESSION_INVENTORY, S_VOL_MODEL,
)  # fmt: skip
TOLD_INTS = (I_SZ_DECIMALS, I_POSITION, I_POSITION_T, I_REDUCING)


class Shadowed(QuoteEngine):
    """The live engine; `decisions` were compared, `differences` says where the two were not alike."""

    def __init__(self, settings: Settings, calendar: Calendar | None = None) -> None:
        super().__init__(settings, calendar)
        self.decisions = self.told_books = 0
        self.differences: list[str] = []
        self.touches: list[Told] = []
        """Those in which nothing is ours."""
        self._floats, self._counts = new_state()
        self._seen_book, self._wanted, self._no_rules = new_book(), new_out(), new_vector(1)
        self._was_written = False
        self._why: list[str] = []
        write = self.view.write

        def noted(book: Any) -> None:
            write(book)
            self._was_written = True

        self.view.write = noted  # type: ignore[method-assign, assignment]

    # ------------------------------------------------------------------ what the shadow is told
    def _tell(self) -> None:
        for place in TOLD_FLOATS:
            self._floats[place] = self.state[place]
        for place in TOLD_INTS:
            self._counts[place] = self.ints[place]

    def _learn(self, scores: list[Scored]) -> None:
        """What own fills teach is told: every number that changes."""
        before = list(self.state), list(self.ints)
        super()._learn(scores)
        for mine, theirs, was in ((self._floats, self.state, before[0]), (self._counts, self.ints, before[1])):
            for place, value in enumerate(was):
                if theirs[place] != value:
                    mine[place] = theirs[place]

    # ------------------------------------------------------------------ what it works out itself
    def _on_market(self, message: Touch | BookUpdate) -> None:
        self._was_written = False
        learned: list[list[Scored]] = []
        teach, self._learn = self._learn, learned.append  # type: ignore[method-assign, assignment]
        try:
            super()._on_market(message)
        finally:
            self._learn = teach  # type: ignore[method-assign]
        if self._was_written:
            self.told_books += 1
            self._tell()
            self._seen_book[:] = self._book
            view = self.view
            if isinstance(message, Touch) and not self._hides_the_touch(message):
                self.touches.append((message.venue_t_ns, _best(view.bids), _best(view.asks)))
            measure(
                PRODUCTION, self._floats, self._counts, self.params, self._seen_book, view.venue_t_ns,
                view.fast_levels, view.deep_t_ns,
            )  # fmt: skip
        for scores in learned:
            self._learn(scores)

    def _hides_the_touch(self, touch: Touch) -> bool:
        """Whether an order of ours is, or is part of, the best price: what stands behind it no touch can tell."""
        shown = (touch.bid_px_u, touch.bid_sz_u), (touch.ask_px_u, touch.ask_sz_u)
        return shown != (_best(self.view.bids), _best(self.view.asks))

    def _on_print(self, trade: TradePrint) -> None:
        super()._on_print(trade)
        see_print(self._floats, self._counts, self.params, trade.px_u, trade.venue_t_ns)

    def _blocked(self) -> list[str]:
        self._why = super()._blocked()
        return self._why

    def _decide(self) -> None:
        super()._decide()
        if self._why:
            return
        self._tell()
        decide(
            PRODUCTION, self._floats, self._counts, self.params, self._no_rules, self._seen_book, self.pace.t_ns,
            self._wanted,
        )  # fmt: skip
        self.decisions += 1
        for name, mine, theirs in (
            ("target", self._wanted, self._target), ("state", self._floats, self.state),
            ("ints", self._counts, self.ints),
        ):  # fmt: skip
            found = [k for k, pair in enumerate(zip(mine, theirs, strict=True)) if _bits(pair[0]) != _bits(pair[1])]
            if found:
                self.differences.append(f"{self.pace.t_ns} {name} {found[:8]}")


def _best(levels: list[tuple[int, int]]) -> tuple[int, int]:
    return levels[0] if levels else (0, 0)


def touches_told(tape: Tape, until_ns: int) -> list[Told]:
    """What the replay's channels tell of the touch, up to a time."""
    bids, asks, channel, book = new_side(1, tape.kept), new_side(-1, tape.kept), new_channels(), new_book()
    memory, found = new_features(), []
    for k, stamp_ns in enumerate(tape.stamp_ns):
        if stamp_ns > until_ns:
            break
        told = see_instant(
            tape.what, tape.px_u, tape.sz_u, int(tape.begin[k]), int(tape.begin[k + 1]), k + 1, int(stamp_ns), bids,
            asks, channel, book, *memory,
        )  # fmt: skip
        if told & TOLD_TOUCH:
            at = C_TOUCH
            bid, ask = (int(channel[at]), int(channel[at + 1])), (int(channel[at + 2]), int(channel[at + 3]))
            found.append((int(stamp_ns), bid, ask))
    return found


def _bits(value: float | int) -> bytes:
    return struct.pack("<d", value) if isinstance(value, float) else struct.pack("<q", int(value))
