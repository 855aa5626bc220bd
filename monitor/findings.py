"""What is wrong now: the table of rules a person should hear about, read from the monitor's boards.

Each rule yields at most one finding; levels of one quantity share a name so that only the worst is told. Bounds are
those of the design's section 6, of `reliability.md` 5 and `grafana.md` 4, or of the configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from common.messages import Mode, Severity
from monitor.alerts import Finding

if TYPE_CHECKING:
    from monitor.engine import MonitorEngine

S = 1_000_000_000
STALE_S = 5.0
LINK_DOWN_S = 3.0
KILL_OBEYED_S = 3.0
PAUSED_S = 5.0
"""Every start passes through a pause of a second or two."""
POSITION_WRONG_S = 10.0
"""P21: a mismatch that lasts 10 s is told within 15 s."""
RESIDUAL_S = 90.0
"""Longer than the executor's 30 s round of reading funding and fills."""
WALLET_SILENT_S = 60.0
ACTIONS_LOW = 2_000
FUNDING_HIGH_1H = 0.0001
EDGE_FILLS_MIN = 50
MAKER_SHARE_LOW = 0.90


def findings(m: MonitorEngine) -> Iterator[Finding]:
    """Everything that is wrong at the engine's present time."""
    yield from _services(m)
    yield from _mode(m)
    yield from _risk(m)
    yield from _money(m)
    yield from _market(m)


def _services(m: MonitorEngine) -> Iterator[Finding]:
    silent = [] if m.deaf(m.mono_ns) else m.services.silent(m.t_ns, m.mono_ns)
    for name in silent:
        age_s = m.services.age_s(name, m.t_ns, m.mono_ns)
        text = f"{name} was never heard" if age_s is None else f"{name} is silent: no heartbeat for {age_s:.0f} s"
        yield Finding(f"silent_{name}", Severity.CRITICAL, text)
    for name in m.services.mismatched():
        text = f"{name} runs another build or configuration than the others"
        yield Finding(f"mismatch_{name}", Severity.CRITICAL, text)
    if m.link_down_mono_ns is not None and m.mono_ns - m.link_down_mono_ns > LINK_DOWN_S * S:
        yield Finding("redis_down", Severity.CRITICAL, "Redis does not answer: nothing below is news")


def _mode(m: MonitorEngine) -> Iterator[Finding]:
    mode, why = m.mode(m.mono_ns), "; ".join(m.reasons(m.mono_ns))
    if mode == Mode.KILLED.value:
        yield Finding("killed", Severity.EMERGENCY, f"trading is killed: {why}")
    elif mode == Mode.PAUSED.value and m.mono_ns - m.mode_mono_ns >= PAUSED_S * S:
        yield Finding("paused", Severity.WARNING, f"trading is paused: {why}")
    told = m.permit is not None and m.permit.mode is Mode.KILLED
    if m.kill.epoch and not told and m.mono_ns - m.kill_mono_ns > KILL_OBEYED_S * S:
        text = "the kill file is there, but riskd does not say killed: check that no order rests"
        yield Finding("kill_not_seen", Severity.EMERGENCY, text)


def _risk(m: MonitorEngine) -> Iterator[Finding]:
    risk, permit = m.settings.risk, m.permit
    if permit is None:
        return
    ratio = permit.margin_ratio
    levels = (
        (risk.margin_emergency, Severity.EMERGENCY),
        (risk.margin_critical, Severity.CRITICAL),
        (risk.margin_high, Severity.WARNING),
        (risk.margin_info, Severity.INFO),
    )
    for bound, severity in levels:
        if ratio > bound:
            yield Finding("margin", severity, f"margin ratio {ratio:.1%} is above {bound:.0%}")
            break
    if permit.drawdown > risk.drawdown_alert:
        severity = Severity.EMERGENCY if permit.drawdown > risk.max_drawdown else Severity.WARNING
        yield Finding("drawdown", severity, f"equity is {permit.drawdown:.1%} below its peak")


def _money(m: MonitorEngine) -> Iterator[Finding]:
    money, risk = m.money, m.settings.risk
    if m.market.mark_px_u:
        loss_usd = -money.pnl(m.market.mark_px_u)["net"] / 1e8
        kill_usd = min(risk.session_loss_usd, risk.session_loss_ratio * m.settings.equity_usd)
        if loss_usd > kill_usd / 2:
            text = f"this session has lost ${loss_usd:.2f}; the kill is at ${kill_usd:.2f}"
            yield Finding("session_loss", Severity.WARNING, text)
    maker, taker = money.shares_24h()
    if maker is not None and taker is not None and money.fills_24h >= risk.taker_min_fills:
        if taker > risk.taker_ratio_max:
            yield Finding("taker_share", Severity.WARNING, f"taker share of 24 h is {taker:.1%}")
        if maker < MAKER_SHARE_LOW:
            yield Finding("maker_share", Severity.WARNING, f"maker share of 24 h is {maker:.1%}")
    if money.position_wrong_since is not None and m.mono_ns - money.position_wrong_since >= POSITION_WRONG_S * S:
        text = f"the venue's position is not ours ({money.position_u} by our fills): second opinion disagrees"
        yield Finding("position_mismatch", Severity.CRITICAL, text)
    if money.residual_since is not None and m.mono_ns - money.residual_since >= RESIDUAL_S * S:
        text = f"the account changed by ${money.residual_e8 / 1e8:.4f} that fills, fees and funding do not explain"
        yield Finding("pnl_residual", Severity.CRITICAL, text)
    if money.wallet_mono_ns is not None and m.mono_ns - money.wallet_mono_ns > WALLET_SILENT_S * S:
        yield Finding("wallet_silent", Severity.WARNING, "no independent view of the account for a minute")
    edge = m.scores.edge_shown(m.mono_ns)
    hi, fills = edge["hi"], edge["fills"]
    if isinstance(hi, float) and isinstance(fills, int) and hi < 0 and fills >= EDGE_FILLS_MIN:
        text = f"net edge is below 0: {edge['lo']} to {hi} bps over {fills} fills; this market does not pay"
        yield Finding("edge_negative", Severity.WARNING, text)


def _market(m: MonitorEngine) -> Iterator[Finding]:
    age_s = m.market.data_age_s(m.mono_ns)
    if age_s is not None and age_s > STALE_S and not m.deaf(m.mono_ns):
        yield Finding("feed_stale", Severity.CRITICAL, f"market data is {age_s:.0f} s old")
    context = m.market.context
    if context is not None and abs(context.funding_rate_1h) > FUNDING_HIGH_1H:
        text = f"funding is {1e4 * context.funding_rate_1h:+.2f} bps an hour"
        yield Finding("funding_high", Severity.INFO, text)
    remaining = m.orders.budget(m.money.account, m.t_ns)["remaining"]
    if isinstance(remaining, int) and remaining < ACTIONS_LOW:
        yield Finding("actions_low", Severity.WARNING, f"only {remaining} actions are left for this address")
