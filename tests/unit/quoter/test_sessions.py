"""Sessions in the engine: factors follow market time, the file's end is told of, and nothing else decides."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from common.config import SESSIONS
from common.messages import Alert, Tick
from common.sessions import Calendar
from common.sessions_file import read_calendar
from quoter.sessions import UNKNOWN, Sessions
from quoter.state import NS, S_SESSION_INVENTORY, S_SESSION_SIZE, S_SESSION_SPREAD, new_state
from tests.unit.quoter.builders import PX, T0, Desk, settings

DAY_NS = 86_400 * NS
CALENDAR = read_calendar("us-ats")


def ny(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York")).timestamp()) * NS


class Told:
    """Sessions, a state, and what the last tick wrote."""

    def __init__(self, calendar: Calendar | None = CALENDAR, **quoting: Any) -> None:
        self.sessions = Sessions(settings(**quoting), calendar)
        self.state, _ = new_state()

    def tick(self, t_ns: int, offset_ns: int = 0) -> bool:
        return self.sessions.on_tick(Tick(t_ns, 0, offset_ns), self.state)

    @property
    def factors(self) -> tuple[float, float, float]:
        return self.state[S_SESSION_SPREAD], self.state[S_SESSION_SIZE], self.state[S_SESSION_INVENTORY]


def row(name: str) -> tuple[float, float, float]:
    return next((r.spread, r.size, r.inventory) for r in SESSIONS if r.name == name)


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        ("2026-11-18T12:00", "regular"),
        ("2026-11-18T08:00", "extended"),
        ("2026-11-18T22:00", "overnight"),
        ("2026-11-21T12:00", "weekend"),
        ("2026-11-26T12:00", "holiday"),
        ("2026-11-22T19:00", "reopen"),
    ],
)
def test_market_time_decides_the_session(moment: str, name: str) -> None:
    told = Told()
    assert told.tick(ny(moment))
    assert (told.sessions.name, told.factors) == (name, row(name))


def test_a_change_is_told_once() -> None:
    told, bell = Told(), ny("2026-11-18T09:30")
    assert told.tick(bell - NS)
    assert not told.tick(bell - 1)
    assert told.tick(bell)
    assert not told.tick(bell + NS)
    assert told.factors == row("regular")


def test_a_replay_stands_at_the_recordings_time_and_may_jump_back() -> None:
    told, now = Told(), ny("2026-11-18T12:00")
    assert told.tick(now, ny("2026-11-21T12:00") - now)
    assert told.sessions.name == "weekend"
    assert told.tick(now + NS, ny("2026-11-17T12:00") - now)
    assert told.sessions.name == "regular"


def test_beyond_the_file_the_widest_of_everything_holds_and_is_told_once_a_day() -> None:
    told, end = Told(), CALENDAR.until_ns
    told.tick(end)
    widest = max(r.spread for r in SESSIONS), min(r.size for r in SESSIONS), min(r.inventory for r in SESSIONS)
    assert (told.sessions.name, told.factors) == (UNKNOWN, widest)
    alerts = [told.sessions.warning(end + h * 3_600 * NS) for h in range(48)]
    assert [bool(a) for a in alerts] == [h % 24 == 0 for h in range(48)]
    assert "widest quotes" in alerts[0][0].text


def test_before_the_file_the_widest_holds_as_well() -> None:
    told = Told()
    told.tick(CALENDAR.starts_ns[0] - 1)
    assert told.sessions.name == UNKNOWN
    assert told.sessions.warning(0)


def test_the_end_of_the_file_is_told_thirty_days_ahead_and_not_earlier() -> None:
    told = Told()
    told.tick(CALENDAR.until_ns - 31 * DAY_NS)
    assert told.sessions.warning(0) == []
    told.tick(CALENDAR.until_ns - 29 * DAY_NS)
    (alert,) = told.sessions.warning(0)
    assert isinstance(alert, Alert)
    assert "ends in 29 days" in alert.text


def test_without_a_calendar_it_is_always_regular_and_nothing_ends() -> None:
    told = Told(None)
    assert told.tick(CALENDAR.until_ns + DAY_NS)
    assert (told.sessions.name, told.factors) == ("regular", row("regular"))
    assert told.sessions.warning(0) == []
    assert told.sessions.days_left is None


def test_a_person_may_name_the_session() -> None:
    told = Told(session="holiday")
    told.tick(ny("2026-11-18T12:00"))
    assert (told.sessions.name, told.factors) == ("holiday", row("holiday"))


def test_the_table_has_every_session_once() -> None:
    with pytest.raises(ValidationError, match="one row for each"):
        settings(session_table=[SESSIONS[0]] * 7)


# ---------------------------------------------------------------------- through the engine
def usd(levels: list[Any]) -> float:
    return sum(level.px_u * level.sz_u for level in levels) / 1e6


def test_a_weekend_quotes_wider_and_less_than_a_regular_session() -> None:
    regular, weekend = (
        Desk(session="regular", min_spread_bps=5.0).start().live(150.0).ladder,
        Desk(session="weekend", min_spread_bps=5.0).start().live(150.0).ladder,
    )
    assert 0 < weekend.bids[0].px_u < regular.bids[0].px_u < PX < regular.asks[0].px_u < weekend.asks[0].px_u
    assert 0 < usd(weekend.bids) < usd(regular.bids)


def test_the_bell_changes_the_ladder_with_the_next_tick() -> None:
    desk = Desk(min_spread_bps=5.0)
    desk.engine.sessions = Sessions(desk.settings, Calendar((0, T0 + 150 * NS), ("weekend", "regular"), 2**61))
    before = desk.start().live(149.0).ladder
    assert desk.engine.sessions.name == "weekend"
    after = desk.live(2.0).ladder
    assert desk.engine.sessions.name == "regular"
    assert after.bids[0].px_u > before.bids[0].px_u


def test_the_engine_tells_a_person_that_the_calendar_ends() -> None:
    desk = Desk()
    desk.engine.sessions = Sessions(desk.settings, Calendar((0,), ("regular",), T0 + 10 * DAY_NS))
    assert [a.name for a in desk.start().found(Alert)] == ["SessionCalendarEnds"]
    assert desk.live(5.0).found(Alert) == []


# ---------------------------------------------------------------------- live fees
def test_a_dearer_fee_moves_the_quotes_out_at_once() -> None:
    desk = Desk().start().live(150.0)
    before = desk.ladder
    after = desk.send(desk.permit(), desk.account(fee_ppb=600_000)).ladder
    assert after.version > before.version
    assert after.bids[0].px_u < before.bids[0].px_u
    assert after.inputs is not None
    assert after.inputs.floor_bid_bps > 6.0


def test_unknown_fees_withdraw_all_quotes_and_known_ones_bring_them_back() -> None:
    desk = Desk().start().live(150.0)
    gone = desk.send(desk.permit(), desk.account(fee_ppb=None)).live(0.5).ladder
    assert (gone.bids, gone.asks) == ([], [])
    assert "no_fee" in gone.reasons
    back = desk.send(desk.permit(), desk.account()).live(1.0).ladder
    assert back.bids
    assert back.asks
