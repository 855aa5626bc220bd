"""The quoter's shell: streams in, the engine, ladders out.  On a stop it withdraws its quotes before it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from common.bus import RedisBus, Subscription
from common.bus_types import Bus
from common.config import Settings
from common.errors import BadInput
from common.log import get_log
from common.service import Service
from common.sessions_file import calendar_of
from common.streams import ACCOUNT, CONTROL, FILLS, MD, ORDERS, PERMIT
from quoter.card_file import ModelWatch
from quoter.cores import show_cores
from quoter.edge_file import read_edge, write_edge
from quoter.engine import QuoteEngine
from quoter.events import EdgeKept, Model, Stop
from quoter.gauges import Gauges

TICK_S = 0.05
MODEL_LOOK_S = 5.0
EDGE_KEEP_S = 5.0

log = get_log("quoter")


def subscriptions(coin: str, references: Sequence[str] = ()) -> list[Subscription]:
    """What the quoter hears; its own orders and fills from as far back as the streams go."""
    return [
        *(Subscription(MD, MD.of(name)) for name in (coin, *references)),
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
        subscriptions=subscriptions(settings.market.coin, settings.quoting.reference_coins),
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

    async def keep_edge() -> None:
        """What the edge gate knows is taken up before the first decision, and written down within seconds."""
        try:
            kept = read_edge(settings, service.clock.origin_ns)
        except BadInput as error:
            log.error("edge_not_known", coin=settings.market.coin, why=str(error))
            service.post(EdgeKept(None))
        else:
            if kept is not None:
                service.post(EdgeKept(kept))
        written = engine.edge_gate.changes
        try:
            while True:
                await asyncio.sleep(EDGE_KEEP_S)
                written = keep(written)
        finally:
            keep(written)

    def keep(written: int) -> int:
        if engine.edge_gate.changes != written:
            write_edge(engine.edge_gate, settings, service.clock.origin_ns)
        return engine.edge_gate.changes

    service.spawn(watch_model(), "model watch")
    service.spawn(keep_edge(), "edge file")
    service.on_stop.append(withdraw)
    return service


async def build(settings: Settings) -> int:
    show_cores()
    service = make_service(settings, RedisBus(settings.redis_url, settings.service))
    service.mark_ready()
    return await service.run()
