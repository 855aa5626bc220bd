"""A small venue on a real port for tests of the executor's transport and streams, misbehaviour included.

`/exchange` answers what `answers` holds, in order, then "resting" for everything; `/ws` acknowledges subscriptions and
says what a test tells it to. It knows nothing of matching: that is `simvenue`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web

from tests.support.local_server import LocalServer

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ExchangePeer(LocalServer):
    """Use as `async with`; `bodies` holds what was posted."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[dict[str, Any]] = []
        self.answers: list[Answer] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.subscribed: list[str] = []
        self.acknowledges = True
        self.pings = 0
        self.connections = 0

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/exchange", self._exchange), web.get("/ws", self._ws)]

    async def say(self, message: Any) -> None:
        """Send a message, or raw text or bytes, to every open socket."""
        for socket in [s for s in self.sockets if not s.closed]:
            if isinstance(message, bytes):
                await socket.send_bytes(message)
            else:
                await socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def drop(self) -> None:
        for socket in self.sockets:
            if not socket.closed:
                await socket.close(code=1011)

    # ------------------------------------------------------------------ answers for `answers`
    @staticmethod
    def body(text: str | bytes, status: int = 200, **headers: str) -> Answer:
        async def answer(_: web.Request) -> web.StreamResponse:
            raw = text if isinstance(text, bytes) else text.encode()
            return web.Response(body=raw, status=status, headers=headers, content_type="application/json")

        return answer

    @staticmethod
    def silence(seconds: float) -> Answer:
        async def answer(_: web.Request) -> web.StreamResponse:
            await asyncio.sleep(seconds)
            return web.Response(text="late")

        return answer

    @staticmethod
    def reset() -> Answer:
        """The connection breaks after the request was read."""

        async def answer(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        return answer

    @staticmethod
    def torn() -> Answer:
        """A body shorter than its Content-Length."""

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Length": "500"})
            await response.prepare(request)
            await response.write(b'{"status":')
            assert request.transport is not None
            request.transport.abort()
            return response

        return answer

    # ------------------------------------------------------------------ the server
    async def _exchange(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(json.loads(await request.read()))
        if self.answers:
            return await self.answers.pop(0)(request)
        action = self.bodies[-1]["action"]
        entries = action.get("orders") or action.get("modifies") or action.get("cancels") or []
        places = action["type"] in ("order", "batchModify")
        statuses = [{"resting": {"oid": 100 + i}} if places else "success" for i in range(len(entries))]
        tree = {"status": "ok", "response": {"type": action["type"], "data": {"statuses": statuses}}}
        return web.json_response(tree)

    async def _ws(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=None)
        await socket.prepare(request)
        self.sockets.append(socket)
        self.connections += 1
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            said = json.loads(message.data)
            if said["method"] == "ping":
                self.pings += 1
                await socket.send_str('{"channel":"pong"}')
                continue
            self.subscribed.append(said["subscription"]["type"])
            if self.acknowledges:
                await socket.send_json({"channel": "subscriptionResponse", "data": said})
        return socket
