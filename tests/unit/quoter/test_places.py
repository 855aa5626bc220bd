"""Where our orders stand in their queues, and whether the fills that follow agree."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import metrics
from common.messages import Fill, Liquidity, OrderState, OrderUpdate, Side, TradePrint
from quoter.evidence import show_evidence
from quoter.places import BUCKETS, QueueBook, behind_share, withdrawn_front
from tests.unit.quoter.builders import COIN, PX, T0, Desk, a_book

CLOID = f"0xa500{1:028x}"


class Market:
    """One bid of ours at PX among others; times are ns after T0."""

    def __init__(self, sz_u: int = 100, others: int = 500) -> None:
        self.book = QueueBook()
        self.order(sz_u)
        self.shows(1, others)

    def order(self, sz_u: int, state: OrderState = OrderState.OPEN, **changes: Any) -> None:
        fields = {"coin": COIN, "cloid": CLOID, "oid": 1, "side": Side.BID, "px_u": PX, "sz_u": sz_u, "filled_u": 0}
        self.book.on_order(OrderUpdate(T0, **{**fields, "state": state, "reason": "", "level": 0, **changes}))

    def shows(self, t: int, others: int, worst: int = PX - 50) -> None:
        bids = [(PX + 10, 70)] + ([(PX, others)] if others else []) + [(worst, 900)]
        self.book.on_book(T0 + t, bids, [(PX + 20, 10)], 5)

    def trades(self, t: int, sz_u: int, px_u: int = PX, side: Side = Side.ASK) -> None:
        self.book.on_print(TradePrint(T0 + t, COIN, T0 + t, T0 + t, side, px_u, sz_u, 1))

    def fill(self, t: int, sz_u: int) -> None:
        self.book.on_fill(Fill(T0 + t, COIN, T0 + t, 1, 1, CLOID, Side.BID, PX, sz_u, 0, *_REST))

    @property
    def place(self) -> Any:
        return self.book.places[0]


_REST = (Liquidity.MAKER, 0)


def test_on_arrival_all_shown_size_is_before_us() -> None:
    assert (Market().place.front, Market().place.behind) == (500, 0)
    assert Market(others=0).place.front == 0


def test_an_order_filled_before_its_level_was_seen_is_gone() -> None:
    m = Market(sz_u=100)
    m.book = QueueBook()
    m.order(100)
    m.fill(2, 100)
    m.shows(3, 500)
    assert m.book.places == []
    assert sum(m.book.calibration.observed_usd) == 0.0  # nothing was promised either


def test_prints_consume_the_front_and_what_joins_stands_behind() -> None:
    m = Market()
    m.trades(2, 200)
    m.shows(3, 700)
    assert (m.place.front, m.place.behind) == (300, 400)


def test_buyers_and_better_prices_do_not_touch_our_bid() -> None:
    m = Market()
    m.trades(2, 200, side=Side.BID)
    m.trades(3, 200, px_u=PX + 10)
    assert m.place.front == 500


def test_a_print_beyond_our_price_has_passed_everybody() -> None:
    m = Market()
    m.trades(2, 1, px_u=PX - 10)
    assert m.place.front == 0
    assert sum(m.book.calibration.expected_usd) == pytest.approx(PX * 100 * 1e-6)


def test_withdrawals_are_split_between_front_and_back() -> None:
    m = Market()
    m.shows(2, 1_000)
    m.shows(3, 900)
    assert 500 - 100 < m.place.front < 500
    assert m.place.front + m.place.behind == pytest.approx(900)
    m.shows(4, 50)
    assert m.place.front <= 50


def test_a_print_that_the_book_already_held_is_no_withdrawal() -> None:
    early, late = Market(), Market()
    for m in (early, late):
        m.shows(2, 1_000)
    early.trades(3, 200)
    early.shows(3, 800)
    late.shows(3, 800)
    late.trades(3, 200)
    assert late.place.front == pytest.approx(early.place.front) == 300
    assert late.place.behind == pytest.approx(early.place.behind) == 500


def test_levels_out_of_view_say_nothing() -> None:
    m = Market()
    m.shows(2, 0, worst=PX + 5)
    assert m.place.front == 500


def test_a_move_loses_the_place_and_a_smaller_size_keeps_it() -> None:
    m = Market()
    m.trades(2, 200)
    m.order(60)
    assert (m.place.front, m.place.left) == (300, 60)
    m.order(60, px_u=PX + 10)
    m.shows(3, 500)
    assert (m.place.px_u, m.place.front) == (PX + 10, 70)


def test_an_ended_order_is_forgotten() -> None:
    m = Market()
    m.order(100, OrderState.CANCELLED)
    assert m.book.places == []


def test_expected_and_observed_fills_meet_in_the_bucket_before_the_print() -> None:
    m = Market(sz_u=100, others=100)  # half of the level is before us
    m.trades(2, 160)
    m.fill(2, 60)
    known = m.book.calibration
    assert known.expected_usd[2] == known.observed_usd[2] == pytest.approx(PX * 60 * 1e-6)
    assert known.chances[2] == 1
    m.trades(3, 100)
    m.fill(3, 40)
    assert known.expected_usd[0] == known.observed_usd[0] == pytest.approx(PX * 40 * 1e-6)


def test_two_prints_before_the_first_fill_is_told_promise_our_size_once() -> None:
    m = Market(sz_u=100, others=0)
    m.trades(2, 80)
    m.trades(3, 80)
    assert sum(m.book.calibration.expected_usd) == pytest.approx(PX * 100 * 1e-6)


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1))
def test_a_split_takes_no_more_than_there_is(front: float, behind: float, share: float) -> None:
    lost = share * (front + behind)
    taken = withdrawn_front(front, behind, lost)
    assert 0.0 <= taken <= front
    assert lost - taken <= behind * (1 + 1e-9) + 1e-6
    assert 0.0 <= behind_share(front, behind) <= 1.0


@pytest.mark.parametrize("seed", range(20))
def test_the_estimate_stays_within_the_level_whatever_comes(seed: int) -> None:
    rng = random.Random(seed)
    m = Market()
    for t in range(2, 200):
        match rng.randrange(3):
            case 0:
                m.trades(t - rng.randrange(2), rng.randrange(1, 300))
            case _:
                m.shows(t, rng.randrange(0, 900))
        assert m.place.front >= 0
        assert m.place.behind >= -1e-9
        assert 0 <= m.place.share <= 1


def test_the_engine_follows_its_own_orders_and_shows_them() -> None:
    desk = Desk().start()
    level = desk.ladder.bids[0]
    desk.send(desk.order(Side.BID, level.px_u, level.sz_u, level=0))
    bids, asks = a_book()
    bids = [row for row in bids if row[0] > level.px_u] + [(level.px_u, level.sz_u + 4_000), (level.px_u - 900, 9)]
    desk.mono_s += 0.5
    desk.send(desk.book(bids=bids, asks=asks, fast_levels=len(bids)))
    assert desk.engine.queue.places[0].front == 4_000
    show_evidence(desk.engine, desk.coin, 12)
    shown = metrics.value("amm_queue_ahead_usd", coin=desk.coin, side="bid", level="00")
    assert shown == pytest.approx(4_000 * level.px_u * 1e-6)
    assert metrics.value("amm_queue_fill_usd", coin=desk.coin, bucket=str(BUCKETS - 1), estimator="expected") == 0.0
