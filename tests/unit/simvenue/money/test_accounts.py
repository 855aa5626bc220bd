"""Positions, their cost and cash, in exact integers, with the house on the other side."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simvenue.events import BUY, SELL, Account
from simvenue.money.accounts import Accounts, book_fill, equity_e8

ANN = "0x" + "a1" * 20
COIN = "sx:BTC"
FILLS = st.lists(
    st.tuples(st.sampled_from([BUY, SELL]), st.integers(1, 10**7), st.integers(1, 10**5)), min_size=1, max_size=40
)


def an_account(position_u: int = 0, px_u: int = 100) -> Account:
    account = Account(ANN)
    if position_u:
        book_fill(account, COIN, BUY if position_u > 0 else SELL, px_u, abs(position_u))
    return account


@pytest.mark.parametrize(
    ("before", "side", "sz", "direction"),
    [
        (0, BUY, 5, "Open Long"), (5, BUY, 5, "Open Long"), (5, SELL, 3, "Close Long"), (5, SELL, 5, "Close Long"),
        (5, SELL, 9, "Long > Short"), (0, SELL, 5, "Open Short"), (-5, SELL, 1, "Open Short"),
        (-5, BUY, 5, "Close Short"), (-5, BUY, 6, "Short > Long"),
    ],
)  # fmt: skip
def test_a_fill_is_named_as_the_venue_names_it(before: int, side: int, sz: int, direction: str) -> None:
    booked = book_fill(an_account(before), COIN, side, 100, sz)
    assert (booked.start_position_u, booked.direction) == (before, direction)


def test_closing_realises_against_the_average_entry() -> None:
    account = an_account()
    book_fill(account, COIN, BUY, 100, 10)
    book_fill(account, COIN, BUY, 130, 20)  # average 120
    booked = book_fill(account, COIN, SELL, 125, 15)
    assert booked.closed_pnl_e8 == 15 * 5 * 100
    assert (account.positions_u[COIN], account.entry_ntl_e6[COIN]) == (15, 15 * 120)


def test_a_flip_closes_all_and_opens_the_rest_at_the_fill_price() -> None:
    account = an_account(10, 100)
    booked = book_fill(account, COIN, SELL, 90, 25)
    assert booked.closed_pnl_e8 == -10 * 10 * 100
    assert (account.positions_u[COIN], account.entry_ntl_e6[COIN]) == (-15, -15 * 90)


def test_a_short_gains_when_it_is_bought_back_lower() -> None:
    account = an_account(-10, 100)
    assert book_fill(account, COIN, BUY, 80, 10).closed_pnl_e8 == 10 * 20 * 100
    assert (account.positions_u[COIN], account.entry_ntl_e6[COIN]) == (0, 0)


@given(FILLS)
def test_closed_pnl_and_open_cost_explain_the_cash_exactly(fills: list[tuple[int, int, int]]) -> None:
    account = an_account()
    closed = sum(book_fill(account, COIN, *fill).closed_pnl_e8 for fill in fills)
    assert account.positions_u[COIN] == sum(side * sz for side, _, sz in fills)
    assert account.cash_e8 == -sum(side * px * sz * 100 for side, px, sz in fills)
    assert account.cash_e8 == closed - account.entry_ntl_e6[COIN] * 100
    assert (account.entry_ntl_e6[COIN] > 0) == (account.positions_u[COIN] > 0)


@given(FILLS, st.integers(-5_000, 5_000))
def test_the_house_is_the_other_side_of_everything(fills: list[tuple[int, int, int]], fee: int) -> None:
    accounts = Accounts()
    accounts.deposit(ANN, 1_000)
    for k, (side, px, sz) in enumerate(fills):
        accounts.fill(ANN, COIN, side, px, sz, fee, k % 2 == 0, k % 3 == 0)
        accounts.fund(accounts.get(ANN), COIN, fee - k)
    ann, house = accounts.get(ANN), accounts.house
    assert ann.cash_e8 - ann.deposits_e8 + house.cash_e8 == 0
    assert ann.fees_e8 + house.fees_e8 == ann.funding_e8 + house.funding_e8 == 0
    assert ann.positions_u[COIN] + house.positions_u[COIN] == 0
    assert ann.maker_e6 + ann.taker_e6 == ann.volume_e6 == sum(px * sz for _, px, sz in fills)


def test_growth_mode_earns_a_tenth_of_the_credit() -> None:
    accounts = Accounts()
    accounts.deposit(ANN, 1)
    accounts.fill(ANN, COIN, BUY, 1_000, 1_000, 0, False, True)
    accounts.fill(ANN, "BTC", BUY, 1_000, 1_000, 0, False, False)
    assert (accounts.get(ANN).volume_e6, accounts.credit_e6(ANN)) == (2_000_000, 1_100_000)


def test_equity_is_cash_and_positions_at_their_marks() -> None:
    account = an_account(10, 100)
    assert equity_e8(account, {COIN: 130}) == 10 * 30 * 100


def test_strangers_have_an_empty_account_that_is_not_kept() -> None:
    accounts = Accounts()
    assert accounts.get(ANN).cash_e8 == 0
    assert ANN not in accounts
    with pytest.raises(ValueError, match="above 0"):
        accounts.deposit(ANN, 0)
