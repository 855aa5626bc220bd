"""Bars and archives written for tests."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np

from backtest.data.asked import Asked
from backtest.data.bars import Bars, csv_of
from backtest.data.kept import Shelf
from backtest.data.places import Places
from common.config import Settings
from tests.unit.quoter.builders import settings

MONDAY_MS = 1_780_272_000_000
MINUTE_MS = 60_000


def walk_bars(count: int, every_ms: int = MINUTE_MS, *, px: float = 750.0, vol: float = 0.12, seed: int = 1) -> Bars:
    """Bars of a Brownian motion that was looked at sixty times a bar; volume as it falls."""
    rng = random.Random(seed)
    sd = vol * math.sqrt(every_ms / 60_000 / (365 * 86_400))
    rows = []
    for k in range(count):
        path = [px]
        for _ in range(60):
            path.append(path[-1] * math.exp(rng.gauss(0.0, sd)))
        rows.append((MONDAY_MS + k * every_ms, path[0], max(path), min(path), path[-1], rng.uniform(10.0, 30.0)))
        px = path[-1]
    table = np.array(rows)
    return Bars(table[:, 0].astype(np.int64), *(table[:, k].copy() for k in range(1, 6)), every_ms=every_ms)


def a_csv(path: Path, bars: Bars) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(csv_of(bars))
    return path


def asked(folder: Path, market: str = "us500", **how: Any) -> Asked:
    return Asked(settings(market), how.pop("days", 0.0), Shelf(folder / "cache"), Places(folder / "data"), **how)


def profile(market: str = "us500") -> Settings:
    return settings(market)


def archive_line(t_ms: int, bids: list[float], asks: list[float], coin: str = "BTC") -> bytes:
    levels = [[{"px": str(px), "sz": "1.5", "n": 2} for px in side] for side in (bids, asks)]
    stamp = np.datetime64(t_ms + 80, "ms").item().isoformat()
    data = {"coin": coin, "time": t_ms, "levels": levels}
    return json.dumps({"time": f"{stamp}", "ver_num": 1, "raw": {"channel": "l2Book", "data": data}}).encode() + b"\n"


def an_lz4(path: Path, data: bytes) -> Path:
    """One LZ4 frame, as the bucket has it."""
    import pyarrow as pa

    path.parent.mkdir(parents=True, exist_ok=True)
    with pa.OSFile(str(path), "wb") as file, pa.CompressedOutputStream(file, "lz4") as stream:
        stream.write(data)
    return path
