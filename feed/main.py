"""The feed's shell: finds the market at the venue, keeps two sockets to it, publishes what the engine lets through."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from common import metrics
from common.bus import RedisBus
from common.bus_types import Bus
from common.clock import NS, mono_ns, wall_ns
from common.config import Settings
from common.errors import EXIT_REFUSED, BadInput, LinkDown, OurFault, Refused, VenueError
from common.hyperliquid import InfoClient, MarketFacts
from common.log import get_log
from common.service import Service
from common.ticks import px_decimals
from common.weights import Weights
from feed.engine import DATA_AGE_S_MAX, FeedEngine
from feed.events import DEEP, MAIN, Closed, Dropped, Frame, Opened, Reconnect, SendText, SpecRead
from feed.guard import LATE_S_MAX
from feed.keeping import Keeping
from feed.links import Backoff
from feed.ws import VenueSocket

TICK_S = 0.25
RECHECK_S = 3600.0
RETRY_S = 1.0
RETRY_S_MAX = 60.0
GAUGES_S = 0.25
NO_MARKET = ("no_such_market", "id_mismatch")

log = get_log("feed")


class Feed:
    """One market's feed as a service."""

    def __init__(self, settings: Settings, bus: Bus) -> None:
        self.settings = settings
        self.coin = settings.market.coin
        self.engine = FeedEngine(self.coin)
        self.service = Service(
            settings, self.engine, bus, subscriptions=[], tick_s=TICK_S, effect=self._effect, state=self._state
        )
        self.keeping = Keeping(settings, self.service.clock, bus.send) if settings.recording.on else None
        backoff = Backoff(random.Random())
        self.sockets = {
            name: VenueSocket(name, settings.ws_url, backoff, self._hear, self.service.clock) for name in (MAIN, DEEP)
        }
        self._facts: MarketFacts | None = None
        self._weights = Weights("feed", bus)
        self._refusal = ""
        self._in_gap = False

    async def run(self) -> int:
        """The exit code; raises Refused when the market may not be traded."""
        self.service.spawn(self._follow(), "market")
        self.service.spawn(self._show(), "gauges")
        if self.keeping is not None:
            self.keeping.start()
            self.service.on_stop.append(self.keeping.close)
        code = await self.service.run()
        if self._refusal:
            raise Refused(self._refusal)
        return code

    # ------------------------------------------------------------------ the market
    async def _follow(self) -> None:
        """Discover the market, open the sockets, look again every hour."""
        async with InfoClient(self.settings.venue_url, self._weights) as info:
            self._take(await self._discover(info))
            if self._refusal:
                return
            for name, socket in self.sockets.items():
                self.service.spawn(socket.run(), f"{name} link")
            while not self._refusal:
                await asyncio.sleep(RECHECK_S)
                self._take(await self._discover(info))

    async def _discover(self, info: InfoClient) -> MarketFacts | None:
        """The venue's facts; asks until it answers. None when it has no such market (the reason is kept)."""
        wait_s = RETRY_S
        while True:
            try:
                return await info.discover(self.coin)
            except BadInput as error:
                if error.reason in NO_MARKET:
                    self._refuse(f"SYMBOL = {self.coin!r}: the venue has no such market ({error.detail})")
                    return None
                log.warning("market_not_read", reason=error.reason, detail=error.detail)
            except (LinkDown, VenueError) as error:
                log.warning("market_not_read", reason=type(error).__name__, detail=str(error)[:160])
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, RETRY_S_MAX)

    def _take(self, facts: MarketFacts | None) -> None:
        """Publish new facts, or end: a market that became another one must not be traded under its old name."""
        if facts is None:
            return
        try:
            facts.require(self.settings.market.collateral)
        except Refused as error:
            self._refuse(str(error))
            return
        if self._facts is not None and _identity(self._facts) != _identity(facts):
            self._refuse(
                f"{self.coin} is no longer what it was at start: {_identity(self._facts)} -> {_identity(facts)}"
            )
            return
        self._facts = facts
        if self.keeping is not None:
            self.keeping.describe(facts)
        log.info("market_read", coin=facts.coin, asset_id=facts.asset_id, sz_decimals=facts.sz_decimals)
        self.service.post(SpecRead(facts.spec(self.service.clock.now_ns())))

    def _refuse(self, sentence: str) -> None:
        self._refusal = sentence
        self.service.stop("market refused", EXIT_REFUSED)

    # ------------------------------------------------------------------ events and effects
    def _hear(self, event: Opened | Closed | Frame) -> None:
        """What a socket said, to the engine; kept first (one append), so that what breaks an engine is on record."""
        if self.keeping is not None:
            self.keeping.take(event)
        self.service.post(event)

    def _effect(self, effect: Any) -> None:
        match effect:
            case SendText():
                self.sockets[effect.link].send(effect.text)
            case Reconnect():
                self.sockets[effect.link].give_up(effect.reason)
            case Dropped():
                metrics.count("amm_bad_input_total", boundary="venue_ws", reason=effect.reason)
                log.debug("message_dropped", link=effect.link, reason=effect.reason, detail=effect.detail)
            case _:
                raise OurFault(f"no such effect: {type(effect).__name__}")

    # ------------------------------------------------------------------ for people
    async def _show(self) -> None:
        """Gauges, and ready at the first book: off the path of the messages."""
        metrics.count("amm_feed_gaps_total", 0, coin=self.coin)
        for name in self.sockets:
            metrics.count("amm_ws_reconnects_total", 0, channel=name)
        while True:
            if self.engine.touch is not None and not self.service.ready.is_set():
                self.service.mark_ready()
            self._count_gaps()
            self._set_gauges()
            if self.keeping is not None:
                self.keeping.show()
            await asyncio.sleep(GAUGES_S)

    def _count_gaps(self) -> None:
        late = self.engine.touch is not None and self.engine.data_age_s(mono_ns()) > LATE_S_MAX
        if late and not self._in_gap:
            metrics.count("amm_feed_gaps_total", coin=self.coin)
            log.warning("data_late", coin=self.coin, age_s=round(self.engine.data_age_s(mono_ns()), 2))
        self._in_gap = late

    def _set_gauges(self) -> None:
        clock = self.service.clock
        for channel, recv_t_ns in self.engine.channel_recv_t_ns.items():
            age_s = (clock.now_ns() - recv_t_ns) / NS / clock.rate  # market time may run ahead of Prometheus' own
            heard_s = wall_ns() / NS - age_s
            metrics.set("amm_feed_last_message_timestamp_seconds", heard_s, coin=self.coin, channel=channel)
        touch, context, spec = self.engine.touch, self.engine.context, self.engine.spec
        if spec is None:
            return
        scale = 10.0 ** px_decimals(spec.sz_decimals)
        if touch is not None and touch.bid_px_u and touch.ask_px_u:
            metrics.set("amm_best_bid_price_usd", touch.bid_px_u / scale, coin=self.coin)
            metrics.set("amm_best_ask_price_usd", touch.ask_px_u / scale, coin=self.coin)
            metrics.set("amm_mid_price_usd", (touch.bid_px_u + touch.ask_px_u) / 2.0 / scale, coin=self.coin)
        if context is not None:
            metrics.set("amm_funding_rate_hourly_ratio", context.funding_rate_1h, coin=self.coin)

    def _state(self) -> str:
        if self.engine.spec is None:
            return "looking for the market"
        if self.engine.touch is None:
            return "connecting"
        return "live" if self.engine.data_age_s(mono_ns()) <= DATA_AGE_S_MAX / 2 else "stale"


def _identity(facts: MarketFacts) -> tuple[int, int, str]:
    return facts.asset_id, facts.sz_decimals, facts.collateral


async def build(settings: Settings) -> int:
    return await Feed(settings, RedisBus(settings.redis_url, "feed")).run()
