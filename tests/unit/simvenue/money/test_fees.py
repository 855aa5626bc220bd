"""The fee schedule against the fact sheet's table and the fee of single fills."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.config import load
from simvenue.market import MarketDef, market_of
from simvenue.money import fees
from simvenue.money.fees import FeeProfile

HIP3 = MarketDef("km:X", 150000, 3, 20, "USDH", "km", True, True, 1.0, 0.0, 6000.0)


@pytest.mark.parametrize(
    ("profile", "maker_bps", "taker_bps"), [("standx", 0.30, 0.90), ("us500", 0.30, 0.81), ("btc", 1.5, 4.5)]
)
def test_our_profiles_pay_what_the_fact_sheet_says(profile: str, maker_bps: float, taker_bps: float) -> None:
    rates = fees.rates_ppb(market_of(load("simvenue", {"MARKET": profile})))
    assert rates == (round(maker_bps * 100_000), round(taker_bps * 100_000))


@pytest.mark.parametrize(
    ("change", "profile", "maker_bps", "taker_bps"),
    [
        ({"growth_mode": False, "aligned": False}, FeeProfile(), 3.0, 9.0),
        ({"growth_mode": False}, FeeProfile(), 3.0, 8.1),
        ({}, FeeProfile(referral_discount=Fraction(4, 100)), 0.288, 0.7776),
        ({"deployer_fee_scale": 0.5}, FeeProfile(), 0.225, 0.585),
        ({"deployer_fee_scale": 0.0}, FeeProfile(), 0.15, 0.36),
        ({}, FeeProfile(staking_discount=Fraction(15, 100)), 0.255, 0.6885),
        ({}, FeeProfile(staking_discount=Fraction(40, 100)), 0.18, 0.486),
        ({}, FeeProfile(tier=3), 0.08, 0.54),
        ({}, FeeProfile(tier=4), 0.0, 0.504),
        ({}, FeeProfile(rebate_tier=1), -0.0125, 0.81),
        ({"aligned": False}, FeeProfile(rebate_tier=3), -0.03, 0.9),
    ],
)
def test_the_scaling_reproduces_the_fact_sheets_table(
    change: dict[str, object], profile: FeeProfile, maker_bps: float, taker_bps: float
) -> None:
    assert fees.rates_ppb(replace(HIP3, **change), profile) == (round(maker_bps * 1e5), round(taker_bps * 1e5))  # type: ignore[arg-type]


def test_rates_before_scaling_are_the_accounts_own() -> None:
    assert fees.base_rates_ppb() == (150_000, 450_000)
    assert fees.base_rates_ppb(FeeProfile(tier=6, rebate_tier=3)) == (-30_000, 240_000)


def test_a_fee_is_cut_to_a_millionth_towards_zero() -> None:
    assert fees.fee_e8(66_653_000, 150_000) == 999_700  # the captured fee 0.009997 of 66.653 USDC at 1.5 bps
    assert fees.fee_e8(752_410 * 100, 30_000) == 225_700
    assert fees.fee_e8(9_999, 100_000) == fees.fee_e8(9_999, -100_000) == 0
    assert fees.fee_e8(19_999, -100_000) == -100


@given(st.integers(0, 10**16), st.integers(-30_000, 1_000_000))
def test_a_fee_is_never_above_the_exact_one_and_less_than_a_step_below(notional_e6: int, rate_ppb: int) -> None:
    exact = Fraction(notional_e6 * abs(rate_ppb), 10**7)
    assert 0 <= exact - abs(fees.fee_e8(notional_e6, rate_ppb)) < 100
