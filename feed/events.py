"""What goes into the feed's core besides time, and what it asks of its shell."""

from __future__ import annotations

import msgspec

from common.messages import MarketSpec

MAIN = "main"
"""Link of the touch, the fast book, prints and the asset's context."""
DEEP = "deep"
"""Link of the slow 20-level book: alone on it, so that no field is needed to tell it from the fast one."""


# ---------------------------------------------------------------------- in
class Opened(msgspec.Struct, frozen=True, gc=False):
    """A socket is connected; `rate` is how fast market time runs (1 live)."""

    link: str
    mono_ns: int
    rate: float = 1.0


class Closed(msgspec.Struct, frozen=True, gc=False):
    link: str
    mono_ns: int


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One WebSocket frame and when it came, in market time and on this machine's monotonic clock."""

    link: str
    text: str | bytes
    recv_t_ns: int
    mono_ns: int


class SpecRead(msgspec.Struct, frozen=True):
    """The venue's facts about the market, read again."""

    spec: MarketSpec


# ---------------------------------------------------------------------- out
class SendText(msgspec.Struct, frozen=True, gc=False):
    link: str
    text: str


class Reconnect(msgspec.Struct, frozen=True, gc=False):
    """Close this link and open it again; `reason` is one word."""

    link: str
    reason: str


class Dropped(msgspec.Struct, frozen=True, gc=False):
    """A message that changed nothing, and why (`reason` is a metric label)."""

    link: str
    reason: str
    detail: str
