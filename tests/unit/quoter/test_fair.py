"""The price round which we quote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quoter.fair import collar_px, fair_px

PRICE = st.floats(1e3, 1e9)


def test_without_a_forecast_fair_is_the_microprice() -> None:
    assert fair_px(100.0, 100.3, 50.0, 0.0, 0.0, 100.0) == 100.3


def test_a_forecast_moves_the_mid_by_its_weight() -> None:
    assert fair_px(100.0, 100.3, 10.0, 0.5, 0.0, 100.0) == pytest.approx(100.05)


@given(PRICE, PRICE, st.floats(-500, 500), st.floats(0, 2), PRICE, st.floats(1, 500))
def test_fair_never_leaves_the_collar(
    mid: float, micro: float, forecast: float, weight: float, oracle: float, collar: float
) -> None:
    fair = fair_px(mid, micro, forecast, weight, oracle, collar)
    assert collar_px(oracle, collar, -1) <= fair <= collar_px(oracle, collar, 1)
