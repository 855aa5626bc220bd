"""Our fee model: what the venue will charge, from what it says of the account and the market.

This room decides the maker and taker rates of one market in parts per billion (1 bps = 100,000 ppb) and whether a
fee the venue charged agrees with them; it leaves to others: reading the rates, and not quoting while they are unknown.
Integers and exact fractions throughout; rounded once, to the nearest ppb.

Formula (docs "Fees", hyperliquid.md 8) with s = the builder dex's deployerFeeScale, g = 0.1 in growth mode else 1,
A = aligned collateral, ref = referral discount; the rates of the account already contain tier, rebate and staking:
k = 1 + s below 1, else 2s; d = s / (1 + s) below 1, else 0.5 (the deployer's share);
maker > 0: maker g k (1 - ref); rebate: maker g ((1 - d) 1.5 + d if A else 1);
taker: taker g k (1 - ref) ((1 - d) 0.8 + d if A else 1). The first dex is s = 0 without growth or alignment.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from common.errors import BadInput
from common.ticks import to_units_nearest

PPB = 1_000_000_000
PPB_PER_BPS = 100_000

RATE_MAX = Fraction(1, 100)
"""No account is charged 100 bps: a rate beyond is a misread number."""

FEE_STEP_E8 = 100
"""The venue books fees in 1e-6 quote."""


@dataclass(frozen=True, slots=True)
class Fees:
    """Rates of one market for one account; `maker_ppb` < 0 is a rebate."""

    maker_ppb: int
    taker_ppb: int


def market_fees(
    maker_rate: str,
    taker_rate: str,
    *,
    scale: str = "0",
    growth: bool = False,
    aligned: bool = False,
    referral: str = "0",
) -> Fees:
    """Fees from the venue's decimal texts (`userAddRate`, `userCrossRate`, `deployerFeeScale`, referral discount).

    Raises BadInput("fee_rate") for what no venue would charge.
    """
    maker, taker, s, ref = (_fraction(text) for text in (maker_rate, taker_rate, scale, referral))
    if abs(maker) > RATE_MAX or not 0 <= taker <= RATE_MAX or not 0 <= s <= 10 or not 0 <= ref < 1:
        raise BadInput("fee_rate", f"maker {maker_rate} taker {taker_rate} scale {scale} referral {referral}")
    g = Fraction(1, 10) if growth else Fraction(1)
    k = 1 + s if s < 1 else 2 * s
    d = s / (1 + s) if s < 1 else Fraction(1, 2)
    discount = (1 - d) * Fraction(4, 5) + d if aligned else Fraction(1)
    boost = (1 - d) * Fraction(3, 2) + d if aligned else Fraction(1)
    charged = maker * g * k * (1 - ref) if maker > 0 else maker * g * boost
    return Fees(maker_ppb=round(charged * PPB), taker_ppb=round(taker * g * k * (1 - ref) * discount * PPB))


def fee_e8(px_u: int, sz_u: int, rate_ppb: int) -> int:
    """The fee of a fill in 1e-8 quote, to the nearest; negative for a rebate."""
    return (2 * px_u * sz_u * rate_ppb + 10_000_000) // 20_000_000


def agrees(charged_e8: int, px_u: int, sz_u: int, rate_ppb: int, tolerance: float = 0.05) -> bool:
    """Whether the venue's fee is within `tolerance` of ours, beside the venue's own rounding step."""
    expected_e8 = fee_e8(px_u, sz_u, rate_ppb)
    return abs(charged_e8 - expected_e8) <= FEE_STEP_E8 + tolerance * abs(expected_e8)


def _fraction(text: str) -> Fraction:
    """Exact value of a plain decimal text, to 12 places."""
    return Fraction(to_units_nearest(text, 12), 10**12)
