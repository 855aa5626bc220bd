"""One account's life at the venue, in process and in market time: everything it can be told, to be held by captures.

The core, the reads and the listeners are the real ones; only sockets and signatures are left out. The price of
`km:US500` falls by a tenth after the hour's funding, so that a second account is liquidated.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from simvenue.door.gateway import Gateway
from simvenue.events import (
    CancelOrders,
    ModifyOrders,
    OrderSpec,
    PlaceOrders,
    Reply,
    Request,
    UpdateLeverage,
)
from simvenue.exchange import Exchange
from simvenue.feeds.candles import Candles
from simvenue.feeds.feeds import Feeds
from simvenue.feeds.wire import Wire
from simvenue.info.table import Info
from simvenue.info.universe import Universe
from simvenue.source import SELL_PRINT
from tests.unit.simvenue.small_market import ASK_LEVEL, BID_LEVEL, BTC, LATENCY, MS, T0, US500, USER, Row, Stamps, book

COIN = US500.coin
GAMBLER = "0x" + "bb" * 20
AGENT = "0x" + "cc" * 20
CLOID = "0x00000000000000000000000000000a01"
SECOND = 1000 * MS
FALL = 2100 * SECOND  # a market hour ends 2,000 s after T0
PAST_THE_FALL = 2200 * SECOND
MARKET_KINDS = ("l2Book", "bbo", "trades", "activeAssetCtx")
USER_KINDS = (
    "orderUpdates", "userFills", "userEvents", "userFundings", "userNonFundingLedgerUpdates", "clearinghouseState",
    "openOrders", "webData2",
)  # fmt: skip


class Ear:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def push(self, frame: bytes) -> None:
        self.frames.append(frame)

    def heard(self, channel: str) -> list[Any]:
        begin = f'{{"channel":"{channel}",'.encode()
        return [json.loads(frame) for frame in self.frames if frame.startswith(begin)]


class Session:
    """`run()` lives it; then ask, and see what was said and heard."""

    def __init__(self) -> None:
        markets = [(US500, Stamps(_prices())), (BTC, Stamps([(T0, book(775620, 775630, 10, 100_000))]))]
        self.exchange = Exchange(markets, origin_ns=T0, latency=LATENCY)
        self.gateway = Gateway(self.exchange)
        self.gateway.register(AGENT, USER, "bot", T0)
        self.exchange.fund(USER, 100_000)
        self.exchange.fund(GAMBLER, 1_000)
        universe = Universe((US500, BTC))
        self.wire = Wire(universe.sz_decimals())
        candles = Candles()
        self.read = Info(self.exchange, self.gateway, universe, self.wire, candles)
        self.feeds = Feeds(self.wire, universe, self.exchange, self.read, candles, lambda _reason, _text: None)
        self.ears = {USER: Ear(), GAMBLER: Ear()}
        self.replies: list[Any] = []
        self._numbers: dict[int, tuple[str, tuple[str, ...]]] = {}

    def info(self, kind: str, **fields: Any) -> Any:
        body = json.dumps({"type": kind, **fields}).encode()
        return json.loads(msgspec.json.encode(self.read.answer(body, self.exchange.now_ns).body))

    def heard(self, channel: str, address: str = USER) -> list[Any]:
        return self.ears[address].heard(channel)

    def complaint(self) -> Any:
        """What the venue says to a frame that is no request."""
        self.feeds.receive(self.ears[USER], b'{ "type": "allMids" }', self.exchange.now_ns)
        return self.heard("error")[-1]

    # ------------------------------------------------------------------ the life
    def run(self) -> Session:
        self._advance(SECOND)
        for address in self.ears:
            self._listen(address)
        us500, btc = US500.asset_id, BTC.asset_id
        self._order(OrderSpec(us500, True, "752.44", "0.5", False, "Alo", CLOID))
        self._order(OrderSpec(us500, True, "752.46", "0.25", False, "Ioc"))
        self._order(OrderSpec(us500, True, "752.3", "0.25", False, "Ioc"))
        self._order(OrderSpec(us500, True, "752.3", "9000", False, "Alo"))
        moved = OrderSpec(us500, True, "752.43", "0.5", False, "Alo", CLOID)
        self._act("batchModify", ModifyOrders(USER, ((CLOID, moved),)), COIN)
        self._act("cancelByCloid", CancelOrders(USER, ((us500, CLOID),)), COIN)
        self._order(OrderSpec(us500, True, "752.44", "0.5", False, "Gtc", CLOID))
        self._act("updateLeverage", UpdateLeverage(USER, btc, False, 10))
        self._order(OrderSpec(btc, True, "77563", "0.1", False, "Ioc"))
        self._order(OrderSpec(btc, True, "77000", "0.1", False, "Gtc"))
        self._order(OrderSpec(us500, True, "752.48", "25", False, "Ioc"), GAMBLER)
        self._advance(30 * SECOND)  # the print that fills our order
        self._advance(PAST_THE_FALL)  # funding on the way
        return self

    def _listen(self, address: str) -> None:
        ear = self.ears[address]
        self.feeds.open(ear)
        wanted = [{"type": kind, "coin": COIN} for kind in MARKET_KINDS]
        wanted += [
            {"type": "l2Book", "coin": COIN, "fast": True},
            {"type": "allMids"},
            {"type": "allMids", "dex": "km"},
        ]
        wanted += [{"type": "candle", "coin": COIN, "interval": "1m"}, {"type": "allDexsAssetCtxs"}]
        wanted += [{"type": kind, "user": address} for kind in USER_KINDS]
        wanted += [{"type": "activeAssetData", "user": address, "coin": COIN}]
        for subscription in wanted:
            frame = json.dumps({"method": "subscribe", "subscription": subscription}).encode()
            self.feeds.receive(ear, frame, self.exchange.now_ns)

    def _order(self, spec: OrderSpec, address: str = USER) -> None:
        self._act("order", PlaceOrders(address, (spec,)), COIN if spec.asset == US500.asset_id else BTC.coin)

    def _act(self, action: str, request: Request, *coins: str) -> None:
        number = len(self._numbers) + 1
        self._numbers[number] = (action, coins)
        self.exchange.submit(self.exchange.now_ns, number, request)
        self._advance(SECOND)

    def _advance(self, by_ns: int) -> None:
        """In steps as a running venue takes them; what is said is heard at once."""
        end = self.exchange.now_ns + by_ns
        while self.exchange.now_ns < end:
            outputs = self.exchange.advance(min(self.exchange.now_ns + 30 * SECOND, end))
            for output in outputs:
                if isinstance(output, Reply):
                    action, coins = self._numbers[output.request_id]
                    self.replies.append(json.loads(msgspec.json.encode(self.wire.reply(action, coins, output))))
            told = self.feeds.observe(outputs, self.exchange.now_ns)
            self.feeds.deliver(sorted([*outputs, *told], key=lambda one: one.deliver_t_ns))


def _prices() -> list[tuple[int, list[Row]]]:
    """752.44 x 752.46; a sale of 20 contracts half a minute in; a tenth lower later."""
    here, there = book(752440, 752460, 10, 10_000), book(677200, 677220, 10, 10_000)
    gone = [(what, px, 0) for what, px, _ in here if what in (BID_LEVEL, ASK_LEVEL)]
    return [
        (T0, here),
        (T0 + 30 * SECOND, [(SELL_PRINT, 752440, 20_000), (BID_LEVEL, 752440, 10_000)]),
        (T0 + FALL, gone + there),
    ]
