"""Made-up event streams for comparing backtesters: a calm market, and one awkward thing at a time put into it.

Rows are (kind, side, tick, lots) under a stamp; a level row shows what now rests at a price, a print what traded there.
Every stream is drawn from its seed alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

LEVEL, PRINT, CLEAR = 1, 2, 3
BUY, SELL = 1, -1
MIDDLE = 69_000
DEPTH = 60
MS = 1_000_000
STEP_MS = 500
"""Decisions come so often; what should meet them, or the orders they send, is stamped with their times."""
PAST_ALL_TIERS = 400
"""Ticks beyond the ladder's farthest tier, wherever its centre is."""

Row = tuple[int, int, int, int]


@dataclass
class Market:
    """A book on a grid and the stream that made it; times in ms."""

    rng: random.Random
    t_ms: float = 0.0
    books: dict[int, dict[int, int]] = field(default_factory=lambda: {BUY: {}, SELL: {}})
    stamps: list[tuple[float, list[Row]]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def best(self, side: int) -> int:
        return max(self.books[side]) if side == BUY else min(self.books[side])

    def show(self, side: int, tick: int, lots: int) -> None:
        if lots > 0:
            self.books[side][tick] = lots
        else:
            self.books[side].pop(tick, None)
        self.rows.append((LEVEL, side, tick, lots))

    def trade(self, aggressor: int, tick: int, lots: int) -> None:
        self.rows.append((PRINT, aggressor, tick, lots))

    def size(self) -> int:
        return self.rng.randint(1, 4_000)

    def end(self, after_ms: float) -> None:
        """Close the stamp; the next one comes so much later."""
        if self.rows:
            self.stamps.append((self.t_ms, self.rows))
            self.rows = []
        self.t_ms += after_ms

    def fill_up(self, side: int) -> None:
        """The first DEPTH ticks of a side have levels again."""
        best = self.best(side)
        for k in range(DEPTH):
            if best - side * k not in self.books[side]:
                self.show(side, best - side * k, self.size())

    def shift(self, ticks: int) -> None:
        """Both sides move by so many ticks, without a trade; the side that makes way goes first."""
        leaving = SELL if ticks > 0 else BUY
        for side in (leaving, -leaving):
            new = self.best(side) + ticks
            for tick in [tick for tick in self.books[side] if side * tick > side * new]:
                self.show(side, tick, 0)
            if new not in self.books[side]:
                self.show(side, new, self.size())
            self.fill_up(side)


def calm(market: Market) -> None:
    """A level changes, a small trade at the touch, or the touch moves by a tick."""
    side, chance = market.rng.choice((BUY, SELL)), market.rng.random()
    best = market.best(side)
    if chance < 0.7:
        market.show(side, best - side * market.rng.randrange(1, DEPTH), market.size())
    elif chance < 0.95:
        lots = market.rng.randint(1, market.books[side][best])
        market.trade(-side, best, lots)
        market.show(side, best, market.books[side][best] - lots)
        if best not in market.books[side]:
            market.fill_up(side)
    else:
        market.shift(market.rng.choice((-1, 1)))


def sweep(market: Market) -> None:
    """One taker through several levels."""
    side = market.rng.choice((BUY, SELL))
    for _ in range(market.rng.randint(5, 30)):
        best = market.best(side)
        market.trade(-side, best, market.books[side][best])
        market.show(side, best, 0)
    market.fill_up(side)


def jump(market: Market) -> None:
    """Both sides elsewhere at once, over our orders, and nobody traded."""
    market.shift(market.rng.choice((-1, 1)) * market.rng.randint(8, 40))


def equal_stamps(market: Market) -> None:
    """Much at one stamp, on the very ms at which a decision falls or its orders arrive."""
    market.end(0.0)
    market.t_ms = (market.t_ms // 50 + 1) * 50
    for _ in range(market.rng.randint(2, 6)):
        calm(market)
    market.shift(market.rng.choice((-3, 3)))


def clear(market: Market) -> None:
    """A side is taken away level by level and shown anew, with other sizes."""
    side = market.rng.choice((BUY, SELL))
    best = market.best(side)
    for tick in sorted(market.books[side], key=lambda tick: -side * tick)[1:]:
        market.show(side, tick, 0)
    market.end(20.0)
    market.show(side, best, market.size())
    market.fill_up(side)


def away(market: Market) -> None:
    """A print far behind the touch, or between the sides; the book does not move."""
    side = market.rng.choice((BUY, SELL))
    market.trade(side, market.best(-side) + market.rng.randint(-40, 40), market.size())


def reject(market: Market) -> None:
    """The touch runs while orders are on their way: they arrive where they would cross."""
    market.end(0.0)
    market.t_ms = (market.t_ms // STEP_MS + 1) * STEP_MS + 5
    ticks = market.rng.choice((-1, 1)) * 6
    for _ in range(6):
        market.shift(ticks)
        market.end(6.0)


def cancel_crossing(market: Market) -> None:
    """The touch moves, so that orders are cancelled, and prints take them before the cancels arrive."""
    side = market.rng.choice((BUY, SELL))
    market.shift(side * 12)
    market.end(0.0)
    market.t_ms = (market.t_ms // STEP_MS + 1) * STEP_MS + market.rng.choice((10, 49, 50, 51, 90))
    market.shift(-side * 9)
    market.end(1.0)
    market.trade(-side, market.best(side) - side * 20, 4_000)


def one_sided(market: Market) -> None:
    """The market runs through us until one side of ours is empty; its taker is seen beyond the orders of the other."""
    side = BUY if market.best(BUY) < MIDDLE else SELL
    for _ in range(6):
        market.shift(side * PAST_ALL_TIERS)
        market.end(STEP_MS + 100)
    market.trade(side, market.best(side) - side * PAST_ALL_TIERS, 107)


AWKWARD: dict[str, Callable[[Market], None]] = {
    "sweep": sweep, "jump": jump, "equal_stamps": equal_stamps, "clear": clear, "away": away, "reject": reject,
    "cancel_crossing": cancel_crossing, "one_sided": one_sided,
}  # fmt: skip


def made(seed: int, stamps: int, awkward: str = "") -> list[tuple[float, list[Row]]]:
    """(ms, rows) of a calm market, in which the awkward thing happens every hundred stamps."""
    market = Market(random.Random(seed))
    for side in (BUY, SELL):
        market.show(side, MIDDLE - (side == BUY), market.size())
        market.fill_up(side)
    market.end(1.0)
    for k in range(stamps):
        if awkward and k % 100 == 99:
            AWKWARD[awkward](market)
        else:
            calm(market)
        market.end(round(market.rng.expovariate(1 / 25.0), 3) + 0.001)
    return market.stamps
