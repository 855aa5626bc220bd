"""What a bus is to its users: what is subscribed, what is delivered, and the surface both buses share.

`common/bus.py` carries messages over Redis Streams, `common/bus_memory.py` inside one process; the logic between a
transport (`Wire`) and this surface is the same code for both (`bus_core`, `bus_reader`, `bus_writer`).
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self, TypeAlias

from common.errors import TheirFault
from common.messages import AnyMessage, Gap
from common.streams import Stream


@dataclass(frozen=True, slots=True)
class Subscription:
    """One stream to read.

    `history` (GROUP only): first everything the stream still holds, then go on as a group. `pace_s` (PLAIN and NEWEST
    only): read so often instead of being woken by every entry, for readers on whom nothing waits; 0 = at once.
    """

    stream: Stream
    key: str
    history: bool = False
    pace_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message, decoded and range-checked; `replayed` while history is being delivered."""

    key: str
    producer: str
    epoch: int
    seq: int
    message: AnyMessage
    replayed: bool


Item: TypeAlias = Delivery | Gap
Handle: TypeAlias = Callable[[list[Item]], None]


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket that all services draw from: `rate_per_s` refills it up to `capacity`."""

    name: str
    capacity: float
    rate_per_s: float


class CommandError(TheirFault):
    """The server understood us and said no; `args[0]` is its text."""


class Wire(Protocol):
    """One connection to a server of streams; both calls raise LinkDown when the link is in doubt."""

    async def call(self, *command: Any) -> Any:
        """One command, one reply; raises CommandError when the server refuses."""

    async def pipeline(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Many commands at once; a refusal stands in its place of the list."""

    async def close(self) -> None: ...


class Bus(ABC):
    """Send messages to the streams this service writes, read those it subscribes to."""

    @abstractmethod
    async def __aenter__(self) -> Self: ...

    @abstractmethod
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @abstractmethod
    def send(self, messages: Iterable[AnyMessage]) -> None:
        """Queue messages for the streams `streams.route` names; never blocks, never raises for link trouble.

        PLAIN and NEWEST that cannot be written within 1.5 s are dropped and counted; GROUP entries are kept
        (bounded) and resent under the same id until they are written.  Raises OurFault for a message this service
        may not write; what cannot be encoded raises too.  Neither is queued.
        """

    @abstractmethod
    async def flush(self, timeout_s: float) -> bool:
        """Wait until all that was queued is written; False when `timeout_s` passed first."""

    @abstractmethod
    async def read(self, subscriptions: Sequence[Subscription], handle: Handle) -> None:
        """Until `close`: hand every batch, in stream order, to `handle`; GROUP entries are acked after it returned.

        Bad entries are acked, counted and skipped.  What `handle` raises ends the reading and is raised here.
        Never cancel it: `close` ends it within one block time.
        """

    @abstractmethod
    async def close(self) -> None:
        """Stop reading, write what is queued if the link is up, end."""

    @abstractmethod
    async def take(self, bucket: Bucket, tokens: float, keep: float = 0.0) -> float | None:
        """Take tokens from a shared bucket unless fewer than `keep` would stay in it.

        0.0 = taken; otherwise the seconds until it can be (nothing was taken); None = no link, decide locally.
        """

    @property
    @abstractmethod
    def link_up(self) -> bool:
        """All connections of this bus work."""

    @property
    @abstractmethod
    def last_ok_mono_ns(self) -> int:
        """Machine time of the newest good reply on any connection; 0 = none yet."""

    @abstractmethod
    def on_link(self, callback: Callable[[bool], None]) -> None:
        """Call `callback(up)` whenever `link_up` changes."""

    @property
    @abstractmethod
    def history_read(self) -> asyncio.Event:
        """Set once every `history` subscription of `read` has been delivered up to its end."""
