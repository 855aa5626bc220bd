"""A made-up market is one tape for one seed, and what is planted in it can be told and refused."""

from __future__ import annotations

import numpy as np
import pytest

from backtest.data.made_up import MadeUp, made_up
from backtest.studies.optimum import best_distance_bps, fill_edge_bps, fill_rate
from backtest.studies.planted import NO_EDGE_SETTING, SETTINGS
from common.errors import ConfigError
from quoter.state import NS
from simvenue.source import ASK_LEVEL, BID_LEVEL, BUY_PRINT, SELL_PRINT
from simvenue.synthetic.flows import FLOWS, as_column, planted
from simvenue.synthetic.planting import budget
from tests.unit.backtest.builders import T0
from tests.unit.quoter.builders import settings

FIGURES = {"A": 0.1, "k": 1.2, "eps": 0.4, "eta": 0.5, "r2": 0.15}


def market(hours: float = 0.1, seed: int = 1) -> MadeUp:
    flow = planted(as_column(FLOWS["xyz100"]), FIGURES)
    return made_up("test", flow, settings(), span_h=hours, seed=seed, origin_ns=T0, vol_annual=0.4)


def test_a_tape_is_its_seed_and_a_longer_one_begins_with_the_shorter() -> None:
    short, again, longer, other = market(0.05), market(0.05), market(0.1), market(0.05, seed=2)
    n = len(short.tape.stamp_ns)
    for a, b in ((short, again), (short, longer)):
        assert np.array_equal(a.tape.stamp_ns, b.tape.stamp_ns[:n])
        assert np.array_equal(a.tape.px_u, b.tape.px_u[: len(a.tape.px_u)])
        assert np.array_equal(a.signal_bps, b.signal_bps[:n])
    assert len(longer.tape.stamp_ns) > n
    assert not np.array_equal(short.tape.px_u[:500], other.tape.px_u[:500])


def test_a_tape_begins_with_a_full_picture_and_has_no_empty_instant() -> None:
    tape = market().tape
    assert (np.diff(tape.begin) > 0).all()
    assert (np.diff(tape.stamp_ns) > 0).all()
    assert tape.begins_file[0] == 1
    assert tape.begins_file.sum() == 1
    first = tape.what[: tape.begin[1]]
    px = tape.px_u[: tape.begin[1]]
    assert {len(set(px[first == side].tolist())) for side in (BID_LEVEL, ASK_LEVEL)} == {tape.visible}
    assert {BUY_PRINT, SELL_PRINT} <= set(tape.what.tolist())
    assert T0 <= tape.stamp_ns[0] < tape.stamp_ns[-1] < T0 + int(0.1 * 3600) * NS


def test_the_signal_is_recorded_at_every_instant() -> None:
    made = market()
    assert len(made.signal_bps) == len(made.tape.stamp_ns)
    assert 0.2 < made.signal_bps.std() / made.told["predictor"]["sd_bps"] < 3.0


def test_what_the_volatility_cannot_hold_is_refused() -> None:
    flow = planted(as_column(FLOWS["xyz100"]), {"A": 0.2, "k": 0.5, "eps": 2.0})
    with pytest.raises(ConfigError, match="livelier market"):
        made_up("test", flow, settings(), span_h=0.1, seed=1, origin_ns=T0, vol_annual=0.05)


# ---------------------------------------------------------------------- what there is to earn
def test_the_best_distance_is_where_rate_times_edge_is_largest() -> None:
    for setting in SETTINGS:
        flow = setting.flow
        x = best_distance_bps(flow, 0.3)
        if x is None:
            assert flow.eta >= 1.0
            assert fill_edge_bps(flow, 50.0, 0.3) < 0.0
            continue
        worth = [fill_rate(flow, y) * fill_edge_bps(flow, y, 0.3) for y in (0.9 * x, x, 1.1 * x)]
        assert worth[1] == max(worth) > 0.0


def test_the_settings_are_three_with_an_edge_and_one_without() -> None:
    assert [setting.name for setting in SETTINGS if best_distance_bps(setting.flow, 0.3) is None] == [NO_EDGE_SETTING]
    assert len({tuple(setting.figures.items()) for setting in SETTINGS}) == len(SETTINGS) == 4
    for setting in SETTINGS:
        assert budget(setting.flow, 5.0).scale == 1.0  # planted figures hold exactly
