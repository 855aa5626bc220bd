"""WebSocket connections of the venue: frames out through a queue each, what clients say in, posts answered.

Bytes in, bytes out: `feeds/feeds.py` decides who hears what. Machine time rules here: a connection that was sent
nothing for 60 s is closed, one that does not read is cut off. Between feeds and socket stands a `Line`, where faults on
purpose happen.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any, Protocol

import msgspec
from aiohttp import WSMsgType, web

from common import metrics
from common.errors import BadInput
from common.log import get_log
from simvenue.desk.refusals import UNREADABLE
from simvenue.door.ip_limits import IpLimits
from simvenue.faults.gate import Gate, Passed, Vanished, page_text, post_text, question
from simvenue.faults.line import Line
from simvenue.feeds.feeds import Frame, channel, error_frame
from simvenue.venue import HttpReply, Venue

BODY_MAX = 1 << 20
QUEUE_MAX = 5000  # frames a client may be behind
IDLE_S = 60.0
_USERS = re.compile(rb'"user"\s*:\s*"(0x[0-9a-fA-F]{40})"')

log = get_log("simvenue")


class Socket(Protocol):
    """What a connection needs of aiohttp's WebSocketResponse."""

    async def send_frame(self, message: bytes, opcode: WSMsgType) -> None: ...
    async def close(self) -> Any: ...


class Connection:
    """One WebSocket: frames wait here until the socket takes them."""

    def __init__(self, socket: Socket, abort: Callable[[], None], idle_s: float = IDLE_S) -> None:
        self._socket = socket
        self._abort = abort
        self._idle_s = idle_s
        self._frames: deque[bytes] = deque()
        self._ready = asyncio.Event()
        self._is_cut = False
        self.is_silent: Callable[[], bool] = lambda: False

    def push(self, frame: bytes) -> None:
        if self._is_cut:
            return
        if len(self._frames) >= QUEUE_MAX:
            metrics.count("amm_bad_input_total", boundary="ws", reason="slow_reader")
            self.cut()
            return
        self._frames.append(frame)
        self._ready.set()

    def cut(self) -> None:
        """End the connection without a word."""
        self._is_cut = True
        self._abort()

    async def write(self) -> None:
        """Send what waits; end when nothing was sent for the idle time."""
        while True:
            try:
                async with asyncio.timeout(self._idle_s):
                    await self._ready.wait()
            except TimeoutError:
                if self.is_silent():  # kept open on purpose
                    continue
                log.info("ws_idle_closed")
                await self._socket.close()
                return
            self._ready.clear()
            while self._frames:
                await self._socket.send_frame(self._frames.popleft(), WSMsgType.TEXT)


class Sockets:
    """All WebSocket connections of one venue."""

    def __init__(self, venue: Venue, gate: Gate, limits: IpLimits) -> None:
        self._venue = venue
        self._gate = gate
        self._limits = limits
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[web.WebSocketResponse] = set()
        self._numbers = count()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        page = self._gate.connect()
        if page is not None:
            body, kind = page_text(page)
            return web.Response(text=body, status=page.status, content_type=kind)
        ip = request.remote or ""
        if not self._limits.connect(ip, self._venue.clock.now_ns()):
            metrics.count("amm_bad_input_total", boundary="ws", reason="connections")
            return web.Response(status=429)
        try:
            return await self._talk(request, ip)
        finally:
            self._limits.disconnect(ip)

    async def _talk(self, request: web.Request, ip: str) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, max_msg_size=BODY_MAX, decode_text=False, autoping=False)
        await socket.prepare(request)
        transport = request.transport
        connection = Connection(socket, transport.abort if transport is not None else lambda: None)
        line = Line(next(self._numbers), connection, lambda: self._gate.faults)
        connection.is_silent = lambda: line.is_silent
        self._open.add(socket)
        self._venue.feeds.open(line)
        writer = asyncio.create_task(connection.write())
        try:
            await self._read(socket, line, ip)
        finally:
            self._venue.feeds.close(line)
            line.close()
            self._open.discard(socket)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return socket

    async def shut(self, _app: web.Application) -> None:
        for socket in list(self._open):
            await socket.close()

    # ------------------------------------------------------------------ what clients say
    async def _read(self, socket: web.WebSocketResponse, line: Line, ip: str) -> None:
        async for message in socket:
            match message.type:
                case WSMsgType.TEXT:
                    if not self._limits.message(ip, self._venue.clock.now_ns()):
                        metrics.count("amm_bad_input_total", boundary="ws", reason="messages")
                        line.push(error_frame("Cannot send more than 2000 messages per minute."))
                        continue
                    if b'"subscribe"' in message.data:
                        line.follows.update(user.decode().lower() for user in _USERS.findall(message.data))
                    post = self._venue.feeds.receive(line, message.data, self._venue.pump())
                    if post is not None:
                        self._start_post(line, post, ip)
                case WSMsgType.PING:
                    if not line.is_silent:
                        await socket.pong(message.data)
                case WSMsgType.PONG:
                    continue
                case _:
                    metrics.count("amm_bad_input_total", boundary="ws", reason="not_text")
                    line.push(error_frame("Error parsing JSON into valid websocket request: binary"))

    def _start_post(self, line: Line, frame: Frame, ip: str) -> None:
        if not self._limits.post(ip):
            line.push(error_frame(f"too many pending post requests id={frame.id}"))
            return
        task = asyncio.create_task(self._post(line, frame, ip))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post(self, line: Line, frame: Frame, ip: str) -> None:
        """An info request or an action that came over the socket."""
        assert frame.request is not None
        payload, kind = bytes(frame.request.payload), frame.request.type
        name, address = question(payload) if kind == "info" else self._venue.subject(payload, self._gate.needs_address)
        try:
            passed = await self._gate.request(kind, name, address, lambda: self._posted(kind, payload))
            said = passed.answer if isinstance(passed, Passed) else ("error", post_text(passed))
            line.push(_post_frame(frame, *said))
        except Vanished:
            log.info("post_unanswered", kind=kind, name=name)
        finally:
            self._limits.answered(ip)

    async def _posted(self, kind: str, payload: bytes) -> tuple[str, object]:
        """(response type, payload) of the venue's own answer."""
        try:
            if kind == "info":
                body = self._venue.ask(payload).body
                return "info", {"type": msgspec.json.decode(payload)["type"], "data": body}
            reply = await self._venue.act(payload)
            return ("error" if reply.is_text else "action"), _said(reply)
        except BadInput:
            return "error", f"422 Unprocessable Entity: {UNREADABLE}"


def _post_frame(frame: Frame, kind: str, payload: object) -> bytes:
    return channel("post", {"id": frame.id, "response": {"type": kind, "payload": payload}})


def _said(reply: HttpReply) -> object:
    return f"{reply.status} Unprocessable Entity: {reply.body}" if reply.is_text else reply.body
