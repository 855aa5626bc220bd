"""Channels that show a state instead of an event: accounts, open orders, and books on a coarser grid.

Such a state is read when the exchange reaches it and told when a client would see it, so that no listener learns from
it what no message has told him yet. The venue's cadence is not published; here a changed state goes out with the next
fast book (every 0.5 s), figures that hang on the mark with every new mark, coarser books with the book they come from.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from simvenue.events import Book, Context, Deposit, Liquidated, OrderEvent, Output, UserFill, UserFunding
from simvenue.feeds.subscriptions import Topic
from simvenue.feeds.wire import Json
from simvenue.info.queries import Query

FAST_LEVELS = 5
STATE_KINDS = ("clearinghouseState", "openOrders", "activeAssetData", "webData2")
PRICED_KINDS = ("clearinghouseState", "activeAssetData", "webData2")


class Answers(Protocol):
    """What listeners are told beside events: see `info/table.py`."""

    def context(self, context: Context | None) -> Json: ...
    def read(self, kind: str, query: Query, now_t_ns: int) -> Json: ...


@dataclass(frozen=True, slots=True)
class Told:
    """A state that is on its way to its listeners."""

    deliver_t_ns: int
    topic: Topic
    data: Json


def is_state(topic: Topic) -> bool:
    return topic.kind in STATE_KINDS or topic.grid.sig_figs > 0


class States:
    """Which states have changed since they were last told."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._changed: set[str] = set()  # addresses
        self._has_new_mark = False

    def observe(self, outputs: Sequence[Output], topics: Collection[Topic], now_t_ns: int) -> list[Told]:
        """What has become due to be told of `topics`, as of now, given what the exchange has just said."""
        books: dict[tuple[str, bool], Book] = {}
        for output in outputs:
            match output:
                case OrderEvent() | UserFill() | UserFunding() | Deposit() | Liquidated():
                    self._changed.add(output.address)
                case Context():
                    self._has_new_mark = True
                case Book():
                    books[output.coin, output.fast] = output
        told = [self._told(topic, books[topic.subject, topic.fast], now_t_ns) for topic in topics
                if (topic.subject, topic.fast) in books]  # fmt: skip
        tick = next((book for (_, is_fast), book in books.items() if is_fast), None)
        if tick is not None:
            told += [self._told(topic, tick, now_t_ns) for topic in topics if self._is_stale(topic)]
            self._changed.clear()
            self._has_new_mark = False
        return told

    def _is_stale(self, topic: Topic) -> bool:
        if topic.kind not in STATE_KINDS:
            return False
        return topic.subject in self._changed or (self._has_new_mark and topic.kind in PRICED_KINDS)

    def _told(self, topic: Topic, book: Book, now_t_ns: int) -> Told:
        """Read now, and as long on its way as the book that set it off."""
        return Told(now_t_ns + book.deliver_t_ns - book.t_ns, topic, self.data(topic, now_t_ns))

    def data(self, topic: Topic, now_t_ns: int) -> Json:
        """The channel's data as of now."""
        if topic.kind == "l2Book":
            return self._coarse_book(topic, now_t_ns)
        query = Query(topic.kind, user=topic.subject, dex=topic.dex, coin=topic.coin or None)
        if topic.kind == "clearinghouseState":
            state = self._answers.read("clearinghouseState", query, now_t_ns)
            return {"dex": topic.dex, "user": topic.subject, "clearinghouseState": state}
        if topic.kind == "openOrders":
            orders = self._answers.read("frontendOpenOrders", query, now_t_ns)
            return {"dex": topic.dex, "user": topic.subject, "orders": orders}
        return self._answers.read(topic.kind, query, now_t_ns)

    def _coarse_book(self, topic: Topic, now_t_ns: int) -> Json:
        grid = topic.grid
        query = Query("l2Book", coin=topic.subject, nSigFigs=grid.sig_figs, mantissa=grid.mantissa or None)
        book = self._answers.read("l2Book", query, now_t_ns)
        if not topic.fast:
            return book
        return {**book, "levels": [side[:FAST_LEVELS] for side in book["levels"]], "fast": True}
