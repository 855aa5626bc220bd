"""HAR learns, forecasts in the right unit, says when it knows nothing, and pulls the measured value only a little."""

from __future__ import annotations

import math
import random
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quoter.engine import QuoteEngine
from quoter.har import (
    CENTRE,
    H_BETA,
    H_COV,
    H_RV,
    H_SUM,
    H_VOL,
    KNOWN_AFTER,
    MINUTES,
    TERMS,
    close_minute,
    har_see,
    new_har,
    qlike,
)
from quoter.spread import set_range
from quoter.state import I_VOL_N, NS, S_HI, S_LO, S_VOL_FAST, S_VOL_MODEL, S_VOL_SLOW, S_VOL_USED, YEAR_S
from quoter.vol import vol_now
from quoter.vol_model import HarVol, model_of
from tests.unit.quoter.builders import PX, T0, Desk, Rig, settings

GRID = T0 // (60 * NS) * 60 * NS


def annual(rv: float) -> float:
    return math.sqrt(rv * YEAR_S / 60.0)


class Fed:
    """A model and the minutes it was told."""

    def __init__(self) -> None:
        self.floats, self.ints = new_har()
        self.minute = GRID // (60 * NS)

    def close(self, rv: float) -> float:
        """One minute of this realised variance; the forecast of the next, annual."""
        self.floats[H_SUM] = rv
        self.minute += 1
        close_minute(self.floats, self.ints, self.minute)
        return float(self.floats[H_VOL])


@cache
def clustered(n: int, seed: int = 5) -> tuple[tuple[float, float], ...]:
    """(true variance, realised of 12 returns) a minute: log variance = a slow AR(1) + the time of day."""
    rng, level, out = random.Random(seed), 0.0, []
    for minute in range(n):
        level = 0.97 * level + rng.gauss(0, 0.25)
        true = math.exp(-16.0 + level + 0.7 * math.sin(2 * math.pi * (minute % 1440) / 1440))
        out.append((true, true / 12 * sum(rng.gauss(0, 1) ** 2 for _ in range(12))))
    return tuple(out)


# ---------------------------------------------------------------------- what it forecasts
def test_a_constant_volatility_is_recovered() -> None:
    """Twelve returns a minute; after two days the forecast lies within 5 % of the truth on average."""
    fed, rng, rv = Fed(), random.Random(3), 12 * 1e-8
    found = [fed.close(rv / 12 * sum(rng.gauss(0, 1) ** 2 for _ in range(12))) for _ in range(2_880)]
    late = found[-600:]
    assert sum(late) / len(late) == pytest.approx(annual(rv), rel=0.05)
    assert max(abs(vol / annual(rv) - 1) for vol in late) < 0.25


def test_har_loses_less_than_the_last_ten_minutes_average() -> None:
    """QLIKE against the true variance on the third day of a market with clusters and a daily wave."""
    fed, har_loss, ewma_loss, ewma = Fed(), 0.0, 0.0, math.exp(-16.0)
    path = clustered(4_320)
    for minute, (true, realised) in enumerate(path):
        forecast = float(fed.floats[H_VOL]) ** 2 * 60.0 / YEAR_S
        if minute >= 2_880:
            har_loss += qlike(true, forecast)
            ewma_loss += qlike(true, ewma)
        ewma += (1 - 0.5 ** (1 / 10)) * (realised - ewma)
        fed.close(realised)
    assert 0.0 < har_loss < 0.9 * ewma_loss


def test_the_time_of_day_is_learnt() -> None:
    """Volatility with a daily wave and nothing else: the wave's coefficient takes over from yesterday's level."""
    fed, rng = Fed(), random.Random(8)
    begin = fed.minute
    for _ in range(4_320):
        wave = math.sin(2 * math.pi * (fed.minute % 1440) / 1440)
        true = math.exp(-16.0 + wave)
        fed.close(true / 12 * sum(rng.gauss(0, 1) ** 2 for _ in range(12)))
    assert fed.minute - begin == 4_320
    assert fed.floats[H_BETA + 4] > 0.1


def test_a_market_with_still_minutes_is_not_taken_for_a_wild_one() -> None:
    """A third of the minutes stand still: log errors are far from normal, the mean forecast is right all the same."""
    fed, rng = Fed(), random.Random(4)
    forecast = realised = 0.0
    for minute in range(4_320):
        rv = 0.0 if rng.random() < 1 / 3 else 3e-7 * math.exp(rng.gauss(0, 1))
        if minute >= 1_440:
            forecast += float(fed.floats[H_VOL]) ** 2 * 60.0 / YEAR_S
            realised += rv
        fed.close(rv)
    assert forecast / realised == pytest.approx(1.0, abs=0.15)


def test_too_little_data_give_no_forecast() -> None:
    fed, rv = Fed(), 1e-7
    found = [fed.close(rv) for _ in range(MINUTES + KNOWN_AFTER + 1)]
    assert set(found[: MINUTES + KNOWN_AFTER - 1]) == {0.0}
    assert found[-1] > 0.0


# ---------------------------------------------------------------------- mids into minutes
def feed(model: tuple[Any, Any], mids: list[float], every_s: float = 5.0, begin_ns: int = GRID) -> float:
    vol = 0.0
    for i, mid in enumerate(mids):
        t_ns = begin_ns + round(i * every_s * NS)
        vol = har_see(*model, mid, t_ns, t_ns)
    return vol


def test_a_minute_is_the_sum_of_its_squared_moves() -> None:
    model = new_har()
    px = [1_000.0 * math.exp(1e-4 * (i % 2)) for i in range(26)]
    feed(model, px)
    assert model[0][H_RV] == pytest.approx(12 * 1e-8, rel=1e-6)


def test_an_outage_begins_the_windows_again_but_keeps_what_was_learnt() -> None:
    model, rng = new_har(), random.Random(2)
    path = [1_000.0]
    for _ in range(12 * 160):
        path.append(path[-1] * math.exp(rng.gauss(0, 1e-4)))
    assert feed(model, path) > 0.0
    learnt = list(model[0][H_BETA : H_BETA + TERMS])
    t_ns = GRID + 10 * 86_400 * NS
    assert har_see(*model, path[-1], t_ns, t_ns) == 0.0
    assert list(model[0][H_BETA : H_BETA + TERMS]) == learnt
    assert feed(model, path[: 12 * 33], begin_ns=t_ns + 5 * NS) > 0.0


def test_time_going_back_and_prices_of_nothing_do_no_harm() -> None:
    model = new_har()
    feed(model, [1_000.0] * 30)
    assert har_see(*model, 1_000.0, GRID - 86_400 * NS, 0) == 0.0
    assert har_see(*model, 0.0, GRID, 0) == 0.0


@given(st.lists(st.floats(1e-12, 1e-2), min_size=1, max_size=60), st.integers(1, 10))
def test_no_market_makes_it_infinite(minutes: list[float], repeats: int) -> None:
    fed = Fed()
    for rv in minutes * repeats:
        assert math.isfinite(fed.close(rv))
    assert all(math.isfinite(x) for x in fed.floats[H_BETA : H_COV + TERMS * TERMS])


def test_a_market_that_stands_still_is_no_error() -> None:
    fed = Fed()
    for _ in range(200):
        vol = fed.close(0.0)
    assert 0.0 < vol < 0.03
    assert CENTRE > 0


@given(st.floats(1e-9, 1e3), st.floats(1e-9, 1e3))
def test_qlike_is_least_for_the_truth(realised: float, forecast: float) -> None:
    assert qlike(realised, realised) == 0.0
    assert qlike(realised, forecast) >= 0.0


# ---------------------------------------------------------------------- what it may do to quotes
@pytest.mark.parametrize(
    ("model", "used"), [(0.0, 0.10), (0.10, 0.10), (0.11, 0.11), (0.5, 0.12), (0.01, 0.08), (0.085, 0.085)]
)
def test_a_model_pulls_the_measured_volatility_by_a_fifth_at_most(model: float, used: float) -> None:
    rig = Rig()
    rig.state[S_VOL_FAST], rig.state[S_VOL_SLOW], rig.state[S_VOL_MODEL] = 0.10, 0.05, model
    assert vol_now(rig.state, rig.params) == pytest.approx(used)


def test_a_model_cannot_end_the_widest_row_of_a_market_that_is_not_known() -> None:
    rig = Rig()
    rig.state[S_VOL_FAST], rig.state[S_VOL_MODEL], rig.ints[I_VOL_N] = 0.01, 0.01, 3
    set_range(rig.state, rig.ints, rig.params)
    assert (rig.state[S_LO], rig.state[S_HI]) == (10.0, 50.0)


def test_a_forecast_reaches_the_table() -> None:
    rig = Rig(vol_hysteresis=0.0).vol(0.10)
    rig.state[S_VOL_MODEL] = 0.2
    set_range(rig.state, rig.ints, rig.params)
    assert rig.state[S_VOL_USED] == pytest.approx(0.12)


class Oracle:
    """A learned model as it would be handed in."""

    name = "learned"

    def __init__(self) -> None:
        self.told: list[tuple[float, int, int]] = []

    def see(self, mid: float, t_ns: int, wall_ns: int) -> float:
        self.told.append((mid, t_ns, wall_ns))
        return 0.3


def test_a_model_of_ones_own_is_told_every_mid_and_heard() -> None:
    desk, model = Desk(), Oracle()
    desk.engine = QuoteEngine(desk.settings, vol=model)
    desk.start().live(2.0)
    assert len(model.told) >= 8
    assert model.told[0] == (float(PX), T0, T0)
    assert desk.engine.state[S_VOL_MODEL] == 0.3


def test_configuration_names_the_model_and_measured_alone_is_the_default() -> None:
    assert model_of(settings().quoting) is None
    model = model_of(settings(vol_model="har").quoting)
    assert isinstance(model, HarVol)
    assert (model.name, model.see(float(PX), T0, T0)) == ("har", 0.0)
