"""A small server of streams inside one process, with Redis' own rules, for the bus in memory.

It answers the commands the bus uses as Redis does (a test plays the same random commands to both); nothing in it is
random, and its clocks may be handed in.  It can be made to fail: `down`, `up`, `wipe`, `refusal`, `spoiled`.
"""

from __future__ import annotations

import asyncio
import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.bus_types import Bucket, CommandError
from common.clock import mono_ns, wall_ms
from common.errors import LinkDown, OurFault
from common.inbox import EntryId, id_text

LAST: EntryId = (2**64 - 1, 2**64 - 1)
_NO_SUCH = "NOGROUP No such key or consumer group"
_WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
_SMALLER = "The ID specified in XADD is equal or smaller than the target stream top item"


@dataclass
class _Group:
    last: EntryId
    pending: dict[EntryId, int] = field(default_factory=dict)  # id -> deliveries


@dataclass
class _Stream:
    ids: list[EntryId] = field(default_factory=list)
    fields: dict[EntryId, list[bytes]] = field(default_factory=dict)
    last: EntryId = (0, 0)
    groups: dict[str, _Group] = field(default_factory=dict)

    def between(self, low: EntryId, high: EntryId) -> list[EntryId]:
        return self.ids[bisect.bisect_left(self.ids, low) : bisect.bisect_right(self.ids, high)]

    def trim(self, keep: int) -> None:
        for entry_id in self.ids[: max(len(self.ids) - keep, 0)]:
            del self.fields[entry_id]
        del self.ids[: max(len(self.ids) - keep, 0)]


class Hub:
    """The server; `now_ms` and `mono_ns` are the clocks of all buses on it."""

    def __init__(self, now_ms: Callable[[], int] = wall_ms, now_mono_ns: Callable[[], int] = mono_ns) -> None:
        self.now_ms = now_ms
        self.mono_ns = now_mono_ns
        self.is_up = True
        self.refusal = ""
        self.streams: dict[str, _Stream] = {}
        self.spoiled: set[str] = set()
        self.changed = asyncio.Event()
        self._buckets: dict[str, tuple[float, float]] = {}

    # ------------------------------------------------------------------ faults
    def down(self) -> None:
        """Every call fails until `up`; what is stored stays."""
        self.is_up = False
        self._wake()

    def up(self) -> None:
        self.is_up = True
        self._wake()

    def wipe(self) -> None:
        """Lose everything, groups too."""
        self.streams.clear()
        self._wake()

    def add(self, key: str, fields: Sequence[bytes], entry_id: EntryId | None = None) -> EntryId:
        """Put a raw entry on a stream, as a foreign producer would."""
        stream = self._stream(key)
        chosen = entry_id or max((self.now_ms(), 0), (stream.last[0], stream.last[1] + 1))
        self._append(stream, chosen, list(fields))
        return chosen

    # ------------------------------------------------------------------ commands
    def execute(self, name: str, *rest: Any) -> Any:
        """One command, without blocking; raises CommandError, or LinkDown while down."""
        if not self.is_up:
            raise LinkDown("the hub is down")
        if self.refusal and name == "XADD":
            raise CommandError(self.refusal)
        command = getattr(self, f"_{name.lower()}", None)
        if command is None:
            raise OurFault(f"the hub does not know {name}")
        return command(*rest)

    def _ping(self) -> bytes:
        return b"PONG"

    def _del(self, key: str) -> int:
        self.spoiled.discard(key)
        found = self.streams.pop(key, None) is not None
        self._wake()
        return int(found)

    def _xadd(self, key: str, how: str, _: str, limit: Any, entry_id: str, *fields: bytes) -> bytes:
        stream = self._stream(key)
        wanted = _id(entry_id)
        if wanted <= stream.last:
            raise CommandError(_SMALLER)
        self._append(stream, wanted, list(fields))
        keep = int(limit) if how == "MAXLEN" else len(stream.ids) - bisect.bisect_left(stream.ids, _id(limit))
        stream.trim(keep)
        return entry_id.encode()

    def _xrange(self, key: str, low: str, high: str, *count: Any) -> list[Any]:
        stream = self._stream(key, make=False)
        first, last = _low(low), LAST if high == "+" else _id(high)
        return _entries(stream, stream.between(first, last)[: count[1] if count else None])

    def _xrevrange(self, key: str, high: str, low: str, *count: Any) -> list[Any]:
        stream = self._stream(key, make=False)
        ids = stream.between(_low(low), LAST if high == "+" else _id(high))
        return _entries(stream, ids[::-1][: count[1] if count else None])

    def _xread(self, *rest: Any) -> list[Any] | None:
        options, keys, starts = _options(rest)
        found = []
        for key, start in zip(keys, starts, strict=True):
            stream = self._stream(key, make=False)
            ids = stream.between(_next(_id(start)), LAST)[: options["COUNT"]]
            if ids:
                found.append([key.encode(), _entries(stream, ids)])
        return found or None

    def _xreadgroup(self, _: str, group: str, consumer: str, *rest: Any) -> list[Any] | None:
        options, keys, starts = _options(rest)
        found = []
        for key, start in zip(keys, starts, strict=True):
            stream = self._stream(key, make=False)
            member = self._group(stream, group)
            if start == ">":
                ids = stream.between(_next(member.last), LAST)[: options["COUNT"]]
                member.last = ids[-1] if ids else member.last
            else:
                ids = sorted(i for i in member.pending if i > _id(start))[: options["COUNT"]]
            for entry_id in ids:
                member.pending[entry_id] = member.pending.get(entry_id, 0) + 1
            if ids or start != ">":
                found.append([key.encode(), _entries(stream, ids)])
        return found or None

    def _xack(self, key: str, group: str, *ids: bytes) -> int:
        member = self._stream(key, make=False).groups.get(group, _Group((0, 0)))
        return sum(member.pending.pop(_id(entry_id), None) is not None for entry_id in ids)

    def _xgroup(self, _: str, key: str, group: str, start: str, __: str) -> bytes:
        stream = self._stream(key)
        if group in stream.groups:
            raise CommandError("BUSYGROUP Consumer Group name already exists")
        stream.groups[group] = _Group(_id(start))
        return b"OK"

    def _xpending(self, key: str, group: str, *window: Any) -> list[Any]:
        member = self._group(self._stream(key, make=False), group)
        ids = sorted(member.pending)
        if window:
            return [[id_text(i).encode(), group.encode(), 0, member.pending[i]] for i in ids[: window[2]]]
        if not ids:
            return [0, None, None, None]
        return [
            len(ids),
            id_text(ids[0]).encode(),
            id_text(ids[-1]).encode(),
            [[group.encode(), str(len(ids)).encode()]],
        ]

    def _xinfo(self, what: str, key: str) -> list[Any]:
        stream = self._stream(key, make=False)
        if what == "STREAM":
            return [b"length", len(stream.ids), b"last-generated-id", id_text(stream.last).encode()]
        return [
            [b"name", name.encode(), b"pending", len(g.pending), b"lag", len(stream.between(_next(g.last), LAST))]
            for name, g in stream.groups.items()
        ]

    def take(self, bucket: Bucket, tokens: float, keep: float) -> float | None:
        """As the Redis bus' script does, on the hub's clock."""
        if not self.is_up:
            return None
        now_s = self.mono_ns() / 1e9
        held, then_s = self._buckets.get(bucket.name, (bucket.capacity, now_s))
        held = min(bucket.capacity, held + (now_s - then_s) * bucket.rate_per_s)
        enough = held - tokens >= keep
        self._buckets[bucket.name] = (held - tokens if enough else held, now_s)
        return 0.0 if enough else (tokens + keep - held) / bucket.rate_per_s

    # ------------------------------------------------------------------ storage
    def _stream(self, key: str, make: bool = True) -> _Stream:
        if key in self.spoiled:
            raise CommandError(_WRONG_TYPE)
        if make:
            return self.streams.setdefault(key, _Stream())
        return self.streams.get(key) or _Stream()

    @staticmethod
    def _group(stream: _Stream, group: str) -> _Group:
        if group not in stream.groups:
            raise CommandError(_NO_SUCH)
        return stream.groups[group]

    def _append(self, stream: _Stream, entry_id: EntryId, fields: list[bytes]) -> None:
        stream.ids.append(entry_id)
        stream.fields[entry_id] = fields
        stream.last = entry_id
        self._wake()

    def _wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


def _entries(stream: _Stream, ids: Sequence[EntryId]) -> list[Any]:
    return [[id_text(i).encode(), stream.fields.get(i)] for i in ids]


def _options(rest: tuple[Any, ...]) -> tuple[dict[str, Any], list[str], list[str]]:
    place = rest.index("STREAMS")
    options = dict(zip(rest[:place:2], rest[1:place:2], strict=True))
    names = list(rest[place + 1 :])
    half = len(names) // 2
    return options, names[:half], names[half:]


def _id(text: Any) -> EntryId:
    ms, _, number = (text.decode() if isinstance(text, bytes) else str(text)).partition("-")
    return int(ms), int(number or 0)


def _low(text: str) -> EntryId:
    if text == "-":
        return (0, 0)
    return _next(_id(text[1:])) if text.startswith("(") else _id(text)


def _next(entry_id: EntryId) -> EntryId:
    return entry_id[0], entry_id[1] + 1
