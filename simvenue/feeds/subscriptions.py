"""What a client may subscribe to: one table of kinds, each with its fields (hyperliquid.md section 5).

Decides whether a subscription means anything here, and how the venue repeats it in its acknowledgement: with the
defaults it filled in. Fields that a kind does not know are ignored, as the venue ignores them. Who listens and what is
told is `feeds.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct

from common.errors import BadInput
from simvenue.door.actions import Address
from simvenue.feeds.aggregation import FINEST, Grid, grid_of
from simvenue.feeds.candles import Interval
from simvenue.feeds.wire import Json
from simvenue.info.universe import Universe

SUBSCRIPTIONS_MAX = 1000
USERS_MAX = 10
ECHO_MAX = 500

ALL_KINDS = ("allMids", "allDexsAssetCtxs", "fastAssetCtxs")
MARKET_KINDS = ("l2Book", "bbo", "trades", "activeAssetCtx", "candle")
USER_KINDS = (
    "orderUpdates", "userFills", "userEvents", "userFundings", "userNonFundingLedgerUpdates", "clearinghouseState",
    "openOrders", "activeAssetData", "webData2", "notification",
)  # fmt: skip
KINDS = frozenset((*ALL_KINDS, *MARKET_KINDS, *USER_KINDS))
#: Kinds of one dex, the first when none is named.
DEX_KINDS = ("allMids", "clearinghouseState", "openOrders")


class Topic(NamedTuple):
    """One thing to listen to; equal topics share one encoding."""

    kind: str
    subject: str = ""  # coin or address; "" = everything
    fast: bool = False
    grid: Grid = FINEST
    interval: str = ""
    dex: str = ""
    coin: str = ""  # beside an address
    by_time: bool = False


class Subscription(Struct, frozen=True):
    """Every field a subscription may have."""

    type: Annotated[str, Meta(max_length=64)]
    coin: Annotated[str, Meta(max_length=32)] | None = None
    user: Address | None = None
    dex: Annotated[str, Meta(max_length=16)] | None = None
    interval: Interval | None = None
    fast: bool | None = None
    nSigFigs: int | None = None  # noqa: N815
    mantissa: int | None = None
    aggregateByTime: bool | None = None  # noqa: N815


@dataclass(slots=True)
class Session:
    """What one connection has asked for, and how much it has sent in the running minute."""

    topics: dict[Topic, None] = field(default_factory=dict)
    window_t_ns: int = 0
    messages: int = 0


_SUBSCRIPTION = msgspec.json.Decoder(Subscription)


def topic_of(raw: bytes, universe: Universe) -> Topic:
    """What a subscription's JSON asks for; raises BadInput with the venue's own words."""
    try:
        wanted = _SUBSCRIPTION.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadInput("not_a_subscription", unreadable(raw)) from None
    topic = _topic(wanted, universe)
    if topic is None:
        raise BadInput("subscription_unknown", f"Invalid subscription {shown(raw)}")
    return topic


def _topic(wanted: Subscription, universe: Universe) -> Topic | None:
    kind, dex = wanted.type, wanted.dex or ""
    if kind not in KINDS or (kind in DEX_KINDS and dex not in universe.perps):
        return None
    if kind in ALL_KINDS:
        return Topic(kind, dex=dex if kind in DEX_KINDS else "")
    if kind in MARKET_KINDS:
        return _market_topic(wanted) if wanted.coin in universe.by_coin else None
    if wanted.user is None:
        return None
    topic = Topic(kind, wanted.user.lower())
    if kind == "activeAssetData":
        return topic._replace(coin=wanted.coin) if wanted.coin in universe.markets else None
    if kind == "userFills":
        return topic._replace(by_time=bool(wanted.aggregateByTime))
    return topic._replace(dex=dex) if kind in DEX_KINDS else topic


def _market_topic(wanted: Subscription) -> Topic | None:
    topic = Topic(wanted.type, str(wanted.coin))
    if wanted.type == "candle":
        return None if wanted.interval is None else topic._replace(interval=wanted.interval)
    if wanted.type == "l2Book":
        grid = grid_of(wanted.nSigFigs, wanted.mantissa)
        return None if grid is None else topic._replace(fast=bool(wanted.fast), grid=grid)
    return topic


def repeated(topic: Topic) -> Json:
    """The subscription as the venue repeats it."""
    body: Json = {"type": topic.kind}
    if topic.kind in MARKET_KINDS:
        body["coin"] = topic.subject
    if topic.kind in USER_KINDS:
        body["user"] = topic.subject
    if topic.kind == "l2Book":
        body |= {"nSigFigs": topic.grid.sig_figs or None, "mantissa": topic.grid.mantissa or None}
    more = {
        "interval": topic.interval, "dex": topic.dex, "coin": topic.coin, "fast": topic.fast,
        "aggregateByTime": topic.by_time,
    }  # fmt: skip
    return body | {name: value for name, value in more.items() if value}


def check_room(session: Session, topic: Topic) -> None:
    """Raises BadInput when a connection listens to as much as the venue allows."""
    if len(session.topics) >= SUBSCRIPTIONS_MAX:
        raise BadInput("subscriptions", f"Cannot subscribe to more than {SUBSCRIPTIONS_MAX} channels.")
    users = {t.subject for t in session.topics if t.kind in USER_KINDS}
    if topic.kind in USER_KINDS and topic.subject not in users and len(users) >= USERS_MAX:
        raise BadInput("users", f"Cannot track more than {USERS_MAX} total users.")


def unreadable(body: bytes) -> str:
    return f"Error parsing JSON into valid websocket request: {shown(body)}"


def shown(body: bytes) -> str:
    """A client's own text, as far as it is repeated to him."""
    return body[:ECHO_MAX].decode(errors="replace")
