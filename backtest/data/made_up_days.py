"""Made-up markets: up to a month simvenue's generator, a day at a time, each beginning where the one before it ended.

A day has a seed of its own, so it does not matter how many are asked for; its price begins at the last mid of the day
before. Days are kept on the shelf. What is planted in the market is the flow's (`simvenue/synthetic/flows.py`). A
longer span is made of bars (`made_up_bars.py`): its days differ as a year's do, and none of its ticks has to be kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial

import numpy as np

from backtest.data.asked import Asked
from backtest.data.bridged import Funding
from backtest.data.kept import key_of
from backtest.data.made_up import made_up
from backtest.data.made_up_bars import made_up_bars
from backtest.data.opened import Opened, Touched
from backtest.data.prepared import Made, Prepared, prepare
from backtest.data.stand_ins import bridged, flow_name
from common.clock import MS, NS
from common.config import Settings
from simvenue.synthetic.flows import FLOWS

ORIGIN_NS = 1_780_272_000 * NS
"""Monday, 1 June 2026, 0:00 UTC."""

DAY_NS = 86_400 * NS
DAYS = 7.0
TICKS_DAYS = 31.0
"""Longer spans are made of bars."""
SEEDS_APART = 10_007


def open_made_up(asked: Asked) -> Opened:
    """As many days as asked for (0 = a week); raises ConfigError."""
    return _bars(asked) if asked.days > TICKS_DAYS else _ticks(asked)


def _bars(asked: Asked) -> Opened:
    """A random walk's bars, made into events when they are played."""
    venue, name = asked.settings.venue, flow_name(asked.settings, asked.flow)
    bars = made_up_bars(
        FLOWS[name], venue.px_start, venue.vol_annual, first_ms=ORIGIN_NS // MS, days=asked.days, seed=asked.seed
    )
    facts = hashlib.sha256(b"".join(column.tobytes() for column in (bars.open, bars.high, bars.low, bars.close)))
    last_t_ns = (int(bars.ts_ms[-1]) + bars.every_ms) * MS
    touched = Touched(f"synthetic bars seed {asked.seed}", len(bars), facts.hexdigest(), ORIGIN_NS, last_t_ns)
    opened = bridged("made-up bars", bars, asked, touched, Funding())
    worst = float(np.min(bars.low / np.maximum.accumulate(bars.high)))
    lines = [
        f"the market is made up: a random walk whose volatility comes in spells, {100 * bars.vol_annual:.1f} % a year "
        f"over all, its deepest fall {100 * (1 - worst):.1f} %",
        *opened.caveats,
    ]
    title = f"made-up market, {bars.every_ms / 60_000:g}-minute bars, flow {name}, seed {asked.seed}"
    return replace(opened, name=title, kind="synthetic", caveats=tuple(lines))


def _ticks(asked: Asked) -> Opened:
    """The generator's days, made in order where they are not there yet."""
    settings, days, shelf, seed = asked.settings, asked.days, asked.shelf, asked.seed
    name = flow_name(settings, asked.flow)
    found: list[Prepared] = []
    begin_ns, end_ns = ORIGIN_NS, ORIGIN_NS + int((days or DAYS) * DAY_NS)
    px = settings.venue.px_start
    while begin_ns < end_ns:
        span_h = min(end_ns - begin_ns, DAY_NS) / (3_600 * NS)
        make = partial(_day, settings, name, px, seed * SEEDS_APART + len(found), begin_ns, span_h)
        venue = settings.venue
        key = key_of(
            "made up", name, repr(FLOWS[name]), venue.sz_decimals, venue.vol_annual, px, seed, begin_ns, span_h
        )
        found.append(prepare(shelf, key, make, wants_mid=True))
        px = found[-1].last_mid2 / 2 / 10 ** (6 - venue.sz_decimals)
        begin_ns += DAY_NS
    title = f"made-up market, flow {name}, seed {seed}"
    facts = hashlib.sha256(f"{FLOWS[name]!r} {seed} {settings.venue!r}".encode()).hexdigest()
    rows = sum(one.rows for one in found)
    touched = Touched(f"synthetic:{name} seed {seed}", rows, facts, ORIGIN_NS, end_ns)
    lines = (
        f"the market is made up: what is measured on it is the flow {name!r}, not a market",
        "a day's clusters and levels of volatility begin anew at midnight; its price goes on",
    )
    return Opened(tuple(one.part for one in found), title, "synthetic", lines, (touched,))


def _day(settings: Settings, name: str, px: float, seed: int, begin_ns: int, span_h: float) -> Made:
    venue = settings.venue.model_copy(update={"px_start": px})
    of_day = settings.model_copy(update={"venue": venue})
    return made_up(name, FLOWS[name], of_day, span_h=span_h, seed=seed, origin_ns=begin_ns).tape, ()
