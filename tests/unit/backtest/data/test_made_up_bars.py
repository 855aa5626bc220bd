"""A made-up year is one walk for one seed, keeps every rule of a bar, and has an index's tails."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backtest.data.bars import COLUMNS, Bars, checked
from backtest.data.made_up_bars import EVERY_MS, made_up_bars
from simvenue.synthetic.flows import FLOWS
from tests.support.shared import shared
from tests.unit.backtest.data.builders import MONDAY_MS

PX, VOL = 6_000.0, 0.15
TRADING_DAYS = 252


def walk(days: float = 20.0, seed: int = 1, flow: str = "btc") -> Bars:
    return made_up_bars(FLOWS[flow], PX, VOL, first_ms=MONDAY_MS, days=days, seed=seed)


def daily(bars: Bars) -> np.ndarray:
    return np.diff(np.log(bars.close[288 - 1 :: 288]), prepend=np.log(PX))


def furthest(moves: np.ndarray) -> float:
    """The median year's furthest day, in standard deviations of its year."""
    years = [moves[k : k + TRADING_DAYS] for k in range(0, len(moves) - TRADING_DAYS + 1, TRADING_DAYS)]
    return float(np.median([np.abs(year).max() / year.std() for year in years]))


def kurtosis(moves: np.ndarray) -> float:
    return float(np.mean((moves - moves.mean()) ** 4) / moves.var() ** 2)


def lasting(moves: np.ndarray, days: int) -> float:
    """Correlation of a day's size with that of so many days before."""
    size = np.abs(moves)
    return float(np.corrcoef(size[:-days], size[days:])[0, 1])


def test_one_seed_is_one_walk_from_the_price_it_was_given() -> None:
    one, again, other = walk(), walk(), walk(seed=2)
    assert all(np.array_equal(getattr(one, name), getattr(again, name)) for name in COLUMNS)
    assert not np.array_equal(one.close, other.close)
    assert one.open[0] == PX
    assert (len(one), one.every_ms, one.span_days) == (20 * 288, EVERY_MS, 20.0)


@pytest.mark.parametrize("flow", ["btc", "us500"])
def test_every_bar_keeps_the_rules_of_a_file(flow: str) -> None:
    bars = walk(flow=flow)
    told = checked(Path("made up"), {name: getattr(bars, name).astype(float) for name in COLUMNS})
    assert told.every_ms == EVERY_MS
    assert np.allclose(bars.open[1:], bars.close[:-1], rtol=1e-12)


def test_the_span_has_the_volatility_asked_for_and_its_weeks_have_not() -> None:
    whole = [walk(365.0, seed) for seed in range(10)]
    assert np.mean([bars.vol_annual for bars in whole]) == pytest.approx(VOL, rel=0.03)
    assert all(bars.vol_annual == pytest.approx(VOL, rel=0.15) for bars in whole)
    weeks = [whole[0].rows(slice(k, k + 7 * 288)).vol_annual for k in range(0, 52 * 7 * 288, 7 * 288)]
    assert max(weeks) > 2 * min(weeks)


def test_an_index_moves_when_its_exchange_is_open() -> None:
    bars = walk(7.0, flow="us500")
    move = np.abs(np.log(bars.close / bars.open))
    hour, weekday = bars.ts_ms // 3_600_000 % 24, bars.ts_ms // 86_400_000 % 7  # the epoch was a Thursday
    session = move[(hour >= 14) & (hour < 20) & (weekday == 5)].mean()
    weekend = move[weekday == 2].mean()  # Saturday
    assert session > 2.5 * weekend


def test_a_range_is_what_a_brownian_path_of_the_bar_has() -> None:
    """E[range] = sqrt(8 / pi) standard deviations, E[|move|] = sqrt(2 / pi): twice as much (Feller 1951)."""
    bars = walk(200.0)
    ranges, moves = np.log(bars.high / bars.low), np.abs(np.log(bars.close / bars.open))
    assert ranges.mean() / moves.mean() == pytest.approx(2.0, rel=0.05)


def test_days_are_as_far_out_and_as_lasting_as_an_indexs() -> None:
    moves = daily(walk(40 * TRADING_DAYS))
    assert 6.0 < kurtosis(moves) < 25.0
    assert 3.3 < furthest(moves) < 5.0
    assert lasting(moves, 5) > 0.1 > abs(lasting(moves, 500))


def test_they_are_those_of_the_sp_500_within_a_third() -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(shared("data/daily/GSPC_close_1990_2018.parquet"))
    close = np.asarray(table["SP500"].to_numpy(), float)
    real, made = np.diff(np.log(close[np.isfinite(close)])), daily(walk(40 * TRADING_DAYS))
    assert furthest(made) == pytest.approx(furthest(real), rel=1 / 3)
    assert kurtosis(made) == pytest.approx(kurtosis(real), rel=1 / 3)
