"""The shipped calendar at moments a person can check, and files that must be refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from common.config import SESSION_NAMES, Market
from common.errors import ConfigError
from common.sessions import Calendar
from common.sessions_file import read_calendar

NEW_YORK = ZoneInfo("America/New_York")
ATS = read_calendar("us-ats")
FUTURES = read_calendar("us-futures")


def ns(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000


def ny(text: str) -> int:
    """A moment written in New York time."""
    return ns(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK))


@pytest.mark.parametrize(
    ("moment", "ats", "futures"),
    [
        ("2026-11-18T12:00", "regular", "regular"),  # a Wednesday
        ("2026-11-18T09:29", "extended", "extended"),
        ("2026-11-18T09:30", "regular", "regular"),
        ("2026-11-18T15:59", "regular", "regular"),
        ("2026-11-18T16:00", "extended", "extended"),
        ("2026-11-18T17:30", "extended", "gap"),
        ("2026-11-18T18:00", "extended", "overnight"),
        ("2026-11-18T20:00", "overnight", "overnight"),
        ("2026-11-19T03:59", "overnight", "overnight"),
        ("2026-11-19T04:00", "extended", "extended"),
    ],
)
def test_a_plain_day_has_its_sessions(moment: str, ats: str, futures: str) -> None:
    assert (ATS.at(ny(moment)).name, FUTURES.at(ny(moment)).name) == (ats, futures)


@pytest.mark.parametrize(
    ("moment", "ats", "futures"),
    [
        ("2026-11-20T16:59", "extended", "extended"),
        ("2026-11-20T17:00", "extended", "weekend"),
        ("2026-11-20T20:00", "weekend", "weekend"),
        ("2026-11-21T12:00", "weekend", "weekend"),
        ("2026-11-22T17:59", "weekend", "weekend"),
        ("2026-11-22T18:00", "reopen", "reopen"),  # the futures open: what the market thought is put to the test
        ("2026-11-22T18:15", "reopen", "overnight"),
        ("2026-11-22T20:14", "reopen", "overnight"),  # the overnight prices are back since 20:00
        ("2026-11-22T20:15", "overnight", "overnight"),
    ],
)
def test_sunday_reopens_with_care(moment: str, ats: str, futures: str) -> None:
    assert (ATS.at(ny(moment)).name, FUTURES.at(ny(moment)).name) == (ats, futures)


@pytest.mark.parametrize(
    ("moment", "ats", "futures"),
    [
        ("2026-11-25T19:59", "extended", "overnight"),
        ("2026-11-25T20:00", "holiday", "overnight"),  # Thanksgiving: no overnight session before a holiday
        ("2026-11-26T12:59", "holiday", "overnight"),
        ("2026-11-26T13:00", "holiday", "holiday"),  # the futures stop early
        ("2026-11-26T18:00", "reopen", "reopen"),
        ("2026-11-26T20:15", "overnight", "overnight"),
        ("2026-07-03T12:00", "weekend", "overnight"),  # 4 July is a Saturday: kept on Friday, one with its weekend
        ("2026-04-03T12:00", "weekend", "weekend"),  # Good Friday: closed from Thursday evening to Sunday
        ("2026-05-25T19:00", "reopen", "overnight"),  # Memorial Day is a Monday: the reopen is that evening
        ("2026-05-25T12:00", "weekend", "overnight"),
        ("2025-01-09T12:00", "holiday", "holiday"),  # the day of mourning for President Carter
    ],
)
def test_holidays_are_no_trading_days(moment: str, ats: str, futures: str) -> None:
    assert (ATS.at(ny(moment)).name, FUTURES.at(ny(moment)).name) == (ats, futures)


@pytest.mark.parametrize("day", ["2026-11-27", "2026-12-24", "2028-07-03"])
def test_a_half_day_closes_at_one(day: str) -> None:
    assert ATS.at(ny(f"{day}T12:59")).name == FUTURES.at(ny(f"{day}T12:59")).name == "regular"
    assert ATS.at(ny(f"{day}T13:00")).name == "extended"
    assert FUTURES.at(ny(f"{day}T13:00")).name in ("weekend", "holiday")
    assert ATS.at(ny(f"{day}T17:00")).name in ("weekend", "holiday")


@pytest.mark.parametrize(
    ("before", "after", "shift_h"),
    [("2026-03-06", "2026-03-09", -1), ("2026-10-30", "2026-11-02", 1)],
)
def test_daylight_saving_moves_the_bell_in_utc_only(before: str, after: str, shift_h: int) -> None:
    bells = [datetime.fromisoformat(f"{day}T09:30").replace(tzinfo=NEW_YORK).astimezone(UTC) for day in (before, after)]
    assert (bells[1] - bells[0]) % timedelta(days=1) == timedelta(hours=shift_h) % timedelta(days=1)
    for bell in bells:
        assert ATS.at(ns(bell) - 1).name == "extended"
        assert ATS.at(ns(bell)).name == "regular"
        assert ATS.at(ns(bell)).from_ns == ns(bell)


def test_the_night_of_the_clock_change_has_one_session_and_no_hole() -> None:
    for sunday in ("2026-03-08", "2026-11-01"):
        span = ATS.at(ny(f"{sunday}T03:30"))
        assert span.name == "weekend"
        assert ATS.at(span.until_ns).name == "reopen"


@pytest.mark.parametrize("calendar", [ATS, FUTURES])
def test_every_moment_has_one_session_until_the_end_and_none_beyond(calendar: Calendar) -> None:
    assert set(calendar.names) <= set(SESSION_NAMES)
    assert all(a < b for a, b in zip(calendar.starts_ns, calendar.starts_ns[1:], strict=False))
    assert all(a != b for a, b in zip(calendar.names, calendar.names[1:], strict=False))
    assert calendar.at(calendar.until_ns - 1).name != ""
    assert calendar.at(calendar.until_ns).name == ""
    assert calendar.at(calendar.starts_ns[0] - 1).name == ""
    assert calendar.days_left(calendar.until_ns) == 0.0


def test_the_shipped_calendar_reaches_three_years_beyond_the_year_it_was_made_in() -> None:
    assert min(ATS.until_ns, FUTURES.until_ns) >= ny("2029-12-31T16:00")


def test_regular_hours_of_a_year_are_those_of_the_exchange() -> None:
    """2026: 251 trading days, two of them half."""
    begin, end = ny("2026-01-01T00:00"), ny("2027-01-01T00:00")
    spans = [
        ATS.at(t) for t, name in zip(ATS.starts_ns, ATS.names, strict=True) if name == "regular" and begin < t < end
    ]
    hours = sorted((s.until_ns - s.from_ns) / 3.6e12 for s in spans)
    assert len(hours) == 251
    assert hours == [3.5, 3.5] + [6.5] * 249


# ---------------------------------------------------------------------- which calendar
@pytest.mark.parametrize(
    ("coin", "kind", "calendar", "expected"),
    [
        ("km:US500", "index", "auto", "us-ats"),
        ("mkts:US500", "index", "auto", "us-ats"),
        ("xyz:SP500", "index", "auto", "us-futures"),
        ("BTC", "crypto", "auto", "none"),
        ("cash:USA500", "index", "us-futures", "us-futures"),
    ],
)
def test_a_market_keeps_the_hours_of_its_oracle(coin: str, kind: Any, calendar: Any, expected: str) -> None:
    assert Market(coin=coin, collateral="USDC", kind=kind, calendar=calendar).session_calendar == expected


# ---------------------------------------------------------------------- files
GOOD = {"until": "2026-01-02T00:00Z", "starts": [["2026-01-01T00:00Z", "weekend"], ["2026-01-01T10:00Z", "regular"]]}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "sessions.json"
    path.write_text(json.dumps({"source": "a test", "calendars": {"us-ats": GOOD | changes}}))
    return path


def test_a_good_file_is_read(tmp_path: Path) -> None:
    assert read_calendar("us-ats", written(tmp_path)).names == ("weekend", "regular")


@pytest.mark.parametrize(
    "changes",
    [
        {"until": "2026-01-01T09:00Z"},
        {"until": "soon"},
        {"starts": []},
        {"starts": [["2026-01-01T10:00Z", "regular"], ["2026-01-01T10:00Z", "weekend"]]},
        {"starts": [["2026-01-01T10:00Z", "lunch"]]},
        {"starts": [["2026-13-01T10:00Z", "regular"]]},
        {"starts": [["2026-01-01T10:00Z"]]},
        {"starts": "none"},
        {"more": 1},
    ],
)
def test_a_calendar_that_would_mislead_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"config/sessions\.json.*make sessions"):
        read_calendar("us-ats", written(tmp_path, **changes))


def test_a_missing_file_or_calendar_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is missing"):
        read_calendar("us-ats", tmp_path / "sessions.json")
    with pytest.raises(ConfigError, match="has no calendar 'us-futures'"):
        read_calendar("us-futures", written(tmp_path))
    (tmp_path / "sessions.json").write_text("{")
    with pytest.raises(ConfigError, match="make sessions"):
        read_calendar("us-ats", tmp_path / "sessions.json")
