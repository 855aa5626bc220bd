"""The nearest distance at which a quote can pay for itself: fee, adverse selection, impact, a little safety.

Until enough own fills were marked out the priors of strategy.md 1.3 count; then the fee plus the upper 80 % bound of
the adverse selection measured at 60 s on that side, kept between fee + safety and three times the prior. All in bps.
The floor is per side in this profile, not per level.
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
    P_FLOOR_FILLS,
    P_K,
    P_SAFETY,
    S_ADVERSE_M2,
    S_ADVERSE_MEAN,
    S_FEE,
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


@kernel("f8(f8[::1], i8[::1], f8[::1], i8, f8)")
def side_floor_bps(state: list[float], ints: list[int], params: list[float], side: int, tick: float) -> float:
    """The floor of a side; `tick` is the price step in bps."""
    fee = state[S_FEE]
    least = fee + params[P_SAFETY]
    prior = prior_floor_bps(params, fee)
    if float(ints[I_ADVERSE_N + side]) < params[P_FLOOR_FILLS]:
        return max(tick, prior)
    measured = fee + adverse_bound_bps(state, ints, side) + params[P_SAFETY]
    return max(tick, min(max(measured, least), PRIOR_MULTIPLE * prior))


@kernel("f8(f8[::1], f8[::1], f8)")
def reduce_floor_bps(state: list[float], params: list[float], tick: float) -> float:
    """The floor of a quote that only reduces the position: fee and safety, at least one tick."""
    return max(tick, state[S_FEE] + params[P_SAFETY])
