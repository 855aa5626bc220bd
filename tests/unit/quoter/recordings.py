"""A market as our own recorder leaves it on disk: raw files, or the Parquet tables made of them."""

from __future__ import annotations

import random
from pathlib import Path

from feed.tables import convert
from tests.unit.feed.builders import MS, T0, context, l2, trade, trades
from tests.unit.simvenue.said import Heard, recorded
from tests.unit.simvenue.small_market import US500

STEP_MS = 500
RUN_STEPS = 10
"""So long the heavier side stays the same, and the price goes its way."""


def text(px_u: int) -> str:
    return f"{px_u / 1000:.2f}"


def rows(best_u: int, step_u: int, heavy: bool, n: int) -> list[dict[str, object]]:
    return [{"px": text(best_u + i * step_u), "sz": "9.5" if heavy and i == 0 else "4.5", "n": 1} for i in range(n)]


def market(seconds: float, seed: int = 1, step_ms: int = STEP_MS, deep: int = 20) -> list[Heard]:
    """Messages of the venue's channels; the price follows the heavier side, a tick (10) at most steps."""
    rng = random.Random(seed)
    said: list[Heard] = [(T0 + 30 * MS, "main", context("752.41", "752.41"))]
    px_u, way = 752_410, 1
    for k in range(round(seconds * 1000 / step_ms)):
        at = k * step_ms
        way = rng.choice((-1, 1)) if k % RUN_STEPS == 0 else way
        px_u += 10 * way * (rng.random() < 0.7)
        t_ns = T0 + at * MS + 40 * MS
        bids, asks = rows(px_u - 10, -10, way > 0, deep), rows(px_u + 10, 10, way < 0, deep)
        if at % 5_000 == 0:
            said.append((t_ns, "deep", book(at, bids, asks)))
            said.append((t_ns, "main", context(text(px_u), text(px_u))))
        best = {"coin": US500.coin, "time": T0 // MS + at, "bbo": [bids[0], asks[0]]}
        said.append((t_ns, "main", {"channel": "bbo", "data": best}))
        said.append((t_ns, "main", book(at, bids[:5], asks[:5], fast=True)))
        if rng.random() < 0.5:
            side = "B" if way > 0 else "A"
            said.append((t_ns + 5 * MS, "main", trades(trade(at + 1, tid=k + 1, px=text(px_u), side=side))))
    return said


def book(at_ms: int, bids: list[dict[str, object]], asks: list[dict[str, object]], **more: object) -> dict[str, object]:
    made = l2(at_ms, coin=US500.coin, **more)
    made["data"]["levels"] = [bids, asks]
    return made


def raw(folder: Path, said: list[Heard]) -> Path:
    return recorded(folder, US500, said)


def tables(folder: Path, said: list[Heard]) -> Path:
    """The same as Parquet alone."""
    made = recorded(folder, US500, said)
    list(convert(made, unfinished_too=True))
    for path in made.rglob("*.rec"):
        path.unlink()
    return made
