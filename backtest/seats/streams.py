"""The streams between the seats: the bus in memory, stepped by virtual time instead of by tasks.

Entries lie on the very hub the in-memory bus has, with Redis' rules; what comes off is judged by the very inbox every
service reads through. Written: stamped and numbered at once, in the stream one hop later. Read: who waits on a stream
is woken by each arrival, who reads at a pace looks when it is time, group entries are acknowledged once handled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from backtest.seats.loop import Loop
from backtest.timing import BETWEEN, TIMERS, Timing
from common.bus_types import Delivery, Item, Subscription
from common.clock import MS
from common.hub import Hub
from common.inbox import FIELD, Inbox, id_text, parse_id
from common.messages import AnyMessage, Envelope, Gap
from common.streams import STREAM_OF, Kind, route

EPOCH = 1
COUNT = 256
"""Entries of one stream in one read, as in the bus."""

Handle = Callable[[list[Item]], None]
_encode = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class _Line:
    """One stream as its writer has it: numbers given, and the newest entry's (ms, number)."""

    seq: int = 0
    last: tuple[int, int] = (0, 0)

    def next_id(self, now_ms: int) -> str:
        ms, number = self.last
        self.last = (now_ms, 0) if now_ms > ms else (ms, number + 1)
        return id_text(self.last)


class Streams:
    """All streams of one world; `log` is handed every entry that is written."""

    def __init__(self, loop: Loop, timing: Timing, log: Callable[[str, bytes], None]) -> None:
        self._loop = loop
        self._timing = timing
        self._log = log
        self.hub = Hub(lambda: loop.now_ns // MS, lambda: loop.now_ns)
        self.delivered = 0
        self._lines: dict[str, _Line] = {}
        self._waiting: dict[str, list[Reader]] = {}

    # ------------------------------------------------------------------ writing
    def send(self, service: str, messages: Iterable[AnyMessage]) -> None:
        """Messages of one turn travel together."""
        entries = []
        for message in messages:
            key = route(service, message)
            line = self._lines.setdefault(key, _Line())
            line.seq += 1
            body = _encode(Envelope(service, EPOCH, line.seq, message))
            self._log(key, body)
            entries.append((key, type(message), body))
        self._loop.travel(f"{service}>bus", self._timing.bus_ns, BETWEEN, self._land, entries)

    def _land(self, entries: Sequence[tuple[str, type, bytes]]) -> None:
        now_ms = self._loop.now_ns // MS
        for key, kind, body in entries:
            stream = STREAM_OF[kind]
            if stream.kind is Kind.GROUP:
                trim: tuple[Any, ...] = ("MINID", "~", f"{max(now_ms - stream.keep_s * 1000, 0)}-0")
            else:
                trim = ("MAXLEN", "~", stream.maxlen)
            self.hub.execute("XADD", key, *trim, self._lines[key].next_id(now_ms), FIELD, body)
            for reader in self._waiting.get(key, ()):
                reader.wake(key)

    # ------------------------------------------------------------------ reading
    def read(self, service: str, subscriptions: Sequence[Subscription], handle: Handle) -> None:
        """Hand `service` every batch from now on: one reader for groups, one for each pace, as the bus has them."""
        inbox = Inbox()
        groups = [s for s in subscriptions if s.stream.kind is Kind.GROUP]
        if groups:
            self._open(GroupReader(self, self._loop, service, inbox, groups, handle))
        latest = [s for s in subscriptions if s.stream.kind is not Kind.GROUP]
        for pace_s in sorted({s.pace_s for s in latest}):
            paced = [s for s in latest if s.pace_s == pace_s]
            reader = Reader(self, self._loop, service, inbox, paced, handle)
            self._open(reader)
            if pace_s:
                reader.is_paced = True
                pace_ns = self._timing.pace_ns(service)
                self._loop.every(pace_ns, self._loop.now_ns + pace_ns, TIMERS, reader.look)

    def _open(self, reader: Reader) -> None:
        for key in reader.keys:
            self._waiting.setdefault(key, []).append(reader)


class Reader:
    """PLAIN and NEWEST streams of one service."""

    def __init__(
        self, streams: Streams, loop: Loop, service: str, inbox: Inbox, subscriptions: Sequence[Subscription],
        handle: Handle,
    ) -> None:  # fmt: skip
        self.keys = {s.key: s for s in subscriptions}
        self._streams = streams
        self._loop = loop
        self._service = service
        self._inbox = inbox
        self._handle = handle
        self.is_paced = False
        self._places = dict.fromkeys(self.keys, "0-0")
        self._news: set[str] = set()

    def wake(self, key: str) -> None:
        """Something new is on a stream: read as soon as all that lands with it is there, or when it is time."""
        if not self._news and not self.is_paced:
            self._loop.at(self._loop.now_ns, BETWEEN, self.look)
        self._news.add(key)

    def look(self) -> None:
        """Read what is there and hand it on as one batch; streams in the order subscribed."""
        keys = [key for key in self.keys if key in self._news]
        if not keys:
            return
        self._news.clear()
        items: list[Item] = []
        for key, entries in self._fetch(keys):
            items += self._taken(self.keys[key], entries)
        if items:
            self._streams.delivered += sum(isinstance(item, Delivery) for item in items)
            self._handle(items)

    def _fetch(self, keys: list[str]) -> list[tuple[str, list[Any]]]:
        places = [self._places[key] for key in keys]
        found = self._streams.hub.execute("XREAD", "COUNT", COUNT, "STREAMS", *keys, *places) or []
        for name, entries in found:
            self._places[name.decode()] = entries[-1][0].decode()
        return [(name.decode(), entries) for name, entries in found]

    def _taken(self, subscription: Subscription, entries: list[Any]) -> list[Item]:
        now_ms = self._loop.now_ns // MS
        items: list[Item] = []
        for entry_id, fields in entries:
            items += self._inbox.take(subscription, parse_id(entry_id), fields, now_ms)
        return _newest(items) if subscription.stream.kind is Kind.NEWEST else items


class GroupReader(Reader):
    """GROUP streams: each entry to this service once, acknowledged when it has been handled."""

    def __init__(
        self, streams: Streams, loop: Loop, service: str, inbox: Inbox, subscriptions: Sequence[Subscription],
        handle: Handle,
    ) -> None:  # fmt: skip
        super().__init__(streams, loop, service, inbox, subscriptions, handle)
        for key in self.keys:
            streams.hub.execute("XGROUP", "CREATE", key, service, "0-0", "MKSTREAM")
        self._unacked: list[tuple[str, list[bytes]]] = []

    def look(self) -> None:
        super().look()
        for key, ids in self._unacked:
            self._streams.hub.execute("XACK", key, self._service, *ids)
        self._unacked.clear()

    def _fetch(self, keys: list[str]) -> list[tuple[str, list[Any]]]:
        asked = ("GROUP", self._service, self._service, "COUNT", COUNT, "STREAMS", *keys, *(">" for _ in keys))
        found = self._streams.hub.execute("XREADGROUP", *asked) or []
        self._unacked = [(name.decode(), [entry_id for entry_id, _ in entries]) for name, entries in found]
        return [(name.decode(), entries) for name, entries in found]


def _newest(items: list[Item]) -> list[Item]:
    """Of a NEWEST stream only the last message counts, and that its producer began a new life."""
    lives = [item for item in items if isinstance(item, Gap) and item.missed < 0]
    messages = [item for item in items if isinstance(item, Delivery)]
    return [*lives[-1:], *messages[-1:]]
