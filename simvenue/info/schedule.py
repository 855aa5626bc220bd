"""The fee schedule as `userFees` repeats it: tiers, rebates and discounts of the docs ("Fees"), as texts.

What a fill is charged is decided in `money/fees.py`, whose tables these are; spot rates stand here only, since no spot
is traded. Rates are shares of notional.
"""

from __future__ import annotations

from fractions import Fraction

from simvenue.feeds.wire import Json, decimal
from simvenue.money.fees import PPB_PER_BPS, REBATES, TIERS

REFERRAL_DISCOUNT = "0.04"
#: Perp tier -> (spot taker, spot maker).
SPOT = (
    ("0.0007", "0.0004"), ("0.0006", "0.0003"), ("0.0005", "0.0002"), ("0.0004", "0.0001"), ("0.00035", "0.0"),
    ("0.0003", "0.0"), ("0.00025", "0.0"),
)  # fmt: skip
#: Share of maker volume above which the rebate of the same place in `fees.REBATES` is paid.
REBATE_CUTOFFS = ("0.0", "0.005", "0.015", "0.03")
#: HYPE staked (in bps of the maximal supply) -> discount.
STAKING = (
    ("0.0", "0.0"), ("0.0001", "0.05"), ("0.001", "0.1"), ("0.01", "0.15"), ("0.1", "0.2"), ("1.0", "0.3"),
    ("5.0", "0.4"),
)  # fmt: skip


def _share(bps: str) -> str:
    return decimal(int(Fraction(bps) * PPB_PER_BPS), 9)


def _tier(number: int) -> Json:
    cutoff, taker, maker = TIERS[number]
    spot_taker, spot_maker = SPOT[number]
    rates = {"cross": _share(taker), "add": _share(maker), "spotCross": spot_taker, "spotAdd": spot_maker}
    return rates if number == 0 else {"ntlCutoff": f"{cutoff}.0", **rates}


SCHEDULE: Json = {
    **_tier(0),
    "tiers": {
        "vip": [_tier(number) for number in range(1, len(TIERS))],
        "mm": [
            {"makerFractionCutoff": cutoff, "add": _share(bps)}
            for cutoff, bps in zip(REBATE_CUTOFFS[1:], REBATES[1:], strict=True)
        ],
    },
    "referralDiscount": REFERRAL_DISCOUNT,
    "stakingDiscountTiers": [{"bpsOfMaxSupply": staked, "discount": discount} for staked, discount in STAKING],
}


def staking_of(discount: Fraction) -> Json:
    """`activeStakingDiscount` of somebody with this discount."""
    staked = next((staked for staked, text in STAKING if Fraction(text) == discount), "0.0")
    return {"bpsOfMaxSupply": staked, "discount": decimal(int(discount * 10**4), 4)}
