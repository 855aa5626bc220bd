"""Bars become events that open, turn and close where the bars say, and whose fills cost what the flow's do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backtest.data.bars import Bars
from backtest.data.bridged import COARSE_LOOK_NS, Bridge, Funding
from backtest.tape import Tape
from common.clock import MS, NS
from simvenue.recorded.recording import Columns
from simvenue.source import BUY_PRINT
from simvenue.synthetic.flows import FLOWS
from simvenue.synthetic.measures import Market, market, markouts, reaches
from tests.unit.backtest.data.builders import MINUTE_MS, walk_bars

UNIT = 1_000  # px_u of one quote at 3 size decimals
TICK_U = 10


def a_bridge(*, flow: str = "xyz100", is_coarse: bool = True, seed: int = 1, **more: Any) -> Bridge:
    return Bridge("bars", FLOWS[flow], 3, seed, is_coarse, **more)


def bridged(bars: Bars, **how: Any) -> Tape:
    bridge = a_bridge(**how)
    return bridge.tape(bars, bridge.budget(bars), bridge.activity(bars))


def surveyed(tape: Tape) -> Market:
    columns = Columns(tape.what, tape.px_u, tape.sz_u, tape.stamp_ns.tolist(), tape.begin.tolist(), tape.visible)
    return market(columns)


@pytest.fixture(scope="module")
def bars() -> Bars:
    return walk_bars(20)


@pytest.fixture(scope="module")
def tape(bars: Bars) -> Tape:
    return bridged(bars)


def test_book_opens_turns_and_closes_with_each_bar(bars: Bars, tape: Tape) -> None:
    """The mid stands within the spread of the bar's prices at its open and close, and turns at its extremes."""
    found = surveyed(tape)
    times_ns = np.asarray(tape.stamp_ns)
    begun_ns = int(times_ns[0])
    for k in range(len(bars)):
        first_ns = int(bars.ts_ms[k]) * MS
        inside = (found.t_s >= (first_ns - begun_ns) / NS) & (found.t_s < (first_ns - begun_ns) / NS + 60)
        mids = found.mid[inside]
        for seen, wanted in (
            (mids[0], bars.open[k]), (mids[-1], bars.close[k]), (mids.max(), bars.high[k]), (mids.min(), bars.low[k]),
        ):  # fmt: skip
            assert abs(seen - wanted * UNIT) <= 2.5 * TICK_U, k


def test_path_itself_is_exact_and_within_the_bar(bars: Bars) -> None:
    """Told as an oracle of 3 s before, since that is the path's own price."""
    funding = Funding(np.array([0]), np.array([1e-5]))
    told = bridged(bars, funding=funding).context
    k = (told.t_ns - 3 * NS) // (MINUTE_MS * MS) - int(bars.ts_ms[0]) // MINUTE_MS
    inside = k >= 0
    px, k = told.oracle_px_u[inside] / UNIT, k[inside]
    assert (px <= bars.high[k] + 1e-3).all()
    assert (px >= bars.low[k] - 1e-3).all()
    at_open = (told.t_ns[inside] - 3 * NS) % (MINUTE_MS * MS) == 0
    assert at_open.sum() >= len(bars) - 1
    assert np.allclose(px[at_open], bars.open[k[at_open]], atol=1e-3)
    assert set(told.funding_1h.tolist()) == {1e-5}


def test_same_seed_is_the_same_tape_and_another_is_not(bars: Bars, tape: Tape) -> None:
    again, other = bridged(bars), bridged(bars, seed=2)
    assert all(np.array_equal(getattr(tape, n), getattr(again, n)) for n in ("what", "px_u", "sz_u", "stamp_ns"))
    assert not np.array_equal(tape.px_u[:5_000], other.px_u[:5_000])


def test_instants_rise_and_a_hole_begins_a_new_book(bars: Bars) -> None:
    with_hole = bridged(bars.rows(np.r_[0:8, 12:20]))
    assert (np.diff(with_hole.stamp_ns) > 0).all()
    opened = np.flatnonzero(with_hole.begins_file)
    assert [int(with_hole.stamp_ns[k]) // MS for k in opened] == [int(bars.ts_ms[0]), int(bars.ts_ms[12])]
    rows = slice(int(with_hole.begin[opened[1]]), int(with_hole.begin[opened[1] + 1]))
    assert {-1, 1} == set(with_hole.what[rows].tolist())


def test_coarse_book_is_never_silent_for_longer_than_its_looks(tape: Tape) -> None:
    assert np.diff(tape.stamp_ns).max() <= 1.3 * COARSE_LOOK_NS


def test_orders_come_as_the_volume_does() -> None:
    bars = walk_bars(60)
    volume = np.where(np.arange(60) < 30, 1.0, 5.0)
    tape = bridged(Bars(bars.ts_ms, bars.open, bars.high, bars.low, bars.close, volume, bars.every_ms))
    instants = np.repeat(tape.stamp_ns, np.diff(tape.begin))[np.abs(tape.what) == BUY_PRINT]
    orders = np.unique(instants)
    busy = (orders >= int(bars.ts_ms[30]) * MS).sum()
    assert 3.0 < busy / (len(orders) - busy) < 8.0


def test_price_of_a_flat_bar_stands_still() -> None:
    bars = walk_bars(3)
    flat = Bars(bars.ts_ms, *([np.full(3, 750.0)] * 4), np.ones(3), bars.every_ms)
    told = bridged(flat, funding=Funding(np.array([0]), np.array([0.0]))).context
    assert set(told.oracle_px_u.tolist()) == {750 * UNIT}


def test_fills_cost_no_less_than_in_the_flow() -> None:
    """A sweep's mean move after 60 s in 5-minute bars of a market that knew nothing of these orders."""
    bars = walk_bars(24, 300_000)
    bridge = a_bridge()
    made = bridge.budget(bars)
    found = surveyed(bridge.tape(bars, made, bridge.activity(bars)))
    reach, move = reaches(found), markouts(found, 60.0)
    sweeps = (reach > 0.5) & np.isfinite(move)
    mean, error = move[sweeps].mean(), move[sweeps].std() / np.sqrt(sweeps.sum())
    wanted = made.flow.eps_bps + made.flow.eta * reach[sweeps].mean()
    assert mean + 3 * error > wanted, (mean, error, wanted)
    assert mean - 3 * error < 2 * wanted, (mean, error, wanted)
    assert error < 0.2
