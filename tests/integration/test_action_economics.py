"""On two recorded days, each with the other day's forecast: fewer actions, and no less money that could be told.

The price of an action is the venue's (0.0005 USD), the rule is the executor's, the replay is the edge study's (fee 0.3,
100 + 300 ms, tick 0.1, strict). Not significantly less: the upper bound of the 90 % interval of the difference, hour by
hour, is not below zero by more than a cent a day.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from common.kernel import ROOT
from common.stats import bootstrap_mean
from tests.support.shared import shared

DAYS = ("2026-01-06", "2026-01-07")
TIMEOUT_S = 600
CENT_A_DAY = 0.01

pytestmark = [pytest.mark.timeout(TIMEOUT_S), pytest.mark.slow]


@pytest.fixture(scope="module")
def played() -> dict[str, Any]:
    paths = [str(shared(f"data/events/standx_BTC_2026-01-{day}.npz")) for day in ("05", "06", "07")]
    environ = {name: value for name, value in os.environ.items() if name != "AMM_KERNELS"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.economics_days", *paths], cwd=ROOT, env=environ, capture_output=True,
        text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def difference_usd_a_day(rows: dict[str, Any]) -> tuple[float, float]:
    """90 % interval of what the rule adds."""
    hours = [on - off for on, off in zip(rows["on"]["usd_by_hour"], rows["off"]["usd_by_hour"], strict=True)]
    found = bootstrap_mean(hours, [1.0] * len(hours), list(range(len(hours))), seed=1, level=0.90)
    assert found is not None
    assert found.lo is not None
    assert found.hi is not None
    return 24 * found.lo, 24 * found.hi


@pytest.mark.parametrize("day", DAYS)
def test_the_production_ladder_acts_a_third_less(played: dict[str, Any], day: str) -> None:
    rows = played[f"tiered {day}"]
    assert rows["on"]["actions"] <= 0.67 * rows["off"]["actions"]


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("profile", ["tiered", "lean"])
def test_no_money_is_lost_to_saved_actions(played: dict[str, Any], profile: str, day: str) -> None:
    rows = played[f"{profile} {day}"]
    _, upper = difference_usd_a_day(rows)
    assert upper >= -CENT_A_DAY
    assert rows["on"]["actions"] <= rows["off"]["actions"]
