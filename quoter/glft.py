"""Half spread, step and skew of the Gueant-Lehalle-Fernandez-Tapia ladder (ladder = glft).

Closed form without horizon for one clip at a time (strategy.md 1.2; Gueant, Lehalle, Fernandez-Tapia 2012, as in
hftbacktest's tutorial):
    c1 = ln(1 + gamma / k) / gamma,   c2 = sqrt(gamma / (2 A k) (1 + gamma / k)^(1 + k / gamma))
    half spread = c1 + sigma c2 / 2,  skew a clip = sigma c2.
To the half spread comes what every fill costs (fee and adverse selection, Cartea-Jaimungal: they enter additively).
A and k are the intensity's (`intensity.py`); where that is not exponential, half spread and skew follow volatility
alone, from the priors. Units: distances bps, gamma 1 / (bps clip), k 1/bps, A 1/s, sigma bps per square root second.
"""

from __future__ import annotations

import math

from common.kernel import kernel
from quoter.skew import margin_scale, position_usd
from quoter.state import (
    BPS,
    FIT_IS_MEASURED,
    FIT_IS_VOL,
    I_FIT_MODE,
    P_ADJ_HALF,
    P_ADJ_SKEW,
    P_CLIP,
    P_EPS,
    P_FILL_A,
    P_FORECAST_EPS,
    P_GAMMA,
    P_K,
    P_LEVELS,
    P_LEVELS_MAX,
    P_MAX_SPREAD,
    P_MIN_SPREAD,
    P_SIGMA_CAP,
    P_SIGMA_MIN,
    P_SIGMA_REF,
    S_CENTRE,
    S_EQUITY,
    S_FEE,
    S_FILL_A,
    S_FILL_K,
    S_FORECAST_WEIGHT,
    S_HI,
    S_LO,
    S_SIGMA,
    S_STEP,
    YEAR_S,
)


@kernel("f8(f8)")
def per_root_second(annual_vol: float) -> float:
    """Annual volatility (0.13) as bps per square root second (0.23)."""
    return annual_vol / BPS / math.sqrt(YEAR_S)


@kernel("f8(f8, f8)")
def c1(gamma: float, k: float) -> float:
    """Distance that no inventory risk asks for; 0 where it is not defined."""
    if gamma <= 0.0 or k <= 0.0:
        return 0.0
    return math.log(1.0 + gamma / k) / gamma


@kernel("f8(f8, f8, f8)")
def c2(gamma: float, k: float, a: float) -> float:
    """Distance a clip held and a unit of volatility; 0 where it is not defined."""
    if gamma <= 0.0 or k <= 0.0 or a <= 0.0:
        return 0.0
    return math.sqrt(gamma / (2.0 * a * k) * math.exp((1.0 + k / gamma) * math.log(1.0 + gamma / k)))


@kernel("f8(f8[::1], f8)")
def held_sigma(params: list[float], sigma: float) -> float:
    """`sigma` within the limits configured."""
    return min(max(sigma, params[P_SIGMA_MIN]), params[P_SIGMA_CAP])


@kernel("void(f8[::1], i8[::1], f8[::1])")
def set_fill(state: list[float], ints: list[int], params: list[float]) -> None:
    """S_FILL_A and S_FILL_K are the priors until the fit has measured them."""
    if ints[I_FIT_MODE] != FIT_IS_MEASURED:
        state[S_FILL_A] = params[P_FILL_A]
        state[S_FILL_K] = params[P_K]


@kernel("void(f8[::1], i8[::1], f8[::1])")
def set_glft_range(state: list[float], ints: list[int], params: list[float]) -> None:
    """S_LO, S_STEP and S_HI: the first level, the way between two and the last one."""
    gamma, k, a = params[P_GAMMA], state[S_FILL_K], state[S_FILL_A]
    sigma = held_sigma(params, state[S_SIGMA])
    skew = sigma * c2(gamma, k, a)
    half = c1(gamma, k) + 0.5 * skew
    if ints[I_FIT_MODE] == FIT_IS_VOL and params[P_SIGMA_REF] > 0.0:
        half = c1(gamma, k) * sigma / params[P_SIGMA_REF] + 0.5 * skew
    eps = params[P_FORECAST_EPS] if state[S_FORECAST_WEIGHT] > 0.0 else params[P_EPS]
    lo = params[P_ADJ_HALF] * half + max(state[S_FEE], 0.0) + eps
    levels = max(min(params[P_LEVELS], params[P_LEVELS_MAX]), 1.0)
    state[S_STEP] = params[P_ADJ_SKEW] * skew
    if k > 0.0:
        state[S_STEP] = max(state[S_STEP], 1.0 / (k * levels))
    state[S_LO] = min(max(lo, params[P_MIN_SPREAD]), params[P_MAX_SPREAD])
    state[S_HI] = min(state[S_LO] + (levels - 1.0) * state[S_STEP], params[P_MAX_SPREAD])


@kernel("void(f8[::1], i8[::1], f8[::1], f8)")
def set_glft_centre(state: list[float], ints: list[int], params: list[float], px: float) -> None:
    """S_CENTRE: the skew of the clips held at px (px_u)."""
    state[S_CENTRE] = 0.0
    clip = params[P_CLIP] * state[S_EQUITY]
    if clip <= 0.0:
        return
    skew = params[P_ADJ_SKEW] * held_sigma(params, state[S_SIGMA])
    skew *= c2(params[P_GAMMA], state[S_FILL_K], state[S_FILL_A])
    state[S_CENTRE] = skew * position_usd(ints, px) / clip * margin_scale(state, params)
