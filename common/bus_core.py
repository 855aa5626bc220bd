"""The bus both transports share: one writer, up to two readers, one answer to "is the link up?"."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self

from common.bus_group import GroupReader
from common.bus_reader import LatestReader, Reader
from common.bus_types import Bus, Handle, Subscription, Wire
from common.bus_writer import Writer
from common.clock import mono_ns, wall_ms
from common.errors import OurFault
from common.inbox import Inbox
from common.link import Link, Wiring
from common.messages import AnyMessage
from common.streams import Kind

BLOCK_MS = 1_000
"""A blocking read returns after this; the socket's timeout is 0.5 s longer."""

CLOSE_S = 3.0
"""More than a blocking read, a socket timeout and a retry take: a longer close is a fault of ours."""


class StreamBus(Bus):
    """Everything but the transport, which a subclass gives as `_connect`."""

    def __init__(
        self,
        service: str,
        *,
        block_ms: int = BLOCK_MS,
        now_ms: Callable[[], int] = wall_ms,
        now_mono_ns: Callable[[], int] = mono_ns,
    ) -> None:
        self.service = service
        self._link = Link(now_mono_ns)
        self._wiring = Wiring(service, self._connect, self._link, now_ms, now_mono_ns, block_ms)
        self._inbox = Inbox()
        self._history_read = asyncio.Event()
        self._writer = Writer(self._wiring)
        self._writing: asyncio.Task[None] | None = None
        self._readers: list[Reader] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def _connect(self) -> Wire:
        """A fresh Wire; raises LinkDown."""
        raise NotImplementedError

    # ------------------------------------------------------------------ life
    async def __aenter__(self) -> Self:
        self._writing = self._start(self._writer.run(), "bus writer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        self._closed = True
        self._writer.stop()
        for reader in self._readers:
            reader.stop()
        if self._tasks:
            done, late = await asyncio.wait(self._tasks, timeout=CLOSE_S + self._wiring.block_ms / 1000)
            if late:
                raise OurFault(f"the bus did not close: {sorted(t.get_name() for t in late)}")
            self._tasks.difference_update(done)

    def _start(self, loop: Any, name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(loop, name=name)
        self._tasks.add(task)
        return task

    # ------------------------------------------------------------------ writing
    def send(self, messages: Iterable[AnyMessage]) -> None:
        self._writer.put(messages)

    async def flush(self, timeout_s: float) -> bool:
        return await self._writer.flush(timeout_s)

    # ------------------------------------------------------------------ reading
    async def read(self, subscriptions: Sequence[Subscription], handle: Handle) -> None:
        group = [s for s in subscriptions if s.stream.kind is Kind.GROUP]
        latest = [s for s in subscriptions if s.stream.kind is not Kind.GROUP]
        if self._writing is None or self._readers:
            raise OurFault("a bus is entered once, then read once")
        _refuse_twice(subscriptions)
        if group:
            self._readers.append(GroupReader(self._wiring, self._inbox, group, handle, history_read=self._history_read))
        else:
            self._history_read.set()
        for pace_s in sorted({s.pace_s for s in latest}):
            paced = [s for s in latest if s.pace_s == pace_s]
            self._readers.append(LatestReader(self._wiring, self._inbox, paced, handle, pace_s=pace_s))
        if self._closed:
            return
        reading = [self._start(reader.run(), f"bus {reader.name} reader") for reader in self._readers]
        await asyncio.wait([*reading, self._writing], return_when=asyncio.FIRST_EXCEPTION)
        for reader in self._readers:
            reader.stop()
        if reading:
            await asyncio.wait(reading)
        self._tasks.difference_update(reading)
        for task in (*reading, self._writing):
            if task.done():
                task.result()

    @property
    def history_read(self) -> asyncio.Event:
        return self._history_read

    # ------------------------------------------------------------------ the link
    @property
    def link_up(self) -> bool:
        return self._link.up

    @property
    def last_ok_mono_ns(self) -> int:
        return self._link.last_ok_mono_ns

    def on_link(self, callback: Callable[[bool], None]) -> None:
        self._link.on_change(callback)


def _refuse_twice(subscriptions: Sequence[Subscription]) -> None:
    keys = [s.key for s in subscriptions]
    if len(set(keys)) != len(keys):
        raise OurFault(f"subscribed twice: {sorted(keys)}")
