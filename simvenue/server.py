"""The venue's sockets: POST /info, POST /exchange, GET /ws, and GET /sim/{ledger,clock}.

Bytes in, bytes out: every decision is `venue.py`'s. Machine time rules here: a connection that was sent nothing for
60 s is closed, one that does not read is cut off. Each IP has the venue's 1,200 weight a minute (of market time).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from aiohttp import WSMsgType, web

from common import metrics
from common.clock import NS
from common.errors import BadInput
from common.log import get_log
from simvenue.feeds import Frame, channel, encode, error_frame
from simvenue.gateway import UNREADABLE
from simvenue.venue import HttpReply, Venue

WEIGHT_A_MINUTE = 1200
BODY_MAX = 1 << 20
QUEUE_MAX = 5000  # frames a client may be behind
IDLE_S = 60.0
POSTS_MAX = 100

log = get_log("simvenue")


class WeightBuckets:
    """Request weight by IP: a full minute's worth may be spent at once; refilled steadily in market time."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._left: dict[str, tuple[float, int]] = {}

    def left(self, ip: str, now_t_ns: int) -> float:
        before, then = self._left.get(ip, (float(self._per_minute), now_t_ns))
        return min(before + (now_t_ns - then) / (60 * NS) * self._per_minute, float(self._per_minute))

    def take(self, ip: str, weight: int, now_t_ns: int) -> bool:
        """Whether there was room; a refused request takes nothing."""
        left = self.left(ip, now_t_ns)
        if left < weight:
            return False
        self._left[ip] = (left - weight, now_t_ns)
        return True

    def owe(self, ip: str, weight: int, now_t_ns: int) -> None:
        """Weight that is only known afterwards."""
        self._left[ip] = (self.left(ip, now_t_ns) - weight, now_t_ns)


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
        self.posts = 0

    def push(self, frame: bytes) -> None:
        if self._is_cut:
            return
        if len(self._frames) >= QUEUE_MAX:
            self._is_cut = True
            metrics.count("amm_bad_input_total", boundary="ws", reason="slow_reader")
            self._abort()
            return
        self._frames.append(frame)
        self._ready.set()

    async def write(self) -> None:
        """Send what waits; end when nothing was sent for the idle time."""
        while True:
            try:
                async with asyncio.timeout(self._idle_s):
                    await self._ready.wait()
            except TimeoutError:
                log.info("ws_idle_closed")
                await self._socket.close()
                return
            self._ready.clear()
            while self._frames:
                await self._socket.send_frame(self._frames.popleft(), WSMsgType.TEXT)


class Server:
    """The aiohttp application around one venue."""

    def __init__(self, venue: Venue, *, ip_limit: bool) -> None:
        self._venue = venue
        self._buckets = WeightBuckets(WEIGHT_A_MINUTE) if ip_limit else None
        self._tasks: set[asyncio.Task[None]] = set()
        self._sockets: set[web.WebSocketResponse] = set()
        self.app = web.Application(client_max_size=BODY_MAX)
        self.app.add_routes(
            [
                web.post("/info", self._info),
                web.post("/exchange", self._exchange),
                web.get("/ws", self._ws),
                web.get("/sim/ledger", self._ledger),
                web.get("/sim/clock", self._clock),
            ]
        )
        self.app.on_shutdown.append(self._shut)

    # ------------------------------------------------------------------ HTTP
    async def _info(self, request: web.Request) -> web.Response:
        if self._spent(request, 1, take=False):
            return _json(None, 429)
        body = await request.read()
        try:
            answer = self._venue.ask(body)
        except BadInput:
            self._spent(request, 1)
            return _text(UNREADABLE, 422)
        return _json(None, 429) if self._spent(request, answer.weight) else _json(answer.body)

    async def _exchange(self, request: web.Request) -> web.Response:
        if self._spent(request, 1):
            return _json(None, 429)
        reply = await self._venue.act(await request.read())
        if self._buckets is not None and reply.more_weight:
            self._buckets.owe(request.remote or "", reply.more_weight, self._venue.clock.now_ns())
        return _text(reply.body, reply.status) if reply.is_text else _json(reply.body, reply.status)

    def _spent(self, request: web.Request, weight: int, *, take: bool = True) -> bool:
        """Whether the asking IP has no room for `weight`; room that there is gets taken."""
        if self._buckets is None:
            return False
        ip, now_t_ns = request.remote or "", self._venue.clock.now_ns()
        enough = self._buckets.take(ip, weight, now_t_ns) if take else self._buckets.left(ip, now_t_ns) >= weight
        if not enough:
            metrics.count("amm_bad_input_total", boundary="http", reason="ip_weight")
        return not enough

    async def _ledger(self, _request: web.Request) -> web.Response:
        return _json(self._venue.ledger())

    async def _clock(self, _request: web.Request) -> web.Response:
        return _json(self._venue.clock_reading())

    # ------------------------------------------------------------------ WebSocket
    async def _ws(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, max_msg_size=BODY_MAX, decode_text=False)
        await socket.prepare(request)
        transport = request.transport
        client = Connection(socket, transport.abort if transport is not None else lambda: None)
        self._sockets.add(socket)
        self._venue.feeds.open(client)
        writer = asyncio.create_task(client.write())
        try:
            await self._read(socket, client)
        finally:
            self._venue.feeds.close(client)
            self._sockets.discard(socket)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return socket

    async def _read(self, socket: web.WebSocketResponse, client: Connection) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                metrics.count("amm_bad_input_total", boundary="ws", reason="not_text")
                client.push(error_frame("Error parsing JSON into valid websocket request: binary"))
                continue
            post = self._venue.feeds.receive(client, message.data, self._venue.pump())
            if post is not None:
                self._start_post(client, post)

    def _start_post(self, client: Connection, frame: Frame) -> None:
        if client.posts >= POSTS_MAX:
            client.push(error_frame(f"too many pending post requests id={frame.id}"))
            return
        client.posts += 1
        task = asyncio.create_task(self._post(client, frame))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post(self, client: Connection, frame: Frame) -> None:
        """An info request or an action that came over the socket."""
        assert frame.request is not None
        payload = bytes(frame.request.payload)
        try:
            if frame.request.type == "info":
                client.push(_posted(frame, "info", self._told(payload)))
            else:
                reply = await self._venue.act(payload)
                client.push(_posted(frame, "action" if not reply.is_text else "error", _said(reply)))
        except BadInput:
            client.push(_posted(frame, "error", f"422 Unprocessable Entity: {UNREADABLE}"))
        finally:
            client.posts -= 1

    def _told(self, payload: bytes) -> dict[str, object]:
        body = self._venue.ask(payload).body
        return {"type": msgspec.json.decode(payload)["type"], "data": body}

    async def _shut(self, _app: web.Application) -> None:
        for socket in list(self._sockets):
            await socket.close()


def _posted(frame: Frame, kind: str, payload: object) -> bytes:
    return channel("post", {"id": frame.id, "response": {"type": kind, "payload": payload}})


def _said(reply: HttpReply) -> object:
    return f"{reply.status} Unprocessable Entity: {reply.body}" if reply.is_text else reply.body


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(body=encode(body), status=status, content_type="application/json")


def _text(body: str, status: int) -> web.Response:
    return web.Response(text=body, status=status)
