"""Write `config/sessions.json`: when the sessions of a market's underlying begin, in UTC, for years ahead.

    python -m scripts.sessions --first 2025-01-01 --last 2029-12-31

Two calendars, by what the oracle rests on (hyperliquid.md 11; times of New York):
- `us-ats`: exchange prices in the regular session, after-hours prices 4:00-9:30 and from the close to 20:00 (17:00 on
  half days), overnight prices of the US ATS from 20:00 before each trading day to 4:00, else the market's own book.
  (The venue's deployer names these sources, not their hours: the hours are the sources' own.)
- `us-futures`: futures from 18:00 before each trading day to 17:00, the index itself in the regular session; on a
  holiday of the exchange the futures trade until 13:00.

What lies between is a `gap` when shorter than four hours, a `weekend` when a Saturday is in it, else a `holiday`.
Around the end of a weekend or holiday is the `reopen`: from 18:00, when the futures that everybody watches open, until
15 minutes after the oracle's own sources are back. Days come from `exchange_calendars` (XNYS, CMES); it is needed here
alone (`requirements/sessions.txt`, `make sessions`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

FILE = Path(__file__).resolve().parent.parent / "config" / "sessions.json"
NEW_YORK = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
GAP_MAX = timedelta(hours=4)
REOPEN_TAIL = timedelta(minutes=15)
SATURDAY = 5


@dataclass(frozen=True)
class Day:
    """One trading day of the underlying: `close` of the regular session, None on an exchange holiday with futures."""

    day: date
    opens: datetime | None
    close: datetime | None
    half: bool


@dataclass(frozen=True)
class Stretch:
    """A session from `begin` to `end`, UTC."""

    name: str
    begin: datetime
    end: datetime


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment of New York in UTC."""
    return datetime.combine(day, time(hour, minute), NEW_YORK).astimezone(UTC)


def ats(one: Day) -> Iterator[Stretch]:
    """One trading day at the exchange, after hours and overnight."""
    if one.opens is None or one.close is None:
        return
    yield Stretch("overnight", at(one.day - DAY, 20), at(one.day, 4))
    yield Stretch("extended", at(one.day, 4), one.opens)
    yield Stretch("regular", one.opens, one.close)
    yield Stretch("extended", one.close, at(one.day, 17 if one.half else 20))


def futures(one: Day) -> Iterator[Stretch]:
    """One trading day of the futures, with the index in the regular session."""
    yield Stretch("overnight", at(one.day - DAY, 18), at(one.day, 4))
    if one.opens is None or one.close is None:
        yield Stretch("overnight", at(one.day, 4), at(one.day, 13))
        return
    yield Stretch("extended", at(one.day, 4), one.opens)
    yield Stretch("regular", one.opens, one.close)
    if not one.half:
        yield Stretch("extended", one.close, at(one.day, 17))


def filled(stretches: list[Stretch]) -> Iterator[tuple[datetime, str]]:
    """The beginnings of all sessions, what lies between the known ones included."""
    end = stretches[0].begin
    for stretch in stretches:
        silent = stretch.begin - end
        if silent < timedelta(0):
            raise ValueError(f"{stretch.name} at {stretch.begin} begins before {end}")
        if silent:
            yield from pause(end, stretch.begin)
        if silent >= GAP_MAX:
            yield stretch.begin + REOPEN_TAIL, stretch.name
        else:
            yield stretch.begin, stretch.name
        end = stretch.end


def pause(begin: datetime, end: datetime) -> Iterator[tuple[datetime, str]]:
    """A time without prices from outside."""
    if end - begin < GAP_MAX:
        yield begin, "gap"
        return
    hours = (end - begin) // timedelta(hours=1)
    weekdays = {(begin + timedelta(hours=hour)).astimezone(NEW_YORK).weekday() for hour in range(hours)}
    yield begin, "weekend" if SATURDAY in weekdays else "holiday"
    yield at(end.astimezone(NEW_YORK).date(), 18), "reopen"


def trading_days(first: date, last: date) -> tuple[list[Day], list[Day]]:
    """Days of the exchange, and days of the futures (holidays of the exchange on which they trade among them)."""
    import exchange_calendars  # noqa: PLC0415 (the generator alone has it)

    span: dict[str, Any] = {"start": first.isoformat(), "end": last.isoformat()}
    exchange = exchange_calendars.get_calendar("XNYS", **span)
    cme = exchange_calendars.get_calendar("CMES", **span)
    halves = {stamp.date() for stamp in exchange.early_closes}
    table = exchange.schedule
    days = {
        stamp.date(): Day(
            stamp.date(), row.open.to_pydatetime(), row.close.to_pydatetime(), half=stamp.date() in halves
        )
        for stamp, row in table.iterrows()
    }
    futures_days = [days.get(stamp.date(), Day(stamp.date(), None, None, half=True)) for stamp in cme.sessions]
    return list(days.values()), futures_days


def calendar(stretches: list[Stretch]) -> dict[str, Any]:
    """One calendar as it stands in the file; neighbours of the same name are one session."""
    starts: list[tuple[datetime, str]] = []
    for begin, name in filled(stretches):
        if not starts or starts[-1][1] != name:
            starts.append((begin, name))
    return {"until": stamp(stretches[-1].end), "starts": [[stamp(begin), name] for begin, name in starts]}


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def text(source: str, calendars: dict[str, dict[str, Any]]) -> str:
    """JSON with one UTC day a line, so that a change can be read."""
    parts = []
    for name, body in calendars.items():
        lines: dict[str, list[str]] = {}
        for row in body["starts"]:
            lines.setdefault(row[0][:10], []).append(json.dumps(row))
        rows = ",\n".join("   " + ", ".join(line) for line in lines.values())
        parts.append(f'  {json.dumps(name)}: {{"until": {json.dumps(body["until"])}, "starts": [\n{rows}]}}')
    return f'{{"source": {json.dumps(source)},\n "calendars": {{\n' + ",\n".join(parts) + "}}\n"


def main() -> None:
    import exchange_calendars  # noqa: PLC0415

    parser = argparse.ArgumentParser(description="write config/sessions.json")
    parser.add_argument("--first", type=date.fromisoformat, required=True, help="first day, e.g. 2025-01-01")
    parser.add_argument("--last", type=date.fromisoformat, required=True, help="last day, at least three years ahead")
    parser.add_argument("--out", type=Path, default=FILE)
    asked = parser.parse_args()
    exchange_days, futures_days = trading_days(asked.first, asked.last)
    calendars = {
        "us-ats": calendar([stretch for day in exchange_days for stretch in ats(day)]),
        "us-futures": calendar([stretch for day in futures_days for stretch in futures(day)]),
    }
    version = exchange_calendars.__version__
    command = f"python -m scripts.sessions --first {asked.first} --last {asked.last}"
    asked.out.write_text(text(f"exchange_calendars {version}, {command}", calendars), encoding="utf-8")
    print(
        f"{asked.out}: " + ", ".join(f"{k} {len(v['starts'])} sessions to {v['until']}" for k, v in calendars.items())
    )


if __name__ == "__main__":
    main()
