"""The venue's seat: simvenue's core with its door, reads and feeds, driven by virtual time.

Does what `simvenue/venue.py` does without sockets: what the exchange says waits until a client would have it, an action
is judged when it comes, acts when it arrives and is answered when the reply has travelled. The texts are the venue's
own both ways; only signatures are not made: an action names its signer where the signature would stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import Any

from backtest.seats.loop import NEVER_NS, Loop
from common.errors import OurFault
from simvenue.door import actions
from simvenue.door.gateway import Gateway, Refused
from simvenue.door.listeners import encode
from simvenue.events import CancelOrders, ModifyOrders, OrderEvent, Output, PlaceOrders, Reply, UserFill
from simvenue.exchange import Exchange
from simvenue.feeds.candles import Candles
from simvenue.feeds.feeds import Client, Feeds, Told
from simvenue.feeds.wire import DEFAULT_OK, Wire, refusal, status_refusal
from simvenue.info.table import Info
from simvenue.info.universe import Universe

Answered = Callable[[bytes], None]


def mark_of(signer: str) -> dict[str, Any]:
    """What stands for a signature: the signer's address, in a shape the door can read."""
    return {"r": signer, "s": "0x1", "v": 27}


class OpenDoor(Gateway):
    """A door that takes an action's word for who signed it; everything else is judged as ever."""

    def l1_signer(self, envelope: actions.Envelope, action: actions.Trading, now_t_ns: int) -> str:
        return envelope.signature.r


class NoCandles(Candles):
    """Nobody asks for candles here."""

    def on_trade(self, trade: Any) -> None:
        return


class VenueSeat:
    """One exchange; `next_ns` is when it, or somebody who waits for it, is due."""

    def __init__(self, exchange: Exchange, loop: Loop, reply_ns: int) -> None:
        self.exchange = exchange
        self._loop = loop
        self.universe = Universe(exchange.markets)
        self.wire = Wire(self.universe.sz_decimals())
        self.gateway = OpenDoor(exchange)
        candles = NoCandles()
        self._info = Info(exchange, self.gateway, self.universe, self.wire, candles)
        self.feeds = Feeds(self.wire, self.universe, exchange, self._info, candles, self._refused)
        self.refused: list[tuple[int, str]] = []
        self.orders: list[OrderEvent] = []
        self.fills: list[UserFill] = []
        """All of the run: what the exchange remembers for its clients ends with the newest."""
        self._reply_ns = reply_ns
        self._due: list[tuple[int, int, Any]] = []
        self._number = 0
        self._asked: dict[int, tuple[str, tuple[str, ...], Answered]] = {}
        self.next_ns = exchange.next_t_ns()

    # ------------------------------------------------------------------ time
    def advance(self, now_ns: int) -> None:
        """Everything up to and including now: the exchange first, then what its clients have by now."""
        outputs = self.exchange.advance(now_ns)
        for output in outputs:
            self._put(output.deliver_t_ns, output)
            if isinstance(output, OrderEvent):
                self.orders.append(output)
            elif isinstance(output, UserFill):
                self.fills.append(output)
        for state in self.feeds.observe(outputs, now_ns) if outputs else ():
            self._put(state.deliver_t_ns, state)
        told: list[Output | Told] = []
        while self._due and self._due[0][0] <= now_ns:
            _, _, item = heappop(self._due)
            if isinstance(item, Reply):
                self._answer(item)
            elif callable(item):
                item()
            else:
                told.append(item)
        if told:
            self.feeds.deliver(told)
        self._schedule()

    def _present(self) -> int:
        """The loop's present, up to which the exchange is brought."""
        self.advance(self._loop.now_ns)
        return self._loop.now_ns

    def _schedule(self) -> None:
        self.next_ns = min(self.exchange.next_t_ns(), self._due[0][0] if self._due else NEVER_NS)

    def _put(self, t_ns: int, item: Any) -> None:
        self._number += 1
        heappush(self._due, (t_ns, self._number, item))

    # ------------------------------------------------------------------ requests
    def act(self, body: bytes, answered: Answered) -> None:
        """POST /exchange now."""
        now_ns = self._present()
        arrives_ns = self.exchange.arrives_ns(now_ns)
        acts_ns = self.exchange.acts_ns(arrives_ns)
        verdict = self.gateway.admit(body, now_ns, acts_ns)
        if isinstance(verdict, Refused):
            self.refused.append((now_ns, verdict.reason))
            if verdict.http != 200:
                raise OurFault(f"the venue cannot read what we sent: {body.decode()[:200]}")
            answered(encode(status_refusal(verdict.text) if verdict.as_status else refusal(verdict.text)))
        elif verdict.command is None:
            self._put(acts_ns + self._reply_ns, lambda: answered(encode(DEFAULT_OK)))
        else:
            self._number += 1
            coins = tuple(self.universe.coin_of.get(asset, "") for asset in _assets(verdict.command))
            self._asked[self._number] = (verdict.action, coins, answered)
            self.exchange.submit(now_ns, self._number, verdict.command, arrives_ns)
        self._schedule()

    def _answer(self, reply: Reply) -> None:
        action, coins, answered = self._asked.pop(reply.request_id)
        answered(encode(self.wire.reply(action, coins, reply)))

    def ask(self, body: bytes) -> bytes:
        """POST /info now; raises BadInput."""
        return encode(self._info.answer(body, self._present()).body)

    # ------------------------------------------------------------------ sockets
    def receive(self, client: Client, text: str) -> None:
        """One frame of a client, which `feeds.open` has let in."""
        if self.feeds.receive(client, text.encode(), self._present()) is not None:
            raise OurFault("nobody posts over a socket here")

    def _refused(self, reason: str, detail: str) -> None:
        self.refused.append((self.exchange.now_ns, f"{reason} {detail[:80]}"))


def _assets(command: Any) -> Iterable[int]:
    """The market of each entry."""
    match command:
        case PlaceOrders():
            return [order.asset for order in command.orders]
        case ModifyOrders():
            return [order.asset for _, order in command.modifies]
        case CancelOrders():
            return [asset for asset, _ in command.cancels]
    return ()
