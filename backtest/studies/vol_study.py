"""How well each volatility estimator forecasts the next period, on periods it has not seen.

Every estimator is the quoter's own kernel, told the grid's prices one by one; its word at a period's first step is its
forecast of that period's realised variance (the sum of its twelve squared returns). All are scored on the same periods,
those for which every one of them had a forecast. QLIKE (Patton 2011) is the loss that a noisy measure of the truth does
not mislead; R2 is of the log variance, against its mean over the scored periods. Variances are those of a period.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from backtest.studies.vol_grid import PERIOD_NS, PERIOD_STEPS, STEP_NS, Grid
from common.config import Settings
from common.errors import BadInput
from common.kernel import state
from common.stats import Interval, bootstrap_mean
from quoter.bar_vol import (
    garman_klass,
    garman_klass_bias,
    parkinson,
    parkinson_bias,
    rogers_satchell,
    rogers_satchell_bias,
    yang_zhang,
    yang_zhang_bias,
)
from quoter.har import RV_LEAST, har_see, new_har
from quoter.state import S_VOL_FAST, S_VOL_MODEL, S_VOL_SLOW, YEAR_S, make_params, new_state
from quoter.vol import see_mid, vol_known, vol_now

BARS = 30
USED = "ewma"
"""What the quotes use without a model: the larger of the two memories."""
NAMES = ("ewma", "ewma60", "ewma600", "har", "ewma+har", "parkinson", "garman-klass", "rogers-satchell", "yang-zhang")
SEED = 7
LEVEL = 0.95
PERIODS_MIN = 60


class Forecasts(NamedTuple):
    """Of the periods `period` (n,): name -> variances (n,), 0 = none; with the realised ones and their times."""

    period: Any
    wall_ns: Any
    realised: Any
    by_name: dict[str, Any]


class Scored(NamedTuple):
    """One estimator: loss, loss less that of what is used, R2, and mean forecast over mean truth."""

    name: str
    qlike: Interval
    against: Interval
    r2: Interval
    bias: float


def realised(grid: Grid) -> dict[int, float]:
    """Whole periods -> the sum of their squared returns; a period with a break, or at the beginning, is none."""
    moves = np.diff(grid.log_px)
    squares: dict[int, list[float]] = {}
    for number, gone, move in zip(grid.number[1:].tolist(), np.diff(grid.number).tolist(), moves.tolist(), strict=True):
        if gone == 1:
            squares.setdefault(number // PERIOD_STEPS, []).append(move * move)
    return {period: math.fsum(found) for period, found in squares.items() if len(found) == PERIOD_STEPS}


def forecasts(grid: Grid, settings: Settings) -> Forecasts:
    """What every estimator said of each period of the grid that is whole."""
    truth = realised(grid)
    told = _by_mids(grid, settings)
    kept = [(period, wall_ns, vols) for period, wall_ns, vols in told if period in truth]
    ranges = {period: _by_bars(grid, period) for period, _wall_ns, _vols in kept}
    names = ("ewma60", "ewma600", "ewma", "har", "ewma+har")
    by_name = {name: np.array([vols[k] for _p, _w, vols in kept]) for k, name in enumerate(names)}
    by_name |= {name: np.array([ranges[p][k] for p, _w, _v in kept]) for k, name in enumerate(NAMES[5:])}
    periods = [period for period, _wall_ns, _vols in kept]
    return Forecasts(
        np.array(periods, np.int64),
        np.array([wall_ns for _p, wall_ns, _v in kept], np.int64),
        np.maximum(np.array([truth[period] for period in periods]), RV_LEAST),
        by_name,
    )


def _by_mids(grid: Grid, settings: Settings) -> list[tuple[int, int, list[float]]]:
    """(period, wall ns of its beginning, variances) at each period's first step."""
    floats, ints = new_state()
    params = make_params(settings)
    har_floats, har_ints = new_har()
    told: list[tuple[int, int, list[float]]] = []
    before = -1
    steps = zip(grid.number.tolist(), grid.wall_ns.tolist(), np.exp(grid.log_px).tolist(), strict=True)
    for number, wall_ns, px in steps:
        t_ns = number * STEP_NS
        see_mid(floats, ints, params, px, t_ns)
        har = har_see(har_floats, har_ints, px, t_ns, wall_ns)
        if number // PERIOD_STEPS != before:
            before = number // PERIOD_STEPS
            floats[S_VOL_MODEL] = 0.0
            measured = vol_now(floats, params) if vol_known(ints, params) == 1 else 0.0
            floats[S_VOL_MODEL] = har
            pulled = vol_now(floats, params) if measured > 0.0 else 0.0
            vols = [floats[S_VOL_FAST], floats[S_VOL_SLOW], measured, har, pulled]
            told.append((before, wall_ns, [float(vol) ** 2 * PERIOD_NS / 1e9 / YEAR_S for vol in vols]))
    return told


def _by_bars(grid: Grid, period: int) -> list[float]:
    """Variances of the range estimators over the last BARS bars before a period; 0 where there are too few."""
    end = (period - grid.first_period) * grid.bars_a_period
    if end < BARS:
        return [0.0] * 4
    rows = state(4 * BARS)
    rows[:] = grid.bars[end - BARS : end].ravel()
    found = (
        parkinson(rows, BARS) / parkinson_bias(grid.looks),
        garman_klass(rows, BARS) / garman_klass_bias(grid.looks),
        rogers_satchell(rows, BARS) / rogers_satchell_bias(grid.looks),
        yang_zhang(rows, BARS) / yang_zhang_bias(BARS, grid.looks),
    )
    return [float(variance) * grid.bars_a_period for variance in found]


# ---------------------------------------------------------------------- figures
def scores(found: Forecasts, block_ns: int) -> list[Scored]:
    """Every estimator on the periods all of them forecast; raises BadInput when those are too few."""
    known = np.all([variances > 0.0 for variances in found.by_name.values()], axis=0)
    if int(known.sum()) < PERIODS_MIN:
        raise BadInput("too_short", f"{int(known.sum())} periods with all forecasts, {PERIODS_MIN} at least")
    truth, blocks = found.realised[known], (found.wall_ns[known] // block_ns).tolist()
    used = losses(truth, found.by_name[USED][known])
    return [_scored(name, truth, found.by_name[name][known], used, blocks) for name in NAMES]


def losses(truth: Any, forecast: Any) -> Any:
    """QLIKE of each period."""
    ratio = truth / forecast
    return ratio - np.log(ratio) - 1.0


def _scored(name: str, truth: Any, forecast: Any, used: Any, blocks: list[int]) -> Scored:
    loss = losses(truth, forecast)
    error = (np.log(truth) - np.log(forecast)) ** 2
    spread = (np.log(truth) - np.log(truth).mean()) ** 2
    return Scored(
        name,
        _mean(loss, np.ones(len(loss)), blocks),
        _mean(loss - used, np.ones(len(loss)), blocks),
        _mean(1.0 - error / np.maximum(spread, 1e-12), np.maximum(spread, 1e-12), blocks),
        float(forecast.mean() / truth.mean()),
    )


def _mean(values: Any, weights: Any, blocks: list[int]) -> Interval:
    found = bootstrap_mean(values.tolist(), weights.tolist(), blocks, seed=SEED, level=LEVEL)
    if found is None:
        raise BadInput("too_short", "nothing to score")
    return found
