"""Losing fills in a row, on both sides: how many, and what they lost together.

A fill's score is its signed markout at 5 s before fees; losing is a score below -`losing_bps`. One fill that is not
losing ends the streak. The state is two numbers, so that it can be kept in the state file. Design section 6.
"""

from __future__ import annotations

from typing import Any

from common.kernel import kernel

COUNT = 0
LOSS_USD = 1  # what the fills of the streak lost against the mid 5 s later, > 0
SIZE = 2

HORIZON_S = 5


@kernel("f8(f8[::1], f8, f8, f8)")
def step(streak: Any, score_bps: float, notional_usd: float, losing_bps: float) -> float:
    """Score one fill; returns how many losing fills there now are in a row."""
    if score_bps < -losing_bps:
        streak[COUNT] += 1.0
        streak[LOSS_USD] -= score_bps * 1e-4 * notional_usd
    else:
        streak[COUNT] = 0.0
        streak[LOSS_USD] = 0.0
    return float(streak[COUNT])


@kernel("f8(f8[::1], f8, f8, f8)")
def kills(streak: Any, count: float, equity_usd: float, loss_ratio_min: float) -> float:
    """1.0 when the streak is long enough and has cost enough (`loss_ratio_min` 0: length alone decides)."""
    if streak[COUNT] >= count and streak[LOSS_USD] >= loss_ratio_min * equity_usd:
        return 1.0
    return 0.0
