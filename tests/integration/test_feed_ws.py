"""The feed over real sockets: from the venue's frames to the bus, and back after every way a link can fail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from common import metrics
from common.bus import Delivery, Hub, MemoryBus, Subscription
from common.config import load
from common.errors import Refused
from common.messages import AssetContext, BookUpdate, MarketSpec, Touch, TradePrint
from common.streams import MD
from feed import engine as feed_engine
from feed import links
from feed.main import Feed
from tests.support.ports import free_port_base
from tests.support.venue_peer import VenuePeer
from tests.support.waiting import until
from tests.unit.feed.builders import bbo, context, l2, trade, trades

COIN = "km:US500"


class World:
    """A venue peer, a feed on a bus in memory, and everything the feed published."""

    def __init__(self, peer: VenuePeer, run_dir: Path) -> None:
        environ = {
            "MARKET": "us500",
            "VENUE_URL": peer.url,
            "RUN_DIR": str(run_dir),
            "PORT_BASE": str(free_port_base("feed")),
        }
        self.peer = peer
        self.hub = Hub()
        self.feed = Feed(load("feed", environ), MemoryBus(self.hub, "feed", block_ms=50))
        self.reader = MemoryBus(self.hub, "quoter", block_ms=50)
        self.heard: list[Any] = []

    def take(self, items: list[Any]) -> None:
        self.heard += [item.message for item in items if isinstance(item, Delivery)]

    def of(self, kind: type) -> list[Any]:
        return [message for message in self.heard if type(message) is kind]

    async def connected(self) -> None:
        await until(lambda: len(self.peer.follows("activeAssetCtx")) == 1, "subscriptions on the main link")
        await until(lambda: len(self.peer.follows("l2Book")) == 1, "subscription on the deep link")
        links = self.feed.engine.links.values()
        await until(lambda: all(link.is_open and not link.waiting for link in links), "acknowledgements")

    async def touch(self, bid: str = "752.4", ask: str = "752.5") -> Touch:
        """Have the peer say a touch now, and wait until it came out of the bus."""
        before = len(self.of(Touch))
        await self.peer.say(now(bbo(bid=bid, ask=ask)), "bbo")
        await until(lambda: len(self.of(Touch)) > before, "the touch")
        found: Touch = self.of(Touch)[-1]
        return found


def now(message: dict[str, Any]) -> dict[str, Any]:
    """The message with the present time in it."""
    ms = time.time_ns() // 1_000_000
    rows = message["data"] if isinstance(message["data"], list) else [message["data"]]
    for row in rows:
        row["time"] = ms
    return message


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with VenuePeer() as peer:
        found = World(peer, tmp_path)
        async with found.reader:
            reading = asyncio.create_task(found.reader.read([Subscription(MD, MD.of(COIN))], found.take))
            running = asyncio.create_task(found.feed.run())
            yield found
            found.feed.service.stop("the test is over")
            await asyncio.gather(running, return_exceptions=True)
            await found.reader.close()
            await reading


async def test_everything_the_venue_says_comes_out_of_the_bus(world: World) -> None:
    await world.connected()
    await world.peer.say(context(), "activeAssetCtx")
    touch = await world.touch()
    fast, slow = now(l2(fast=True)), now(l2(bids=["752.4", "752.1"]))
    slow["data"]["time"] = fast["data"]["time"]  # a newer one would say that 752.3 is gone
    await world.peer.say(fast, "l2Book", fast=True)
    await world.peer.say(slow, "l2Book")
    await world.peer.say(now(trades(trade())), "trades")
    await until(lambda: world.of(TradePrint) and len(world.of(BookUpdate)) == 2, "print and books")
    assert (touch.bid_px_u, touch.ask_px_u) == (752_400, 752_500)
    assert abs(touch.recv_t_ns - touch.venue_t_ns) < 2_000_000_000
    assert {px for px, _ in max((b.bids for b in world.of(BookUpdate)), key=len)} == {752_400, 752_300, 752_100}
    assert world.of(AssetContext)[0].oracle_px_u == 752_510
    [facts] = {(s.asset_id, s.sz_decimals, s.collateral, s.growth_mode) for s in world.of(MarketSpec)}
    assert facts == (110_000, 3, "USDH", True)
    await until(world.feed.service.ready.is_set, "ready at the first book")


async def test_market_facts_are_repeated(world: World) -> None:
    await until(lambda: len(world.of(MarketSpec)) >= 5, "five specs", within_s=5.0)
    first, *_, last = world.of(MarketSpec)
    assert last.t_ns - first.t_ns > 0.7e9


async def test_cut_connection_comes_back_with_all_subscriptions(world: World) -> None:
    await world.connected()
    await world.touch()
    await world.peer.drop()
    await until(lambda: world.peer.connections >= 4, "two new connections", within_s=3.0)
    await world.connected()
    assert (await world.touch("752.3")).bid_px_u == 752_300
    assert len(world.peer.follows("trades")) == 1


async def test_missing_acknowledgement_leads_to_a_new_connection(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "ACK_S", 0.3)
    world.peer.acks = False
    await until(lambda: world.peer.connections >= 4, "both links tried again")
    world.peer.acks = True
    await world.connected()
    await world.touch()


async def test_link_that_only_answers_pings_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "PING_S", 0.1)
    await world.connected()
    await world.touch()
    for link in world.feed.engine.links.values():
        link.data_age_s_max = 0.6
    before = world.peer.connections
    await until(lambda: world.peer.connections > before, "a new connection")
    assert world.peer.pings > 0


async def test_bad_frames_are_counted_and_cost_nothing_else(world: World) -> None:
    await world.connected()
    before = metrics.value("amm_bad_input_total", boundary="venue_ws", reason="not_json")
    await world.peer.say("{", "bbo")
    await world.peer.say(now(bbo(bid="752.6")), "bbo")
    assert (await world.touch()).bid_px_u == 752_400
    assert metrics.value("amm_bad_input_total", boundary="venue_ws", reason="not_json") == before + 1
    assert world.peer.connections == 2


async def test_frame_of_more_than_a_mebibyte_ends_the_connection_only(world: World) -> None:
    await world.connected()
    await world.peer.say("x" * ((1 << 20) + 1), "bbo")
    await until(lambda: world.peer.connections >= 3, "a new connection")
    await world.connected()
    await world.touch()


async def test_greeting_is_no_bad_input(tmp_path: Path) -> None:
    async with VenuePeer() as peer:
        peer.greeting = "Websocket connection established."
        world = World(peer, tmp_path)
        before = metrics.value("amm_bad_input_total", boundary="venue_ws", reason="not_json")
        running = asyncio.create_task(world.feed.run())
        await world.connected()
        world.feed.service.stop("the test is over")
        assert await running == 0
        assert metrics.value("amm_bad_input_total", boundary="venue_ws", reason="not_json") == before


async def test_venue_that_refuses_the_upgrade_is_tried_again(world: World) -> None:
    world.peer.refuse_with = 502
    await until(lambda: world.peer.connections >= 3, "further tries")
    world.peer.refuse_with = 0
    await world.connected()
    await world.touch()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"isDelisted": True}, "is delisted"),
        ({"name": "km:OTHER"}, "no such market"),
    ],
)
async def test_market_that_may_not_be_traded_ends_the_feed_with_a_sentence(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    async with VenuePeer() as peer:
        peer.meta["universe"][0].update(change)
        with pytest.raises(Refused, match=sentence):
            await asyncio.wait_for(World(peer, tmp_path).feed.run(), 10)
        assert peer.connections == 0


async def test_market_that_changes_its_identity_ends_the_feed(world: World) -> None:
    await world.connected()
    world.peer.meta["universe"][0]["szDecimals"] = 2
    from common.hyperliquid import InfoClient
    from common.weights import Weights

    async with InfoClient(world.peer.url, Weights("feed")) as info:
        world.feed._take(await info.discover(COIN))
    assert world.feed.service.stopping.is_set()


def test_bounds_of_the_links_are_those_of_the_design() -> None:
    assert (links.PING_S, links.ACK_S, links.BACKOFF_S_MIN, links.BACKOFF_S_MAX) == (15.0, 5.0, 0.25, 5.0)
    assert feed_engine.DATA_AGE_S_MAX == 5.0
