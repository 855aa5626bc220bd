"""Which streams there are: who writes, who reads, and how they are kept.  Redis ACLs are generated from this table."""

from __future__ import annotations

import enum
from dataclasses import dataclass

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

    def of(self, what: str = "") -> str:
        """The Redis key: `MD.of("km:US500") == "md:km:US500"`."""
        return self.name.format(what)


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
HEARTBEAT = Stream("hb:{}", SERVICES, ("monitor", "riskd"), Kind.NEWEST, maxlen=50)

ALL = (MD, QUOTES, ORDERS, FILLS, ACCOUNT, WALLET, PERMIT, CONTROL, ALERTS, HEARTBEAT)
