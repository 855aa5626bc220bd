"""What the monitor holds for resting after the executor died: no order whose end nobody could tell."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from common.messages import OrderState, OrderUpdate, Side
from common.orders import STRAY_EPOCH, life_of, make_cloid
from monitor.orders import OrderBoard
from tests.unit.monitor.builders import T0, S, account, order

OLD, NEW = 1_796_057_472, 1_796_057_743
"""Lives of two executors: each begins later than the one before."""


def told(t_ns: int, life: int, n: int, state: OrderState = OrderState.OPEN) -> OrderUpdate:
    return order(t_ns, n, state, cloid=make_cloid(life, 0, Side.BID, n))


def board_of(*updates: OrderUpdate) -> OrderBoard:
    board = OrderBoard()
    for update in updates:
        board.on_order(update)
    return board


def test_first_order_of_a_new_executor_ends_those_that_nobody_told_the_end_of() -> None:
    board = board_of(*[told(T0, OLD, n) for n in range(20)])
    board.on_order(told(T0 + 9 * S, NEW, 1, OrderState.PENDING))
    assert board.open_orders == 1


def test_order_that_the_new_executor_found_counts_until_it_is_cancelled() -> None:
    board = board_of(*[told(T0, OLD, n) for n in range(3)])
    board.on_order(told(T0 + 8 * S, OLD, 2, OrderState.CANCELLING))
    board.on_order(told(T0 + 9 * S, OLD, 2, OrderState.CANCELLED))
    board.on_order(told(T0 + 9 * S, NEW, 1))
    board.on_order(told(T0 + 9 * S, NEW, 2))
    assert board.open_orders == 2


def test_stranger_that_was_taken_in_is_no_new_executor() -> None:
    board = board_of(told(T0, NEW, 1), told(T0, STRAY_EPOCH, 77, OrderState.CANCELLING), told(T0, NEW, 2))
    assert board.open_orders == 3


def test_executor_that_found_nothing_and_places_nothing_leaves_nothing() -> None:
    board = board_of(*[told(T0, OLD, n) for n in range(20)])
    board.on_account(account(T0 + S, open_orders=0, reconciled=False))
    assert board.open_orders == 20
    board.on_account(account(T0 + S, open_orders=0))
    assert board.open_orders == 0


def test_order_placed_after_the_account_was_told_stays() -> None:
    board = board_of(told(T0, OLD, 1), told(T0 + 2 * S, OLD, 2))
    board.on_account(account(T0 + S, open_orders=0))
    assert board.open_orders == 1


def test_account_with_open_orders_ends_none() -> None:
    board = board_of(told(T0, OLD, 1))
    board.on_account(account(T0 + S, open_orders=1))
    assert board.open_orders == 1


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.sampled_from(OrderState)), max_size=60))
def test_only_orders_of_the_newest_life_are_left_whatever_ended_before(news: list[tuple[int, int, OrderState]]) -> None:
    news.sort(key=lambda one: one[0])
    board = board_of(*[told(T0 + i, life, n, state) for i, (life, n, state) in enumerate(news)])
    newest = max((life for life, _, _ in news), default=0)
    last = {n: state for life, n, state in news if life == newest}
    live = sum(state not in (OrderState.CANCELLED, OrderState.FILLED, OrderState.REJECTED) for state in last.values())
    assert board.open_orders == live


def test_life_is_in_the_cloid_and_strangers_have_none() -> None:
    assert life_of(make_cloid(NEW, 3, Side.ASK, 9)) == NEW
    assert [life_of(cloid) for cloid in (None, "0x" + "0" * 32, make_cloid(STRAY_EPOCH, -1, Side.BID, 1))] == [None] * 3
