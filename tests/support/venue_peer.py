"""A small venue on a real port for tests of the feed: answers `/info` and `/sim/clock`, and says over `/ws` what a
test tells it to, misbehaviour included.  It knows nothing of matching: that is `simvenue`."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from tests.support.local_server import LocalServer

META: dict[str, Any] = {
    "universe": [{"name": "km:US500", "szDecimals": 3, "maxLeverage": 20, "growthMode": "enabled"}],
    "collateralToken": 360,
}
DEXS: list[Any] = [None, {"name": "km", "deployerFeeScale": "1.0"}]


class VenuePeer(LocalServer):
    """Use as `async with`; what subscribers asked for is in `subscriptions`, one entry a socket."""

    def __init__(self) -> None:
        super().__init__()
        self.meta: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(META))
        self.acks = True
        self.greeting: str | None = None
        self.refuse_with = 0
        self.sockets: list[web.WebSocketResponse] = []
        self.subscriptions: list[list[dict[str, Any]]] = []
        self.connections = 0
        self.pings = 0

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/info", self._info), web.get("/sim/clock", self._clock), web.get("/ws", self._ws)]

    # ------------------------------------------------------------------ what a test does
    def follows(self, kind: str, **more: Any) -> list[web.WebSocketResponse]:
        """Open sockets subscribed to `kind` with exactly these further fields."""
        wanted = {"type": kind, "coin": "km:US500", **more}
        pairs = zip(self.sockets, self.subscriptions, strict=True)
        return [socket for socket, subscribed in pairs if wanted in subscribed and not socket.closed]

    async def say(self, message: Any, kind: str, **more: Any) -> None:
        """Send a message (or raw text) to those who follow `kind`."""
        text = message if isinstance(message, str) else msgspec.json.encode(message).decode()
        for socket in self.follows(kind, **more):
            await socket.send_str(text)

    async def drop(self) -> None:
        """Cut every connection."""
        for socket in self.sockets:
            if not socket.closed:
                await socket.close(code=1011)

    # ------------------------------------------------------------------ what it answers
    async def _info(self, request: web.Request) -> web.Response:
        asked = await request.json()
        answers: dict[str, Any] = {
            "perpDexs": DEXS,
            "meta": self.meta,
            "spotMeta": {"tokens": [{"name": "USDC", "index": 0}, {"name": "USDH", "index": 360}]},
            "alignedQuoteTokenInfo": {"isAligned": True},
        }
        return web.json_response(answers[asked["type"]])

    async def _clock(self, _: web.Request) -> web.Response:
        now_ns = time.time_ns()
        return web.json_response(
            {"origin_ns": now_ns, "rate": 1.0, "now_ns": now_ns, "session_offset_ns": 0, "cut_ns": 0}
        )

    async def _ws(self, request: web.Request) -> web.StreamResponse:
        self.connections += 1
        if self.refuse_with:
            return web.Response(status=self.refuse_with)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        subscribed: list[dict[str, Any]] = []
        self.sockets.append(socket)
        self.subscriptions.append(subscribed)
        if self.greeting is not None:
            await socket.send_str(self.greeting)
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                await self._hear(socket, subscribed, msgspec.json.decode(frame.data))
        return socket

    async def _hear(self, socket: web.WebSocketResponse, subscribed: list[dict[str, Any]], message: Any) -> None:
        if message["method"] == "ping":
            self.pings += 1
            await socket.send_json({"channel": "pong"})
        elif message["method"] == "subscribe":
            subscribed.append(message["subscription"])
            if self.acks:
                await socket.send_json({"channel": "subscriptionResponse", "data": message})
