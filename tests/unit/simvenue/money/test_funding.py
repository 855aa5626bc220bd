"""Funding: the premium, the clamp, the cap, the payment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simvenue.events import BUY, Context
from simvenue.money import funding
from simvenue.money.funding import PremiumHour, cash_e8, premium, premium_of, rate_e10_1h, rate_of
from simvenue.source import ASK_LEVEL, BID_LEVEL
from tests.support.shared import shared
from tests.unit.simvenue.floor import BTC, US500, Floor
from tests.unit.simvenue.tape import ANN, BOB, MS, STANDX, T0, Desk, S, a_book, is_zero

BTC_INTEREST_1H = 0.0000125


def test_the_premium_is_zero_while_the_oracle_lies_inside_the_impact_prices() -> None:
    assert premium(99.0, 101.0, 100.0) == 0.0
    assert premium(100.5, 101.0, 100.0) == 0.005
    assert premium(98.0, 99.0, 100.0) == -0.01
    assert premium(1.0, 2.0, 0.0) == 0.0


def test_a_small_premium_leaves_the_interest_rate() -> None:
    assert rate_e10_1h(0.0, BTC_INTEREST_1H) == 125_000
    assert rate_e10_1h(-0.0003, BTC_INTEREST_1H) == 125_000
    assert rate_e10_1h(-0.0000843843, 0.0000057078) == 57_078  # the recorded km:US500 context


def test_a_large_premium_moves_the_rate_by_what_passes_the_clamp() -> None:
    assert rate_e10_1h(0.0016, BTC_INTEREST_1H) == round((0.0016 - 0.0005) / 8 * 1e10)
    assert rate_e10_1h(-0.0016, BTC_INTEREST_1H) == round((-0.0016 + 0.0005) / 8 * 1e10)


def test_the_rate_is_capped_at_four_percent_an_hour() -> None:
    assert rate_e10_1h(0.9, BTC_INTEREST_1H) == 400_000_000
    assert rate_e10_1h(-0.9, BTC_INTEREST_1H) == -400_000_000


def test_longs_pay_a_positive_rate_and_shorts_receive_it() -> None:
    assert cash_e8(1_000, 9_000_000, 125_000) == -11_250_000  # 9,000 USD at 0.00125 %
    assert cash_e8(-1_000, 9_000_000, 125_000) == 11_250_000
    assert cash_e8(1_000, 9_000_000, -125_000) == 11_250_000


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**8), st.integers(-4 * 10**8, 4 * 10**8))
def test_a_payment_is_within_half_a_unit_of_the_exact_one(position: int, oracle: int, rate_e10: int) -> None:
    exact = Fraction(-position * oracle * 100 * rate_e10, funding.RATE_E10)
    assert abs(cash_e8(position, oracle, rate_e10) - exact) <= Fraction(1, 2)


def test_an_hour_averages_its_samples_and_starts_anew() -> None:
    hour = PremiumHour()
    assert (hour.mean, hour.last) == (0.0, None)
    hour.sample(0.002)
    hour.sample(0.004)
    assert hour.close() == 0.003
    assert hour.mean == 0.004  # nothing yet in the new hour: the last one known
    hour.sample(-0.001)
    assert hour.mean == -0.001


def test_the_venue_samples_its_own_book_against_the_oracle() -> None:
    """The book jumps 0.5 % above an oracle that follows 3 s later: one sample of a premium."""
    up = [(side, px, 0) for side, px, _ in a_book()] + a_book(bid=9_045_000, ask=9_045_100)
    desk = Desk((4_500, up))
    desk.until(5_500)
    contexts = desk.of(Context)
    assert contexts[-1].premium == pytest.approx(0.0)
    desk.until(6_000)
    expected = 9_045_050 / 9_000_050 - 1
    assert desk.of(Context)[-1].premium == pytest.approx(expected, abs=1e-15)
    assert desk.of(Context)[-1].funding_rate_1h == round((expected / 2 - 0.0005) / 8 * 1e10) / 1e10


def test_hours_without_a_price_are_not_paid() -> None:
    desk = Desk(first=[(BID_LEVEL, 9_000_000, 10)])
    hour_ms = (3_600 * S - T0 % (3_600 * S)) / MS
    desk.until(hour_ms)
    assert desk.exchange.funding_history("sx:BTC") == []


def test_every_hour_is_paid_once() -> None:
    desk = Desk((50, [(ASK_LEVEL, 9_000_100, 900)]))
    desk.place(BUY, "90001", "0.001", "Ioc")
    desk.until((3 * 3_600 * S) / MS)
    times = [p.t_ns for p in desk.exchange.fundings(ANN)]
    assert len(times) == 3
    assert {b - a for a, b in pairwise(times)} == {3_600 * S}


# ---------------------------------------------------------------------- captures and builder dexes
def contexts() -> Iterator[tuple[str, dict[str, Any]]]:
    """(dex, context) of every market of the captured message that has a premium."""
    message = json.loads(shared("fixtures/hyperliquid/ws_all_dexs_asset_ctxs_full.json").read_text())
    for dex, rows in message["data"]["ctxs"]:
        for row in rows:
            if row["premium"] is not None and row["impactPxs"]:
                yield dex, row


def test_the_premium_of_every_captured_market_is_ours() -> None:
    count = {True: 0, False: 0}
    for dex, row in contexts():
        bid, ask = (float(px) for px in row["impactPxs"])
        market = BTC if dex == "" else US500
        ours = premium_of(market, (bid, ask), float(row["oraclePx"]))
        assert abs(ours - float(row["premium"])) < 2e-9, (dex, row)
        count[market.is_hip3] += 1
    assert count == {True: 155, False: 179}


def test_the_captured_baselines_are_what_a_small_premium_leaves() -> None:
    assert rate_of(BTC, 0.00029005) == 125_000  # captured hour: premium 0.00029005, rate 0.0000125
    assert rate_of(US500, -0.0000843843) == 57_078


def test_a_builder_dex_multiplies_the_rate_and_the_cap_is_the_last_word() -> None:
    doubled = replace(US500, funding_multiplier=2.0)
    assert rate_of(doubled, 0.0) == 2 * 57_078
    assert rate_of(replace(US500, funding_multiplier=0.0), 0.5) == 0
    assert rate_of(replace(US500, funding_multiplier=10.0), 0.5) == 400_000_000


def test_a_narrower_clamp_lets_more_of_the_premium_through() -> None:
    narrow = replace(US500, funding_clamp=0.0003)
    assert rate_of(narrow, 0.001) - rate_of(US500, 0.001) == round(0.0002 / 8 * 1e10)


@given(st.floats(-1, 1), st.floats(-0.001, 0.001), st.sampled_from([0.0003, 0.0005]), st.floats(0, 10))
def test_no_rate_is_beyond_the_cap_and_none_turns_against_a_large_premium(
    mean: float, interest: float, clamp: float, multiplier: float
) -> None:
    rate = rate_e10_1h(mean, interest, clamp, multiplier)
    assert abs(rate) <= 400_000_000
    if abs(mean) > clamp:
        assert rate * mean >= 0 or abs(rate) <= 1


def test_a_payment_is_on_the_oracle_not_the_mark() -> None:
    floor = Floor((STANDX, 9_000_000, 100))
    coin = STANDX.coin
    floor.trade(BUY, coin, "90010", "1")
    floor.tapes[coin].told = floor.tapes[coin].told._replace(oracle_px_u=8_000_000)  # type: ignore[union-attr]
    floor.wait(3_600)
    (paid,) = floor.exchange.fundings(ANN)
    ((_, hourly, _),) = floor.exchange.funding_history(coin)
    assert paid.usd_e8 == cash_e8(10_000, 8_000_000, round(hourly * 1e10))
    assert floor.exchange.fundings(BOB) == []
    assert is_zero(floor.zero()[0])
