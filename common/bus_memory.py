"""The bus inside one process, on a `Hub`: for tests, simulations and replays."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from common.bus_core import BLOCK_MS, StreamBus
from common.bus_types import Bucket, CommandError, Wire
from common.clock import mono_ns
from common.errors import LinkDown
from common.hub import Hub


class MemoryWire:
    """One connection to a hub; a blocking read waits for a change of the hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def call(self, *command: Any) -> Any:
        block_ms = command[command.index("BLOCK") + 1] if "BLOCK" in command else 0
        until_ns = mono_ns() + block_ms * 1_000_000
        while True:
            changed = self._hub.changed
            reply = self._hub.execute(*command)
            left_s = (until_ns - mono_ns()) / 1e9
            if reply or left_s <= 0:
                return reply
            try:
                async with asyncio.timeout(left_s):
                    await changed.wait()
            except TimeoutError:
                return None

    async def pipeline(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        replies = []
        for command in commands:
            try:
                replies.append(self._hub.execute(*command))
            except CommandError as error:
                replies.append(error)
        return replies

    async def close(self) -> None:
        """Nothing is held."""


class MemoryBus(StreamBus):
    """A bus on a hub."""

    def __init__(self, hub: Hub, service: str, *, block_ms: int = BLOCK_MS) -> None:
        self.hub = hub
        super().__init__(service, block_ms=block_ms, now_ms=hub.now_ms, now_mono_ns=hub.mono_ns)

    async def _connect(self) -> Wire:
        if not self.hub.is_up:
            raise LinkDown("the hub is down")
        return MemoryWire(self.hub)

    async def take(self, bucket: Bucket, tokens: float, keep: float = 0.0) -> float | None:
        return self.hub.take(bucket, tokens, keep)
