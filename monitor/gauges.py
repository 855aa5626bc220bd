"""The monitor's gauges for Prometheus: the same numbers as the page, once a second."""

from __future__ import annotations

from common import metrics
from common.clock import NS, wall_ns
from common.markout import HORIZONS_S
from common.messages import Severity
from monitor.engine import MonitorEngine

E8 = 1e8
ACCOUNT = "main"
HOURS_MAX = 1_000.0
"""What is shown for a budget that lasts longer, or of which nothing is spent."""


def begin(coin: str) -> None:
    """Every counter at 0, so that the first alert and the first markout are an increase."""
    for severity in Severity:
        metrics.count("amm_alerts_sent_total", 0, channel="log", severity=severity.value)
    for horizon_s in HORIZONS_S:
        for name in ("favourable_bps", "adverse_bps", "fills"):
            metrics.count(f"amm_markout_{name}_total", 0, coin=coin, horizon=f"{horizon_s}s")


def set_gauges(m: MonitorEngine) -> None:
    """Set what is known; what is not known yet is not exported."""
    _heartbeats(m)
    _account(m)
    _money(m)
    _second_opinion(m)
    _edge(m)
    vol = m.market.volatility(m.t_ns)
    if vol is not None:
        metrics.set("amm_volatility_annualized_ratio", vol.annual, coin=m.coin, estimator="rms_5s")
    metrics.set("amm_open_orders", m.orders.open_orders, coin=m.coin)
    metrics.set("amm_unknown_orders", m.orders.unknown_orders, coin=m.coin)
    metrics.set("amm_kill_switch_tripped", float(m.kill.epoch > 0), reason="file")


def count_markout(coin: str, horizon_s: int, bps: float) -> None:
    """One fill at one horizon: sums of both signs apart, since a mean needs them and a histogram has no such sum."""
    labels = {"coin": coin, "horizon": f"{horizon_s}s"}
    metrics.count("amm_markout_fills_total", **labels)
    metrics.count("amm_markout_favourable_bps_total", max(bps, 0.0), **labels)
    metrics.count("amm_markout_adverse_bps_total", max(-bps, 0.0), **labels)
    metrics.observe("amm_markout_bps", bps, **labels)


def _heartbeats(m: MonitorEngine) -> None:
    """Others' heartbeats, told by us: a dead process still has an ageing one."""
    now_s = wall_ns() / 1e9
    for name in m.services.expected:
        age_s = m.services.age_s(name, m.t_ns, m.mono_ns)
        if age_s is not None:
            metrics.set("amm_heartbeat_timestamp_seconds", now_s - age_s, service=name)


def _account(m: MonitorEngine) -> None:
    equity_e8, permit = m.money.equity_e8, m.permit
    if equity_e8 is not None:
        metrics.set("amm_equity_usd", equity_e8 / E8, account=ACCOUNT)
    if permit is not None:
        metrics.set("amm_margin_ratio", permit.margin_ratio, account=ACCOUNT)
        metrics.set("amm_drawdown_ratio", permit.drawdown, account=ACCOUNT)
    budget = m.orders.budget(m.money.account, m.t_ns)
    remaining, hours = budget["remaining"], budget["hours_left"]
    if isinstance(remaining, int):
        metrics.set("amm_rate_limit_remaining_requests", remaining, account=ACCOUNT)
        hours_left = min(hours, HOURS_MAX) if isinstance(hours, float) else HOURS_MAX
        metrics.set("amm_action_budget_hours_left", hours_left, account=ACCOUNT)
    taker = m.money.shares_24h()[1]
    if taker is not None:
        metrics.set("amm_taker_ratio", taker, window="24h")


def _edge(m: MonitorEngine) -> None:
    """From the first fill that is 60 s old on; the quoter shows what its gate judged last, which takes an hour."""
    edge = m.scores.edge_shown(m.mono_ns)
    for estimator in ("mean", "lo", "hi"):
        bps = edge[estimator]
        if isinstance(bps, float):
            metrics.set("amm_edge_net_bps", bps, coin=m.coin, estimator=estimator)


def _second_opinion(m: MonitorEngine) -> None:
    """Where the venue's view of the account and our books disagree; 0 while they agree."""
    money = m.money
    wrong_s = 0.0 if money.position_wrong_since is None else (m.mono_ns - money.position_wrong_since) / NS
    metrics.set("amm_position_differs_seconds", wrong_s, coin=m.coin)
    residual_e8 = 0 if money.residual_since is None else money.residual_e8
    metrics.set("amm_pnl_residual_usd", residual_e8 / E8, account=ACCOUNT)


def _money(m: MonitorEngine) -> None:
    mark, ledger, coin = m.market.mark_px_u, m.money.ledger, m.coin
    if not mark:
        return
    parts = m.money.pnl(mark)
    position_u = m.money.position_u
    metrics.set("amm_session_pnl_usd", parts["net"] / E8, account=ACCOUNT)
    metrics.set("amm_realized_pnl_usd", ledger.realised_e8 / E8, coin=coin)
    metrics.set("amm_unrealized_pnl_usd", ledger.unrealised_e8(mark) / E8, coin=coin)
    metrics.set("amm_spread_captured_usd", parts["spread"] / E8, coin=coin)
    metrics.set("amm_inventory_pnl_usd", parts["inventory"] / E8, coin=coin)
    metrics.set("amm_fees_paid_usd", -parts["fees"] / E8, coin=coin)
    metrics.set("amm_funding_paid_usd", -parts["funding"] / E8, coin=coin)
    metrics.set("amm_position_base_units", position_u / 10.0**m.market.sz_decimals, coin=coin)
    metrics.set("amm_position_notional_usd", position_u * mark / 1e6, coin=coin)
