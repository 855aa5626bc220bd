"""What an account must keep, and what stops it from opening more."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskd.margin import RATIO_MAX, margin_ratio
from simvenue.events import BUY, SELL, Error, Filled, Resting
from simvenue.money import margin
from simvenue.money.margin import Exposure
from tests.support.shared import shared
from tests.unit.simvenue.tape import ANN, STANDX, Desk

USD_E8 = 10**8


def test_a_position_uses_its_notional_over_the_leverage() -> None:
    long = Exposure(1_000, 9_000_000, 0, 0, 20)  # 0.1 BTC at 90,000
    assert margin.used_e8(long) == margin.required_e8(long) == 450 * USD_E8
    assert margin.maintenance_e8(long.notional_e6, 20) == 225 * USD_E8


def test_resting_orders_count_by_the_worse_side() -> None:
    flat = Exposure(0, 9_000_000, 9_000_000_000, 4_500_000_000, 10)
    assert margin.required_e8(flat) == 900 * USD_E8
    long = Exposure(1_000, 9_000_000, 0, 9_000_000_000, 10)
    assert margin.required_e8(long) == 900 * USD_E8  # selling it all needs nothing more
    assert margin.required_e8(Exposure(1_000, 9_000_000, 0, 27_000_000_000, 10)) == 1_800 * USD_E8


def test_a_tenth_of_the_notional_stays_behind() -> None:
    assert margin.withdrawable_e8(1_000 * USD_E8, 450 * USD_E8, 9_000_000_000) == 100 * USD_E8
    assert margin.withdrawable_e8(1_000 * USD_E8, 950 * USD_E8, 9_000_000_000) == 50 * USD_E8
    assert margin.withdrawable_e8(100 * USD_E8, 450 * USD_E8, 9_000_000_000) == 0


def test_leverage_starts_at_twenty_or_the_markets_maximum() -> None:
    assert margin.default_leverage(STANDX) == 20


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**7), st.integers(1, 50))
def test_the_room_is_what_margin_can_carry(free_e8: int, px_u: int, leverage: int) -> None:
    room = margin.room_u(free_e8 * USD_E8, px_u, leverage)
    carried = Exposure(room, px_u, 0, 0, leverage)
    assert margin.used_e8(carried) <= max(0, free_e8) * USD_E8
    assert room == 0 or margin.used_e8(Exposure(room + 1, px_u, 0, 0, leverage)) > free_e8 * USD_E8


def test_no_room_without_a_price() -> None:
    assert margin.room_u(USD_E8, 0, 20) == 0


def test_orders_of_one_side_share_the_margin_and_the_other_side_is_free() -> None:
    desk = Desk(usd=100)  # 2,000 of notional at 20x
    assert isinstance(desk.place(BUY, "89999", "0.02"), Resting)
    assert desk.place(BUY, "89998", "0.01") == Error("Insufficient margin to place order. asset=210000")
    assert isinstance(desk.place(SELL, "90002", "0.02"), Resting)
    assert desk.exchange.margin(ANN)[:2] == (0, 0)
    assert (
        desk.exchange.margin(ANN)[2] == 100 * USD_E8 - 2 * 90_002 * USD_E8 // 2_000
    )  # both sides wait, the worse one counts


def test_an_order_that_only_closes_passes_without_free_margin() -> None:
    desk = Desk(usd=100)
    assert isinstance(desk.place(BUY, "90001", "0.022", "Ioc"), Filled)
    assert isinstance(desk.place(BUY, "89999", "0.002"), Error)
    assert isinstance(desk.place(SELL, "90002", "0.022"), Resting)


def test_the_account_is_read_at_the_mark() -> None:
    desk = Desk(usd=1_000)
    desk.place(BUY, "90001", "0.1", "Ioc")
    desk.until(3_000)
    mark = desk.exchange.context("sx:BTC").mark_px_u  # type: ignore[union-attr]
    assert mark == 9_000_100  # oracle 90000.5, mid 90001, last 90001
    used, maintenance, withdrawable = desk.exchange.margin(ANN)
    assert (used, maintenance) == (1_000 * mark * 100 // 20, 1_000 * mark * 100 // 40)
    fee = 1_000 * 9_000_100 * 9 // 1_000
    assert desk.exchange.equity_e8(ANN) == 1_000 * USD_E8 - fee
    assert withdrawable == desk.exchange.equity_e8(ANN) - 1_000 * mark * 100 // 10


# ---------------------------------------------------------------------- tiers and the liquidation price
TIERED = ((0, 40), (150_000_000, 20))


def test_maintenance_is_continuous_and_steeper_in_the_next_tier() -> None:
    bound = 150_000_000 * 10**6
    assert margin.maintenance_e8(bound, 40, TIERED) == 150_000_000 * USD_E8 // 80
    assert margin.maintenance_e8(2 * bound, 40, TIERED) == 150_000_000 * USD_E8 // 80 + 150_000_000 * USD_E8 // 40
    rate, deduction = margin.maintenance_rate(2 * bound, 40, TIERED)
    assert (rate, deduction) == (Fraction(1, 40), bound * (Fraction(1, 40) - Fraction(1, 80)))
    assert [margin.leverage_limit(n, 40, TIERED) for n in (1, bound, bound + 1)] == [40, 40, 20]


@given(st.integers(0, 10**16), st.lists(st.integers(1, 10**9), max_size=4, unique=True))
def test_maintenance_is_the_sum_over_the_tiers_a_notional_reaches(notional_e6: int, bounds: list[int]) -> None:
    tiers = [(begin, 50 // (k + 1)) for k, begin in enumerate([0, *sorted(bounds)])]
    ends = [begin * 10**6 for begin, _ in tiers[1:]] + [10**18]
    exact = sum(
        Fraction(max(0, min(notional_e6, end) - begin * 10**6) * 100, 2 * leverage)
        for (begin, leverage), end in zip(tiers, ends, strict=True)
    )
    assert 0 <= margin.maintenance_e8(notional_e6, 50, tiers) - exact < 1


@given(
    st.integers(1, 10**6), st.sampled_from([1, -1]), st.integers(100, 10**7), st.integers(2, 50), st.integers(1, 10**14)
)
def test_at_the_liquidation_price_value_equals_maintenance(
    size: int, side: int, mark: int, leverage: int, value_e8: int
) -> None:
    """The docs' formula, held against the definition: value and maintenance at that price are the same."""
    rate = Fraction(1, 2 * leverage)
    maintenance = size * mark * 100 * rate
    px = margin.liquidation_px(side * size, mark, Fraction(value_e8) - maintenance, rate)  # type: ignore[arg-type]
    if px is not None:
        assert value_e8 + side * size * (px - mark) * 100 == size * px * 100 * rate


def test_the_fact_sheets_example_of_a_liquidation_price() -> None:
    """10x isolated long at 20x max: entry x (1 - 0.075 / 0.975)."""
    entry, size = 75_000, 1_000
    margin_e8 = entry * size * 100 // 10
    px = margin.liquidation_px(size, entry, margin_e8 - entry * size * 100 // 40, Fraction(1, 40))
    assert px == entry * (1 - Fraction(75, 975))


def test_cross_margin_of_a_captured_account_is_ours() -> None:
    """12 positions at 20x of 50x: margin used, maintenance 1 % and, as 2023 had it, the room of one price."""
    state = json.loads(shared("fixtures/hyperliquid/rest_clearinghouse_state.json").read_text())[0]["response"]
    notional = maintenance = used = Fraction(0)
    for row in (entry["position"] for entry in state["assetPositions"]):
        value_e6 = int(Fraction(row["positionValue"]) * 10**6)
        held = Exposure(1, value_e6, 0, 0, row["leverage"]["value"])
        assert abs(margin.used_e8(held) - Fraction(row["marginUsed"]) * USD_E8) <= 100
        used += margin.used_e8(held)
        maintenance += margin.maintenance_e8(value_e6, 50)
        notional += value_e6
    summary = state["crossMarginSummary"]
    assert abs(used - Fraction(summary["totalMarginUsed"]) * USD_E8) <= 1_200
    assert notional == Fraction(summary["totalNtlPos"]) * 10**6
    value_e8 = Fraction(summary["accountValue"]) * USD_E8
    assert abs(value_e8 - used - Fraction(state["withdrawable"]) * USD_E8) <= 1_200
    btc = state["assetPositions"][0]["position"]
    room = (Fraction(btc["liquidationPx"]) - Fraction(btc["positionValue"]) / -Fraction(btc["szi"])) * -Fraction(
        btc["szi"]
    )
    assert abs(room * USD_E8 - (value_e8 - maintenance)) < 1_000  # this capture is older than the 1 - l x side


# ---------------------------------------------------------------------- held against the services
@given(st.integers(0, 10**15), st.integers(-(10**12), 10**15))
def test_the_risk_services_ratio_is_one_exactly_where_the_venue_liquidates(maintenance: int, value: int) -> None:
    """riskd: maintenance over account value, 1 = liquidation; here: value below maintenance."""
    ratio = margin_ratio(maintenance / 1e8, value / 1e8)
    if value <= 0:
        assert ratio == RATIO_MAX
    elif abs(maintenance - value) > 1e-9 * value:  # beyond what a float can tell apart
        assert (ratio > 1.0) == (value < maintenance) or ratio == RATIO_MAX


def test_the_ratio_the_risk_service_reads_is_the_venues_own() -> None:
    desk = Desk(usd=1_000)
    desk.place(BUY, "90001", "0.1", "Ioc")
    desk.until(3_000)
    standing = desk.exchange.standing(ANN)
    ratio = margin_ratio(standing.used_e8 / 1e8, standing.value_e8 / 1e8)
    assert ratio == pytest.approx(450.005 / float(Fraction(standing.value_e8, USD_E8)))
