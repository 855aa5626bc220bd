"""What a fill costs: the venue's schedule, the HIP-3 scaling, and the exact fee of one fill.

Rates are in parts per billion of notional (1 bps = 100,000 ppb), fees in 1e-8 quote; a negative rate is a rebate. From
hyperliquid.md 8 (docs: "Fees"), whose formula was checked there on real USDH fills. The venue books fees and rebates in
1e-6 quote and drops what is less, towards 0 (so did 1,318 of 1,318 fills of 2025-10-27 on which roundings differ).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from common.kernel import kernel
from simvenue.market import MarketDef

PPB = 10**9
PPB_PER_BPS = 100_000

#: Tier -> (volume of 14 days in USD it begins above, taker bps, maker bps).
TIERS: tuple[tuple[int, str, str], ...] = (
    (0, "4.5", "1.5"),
    (5_000_000, "4.0", "1.2"),
    (25_000_000, "3.5", "0.8"),
    (100_000_000, "3.0", "0.4"),
    (500_000_000, "2.8", "0"),
    (2_000_000_000, "2.6", "0"),
    (7_000_000_000, "2.4", "0"),
)
#: Rebate tier -> bps of the maker (tier 0 has none).
REBATES = ("0", "-0.1", "-0.2", "-0.3")

GROWTH = Fraction(1, 10)
ALIGNED_TAKER = Fraction(8, 10)
ALIGNED_REBATE = Fraction(15, 10)


@dataclass(frozen=True, slots=True)
class FeeProfile:
    """What an address has earned: volume tier, maker rebate tier, and its discounts."""

    tier: int = 0
    rebate_tier: int = 0
    staking_discount: Fraction = Fraction(0)
    referral_discount: Fraction = Fraction(0)


BASE = FeeProfile()


def base_rates_ppb(profile: FeeProfile = BASE) -> tuple[int, int]:
    """(maker, taker) after tier and staking, before a builder dex scales them: `userAddRate`, `userCrossRate`."""
    maker, taker = _base_bps(profile)
    return _ppb(maker), _ppb(taker)


def rates_ppb(market: MarketDef, profile: FeeProfile = BASE) -> tuple[int, int]:
    """(maker, taker) that a fill in this market is charged."""
    maker, taker = _base_bps(profile)
    kept = 1 - profile.referral_discount
    if not market.is_hip3:
        return _ppb(maker * kept if maker > 0 else maker), _ppb(taker * kept)
    scale = Fraction(str(market.deployer_fee_scale))
    factor = 1 + scale if scale < 1 else 2 * scale
    deployer = scale / (1 + scale) if scale < 1 else Fraction(1, 2)
    growth = GROWTH if market.growth_mode else Fraction(1)
    taker *= growth * factor * kept
    if market.aligned:
        taker *= (1 - deployer) * ALIGNED_TAKER + deployer
    if maker > 0:
        maker *= growth * factor * kept
    else:
        maker *= growth * ((1 - deployer) * ALIGNED_REBATE + deployer if market.aligned else 1)
    return _ppb(maker), _ppb(taker)


@kernel("i8(i8, i8)", inline=True)
def fee_e8(notional_e6: int, rate_ppb: int) -> int:
    """Fee of one fill in 1e-8 quote: notional x rate, cut to 1e-6 quote; in two parts, to stay within int64."""
    rate = abs(rate_ppb)
    cut_e6 = notional_e6 // PPB * rate + notional_e6 % PPB * rate // PPB
    return (cut_e6 if rate_ppb >= 0 else -cut_e6) * 100


def _base_bps(profile: FeeProfile) -> tuple[Fraction, Fraction]:
    _, taker, maker = TIERS[profile.tier]
    kept = 1 - profile.staking_discount
    rebate = Fraction(REBATES[profile.rebate_tier])
    return (rebate if rebate < 0 else Fraction(maker) * kept), Fraction(taker) * kept


def _ppb(bps: Fraction) -> int:
    return int((2 * bps * PPB_PER_BPS + 1) // 2)
