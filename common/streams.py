"""Which streams there are: who writes, who reads, and how they are kept.  Redis ACLs are generated from this table."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from common.errors import OurFault
from common.messages import (
    AccountState,
    AccountView,
    ActionReport,
    Alert,
    AnyMessage,
    AssetContext,
    BookUpdate,
    Command,
    Fill,
    FundingPayment,
    Heartbeat,
    Ladder,
    MarketSpec,
    Message,
    OrderUpdate,
    RiskPermit,
    Touch,
    TradePrint,
)

SERVICES = ("feed", "quoter", "executor", "riskd", "monitor", "warden")


class Kind(enum.Enum):
    PLAIN = "plain"  # every entry, from the newest on: a reader that was away has missed what passed
    NEWEST = "newest"  # only the last entry counts: a reader starts with the one that is there
    GROUP = "group"  # consumer group, acknowledged after use, kept >= 24 h


@dataclass(frozen=True)
class Stream:
    """`name` may hold a brace for a coin or a service; `maxlen` is Redis' approximate MAXLEN, `keep_s` MINID's age."""

    name: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    kind: Kind
    maxlen: int = 0
    keep_s: int = 0
    by_proxy: tuple[tuple[str, str], ...] = ()  # (part, service): that part's key is written by this other service

    def of(self, what: str = "") -> str:
        """The Redis key: `MD.of("km:US500") == "md:km:US500"`."""
        return self.name.format(what)

    @property
    def has_many_writers(self) -> bool:
        """Such a stream has one key a writer, so that each key still has one producer."""
        return len(self.writers) > 1

    def part(self, key: str) -> str:
        """What stands for the brace in `key`: a coin, or a service where there are many writers."""
        return key.removeprefix(self.name.partition("{")[0]) if "{" in self.name else ""

    def producer(self, key: str) -> str:
        """The only service whose entries count on `key`; "" when the key is none of this stream's."""
        if key != self.of(self.part(key)):
            return ""
        if not self.has_many_writers:
            return self.writers[0]
        part = self.part(key)
        return dict(self.by_proxy).get(part, part) if part in self.writers else ""


DAY_S = 86_400

MD = Stream("md:{}", ("feed",), ("quoter", "riskd", "executor", "monitor"), Kind.PLAIN, maxlen=2000)
QUOTES = Stream("quotes:{}", ("quoter",), ("executor", "monitor"), Kind.NEWEST, maxlen=200)
ORDERS = Stream("orders:{}", ("executor",), ("quoter", "riskd", "monitor"), Kind.GROUP, keep_s=DAY_S)
FILLS = Stream("fills:{}", ("executor",), ("quoter", "riskd", "monitor"), Kind.GROUP, keep_s=DAY_S)
ACCOUNT = Stream("account", ("executor",), ("riskd", "quoter", "monitor"), Kind.NEWEST, maxlen=200)
WALLET = Stream("wallet", ("monitor",), ("riskd",), Kind.NEWEST, maxlen=200)
PERMIT = Stream("permit", ("riskd",), ("executor", "quoter", "monitor"), Kind.NEWEST, maxlen=200)
CONTROL = Stream("control:{}", ("monitor", "riskd"), ("riskd", "executor", "quoter"), Kind.GROUP, keep_s=DAY_S)
ALERTS = Stream("alerts:{}", SERVICES, ("monitor",), Kind.GROUP, keep_s=DAY_S)
HEARTBEAT = Stream("hb:{}", SERVICES, ("monitor", "riskd"), Kind.NEWEST, maxlen=50, by_proxy=(("warden", "executor"),))

ALL = (MD, QUOTES, ORDERS, FILLS, ACCOUNT, WALLET, PERMIT, CONTROL, ALERTS, HEARTBEAT)

#: Which stream a message belongs to.
STREAM_OF: dict[type[Message], Stream] = {
    MarketSpec: MD,
    Touch: MD,
    BookUpdate: MD,
    TradePrint: MD,
    AssetContext: MD,
    Ladder: QUOTES,
    OrderUpdate: ORDERS,
    ActionReport: ORDERS,
    Fill: FILLS,
    FundingPayment: FILLS,
    AccountState: ACCOUNT,
    AccountView: WALLET,
    RiskPermit: PERMIT,
    Command: CONTROL,
    Alert: ALERTS,
    Heartbeat: HEARTBEAT,
}


def route(service: str, message: AnyMessage) -> str:
    """The key `service` writes `message` to; raises OurFault when it may not write that stream."""
    stream = STREAM_OF.get(type(message))
    if stream is None or service not in stream.writers:
        raise OurFault(f"{service} may not write {type(message).__name__}")
    if stream.has_many_writers:
        subject = getattr(message, "service", service)
        return stream.of(subject if (subject, service) in stream.by_proxy else service)
    return stream.of(getattr(message, "coin", ""))
