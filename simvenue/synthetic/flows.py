"""What made-up markets are like: order flow, informed takers and book shapes, with where each figure comes from.

`btc` is Hyperliquid BTC (market-data.md, tables 1 and 2); `xyz100` the flow of `xyz:XYZ100` (table 3) on a book as deep
as StandX BTC, always in its cash session; `us500` the same with New York's hours; `km` is `us500` with an order every
30 s of the week; `toxic` has takers whose orders move the price by more than they reach (eta > 1: no distance breaks
even); `calm` has takers who know next to nothing; `lively` is `xyz100` with one sweep where that has eighteen, each
reaching five times as far: as many as a volatility of 10 % holds with their impact unscaled. It fills a ladder that
begins at 5 bps within minutes, for showing; no real market is known to be so. Money is USD, distances bps of the mid,
rates per second.

The planted figures, as strategy.md 1.3 and 1.7 define them: orders of one side reach x bps beyond the mid at the rate

    lambda(x) = A exp(-k x)                                     for every x from the touch outwards,

and an order of reach D moves the price for good by eps + eta D in its direction, on average over all of them (with
`informed_share` s only s of them know anything: they move it by (eps + eta D) / s, the others not at all). So

    E[move | a quote at x is filled] = eps + eta (x + 1 / k),
    E[edge at x] = x (1 - eta) - eps - eta / k - fee,    break-even (fee + eps + eta / k) / (1 - eta).

The predictor: a signal that knows part of the moves to come. Its value, `Synthetic.signal_bps`, is the expected move of
the mid over `predictor_horizon_s`, and explains the share R2 of that move's variance. What it knows shows in the quotes
with time constant `predictor_s`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from simvenue.synthetic.hours import Kind

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """Aggressor orders of a market, the price they move, and the book they meet.

    Rates and variances are those of the session `hours` calls 1.
    """

    orders_per_s: float
    order_usd: Points  # (share of orders below, USD), rising
    a_per_s: float  # A: sweeps per second and side
    k_per_bps: float
    eps_bps: float
    eta: float
    touch_usd: float
    density_usd: Points  # (bps from the mid, USD per bps and side behind the touch), rising
    spread_ticks: Points  # (ticks, share of time)
    updates_per_s: float
    maker_usd: float  # mean size of the maker orders an aggressor meets
    jumps_per_h: float
    jump_bps: float  # standard deviation of a jump
    own_excitement: float = 0.0  # orders an order causes on its own side, on average
    other_excitement: float = 0.0
    cooling_per_s: float = 1.0
    informed_share: float = 1.0
    touch_move_bps: float = 0.0  # mean move after an order that takes the touch only
    at_once: float = 0.3  # share of a move the quotes take at once
    follow_s: float = 1.5  # time constant of the rest
    quiet_per_s: float = 0.1  # repricings without a trade
    imbalance_sd: float = 2.4
    imbalance_s: float = 4.0
    imbalance_gain: float = 4.0
    book_edge: float = 0.0  # an untraded move goes where the touch is heavier with (1 + this x imbalance) / 2
    touch_log_sd: float = 0.4
    hours: Kind = "always"
    day_log_sd: float = 0.0  # of the volatility's level, days apart
    hour_log_sd: float = 0.0
    premium_bps: Points = ((0.0, 0.0),)  # (normal quantile, premium of the mid over the oracle), rising
    vol_annual_min: float = 0.0
    predictor_r2: float = 0.0
    predictor_horizon_s: float = 30.0
    predictor_s: float = 30.0
    is_planted: bool = False
    """Figures were asked for: they hold exactly, or the market is refused."""

    @property
    def sweep_share(self) -> float:
        """Share of the orders that are sweeps."""
        return 2.0 * self.a_per_s / self.orders_per_s

    @property
    def excitement(self) -> float:
        return self.own_excitement + self.other_excitement

    def size_usd(self, share: float) -> float:
        """The order size that `share` of orders stay below: straight lines in logarithms between the known points."""
        points = self.order_usd
        for (p0, usd0), (p1, usd1) in pairwise(points):
            if share <= p1:
                return usd0 * math.exp(math.log(usd1 / usd0) * max(0.0, share - p0) / (p1 - p0))
        return points[-1][1]

    def depth_usd(self, bps: float, tick_bps: float) -> float:
        """Mean size a side shows within `bps` of the mid, the touch included."""
        ticks = sum(ticks * share for ticks, share in self.spread_ticks)
        begin = min(bps, 0.5 * (ticks + 1) * tick_bps)  # the levels behind the touch stand for the band from here on
        step = (bps - begin) / 1_000
        return self.touch_usd + sum(self._density(begin + (n + 0.5) * step) for n in range(1_000)) * step

    def _density(self, bps: float) -> float:
        points = self.density_usd
        for (x0, y0), (x1, y1) in pairwise(points):
            if bps <= x1:
                return y0 + (y1 - y0) * max(0.0, bps - x0) / (x1 - x0)
        return points[-1][1]


PLANTS = {
    "A": ("a_per_s", 0.0001, 10.0),
    "k": ("k_per_bps", 0.2, 20.0),
    "eps": ("eps_bps", -5.0, 20.0),
    "eta": ("eta", 0.0, 3.0),
    "informed": ("informed_share", 0.01, 1.0),
    "r2": ("predictor_r2", 0.0, 0.9),
    "horizon": ("predictor_horizon_s", 0.5, 3_600.0),
    "memory": ("predictor_s", 0.5, 3_600.0),
    "book": ("book_edge", 0.0, 1.0),
    "vol": ("vol_annual_min", 0.01, 5.0),
}
"""What may be planted: name -> (field, least, most). Without `book` the touch's imbalance foretells nothing: what is
planted is all there is to know."""


def planted(flow: Flow, figures: Mapping[str, float]) -> Flow:
    """The flow with these figures in it; raises ValueError for one that is unknown or out of range."""
    for name, value in figures.items():
        if name not in PLANTS:
            raise ValueError(f"{name!r} cannot be planted: {', '.join(PLANTS)}")
        _, least, most = PLANTS[name]
        if not least <= value <= most:
            raise ValueError(f"{name} = {value:g}: {least:g}..{most:g}")
    changes: dict[str, Any] = {PLANTS[name][0]: float(value) for name, value in figures.items()}
    changed = replace(flow, **{"book_edge": 0.0, "is_planted": True, **changes})
    if changed.sweep_share > 1.0:
        raise ValueError(f"A = {changed.a_per_s:g}: at most half of the {flow.orders_per_s:g} orders a second")
    return changed


def as_column(flow: Flow) -> Flow:
    """The flow on one day like the recorded ones: no hours of the week, no good and bad days."""
    return replace(flow, hours="always", day_log_sd=0.0)


INDEX_SIZES = ((0.0, 12.0), (0.1, 34.0), (0.5, 332.0), (0.9, 1_556.0), (0.99, 13_000.0), (1.0, 60_000.0))
BTC_SIZES = ((0.0, 8.0), (0.1, 15.0), (0.5, 500.0), (0.9, 51_000.0), (0.99, 1_300_000.0), (1.0, 4_000_000.0))

BTC_DENSITY = ((0.0, 2.6e6), (0.4, 2.3e6), (0.75, 2.0e6), (1.25, 2.35e6), (4.0, 2.7e6))
INDEX_DENSITY = ((0.0, 150e3), (0.25, 150e3), (0.26, 60e3), (0.75, 90e3), (1.25, 130e3), (4.0, 160e3))

BTC_PREMIUM = (
    (-4.0, -71.0), (-3.09, -19.6), (-2.33, -7.9), (-1.64, -6.0), (-0.97, -4.0), (0.33, 6.0), (0.84, 8.2), (1.28, 10.2),
    (1.64, 12.2), (2.33, 16.7), (3.09, 28.8), (4.0, 53.0),
)  # fmt: skip
"""Table 6, BTC: quantiles of the hourly rate as premiums (8 x rate -+ 5 bps outside the clamp). Inside, where the rate
is the interest, the premium is spread evenly: nothing is known of it."""
INDEX_PREMIUM = ((-3.0, -9.0), (0.0, 0.5), (3.0, 9.0))
"""Table 3: five index perps at -0.052 .. 0.063 bps an hour, mostly the interest."""

_XYZ100 = Flow(
    orders_per_s=0.54, order_usd=INDEX_SIZES, a_per_s=0.058, k_per_bps=2.0, eps_bps=0.5, eta=0.6, touch_usd=33_900.0,
    density_usd=INDEX_DENSITY, spread_ticks=((1, 0.1), (2, 0.7), (3, 0.2)), updates_per_s=2.4, maker_usd=1_000.0,
    jumps_per_h=0.5, jump_bps=4.0, own_excitement=0.33, cooling_per_s=0.7, hour_log_sd=0.15, at_once=0.5,
    book_edge=1.0, premium_bps=INDEX_PREMIUM,
)  # fmt: skip
_US500 = replace(_XYZ100, hours="index", day_log_sd=0.45)

FLOWS = {
    "btc": Flow(
        orders_per_s=1.0, order_usd=BTC_SIZES, a_per_s=0.079, k_per_bps=1.45, eps_bps=0.48, eta=0.45,
        touch_usd=930_000.0, density_usd=BTC_DENSITY, spread_ticks=((1, 0.97), (2, 0.03)), updates_per_s=6.6,
        maker_usd=30_000.0, jumps_per_h=1.0, jump_bps=3.0, own_excitement=0.17, touch_move_bps=0.028, at_once=0.8,
        follow_s=0.4, quiet_per_s=0.11, imbalance_sd=3.5, imbalance_s=8.0, imbalance_gain=12.0, touch_log_sd=0.2,
        book_edge=1.0, hours="crypto", day_log_sd=0.38, hour_log_sd=0.1, premium_bps=BTC_PREMIUM,
    ),
    "xyz100": _XYZ100,
    "us500": _US500,
    "km": replace(
        _US500, orders_per_s=0.1, a_per_s=0.0115, eps_bps=0.6, updates_per_s=1.2, own_excitement=0.22, book_edge=0.3
    ),
    "toxic": replace(
        _XYZ100, a_per_s=0.08, k_per_bps=1.1, eps_bps=0.8, eta=1.2, jumps_per_h=4.0, jump_bps=8.0, vol_annual_min=0.55
    ),
    "calm": replace(_XYZ100, eps_bps=0.02, eta=0.05, book_edge=0.0, jumps_per_h=0.0, hour_log_sd=0.0),
    "lively": replace(_XYZ100, a_per_s=0.0033, k_per_bps=0.4, eps_bps=0.3, eta=0.5),
}  # fmt: skip
