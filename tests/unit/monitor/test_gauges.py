"""What the monitor exports beside the page: its own view of the account, and counters that begin at 0."""

from __future__ import annotations

from pathlib import Path

from common import metrics
from common.messages import Tick
from monitor.engine import MonitorEngine
from monitor.gauges import HOURS_MAX, begin, set_gauges
from tests.unit.monitor.builders import COIN, T0, S, a_settings, account, action


def an_engine(run_dir: Path) -> MonitorEngine:
    engine = MonitorEngine(a_settings(run_dir))
    engine.on(Tick(T0, S))
    return engine


def test_counters_begin_at_zero_so_that_the_first_one_is_an_increase() -> None:
    begin("ZERO")
    labels = {"coin": "ZERO", "horizon": "5s"}
    assert ("amm_markout_fills_total", labels) in exported()
    assert ("amm_alerts_sent_total", {"channel": "log", "severity": "emergency"}) in exported()


def exported() -> list[tuple[str, dict[str, str]]]:
    families = [family for owner in metrics._families.values() for family in owner.collect()]
    return [(sample.name, sample.labels) for family in families for sample in family.samples]


def test_hours_left_are_those_of_the_page(tmp_path: Path) -> None:
    engine = an_engine(tmp_path)
    engine.on(account(T0))
    set_gauges(engine)
    assert metrics.value("amm_rate_limit_remaining_requests", account="main") == 10_480
    assert metrics.value("amm_action_budget_hours_left", account="main") == HOURS_MAX, "nothing is spent"
    engine.on(action(T0, entries=100))
    engine.on(Tick(T0 + 60 * S, 61 * S))
    set_gauges(engine)
    assert metrics.value("amm_action_budget_hours_left", account="main") == round(10_480 / (60 * 100), 2)


def test_net_edge_is_told_from_the_first_fill_that_is_a_minute_old(tmp_path: Path) -> None:
    engine = an_engine(tmp_path)
    metrics.set("amm_edge_net_bps", 77.0, coin=COIN, estimator="mean")
    set_gauges(engine)
    assert metrics.value("amm_edge_net_bps", coin=COIN, estimator="mean") == 77.0, "nothing is known yet"
    engine.scores._shown = {"mean": -1.5, "lo": None, "hi": None}
    set_gauges(engine)
    assert metrics.value("amm_edge_net_bps", coin=COIN, estimator="mean") == -1.5


def test_a_disagreement_with_the_venue_is_shown_with_its_age_and_goes_away(tmp_path: Path) -> None:
    engine = an_engine(tmp_path)
    engine.mono_ns = 20 * S
    engine.money.position_wrong_since = 8 * S
    engine.money.residual_since, engine.money.residual_e8 = 8 * S, -250_000_000
    set_gauges(engine)
    assert metrics.value("amm_position_differs_seconds", coin=COIN) == 12.0
    assert metrics.value("amm_pnl_residual_usd", account="main") == -2.5
    engine.money.position_wrong_since = engine.money.residual_since = None
    set_gauges(engine)
    assert metrics.value("amm_position_differs_seconds", coin=COIN) == 0.0
    assert metrics.value("amm_pnl_residual_usd", account="main") == 0.0
