"""The shell on a bus: messages of the other services in, ladders out, a withdrawal at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from common.bus import Hub, MemoryBus, Subscription
from common.config import TESTNET_URL, Settings
from common.messages import Ladder, Side
from common.streams import QUOTES
from quoter.main import make_service, subscriptions
from tests.support.bus_world import Listener
from tests.support.ports import free_port_base
from tests.unit.quoter.builders import PX, Desk, settings


class LiveDesk(Desk):
    """Messages of this moment."""

    @property
    def t_ns(self) -> int:
        return time.time_ns()


@pytest.fixture
def live() -> Settings:
    """Real time, no venue to ask for its clock."""
    changes = {"network": "testnet", "venue_url": TESTNET_URL, "port_base": free_port_base("quoter")}
    return settings(session="regular").model_copy(update=changes)


@pytest.fixture
async def others(live: Settings) -> AsyncIterator[tuple[Hub, dict[str, MemoryBus]]]:
    hub = Hub()
    buses = {name: MemoryBus(hub, name, block_ms=10) for name in ("feed", "executor", "riskd")}
    for bus in buses.values():
        await bus.__aenter__()
    yield hub, buses
    for bus in buses.values():
        await bus.__aexit__(None, None, None)


async def test_a_quoter_quotes_rebuilds_its_position_and_withdraws_when_stopped(
    live: Settings, others: tuple[Hub, dict[str, MemoryBus]]
) -> None:
    hub, buses = others
    desk = LiveDesk()
    buses["executor"].send([desk.fill(Side.BID, 340), desk.account()])
    await buses["executor"].flush(1.0)
    service = make_service(live, MemoryBus(hub, "quoter", block_ms=10))
    running = asyncio.create_task(service.run())
    async with Listener(MemoryBus(hub, "monitor", block_ms=10), Subscription(QUOTES, QUOTES.of(desk.coin))) as reader:
        ladders: list[Ladder] = []

        def quoted() -> bool:
            buses["feed"].send([desk.spec(), desk.context(PX), desk.book(PX)])
            buses["riskd"].send([desk.permit()])
            ladders[:] = [m for m in reader.messages if isinstance(m, Ladder)]
            return bool(ladders) and bool(ladders[-1].asks)

        await reader.until(quoted)
        assert ladders[-1].reasons == ["bid_one_sided"]  # 256 USD long, from history
        service.stop("test")
        assert await running == 0
        await reader.until(lambda: reader.messages[-1].reasons == ["stopping"])  # type: ignore[union-attr]
        last = reader.messages[-1]
        assert isinstance(last, Ladder)
        assert not last.asks


def test_the_quoter_hears_the_market_itself_and_those_who_may_stop_it() -> None:
    keys = {sub.key: sub.history for sub in subscriptions("BTC")}
    assert keys == {
        "md:BTC": False, "account": False, "permit": False, "orders:BTC": True, "fills:BTC": True,
        "control:monitor": False, "control:riskd": False,
    }  # fmt: skip
