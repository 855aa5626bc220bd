"""Cases of the alerts about processes."""

from __future__ import annotations

from boards.case import Age, Case, Course, Phase, Rise, gauge

FEED = 'amm_feed_last_message_timestamp_seconds{coin="x",channel="l2Book",service="feed"}'
HEARTBEAT = 'amm_heartbeat_timestamp_seconds{service="quoter"}'
P99 = 'amm_tick_to_order_seconds_bucket{coin="x",le="%s"}'


def _counter(alert: str, series: str, text: str, settled_s: int, /, **labels: str) -> Case:
    """A counter that must stand still: one step fires, and is forgotten when it has left the window."""
    return Case(alert, labels, (
        Phase(60, {series: 0.0}), Phase(60, {series: 1.0}, loud=text), Phase(settled_s, {series: 1.0}),
    ))  # fmt: skip


def _latencies(within_50_ms: float) -> dict[str, Course]:
    """A hundred orders a sample, so many of them within 50 ms, the others within 100 ms."""
    return {P99 % "0.05": Rise(within_50_ms), P99 % "0.1": Rise(100.0), P99 % "+Inf": Rise(100.0)}


def _builds(quoter: str) -> dict[str, Course]:
    series: dict[str, Course] = {
        'amm_build_info{service="feed",build="a",schema="1",config_hash="h"}': 1.0,
        'amm_build_info{service="simvenue",build="a",schema="1",config_hash="other"}': 1.0,
    }
    for build in ("a", "b"):
        series[f'amm_build_info{{service="quoter",build="{build}",schema="1",config_hash="h"}}'] = (
            1.0 if build == quoter else None
        )
    return series


REQUIRED: dict[str, Course] = {
    'amm_margin_ratio{account="main"}': 0.1, 'amm_equity_usd{account="main"}': 1000.0, HEARTBEAT: Age(0.0),
}  # fmt: skip

SYSTEM_CASES = (
    gauge("ServiceDown", 'up{job="amm500",instance="quoter:9102",service="quoter"}', 1, 0, "0", job="amm500",
          instance="quoter:9102", service="quoter"),
    Case("ServiceHeartbeatStale", {"service": "quoter"}, (
        Phase(60, {HEARTBEAT: Age(10.0)}),
        Phase(30, {HEARTBEAT: Age(10.5)}, loud="10.5s"),
        Phase(60, {HEARTBEAT: Age(0.5)}),
    )),
    Case("FeedStale", {"coin": "x", "channel": "l2Book"}, (
        Phase(60, {FEED: Age(5.0)}), Phase(60, {FEED: Age(5.5)}, loud="5.5s"), Phase(60, {FEED: Age(0.2)}),
    )),
    gauge("BusLinkDown", 'amm_bus_link_up{service="quoter"}', 1, 0, "0", service="quoter"),
    *(Case("NoData", {}, (
        Phase(60, REQUIRED), Phase(390, {**REQUIRED, missing: None}, loud="1", settle_s=300), Phase(60, REQUIRED),
    ), missing.partition("{")[0]) for missing in REQUIRED),
    gauge("StreamLag", 'amm_stream_lag_messages{stream="fills:x",group="riskd"}', 500, 501, "501", stream="fills:x",
          group="riskd"),
    gauge("StreamLag", 'amm_stream_oldest_pending_seconds{stream="fills:x",group="riskd"}', 2, 2.1, "2.1",
          stream="fills:x", group="riskd"),
    _counter("StreamDropped", 'amm_stream_dropped_total{stream="md:x",service="feed"}', "1", 400, service="feed",
             stream="md:x"),
    Case("ReconnectStorm", {"channel": "main"}, (
        Phase(60, {'amm_ws_reconnects_total{channel="main"}': 0.0}),
        Phase(120, {'amm_ws_reconnects_total{channel="main"}': 5.0}),
        Phase(60, {'amm_ws_reconnects_total{channel="main"}': 11.0}, loud="11"),
        Phase(700, {'amm_ws_reconnects_total{channel="main"}': 11.0}),
    )),
    Case("TickToOrderSlow", {"coin": "x"}, (
        Phase(330, _latencies(99.0)), Phase(150, _latencies(90.0), loud="89.47ms"),
        Phase(330, _latencies(100.0)),
    ), "p99 exactly at the bucket of 50 ms is no alert"),
    gauge("LoopLag", 'amm_loop_lag_seconds{service="quoter"}', 0.25, 0.26, "260ms", service="quoter"),
    gauge("ClockStepped", 'amm_clock_offset_seconds{service="quoter"}', 0.25, -0.3, "300ms", service="quoter"),
    _counter("LateCompiles", 'amm_late_compiles_total{service="quoter"}', "1", 700, service="quoter"),
    _counter("LogErrors", 'amm_log_errors_total{service="quoter"}', "1", 400, service="quoter"),
    Case("BadInput", {"service": "feed", "boundary": "venue_ws"}, (
        Phase(120, {'amm_bad_input_total{service="feed",boundary="venue_ws",reason="crossed"}': Rise(5.0)}),
        Phase(150, {'amm_bad_input_total{service="feed",boundary="venue_ws",reason="crossed"}': Rise(10.0)}, loud="2"),
        Phase(120, {'amm_bad_input_total{service="feed",boundary="venue_ws",reason="crossed"}': Rise(5.0)}),
    ), "one a second is no alert"),
    Case("BuildsDiffer", {}, (
        Phase(120, _builds("a")), Phase(120, _builds("b"), loud="2", settle_s=0), Phase(400, _builds("a")),
    ), "the simulated venue may have a configuration of its own"),
    gauge("RecorderStopped", 'amm_recorder_on{coin="x"}', 1, 0, "0", coin="x"),
    _counter("RecorderLossy", 'amm_recorder_dropped_total{coin="x",reason="buffer"}', "1", 700, coin="x"),
    gauge("ProcessMemoryHigh", 'amm_process_resident_bytes{service="quoter"}', 1e9, 1.1e9, "1.1G", service="quoter"),
    Case("SimulatorLate", {}, (
        Phase(60, {"amm_sim_lags_total": 0.0}),
        Phase(120, {"amm_sim_lags_total": 15.0}),
        Phase(120, {"amm_sim_lags_total": 31.0}, loud="31"),
        Phase(400, {"amm_sim_lags_total": 31.0}),
    )),
)  # fmt: skip
