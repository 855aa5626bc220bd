"""The generator's own rules, on days written by hand; it needs no calendar library for them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from scripts.sessions import Day, Stretch, ats, calendar, filled, futures, stamp, text

NOON = datetime(2026, 11, 18, 17, tzinfo=UTC)


def a_day(day: str, opens: str = "14:30", close: str = "21:00", half: bool = False) -> Day:
    return Day(
        date.fromisoformat(day),
        datetime.fromisoformat(f"{day}T{opens}+00:00"),
        datetime.fromisoformat(f"{day}T{close}+00:00"),
        half,
    )


def names(stretches: list[Stretch]) -> list[tuple[str, str]]:
    return [(stamp(begin), name) for begin, name in filled(stretches)]


def test_neighbouring_days_leave_no_hole_and_a_silent_hour_is_a_gap() -> None:
    days = [a_day("2026-11-17"), a_day("2026-11-18")]
    assert "gap" not in {name for _, name in names([s for d in days for s in ats(d)])}
    assert ("2026-11-17T22:00Z", "gap") in names([s for d in days for s in futures(d)])


def test_a_half_day_ends_after_hours_at_five() -> None:
    last = list(ats(a_day("2026-11-27", close="18:00", half=True)))[-1]
    assert (stamp(last.begin), stamp(last.end)) == ("2026-11-27T18:00Z", "2026-11-27T22:00Z")


def test_a_long_silence_is_a_holiday_and_with_a_saturday_a_weekend() -> None:
    tuesday, thursday, monday = a_day("2026-11-17"), a_day("2026-11-19"), a_day("2026-11-23")
    assert ("2026-11-18T01:00Z", "holiday") in names([s for d in (tuesday, thursday) for s in ats(d)])
    assert ("2026-11-20T01:00Z", "weekend") in names([s for d in (thursday, monday) for s in ats(d)])


def test_the_futures_holiday_ends_at_one_and_has_no_index() -> None:
    found = list(futures(Day(date(2026, 11, 26), None, None, half=True)))
    assert {s.name for s in found} == {"overnight"}
    assert stamp(found[-1].end) == "2026-11-26T18:00Z"


def test_sessions_that_overlap_are_refused() -> None:
    first = Stretch("regular", NOON, NOON + timedelta(hours=2))
    with pytest.raises(ValueError, match="begins before"):
        calendar([first, Stretch("extended", NOON + timedelta(hours=1), NOON + timedelta(hours=3))])


def test_the_text_is_the_calendar_it_was_made_from() -> None:
    made = calendar([s for d in (a_day("2026-11-17"), a_day("2026-11-18")) for s in ats(d)])
    assert json.loads(text("a test", {"us-ats": made}))["calendars"]["us-ats"] == made
