"""The feed's seat: finds the market, keeps its two links to the venue, hands their frames to the engine."""

from __future__ import annotations

from typing import Any

from backtest.seats.discovery import discover
from backtest.seats.floor import Floor, Job, Sleep
from backtest.seats.seat import Seat
from backtest.timing import FROM_VENUE
from feed.engine import FeedEngine
from feed.events import DEEP, MAIN, Closed, Dropped, Frame, Opened, Reconnect, SendText, SpecRead

REOPEN_NS = 250_000_000
"""The shell's first pause before a new connection."""


class Link:
    """One WebSocket: what the venue pushes reaches the engine as a frame."""

    def __init__(self, seat: FeedSeat, name: str) -> None:
        self._seat = seat
        self._name = name
        self.is_open = True

    def push(self, frame: bytes) -> None:
        if self.is_open:
            loop = self._seat.floor.loop
            loop.travel(f"venue>feed {self._name}", 0, FROM_VENUE, self._arrived, frame)

    def _arrived(self, frame: bytes) -> None:
        if self.is_open:
            seat = self._seat
            seat.post(Frame(self._name, frame.decode(), seat.floor.loop.now_ns, seat.mono_ns()))


class FeedSeat(Seat):
    """One market's feed."""

    name = "feed"

    def __init__(self, floor: Floor) -> None:
        self.feed = FeedEngine(floor.settings.market.coin)
        super().__init__(floor, self.feed)
        self.links: dict[str, Link] = {}
        self.dropped: dict[str, int] = {}

    def begin(self) -> None:
        super().begin()
        self.jobs.start(self._follow())

    def _follow(self) -> Job:
        facts = yield from discover(self.floor.settings.market.coin)
        self.post(SpecRead(facts.spec(self.floor.loop.now_ns)))
        for name in (MAIN, DEEP):
            self._connect(name)
        self.is_ready = True

    def _connect(self, name: str) -> None:
        self.links[name] = Link(self, name)
        self.floor.venue.feeds.open(self.links[name])
        self.post(Opened(name, self.mono_ns(), self.floor.rate))

    def effect(self, effect: Any) -> None:
        match effect:
            case SendText():
                self.floor.venue.receive(self.links[effect.link], effect.text)
            case Reconnect():
                self._disconnect(effect.link)
                self.jobs.start(self._again(effect.link))
            case Dropped():
                self.dropped[effect.reason] = self.dropped.get(effect.reason, 0) + 1
            case _:
                super().effect(effect)

    def _disconnect(self, name: str) -> None:
        link = self.links[name]
        link.is_open = False
        self.floor.venue.feeds.close(link)
        self.post(Closed(name, self.mono_ns()))

    def _again(self, name: str) -> Job:
        yield Sleep(REOPEN_NS)
        self._connect(name)
