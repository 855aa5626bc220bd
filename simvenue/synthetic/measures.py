"""Figures of an event stream, recorded or made up, by the definitions of market-data.md ("How figures are computed").

Decides nothing about what is good: the same numbers are measured on a recording and on the generator, and a test holds
them side by side. Money USD, distances and moves bps, rates per second unless the name says otherwise; `_eq` counts
every aggressor order once, without it orders count by USD. A figure that cannot be had (no orders, a span too short) is
nan. Needs numpy; nothing of the venue's core reads this room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from common.clock import NS
from common.kernel import COMPILED
from simvenue.recorded.recording import Columns
from simvenue.source import Source
from simvenue.synthetic.survey import (
    A_PRINTS,
    A_SIDE,
    A_STAMP,
    A_SZ,
    A_USD,
    A_WORST,
    EDGES_BPS,
    ORDER_STRIDE,
    TOUCH_STRIDE,
    survey,
)

HOLE_S = 30.0
"""A state that lasted longer is a hole in the recording."""
SNAPSHOT_S = 0.55
"""Spacing of Hyperliquid's book snapshots (market-data.md: 1.8 a second)."""
AHEAD = 5
"""Snapshots ahead the touch imbalance is held against."""
REACHES_BPS = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
HORIZONS_S = (1, 5, 30)


def collect(source: Source, to_t_ns: int) -> Columns:
    """Play a source up to `to_t_ns` into columns, as if it had been recorded."""
    parts: list[list[Any]] = [[], [], []]
    stamps: list[int] = []
    begins = [0]
    while (t_ns := source.next_t_ns()) is not None and t_ns <= to_t_ns:
        rows = source.take()
        for part, column in zip(parts, (rows.what, rows.px_u, rows.sz_u), strict=True):
            part.append(np.array(column[rows.begin : rows.end], np.int64))
        stamps.append(t_ns)
        begins.append(begins[-1] + rows.end - rows.begin)
    what, px_u, sz_u = (np.concatenate(part) for part in parts)
    return Columns(what, px_u, sz_u, stamps, begins, source.visible)


@dataclass(frozen=True, slots=True)
class Market:
    """A stream after one pass, as arrays: one entry a stamp with a whole book, one a order."""

    t_s: Any
    bid: Any
    bid_sz: Any
    ask: Any
    ask_sz: Any
    piece: Any  # number of the stretch without a hole each stamp belongs to
    order_t_s: Any
    order_side: Any
    order_usd: Any
    order_px: Any  # average
    order_worst: Any
    order_prints: Any
    order_mid: Any  # before the order
    order_at: Any  # index of the last stamp before it, -1: none
    bands_usd: Any  # a side, per band of EDGES_BPS

    @property
    def mid(self) -> Any:
        return (self.bid + self.ask) / 2

    @property
    def span_s(self) -> float:
        gaps = np.diff(self.t_s)
        return float(gaps[gaps <= HOLE_S].sum())

    def lasting_s(self) -> Any:
        """How long each state lasted; 0 for the last one and for holes."""
        gaps = np.diff(self.t_s, append=self.t_s[-1:])
        return np.where(gaps <= HOLE_S, gaps, 0.0)

    def index_at(self, t_s: Any) -> Any:
        """The last stamp at or before each time, -1: none."""
        return np.searchsorted(self.t_s, t_s, "right") - 1


def market(columns: Columns) -> Market:
    """Survey a stream."""
    t_ns = np.array(columns.stamp_ns, np.int64)
    begins = np.array(columns.begin, np.int64)
    what, px_u, sz_u = (np.ascontiguousarray(c, np.int64) for c in (columns.what, columns.px_u, columns.sz_u))
    vectors = [what, px_u, sz_u, begins, _lasts_s(what, begins, t_ns)]
    given = vectors if COMPILED else [vector.tolist() for vector in vectors]
    found = survey(given[0], given[1], given[2], given[3], given[4], columns.visible)
    touches: Any = np.array(found.touches, np.float64).reshape(-1, TOUCH_STRIDE)
    orders: Any = np.array(found.orders, np.float64).reshape(-1, ORDER_STRIDE)[: found.order_count]
    whole = (touches[:, 0] > 0) & (touches[:, 2] > 0)
    t_s = (t_ns - t_ns[0]) / NS
    stamp = orders[:, A_STAMP].astype(np.int64)
    at = np.concatenate(([0], np.cumsum(whole)))[stamp] - 1
    order_t_s, book_t_s, touches = t_s[stamp], t_s[whole], touches[whole]
    at = np.where(order_t_s - book_t_s[np.maximum(at, 0)] <= HOLE_S, at, -1)
    mid = (touches[:, 0] + touches[:, 2]) / 2
    depth = np.array(found.depth)
    return Market(
        t_s=book_t_s,
        bid=touches[:, 0],
        bid_sz=touches[:, 1],
        ask=touches[:, 2],
        ask_sz=touches[:, 3],
        piece=np.concatenate(([0], np.cumsum(np.diff(book_t_s) > HOLE_S))),
        order_t_s=order_t_s,
        order_side=orders[:, A_SIDE],
        order_usd=orders[:, A_USD],
        order_px=orders[:, A_USD] / orders[:, A_SZ] * 1e6,
        order_worst=orders[:, A_WORST],
        order_prints=orders[:, A_PRINTS],
        order_mid=np.where(at >= 0, mid[at], np.nan),
        order_at=at,
        bands_usd=depth[:-1] / max(depth[-1], 1e-9),
    )


def _lasts_s(what: Any, begins: Any, t_ns: Any) -> Any:
    """How long the state after each stamp lasted: 0 for holes and the last one, -1 where no level changes."""
    levels = np.concatenate(([0], np.cumsum(np.abs(what) <= 1)))
    changes = np.flatnonzero(levels[begins[1:]] > levels[begins[:-1]])
    gaps = np.diff(t_ns[changes], append=t_ns[changes[-1:]]) / NS
    found = np.full(len(t_ns), -1.0)
    found[changes] = np.where(gaps <= HOLE_S, gaps, 0.0)
    return found


# ---------------------------------------------------------------------- figures
def figures(m: Market, tick_u: int) -> dict[str, float]:
    """Every figure of table 1."""
    return {**book_figures(m, tick_u), **flow_figures(m), **price_figures(m), **impact_figures(m), **lean_figures(m)}


def book_figures(m: Market, tick_u: int) -> dict[str, float]:
    """Spread, touch and depth, by how long each state lasted."""
    weight, mid = m.lasting_s(), m.mid
    ticks = m.ask - m.bid
    spread = ticks / mid * 1e4
    changed = np.any(np.diff(np.stack([m.bid, m.bid_sz, m.ask, m.ask_sz]), axis=1) != 0, axis=0)
    depth = np.cumsum(m.bands_usd)
    found = {
        "touch_updates_per_s": changed.sum() / m.span_s,
        "spread_bps": np.average(spread, weights=weight),
        "spread_bps_p50": _quantile(spread, 0.5, weight),
        "spread_bps_p95": _quantile(spread, 0.95, weight),
        "spread_one_tick": np.average(ticks <= tick_u, weights=weight),
        "touch_usd": np.average((m.bid * m.bid_sz + m.ask * m.ask_sz) / 2e6, weights=weight),
    }
    found |= {f"depth_{edge:g}bps_usd": depth[k] for k, edge in enumerate(EDGES_BPS)}
    found |= {f"band_{edge:g}bps_usd": m.bands_usd[k] for k, edge in enumerate(EDGES_BPS)}
    return {name: float(value) for name, value in found.items()}


def flow_figures(m: Market) -> dict[str, float]:
    """Aggressor orders: how many, how large, how clustered."""
    seen = m.order_at >= 0
    usd, span = m.order_usd[seen], m.span_s
    found = {
        "orders_per_s": len(usd) / span,
        "prints_per_s": m.order_prints[seen].sum() / span,
        "usd_per_s": usd.sum() / span,
        "order_usd_mean": usd.mean() if len(usd) else np.nan,
        "sign_ac1": _autocorrelation(m.order_side[seen]),
        "gap_cv": gap_cv(m),
    }
    found |= {f"order_usd_p{p}": np.percentile(usd, p) if len(usd) else np.nan for p in (10, 50, 90, 99)}
    return {name: float(value) for name, value in found.items()}


def gap_cv(m: Market) -> float:
    """Deviation over mean of the times between orders; longer ones than a hole are left out."""
    gaps = np.diff(m.order_t_s)
    gaps = gaps[gaps <= HOLE_S]
    return float(gaps.std() / gaps.mean()) if len(gaps) > 2 else float("nan")


def price_figures(m: Market) -> dict[str, float]:
    """Volatility over several horizons and how the moves are spread."""
    found = {}
    for step_s in (1, 5, 60):
        moves = returns(m, step_s)
        found[f"vol_{step_s}s_bps"] = float(np.sqrt(np.mean(moves**2))) if len(moves) > 1 else float("nan")
        if step_s == 1:
            square = np.mean(moves**2) ** 2
            found["kurtosis_1s"] = float(np.mean(moves**4) / square) if square > 0 else float("nan")
            found["moved_1s"] = float(np.mean(moves != 0))
    return found


def returns(m: Market, step_s: float) -> Any:
    """Log moves of the last mid over a grid that begins with the stream, bps; none across a hole."""
    grid = np.arange(m.t_s[0], m.t_s[-1], step_s)
    at = m.index_at(grid)
    inside = m.piece[at[1:]] == m.piece[at[:-1]]
    inside &= m.lasting_s()[at[1:]] > 0
    return (np.diff(np.log(m.mid[at])) * 1e4)[inside]


def markouts(m: Market, horizon_s: float) -> Any:
    """Side x the mid's move from before each order to `horizon_s` after it, bps; nan where it cannot be known."""
    later = m.index_at(m.order_t_s + horizon_s)
    before = np.maximum(m.order_at, 0)
    known = (m.order_at >= 0) & (m.piece[later] == m.piece[before]) & (m.order_t_s + horizon_s <= m.t_s[-1])
    return np.where(known, m.order_side * (m.mid[later] / m.order_mid - 1) * 1e4, np.nan)


def reaches(m: Market) -> Any:
    """How far beyond the mid before it each order's worst print lay, bps."""
    return m.order_side * (m.order_worst / m.order_mid - 1) * 1e4


def impact_figures(m: Market) -> dict[str, float]:
    """What takers pay, what the mid does after them, how far they reach (per minute and side)."""
    paid = m.order_side * (m.order_px / m.order_mid - 1) * 1e4
    found = {"paid_bps": _mean(paid, m.order_usd)}
    for horizon_s in HORIZONS_S:
        moves = markouts(m, horizon_s)
        found[f"markout_{horizon_s}s_bps"] = _mean(moves, m.order_usd)
        found[f"markout_{horizon_s}s_bps_eq"] = _mean(moves, np.ones(len(moves)))
    reach = reaches(m)
    minutes = m.span_s / 60
    found |= {f"reach_{x:g}bps_per_min": float((reach >= x).sum() / 2 / minutes) for x in REACHES_BPS}
    return found


def lean_figures(m: Market, snapshot_s: float = SNAPSHOT_S) -> dict[str, float]:
    """Touch imbalance, and how it goes with the mid's move over the next `AHEAD` snapshots."""
    grid = np.arange(m.t_s[0], m.t_s[-1], snapshot_s)
    at = m.index_at(grid)
    imbalance = ((m.bid_sz - m.ask_sz) / (m.bid_sz + m.ask_sz))[at]
    mid, piece = m.mid[at], m.piece[at]
    move = mid[AHEAD:] - mid[:-AHEAD]
    inside = piece[AHEAD:] == piece[:-AHEAD]
    if inside.sum() < 3:
        return {"imbalance_sd": float("nan"), "imbalance_corr": float("nan")}
    pair = np.corrcoef(imbalance[:-AHEAD][inside], move[inside])
    return {"imbalance_sd": float(imbalance.std()), "imbalance_corr": float(pair[0, 1])}


# ---------------------------------------------------------------------- helpers
def _quantile(values: Any, share: float, weight: Any) -> float:
    order = np.argsort(values)
    total = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(total, share * total[-1])])


def _mean(values: Any, weight: Any) -> float:
    known = np.isfinite(values)
    total = weight[known].sum()
    return float((values[known] * weight[known]).sum() / total) if total > 0 else float("nan")


def _autocorrelation(values: Any) -> float:
    if len(values) < 3:
        return float("nan")
    away = values - values.mean()
    return float((away[1:] * away[:-1]).mean() / (away**2).mean())
