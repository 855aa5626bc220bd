"""The edge report as one self-contained HTML page: intervals, money over time, markouts by horizon."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from backtest.loop.layout import CURVE_T
from backtest.scoring import HORIZONS_S, equity
from backtest.studies.contest import Entry

POINTS = 1_500


def write_page(path: Path, title: str, lines: Sequence[str], entries: Sequence[Entry], fee_bps: float) -> None:
    """One page with everything in it: it needs no network."""
    charts = [edges(entries), money(entries, fee_bps), decay(entries)]
    body = "".join(chart.to_html(full_html=False, include_plotlyjs=False) for chart in charts)
    told = "".join(f"<p>{escape(line)}</p>" for line in lines)
    path.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<script>{get_plotlyjs()}</script><body style='font-family:sans-serif;max-width:70em;margin:2em auto'>"
        f"<h1>{escape(title)}</h1>{told}{body}</body></html>",
        encoding="utf-8",
    )


def edges(entries: Sequence[Entry]) -> Any:
    """Net edge of each quoter with its interval."""
    figure = go.Figure()
    for entry in entries:
        found = entry.figures["edge_bps"]
        if found["mean"] is None:
            continue
        known = found["lo"] is not None
        figure.add_bar(
            x=[entry.name], y=[found["mean"]], name=entry.name,
            error_y={
                "type": "data", "symmetric": False, "array": [found["hi"] - found["mean"] if known else 0.0],
                "arrayminus": [found["mean"] - found["lo"] if known else 0.0],
            },
        )  # fmt: skip
    figure.update_layout(title="Net edge, bps of dollars traded (90 % hour-block intervals)", showlegend=False)
    return figure


def money(entries: Sequence[Entry], fee_bps: float) -> Any:
    """Equity after fees over the scored span."""
    figure = go.Figure()
    for entry in entries:
        curve, usd = entry.played.curve, equity(entry.played, fee_bps)
        step = max(len(curve) // POINTS, 1)
        times = [datetime.fromtimestamp(int(t) / 1e9, UTC) for t in curve[::step, CURVE_T]]
        figure.add_scatter(x=times, y=[round(float(v), 3) for v in usd[::step]], name=entry.name, mode="lines")
    figure.update_layout(title="Money after fees, USD", yaxis_title="USD")
    return figure


def decay(entries: Sequence[Entry]) -> Any:
    """Net markout by horizon."""
    figure = go.Figure()
    for entry in entries:
        means = [entry.figures[f"m{h}"]["mean"] for h in HORIZONS_S]
        figure.add_scatter(x=[f"{h} s" for h in HORIZONS_S], y=means, name=entry.name, mode="lines+markers")
    figure.update_layout(title="Net markout by horizon, bps", yaxis_title="bps")
    return figure
