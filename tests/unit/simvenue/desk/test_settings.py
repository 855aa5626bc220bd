"""Purchases of actions, account modes, and settings that reach the clearing through the inbox."""

from __future__ import annotations

import pytest

from simvenue.desk.budget import Means
from simvenue.events import (
    BUY,
    MODES,
    ReserveWeight,
    SetAbstraction,
    UpdateIsolatedMargin,
    UpdateLeverage,
)
from tests.unit.simvenue.tape import ANN, BOB, Desk, is_zero


def test_actions_are_bought_at_half_a_tenth_of_a_cent() -> None:
    desk = Desk(usd=100)
    assert desk.ask(ReserveWeight(ANN, 2_000)).error is None
    assert desk.exchange.account(ANN).cash_e8 == 99 * 10**8
    assert desk.exchange.means(ANN) == Means(bought=2_000)
    assert is_zero(desk.zero())


def test_actions_are_paid_from_what_may_leave_the_account() -> None:
    desk = Desk(usd=100)
    assert desk.ask(ReserveWeight(ANN, 200_001)).error is not None
    desk.place(BUY, "90001", "0.01", "Ioc")  # 900 at 20x: 45 of margin, at least 90 must stay
    assert desk.ask(ReserveWeight(ANN, 100_000)).error is not None
    assert desk.ask(ReserveWeight(ANN, 2_000)).error is None
    assert desk.exchange.means(ANN).bought == 2_000


def test_buying_nothing_is_refused() -> None:
    assert Desk().ask(ReserveWeight(ANN, 0)).error is not None


@pytest.mark.parametrize("mode", MODES)
def test_an_account_mode_is_kept(mode: str) -> None:
    desk = Desk()
    assert desk.exchange.account(ANN).mode == "disabled"
    assert desk.ask(SetAbstraction(ANN, mode)).error is None
    assert desk.exchange.account(ANN).mode == mode
    assert desk.exchange.means(ANN).mode == mode
    assert desk.exchange.account(BOB).mode == "disabled"


def test_leverage_goes_through_the_inbox() -> None:
    desk = Desk()
    assert desk.ask(UpdateLeverage(ANN, 210000, True, 7)).error is None
    assert desk.exchange.leverage(ANN, "sx:BTC") == 7
    assert desk.ask(UpdateLeverage(ANN, 210000, True, 0)).error == "Invalid leverage value"
    assert desk.ask(UpdateLeverage(ANN, 9, True, 5)).error == "Invalid perp asset 9"


def test_isolated_margin_needs_a_position_of_its_own() -> None:
    desk = Desk()
    assert desk.ask(UpdateIsolatedMargin(ANN, 210000, 0)).error == "Update to isolated margin cannot be zero."
    assert desk.ask(UpdateIsolatedMargin(ANN, 210000, 10**6)).error == "Cannot update margin for empty position."
    desk.place(BUY, "90001", "0.01", "Ioc")
    assert desk.ask(UpdateIsolatedMargin(ANN, 210000, 10**6)).error == "Position does not use isolated margin."
    assert desk.ask(UpdateLeverage(ANN, 210000, False, 5)).error == "Cannot switch leverage type with open position."


def test_isolated_margin_is_moved_to_and_from_the_position() -> None:
    desk = Desk()
    assert desk.ask(UpdateLeverage(ANN, 210000, False, 5)).error is None
    desk.place(BUY, "90001", "0.01", "Ioc")
    before = desk.exchange.account(ANN).isolated_e8["sx:BTC"]
    assert desk.ask(UpdateIsolatedMargin(ANN, 210000, 50 * 10**6)).error is None
    assert desk.exchange.account(ANN).isolated_e8["sx:BTC"] == before + 50 * 10**8
    assert desk.ask(UpdateIsolatedMargin(ANN, 210000, -40 * 10**6)).error is None
    text = "Position does not have sufficient margin for reduction."
    assert desk.ask(UpdateIsolatedMargin(ANN, 210000, -40 * 10**6)).error == text
    text = "Account does not have sufficient margin available for increase."
    assert desk.ask(UpdateIsolatedMargin(ANN, 210000, 10**12)).error == text
    assert is_zero(desk.zero())
