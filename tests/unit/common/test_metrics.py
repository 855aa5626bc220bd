"""The table of metrics is the only door: unknown names and labels raise, the text is Prometheus' own."""

from __future__ import annotations

import math

import pytest
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from common import metrics
from common.errors import OurFault
from common.metrics import METRICS, SERIES_MAX, Spec

LABELS = {
    "account", "coin", "side", "level", "distance_bps", "estimator", "window", "reason", "channel", "stream", "group",
    "service", "liquidity", "horizon", "action", "severity", "boundary", "build", "schema", "config_hash", "session",
    "bucket", "cpus",
}  # fmt: skip


def test_unknown_name_raises() -> None:
    with pytest.raises(OurFault, match="not in the table"):
        metrics.set("amm_margin_ration", 1.0, account="main")


@pytest.mark.parametrize("labels", [{}, {"coin": "BTC"}, {"account": "main", "coin": "BTC"}])
def test_wrong_labels_raise(labels: dict[str, str]) -> None:
    with pytest.raises(OurFault, match="has the labels"):
        metrics.set("amm_margin_ratio", 1.0, **labels)


def test_kind_must_be_the_tables() -> None:
    with pytest.raises(OurFault, match="is no counter"):
        metrics.count("amm_margin_ratio", account="main")
    with pytest.raises(OurFault, match="is no gauge"):
        metrics.set("amm_fills_total", 1.0, coin="BTC", side="bid", liquidity="maker")
    with pytest.raises(OurFault, match="is no histogram"):
        metrics.observe("amm_margin_ratio", 1.0, account="main")
    with pytest.raises(OurFault, match="is not a gauge"):
        metrics.gauge("amm_fills_total")


def test_gauge_counter_and_histogram_show_what_they_were_told() -> None:
    metrics.set("amm_delta_ratio", -0.25, coin="TEST")
    metrics.count("amm_feed_gaps_total", coin="TEST")
    metrics.count("amm_feed_gaps_total", 2, coin="TEST")
    metrics.gauge("amm_open_orders").labels(coin="TEST").set(7)
    assert metrics.value("amm_delta_ratio", coin="TEST") == -0.25
    assert metrics.value("amm_feed_gaps_total", coin="TEST") == 3
    assert metrics.value("amm_open_orders", coin="TEST") == 7
    assert metrics.value("amm_open_orders", coin="NEVER") == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_value_that_is_not_finite_is_counted_and_not_shown(bad: float) -> None:
    before = metrics.value("amm_bad_input_total", boundary="metric", reason="not_finite")
    metrics.set("amm_mid_price_usd", 5.0, coin="NAN")
    metrics.set("amm_mid_price_usd", bad, coin="NAN")
    metrics.observe("amm_order_ack_seconds", bad, coin="NAN")
    assert metrics.value("amm_mid_price_usd", coin="NAN") == 5.0
    assert metrics.value("amm_bad_input_total", boundary="metric", reason="not_finite") == before + 2


def test_label_without_bound_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "amm_test_total", Spec(Counter, ("reason",), "for this test"))
    for n in range(SERIES_MAX):
        metrics.count("amm_test_total", reason=str(n))
    with pytest.raises(OurFault, match="not bounded"):
        metrics.count("amm_test_total", reason="one more")


async def test_exposition_is_prometheus_text_with_a_histograms_sum() -> None:
    metrics.observe("amm_tick_to_order_seconds", 0.003, coin="TEXT")
    text = (await metrics.exposition()).decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    samples = {s.name: s.value for s in families["amm_tick_to_order_seconds"].samples if s.labels.get("coin") == "TEXT"}
    assert samples["amm_tick_to_order_seconds_sum"] == 0.003
    assert samples["amm_tick_to_order_seconds_count"] == 1
    assert "_created" not in text


def test_metric_nobody_used_is_not_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "amm_unused", Spec(Gauge, (), "for this test"))
    assert metrics.value("amm_unused") == 0
    assert "amm_unused" not in metrics._families


@pytest.mark.parametrize("name", METRICS)
def test_row_of_the_table_keeps_the_naming_rules(name: str) -> None:
    spec = METRICS[name]
    assert name.startswith("amm_")
    assert name == name.lower()
    assert set(spec.labels) <= LABELS
    assert spec.help
    assert name.endswith("_total") == (spec.kind is Counter)
    assert bool(spec.buckets) == (spec.kind is Histogram)
    assert spec.kind in (Counter, Gauge, Histogram)
    assert "percent" not in name


def test_catalogue_of_the_dashboards_is_complete() -> None:
    wanted = """margin_ratio margin_used_usd margin_available_usd equity_usd equity_peak_usd drawdown_ratio
        session_pnl_usd realized_pnl_usd unrealized_pnl_usd spread_captured_usd fees_paid_usd funding_paid_usd
        position_base_units position_notional_usd delta_ratio mid_price_usd microprice_usd best_bid_price_usd
        best_ask_price_usd spread_half_bps spread_floor_bps quote_fade_multiplier book_imbalance_ratio
        funding_rate_hourly_ratio consecutive_losing_fills open_orders quote_price_usd quote_size_usd
        book_depth_usd volatility_annualized_ratio taker_ratio kill_switch_tripped trading_enabled
        feed_last_message_timestamp_seconds stream_lag_messages stream_oldest_pending_seconds
        heartbeat_timestamp_seconds rate_limit_remaining_requests fills_total fill_notional_usd_total
        markout_favourable_bps_total markout_adverse_bps_total markout_fills_total ws_reconnects_total
        feed_gaps_total order_rejects_total orders_sent_total alerts_sent_total tick_to_order_seconds
        order_ack_seconds markout_bps bad_input_total late_compiles_total build_info loop_lag_seconds
        governor_tokens ip_weight_remaining levels_merged vol_known log_errors_total session_loss_limit_usd
        action_budget_hours_left risk_mode deadman_state deadman_fires_total process_cpu_seconds_total
        process_resident_bytes process_resident_peak_bytes position_differs_seconds pnl_residual_usd
        losing_streak_loss_usd"""
    assert {f"amm_{name}" for name in wanted.split()} <= set(METRICS)
