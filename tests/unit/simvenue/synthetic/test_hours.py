"""Hours of the week: New York's session and its U-shape, nights, weekends, daylight saving."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from simvenue.synthetic.hours import mean_activity, new_york, next_change_ns, pace_at

NS = 10**9


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NS


@pytest.mark.parametrize(
    ("utc", "local"),
    [
        ("2026-01-15 14:30", "09:30"), ("2026-07-15 13:30", "09:30"), ("2026-03-08 06:59", "01:59"),
        ("2026-03-08 07:00", "03:00"), ("2026-11-01 05:59", "01:59"), ("2026-11-01 06:00", "01:00"),
    ],
)  # fmt: skip
def test_new_york_keeps_daylight_saving(utc: str, local: str) -> None:
    assert new_york(at(utc)).strftime("%H:%M") == local


def test_the_session_is_busy_at_both_ends_and_quiet_at_noon() -> None:
    """Ratios of SPY 1-minute volatility by hour (market-data.md, table 7)."""
    hours = [pace_at("index", at(f"2026-07-15 {h:02d}:45")).activity ** 0.5 for h in range(13, 20)]
    page = [3.5, 3.1, 2.5, 2.2, 2.8, 3.1, 3.3]
    assert [h / hours[0] for h in hours] == pytest.approx([p / page[0] for p in page])


def test_the_session_averages_to_one() -> None:
    blocks = [pace_at("index", at("2026-07-15 13:30") + k * 1_800 * NS) for k in range(13)]
    assert sum(b.activity for b in blocks) / 13 == pytest.approx(1.0)
    assert {b.width for b in blocks} == {1.0}


@pytest.mark.parametrize(
    ("utc", "activity", "width"),
    [
        ("2026-07-15 13:29", 0.26, 3.0),  # before the open
        ("2026-07-15 20:00", 0.26, 3.0),  # the close
        ("2026-07-17 21:00", 0.05, 5.0),  # Friday evening
        ("2026-07-18 15:00", 0.05, 5.0),  # Saturday
        ("2026-07-19 21:59", 0.05, 5.0),  # Sunday before the futures open
        ("2026-07-19 22:00", 0.26, 3.0),
    ],
)  # fmt: skip
def test_nights_are_quiet_and_weekends_quieter(utc: str, activity: float, width: float) -> None:
    assert pace_at("index", at(utc)) == (activity, width)


def test_a_market_without_hours_is_always_the_same() -> None:
    assert pace_at("always", at("2026-07-18 15:00")) == (1.0, 1.0)
    assert mean_activity("always") == 1.0


def test_crypto_is_busiest_when_new_york_opens_and_averages_to_one() -> None:
    by_hour = [pace_at("crypto", at(f"2026-07-18 {h:02d}:00")).activity for h in range(24)]
    assert by_hour.index(max(by_hour)) == 14
    assert mean_activity("crypto") == pytest.approx(1.0, abs=0.01)


def test_an_index_has_a_third_of_its_sessions_variance_over_the_week() -> None:
    assert mean_activity("index") == pytest.approx(0.342, abs=0.001)


def test_paces_hold_for_half_hours() -> None:
    assert next_change_ns(at("2026-07-15 13:31")) == at("2026-07-15 14:00")
    assert next_change_ns(at("2026-07-15 13:30")) == at("2026-07-15 14:00")
