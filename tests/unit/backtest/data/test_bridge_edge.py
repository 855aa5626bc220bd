"""Bars made into events flatter no quoter: it earns less on them, and trades less, than in the market they are of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backtest.data.bars import Bars
from backtest.data.bridged import Bridge
from backtest.data.made_up import made_up
from backtest.data.opened import joined
from backtest.loop.fixed import new_fixed
from backtest.playing import Terms, play
from backtest.quoters import Stall
from backtest.tape import Tape
from common.clock import MS, NS
from common.kernel import COMPILED
from quoter.state import QUOTES_MAX
from simvenue.recorded.recording import Columns
from simvenue.synthetic.flows import FLOWS
from simvenue.synthetic.measures import market
from tests.unit.backtest.data.builders import MONDAY_MS, profile

HOURS = 48
AFTER_NS = 60 * NS
SETTINGS = profile("us500")


def bars_of(tape: Tape, every_s: int) -> Bars:
    """Bars of the mid, looked at every second."""
    columns = Columns(tape.what, tape.px_u, tape.sz_u, tape.stamp_ns.tolist(), tape.begin.tolist(), tape.visible)
    seen = market(columns)
    mids = seen.mid[np.maximum(seen.index_at(np.arange(0.0, HOURS * 3_600.0)), 0)] / 1_000
    table = mids.reshape(-1, every_s)
    opened = np.concatenate([table[:1, 0], table[:-1, -1]])
    high, low = np.maximum(table.max(1), opened), np.minimum(table.min(1), opened)
    times = MONDAY_MS + np.arange(len(table)) * every_s * 1_000
    return Bars(times, opened, high, low, table[:, -1].copy(), np.ones(len(table)), every_s * 1_000)


def bridged(bars: Bars) -> Tape:
    bridge = Bridge("bars", FLOWS["xyz100"], 3, 1, is_coarse=True)
    made, activity = bridge.budget(bars), bridge.activity(bars)
    days = np.split(activity, np.flatnonzero(np.diff(bars.ts_ms // 86_400_000)) + 1)
    return joined([bridge.tape(day, made, busy) for day, busy in zip(bridge.days(bars), days, strict=True)])


def scores(tape: Tape, bps: float) -> Any:
    """What each fill of a quote a side at this distance is worth 60 s later, bps before fees."""
    quoter = Stall(SETTINGS, 0.3, 10, False).quoter(
        "fixed", new_fixed((bps,), (100.0,), cap_usd=500.0, out_bps=0.2, in_bps=0.2)
    )
    first, last = int(tape.stamp_ns[0]), int(tape.stamp_ns[-1])
    played = play(tape, quoter, Terms(first, last - 310 * NS, 100.0, 300.0, silence_ms=1e9))
    at = np.searchsorted(played.stamp_ns, played.fills[:, 0] + AFTER_NS, "right") - 1
    side = np.where(played.fills[:, 1] < QUOTES_MAX, 1.0, -1.0)
    px = played.fills[:, 2]
    return side * (np.asarray(played.mid2)[at] / 2 - px) / px * 1e4


@pytest.mark.slow
@pytest.mark.skipif(not COMPILED, reason="two days of events need compiled kernels (make test-all)")
@pytest.mark.parametrize("every_s", [60, 300])
def test_quoter_earns_no_more_on_bars_than_in_the_market_they_are_of(every_s: int) -> None:
    origin_ns = MONDAY_MS * MS
    real = made_up(
        "xyz100", FLOWS["xyz100"], SETTINGS, span_h=HOURS, seed=3, origin_ns=origin_ns, vol_annual=0.12
    ).tape  # fmt: skip
    tape = bridged(bars_of(real, every_s))
    for bps in (0.5, 1.0, 2.0):
        wanted, found = scores(real, bps), scores(tape, bps)
        error = np.hypot(wanted.std() / np.sqrt(len(wanted)), found.std() / np.sqrt(len(found)))
        assert found.mean() < wanted.mean() + 2 * error, (bps, found.mean(), wanted.mean(), error)
        assert found.mean() > wanted.mean() - 0.8, (bps, found.mean(), wanted.mean(), error)
        assert 0.25 < len(found) / len(wanted) < 1.05, (bps, len(found), len(wanted))
