"""The bus over Redis Streams; the only file that imports `redis`.

The client is used without its own retries (they hide a hung server for a minute, write entries twice and lose
deliveries): one plain connection per reader and one for the writer, every fault shown at once as LinkDown.  Nothing
newer than Redis 6.2 is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.exceptions import RedisError, ResponseError

from common import metrics
from common.bus_core import BLOCK_MS, StreamBus
from common.bus_memory import MemoryBus
from common.bus_types import Bucket, Bus, CommandError, Delivery, Item, Subscription, Wire
from common.errors import ConfigError, LinkDown
from common.hub import Hub

__all__ = ["Bucket", "Bus", "Delivery", "Hub", "Item", "MemoryBus", "RedisBus", "Subscription"]

CLIENT: dict[str, Any] = {
    "retry": None,
    "socket_connect_timeout": 1.0,
    "socket_timeout": 1.5,
    "health_check_interval": 0,
    "protocol": 2,
    "driver_info": None,
}
"""Binding: every value was measured against a hung, killed and cut-off server; a test asserts them.

`driver_info` None: no CLIENT SETINFO, which an ACL would refuse.
"""

TAKE = """
local now = redis.call('TIME')
local t = tonumber(now[1]) + tonumber(now[2]) / 1e6
local capacity, rate, want, keep = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local held = redis.call('HMGET', KEYS[1], 'tokens', 't')
local tokens = tonumber(held[1]) or capacity
tokens = math.min(capacity, tokens + math.max(t - (tonumber(held[2]) or t), 0) * rate)
local wait = 0
if tokens - want >= keep then tokens = tokens - want else wait = (want + keep - tokens) / rate end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 't', string.format('%.6f', t))
redis.call('EXPIRE', KEYS[1], 3600)
return {tostring(wait), tostring(tokens)}
"""
"""Take from a token bucket in one step, on the server's own clock: the wait, s, and what is left."""


class RedisWire:
    """One connection; all of redis-py's ways to fail become LinkDown or CommandError."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection

    async def call(self, *command: Any) -> Any:
        reply = (await self.pipeline((command,)))[0]
        if isinstance(reply, CommandError):
            raise reply
        return reply

    async def pipeline(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        connection = self._connection
        packed = b"".join([pack_command(command) for command in commands])
        try:
            await connection.send_packed_command(packed, check_health=False)
            return [await self._reply() for _ in commands]
        except (RedisError, OSError, TimeoutError) as error:
            raise LinkDown(f"{type(error).__name__}: {error}") from error

    async def _reply(self) -> Any:
        try:
            return await self._connection.read_response()
        except ResponseError as error:
            return CommandError(str(error))

    async def close(self) -> None:
        try:
            await self._connection.disconnect(nowait=True)
        except (RedisError, OSError, TimeoutError):
            return  # it was broken anyway, and the next connection is a fresh one


class RedisBus(StreamBus):
    """The bus of a running service; `url` is redis://, rediss:// or unix://."""

    def __init__(self, url: str, service: str, *, block_ms: int = BLOCK_MS) -> None:
        try:
            self._options: dict[str, Any] = {**parse_url(url), **CLIENT}
        except ValueError as error:
            raise ConfigError(f"redis_url: {error}") from None
        self._connection_class: type[AbstractConnection] = self._options.pop("connection_class", Connection)
        self._spender: Wire | None = None
        self._spending = asyncio.Lock()
        super().__init__(service, block_ms=block_ms)

    async def _connect(self) -> Wire:
        connection = self._connection_class(**self._options)
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
        except (RedisError, OSError, TimeoutError) as error:
            raise LinkDown(f"{type(error).__name__}: {error}") from error
        return RedisWire(connection)

    async def close(self) -> None:
        await super().close()
        if self._spender is not None:
            await self._spender.close()

    async def take(self, bucket: Bucket, tokens: float, keep: float = 0.0) -> float | None:
        async with self._spending:
            try:
                if self._spender is None:
                    self._spender = await self._connect()
                arguments = (str(bucket.capacity), str(bucket.rate_per_s), str(tokens), str(keep))
                wait_s, left = await self._spender.call("EVAL", TAKE, 1, f"bucket:{bucket.name}", *arguments)
            except (LinkDown, CommandError):
                spender, self._spender = self._spender, None
                if spender is not None:
                    await spender.close()
                return None
        metrics.set("amm_ip_weight_remaining", float(left))
        return float(wait_s)
