"""What an account must keep, and what stops it from opening more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simvenue import margin
from simvenue.events import BUY, SELL, Error, Filled, Resting
from simvenue.margin import Exposure
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
