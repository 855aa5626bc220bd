"""What our fills were worth afterwards: markouts per horizon, and the net edge per dollar with its interval.

The edge is the markout 60 s after the fill less the fee, in bps of the notional, weighted by notional, with a 95 %
interval from a bootstrap of 5-minute blocks (edge.md 0; common/stats.py). Before 8 blocks there is a mean and no
interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from common.markout import Markouts, MarkoutTable, Scored
from common.messages import Fill
from common.stats import bootstrap_mean

S = 1_000_000_000
EDGE_HORIZON_S = 60
BLOCK_S = 300
SEED = 500
DRAWS = 2_000
DRAWS_SHOWN = 400
SHOWN_EVERY_S = 10.0
"""The interval on the page is worked out this seldom and from fewer draws: it must not hold the loop."""


@dataclass
class _Sums:
    fills: int = 0
    usd: float = 0.0
    bps_usd: float = 0.0
    net_usd: float = 0.0


@dataclass
class _Edge:
    values: list[float] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)


def fee_bps(fill: Fill) -> float:
    """The fee in bps of the notional; negative for a rebate."""
    return 1e4 * fill.fee_e8 / (fill.px_u * fill.sz_u * 100)


class ScoreBoard:
    """Scores of every fill, by horizon."""

    def __init__(self, session_of: Callable[[int], str] = lambda _: "") -> None:
        """`session_of` names the session of a market time, "" = not known."""
        self._session_of = session_of
        self._table = MarkoutTable()
        self._markouts = Markouts()
        self._sums = {horizon_s: _Sums() for horizon_s in self._markouts.horizons_s}
        self._of_fill: dict[tuple[int, int], dict[int, float]] = {}
        self._edge = _Edge()
        self._shown: dict[str, object] = {}
        self._shown_mono_ns: int | None = None

    def on_mid(self, t_ns: int, mid2_px_u: int) -> list[Scored]:
        return self._take(self._markouts.on_mid(t_ns, mid2_px_u))

    def on_fill(self, fill: Fill) -> list[Scored]:
        return self._take(self._markouts.on_fill(fill))

    def on_time(self, t_ns: int) -> None:
        """Give up what can never be scored."""
        self._markouts.on_time(t_ns)

    def of(self, fill: Fill) -> dict[str, float]:
        """Markouts of one fill known so far, by horizon in s."""
        found = self._of_fill.get((fill.venue_t_ns, fill.tid), {})
        return {str(horizon_s): round(bps, 3) for horizon_s, bps in found.items()}

    def _take(self, scored: list[Scored]) -> list[Scored]:
        for one in scored:
            fill, sums = one.fill, self._sums[one.horizon_s]
            usd, net_bps = fill.px_u * fill.sz_u / 1e6, one.bps - fee_bps(fill)
            self._of_fill.setdefault((fill.venue_t_ns, fill.tid), {})[one.horizon_s] = one.bps
            self._table.add(one, self._session_of(fill.venue_t_ns))
            sums.fills += 1
            sums.usd += usd
            sums.bps_usd += one.bps * usd
            sums.net_usd += net_bps * usd
            if one.horizon_s == EDGE_HORIZON_S:
                self._edge.values.append(net_bps)
                self._edge.weights.append(usd)
                self._edge.blocks.append(fill.venue_t_ns // (BLOCK_S * S))
        return scored

    def edge(self, draws: int = DRAWS) -> dict[str, object]:
        """Net 60 s markout per dollar in bps: mean, bounds, and what they rest on; None where nothing is known."""
        edge = self._edge
        found = bootstrap_mean(edge.values, edge.weights, edge.blocks, seed=SEED, draws=draws)
        if found is None:
            return {"mean": None, "lo": None, "hi": None, "fills": 0, "blocks": 0}
        return {
            "mean": round(found.mean, 4),
            "lo": None if found.lo is None else round(found.lo, 4),
            "hi": None if found.hi is None else round(found.hi, 4),
            "fills": found.n,
            "blocks": found.blocks,
        }

    def edge_shown(self, mono_ns: int) -> dict[str, object]:
        """As `edge`, renewed every few seconds."""
        if self._shown_mono_ns is None or mono_ns - self._shown_mono_ns >= SHOWN_EVERY_S * S:
            self._shown, self._shown_mono_ns = self.edge(DRAWS_SHOWN), mono_ns
        return self._shown

    def by_kind(self) -> list[dict[str, object]]:
        """Markouts before fees by side, level and session, every horizon with its 95 % bounds."""
        return self._table.rows()

    def horizons(self) -> list[dict[str, object]]:
        """Mean markout by horizon, per dollar: before and after fees."""
        return [
            {
                "horizon_s": horizon_s,
                "mean_bps": round(sums.bps_usd / sums.usd, 4) if sums.usd else None,
                "net_bps": round(sums.net_usd / sums.usd, 4) if sums.usd else None,
                "fills": sums.fills,
                "unscored": self._markouts.unscored[horizon_s],
            }
            for horizon_s, sums in self._sums.items()
        ]
