"""Our position, held against the venue's."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.messages import Side
from quoter.inventory import DISAGREE_NS, TAKE_OVER_NS, Inventory
from tests.unit.quoter.builders import COIN, NS, Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_fills_add_up_from_where_history_begins(desk: Desk) -> None:
    desk.position_u = 500
    inventory = Inventory(COIN)
    assert inventory.on_fill(desk.fill(Side.BID, 100))
    assert inventory.on_fill(desk.fill(Side.ASK, 250))
    assert inventory.position_u == 350


def test_a_repeated_fill_counts_once(desk: Desk) -> None:
    inventory, fill = Inventory(COIN), desk.fill(Side.BID, 100)
    assert inventory.on_fill(fill)
    assert not inventory.on_fill(fill)
    assert inventory.position_u == 100


def test_without_fills_the_account_counts(desk: Desk) -> None:
    inventory = Inventory(COIN)
    assert not inventory.known
    inventory.on_account(desk.account(position_u=-70))
    assert inventory.position_u == -70
    assert inventory.known
    assert inventory.since_t_ns > 0


def test_an_account_that_already_holds_the_first_fill_is_not_counted_twice(desk: Desk) -> None:
    inventory = Inventory(COIN)
    fill = desk.fill(Side.BID, 100)
    inventory.on_account(desk.account())
    inventory.on_fill(fill)
    assert inventory.position_u == 100
    assert inventory.difference_u == 0


@given(
    st.lists(st.tuples(st.sampled_from([Side.BID, Side.ASK]), st.integers(1, 50)), min_size=1, max_size=20),
    st.randoms(),
)
def test_the_order_of_arrival_does_not_matter(trades: list[tuple[Side, int]], rng: random.Random) -> None:
    desk = Desk()
    desk.position_u = 13
    fills = []
    for side, sz_u in trades:
        desk.mono_s += 0.5
        fills.append(desk.fill(side, sz_u))
    rng.shuffle(fills)
    inventory = Inventory(COIN)
    for fill in fills:
        inventory.on_fill(fill)
    assert inventory.position_u == desk.position_u


def test_two_fills_of_one_stamp_in_the_wrong_order(desk: Desk) -> None:
    first, second = desk.fill(Side.BID, 10), desk.fill(Side.BID, 20)
    inventory = Inventory(COIN)
    inventory.on_fill(second)
    inventory.on_fill(first)
    assert inventory.position_u == 30


def test_a_position_is_as_old_as_its_sign(desk: Desk) -> None:
    inventory = Inventory(COIN)
    inventory.on_fill(desk.fill(Side.BID, 100))
    begun = inventory.since_t_ns
    desk.mono_s = 10
    inventory.on_fill(desk.fill(Side.BID, 50))
    assert inventory.since_t_ns == begun
    desk.mono_s = 20
    inventory.on_fill(desk.fill(Side.ASK, 200))
    assert inventory.since_t_ns == desk.t_ns
    inventory.on_fill(desk.fill(Side.BID, 50))
    assert inventory.since_t_ns == 0


def test_a_difference_must_last_to_count(desk: Desk) -> None:
    inventory = Inventory(COIN)
    inventory.on_fill(desk.fill(Side.BID, 100))
    desk.mono_s = 1
    inventory.on_account(desk.account(position_u=90))
    assert inventory.difference_u == -10
    assert not inventory.disagrees(0)
    assert not inventory.disagrees(DISAGREE_NS)
    assert inventory.disagrees(DISAGREE_NS + 1)


def test_an_agreeing_account_ends_the_difference(desk: Desk) -> None:
    inventory = Inventory(COIN)
    inventory.on_fill(desk.fill(Side.BID, 100))
    desk.mono_s = 1
    inventory.on_account(desk.account(position_u=90))
    inventory.disagrees(0)
    inventory.on_account(desk.account(position_u=100))
    assert not inventory.disagrees(DISAGREE_NS * 2)


def test_fills_told_after_the_account_was_made_are_no_difference(desk: Desk) -> None:
    inventory = Inventory(COIN)
    inventory.on_fill(desk.fill(Side.BID, 100))
    account = desk.account()
    desk.mono_s = 1
    inventory.on_fill(desk.fill(Side.ASK, 30))
    inventory.on_account(account)
    assert inventory.difference_u == 0


def test_a_late_fill_explains_the_difference_when_it_comes(desk: Desk) -> None:
    inventory = Inventory(COIN)
    inventory.on_fill(desk.fill(Side.BID, 100))
    desk.mono_s = 1
    late = desk.fill(Side.BID, 50)
    inventory.on_account(desk.account())
    assert inventory.difference_u == 50
    inventory.on_fill(late)
    assert inventory.difference_u == 0


def test_a_difference_that_stays_is_taken_over_from_the_venue(desk: Desk) -> None:
    inventory = Inventory(COIN)
    inventory.on_fill(desk.fill(Side.BID, 100))
    desk.mono_s = 1
    inventory.on_account(desk.account(position_u=90))
    inventory.disagrees(0)
    assert not inventory.disagrees(TAKE_OVER_NS + NS)
    assert inventory.position_u == 90
    assert inventory.take_overs == 1
    assert inventory.difference_u == 0


def test_a_changing_difference_is_not_taken_over(desk: Desk) -> None:
    inventory = Inventory(COIN)
    inventory.on_fill(desk.fill(Side.BID, 100))
    for second in range(1, 30):
        desk.mono_s = second
        inventory.on_account(desk.account(position_u=100 - second))
        inventory.disagrees(second * NS)
    assert inventory.take_overs == 0


def test_an_older_account_changes_nothing(desk: Desk) -> None:
    inventory, older = Inventory(COIN), desk.account(position_u=5)
    desk.mono_s = 1
    inventory.on_account(desk.account(position_u=9))
    inventory.on_account(older)
    assert inventory.position_u == 9
