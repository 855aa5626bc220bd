"""Statistics of a made-up market over several seeds, and of a recording: `python -m tests.support.calibration ...`.

    python -m tests.support.calibration btc --hours 6 --seeds 1 2 3        one JSON object: figures by seed, speed
    python -m tests.support.calibration recording PATH --sz-decimals 5 --tick-u 10
    python -m tests.support.calibration plants --hours 12 --seeds 1 2 3    planted figures and their estimates
    python -m tests.support.calibration predictor --hours 24 --seeds 1 2   a planted R2 and the one found
    python -m tests.support.calibration sessions --hours 120               volatility by hour of the session

A process of its own, so that kernels are compiled whatever the tests run with. A column is played on the day it was
recorded on: its price and volatility, no hours of the week, no good and bad days. `us500` is the cash session (8 %, the
page's median), `km` the same at the mean pace of the week.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from simvenue.recorded.recording import load
from simvenue.source import Rows
from simvenue.synthetic.estimates import fit_impact, fit_intensity, r_squared
from simvenue.synthetic.flows import FLOWS, Flow, as_column, planted
from simvenue.synthetic.hours import mean_activity, new_york
from simvenue.synthetic.measures import collect, figures, market
from simvenue.synthetic.planting import least_vol
from simvenue.synthetic.synthetic import Synthetic

T0 = 1_780_000_000 * 10**9
SESSION_S = 252 * 23_400


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of the page was recorded on."""

    flow: Flow
    sz_decimals: int
    px_start: float
    vol_annual: float
    tick_u: int


def column(name: str) -> Column:
    """`btc`: 109,000 USD at 26 % (60 s moves of 3.6 bps); `us500`, `km`: 752 USD at 8 % counted in session time."""
    flow = FLOWS[name]
    if name == "btc":
        return Column(as_column(flow), 5, 109_000.0, 0.26, 10)
    vol = 0.08 * math.sqrt(365 * 86_400 / SESSION_S)
    if name == "km":  # an order every 30 s is the mean of the week
        week = mean_activity(flow.hours)
        flow = replace(flow, orders_per_s=flow.orders_per_s * week, a_per_s=flow.a_per_s * week)
    return Column(as_column(flow), 3, 752.4, vol, 10)


def source(made: Column, seed: int, name: str = "column") -> Synthetic:
    return Synthetic(
        name, made.flow, made.sz_decimals, px_start=made.px_start, vol_annual=made.vol_annual, seed=seed, origin_ns=T0
    )


def measure(name: str, hours: float, seed: int) -> dict[str, float]:
    """Every figure of one run; `generated_x` is how much faster than time the generator was."""
    made = column(name)
    begin = time.process_time()
    found = collect(source(made, seed), T0 + int(hours * 3_600 * 1e9))
    took_s = time.process_time() - begin
    result = figures(market(found), made.tick_u)
    result["vol_session_annual"] = result["vol_60s_bps"] * 1e-4 * math.sqrt(SESSION_S / 60)
    result["generated_x"] = hours * 3_600 / took_s
    return result


# ---------------------------------------------------------------------- planted figures
def plants(hours: float, seed: int) -> dict[str, list[float]]:
    """One random planted market: name -> [planted, estimate, its standard error]."""
    chance = random.Random(f"plants {seed}")
    wanted = {
        "A": chance.uniform(0.02, 0.1), "k": chance.uniform(0.6, 2.5), "eps": chance.uniform(0.0, 1.0),
        "eta": chance.uniform(0.0, 1.2), "informed": chance.choice((1.0, 0.4)),
    }  # fmt: skip
    flow = planted(replace(as_column(FLOWS["xyz100"]), hour_log_sd=0.0), wanted)
    made = Column(flow, 3, 752.4, 1.001 * least_vol(flow), 10)
    found = market(collect(source(made, seed), T0 + int(hours * 3_600 * 1e9)))
    estimates = (*fit_intensity(found, 0.5, made.tick_u), *fit_impact(found, 0.5, 10.0, made.tick_u))
    return {
        name: [wanted[name], estimate.value, estimate.error]
        for name, estimate in zip(("A", "k", "eps", "eta"), estimates, strict=True)
    }


class Watched:
    """A made-up market that notes what its predictor said at each stamp."""

    def __init__(self, inner: Synthetic) -> None:
        self._inner = inner
        self.visible, self.kept = inner.visible, inner.kept
        self.session_offset_ns, self.cut_ns, self.gaps_cut = 0, 0, 0
        self.said: list[float] = []
        self.at_s: list[float] = []

    def next_t_ns(self) -> int | None:
        return self._inner.next_t_ns()

    def take(self) -> Rows:
        self.at_s.append(((self._inner.next_t_ns() or 0) - T0) / 1e9)
        rows = self._inner.take()
        self.said.append(self._inner.signal_bps)
        return rows

    def describe(self) -> dict[str, Any]:
        return self._inner.describe()


def predictor(
    hours: float, seed: int, r2: float = 0.12, horizon_s: float = 20.0, memory_s: float = 30.0
) -> list[float]:
    """[planted R2, the one found, slope of the moves on the forecast]."""
    wanted = {"r2": r2, "horizon": horizon_s, "memory": memory_s}
    flow = planted(replace(as_column(FLOWS["calm"])), wanted)
    watched = Watched(source(Column(flow, 3, 752.4, 0.4, 10), seed))
    found = market(collect(watched, T0 + int(hours * 3_600 * 1e9)))
    times = np.arange(4 * memory_s, hours * 3_600 - 2 * horizon_s, horizon_s / 2)
    said = np.array(watched.said)[np.searchsorted(watched.at_s, times, "right") - 1]
    mid = found.mid
    move = (mid[found.index_at(times + horizon_s)] / mid[found.index_at(times)] - 1) * 1e4
    return [r2, r_squared(said, move), float((said * move).mean() / (said**2).mean())]


# ---------------------------------------------------------------------- sessions
MONDAY = 1_780_272_000 * 10**9
"""2026-06-01 00:00 UTC."""


def sessions(hours: float, seed: int) -> dict[str, float]:
    """Root mean square of 60 s moves by New York hour of the regular session, and at night, over the session's.

    `us500` with hours of the week but without good and bad days; few looks at quotes, since only minutes matter.
    """
    flow = replace(FLOWS["us500"], day_log_sd=0.0, hour_log_sd=0.0, updates_per_s=0.5)
    made = Synthetic("us500", flow, 3, px_start=752.4, vol_annual=0.11, seed=seed, origin_ns=MONDAY)
    found = market(collect(made, MONDAY + int(hours * 3_600 * 1e9)))
    grid = np.arange(0, hours * 3_600, 60)
    move = np.diff(np.log(found.mid[found.index_at(grid)])) * 1e4
    local = [new_york(MONDAY + int(t) * 10**9) for t in grid[:-1]]
    minute = np.array([60 * t.hour + t.minute for t in local])
    is_session = (minute >= 570) & (minute < 960)
    whole = np.sqrt(np.mean(move[is_session] ** 2))
    result = {"night": float(np.sqrt(np.mean(move[~is_session] ** 2)) / whole)}
    for hour in range(9, 16):
        result[str(hour)] = float(np.sqrt(np.mean(move[is_session & (minute // 60 == hour)] ** 2)) / whole)
    return result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("path", nargs="?", type=Path)
    parser.add_argument("--hours", type=float, default=6.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--sz-decimals", type=int, default=5)
    parser.add_argument("--tick-u", type=int, default=10)
    given = parser.parse_args()
    if given.name == "recording":
        json.dump(figures(market(load(given.path, given.sz_decimals)), given.tick_u), sys.stdout)
        return
    run: Callable[[int], Any] = {
        "plants": lambda seed: plants(given.hours, seed),
        "predictor": lambda seed: predictor(given.hours, seed),
        "sessions": lambda seed: sessions(given.hours, seed),
    }.get(given.name, lambda seed: measure(given.name, given.hours, seed))
    json.dump({str(seed): run(seed) for seed in given.seeds}, sys.stdout)


if __name__ == "__main__":
    main()
