"""The edge gate in the replay: the live rule, on the replay's own fills, and the replay once more where it stops.

The gate needs nothing but fills and mids of the past, so what it would have decided at each of its looks can be read
off a replay that ran without it; up to that look nothing is different with it. So the live `EdgeGate` itself judges
the finished replay, look by look, and where it stops, the tape is played again with the stop at that time: from there
on the quoter only takes its position down. Nothing in a replay re-arms it. With `EDGE_GATE=warn` the first replay
stays, and only the time is told. Times ns of the recording, markouts bps, money USD.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from backtest.loop.layout import FILL_PX, FILL_SLOT, FILL_SZ, FILL_T
from backtest.playing import Played, Terms, play
from backtest.quoters import Quoter
from backtest.scoring import equity
from backtest.tape import Tape
from common.config import Settings
from common.markout import GAP_NS_MAX
from common.stats import Interval
from quoter.edge_gate import HORIZON_S, SETTLED_NS, EdgeGate
from quoter.state import NS, QUOTES_MAX

BLOCK_S_MIN = 10.0
FORECAST = "the replay's"
"""Stands for the seal of the forecast that a replay is played with."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What the gate says of a replay: when it stopped it (None = never), on which interval and how many fills."""

    stop_t_ns: int | None
    found: Interval | None
    fills: int
    why: str


@dataclass(frozen=True, slots=True)
class Gated:
    """A replay under the gate; `cost_usd` is what it lost until it was flat again, 0 when it was not stopped."""

    played: Played
    judged: Judged
    hours: float | None
    cost_usd: float | None


Scores: TypeAlias = tuple[Any, Any, Any, Any]
"""Columns, a row a fill: its time, net 60 s markout (bps), USD, and since when that is known."""


def scores(played: Played, fee_bps: float) -> Scores:
    """(time, net 60 s markout, USD, known since) of the fills that can be scored, in the order they become known.

    The rule is `common/markout.py`'s: the mid that decides is the last one at or before fill + 60 s, certain once a
    later one has come; where the two lie more than 30 s apart nothing is known.
    """
    fills = played.fills
    known = played.mid2 > 0
    stamps, mids = played.stamp_ns[known], played.mid2[known]
    due = fills[:, FILL_T] + HORIZON_S * NS
    after = np.searchsorted(stamps, due, "right")
    ok = (after > 0) & (after < len(stamps))
    late, early = np.minimum(after, len(stamps) - 1), np.maximum(after - 1, 0)
    ok &= stamps[late] - stamps[early] <= GAP_NS_MAX
    side = np.where(fills[:, FILL_SLOT] < QUOTES_MAX, 1.0, -1.0)
    px = fills[:, FILL_PX]
    bps = side * (mids[early] - 2 * px) * 5_000.0 / np.maximum(px, 1)
    usd = px * fills[:, FILL_SZ] * 1e-6
    order = np.argsort(stamps[late][ok], kind="stable")
    return fills[ok, FILL_T][order], (bps[ok] - fee_bps)[order], usd[ok][order], stamps[late][ok][order]


def quoted(played: Played, settings: Settings, from_t_ns: int) -> Any:
    """The first time in each of the gate's blocks at which there was a market to quote on, from `from_t_ns` on."""
    stamps = played.stamp_ns[(played.mid2 > 0) & (played.stamp_ns >= from_t_ns)]
    _, firsts = np.unique(stamps // int(settings.quoting.edge_gate_block_s * NS), return_index=True)
    return stamps[firsts]


class Watch:
    """The live gate over replays that follow each other: it remembers what came before, and looks block by block."""

    def __init__(self, settings: Settings, *, forecasts: bool) -> None:
        self._gate = EdgeGate(settings)
        self._gate.on_model(FORECAST if forecasts else None)
        self._block_ns = int(settings.quoting.edge_gate_block_s * NS)
        self._next = 0  # block to look after next
        self.stop_t_ns: int | None = None

    def see(self, told: Scores, quoted_ns: Any, to_t_ns: int) -> int | None:
        """Look at one more replay, up to `to_t_ns`; returns when the gate stops, the first time it does.

        A block in which nothing became known says what the one before it said: it is not looked at.
        """
        if self.stop_t_ns is not None:
            return None
        known_ns = told[3]
        done = begun = 0
        newest = -1
        numbers: list[int] = (quoted_ns // self._block_ns).tolist()
        for number in numbers:
            look_ns = (number + 1) * self._block_ns + SETTLED_NS
            if number < self._next or look_ns > to_t_ns:
                continue
            self._next = number + 1
            while begun < len(quoted_ns) and quoted_ns[begun] <= look_ns:
                self._gate.on_quoted(int(quoted_ns[begun]))
                begun += 1
            known = int(np.searchsorted(known_ns, look_ns, "right"))
            newest = max(newest, self._hear(told, done, known))
            if (known > done or newest >= number or self._gate.is_tried) and self._gate.look(look_ns, SETTLED_NS):
                self.stop_t_ns = look_ns
                return look_ns
            done = known
        for k in range(begun, len(quoted_ns)):
            self._gate.on_quoted(int(quoted_ns[k]))
        self._hear(told, done, len(known_ns))
        return None

    def _hear(self, told: Scores, begin: int, end: int) -> int:
        """Scores of rows `begin .. end`; the newest block among them, -1 when there are none."""
        t_ns, net_bps, usd, _ = told
        for k in range(begin, end):
            self._gate.on_score(int(t_ns[k]), float(net_bps[k]), float(usd[k]))
        return int(t_ns[begin:end].max()) // self._block_ns if end > begin else -1

    @property
    def judged(self) -> Judged:
        """What it has come to so far."""
        why = self._gate.why if self.stop_t_ns is not None else ""
        return Judged(self.stop_t_ns, self._gate.found, self._gate.fills, why)


def judge(played: Played, settings: Settings, fee_bps: float, terms: Terms, *, forecasts: bool) -> Judged:
    """The live gate's looks at a finished replay, one after each block that was quoted in, until it stops."""
    watch = Watch(settings, forecasts=forecasts)
    watch.see(scores(played, fee_bps), quoted(played, settings, terms.from_t_ns), terms.to_t_ns)
    return watch.judged


def gated(
    tape: Tape, quoter: Quoter, terms: Terms, settings: Settings, fee_bps: float, *, model: Any = None,
    given: Any = None, played: Played | None = None, enforces: bool = True,
) -> Gated:  # fmt: skip
    """Play under the gate; `played` is the replay without it, when there is one already."""
    free = played if played is not None else play(tape, quoter, terms, model, given)
    forecasts = quoter.uses_forecast and (model is not None or given is not None)
    judged = judge(free, settings, fee_bps, terms, forecasts=forecasts)
    if judged.stop_t_ns is None:
        return Gated(free, judged, None, None)
    hours = (judged.stop_t_ns - terms.from_t_ns) / (3600 * NS)
    if not enforces:
        return Gated(free, judged, hours, None)
    stopped = play(tape, quoter, replace(terms, stop_t_ns=judged.stop_t_ns), model, given)
    return Gated(stopped, judged, hours, -float(equity(stopped, fee_bps)[-1]))


def gate_line(found: Gated, settings: Settings, fee_bps: float) -> dict[str, Any]:
    """What a report has of a replay under the gate."""
    cost, interval = found.cost_usd, found.judged.found
    return {
        "stopped_after_h": found.hours,
        "cost_usd": cost,
        "cost_share": None if cost is None else cost / settings.equity_usd,
        "fills": len(found.played.fills),
        "net_usd": float(equity(found.played, fee_bps)[-1]) if len(found.played.curve) else 0.0,
        "blocks": interval.blocks if interval is not None else 0,
        "block_s": settings.quoting.edge_gate_block_s,
        "why": found.judged.why,
    }


def stop_said(line: Mapping[str, Any]) -> str:
    """The same in a table's cell."""
    if line["stopped_after_h"] is None:
        return "not stopped"
    cost = "" if line["cost_share"] is None else f" at {100.0 * line['cost_share']:.2f} % of equity"
    return f"stopped after {line['stopped_after_h']:.1f} h{cost}"


def for_span(settings: Settings, stamp_ns: Any) -> Settings:
    """The same gate for a recording too short for its blocks: twice the least number of them fit in what it covers."""
    q, steps = settings.quoting, np.diff(stamp_ns)
    covered_s = float(steps[steps <= GAP_NS_MAX].sum()) / NS
    block_s = max(covered_s / (2 * q.edge_gate_blocks_min), BLOCK_S_MIN)
    if block_s >= q.edge_gate_block_s:
        return settings
    window_h = max(q.edge_gate_window_h, float(steps.sum()) / (3600 * NS))  # its pieces may lie days apart
    changes = {"edge_gate_block_s": block_s, "edge_gate_window_h": window_h}
    return settings.model_copy(update={"quoting": q.model_copy(update=changes)})
