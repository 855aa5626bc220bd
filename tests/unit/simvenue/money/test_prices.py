"""Oracle and mark: who sets them, how often, how far they move."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simvenue.events import Context
from simvenue.money.prices import DAY_NS, HOUR_UPDATES, UPDATE_NS, Prices
from tests.unit.simvenue.floor import Floor
from tests.unit.simvenue.tape import STANDX, T0, S

DAY = 20_000 * DAY_NS


def a_market(px: int = 10_000, **more: bool) -> Prices:
    prices = Prices(**more)
    prices.update(2 * px, 2 * px, DAY)
    return prices


def test_a_derived_oracle_is_the_recorded_mid_of_one_update_ago() -> None:
    prices = a_market()
    prices.update(2 * 10_050, 2 * 10_050, DAY + UPDATE_NS)
    assert prices.oracle_px_u == 10_000
    prices.update(2 * 10_060, 2 * 10_060, DAY + 2 * UPDATE_NS)
    assert prices.oracle_px_u == 10_050


def test_a_derived_mark_is_the_median_of_oracle_local_mid_and_last() -> None:
    prices = a_market()
    prices.last_px_u = 10_020
    prices.update(20_000, 20_080, DAY + UPDATE_NS)
    assert prices.mark_px_u == 10_020


@given(st.integers(100, 10**7), st.integers(1, 10**8))
def test_a_builder_dexs_mark_moves_at_most_one_percent_an_update(before: int, wanted: int) -> None:
    prices = a_market(before)
    prices.update(2 * wanted, 2 * wanted, DAY + UPDATE_NS)
    prices.update(2 * wanted, 2 * wanted, DAY + 2 * UPDATE_NS)
    assert abs(prices.mark_px_u - before) <= max(1, before // 100)
    assert prices.previous_mark_px_u == before


def test_the_first_dexs_mark_is_not_bounded() -> None:
    prices = a_market(is_bounded=False)
    for k in (1, 2):
        prices.update(40_000, 40_000, DAY + k * UPDATE_NS)
    assert prices.mark_px_u == 20_000


def test_a_told_mark_is_taken_as_it_is() -> None:
    prices = a_market()
    assert prices.follow(50_000, 50_010)
    assert (prices.oracle_px_u, prices.mark_px_u, prices.previous_mark_px_u) == (50_000, 50_010, 10_000)


# ---------------------------------------------------------------------- setOracle
@pytest.mark.parametrize(
    ("marks", "touch", "expected"),
    [
        ((), (9_990, 10_010), 10_000),  # bid, ask: their middle
        ((10_040, 10_060), (9_990, 10_010), 10_040),
        ((10_040,), (9_990, 10_010), 10_020),  # of two the middle
        ((), None, 10_030),  # a side is empty, no mark given: the oracle
        ((10_060,), None, 10_060),
    ],
)
def test_a_set_mark_is_the_median_of_the_deployers_and_the_local_one(
    marks: tuple[int, ...], touch: tuple[int, int] | None, expected: int
) -> None:
    prices = a_market()
    assert prices.set_oracle(DAY + S, 10_030, marks, touch) is None
    assert (prices.oracle_px_u, prices.mark_px_u) == (10_030, expected)


def test_the_local_mark_is_the_median_of_bid_ask_and_last() -> None:
    prices = a_market()
    prices.last_px_u = 10_010
    prices.set_oracle(DAY + S, 10_030, (), (9_990, 10_010))
    assert prices.mark_px_u == 10_010


def test_updates_come_at_least_two_and_a_half_seconds_apart() -> None:
    prices = a_market()
    assert prices.set_oracle(DAY, 10_000) is None
    assert prices.set_oracle(DAY + 5 * S // 2 - 1, 10_001) is not None
    assert prices.oracle_px_u == 10_000
    assert prices.set_oracle(DAY + 5 * S // 2, 10_001) is None


def test_set_prices_stay_within_ten_times_the_days_first() -> None:
    prices = a_market()
    prices.set_oracle(DAY, 10_000)
    assert prices.set_oracle(DAY + 3 * S, 100_001) is not None
    assert prices.set_oracle(DAY + 3 * S, 10_000, (999,)) is not None
    assert prices.set_oracle(DAY + 3 * S, 100_000) is None
    assert prices.set_oracle(DAY + DAY_NS, 200_000) is None  # another day


@pytest.mark.parametrize("marks", [(1, 2, 3), (0,), (-5,)])
def test_bad_marks_are_refused(marks: tuple[int, ...]) -> None:
    assert a_market().set_oracle(DAY, 10_000, marks) is not None


def test_after_ten_seconds_without_an_update_the_mark_follows_the_local_book() -> None:
    prices = a_market()
    prices.set_oracle(DAY, 10_000, (10_000,), (10_050, 10_070))
    assert prices.mark_px_u == 10_030
    prices.update(20_120, 20_120, DAY + 10 * S, (10_050, 10_070))
    assert prices.mark_px_u == 10_030
    prices.update(20_120, 20_120, DAY + 10 * S + 1, (10_050, 10_070))
    assert (prices.mark_px_u, prices.oracle_px_u) == (10_060, 10_000)


def test_the_hours_mean_is_over_its_updates() -> None:
    prices = Prices()
    for k in range(HOUR_UPDATES + 10):
        prices.follow(100 if k < 10 + HOUR_UPDATES // 2 else 200, 100)
    assert prices.oracle_mean_1h_px_u == 150


# ---------------------------------------------------------------------- in the venue
def test_the_venue_updates_every_three_seconds_and_tells_it() -> None:
    floor = Floor((STANDX, 9_000_000, 100))
    floor.mark(STANDX.coin, 9_100_000)
    floor.mark(STANDX.coin, 9_050_000)
    told = [(c.t_ns - T0, c.mark_px_u) for c in floor.of(Context)]
    assert told == [(0, 9_000_000), (3 * S, 9_100_000), (6 * S, 9_050_000)]


def test_once_a_deployer_sets_the_oracle_the_recording_no_longer_does() -> None:
    floor = Floor((STANDX, 9_000_000, 100))
    floor.tapes[STANDX.coin].told = None
    assert floor.exchange.set_oracle(STANDX.coin, 9_020_000) is None
    floor.wait(9)
    assert floor.of(Context)[-1].oracle_px_u == 9_020_000
