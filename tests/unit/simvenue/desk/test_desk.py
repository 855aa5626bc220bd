"""The desk's rules that no single order shows: batches, modifies, open-order limits, the time after an upgrade."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simvenue.events import (
    BUY,
    SELL,
    CancelOrders,
    Error,
    ModifyOrders,
    OrderEvent,
    OrderSpec,
    PlaceOrders,
    Resting,
    Success,
)
from tests.unit.simvenue.tape import ANN, BOB, MS, STANDX, T0, Desk

CLOID = "0x" + "0" * 29 + "a01"


# ---------------------------------------------------------------------- batches
@pytest.mark.parametrize(
    ("bad", "text"),
    [
        ({"px": "89999.5"}, "Price must be divisible by tick size."),
        ({"px": "89999.123"}, "Order has invalid price."),
        ({"sz": "0.00001"}, "Order has invalid size."),
        ({"sz": "0"}, "Order has zero size."),
    ],
)
def test_an_order_that_can_never_be_right_refuses_the_whole_batch_with_one_status(
    bad: dict[str, str], text: str
) -> None:
    desk = Desk()
    good, unfit = desk.spec(BUY, "89999", "0.01"), {"px": "89999", "sz": "0.01"} | bad
    reply = desk.ask(PlaceOrders(ANN, (good, desk.spec(BUY, unfit["px"], unfit["sz"]), good)))
    assert reply.statuses == (Error(f"{text} asset=210000"),)
    assert desk.exchange.open_orders(ANN) == []


def test_a_modify_in_bad_form_leaves_every_order_of_its_batch() -> None:
    desk = Desk()
    for px in ("89999", "89998"):
        desk.place(BUY, px, "0.01")
    first, second = (order.oid for order in desk.exchange.open_orders(ANN))
    reply = desk.ask(
        ModifyOrders(ANN, ((first, desk.spec(BUY, "89997", "0.01")), (second, desk.spec(BUY, "1.234", "0.01"))))
    )
    assert len(reply.statuses) == 1
    assert [o.oid for o in desk.exchange.open_orders(ANN)] == [first, second]


def test_a_refused_form_uses_no_order_number_and_a_refused_order_does() -> None:
    """As read from the venue's blocks: rejected orders take numbers, malformed ones do not."""
    desk = Desk()
    before = desk.place(BUY, "89999", "0.01")
    desk.place(BUY, "89999.5", "0.01")
    desk.place(BUY, "90001", "0.01")  # post-only would match
    after = desk.place(BUY, "89998", "0.01")
    assert isinstance(before, Resting)
    assert isinstance(after, Resting)
    assert after.oid == before.oid + 2


# ---------------------------------------------------------------------- modify
def test_a_single_modify_says_that_the_new_order_failed() -> None:
    desk = Desk()
    desk.place(BUY, "90000", "0.01", cloid=CLOID)
    reply = desk.ask(ModifyOrders(ANN, ((CLOID, desk.spec(BUY, "90001", "0.01")),), single=True))
    (status,) = reply.statuses
    assert isinstance(status, Error)
    assert status.text.startswith(
        "Error placing new order during modify: Post only order would have immediately matched, bbo was 90000@90001."
    )
    assert desk.exchange.open_orders(ANN) == []


@pytest.mark.parametrize("always", [False, True])
def test_a_modify_of_a_gone_order_places_the_new_one_only_when_asked_to(always: bool) -> None:
    desk = Desk()
    request = ModifyOrders(ANN, ((CLOID, desk.spec(BUY, "89999", "0.01")),), always_place=always)
    (status,) = desk.ask(request).statuses
    assert isinstance(status, Resting) is always
    assert desk.exchange.open_order_count(ANN) == int(always)


# ---------------------------------------------------------------------- open orders
def fill_up(desk: Desk, count: int, who: str = ANN) -> None:
    spec = desk.spec(BUY, "60000", "0.0002")
    reply = desk.ask(PlaceOrders(who, (spec,) * count))
    assert all(isinstance(status, Resting) for status in reply.statuses)


def test_the_thousand_and_first_open_order_is_refused() -> None:
    desk = Desk(usd=1_000_000)
    fill_up(desk, 1_000)
    assert desk.place(BUY, "60000", "0.0002") == Error("Too many open orders. asset=210000")
    assert desk.of(OrderEvent)[-1].status == "tooManyOpenOrdersRejected"
    assert isinstance(desk.place(BUY, "60000", "0.0002", who=BOB), Resting)


def test_volume_earns_open_orders_but_no_reduce_only_ones() -> None:
    desk = Desk(usd=1_000_000)
    desk.place(BUY, "90001", "0.01", "Ioc")
    desk.exchange._clearing.accounts._credit_e6[ANN] = 5_000_000 * 10**6
    fill_up(desk, 1_000)
    too_many = Error("Too many open orders. asset=210000")
    assert desk.place(SELL, "90002", "0.001", reduce=True) == too_many
    assert isinstance(desk.place(BUY, "60000", "0.0002"), Resting)
    assert desk.place(BUY, "60000", "0.0002") == too_many


def test_a_full_account_may_still_take_cancel_and_modify() -> None:
    desk = Desk(usd=1_000_000)
    fill_up(desk, 1_000)
    assert not isinstance(desk.place(BUY, "90001", "0.01", "Ioc"), Error)
    oid = desk.exchange.open_orders(ANN)[0].oid
    assert isinstance(desk.modify(oid, BUY, "60001", "0.0002"), Resting)
    oid = desk.exchange.open_orders(ANN)[0].oid
    assert desk.ask(CancelOrders(ANN, ((210000, oid),))).statuses == (Success(),)


# ---------------------------------------------------------------------- after an upgrade
@pytest.mark.parametrize("tif", ["Gtc", "Ioc"])
def test_after_an_upgrade_only_post_only_orders_are_taken(tif: str) -> None:
    desk = Desk()
    desk.exchange.allow_post_only_until(T0 + 1_000 * MS)
    text = "Only post-only orders allowed immediately after a network upgrade asset=210000"
    assert desk.place(BUY, "90001", "0.01", tif) == Error(text)
    assert isinstance(desk.place(BUY, "89999", "0.01"), Resting)
    oid = desk.exchange.open_orders(ANN)[0].oid
    assert desk.modify(oid, BUY, "90001", "0.01", tif) == Error(text)
    assert desk.exchange.open_order_count(ANN) == 1  # the old order stays
    desk.until(1_000)
    assert not isinstance(desk.place(BUY, "90001", "0.01", tif), Error)


def test_an_unfit_order_is_named_before_the_upgrade() -> None:
    desk = Desk()
    desk.exchange.allow_post_only_until(T0 + 1_000 * MS)
    status = desk.place(BUY, "90001.5", "0.01", "Ioc")
    assert isinstance(status, Error)
    assert status.text.startswith("Price must be divisible")


def test_an_order_above_the_largest_value_is_refused() -> None:
    desk = Desk()
    request = PlaceOrders(ANN, (OrderSpec(210000, True, "89999", "600", False, "Alo"),))
    (status,) = desk.ask(request).statuses
    assert status == Error("Order exceeds the maximum notional. asset=210000")


# ---------------------------------------------------------------------- open interest
def test_at_the_cap_of_open_interest_nobody_adds_or_turns_over() -> None:
    market = replace(STANDX, oi_cap_usd=900)
    desk = Desk(market=market)
    desk.place(BUY, "90001", "0.005", "Ioc")
    desk.until(3_000)
    assert isinstance(desk.place(BUY, "89999", "0.001"), Resting)  # 450 of 900
    desk.place(BUY, "90001", "0.005", "Ioc", who=BOB)
    text = "Order would increase open interest while open interest is capped asset=210000"
    assert desk.place(BUY, "89998", "0.001") == Error(text)
    assert desk.of(OrderEvent)[-1].status == "positionIncreaseAtOpenInterestCapRejected"
    assert desk.place(SELL, "90002", "0.006") == Error(text)
    assert desk.of(OrderEvent)[-1].status == "positionFlipAtOpenInterestCapRejected"
    assert isinstance(desk.place(SELL, "90002", "0.005"), Resting)
