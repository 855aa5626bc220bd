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
from common.kernel import istate
from quoter.state import NS
from simvenue.synthetic import stretch
from simvenue.synthetic.flows import Flow
from simvenue.synthetic.synthetic import Synthetic

ROOM = (*[1 << 20] * 3, *[1 << 18] * 3)
"""Rows and stamps the columns begin with; they double when full."""
KINDS = (*[np.int64] * 5, np.float64)


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
    what, px_u, sz_u, stamp_ns, end, signal = _written(source, origin_ns + int(span_h * 3600 * NS))
    begins_file = np.zeros(len(stamp_ns), np.int64)
    begins_file[0] = 1
    begin = np.concatenate([np.zeros(1, np.int64), end])
    tape = Tape((f"synthetic:{name} seed {seed}",), what, px_u, sz_u, stamp_ns, begin, begins_file, source.visible)
    return MadeUp(tape, signal * source.signal_share, source.describe())


def _written(source: Synthetic, end_t_ns: int) -> tuple[Any, ...]:
    """`what`, `px_u`, `sz_u` of all rows, then time, end of its rows and planted signal of each stamp."""
    columns = [np.empty(room, kind) for room, kind in zip(ROOM, KINDS, strict=True)]
    written = istate(2)
    while not source.write(end_t_ns, columns, written):
        columns = [np.concatenate([one, np.empty(len(one), one.dtype)]) for one in columns]
    rows, stamps = (int(written[place]) for place in (stretch.ROWS, stretch.STAMPS))
    return tuple(one[: rows if k < 3 else stamps].copy() for k, one in enumerate(columns))
