"""Small made-up recordings, as rows for the kernels and as the messages a feed would make of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from common.book import LayeredBook
from common.messages import BookUpdate, Side, Touch, TradePrint
from quoter.layering import DEEP_LEVELS, DEEP_NS, FAST_LEVELS, FAST_NS
from quoter.rebuilt import ASK_ROW, BID_ROW, BUY_ROW, SELL_ROW
from tests.unit.quoter.builders import COIN, T0

MS = 1_000_000
Row = tuple[int, int, int]


@dataclass
class Instant:
    """Rows (what, px_u, sz_u) of one venue time, and the whole book after them."""

    t_ns: int
    rows: list[Row]
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]


@dataclass
class Market:
    """A book of 30 levels a side that drifts; changes are told as a recorder tells them."""

    rng: random.Random
    px_u: int = 93_000
    tick: int = 10
    sides: dict[int, dict[int, int]] = field(default_factory=lambda: {BID_ROW: {}, ASK_ROW: {}})

    def instant(self, t_ns: int) -> Instant:
        rng = self.rng
        rows: list[Row] = []
        for _ in range(rng.choice((0, 0, 1, 3))):
            side = rng.choice((BUY_ROW, SELL_ROW))
            rows.append((side, self.px_u + self.tick * rng.randint(-3, 3), rng.randint(1, 2_000)))
        if rng.random() < 0.8 or not self.sides[BID_ROW]:
            self.px_u += self.tick * rng.choice((-1, 0, 0, 0, 1, 3))
            rows += self._changes()
        bids = sorted(self.sides[BID_ROW].items(), reverse=True)
        return Instant(t_ns, rows, bids, sorted(self.sides[ASK_ROW].items()))

    def _changes(self) -> list[Row]:
        """What differs between the shown book and the next one."""
        rng, rows = self.rng, []
        for what, direction in ((BID_ROW, -1), (ASK_ROW, 1)):
            before, after = self.sides[what], {}
            px = self.px_u + direction * self.tick * rng.randint(1, 3)
            for _ in range(30):
                kept = before.get(px)
                after[px] = kept if kept is not None and rng.random() < 0.9 else rng.randint(1, 5_000)
                px += direction * self.tick * rng.randint(1, 2)
            rows += [(what, px, 0) for px in before if px not in after]
            rows += [(what, px, sz) for px, sz in after.items() if before.get(px) != sz]
            self.sides[what] = after
        return rows


def tape(seed: int, instants: int = 60) -> list[Instant]:
    """About half a minute, with pauses of every kind."""
    rng = random.Random(seed)
    market = Market(rng)
    t_ns = T0
    made = []
    for _ in range(instants):
        made.append(market.instant(t_ns))
        t_ns += rng.choice((1, 50, 250, 330, 500, 700, 1_200, 4_000, 13_000)) * MS
    return made


class FeedOf:
    """The messages of the feed for each instant, layered as `common/book.py` does it."""

    def __init__(self) -> None:
        self._book = LayeredBook()
        self._touch: tuple[object, object] | None = None
        self._fast_t_ns = self._deep_t_ns = -(10**18)
        self._tid = 0

    def messages(self, now: Instant) -> Iterator[Touch | BookUpdate | TradePrint]:
        t_ns = now.t_ns
        for what, px_u, sz_u in now.rows:
            if abs(what) == BUY_ROW:
                self._tid += 1
                side = Side.BID if what == BUY_ROW else Side.ASK
                yield TradePrint(t_ns, COIN, t_ns, t_ns, side, px_u, sz_u, self._tid)
        if not any(abs(what) == BID_ROW for what, _, _ in now.rows):
            return
        best = (now.bids[0] if now.bids else None, now.asks[0] if now.asks else None)
        if best != self._touch:
            self._touch = best
            self._book.on_touch(t_ns, *best)
            yield Touch(t_ns, COIN, t_ns, t_ns, *(best[0] or (0, 0)), *(best[1] or (0, 0)))
        is_deep = t_ns - self._deep_t_ns >= DEEP_NS
        if is_deep or t_ns - self._fast_t_ns >= FAST_NS:
            self._fast_t_ns = t_ns
            self._book.on_fast(t_ns, now.bids[:FAST_LEVELS], now.asks[:FAST_LEVELS])
            yield self._update(t_ns)
        if is_deep:
            self._deep_t_ns = t_ns
            self._book.on_deep(t_ns, now.bids[:DEEP_LEVELS], now.asks[:DEEP_LEVELS])
            yield self._update(t_ns)

    def _update(self, t_ns: int) -> BookUpdate:
        book = self._book
        bids, asks, fast_levels = book.merged(t_ns)
        return BookUpdate(
            t_ns, COIN, t_ns, t_ns, bids, asks, book.touch_t_ns, book.fast_t_ns, book.deep_t_ns, fast_levels
        )
