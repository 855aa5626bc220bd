"""When a link to the venue is to be trusted, pinged or given up: pure rules on the machine's monotonic clock.

A link is given up when a subscription is not acknowledged in `ACK_S`, when nothing at all came for two pings, or when
no *new data* came for its own limit: a socket that answers pings and repeats old books is dead too. The venue closes
a connection it has sent nothing to for 60 s, hence the pings (docs: hyperliquid.md 5).
"""

from __future__ import annotations

import bisect
import random
from typing import Any

import msgspec

S = 1_000_000_000
PING_S = 15.0
SILENCE_S = 2 * PING_S + 1.0
ACK_S = 5.0
PING_TEXT = '{"method":"ping"}'

BACKOFF_S_MIN = 0.25
BACKOFF_S_MAX = 5.0
HEALTHY_S = 10.0
"""A connection that lived this long ends a series of failures."""
MINUTE_NS = 60 * S
CONNECTS_PER_MIN = 20
"""Of the venue's 30 new connections a minute and address; the executor and the monitor need the rest."""


class LinkWatch:
    """One link: what it asked for, what was acknowledged, when it was last heard."""

    def __init__(self, name: str, subscriptions: list[dict[str, Any]], data_age_s_max: float) -> None:
        self.name = name
        self.subscriptions = subscriptions
        self.data_age_s_max = data_age_s_max
        self.is_open = False
        self.opened_mono_ns = 0
        self.heard_mono_ns = 0
        self.fresh_mono_ns = 0
        self.pinged_mono_ns = 0
        self.waiting: set[tuple[str, str | None]] = set()

    def opened(self, mono_ns: int) -> list[str]:
        """The texts to send now: every subscription again."""
        self.is_open = True
        self.opened_mono_ns = self.heard_mono_ns = self.fresh_mono_ns = self.pinged_mono_ns = mono_ns
        self.waiting = {(s["type"], s.get("coin")) for s in self.subscriptions}
        return [msgspec.json.encode({"method": "subscribe", "subscription": s}).decode() for s in self.subscriptions]

    def closed(self) -> None:
        self.is_open = False
        self.waiting.clear()

    def heard(self, mono_ns: int) -> None:
        """Any frame came."""
        self.heard_mono_ns = mono_ns

    def fresh(self, mono_ns: int) -> None:
        """A frame came whose data is newer than all before."""
        self.fresh_mono_ns = mono_ns

    def acked(self, kind: str, coin: str | None) -> bool:
        """Note an acknowledgement; False when it answers nothing we asked."""
        self.waiting.discard((kind, coin))
        return any(s["type"] == kind and s.get("coin") == coin for s in self.subscriptions)

    def data_age_s(self, mono_ns: int) -> float:
        return (mono_ns - self.fresh_mono_ns) / S

    def fault(self, mono_ns: int) -> str:
        """Why the link must be given up now; "" when it need not."""
        if not self.is_open:
            return ""
        if self.waiting and mono_ns - self.opened_mono_ns > ACK_S * S:
            return "no_ack"
        if mono_ns - self.heard_mono_ns > SILENCE_S * S:
            return "silent"
        if self.data_age_s(mono_ns) > self.data_age_s_max:
            return "stale"
        return ""

    def ping_due(self, mono_ns: int) -> bool:
        """True once every `PING_S` while open."""
        if not self.is_open or mono_ns - self.pinged_mono_ns < PING_S * S:
            return False
        self.pinged_mono_ns = mono_ns
        return True


class Backoff:
    """How long to wait before the next connection: doubling with jitter, and never too many a minute in all."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._failures: dict[str, int] = {}
        self._connects: list[int] = []

    def wait_s(self, link: str, mono_ns: int) -> float:
        """Seconds until `link` may connect; counts that connection."""
        failures = self._failures.get(link, 0)
        self._failures[link] = failures + 1
        ceiling = min(BACKOFF_S_MIN * 2.0 ** min(failures, 10), BACKOFF_S_MAX)
        wait_ns = 0 if failures == 0 else int(ceiling * self._rng.uniform(0.5, 1.0) * S)
        self._connects = [at for at in self._connects if mono_ns - at < MINUTE_NS]
        at_ns = mono_ns + wait_ns
        if len(self._connects) >= CONNECTS_PER_MIN:
            at_ns = max(at_ns, self._connects[-CONNECTS_PER_MIN] + MINUTE_NS)
        bisect.insort(self._connects, at_ns)
        return (at_ns - mono_ns) / S

    def ended(self, link: str, lived_s: float) -> None:
        """A connection that lived long enough starts the series anew."""
        if lived_s >= HEALTHY_S:
            self._failures[link] = 1
