"""A whole session: real processes trade and stop, and the books are held against the venue's to the last unit."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.config import load
from scripts.session_report import settle
from scripts.stack import Plan, wait_for
from tests.e2e.conftest import free_port_base, started
from tests.support.recorded import annualised_vol
from tests.support.shared import shared


def test_synthetic_session_ends_clean(tmp_path: Path) -> None:
    plan = Plan(speed=20, port_base=free_port_base(), run_dir=tmp_path / "r")
    with started(plan) as stack:
        wait_for(lambda: stack.status()["market"]["data_age_s"] is not None, 10, "a page that shows the market")
        began = stack.clock()["now_ns"]
        wait_for(lambda: stack.clock()["now_ns"] - began > 240e9, 60, "four market minutes")
        report = settle(stack, plan, load("monitor", {"MARKET": plan.market}))
        assert report.faults() == []
        assert report.data["actions"] > 0
        assert report.data["action_budget"]["remaining"] > 0
        assert [stack.metric(name, "amm_late_compiles_total") for name in ("quoter", "simvenue")] == [0.0, 0.0]
        assert stack.stop() == 0


def test_recorded_session_has_the_recordings_own_volatility_and_exact_books(tmp_path: Path) -> None:
    data = shared("data/events/standx_BTC_2026-01-06.npz")
    plan = Plan(market="standx", data=data, speed=20, port_base=free_port_base(), run_dir=tmp_path / "r")
    with started(plan) as stack:
        began = stack.clock()["origin_ns"]
        wait_for(lambda: stack.clock()["now_ns"] - began > 480e9, 90, "eight market minutes")
        report = settle(stack, plan, load("monitor", {"MARKET": plan.market}))
        assert report.faults() == []
        expected = annualised_vol(data, 0.0, report.data["market_hours"] * 3600)
        assert report.data["annualised_vol"] == pytest.approx(expected, rel=0.05)
        assert report.data["actions_per_market_minute"] <= 40
        assert stack.stop() == 0
