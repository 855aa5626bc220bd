"""The System board: latency, streams, feeds and processes."""

from __future__ import annotations

from boards import bounds as b
from boards.alerts_system import HEARTBEAT_AGE
from boards.panel import (
    BYTES,
    COUNT,
    GREEN,
    NONE,
    ORANGE,
    RATE,
    RATIO,
    RED,
    SECONDS,
    Ask,
    Board,
    Panel,
    Row,
    label,
    of_coin,
    one,
    stat,
)

UP = {0: ("down", RED), 1: ("up", GREEN)}
BUCKETS = of_coin("amm_tick_to_order_seconds_bucket")
ACKS = of_coin("amm_order_ack_seconds_bucket")
PINNED = {0: ("not pinned", ORANGE), 1: ("pinned", GREEN)}


def _quantile(q: float, buckets: str) -> Ask:
    return Ask(f"histogram_quantile({q}, sum by (le) (rate({buckets}[{RATE}])))", f"p{q * 100:.0f}")


def _by_service(counter: str) -> tuple[Ask, ...]:
    return one(f"sum by (service) (increase({counter}[{RATE}]))", "{{service}}")


LATENCY = (
    Panel("Tick to order", "heat", SECONDS, "Market message received to order sent: how many orders took how long.",
          one(f"sum by (le) (increase({BUCKETS}[{RATE}]))", "{{le}}")),
    Panel("Tick to order, percentiles", "lines", SECONDS,
          f"Alert when p99 of 5 min is above {b.TICK_TO_ORDER_S * 1e3:g} ms.",
          (*(_quantile(q, BUCKETS) for q in (0.5, 0.9, 0.99)), Ask("amm:tick_to_order_seconds:p99_5m", "p99 of 5 min")),
          steps=((GREEN, None), (RED, b.TICK_TO_ORDER_S)), low=0.0),
    Panel("Orders within 10 ms", "lines", RATIO, "Share of orders sent within 10 ms of the market message behind them.",
          one(f"sum(rate({of_coin('amm_tick_to_order_seconds_bucket', label('le', '0.01'))}[{RATE}]))"
              f" / sum(rate({of_coin('amm_tick_to_order_seconds_count')}[{RATE}]))", "share"),
          width=8, low=0.0, high=1.0),
    Panel("Order acknowledgement", "lines", SECONDS, "Order sent to the venue's answer.",
          (_quantile(0.5, ACKS), _quantile(0.95, ACKS)), width=8, low=0.0),
    Panel("Loop lag", "lines", SECONDS,
          f"How late each event loop was at worst in half a second; alert above {b.LOOP_LAG_S * 1e3:g} ms.",
          one("max by (service) (amm_loop_lag_seconds)", "{{service}}"), width=8,
          steps=((GREEN, None), (RED, b.LOOP_LAG_S)), low=0.0),
)  # fmt: skip

DATA = (
    Panel("Feed age by layer", "lines", SECONDS,
          f"Age of the last valid message of each channel; alert above {b.FEED_S:g} s for the book.",
          one(f"time() - max by (coin, channel) ({of_coin('amm_feed_last_message_timestamp_seconds')})",
              "{{coin}} {{channel}}"), width=8, steps=((GREEN, None), (RED, b.FEED_S)), low=0.0),
    Panel("Reconnections and gaps", "lines", COUNT, "Sockets opened anew, and times market data was too old.", (
        Ask(f"sum by (channel) (increase(amm_ws_reconnects_total[{RATE}]))", "{{channel}}"),
        Ask(f"sum(increase({of_coin('amm_feed_gaps_total')}[{RATE}]))", "gaps")), width=8, low=0.0),
    Panel("IP weight left", "lines", COUNT,
          "Request weight our address had left when each service last asked for some (540 when rested).",
          one("min by (service) (amm_ip_weight_remaining)", "{{service}}"), width=8,
          steps=((RED, None), (ORANGE, 120.0), (GREEN, 240.0)), low=0.0),
    Panel("Stream lag", "lines", COUNT, f"Messages of a stream a group has not read; alert above {b.LAG_MESSAGES}.",
          one("max by (stream, group) (amm_stream_lag_messages)", "{{stream}} {{group}}"), width=8,
          steps=((GREEN, None), (RED, float(b.LAG_MESSAGES))), low=0.0),
    Panel("Oldest pending", "lines", SECONDS,
          f"Age of the oldest entry read and not acknowledged; alert above {b.PENDING_S:g} s.",
          one("max by (stream, group) (amm_stream_oldest_pending_seconds)", "{{stream}} {{group}}"), width=8,
          steps=((GREEN, None), (RED, b.PENDING_S)), low=0.0),
    Panel("Messages dropped", "lines", COUNT, "Messages that Redis did not take in time; must be 0.",
          one(f"sum by (service) (increase(amm_stream_dropped_total[{RATE}]))", "{{service}}"), width=8, low=0.0),
)  # fmt: skip

PROCESSES = (
    Panel("Targets up", "states", NONE, "Whether Prometheus gets an answer from each service.",
          one('max by (service) (up{job="amm500"})', "{{service}}"), texts=UP),
    Panel("Heartbeat age", "bars", SECONDS,
          f"Since each service was last heard by others; alert above {b.HEARTBEAT_S:g} s.",
          one(HEARTBEAT_AGE, "{{service}}"), width=6,
          steps=((GREEN, None), (ORANGE, b.HEARTBEAT_S / 2), (RED, b.HEARTBEAT_S)), low=0.0,
          high=2 * b.HEARTBEAT_S),
    Panel("Links to Redis", "states", NONE, "Whether every connection of a service to Redis works.",
          one("min by (service) (amm_bus_link_up)", "{{service}}"), width=6, texts=UP),
    Panel("CPU", "lines", RATIO, "Processor time a second; 100 % is one core.",
          one(f"sum by (service) (rate(amm_process_cpu_seconds_total[{RATE}]))", "{{service}}"), width=8, low=0.0),
    Panel("Memory", "lines", BYTES, "Memory in RAM now (Linux) and the most there ever was (Linux, macOS).", (
        Ask("max by (service) (amm_process_resident_bytes)", "{{service}}"),
        Ask("max by (service) (amm_process_resident_peak_bytes)", "{{service}} peak")), width=8, low=0.0),
    Panel("Pinned cores", "states", NONE, "The CPUs the quoter may run on; are they performance cores kept for it?",
          one("max(amm_quoter_cpu_pinned) * on () group_right () amm_quoter_cpus_info", "CPUs {{cpus}}"), width=4,
          texts=PINNED),
    stat("Core capacity", NONE, "max(amm_quoter_cpu_capacity)", "quoter",
         "Slowest CPU of the quoter against the machine's fastest; 1024 = as fast, 0 = unknown.", height=8),
)  # fmt: skip

FAULTS = (
    Panel("Late compiles", "lines", COUNT, "Kernels compiled after a service was ready; must be 0.",
          _by_service("amm_late_compiles_total"), width=8, low=0.0),
    Panel("Errors logged", "lines", COUNT, "Log lines at ERROR or above; must be 0.",
          _by_service("amm_log_errors_total"), width=8, low=0.0),
    Panel("Bad input", "lines", COUNT, "Input refused at a boundary, a second.",
          one(f"sum by (service, boundary, reason) (rate(amm_bad_input_total[{RATE}]))",
              "{{service}} {{boundary}} {{reason}}"), width=8, low=0.0),
    Panel("Clock correction", "lines", SECONDS, "By how much market time was corrected at the last look at the venue.",
          one("max by (service) (amm_clock_offset_seconds)", "{{service}}"), width=8),
    Panel("Simulated market", "lines", SECONDS,
          "Paper only: how late the last step of the simulated market was, and steps over 0.1 s late.", (
              Ask("max(amm_sim_lag_seconds)", "late"), Ask(f"sum(increase(amm_sim_lags_total[{RATE}]))", "late steps")),
          width=8, low=0.0),
    Panel("Recorder", "lines", NONE,
          "With RECORD=true: 1 while market messages are written, age of the oldest that is not on disk, and losses.", (
              Ask("min by (coin) (amm_recorder_on)", "{{coin}} on"),
              Ask("max by (coin) (amm_recorder_lag_seconds)", "{{coin}} lag, s"),
              Ask(f"sum by (reason) (increase(amm_recorder_dropped_total[{RATE}]))", "lost, {{reason}}")),
          width=8, low=0.0),
    Panel("Recorded", "lines", BYTES, "With RECORD=true: bytes and messages written, a second.", (
        Ask(f"sum by (coin) (rate(amm_recorder_bytes_total[{RATE}]))", "{{coin}} bytes"),
        Ask(f"sum by (coin) (rate(amm_recorder_messages_total[{RATE}]))", "{{coin}} messages")), width=8, low=0.0),
    Panel("What runs", "table", NONE, "Build, message schema and configuration of each service; all the same.",
          one("max by (service, build, schema, config_hash) (amm_build_info)",
              "{{service}} {{build}} {{schema}} {{config_hash}}"), width=16),
)  # fmt: skip

SYSTEM = Board(
    "system", "AMM-500 / System", "Latency, data, processes and their faults.",
    (Row("Latency"), *LATENCY, Row("Data"), *DATA, Row("Processes"), *PROCESSES, Row("Faults"), *FAULTS),
)  # fmt: skip
