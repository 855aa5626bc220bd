"""riskd's shell: streams in, permits out; the kill file and the state file on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from common import killfile
from common.build import build_id
from common.bus import RedisBus
from common.bus_types import Bus, Subscription
from common.config import Settings
from common.errors import OurFault
from common.log import get_log
from common.messages import SCHEMA
from common.service import Service
from common.streams import ACCOUNT, CONTROL, FILLS, HEARTBEAT, MD, SERVICES, WALLET
from riskd.engine import RiskEngine
from riskd.events import ClearKill, ClockRate, KillSeen, SaveState, Shown, WriteKill
from riskd.gauges import Gauges
from riskd.session import Session, load

TICK_S = 0.05
PACE_S = 0.05
"""A permit is made every 0.25 s: nothing it rests on is worth a wake-up of its own."""

WATCH_S = 0.05
STATE_NAME = "riskd.json"

log = get_log("riskd")


def subscriptions(coin: str) -> list[Subscription]:
    """What riskd hears; fills from as far back as the stream goes, to rebuild the taker share."""
    return [
        Subscription(MD, MD.of(coin), pace_s=PACE_S),
        Subscription(FILLS, FILLS.of(coin), history=True),
        Subscription(ACCOUNT, ACCOUNT.of(), pace_s=PACE_S),
        Subscription(WALLET, WALLET.of(), pace_s=PACE_S),
        Subscription(CONTROL, CONTROL.of("monitor")),
        *(Subscription(HEARTBEAT, HEARTBEAT.of(service), pace_s=PACE_S) for service in SERVICES),
    ]


def read_session(path: Path, account: str) -> Session:
    """What an earlier life left; what cannot be read is handled as what cannot be understood: a kill."""
    try:
        body = path.read_bytes()
    except FileNotFoundError:
        return load(None, account)
    except OSError as error:
        log.error("state_file_not_read", path=str(path), reason=str(error)[:200])
        body = b""
    session = load(body, account)
    if session.kill is not None:
        log.warning("started_killed", reason=session.kill.reason)
    return session


class Shell:
    """Carries out the engine's effects and watches the kill file."""

    def __init__(self, settings: Settings, bus: Bus) -> None:
        self.run_dir = settings.run_dir
        self.kill_dir = settings.kill_dir
        self.run_dir.mkdir(parents=True, exist_ok=True)
        session = read_session(self.run_dir / STATE_NAME, f"{settings.wallet_address} {settings.market.coin}")
        identity = (build_id(), SCHEMA, settings.config_hash())
        self.engine = RiskEngine(settings, session, identity)
        self.gauges = Gauges(settings.market.coin)
        self.service = Service(
            settings,
            self.engine,
            bus,
            subscriptions=subscriptions(settings.market.coin),
            tick_s=TICK_S,
            effect=self.effect,
            state=lambda: self.engine.verdict.mode.value if self.engine.verdict else "starting",
        )

    async def run(self) -> int:
        self.service.spawn(self.watch(), "kill file")
        return await self.service.run()

    async def watch(self) -> None:
        """Tell the engine of the kill file and of the clock's rate, now and at every change."""
        seen: killfile.Signature | bool = False
        rate = 0.0
        while True:
            if self.service.clock.rate != rate:
                rate = self.service.clock.rate
                self.service.post(ClockRate(rate))
            found = killfile.signature(self.kill_dir)
            if found != seen:
                seen = found
                self.service.post(KillSeen(killfile.read(self.kill_dir)))
            if not self.service.ready.is_set():
                self.service.mark_ready()
            await asyncio.sleep(WATCH_S)

    def effect(self, effect: Any) -> None:
        """A disk that refuses is told at ERROR and asked again: the latch holds in memory meanwhile."""
        act: Callable[[], None]
        match effect:
            case Shown():
                self.gauges.show(effect)
                return
            case WriteKill():
                what, act = "kill_file_not_written", partial(killfile.write, self.kill_dir, effect.kill)
            case ClearKill():
                what, act = "kill_file_not_cleared", partial(killfile.clear, self.kill_dir)
            case SaveState():
                path = self.run_dir / STATE_NAME
                what, act = "state_not_saved", partial(killfile.replace, path, effect.body, durable=effect.durable)
            case _:
                raise OurFault(f"riskd's shell knows no {type(effect).__name__}")
        try:
            act()
        except OSError as error:
            log.error(what, reason=str(error)[:200])


async def build(settings: Settings) -> int:
    return await Shell(settings, RedisBus(settings.redis_url, settings.service)).run()
