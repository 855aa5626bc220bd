"""A TCP tap between the services and the venue: forwards every byte and notes when the interesting ones passed.

`quotes_ns`: a market message that changes the touch was handed to the feed's socket. `orders_ns`: the first bytes
of an order request reached the venue's side. Both on this process's monotonic clock, so their difference is the
system's own time.
"""

from __future__ import annotations

import asyncio
import contextlib
import time


class Tap:
    def __init__(self, venue_port: int, marker: bytes = b'"channel":"bbo"') -> None:
        self.venue_port = venue_port
        self.marker = marker
        self.port = 0
        self.quotes_ns: list[int] = []
        self.orders_ns: list[int] = []
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Tap:
        self._server = await asyncio.start_server(self._on_client, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            venue_reader, venue_writer = await asyncio.open_connection("127.0.0.1", self.venue_port)
        except OSError:  # the venue is still starting: refuse, as it would
            writer.close()
            return
        up = asyncio.create_task(self._pump(reader, venue_writer, upward=True))
        down = asyncio.create_task(self._pump(venue_reader, writer, upward=False))
        self._tasks |= {up, down}
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, venue_writer):
            end.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, upward: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(65_536):
                now = time.monotonic_ns()
                if upward and chunk.startswith(b"POST /exchange"):
                    self.orders_ns.append(now)
                elif not upward and self.marker in chunk:
                    self.quotes_ns.append(now)
                writer.write(chunk)
                await writer.drain()


def pair(quotes_ns: list[int], orders_ns: list[int], within_ns: int = 200_000_000) -> list[int]:
    """Per order request the time since the last market message before it; only the first request of each message."""
    found: list[int] = []
    place = 0
    used = -1
    for order in orders_ns:
        while place + 1 < len(quotes_ns) and quotes_ns[place + 1] <= order:
            place += 1
        if place < len(quotes_ns) and place != used and 0 <= order - quotes_ns[place] <= within_ns:
            found.append(order - quotes_ns[place])
            used = place
    return found
