"""The venue's price and size grid, in integers.

Prices are int64 in units of 10^-(6 - szDecimals) quote (`px_u`), sizes int64 in units of 10^-szDecimals base
(`sz_u`); so `px_u * sz_u` is always a notional in 1e-6 quote (`ntl_e6`). A price may have at most 5 significant
figures and at most 6 - szDecimals decimals; whole numbers are always allowed (Hyperliquid docs, "Tick and lot
size"). This file alone turns decimal text into units and back, and alone rounds.
"""

from __future__ import annotations

import re

from common.errors import BadInput
from common.kernel import kernel

BID = 1
ASK = -1

PX_DECIMALS = 6
"""Decimals of a perp price before szDecimals is taken off (docs: MAX_DECIMALS = 6 for perps)."""

SIGNIFICANT = 5
MIN_NOTIONAL_E6 = 10_000_000
"""The venue refuses orders below 10 quote."""

E8 = 100_000_000
"""Fees, funding and cash are int64 in 1e-8 quote."""

_DECIMAL = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?", re.ASCII)


def px_decimals(sz_decimals: int) -> int:
    """Decimals of one price unit for a perp with these size decimals (0-6)."""
    return PX_DECIMALS - sz_decimals


def to_units(text: str, decimals: int) -> int:
    """`"752.41", 3 -> 752410`: exact; raises BadInput for anything but a plain decimal that fits the grid."""
    if not isinstance(text, str) or _DECIMAL.fullmatch(text) is None:
        raise BadInput("not_decimal", repr(text)[:40])
    whole, _, fraction = text.partition(".")
    kept, dropped = fraction[:decimals], fraction[decimals:]
    if dropped.strip("0"):
        raise BadInput("off_grid", f"{text} has more than {decimals} decimals")
    magnitude = int(whole.lstrip("-") + kept.ljust(decimals, "0"))
    return -magnitude if whole.startswith("-") else magnitude


def to_units_nearest(text: str, decimals: int) -> int:
    """As `to_units`, but a finer price (oracle, mark, mid, average) is rounded half up to the grid."""
    if not isinstance(text, str) or _DECIMAL.fullmatch(text) is None:
        raise BadInput("not_decimal", repr(text)[:40])
    fraction = text.partition(".")[2]
    extra = max(len(fraction) - decimals, 0)
    fine = to_units(text, decimals + extra)
    scale = int(10**extra)
    return (2 * fine + scale) // (2 * scale)


def to_text(units: int, decimals: int) -> str:
    """`752410, 3 -> "752.41"`: the venue's wire form, no trailing zeros, never `-0`."""
    sign = "-" if units < 0 else ""
    digits = str(abs(units)).rjust(decimals + 1, "0")
    if decimals == 0:
        return sign + digits
    fraction = digits[-decimals:].rstrip("0")
    return sign + digits[:-decimals] + ("." + fraction if fraction else "")


@kernel("i8(i8, i8)")
def tick_u(px_u: int, sz_decimals: int) -> int:
    """Distance in px_u between legal prices around px_u (> 0)."""
    step = 1
    limit = 100_000
    left = 6 - sz_decimals
    while px_u >= limit and left > 0:
        limit *= 10
        step *= 10
        left -= 1
    return step


@kernel("i8(i8, i8)")
def floor_px(px_u: int, sz_decimals: int) -> int:
    """The highest legal price at or below px_u (0 stays 0)."""
    step = tick_u(px_u, sz_decimals)
    if step == 1:
        return px_u
    if step == 10:  # a number the compiler knows is divided by in a fifth of the time
        return px_u // 10 * 10
    return px_u // step * step


@kernel("i8(i8, i8)")
def ceil_px(px_u: int, sz_decimals: int) -> int:
    """The lowest legal price at or above px_u."""
    step = tick_u(px_u, sz_decimals)
    if step == 1:
        return px_u
    if step == 10:
        return -(-px_u // 10) * 10
    return -(-px_u // step) * step


def is_legal_px(px_u: int, sz_decimals: int) -> bool:
    """Whether the venue would take px_u as a limit price."""
    return px_u > 0 and px_u % tick_u(px_u, sz_decimals) == 0
