"""A made-up market: a seeded generator of book changes and prints that needs no data and never ends.

Orders come in clusters (`arrivals.py`), trade against a quoted book (`aggressors.py`, `makers.py`) and move an
efficient price that the quotes follow (`fair.py`); the hour and the day set the pace (`hours.py`). What is planted and
how it can be recovered stands in `flows.py`. One seed, one market, bit for bit, compiled or not: the only source of
chance are streams named after the seed. Prices px_u, sizes sz_u, moves bps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import Any

from common.clock import NS
from common.kernel import COMPILED
from simvenue.desk.grid import tick_u
from simvenue.source import Rows
from simvenue.synthetic import aggressors, layout, stretch
from simvenue.synthetic.basis import Basis
from simvenue.synthetic.chance import new_chance
from simvenue.synthetic.fair import quoted_px
from simvenue.synthetic.flows import Flow
from simvenue.synthetic.hours import mean_activity, next_change_ns, pace_at
from simvenue.synthetic.planting import budget, terms_of

DAY_S = 86_400.0
HOUR_S = 3_600.0
MOOD_NS = 30 * NS
"""How often the volatility's level is looked at."""


class Synthetic:
    """A `Source` without end; raises ValueError for planted figures that the wanted volatility cannot hold."""

    visible = layout.LEVELS
    kept = layout.RING
    session_offset_ns = 0
    cut_ns = 0
    gaps_cut = 0

    def __init__(
        self,
        flow_name: str,
        flow: Flow,
        sz_decimals: int,
        *,
        px_start: float,
        vol_annual: float,
        seed: int,
        origin_ns: int,
    ) -> None:
        self._name, self._seed = flow_name, seed
        self._budget = budget(flow, vol_annual)
        self._terms = terms_of(self._budget)
        self._state = layout.new_state()
        px_u = px_start * 10 ** (6 - sz_decimals)
        self._state[layout.S_FAIR] = px_u
        self._tick_bps = tick_u(round(px_u), sz_decimals) / px_u * 1e4
        self._book = layout.new_book(origin_ns, sz_decimals)
        self._chance = new_chance(f"market {seed}")
        self._rows = layout.new_rows()
        self._columns = layout.columns(self._rows)
        self._mood = _Mood(flow, seed, origin_ns)
        self._basis = Basis(flow.premium_bps, seed, origin_ns)
        self._due_ns = origin_ns
        self._set_pace()

    def next_t_ns(self) -> int | None:
        return self._due_ns

    def take(self) -> Rows:
        if self._due_ns >= self._mood.until_ns:
            self._set_pace()
        count = aggressors.next_stamp(self._state, self._terms, self._book, self._chance, self._rows)
        self._due_ns = int(self._book[layout.B_DUE_NS])
        what, px_u, sz_u = self._columns if COMPILED else layout.columns(self._rows)
        return Rows(what, px_u, sz_u, 0, count)

    def write(self, end_t_ns: int, columns: Sequence[Any], written: Any) -> bool:
        """Play up to `end_t_ns` into `columns` (`stretch.write_until`); False when they are full before that."""
        vectors = (self._state, self._terms, self._book, self._chance, self._rows)
        columns_and_count = (*columns, written)
        has_room = True
        while has_room and self._due_ns < end_t_ns:
            if self._due_ns >= self._mood.until_ns:
                self._set_pace()
            until_ns = min(self._mood.until_ns, end_t_ns)
            has_room = stretch.write_until(*vectors, until_ns, *columns_and_count) == 1
            self._due_ns = int(self._book[layout.B_DUE_NS])
        return has_room

    def _set_pace(self) -> None:
        self._state[layout.S_ACTIVITY], self._state[layout.S_WIDTH] = self._mood.at(self._due_ns)

    @property
    def signal_bps(self) -> float:
        """The planted predictor at the last stamp: the expected move of the mid over its horizon."""
        return float(self._state[layout.S_SIGNAL]) * self.signal_share

    @property
    def signal_share(self) -> float:
        """Of the planted signal so much shows within the predictor's horizon."""
        flow = self._budget.flow
        return 1 - math.exp(-flow.predictor_horizon_s / flow.predictor_s)

    @property
    def activity(self) -> float:
        """How busy the market is now: rates and variances are this multiple of the session's."""
        return self._mood.now

    @property
    def fair_px_u(self) -> float:
        """The efficient price at the last stamp."""
        return float(self._state[layout.S_FAIR])

    @property
    def quoted_px_u(self) -> float:
        """Where makers centre their quotes at the last stamp."""
        return float(quoted_px(self._state))

    def premium(self, t_ns: int) -> float:
        """How far the mid stands above the oracle, as a share of it; times do not run backwards."""
        return self._basis.premium(t_ns)

    def describe(self) -> dict[str, Any]:
        """What is asked of the generator; impact as scaled to the wanted volatility, rates as means over a week."""
        made, flow = self._budget, self._budget.flow
        week = mean_activity(flow.hours)
        told = {
            "market": "synthetic", "seed": self._seed, "flow": self._name, "hours": flow.hours,
            "orders_per_s": round(flow.orders_per_s * week, 4),
            "orders_per_s_in_session": round(flow.orders_per_s, 4),
            "order_usd_p50_p90_p99": [round(flow.size_usd(share)) for share in (0.5, 0.9, 0.99)],
            "touch_usd": flow.touch_usd, "depth_1bps_usd": round(flow.depth_usd(1.0, self._tick_bps)),
            "jumps_per_h": flow.jumps_per_h, "jump_bps": round(float(self._terms[layout.T_JUMP_SD]), 3),
            "vol_annual": round(math.sqrt(made.wanted * week * 365 * DAY_S) / 1e4, 4),
            "fill_rate_per_s": flow.a_per_s, "fill_decay_per_bps": flow.k_per_bps,
            "eps_bps": round(flow.eps_bps, 4), "eta": round(flow.eta, 4), "informed_share": flow.informed_share,
            "impact_scale": round(made.scale, 4), "markout_mean_bps": round(made.mean_move_bps, 3),
        }  # fmt: skip
        if flow.predictor_r2 > 0:
            told["predictor"] = {
                "r2": flow.predictor_r2, "horizon_s": flow.predictor_horizon_s, "memory_s": flow.predictor_s,
                "sd_bps": round(made.signal_sd_bps, 3),
            }  # fmt: skip
        return told


class _Mood:
    """Pace by the hour of the week, times a level that wanders over hours and days; its mean is 1."""

    def __init__(self, flow: Flow, seed: int, origin_ns: int) -> None:
        self._kind = flow.hours
        self._parts = [[flow.day_log_sd, DAY_S, 0.0], [flow.hour_log_sd, HOUR_S, 0.0]]
        self._chance = Random(f"mood {seed}")
        for part in self._parts:
            part[2] = self._chance.gauss(0.0, 1.0)
        self._t_ns = origin_ns
        self.now = 1.0
        self.until_ns = origin_ns

    def at(self, t_ns: int) -> tuple[float, float]:
        """(activity, width), to be asked again from `until_ns` on."""
        step_s = (t_ns - self._t_ns) / NS
        self._t_ns = t_ns
        self.until_ns = min(t_ns + MOOD_NS, next_change_ns(t_ns))
        level = 0.0
        for part in self._parts:
            sd, memory_s, z = part
            kept = math.exp(-step_s / memory_s)
            part[2] = z * kept + math.sqrt(1 - kept * kept) * self._chance.gauss(0.0, 1.0)
            level += 2 * (sd * part[2] - sd * sd)  # variance goes with the square of volatility
        pace = pace_at(self._kind, t_ns)
        self.now = pace.activity * math.exp(level)
        return self.now, pace.width
