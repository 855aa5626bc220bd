"""The fee model reproduces the published table and real fills."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import BadInput
from common.fees import Fees, agrees, fee_e8, market_fees
from common.hyperliquid import USER_FEES, decode, facts_of
from common.venue_types import AssetMeta, PerpDex, PerpMeta, SpotMeta, Token
from tests.support.shared import shared


def bps(maker: float, taker: float) -> Fees:
    return Fees(round(maker * 100_000), round(taker * 100_000))


def rates(maker_bps: float, taker_bps: float) -> tuple[str, str]:
    return f"{maker_bps / 1e4:.9f}", f"{taker_bps / 1e4:.9f}"


#: account's rates in bps -> core; HIP-3 scale 1; + aligned; growth + aligned; growth, scale 0, aligned
TABLE = [
    ((1.5, 4.5), (1.5, 4.5), (3.0, 9.0), (3.0, 8.1), (0.30, 0.81), (0.15, 0.36)),
    ((1.2, 3.6), (1.2, 3.6), (2.4, 7.2), (2.4, 6.48), (0.24, 0.648), (0.12, 0.288)),
    ((1.2, 4.0), (1.2, 4.0), (2.4, 8.0), (2.4, 7.2), (0.24, 0.72), (0.12, 0.32)),
    ((0.8, 3.5), (0.8, 3.5), (1.6, 7.0), (1.6, 6.3), (0.16, 0.63), (0.08, 0.28)),
    ((0.4, 3.0), (0.4, 3.0), (0.8, 6.0), (0.8, 5.4), (0.08, 0.54), (0.04, 0.24)),
    ((0.0, 2.8), (0.0, 2.8), (0.0, 5.6), (0.0, 5.04), (0.0, 0.504), (0.0, 0.224)),
    ((-0.1, 2.8), (-0.1, 2.8), (-0.1, 5.6), (-0.125, 5.04), (-0.0125, 0.504), (-0.015, 0.224)),
    ((-0.3, 2.8), (-0.3, 2.8), (-0.3, 5.6), (-0.375, 5.04), (-0.0375, 0.504), (-0.045, 0.224)),
]


@pytest.mark.parametrize("row", TABLE)
def test_the_published_table(row: tuple[tuple[float, float], ...]) -> None:
    account, core, scale_1, aligned, growth, scale_0 = row
    maker, taker = rates(*account)
    assert market_fees(maker, taker) == bps(*core)
    assert market_fees(maker, taker, scale="1.0") == bps(*scale_1)
    assert market_fees(maker, taker, scale="1.0", aligned=True) == bps(*aligned)
    assert market_fees(maker, taker, scale="1.0", growth=True, aligned=True) == bps(*growth)
    assert market_fees(maker, taker, scale="0.0", growth=True, aligned=True) == bps(*scale_0)


def test_referral_and_scale_between() -> None:
    assert market_fees("0.00015", "0.00045", scale="1", growth=True, aligned=True, referral="0.04") == Fees(
        28_800, 77_760
    )
    half = market_fees("0.00015", "0.00045", scale="0.5", growth=True, aligned=True)
    assert half.maker_ppb == 22_500
    assert half.taker_ppb == 58_500


def test_real_usdh_fills_paid_what_the_model_says() -> None:
    """4 % referral, growth mode, aligned collateral: maker 0.2880, taker 0.7776 bps (hyperliquid.md 8)."""
    fees = market_fees("0.00015", "0.00045", scale="1", growth=True, aligned=True, referral="0.04")
    rows = json.loads(shared("fixtures/hyperliquid/rest_user_fills_hip3_usdh.json").read_text())
    usdh = [row for row in rows if row["feeToken"] == "USDH"]
    assert len(usdh) >= 2
    for row in usdh:
        px_u, sz_u = round(float(row["px"]) * 1000), round(float(row["sz"]) * 1000)  # CRCL's grid fits in 3 + 3
        rate = fees.taker_ppb if row["crossed"] else fees.maker_ppb
        assert agrees(round(float(row["fee"]) * 1e8), px_u, sz_u, rate, tolerance=0.001)
        assert not agrees(round(float(row["fee"]) * 1.2e8), px_u, sz_u, rate)


def test_a_fee_is_exact_to_the_last_digit() -> None:
    assert fee_e8(752_410, 500, 30_000) == 1_128_615  # $376.205 at 0.30 bps
    assert fee_e8(752_410, 500, -1_250) == -47_026  # -47,025.6 to the nearest
    assert agrees(1_128_600, 752_410, 500, 30_000), "the venue rounds to 1e-6"
    assert agrees(1_180_000, 752_410, 500, 30_000)
    assert not agrees(1_190_000, 752_410, 500, 30_000)


@pytest.mark.parametrize(
    "bad",
    [
        {"maker_rate": "0.5", "taker_rate": "0.00045"},
        {"maker_rate": "0.0001", "taker_rate": "-0.0001"},
        {"maker_rate": "0.0001", "taker_rate": "0.0004", "scale": "-1"},
        {"maker_rate": "0.0001", "taker_rate": "0.0004", "scale": "11"},
        {"maker_rate": "0.0001", "taker_rate": "0.0004", "referral": "1"},
        {"maker_rate": "1e-4", "taker_rate": "0.0004"},
        {"maker_rate": "NaN", "taker_rate": "0.0004"},
        {"maker_rate": "", "taker_rate": "0.0004"},
    ],
)
def test_rates_no_venue_would_charge_are_refused(bad: dict) -> None:
    with pytest.raises(BadInput):
        market_fees(**bad)


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(-100_000, 1_000_000))
def test_a_fee_is_within_half_a_unit_of_the_exact_one(px_u: int, sz_u: int, ppb: int) -> None:
    assert abs(fee_e8(px_u, sz_u, ppb) * 10**7 - px_u * sz_u * ppb) <= 5 * 10**6


#: HIP-3 scale, growth mode, aligned collateral of the table's columns after the account's own rates.
COLUMNS = (("0", False, False), ("1.0", False, False), ("1.0", False, True), ("1.0", True, True), ("0.0", True, True))


@pytest.mark.parametrize("row", TABLE)
def test_the_venues_answers_lead_to_the_table(row: tuple[tuple[float, float], ...]) -> None:
    """`userFees`, `perpDexs`, `meta` and `alignedQuoteTokenInfo` as the venue writes them (strategy.md 2)."""
    maker, taker = rates(*row[0])
    body = json.dumps(
        {"userCrossRate": taker, "userAddRate": maker, "activeReferralDiscount": "0.0", "feeTrialEscrow": "0"}
    )
    account = decode(body.encode(), USER_FEES)
    dexs = [None, PerpDex("km", "0"), PerpDex("sx", "1.0")]
    for (scale, growth, aligned), expected in zip(COLUMNS, row[1:], strict=True):
        dex = "sx" if scale == "1.0" else "km"
        asset = AssetMeta(f"{dex}:US500", 3, 20, growth_mode="enabled" if growth else "disabled")
        facts = facts_of(asset.name, dexs, PerpMeta([asset], 360), SpotMeta([Token("USDH", 360)]), aligned=aligned)
        assert facts.fees(account) == bps(*expected)


def test_a_dex_that_does_not_say_its_scale_leaves_fees_unknown() -> None:
    asset = AssetMeta("km:US500", 3, 20, growth_mode="enabled")
    facts = facts_of("km:US500", [None, PerpDex("km")], PerpMeta([asset], 360), SpotMeta([Token("USDH", 360)]))
    assert facts.fees(decode(b'{"userCrossRate": "0.00045", "userAddRate": "0.00015"}', USER_FEES)) is None
