"""Read streams for ever: one loop for PLAIN and NEWEST, one for GROUP, each on a connection of its own.

Any fault of the link, whatever it is, has one answer: mark the link down, wait RETRY_S, connect, find the place
again, go on.  A blocking read is never cancelled (the server would count the entries as delivered): `stop` is seen
when the block time is over.  What `handle` raises is our own fault and leaves `run`.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from common import metrics
from common.bus_types import CommandError, Delivery, Handle, Item, Subscription, Wire
from common.errors import BadInput, LinkDown
from common.inbox import AHEAD_MS_MAX, EntryId, Inbox, id_text, parse_id
from common.link import RETRY_S, Wiring
from common.messages import Gap
from common.streams import Kind

COUNT = 256
"""Entries of one stream in one read: bounds the time `handle` holds the loop."""

NEWEST_LOOK_BACK = 8
"""Entries looked at for the newest good one when a reader starts."""

CHECK_EVERY_NS = 5_000_000_000
"""How often a group reader looks for entries that were delivered but never acknowledged."""

DELIVERIES_MAX = 10
"""An entry handed out this often and never acknowledged kills its reader: it is put aside, counted."""


class Reader(ABC):
    """One loop on one connection."""

    name = ""

    def __init__(self, wiring: Wiring, inbox: Inbox, subscriptions: Sequence[Subscription], handle: Handle) -> None:
        self._subscriptions = {s.key: s for s in subscriptions}
        self._handle = handle
        self._inbox = inbox
        self._connect = wiring.connect
        self._link = wiring.link
        self._now_ms = wiring.now_ms
        self._mono_ns = wiring.mono_ns
        self._block_ms = wiring.block_ms
        self._stopping = asyncio.Event()
        self._wire: Wire | None = None
        self._link.expect(self.name)

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        try:
            while not self._stopping.is_set():
                items = await self._next()
                if items:
                    self._handle(items)
            await self._finish()
        finally:
            await self._close()
            self._link.forget(self.name)

    async def _next(self) -> list[Item]:
        """The next batch; nothing after a fault, which it waits out."""
        try:
            wire = self._wire
            if wire is None:
                wire = self._wire = await self._connect()
                await self._locate(wire)
                self._link.ok(self.name)
            items = await self._fetch(wire)
            self._link.ok(self.name)
            return items
        except (LinkDown, CommandError) as error:
            self._link.down(self.name, str(error))
            await self._close()
            await self._pause()
            return []

    async def _finish(self) -> None:
        """Last duties on the connection: none, unless a kind of stream has some."""
        return

    @abstractmethod
    async def _locate(self, wire: Wire) -> None:
        """Find the place to go on from, on a fresh connection."""

    @abstractmethod
    async def _fetch(self, wire: Wire) -> list[Item]:
        """Wait for at most one block time; what came, judged."""

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(RETRY_S):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _close(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()

    def _judge(self, key: str, entries: Sequence[Any], replayed: bool = False) -> list[Item]:
        now_ms, subscription, items = self._now_ms(), self._subscriptions[key], []
        for entry_id, fields in entries:
            items += self._inbox.take(subscription, parse_id(entry_id), fields, now_ms, replayed)
        return items


class LatestReader(Reader):
    """PLAIN: every entry from now on.  NEWEST: the entry that is there, then whatever is newest."""

    name = "latest"

    def __init__(self, wiring: Wiring, inbox: Inbox, subscriptions: Sequence[Subscription], handle: Handle) -> None:
        super().__init__(wiring, inbox, subscriptions, handle)
        self._first: list[Item] = []
        self._places: dict[str, str] = {}

    async def _locate(self, wire: Wire) -> None:
        self._first = []
        for key, subscription in self._subscriptions.items():
            newest = await wire.call("XREVRANGE", key, "+", "-", "COUNT", NEWEST_LOOK_BACK)
            last: EntryId = parse_id(newest[0][0]) if newest else (0, 0)
            self._go_to(key, last)
            if subscription.stream.kind is Kind.NEWEST:
                self._first += _conflate(self._judge(key, list(reversed(newest or ()))))

    def _go_to(self, key: str, last: EntryId) -> None:
        """Read on after `last`; a place nobody's clock can reach is a fault that the stream's writer repairs."""
        if last[0] > self._now_ms() + AHEAD_MS_MAX:
            self._inbox.refuse(key, BadInput("id_ahead", id_text(last)))
            raise LinkDown(f"{key} is spoiled: its ids lie in the far future")
        if last < self._inbox.last_id(key):
            self._inbox.rewind(key)
        self._places[key] = id_text(last)

    async def _fetch(self, wire: Wire) -> list[Item]:
        if self._first:
            first, self._first = self._first, []
            return first
        keys = list(self._places)
        reply = await wire.call(
            "XREAD", "COUNT", COUNT, "BLOCK", self._block_ms, "STREAMS", *keys, *self._places.values()
        )
        items: list[Item] = []
        for name, entries in reply or ():
            key = name.decode()
            self._go_to(key, parse_id(entries[-1][0]))
            judged = self._judge(key, entries)
            items += _conflate(judged) if self._subscriptions[key].stream.kind is Kind.NEWEST else judged
        return items


class GroupReader(Reader):
    """GROUP: history if asked for, then our own unacknowledged entries, then new ones; acked once handled."""

    name = "group"

    def __init__(
        self,
        wiring: Wiring,
        inbox: Inbox,
        subscriptions: Sequence[Subscription],
        handle: Handle,
        *,
        history_read: asyncio.Event,
    ) -> None:
        super().__init__(wiring, inbox, subscriptions, handle)
        self._service = wiring.service
        self._history_read = history_read
        self._history = {key: "-" for key, s in self._subscriptions.items() if s.history}
        self._pending: set[str] = set()
        self._acks: dict[str, list[bytes]] = {}
        self._next_check_ns = 0
        self._joined = False
        self._note_history()

    async def _locate(self, wire: Wire) -> None:
        self._acks.clear()
        self._joined = False

    async def _join(self, wire: Wire) -> None:
        """Be a member of every group, with our own unacknowledged entries to be read first."""
        for key in self._subscriptions:
            await self._make_group(wire, key)
        self._pending = set(self._subscriptions)
        self._joined = True

    async def _make_group(self, wire: Wire, key: str) -> None:
        """The group, at the last entry we handled; at 0 when we know of none or the stream began anew."""
        handled = self._inbox.last_id(key)
        newest = await wire.call("XREVRANGE", key, "+", "-", "COUNT", 1)
        if newest and parse_id(newest[0][0]) < handled:
            self._inbox.rewind(key)
            handled = (0, 0)
        if not newest or self._service not in await self._groups(wire, key):  # a full server lets nobody create
            try:
                await wire.call("XGROUP", "CREATE", key, self._service, id_text(handled), "MKSTREAM")
            except CommandError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def _fetch(self, wire: Wire) -> list[Item]:
        await self._acknowledge(wire)
        if self._history:
            return await self._fetch_history(wire)
        if not self._joined:
            await self._join(wire)
        if self._mono_ns() >= self._next_check_ns:
            await self._check(wire)
        if self._pending:
            return await self._fetch_pending(wire)
        keys = list(self._subscriptions)
        reply = await self._read_group(wire, keys, ">", COUNT, "BLOCK", self._block_ms)
        return self._taken(reply)

    async def _fetch_history(self, wire: Wire) -> list[Item]:
        key, start = next(iter(self._history.items()))
        entries = await wire.call("XRANGE", key, start, "+", "COUNT", COUNT)
        if len(entries) < COUNT:
            del self._history[key]
            self._note_history()
        else:
            self._history[key] = "(" + entries[-1][0].decode()
        return self._judge(key, entries, replayed=True)

    def _note_history(self) -> None:
        if not self._history:
            self._history_read.set()

    async def _fetch_pending(self, wire: Wire) -> list[Item]:
        """What an earlier life, or a reply that was lost, left unacknowledged: one stream at a time."""
        key = min(self._pending)
        suspect = await self._put_poison_aside(wire, key)
        reply = await self._read_group(wire, [key], "0", 1 if suspect else COUNT)
        if not any(entries for _, entries in reply or ()):
            self._pending.discard(key)
        return self._taken(reply)

    async def _put_poison_aside(self, wire: Wire, key: str) -> bool:
        """Whether entries should be tried one by one, because one of them seems to kill us."""
        suspect = False
        for entry_id, _, _, deliveries in await wire.call("XPENDING", key, self._service, "-", "+", COUNT):
            suspect = suspect or deliveries > DELIVERIES_MAX // 2
            if deliveries > DELIVERIES_MAX:
                self._inbox.refuse(key, BadInput("poison", f"{entry_id.decode()} delivered {deliveries} times"))
                await wire.call("XACK", key, self._service, entry_id)
        return suspect

    async def _read_group(self, wire: Wire, keys: list[str], start: str, count: int, *block: Any) -> Any:
        names = ("GROUP", self._service, self._service, "COUNT", count, *block, "STREAMS", *keys)
        return await wire.call("XREADGROUP", *names, *(start for _ in keys))

    def _taken(self, reply: Any) -> list[Item]:
        items: list[Item] = []
        for name, entries in reply or ():
            key = name.decode()
            self._acks.setdefault(key, []).extend(entry[0] for entry in entries)
            items += self._judge(key, entries)
        return items

    async def _acknowledge(self, wire: Wire) -> None:
        if not self._acks:
            return
        acks, self._acks = self._acks, {}
        replies = await wire.pipeline([("XACK", key, self._service, *ids) for key, ids in acks.items() if ids])
        for reply in replies:
            if isinstance(reply, CommandError):
                raise reply

    async def _check(self, wire: Wire) -> None:
        """All we handled is acked by now, so anything pending was lost on its way to us: read it again."""
        self._next_check_ns = self._mono_ns() + CHECK_EVERY_NS
        for key in self._subscriptions:
            number, oldest, *_ = await wire.call("XPENDING", key, self._service)
            age_s = max(self._now_ms() - parse_id(oldest)[0], 0) / 1000 if number else 0.0
            labels = {"stream": key, "group": self._service}
            metrics.set("amm_stream_oldest_pending_seconds", age_s, **labels)
            metrics.set("amm_stream_lag_messages", await self._lag(wire, key), **labels)
            if number:
                self._pending.add(key)

    async def _lag(self, wire: Wire, key: str) -> float:
        """Entries not yet read, where the server counts them (Redis 7); else 0."""
        return float((await self._groups(wire, key)).get(self._service, {}).get(b"lag") or 0)

    @staticmethod
    async def _groups(wire: Wire, key: str) -> dict[str, dict[bytes, Any]]:
        """The facts of every group of a stream that exists."""
        rows = [dict(zip(row[::2], row[1::2], strict=True)) for row in await wire.call("XINFO", "GROUPS", key)]
        return {row[b"name"].decode(): row for row in rows}

    async def _finish(self) -> None:
        if self._wire is not None:
            try:
                await self._acknowledge(self._wire)
            except (LinkDown, CommandError) as error:
                self._link.down(self.name, str(error))


def _conflate(items: list[Item]) -> list[Item]:
    """Of a NEWEST stream only the last message counts, and that its producer began a new life."""
    lives = [item for item in items if isinstance(item, Gap) and item.missed < 0]
    messages = [item for item in items if isinstance(item, Delivery)]
    return [*lives[-1:], *messages[-1:]]
