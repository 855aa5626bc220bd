"""WebSocket subscriptions: who listens to what, what a listener hears first, and one encoding for all of them.

Sans-IO: a client is anything with `push(frame)`; what is due is handed to `deliver` by the shell when market time has
come. The first message of `l2Book`, `bbo`, `activeAssetCtx` and `trades` repeats what was last delivered (never what
the exchange knows but has not told yet); `userFills` and `userFundings` begin with `isSnapshot`. Limits are the
venue's: 1,000 subscriptions and 10 users a connection, 2,000 messages a minute of market time.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Annotated, Any, Literal, NamedTuple, Protocol

import msgspec
from msgspec import Meta, Struct

from common.clock import NS
from common.errors import BadInput
from simvenue.actions import Address
from simvenue.events import Bbo, Book, Context, OrderEvent, Output, Reply, Trade, UserFill, UserFunding
from simvenue.wire import Json, Wire

GREETING = b"Websocket connection established."
SUBSCRIPTIONS_MAX = 1000
USERS_MAX = 10
MESSAGES_A_MINUTE = 2000
RECENT_TRADES = 100
SNAPSHOT_MAX = 2000
ECHO_MAX = 500

MARKET_KINDS = ("l2Book", "bbo", "trades", "activeAssetCtx")
USER_KINDS = ("orderUpdates", "userFills", "userEvents", "userFundings")


class Client(Protocol):
    """One connection; `push` never blocks."""

    def push(self, frame: bytes) -> None: ...


class History(Protocol):
    """What the exchange remembers of an address, newest last."""

    def fills(self, address: str) -> list[UserFill]: ...
    def fundings(self, address: str) -> list[UserFunding]: ...


class Topic(NamedTuple):
    kind: str
    subject: str  # coin or address
    fast: bool = False


class Subscription(Struct, frozen=True):
    type: Annotated[str, Meta(max_length=64)]
    coin: Annotated[str, Meta(max_length=32)] | None = None
    user: Address | None = None
    fast: bool | None = None
    nSigFigs: int | None = None  # noqa: N815
    mantissa: int | None = None
    aggregateByTime: bool | None = None  # noqa: N815


class PostRequest(Struct, frozen=True):
    type: Literal["info", "action"]
    payload: msgspec.Raw


class Frame(Struct, frozen=True):
    """Anything a client may send."""

    method: Literal["ping", "subscribe", "unsubscribe", "post"]
    subscription: msgspec.Raw = msgspec.Raw()
    id: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    request: PostRequest | None = None


@dataclass(slots=True)
class Session:
    """What one connection has asked for."""

    topics: dict[Topic, None] = field(default_factory=dict)
    window_t_ns: int = 0
    messages: int = 0


_FRAME = msgspec.json.Decoder(Frame)
_SUBSCRIPTION = msgspec.json.Decoder(Subscription)
encode = msgspec.json.Encoder().encode


class Feeds:
    """All connections of one venue."""

    def __init__(
        self,
        wire: Wire,
        coins: Iterable[str],
        history: History,
        context: Callable[[Context], Json],
        refused: Callable[[str], None],
    ) -> None:
        self._wire = wire
        self._coins = frozenset(coins)
        self._history = history
        self._context = context
        self._refused = refused
        self._sessions: dict[Client, Session] = {}
        self._listeners: dict[Topic, dict[Client, None]] = defaultdict(dict)
        self._last: dict[Topic, Bbo | Book | Context] = {}
        self._trades: dict[str, deque[Trade]] = defaultdict(lambda: deque(maxlen=RECENT_TRADES))

    # ------------------------------------------------------------------ connections
    def open(self, client: Client) -> None:
        self._sessions[client] = Session()
        client.push(GREETING)

    def close(self, client: Client) -> None:
        for topic in self._sessions.pop(client).topics:
            self._leave(client, topic)

    def _leave(self, client: Client, topic: Topic) -> None:
        listeners = self._listeners[topic]
        del listeners[client]
        if not listeners:
            del self._listeners[topic]

    def receive(self, client: Client, body: bytes, now_t_ns: int) -> Frame | None:
        """Handle one frame of a client; a `post` is given back for the shell to answer."""
        try:
            self._count(self._sessions[client], now_t_ns)
            frame = _decoded(body)
            if frame.method == "post":
                return frame
            if frame.method == "ping":
                client.push(b'{"channel":"pong"}')
            else:
                self._subscribe(client, frame, now_t_ns)
        except BadInput as error:
            self._refused(error.reason)
            client.push(error_frame(error.detail))
        return None

    @staticmethod
    def _count(session: Session, now_t_ns: int) -> None:
        if now_t_ns - session.window_t_ns >= 60 * NS:
            session.window_t_ns, session.messages = now_t_ns, 0
        session.messages += 1
        if session.messages > MESSAGES_A_MINUTE:
            raise BadInput("messages", f"Cannot send more than {MESSAGES_A_MINUTE} messages per minute.")

    def _subscribe(self, client: Client, frame: Frame, now_t_ns: int) -> None:
        raw = bytes(frame.subscription) or b"null"
        topic = self._topic(raw)
        session = self._sessions[client]
        if frame.method == "unsubscribe":
            if topic not in session.topics:
                raise BadInput("not_subscribed", f"Already unsubscribed: {_shown(raw)}")
            del session.topics[topic]
            self._leave(client, topic)
            client.push(_acknowledged(frame.method, topic))
            return
        if topic in session.topics:
            raise BadInput("subscribed", f"Already subscribed: {_shown(raw)}")
        _check_room(session, topic)
        session.topics[topic] = None
        self._listeners[topic][client] = None
        client.push(_acknowledged(frame.method, topic))
        for first in self._first(topic, now_t_ns):
            client.push(first)

    def _topic(self, raw: bytes) -> Topic:
        try:
            wanted = _SUBSCRIPTION.decode(raw)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise BadInput("not_a_subscription", _unreadable(raw)) from None
        plain = wanted.nSigFigs is None and wanted.mantissa is None and not wanted.aggregateByTime
        if wanted.type in USER_KINDS and wanted.user is not None and plain:
            return Topic(wanted.type, wanted.user.lower())
        if wanted.type in MARKET_KINDS and wanted.coin in self._coins and plain:
            return Topic(wanted.type, str(wanted.coin), wanted.type == "l2Book" and bool(wanted.fast))
        raise BadInput("subscription_unknown", f"Invalid subscription {_shown(raw)}")

    # ------------------------------------------------------------------ first messages
    def _first(self, topic: Topic, now_t_ns: int) -> Iterable[bytes]:
        if topic.kind == "trades" and self._trades[topic.subject]:
            yield channel("trades", [self._wire.trade(t) for t in self._trades[topic.subject]])
        elif topic in self._last:
            yield self._snapshot(topic, self._last[topic])
        elif topic.kind == "userFills":
            told = [f for f in self._history.fills(topic.subject) if f.deliver_t_ns <= now_t_ns]
            rows = [self._wire.fill(f) for f in reversed(told[-SNAPSHOT_MAX:])]
            yield channel("userFills", {"isSnapshot": True, "user": topic.subject, "fills": rows})
        elif topic.kind == "userFundings":
            paid = [p for p in self._history.fundings(topic.subject) if p.deliver_t_ns <= now_t_ns]
            rows = [self._wire.funding(p) for p in reversed(paid[-SNAPSHOT_MAX:])]
            yield channel("userFundings", {"isSnapshot": True, "user": topic.subject, "fundings": rows})

    def _snapshot(self, topic: Topic, event: Bbo | Book | Context) -> bytes:
        match event:
            case Bbo():
                return channel(topic.kind, self._wire.bbo(event))
            case Book():
                return channel(topic.kind, self._wire.book(event))
            case Context():
                return channel(topic.kind, {"coin": event.coin, "ctx": self._context(event)})

    # ------------------------------------------------------------------ what is due
    def deliver(self, outputs: Sequence[Output]) -> None:
        """Tell the listeners; `outputs` come in the order of delivery, and rows that share a time share a message."""
        for _, together in groupby(outputs, key=lambda output: output.deliver_t_ns):
            self._deliver(together)

    def _deliver(self, outputs: Iterable[Output]) -> None:
        batches: dict[Topic, list[Json]] = {}
        for output in outputs:
            match output:
                case Bbo() | Context():
                    kind = "bbo" if isinstance(output, Bbo) else "activeAssetCtx"
                    self._state(Topic(kind, output.coin), output)
                case Book():
                    self._state(Topic("l2Book", output.coin, output.fast), output)
                case Trade():
                    self._trades[output.coin].append(output)
                    self._batch(batches, Topic("trades", output.coin), output, self._wire.trade)
                case OrderEvent():
                    self._batch(batches, Topic("orderUpdates", output.address), output, self._wire.order_update)
                    if output.status.endswith("Canceled"):  # by the venue, not by its owner
                        cancel = {"nonUserCancel": [{"coin": output.coin, "oid": output.oid}]}
                        self._publish(Topic("userEvents", output.address), "user", cancel)
                case UserFill():
                    self._batch(batches, Topic("userFills", output.address), output, self._wire.fill)
                    self._batch(batches, Topic("userEvents", output.address), output, self._wire.fill)
                case UserFunding():
                    self._batch(batches, Topic("userFundings", output.address), output, self._wire.funding)
                    event = {"funding": self._wire.funding(output)}
                    self._publish(Topic("userEvents", output.address), "user", event)
                case Reply():
                    """Answered by the shell, to the one who asked."""
        for topic, rows in batches.items():
            self._publish(topic, *_batched(topic, rows))

    def _state(self, topic: Topic, event: Bbo | Book | Context) -> None:
        self._last[topic] = event
        listeners = self._listeners.get(topic)
        if listeners:
            frame = self._snapshot(topic, event)
            for client in listeners:
                client.push(frame)

    def _batch(self, batches: dict[Topic, list[Json]], topic: Topic, output: Any, shape: Callable[[Any], Json]) -> None:
        if self._listeners.get(topic):
            batches.setdefault(topic, []).append(shape(output))

    def _publish(self, topic: Topic, name: str, data: Json) -> None:
        listeners = self._listeners.get(topic)
        if listeners:
            frame = channel(name, data)
            for client in listeners:
                client.push(frame)


def channel(name: str, data: Json) -> bytes:
    return encode({"channel": name, "data": data})


def error_frame(text: str) -> bytes:
    return channel("error", text)


def _batched(topic: Topic, rows: list[Json]) -> tuple[str, Json]:
    """Channel name and data of rows that belong in one message."""
    match topic.kind:
        case "userFills":
            return "userFills", {"user": topic.subject, "fills": rows}
        case "userEvents":
            return "user", {"fills": rows}
        case "userFundings":
            return "userFundings", {"user": topic.subject, "fundings": rows}
    return topic.kind, rows


def _decoded(body: bytes) -> Frame:
    try:
        frame = _FRAME.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadInput("not_a_request", _unreadable(body)) from None
    if frame.method == "post" and (frame.id is None or frame.request is None):
        raise BadInput("not_a_request", _unreadable(body))
    return frame


def _unreadable(body: bytes) -> str:
    return f"Error parsing JSON into valid websocket request: {_shown(body)}"


def _shown(body: bytes) -> str:
    """A client's own text, as far as it is repeated to him."""
    return body[:ECHO_MAX].decode(errors="replace")


def _acknowledged(method: str, topic: Topic) -> bytes:
    """The subscription as the venue repeats it, with the defaults it filled in."""
    subject = "user" if topic.kind in USER_KINDS else "coin"
    body: Json = {"type": topic.kind, subject: topic.subject}
    if topic.kind == "l2Book":
        body |= {"nSigFigs": None, "mantissa": None}
        if topic.fast:
            body["fast"] = True
    return channel("subscriptionResponse", {"method": method, "subscription": body})


def _check_room(session: Session, topic: Topic) -> None:
    if len(session.topics) >= SUBSCRIPTIONS_MAX:
        raise BadInput("subscriptions", f"Cannot subscribe to more than {SUBSCRIPTIONS_MAX} channels.")
    users = {t.subject for t in session.topics if t.kind in USER_KINDS}
    if topic.kind in USER_KINDS and topic.subject not in users and len(users) >= USERS_MAX:
        raise BadInput("users", f"Cannot track more than {USERS_MAX} total users.")
