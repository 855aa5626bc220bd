"""The answer of `GET /api/status`: one JSON object of everything the page shows.  Pure; reads the engine's boards.

Numbers are for people and charts; money is there a second time as exact integers (`*_e8`, 1e-8 quote). None = not
known, never 0.
"""

from __future__ import annotations

from typing import Any

from common.messages import Fill, Side
from common.ticks import px_decimals
from monitor.engine import MonitorEngine

E8 = 1e8


def status(m: MonitorEngine, build: str) -> dict[str, Any]:
    """The present picture; `build` names our own code."""
    t_ns, mono_ns = m.t_ns, m.mono_ns
    maker, taker = m.money.shares_24h()
    vol = m.market.volatility(t_ns)
    return {
        "t_ns": t_ns,
        "speed": m.clock.rate,
        "network": m.settings.network,
        "profile": m.settings.profile,
        "build": build,
        "config_hash": m.settings.config_hash(),
        "mode": m.mode(mono_ns),
        "reasons": m.reasons(mono_ns),
        "market": m.market.row(mono_ns),
        **_money(m),
        "edge_bps": m.scores.edge_shown(mono_ns),
        "position": _position(m),
        **_permit(m),
        "taker_ratio": taker,
        "maker_ratio": maker,
        "open_orders": m.orders.open_orders,
        "unknown_orders": m.orders.unknown_orders,
        "quotes": m.orders.rows(m.market.sz_decimals, t_ns, mono_ns),
        "action_budget": m.orders.budget(m.money.account, t_ns),
        "services": m.services.rows(t_ns, mono_ns),
        "fills": [fill_row(m, fill) for fill in reversed(m.money.fills)],
        "fills_count": m.money.ledger.fills,
        "volume_usd": m.money.ledger.volume_e6 / 1e6,
        "alerts": m.alerts.rows(),
        "volatility": {
            "annualised": None if vol is None else round(vol.annual, 6),
            "returns": 0 if vol is None else vol.returns,
        },
        "markouts": m.scores.horizons(),
        "markouts_by": m.scores.by_kind(),
        "history": [{"t_ns": p.t_ns, "net": p.net_e8 / E8, "position_usd": p.position_e6 / 1e6} for p in m.history],
    }


def pnl_row(parts_e8: dict[str, int] | None) -> dict[str, float | int | None]:
    """Parts as numbers and, exactly, as integers; spread + inventory + fees + funding = net in both."""
    names = ("net", "spread", "inventory", "fees", "funding")
    if parts_e8 is None:
        return {**dict.fromkeys(names), **{f"{name}_e8": None for name in names}}
    return {**{name: parts_e8[name] / E8 for name in names}, **{f"{name}_e8": parts_e8[name] for name in names}}


def _money(m: MonitorEngine) -> dict[str, Any]:
    mark, equity_e8 = m.market.mark_px_u, m.money.equity_e8
    known = mark or m.money.ledger.position_u == 0
    wallet = m.money.wallet
    return {
        "equity": None if equity_e8 is None else equity_e8 / E8,
        "equity_e8": equity_e8,
        "equity_second_opinion": None if wallet is None else wallet.equity_e8 / E8,
        "residual_e8": m.money.residual_e8,
        "pnl": pnl_row(m.money.pnl(mark) if known else None),
    }


def _position(m: MonitorEngine) -> dict[str, Any]:
    mark, ledger, decimals = m.market.mark_px_u, m.money.ledger, m.market.sz_decimals
    position_u, scale = m.money.position_u, 10.0 ** px_decimals(decimals)
    if not m.money.position_known:
        return {"text": "unknown", **dict.fromkeys(("size", "size_u", "notional", "entry_px", "unrealised"))}
    size, base = position_u / 10.0**decimals, m.coin.rpartition(":")[2]
    return {
        "text": f"{size:+.{decimals}f} {base}" if position_u else "flat",
        "size": size,
        "size_u": position_u,
        "notional": position_u * mark / 1e6 if mark else None,
        "entry_px": ledger.entry_px / scale if ledger.position_u else None,
        "unrealised": ledger.unrealised_e8(mark) / E8 if mark else None,
    }


def _permit(m: MonitorEngine) -> dict[str, Any]:
    permit, age_s = m.permit, m.permit_age_s(m.mono_ns)
    account = m.money.account
    ratio = permit.margin_ratio if permit else None
    if ratio is None and account is not None and account.equity_e8 > 0:
        ratio = account.margin_used_e8 / account.equity_e8
    return {
        "margin_ratio": ratio,
        "drawdown": permit.drawdown if permit else None,
        "limits": None
        if permit is None
        else {
            "soft_usd": permit.soft_usd,
            "hard_usd": permit.hard_usd,
            "size_scale": permit.size_scale,
            "spread_scale": permit.spread_scale,
        },
        "permit_age_s": None if age_s is None else round(age_s, 2),
        "arm_epoch": permit.arm_epoch if permit else None,
        "kill_file": None if not m.kill.epoch else {"epoch": m.kill.epoch, "reason": m.kill.reason},
    }


def fill_row(m: MonitorEngine, fill: Fill) -> dict[str, Any]:
    """One fill with what it was worth: against the mid when it came, and later."""
    decimals = m.market.sz_decimals
    mid2 = fill.mid2_px_u
    vs_mid_bps = int(fill.side) * (mid2 - 2 * fill.px_u) * 1e4 / mid2 if mid2 else None
    return {
        "t_ns": fill.venue_t_ns,
        "side": "buy" if fill.side is Side.BID else "sell",
        "px": fill.px_u / 10.0 ** px_decimals(decimals),
        "sz": fill.sz_u / 10.0**decimals,
        "notional": fill.px_u * fill.sz_u / 1e6,
        "fee": fill.fee_e8 / E8,
        "liquidity": fill.liquidity.value,
        "level": fill.level,
        "vs_mid_bps": None if vs_mid_bps is None else round(vs_mid_bps, 3),
        "markouts": m.scores.of(fill),
        "tid": fill.tid,
    }
