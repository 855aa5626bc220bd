"""Which prices the venue takes: five significant figures or a whole number, and so many decimals.

Written from the fact sheet (hyperliquid.md 2: docs "Tick and lot size") apart from `common/ticks.py`, so that one
misread fact cannot pass on both sides; a property test holds the two together. The grid is judged on a price's digits.
"""

from __future__ import annotations

from decimal import Decimal

SIGNIFICANT_DIGITS = 5
PERP_DECIMALS = 6
"""A perp price may have this many decimals less szDecimals."""


def is_on_tick(px: Decimal) -> bool:
    """At most five significant figures, or a whole number; decimals are judged elsewhere."""
    if px == px.to_integral_value():
        return True
    return len(px.normalize().as_tuple().digits) <= SIGNIFICANT_DIGITS


def tick_u(px_u: int, sz_decimals: int) -> int:
    """Distance between prices the venue takes near px_u, in px_u."""
    digits = len(str(px_u))
    return min(max(1, 10 ** (digits - SIGNIFICANT_DIGITS)), 10 ** (PERP_DECIMALS - sz_decimals)) if digits > 5 else 1
