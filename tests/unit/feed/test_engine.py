"""What the feed publishes, what it drops, and when it gives a link up."""

from __future__ import annotations

from typing import Any

import pytest

from common.messages import Alert, AssetContext, BookUpdate, MarketSpec, Tick, Touch, TradePrint
from feed.engine import FeedEngine
from feed.events import DEEP, MAIN, Closed, Dropped, Frame, Opened, Reconnect, SendText, SpecRead
from tests.unit.feed.builders import COIN, MS, T0, Driver, a_spec, ack, bbo, context, l2, trade, trades


def reasons(out: list[Any]) -> list[str]:
    return [one.reason for one in out if isinstance(one, Dropped)]


def kinds(out: list[Any]) -> list[type]:
    return [type(one) for one in out]


def acked(feed: Driver) -> Driver:
    for kind in ("bbo", "l2Book", "trades", "activeAssetCtx"):
        feed.frame(ack(kind))
    feed.frame(ack("l2Book"), link=DEEP)
    return feed


def test_opening_a_link_subscribes_to_everything_on_it() -> None:
    texts = [one.text for one in Driver().opened if isinstance(one, SendText)]
    assert len(texts) == 5
    assert '{"method":"subscribe","subscription":{"type":"l2Book","coin":"km:US500","fast":true}}' in texts
    assert '{"method":"subscribe","subscription":{"type":"l2Book","coin":"km:US500"}}' in texts


def test_touch_is_published_with_venue_and_receipt_time() -> None:
    [touch] = Driver().frame(bbo(at_ms=0), at_ms=40)
    assert touch == Touch(T0 + 40 * MS, COIN, T0, T0 + 40 * MS, 752_400, 1_500, 752_500, 1_500)


def test_empty_side_of_the_touch_is_published_as_zero() -> None:
    [touch] = Driver().frame(bbo(ask=None))
    assert (touch.ask_px_u, touch.ask_sz_u) == (0, 0)


def test_fast_book_lies_behind_a_newer_touch() -> None:
    feed = Driver()
    feed.frame(bbo(at_ms=10, bid="752.3"), at_ms=20)
    [book] = feed.frame(l2(at_ms=5, bids=["752.4", "752.3", "752.2"], fast=True))
    assert isinstance(book, BookUpdate)
    assert [px for px, _ in book.bids] == [752_300, 752_200]
    assert (book.touch_t_ns, book.fast_t_ns, book.deep_t_ns) == (T0 + 10 * MS, T0 + 5 * MS, 0)
    assert book.venue_t_ns == T0 + 10 * MS


def test_slow_book_fills_in_what_lies_deeper() -> None:
    feed = Driver()
    feed.frame(l2(at_ms=5, fast=True), at_ms=20)
    [book] = feed.frame(l2(at_ms=2, bids=["752.4", "752.2", "752.1"]), link=DEEP)
    assert [px for px, _ in book.bids] == [752_400, 752_300, 752_200, 752_100]
    assert book.fast_levels == 2


def test_book_of_the_other_kind_on_a_link_is_refused() -> None:
    feed = Driver()
    assert reasons(feed.frame(l2(fast=True), link=DEEP)) == ["wrong_layer"]
    assert reasons(feed.frame(l2(fast=False))) == ["wrong_layer"]


def test_backwards_time_is_dropped_and_changes_nothing() -> None:
    feed = Driver()
    feed.frame(bbo(at_ms=10), at_ms=20)
    assert reasons(feed.frame(bbo(at_ms=9, bid="752.1"))) == ["backwards_time"]
    assert reasons(feed.frame(bbo(at_ms=-3_600_000))) == ["stale"]
    assert feed.engine.touch is not None
    assert feed.engine.touch.bid_px_u == 752_400


def test_second_change_within_one_millisecond_counts() -> None:
    feed = Driver()
    feed.frame(bbo(at_ms=10), at_ms=20)
    assert kinds(feed.frame(bbo(at_ms=10, bid="752.3"))) == [Touch]


def test_message_from_the_future_is_dropped() -> None:
    feed = Driver()
    assert reasons(feed.frame(bbo(at_ms=11_000))) == ["future_time"]
    assert kinds(feed.frame(bbo(at_ms=0))) == [Touch]


def test_late_message_is_dropped_as_stale() -> None:
    feed = Driver()
    assert reasons(feed.frame(bbo(at_ms=0), at_ms=1_501)) == ["stale"]
    assert kinds(feed.frame(l2(at_ms=0), at_ms=1_501, link=DEEP)) == [BookUpdate]


def test_lateness_bound_widens_with_the_speed_of_the_market() -> None:
    feed = Driver(rate=20.0)
    assert kinds(feed.frame(bbo(at_ms=0), at_ms=7_000)) == [Touch]
    assert reasons(feed.frame(bbo(at_ms=1), at_ms=7_600)) == ["stale"]


def test_repeated_snapshot_is_not_fresh_data() -> None:
    feed = acked(Driver())
    feed.frame(l2(at_ms=0, fast=True), at_ms=0)
    for ms in range(500, 1_500, 500):
        assert reasons(feed.frame(l2(at_ms=0, fast=True), at_ms=ms)) == ["repeated"]
    assert feed.engine.data_age_s(1_000 * MS) == pytest.approx(1.0)


def test_frozen_time_with_changing_levels_ages_until_the_link_is_given_up() -> None:
    feed = acked(Driver())
    feed.frame(bbo(at_ms=0), at_ms=0)
    for ms in range(100, 1_500, 100):
        assert kinds(feed.frame(bbo(at_ms=0, bid=f"752.{ms // 100 % 2}"), at_ms=ms)) == [Touch]
    assert Reconnect(MAIN, "stale") in feed.tick(5_001)


def test_crossed_book_is_dropped_by_name() -> None:
    feed = Driver()
    assert reasons(feed.frame(bbo(bid="752.6"))) == ["crossed"]
    assert reasons(feed.frame(l2(bids=["752.5"]))) == ["locked"]
    assert feed.engine.touch is None


def test_prints_are_counted_once_however_often_they_come() -> None:
    feed = Driver()
    first = feed.frame(trades(trade(at_ms=1, tid=7), trade(at_ms=1, tid=8)), at_ms=5)
    again = feed.frame(trades(trade(at_ms=1, tid=8), trade(at_ms=2, tid=9)))
    assert kinds(first) == [TradePrint, TradePrint]
    assert [one.tid for one in again if isinstance(one, TradePrint)] == [9]
    assert reasons(again) == ["duplicate_trade"]


def test_first_prints_of_a_connection_may_be_history() -> None:
    feed = Driver()
    out = feed.frame(trades(trade(at_ms=-60_000, tid=1), trade(at_ms=-9_000, tid=2), trade(at_ms=0, tid=3)))
    assert [one.tid for one in out if isinstance(one, TradePrint)] == [2, 3]
    assert reasons(out) == ["history"]


def test_half_the_price_in_one_step_is_refused_against_the_oracle() -> None:
    feed = Driver()
    assert kinds(feed.frame(context())) == [AssetContext]
    assert reasons(feed.frame(bbo(bid="376.2", ask="376.3"))) == ["far_from_oracle"]
    assert reasons(feed.frame(trades(trade(px="376.2")))) == ["far_from_oracle"]
    assert kinds(feed.frame(bbo())) == [Touch]


def test_half_the_price_in_one_step_is_refused_against_the_last_mid() -> None:
    feed = Driver()
    feed.frame(bbo(at_ms=0))
    assert reasons(feed.frame(bbo(at_ms=1, bid="376.2", ask="376.3"), at_ms=1)) == ["price_jump"]


def test_venue_complaint_and_unasked_acknowledgement_are_counted() -> None:
    feed = Driver()
    assert reasons(feed.frame({"channel": "error", "data": "Invalid subscription"})) == ["venue_error"]
    assert reasons(feed.frame(ack("bbo", "BTC"))) == ["unasked_ack"]
    assert reasons(feed.frame(ack("candle"))) == ["unasked_ack"]
    assert feed.frame({"channel": "pong"}) == []


def test_more_than_five_faults_in_a_second_disable_the_market_for_a_while() -> None:
    feed = acked(Driver())
    out = [feed.frame("{", at_ms=100 * i) for i in range(6)]
    assert [one.name for one in out[-1] if isinstance(one, Alert)] == ["feed_disabled"]
    assert reasons(feed.frame(bbo(at_ms=600), at_ms=600)) == ["disabled"]
    assert kinds(feed.frame(bbo(at_ms=5_501), at_ms=5_501)) == [Touch]


def test_old_and_repeated_messages_never_disable_the_market() -> None:
    feed = Driver()
    feed.frame(bbo(at_ms=0))
    for _ in range(20):
        assert reasons(feed.frame(bbo(at_ms=0))) == ["repeated"]
    assert kinds(feed.frame(bbo(at_ms=1), at_ms=1)) == [Touch]


def test_market_facts_come_four_times_a_second() -> None:
    feed = acked(Driver())
    specs = [[one for one in feed.tick(ms) if isinstance(one, MarketSpec)] for ms in range(0, 1_050, 50)]
    assert [len(found) for found in specs] == [1, *([0, 0, 0, 0, 1] * 4)]
    assert specs[5][0].t_ns == T0 + 250 * MS


def contexts(found: list[object]) -> int:
    return sum(isinstance(one, AssetContext) for one in found)


def test_a_context_is_said_again_while_it_and_the_book_are_fresh() -> None:
    feed = acked(Driver())
    feed.frame(context(), at_ms=0)
    feed.frame(bbo(at_ms=0), at_ms=0)
    assert contexts(feed.tick(1_000)) == 1
    assert contexts(feed.tick(2_000)) == 0  # the book is too old to say anything of the market
    feed.frame(bbo(3_000, "752.3"), at_ms=3_000)
    assert contexts(feed.tick(3_500)) == 1
    feed.frame(bbo(4_300, "752.2"), at_ms=4_300)
    assert contexts(feed.tick(4_400)) == 0  # the context itself is too old


def test_facts_read_again_are_published_at_once() -> None:
    feed = Driver()
    feed.tick(0)
    assert feed.engine.on(SpecRead(a_spec(max_leverage=10))) == [a_spec(max_leverage=10)]
    assert [one.max_leverage for one in feed.tick(1_000) if isinstance(one, MarketSpec)] == [10]


def test_missing_acknowledgement_reconnects() -> None:
    feed = Driver()
    feed.frame(ack("bbo"), at_ms=10)
    feed.frame(bbo(at_ms=4_000), at_ms=4_000)
    assert Reconnect(MAIN, "no_ack") not in feed.tick(5_000)
    assert Reconnect(MAIN, "no_ack") in feed.tick(5_001)


def test_link_given_up_is_asked_for_once_and_its_late_frames_do_not_count() -> None:
    feed = Driver()
    assert Reconnect(MAIN, "no_ack") in feed.tick(5_001)
    assert reasons(feed.frame(bbo(at_ms=5_002), at_ms=5_002)) == ["after_close"]
    assert not [one for one in feed.tick(6_000) if isinstance(one, Reconnect) and one.link == MAIN]


def test_pings_go_out_every_fifteen_seconds_on_each_link() -> None:
    feed = acked(Driver())
    feed.frame(bbo(at_ms=14_000), at_ms=14_000)
    feed.frame(l2(at_ms=14_000), link=DEEP)
    pings = [one for one in feed.tick(15_000) if isinstance(one, SendText)]
    assert [(one.link, one.text) for one in pings] == [(MAIN, '{"method":"ping"}'), (DEEP, '{"method":"ping"}')]
    assert not [one for one in feed.tick(15_250) if isinstance(one, SendText)]


def test_pongs_alone_do_not_keep_a_link() -> None:
    feed = acked(Driver())
    feed.frame(bbo(at_ms=0), at_ms=0)
    feed.frame({"channel": "pong"}, at_ms=4_900)
    assert Reconnect(MAIN, "stale") in feed.tick(5_001)


def test_new_connection_may_begin_at_an_earlier_time() -> None:
    feed = acked(Driver())
    feed.frame(bbo(at_ms=9_000), at_ms=0)
    feed.engine.on(Closed(MAIN, 10 * MS))
    feed.open(MAIN)
    assert kinds(feed.frame(bbo(at_ms=100), at_ms=100)) == [Touch]


def test_slow_book_survives_a_reconnect_of_the_main_link() -> None:
    feed = acked(Driver())
    feed.frame(l2(at_ms=0, bids=["752.4", "752.2"]), at_ms=0, link=DEEP)
    feed.engine.on(Closed(MAIN, 10 * MS))
    feed.open(MAIN)
    [book] = feed.frame(l2(at_ms=20, fast=True), at_ms=20)
    assert [px for px, _ in book.bids] == [752_400, 752_300, 752_200]


def test_slow_book_is_forgotten_after_twelve_seconds() -> None:
    feed = acked(Driver())
    feed.frame(l2(at_ms=0, bids=["752.4", "752.2"]), at_ms=0, link=DEEP)
    [book] = feed.frame(l2(at_ms=12_001, fast=True), at_ms=12_001)
    assert [px for px, _ in book.bids] == [752_400, 752_300]


def test_bad_prints_do_not_cost_the_good_ones_of_the_same_message() -> None:
    feed = Driver()
    feed.frame(context())
    out = feed.frame(trades(trade(tid=1, px="1"), trade(tid=2)))
    assert [one.tid for one in out if isinstance(one, TradePrint)] == [2]


def test_nothing_is_published_before_the_market_is_known() -> None:
    engine = FeedEngine(COIN)
    engine.on(Opened(MAIN, 0))
    assert engine.on(Tick(T0, 0)) == []
    assert engine.on(Frame(MAIN, "{}", T0, 0)) == [Dropped(MAIN, "no_spec", "")]


def test_unknown_event_is_none_of_our_business() -> None:
    assert Driver().engine.on(object()) == []
