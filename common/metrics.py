"""Every metric this system may export: one table, typed access, Prometheus text.

A name or label that is not in the table raises, so a typing error cannot become a silent hole in a dashboard.  A
metric is exported by a process from its first use on.  Base units in the names; bps only for spreads and markouts;
signed amounts are gauges.  Labels are bounded: never an order id, price, address or error text.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric as Family

from common.errors import OurFault

disable_created_metrics()  # type: ignore[no-untyped-call]

SERIES_MAX = 400
"""Label combinations one metric may have (the whole system's budget is 1,500 series)."""


@dataclass(frozen=True)
class Spec:
    """One row of the table; `buckets` only for histograms."""

    kind: type[Gauge] | type[Counter] | type[Histogram]
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()


_HOP = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_ACK = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 5.0)
_BPS = (-20.0, -10.0, -5.0, -3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0)


def _gauges(labels: tuple[str, ...], **helps: str) -> dict[str, Spec]:
    return {f"amm_{name}": Spec(Gauge, labels, text) for name, text in helps.items()}


def _counters(labels: tuple[str, ...], **helps: str) -> dict[str, Spec]:
    return {f"amm_{name}_total": Spec(Counter, labels, text) for name, text in helps.items()}


METRICS: dict[str, Spec] = {
    **_gauges(
        ("account",),
        margin_ratio="Margin used over equity, 0-1",
        margin_used_usd="Margin in use",
        margin_available_usd="Equity not used as margin",
        equity_usd="Account equity",
        equity_peak_usd="Highest equity of the session",
        drawdown_ratio="Fall of equity from its peak, 0-1",
        session_pnl_usd="Profit of this session after fees and funding",
        session_loss_limit_usd="Loss of this session that kills trading",
        pnl_residual_usd="Change of cash that fills, fees and funding do not explain, 0 below a cent",
        rate_limit_remaining_requests="Actions the venue still allows this address",
        action_budget_hours_left="How long the actions that are left last at the present pace",
        governor_tokens="Actions the action governor would spend now",
        action_price_usd="What one more action costs at the current budget, 0 = nothing",
    ),
    **_gauges(
        ("coin",),
        realized_pnl_usd="Realised profit",
        unrealized_pnl_usd="Unrealised profit at the mark",
        spread_captured_usd="Spread part of the profit",
        inventory_pnl_usd="Inventory part of the profit",
        fees_paid_usd="Fees paid less rebates",
        funding_paid_usd="Funding paid less received",
        position_base_units="Signed position, long above 0",
        position_notional_usd="Signed position at the mark",
        delta_ratio="Position over equity times the delta scale",
        mid_price_usd="Middle of best bid and ask",
        microprice_usd="Mid weighted by the opposite side's size",
        best_bid_price_usd="Best bid",
        best_ask_price_usd="Best ask",
        spread_half_bps="Half spread of our innermost quotes",
        spread_floor_bps="Least half spread that pays fees and adverse selection",
        quote_fade_multiplier="Widening after losing fills, 1 = none",
        book_imbalance_ratio="Depth imbalance, -1 to 1",
        funding_rate_hourly_ratio="Funding rate per hour",
        consecutive_losing_fills="Losing fills in a row",
        losing_streak_loss_usd="What the losing fills in a row have lost",
        position_differs_seconds="How long the venue's position has not been the one of our fills, machine time",
        open_orders="Orders resting at the venue",
        unknown_orders="Orders sent without a trustworthy answer",
        levels_merged="Ladder levels merged into a neighbour",
        vol_known="1 when volatility rests on enough samples",
    ),
    **_gauges(("coin", "side"), book_thin_levels="Levels of the best ten far thinner than their side's median"),
    **_gauges(("coin", "window"), order_flow_imbalance="Signed root of the touch's decayed order flow imbalance"),
    **_gauges(
        ("coin",),
        book_pressure_ratio="Depth imbalance that weighs near levels more, -1 to 1",
        book_liquid="1 while the book is deep enough to quote in full",
    ),
    **_gauges(("coin",), session_calendar_days="Days for which the calendar of sessions still reaches"),
    **_gauges(("coin", "session"), session_active="1 for the session of the underlying that quotes follow, else 0"),
    **_gauges(
        ("coin", "side", "level"), quote_price_usd="Price we want to rest", quote_size_usd="Size we want to rest"
    ),
    **_gauges(("coin", "side"), requote_hold_bps="How far off the innermost order may be before moving it pays"),
    **_gauges(("coin", "side", "level"), queue_ahead_usd="Size of others before our order at its price, estimated"),
    **_gauges(
        ("coin", "bucket", "estimator"),
        queue_fill_usd="What prints should have filled of us, and did, by the share of the level before us",
    ),
    **_gauges(("coin", "estimator"), edge_net_bps="Net 60 s markout of our fills: mean and bounds of its interval"),
    **_gauges(("coin",), edge_stopped="1 while our own fills show no edge here"),
    **_gauges(
        ("coin", "side", "estimator"),
        adverse_bps="Adverse selection 60 s after our fills: mean, 80 % bound, and its slope per bps of distance",
    ),
    **_gauges(("coin", "side", "distance_bps"), book_depth_usd="Depth of the book within a distance of the mid"),
    **_gauges(("coin", "estimator"), volatility_annualized_ratio="Annualised volatility, 0.2 = 20 %"),
    **_gauges(("window",), taker_ratio="Taker share of our volume"),
    **_gauges(("reason",), kill_switch_tripped="1 while killed for this reason"),
    **_gauges(
        (),
        trading_enabled="1 while new orders may be sent",
        risk_mode="Mode of the newest permit, by its place in common.messages.Mode",
        deadman_state="State of the dead-man process, by its place in executor.vigil.State",
        process_resident_bytes="Memory of the process that is in RAM now (Linux)",
        process_resident_peak_bytes="Most memory of the process that ever was in RAM",
    ),
    **_gauges(("coin", "channel"), feed_last_message_timestamp_seconds="When the channel last gave a valid message"),
    **_gauges(
        ("stream", "group"),
        stream_lag_messages="Entries of a stream not yet read",
        stream_oldest_pending_seconds="Age of the oldest entry read but not acknowledged",
    ),
    **_gauges(("service",), heartbeat_timestamp_seconds="When the service was last heard"),
    **_gauges(("service", "build", "schema", "config_hash"), build_info="1; what runs here"),
    **_gauges(
        (),
        loop_lag_seconds="How late the event loop was, worst of the last half second",
        ip_weight_remaining="Request weight our IP had left when this service last asked for some",
        bus_link_up="1 while every connection to Redis works",
        clock_offset_seconds="Last correction of market time",
        sim_lag_seconds="How late the simulated market's last step was, machine time",
    ),
    **_gauges(
        (),
        quoter_cpu_pinned="1 while the quoter has fewer CPUs than the host, all performance ones as far as is known",
        quoter_cpu_capacity="Slowest CPU of the quoter against the host's fastest, 1024 = as fast, 0 = unknown",
    ),
    **_gauges(("cpus",), quoter_cpus_info="1; the CPUs the quoter may run on"),
    **_gauges(
        ("coin",),
        recorder_on="1 while market messages are written to disk, 0 once recording has stopped",
        recorder_lag_seconds="Age of the oldest message that is not on disk yet, machine time",
    ),
    **_counters(
        ("coin",),
        recorder_messages="Market messages written to disk",
        recorder_bytes="Bytes written to recordings",
    ),
    **_counters(("coin", "reason"), recorder_dropped="Market messages that were not recorded"),
    **_gauges(("coin", "liquidity"), fee_rate_bps="Fee the venue charges this account here, a rebate below 0"),
    **_counters(("coin", "liquidity"), fee_differences="Fills whose fee was further from the model than allowed"),
    **_counters(("coin", "side", "liquidity"), fills="Fills", fill_notional_usd="Notional filled"),
    **_counters(
        ("coin", "horizon"),
        markout_favourable_bps="Sum of markouts above 0",
        markout_adverse_bps="Sum of markouts below 0, as a positive number",
        markout_fills="Fills marked out",
    ),
    **_counters(
        ("coin",),
        requote_gain_usd="Expected gain of the orders moved",
        requote_cost_usd="Price of their actions and the queue places given up",
    ),
    **_counters(("channel",), ws_reconnects="Reconnections of a socket"),
    **_counters(("coin",), feed_gaps="Times market data was older than allowed"),
    **_counters(
        ("reason",),
        order_rejects="Orders refused by the venue or by our own checks",
        deadman_fires="Times the dead-man process began to cancel",
    ),
    **_counters(("action",), orders_sent="Order actions sent, by entry"),
    **_counters(("channel", "severity"), alerts_sent="Alerts sent to people"),
    **_counters(("boundary", "reason"), bad_input="Input refused at a boundary"),
    **_counters(("stream",), stream_dropped="Messages that could not be written in time"),
    **_counters(
        (),
        late_compiles="Kernels compiled after the service was ready; must be 0",
        log_errors="Log lines at ERROR or above",
        sim_lags="Steps of the simulated market that came more than 0.1 s late",
        process_cpu_seconds="Processor time of the process, user and system",
    ),
    "amm_tick_to_order_seconds": Spec(Histogram, ("coin",), "Market message received to order sent", _HOP),
    "amm_order_ack_seconds": Spec(Histogram, ("coin",), "Order sent to the venue's answer", _ACK),
    "amm_markout_bps": Spec(Histogram, ("coin", "horizon"), "Markout of a fill", _BPS),
}

_REGISTRY = CollectorRegistry(auto_describe=False)
_families: dict[str, Any] = {}
_children: dict[tuple[Any, ...], Any] = {}
_series: dict[str, int] = {}

Child: TypeAlias = Any


def gauge(name: str, /) -> Gauge:
    """The gauge itself, for code that keeps a labelled child."""
    family = _family(name)
    if not isinstance(family, Gauge):
        raise OurFault(f"{name} is not a gauge")
    return family


def count(name: str, by: float = 1.0, /, **labels: str) -> None:
    """Raise a counter by a number >= 0."""
    _child(Counter, name, labels).inc(by)


def set(name: str, value: float, /, **labels: str) -> None:
    """Set a gauge; a value that is not finite is counted as bad input and not shown."""
    child = _child(Gauge, name, labels)
    if math.isfinite(value):
        child.set(value)
    else:
        count("amm_bad_input_total", boundary="metric", reason="not_finite")


def observe(name: str, value: float, /, **labels: str) -> None:
    """Add one observation to a histogram; a value that is not finite is counted as bad input."""
    child = _child(Histogram, name, labels)
    if math.isfinite(value):
        child.observe(value)
    else:
        count("amm_bad_input_total", boundary="metric", reason="not_finite")


def value(name: str, /, **labels: str) -> float:
    """What a gauge or counter shows now; 0 before its first use."""
    kind = _spec(name).kind
    _check(name, labels)
    found = _REGISTRY.get_sample_value(name, labels)
    if kind is Histogram:
        raise OurFault(f"{name} is a histogram")
    return 0.0 if found is None else found


async def exposition() -> bytes:
    """All metrics of this process as Prometheus text; the loop may run others between two families."""
    parts = []
    for name in sorted(_families):
        parts.append(generate_latest(_One(_families[name])))
        await asyncio.sleep(0)
    return b"".join(parts)


class _One:
    """A registry of one family, so that writing text never holds the loop for long."""

    def __init__(self, family: Any) -> None:
        self._collected: Any = family

    def collect(self) -> Iterable[Family]:
        found: Iterable[Family] = self._collected.collect()
        return found


def _child(kind: type[Any], name: str, labels: dict[str, str]) -> Child:
    slot = (kind, name, *labels.items())
    child = _children.get(slot)
    if child is None:
        child = _children[slot] = _new_child(kind, name, labels)
    return child


def _new_child(kind: type[Any], name: str, labels: dict[str, str]) -> Child:
    if _spec(name).kind is not kind:
        raise OurFault(f"{name} is no {kind.__name__.lower()}")
    _check(name, labels)
    _series[name] = _series.get(name, 0) + 1
    if _series[name] > SERIES_MAX:
        raise OurFault(f"{name} has more than {SERIES_MAX} label combinations: a label is not bounded")
    family = _family(name)
    return family.labels(**labels) if labels else family


def _family(name: str) -> Any:
    family = _families.get(name)
    if family is None:
        spec = _spec(name)
        more: dict[str, Any] = {"buckets": spec.buckets} if spec.buckets else {}
        family = _families[name] = spec.kind(name, spec.help, spec.labels, registry=_REGISTRY, **more)
    return family


def _spec(name: str) -> Spec:
    spec = METRICS.get(name)
    if spec is None:
        raise OurFault(f"{name} is not in the table of metrics")
    return spec


def _check(name: str, labels: dict[str, str]) -> None:
    wanted = _spec(name).labels
    if sorted(labels) != sorted(wanted):
        raise OurFault(f"{name} has the labels {wanted}, not {tuple(labels)}")
