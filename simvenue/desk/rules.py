"""What the venue accepts as an order: form, lot, least and largest value, price band (its words: `refusals.py`).

From the fact sheet (hyperliquid.md 4: docs "Error responses"). A text becomes a `Decimal`; which prices there are is
`grid.py`'s.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from simvenue.desk.grid import PERP_DECIMALS, is_on_tick
from simvenue.desk.refusals import BAD_PX, BAD_SZ, BAD_TIF, OFF_TICK, TOO_LARGE, TOO_SMALL, ZERO_SZ, Refusal

if TYPE_CHECKING:
    from simvenue.events import OrderSpec
    from simvenue.market import MarketDef

MIN_VALUE_E6 = 10 * 10**6
BAND = Decimal("0.8")
"""An order price may be at most 80 % away from the reference (oracle) price."""

NTL_MAX_USD = ((25, 15_000_000), (20, 5_000_000), (10, 2_000_000), (0, 500_000))
"""Largest market order by the market's leverage (docs: "Contract specifications"); a limit order: ten times that."""
LIMIT_FACTOR = 10

UNFIT = (BAD_TIF, BAD_SZ, ZERO_SZ, BAD_PX, OFF_TICK)
"""Wrong whatever the market does: one such order and its whole batch gets one refusal (docs: pre-validation)."""

PX_MAX_U = 10**15
SZ_MAX_U = 10**15
TIFS = ("Alo", "Ioc", "Gtc")
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Parsed:
    px_u: int
    sz_u: int


def parse(spec: OrderSpec, market: MarketDef) -> Parsed | Refusal:
    """Price and size in the market's units, or why the form of the order is refused."""
    if spec.tif not in TIFS:
        return BAD_TIF
    sz_u = parse_sz(spec.sz, market.sz_decimals)
    if isinstance(sz_u, Refusal):
        return sz_u
    px_u = parse_px(spec.px, market.sz_decimals)
    if isinstance(px_u, Refusal):
        return px_u
    if not spec.reduce_only and px_u * sz_u < MIN_VALUE_E6:
        return TOO_SMALL
    if px_u * sz_u > ntl_max_e6(market.max_leverage):
        return TOO_LARGE
    return Parsed(px_u, sz_u)


def parse_sz(text: str, sz_decimals: int) -> int | Refusal:
    """A size in units of 10^-sz_decimals: a whole number of lots above zero."""
    lots = _scaled(text, sz_decimals)
    if lots is None or lots != lots.to_integral_value() or lots > SZ_MAX_U:
        return BAD_SZ
    return int(lots) or ZERO_SZ


def parse_px(text: str, sz_decimals: int) -> int | Refusal:
    """A price in units of 10^-(6 - sz_decimals), on the tick grid."""
    units = _scaled(text, PERP_DECIMALS - sz_decimals)
    if units is None or units == 0 or units != units.to_integral_value() or units > PX_MAX_U:
        return BAD_PX
    return int(units) if is_on_tick(Decimal(text)) else OFF_TICK


def ntl_max_e6(max_leverage: int) -> int:
    """Largest value of a limit order in 1e-6 quote."""
    return LIMIT_FACTOR * 10**6 * next(usd for least, usd in NTL_MAX_USD if max_leverage >= least)


def is_in_band(px_u: int, reference_px_u: int) -> bool:
    """Whether a price is near enough to the reference (0 = there is none yet)."""
    return reference_px_u <= 0 or abs(px_u - reference_px_u) <= BAND * reference_px_u


def text_of(units: int, decimals: int) -> str:
    """A number as the venue's texts have it: `text_of(752410, 3) == "752.41"`."""
    number = Decimal(units).scaleb(-decimals)
    plain = format(number.normalize(), "f")
    return "0" if plain == "-0" else plain


def average_text(notional_e6: int, sz_u: int, px_decimals: int) -> str:
    """Average price of `sz_u` that cost `notional_e6`, rounded half up to the price's decimals."""
    return text_of((2 * notional_e6 + sz_u) // (2 * sz_u), px_decimals) if sz_u > 0 else "0"


def _scaled(text: str, decimals: int) -> Decimal | None:
    """The number in units, None for anything that is not a plain positive decimal."""
    if not isinstance(text, str) or _NUMBER.fullmatch(text) is None:
        return None
    return Decimal(text).scaleb(decimals)
