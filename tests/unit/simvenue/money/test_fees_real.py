"""Fees of real fills: the captures', and every fill of a recorded minute whose owner's tier can be told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.fees import agrees, market_fees
from simvenue.market import MarketDef
from simvenue.money import fees
from simvenue.money.fees import FeeProfile
from tests.support.shared import shared
from tests.unit.simvenue.floor import BTC, US500

CRCL = MarketDef("flx:CRCL", 120000, 3, 10, "USDH", "flx", True, True, 1.0, 0.0, 6000.0, 2, 0)
XYZ100 = MarketDef("xyz:XYZ100", 110000, 4, 20, "USDC", "xyz", False, False, 1.0, 0.0, 6000.0, 1, 0)
REFERRED = FeeProfile(referral_discount=Fraction(4, 100))
STAKES = [Fraction(n, 100) for n in (0, 5, 10, 15, 20, 30, 40)]
PROFILES = [
    FeeProfile(tier, 0, stake, referral)
    for tier in range(len(fees.TIERS))
    for stake in STAKES
    for referral in (Fraction(0), Fraction(4, 100))
]
REBATES = [FeeProfile(6, tier) for tier in (1, 2, 3)]


def fills(name: str) -> Iterator[dict[str, Any]]:
    """Every fill anywhere in a fixture."""
    todo = [json.loads(shared(f"fixtures/hyperliquid/{name}").read_text())]
    while todo:
        node = todo.pop()
        if isinstance(node, dict) and {"px", "sz", "fee", "crossed"} <= node.keys():
            yield node
        todo += list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []


def booked(row: dict[str, Any], market: MarketDef, profile: FeeProfile) -> Fraction:
    """The fee this venue would book for a fill, in quote."""
    notional_e6 = Fraction(str(row["px"])) * Fraction(str(row["sz"])) * 10**6
    maker, taker = fees.rates_ppb(market, profile)
    return Fraction(fees.fee_e8(int(notional_e6), taker if row["crossed"] else maker), 10**8)


def test_real_fills_of_a_usdh_dex_reproduce_their_fee_to_the_last_digit() -> None:
    """A taker (liquidated through the book) and a maker fill of a growth-mode market, 4 % referral: within 1e-4 bps."""
    found = [row for row in fills("rest_user_fills_hip3_usdh.json") if row["coin"] == CRCL.coin]
    assert {row["crossed"] for row in found} == {True, False}
    for row in found:
        notional = Fraction(row["px"]) * Fraction(row["sz"])
        assert row["feeToken"] == CRCL.collateral
        assert abs(booked(row, CRCL, REFERRED) - Fraction(row["fee"])) / notional < Fraction(1, 10**8)


def test_a_captured_fill_against_a_liquidated_trader_costs_the_maker_rate() -> None:
    (row,) = fills("ws_user_events_fill_liquidation.json")
    assert booked(row, BTC, FeeProfile()) == Fraction(row["fee"])


def recorded(dex: str) -> list[dict[str, Any]]:
    """Perp fills of 2025-10-27 of a dex ("" = the first) without the builders' part of their fees."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="reading recorded fills needs pyarrow")
    table = parquet.read_table(shared("data/hyperliquid/fills_20251027.parquet"))
    rows = []
    for row in table.to_pylist():
        name, _, coin = row["coin"].rpartition(":")
        if name == dex and coin and row["fee_token"] == "USDC" and row["dir"] not in ("Buy", "Sell"):
            fee = Fraction(str(row["fee"])) - Fraction(str(row["builder_fee"]))
            rows.append({**row, "fee": Fraction(round(fee * 10**6), 10**6)})
    return rows


def is_of_a_tier(row: dict[str, Any], market: MarketDef) -> bool:
    """Whether some tier's fee is the recorded one to the last digit.

    Where the exact fee is a whole number of 1e-6 the venue's binary fraction may have fallen just below it.
    """
    notional = Fraction(str(row["px"])) * Fraction(str(row["sz"]))
    for profile in REBATES if row["fee"] < 0 else PROFILES:
        ours = booked(row, market, profile)
        rate = Fraction(fees.rates_ppb(market, profile)[row["crossed"]], 10**9)
        if ours == row["fee"] or (ours == notional * rate and ours - row["fee"] == Fraction(1, 10**6)):
            return True
    return row["fee"] == 0


def test_every_recorded_fill_of_a_builder_dex_has_the_fee_of_some_tier() -> None:
    """XYZ100 before growth mode: twice the base rates (deployer scale 1)."""
    rows = recorded("xyz")
    assert len(rows) > 100
    assert [row for row in rows if not is_of_a_tier(row, XYZ100)] == []


def test_recorded_fees_are_cut_not_rounded() -> None:
    """First dex: towards 0 for fees and for rebates."""
    rows = [row for row in recorded("") if row["user"] % 16 == 0]
    assert sum(row["fee"] < 0 for row in rows) > 20
    assert sum(row["fee"] > 0 for row in rows) > 100
    assert [row for row in rows if not is_of_a_tier(row, BTC)] == []


# ---------------------------------------------------------------------- held against the services' model
@given(
    profile=st.builds(
        FeeProfile,
        tier=st.integers(0, 6), rebate_tier=st.integers(0, 3), staking_discount=st.sampled_from(STAKES),
        referral_discount=st.sampled_from([Fraction(0), Fraction(4, 100)]),
    ),
    scale=st.sampled_from([0.0, 0.25, 0.5, 0.99, 1.0, 1.5, 3.0]), growth=st.booleans(), aligned=st.booleans(),
    px_u=st.integers(1, 10**7), sz_u=st.integers(1, 10**7), is_taker=st.booleans(),
)  # fmt: skip
def test_the_services_fee_model_agrees_with_what_is_charged(
    profile: FeeProfile, scale: float, growth: bool, aligned: bool, px_u: int, sz_u: int, is_taker: bool
) -> None:
    """They read `userAddRate`, `userCrossRate` and the deployer's scale off the wire; both formulas stand apart."""
    market = replace(US500, deployer_fee_scale=scale, growth_mode=growth, aligned=aligned)
    maker, taker = (format(rate / fees.PPB, ".9f") for rate in fees.base_rates_ppb(profile))
    theirs = market_fees(
        maker, taker, scale=str(scale), growth=growth, aligned=aligned, referral=str(float(profile.referral_discount))
    )
    ours = fees.rates_ppb(market, profile)
    assert abs(ours[0] - theirs.maker_ppb) <= 3  # the wire's rate is rounded once more
    assert abs(ours[1] - theirs.taker_ppb) <= 3
    charged = fees.fee_e8(px_u * sz_u, ours[is_taker])
    assert agrees(charged, px_u, sz_u, theirs.taker_ppb if is_taker else theirs.maker_ppb)


@given(st.integers(0, 6), st.sampled_from(STAKES), st.booleans())
def test_on_the_first_dex_the_services_pay_what_the_wire_says(tier: int, stake: Fraction, is_taker: bool) -> None:
    profile = FeeProfile(tier, 0, stake)
    maker, taker = (format(rate / fees.PPB, ".9f") for rate in fees.base_rates_ppb(profile))
    theirs = market_fees(maker, taker)
    assert fees.rates_ppb(BTC, profile)[is_taker] == (theirs.taker_ppb if is_taker else theirs.maker_ppb)
