"""Decide which venue messages count, and publish them as market data of one coin.

Frames come in with the time they arrived; what is fresh, ordered, uncrossed and near the oracle goes out as Touch,
BookUpdate, TradePrint and AssetContext, four times a second the market's facts. Everything else becomes a `Dropped`
with its reason and changes nothing. The engine also judges its links (`links.py`) and asks the shell to send texts or
to reconnect. It leaves to readers how old is too old to quote on.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from common.book import LayeredBook
from common.errors import BadInput
from common.messages import MAX_LEVELS, Alert, AssetContext, BookUpdate, MarketSpec, Severity, Tick, Touch
from feed import guard
from feed.events import DEEP, MAIN, Closed, Dropped, Frame, Opened, Reconnect, SendText, SpecRead
from feed.links import PING_TEXT, LinkWatch
from feed.parse import Ack, Best, Complaint, Greeting, Pong, Prints, Snapshot, parse

S = 1_000_000_000
FACTS_EVERY_S = 0.25
CONTEXT_REPEAT_S = 4.0
"""The venue sends a context every 3 s; until it is this old, and the book is fresh, late readers hear it again."""
CONTEXT_BOOK_AGE_S = 1.5
DATA_AGE_S_MAX = 5.0
"""No newer fast book or bbo for this long: the link is given up (the quotes were pulled long before)."""
DEEP_AGE_S_MAX = 20.0
"""Four missed slow snapshots."""

#: Drops that are ordinary life of a feed, not a fault of the sender.
BENIGN: Final = frozenset({"repeated", "duplicate_trade", "history", "stale", "disabled", "after_close"})

CHANNEL_OF_LAYER: Final = {"bbo": "bbo", MAIN: "l2Book", DEEP: "l2Book_deep"}


def main_subscriptions(coin: str) -> list[dict[str, Any]]:
    return [
        {"type": "bbo", "coin": coin},
        {"type": "l2Book", "coin": coin, "fast": True},
        {"type": "trades", "coin": coin},
        {"type": "activeAssetCtx", "coin": coin},
    ]


class FeedEngine:
    """One coin's market data.  `on(event)` returns messages for the bus and effects for the shell."""

    def __init__(self, coin: str) -> None:
        self.coin = coin
        self.spec: MarketSpec | None = None
        self.links = {
            MAIN: LinkWatch(MAIN, main_subscriptions(coin), DATA_AGE_S_MAX),
            DEEP: LinkWatch(DEEP, [{"type": "l2Book", "coin": coin}], DEEP_AGE_S_MAX),
        }
        self.book = LayeredBook()
        self.touch: Touch | None = None
        self.context: AssetContext | None = None
        self.channel_recv_t_ns: dict[str, int] = {}
        self._rate = 1.0
        self._times = {
            "bbo": guard.TimeGuard(guard.LATE_S_MAX),
            MAIN: guard.TimeGuard(guard.LATE_S_MAX),
            DEEP: guard.TimeGuard(guard.DEEP_LATE_S_MAX),
        }
        self._last: dict[str, Best | Snapshot] = {}
        self._jumps = guard.JumpGuard()
        self._trades = guard.SeenTrades()
        self._faults = guard.FaultRate()
        self._facts_mono_ns: int | None = None
        self._context_mono_ns = 0
        self._mono_ns: int | None = None  # of the last tick

    def on(self, event: Any) -> list[Any]:
        match event:
            case Frame():
                return self._on_frame(event)
            case Tick():
                return self._on_tick(event)
            case Opened():
                return self._on_opened(event)
            case Closed():
                self.links[event.link].closed()
            case SpecRead():
                self.spec, self._facts_mono_ns = event.spec, self._mono_ns
                return [event.spec]
        return []

    # ------------------------------------------------------------------ frames
    def _on_frame(self, frame: Frame) -> list[Any]:
        link = self.links[frame.link]
        if not link.is_open or self.spec is None:
            return [Dropped(frame.link, "after_close" if self.spec else "no_spec", "")]
        link.heard(frame.mono_ns)
        try:
            parsed = parse(frame.text, self.coin, self.spec.sz_decimals, frame.recv_t_ns)
            out = self._accept(parsed, frame, link)
        except BadInput as error:
            return self._drop(frame, error)
        return out

    def _accept(self, parsed: Any, frame: Frame, link: LinkWatch) -> list[Any]:
        """Messages of one well-formed frame; raises BadInput with the reason when it must not count."""
        match parsed:
            case Pong() | Greeting():
                return []
            case Ack():
                if not link.acked(parsed.kind, parsed.coin):
                    raise BadInput("unasked_ack", f"{parsed.kind} {parsed.coin}"[:80])
                return []
            case Complaint():
                raise BadInput("venue_error", parsed.text)
        if self._faults.disabled(frame.mono_ns):
            raise BadInput("disabled")
        match parsed:
            case Best():
                return self._on_best(parsed, frame, link)
            case Snapshot():
                return self._on_snapshot(parsed, frame, link)
            case Prints():
                return self._on_prints(parsed, frame)
        return self._on_context(parsed, frame)

    def _on_best(self, best: Best, frame: Frame, link: LinkWatch) -> list[Any]:
        self._check("bbo", best, best.bid, best.ask, frame)
        self.book.on_touch(best.venue_t_ns, best.bid, best.ask)
        self._took("bbo", best, frame, link)
        bid, ask = best.bid or (0, 0), best.ask or (0, 0)
        self.touch = Touch(frame.recv_t_ns, self.coin, best.venue_t_ns, frame.recv_t_ns, *bid, *ask)
        return [self.touch]

    def _on_snapshot(self, snapshot: Snapshot, frame: Frame, link: LinkWatch) -> list[Any]:
        layer = frame.link
        if snapshot.fast is not None and snapshot.fast != (layer == MAIN):
            raise BadInput("wrong_layer", f"fast={snapshot.fast} on {layer}")
        bids, asks = snapshot.bids, snapshot.asks
        self._check(layer, snapshot, bids[0] if bids else None, asks[0] if asks else None, frame)
        (self.book.on_fast if layer == MAIN else self.book.on_deep)(snapshot.venue_t_ns, bids, asks)
        self._took(layer, snapshot, frame, link)
        return [self._book_update(frame.recv_t_ns)]

    def _book_update(self, recv_t_ns: int) -> BookUpdate:
        book = self.book
        bids, asks, fast_levels = book.merged(recv_t_ns)
        return BookUpdate(
            recv_t_ns,
            self.coin,
            max(book.data_t_ns, book.deep_t_ns),
            recv_t_ns,
            bids[:MAX_LEVELS],
            asks[:MAX_LEVELS],
            book.touch_t_ns,
            book.fast_t_ns,
            book.deep_t_ns,
            min(fast_levels, MAX_LEVELS),
        )

    def _on_prints(self, prints: Prints, frame: Frame) -> list[Any]:
        """Prints one by one: a bad one does not cost the others."""
        out: list[Any] = []
        late_ns = guard.PRINT_LATE_S_MAX * max(1.0, self._rate / 4) * S
        ahead_ns = guard.FUTURE_S_MAX * max(1.0, self._rate / 4) * S
        for trade in prints.trades:
            age_ns = frame.recv_t_ns - trade.venue_t_ns
            reason = self._jumps.refuse(2 * trade.px_u, frame.mono_ns)
            if age_ns < -ahead_ns:
                reason = "future_time"
            elif not self._trades.is_new(trade.venue_t_ns, trade.coin, trade.tid):
                reason = "duplicate_trade"
            elif age_ns > late_ns:
                reason = "history"
            if reason:
                out.extend(self._drop(frame, BadInput(reason, f"tid {trade.tid}")))
            else:
                out.append(trade)
        self.channel_recv_t_ns["trades"] = frame.recv_t_ns
        return out

    def _on_context(self, context: AssetContext, frame: Frame) -> list[Any]:
        self._jumps.on_oracle(context.oracle_px_u, frame.mono_ns)
        self.context, self._context_mono_ns = context, frame.mono_ns
        self.channel_recv_t_ns["activeAssetCtx"] = frame.recv_t_ns
        return [context]

    def _check(
        self,
        layer: str,
        now: Best | Snapshot,
        bid: tuple[int, int] | None,
        ask: tuple[int, int] | None,
        frame: Frame,
    ) -> None:
        """Raise BadInput unless this layer's message may count."""
        times = self._times[layer]
        reason = times.refuse(now.venue_t_ns, frame.recv_t_ns, self._rate)
        if not reason and self._last.get(layer) == now:
            reason = "repeated"
        bid_px, ask_px = (bid or ask or (0, 0))[0], (ask or bid or (0, 0))[0]
        reason = reason or self._jumps.refuse(bid_px + ask_px, frame.mono_ns)
        if reason:
            raise BadInput(reason, f"{layer} {now.venue_t_ns} {bid_px} / {ask_px}")
        if bid and ask and layer != DEEP:
            self._jumps.on_mid(bid_px + ask_px, frame.mono_ns)

    def _took(self, layer: str, now: Best | Snapshot, frame: Frame, link: LinkWatch) -> None:
        self._last[layer] = now
        if self._times[layer].advance(now.venue_t_ns):
            link.fresh(frame.mono_ns)
        self.channel_recv_t_ns[CHANNEL_OF_LAYER[layer]] = frame.recv_t_ns

    def _drop(self, frame: Frame, error: BadInput) -> list[Any]:
        out: list[Any] = [Dropped(frame.link, error.reason, error.detail[:160])]
        if error.reason not in BENIGN and self._faults.fault(frame.mono_ns):
            text = f"{self.coin}: too many bad market data messages (last: {error.reason}); none is used for now"
            out.append(Alert(frame.recv_t_ns, "feed_disabled", Severity.CRITICAL, text))
        return out

    # ------------------------------------------------------------------ links and time
    def _on_opened(self, opened: Opened) -> list[Any]:
        self._rate = opened.rate
        layers = ("bbo", MAIN) if opened.link == MAIN else (DEEP,)
        for layer in layers:
            self._times[layer].reset()
            self._last.pop(layer, None)
        self._rebuild_book(layers)
        return [SendText(opened.link, text) for text in self.links[opened.link].opened(opened.mono_ns)]

    def _rebuild_book(self, forgotten: tuple[str, ...]) -> None:
        """A new book without the layers of the link that was opened anew."""
        self.book = LayeredBook()
        for layer, kept in self._last.items():
            if layer in forgotten:
                continue
            if isinstance(kept, Best):
                self.book.on_touch(kept.venue_t_ns, kept.bid, kept.ask)
            else:
                (self.book.on_fast if layer == MAIN else self.book.on_deep)(kept.venue_t_ns, kept.bids, kept.asks)

    def _on_tick(self, tick: Tick) -> list[Any]:
        out: list[Any] = []
        self._mono_ns = tick.mono_ns
        if self._facts_mono_ns is None or tick.mono_ns - self._facts_mono_ns >= FACTS_EVERY_S * S:
            out += self._facts(tick)
        for link in self.links.values():
            fault = link.fault(tick.mono_ns)
            if fault:
                link.closed()
                out.append(Reconnect(link.name, fault))
            elif link.ping_due(tick.mono_ns):
                out.append(SendText(link.name, PING_TEXT))
        return out

    def _facts(self, tick: Tick) -> list[Any]:
        """What changes seldom, said again for readers that came late."""
        if self.spec is None:
            return []
        self._facts_mono_ns = tick.mono_ns
        out: list[Any] = [msgspec.structs.replace(self.spec, t_ns=tick.t_ns)]
        fresh = tick.mono_ns - self._context_mono_ns <= CONTEXT_REPEAT_S * S
        if self.context is not None and fresh and self.data_age_s(tick.mono_ns) <= CONTEXT_BOOK_AGE_S:
            out.append(msgspec.structs.replace(self.context, t_ns=tick.t_ns))
        return out

    def data_age_s(self, mono_ns: int) -> float:
        """Machine seconds since the newest fast book or touch that was newer than all before it."""
        return self.links[MAIN].data_age_s(mono_ns)
