"""The socket to the mirrored venue, kept open: a shell without a decision.

Reconnects with doubling waits and full jitter, at most `CONNECTS_PER_MIN` a minute (the venue allows 30 new ones). No
proxy, no compression; a frame above its size ends the connection. No key is needed: all of it is public data.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable

import aiohttp

from common import metrics
from common.clock import NS, mono_ns
from common.errors import BadInput, LinkDown
from common.log import get_log
from simvenue.mirror import facts as mirror_facts
from simvenue.mirror.following import PING_TEXT, Mirror

FRAME_BYTES_MAX = 4 << 20
OPEN_S = 5.0
WATCH_S = 0.25
WAIT_S_MIN = 0.25
WAIT_S_MAX = 5.0
HEALTHY_S = 10.0
"""A connection that lived this long ends a series of failures."""
CONNECTS_PER_MIN = 15
LISTING_S = 600.0

log = get_log("mirror")


class Backoff:
    """How long to wait before the next connection: doubling, full jitter, and never too many a minute."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._failures = 0
        self._connects: deque[int] = deque(maxlen=CONNECTS_PER_MIN)

    def wait_s(self, now_ns: int) -> float:
        """Seconds until the next one may be opened; counts it."""
        ceiling = min(WAIT_S_MIN * 2.0 ** min(self._failures, 10), WAIT_S_MAX)
        wait_ns = int(self._rng.uniform(0.0, ceiling) * NS) if self._failures else 0
        if len(self._connects) == CONNECTS_PER_MIN:
            wait_ns = max(wait_ns, self._connects[0] + 60 * NS - now_ns)
        self._failures += 1
        self._connects.append(now_ns + wait_ns)
        return wait_ns / NS

    def ended(self, lived_s: float) -> None:
        if lived_s >= HEALTHY_S:
            self._failures = 1


class MirrorLink:
    """Keeps the mirror's one connection; `on_news` is called after every frame and every loss, `on_delisted` for each
    market that its venue does not trade any more (asked after every connection, then every `LISTING_S`).
    """

    def __init__(self, mirror: Mirror, rng: random.Random) -> None:
        self.mirror = mirror
        self.is_lost_for_good = asyncio.Event()
        self.on_news: Callable[[], None] = lambda: None
        self.on_delisted: Callable[[str], None] = lambda _coin: None
        self._backoff = Backoff(rng)
        self._url = mirror.url.replace("http", "ws", 1) + "/ws"

    async def run(self) -> None:
        """Until cancelled, or until the venue cannot be followed any more."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=OPEN_S)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            while not self.is_lost_for_good.is_set():
                await asyncio.sleep(self._backoff.wait_s(mono_ns()))
                opened_ns = mono_ns()
                reason = await self._one_connection(session)
                lived_s = (mono_ns() - opened_ns) / NS
                self._backoff.ended(lived_s)
                metrics.count("amm_ws_reconnects_total", channel="mirror")
                log.warning("mirror_link_lost", reason=reason, lived_s=round(lived_s, 1))

    async def _one_connection(self, session: aiohttp.ClientSession) -> str:
        """Until the connection ends, for whatever cause; its name."""
        try:
            async with asyncio.timeout(OPEN_S) as opening:
                async with session.ws_connect(self._url, max_msg_size=FRAME_BYTES_MAX, compress=0) as socket:
                    opening.reschedule(None)
                    try:
                        return await self._serve(socket)
                    finally:
                        self.mirror.closed(self.mirror.time.at(mono_ns()))
                        self.on_news()
        except (OSError, TimeoutError, aiohttp.ClientError) as error:
            return f"{type(error).__name__}: {str(error)[:160]}"

    async def _serve(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        for text in self.mirror.opened(mono_ns()):
            await socket.send_str(text)
        log.info("mirror_link_opened", url=self.mirror.url)
        watch = asyncio.create_task(self._watch(socket))
        listing = asyncio.create_task(self._listing())
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.ERROR:
                    break
                refused = self.mirror.frame(message.data, mono_ns())
                if refused:
                    metrics.count("amm_bad_input_total", boundary="mirror", reason=refused)
                    log.warning("mirror_frame_refused", reason=refused)
                self.on_news()
        finally:
            watch.cancel()
            listing.cancel()
            await asyncio.gather(watch, listing, return_exceptions=True)
        return watch.result() if not watch.cancelled() else f"closed by the venue ({socket.close_code})"

    async def _watch(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        """Ping; close the connection once it must be given up, and say why."""
        while True:
            await asyncio.sleep(WATCH_S)
            now_ns = mono_ns()
            if self.mirror.is_unfollowable(now_ns):
                log.error("mirror_time_went_back", url=self.mirror.url)
                self.is_lost_for_good.set()
            reason = "time_went_back" if self.is_lost_for_good.is_set() else self.mirror.fault(now_ns)
            if reason:
                await socket.close()
                return reason
            if self.mirror.ping_due(now_ns):
                await socket.send_str(PING_TEXT)

    async def _listing(self) -> None:
        while True:
            try:
                for coin in await mirror_facts.delisted(self.mirror.url, list(self.mirror.markets)):
                    self.on_delisted(coin)
            except (LinkDown, BadInput) as error:
                log.warning("mirror_listing_unknown", why=str(error)[:200])
            await asyncio.sleep(LISTING_S)
