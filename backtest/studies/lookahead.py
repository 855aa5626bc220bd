"""Does a replay know anything before it could? Two checks that a peeping engine fails.

*Shift*: the forecast a quoter acts on is moved by one instant. Moved later, it must not earn more. The same forecast
with the mid's very next move in it must: were one instant of foresight worth nothing, the check would be blind, so that
fails too. Edges are compared over the same resampled hours, bps of what each traded, 90 % intervals.

*Prefix*: a tape that ends after an instant must give, for every instant up to it, exactly what the whole tape gives:
forecasts, fills, the curve, and the number of orders sent. What comes one row later cannot matter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backtest.loop.layout import CURVE_T, FILL_T
from backtest.playing import Played, Terms, play
from backtest.quoters import Quoter
from backtest.scoring import LEVEL, SEED, block_ns, by_block
from backtest.tape import Tape

DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class Gain:
    """Difference of two edges over the same hours, bps."""

    mean: float
    lo: float
    hi: float


@dataclass(frozen=True, slots=True)
class Shifted:
    """`foresight`: what one instant of it earns; `later`: what being one instant late earns (< 0 = it costs)."""

    foresight: Gain
    later: Gain

    @property
    def faults(self) -> tuple[str, ...]:
        """Why the replay cannot be believed; empty = it passed."""
        found = []
        if self.foresight.lo <= 0.0:
            found.append(f"the check is blind: one instant of foresight earns {self.foresight.mean:+.3f} bps")
        if self.later.lo > 0.0:
            found.append(f"a forecast one instant late earns {self.later.mean:+.3f} bps more")
        return tuple(found)


def shifted(tape: Tape, quoter: Quoter, terms: Terms, forecast: Any, mid2: Any, fee_bps: float) -> Shifted:
    """Both gains for the forecast (bps, one number an instant) and twice-mids of the tape's instants."""
    base = play(tape, quoter, terms, given=forecast)
    late = play(tape, quoter, terms, given=later(forecast))
    seer = play(tape, quoter, terms, given=foreseeing(forecast, mid2))
    return Shifted(gain(seer, base, fee_bps), gain(late, base, fee_bps))


def later(forecast: Any) -> Any:
    """The forecast, each instant's told at the next one."""
    return np.concatenate(([0.0], np.asarray(forecast)[:-1]))


def foreseeing(forecast: Any, mid2: Any) -> Any:
    """The forecast with the mid's move to the next instant in it, bps; no move is seen where a mid is missing."""
    mids = np.asarray(mid2, float)
    known = (mids[:-1] > 0) & (mids[1:] > 0)
    move = np.where(known, (mids[1:] - mids[:-1]) / np.where(known, mids[:-1], 1.0) * 1e4, 0.0)
    return np.asarray(forecast) + np.append(move, 0.0)


def gain(ours: Played, theirs: Played, fee_bps: float) -> Gain:
    """How much more one replay nets than another, the same hours drawn for both."""
    length = block_ns(theirs)
    tables = [_by_number(one, fee_bps, length) for one in (ours, theirs)]
    numbers = sorted(set(tables[0]) | set(tables[1]))
    sums = np.array([[table.get(number, (0.0, 0.0)) for number in numbers] for table in tables])
    at = np.random.default_rng(SEED).integers(0, len(numbers), (DRAWS, len(numbers)))
    edges = _edge(sums[0][at].sum(1)) - _edge(sums[1][at].sum(1))
    lo, hi = np.nanquantile(edges, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    mean = _edge(sums[0].sum(0)) - _edge(sums[1].sum(0))
    return Gain(float(mean), float(lo), float(hi))


def _by_number(played: Played, fee_bps: float, length_ns: int) -> dict[int, tuple[float, float]]:
    numbers, gained, traded = by_block(played, fee_bps, length_ns)
    return {int(n): (float(g), float(t)) for n, g, t in zip(numbers, gained, traded, strict=True)}


def _edge(sums: Any) -> Any:
    """bps of (net, traded) pairs; NaN where nothing was traded."""
    traded = np.asarray(sums)[..., 1]
    return np.where(traded > 0.0, 1e4 * np.asarray(sums)[..., 0] / np.where(traded > 0.0, traded, 1.0), np.nan)


def prefix_faults(tape: Tape, quoter: Quoter, terms: Terms, last: int, model: Any = None) -> tuple[str, ...]:
    """What differs when the tape ends with instant `last`, at which quoting ends too; empty = nothing."""
    until_t_ns = int(tape.stamp_ns[last])
    asked = replace(terms, to_t_ns=until_t_ns)
    whole = play(tape, quoter, asked, model)
    short = play(ending(tape, last), quoter, asked, model)
    compared = {
        "fills": (_upto(whole.fills, FILL_T, until_t_ns), _upto(short.fills, FILL_T, until_t_ns)),
        "curve": (_upto(whole.curve, CURVE_T, until_t_ns), _upto(short.curve, CURVE_T, until_t_ns)),
        "mids": (whole.mid2[: last + 1], short.mid2),
        "forecasts": (whole.forecast[: last + 1], short.forecast),
        "orders sent": ((whole.placed, whole.moved), (short.placed, short.moved)),
    }
    return tuple(
        f"{name} up to instant {last} depend on what comes after it"
        for name, (one, other) in compared.items()
        if not np.array_equal(one, other)
    )


def ending(tape: Tape, last: int) -> Tape:
    """The tape up to instant `last`."""
    n = last + 1
    rows = int(tape.begin[n])
    return replace(
        tape, what=tape.what[:rows], px_u=tape.px_u[:rows], sz_u=tape.sz_u[:rows], stamp_ns=tape.stamp_ns[:n],
        begin=tape.begin[: n + 1], begins_file=tape.begins_file[:n], local_ns=tape.local_ns[:n],
    )  # fmt: skip


def _upto(rows: Any, column: int, until_t_ns: int) -> Any:
    return rows[rows[:, column] <= until_t_ns]
