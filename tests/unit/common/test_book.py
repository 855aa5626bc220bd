"""The layered book: the newest word on a price wins, and nothing contradicts the touch."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.book import DEEP_AGE_NS_MAX, LayeredBook, check, subtract_own, touch_over
from common.errors import BadInput
from common.messages import Touch

S = 1_000_000_000
DEEP_BIDS = [(100 - i, 10) for i in range(20)]
DEEP_ASKS = [(101 + i, 10) for i in range(20)]


def a_touch(bid: tuple[int, int] | None, ask: tuple[int, int] | None) -> Touch:
    bid_px, bid_sz = bid or (0, 0)
    ask_px, ask_sz = ask or (0, 0)
    return Touch(1, "BTC", 1, 1, bid_px, bid_sz, ask_px, ask_sz)


def test_a_book_that_saw_nothing_is_empty() -> None:
    book = LayeredBook()
    assert book.merged(5 * S) == ([], [], 0)
    assert book.data_t_ns == 0


def test_the_age_of_data_is_that_of_touch_or_fast() -> None:
    book = LayeredBook()
    book.on_deep(9 * S, DEEP_BIDS, DEEP_ASKS)
    book.on_touch(3 * S, (100, 1), None)
    book.on_fast(5 * S, [], [])
    assert book.data_t_ns == 5 * S


def test_deep_levels_stand_behind_the_fast_ones() -> None:
    book = LayeredBook()
    book.on_deep(1 * S, DEEP_BIDS, DEEP_ASKS)
    book.on_fast(2 * S, [(100, 1), (99, 2)], [(101, 3), (102, 4)])
    bids, asks, fresh = book.merged(2 * S)
    assert bids[:3] == [(100, 1), (99, 2), (98, 10)]
    assert asks[:3] == [(101, 3), (102, 4), (103, 10)]
    assert fresh == 2
    assert len(bids) == 20


def test_deep_levels_move_with_their_own_touch() -> None:
    book = LayeredBook()
    book.on_deep(1 * S, DEEP_BIDS, DEEP_ASKS)
    book.on_touch(2 * S, (103, 7), (105, 8))
    bids, asks = book.levels(2 * S)
    assert bids[:3] == [(103, 7), (102, 10), (101, 10)]  # 3 up
    assert asks[:3] == [(105, 8), (106, 10), (107, 10)]  # 4 up


def test_a_newer_touch_drops_levels_that_are_better_or_across() -> None:
    book = LayeredBook()
    book.on_fast(1 * S, [(100, 1), (99, 2), (98, 3)], [(101, 1), (102, 2)])
    book.on_touch(2 * S, (98, 9), (99, 9))
    bids, asks = book.levels(2 * S)
    assert bids == [(98, 9)]
    assert asks == [(99, 9), (101, 1), (102, 2)]


def test_an_older_touch_says_nothing_over_a_newer_snapshot() -> None:
    book = LayeredBook()
    book.on_touch(1 * S, (104, 9), (106, 9))
    book.on_fast(2 * S, [(100, 1)], [(101, 1)])
    assert book.levels(2 * S) == ([(100, 1)], [(101, 1)])


def test_an_older_fast_layer_is_silent_beside_a_newer_deep_one() -> None:
    book = LayeredBook()
    book.on_fast(1 * S, [(200, 1)], [(201, 1)])
    book.on_deep(2 * S, DEEP_BIDS, DEEP_ASKS)
    assert book.levels(2 * S) == (DEEP_BIDS, DEEP_ASKS)


def test_deep_levels_are_dropped_after_twelve_seconds() -> None:
    book = LayeredBook()
    book.on_deep(1 * S, DEEP_BIDS, DEEP_ASKS)
    book.on_touch(2 * S, (100, 7), (101, 8))
    assert len(book.levels(1 * S + DEEP_AGE_NS_MAX)[0]) == 20
    assert book.levels(1 * S + DEEP_AGE_NS_MAX + 1) == ([(100, 7)], [(101, 8)])


def test_an_empty_side_in_a_newer_layer_empties_the_side() -> None:
    book = LayeredBook()
    book.on_deep(1 * S, DEEP_BIDS, DEEP_ASKS)
    book.on_fast(2 * S, DEEP_BIDS[:5], DEEP_ASKS[:5])
    book.on_touch(3 * S, None, (101, 1))
    bids, asks, fresh = book.merged(3 * S)
    assert bids == []
    assert asks[0] == (101, 1)
    assert fresh == 0


@pytest.mark.parametrize("layer", ["touch", "fast", "deep"])
def test_an_older_message_of_a_layer_is_ignored(layer: str) -> None:
    book = LayeredBook()
    if layer == "touch":
        assert book.on_touch(2 * S, (100, 1), (101, 1))
        assert not book.on_touch(1 * S, (90, 1), (91, 1))
        assert book.on_touch(2 * S, (99, 1), (101, 1)), "the same block may speak twice: the later word counts"
    else:
        take = book.on_fast if layer == "fast" else book.on_deep
        assert take(2 * S, [(100, 1)], [(101, 1)])
        assert not take(1 * S, [(90, 1)], [(91, 1)])
    assert book.levels(2 * S)[1] == [(101, 1)]


@pytest.mark.parametrize(
    ("bids", "asks", "reason"),
    [
        ([(102, 1)], [(101, 1)], "crossed"),
        ([(101, 1)], [(101, 1)], "locked"),
        ([(100, 1), (100, 1)], [], "unsorted"),
        ([(99, 1), (100, 1)], [], "unsorted"),
        ([], [(101, 1), (100, 1)], "unsorted"),
        ([(100, 0)], [], "bad_level"),
        ([(0, 1)], [], "bad_level"),
        ([(-5, 1)], [], "bad_level"),
    ],
)
def test_a_malformed_book_is_refused_by_name(bids: list, asks: list, reason: str) -> None:
    book = LayeredBook()
    book.on_fast(1 * S, [(50, 1)], [(51, 1)])
    with pytest.raises(BadInput) as caught:
        book.on_fast(2 * S, bids, asks)
    assert caught.value.reason == reason
    assert book.levels(2 * S) == ([(50, 1)], [(51, 1)]), "a refused message changes nothing"


def test_subtracting_our_own_size_removes_levels_that_were_only_ours() -> None:
    levels = [(100, 5), (99, 3), (98, 4)]
    assert subtract_own(levels, {100: 2, 99: 3, 97: 8}) == [(100, 3), (98, 4)]
    assert subtract_own(levels, {98: 9}) == [(100, 5), (99, 3)], "never below zero"


def test_touch_over_gives_way_to_the_touch() -> None:
    bids, asks = touch_over([(100, 1), (99, 2)], [(101, 1), (102, 2)], a_touch((101, 4), (102, 5)))
    assert bids == [(101, 4), (100, 1), (99, 2)]
    assert asks == [(102, 5)]
    assert touch_over([(100, 1)], [(101, 1)], a_touch(None, (103, 1))) == ([], [(103, 1)])


sides = st.tuples(
    st.lists(st.integers(1, 500), max_size=20, unique=True), st.lists(st.integers(501, 999), max_size=20, unique=True)
).map(lambda pair: ([(px, 1) for px in sorted(pair[0], reverse=True)], [(px, 1) for px in sorted(pair[1])]))
layers = st.lists(st.tuples(st.sampled_from(["touch", "fast", "deep"]), st.integers(1, 30), sides), max_size=12)


@settings(max_examples=300, deadline=None)
@given(layers, st.integers(1, 40))
def test_whatever_the_layers_say_the_merged_book_is_sorted_uncrossed_and_begins_with_the_newest_touch(
    messages: list, now_s: int
) -> None:
    book = LayeredBook()
    newest: dict[str, tuple[int, tuple]] = {}
    for layer, t_s, (bids, asks) in messages:
        taken = (
            book.on_touch(t_s * S, bids[0] if bids else None, asks[0] if asks else None)
            if layer == "touch"
            else (book.on_fast if layer == "fast" else book.on_deep)(t_s * S, bids, asks)
        )
        if taken:
            newest[layer] = (t_s, (bids[:1], asks[:1]))
    got_bids, got_asks, fresh = book.merged(now_s * S)
    check(got_bids, got_asks)
    assert fresh <= min(len(got_bids), len(got_asks))
    ranks = {"touch": 2, "fast": 1, "deep": 0}
    if newest:
        layer = max(newest, key=lambda name: (newest[name][0], ranks[name]))
        if layer != "deep" or now_s - newest["deep"][0] <= 12:
            assert (got_bids[:1], got_asks[:1]) == newest[layer][1]
