"""One quoter on one tape: the vectors of a replay made, played, and what was written down handed back.

Leaves the rules of time and matching to `replay.py`, what a quoter is to `quoters.py`, figures to `scoring.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from backtest.layout import (
    CF_CURVE,
    CF_CYCLE,
    CF_END_T,
    CF_FEED,
    CF_FIRST,
    CF_FORECAST,
    CF_FROM_T,
    CF_LEN,
    CF_ORDER,
    CF_PROFILE,
    CF_QUEUE,
    CF_SILENCE,
    CF_TO_T,
    CF_VISIBLE,
    CURVE_STRIDE,
    D_ACTIONS,
    D_CANCELLED,
    D_FULL,
    D_LOST,
    D_MOVED,
    D_PLACED,
    D_PULLS,
    D_REFUSED,
    FILL_STRIDE,
    GIVEN,
    LOG_N,
    LOG_ROWS,
    MODEL,
    NONE,
    new_desk,
    new_log,
    new_ring,
)
from backtest.quoters import Quoter
from backtest.replay import replay
from backtest.tape import TAIL_NS, Tape
from common.errors import ConfigError, OurFault
from common.kernel import istate, state
from common.ticks import tick_u
from quoter.features import FEATURES_MAX, new_features
from quoter.forecast import new_model
from quoter.layering import new_channels
from quoter.rebuilt import new_side
from quoter.state import I_SZ_DECIMALS, new_book, new_out
from simvenue.book.queue_model import POWER
from simvenue.book.state import new_state as new_venue
from simvenue.book.table import H_ROOM

MS = 1_000_000
SILENCE_MS = 1_500.0
CURVE_NS = 10 * 10**9
FILLS_MAX = 1_000_000
NO_LIMIT = 2**60


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what conditions a quoter plays.  Times of the recording in ns, latencies in ms."""

    from_t_ns: int
    to_t_ns: int
    feed_ms: float = 100.0
    order_ms: float = 300.0
    queue: int = 0
    power: float = POWER
    silence_ms: float = SILENCE_MS


@dataclass(frozen=True, slots=True)
class Played:
    """What a replay wrote down: fills (n, 4), curve (n, 5), mid2 and forecast of each instant, counts."""

    fills: Any
    curve: Any
    stamp_ns: Any
    mid2: Any
    forecast: Any
    actions: int
    placed: int
    moved: int
    cancelled: int
    refused: int
    lost: int
    pulls: int


def grid_decimals(tick_px_u: int, px_u: int) -> int:
    """Size decimals whose price grid has steps of `tick_px_u` at px_u (`common/ticks.py`)."""
    for decimals in range(6, -1, -1):
        if tick_u(px_u, decimals) == tick_px_u:
            return decimals
    raise ConfigError(f"no grid of the venue has steps of {tick_px_u} px_u at {px_u}")


def play(tape: Tape, quoter: Quoter, terms: Terms, model: Any = None, given: Any = None) -> Played:
    """Play the tape; `given` is a forecast for each instant instead of the model's."""
    venue = new_venue(tape.kept)
    venue.holders[H_ROOM] = NO_LIMIT
    instants = len(tape.stamp_ns)
    desk, mids = new_desk(), istate(instants)
    fills, curve = new_log(FILLS_MAX, FILL_STRIDE), new_log(_curve_rows(terms), CURVE_STRIDE)
    floats, ints = quoter.new_state()
    ints[I_SZ_DECIMALS] = grid_decimals(quoter.tick_px_u, int(tape.px_u[0]))
    forecast = state(instants)
    if given is not None:
        forecast[:] = given
    replay(
        tape.what, tape.px_u, tape.sz_u, tape.stamp_ns, tape.begin, tape.begins_file,
        _config(tape, quoter, terms, _source(quoter, model, given)), terms.power,
        venue.bids, venue.asks, venue.orders, venue.bid_queue, venue.ask_queue, venue.holders, venue.out,
        new_side(1, tape.kept), new_side(-1, tape.kept), new_channels(), new_book(), *new_features(),
        state(FEATURES_MAX), new_model() if model is None else model, forecast,
        floats, ints, quoter.params, quoter.lean, new_out(), desk, new_ring(), new_ring(), fills, curve, mids,
    )  # fmt: skip
    if desk[D_FULL]:
        raise OurFault("a log of the replay ran out of room")
    return Played(
        _rows(fills, FILL_STRIDE), _rows(curve, CURVE_STRIDE), np.asarray(tape.stamp_ns), np.asarray(mids),
        np.asarray(forecast),
        *(int(desk[k]) for k in (D_ACTIONS, D_PLACED, D_MOVED, D_CANCELLED, D_REFUSED, D_LOST, D_PULLS)),
    )  # fmt: skip


def _curve_rows(terms: Terms) -> int:
    return (terms.to_t_ns + TAIL_NS - terms.from_t_ns) // CURVE_NS + 10


def _source(quoter: Quoter, model: Any, given: Any) -> int:
    if given is not None:
        return GIVEN
    return MODEL if quoter.uses_forecast and model is not None else NONE


def _first(tape: Tape, terms: Terms) -> int:
    """The first instant of the file in which quoting begins: there the book is shown in full."""
    starts = np.flatnonzero(tape.begins_file)
    stamps = np.asarray(tape.stamp_ns)[starts]
    return int(starts[max(int(np.searchsorted(stamps, terms.from_t_ns, "right")) - 1, 0)])


def _config(tape: Tape, quoter: Quoter, terms: Terms, source: int) -> Any:
    config = istate(CF_LEN)
    for place, value in (
        (CF_FEED, round(terms.feed_ms * MS)), (CF_ORDER, round(terms.order_ms * MS)),
        (CF_SILENCE, round(terms.silence_ms * MS)), (CF_FROM_T, terms.from_t_ns), (CF_TO_T, terms.to_t_ns),
        (CF_END_T, terms.to_t_ns + TAIL_NS), (CF_CYCLE, round(quoter.cycle_ms * MS)), (CF_VISIBLE, tape.visible),
        (CF_QUEUE, terms.queue), (CF_PROFILE, quoter.profile), (CF_FORECAST, source), (CF_CURVE, CURVE_NS),
        (CF_FIRST, _first(tape, terms)),
    ):  # fmt: skip
        config[place] = value
    return config


def _rows(log: Any, stride: int) -> Any:
    n = int(log[LOG_N])
    return np.array(log[LOG_ROWS : LOG_ROWS + stride * n], np.int64).reshape(n, stride)
