"""Candles of every interval, built print by print (`candleSnapshot` and the `candle` channel).

A candle opens with its first print and is closed by the first one of a later bucket; buckets without a print become
flat candles at the last price with no volume, as the venue publishes them after the fact. Buckets are whole multiples
of their length since 1970 (weeks begin on a Thursday: the venue's rule is not published), months are calendar months.
The newest `KEPT` of each interval stay, which is all a client may ask for. Times are ms, prices px_u, volumes sz_u.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, TypeAlias, get_args

from simvenue.events import Trade

KEPT = 5_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

Interval: TypeAlias = Literal["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d", "3d", "1w", "1M"]
INTERVALS: tuple[Interval, ...] = get_args(Interval)
_UNIT_MS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS}
LENGTH_MS: dict[str, int] = {name: int(name[:-1]) * _UNIT_MS[name[-1]] for name in INTERVALS if name != "1M"}


@dataclass(slots=True)
class Candle:
    """One bucket `[open_ms, close_ms)`."""

    open_ms: int
    close_ms: int
    open_px_u: int
    high_px_u: int
    low_px_u: int
    close_px_u: int
    volume_u: int = 0
    prints: int = 0

    def add(self, px_u: int, sz_u: int) -> None:
        if self.prints == 0:
            self.open_px_u = self.high_px_u = self.low_px_u = px_u
        self.high_px_u = max(self.high_px_u, px_u)
        self.low_px_u = min(self.low_px_u, px_u)
        self.close_px_u = px_u
        self.volume_u += sz_u
        self.prints += 1


def bucket(interval: str, t_ms: int) -> tuple[int, int]:
    """Where the bucket that holds `t_ms` begins, and where the next one does."""
    if interval == "1M":
        day = datetime.fromtimestamp(t_ms // 1000, UTC)
        following = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
        return _month_ms(day.year, day.month), _month_ms(*following)
    length = LENGTH_MS[interval]
    begin = t_ms - t_ms % length
    return begin, begin + length


class Series:
    """Candles of one interval of one market, oldest first; the last one may still change."""

    def __init__(self, interval: str) -> None:
        self._interval = interval
        self._rows: deque[Candle] = deque(maxlen=KEPT)

    @property
    def last(self) -> Candle | None:
        return self._rows[-1] if self._rows else None

    def add(self, t_ms: int, px_u: int, sz_u: int) -> None:
        last = self.last
        if last is None or t_ms >= last.close_ms:
            begin, end = bucket(self._interval, t_ms)
            self.roll(begin - 1)
            self._rows.append(Candle(begin, end, px_u, px_u, px_u, px_u))
        self._rows[-1].add(px_u, sz_u)

    def roll(self, t_ms: int) -> None:
        """Fill the buckets up to `t_ms` that saw no print."""
        last = self.last
        if last is None or t_ms < last.close_ms:
            return
        begin, px_u = last.close_ms, last.close_px_u
        length = LENGTH_MS.get(self._interval, 0)
        if length:  # of a silence longer than all that is kept only the end is filled
            begin += max((t_ms - begin) // length + 1 - KEPT, 0) * length
        while begin <= t_ms:
            _, end = bucket(self._interval, begin)
            self._rows.append(Candle(begin, end, px_u, px_u, px_u, px_u))
            begin = end

    def between(self, begin_ms: int, end_ms: int) -> Iterator[Candle]:
        """Candles that have any part in `[begin_ms, end_ms]`."""
        return (replace(row) for row in self._rows if row.close_ms > begin_ms and row.open_ms <= end_ms)


class Candles:
    """All intervals of every market that has printed."""

    def __init__(self) -> None:
        self._series: dict[str, dict[str, Series]] = defaultdict(lambda: {name: Series(name) for name in INTERVALS})

    def on_trade(self, trade: Trade) -> None:
        t_ms = trade.t_ns // 1_000_000
        for series in self._series[trade.coin].values():
            series.add(t_ms, trade.px_u, trade.sz_u)

    def current(self, coin: str, interval: str) -> Candle | None:
        """The candle that is being built; None before the market's first print."""
        return self._series[coin][interval].last if coin in self._series else None

    def between(self, coin: str, interval: str, begin_ms: int, end_ms: int, now_ms: int) -> list[Candle]:
        """Candles that have any part in the given time, oldest first, none that begins after now."""
        if coin not in self._series:
            return []
        series = self._series[coin][interval]
        series.roll(now_ms)
        return list(series.between(begin_ms, min(end_ms, now_ms)))


def _month_ms(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000
