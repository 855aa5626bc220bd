"""What a fill was worth seconds later: its markout against the mid, at five horizons.

This room decides when a fill can be scored and with which mid: the last one at or before fill + horizon, known for
certain once a later mid has come. Where two mids lie more than `GAP_NS_MAX` apart and the horizon falls between them,
nothing is known: the horizon is counted as unscored, never guessed. It leaves to others what to do with the scores.

bps of the fill's price, before fees: + is in our favour. Mids are twice-mid integers (bid + ask in px_u), so they
are exact. Times are market ns, in the venue's own stamps. Formula: strategy.md 1.6 without the fee.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_right
from dataclasses import dataclass

from common.clock import NS
from common.kernel import kernel
from common.messages import Fill, Side

HORIZONS_S = (1, 5, 30, 60, 300)
GAP_NS_MAX = 30 * NS
KEEP_NS = (HORIZONS_S[-1] + 300) * NS
"""Mids kept for late fills: the longest horizon and five minutes."""
KEYS_MAX = 100_000
Z95 = 1.959963984540054
"""97.5 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One fill at one horizon."""

    fill: Fill
    horizon_s: int
    bps: float


@kernel("f8(i8, i8, i8)")
def markout_bps(side: int, px_u: int, mid2_px_u: int) -> float:
    """Signed move from the fill's price to the mid, 1e-4 of the price; + is in our favour (side 1 bought, px_u > 0)."""
    return float(side * (mid2_px_u - 2 * px_u)) * 5_000.0 / float(px_u)


class Markouts:
    """Mids and fills in, scores out, each fill once.  All methods return the scores that became certain."""

    def __init__(self, horizons_s: tuple[int, ...] = HORIZONS_S) -> None:
        self.horizons_s = horizons_s
        self.unscored = dict.fromkeys(horizons_s, 0)
        self._t_ns: list[int] = []
        self._mid2: list[int] = []
        self._waiting: list[tuple[int, int, int, Fill]] = []  # (due, n, horizon, fill), a heap
        self._keys: dict[tuple[int, str, int], None] = {}
        self._n = 0

    @property
    def waiting(self) -> int:
        """Horizons not decided yet."""
        return len(self._waiting)

    def on_mid(self, t_ns: int, mid2_px_u: int) -> list[Scored]:
        """A touch with both sides; one older than the newest is ignored, one of the same stamp replaces it."""
        if self._t_ns and t_ns <= self._t_ns[-1]:
            if t_ns == self._t_ns[-1]:
                self._mid2[-1] = mid2_px_u
            return []
        self._t_ns.append(t_ns)
        self._mid2.append(mid2_px_u)
        self._trim()
        return self._due(t_ns)

    def on_fill(self, fill: Fill) -> list[Scored]:
        """A fill of ours, however late; a repeated one changes nothing."""
        key = (fill.venue_t_ns, fill.coin, fill.tid)
        if key in self._keys:
            return []
        self._keys[key] = None
        if len(self._keys) > KEYS_MAX:
            self._keys.pop(next(iter(self._keys)))
        for horizon_s in self.horizons_s:
            self._n += 1
            heapq.heappush(self._waiting, (fill.venue_t_ns + horizon_s * NS, self._n, horizon_s, fill))
        return self._due(self._t_ns[-1]) if self._t_ns else []

    def on_time(self, t_ns: int) -> int:
        """Give up what no mid can decide any more; returns how many horizons that were."""
        last_t_ns = self._t_ns[-1] if self._t_ns else 0
        given_up = 0
        while self._waiting and max(self._waiting[0][0], last_t_ns) + GAP_NS_MAX < t_ns:
            self.unscored[heapq.heappop(self._waiting)[2]] += 1
            given_up += 1
        return given_up

    def _due(self, newest_t_ns: int) -> list[Scored]:
        scored = []
        while self._waiting and self._waiting[0][0] < newest_t_ns:
            due_t_ns, _, horizon_s, fill = heapq.heappop(self._waiting)
            after = bisect_right(self._t_ns, due_t_ns)
            if after == 0 or self._t_ns[after] - self._t_ns[after - 1] > GAP_NS_MAX:
                self.unscored[horizon_s] += 1
                continue
            scored.append(Scored(fill, horizon_s, markout_bps(int(fill.side), fill.px_u, self._mid2[after - 1])))
        return scored

    def _trim(self) -> None:
        """Drop mids nobody can need, in large pieces; one before the window stays, as its last known mid."""
        if self._t_ns[-1] - self._t_ns[0] > 2 * KEEP_NS:
            first = max(bisect_right(self._t_ns, self._t_ns[-1] - KEEP_NS) - 1, 0)
            del self._t_ns[:first], self._mid2[:first]


@dataclass(slots=True)
class Cell:
    """Dollar-weighted markouts of one kind of fill at one horizon: mean in bps and how sure it is."""

    fills: int = 0
    usd: float = 0.0
    mean_bps: float = 0.0
    _usd2: float = 0.0
    _spread: float = 0.0  # sum of USD x squared deviations

    def add(self, bps: float, usd: float) -> None:
        if usd <= 0.0:
            return
        self.fills += 1
        self.usd += usd
        self._usd2 += usd * usd
        before = bps - self.mean_bps
        self.mean_bps += before * usd / self.usd
        self._spread += usd * before * (bps - self.mean_bps)

    @property
    def error_bps(self) -> float | None:
        """Standard error of the mean, fills taken as independent; None with fewer than two."""
        if self.fills < 2:
            return None
        effective = self.usd * self.usd / self._usd2
        return math.sqrt(max(self._spread, 0.0) / self.usd / max(effective - 1.0, 1e-9))


class MarkoutTable:
    """Scores by horizon, side, level and session, each with its confidence; -1 = level, "" = session not known.

    Fills that overlap in time share their luck, so the 95 % bounds are narrow; what decides anything is judged by
    blocks of time (common/stats.py).
    """

    def __init__(self) -> None:
        self._cells: dict[tuple[int, Side, int, str], Cell] = {}

    def add(self, scored: Scored, session: str) -> None:
        fill = scored.fill
        key = (scored.horizon_s, fill.side, fill.level, session)
        self._cells.setdefault(key, Cell()).add(scored.bps, fill.px_u * fill.sz_u / 1e6)

    def rows(self) -> list[dict[str, object]]:
        """One a kind of fill, horizons together, in a fixed order."""
        found: dict[tuple[int, int, str], dict[str, object]] = {}
        for (horizon_s, side, level, session), cell in sorted(
            self._cells.items(), key=lambda item: (item[0][3], -item[0][1], item[0][2], item[0][0])
        ):
            key = (int(side), level, session)
            row = found.setdefault(
                key, {"side": "buy" if side is Side.BID else "sell", "level": level, "session": session, "at": {}}
            )
            error = cell.error_bps
            at: dict[str, object] = {
                "mean_bps": round(cell.mean_bps, 4),
                "lo_bps": None if error is None else round(cell.mean_bps - Z95 * error, 4),
                "hi_bps": None if error is None else round(cell.mean_bps + Z95 * error, 4),
                "fills": cell.fills,
                "usd": round(cell.usd, 2),
            }
            horizons = row["at"]
            assert isinstance(horizons, dict)
            horizons[str(horizon_s)] = at
        return list(found.values())
