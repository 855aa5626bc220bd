"""Another venue's market data, followed: which texts to send, what each frame means, when the link must be given up.

Sans-IO: frames and times come in, texts and verdicts come out; the socket is `link.py`'s, one market's book and
prints are `market.py`'s, time is `venue_time.py`'s. A link is given up when a subscription is not acknowledged
in `ACK_S`, when nothing at all came for two pings, or when nothing *of a market* came for `DATA_S`: a socket that only
answers pings is dead too. Machine time in `mono_ns`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import msgspec

from common.clock import NS
from common.errors import BadInput
from simvenue.events import Bbo, Book, Context, Output
from simvenue.mirror.frames import Ack, Complaint, Pong, Prices, Said, Traded, parse
from simvenue.mirror.market import MirrorMarket
from simvenue.mirror.venue_time import BACK_S, VenueTime

ACK_S = 5.0
PING_S = 15.0
SILENCE_S = 2 * PING_S + 1.0
DATA_S = 10.0
"""The slow book comes every ~5 s, the fast one every 0.5 s (hyperliquid.md 0.3)."""
PING_TEXT = '{"method":"ping"}'

Topic = tuple[str, str, bool]


class Mirror:
    """All mirrored markets behind one link."""

    def __init__(self, url: str, markets: Sequence[MirrorMarket], time: VenueTime) -> None:
        self.url = url
        self.markets = {market.coin: market for market in markets}
        self.time = time
        self.is_open = False
        self.connections = 0
        self.refused: Counter[str] = Counter()
        self.complaints: list[str] = []
        self._sz_decimals = {market.coin: market.sz_decimals for market in markets}
        self._waiting: set[Topic] = set()
        self._opened_ns = self._heard_ns = self._data_ns = self._pinged_ns = 0

    @property
    def is_complete(self) -> bool:
        """Every market has shown a book and its prices."""
        return self.time.is_known and all(m.is_complete for m in self.markets.values())

    def is_blind(self, coin: str) -> bool:
        return self.markets[coin].is_blind

    def hides(self, output: Output) -> bool:
        """Whether it must not be published: book, touch and context of a market that is not seen would be stale."""
        return isinstance(output, Bbo | Book | Context) and self.is_blind(output.coin)

    # ------------------------------------------------------------------ the link
    def opened(self, mono_ns: int) -> list[str]:
        """The texts to send now: every subscription."""
        self.is_open = True
        self.connections += 1
        self._opened_ns = self._heard_ns = self._data_ns = self._pinged_ns = mono_ns
        topics = [topic for coin in self.markets for topic in _topics(coin)]
        self._waiting = set(topics)
        return [_subscription(*topic) for topic in topics]

    def closed(self, now_t_ns: int) -> None:
        """The link is gone: every market is blind from now on."""
        self.is_open = False
        for market in self.markets.values():
            market.lose(now_t_ns)

    def fault(self, mono_ns: int) -> str:
        """Why the link must be given up now; "" when it need not."""
        if not self.is_open:
            return ""
        if self._waiting and mono_ns - self._opened_ns > ACK_S * NS:
            return "no_ack"
        if mono_ns - self._heard_ns > SILENCE_S * NS:
            return "silent"
        return "stale" if mono_ns - self._data_ns > DATA_S * NS else ""

    def is_unfollowable(self, mono_ns: int) -> bool:
        """The mirrored venue's time went back: what it says now lies in our past."""
        return self.is_open and self.time.went_back_s(mono_ns) > BACK_S * max(1.0, self.time.rate)

    def ping_due(self, mono_ns: int) -> bool:
        """True once every `PING_S` while open."""
        if not self.is_open or mono_ns - self._pinged_ns < PING_S * NS:
            return False
        self._pinged_ns = mono_ns
        return True

    # ------------------------------------------------------------------ what is heard
    def frame(self, text: str | bytes, mono_ns: int) -> str:
        """Take one frame; returns why it was refused, "" when it was not."""
        self._heard_ns = mono_ns
        try:
            if not isinstance(text, str):
                raise BadInput("binary")
            self._take(text, mono_ns)
        except BadInput as error:
            self.refused[error.reason] += 1
            return error.reason
        return ""

    def _take(self, text: str, mono_ns: int) -> None:
        heard = parse(text, self._sz_decimals)
        match heard:
            case Said():
                self._data_ns = mono_ns
                self.time.observe(heard.row.venue_t_ns, mono_ns)  # prints may be history, contexts have no time
                self.markets[heard.coin].hear(heard.row, self.time.at(mono_ns))
            case Traded():
                self._data_ns = mono_ns
                for coin, rows in heard.rows.items():
                    self.markets[coin].hear_prints(rows, self.time.at(mono_ns))
            case Prices():
                self._data_ns = mono_ns
                self.markets[heard.coin].hear_prices(heard.told, self.time.at(mono_ns))
            case Ack():
                self._waiting.discard(heard.topic)
            case Complaint():
                self.complaints = [*self.complaints[-9:], heard.text]
                raise BadInput("complaint", heard.text)
            case Pong():
                pass

    # ------------------------------------------------------------------ for people
    def report(self) -> dict[str, Any]:
        return {
            "url": self.url, "link": "up" if self.is_open else "down", "connections": self.connections,
            "rate": self.time.rate, "refused": dict(self.refused), "complaints": self.complaints,
            "markets": {m.coin: _market(m) for m in self.markets.values()},
        }  # fmt: skip


def _market(market: MirrorMarket) -> dict[str, Any]:
    return {
        "blind": market.is_blind, "late": market.late, "outdated": market.outdated, "gaps": market.gaps_cut,
        "last_gaps": [asdict(gap) for gap in market.gaps],
    }  # fmt: skip


def _topics(coin: str) -> list[Topic]:
    plain = [(kind, coin, False) for kind in ("bbo", "trades", "activeAssetCtx", "l2Book")]
    return [*plain, ("l2Book", coin, True)]


def _subscription(kind: str, coin: str, fast: bool) -> str:
    body: dict[str, Any] = {"type": kind, "coin": coin}
    if fast:
        body["fast"] = True
    return msgspec.json.encode({"method": "subscribe", "subscription": body}).decode()
