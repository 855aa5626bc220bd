"""Volatility estimators are scored on what they could not know, on the same periods, and rank as the data has it."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest.data.bars import COLUMNS
from backtest.studies.vol import heading, said
from backtest.studies.vol_grid import PERIOD_STEPS, STEP_NS, Grid, of_bars, of_mids, read_grid
from backtest.studies.vol_study import BARS, NAMES, USED, forecasts, losses, realised, scores
from common.errors import BadInput, ConfigError
from common.kernel import ROOT
from common.stats import Interval
from quoter.har import KNOWN_AFTER, MINUTES
from quoter.samples import Samples
from tests.support.shared import shared
from tests.unit.quoter.builders import settings

T0 = 1_767_571_200 * 10**9
PERIODS = MINUTES + KNOWN_AFTER + 120


def a_market(periods: int, seed: int = 1, vol_bps: float = 1.0, from_period: int = 0, loud: float = 1.0) -> Samples:
    """A mid a second; `loud` times as volatile from a period on."""
    rng = random.Random(seed)
    seconds = periods * PERIOD_STEPS * 5
    log_mid = [math.log(1e8)]
    for second in range(1, seconds):
        scale = loud if second >= from_period * PERIOD_STEPS * 5 else 1.0
        log_mid.append(log_mid[-1] + rng.gauss(0.0, scale * vol_bps * 1e-4 / math.sqrt(5.0)))
    t_ns = T0 + 10**9 * np.arange(seconds, dtype=np.int64)
    return Samples(t_ns, np.array(log_mid), np.zeros((seconds, 0)))


def a_csv(path: Path, rows: list[tuple[float, ...]]) -> Path:
    path.write_text("\n".join([",".join(COLUMNS), *(",".join(map(str, row)) for row in rows)]))
    return path


# ---------------------------------------------------------------------- the grid
def test_the_price_of_a_step_is_the_last_one_before_its_end() -> None:
    t_ns = np.array([T0, T0 + STEP_NS - 1, T0 + STEP_NS], np.int64)
    grid = of_mids("x", Samples(t_ns, np.log([10.0, 11.0, 12.0]), None))
    assert np.exp(grid.log_px).tolist() == pytest.approx([11.0, 12.0])
    assert (grid.wall_ns - T0).tolist() == [STEP_NS, 2 * STEP_NS]


def test_a_silent_step_has_the_price_before_it_and_a_long_silence_is_a_break() -> None:
    t_ns = T0 + STEP_NS * np.array([0, 2, 100], np.int64)
    grid = of_mids("x", Samples(t_ns, np.log([10.0, 11.0, 12.0]), None))
    assert np.exp(grid.log_px[:3]).tolist() == pytest.approx([10.0, 10.0, 11.0])
    gone = np.diff(grid.number)
    assert gone.max() > 80
    assert set(gone.tolist()) == {1, int(gone.max())}


def test_a_period_with_a_break_is_not_scored() -> None:
    samples = a_market(4)
    heard = (samples.t_ns < T0 + 70 * 10**9) | (samples.t_ns >= T0 + 160 * 10**9)
    grid = of_mids("x", Samples(samples.t_ns[heard], samples.log_mid[heard], None))
    first = T0 // STEP_NS // PERIOD_STEPS
    assert sorted(realised(grid)) == [first + 3]  # 0 has no price before it, 1 and 2 are broken


def test_bars_are_joined_so_that_a_night_is_no_move(tmp_path: Path) -> None:
    minute = 60_000
    opens_ms = [T0 // 10**6 + k * minute + 3_600_000 * (k >= 5) for k in range(10)]
    prices = [(100 + 10 * k, 103 + 10 * k, 99 + 10 * k, 101 + 10 * k) for k in range(10)]
    rows: list[tuple[float, ...]] = [(at, *px, 1) for at, px in zip(opens_ms, prices, strict=True)]
    grid = of_bars(a_csv(tmp_path / "bars.csv", rows))
    moves = np.diff(grid.log_px)
    assert moves.tolist() == pytest.approx([math.log((101 + 10 * k) / (100 + 10 * k)) for k in range(1, 10)])
    assert np.log(grid.bars[7, 1] / grid.bars[7, 2]) == pytest.approx(math.log(173 / 169))
    assert grid.bars[1:, 0].tolist() == pytest.approx(grid.bars[:-1, 3].tolist())


def test_a_path_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(ConfigError):
        read_grid([str(tmp_path / "x.txt")], "standx", 4)


# ---------------------------------------------------------------------- forecasts and scores
@pytest.fixture(scope="module")
def calm() -> Any:
    return forecasts(of_mids("calm", a_market(PERIODS)), settings())


def test_a_constant_volatility_is_forecast_without_bias(calm: Any) -> None:
    known = calm.by_name["har"] > 0.0
    assert known.sum() >= 100
    for name in ("ewma60", "ewma600", "har"):
        assert calm.by_name[name][known].mean() == pytest.approx(calm.realised[known].mean(), rel=0.1)
    assert calm.by_name["ewma"][known].mean() > calm.by_name["ewma600"][known].mean()  # the larger of two


def test_no_forecast_knows_of_its_own_period() -> None:
    """The same market up to a period, then ten times as loud: what was said of that period is the same."""
    at = MINUTES + KNOWN_AFTER + 40
    quiet = forecasts(of_mids("x", a_market(PERIODS)), settings())
    loud = forecasts(of_mids("x", a_market(PERIODS, from_period=at, loud=10.0)), settings())
    place = int(np.searchsorted(quiet.period, T0 // STEP_NS // PERIOD_STEPS + at))
    assert loud.realised[place] > 20 * quiet.realised[place]
    for name in NAMES:
        assert loud.by_name[name][: place + 1].tolist() == quiet.by_name[name][: place + 1].tolist()
        assert loud.by_name[name][place + 1] > quiet.by_name[name][place + 1] or name == "har"


def test_range_estimators_wait_for_their_bars(calm: Any) -> None:
    first = calm.period - calm.period[0]
    assert (calm.by_name["parkinson"][first < BARS - 1] == 0.0).all()
    assert (calm.by_name["parkinson"][first >= BARS] > 0.0).all()


def test_all_are_scored_on_the_same_periods(calm: Any) -> None:
    found = scores(calm, 3600 * 10**9)
    assert [row.name for row in found] == list(NAMES)
    assert len({row.qlike.n for row in found}) == 1
    used = next(row for row in found if row.name == USED)
    assert (used.against.mean, used.against.n) == (0.0, used.qlike.n)


def test_too_short_a_recording_is_refused() -> None:
    with pytest.raises(BadInput, match="periods"):
        scores(forecasts(of_mids("x", a_market(40)), settings()), 3600 * 10**9)


def test_the_loss_is_least_for_the_truth_and_worse_for_too_little_than_for_too_much() -> None:
    right, low, high = losses(1.0, 1.0), losses(1.0, 0.5), losses(1.0, 2.0)
    assert right == 0.0
    assert low > high > 0.0


def test_the_table_says_what_was_scored_on_what(calm: Any) -> None:
    grid = Grid("x.npz", None, None, None, None, 1, 0.0, 1)
    assert heading(grid, scores(calm, 3600 * 10**9)).startswith("x.npz: 1")
    assert said(Interval(0.5, None, None, 3, 1)) == "0.500"
    assert said(Interval(0.5, 0.25, 0.75, 3, 9), "+") == "+0.500 [+0.250, +0.750]"


# ---------------------------------------------------------------------- real data
def figures(out: Path, market: str, *data: Path) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "backtest",
        "vol",
        "--market",
        market,
        "--out",
        str(out),
        "--data",
        *map(str, data),
    ]
    environ = {name: value for name, value in os.environ.items() if name != "AMM_KERNELS"}
    done = subprocess.run(command, check=False, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=580)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(out.read_bytes())
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)  # kernels may have to be compiled first
@pytest.mark.parametrize(
    ("market", "file"), [("btc", "hyperliquid/candles/BTC_5m.parquet"), ("us500", "us_index/SPX_5m.parquet")]
)
def test_har_beats_what_is_measured_on_hours_of_five_minute_bars(tmp_path: Path, market: str, file: str) -> None:
    found = figures(tmp_path / "vol.json", market, shared(f"data/{file}"))
    assert found["har"]["against"]["hi"] < 0.0
    assert found["ewma+har"]["against"]["hi"] < 0.0
    for name in ("parkinson", "garman-klass", "rogers-satchell", "yang-zhang"):
        assert found[name]["against"]["lo"] > 0.0


@pytest.mark.slow
@pytest.mark.timeout(600)  # kernels may have to be compiled first
def test_har_does_not_beat_the_larger_memory_on_single_minutes_of_a_young_market(tmp_path: Path) -> None:
    """Two days of StandX: why `VOL_MODEL=ewma` is the default.  What HAR may do there is bounded, and does no harm."""
    days = [shared(f"data/events/standx_BTC_2026-01-0{day}.npz") for day in (5, 6, 7)]
    found = figures(tmp_path / "vol.json", "standx", *days)
    assert found["har"]["against"]["lo"] > 0.0
    assert found["ewma+har"]["against"]["lo"] < 0.0 < found["ewma+har"]["against"]["hi"]
    assert 0.7 < found["har"]["bias"] < 1.5
    assert found["ewma600"]["qlike"]["mean"] < found["ewma60"]["qlike"]["mean"]
