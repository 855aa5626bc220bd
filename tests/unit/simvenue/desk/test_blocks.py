"""The block clock: an action waits for its block, and a block's actions act class by class."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simvenue.desk.blocks import CANCELS, POSTS, TAKES, BlockClock, class_of
from simvenue.events import (
    BUY,
    SELL,
    CancelOrders,
    Error,
    Filled,
    ModifyOrders,
    Noop,
    PlaceOrders,
    Reply,
    Request,
    Resting,
    ScheduleCancel,
    Success,
    UpdateLeverage,
)
from simvenue.exchange import LATENCIES, Latency
from tests.unit.simvenue.tape import ANN, BOB, MS, T0, Desk

CLOID = "0x" + "0" * 29 + "a01"


def specs(desk: Desk, *tifs: str) -> tuple[Any, ...]:
    return tuple(desk.spec(BUY, "89999", "0.01", tif) for tif in tifs)


def test_classes_are_alo_only_then_cancels_then_takers() -> None:
    desk = Desk()
    posts: list[Request] = [
        PlaceOrders(ANN, specs(desk, "Alo", "Alo")),
        ModifyOrders(ANN, ((1, specs(desk, "Alo")[0]),)),
        Noop(ANN),
        UpdateLeverage(ANN, 0, True, 5),
        ScheduleCancel(ANN, None),
    ]
    takes: list[Request] = [
        PlaceOrders(ANN, specs(desk, "Alo", "Gtc")),
        PlaceOrders(ANN, specs(desk, "Ioc")),
        ModifyOrders(ANN, ((1, specs(desk, "Gtc")[0]),)),
    ]
    assert {class_of(request) for request in posts} == {POSTS}
    assert class_of(CancelOrders(ANN, ((0, 1),))) == CANCELS
    assert {class_of(request) for request in takes} == {TAKES}
    assert POSTS < CANCELS < TAKES


def test_an_action_waits_for_its_block() -> None:
    desk = Desk(block_ms=80)
    desk.until(10)
    desk.post(Noop(ANN))
    assert desk.exchange.next_t_ns() == T0 + 80 * MS
    (reply,) = [o for o in desk.until(200) if isinstance(o, Reply)]
    assert reply.t_ns == T0 + 80 * MS


def test_latencies_stay_as_named_on_average() -> None:
    """The order latency counts to matching: half a block of it is the wait."""
    clock, latency = BlockClock(80 * MS), 300 * MS
    waits = [clock.block_ns(t + latency - clock.wait_ns) - t for t in range(0, 80 * MS, MS)]
    assert abs(sum(waits) / len(waits) - latency) <= MS
    assert max(waits) - min(waits) < 80 * MS


def test_a_fast_cancel_does_not_wait() -> None:
    desk = Desk(block_ms=80)
    status = desk.place(BUY, "89999", "0.01", cloid=CLOID)
    assert isinstance(status, Resting)
    desk.until(90)
    for fast in (False, True):
        desk.post(CancelOrders(ANN, ((desk.market.asset_id, CLOID),), fast=fast))
    quick, slow = (o for o in desk.until(200) if isinstance(o, Reply))
    assert (quick.t_ns, quick.statuses) == (T0 + 90 * MS, (Success(),))
    assert slow.t_ns == T0 + 160 * MS
    assert isinstance(slow.statuses[0], Error)


def test_a_cancel_saves_its_order_from_takers_of_the_same_block() -> None:
    desk = Desk(block_ms=80)
    desk.place(SELL, "90001", "0.01", cloid=CLOID)
    desk.until(100)
    desk.post(PlaceOrders(BOB, (desk.spec(BUY, "90001", "0.2", "Ioc"),)))
    desk.post(CancelOrders(ANN, ((desk.market.asset_id, CLOID),)))
    cancelled, taken = (o.statuses[0] for o in desk.until(160) if isinstance(o, Reply))
    assert cancelled == Success()
    assert isinstance(taken, Filled)
    assert desk.fills(ANN) == []


def test_posts_come_before_the_cancel_of_what_they_would_cross() -> None:
    """Two makers race for a tick: the one who quotes through a quote being cancelled is refused."""
    desk = Desk(block_ms=80)
    desk.place(BUY, "90000", "0.01", cloid=CLOID)
    desk.until(100)
    desk.post(CancelOrders(ANN, ((desk.market.asset_id, CLOID),)))
    desk.post(PlaceOrders(BOB, (desk.spec(SELL, "90000", "0.01"),)))
    replies = [o for o in desk.until(160) if isinstance(o, Reply)]
    posted, cancelled = (o.statuses[0] for o in replies)
    assert isinstance(posted, Error)
    assert posted.text.startswith("Post only order would have immediately matched")
    assert cancelled == Success()


def test_without_blocks_everything_acts_in_the_order_of_arrival() -> None:
    desk = Desk()
    desk.place(SELL, "90001", "0.01", cloid=CLOID)
    desk.until(100)
    desk.post(PlaceOrders(BOB, (desk.spec(BUY, "90001", "0.2", "Ioc"),)))
    desk.post(CancelOrders(ANN, ((desk.market.asset_id, CLOID),)))
    taken, cancelled = (o.statuses[0] for o in desk.until(100) if isinstance(o, Reply))
    assert isinstance(taken, Filled)
    assert isinstance(cancelled, Error)


@pytest.mark.parametrize("latency", ["zero", "good", "typical", "bad"])
def test_nothing_acts_before_it_was_sent(latency: str) -> None:
    desk = Desk(latency=LATENCIES[latency], block_ms=80)
    desk.until(5)
    desk.post(Noop(ANN))
    (reply,) = [o for o in desk.until(5_000) if isinstance(o, Reply)]
    assert reply.t_ns >= T0 + 5 * MS
    assert reply.t_ns % (80 * MS) == 0


@given(st.integers(0, 10**19), st.integers(1, 10**9))
def test_a_block_is_the_first_whole_multiple_after_arrival(arrives_ns: int, period_ns: int) -> None:
    block = BlockClock(period_ns).block_ns(arrives_ns)
    assert block % period_ns == 0
    assert arrives_ns < block <= arrives_ns + period_ns


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["post", "cancel", "take"])), min_size=1, max_size=25))
def test_a_blocks_actions_act_class_by_class_and_then_as_they_arrived(sent: list[tuple[int, str]]) -> None:
    desk = Desk(latency=Latency(), block_ms=80)
    kinds: dict[int, int] = {}
    for at_ms, kind in sorted(sent, key=lambda row: row[0]):
        desk.until(float(at_ms))
        sends: dict[str, Request] = {
            "post": Noop(ANN),
            "cancel": CancelOrders(ANN, ((desk.market.asset_id, 1),)),
            "take": PlaceOrders(ANN, specs(desk, "Ioc")),
        }
        request = sends[kind]
        kinds[desk.post(request)] = class_of(request)
    desk.until(500)
    replies = desk.of(Reply)
    assert [(o.t_ns, kinds[o.request_id], o.request_id) for o in replies] == sorted(
        (o.t_ns, kinds[o.request_id], o.request_id) for o in replies
    )
    assert len(replies) == len(sent)
