"""Bars as tapes: a day at a time, each day by its own seed, so that days load in any order and are always the same.

What a bar leaves open is taken from the market's calibrated flow: how orders arrive (scaled by the bar's volume, or by
the hour of the week where there is none), what they tell, how the book is quoted. Up to `FINE_DAYS` makers look at
their quotes as often as the flow says; longer spans are *coarse*: once a second, orders as before. The oracle is the
path's own price of 3 s before, funding what the venue's history has. Prices px_u, times ns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from backtest.data import bridge, way
from backtest.data.bars import Bars
from backtest.tape import Context, Tape
from common.clock import MS, NS
from common.kernel import COMPILED, istate, state
from simvenue.synthetic import layout
from simvenue.synthetic.chance import new_chance
from simvenue.synthetic.flows import Flow
from simvenue.synthetic.hours import BLOCK_NS, pace_at
from simvenue.synthetic.planting import Budget, budget, terms_of

FINE_DAYS = 14.0
COARSE_LOOK_NS = NS
"""Not slower: a quoter takes a book that is silent for 1.5 s for a lost one."""

DAY_MS = 86_400_000
UPDATE_NS = 3 * NS
ACTIVITY_MAX = 20.0
ACTIVITY_MIN = 0.02
ROWS_BEGIN = 1 << 18


@dataclass(frozen=True, slots=True)
class Funding:
    """The venue's history: rate per hour (fraction) from `t_ns` on; empty = not known."""

    t_ns: Any = field(default_factory=lambda: np.zeros(0, np.int64))
    rate_1h: Any = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, slots=True)
class Bridge:
    """Everything that decides what a day's bars become."""

    name: str
    flow: Flow
    sz_decimals: int
    seed: int
    is_coarse: bool
    funding: Funding = field(default_factory=Funding)

    def days(self, bars: Bars) -> Iterator[Bars]:
        """The bars by UTC day; a day without bars is none."""
        edges = np.flatnonzero(np.diff(bars.ts_ms // DAY_MS)) + 1
        for rows in np.split(np.arange(len(bars)), edges):
            yield bars.rows(slice(int(rows[0]), int(rows[-1]) + 1))

    def budget(self, bars: Bars) -> Budget:
        """What the flow's orders may bring of the bars' volatility; never more than they have."""
        return budget(self.flow, max(bars.vol_annual, 0.005))

    def activity(self, bars: Bars) -> Any:
        """How busy each bar is: as its volume, on average as the flow at these hours; without volume, as the hour."""
        blocks, where = np.unique(bars.ts_ms * MS // BLOCK_NS, return_inverse=True)
        paces = np.array([pace_at(self.flow.hours, int(block) * BLOCK_NS).activity for block in blocks])[where]
        mean = float(np.mean(bars.volume)) if len(bars) else 0.0
        busy = paces if mean <= 0 else bars.volume / mean * float(np.mean(paces))
        return np.clip(busy, ACTIVITY_MIN, ACTIVITY_MAX)

    def tape(self, day: Bars, made: Budget, activity: Any) -> Tape:
        """One day (or less) as events; `activity` of each of its bars."""
        return _Day(self, made).play(day, activity)


class _Day:
    """The vectors of one day's walk, and what it has written."""

    def __init__(self, terms: Bridge, made: Budget) -> None:
        self._of, self._made = terms, made
        self._state = layout.new_state()
        self._terms = terms_of(made)
        if terms.is_coarse:
            self._terms[layout.T_UPDATES] = 0.0
        self._book = layout.new_book(0, terms.sz_decimals)
        self._rows = layout.new_rows()
        self._way, self._clock = state(way.W_LEN), istate(way.C_LEN)
        self._clock[way.C_EVERY_NS] = COARSE_LOOK_NS if terms.is_coarse else 0
        self._columns = [istate(ROWS_BEGIN) for _ in range(3)]
        self._stamps, self._begin, self._fair = istate(ROWS_BEGIN // 4), istate(ROWS_BEGIN // 4), state(ROWS_BEGIN // 4)
        self._counts = istate(bridge.N_LEN)

    def play(self, day: Bars, activity: Any) -> Tape:
        unit = 10 ** (6 - self._of.sz_decimals)
        self._chance = new_chance(f"bridge {self._of.seed} {int(day.ts_ms[0]) // DAY_MS}")
        prices = [(getattr(day, name) * unit).tolist() for name in ("open", "high", "low", "close")]
        expected_ms = -1
        opened = []
        for ts_ms, busy, *bar in zip(day.ts_ms.tolist(), activity.tolist(), *prices, strict=True):
            begin_ns = ts_ms * MS
            if ts_ms != expected_ms:
                opened.append(int(self._counts[bridge.N_STAMPS]))
                bridge.reopen(self._book, begin_ns)
            expected_ms = ts_ms + day.every_ms
            self._bar(begin_ns, begin_ns + day.every_ms * MS, bar, busy)
        return self._tape(opened)

    def _bar(self, begin_ns: int, end_ns: int, bar: Sequence[float], activity: float) -> None:
        self._state[layout.S_ACTIVITY] = activity
        self._state[layout.S_WIDTH] = pace_at(self._of.flow.hours, begin_ns).width
        vectors = self._state, self._terms, self._book, self._chance, self._rows, self._way, self._clock
        px_open, high, low, close = bar
        bridge.enter(*vectors, begin_ns, end_ns, px_open, high, low, close, self._made.orders * activity)
        while not bridge.walk(*vectors, *self._written()):
            self._grow()

    def _written(self) -> tuple[Any, ...]:
        return *self._columns, self._stamps, self._begin, self._fair, self._counts

    def _grow(self) -> None:
        """Twice the room."""
        self._columns = [_twice(column) for column in self._columns]
        self._stamps, self._begin, self._fair = _twice(self._stamps), _twice(self._begin), _twice(self._fair)

    def _tape(self, opened: list[int]) -> Tape:
        rows, stamps = int(self._counts[bridge.N_ROWS]), int(self._counts[bridge.N_STAMPS])
        stamp_ns = np.array(self._stamps[:stamps], np.int64)
        fair = np.array(self._fair[:stamps], np.float64)
        begins_file = np.zeros(stamps, np.int64)
        begins_file[opened] = 1
        day = datetime.fromtimestamp(int(stamp_ns[0]) // NS, UTC)
        what, px_u, sz_u = (np.array(column[:rows], np.int64) for column in self._columns)
        return Tape(
            (f"{self._of.name} {day:%Y-%m-%d}",), what, px_u, sz_u, stamp_ns,
            np.array(self._begin[: stamps + 1], np.int64), begins_file, layout.LEVELS,
            _context(stamp_ns, fair, self._of.funding),
        )  # fmt: skip


def _twice(column: Any) -> Any:
    return np.concatenate([column, np.zeros_like(column)]) if COMPILED else column + [type(column[0])(0)] * len(column)


def _context(stamp_ns: Any, fair: Any, funding: Funding) -> Context:
    """Told every 3 s while the market is open: the path's price of 3 s before, and the hour's funding; or nothing."""
    if len(funding.t_ns) == 0:
        return Context()
    ticks = np.arange(-(-int(stamp_ns[0]) // UPDATE_NS) * UPDATE_NS, int(stamp_ns[-1]) + 1, UPDATE_NS)
    at = np.maximum(np.searchsorted(stamp_ns, ticks - UPDATE_NS, "right") - 1, 0)
    px_u = np.rint(fair[at]).astype(np.int64)
    hour = np.searchsorted(funding.t_ns, ticks, "right") - 1
    rate = np.where(hour >= 0, funding.rate_1h[np.maximum(hour, 0)], 0.0)
    return Context(ticks, px_u, px_u.copy(), rate)
