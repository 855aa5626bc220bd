"""The venue's user streams (orders, fills, funding) over one WebSocket of our own: connect, subscribe, follow, again.

Tells the engine when the streams are really there (every subscription acknowledged) and when they are not; it never
decides what that means. A silent connection is dead after two unanswered pings: the venue closes one it has sent
nothing to for 60 s, and a half-open one never says so. Machine time only.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from common import metrics
from common.errors import BadInput
from common.log import get_log
from executor.events import FrameRefused, UserStream
from executor.parse import FRAME_CHARS_MAX, Ack, Complaint, UserParser

PING_S = 15.0
SILENCE_S = 2 * PING_S + 2.0
ACK_S = 5.0
OPEN_S = 5.0
BACKOFF_S = (0.25, 5.0)
STEADY_S = 30.0
"""A connection that lasted this long resets the pause before the next one."""

KINDS = ("orderUpdates", "userFills", "userFundings")
PING = '{"method":"ping"}'

log = get_log("userstream")


class UserStreams:
    """One user's streams; `follow` runs until it is cancelled."""

    def __init__(
        self,
        ws_url: str,
        user: str,
        parser: UserParser,
        post: Callable[[Any], None],
        now_ns: Callable[[], int],
        rng: random.Random,
    ) -> None:
        self._url = ws_url
        self._user = user
        self._parser = parser
        self._post = post
        self._now_ns = now_ns
        self._rng = rng

    async def follow(self) -> None:
        """Connect, and after every end connect again with a growing, jittered pause."""
        loop = asyncio.get_running_loop()
        pause_s = BACKOFF_S[0]
        while True:
            begun = loop.time()
            reason = await self._once()
            self._post(UserStream(False, reason))
            metrics.count("amm_ws_reconnects_total", channel="user")
            log.warning("user_stream_lost", reason=reason)
            pause_s = BACKOFF_S[0] if loop.time() - begun > STEADY_S else pause_s
            await asyncio.sleep(pause_s * self._rng.uniform(0.5, 1.0))
            pause_s = min(2 * pause_s, BACKOFF_S[1])

    async def _once(self) -> str:
        """One connection from its opening to its end; returns why it ended."""
        try:
            async with connect(
                self._url,
                open_timeout=OPEN_S,
                close_timeout=0.5,
                ping_interval=None,
                max_size=FRAME_CHARS_MAX,
                max_queue=64,
                compression=None,
                proxy=None,
                user_agent_header=None,
            ) as socket:
                pinging = asyncio.create_task(self._ping(socket))
                try:
                    await self._subscribe(socket)
                    return await self._read(socket)
                finally:
                    pinging.cancel()
        except (OSError, TimeoutError, WebSocketException) as error:
            return type(error).__name__

    async def _subscribe(self, socket: ClientConnection) -> None:
        for kind in KINDS:
            body = {"method": "subscribe", "subscription": {"type": kind, "user": self._user}}
            await socket.send(msgspec.json.encode(body).decode())

    async def _read(self, socket: ClientConnection) -> str:
        """Frames until the end; the streams are up once every subscription was acknowledged."""
        loop = asyncio.get_running_loop()
        waiting = set(KINDS)
        deadline = loop.time() + ACK_S
        while True:
            limit_s = SILENCE_S if not waiting else max(deadline - loop.time(), 0.0)
            try:
                async with asyncio.timeout(limit_s):
                    frame = await socket.recv()
            except TimeoutError:
                return "silent" if not waiting else "not_acknowledged"
            try:
                events = self._parser.parse(frame, self._now_ns())
            except BadInput as bad:
                self._refused(bad)
                continue
            for event in events:
                if isinstance(event, Ack):
                    acknowledged = event.kind in waiting
                    waiting.discard(event.kind)
                    if acknowledged and not waiting:
                        log.info("user_stream_opened")
                        self._post(UserStream(True))
                elif isinstance(event, Complaint):
                    log.warning("venue_complained", text=event.text)
                else:
                    self._post(event)

    def _refused(self, bad: BadInput) -> None:
        """What was in a refused frame is brought by the look at the venue that this asks for."""
        metrics.count("amm_bad_input_total", boundary="user_stream", reason=bad.reason)
        log.warning("frame_refused", reason=bad.reason, detail=bad.detail[:200])
        self._post(FrameRefused(bad.reason))

    @staticmethod
    async def _ping(socket: ClientConnection) -> None:
        while True:
            await asyncio.sleep(PING_S)
            try:
                await socket.send(PING)
            except (OSError, WebSocketException):
                return  # the reader sees the end and says why
