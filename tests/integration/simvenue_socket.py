"""A WebSocket client of a simvenue process, as tests want one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.integration.simvenue_process import SimVenue

HEAR_S = 10.0


@asynccontextmanager
async def listening(venue: SimVenue, *topics: dict[str, Any]) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A greeted connection that has asked for `topics`."""
    async with aiohttp.ClientSession() as session, session.ws_connect(venue.url + "/ws") as socket:
        assert await socket.receive_str() == "Websocket connection established."
        for topic in topics:
            await socket.send_json({"method": "subscribe", "subscription": topic})
        yield socket


async def hear(socket: aiohttp.ClientWebSocketResponse, channel: str) -> Any:
    """The next message of that channel: its data, or all of it where it has none."""
    async with asyncio.timeout(HEAR_S):
        while True:
            message = await socket.receive_json()
            if message["channel"] == channel:
                return message.get("data", message)
