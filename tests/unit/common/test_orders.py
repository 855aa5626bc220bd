"""The order state machine: whatever order the news come in, the end is the same and no fill is lost."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import OurFault
from common.messages import Fill, Liquidity, OrderState, Side
from common.orders import ENDED, LIVE, TABLE, Order, OrderTable, Said, is_ours, level_of, make_cloid, status_state
from tests.support.shared import shared

CLOID = make_cloid(7, 3, Side.BID, 1)
COIN = "km:US500"


def a_fill(oid: int, sz_u: int, tid: int, *, cloid: str = CLOID) -> Fill:
    return Fill(5, COIN, 5, tid, oid, cloid, Side.BID, 75_000, sz_u, 10, Liquidity.MAKER, 0)


def a_table(*, sz_u: int = 100, ioc: bool = False) -> OrderTable:
    table = OrderTable(COIN)
    table.place(1, CLOID, Side.BID, 75_000, sz_u, ioc=ioc)
    return table


def an_open(oid: int = 11, sz_u: int = 100) -> OrderTable:
    table = a_table(sz_u=sz_u)
    table.hear(2, CLOID, Said.PLACED, oid=oid)
    return table


def the_order(table: OrderTable) -> Order:
    return table.orders[CLOID]


# ---------------------------------------------------------------------- the table itself
def test_every_state_has_a_row_and_no_end_leads_back_to_resting() -> None:
    assert set(TABLE) == set(OrderState) == LIVE | ENDED
    assert TABLE[OrderState.FILLED] == {}
    for end in ENDED:
        assert OrderState.OPEN not in TABLE[end].values()
        assert OrderState.PENDING not in TABLE[end].values()


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("open", OrderState.OPEN),
        ("triggered", OrderState.OPEN),
        ("filled", OrderState.FILLED),
        ("canceled", OrderState.CANCELLED),
        ("scheduledCancel", OrderState.CANCELLED),
        ("internalCancel", OrderState.CANCELLED),
        ("somethingNewCanceled", OrderState.CANCELLED),
        ("rejected", OrderState.REJECTED),
        ("badAloPxRejected", OrderState.REJECTED),
        ("somethingNewRejected", OrderState.REJECTED),
        ("meditating", OrderState.UNKNOWN),
        ("", OrderState.UNKNOWN),
    ],
)
def test_every_status_string_has_a_meaning(status: str, state: OrderState) -> None:
    assert status_state(status) is state


def test_all_statuses_of_the_captures_are_understood() -> None:
    rows = json.loads(shared("fixtures/hyperliquid/rest_open_order_duplicate_history.json").read_text())
    assert {status_state(row["status"]) for row in rows} == {OrderState.CANCELLED, OrderState.OPEN}


# ---------------------------------------------------------------------- single paths
def test_a_resting_reply_opens_the_order() -> None:
    table = an_open()
    assert the_order(table).state is OrderState.OPEN
    assert the_order(table).oid == 11


def test_a_refusal_ends_it() -> None:
    table = a_table()
    update = table.hear(2, CLOID, Said.PLACE_REFUSED, reason="Post only order would have immediately matched")
    assert update is not None
    assert update.state is OrderState.REJECTED
    assert update.reason.startswith("Post only")
    assert table.exposure_u(Side.BID) == 0


def test_a_timeout_is_unknown_and_counts_as_exposure() -> None:
    table = a_table()
    table.hear(2, CLOID, Said.TIMEOUT)
    assert the_order(table).state is OrderState.UNKNOWN
    assert table.exposure_u(Side.BID) == 100
    assert table.worst_case_u(Side.BID, -30) == 70
    assert table.worst_case_u(Side.ASK, -30) == 30


def test_a_late_reply_resolves_an_unknown_placement() -> None:
    table = a_table()
    table.hear(2, CLOID, Said.TIMEOUT)
    table.hear(3, CLOID, Said.PLACED, oid=11)
    assert the_order(table).state is OrderState.OPEN


def test_a_resting_reply_without_an_oid_proves_nothing() -> None:
    table = a_table()
    table.hear(2, CLOID, Said.PLACED, oid=0)
    assert the_order(table).state is OrderState.UNKNOWN


def test_not_found_ends_an_order_nobody_ever_saw() -> None:
    table = a_table()
    table.hear(2, CLOID, Said.TIMEOUT)
    update = table.hear(3, CLOID, Said.NOT_FOUND)
    assert update is not None
    assert (update.state, update.reason) == (OrderState.REJECTED, "never_placed")


def test_not_found_never_ends_an_order_that_was_seen() -> None:
    table = an_open()
    table.cancel(3, CLOID)
    table.hear(4, CLOID, Said.TIMEOUT)
    table.hear(5, CLOID, Said.NOT_FOUND)
    assert the_order(table).state is OrderState.UNKNOWN
    assert table.faults == {"not_found_but_known": 1}


def test_an_order_that_shows_up_after_not_found_counts_again() -> None:
    table = a_table()
    table.hear(2, CLOID, Said.NOT_FOUND)
    table.hear(3, CLOID, Said.STATUS, oid=11, status="open")
    assert the_order(table).state is OrderState.OPEN
    assert table.faults == {"revived": 1}


def test_an_order_that_rests_although_it_was_refused_must_be_asked_about() -> None:
    table = a_table()
    table.hear(2, CLOID, Said.PLACE_REFUSED)
    table.hear(3, CLOID, Said.STATUS, oid=11, status="open")
    assert the_order(table).state is OrderState.UNKNOWN


def test_an_immediate_fill_ends_an_ioc_and_cancels_its_rest() -> None:
    table = a_table(ioc=True)
    table.hear(2, CLOID, Said.PLACE_FILLED, oid=11, filled_u=40)
    assert (the_order(table).state, the_order(table).filled_u) == (OrderState.CANCELLED, 40)
    whole = a_table()
    whole.hear(2, CLOID, Said.PLACE_FILLED, oid=11, filled_u=100)
    assert the_order(whole).state is OrderState.FILLED
    resting = a_table()
    resting.hear(2, CLOID, Said.PLACE_FILLED, oid=11, filled_u=40)
    assert the_order(resting).state is OrderState.UNKNOWN


def test_a_cancel_refused_leaves_the_order_unknown_until_the_venue_is_asked() -> None:
    table = an_open()
    table.cancel(3, CLOID)
    table.hear(4, CLOID, Said.CANCEL_REFUSED, reason="Order was never placed, already canceled, or filled.")
    assert the_order(table).state is OrderState.UNKNOWN
    table.hear(5, CLOID, Said.FOUND, oid=11, status="open", px_u=75_000, sz_u=100, filled_u=20)
    assert (the_order(table).state, the_order(table).remaining_u) == (OrderState.OPEN, 80)


def test_a_late_open_does_not_resolve_a_doubtful_cancel() -> None:
    table = an_open()
    table.cancel(3, CLOID)
    table.hear(4, CLOID, Said.TIMEOUT)
    table.hear(5, CLOID, Said.STATUS, oid=11, status="open")
    assert the_order(table).state is OrderState.UNKNOWN


def test_a_cancelled_order_stays_cancelled_when_open_comes_late() -> None:
    table = an_open()
    table.hear(3, CLOID, Said.STATUS, oid=11, status="selfTradeCanceled")
    assert table.hear(4, CLOID, Said.STATUS, oid=11, status="open") is None
    assert the_order(table).state is OrderState.CANCELLED


def test_a_cancel_before_the_placement_was_answered_is_remembered() -> None:
    table = a_table()
    table.cancel(2, CLOID)
    table.hear(3, CLOID, Said.PLACED, oid=11)
    assert the_order(table).state is OrderState.CANCELLING
    table.hear(4, CLOID, Said.CANCELLED)
    assert the_order(table).state is OrderState.CANCELLED
    assert table.cancel(5, CLOID) is None


# ---------------------------------------------------------------------- modify
def a_moving(new_sz_u: int = 60) -> OrderTable:
    table = an_open()
    table.move(3, CLOID, 74_990, new_sz_u)
    return table


def test_a_modify_counts_the_larger_size_until_it_is_answered() -> None:
    assert a_moving(60).exposure_u(Side.BID) == 100
    assert a_moving(160).exposure_u(Side.BID) == 160
    table = a_moving(160)
    table.hear(4, CLOID, Said.MOVED, oid=12)
    order = the_order(table)
    assert (order.state, order.oid, order.px_u, order.sz_u) == (OrderState.OPEN, 12, 74_990, 160)


def test_the_old_incarnations_end_is_not_the_orders_end() -> None:
    table = a_moving()
    table.hear(4, CLOID, Said.STATUS, oid=11, status="canceled")
    assert the_order(table).state is OrderState.MOVING
    table.hear(5, CLOID, Said.STATUS, oid=12, status="open")
    assert the_order(table).state is OrderState.OPEN
    table.hear(6, CLOID, Said.STATUS, oid=11, status="canceled")
    assert the_order(table).state is OrderState.OPEN


def test_a_fill_of_the_new_incarnation_may_come_first() -> None:
    table = a_moving()
    table.fill(a_fill(12, 60, 1))
    assert (the_order(table).state, the_order(table).oid) == (OrderState.FILLED, 12)
    table.hear(5, CLOID, Said.MOVED, oid=12)
    table.hear(6, CLOID, Said.STATUS, oid=11, status="canceled")
    assert the_order(table).state is OrderState.FILLED


def test_a_refused_modify_must_be_asked_about_unless_the_old_end_is_known() -> None:
    table = a_moving()
    table.hear(4, CLOID, Said.MOVE_REFUSED)
    assert the_order(table).state is OrderState.UNKNOWN
    table.hear(5, CLOID, Said.STATUS, oid=11, status="canceled")
    assert the_order(table).state is OrderState.CANCELLED
    other = a_moving()
    other.hear(4, CLOID, Said.STATUS, oid=11, status="canceled")
    other.hear(5, CLOID, Said.MOVE_REFUSED)
    assert the_order(other).state is OrderState.CANCELLED


def test_a_refused_replacement_is_not_taken_for_the_order() -> None:
    table = a_moving()
    table.hear(4, CLOID, Said.STATUS, oid=12, status="badAloPxRejected")
    order = the_order(table)
    assert (order.state, order.oid, order.sz_u) == (OrderState.UNKNOWN, 11, 100)
    table.hear(5, CLOID, Said.FOUND, oid=11, status="open", px_u=75_000, sz_u=100)
    assert the_order(table).state is OrderState.OPEN


def test_a_timed_out_modify_is_resolved_by_asking() -> None:
    landed = a_moving()
    landed.hear(4, CLOID, Said.TIMEOUT)
    landed.hear(5, CLOID, Said.STATUS, oid=11, status="canceled")
    assert the_order(landed).state is OrderState.UNKNOWN, "cancelled by the modify or by the venue: nobody knows"
    landed.hear(6, CLOID, Said.FOUND, oid=12, status="open", px_u=74_990, sz_u=60)
    assert (the_order(landed).state, the_order(landed).oid, the_order(landed).sz_u) == (OrderState.OPEN, 12, 60)
    lost = a_moving()
    lost.hear(4, CLOID, Said.TIMEOUT)
    lost.hear(6, CLOID, Said.FOUND, oid=11, status="canceled")
    assert the_order(lost).state is OrderState.CANCELLED


def test_only_an_open_order_with_a_known_oid_may_be_moved() -> None:
    with pytest.raises(OurFault):
        a_table().move(2, CLOID, 1, 1)
    with pytest.raises(OurFault):
        a_moving().move(4, CLOID, 1, 1)
    with pytest.raises(OurFault):
        a_table().move(2, make_cloid(7, 3, Side.BID, 99), 1, 1)


# ---------------------------------------------------------------------- fills
def test_a_fill_counts_once_and_completes_the_order() -> None:
    table = an_open()
    assert table.fill(a_fill(11, 40, 1)) is not None
    assert table.fill(a_fill(11, 40, 1)) is None
    assert (the_order(table).filled_u, the_order(table).state) == (40, OrderState.OPEN)
    table.fill(a_fill(11, 60, 2))
    assert the_order(table).state is OrderState.FILLED
    assert table.faults == {}


def test_a_fill_beyond_the_size_is_a_fault_and_is_kept() -> None:
    table = an_open()
    table.fill(a_fill(11, 130, 1))
    order = the_order(table)
    assert (order.state, order.filled_u, order.total_filled_u) == (OrderState.FILLED, 130, 130)
    assert table.faults == {"overfilled": 1}
    assert order.remaining_u == 0


def test_a_late_fill_of_a_cancelled_order_is_counted() -> None:
    table = an_open()
    table.hear(3, CLOID, Said.STATUS, oid=11, status="canceled")
    update = table.fill(a_fill(11, 40, 1))
    assert update is not None
    assert (update.state, update.filled_u) == (OrderState.CANCELLED, 40)


def test_a_fill_is_found_by_oid_when_the_venue_leaves_the_cloid_out() -> None:
    table = an_open()
    assert table.fill(a_fill(11, 40, 1, cloid="")) is not None
    assert table.fill(a_fill(99, 40, 2, cloid="")) is None
    assert table.strangers == 1
    assert table.find(11) is the_order(table)
    assert table.find(99) is None


def test_a_fill_after_a_refusal_is_a_fault_and_must_be_asked_about() -> None:
    table = a_table()
    table.hear(2, CLOID, Said.PLACE_REFUSED)
    table.fill(a_fill(11, 40, 1))
    assert the_order(table).state is OrderState.UNKNOWN
    assert table.faults["fill_after_reject"] == 1


# ---------------------------------------------------------------------- keeping
def test_adopted_orders_are_unknown_until_proven() -> None:
    table = OrderTable(COIN)
    table.adopt(1, CLOID, Side.ASK, 75_000, 10)
    table.adopt(1, make_cloid(7, 4, Side.ASK, 2), Side.ASK, 75_100, 5, oid=21, state=OrderState.OPEN)
    assert table.exposure_u(Side.ASK) == 15
    assert len(table.live()) == 2
    table.hear(2, CLOID, Said.FOUND, oid=20, status="filled")
    assert the_order(table).state is OrderState.FILLED
    assert table.find(21) is not None


def test_ended_orders_are_forgotten_and_their_late_news_are_strangers() -> None:
    table = an_open()
    table.hear(3, CLOID, Said.STATUS, oid=11, status="canceled")
    assert table.forget(3) == 0
    assert table.forget(4) == 1
    assert table.hear(5, CLOID, Said.STATUS, oid=11, status="canceled") is None
    assert table.strangers == 1
    assert list(table) == []


def test_a_cloid_is_never_used_twice() -> None:
    with pytest.raises(OurFault):
        a_table().place(2, CLOID, Side.BID, 1, 1)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(-1, 31),
    st.sampled_from(list(Side)),
    st.integers(0, 2**64 - 1),
)
def test_a_cloid_tells_its_level(epoch: int, level: int, side: Side, counter: int) -> None:
    cloid = make_cloid(epoch, level, side, counter)
    assert len(cloid) == 34
    assert is_ours(cloid)
    assert level_of(cloid) == level


def test_strange_cloids_have_no_level() -> None:
    assert level_of("0x00000000000000000000000000000a01") == -1
    assert level_of("") == level_of(None) == -1
    assert not is_ours(None)
    with pytest.raises(OurFault):
        make_cloid(2**32, 0, Side.BID, 0)


# ---------------------------------------------------------------------- every interleaving
News = Callable[[OrderTable], object]


def said(what: Said, oid: int = 0, status: str = "") -> News:
    return lambda table: table.hear(9, CLOID, what, oid=oid, status=status)


def filled(oid: int, sz_u: int, tid: int) -> News:
    return lambda table: table.fill(a_fill(oid, sz_u, tid))


def split(rng: random.Random, oid: int, total_u: int) -> list[News]:
    """Fills of one incarnation that add up to `total_u`."""
    parts: list[int] = []
    while total_u > 0:
        parts.append(rng.randint(1, total_u))
        total_u -= parts[-1]
    return [filled(oid, sz_u, 1000 * oid + i) for i, sz_u in enumerate(parts)]


def a_life(rng: random.Random) -> tuple[OrderTable, list[News], list[News], OrderState | None, int]:
    """A table after our requests, the replies (once each), the streams' news (repeatable), the end, all fills."""
    sz_u, moved_sz_u = 100, rng.choice([60, 100, 140])
    moves, cancels = rng.random() < 0.6, rng.random() < 0.5
    table = an_open() if moves else a_table()
    replies = [] if moves else [said(rng.choice([Said.PLACED, Said.TIMEOUT]), 11)]
    stream = [said(Said.STATUS, 11, "open")]
    last_oid, size_u, total_u = 11, sz_u, 0
    if moves:
        table.move(3, CLOID, 74_990, moved_sz_u)
        early_u = rng.randint(0, sz_u - 1)
        stream += split(rng, 11, early_u)
        stream += [said(Said.STATUS, 11, "canceled"), said(Said.STATUS, 12, "open")]
        replies.append(said(rng.choice([Said.MOVED, Said.TIMEOUT]), 12))
        last_oid, size_u, total_u = 12, moved_sz_u, early_u
    if cancels:
        table.cancel(4, CLOID)
    end = rng.choice(["filled", "canceled", "rest"])
    if end == "filled":
        stream += [*split(rng, last_oid, size_u), said(Said.STATUS, last_oid, "filled")]
        replies += [said(Said.CANCEL_REFUSED)] if cancels else []
        return table, replies, stream, OrderState.FILLED, total_u + size_u
    part_u = rng.randint(0, size_u - 1)
    stream += split(rng, last_oid, part_u)
    if end == "canceled" or cancels:
        stream.append(said(Said.STATUS, last_oid, "canceled"))
        replies += [said(rng.choice([Said.CANCELLED, Said.TIMEOUT]))] if cancels else []
        return table, replies, stream, OrderState.CANCELLED, total_u + part_u
    return table, replies, stream, None, total_u + part_u


@settings(max_examples=1500, deadline=None)
@given(st.integers(0, 2**48))
def test_any_interleaving_and_duplication_ends_alike_and_loses_no_fill(seed: int) -> None:
    rng = random.Random(seed)
    table, replies, stream, end, total_u = a_life(rng)
    news = [*replies, *stream, *(one for one in stream if rng.random() < 0.5)]
    rng.shuffle(news)
    for one in news:
        one(table)
        order = the_order(table)
        assert order.state in ENDED or order.exposure_u >= order.remaining_u
    order = the_order(table)
    assert order.total_filled_u == total_u
    if end is not None:
        assert order.state is end
        assert table.exposure_u(Side.BID) == 0
    else:
        assert order.state in (OrderState.OPEN, OrderState.UNKNOWN, OrderState.MOVING)
        table.hear(10, CLOID, Said.FOUND, oid=max(order.oids), status="open")
        assert order.state in (OrderState.OPEN, OrderState.MOVING)
    assert "overfilled" not in table.faults


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**48))
def test_a_live_order_at_the_venue_is_never_taken_for_ended(seed: int) -> None:
    """P15: news that are all true never end an order that rests."""
    rng = random.Random(seed)
    while True:
        table, replies, stream, end, _ = a_life(rng)
        if end is None:
            break
    news = [*replies, *stream, *stream]
    rng.shuffle(news)
    for one in news:
        one(table)
        assert the_order(table).live
        assert table.exposure_u(Side.BID) > 0


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Said)),
            st.integers(0, 3),
            st.sampled_from(["open", "filled", "canceled", "xRejected", "strange"]),
            st.integers(0, 200),
        ),
        max_size=25,
    )
)
def test_no_news_however_absurd_raise_or_make_exposure_negative(news: list) -> None:
    table = a_table()
    for what, oid, status, filled_u in news:
        table.hear(2, CLOID, what, oid=oid, status=status, filled_u=filled_u)
        assert table.exposure_u(Side.BID) >= 0
        if the_order(table).live and the_order(table).filled_u == 0:
            assert table.exposure_u(Side.BID) >= the_order(table).sz_u
