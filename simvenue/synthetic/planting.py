"""What a flow's figures mean for the generator: its terms, and who brings how much of the volatility.

Per second, in bps^2, the wanted variance is shared out:

    orders   rate x (share of sweeps x (eps^2 + 2 eps eta / k + 2 eta^2 / k^2) / informed + the others x touch move^2)
    news     jumps x jump^2
    signal   w x the wanted variance
    quiet    the rest: repricings nobody traded on, and the trend they make while they follow the touch's imbalance

The signal is the part of the moves that quotes follow with time constant T (`predictor_s`) although it is known now.
Over a horizon h, with e = exp(-h / T), it forecasts the variance w s2 T / 2 (1 - e)^2 of
(1 - w) s2 h + w s2 (h - T (1 - e)), which gives w = R2 / (T (1 - e)^2 / (2 h) + R2 T (1 - e) / h). Where orders would
bring more than `FLOW_SHARE_MAX` of what is left, a calibrated flow's impact is scaled down; a planted one is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from simvenue.synthetic import layout
from simvenue.synthetic.fair import ROOT_MEAN_SQUARE
from simvenue.synthetic.flows import Flow, Points
from simvenue.synthetic.hours import mean_activity

YEAR_S = 365 * 86_400
FLOW_SHARE_MAX = 0.9
QUIET_SHARE_MIN = 0.02
DEEP_LOG_SD = 0.4
TOUCH_CHANCE = 0.8
RESPREAD_CHANCE = 0.03


@dataclass(frozen=True, slots=True)
class Budget:
    """Variances per second in the session, bps^2; `flow` has the figures that are really played."""

    flow: Flow
    wanted: float
    orders: float
    news: float
    signal: float
    quiet: float
    scale: float  # of eps, eta and the touch move against what the flow asked for

    @property
    def mean_move_bps(self) -> float:
        """Mean move after an order, each counted once."""
        flow = self.flow
        sweeps = flow.eps_bps + flow.eta / flow.k_per_bps
        return flow.sweep_share * sweeps + (1 - flow.sweep_share) * flow.touch_move_bps

    @property
    def signal_sd_bps(self) -> float:
        """Standard deviation of the forecast over its horizon."""
        fades = 1 - math.exp(-self.flow.predictor_horizon_s / self.flow.predictor_s)
        return math.sqrt(self.signal * self.flow.predictor_s / 2) * fades


def budget(flow: Flow, vol_annual: float) -> Budget:
    """Share out the variance; raises ValueError when planted figures need a livelier market."""
    vol = max(vol_annual, flow.vol_annual_min)
    wanted = (vol * 1e4) ** 2 / YEAR_S / mean_activity(flow.hours)
    news = min(flow.jumps_per_h / 3_600 * flow.jump_bps**2, 0.5 * wanted)
    signal = wanted * _signal_weight(flow)
    if signal >= wanted:
        raise ValueError(f"r2 = {flow.predictor_r2:g} at this horizon and memory is more than any market can hold")
    room = FLOW_SHARE_MAX * (wanted - news - signal)
    orders = _order_variance(flow)
    scale = math.sqrt(min(1.0, max(room, 0.0) / orders)) if orders > 0 else 1.0
    if flow.is_planted and (scale < 1.0 or room <= 0.0):
        raise ValueError(f"the planted figures need a livelier market: vol of {least_vol(flow):.3g}, not {vol:g}")
    made = replace(flow, eps_bps=flow.eps_bps * scale, eta=flow.eta * scale, touch_move_bps=flow.touch_move_bps * scale)
    orders *= scale**2
    quiet = max(QUIET_SHARE_MIN * wanted, wanted - orders - news - signal)
    return Budget(made, wanted, orders, news, signal, quiet, scale)


def least_vol(flow: Flow) -> float:
    """The annual volatility from which on the flow's figures are played as they are."""
    news = flow.jumps_per_h / 3_600 * flow.jump_bps**2
    wanted = (_order_variance(flow) / FLOW_SHARE_MAX + news) / (1 - _signal_weight(flow))
    return math.sqrt(max(wanted, 2 * news) * mean_activity(flow.hours) * YEAR_S) / 1e4


def _order_variance(flow: Flow) -> float:
    mean, spread = flow.eps_bps, flow.eta / flow.k_per_bps
    square = (mean**2 + 2 * mean * spread + 2 * spread**2) / flow.informed_share
    share = flow.sweep_share
    return flow.orders_per_s * (share * square + (1 - share) * flow.touch_move_bps**2)


def _signal_weight(flow: Flow) -> float:
    """w: the signal's share of the variance."""
    if flow.predictor_r2 <= 0.0:
        return 0.0
    horizon, memory = flow.predictor_horizon_s, flow.predictor_s
    fades = 1 - math.exp(-horizon / memory)
    return flow.predictor_r2 / (memory * fades**2 / (2 * horizon) + flow.predictor_r2 * memory * fades / horizon)


def terms_of(made: Budget) -> Any:
    """The generator's terms (`layout.py`)."""
    flow, t = made.flow, layout.new_terms()
    t[layout.T_ORDERS], t[layout.T_UPDATES] = flow.orders_per_s, flow.updates_per_s
    t[layout.T_SELF] = flow.own_excitement * flow.cooling_per_s
    t[layout.T_CROSS] = flow.other_excitement * flow.cooling_per_s
    t[layout.T_COOLING] = flow.cooling_per_s
    t[layout.T_SWEEPS], t[layout.T_K] = flow.sweep_share, flow.k_per_bps
    t[layout.T_EPS], t[layout.T_ETA], t[layout.T_INFORMED] = flow.eps_bps, flow.eta, flow.informed_share
    t[layout.T_TOUCH_MOVE], t[layout.T_MEAN_MOVE] = flow.touch_move_bps, made.mean_move_bps
    t[layout.T_AT_ONCE], t[layout.T_FOLLOW_S] = flow.at_once, flow.follow_s
    t[layout.T_QUIET_RATE], t[layout.T_QUIET_SD] = flow.quiet_per_s, quiet_sd_bps(flow, made.quiet)
    t[layout.T_JUMP_RATE] = flow.jumps_per_h / 3_600
    t[layout.T_JUMP_SD] = math.sqrt(made.news / t[layout.T_JUMP_RATE]) if flow.jumps_per_h > 0 else 0.0
    t[layout.T_SIGNAL_SD], t[layout.T_SIGNAL_S] = math.sqrt(made.signal), flow.predictor_s
    t[layout.T_TOUCH_USD], t[layout.T_TOUCH_SD], t[layout.T_DEEP_SD] = flow.touch_usd, flow.touch_log_sd, DEEP_LOG_SD
    t[layout.T_LEAN_SD], t[layout.T_LEAN_S] = flow.imbalance_sd, flow.imbalance_s
    t[layout.T_LEAN_GAIN] = flow.imbalance_gain / math.sqrt(made.wanted * flow.follow_s)
    t[layout.T_TOUCH_CHANCE], t[layout.T_RESPREAD] = TOUCH_CHANCE, RESPREAD_CHANCE
    t[layout.T_MAKER_USD], t[layout.T_BOOK_EDGE] = flow.maker_usd, flow.book_edge
    _put_points(t, layout.T_SPREADS, layout.SPREADS, _cumulated(flow.spread_ticks))
    _put_points(t, layout.T_DENSITY, layout.DENSITIES, flow.density_usd)
    _put_points(t, layout.T_SIZES, layout.SIZES, tuple((p, math.log(usd)) for p, usd in flow.order_usd))
    return t


def quiet_sd_bps(flow: Flow, variance: float) -> float:
    """Root mean square of the untraded moves, the long run having this variance per second.

    While the imbalance I lasts they go its way: a drift of rate x mean size x edge x I, which adds 2 drift^2 x how long
    I lasts. I is x / sqrt(1 + x^2) of a normal x, whose variance is closed; its memory is near 3/4 of x's.
    """
    sd = flow.imbalance_sd
    lopsided = 1 - math.sqrt(math.pi / 2) / sd * math.exp(0.5 / sd**2) * math.erfc(1 / (sd * math.sqrt(2)))
    drift = flow.quiet_per_s * flow.book_edge / ROOT_MEAN_SQUARE
    return math.sqrt(variance / (flow.quiet_per_s + 2 * drift**2 * lopsided * 0.75 * flow.imbalance_s))


def _cumulated(shares: Points) -> Points:
    total = 0.0
    found = []
    for ticks, share in shares:
        total += share
        found.append((float(ticks), total))
    return (*found[:-1], (found[-1][0], 1.0))


def _put_points(terms: Any, begin: int, room: int, points: Points) -> None:
    """Write the points; the last one fills the room that is left."""
    if len(points) > room:
        raise ValueError(f"{len(points)} points where {room} fit")
    for k in range(room):
        x, y = points[min(k, len(points) - 1)]
        terms[begin + 2 * k], terms[begin + 2 * k + 1] = float(x), float(y)
