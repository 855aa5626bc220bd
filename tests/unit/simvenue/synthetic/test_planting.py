"""What a flow's figures mean: who brings the variance, what may be planted, what is refused."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simvenue.synthetic import layout
from simvenue.synthetic.flows import FLOWS, PLANTS, as_column, planted
from simvenue.synthetic.planting import YEAR_S, budget, least_vol, terms_of

XYZ = FLOWS["xyz100"]


def test_order_sizes_follow_the_quantiles() -> None:
    sizes = [round(XYZ.size_usd(p)) for p in (0.1, 0.5, 0.9, 0.99, 1.0, 1.5)]
    assert sizes == [34, 332, 1_556, 13_000, 60_000, 60_000]
    assert XYZ.size_usd(0.0) == 12.0
    assert XYZ.size_usd(0.3) == pytest.approx((34 * 332) ** 0.5)


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("vol", [0.05, 0.3, 1.5])
def test_the_parts_of_the_variance_make_the_wanted_whole(name: str, vol: float) -> None:
    made = budget(FLOWS[name], vol)
    parts = made.orders + made.news + made.signal + made.quiet
    assert parts == pytest.approx(made.wanted, rel=0.021)
    assert min(made.orders, made.news, made.signal) >= 0
    assert made.quiet > 0


def test_an_index_moves_three_times_as_much_in_its_session_as_over_the_week() -> None:
    per_s = budget(FLOWS["us500"], 0.10).wanted
    assert per_s * 0.34190 == pytest.approx((0.10 * 1e4) ** 2 / YEAR_S, rel=1e-3)


def test_impact_beyond_the_wanted_volatility_is_scaled_down_in_calibrated_flows() -> None:
    made = budget(XYZ, 0.10)
    assert 0.5 < made.scale < 0.7
    assert (made.flow.eps_bps, made.flow.eta) == (XYZ.eps_bps * made.scale, XYZ.eta * made.scale)
    assert budget(FLOWS["us500"], 0.10).scale > 0.97


@given(
    a=st.floats(0.01, 0.2), k=st.floats(0.3, 5.0), eps=st.floats(0.0, 2.0), eta=st.floats(0.0, 1.5),
    informed=st.floats(0.1, 1.0), r2=st.floats(0.0, 0.2),
)  # fmt: skip
def test_planted_figures_hold_exactly_or_the_market_is_refused(
    a: float, k: float, eps: float, eta: float, informed: float, r2: float
) -> None:
    figures = {"A": a, "k": k, "eps": eps, "eta": eta, "informed": informed, "r2": r2}
    flow = planted(as_column(XYZ), figures)
    least = least_vol(flow)
    made = budget(flow, 1.0001 * least)
    assert made.scale == 1.0
    assert {name: getattr(made.flow, PLANTS[name][0]) for name in figures} == figures
    if made.news < 0.4 * made.wanted:
        with pytest.raises(ValueError, match="livelier market"):
            budget(flow, 0.99 * least)


@given(r2=st.floats(0.01, 0.3), horizon=st.floats(1.0, 300.0), memory=st.floats(1.0, 300.0))
def test_the_predictors_weight_solves_its_own_formula(r2: float, horizon: float, memory: float) -> None:
    flow = planted(replace(FLOWS["calm"]), {"r2": r2, "horizon": horizon, "memory": memory, "vol": 5.0})
    try:
        made = budget(flow, 5.0)
    except ValueError:
        return
    e = math.exp(-horizon / memory)
    known = made.signal * memory / 2 * (1 - e) ** 2
    whole = (made.wanted - made.signal) * horizon + made.signal * (horizon - memory * (1 - e))
    assert known / whole == pytest.approx(r2)
    assert made.signal_sd_bps**2 == pytest.approx(known)


def test_a_predictor_that_no_market_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="more than any market"):
        budget(planted(XYZ, {"r2": 0.9, "horizon": 600.0, "memory": 5.0}), 1.0)


@pytest.mark.parametrize(
    ("figures", "why"),
    [({"beta": 1.0}, "'beta' cannot be planted"), ({"k": 0.0}, "k = 0"), ({"A": 0.5}, "at most half"),
     ({"eps": float("nan")}, "eps = nan")],
)  # fmt: skip
def test_what_cannot_be_planted_is_named(figures: dict[str, float], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        planted(XYZ, figures)


def test_nothing_else_is_to_be_known_in_a_planted_market() -> None:
    assert XYZ.book_edge > 0
    assert planted(XYZ, {"eps": 0.1}).book_edge == 0
    assert planted(XYZ, {"book": 0.5}).book_edge == 0.5


def test_the_toxic_flow_breaks_even_nowhere_and_the_calm_one_at_once() -> None:
    """Break-even distance (fee + eps + eta / k) / (1 - eta) of flows.py."""
    toxic, calm = (budget(FLOWS[name], 0.1) for name in ("toxic", "calm"))
    assert toxic.scale == calm.scale == 1.0
    assert toxic.flow.eta > 1
    assert (calm.flow.eps_bps + calm.flow.eta / calm.flow.k_per_bps) / (1 - calm.flow.eta) < 0.05


def test_what_reaches_far_for_showing_moves_the_price_as_much_as_it_says() -> None:
    """No hidden gift to who quotes: its impact is not scaled down at the index's volatility, and is no smaller."""
    shown = budget(FLOWS["lively"], 0.10)
    assert shown.scale == 1.0
    assert shown.flow.eta / shown.flow.k_per_bps > XYZ.eta / XYZ.k_per_bps


@pytest.mark.parametrize("name", FLOWS)
def test_every_flow_fits_its_terms(name: str) -> None:
    terms = terms_of(budget(FLOWS[name], 0.4))
    assert len(terms) == layout.TERMS
    assert all(math.isfinite(x) for x in terms)
    assert terms[layout.T_SPREADS + 2 * layout.SPREADS - 1] == 1.0
    assert (terms[layout.T_SELF] + terms[layout.T_CROSS]) / terms[layout.T_COOLING] < 1


def test_more_points_than_there_is_room_for_are_refused() -> None:
    crowded = replace(XYZ, order_usd=tuple((k / 9, 10.0 + k) for k in range(10)))
    with pytest.raises(ValueError, match="10 points where 8 fit"):
        terms_of(budget(crowded, 0.4))
