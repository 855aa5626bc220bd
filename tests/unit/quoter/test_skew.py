"""What the position does to the quotes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quoter.skew import is_capped, is_reducing, set_urgency, tilt
from quoter.state import I_POSITION, I_POSITION_T, I_SKEWING, NS, S_DELTA, S_MARGIN, S_URGENCY
from tests.unit.quoter.builders import PX, T0, Rig

BID, ASK = 0, 1


def holding(usd: float, rig: Rig | None = None, age_s: float = 0.0, margin: float = 0.0) -> Rig:
    rig = rig or Rig()
    rig.ints[I_POSITION] = round(usd * 1e6 / PX)
    rig.ints[I_POSITION_T] = T0 - round(age_s * NS) if usd else 0
    rig.state[S_MARGIN] = margin
    set_urgency(rig.state, rig.ints, rig.params, float(PX), T0)
    return rig


def urgency(usd: float, **changes: float) -> float:
    return float(holding(usd, **changes).state[S_URGENCY])  # type: ignore[arg-type]


def test_delta_is_notional_over_equity_times_the_scale() -> None:
    assert holding(250).state[S_DELTA] == pytest.approx(0.025, rel=1e-2)
    assert holding(-250).state[S_DELTA] == pytest.approx(-0.025, rel=1e-2)


@pytest.mark.parametrize(
    ("usd", "wanted"), [(0, 0), (40, 0), (149, 0), (151, 0.224), (250, 0.444), (-250, 0.444), (500, 1), (800, 1)]
)
def test_urgency_begins_at_the_skew_level_and_is_full_at_the_hard_cap(usd: float, wanted: float) -> None:
    assert urgency(usd) == pytest.approx(wanted, abs=0.01)


def test_a_skew_ends_only_when_the_position_is_balanced_again() -> None:
    rig = holding(200)
    assert rig.ints[I_SKEWING] == 1
    assert holding(100, rig).state[S_URGENCY] == pytest.approx(0.111, abs=0.01)
    assert holding(49, rig).state[S_URGENCY] == 0
    assert holding(100, rig).state[S_URGENCY] == 0


def test_old_inventory_adds_urgency_up_to_its_share() -> None:
    assert urgency(200, age_s=30) == pytest.approx(0.333, abs=0.01)
    assert urgency(200, age_s=45) == pytest.approx(0.583, abs=0.01)
    assert urgency(200, age_s=3600) == pytest.approx(0.833, abs=0.01)
    assert urgency(40, age_s=3600) == 0


def test_a_used_up_margin_multiplies_urgency() -> None:
    assert urgency(500, margin=0.70) == pytest.approx(1.0)
    assert urgency(500, margin=0.80) == pytest.approx(1.3)
    assert urgency(500, margin=9.0) == pytest.approx(1.9)


def test_long_pushes_bids_away_and_draws_asks_nearer() -> None:
    rig = holding(500)
    assert tilt(rig.state, rig.ints, rig.params, BID) == pytest.approx(3.0)
    assert tilt(rig.state, rig.ints, rig.params, ASK) == pytest.approx(0.7)


@given(st.floats(-900, 900), st.floats(0, 200), st.floats(0, 1))
def test_short_is_the_mirror_image_of_long(usd: float, age_s: float, margin: float) -> None:
    long, short = holding(usd, None, age_s, margin), holding(-usd, None, age_s, margin)
    for side in (BID, ASK):
        assert tilt(long.state, long.ints, long.params, side) == tilt(short.state, short.ints, short.params, 1 - side)


@pytest.mark.parametrize(("usd", "bid", "ask"), [(0, 0, 0), (240, 0, 0), (251, 1, 0), (-251, 0, 1)])
def test_the_soft_cap_stops_the_growing_side_only(usd: float, bid: int, ask: int) -> None:
    rig = holding(usd)
    assert [is_capped(rig.state, rig.ints, rig.params, side, float(PX)) for side in (BID, ASK)] == [bid, ask]


def test_the_permits_soft_limit_counts_when_it_is_tighter() -> None:
    rig = holding(120)
    rig.told(soft=100.0)
    assert is_capped(rig.state, rig.ints, rig.params, BID, float(PX)) == 1


def test_flat_reduces_on_neither_side() -> None:
    rig = holding(0)
    assert [is_reducing(rig.ints, side) for side in (BID, ASK)] == [0, 0]


def test_no_equity_gives_no_delta() -> None:
    rig = Rig().told(equity=0.0)
    assert holding(100, rig).state[S_DELTA] == 0.0
