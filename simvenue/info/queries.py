"""What an info request may hold, and what its fields mean: shared by the rooms that answer (`info_*.py`).

One struct has every field; which ones are needed depends on the type, and a missing or malformed one is refused as the
venue's own decoder would (`BadInput`, with a reason fit for a metric's label). Times are ms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, TypeVar

from msgspec import Meta, Struct

from common.errors import BadInput
from simvenue.door.actions import Address, Hex128, Uint
from simvenue.feeds.candles import Interval
from simvenue.feeds.wire import Json, ms
from simvenue.info.universe import Universe

FOREVER_MS = 2**53
T = TypeVar("T")


class CandleQuery(Struct, frozen=True):
    """The `req` of `candleSnapshot`."""

    coin: Annotated[str, Meta(max_length=32)]
    interval: Interval
    startTime: Uint  # noqa: N815
    endTime: Uint | None = None  # noqa: N815


class Query(Struct, frozen=True):
    """Every field an info request may have."""

    type: Annotated[str, Meta(max_length=64)]
    user: Address | None = None
    dex: Annotated[str, Meta(max_length=16)] | None = None
    coin: Annotated[str, Meta(max_length=32)] | None = None
    oid: Uint | Hex128 | None = None
    token: Uint | None = None
    startTime: Uint | None = None  # noqa: N815
    endTime: Uint | None = None  # noqa: N815
    nSigFigs: int | None = None  # noqa: N815
    mantissa: int | None = None
    aggregateByTime: bool | None = None  # noqa: N815
    reversed: bool | None = None
    req: CandleQuery | None = None


Handler: TypeAlias = Callable[[Query, int], Json]
"""From a query and the market time in ns to the reply."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One type: what answers it and what it weighs; 1 more for each `rows` rows of the reply (0 = never)."""

    handler: Handler
    weight: int = 20
    rows: int = 0


def needed(value: T | None, name: str) -> T:
    if value is None:
        raise BadInput("shape", f"missing field {name}")
    return value


def user_of(query: Query) -> str:
    return needed(query.user, "user").lower()


def for_anybody(answer: Json) -> Handler:
    """The same answer for every address: somebody who has none of what is asked for."""

    def handler(query: Query, _now: int) -> Json:
        user_of(query)
        return answer

    return handler


def dex_of(query: Query, universe: Universe) -> str:
    dex = query.dex or ""
    if dex not in universe.perps:
        raise BadInput("dex_unknown", dex)
    return dex


def traded_coin(coin: str | None, universe: Universe) -> str:
    """A coin that is traded here."""
    name = needed(coin, "coin")
    if name not in universe.markets:
        raise BadInput("coin_unknown", name)
    return name


def in_range(query: Query, events: Iterable[Any], most: int, *, needs_start: bool = True) -> Sequence[Any]:
    """Events from `startTime` to `endTime`, oldest first: a client pages on from the last time it saw."""
    begin = needed(query.startTime, "startTime") if needs_start else query.startTime or 0
    end = FOREVER_MS if query.endTime is None else query.endTime
    return [event for event in events if begin <= ms(event.t_ns) <= end][:most]
