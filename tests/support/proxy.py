"""A proxy between a client and a server of streams that breaks links on purpose.

`cut_reply(every)`: of every n-th request the server's answer is thrown away and the connection closed, so the client
cannot know what happened.  `blackhole`: nothing passes any more, nothing is closed.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self


class Proxy:
    """Listens on a unix socket beside the server's."""

    def __init__(self, server: Path) -> None:
        self.path = server.with_name("proxy.sock")
        self.cut = 0
        self._server_path = server
        self._every = 0
        self._match = b""
        self._seen = 0
        self._open = asyncio.Event()
        self._open.set()
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"unix://{self.path}"

    def cut_reply(self, every: int, match: bytes) -> None:
        """Lose the answer to every n-th request that contains `match`; 0 = lose none."""
        self._every, self._match = every, match

    def blackhole(self, on: bool = True) -> None:
        if on:
            self._open.clear()
        else:
            self._open.set()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_unix_server(self._serve, self.path)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._listener is not None
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_unix_connection(self._server_path)
        except OSError:
            writer.close()
            return
        doomed = asyncio.Event()
        tasks = {
            asyncio.create_task(self._requests(reader, up_writer, doomed)),
            asyncio.create_task(self._answers(up_reader, writer, doomed)),
        }
        self._tasks |= tasks
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks -= tasks
        writer.close()
        up_writer.close()

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, doomed: asyncio.Event
    ) -> None:
        while data := await reader.read(65_536):
            await self._open.wait()
            if self._every and self._match in data:
                self._seen += 1
                if self._seen % self._every == 0:
                    self.cut += 1
                    doomed.set()
            writer.write(data)

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, doomed: asyncio.Event) -> None:
        while data := await reader.read(65_536):
            await self._open.wait()
            if doomed.is_set():
                return
            writer.write(data)
