"""The awkward moments of a resting order, each alone: what a recording does to it, and what our own timing does."""

from __future__ import annotations

import pytest

from simvenue.book.matching import ROWS_MAX
from simvenue.book.queue_model import QueueModel
from simvenue.door.latency import Latency
from simvenue.events import BUY, SELL, Error, Resting, Success, UserFill
from simvenue.source import (
    ASK_CLEAR,
    ASK_LEVEL,
    BID_CLEAR,
    BID_LEVEL,
    BUY_PRINT,
    GAP,
    SELL_PRINT,
)
from tests.unit.simvenue.tape import ANN, BOB, MS, Desk, Row, a_book

BID, ASK = 9_000_000, 9_000_100
TICK = 100
SLOW = Latency(feed_ns=100 * MS, order_ns=300 * MS, reply_ns=100 * MS)


def ahead(desk: Desk, status: object) -> int | None:
    assert isinstance(status, Resting)
    return desk.exchange.queue_ahead_u(ANN, status.oid)


def filled(desk: Desk, who: str = ANN) -> list[tuple[int, int]]:
    return [(f.px_u, f.sz_u) for f in desk.fills(who)]


def best(desk: Desk) -> tuple[int, int]:
    book = desk.exchange.snapshot("sx:BTC", 1)
    return book.bids[0][0], book.asks[0][0]


# ---------------------------------------------------------------------- a sweep through several of our levels
def test_a_sweep_fills_every_level_it_passes_and_part_of_the_last() -> None:
    sweep: list[Row] = [(SELL_PRINT, BID - k * TICK, 1_000) for k in range(3)]
    sweep += [(BID_LEVEL, BID - k * TICK, 0) for k in range(3)]
    desk = Desk((1, sweep))
    for px in ("90000", "89999", "89998"):
        desk.place(BUY, px, "0.02")
    desk.until(1)
    # 1,000 used up what stood before us at the first price; the second print passed us there and had 800 left, ...
    assert filled(desk) == [(BID, 200), (BID - TICK, 200)]
    assert [o.sz_u for o in desk.exchange.open_orders(ANN)] == [200]
    assert best(desk) == (BID - 2 * TICK, ASK)


def test_one_print_deep_through_the_book_is_shared_over_our_levels_best_first() -> None:
    desk = Desk((1, [(SELL_PRINT, BID - 4 * TICK, 450)]))
    for px in ("89998", "90000", "89999"):
        desk.place(BUY, px, "0.02")
    desk.until(1)
    assert filled(desk) == [(BID, 200), (BID - TICK, 200), (BID - 2 * TICK, 50)]


# ---------------------------------------------------------------------- the best price jumps over us
def test_when_the_opposite_best_jumps_over_us_each_order_is_filled_at_its_own_price() -> None:
    jump: list[Row] = [(BID_LEVEL, BID - k * TICK, 0) for k in range(5)]
    jump += [(BID_LEVEL, BID - 9 * TICK, 10), (ASK_LEVEL, BID - 6 * TICK, 10)]
    desk = Desk((1, jump))
    for px in ("90000", "89999", "89990"):
        desk.place(BUY, px, "0.02")
    desk.until(1)
    assert filled(desk) == [(BID, 200), (BID - TICK, 200)]
    assert [o.px_u for o in desk.exchange.open_orders(ANN)] == [BID - 10 * TICK]


def test_when_our_own_side_jumps_away_nothing_happens_to_us() -> None:
    desk = Desk((1, [(BID_LEVEL, BID + TICK, 500), (ASK_LEVEL, ASK, 0)]))
    order = desk.place(BUY, "90000", "0.02")
    desk.until(1)
    assert (filled(desk), ahead(desk, order)) == ([], 1_000)


# ---------------------------------------------------------------------- equal stamps
PRINT: Row = (SELL_PRINT, BID, 300)
SHRUNK: Row = (BID_LEVEL, BID, 700)


@pytest.mark.parametrize("rows", [[PRINT, SHRUNK], [SHRUNK, PRINT]], ids=["print first", "level first"])
def test_a_print_and_its_level_count_once_in_whatever_order_they_come(rows: list[Row]) -> None:
    desk = Desk((1, rows))
    order = desk.place(BUY, "90000", "0.02")
    desk.until(1)
    assert ahead(desk, order) == 700


def test_of_one_price_the_last_word_of_a_stamp_counts() -> None:
    desk = Desk((1, [(BID_LEVEL, BID, 5), (BID_LEVEL, BID, 1_500), (BID_LEVEL, BID, 800)]))
    order = desk.place(BUY, "90000", "0.02")
    desk.until(1)
    assert ahead(desk, order) == 800
    assert desk.exchange.source_levels("sx:BTC", BUY)[0] == (BID, 800)


def test_a_touch_that_was_there_only_within_a_stamp_is_never_shown_nor_filled_against() -> None:
    """Through the whole spread and back, in one stamp."""
    rows: list[Row] = [(ASK_LEVEL, BID - 2 * TICK, 50), (BID_LEVEL, ASK + 2 * TICK, 50)]
    rows += [(ASK_LEVEL, BID - 2 * TICK, 0), (BID_LEVEL, ASK + 2 * TICK, 0)]
    desk = Desk((1, rows))
    desk.place(BUY, "89999", "0.02")
    desk.place(SELL, "90002", "0.02")
    said = desk.until(1)
    assert filled(desk) == []
    assert not [o for o in said if type(o).__name__ == "Bbo"]
    assert desk.exchange.ledger()["markets"]["sx:BTC"]["crossed_stamps"] == 0


def test_the_market_moves_before_a_request_of_the_same_instant() -> None:
    desk = Desk((1, [(SELL_PRINT, BID, 5_000), (BID_LEVEL, BID, 0)]))
    desk.until(0.5)
    desk.now_ms = 1
    order = desk.place(BUY, "90000", "0.02")
    assert (filled(desk), ahead(desk, order)) == ([], 0)


def test_a_stamp_longer_than_one_call_is_still_one_change() -> None:
    long: list[Row] = [(BID_LEVEL, BID, 5)] * ROWS_MAX + [(SELL_PRINT, BID, 400), (BID_LEVEL, BID, 900)]
    desk = Desk((1, long), (2, [(GAP, 0, 0), *long]))
    order = desk.place(BUY, "90000", "0.02")
    desk.until(1)
    assert (filled(desk), ahead(desk, order)) == ([], 600)
    desk.until(2)
    assert ahead(desk, order) == 900


# ---------------------------------------------------------------------- clear and refill
@pytest.mark.parametrize("clear", [(BID_LEVEL, BID, 0), (BID_CLEAR, 0, 0), (BID_CLEAR, BID, 0)])
def test_a_level_cleared_and_refilled_in_one_stamp_keeps_us_in_our_place(clear: Row) -> None:
    desk = Desk((1, [clear, (BID_LEVEL, BID, 1_200)]))
    order = desk.place(BUY, "90000", "0.02")
    desk.until(1)
    assert ahead(desk, order) == 1_000
    assert desk.exchange.source_levels("sx:BTC", BUY)[0] == (BID, 1_200)


def test_a_clearing_alone_is_the_recorders_and_moves_nobody_up() -> None:
    desk = Desk((1, [(BID_CLEAR, 0, 0), (ASK_CLEAR, ASK + TICK, 0)]), (2, [(BID_LEVEL, BID, 400)]))
    order = desk.place(BUY, "90000", "0.02")
    desk.until(1)
    assert ahead(desk, order) == 1_000
    assert desk.exchange.source_levels("sx:BTC", BUY) == []
    assert desk.exchange.source_levels("sx:BTC", SELL)[0] == (ASK + 2 * TICK, 1_000)
    desk.until(2)
    assert ahead(desk, order) == 400


def test_a_level_that_really_went_leaves_us_first_when_it_comes_back() -> None:
    desk = Desk((1, [(BID_LEVEL, BID, 0)]), (2, [(BID_LEVEL, BID, 800)]), (3, [(SELL_PRINT, BID, 50)]))
    desk.place(BUY, "90000", "0.02")
    desk.until(3)
    assert filled(desk) == [(BID, 50)]


def test_a_level_that_goes_out_of_view_is_not_taken_for_empty() -> None:
    """Three levels are seen; the fifth is dropped while better ones fill the view, and comes back."""
    desk = Desk(
        (1, [(BID_LEVEL, BID - 4 * TICK, 0)]), (2, [(BID_LEVEL, BID - 4 * TICK, 1_000)]),
        visible=3,
    )  # fmt: skip
    order = desk.place(BUY, "89996", "0.02")
    for ms in (1, 2):
        desk.until(ms)
        assert ahead(desk, order) == 1_000


# ---------------------------------------------------------------------- a gap in what is seen
def test_after_a_gap_nobody_knows_his_place_until_his_price_is_seen_again() -> None:
    desk = Desk((1, [(GAP, 0, 0)]), (2, [(SELL_PRINT, BID, 5_000)]), (3, a_book(sz=1_500)))
    order = desk.place(BUY, "90000", "0.02")
    desk.until(1)
    assert ahead(desk, order) == -1
    desk.until(2)
    assert filled(desk) == []
    desk.until(3)
    assert ahead(desk, order) == 1_500


# ---------------------------------------------------------------------- a print away from the book
@pytest.mark.parametrize("px", [BID - 300 * TICK, ASK + 300 * TICK])
def test_a_print_far_from_the_book_fills_what_it_passes_up_to_its_size_and_moves_nothing(px: int) -> None:
    desk = Desk((1, [(SELL_PRINT if px < BID else BUY_PRINT, px, 30)]))
    bid, ask = desk.place(BUY, "89999", "0.02"), desk.place(SELL, "90002", "0.02")
    before = desk.exchange.snapshot("sx:BTC")
    desk.until(1)
    assert filled(desk) == [(BID - TICK if px < BID else ASK + TICK, 30)]
    assert (ahead(desk, bid), ahead(desk, ask)) == (1_000, 1_000)
    assert [px for px, _, _ in desk.exchange.snapshot("sx:BTC").bids] == [px for px, _, _ in before.bids]


def test_a_print_inside_the_spread_fills_nobody() -> None:
    desk = Desk((1, [(SELL_PRINT, BID + TICK // 2, 5_000)]))
    order = desk.place(BUY, "90000", "0.02")
    desk.until(1)
    assert (filled(desk), ahead(desk, order)) == ([], 1_000)


# ---------------------------------------------------------------------- our own timing
def test_post_only_is_judged_by_the_touch_at_arrival_not_by_the_one_we_saw() -> None:
    desk = Desk((250, [(ASK_LEVEL, BID, 10), (BID_LEVEL, BID, 0)]), latency=SLOW)
    status = desk.place(BUY, "90000", "0.02")
    assert isinstance(status, Error)
    assert "Post only order would have immediately matched" in status.text
    assert filled(desk) == []


def test_post_only_that_would_have_crossed_when_sent_may_rest_when_it_arrives() -> None:
    desk = Desk((250, [(ASK_LEVEL, ASK, 0)]), latency=SLOW)
    assert isinstance(desk.place(BUY, "90001", "0.02"), Resting)


def test_a_fill_that_comes_before_the_cancel_arrives_counts() -> None:
    desk = Desk((450, [(SELL_PRINT, BID - TICK, 200)]), latency=SLOW)
    order = desk.place(BUY, "90000", "0.02")
    assert isinstance(order, Resting)
    desk.until(310)
    status = desk.cancel(order.oid)  # sent at 310, there at 610
    assert isinstance(status, Error)
    assert filled(desk) == [(BID, 200)]
    (told,) = desk.of(UserFill)
    assert told.deliver_t_ns - told.t_ns == 100 * MS


def test_a_cancel_that_crosses_a_partial_fill_takes_back_the_rest() -> None:
    desk = Desk((450, [(SELL_PRINT, BID - TICK, 150)]), (700, [(SELL_PRINT, BID - TICK, 150)]), latency=SLOW)
    order = desk.place(BUY, "90000", "0.02")
    assert isinstance(order, Resting)
    desk.until(310)
    assert isinstance(desk.cancel(order.oid), Success)
    desk.until(800)
    assert filled(desk) == [(BID, 150)]
    state = desk.exchange.order_status(ANN, order.oid)
    assert state is not None
    assert (state.status, state.order.sz_u) == ("canceled", 50)


def test_only_our_own_modify_costs_the_place_in_the_queue() -> None:
    desk = Desk((1, [(SELL_PRINT, BID, 600)]), (2, [(BID_LEVEL, BID, 5_000)]))
    order = desk.place(BUY, "90000", "0.02")
    assert isinstance(order, Resting)
    desk.until(2)
    assert ahead(desk, order) == 400
    again = desk.modify(order.oid, BUY, "90000", "0.02")
    assert ahead(desk, again) == 5_000


@pytest.mark.parametrize(("queue", "place"), [("risk-averse", 600), ("probabilistic", 531), ("optimistic", 500)])
def test_what_a_simulated_taker_used_up_is_no_withdrawal(queue: QueueModel, place: int) -> None:
    """Bob takes 400 of the 1,000 before us; the source then tells its level, of which 100 have gone."""
    desk = Desk((1, [(BID_LEVEL, BID, 900)]), queue=queue)
    order = desk.place(BUY, "90000", "0.02")
    desk.place(SELL, "90000", "0.04", "Ioc", who=BOB)
    assert ahead(desk, order) == 600
    desk.until(1)
    assert ahead(desk, order) == place


def test_on_a_side_swept_empty_we_are_first_on_one_not_seen_nobody_knows() -> None:
    emptied: list[Row] = [(BID_LEVEL, BID - k * TICK, 0) for k in range(5)]
    desk = Desk((1, emptied), (2, [(GAP, 0, 0)]), (3, a_book(sz=40)))
    desk.until(1)
    assert ahead(desk, desk.place(BUY, "90000", "0.02")) == 0
    desk.until(2)
    blind = desk.place(BUY, "89999", "0.02")
    assert ahead(desk, blind) == -1
    desk.until(3)
    assert ahead(desk, blind) == 40
