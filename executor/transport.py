"""POST /exchange over warm connections: what was certainly not sent, what is unknown, and what the venue answered.

Decides only that; what an answer means is `wire.py`'s. Bounded in time (machine time) and size; redirects, proxies
from the environment and compressed answers are refused. Raises LinkDown when nothing left this machine and
UnknownOutcome when something may have.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

import aiohttp

from common.errors import LinkDown, UnknownOutcome

REPLY_BYTES_MAX = 1_000_000
CONNECTIONS = 8
"""Cancels need not queue behind an order whose answer is late."""

KEEPALIVE_S = 60.0
HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


class Transport:
    """One venue's /exchange; use as an async context."""

    def __init__(self, venue_url: str, timeout_s: float) -> None:
        self._url = venue_url + "/exchange"
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEEPALIVE_S, ttl_dns_cache=300),
            timeout=self._timeout,
            headers=HEADERS,
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=("User-Agent",),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(self, body: bytes) -> tuple[int, bytes]:
        """(HTTP status, answer); raises LinkDown or UnknownOutcome."""
        if self._session is None:
            raise LinkDown("transport is not open")
        try:
            async with self._session.post(self._url, data=body, allow_redirects=False) as answer:
                if answer.content_length is not None and answer.content_length > REPLY_BYTES_MAX:
                    raise UnknownOutcome("reply_too_long")
                raw = await answer.content.read(REPLY_BYTES_MAX + 1)
                while not answer.content.at_eof() and len(raw) <= REPLY_BYTES_MAX:
                    raw += await answer.content.read(REPLY_BYTES_MAX + 1)
                if len(raw) > REPLY_BYTES_MAX:
                    raise UnknownOutcome("reply_too_long")
                return answer.status, raw
        except aiohttp.ClientConnectorError as error:
            raise LinkDown(type(error).__name__) from None
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise UnknownOutcome(type(error).__name__) from None
