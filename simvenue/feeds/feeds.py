"""From what the exchange says to what listeners hear: channels, batches, and a newcomer's first message.

Sans-IO: the shell hands what the exchange says to `observe` at once and to `deliver` when a client would see it; rows
that share a time share a message. The first message of a market's channel repeats what was last delivered (never what
the exchange knows but has not told yet), a user's lists begin with `isSnapshot`, candles with the next print.
Connections are `door/listeners.py`'s, states `states.py`'s, channels about all markets `overview.py`'s.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, Protocol

from simvenue.door.listeners import GREETING, Client, Frame, Listeners, channel, encode, error_frame
from simvenue.events import (
    Bbo,
    Book,
    Context,
    Deposit,
    LedgerUpdate,
    Liquidated,
    OrderEvent,
    Output,
    Reply,
    Trade,
    UserFill,
    UserFunding,
)
from simvenue.feeds.aggregation import by_time
from simvenue.feeds.candles import Candles
from simvenue.feeds.overview import Overview
from simvenue.feeds.states import Answers, States, Told, is_state
from simvenue.feeds.subscriptions import Topic
from simvenue.feeds.wire import Json, Wire
from simvenue.info.universe import Universe
from simvenue.money.accounts import HOUSE

__all__ = ["GREETING", "Client", "Feeds", "Frame", "Told", "channel", "encode", "error_frame"]

RECENT_TRADES = 100
SNAPSHOT_MAX = 2000
#: Channels that begin with what has happened, and the name of their list.
LISTS = {
    "userFills": "fills",
    "userFundings": "fundings",
    "userNonFundingLedgerUpdates": "nonFundingLedgerUpdates",
}


class History(Protocol):
    """What the exchange remembers of an address, newest last."""

    def fills(self, address: str) -> list[UserFill]: ...
    def fundings(self, address: str) -> list[UserFunding]: ...
    def ledger_updates(self, address: str) -> list[LedgerUpdate]: ...


class Feeds(Listeners):
    """Everything one venue tells over its sockets."""

    def __init__(
        self,
        wire: Wire,
        universe: Universe,
        history: History,
        answers: Answers,
        candles: Candles,
        refused: Callable[[str, str], None],
    ) -> None:
        super().__init__(universe, refused)
        self._wire = wire
        self._history = history
        self._answers = answers
        self._candles = candles
        self._states = States(answers)
        self._overview = Overview(wire, universe, answers)
        self._states_heard: dict[Topic, None] = {}
        self._candles_heard: dict[str, dict[Topic, None]] = defaultdict(dict)  # by coin
        self._last: dict[Topic, Bbo | Book | Context] = {}
        self._trades: dict[str, deque[Trade]] = defaultdict(lambda: deque(maxlen=RECENT_TRADES))

    def watch(self, topic: Topic, *, is_heard: bool) -> None:
        if topic.kind != "candle" and not is_state(topic):
            return
        heard = self._candles_heard[topic.subject] if topic.kind == "candle" else self._states_heard
        if is_heard:
            heard[topic] = None
        else:
            del heard[topic]

    # ------------------------------------------------------------------ first messages
    def first(self, topic: Topic, now_t_ns: int) -> Iterable[bytes]:
        if topic.kind == "trades" and self._trades[topic.subject]:
            yield channel("trades", [self._wire.trade(t) for t in self._trades[topic.subject]])
        elif topic in self._last:
            yield channel(topic.kind, self._shape(self._last[topic]))
        elif is_state(topic):
            yield channel(topic.kind, self._states.data(topic, now_t_ns))
        elif topic.kind in LISTS:
            told = [event for event in self._past(topic) if event.deliver_t_ns <= now_t_ns]
            _, body = self._rows(topic, told[-SNAPSHOT_MAX:])
            body[LISTS[topic.kind]].reverse()
            yield channel(topic.kind, {"isSnapshot": True, **body})
        elif (everything := self._overview.first(topic)) is not None:
            yield channel(topic.kind, everything)

    def _past(self, topic: Topic) -> Sequence[Any]:
        match topic.kind:
            case "userFills":
                return self._history.fills(topic.subject)
            case "userFundings":
                return self._history.fundings(topic.subject)
        return self._history.ledger_updates(topic.subject)

    # ------------------------------------------------------------------ what is due
    def observe(self, outputs: Sequence[Output], now_t_ns: int) -> list[Told]:
        """States to be told because of what the exchange has just said; they are `deliver`ed like its own words."""
        return self._states.observe(outputs, self._states_heard, now_t_ns)

    def deliver(self, outputs: Sequence[Output | Told]) -> None:
        """Tell the listeners; `outputs` come in the order of delivery."""
        for _, together in groupby(outputs, key=lambda output: output.deliver_t_ns):
            self._deliver(together)

    def _deliver(self, outputs: Iterable[Output | Told]) -> None:
        batches: dict[Topic, list[Any]] = {}
        for output in outputs:
            match output:
                case Bbo() | Context() | Book():
                    self._on_market(output)
                case Trade():
                    self._trades[output.coin].append(output)
                    self._candles.on_trade(output)
                    batches.setdefault(Topic("trades", output.coin), []).append(output)
                case OrderEvent():
                    batches.setdefault(Topic("orderUpdates", output.address), []).append(output)
                    if output.status.endswith("Canceled"):  # by the venue, not by its owner
                        self._event(output.address, {"nonUserCancel": [{"coin": output.coin, "oid": output.oid}]})
                case UserFill():
                    batches.setdefault(Topic("userFills", output.address), []).append(output)
                case UserFunding():
                    batches.setdefault(Topic("userFundings", output.address), []).append(output)
                    self._event(output.address, {"funding": self._wire.funding(output)})
                case Deposit() | Liquidated():
                    batches.setdefault(Topic("userNonFundingLedgerUpdates", output.address), []).append(output)
                    if isinstance(output, Liquidated):
                        self._event(output.address, {"liquidation": self._wire.liquidation(output, HOUSE)})
                case Told():
                    self._publish(output.topic, output.topic.kind, output.data)
                case Reply():
                    """Answered by the shell, to the one who asked."""
        for topic, events in batches.items():
            self._on_batch(topic, events)
        for topic, data in self._overview.due(self.has):
            self._publish(topic, topic.kind, data)

    def _on_market(self, event: Bbo | Context | Book) -> None:
        match event:
            case Book():
                topic = Topic("l2Book", event.coin, event.fast)
                if event.fast:
                    self._overview.tick()
            case Bbo():
                topic = Topic("bbo", event.coin)
                self._overview.note(event)
            case Context():
                topic = Topic("activeAssetCtx", event.coin)
                self._overview.note(event)
        self._last[topic] = event
        if self.has(topic):
            self.publish(topic, topic.kind, self._shape(event))

    def _shape(self, event: Bbo | Book | Context) -> Json:
        match event:
            case Bbo():
                return self._wire.bbo(event)
            case Book():
                return self._wire.book(event)
            case Context():
                return {"coin": event.coin, "ctx": self._answers.context(event)}

    # ------------------------------------------------------------------ rows that belong together
    def _on_batch(self, topic: Topic, events: list[Any]) -> None:
        """Publish a batch, and what goes with it: fills are told on three channels, prints change the candles."""
        topics = [topic]
        if topic.kind == "userFills":
            topics += [topic._replace(by_time=True), Topic("userEvents", topic.subject)]
        for each in topics:
            if self.has(each):
                self.publish(each, *self._rows(each, events))
        if topic.kind == "trades":
            self._on_prints(topic.subject)

    def _rows(self, topic: Topic, events: Sequence[Any]) -> tuple[str, Json]:
        """Channel name and data."""
        match topic.kind:
            case "trades":
                return "trades", [self._wire.trade(trade) for trade in events]
            case "orderUpdates":
                return "orderUpdates", [self._wire.order_update(event) for event in events]
            case "userEvents":
                return "user", {"fills": [self._wire.fill(fill) for fill in events]}
            case "userFills":
                rows = [self._wire.fill(fill) for fill in (by_time(events) if topic.by_time else events)]
            case "userFundings":
                rows = [self._wire.funding(payment) for payment in events]
            case _:
                rows = [self._wire.ledger_update(update) for update in events]
        return topic.kind, {"user": topic.subject, LISTS[topic.kind]: rows}

    def _on_prints(self, coin: str) -> None:
        """The candles that have just changed, one message for each interval."""
        for topic in self._candles_heard[coin]:
            candle = self._candles.current(coin, topic.interval)
            if candle is not None:
                self.publish(topic, "candle", self._wire.candle(coin, topic.interval, candle))

    def _event(self, address: str, event: Json) -> None:
        self._publish(Topic("userEvents", address), "user", event)

    def _publish(self, topic: Topic, name: str, data: Json) -> None:
        if self.has(topic):
            self.publish(topic, name, data)
