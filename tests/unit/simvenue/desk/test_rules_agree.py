"""Two readings of one fact sheet: the venue's own rules and those our services use must be the same rules."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common import fees as our_fees
from common import ticks
from common.errors import BadInput
from simvenue.desk import grid, rules
from simvenue.desk.rules import Refusal
from simvenue.market import MarketDef
from simvenue.money import fees

SZ_DECIMALS = st.integers(0, 6)
PX_U = st.one_of(st.integers(1, 200_000), st.integers(1, 10**12))
TEXTS = st.one_of(
    st.from_regex(r"\A[0-9]{1,9}(\.[0-9]{1,9})?\Z"),
    st.from_regex(r"\A[0-9]{1,5}\.[0-9]{1,3}0{0,3}\Z"),
    st.text(alphabet="0123456789.-+eE ,x٣", max_size=12),
)


@settings(max_examples=200)
@given(PX_U, SZ_DECIMALS)
def test_the_same_prices_are_legal(px_u: int, sz_decimals: int) -> None:
    text = rules.text_of(px_u, 6 - sz_decimals)
    assert text == ticks.to_text(px_u, 6 - sz_decimals)
    assert (rules.parse_px(text, sz_decimals) == px_u) == ticks.is_legal_px(px_u, sz_decimals)
    assert grid.tick_u(px_u, sz_decimals) == ticks.tick_u(px_u, sz_decimals)


@settings(max_examples=200)
@given(PX_U, SZ_DECIMALS)
def test_what_we_round_to_is_what_the_venue_takes(px_u: int, sz_decimals: int) -> None:
    for rounded in (ticks.floor_px(px_u, sz_decimals), ticks.ceil_px(px_u, sz_decimals)):
        if rounded > 0:
            assert rules.parse_px(ticks.to_text(rounded, 6 - sz_decimals), sz_decimals) == rounded


@settings(max_examples=200)
@given(TEXTS, SZ_DECIMALS)
def test_the_same_texts_are_sizes(text: str, sz_decimals: int) -> None:
    venue = rules.parse_sz(text, sz_decimals)
    try:
        ours = ticks.to_units(text, sz_decimals)
    except BadInput:
        assert isinstance(venue, Refusal)
        return
    assert venue == ours if ours > 0 else isinstance(venue, Refusal)


@settings(max_examples=150)
@given(
    st.integers(0, 6), st.integers(0, 3), st.integers(0, 3), st.booleans(), st.booleans(),
    st.sampled_from(["0", "0.04"]), st.sampled_from(["0", "0.25", "0.5", "0.9", "1", "1.5", "3"]),
)  # fmt: skip
def test_the_same_rates_are_charged(
    tier: int, rebate: int, staking: int, growth: bool, aligned: bool, referral: str, scale: str
) -> None:
    profile = fees.FeeProfile(tier, rebate, Fraction(staking, 10), Fraction(referral))
    market = MarketDef("km:X", 150000, 3, 20, "USDH", "km", growth, aligned, float(scale), 0.0, 6000.0)
    maker_ppb, taker_ppb = fees.base_rates_ppb(profile)
    texts = [ticks.to_text(ppb, 9) for ppb in (maker_ppb, taker_ppb)]
    ours = our_fees.market_fees(*texts, scale=scale, growth=growth, aligned=aligned, referral=referral)
    venue = fees.rates_ppb(market, profile)
    assert abs(ours.maker_ppb - venue[0]) <= 1  # base rates are read rounded to 1e-9
    assert abs(ours.taker_ppb - venue[1]) <= 1


@given(st.integers(1, 10**7), st.integers(1, 10**6), st.integers(-30_000, 1_000_000))
def test_the_same_fee_is_charged_on_a_fill(px_u: int, sz_u: int, rate_ppb: int) -> None:
    """Ours is to the nearest 1e-8, the venue cuts to its step of 1e-6."""
    charged, expected = fees.fee_e8(px_u * sz_u, rate_ppb), our_fees.fee_e8(px_u, sz_u, rate_ppb)
    assert 0 <= abs(expected) - abs(charged) <= our_fees.FEE_STEP_E8
    assert our_fees.agrees(charged, px_u, sz_u, rate_ppb, tolerance=0.0)


@pytest.mark.parametrize("sz_decimals", range(7))
def test_the_minimum_notional_is_the_same(sz_decimals: int) -> None:
    assert rules.MIN_VALUE_E6 == ticks.MIN_NOTIONAL_E6
    assert grid.PERP_DECIMALS - sz_decimals == ticks.px_decimals(sz_decimals)
