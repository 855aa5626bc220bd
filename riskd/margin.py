"""How much of the collateral is in use, and whether a reduction that began is still going on.

Ratios of 1: used margin over equity (open-order headroom; hyperliquid.md 10). What the bands do is `limits.py`'s.
"""

from __future__ import annotations

from common.kernel import kernel

RATIO_MAX = 1_000_000.0
"""Stands for "no equity left": larger than any limit, still a number."""


@kernel("f8(f8, f8)")
def margin_ratio(used_usd: float, equity_usd: float) -> float:
    """Used margin over equity, 0..RATIO_MAX; no equity left is the worst ratio, whatever is used."""
    if not equity_usd > 0.0:
        return RATIO_MAX
    ratio = used_usd / equity_usd
    if not ratio >= 0.0:
        return 0.0
    return min(ratio, RATIO_MAX)


@kernel("f8(f8, f8, f8, f8)")
def reducing(before: float, ratio: float, enter: float, leave: float) -> float:
    """1.0 from above `enter` until at or below `leave`: a reduction is not stopped half way."""
    if ratio > enter:
        return 1.0
    if before > 0.5 and ratio > leave:
        return 1.0
    return 0.0
