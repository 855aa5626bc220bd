"""Read GROUP streams: nothing is lost that somebody has not handled, and nothing is handled twice.

Order of a life: history, if asked for; then our own unacknowledged entries (also after every fault of the link, and
whenever a check finds some); then new ones.  An entry is acknowledged once `handle` has returned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from common import metrics, replies
from common.bus_reader import COUNT, Reader
from common.bus_types import CommandError, Handle, Item, Subscription, Wire
from common.errors import BadInput, LinkDown
from common.inbox import Inbox, id_text
from common.link import Wiring
from common.replies import Entry

CHECK_EVERY_NS = 5_000_000_000
"""How often a group reader looks for entries that were delivered but never acknowledged."""

DELIVERIES_MAX = 10
"""An entry handed out this often and never acknowledged kills its reader: it is put aside, counted."""


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
        self._acks: dict[str, list[str]] = {}
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
        newest = replies.entries(await wire.call("XREVRANGE", key, "+", "-", "COUNT", 1))
        if newest and newest[0][0] < handled:
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
        return self._taken(await self._read_group(wire, list(self._subscriptions), ">", COUNT, "BLOCK", self._block_ms))

    async def _fetch_history(self, wire: Wire) -> list[Item]:
        key, start = next(iter(self._history.items()))
        entries = replies.entries(await wire.call("XRANGE", key, start, "+", "COUNT", COUNT))
        if len(entries) < COUNT:
            del self._history[key]
            self._note_history()
        else:
            self._history[key] = "(" + id_text(entries[-1][0])
        return self._judge(key, entries, replayed=True)

    def _note_history(self) -> None:
        if not self._history:
            self._history_read.set()

    async def _fetch_pending(self, wire: Wire) -> list[Item]:
        """What an earlier life, or a reply that was lost, left unacknowledged: one stream at a time."""
        key = min(self._pending)
        suspect = await self._put_poison_aside(wire, key)
        found = await self._read_group(wire, [key], "0", 1 if suspect else COUNT)
        if not found:
            self._pending.discard(key)
        return self._taken(found)

    async def _put_poison_aside(self, wire: Wire, key: str) -> bool:
        """Whether entries should be tried one by one, because one of them seems to kill us."""
        suspect = False
        window = await wire.call("XPENDING", key, self._service, "-", "+", COUNT)
        for entry_id, times in replies.deliveries(window):
            suspect = suspect or times > DELIVERIES_MAX // 2
            if times > DELIVERIES_MAX:
                self._inbox.refuse(key, BadInput("poison", f"{id_text(entry_id)} delivered {times} times"))
                await wire.call("XACK", key, self._service, id_text(entry_id))
        return suspect

    async def _read_group(
        self, wire: Wire, keys: list[str], start: str, count: int, *block: Any
    ) -> list[tuple[str, list[Entry]]]:
        names = ("GROUP", self._service, self._service, "COUNT", count, *block, "STREAMS", *keys)
        return self._known(replies.streams(await wire.call("XREADGROUP", *names, *(start for _ in keys))))

    def _taken(self, found: list[tuple[str, list[Entry]]]) -> list[Item]:
        items: list[Item] = []
        for key, entries in found:
            self._acks.setdefault(key, []).extend(id_text(entry_id) for entry_id, _ in entries)
            items += self._judge(key, entries)
        return items

    async def _acknowledge(self, wire: Wire) -> None:
        if not self._acks:
            return
        acks, self._acks = self._acks, {}
        commands = [("XACK", key, self._service, *ids) for key, ids in acks.items() if ids]
        for reply in await wire.pipeline(commands):
            if isinstance(reply, CommandError):
                raise reply

    async def _check(self, wire: Wire) -> None:
        """All we handled is acked by now, so anything pending was lost on its way to us: read it again."""
        self._next_check_ns = self._mono_ns() + CHECK_EVERY_NS
        for key in self._subscriptions:
            number, oldest = replies.pending(await wire.call("XPENDING", key, self._service))
            age_s = max(self._now_ms() - oldest[0], 0) / 1000 if number else 0.0
            labels = {"stream": key, "group": self._service}
            metrics.set("amm_stream_oldest_pending_seconds", age_s, **labels)
            mine = (await self._groups(wire, key)).get(self._service, {})
            metrics.set("amm_stream_lag_messages", float(mine.get("lag") or 0), **labels)  # counted by Redis 7 only
            if number:
                self._pending.add(key)

    @staticmethod
    async def _groups(wire: Wire, key: str) -> dict[str, dict[str, Any]]:
        """The facts of every group of a stream that exists."""
        return replies.groups(await wire.call("XINFO", "GROUPS", key))

    async def _finish(self) -> None:
        if self._wire is not None:
            try:
                await self._acknowledge(self._wire)
            except (LinkDown, CommandError) as error:
                self._link.down(self.name, str(error))
