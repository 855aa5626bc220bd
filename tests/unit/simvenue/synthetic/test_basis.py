"""The premium of a made-up market, and the funding it makes: as hourly funding was on the page."""

from __future__ import annotations

from statistics import fmean, quantiles

import pytest

from simvenue.money.funding import rate_e10_1h
from simvenue.synthetic.basis import Basis, premium_bps
from simvenue.synthetic.flows import BTC_PREMIUM, INDEX_PREMIUM, Points
from tests.support.bands import near, within

MINUTE_NS = 60 * 10**9
HOURS = 3_000


def funding_bps(points: Points, interest_1h: float, clamp: float, seed: int) -> list[float]:
    """Hourly rates in bps from premiums sampled every minute."""
    basis = Basis(points, seed, 0)
    found = []
    for hour in range(HOURS):
        mean = fmean(basis.premium((60 * hour + k) * MINUTE_NS) for k in range(60))
        found.append(rate_e10_1h(mean, interest_1h, clamp) * 1e-6)
    return found


def autocorrelation(values: list[float], lag: int) -> float:
    mean = fmean(values)
    away = [v - mean for v in values]
    return fmean(a * b for a, b in zip(away, away[lag:], strict=False)) / fmean(a * a for a in away)


def test_the_premium_runs_straight_between_its_quantiles_and_stays_flat_beyond() -> None:
    points = ((-1.0, -4.0), (0.0, 0.0), (1.0, 8.0))
    assert [premium_bps(points, z) for z in (-3.0, -1.0, -0.5, 0.5, 1.0, 9.0)] == [-4.0, -4.0, -2.0, 4.0, 8.0, 8.0]


def test_asking_more_often_does_not_change_the_premium() -> None:
    often, once = Basis(BTC_PREMIUM, 7, 0), Basis(BTC_PREMIUM, 7, 0)
    for second in range(0, 7_200, 7):
        often.premium(second * 10**9)
    assert often.premium(7_200 * 10**9) == once.premium(7_200 * 10**9)


@pytest.mark.slow
def test_btc_funding_is_that_of_the_page() -> None:
    """Table 6, HL BTC over 13,830 hours; four stretches of 3,000 hours here."""
    rates = [funding_bps(BTC_PREMIUM, 0.0000125, 0.0005, seed) for seed in range(4)]
    together = [rate for run in rates for rate in run]
    cuts = quantiles(together, n=20)
    table = "table 6, BTC"
    assert near(0.46, source=table).holds(fmean(abs(rate - 0.125) < 1e-6 for rate in together))
    assert near(0.11, source=table).holds(fmean(rate < 0 for rate in together))
    assert near(0.238, source=table).holds(fmean(together))
    assert near(0.90, source=table).holds(cuts[18])
    assert cuts[9] == pytest.approx(0.125)
    assert near(0.88, source=table).holds(fmean(autocorrelation(run, 1) for run in rates))
    assert near(0.51, source=table).holds(fmean(autocorrelation(run, 24) for run in rates))


def test_index_funding_is_mostly_the_interest_and_can_be_negative() -> None:
    """Table 3: -0.052 .. 0.063 bps an hour over five index perps."""
    rates = funding_bps(INDEX_PREMIUM, 0.0000057078, 0.0003, 1)
    assert within(0.5, 0.9, "mostly the interest").holds(fmean(abs(rate - 0.057078) < 1e-6 for rate in rates))
    assert min(rates) < -0.05
    assert within(-0.052, 0.12, "table 3").holds(fmean(rates))
