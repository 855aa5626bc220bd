"""Many bare WebSocket clients in one process: they subscribe, split the byte stream into frames, and note the time.

No frame is decoded beyond its length, so that what is measured is the sender. One instance of `Ears` is used for a
venue and for its floor alike.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from collections.abc import Callable
from typing import Any

OnFrame = Callable[[bytes, int], None]
"""A frame's payload, and when its last byte was read (monotonic ns)."""


class Ears:
    """`count` clients of the server at `port`; use as `async with`."""

    def __init__(self, port: int, count: int, topics: list[dict[str, Any]], on_frame: OnFrame) -> None:
        self._port = port
        self._count = count
        self._topics = topics
        self._on_frame = on_frame
        self._tasks: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Ears:
        for _ in range(self._count):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            self._writers.append(writer)
            await _shake_hands(reader, writer)
            for topic in self._topics:
                writer.write(_masked(json.dumps({"method": "subscribe", "subscription": topic}).encode()))
            self._tasks.append(asyncio.create_task(self._listen(reader)))
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def ended(self) -> int:
        """How many were cut off."""
        return sum(task.done() for task in self._tasks)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await reader.read(1 << 18):
            now_ns = time.monotonic_ns()
            data, place = rest + chunk, 0
            while (end := _frame_end(data, place)) is not None:
                begin, stop = end
                if stop > len(data):
                    break
                self._on_frame(data[begin:stop], now_ns)
                place = stop
            rest = data[place:]


def _frame_end(data: bytes, place: int) -> tuple[int, int] | None:
    """Where the payload of the frame at `place` begins and ends; None while its head is not there."""
    if len(data) - place < 10:
        return None if len(data) - place < 2 or data[place + 1] > 125 else (place + 2, place + 2 + data[place + 1])
    short = data[place + 1] & 0x7F
    if short < 126:
        return place + 2, place + 2 + short
    wide = 2 if short == 126 else 8
    begin = place + 2 + wide
    return begin, begin + int.from_bytes(data[place + 2 : begin], "big")


async def _shake_hands(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 101"):
        raise ConnectionError(head[:80].decode(errors="replace"))


def _masked(payload: bytes) -> bytes:
    """A client's text frame; the mask is zero."""
    size = len(payload)
    head = bytes([0x81, 0x80 | size]) if size < 126 else bytes([0x81, 0xFE]) + size.to_bytes(2, "big")
    return head + bytes(4) + payload
