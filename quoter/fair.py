"""The price round which we quote: mid + weight x forecast, or the microprice while no forecast was accepted.

Always within the oracle collar. When the market leaves the collar the fair price stays behind, so only the side that
leads back is quoted, far from the touch (`ladder.py` withholds levels beyond the collar). Prices in px_u.
"""

from __future__ import annotations

from common.kernel import kernel
from quoter.state import BPS


@kernel("f8(f8, f8, i8)")
def collar_px(oracle: float, collar_bps: float, direction: int) -> float:
    """Border of the collar (px_u): below the oracle for direction -1, above it for +1."""
    return oracle * (1.0 + float(direction) * collar_bps * BPS)


@kernel("f8(f8, f8, f8, f8, f8, f8)")
def fair_px(
    mid: float, micro: float, forecast_bps: float, forecast_weight: float, oracle: float, collar_bps: float
) -> float:
    """The fair price; `forecast_bps` is the mid's expected move, its weight 0 = not accepted, oracle 0 = unknown."""
    fair = micro
    if forecast_weight > 0.0:
        fair = mid * (1.0 + forecast_weight * forecast_bps * BPS)
    if oracle > 0.0:
        fair = min(max(fair, collar_px(oracle, collar_bps, -1)), collar_px(oracle, collar_bps, 1))
    return fair
