"""The report as one HTML file that needs nothing else: words and tables from a template, pictures from plotly.

Decides what is said in which order; figures come from `bands.py`, their names from `headings.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from backtest.data.opened import Touched
from backtest.report import charts
from backtest.report.bands import Band, Result
from backtest.report.breakdown import Curve, Row, by_day, by_level, by_session, curves_by_level, curves_by_session
from backtest.report.headings import HEADINGS, shown, spanned, unit
from backtest.report.targets import IMPOSSIBLE, MET, Line
from backtest.report.words import Facts, answer, exact, moment, number, said_liquidation
from backtest.scoring import HOUR_NS
from common.sessions import Calendar

CARDS = (
    "edge_bps", "m60_bps", "pnl_per_day", "roi", "sharpe", "max_drawdown", "trades_per_day", "fill_rate", "spread_bps",
    "win_rate", "peak_margin", "budget_use",
)  # fmt: skip
PARTS = ("spread", "inventory", "fees", "funding", "net")
COUNTS = ("actions", "placed", "moved", "cancelled", "refused", "lost", "pulls", "over budget")
DATASETS_MAX = 60
CURVES_MAX = 8
SMALL = {"displayModeBar": False, "responsive": True}


@dataclass(frozen=True, slots=True)
class Material:
    """All a page is made of."""

    facts: Facts
    result: Result
    calendar: Calendar | None
    datasets: tuple[Touched, ...]
    command: str
    markets: Mapping[str, Result] = field(default_factory=dict)
    """The parts of an account of several markets, each with a page of its own beside this one."""


def write_page(path: Path, material: Material) -> None:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    text = environment.get_template("page.html").render(**_content(material))
    path.write_text(text, encoding="utf-8")


def _content(m: Material) -> dict[str, Any]:
    base, facts, result = m.result.base, m.facts, m.result
    account = base.account
    text, kind = answer(result)
    return {
        "title": f"Backtest: {facts.coin}, {facts.profile}",
        "subtitle": f"{facts.span} · {facts.source} · code {facts.commit} · settings {facts.config_hash}",
        "plotly": Markup(get_plotlyjs()),
        "answer": {"text": text, "kind": kind, "gate": facts.gate},
        "cards": [_card(result, name) for name in CARDS],
        "headline": base.scenario.name,
        "block": "hours" if account.length_ns >= 8 * HOUR_NS else "5 minutes",
        "scenario_count": len(result.found),
        "ceiling": facts.ceiling,
        "markets": [_market(name, one) for name, one in m.markets.items()],
        "targets": [_target(line) for line in result.targets],
        "pnl": _pnl(result),
        "figures": [_figure(band) for band in result.bands],
        "fills_note": _fills_note(len(account.px_u)),
        "levels": [_group(row) for row in by_level(account)],
        "sessions": [_group(row) for row in by_session(account, m.calendar)],
        "days": [_group(row) for row in by_day(account)],
        "liquidation": said_liquidation(result.played, result.at_full, facts),
        "actions": _actions(result, facts),
        "events": account.events,
        "assumptions": facts.assumptions,
        "parameters": [*facts.parameters, ("command", m.command)],
        "datasets": [_dataset(one) for one in m.datasets[:DATASETS_MAX]],
        "datasets_note": _datasets_note(len(m.datasets)),
        "charts": {name: _drawn(figure, name) for name, figure in _charts(m).items()},
    }  # fmt: skip


def _charts(m: Material) -> dict[str, Any]:
    account, result = m.result.base.account, m.result
    days = account.length_ns / (24 * HOUR_NS)
    drawn = {
        "money": charts.money(result.found, m.facts.equity_usd),
        "parts": charts.parts(account),
        "edges": charts.edges(result.found),
        "fills": charts.fills_on_price(account, m.facts.px_decimals),
        "decay_level": charts.decay(_largest(curves_by_level(account))),
        "decay_session": charts.decay(_largest(curves_by_session(account, m.calendar))),
        "levels": charts.levels(by_level(account), days),
        "actions": charts.actions(account, result.terms.earned(account)),
        "holdings": charts.holdings(account, m.facts.equity_usd, is_gross=bool(m.markets)),
    }
    if m.markets:  # there is no one price to draw fills on
        del drawn["fills"]
    return drawn


def _drawn(figure: Any, name: str) -> Markup:
    return Markup(figure.to_html(full_html=False, include_plotlyjs=False, config=SMALL, div_id=f"chart-{name}"))


def _largest(curves: Sequence[Curve]) -> list[Curve]:
    """At most so many lines as an eye can tell apart, those with most fills."""
    wanted = sorted(curves, key=lambda curve: -curve.fills)[:CURVES_MAX]
    return [curve for curve in curves if curve in wanted]


# ---------------------------------------------------------------------- rows
def _card(result: Result, name: str) -> dict[str, str]:
    band = next(band for band in result.bands if band.name == name)
    interval = spanned(name, band.base.lo, band.base.hi)
    error = f" ± {number(result.sharpe_se, 1)}" if name == "sharpe" and result.sharpe_se is not None else ""
    return {
        "label": HEADINGS[name].label, "unit": unit(name) + error, "value": shown(name, band.base.value),
        "interval": f"[{interval}]" if interval else "no interval",
        "band": f"Band {spanned(name, band.lo, band.hi) or '-'}",
    }  # fmt: skip


def _figure(band: Band) -> dict[str, str]:
    heading = HEADINGS[band.name]
    return {
        "label": heading.label + (f", {heading.unit}" if heading.unit else ""),
        "value": shown(band.name, band.base.value), "interval": spanned(band.name, band.base.lo, band.base.hi),
        "band": spanned(band.name, band.lo, band.hi), "outer": spanned(band.name, band.outer_lo, band.outer_hi),
        "meaning": heading.meaning,
    }  # fmt: skip


def _target(line: Line) -> dict[str, str]:
    return {
        "name": line.target.name + (" (ours)" if line.target.source == "ours" else ""),
        "value": line.shown(line.value), "why": line.why, "verdict": line.verdict,
        "band": "" if line.lo is None else f"{line.shown(line.lo)} … {line.shown(line.hi)}",
        "kind": {MET: "met", IMPOSSIBLE: "impossible"}.get(line.verdict, "not"),
    }  # fmt: skip


def _market(name: str, result: Result) -> dict[str, str]:
    """One market of several: its headline's line."""
    base = result.base
    edge = base.figures["edge_bps"]
    return {
        "name": name, "fills": f"{len(base.account.px_u):,}", "usd": number(float(base.account.usd.sum()), 0),
        **{part: exact(base.account.parts_e8[part]) for part in PARTS}, "edge": shown("edge_bps", edge.value),
        "interval": spanned("edge_bps", edge.lo, edge.hi), "actions": f"{base.account.counts['actions']:,}",
    }  # fmt: skip


def _pnl(result: Result) -> dict[str, Any]:
    """One line a scenario, the headline's first."""
    rows = []
    for one in result.found:
        parts = one.account.parts_e8
        rows.append({"name": one.scenario.name, "cells": [exact(parts[name]) for name in PARTS]})
    return {"parts": PARTS, "rows": rows}


def _actions(result: Result, facts: Facts) -> dict[str, Any]:
    names = [*COUNTS, "actions a minute", "of the budget"]
    rows = []
    for one in result.found:
        minutes = one.account.length_ns / 60e9
        cells = [f"{one.account.counts[name]:,}" for name in COUNTS]
        cells += [
            number(one.account.counts["actions"] / minutes, 1),
            f"{shown('budget_use', one.figures['budget_use'].value)} %",
        ]
        rows.append({"name": one.scenario.name, "cells": cells})
    return {"names": names, "rows": rows, "note": facts.budget}


def _group(row: Row) -> dict[str, str]:
    mean, lo, hi = row.m60
    return {
        "name": row.name, "hours": number(row.hours, 1), "fills": f"{row.fills:,}", "usd": f"{row.usd:,.2f}",
        "net": number(row.net_usd, 4), "edge": number(row.edge_bps, 2), "quoted": number(row.quoted_bps, 2),
        "spread": number(row.spread_bps, 2),
        "m60": number(mean, 2), "interval": "" if lo is None else f"{number(lo, 2)} … {number(hi, 2)}",
    }  # fmt: skip


def _dataset(one: Touched) -> dict[str, str]:
    return {
        "name": one.name, "rows": f"{one.rows:,}", "first": moment(one.first_t_ns), "last": moment(one.last_t_ns),
        "sha256": one.sha256[:16],
    }  # fmt: skip


def _datasets_note(count: int) -> str:
    return f"{count - DATASETS_MAX} more stand in latest.json." if count > DATASETS_MAX else ""


def _fills_note(fills: int) -> str:
    step = max(fills // charts.FILLS_MAX, 1)
    return f"Of {fills:,} fills every {step}th is drawn." if step > 1 else ""
