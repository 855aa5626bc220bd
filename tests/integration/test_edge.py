"""The edge study on two recorded days, through the command a person types: what must earn earns, what must lose loses.

Run in processes of its own, because it needs compiled kernels whatever the mode of the tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from common.kernel import ROOT
from tests.support.shared import shared

DAYS = ("05", "06", "07")
TIMEOUT_S = 600

pytestmark = [pytest.mark.timeout(TIMEOUT_S), pytest.mark.slow]

SHIFTS = """
import json, sys
import numpy as np
from pathlib import Path
from common.config import load
from quoter.fit import HOUR_NS, fit, labels, standardised, within
from quoter.rows import read, span_ns
from quoter.samples import Samples, take_samples
settings = load("quoter", over={"MARKET": "standx"})
samples = take_samples([read(Path(p), settings.venue.sz_decimals) for p in sys.argv[1:]])
card = fit(samples, span_ns("2026-01-06"), settings)
inside = within(samples, span_ns("2026-01-07"))
z, y = standardised(inside.x, np.array(card.deviations)), labels(samples, inside.t_ns, 5)
f = z @ np.array(card.of(5).weights)
def r2(y, f):
    ok = np.isfinite(y)
    return 1 - float(((y[ok] - f[ok]) ** 2).sum() / (y[ok] ** 2).sum())
shifted = {"honest": r2(y[:-1], f[:-1]), "features_later": r2(y[:-1], f[1:]), "labels_later": r2(y[1:], f[:-1])}
print(json.dumps(shifted))
"""


def compiled_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "AMM_KERNELS"}


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=compiled_environment(), capture_output=True, text=True,
        timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def recordings() -> list[str]:
    return [str(shared(f"data/events/standx_BTC_2026-01-{day}.npz")) for day in DAYS]


def study(recordings: list[str], out: Path, *more: str) -> dict[str, Any]:
    run("-m", "backtest", "edge", "--data", *recordings, "--tick", "0.1", "--strict", "--out", str(out), *more)
    found: dict[str, Any] = json.loads((out / "latest.json").read_text(encoding="utf-8"))
    assert (out / "latest.html").stat().st_size > 1_000_000  # with all it needs
    return found


@pytest.fixture(scope="module")
def scored(recordings: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return study(recordings, tmp_path_factory.mktemp("edge"), "--fit", "2026-01-06", "--score", "2026-01-07")


def test_the_forecast_explains_the_next_seconds_of_a_day_it_was_not_fitted_on(scored: dict[str, Any]) -> None:
    assert scored["forecast"]["r2_5s"] >= 0.20
    assert scored["forecast"]["r2_30s"] >= 0.12


def test_symmetric_quoters_and_placebos_lose(scored: dict[str, Any]) -> None:
    assert scored["symmetric"]["edge_bps"]["mean"] == pytest.approx(-1.9, abs=0.3)
    assert scored["seeds"]["edge_bps"]["mean"] == pytest.approx(-2.0, abs=0.4)
    assert scored["placebo"]["edge_bps"]["mean"] < -0.7
    assert scored["touch"]["edge_bps"]["hi"] < 0.0
    assert scored["best_fixed"]["edge_bps"]["hi"] < 0.0
    assert scored["symmetric"]["verdict"] == "no edge here"


def test_lean_earns_strictly_placed_and_trades(scored: dict[str, Any]) -> None:
    lean = scored["lean"]
    assert lean["edge_bps"]["mean"] >= 0.7
    assert lean["edge_bps"]["lo"] >= 0.4
    assert lean["actions_per_usd"] <= 0.12
    assert lean["fills_per_day"] >= 500
    assert scored["run"]["conclusion"] == "lean: edge"


def test_the_production_ladder_with_a_forecast_has_a_positive_markout(scored: dict[str, Any]) -> None:
    assert scored["tiered"]["m60"] > 0.0


def test_lean_earns_with_the_days_swapped_and_at_nine_tenths_of_a_second(recordings: list[str], tmp_path: Path) -> None:
    swapped = study(recordings, tmp_path, "--fit", "2026-01-07", "--score", "2026-01-06", "--profile", "lean")
    assert swapped["lean"]["edge_bps"]["lo"] > 0.0
    slow = study(recordings, tmp_path, "--score", "2026-01-07", "--profile", "lean", "--latency", "100,800")
    assert slow["lean"]["edge_bps"]["mean"] >= 0.4


def test_at_a_normal_fee_there_is_no_edge(recordings: list[str], tmp_path: Path) -> None:
    found = study(recordings, tmp_path, "--score", "2026-01-07", "--fee", "1.5", "--profile", "lean,bare_lean")
    assert found["run"]["conclusion"].startswith("no edge here")
    assert found["bare_lean"]["verdict"] == "no edge here"


def test_minutes_of_another_venue_give_no_forecast_and_no_edge(tmp_path: Path) -> None:
    data = str(shared("data/events/hl_BTC_2025-09-03.npz"))
    run("-m", "backtest", "edge", "--market", "btc", "--data", data, "--fee", "1.5", "--out", str(tmp_path))
    found = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
    assert found["run"]["conclusion"].startswith("no edge here")
    assert "lean" not in found
    assert found["forecast"]["accepted"] is False


def test_a_feature_one_event_later_knows_more_and_a_label_one_event_later_is_known_less(recordings: list[str]) -> None:
    """A leak of the next event into the features would look like the first and vanish in the second."""
    found = json.loads(run("-c", SHIFTS, *recordings))
    assert found["features_later"] > found["honest"] + 0.01
    assert found["labels_later"] < found["honest"]
    assert found["honest"] - found["labels_later"] < 0.03  # a forecast, not the event itself
