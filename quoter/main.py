"""The quoter's shell: streams in, the engine, ladders out.  On a stop it withdraws its quotes before it goes."""

from __future__ import annotations

import asyncio
from typing import Any

from common.bus import RedisBus, Subscription
from common.bus_types import Bus
from common.config import Settings
from common.log import get_log
from common.service import Service
from common.sessions_file import calendar_of
from common.streams import ACCOUNT, CONTROL, FILLS, MD, ORDERS, PERMIT
from quoter.card_file import ModelWatch
from quoter.engine import QuoteEngine
from quoter.events import Model, Stop
from quoter.gauges import Gauges

TICK_S = 0.05
MODEL_LOOK_S = 5.0

log = get_log("quoter")


def subscriptions(coin: str) -> list[Subscription]:
    """What the quoter hears; its own orders and fills from as far back as the streams go."""
    return [
        Subscription(MD, MD.of(coin)),
        Subscription(ACCOUNT, ACCOUNT.of()),
        Subscription(PERMIT, PERMIT.of()),
        Subscription(ORDERS, ORDERS.of(coin), history=True),
        Subscription(FILLS, FILLS.of(coin), history=True),
        *(Subscription(CONTROL, CONTROL.of(writer)) for writer in CONTROL.writers),
    ]


def make_service(settings: Settings, bus: Bus) -> Service:
    """The quoter of one market on one bus; importing the engine has loaded its kernels."""
    engine = QuoteEngine(settings, calendar_of(settings))
    gauges = Gauges(settings, engine)

    def later(effect: Any) -> None:
        """Figures for people wait until the ladder is on its way."""
        asyncio.get_running_loop().call_soon(gauges.on, effect)

    service = Service(
        settings,
        engine,
        bus,
        subscriptions=subscriptions(settings.market.coin),
        tick_s=TICK_S,
        effect=later,
        state=lambda: engine.mood,
    )

    async def withdraw() -> None:
        service.post(Stop())

    watch = ModelWatch(settings)

    async def watch_model() -> None:
        """A newly fitted forecast is used within seconds, one that grew too old no longer."""
        while True:
            if watch.look(service.clock.session_ns(service.clock.now_ns())):
                log.info(
                    "forecast_changed", coin=settings.market.coin, used=watch.in_use is not None, why=watch.why_not
                )
                service.post(Model(watch.in_use))
            await asyncio.sleep(MODEL_LOOK_S)

    service.spawn(watch_model(), "model watch")
    service.on_stop.append(withdraw)
    return service


async def build(settings: Settings) -> int:
    service = make_service(settings, RedisBus(settings.redis_url, settings.service))
    service.mark_ready()
    return await service.run()
