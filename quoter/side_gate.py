"""Which side the forecast lets us quote, and whether the fee leaves anything to earn.

This room decides for a side what `quote.py` then withholds, and leaves to `forecast.py` what is expected and to the
engine whether a model was accepted (S_FORECAST_WEIGHT > 0). A profile that needs a forecast quotes nothing without one,
and nothing while the deviation its gate is measured in is not known. A side that only reduces the position on riskd's
word (I_REDUCING) is never gated: there risk decides, not edge. Forecasts in bps of the mid.
"""

from __future__ import annotations

from common.kernel import kernel
from quoter.forecast import favours
from quoter.skew import is_reducing
from quoter.state import (
    I_ADVERSE_N,
    I_REDUCING,
    P_FEE_MAX,
    P_FLOOR_FILLS,
    P_GATE,
    P_GATE_AGAINST,
    P_NEEDS_FORECAST,
    S_FEE,
    S_FORECAST,
    S_FORECAST_SD,
    S_FORECAST_WEIGHT,
    WHY_FEE,
    WHY_FORECAST,
    WHY_NO_FORECAST,
)


@kernel("i8(f8[::1], f8[::1], i8)")
def forecast_why(state: list[float], params: list[float], side: int) -> int:
    """WHY_* bit for which the forecast withholds a side; 0 = it may be quoted."""
    if state[S_FORECAST_WEIGHT] <= 0.0:
        return WHY_NO_FORECAST if params[P_NEEDS_FORECAST] > 0.0 else 0
    least = -params[P_GATE_AGAINST]
    if params[P_GATE] > 0.0:
        if state[S_FORECAST_SD] <= 0.0:
            return WHY_FORECAST
        least = params[P_GATE] * state[S_FORECAST_SD]
    return 0 if favours(state[S_FORECAST], least, side) == 1 else WHY_FORECAST


@kernel("i8(f8[::1], i8[::1], f8[::1], i8)")
def fee_why(state: list[float], ints: list[int], params: list[float], side: int) -> int:
    """WHY_FEE while the fee is above what the profile can bear and too few own fills say that it earns all the same.

    Once P_FLOOR_FILLS fills of the side are marked out the measured floor and the edge gate decide (edge.md 6).
    """
    if params[P_FEE_MAX] <= 0.0 or state[S_FEE] <= params[P_FEE_MAX]:
        return 0
    return WHY_FEE if float(ints[I_ADVERSE_N + side]) < params[P_FLOOR_FILLS] else 0


@kernel("i8(f8[::1], i8[::1], f8[::1], i8)")
def gate_why(state: list[float], ints: list[int], params: list[float], side: int) -> int:
    """WHY_* bits of forecast and fee together."""
    if ints[I_REDUCING] == 1 and is_reducing(ints, side) == 1:
        return 0
    return forecast_why(state, params, side) | fee_why(state, ints, params, side)
