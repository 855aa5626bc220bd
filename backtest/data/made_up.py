"""A made-up market as a tape: simvenue's generator written down, with what its planted predictor knew at each instant.

Decides nothing about the market (`simvenue/synthetic/flows.py` does): one flow, volatility and seed are one tape, bit
for bit, and a longer tape begins with the shorter one. Times ns, prices px_u, the signal in bps of the mid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from backtest.tape import Tape
from common.config import Settings
from common.errors import ConfigError
from common.kernel import COMPILED
from quoter.state import NS
from simvenue.synthetic.flows import Flow
from simvenue.synthetic.synthetic import Synthetic

GROWTH = 1 << 20
"""Rows by which the columns grow."""


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A tape, the planted predictor's expectation at each of its instants, and what was asked of the generator."""

    tape: Tape
    signal_bps: Any
    told: dict[str, Any]


def made_up(
    name: str, flow: Flow, settings: Settings, *, span_h: float, seed: int, origin_ns: int, vol_annual: float = 0.0
) -> MadeUp:
    """Play the generator for `span_h` hours; raises ConfigError where the volatility cannot hold what is planted.

    Price, lot and, unless one is given, volatility are the market's of `settings`.
    """
    venue = settings.venue
    try:
        source = Synthetic(
            name, flow, venue.sz_decimals, px_start=venue.px_start, vol_annual=vol_annual or venue.vol_annual,
            seed=seed, origin_ns=origin_ns,
        )  # fmt: skip
    except ValueError as error:
        raise ConfigError(f"synthetic {name}: {error}") from None
    columns, stamps, begins, signals = _written(source, origin_ns + int(span_h * 3600 * NS))
    begins_file = np.zeros(len(stamps), np.int64)
    begins_file[0] = 1
    tape = Tape(
        (f"synthetic:{name} seed {seed}",), columns[0], columns[1], columns[2], np.array(stamps, np.int64),
        np.array(begins, np.int64), begins_file, source.visible,
    )  # fmt: skip
    return MadeUp(tape, np.array(signals, np.float64), source.describe())


def _written(source: Synthetic, end_t_ns: int) -> tuple[list[Any], list[int], list[int], list[float]]:
    """(what, px_u, sz_u), stamps, begins and signals up to `end_t_ns`; instants without a row are left out."""
    columns: list[Any] = [np.empty(GROWTH, np.int64) for _ in range(3)]
    stamps: list[int] = []
    begins = [0]
    signals: list[float] = []
    at = 0
    while (t_ns := source.next_t_ns()) is not None and t_ns < end_t_ns:
        rows = source.take()
        if rows.end == rows.begin:
            continue
        last = at + rows.end - rows.begin
        if last > len(columns[0]):
            columns = [np.concatenate([column, np.empty(GROWTH, np.int64)]) for column in columns]
        for column, part in zip(columns, (rows.what, rows.px_u, rows.sz_u), strict=True):
            column[at:last] = part[rows.begin : rows.end] if COMPILED else list(part[rows.begin : rows.end])
        at = last
        stamps.append(t_ns)
        begins.append(at)
        signals.append(source.signal_bps)
    return [column[:at].copy() for column in columns], stamps, begins, signals
