"""The report as data: `latest.json`, whose keys scripts and people rely on (design section 9), and only grow.

PnL in USD with the exact integers of 1e-8 beside it; shares and ratios as fractions; an interval is `{mean, lo, hi}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from backtest.data.opened import Touched
from backtest.report.bands import Band, Found, Result
from backtest.report.breakdown import (
    Row,
    by_day,
    by_level,
    by_session,
    curve_of_all,
    curves_by_level,
    curves_by_session,
)
from backtest.report.figures import Figure
from backtest.report.liquidation import Liquidation
from backtest.report.words import Facts, answer
from backtest.scoring import HORIZONS_S
from common.sessions import Calendar

PARTS = ("net", "spread", "inventory", "fees", "funding")


def report(
    facts: Facts, result: Result, calendar: Calendar | None, datasets: Sequence[Touched], command: str, seconds: float
) -> dict[str, Any]:
    """Everything that is told, as one tree."""
    base = result.base
    account, found = base.account, base.figures
    return {
        "source": facts.source, "kind": facts.kind, "market": facts.market, "coin": facts.coin,
        "profile": facts.profile, "span": facts.span, "days": account.length_ns / 86_400e9, "commit": facts.commit,
        "config_hash": facts.config_hash, "command": command, "seconds": round(seconds, 2),
        "conclusion": answer(result)[0], "equity_usd": facts.equity_usd, "leverage": facts.leverage,
        "fills": len(account.px_u), "maker_share": found["maker_share"].value,
        "taker_share": found["taker_share"].value, "volume_usd": float(account.usd.sum()), "pnl": pnl(base),
        "edge_bps": interval(found["edge_bps"]), "m60": _m60(account),
        "sharpe": {"value": found["sharpe"].value, "se": result.sharpe_se, "basis": result.sharpe_basis},
        "max_drawdown": found["max_drawdown"].value, "trades_per_day": found["trades_per_day"].value,
        "actions": account.counts["actions"], "counts": account.counts, "stops": list(account.events),
        "edge_gate": _gate(base, facts),
        "liquidation_probability": result.played.probability, "liquidation": _liquidation(result.played),
        "liquidation_at_full_leverage": _liquidation(result.at_full),
        "figures": {name: interval(figure) for name, figure in found.items()},
        "bands": [_band(band) for band in result.bands],
        "scenarios": [_scenario(one, facts) for one in result.found],
        "targets": [
            {"name": t.target.name, "source": t.target.source, "bound": t.target.bound, "above": t.target.above,
             "value": t.value, "lo": t.lo, "hi": t.hi, "holds": t.holds, "scenarios": t.scenarios,
             "verdict": t.verdict, "why": t.why}
            for t in result.targets
        ],
        "flow": asdict(result.flow),
        "markouts": {
            "horizons_s": list(HORIZONS_S), "all": asdict(curve_of_all(account)),
            "by_level": [asdict(c) for c in curves_by_level(account)],
            "by_session": [asdict(c) for c in curves_by_session(account, calendar)],
        },
        "by_level": _rows(by_level(account)), "by_session": _rows(by_session(account, calendar)),
        "by_day": _rows(by_day(account)),
        "assumptions": list(facts.assumptions), "parameters": dict(facts.parameters),
        "datasets": [asdict(one) for one in datasets],
    }  # fmt: skip


def part(result: Result) -> dict[str, Any]:
    """One of several markets in short; its own `latest.json` has all of it."""
    base = result.base
    return {
        "fills": len(base.account.px_u), "volume_usd": float(base.account.usd.sum()), "pnl": pnl(base),
        "edge_bps": interval(base.figures["edge_bps"]), "actions": base.account.counts["actions"],
        "counts": base.account.counts, "stops": list(base.account.events),
    }  # fmt: skip


def write(report: dict[str, Any], paths: Sequence[Path]) -> None:
    """The same tree to every path, each put in place in one step."""
    text = msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n"
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_bytes(text)
        part.replace(path)


def pnl(found: Found) -> dict[str, Any]:
    parts = found.account.parts_e8
    return {name: parts[name] / 1e8 for name in PARTS} | {f"{name}_e8": parts[name] for name in PARTS}


def interval(figure: Figure) -> dict[str, float | None]:
    return {"mean": figure.value, "lo": figure.lo, "hi": figure.hi}


def _m60(account: Any) -> dict[str, float | None]:
    """Mean 60 s markout before fees, by dollar."""
    mean, lo, hi = curve_of_all(account).points[HORIZONS_S.index(60)]
    return {"mean": mean, "lo": lo, "hi": hi}


def _band(band: Band) -> dict[str, Any]:
    return {
        "name": band.name, "base": interval(band.base), "lo": band.lo, "hi": band.hi, "outer_lo": band.outer_lo,
        "outer_hi": band.outer_hi,
    }  # fmt: skip


def _gate(found: Found, facts: Facts) -> dict[str, Any]:
    """When the gate stopped (or with `warn` would have), hours from the begin; None = never."""
    gate = found.gate
    stop = gate.stop_t_ns if gate is not None else None
    first_t_ns = found.account.spans[0][0]
    return {
        "said": facts.gate, "enforced": facts.enforces_edge,
        "stopped_after_h": None if stop is None else (stop - first_t_ns) / 3.6e12,
        "why": gate.why if gate is not None else "",
    }  # fmt: skip


def _scenario(one: Found, facts: Facts) -> dict[str, Any]:
    delays = one.scenario.delays
    return {
        "queue": one.scenario.queue, "latency": delays.latency, "feed_ms": delays.feed_ms, "order_ms": delays.order_ms,
        "has_tails": delays.table is not None, "is_recorded": delays.is_recorded,
        "stopped_after_h": _gate(one, facts)["stopped_after_h"], "fills": len(one.account.px_u),
        "actions": one.account.counts["actions"],
        "pnl": pnl(one), "figures": {name: interval(figure) for name, figure in one.figures.items()},
    }  # fmt: skip


def _rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [asdict(row) for row in rows]


def _liquidation(found: Liquidation) -> dict[str, Any]:
    return asdict(found)
