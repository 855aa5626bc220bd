"""What of the published book is ours, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from common.messages import OrderState, OrderUpdate, Side
from quoter.own import OwnOrders
from tests.unit.quoter.builders import COIN, NS, PX, T0


def update(state: OrderState, px_u: int = PX, at_s: float = 0.0, n: int = 1, **changes: Any) -> OrderUpdate:
    fields: dict[str, Any] = {
        "coin": COIN, "cloid": f"0xa500{n:028x}", "oid": n, "side": Side.BID, "px_u": px_u, "sz_u": 100,
        "filled_u": 0, "state": state, "reason": "",
    }  # fmt: skip
    return OrderUpdate(T0 + round(at_s * NS), **{**fields, **changes})


def told(*updates: OrderUpdate) -> OwnOrders:
    own = OwnOrders()
    for item in updates:
        own.on_update(item)
    return own


def bids(own: OwnOrders, at_s: float = 100.0) -> dict[int, int]:
    return dict(own.sizes(Side.BID, T0 + round(at_s * NS)))


@pytest.mark.parametrize("state", [OrderState.PENDING, OrderState.OPEN, OrderState.CANCELLING, OrderState.UNKNOWN])
def test_an_order_counts_as_long_as_it_may_rest(state: OrderState) -> None:
    assert bids(told(update(state))) == {PX: 100}


def test_sizes_at_one_price_add_up_and_sides_stay_apart() -> None:
    own = told(update(OrderState.OPEN), update(OrderState.OPEN, n=2), update(OrderState.OPEN, n=3, side=Side.ASK))
    assert bids(own) == {PX: 200}
    assert own.sizes(Side.ASK, T0) == {PX: 100}


def test_a_partial_fill_leaves_the_rest() -> None:
    assert bids(told(update(OrderState.OPEN), update(OrderState.OPEN, filled_u=40))) == {PX: 60}


@pytest.mark.parametrize("end", [OrderState.CANCELLED, OrderState.FILLED, OrderState.REJECTED])
def test_an_ended_order_is_looked_for_until_a_newer_book_has_come(end: OrderState) -> None:
    own = told(update(OrderState.OPEN), update(end, at_s=5))
    assert bids(own, 4.9) == {PX: 100}
    assert bids(own, 5.1) == {}
    assert bids(own, 0) == {}


def test_a_moving_order_may_be_at_either_price_until_it_is_known_to_rest() -> None:
    own = told(update(OrderState.OPEN), update(OrderState.MOVING, px_u=PX - 10, at_s=1))
    assert bids(own) == {PX: 100, PX - 10: 100}
    own.on_update(update(OrderState.OPEN, px_u=PX - 10, at_s=2))
    assert bids(own, 1.9) == {PX: 100, PX - 10: 100}
    assert bids(own, 2.1) == {PX - 10: 100}


def test_news_said_twice_counts_once() -> None:
    assert bids(told(update(OrderState.OPEN), update(OrderState.OPEN))) == {PX: 100}


def test_a_fully_filled_size_is_gone_whatever_the_state_says() -> None:
    assert bids(told(update(OrderState.OPEN, filled_u=100))) == {}
