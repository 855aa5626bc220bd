"""The session report as data: what `reports/session/latest.json` says of one run, at a given mark price.

Same keys for PnL and edge as a backtest's `latest.json`. Every PnL part is what it added (fees paid are negative), so
spread + inventory + fees + funding = net, exactly in the `*_e8` integers. What only the venue knows (resting orders,
its own ledger) is added by whoever asks it. Times in ISO UTC of the market's clock; on a replay `recorded_span` is
the same span on the recording's clock.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from common.messages import Severity
from monitor.engine import MonitorEngine
from monitor.events import ClockRead
from monitor.status import pnl_row

S = 1_000_000_000
DAY_S = 86_400.0


def session(m: MonitorEngine, build: str, mark_px_u: int | None = None) -> dict[str, Any]:
    """The report now, valued at `mark_px_u` (default: the venue's mark as we last heard it)."""
    mark = mark_px_u if mark_px_u is not None else m.market.mark_px_u
    ledger = m.money.ledger
    begin_t_ns, end_t_ns = m.clock.origin_t_ns, max(m.t_ns, m.clock.origin_t_ns)
    seconds = max((end_t_ns - begin_t_ns) / S, 1e-9)
    vol = m.market.volatility(m.t_ns)
    known = mark or ledger.position_u == 0
    return {
        "source": m.settings.network,
        "market": m.coin,
        "profile": m.settings.profile,
        "span": f"{iso(begin_t_ns)}/{iso(end_t_ns)}",
        "recorded_span": _recorded(m.clock, begin_t_ns, end_t_ns),
        "cut_s": m.clock.cut_ns / S,
        "market_hours": round(seconds / 3600.0, 4),
        "speed": m.clock.rate,
        "commit": build,
        "config_hash": m.settings.config_hash(),
        "fills": ledger.fills,
        "maker_share": _share(ledger.maker_e6, ledger.volume_e6),
        "taker_share": _share(ledger.taker_e6, ledger.volume_e6),
        "volume_usd": ledger.volume_e6 / 1e6,
        "pnl": pnl_row(m.money.pnl(mark) if known else None),
        "edge_bps": m.scores.edge(),
        "markouts": m.scores.horizons(),
        "markouts_by": m.scores.by_kind(),
        "trades_per_day": round(ledger.fills * DAY_S / seconds, 2),
        "actions": m.orders.entries,
        "actions_per_market_minute": round(m.orders.entries * 60.0 / seconds, 3),
        "action_budget": m.orders.budget(m.money.account, m.t_ns),
        "annualised_vol": None if vol is None else vol.annual,
        "vol_returns": 0 if vol is None else vol.returns,
        "position_u": m.money.position_u,
        "opening_position_u": m.money.opening_u,
        "mark_px_u": mark or None,
        "equity_e8": m.money.equity_e8,
        "residual_e8": m.money.residual_e8,
        "action_outcomes": dict(sorted(m.orders.outcomes.items())),
        "errors": m.alerts.counts[Severity.CRITICAL] + m.alerts.counts[Severity.EMERGENCY],
        "alerts": {severity.value: count for severity, count in m.alerts.counts.items()},
    }


def iso(t_ns: int) -> str:
    """Market time as ISO text in UTC, to the ms."""
    return datetime.fromtimestamp(t_ns / S, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _recorded(clock: ClockRead, begin_t_ns: int, end_t_ns: int) -> str | None:
    """The span on the recording's own clock, cut gaps included; None when nothing is replayed."""
    offset_ns = clock.session_offset_ns
    if not offset_ns:
        return None
    return f"{iso(begin_t_ns + offset_ns - clock.cut_ns)}/{iso(end_t_ns + offset_ns)}"


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
