"""Volatility from bars: known variances are recovered, drift and gaps do what theory says, the study's table holds."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from common.kernel import state
from quoter.bar_vol import (
    annual_of_bar,
    garman_klass,
    garman_klass_bias,
    parkinson,
    parkinson_bias,
    rogers_satchell,
    rogers_satchell_bias,
    yang_zhang,
    yang_zhang_bias,
)
from quoter.state import YEAR_S

SIGMA = 1e-3  # of one bar


@cache
def bars(n: int, steps: int, drift: float = 0.0, gap: float = 0.0, seed: int = 11) -> tuple[float, ...]:
    """`n` bars of a Brownian path looked at `steps` times; `drift` and `gap` in standard deviations of a bar."""
    rng, flat, log_px = random.Random(seed), [], 0.0
    step, push = SIGMA / math.sqrt(steps), drift * SIGMA / steps
    for _ in range(n):
        log_px += rng.gauss(0, gap * SIGMA) if gap else 0.0
        begin = most = least = log_px
        for _ in range(steps):
            log_px += push + rng.gauss(0, step)
            most, least = max(most, log_px), min(least, log_px)
        flat += [math.exp(begin), math.exp(most), math.exp(least), math.exp(log_px)]
    return tuple(flat)


def vector(values: Sequence[float]) -> Any:
    """What a kernel takes in either mode."""
    made_of = state(len(values))
    made_of[:] = list(values)
    return made_of


def made(n: int, steps: int, drift: float = 0.0, gap: float = 0.0) -> Any:
    return vector(bars(n, steps, drift, gap))


@pytest.mark.parametrize(
    ("estimate", "share", "spread"),
    [
        (parkinson(made(4_000, 60), 4_000), parkinson_bias(60), 0.64),
        (garman_klass(made(4_000, 60), 4_000), garman_klass_bias(60), 0.52),
        (rogers_satchell(made(4_000, 60), 4_000), rogers_satchell_bias(60), 0.58),
        (yang_zhang(made(4_000, 60), 4_000), yang_zhang_bias(4_000, 60), 0.54),
    ],
    ids=["parkinson", "garman_klass", "rogers_satchell", "yang_zhang"],
)
def test_a_constant_volatility_is_recovered_within_its_sampling_error(
    estimate: float, share: float, spread: float
) -> None:
    """Within four standard errors (`spread` = a bar's, in variances) plus 1 % for the correction's own error."""
    assert estimate / share == pytest.approx(SIGMA**2, rel=4 * spread / math.sqrt(4_000) + 0.01)


def test_biases_are_those_of_the_study() -> None:
    """strategy.md 1.8: 30 one-minute bars looked at each second."""
    assert parkinson_bias(60) == pytest.approx(0.84, abs=0.01)
    assert garman_klass_bias(60) == pytest.approx(0.78, abs=0.01)
    assert rogers_satchell_bias(60) == pytest.approx(0.78, abs=0.01)
    assert yang_zhang_bias(30, 60) == pytest.approx(0.81, abs=0.01)


def test_a_price_seen_all_the_time_needs_no_correction() -> None:
    for bias in (parkinson_bias, garman_klass_bias, rogers_satchell_bias):
        assert bias(1e9) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("drift", [0.25, 0.5, 1.0])
def test_drift_moves_neither_rogers_satchell_nor_yang_zhang(drift: float) -> None:
    """(At two deviations a bar the looks at 60 moments matter: 15 % less, of the correction and not of the formula.)"""
    for of in (rogers_satchell, yang_zhang):
        still, drifting = of(made(4_000, 60), 4_000), of(made(4_000, 60, drift), 4_000)
        assert drifting == pytest.approx(still, rel=0.06)


def test_drift_enlarges_parkinson() -> None:
    assert parkinson(made(4_000, 60, 2.0), 4_000) > 1.5 * parkinson(made(4_000, 60), 4_000)


@pytest.mark.parametrize("gap", [0.5, 1.0])
def test_yang_zhang_alone_counts_the_gaps_between_bars(gap: float) -> None:
    n, plain = 4_000, yang_zhang(made(4_000, 60), 4_000)
    assert yang_zhang(made(n, 60, 0.0, gap), n) - plain == pytest.approx((gap * SIGMA) ** 2, rel=0.2)
    assert rogers_satchell(made(n, 60, 0.0, gap), n) == pytest.approx(rogers_satchell(made(n, 60), n), rel=0.06)


def test_ranges_say_more_than_closes() -> None:
    """The study: Parkinson is 4-5 times as efficient as squared moves; here over 80 stretches of 20 bars."""
    flat, n, stretch = made(1_600, 60), 1_600, 20
    closes, ranges = [], []
    for begin in range(0, n, stretch):
        part = flat[4 * begin : 4 * (begin + stretch)]
        closes.append(sum(math.log(part[4 * i + 3] / part[4 * i]) ** 2 for i in range(stretch)) / stretch)
        ranges.append(parkinson(part, stretch) / parkinson_bias(60))

    def spread(values: list[float]) -> float:
        mean = sum(values) / len(values)
        return sum((v - mean) ** 2 for v in values)

    assert spread(closes) > 2.5 * spread(ranges)


def test_scale_is_no_matter() -> None:
    flat = made(50, 60)
    for of in (parkinson, garman_klass, rogers_satchell, yang_zhang):
        assert of(vector([px * 7_524.0 for px in flat]), 50) == pytest.approx(of(flat, 50), rel=1e-9)


def test_too_few_or_impossible_bars_give_nothing() -> None:
    flat = made(3, 60)
    assert yang_zhang(flat, 2) == 0.0
    for of in (parkinson, garman_klass, rogers_satchell, yang_zhang):
        assert of(flat, 0) == 0.0
        assert of(vector([1.0, 0.5, 2.0, 1.0] * 3), 3) == 0.0  # the high below the low
        assert of(vector([0.0] * 12), 3) == 0.0


def test_annual_is_over_the_whole_year() -> None:
    assert annual_of_bar(SIGMA**2, 60.0) == pytest.approx(SIGMA * math.sqrt(YEAR_S / 60.0))
    assert annual_of_bar(0.0, 60.0) == annual_of_bar(1.0, 0.0) == 0.0
