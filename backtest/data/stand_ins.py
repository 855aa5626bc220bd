"""Bars opened as a source: which file, which part of it, through which flow, and what must be said of it.

The finest bars that reach back far enough are taken. Another market's bars are scaled to this market: the price so that
the last close is the market's, the volatility to `STAND_IN_VOL`. Leaves the bridge itself to `bridge.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from backtest.data.asked import Asked
from backtest.data.bars import COLUMNS, Bars, read_bars, scaled, told_holes
from backtest.data.bridged import COARSE_LOOK_NS, FINE_DAYS, Bridge, Funding
from backtest.data.kept import Shelf, key_of
from backtest.data.opened import Opened, Part, Touched
from backtest.data.prepared import prepare
from backtest.tape import Tape
from common.clock import MS, NS
from common.config import Settings
from common.errors import ConfigError
from simvenue.recorded.recording import BadRecording
from simvenue.synthetic.flows import FLOWS
from simvenue.synthetic.planting import Budget

STAND_IN_VOL = 0.12
DAYS = 30.0
"""Played of bars when nothing else is asked for."""

DAY_MS = 86_400_000
BRIDGED = (
    "bars were made into events: open, extremes and close are the bars', the path between them, the book and every "
    "print are invented by the market's calibrated flow ({flow})"
)
MARKOUTS = (
    "on bars a quote has 0.4 to 0.8 of the fills it would have on events, and 0.05 to 0.4 bps less from each (measured "
    "on a made-up market and its own bars): results are low rather than high"
)
NO_FORECAST = "the invented book foretells nothing beyond its own catching up: forecasts are not tested on bars"
COARSE = (
    "coarse: makers look at their quotes once in {look:g} s, and our quoter decides no oftener (both finer up to "
    "{days:g} days); orders come as often as ever"
)


@dataclass(frozen=True, slots=True)
class Stock:
    """Bar files of one market, each of one interval; `is_other`: of another market than the one that is played."""

    title: str
    files: tuple[Path, ...]
    is_other: bool
    funding: Path | None = None


def flow_name(settings: Settings, flow: str = "") -> str:
    """The flow asked for, else the market's own: its kind's."""
    name = flow or ("btc" if settings.market.kind == "crypto" else "us500")
    if name not in FLOWS:
        raise ConfigError(f"flow {name!r}: known are {', '.join(FLOWS)}")
    return name


def open_bars(stock: Stock, asked: Asked) -> Opened:
    """The last days of the stock; raises BadRecording, or ConfigError when a checksum is wrong."""
    settings, days = asked.settings, asked.days or DAYS
    bars, path, touched = _chosen([(path, *_read(path, asked)) for path in stock.files], days)
    lines = told_holes(path.name, bars)
    if bars.span_days > days:
        bars = bars.since(int(bars.ts_ms[-1]) + bars.every_ms - int(days * DAY_MS))
    vol = bars.vol_annual
    if stock.is_other:
        bars = scaled(bars, settings.venue.px_start, STAND_IN_VOL)
        lines.append(
            f"{stock.title} stands in for {settings.market.coin}: price scaled to {settings.venue.px_start:g}, "
            f"volatility from {100 * vol:.1f} % a year to {100 * STAND_IN_VOL:g} %"
        )
    funding, read = _funding(stock.funding, asked)
    name = f"{stock.title}, {bars.every_ms / 60_000:g}-minute bars ({path.name})"
    opened = bridged(stock.title, bars, asked, touched, funding)
    return replace(opened, name=name, caveats=(*lines, *opened.caveats), datasets=(touched, *read))


def bridged(title: str, bars: Bars, asked: Asked, touched: Touched, funding: Funding) -> Opened:
    """A part for each day of the bars, and what must be said of events made from bars."""
    settings, chosen = asked.settings, flow_name(asked.settings, asked.flow)
    is_coarse = bars.span_days > FINE_DAYS
    bridge = Bridge(title, FLOWS[chosen], settings.venue.sz_decimals, asked.seed, is_coarse, funding)
    parts, said = _parts(bridge, bars, settings, asked.shelf, touched), _said(bars, bridge, chosen)
    return Opened(parts, title, "bars", tuple(said), (touched,), cycle_ms=COARSE_LOOK_NS / MS if is_coarse else 0.0)


def _said(bars: Bars, bridge: Bridge, chosen: str) -> list[str]:
    lines = [BRIDGED.format(flow=chosen), MARKOUTS, NO_FORECAST]
    if bridge.is_coarse:
        lines.append(COARSE.format(look=COARSE_LOOK_NS / NS, days=FINE_DAYS))
    if not float(np.sum(bars.volume)) > 0:
        lines.append("the bars have no volume: orders come as the hour of the week lets expect")
    if len(bridge.funding.t_ns) == 0:
        lines.append("no funding history: funding by the premium formula")
    return lines


def _parts(bridge: Bridge, bars: Bars, settings: Settings, shelf: Shelf, touched: Touched) -> tuple[Part, ...]:
    """A part a day; fine ones are kept on the shelf, coarse ones are made when they are played: a year has no room."""
    made, activity = bridge.budget(bars), bridge.activity(bars)
    parts = []
    at = 0
    for day in bridge.days(bars):
        make = partial(bridge.tape, day, made, activity[at : at + len(day)])
        at += len(day)
        first_t_ns, last_t_ns = int(day.ts_ms[0]) * MS, (int(day.ts_ms[-1]) + day.every_ms) * MS
        load: Callable[[], Tape] = make
        if not bridge.is_coarse:
            load = partial(_kept, shelf, _key(bridge, day, made, settings, touched), make)
        parts.append(Part(f"{bridge.name} {first_t_ns // (86_400 * NS)}", first_t_ns, last_t_ns, load))
    return tuple(parts)


def _kept(shelf: Shelf, key: str, make: Callable[[], Tape]) -> Tape:
    return prepare(shelf, key, lambda: (make(), [])).part.load()


def _key(bridge: Bridge, day: Bars, made: Budget, settings: Settings, touched: Touched) -> str:
    facts = bridge.name, repr(bridge.flow), bridge.seed, bridge.sz_decimals, settings.venue.px_start, made.wanted
    funding = bridge.funding.t_ns.tobytes().hex()[-32:]
    return key_of("bars", touched.sha256, *facts, day.ts_ms[0], len(day), float(day.close[-1]), funding)


# ---------------------------------------------------------------------- files
def _read(path: Path, asked: Asked) -> tuple[Bars, Touched]:
    """A file's bars, parsed once."""
    sha256, shelf = sha256_of(path, asked), asked.shelf
    key = key_of("bar file", sha256, path.suffix)
    entry = shelf.get(key)
    if entry is None:
        bars = read_bars(path)
        entry = shelf.put(key, {name: getattr(bars, name) for name in COLUMNS}, {"every_ms": bars.every_ms})
    bars = Bars(**entry.columns, every_ms=entry.meta["every_ms"])
    last_ms = int(bars.ts_ms[-1]) + bars.every_ms
    return bars, Touched(path.name, len(bars), sha256, int(bars.ts_ms[0]) * MS, last_ms * MS)


def sha256_of(path: Path, asked: Asked) -> str:
    """Of the file's bytes; raises ConfigError when it was fetched with others."""
    try:
        sha256 = asked.shelf.sha256(path)
    except OSError as error:
        raise BadRecording(path, None, str(error.strerror)) from None
    asked.places.check(path, sha256)
    return sha256


def _chosen(read: Sequence[tuple[Path, Bars, Touched]], days: float) -> tuple[Bars, Path, Touched]:
    """The finest bars that reach back `days`; when none do, those that reach back furthest."""
    enough = [one for one in read if one[1].span_days >= days]
    if enough:
        path, bars, touched = min(enough, key=lambda one: one[1].every_ms)
    else:
        path, bars, touched = max(read, key=lambda one: (one[1].span_days, -one[1].every_ms))
    return bars, path, touched


def _funding(path: Path | None, asked: Asked) -> tuple[Funding, tuple[Touched, ...]]:
    if path is None or not path.exists():
        return Funding(), ()
    times, rates = _funding_rows(path)
    if len(times) == 0:
        return Funding(), ()
    touched = Touched(path.name, len(times), sha256_of(path, asked), int(times[0]), int(times[-1]))
    return Funding(times, rates), (touched,)


def _funding_rows(path: Path) -> tuple[Any, Any]:
    """`ts_ms, rate_1h`; raises BadRecording."""
    times: list[int] = []
    rates: list[float] = []
    for row, line in enumerate(path.read_text(encoding="utf-8").splitlines()[1:]):
        try:
            ts_ms, rate = line.split(",")[:2]
            times.append(int(ts_ms) * MS)
            rates.append(float(rate))
        except ValueError:
            raise BadRecording(path, row, f"not a funding rate: {line[:40]!r}") from None
        if not abs(rates[-1]) < 1:
            raise BadRecording(path, row, f"a funding rate of {rates[-1]:g} an hour")
        if len(times) > 1 and times[-1] <= times[-2]:
            raise BadRecording(path, row, "times run backwards or repeat")
    return np.array(times, np.int64), np.array(rates)
