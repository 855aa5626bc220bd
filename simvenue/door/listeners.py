"""WebSocket connections: their frames, their subscriptions and limits, and one encoding for all who listen alike.

Sans-IO: a client is anything with `push(frame)`. What is told, and what a newcomer hears first, is `feeds/feeds.py`'s;
what may be asked for is `feeds/subscriptions.py`'s. The venue's limits: 1,000 subscriptions and 10 users a connection,
2,000 messages a minute of market time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta, Struct

from common.clock import NS
from common.errors import BadInput
from simvenue.feeds.subscriptions import Session, Topic, check_room, repeated, shown, topic_of, unreadable
from simvenue.feeds.wire import Json
from simvenue.info.universe import Universe

GREETING = b"Websocket connection established."
PONG = b'{"channel":"pong"}'
MESSAGES_A_MINUTE = 2000


class Client(Protocol):
    """One connection; `push` never blocks."""

    def push(self, frame: bytes) -> None: ...


class PostRequest(Struct, frozen=True):
    type: Literal["info", "action"]
    payload: msgspec.Raw


class Frame(Struct, frozen=True):
    """Anything a client may send."""

    method: Literal["ping", "subscribe", "unsubscribe", "post"]
    subscription: msgspec.Raw = msgspec.Raw()
    id: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    request: PostRequest | None = None


_FRAME = msgspec.json.Decoder(Frame)
encode = msgspec.json.Encoder().encode


class Listeners(ABC):
    """All connections of one venue; `refused` hears why a frame was turned away, as (reason, text)."""

    def __init__(self, universe: Universe, refused: Callable[[str, str], None]) -> None:
        self._universe = universe
        self._refused = refused
        self._sessions: dict[Client, Session] = {}
        self._listeners: dict[Topic, dict[Client, None]] = defaultdict(dict)

    @abstractmethod
    def first(self, topic: Topic, now_t_ns: int) -> Iterable[bytes]:
        """What a newcomer hears at once."""

    @abstractmethod
    def watch(self, topic: Topic, *, is_heard: bool) -> None:
        """Somebody listens to a topic nobody listened to, or nobody does any more."""

    # ------------------------------------------------------------------ connections
    def open(self, client: Client) -> None:
        self._sessions[client] = Session()
        client.push(GREETING)

    def close(self, client: Client) -> None:
        for topic in self._sessions.pop(client).topics:
            self._leave(client, topic)

    def receive(self, client: Client, body: bytes, now_t_ns: int) -> Frame | None:
        """Handle one frame of a client; a `post` is given back for the shell to answer."""
        try:
            self._count(self._sessions[client], now_t_ns)
            frame = _decoded(body)
            if frame.method == "post":
                return frame
            if frame.method == "ping":
                client.push(PONG)
            else:
                self._subscribe(client, frame, now_t_ns)
        except BadInput as error:
            self._refused(error.reason, error.detail)
            client.push(error_frame(error.detail))
        return None

    @staticmethod
    def _count(session: Session, now_t_ns: int) -> None:
        if now_t_ns - session.window_t_ns >= 60 * NS:
            session.window_t_ns, session.messages = now_t_ns, 0
        session.messages += 1
        if session.messages > MESSAGES_A_MINUTE:
            raise BadInput("messages", f"Cannot send more than {MESSAGES_A_MINUTE} messages per minute.")

    # ------------------------------------------------------------------ subscriptions
    def _subscribe(self, client: Client, frame: Frame, now_t_ns: int) -> None:
        raw = bytes(frame.subscription) or b"null"
        topic = topic_of(raw, self._universe)
        session = self._sessions[client]
        if frame.method == "unsubscribe":
            if topic not in session.topics:
                raise BadInput("not_subscribed", f"Already unsubscribed: {shown(raw)}")
            del session.topics[topic]
            self._leave(client, topic)
            client.push(_acknowledged(frame.method, topic))
            return
        if topic in session.topics:
            raise BadInput("subscribed", f"Already subscribed: {shown(raw)}")
        check_room(session, topic)
        session.topics[topic] = None
        self._listeners[topic][client] = None
        self.watch(topic, is_heard=True)
        client.push(_acknowledged(frame.method, topic))
        for first in self.first(topic, now_t_ns):
            client.push(first)

    def _leave(self, client: Client, topic: Topic) -> None:
        listeners = self._listeners[topic]
        del listeners[client]
        if not listeners:
            del self._listeners[topic]
            self.watch(topic, is_heard=False)

    # ------------------------------------------------------------------ telling
    def has(self, topic: Topic) -> bool:
        return topic in self._listeners

    def publish(self, topic: Topic, name: str, data: Json) -> None:
        """Send data on channel `name` to everybody who listens to the topic."""
        frame = channel(name, data)
        for client in self._listeners[topic]:
            client.push(frame)


def channel(name: str, data: Json) -> bytes:
    return encode({"channel": name, "data": data})


def error_frame(text: str) -> bytes:
    return channel("error", text)


def _decoded(body: bytes) -> Frame:
    try:
        frame = _FRAME.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadInput("not_a_request", unreadable(body)) from None
    if frame.method == "post" and (frame.id is None or frame.request is None):
        raise BadInput("not_a_request", unreadable(body))
    return frame


def _acknowledged(method: str, topic: Topic) -> bytes:
    return channel("subscriptionResponse", {"method": method, "subscription": repeated(topic)})
