"""What the mid is expected to do over the model's horizon: a linear forecast of standardised features.

This room decides the number alone. Which features exist is decided in `features.py`, whether a model may be used in
`card.py`, what a forecast does to a quote in `fair.py` and by the side gate of each profile. A model is one float64
vector (`M_*`). Moves in bps of the mid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from common.errors import OurFault
from common.kernel import kernel, state
from quoter.features import FEATURES_MAX

(
    M_N,  # features used, 0 = no model
    M_DEVIATION,  # bps, standard deviation of the forecast over the fitted span
    M_HORIZON,  # s
    M_ROWS,  # (weight in bps per standardised unit, standard deviation) a feature
) = range(4)
M_LEN = M_ROWS + 2 * FEATURES_MAX

Z_MAX = 8.0
"""A feature further than this many deviations from 0 counts as this many: nothing like it was fitted on."""


def new_model(
    weights: Sequence[float] = (), deviations: Sequence[float] = (), forecast_deviation: float = 0.0,
    horizon_s: float = 0.0,
) -> Any:  # fmt: skip
    """The vector of a model; without weights one that expects nothing."""
    if len(weights) != len(deviations) or len(weights) > FEATURES_MAX:
        raise OurFault(f"{len(weights)} weights, {len(deviations)} deviations")
    model = state(M_LEN)
    model[M_N], model[M_DEVIATION], model[M_HORIZON] = float(len(weights)), forecast_deviation, horizon_s
    for k, (weight, deviation) in enumerate(zip(weights, deviations, strict=True)):
        model[M_ROWS + 2 * k], model[M_ROWS + 2 * k + 1] = weight, deviation
    return model


@kernel("f8(f8[::1], f8[::1])")
def forecast_bps(model: list[float], x: list[float]) -> float:
    """Expected move of the mid for the features `x`; there is no intercept: a drift of one day is no forecast."""
    total = 0.0
    for k in range(int(model[M_N])):
        deviation = model[M_ROWS + 2 * k + 1]
        if deviation > 0.0:
            total += model[M_ROWS + 2 * k] * min(max(x[k] / deviation, -Z_MAX), Z_MAX)
    return total


@kernel("i8(f8, f8, i8)")
def favours(forecast: float, least: float, side: int) -> int:
    """1 when the forecast (bps) speaks for quoting `side` (0 bid, 1 ask) by at least `least` bps."""
    towards = forecast if side == 0 else -forecast
    return 1 if towards >= least else 0
