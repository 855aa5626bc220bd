"""Two places a bus can live in, with the same levers: a hub in this process, and a real Redis.

The rules in `bus_rules.py` run against both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from redis import Redis

from common.bus import Bus, Delivery, Hub, Item, MemoryBus, RedisBus, Subscription
from common.messages import AnyMessage
from common.redis_server import RedisServer

BLOCK_MS = 40
DEADLINE_S = 8.0


class World:
    """Where buses live; `command` speaks to the server directly."""

    def bus(self, service: str) -> Bus:
        raise NotImplementedError

    def command(self, *command: Any) -> Any:
        raise NotImplementedError

    def down(self) -> None:
        raise NotImplementedError

    def up(self) -> None:
        raise NotImplementedError

    def wipe(self) -> None:
        """Lose every stream and group."""
        raise NotImplementedError

    def spoil(self, key: str) -> None:
        """Replace the stream by a string."""
        raise NotImplementedError

    def forget(self, key: str, entry_id: str) -> None:
        """Delete one entry's body."""
        raise NotImplementedError

    def add(self, key: str, fields: Sequence[bytes], entry_id: str = "*") -> str:
        """Write a raw entry as a foreign client would."""
        raise NotImplementedError


class MemoryWorld(World):
    def __init__(self) -> None:
        self.hub = Hub()

    def bus(self, service: str) -> Bus:
        return MemoryBus(self.hub, service, block_ms=BLOCK_MS)

    def command(self, *command: Any) -> Any:
        return self.hub.execute(*command)

    def down(self) -> None:
        self.hub.down()

    def up(self) -> None:
        self.hub.up()

    def wipe(self) -> None:
        self.hub.wipe()

    def spoil(self, key: str) -> None:
        self.hub.spoiled.add(key)

    def forget(self, key: str, entry_id: str) -> None:
        ms, _, number = entry_id.partition("-")
        stream = self.hub.streams[key]
        stream.ids.remove((int(ms), int(number)))
        del stream.fields[int(ms), int(number)]

    def add(self, key: str, fields: Sequence[bytes], entry_id: str = "*") -> str:
        ms, _, number = entry_id.partition("-")
        given = None if entry_id == "*" else (int(ms), int(number))
        chosen = self.hub.add(key, fields, given)
        return f"{chosen[0]}-{chosen[1]}"


class RedisWorld(World):
    def __init__(self, server: RedisServer) -> None:
        self.server = server

    def bus(self, service: str) -> Bus:
        return RedisBus(self.server.url, service, block_ms=BLOCK_MS)

    def command(self, *command: Any) -> Any:
        with Redis(unix_socket_path=str(self.server.socket_path), protocol=2) as client:
            client.response_callbacks.clear()
            return client.execute_command(*command)

    def down(self) -> None:
        self.server.kill()

    def up(self) -> None:
        self.server.start()

    def wipe(self) -> None:
        self.command("FLUSHALL")

    def spoil(self, key: str) -> None:
        self.command("DEL", key)
        self.command("SET", key, "no stream")

    def forget(self, key: str, entry_id: str) -> None:
        self.command("XDEL", key, entry_id)

    def add(self, key: str, fields: Sequence[bytes], entry_id: str = "*") -> str:
        text: bytes = self.command("XADD", key, entry_id, *fields)
        return text.decode()


class Listener:
    """Reads in the background and keeps all it was handed."""

    def __init__(self, bus: Bus, *subscriptions: Subscription, fail_on: Callable[[Item], bool] | None = None) -> None:
        self.items: list[Item] = []
        self.batches: list[list[Item]] = []
        self._bus = bus
        self._subscriptions = subscriptions
        self._fail_on = fail_on
        self._came = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._bus.__aenter__()
        self._task = asyncio.create_task(self._bus.read(self._subscriptions, self._handle))
        await self.until(lambda: self._bus.link_up or self.ended)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._bus.close()
        if self._task is not None:
            await self._task

    async def failed(self) -> BaseException:
        """Wait until reading ended by itself; what it raised."""
        assert self._task is not None
        (result,) = await asyncio.wait_for(asyncio.gather(self._task, return_exceptions=True), DEADLINE_S)
        self._task = None
        assert isinstance(result, BaseException)
        return result

    def _handle(self, items: list[Item]) -> None:
        if self._fail_on is not None and any(map(self._fail_on, items)):
            raise ZeroDivisionError("the handler is broken")
        self.items += items
        self.batches.append(items)
        self._came.set()

    @property
    def ended(self) -> bool:
        """Reading is over, because it was told to or because it failed."""
        return self._task is not None and self._task.done()

    @property
    def messages(self) -> list[AnyMessage]:
        return [item.message for item in self.items if isinstance(item, Delivery)]

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for a condition; looks again whenever something came, and every few ms."""
        async with asyncio.timeout(DEADLINE_S):
            while not true():
                self._came.clear()
                try:
                    async with asyncio.timeout(0.005):
                        await self._came.wait()
                except TimeoutError:
                    continue

    async def got(self, number: int) -> list[AnyMessage]:
        """Wait for `number` messages; fails at once when there are more."""
        await self.until(lambda: len(self.messages) >= number)
        assert len(self.messages) == number
        return self.messages
