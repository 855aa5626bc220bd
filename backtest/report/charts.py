"""The report's pictures, each a plotly figure; nothing is computed here but where a line bends.

Long curves are thinned: of each stretch of time the lowest and the highest point are kept, so that no peak and no fall
is lost; the page says so. Times ns of the recording, money USD, moves bps.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from backtest.report.account import Account
from backtest.report.bands import Found
from backtest.report.breakdown import Curve, Row
from backtest.scoring import HORIZONS_S
from simvenue.desk.actions import START_ACTIONS

INK, MUTED, GRID, BLUE, GREEN, RED, AMBER, VIOLET = (
    "#1b2733", "#66727f", "#e6eaee", "#1d5fa6", "#2f7d4f", "#b23a32", "#b7791f", "#6b4fa0",
)  # fmt: skip
SERIES = (BLUE, AMBER, GREEN, VIOLET, RED, "#2a8c8c", "#8a5a44", "#c2557a", "#7a8b2a", "#4d5b6a", "#94a3b2", "#b0895a")
POINTS = 1_600
BAND_POINTS = 400
FILLS_MAX = 2_500
E8 = 1e-8


def thinned(values: Any, points: int = POINTS) -> Any:
    """Indices that keep the first, the last, and the lowest and highest of each of `points / 2` stretches."""
    n = len(values)
    if n <= points:
        return np.arange(n)
    edges = np.linspace(0, n, points // 2 + 1).astype(int)
    kept = {0, n - 1}
    for first, last in pairwise(edges):
        part = values[first:last]
        kept |= {first + int(part.argmin()), first + int(part.argmax())}
    return np.array(sorted(kept))


def money(found: Sequence[Found], equity_usd: float) -> Any:
    """Equity of every scenario, the headline's in front, and its drawdown below."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.68, 0.32], vertical_spacing=0.06)
    for one in [*found[1:], found[0]]:
        is_base = one is found[0]
        path = equity_usd + one.account.equity_e8 * E8
        at = thinned(path, POINTS if is_base else BAND_POINTS)
        figure.add_scatter(
            x=_times(one.account.t_ns[at]), y=_rounded(path[at]), name=one.scenario.name, mode="lines",
            line={"color": BLUE if is_base else "#b9c4cf", "width": 2 if is_base else 1}, row=1, col=1,
            showlegend=is_base, hovertemplate="%{y:.2f} USD",
        )  # fmt: skip
    path = equity_usd + found[0].account.equity_e8 * E8
    peak = np.maximum.accumulate(np.concatenate(([equity_usd], path)))[1:]
    fall = -100.0 * (peak - path) / peak
    at = thinned(fall)
    figure.add_scatter(
        x=_times(found[0].account.t_ns[at]), y=_rounded(fall[at]), name="drawdown", mode="lines", fill="tozeroy",
        line={"color": RED, "width": 1}, fillcolor="rgba(178,58,50,0.15)", row=2, col=1, showlegend=False,
    )  # fmt: skip
    figure.update_yaxes(title_text="equity, USD", row=1, col=1)
    figure.update_yaxes(title_text="drawdown, %", row=2, col=1)
    return _styled(figure, 460)


def parts(account: Account) -> Any:
    """What each part of PnL had added by each moment; they sum to net."""
    at = np.searchsorted(account.fill_t_ns, account.t_ns, "right")
    spread, fees = (np.concatenate(([0], np.cumsum(v)))[at] for v in (account.spread_e8, -account.fee_e8))
    funding = account.funding_by_row_e8
    inventory = account.equity_e8 - spread - fees - funding
    figure = go.Figure()
    for name, values, colour in (
        ("net", account.equity_e8, INK), ("spread", spread, GREEN), ("inventory", inventory, BLUE),
        ("fees", fees, RED), ("funding", funding, AMBER),
    ):  # fmt: skip
        kept = thinned(values)
        figure.add_scatter(
            x=_times(account.t_ns[kept]), y=_rounded(values[kept] * E8), name=name, mode="lines",
            line={"color": colour, "width": 2 if name == "net" else 1.3}, hovertemplate="%{y:.4f} USD",
        )  # fmt: skip
    figure.update_yaxes(title_text="USD")
    return _styled(figure, 360)


def holdings(account: Account, equity_usd: float, *, is_gross: bool = False) -> Any:
    """Inventory in USD and the margin it uses as a share of equity."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.65, 0.35], vertical_spacing=0.06)
    held = account.position_u * account.row_mid2 * 0.5e-6
    used = 100.0 * account.margin_e8 * E8 / np.maximum(equity_usd + account.equity_e8 * E8, 1e-9)
    for row, values, colour in ((1, held, BLUE), (2, used, AMBER)):
        at = thinned(values)
        figure.add_scatter(
            x=_times(account.t_ns[at]), y=_rounded(values[at]), mode="lines", line={"color": colour, "width": 1},
            fill="tozeroy", showlegend=False, row=row, col=1,
        )  # fmt: skip
    figure.update_yaxes(title_text="gross position, USD" if is_gross else "position, USD", row=1, col=1)
    figure.update_yaxes(title_text="margin, %", row=2, col=1)
    return _styled(figure, 400)


def actions(account: Account, earned_by_fill: Any) -> Any:
    """Actions sent, and those the address had earned by then, on a scale of powers of ten."""
    at = np.searchsorted(account.fill_t_ns, account.t_ns, "right")
    earned = START_ACTIONS + np.concatenate(([0.0], np.cumsum(earned_by_fill)))[at]
    figure = go.Figure()
    for name, values, colour in (
        ("sent", account.actions_by_row, BLUE), ("earned", earned, GREEN),
    ):  # fmt: skip
        kept = thinned(values)
        figure.add_scatter(
            x=_times(account.t_ns[kept]), y=_rounded(values[kept]), name=name, mode="lines",
            line={"color": colour, "width": 1.6},
        )  # fmt: skip
    figure.update_yaxes(title_text="actions", type="log")
    return _styled(figure, 300)


def fills_on_price(account: Account, decimals: int) -> Any:
    """Mid and our fills; of very many fills every k-th is drawn."""
    figure = go.Figure()
    mids = account.row_mid2 * 0.5 / 10.0**decimals
    at = thinned(mids)
    figure.add_scatter(
        x=_times(account.t_ns[at]), y=np.round(mids[at], decimals + 1).tolist(), name="mid", mode="lines",
        line={"color": "#8f9ba8", "width": 1},
    )  # fmt: skip
    step = max(len(account.px_u) // FILLS_MAX, 1)
    for side, name, colour, symbol in ((1, "bought", GREEN, "triangle-up"), (-1, "sold", RED, "triangle-down")):
        pick = np.flatnonzero(account.side == side)[::step]
        figure.add_scattergl(
            x=_times(account.fill_t_ns[pick]), y=(account.px_u[pick] / 10.0**decimals).tolist(), name=name,
            mode="markers", marker={"color": colour, "symbol": symbol, "size": 7, "opacity": 0.8},
            text=[f"{usd:.2f} USD" for usd in account.usd[pick]], hovertemplate="%{y} (%{text})",
        )  # fmt: skip
    figure.update_yaxes(title_text="price")
    return _styled(figure, 400)


def decay(curves: Sequence[Curve]) -> Any:
    """Markouts before fees by horizon, one line a group, with intervals where there are blocks enough."""
    figure = go.Figure()
    for k, curve in enumerate(curves):
        known = [(h, p) for h, p in zip(HORIZONS_S, curve.points, strict=True) if p[0] is not None]
        figure.add_scatter(
            x=[f"{h} s" for h, _ in known], y=[p[0] for _, p in known], name=f"{curve.name} ({curve.fills})",
            mode="lines+markers", line={"color": SERIES[k % len(SERIES)]},
            error_y={
                "type": "data", "symmetric": False, "thickness": 1, "width": 2,
                "array": [0.0 if p[2] is None else p[2] - (p[0] or 0.0) for _, p in known],
                "arrayminus": [0.0 if p[1] is None else (p[0] or 0.0) - p[1] for _, p in known],
            },
        )  # fmt: skip
    figure.add_hline(y=0, line={"color": MUTED, "width": 1})
    figure.update_yaxes(title_text="bps, before fees")
    return _styled(figure, 360)


def levels(rows: Sequence[Row], days: float) -> Any:
    """Fills a day of each level, how far from its fair price the quote stood, how far from the mid it was filled."""
    figure = make_subplots(specs=[[{"secondary_y": True}]])
    names = [row.name for row in rows]
    figure.add_bar(x=names, y=[row.fills / days for row in rows], name="fills a day", marker={"color": "#9db8d6"})
    for label, values, colour in (
        ("quoted from fair, bps", [row.quoted_bps for row in rows], BLUE),
        ("captured from mid, bps", [row.spread_bps for row in rows], AMBER),
    ):
        figure.add_scatter(
            x=names, y=values, name=label, mode="markers+lines", line={"color": colour}, secondary_y=True
        )
    figure.update_yaxes(title_text="fills a day", secondary_y=False)
    figure.update_yaxes(title_text="bps", secondary_y=True, showgrid=False)
    return _styled(figure, 340)


def edges(found: Sequence[Found]) -> Any:
    """Net edge of every scenario with its interval."""
    figure = go.Figure()
    for one in reversed(found):
        edge = one.figures["edge_bps"]
        if edge.value is None:
            continue
        lo, hi = (edge.value if bound is None else bound for bound in (edge.lo, edge.hi))
        figure.add_scatter(
            x=[edge.value], y=[one.scenario.name], mode="markers", showlegend=False,
            marker={"size": 10, "color": BLUE if one is found[0] else "#8f9ba8"},
            error_x={"type": "data", "symmetric": False, "array": [hi - edge.value], "arrayminus": [edge.value - lo]},
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": RED, "width": 1, "dash": "dot"})
    figure.update_xaxes(title_text="bps of what was traded, 90 % interval")
    figure.update_yaxes(automargin=True)
    return _styled(figure, 360)


# ---------------------------------------------------------------------- how all of them look
def _styled(figure: Any, height: int) -> Any:
    figure.update_layout(
        height=height, margin={"l": 56, "r": 20, "t": 30, "b": 40}, paper_bgcolor="white", plot_bgcolor="white",
        font={"family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", "size": 12, "color": INK},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}, hovermode="closest",
    )  # fmt: skip
    figure.update_xaxes(gridcolor=GRID, zeroline=False, linecolor=GRID)
    figure.update_yaxes(gridcolor=GRID, zeroline=True, zerolinecolor="#c9d1d9", linecolor=GRID)
    return figure


def _times(t_ns: Any) -> list[str]:
    """UTC texts to the second; plotly reads them as dates."""
    return np.datetime_as_string(np.asarray(t_ns, "datetime64[ns]"), "s").tolist() if len(t_ns) else []


def _rounded(values: Any) -> list[float]:
    """Five decimals: finer than any screen."""
    return [float(value) for value in np.round(np.asarray(values, float), 5)]
