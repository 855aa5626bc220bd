"""The venue's core as its clients meet it: when things happen, what is refused, what is said."""

from __future__ import annotations

import pytest

from common.errors import OurFault
from simvenue.desk.refusals import CROSS_LEVERAGE_MARGIN
from simvenue.events import (
    BUY,
    SELL,
    Bbo,
    Book,
    CancelOrders,
    Context,
    Error,
    Filled,
    Noop,
    OrderEvent,
    PlaceOrders,
    Reply,
    Resting,
    Success,
    Trade,
    UserFill,
)
from simvenue.exchange import HOUSE, LATENCIES, Exchange, Latency
from simvenue.money.fees import FeeProfile
from simvenue.source import ASK_LEVEL, BID_LEVEL, BUY_PRINT, SELL_PRINT
from tests.unit.simvenue.tape import ANN, BOB, MS, STANDX, T0, Desk, S, Tape, a_book, is_zero

CLOID = "0x" + "0" * 29 + "a01"


# ---------------------------------------------------------------------- time
def test_a_request_acts_when_it_arrives_and_is_answered_later() -> None:
    desk = Desk(latency=LATENCIES["typical"])
    desk.exchange.submit(T0, 7, PlaceOrders(ANN, (desk.spec(BUY, "89999", "0.01"),)))
    assert not [o for o in desk.until(299) if isinstance(o, Reply)]
    (reply,) = [o for o in desk.until(300) if isinstance(o, Reply)]
    assert (reply.t_ns, reply.deliver_t_ns, reply.request_id) == (T0 + 300 * MS, T0 + 400 * MS, 7)
    assert isinstance(reply.statuses[0], Resting)


def test_a_request_never_acts_in_the_past() -> None:
    desk = Desk()
    desk.until(500)
    desk.exchange.submit(T0, 1, Noop(ANN))
    (reply,) = [o for o in desk.until(500) if isinstance(o, Reply)]
    assert reply.t_ns == T0 + 500 * MS
    assert reply.statuses == ()


def test_market_data_of_an_instant_comes_before_the_requests_of_that_instant() -> None:
    desk = Desk((100, [(ASK_LEVEL, 9_000_000, 500)]), first=a_book(bid=8_999_000))
    desk.exchange.submit(T0 + 100 * MS, 1, PlaceOrders(ANN, (desk.spec(BUY, "90000", "0.01"),)))
    desk.until(100)
    (reply,) = desk.of(Reply)
    assert isinstance(reply.statuses[0], Error)


def test_outputs_come_in_venue_time_order_with_their_delivery() -> None:
    desk = Desk((250, [(BID_LEVEL, 9_000_000, 900)]), latency=LATENCIES["good"])
    desk.until(6_000)
    times = [o.t_ns for o in desk.outputs]
    assert times == sorted(times)
    assert {o.deliver_t_ns - o.t_ns for o in desk.outputs} == {50 * MS}


def test_snapshots_and_contexts_keep_their_cadence() -> None:
    desk = Desk()
    desk.until(10_000)
    fast = [o for o in desk.of(Book) if o.fast]
    slow = [o for o in desk.of(Book) if not o.fast]
    assert [len(fast), len(slow), len(desk.of(Context))] == [21, 3, 4]
    assert [len(fast[0].bids), len(slow[0].bids)] == [5, 5]


def test_a_touch_is_told_only_when_it_changed() -> None:
    desk = Desk(
        (10, [(BID_LEVEL, 8_999_800, 7)]), (20, [(BID_LEVEL, 9_000_000, 900)]), (30, [(BID_LEVEL, 9_000_000, 900)])
    )
    desk.until(40)
    assert [(b.t_ns - T0) // MS for b in desk.of(Bbo)] == [0, 20]
    assert desk.of(Bbo)[-1].bid == (9_000_000, 900, 1)


def test_all_rows_of_a_stamp_are_one_change() -> None:
    """The touch moves down within a stamp: nobody sees the state between."""
    rows = [(BID_LEVEL, 9_000_000, 0), (ASK_LEVEL, 9_000_000, 50), (BID_LEVEL, 8_999_900, 1_000)]
    desk = Desk((10, rows))
    assert [(o.bid, o.ask) for o in desk.until(10) if isinstance(o, Bbo)] == [
        ((8_999_900, 1_000, 1), (9_000_000, 50, 1))
    ]


def test_the_clock_goes_on_when_the_recording_ends() -> None:
    desk = Desk()
    assert desk.exchange.ended
    assert desk.exchange.next_t_ns() == T0 + 500 * MS
    assert [type(o) for o in desk.until(500)] == [Book]


# ---------------------------------------------------------------------- the published book
def test_our_orders_are_in_the_published_book_with_their_count() -> None:
    desk = Desk()
    desk.place(BUY, "90000", "0.02")
    desk.place(BUY, "90000", "0.03", who=BOB)
    book = desk.exchange.snapshot("sx:BTC")
    assert book.bids[0] == (9_000_000, 1_500, 3)
    assert desk.of(Bbo)[-1].bid == (9_000_000, 1_500, 3)


def test_a_price_between_the_levels_becomes_the_touch() -> None:
    desk = Desk(first=a_book(ask=9_000_300))
    desk.place(SELL, "90002", "0.01")
    assert desk.exchange.snapshot("sx:BTC", 2).asks == ((9_000_200, 100, 1), (9_000_300, 1_000, 1))


# ---------------------------------------------------------------------- resting orders and statuses
def test_a_resting_order_is_told_filled_and_kept() -> None:
    desk = Desk((10, [(SELL_PRINT, 8_999_900, 2_000), (BID_LEVEL, 9_000_000, 0)]))
    status = desk.place(BUY, "90000", "0.01", cloid=CLOID)
    assert isinstance(status, Resting)
    assert status.cloid == CLOID
    desk.until(10)
    assert [e.status for e in desk.of(OrderEvent)] == ["open", "filled"]
    state = desk.exchange.order_status(ANN, CLOID)
    assert state is not None
    assert (state.status, state.order.sz_u, state.order.orig_sz_u, state.status_t_ns) == (
        "filled",
        0,
        100,
        T0 + 10 * MS,
    )
    assert desk.exchange.order_status(BOB, status.oid) is None
    assert desk.exchange.open_orders(ANN) == []


def test_a_maker_fill_carries_the_venues_fields() -> None:
    desk = Desk((10, [(SELL_PRINT, 8_999_900, 2_000)]))
    desk.place(BUY, "90000", "0.01")
    desk.until(10)
    (fill,) = desk.fills()
    assert (fill.side, fill.px_u, fill.sz_u, fill.crossed, fill.fee_token) == (BUY, 9_000_000, 100, False, "USDC")
    assert fill.fee_e8 == 2_700_000  # 900 USD at 0.30 bps
    assert (fill.direction, fill.start_position_u, fill.closed_pnl_e8) == ("Open Long", 0, 0)
    trades = desk.of(Trade)
    assert [(t.px_u, t.sz_u, t.side, t.buyer) for t in trades] == [
        (9_000_000, 100, SELL, ANN),
        (8_999_900, 1_900, SELL, HOUSE),
    ]
    assert trades[0].tid == fill.tid


def test_a_taker_fill_is_crossed_and_costs_the_taker_rate() -> None:
    desk = Desk()
    status = desk.place(BUY, "90002", "0.15", "Ioc")
    assert status == Filled(status.oid, None, 1_500, "90001.33")  # type: ignore[union-attr]
    assert [(f.px_u, f.sz_u, f.crossed, f.fee_e8) for f in desk.fills()] == [
        (9_000_100, 1_000, True, 81_000_900),
        (9_000_200, 500, True, 40_500_900),
    ]
    assert desk.exchange.source_levels("sx:BTC", SELL)[0] == (9_000_200, 500)


def test_an_ioc_that_finds_nothing_is_refused() -> None:
    desk = Desk()
    status = desk.place(BUY, "90000", "0.01", "Ioc")
    assert status == Error("Order could not immediately match against any resting orders. asset=210000")
    assert desk.of(OrderEvent)[-1].status == "iocCancelRejected"


def test_what_an_ioc_does_not_get_is_cancelled() -> None:
    desk = Desk()
    status = desk.place(SELL, "90000", "0.15", "Ioc")
    assert isinstance(status, Filled)
    assert status.total_sz_u == 1_000
    assert desk.of(OrderEvent)[-1].status == "canceled"
    assert desk.exchange.open_orders(ANN) == []


def test_the_rest_of_a_crossing_gtc_rests() -> None:
    desk = Desk()
    status = desk.place(BUY, "90001", "0.15", "Gtc")
    assert isinstance(status, Filled)
    assert status.total_sz_u == 1_000
    (order,) = desk.exchange.open_orders(ANN)
    assert (order.sz_u, order.orig_sz_u, order.px_u) == (500, 1_500, 9_000_100)
    assert desk.exchange.snapshot("sx:BTC", 1).bids == ((9_000_100, 500, 1),)


def test_a_post_only_order_that_would_match_is_refused_with_the_touch() -> None:
    desk = Desk()
    text = "Post only order would have immediately matched, bbo was 90000@90001. asset=210000"
    assert desk.place(BUY, "90001", "0.01") == Error(text)
    assert desk.of(OrderEvent)[-1].status == "badAloPxRejected"
    assert desk.place(BUY, "90001", "0.01", who=BOB) == Error(text)


def test_a_post_only_order_sees_other_simulated_orders() -> None:
    desk = Desk(first=a_book(ask=9_000_300))
    desk.place(SELL, "90001", "0.01")
    status = desk.place(BUY, "90001", "0.01", who=BOB)
    assert isinstance(status, Error)
    assert "bbo was 90000@90001" in status.text


@pytest.mark.parametrize(
    ("px", "sz", "text"),
    [
        ("89999.5", "0.01", "Price must be divisible by tick size."),
        ("89999.123", "0.01", "Order has invalid price."),
        ("-5", "0.01", "Order has invalid price."),
        ("0", "0.01", "Order has invalid price."),
        ("1e5", "0.01", "Order has invalid price."),
        ("89999", "0.00001", "Order has invalid size."),
        ("89999", "NaN", "Order has invalid size."),
        ("89999", "0.0", "Order has zero size."),
        ("89999", "0.0001", "Order must have minimum value of $10."),
        ("17000", "0.01", "Order price cannot be more than 80% away from the reference price"),
        ("89999", "50", "Insufficient margin to place order."),
    ],
)
def test_a_bad_order_is_refused_in_the_venues_words(px: str, sz: str, text: str) -> None:
    desk = Desk()
    assert desk.place(BUY, px, sz) == Error(f"{text} asset=210000")
    assert desk.exchange.open_orders(ANN) == []


def test_an_unknown_order_type_is_refused() -> None:
    desk = Desk()
    assert desk.place(BUY, "89999", "0.01", "Fok") == Error("Order has invalid tif. asset=210000")


def test_one_bad_order_leaves_the_others_of_its_batch_alone() -> None:
    desk = Desk()
    specs = (desk.spec(BUY, "89999", "0.01"), desk.spec(BUY, "1", "0.01"), desk.spec(SELL, "90002", "0.01"))
    desk.exchange.submit(T0, 1, PlaceOrders(ANN, specs))
    (reply,) = [o for o in desk.until(0) if isinstance(o, Reply)]
    assert [type(s) for s in reply.statuses] == [Resting, Error, Resting]


def test_strangers_and_unknown_assets_are_refused_as_a_whole() -> None:
    desk = Desk()
    stranger = "0x" + "cc" * 20
    desk.exchange.submit(T0, 1, PlaceOrders(stranger, (desk.spec(BUY, "89999", "0.01"),)))
    desk.exchange.submit(T0, 2, CancelOrders(ANN, ((9, 1),)))
    first, second = (o for o in desk.until(0) if isinstance(o, Reply))
    assert first.error == f"Must deposit before performing actions. User: {stranger}"
    assert second.error == "Invalid perp asset 9"
    assert not desk.exchange.is_funded(stranger)


# ---------------------------------------------------------------------- cancel and modify
def test_cancel_by_oid_and_by_cloid() -> None:
    desk = Desk()
    status = desk.place(BUY, "89999", "0.01", cloid=CLOID)
    assert isinstance(status, Resting)
    assert desk.cancel(CLOID) == Success()
    assert desk.of(OrderEvent)[-1].status == "canceled"
    gone = Error("Order was never placed, already canceled, or filled. asset=210000")
    assert desk.cancel(CLOID) == gone
    assert desk.cancel(status.oid) == gone


def test_nobody_cancels_anothers_order() -> None:
    desk = Desk()
    status = desk.place(BUY, "89999", "0.01")
    assert isinstance(status, Resting)
    assert isinstance(desk.cancel(status.oid, who=BOB), Error)
    assert desk.exchange.open_order_count(ANN) == 1


def test_a_modify_is_a_new_order_under_the_same_cloid_at_the_back_of_the_queue() -> None:
    desk = Desk((10, [(SELL_PRINT, 9_000_000, 600)]))
    old = desk.place(BUY, "90000", "0.01", cloid=CLOID)
    desk.until(10)
    assert isinstance(old, Resting)
    assert desk.exchange.queue_ahead_u(ANN, old.oid) == 400
    new = desk.modify(CLOID, BUY, "90000", "0.02")
    assert isinstance(new, Resting)
    assert (new.oid > old.oid, new.cloid) == (True, CLOID)
    assert desk.exchange.queue_ahead_u(ANN, new.oid) == 1_000
    assert [(e.oid, e.status) for e in desk.of(OrderEvent)[-2:]] == [(old.oid, "canceled"), (new.oid, "open")]


def test_a_modify_of_a_gone_order_fails_and_places_nothing() -> None:
    desk = Desk()
    desk.place(BUY, "90000", "0.01", cloid=CLOID)
    desk.cancel(CLOID)
    assert desk.modify(CLOID, BUY, "89999", "0.01") == Error("Cannot modify canceled or filled order asset=210000")
    assert desk.exchange.open_orders(ANN) == []


def test_a_modify_of_bad_form_leaves_the_old_order() -> None:
    desk = Desk()
    desk.place(BUY, "90000", "0.01", cloid=CLOID)
    assert isinstance(desk.modify(CLOID, BUY, "90000.5", "0.01"), Error)
    assert desk.exchange.open_orders(ANN)[0].px_u == 9_000_000


def test_a_post_only_modify_that_would_match_has_lost_the_old_order() -> None:
    desk = Desk()
    desk.place(BUY, "90000", "0.01", cloid=CLOID)
    status = desk.modify(CLOID, BUY, "90001", "0.01")
    assert isinstance(status, Error)
    assert status.text.startswith("Post only order would have immediately matched")
    assert desk.exchange.open_orders(ANN) == []


# ---------------------------------------------------------------------- takers meet simulated orders
def test_two_accounts_trade_with_one_trade_and_one_number() -> None:
    desk = Desk(first=a_book(ask=9_000_300))
    desk.place(SELL, "90001", "0.01")
    desk.place(BUY, "90001", "0.01", "Ioc", who=BOB)
    (maker,), (taker,) = desk.fills(ANN), desk.fills(BOB)
    assert (maker.tid, maker.crossed, taker.crossed) == (taker.tid, False, True)
    assert (maker.fee_e8, taker.fee_e8) == (2_700_000, 8_100_000)
    trade = desk.of(Trade)[-1]
    assert (trade.buyer, trade.seller, trade.side) == (BOB, ANN, BUY)
    assert is_zero(desk.zero())
    assert desk.exchange.ledger()["house"]["positions_u"] == {"sx:BTC": 0}


def test_a_taker_who_meets_himself_withdraws_his_resting_order() -> None:
    desk = Desk(first=a_book(ask=9_000_300))
    desk.place(SELL, "90001", "0.01", cloid=CLOID)
    status = desk.place(BUY, "90003", "0.02", "Ioc")
    assert isinstance(status, Filled)
    assert [f.px_u for f in desk.fills()] == [9_000_300]
    state = desk.exchange.order_status(ANN, CLOID)
    assert state is not None
    assert state.status == "selfTradeCanceled"


def test_a_taker_who_meets_only_himself_gets_nothing() -> None:
    desk = Desk(first=a_book(ask=9_000_300))
    desk.place(SELL, "90001", "0.01")
    status = desk.place(BUY, "90001", "0.02", "Ioc")
    assert isinstance(status, Error)
    assert status.text.startswith("Order could not immediately match")
    assert desk.of(OrderEvent)[-1].status == "iocCancelRejected"


def test_what_a_taker_used_up_stays_used_until_the_level_changes() -> None:
    desk = Desk((10, [(BID_LEVEL, 8_999_500, 5)]), (20, [(ASK_LEVEL, 9_000_100, 700)]))
    desk.place(BUY, "90001", "0.06", "Ioc")
    desk.until(10)
    assert desk.exchange.snapshot("sx:BTC", 1).asks == ((9_000_100, 400, 1),)
    desk.until(20)
    assert desk.exchange.snapshot("sx:BTC", 1).asks == ((9_000_100, 700, 1),)


# ---------------------------------------------------------------------- reduce-only
def test_reduce_only_without_a_position_is_refused() -> None:
    desk = Desk()
    text = "Reduce only order would increase position. asset=210000"
    assert desk.place(SELL, "90002", "0.01", reduce=True) == Error(text)
    desk.place(BUY, "90001", "0.01", "Ioc")
    assert desk.place(BUY, "89999", "0.01", reduce=True) == Error(text)
    assert isinstance(desk.place(SELL, "90002", "0.0001", reduce=True), Resting)  # closing: no minimum


def test_reduce_only_takes_no_more_than_the_position() -> None:
    desk = Desk()
    desk.place(BUY, "90001", "0.01", "Ioc")
    status = desk.place(SELL, "90000", "0.05", "Ioc", reduce=True)
    assert isinstance(status, Filled)
    assert status.total_sz_u == 100
    assert desk.exchange.account(ANN).positions_u["sx:BTC"] == 0


def test_resting_reduce_only_orders_together_never_pass_the_position() -> None:
    """The oldest leave when a new one makes them more than the position."""
    desk = Desk((10, [(BUY_PRINT, 9_000_500, 10_000)]))
    desk.place(BUY, "90001", "0.01", "Ioc")
    for px in ("90002", "90003", "90004"):
        assert isinstance(desk.place(SELL, px, "0.004", reduce=True), Resting)
    assert [o.px_u for o in desk.exchange.open_orders(ANN)] == [9_000_300, 9_000_400]
    assert desk.of(OrderEvent)[-1].status == "reduceOnlyCanceled"
    desk.until(10)
    assert desk.exchange.account(ANN).positions_u["sx:BTC"] == 20
    assert [e.status for e in desk.of(OrderEvent)[-2:]] == ["filled", "filled"]


def test_closing_the_position_withdraws_resting_reduce_only_orders() -> None:
    desk = Desk()
    desk.place(BUY, "90001", "0.01", "Ioc")
    desk.place(SELL, "90002", "0.01", reduce=True)
    desk.place(SELL, "90000", "0.01", "Ioc")
    assert desk.exchange.open_orders(ANN) == []
    assert [e.status for e in desk.of(OrderEvent)[-2:]] == ["reduceOnlyCanceled", "filled"]


def test_a_reduce_only_order_the_market_crosses_closes_and_goes() -> None:
    desk = Desk((10, [(ASK_LEVEL, 9_000_100, 0), (BID_LEVEL, 9_000_300, 50)]))
    desk.place(BUY, "90001", "0.01", "Ioc")
    desk.place(SELL, "90003", "0.05", reduce=True)
    desk.until(10)
    assert [(f.px_u, f.sz_u) for f in desk.fills()][1:] == [(9_000_300, 100)]
    assert desk.of(OrderEvent)[-1].status == "reduceOnlyCanceled"
    assert desk.exchange.account(ANN).positions_u["sx:BTC"] == 0


def test_the_unfilled_rest_of_a_crossing_reduce_only_order_does_not_rest() -> None:
    desk = Desk()
    desk.place(BUY, "90001", "0.01", "Ioc")
    assert isinstance(desk.place(SELL, "90000", "0.05", "Gtc", reduce=True), Filled)
    assert desk.of(OrderEvent)[-1].status == "reduceOnlyCanceled"
    assert desk.exchange.open_orders(ANN) == []


# ---------------------------------------------------------------------- limits
def test_a_full_order_table_refuses_what_would_rest() -> None:
    desk = Desk()
    desk.exchange._by_coin["sx:BTC"]._free.clear()
    assert desk.place(BUY, "89999", "0.01") == Error("Too many open orders. asset=210000")
    assert isinstance(desk.place(BUY, "90001", "0.01", "Ioc"), Filled)


def test_old_closed_orders_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simvenue.desk.orders.CLOSED_MAX", 2)
    desk = Desk()
    oids = []
    for _ in range(4):
        status = desk.place(BUY, "89999", "0.01", cloid=CLOID)
        assert isinstance(status, Resting)
        oids.append(status.oid)
        desk.cancel(status.oid)
    known = [desk.exchange.order_status(ANN, oid) is not None for oid in oids]
    assert known == [False, False, True, True]
    assert [s.order.oid for s in desk.exchange.order_history(ANN)][-4::2] == oids[2:]
    assert desk.exchange.order_status(ANN, CLOID) is not None


def test_too_many_addresses_are_a_fault_of_ours() -> None:
    desk = Desk()
    for k in range(254):
        desk.exchange.fund(f"0x{k:040x}", 100)
    with pytest.raises(OurFault, match="more than 256 addresses"):
        desk.exchange.fund("0x" + "ff" * 20, 100)


def test_another_fee_profile_is_charged() -> None:
    desk = Desk()
    desk.exchange.set_fee_profile(ANN, FeeProfile(tier=4))
    desk.place(BUY, "90001", "0.01", "Ioc")
    assert desk.exchange.fee_rates_ppb(ANN, "sx:BTC") == (0, 56_000)
    assert desk.fills()[0].fee_e8 == 5_040_000  # 900.01 USD at 0.56 bps, cut to 1e-6


# ---------------------------------------------------------------------- margin at match
def test_an_order_its_owner_can_no_longer_carry_is_withdrawn_at_match() -> None:
    """Ann's cash is spent elsewhere after her order rested."""
    desk = Desk((6_000, [(SELL_PRINT, 8_999_000, 9_000)]), usd=100, first=a_book(sz=100_000))
    assert isinstance(desk.place(BUY, "89999", "0.02"), Resting)
    account = desk.exchange.account(ANN)
    account.cash_e8 -= 60 * 10**8
    desk.until(6_000)
    assert desk.fills() == []
    assert desk.of(OrderEvent)[-1].status == "marginCanceled"


def test_leverage_is_bounded_by_the_market_and_by_margin() -> None:
    desk = Desk(usd=100)
    assert desk.exchange.leverage(ANN, "sx:BTC") == 20
    assert desk.exchange.set_leverage(ANN, "sx:BTC", 21) == "Invalid leverage value"
    assert desk.exchange.set_leverage(ANN, "sx:BTC", 0) == "Invalid leverage value"
    assert desk.exchange.set_leverage(ANN, "sx:BTC", 10) is None
    assert isinstance(desk.place(BUY, "89999", "0.02"), Error)
    assert isinstance(desk.place(BUY, "90001", "0.011", "Ioc"), Filled)
    assert desk.exchange.set_leverage(ANN, "sx:BTC", 5) == CROSS_LEVERAGE_MARGIN.text
    assert desk.exchange.leverage(ANN, "sx:BTC") == 10


# ---------------------------------------------------------------------- prices, funding, ledger
def test_the_oracle_is_the_recorded_mid_of_three_seconds_ago() -> None:
    desk = Desk((1_000, [(BID_LEVEL, 9_000_000, 0), (BID_LEVEL, 8_999_900, 0), (ASK_LEVEL, 8_999_900, 9)]))
    desk.until(6_000)
    contexts = desk.of(Context)
    assert [c.oracle_px_u for c in contexts] == [9_000_050, 9_000_050, 8_999_850]
    assert contexts[1].mid2_px_u == 8_999_900 + 8_999_800
    assert contexts[1].mark_px_u == 9_000_050  # no trade yet: the oracle of two
    assert desk.exchange.context("sx:BTC") == contexts[-1]


def test_funding_is_paid_on_the_hour_and_sums_to_zero() -> None:
    desk = Desk()
    desk.place(BUY, "90001", "0.1", "Ioc")
    hour_ms = (3_600 * S - T0 % (3_600 * S)) / MS
    before = desk.exchange.account(ANN).cash_e8
    desk.until(hour_ms)
    (payment,) = desk.exchange.fundings(ANN)
    assert payment.t_ns % (3_600 * S) == 0
    assert (payment.rate_1h, payment.position_u) == (0.0000125, 1_000)
    assert payment.usd_e8 == -(1_000 * 9_000_050 * 100 * 125 // 10**7)
    assert desk.exchange.account(ANN).cash_e8 - before == payment.usd_e8
    ((t_ns, rate, premium),) = desk.exchange.funding_history("sx:BTC")
    assert (t_ns, rate) == (payment.t_ns, 0.0000125)
    assert abs(premium) < 1e-5  # what our own trade took from one side moves the impact prices' middle
    assert is_zero(desk.zero())


def test_the_ledger_shows_everything_and_sums_to_zero() -> None:
    desk = Desk((10, [(SELL_PRINT, 8_999_900, 2_000)]))
    desk.place(BUY, "90000", "0.01")
    desk.place(SELL, "90002", "0.02", who=BOB)
    desk.place(BUY, "90001", "0.03", "Ioc", who=BOB)
    desk.until(10)
    ledger = desk.exchange.ledger()
    assert is_zero(ledger["zero"])
    assert ledger["fills"] == 2
    assert [(o["address"], o["px_u"]) for o in ledger["orders"]] == [(BOB, 9_000_200)]
    ann = ledger["accounts"][ANN]
    assert ann["equity_e8"] == desk.exchange.equity_e8(ANN)
    assert (ann["volume_e6"], ann["credit_e6"], ann["maker_e6"]) == (900_000_000, 90_000_000, 900_000_000)


def test_reads_of_a_stranger_are_empty() -> None:
    exchange = Desk().exchange
    nobody = "0x" + "99" * 20
    assert exchange.account(nobody).cash_e8 == 0
    assert exchange.equity_e8(nobody) == 0
    assert exchange.margin(nobody) == (0, 0, 0)
    assert [*exchange.fills(nobody), *exchange.fundings(nobody), *exchange.order_history(nobody)] == []
    assert (exchange.volume_e6(nobody), exchange.credit_e6(nobody), exchange.open_order_count(nobody)) == (0, 0, 0)


def test_reads_of_the_market() -> None:
    desk = Desk((10, [(BUY_PRINT, 9_000_100, 5)]))
    desk.until(10)
    exchange = desk.exchange
    assert exchange.impact_px("sx:BTC") == (9_000_000, 9_000_100)
    assert [(t.px_u, t.sz_u) for t in exchange.trades("sx:BTC")] == [(9_000_100, 5)]
    assert exchange.fee_rates_ppb(ANN, "sx:BTC") == (30_000, 90_000)
    assert exchange.base_rates_ppb(ANN) == (150_000, 450_000)
    assert exchange.markets == (STANDX,)
    assert exchange.describe("sx:BTC") == {"market": "tape"}
    assert exchange.open_orders(ANN, "sx") == exchange.open_orders(ANN, "") == []
    assert sorted(exchange.addresses()) == sorted((ANN, BOB))
    assert (exchange.session_offset_ns, exchange.cut_ns, exchange.gaps_cut) == (0, 0, 0)


def test_markets_of_two_collaterals_have_a_book_each() -> None:
    other = STANDX.__class__("BTC", 0, 5, 40, "USDH", "", False, False, 0.0, 0.0, 20000.0)
    exchange = Exchange([(STANDX, Tape([])), (other, Tape([]))], origin_ns=T0, latency=Latency())
    exchange.fund(ANN, 5, "USDH")
    assert [exchange.account(ANN, name).cash_e8 for name in ("USDC", "USDH")] == [0, 5 * 10**8]


def test_a_one_sided_market_is_still_a_market() -> None:
    desk = Desk(first=[(BID_LEVEL, 9_000_000, 10)])
    assert desk.of(Context) == []
    assert desk.of(Bbo)[0].ask is None
    assert isinstance(desk.place(SELL, "90001", "0.001"), Resting)
    desk.until(3_000)
    assert desk.exchange.impact_px("sx:BTC") is None
    status = desk.place(SELL, "90000", "0.001")
    assert status == Error("Post only order would have immediately matched, bbo was 90000@90001. asset=210000")


def test_user_fills_are_told_to_their_owner_only() -> None:
    desk = Desk((10, [(SELL_PRINT, 8_999_900, 2_000)]))
    desk.place(BUY, "90000", "0.01")
    desk.until(10)
    assert {f.address for f in desk.of(UserFill)} == {ANN}
