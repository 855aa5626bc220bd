"""Candles: what a bucket holds, what a silence leaves, and that nothing is lost between intervals."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simvenue.events import BUY, Trade
from simvenue.feeds.candles import INTERVALS, KEPT, LENGTH_MS, MINUTE_MS, Candles, bucket
from tests.unit.simvenue.small_market import USER

COIN = "BTC"
BEGIN_MS = 1_780_000_020_000  # a whole minute
FOREVER_MS = 2**53


def a_print(t_ms: int, px_u: int = 100, sz_u: int = 1) -> Trade:
    return Trade(t_ms * 1_000_000, t_ms * 1_000_000, COIN, BUY, px_u, sz_u, 1, USER, USER)


def built(*prints: Trade) -> Candles:
    candles = Candles()
    for trade in prints:
        candles.on_trade(trade)
    return candles


def test_candle_holds_first_last_highest_lowest_and_the_sums() -> None:
    prices = (105, 109, 101, 104)
    candles = built(*(a_print(BEGIN_MS + i, px, 10 + i) for i, px in enumerate(prices)))
    (row,) = candles.between(COIN, "1m", 0, FOREVER_MS, BEGIN_MS + 10)
    assert (row.open_px_u, row.high_px_u, row.low_px_u, row.close_px_u) == (105, 109, 101, 104)
    assert (row.volume_u, row.prints) == (46, 4)
    assert (row.open_ms, row.close_ms) == (BEGIN_MS, BEGIN_MS + MINUTE_MS)


def test_print_at_the_boundary_belongs_to_the_next_candle() -> None:
    candles = built(a_print(BEGIN_MS), a_print(BEGIN_MS + MINUTE_MS, 107))
    first, second = candles.between(COIN, "1m", 0, FOREVER_MS, BEGIN_MS + MINUTE_MS)
    assert (first.prints, second.prints, second.open_px_u) == (1, 1, 107)


def test_silence_leaves_flat_candles_without_volume_up_to_now() -> None:
    candles = built(a_print(BEGIN_MS, 103))
    rows = candles.between(COIN, "1m", 0, FOREVER_MS, BEGIN_MS + 3 * MINUTE_MS)
    assert [row.prints for row in rows] == [1, 0, 0, 0]
    assert {(row.open_px_u, row.high_px_u, row.low_px_u, row.close_px_u) for row in rows[1:]} == {(103,) * 4}


def test_reading_changes_nothing_that_comes_later() -> None:
    prints = [a_print(BEGIN_MS, 103), a_print(BEGIN_MS + 5 * MINUTE_MS + 7, 99), a_print(BEGIN_MS + 9 * MINUTE_MS, 104)]
    watched = Candles()
    for trade in prints:
        watched.between(COIN, "1m", 0, FOREVER_MS, trade.t_ns // 10**6)
        watched.on_trade(trade)
    end = BEGIN_MS + 10 * MINUTE_MS
    for name in INTERVALS:
        assert watched.between(COIN, name, 0, FOREVER_MS, end) == built(*prints).between(COIN, name, 0, FOREVER_MS, end)


def test_range_takes_every_candle_it_touches() -> None:
    candles = built(a_print(BEGIN_MS))
    rows = candles.between(COIN, "1m", BEGIN_MS + 90_000, BEGIN_MS + 2 * MINUTE_MS, BEGIN_MS + 5 * MINUTE_MS)
    assert [row.open_ms for row in rows] == [BEGIN_MS + MINUTE_MS, BEGIN_MS + 2 * MINUTE_MS]


def test_only_the_newest_candles_are_kept_however_long_the_silence() -> None:
    candles = built(a_print(BEGIN_MS))
    rows = candles.between(COIN, "1m", 0, FOREVER_MS, BEGIN_MS + 100 * KEPT * MINUTE_MS)
    assert len(rows) == KEPT
    assert rows[-1].open_ms == BEGIN_MS + 100 * KEPT * MINUTE_MS
    assert all(after.open_ms == before.close_ms for before, after in pairwise(rows))


def test_market_that_never_printed_has_no_candles() -> None:
    assert Candles().between(COIN, "1m", 0, FOREVER_MS, BEGIN_MS) == []
    assert Candles().current(COIN, "1m") is None


def test_months_follow_the_calendar() -> None:
    december = int(datetime(2026, 12, 15, tzinfo=UTC).timestamp() * 1000)
    begin, end = bucket("1M", december)
    assert datetime.fromtimestamp(begin / 1000, UTC) == datetime(2026, 12, 1, tzinfo=UTC)
    assert datetime.fromtimestamp(end / 1000, UTC) == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", [name for name in INTERVALS if name in LENGTH_MS])
def test_buckets_are_whole_multiples_of_their_length(name: str) -> None:
    begin, end = bucket(name, BEGIN_MS + 1)
    assert begin % LENGTH_MS[name] == 0
    assert begin <= BEGIN_MS + 1 < end == begin + LENGTH_MS[name]


@given(st.lists(st.tuples(st.integers(0, 400_000), st.integers(1, 200), st.integers(1, 50)), min_size=1, max_size=40))
def test_every_interval_tells_the_same_story(steps: list[tuple[int, int, int]]) -> None:
    """Volume and prints add up, candles follow each other without a gap, and the close is the last price."""
    t_ms, prints = BEGIN_MS, []
    for step, px, sz in steps:
        t_ms += step
        prints.append(a_print(t_ms, px, sz))
    candles = built(*prints)
    for name in INTERVALS:
        rows = candles.between(COIN, name, 0, FOREVER_MS, t_ms)
        assert sum(row.volume_u for row in rows) == sum(sz for _, _, sz in steps)
        assert sum(row.prints for row in rows) == len(steps)
        assert rows[-1].close_px_u == steps[-1][1]
        assert all(after.open_ms == before.close_ms for before, after in pairwise(rows))
        for row in rows:
            assert row.low_px_u <= min(row.open_px_u, row.close_px_u)
            assert row.high_px_u >= max(row.open_px_u, row.close_px_u)
