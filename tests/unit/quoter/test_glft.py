"""The closed form of Gueant, Lehalle and Fernandez-Tapia, against published numbers and the exact solution."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quoter.glft import c1, c2, per_root_second, set_glft_centre, set_glft_range
from quoter.state import (
    FIT_IS_VOL,
    I_FIT_MODE,
    I_POSITION,
    S_CENTRE,
    S_FILL_A,
    S_FILL_K,
    S_FORECAST_WEIGHT,
    S_HI,
    S_LO,
    S_SIGMA,
    S_STEP,
)
from tests.unit.quoter.builders import PX, Rig


def rig(sigma: float = 0.479) -> Rig:
    """At the priors of strategy.md (US500, cash session), without fee and adverse selection."""
    made = Rig(kind="glft", eps_bps=0.0, min_spread_bps=0.1).told(fee=0.0)
    made.state[S_FILL_A], made.state[S_FILL_K], made.state[S_SIGMA] = 0.05, 0.5, sigma
    return made


def ranged(made: Rig) -> tuple[float, float, float]:
    set_glft_range(made.state, made.ints, made.params)
    return tuple(float(made.state[place]) for place in (S_LO, S_STEP, S_HI))  # type: ignore[return-value]


def test_half_spread_and_skew_are_those_of_hftbacktests_tutorial() -> None:
    gamma, sigma, a, k = 0.05, 10.69, 2.986162360812285, 0.04235741115084049
    skew = sigma * c2(gamma, k, a)
    assert c1(gamma, k) + 0.5 * skew == pytest.approx(20.47208533844371, rel=1e-12)
    assert skew == pytest.approx(9.76326865029227, rel=1e-12)


def exact_bid(q: int, gamma: float, k: float, a: float, sigma: float, q_max: int) -> float:
    """Bid distance at q clips from the ground state of the exact problem (strategy.md 1.2)."""
    alpha = k * gamma * sigma**2 / 2
    eta = a * (1 + gamma / k) ** -(1 + k / gamma)
    n = 2 * q_max + 1
    matrix = np.diag([alpha * float(i - q_max) ** 2 for i in range(n)])
    matrix -= eta * (np.eye(n, k=1) + np.eye(n, k=-1))
    ground = np.abs(np.linalg.eigh(matrix)[1][:, 0])
    return math.log(ground[q + q_max] / ground[q + q_max + 1]) / k + c1(gamma, k)


@pytest.mark.parametrize("q", range(-10, 11, 5))
def test_the_closed_form_is_within_two_thousandths_of_the_exact_solution(q: int) -> None:
    gamma, k, a, sigma = 0.01, 0.3, 0.9, 0.3
    closed = c1(gamma, k) + (q + 0.5) * sigma * c2(gamma, k, a)
    assert closed == pytest.approx(exact_bid(q, gamma, k, a, sigma, 30), rel=2e-3)


def test_without_risk_aversion_the_half_spread_is_one_over_k() -> None:
    assert c1(1e-6, 0.5) == pytest.approx(2.0, rel=1e-5)
    assert c2(1e-9, 0.5, 0.05) == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(("gamma", "k", "a"), [(0.0, 0.5, 1.0), (0.1, 0.0, 1.0), (0.1, 0.5, 0.0), (-1.0, -1.0, -1.0)])
def test_what_is_not_defined_is_zero(gamma: float, k: float, a: float) -> None:
    assert c2(gamma, k, a) == 0.0
    assert gamma > 0 < k or c1(gamma, k) == 0.0


def test_the_priors_give_the_half_spread_of_strategy_md() -> None:
    lo, step, hi = ranged(rig())
    assert lo == pytest.approx(2.16, abs=0.01)
    assert step == pytest.approx(max(0.5 * 0.355, 1 / (0.5 * 5)), abs=0.01)
    assert hi == pytest.approx(lo + 4 * step)


def test_the_half_spread_rises_with_volatility_within_its_limits() -> None:
    found = [ranged(rig(sigma))[0] for sigma in (0.0, 0.1, 0.3, 1.0, 2.0, 9.0)]
    assert found == sorted(found)
    assert found[0] == found[1]
    assert found[-1] == found[-2]


def test_fee_and_adverse_selection_are_added() -> None:
    made = Rig(kind="glft", min_spread_bps=0.1).told(fee=0.3)
    made.state[S_FILL_A], made.state[S_FILL_K], made.state[S_SIGMA] = 0.05, 0.5, 0.479
    bare = ranged(rig())[0]
    assert ranged(made)[0] == pytest.approx(bare + 0.3 + 0.5)
    made.state[S_FORECAST_WEIGHT] = 1.0
    assert ranged(made)[0] == pytest.approx(bare + 0.3 + 0.9)


def test_where_the_intensity_is_not_exponential_the_half_spread_follows_volatility() -> None:
    one, two = rig(0.4), rig(0.8)
    for made in (one, two):
        made.ints[I_FIT_MODE] = FIT_IS_VOL
    assert ranged(two)[0] == pytest.approx(2 * ranged(one)[0])


def test_the_skew_is_antisymmetric_and_grows_clip_by_clip() -> None:
    found = []
    for usd in (-200, -100, 0, 100, 200):
        made = rig()
        made.ints[I_POSITION] = usd * 10**6 // PX
        set_glft_centre(made.state, made.ints, made.params, float(PX))
        found.append(float(made.state[S_CENTRE]))
    assert found == sorted(found)
    assert found[0] == pytest.approx(-found[-1], rel=0.02)
    assert found[3] == pytest.approx(0.5 * 0.355, abs=0.01)  # strategy.md: 0.35 bps a clip, damped to a half


def test_thirteen_percent_a_year_are_a_quarter_bps_per_root_second() -> None:
    assert per_root_second(0.13) == pytest.approx(0.231, abs=1e-3)
