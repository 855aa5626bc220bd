"""Another venue's time, told from the stamps of its messages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simvenue.mirror.venue_time import BACK_S, HOLD_S, STRANGE_MAX, VenueTime

S = 1_000_000_000
MS = 1_000_000
T0 = 1_780_000_000 * S
HOLD = int(HOLD_S * S)


def test_nothing_is_known_before_the_first_message() -> None:
    venue = VenueTime(1.0)
    assert not venue.is_known
    assert venue.at(5 * S) == 0


def test_time_is_that_of_the_fastest_message_less_the_hold() -> None:
    venue = VenueTime(1.0)
    for sent_ms, way_ms in ((0, 60), (10, 35), (20, 80)):
        venue.observe(T0 + sent_ms * MS, (sent_ms + way_ms) * MS)
    assert venue.at(100 * MS) == T0 + 65 * MS - HOLD


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 300)), min_size=1, max_size=200))
def test_time_never_goes_back_and_is_never_ahead_of_the_venue(steps: list[tuple[int, int]]) -> None:
    """Messages every `step` ms, each `way` ms under way: however they come, our time stays behind the venue's."""
    venue, sent_ms, last = VenueTime(1.0), 0, 0
    arrivals = []
    for step, way in steps:
        sent_ms += step
        arrivals.append((sent_ms + way, sent_ms))
    for came_ms, sent in sorted(arrivals):
        venue.observe(T0 + sent * MS, came_ms * MS)
        now = venue.at(came_ms * MS)
        assert last <= now <= T0 + came_ms * MS
        last = now


def test_drifting_clock_is_followed_within_a_minute() -> None:
    """The venue's clock loses 100 ms in two minutes: the lead of the last minute counts, not the greatest ever."""
    venue = VenueTime(1.0)
    for second in range(120):
        venue.observe(T0 + second * S - second * MS * 100 // 120, second * S)
    want = T0 + 120 * S - 100 * MS - HOLD
    assert abs(venue.at(120 * S) - want) < 60 * MS


def test_faster_market_passes_more_time() -> None:
    venue = VenueTime(20.0)
    venue.observe(T0, 0)
    assert venue.at(S) == T0 + 20 * S - 20 * HOLD
    assert venue.at(2 * S) == T0 + 40 * S - 20 * HOLD


def test_one_stamp_from_the_future_moves_nothing() -> None:
    venue = VenueTime(1.0)
    venue.observe(T0, 0)
    venue.observe(T0 + 3600 * S, S)
    assert venue.at(S) == T0 + S - HOLD


def test_venue_that_goes_on_saying_so_is_believed() -> None:
    """Our own clock may have stood still while the machine slept."""
    venue = VenueTime(1.0)
    venue.observe(T0, 0)
    for k in range(STRANGE_MAX):
        venue.observe(T0 + 3600 * S, S + k * MS)
    assert venue.at(S + STRANGE_MAX * MS) > T0 + 3599 * S


def test_time_that_went_back_is_noticed() -> None:
    venue = VenueTime(1.0)
    venue.observe(T0 + 1000 * S, 0)
    assert venue.at(S) > T0
    assert venue.went_back_s(S) == 0.0
    for second in range(70, 140):
        venue.observe(T0, second * S)
    assert venue.went_back_s(140 * S) > BACK_S
