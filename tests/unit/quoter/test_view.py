"""The market as the feed last told it, without us."""

from __future__ import annotations

import pytest

from common.errors import BadInput
from common.messages import Side
from quoter.own import OwnOrders
from quoter.state import B_COUNT, B_ROWS, B_SIDE, new_book
from quoter.view import MarketView
from tests.unit.quoter.builders import PX, Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


def seen(view: MarketView, own: OwnOrders | None = None) -> MarketView:
    view.refresh(own or OwnOrders())
    return view


def test_a_newer_touch_goes_over_the_book(desk: Desk) -> None:
    view = MarketView()
    assert view.on_book(desk.book())
    desk.mono_s = 1
    assert view.on_touch(desk.touch(PX - 30, PX + 20))
    seen(view)
    assert view.bids[0] == (PX - 30, 5_000)
    assert view.bids[1][0] == PX - 40
    assert view.asks[0][0] == PX + 20
    assert view.venue_t_ns == desk.t_ns


def test_an_older_touch_or_book_changes_nothing(desk: Desk) -> None:
    view = MarketView()
    older_touch, older_book = desk.touch(PX - 30, PX + 20), desk.book(PX + 500)
    desk.mono_s = 1
    view.on_book(desk.book())
    assert not view.on_touch(older_touch)
    assert not view.on_book(older_book)
    assert seen(view).bids[0][0] == PX - 10


def test_our_own_size_is_taken_off_and_a_level_that_was_only_ours_disappears(desk: Desk) -> None:
    view, own = MarketView(), OwnOrders()
    book = desk.book()
    own.on_update(desk.order(Side.BID, book.bids[0][0], book.bids[0][1]))
    own.on_update(desk.order(Side.ASK, book.asks[0][0], 7, n=2))
    view.on_book(book)
    seen(view, own)
    assert view.bids == book.bids[1:]
    assert view.asks[0] == (book.asks[0][0], book.asks[0][1] - 7)


def test_a_touch_alone_is_a_market(desk: Desk) -> None:
    view = MarketView()
    view.on_touch(desk.touch(PX - 10, PX + 10))
    assert seen(view).bids == [(PX - 10, 5_000)]


def test_an_empty_side_is_empty(desk: Desk) -> None:
    view = MarketView()
    view.on_touch(desk.touch(PX - 10, 0, ask_sz_u=0))
    assert seen(view).asks == []


@pytest.mark.parametrize(("bid", "ask", "reason"), [(PX, PX, "locked"), (PX + 10, PX, "crossed")])
def test_a_crossed_market_is_refused_with_its_reason(desk: Desk, bid: int, ask: int, reason: str) -> None:
    view = MarketView()
    with pytest.raises(BadInput) as touch_refused:
        view.on_touch(desk.touch(bid, ask))
    with pytest.raises(BadInput) as book_refused:
        view.on_book(desk.book(bids=[(bid, 1)], asks=[(ask, 1)]))
    assert touch_refused.value.reason == book_refused.value.reason == reason
    assert seen(view).bids == []


def test_the_vector_holds_what_is_seen(desk: Desk) -> None:
    view, vector = MarketView(), new_book()
    view.on_book(desk.book())
    seen(view).write(vector)
    assert list(vector[B_COUNT : B_COUNT + 2]) == [10, 10]
    assert tuple(vector[B_ROWS : B_ROWS + 2]) == view.bids[0]
    assert tuple(vector[B_ROWS + B_SIDE + 18 : B_ROWS + B_SIDE + 20]) == view.asks[9]
