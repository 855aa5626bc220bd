"""Read streams for ever: the loop every reader shares, and the reader of PLAIN and NEWEST.

Any fault of the link, whatever it is, has one answer: mark the link down, wait RETRY_S, connect, find the place
again, go on.  A blocking read is never cancelled (the server would count the entries as delivered): `stop` is seen
when the block time is over.  What `handle` raises is our own fault and leaves `run`.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence

from common import replies
from common.bus_types import CommandError, Delivery, Handle, Item, Subscription, Wire
from common.errors import BadInput, LinkDown
from common.inbox import AHEAD_MS_MAX, EntryId, Inbox, id_text
from common.link import RETRY_S, Wiring
from common.messages import Gap
from common.replies import Entry
from common.streams import Kind

COUNT = 256
"""Entries of one stream in one read: bounds the time `handle` holds the loop."""

NEWEST_LOOK_BACK = 8
"""Entries looked at for the newest good one when a reader starts."""


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
            await self._pause(RETRY_S)
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

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _close(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()

    def _known(self, found: list[tuple[str, list[Entry]]]) -> list[tuple[str, list[Entry]]]:
        """Entries of streams we asked for; anything else is somebody else's answer."""
        if any(key not in self._subscriptions for key, _ in found):
            raise LinkDown("an answer to another question")
        return [(key, entries) for key, entries in found if entries]

    def _judge(self, key: str, entries: Sequence[Entry], replayed: bool = False) -> list[Item]:
        """What the entries mean; from here on they count as seen, so nothing may fail before they are handled."""
        now_ms, subscription, items = self._now_ms(), self._subscriptions[key], []
        for entry_id, fields in entries:
            items += self._inbox.take(subscription, entry_id, fields, now_ms, replayed)
        return items


class LatestReader(Reader):
    """PLAIN: every entry from now on.  NEWEST: the entry that is there, then whatever is newest.

    With a pace it asks so often and is not woken by each entry: on few cores every wake-up of one service delays
    another's.
    """

    def __init__(
        self, wiring: Wiring, inbox: Inbox, subscriptions: Sequence[Subscription], handle: Handle, *, pace_s: float
    ) -> None:
        self.name = f"latest every {pace_s:g} s" if pace_s else "latest"
        super().__init__(wiring, inbox, subscriptions, handle)
        self._pace_s = pace_s
        self._first: list[Item] = []
        self._places: dict[str, str] = {}
        self._more = False  # the last answer was as long as it may be: more waits

    async def _locate(self, wire: Wire) -> None:
        present: dict[str, list[Entry]] = {}
        for key in self._subscriptions:
            present[key] = replies.entries(await wire.call("XREVRANGE", key, "+", "-", "COUNT", NEWEST_LOOK_BACK))
            self._go_to(key, present[key][0][0] if present[key] else (0, 0))
        for key, subscription in self._subscriptions.items():
            if subscription.stream.kind is Kind.NEWEST:
                self._first += _conflate(self._judge(key, present[key][::-1]))

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
        if self._pace_s and not self._more:
            await self._pause(self._pace_s)
        wait = () if self._pace_s else ("BLOCK", self._block_ms)
        reply = await wire.call("XREAD", "COUNT", COUNT, *wait, "STREAMS", *self._places, *self._places.values())
        found = self._known(replies.streams(reply))
        self._more = any(len(entries) == COUNT for _, entries in found)
        for key, entries in found:
            self._go_to(key, entries[-1][0])
        items: list[Item] = []
        for key, entries in found:
            judged = self._judge(key, entries)
            items += _conflate(judged) if self._subscriptions[key].stream.kind is Kind.NEWEST else judged
        return items


def _conflate(items: list[Item]) -> list[Item]:
    """Of a NEWEST stream only the last message counts, and that its producer began a new life."""
    lives = [item for item in items if isinstance(item, Gap) and item.missed < 0]
    messages = [item for item in items if isinstance(item, Delivery)]
    return [*lives[-1:], *messages[-1:]]
