"""What there is to earn on a made-up market, for one who knows all that was planted.

Two answers that must agree where both apply. The closed form (strategy.md 1.3, `flows.py`): quotes x bps beyond the mid
are filled at the rate A exp(-k x) a side and earn x (1 - eta) - eps - eta / k - fee a dollar, so the best distance is
1 / k beyond break-even. The exhaustive search: every fixed policy of a grid (distance, sizes, weight of the true signal
in the fair price, side gate on it) played through the venue's matching, latency and inventory cap, and the one that
earned most on that very tape kept: more than anybody could know beforehand. Distances bps, rates per second and side.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from backtest.loop.fixed import NO_GATE, new_fixed
from backtest.loop.layout import FAIR_PARTS, FILL_FAIR, FILL_PX, FILL_SLOT
from backtest.playing import Played, Terms, play
from backtest.quoters import Quoter, Stall
from backtest.scoring import equity, markout
from backtest.tape import Tape
from common.stats import Interval
from quoter.state import NS, QUOTES_MAX
from simvenue.synthetic.flows import Flow

DISTANCES_BPS = (0.4, 0.8, 1.2, 1.6, 2.0, 2.5, 3.0, 4.0, 5.0)
STEP_BPS = 0.25
SHARES = ((1.0,), (1.0, 1.0, 1.0))
"""Sizes of the levels: all of the cap in one, or a third each."""
VIEWS = ((0.0, None), (1.0, None), (1.0, 0.0), (1.0, 0.5), (1.0, 1.0))
"""Weight of the signal, and how many of its deviations must speak for a side (None = no gate)."""
SKEW_BPS = 1.0
SLACK_BPS = 0.2


# ---------------------------------------------------------------------- closed form
def fill_rate(flow: Flow, x_bps: float) -> float:
    """Sweeps a second and side that reach x."""
    return flow.a_per_s * math.exp(-flow.k_per_bps * x_bps)


def fill_edge_bps(flow: Flow, x_bps: float, fee_bps: float) -> float:
    """What a fill at x is worth after its fee."""
    return x_bps * (1.0 - flow.eta) - flow.eps_bps - flow.eta / flow.k_per_bps - fee_bps


def best_distance_bps(flow: Flow, fee_bps: float) -> float | None:
    """Where rate x edge is largest; None where no distance earns."""
    if flow.eta >= 1.0:
        return None
    return (fee_bps + flow.eps_bps + flow.eta / flow.k_per_bps) / (1.0 - flow.eta) + 1.0 / flow.k_per_bps


# ---------------------------------------------------------------------- the closed form, seen through fills
@dataclass(frozen=True, slots=True)
class Seen:
    """Quotes at one distance: fills a second and side, their mean distance from the mid, and the net 60 s markout."""

    distance_bps: float
    rate: float
    rate_error: float
    edge: Interval | None


def seen_at(tape: Tape, stall: Stall, terms: Terms, x_bps: float, usd: float = 20.0) -> Seen:
    """One small quote a side, always x from the mid, filled by the venue's matching; inventory does not matter."""
    rules = new_fixed((x_bps,), (usd,), cap_usd=1e7, out_bps=0.0, in_bps=0.0, refill=0.999)
    played = play(tape, stall.quoter("probe", rules), terms)
    fills, span_s = played.fills, (terms.to_t_ns - terms.from_t_ns) / NS
    times, first = np.unique(fills[:, 0] * 2 + (fills[:, FILL_SLOT] >= QUOTES_MAX), return_index=True)
    blocks = np.bincount(((times // 2 - terms.from_t_ns) // (300 * NS)).astype(int))
    side = np.where(fills[first, FILL_SLOT] < QUOTES_MAX, 1.0, -1.0)
    away = side * (fills[first, FILL_FAIR] / FAIR_PARTS - fills[first, FILL_PX]) / fills[first, FILL_PX] * 1e4
    error = float(blocks.std() * math.sqrt(len(blocks))) / span_s / 2.0
    return Seen(float(away.mean()), len(times) / span_s / 2.0, error, markout(played, 60, stall.fee_bps))


# ---------------------------------------------------------------------- exhaustive search
@dataclass(frozen=True, slots=True)
class Policy:
    """One fixed policy and what it earned, USD over the span."""

    distance_bps: float
    levels: int
    weight: float
    gate: float | None
    usd: float
    fills: int

    @property
    def said(self) -> str:
        gate = "no gate" if self.gate is None else f"gate {self.gate:g} sd"
        return f"{self.levels} x {self.distance_bps:g} bps, weight {self.weight:g}, {gate}"


def policies(tape: Tape, stall: Stall, terms: Terms, model: Any, signal_bps: Any, deviation: float) -> Iterator[Policy]:
    """Every policy of the grid, played; without a signal only those that need none."""
    views = VIEWS if deviation > 0.0 else VIEWS[:1]
    for (weight, gate), shares, x in product(views, SHARES, DISTANCES_BPS):
        quoter = policy_quoter(stall, x, shares, weight, None if gate is None else gate * deviation)
        played = play(tape, quoter, terms, model, signal_bps)
        yield Policy(x, len(shares), weight, gate, earned_usd(played, stall.fee_bps), len(played.fills))


def policy_quoter(stall: Stall, x: float, shares: tuple[float, ...], weight: float, gate_bps: float | None) -> Quoter:
    ladder = stall.ladder(
        [x + STEP_BPS * k for k in range(len(shares))], shares, weight=weight, skew_bps=SKEW_BPS,
        gate_bps=NO_GATE if gate_bps is None else gate_bps, out_bps=SLACK_BPS, in_bps=SLACK_BPS,
    )  # fmt: skip
    return stall.quoter("policy", ladder, uses_forecast=True)


def earned_usd(played: Played, fee_bps: float) -> float:
    """Net change of the account at the mid."""
    return float(equity(played, fee_bps)[-1])
