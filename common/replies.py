"""The shapes in which a server of streams answers, as one shape each.

A list of pairs, a map (newer protocol), or nothing: clients and servers differ, and a reply of any other shape means
that the connection cannot be trusted any more (LinkDown), never that a reader breaks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from common.errors import LinkDown
from common.inbox import EntryId, parse_id

Entry: TypeAlias = tuple[EntryId, list[bytes] | None]


def entries(reply: Any) -> list[Entry]:
    """XRANGE, XREVRANGE: ids and flat fields; None as fields = the body was trimmed."""
    return [(entry_id(row[0]), _fields(row[1])) for row in _rows(reply, 2)]


def streams(reply: Any) -> list[tuple[str, list[Entry]]]:
    """XREAD, XREADGROUP: entries by key; nothing = []."""
    if isinstance(reply, dict):
        reply = [[key, rows] for key, rows in reply.items()]
    return [(_text(row[0]), entries(row[1])) for row in _rows(reply, 2)]


def pending(reply: Any) -> tuple[int, EntryId]:
    """XPENDING in short: how many, and the oldest id ((0, 0) when there is none)."""
    row = _row(reply, 4)
    return _number(row[0]), entry_id(row[1]) if row[0] else (0, 0)


def deliveries(reply: Any) -> list[tuple[EntryId, int]]:
    """XPENDING in full: ids and how often they were delivered."""
    return [(entry_id(row[0]), _number(row[3])) for row in _rows(reply, 4)]


def groups(reply: Any) -> dict[str, dict[str, Any]]:
    """XINFO GROUPS: the facts of each group by its name."""
    found = [facts(row) for row in _row(reply)]
    return {_text(row.get("name")): row for row in found}


def facts(reply: Any) -> dict[str, Any]:
    """A flat list of names and values, or a map, as a map."""
    if isinstance(reply, dict):
        return {_text(name): value for name, value in reply.items()}
    row = _row(reply)
    if len(row) % 2:
        raise LinkDown("a reply of another shape")
    return {_text(name): value for name, value in zip(row[::2], row[1::2], strict=True)}


def entry_id(text: Any) -> EntryId:
    try:
        return parse_id(text)
    except (AttributeError, TypeError, ValueError):
        raise LinkDown("a reply of another shape") from None


def _fields(value: Any) -> list[bytes] | None:
    if isinstance(value, dict):
        value = [part for pair in value.items() for part in pair]
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(part, bytes) for part in value):
        raise LinkDown("a reply of another shape")
    return value


def _rows(reply: Any, width: int) -> Iterator[list[Any]]:
    return (_row(row, width) for row in _row(reply))


def _row(reply: Any, width: int | None = None) -> list[Any]:
    if reply is None and width is None:
        return []
    if not isinstance(reply, list | tuple) or (width is not None and len(reply) != width):
        raise LinkDown("a reply of another shape")
    return list(reply)


def _text(value: Any) -> str:
    if not isinstance(value, bytes):
        raise LinkDown("a reply of another shape")
    return value.decode(errors="replace")


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise LinkDown("a reply of another shape")
    return value
