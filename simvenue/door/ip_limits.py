"""What one IP may ask for: request weight a minute, WebSocket connections, messages and posts.

From the docs ("Rate limits and user limits"): 1,200 weight a minute over all REST requests, 100 connections, and over
all of them 2,000 messages a minute and 100 posts in flight; newer texts say 10 connections and 30 new ones a minute
(`STRICT`). A minute is any 60 s of *market* time, counted by the second. The venue's clock is the one that counts
because every other limit of the venue (nonces, action budget, funding) runs on it, and because a client bounds itself
by its own minute: at a speed of 1 or more the venue's minute is never longer than the client's, so whoever keeps the
rule in real time keeps it here. Below speed 1 it is longer: run those with the limits off. What a refused WebSocket
connection is answered is not published; here 429, as for REST.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass

from common.clock import NS

MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits of one IP; None = there is none."""

    weight_a_minute: int | None = 1_200
    connections: int | None = 100
    connects_a_minute: int | None = None
    messages_a_minute: int | None = 2_000
    posts: int | None = 100


DOCS = Caps()
STRICT = Caps(connections=10, connects_a_minute=30)
OFF = Caps(None, None, None, None, None)
#: `--ip-limits`.
CAPS = {"docs": DOCS, "strict": STRICT, "off": OFF}


class Minute:
    """How much was spent in the last 60 seconds."""

    def __init__(self) -> None:
        self._seconds: deque[list[int]] = deque()
        self._sum = 0

    def spent(self, now_t_ns: int) -> int:
        since = now_t_ns // NS - MINUTE_S
        while self._seconds and self._seconds[0][0] <= since:
            self._sum -= self._seconds.popleft()[1]
        return self._sum

    def add(self, amount: int, now_t_ns: int) -> None:
        second = now_t_ns // NS
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append([second, 0])
        self._seconds[-1][1] += amount
        self._sum += amount

    def take(self, amount: int, most: int | None, now_t_ns: int) -> bool:
        """Spend it unless that would be more than `most`; a refused one costs nothing."""
        if most is not None and self.spent(now_t_ns) + amount > most:
            return False
        self.add(amount, now_t_ns)
        return True


class IpLimits:
    """The limits of every IP that talks to one venue."""

    def __init__(self, caps: Caps = DOCS) -> None:
        self._caps = caps
        self._weight: defaultdict[str, Minute] = defaultdict(Minute)
        self._connects: defaultdict[str, Minute] = defaultdict(Minute)
        self._messages: defaultdict[str, Minute] = defaultdict(Minute)
        self._open: Counter[str] = Counter()
        self._posts: Counter[str] = Counter()

    # ------------------------------------------------------------------ REST
    def has_weight(self, ip: str, weight: int, now_t_ns: int) -> bool:
        most = self._caps.weight_a_minute
        return most is None or self._weight[ip].spent(now_t_ns) + weight <= most

    def take_weight(self, ip: str, weight: int, now_t_ns: int) -> bool:
        """Whether there was room; a refused request takes nothing."""
        return self._weight[ip].take(weight, self._caps.weight_a_minute, now_t_ns)

    def owe_weight(self, ip: str, weight: int, now_t_ns: int) -> None:
        """Weight that is only known afterwards."""
        self._weight[ip].add(weight, now_t_ns)

    # ------------------------------------------------------------------ WebSocket
    def connect(self, ip: str, now_t_ns: int) -> bool:
        """Whether one more connection may be opened; `disconnect` when it ends."""
        most = self._caps.connections
        if most is not None and self._open[ip] >= most:
            return False
        if not self._connects[ip].take(1, self._caps.connects_a_minute, now_t_ns):
            return False
        self._open[ip] += 1
        return True

    def disconnect(self, ip: str) -> None:
        self._open[ip] -= 1

    def message(self, ip: str, now_t_ns: int) -> bool:
        """Whether one more message may be sent to the venue."""
        return self._messages[ip].take(1, self._caps.messages_a_minute, now_t_ns)

    def post(self, ip: str) -> bool:
        """Whether one more post may be in flight; `answered` when it no longer is."""
        if self._caps.posts is not None and self._posts[ip] >= self._caps.posts:
            return False
        self._posts[ip] += 1
        return True

    def answered(self, ip: str) -> None:
        self._posts[ip] -= 1
