"""Channels about all markets at once: `allMids`, `allDexsAssetCtxs`, `fastAssetCtxs` (hyperliquid.md section 5).

Made of what listeners of the single markets have been told, never of more. Mids and fast contexts go out with the fast
books when they have changed (every 0.5 s at most: the venue's cadence is not published), contexts when one is new.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterator

import msgspec

from simvenue.events import Bbo, Context
from simvenue.feeds.states import Answers
from simvenue.feeds.subscriptions import Topic
from simvenue.feeds.wire import Json, Wire
from simvenue.info.universe import Universe

ALL_CONTEXTS = Topic("allDexsAssetCtxs")
FAST_CONTEXTS = Topic("fastAssetCtxs")
RAW_DEFLATE = -15  # zlib's window, without its header


class Overview:
    """The newest touch and context told of every market, and what of it is still to be published."""

    def __init__(self, wire: Wire, universe: Universe, answers: Answers) -> None:
        self._wire = wire
        self._universe = universe
        self._answers = answers
        self._mids: dict[str, str] = {}
        self._contexts: dict[str, Context] = {}
        self._moved: set[str] = set()  # dexes with a new mid
        self._fast: dict[str, dict[str, Json]] = {}  # coin -> figures as last sent
        self._has_new_context = False
        self._has_ticked = False

    # ------------------------------------------------------------------ what was told
    def note(self, event: Bbo | Context) -> None:
        if isinstance(event, Context):
            self._contexts[event.coin] = event
            self._has_new_context = True
            return
        if event.bid is None or event.ask is None:
            mid = None
        else:
            mid = self._wire.mid(event.coin, event.bid[0] + event.ask[0])
        if mid != self._mids.get(event.coin):
            self._moved.add(self._universe.dex_of[event.coin])
            if mid is None:
                del self._mids[event.coin]
            else:
                self._mids[event.coin] = mid

    def tick(self) -> None:
        """A fast book went out."""
        self._has_ticked = True

    # ------------------------------------------------------------------ what is to be published
    def due(self, is_wanted: Callable[[Topic], bool]) -> Iterator[tuple[Topic, Json]]:
        if self._has_new_context:
            self._has_new_context = False
            if is_wanted(ALL_CONTEXTS):
                yield ALL_CONTEXTS, self._all_contexts()
        if not self._has_ticked:
            return
        self._has_ticked = False
        moved, self._moved = self._moved, set()
        for topic in (Topic("allMids", dex=dex) for dex in sorted(moved)):
            if is_wanted(topic):
                yield topic, self._all_mids(topic.dex)
        if is_wanted(FAST_CONTEXTS):
            figures = self._figures()
            changed = {coin: now for coin, now in figures.items() if now != self._fast.get(coin)}
            self._fast = figures
            if changed:
                yield FAST_CONTEXTS, packed(changed)

    def first(self, topic: Topic) -> Json | None:
        """What a newcomer hears at once; None = nothing has been told yet."""
        match topic.kind:
            case "allMids":
                data = self._all_mids(topic.dex)
                return data if data["mids"] else None
            case "allDexsAssetCtxs":
                return self._all_contexts() if self._contexts else None
            case "fastAssetCtxs":
                figures = self._figures()
                return packed(figures) if figures else None
        return None

    # ------------------------------------------------------------------ shapes
    def _all_mids(self, dex: str) -> Json:
        mids = {p.coin: self._mids[p.coin] for p in self._universe.perps[dex] if p.coin in self._mids}
        return {"dex": dex, "mids": mids} if dex else {"mids": mids}

    def _all_contexts(self) -> Json:
        """The first dex, then the others by name; a place nobody trades has a context of zeros."""
        rows = [
            [dex, [self._answers.context(self._contexts.get(p.coin)) for p in self._universe.perps[dex]]]
            for dex in sorted(self._universe.dexes)
            if self._universe.perps[dex]
        ]
        return {"ctxs": rows}

    def _figures(self) -> dict[str, dict[str, Json]]:
        return {
            coin: {"markPx": self._wire.px(coin, context.mark_px_u), "midPx": self._mids.get(coin)}
            for coin, context in self._contexts.items()
        }


def packed(data: Json) -> str:
    """This channel alone is compressed: base64 of raw DEFLATE (seen in a public client)."""
    deflate = zlib.compressobj(wbits=RAW_DEFLATE)
    return base64.b64encode(deflate.compress(msgspec.json.encode(data)) + deflate.flush()).decode()
