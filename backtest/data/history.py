"""The venue's own history: candles and funding rates, fetched a page at a time and continued where they ended.

Every page is written whole before the next is asked for, so an interruption costs one page. The bar that is still open
is never kept. Every request pays its weight (`common/weights.py`). Failures are the client's: LinkDown, BadInput,
VenueError; what was written stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from backtest.data.bars import Bars, checked, continued, csv_of, read_bars
from backtest.data.places import Places
from common.errors import BadInput
from common.hyperliquid import InfoClient
from common.venue_types import CandleRow, FundingRateRow

CANDLES_MAX = 5_000
FUNDING_MAX = 500
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
EVERY_MS = {"1m": MINUTE_MS, "5m": 5 * MINUTE_MS, "15m": 15 * MINUTE_MS, "1h": HOUR_MS}
HEADING = "ts_ms,rate_1h\n"

Tell = Callable[[int, int], None]
"""Called with (rows so far, rows in all as far as is known)."""


@dataclass(frozen=True, slots=True)
class Got:
    """What lies in the file now, and how much of it is new."""

    rows: int
    new: int
    first_ms: int
    last_ms: int


async def fetch_candles(client: InfoClient, places: Places, coin: str, interval: str, days: float, now_ms: int) -> Got:
    """The candles of one interval, up to the last one that has closed."""
    path, every_ms = places.candles(coin, interval), EVERY_MS[interval]
    before = read_bars(path) if path.exists() else None
    reach_ms = min(int(days * DAY_MS), (CANDLES_MAX - 1) * every_ms)
    first_ms = (now_ms - reach_ms) // every_ms * every_ms
    if before is not None:
        first_ms = max(first_ms, int(before.ts_ms[-1]) + every_ms)
    if first_ms + every_ms > now_ms and before is not None:
        return _got(before, 0)
    said = await client.candles(coin, interval, first_ms, now_ms)
    closed = [row for row in said if row.close_ms < now_ms and row.t >= first_ms]
    if not closed:
        if before is None:
            raise BadInput("candles", f"the venue has no {interval} candles of {coin}")
        return _got(before, 0)
    bars = _bars(coin, interval, closed)
    whole = bars if before is None else continued(before, bars)
    source = f"Hyperliquid candleSnapshot {coin} {interval}"
    places.note(path, csv_of(whole), len(whole), int(whole.ts_ms[0]), int(whole.ts_ms[-1]), source)
    return _got(whole, len(bars))


def _bars(coin: str, interval: str, said: Sequence[CandleRow]) -> Bars:
    """The answer, checked like any file of bars; its interval is what was asked for."""
    wrong = next((row for row in said if row.coin != coin or row.interval != interval), None)
    if wrong is not None:
        raise BadInput("candles", f"asked for {coin} {interval}, got {wrong.coin} {wrong.interval}")
    columns: dict[str, Any] = {"ts_ms": np.array([row.t for row in said], np.float64)}
    for name in ("open", "high", "low", "close", "volume"):
        columns[name] = np.array([float(getattr(row, name[0])) for row in said])
    return replace(checked(Path(f"candles of {coin} {interval}"), columns), every_ms=EVERY_MS[interval])


def _got(bars: Bars, new: int) -> Got:
    return Got(len(bars), new, int(bars.ts_ms[0]), int(bars.ts_ms[-1]))


async def fetch_funding(
    client: InfoClient, places: Places, coin: str, days: float, now_ms: int, tell: Tell
) -> Got:  # fmt: skip
    """Hourly rates of the last `days` days, 500 a page."""
    path = places.funding(coin)
    lines = path.read_text(encoding="utf-8").splitlines()[1:] if path.exists() else []
    begin_ms = now_ms - int(days * DAY_MS)
    from_ms = int(lines[-1].split(",")[0]) + 1 if lines else begin_ms
    new = 0
    while True:
        said = await client.funding_history(coin, from_ms)
        lines += [_line(row, coin, from_ms) for row in said]
        new += len(said)
        if said:
            _in_order(said)
            from_ms = said[-1].time + 1
            data = (HEADING + "".join(f"{line}\n" for line in lines)).encode()
            source = f"Hyperliquid fundingHistory {coin}"
            places.note(path, data, len(lines), int(lines[0].split(",")[0]), said[-1].time, source)
        tell(new, max(new, (now_ms - begin_ms) // HOUR_MS))
        if len(said) < FUNDING_MAX:
            break
    if not lines:
        raise BadInput("funding", f"the venue has no funding history of {coin}")
    return Got(len(lines), new, int(lines[0].split(",")[0]), int(lines[-1].split(",")[0]))


def _line(row: FundingRateRow, coin: str, from_ms: int) -> str:
    if row.coin != coin or row.time < from_ms:
        raise BadInput("funding", f"asked for {coin} from {from_ms}, got {row.coin} at {row.time}")
    return f"{row.time},{row.funding_rate}"


def _in_order(said: Sequence[FundingRateRow]) -> None:
    for before, after in pairwise(said):
        if after.time <= before.time:
            raise BadInput("funding", f"times run backwards at {after.time}")
