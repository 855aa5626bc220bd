"""What was lost, as shares: of the peak, of what a session may lose, of an open position's entry.

Equity in 1e-8 quote, prices px_u. What a share leads to is decided in `limits.py`.
"""

from __future__ import annotations

from common.kernel import kernel

E8 = 1e8


@kernel("f8(i8, i8)")
def drawdown(peak_e8: int, equity_e8: int) -> float:
    """Fall from the peak as a share of it, >= 0; 0 before there is a peak."""
    return max(float(peak_e8 - equity_e8) / float(peak_e8), 0.0) if peak_e8 > 0 else 0.0


@kernel("f8(i8, i8, f8, f8)")
def loss_share(start_e8: int, equity_e8: int, limit_usd: float, limit_ratio: float) -> float:
    """Loss since the start as a share of what kills: the smaller of an amount and a share of the start."""
    limit_e8 = min(limit_usd * E8, limit_ratio * float(start_e8))
    return max(float(start_e8 - equity_e8) / limit_e8, 0.0) if limit_e8 > 0.0 else 0.0


@kernel("f8(i8, f8, f8)")
def adverse_share(position_u: int, entry_px_u: float, mark_px_u: float) -> float:
    """How far the mark has moved against the position (long > 0), as a share of its entry; 0 where one is missing."""
    if position_u == 0 or entry_px_u <= 0.0 or mark_px_u <= 0.0:
        return 0.0
    move = (mark_px_u - entry_px_u) / entry_px_u
    return max(-move if position_u > 0 else move, 0.0)
