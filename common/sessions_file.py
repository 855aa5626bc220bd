"""`config/sessions.json`, read strictly: each calendar is a list of UTC moments with the session that begins there.

`scripts/sessions.py` makes the file; daylight saving, holidays and half days are in it, so that no service needs a
calendar library or a time zone. For shells; a file that is missing or damaged is a ConfigError in one sentence.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from common.config import SESSION_NAMES, Settings
from common.config_text import read_text
from common.errors import ConfigError
from common.kernel import ROOT
from common.sessions import Calendar

FILE = ROOT / "config" / "sessions.json"
STAMP = "%Y-%m-%dT%H:%MZ"


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    until: str
    starts: list[tuple[str, str]]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    calendars: dict[str, _Body]


def calendar_of(settings: Settings, path: Path = FILE) -> Calendar | None:
    """The calendar of this market; None where the underlying trades all day. Raises ConfigError."""
    name = settings.market.session_calendar
    return None if name == "none" else read_calendar(name, path)


def read_calendar(name: str, path: Path = FILE) -> Calendar:
    """One calendar of the file; raises ConfigError that names the file and what is wrong with it."""
    where = f"config/{path.name}"
    try:
        body = msgspec.json.decode(read_text(path, where), type=_File).calendars.get(name)
        if body is None:
            raise ConfigError(f"{where} has no calendar {name!r}: make it anew with `make sessions`")
        return _checked(body)
    except FileNotFoundError:
        raise ConfigError(f"{where} is missing: make it with `make sessions`") from None
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise ConfigError(f"{where}, {name}: {error}; make it anew with `make sessions`") from None


def _checked(body: _Body) -> Calendar:
    """Raises ValueError for a calendar that would mislead."""
    starts, names = tuple(_ns(stamp) for stamp, _ in body.starts), tuple(word for _, word in body.starts)
    until_ns = _ns(body.until)
    if not starts or any(a >= b for a, b in zip(starts, (*starts[1:], until_ns), strict=True)):
        raise ValueError("its moments must rise and end before `until`")
    unknown = sorted(set(names) - set(SESSION_NAMES))
    if unknown:
        raise ValueError(f"there is no session {unknown[0][:40]!r}")
    return Calendar(starts, names, until_ns)


def _ns(stamp: str) -> int:
    return int(datetime.strptime(stamp, STAMP).replace(tzinfo=UTC).timestamp()) * 1_000_000_000
