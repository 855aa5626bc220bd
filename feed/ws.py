"""One WebSocket to the venue, kept open: frames in with their time, texts out, reconnection with back-off.

A shell: which texts to send and when a link is to be given up is decided by the engine. No proxy is used, no
compression is offered, a frame of more than 1 MiB ends the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from common import metrics
from common.clock import MarketClock, mono_ns
from common.log import get_log
from feed.events import Closed, Frame, Opened
from feed.links import Backoff

Outbox: TypeAlias = "asyncio.Queue[str]"

FRAME_BYTES_MAX = 1 << 20
OPEN_S = 5.0
CLOSE_S = 1.0

log = get_log("ws")


class VenueSocket:
    """The connection called `name`; `run` keeps it until it is cancelled."""

    def __init__(self, name: str, url: str, backoff: Backoff, post: Callable[[Any], None], clock: MarketClock) -> None:
        self.name = name
        self._url = url
        self._backoff = backoff
        self._post = post
        self._clock = clock
        self._outbox: Outbox = asyncio.Queue()
        self._given_up = asyncio.Event()
        self._why = ""

    def send(self, text: str) -> None:
        """Send on the present connection; texts for one that is gone are forgotten with it."""
        self._outbox.put_nowait(text)

    def give_up(self, reason: str) -> None:
        """Close the present connection and open another."""
        self._why = reason
        self._given_up.set()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._backoff.wait_s(self.name, mono_ns()))
            opened_ns = mono_ns()
            reason = await self._one_connection()
            lived_s = (mono_ns() - opened_ns) / 1e9
            self._backoff.ended(self.name, lived_s)
            metrics.count("amm_ws_reconnects_total", channel=self.name)
            log.warning("link_lost", link=self.name, reason=reason, lived_s=round(lived_s, 1))

    async def _one_connection(self) -> str:
        """Until the connection ends, for whatever cause; its name."""
        self._outbox, self._given_up, self._why = asyncio.Queue(), asyncio.Event(), ""
        try:
            async with connect(
                self._url,
                proxy=None,
                compression=None,
                max_size=FRAME_BYTES_MAX,
                open_timeout=OPEN_S,
                close_timeout=CLOSE_S,
                ping_interval=None,  # the venue wants its own ping; the engine sends it
            ) as socket:
                log.info("link_opened", link=self.name)
                self._post(Opened(self.name, mono_ns(), self._clock.rate))
                try:
                    return await self._serve(socket)
                finally:
                    self._post(Closed(self.name, mono_ns()))
        except (OSError, TimeoutError, WebSocketException) as error:
            return f"{type(error).__name__}: {str(error)[:160]}"

    async def _serve(self, socket: ClientConnection) -> str:
        """Read and write until one of them ends or the engine gives the link up."""
        tasks = [
            asyncio.create_task(self._read(socket), name=f"{self.name} reader"),
            asyncio.create_task(self._write(socket, self._outbox), name=f"{self.name} writer"),
            asyncio.create_task(self._given_up.wait(), name=f"{self.name} watch"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return self._why or f"closed by the venue ({socket.close_code})"

    async def _read(self, socket: ClientConnection) -> None:
        async for frame in socket:
            self._post(Frame(self.name, frame, self._clock.now_ns(), mono_ns()))

    async def _write(self, socket: ClientConnection, outbox: Outbox) -> None:
        while True:
            await socket.send(await outbox.get())
