"""The monitor's shell: listens to every stream, looks at the account itself, serves the page and the commands."""

from __future__ import annotations

import asyncio
from typing import Any

from common import killfile, metrics
from common.build import build_id
from common.bus import RedisBus
from common.bus_types import Bus, Subscription
from common.clock import NS
from common.config import Settings
from common.errors import BadInput, LinkDown, OurFault
from common.hyperliquid import InfoClient
from common.log import get_log
from common.messages import Alert, Severity
from common.service import Service
from common.sessions_file import calendar_of
from common.simclock import clock_client, read_clock
from common.streams import ACCOUNT, ALERTS, FILLS, HEARTBEAT, MD, ORDERS, PERMIT, QUOTES, SERVICES
from common.weights import Weights
from monitor.api import Api
from monitor.engine import Marked, MonitorEngine, Told
from monitor.events import ClockRead, KillSeen, WalletRead
from monitor.gauges import begin, count_markout, set_gauges
from monitor.wallet import Wallet

TICK_S = 0.25
PACE_S = 0.1
"""People do not see more; a wake-up for each tick would delay those who trade on it."""

KILL_LOOK_S = 0.2
READY_LOOK_S = 0.05
GAUGES_S = 1.0
CLOCK_S = 5.0
CLOCK_RETRY_S = 0.25
GRID_NS = 5 * NS

log = get_log("monitor")


def subscriptions(coin: str) -> list[Subscription]:
    """Everything that is said about one market, with the history of what is kept."""
    return [
        Subscription(MD, MD.of(coin), pace_s=PACE_S),
        Subscription(QUOTES, QUOTES.of(coin), pace_s=PACE_S),
        Subscription(ACCOUNT, ACCOUNT.of(), pace_s=PACE_S),
        Subscription(PERMIT, PERMIT.of(), pace_s=PACE_S),
        Subscription(ORDERS, ORDERS.of(coin), history=True),
        Subscription(FILLS, FILLS.of(coin), history=True),
        *[Subscription(ALERTS, ALERTS.of(name), history=True) for name in SERVICES],
        *[Subscription(HEARTBEAT, HEARTBEAT.of(name), pace_s=PACE_S) for name in SERVICES],
    ]


class Monitor:
    """The monitor of one market as a service."""

    def __init__(self, settings: Settings, bus: Bus) -> None:
        self.settings = settings
        self.engine = MonitorEngine(settings, calendar_of(settings))
        self.service = Service(
            settings,
            self.engine,
            bus,
            subscriptions=subscriptions(settings.market.coin),
            tick_s=TICK_S,
            effect=self._effect,
        )
        self.api = Api(
            self.engine,
            self.service.post,
            lambda: bus.link_up,
            self.service.ready.is_set,
            self.service.clock.now_ns,
            build_id(),
        )
        self.page_port = settings.page_port
        self._weights = Weights("monitor", bus)

    async def run(self, page_port: int | None = None) -> int:
        """The exit code; raises ConfigError when the page's port is taken."""
        self.page_port = await self.api.start(self.settings.page_port if page_port is None else page_port)
        log.info("page_served", url=f"http://{self.settings.bind}:{self.page_port}/")
        try:
            self.service.spawn(self._follow_clock(), "clock reading")
            self.service.spawn(self._watch_kill_file(), "kill file")
            self.service.spawn(self._show(), "gauges")
            if self.settings.wallet_address:
                self.service.spawn(self._watch_wallet(), "wallet")
            return await self.service.run()
        finally:
            await self.api.stop()

    # ------------------------------------------------------------------ tasks
    async def _follow_clock(self) -> None:
        """Tell the engine where the session's time began and how fast it runs."""
        clock = self.service.clock
        if self.settings.network != "paper":
            self.service.post(ClockRead(1.0, clock.now_ns() // GRID_NS * GRID_NS, 0))
            return
        client = clock_client()
        try:
            while True:
                try:
                    reading, _, _ = await read_clock(client, self.settings.venue_url)
                except (LinkDown, BadInput) as error:
                    log.debug("clock_not_read", reason=str(error)[:160])
                    await asyncio.sleep(CLOCK_RETRY_S)
                    continue
                self.service.post(ClockRead(reading.rate, reading.origin_ns, reading.session_offset_ns, reading.cut_ns))
                await asyncio.sleep(CLOCK_S)
        finally:
            await client.close()

    async def _watch_kill_file(self) -> None:
        while True:
            kill = killfile.read(self.settings.kill_dir)
            self.service.post(KillSeen(max(kill.epoch, 1), kill.reason) if kill else KillSeen(0, ""))
            await asyncio.sleep(KILL_LOOK_S)

    async def _watch_wallet(self) -> None:
        async with InfoClient(self.settings.venue_url, self._weights) as info:
            await Wallet(
                info,
                self.settings.wallet_address,
                self.settings.market.dex,
                lambda: self.engine.market.spec,
                self.service.clock.now_ns,
                lambda view: self.service.post(WalletRead(view)),
            ).run()

    async def _show(self) -> None:
        ready = self.service.ready
        begin(self.engine.coin)
        while True:
            if self.engine.began_mono_ns is not None and not ready.is_set():
                self.service.mark_ready()
            set_gauges(self.engine)
            await asyncio.sleep(GAUGES_S if ready.is_set() else READY_LOOK_S)

    # ------------------------------------------------------------------ effects
    def _effect(self, effect: Any) -> None:
        match effect:
            case Told():
                _tell(effect.alert)
            case Marked():
                count_markout(self.engine.coin, effect.horizon_s, effect.bps)
            case _:
                raise OurFault(f"no such effect: {type(effect).__name__}")


def _tell(alert: Alert) -> None:
    """Into the log, with the level its severity deserves."""
    say = {Severity.INFO: log.info, Severity.EMERGENCY: log.error}.get(alert.severity, log.warning)
    say("alert_raised", name=alert.name, severity=alert.severity.value, text=alert.text)
    metrics.count("amm_alerts_sent_total", channel="log", severity=alert.severity.value)


async def build(settings: Settings) -> int:
    return await Monitor(settings, RedisBus(settings.redis_url, "monitor")).run()
