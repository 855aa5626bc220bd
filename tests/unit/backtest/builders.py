"""Small tapes and quoters for the compiled replay: prices in USD 0.1 steps round 93,000."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backtest.loop.fixed import new_fixed
from backtest.playing import Played, Terms, play
from backtest.quoters import Quoter, Stall
from backtest.tape import Tape
from common.kernel import istate
from quoter.state import NS
from simvenue.source import ASK_LEVEL, BID_LEVEL, BUY_PRINT, SELL_PRINT
from tests.unit.quoter.builders import settings

T0 = 1_767_657_600 * NS
MS = 1_000_000
MID = 9_300_000
TICK = 10
BID, ASK = MID - 50, MID + 50

Row = tuple[int, int, int]


@dataclass
class Script:
    """A market written down row by row; times in seconds after T0."""

    stamps: list[tuple[int, list[Row]]] = field(default_factory=list)

    def at(self, seconds: float, *rows: Row) -> Script:
        self.stamps.append((T0 + round(seconds * 1e9), list(rows)))
        return self

    def calm(self, first: float, last: float, every: float = 0.25) -> Script:
        """Nothing but a far level that changes, so that the book is told again and again."""
        seconds, size = first, 1
        while seconds < last:
            size = 3 - size
            self.at(seconds, (BID_LEVEL, BID, 1_000 + size))
            seconds += every
        return self

    def open(self) -> Script:
        """The first picture: 1,000 contracts at each of two levels a side."""
        return self.at(
            0.0, (BID_LEVEL, BID, 1_000), (BID_LEVEL, BID - 100, 1_000), (ASK_LEVEL, ASK, 1_000),
            (ASK_LEVEL, ASK + 100, 1_000),
        )  # fmt: skip

    def tape(self) -> Tape:
        stamps = sorted(self.stamps, key=lambda stamp: stamp[0])
        rows = [row for _, part in stamps for row in part]
        begin = np.cumsum([0, *(len(part) for _, part in stamps)]).astype(np.int64)
        what, px_u, sz_u = (as_vector([row[k] for row in rows]) for k in range(3))
        files = [1] + [0] * (len(stamps) - 1)
        return Tape(
            ("script",),
            what,
            px_u,
            sz_u,
            as_vector([t for t, _ in stamps]),
            as_vector(begin.tolist()),
            as_vector(files),
            2,
        )


def as_vector(values: list[int]) -> Any:
    made = istate(len(values))
    made[:] = values
    return made


def seller(px: int, sz: int) -> Row:
    return (SELL_PRINT, px, sz)


def buyer(px: int, sz: int) -> Row:
    return (BUY_PRINT, px, sz)


def stall(strict: bool = False) -> Stall:
    return Stall(settings("standx"), 0.3, TICK, strict)


def a_quoter(distances: tuple[float, ...] = (1.0,), sizes: tuple[float, ...] = (100.0,), **lean: Any) -> Quoter:
    told: dict[str, Any] = {"cap_usd": 500.0, "out_bps": 0.2, "in_bps": 0.2, **lean}
    return stall().quoter("test", new_fixed(distances, sizes, **told))


def terms(feed_ms: float = 100.0, order_ms: float = 300.0, seconds: float = 3_600.0, **more: Any) -> Terms:
    return Terms(T0, T0 + round(seconds * 1e9), feed_ms, order_ms, **more)


def run(script: Script, quoter: Quoter | None = None, conditions: Terms | None = None, **more: Any) -> Played:
    return play(script.tape(), quoter or a_quoter(), conditions or terms(), **more)


def random_market(seed: int, instants: int = 400) -> Script:
    """A market that trades, gaps and moves through our levels."""
    rng, script, middle, seconds = random.Random(seed), Script().open(), 0, 0.0
    shown: dict[int, set[int]] = {BID_LEVEL: {BID, BID - 100}, ASK_LEVEL: {ASK, ASK + 100}}
    for _ in range(instants):
        seconds += rng.choice((0.05, 0.25, 0.3, 2.5))
        middle += rng.choice((-3, -1, 0, 0, 1, 3)) * 2
        rows: list[Row] = []
        if rng.random() < 0.4:
            side = rng.choice((BUY_PRINT, SELL_PRINT))
            rows.append((side, MID + TICK * (middle + rng.randint(-300, 300)), rng.randint(1, 300)))
        for what, direction in ((BID_LEVEL, -1), (ASK_LEVEL, 1)):
            wanted = {MID + TICK * (middle + direction * k) for k in (5, 9, 30)}
            rows += [(what, px, 0) for px in sorted(shown[what] - wanted)]
            rows += [(what, px, rng.randint(1, 2_000)) for px in sorted(wanted)]
            shown[what] = wanted
        script.at(seconds, *rows)
    return script
