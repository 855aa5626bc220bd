"""The nearest distance at which a quote can pay for itself: fee, adverse selection, impact, a little safety.

This room knows the priors of strategy.md 1.3, which count until enough own fills were marked out, and keeps a side's
measured adverse selection at 60 s; what a level must earn by its distance is decided in `adverse.py`. All in bps.
"""

from __future__ import annotations

import math

from common.kernel import kernel
from common.ticks import tick_u
from quoter.state import (
    BPS,
    I_ADVERSE_N,
    P_EPS,
    P_ETA,
    P_FORECAST_EPS,
    P_FORECAST_ETA,
    P_K,
    P_SAFETY,
    S_ADVERSE_M2,
    S_ADVERSE_MEAN,
    S_FEE,
    S_FORECAST_WEIGHT,
)

Z80 = 0.8416212335729143
"""80 % point of the normal distribution."""
PRIOR_MULTIPLE = 3.0
MEMORY_FILLS = 1000
"""Beyond so many fills an old one's weight falls by 1/MEMORY_FILLS with each new one."""


@kernel("f8(f8[::1], f8)")
def prior_floor_bps(params: list[float], fee_bps: float) -> float:
    """(fee + eps + eta/k) / (1 - eta) + safety: break-even against flow whose impact grows with its depth."""
    eta = params[P_ETA]
    if eta >= 1.0 or params[P_K] <= 0.0:
        return 1e4
    return (fee_bps + params[P_EPS] + eta / params[P_K]) / (1.0 - eta) + params[P_SAFETY]


@kernel("f8(f8[::1], f8[::1])")
def floor_prior_bps(state: list[float], params: list[float]) -> float:
    """The prior floor; round an accepted forecast eps and eta are those left after it (design 5)."""
    if state[S_FORECAST_WEIGHT] <= 0.0:
        return prior_floor_bps(params, state[S_FEE])
    eta = params[P_FORECAST_ETA]
    if eta >= 1.0 or params[P_K] <= 0.0:
        return 1e4
    return (state[S_FEE] + params[P_FORECAST_EPS] + eta / params[P_K]) / (1.0 - eta) + params[P_SAFETY]


@kernel("f8(f8[::1], i8[::1], i8)")
def adverse_bound_bps(state: list[float], ints: list[int], side: int) -> float:
    """Upper 80 % bound of the mean 60 s adverse selection of that side."""
    n = ints[I_ADVERSE_N + side]
    if n < 2:
        return state[S_ADVERSE_MEAN + side]
    variance = max(state[S_ADVERSE_M2 + side], 0.0) / float(n - 1)
    return state[S_ADVERSE_MEAN + side] + Z80 * math.sqrt(variance / float(n))


@kernel("void(f8[::1], i8[::1], i8, f8)")
def learn_adverse(state: list[float], ints: list[int], side: int, adverse_bps: float) -> None:
    """One more fill of `side`: how far the mid had moved against us 60 s after it, from the mid at the fill."""
    n = min(ints[I_ADVERSE_N + side] + 1, MEMORY_FILLS)
    if ints[I_ADVERSE_N + side] >= MEMORY_FILLS:
        state[S_ADVERSE_M2 + side] *= 1.0 - 1.0 / float(MEMORY_FILLS)
    ints[I_ADVERSE_N + side] = n
    before = adverse_bps - state[S_ADVERSE_MEAN + side]
    state[S_ADVERSE_MEAN + side] += before / float(n)
    state[S_ADVERSE_M2 + side] += before * (adverse_bps - state[S_ADVERSE_MEAN + side])


@kernel("f8(f8, i8)")
def tick_bps(px: float, sz_decimals: int) -> float:
    """The venue's price step at px (px_u) in bps."""
    if px < 1.0:
        return 1e4
    return float(tick_u(int(px), sz_decimals)) / px / BPS


@kernel("f8(f8[::1], f8[::1], f8)")
def reduce_floor_bps(state: list[float], params: list[float], tick: float) -> float:
    """The floor of a quote that only reduces the position: fee and safety, at least one tick."""
    return max(tick, state[S_FEE] + params[P_SAFETY])
