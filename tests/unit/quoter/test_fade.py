"""Stepping back after own fills that went wrong, and coming back."""

from __future__ import annotations

import pytest

from quoter.fade import fade_scale, fade_size, is_paused, learn_score, mean_score
from quoter.state import NS, O_WHY, WHY_PAUSED
from tests.unit.quoter.builders import PX, T0, Rig

BID, ASK = 0, 1


def scores(*bps: float, side: int = BID, usd: float = 100.0, rig: Rig | None = None) -> Rig:
    rig = rig or Rig()
    for i, score in enumerate(bps):
        learn_score(rig.state, rig.ints, rig.params, side, score, usd, T0 + i)
    return rig


def scale(rig: Rig, side: int = BID, after_s: float = 0.0) -> float:
    return float(fade_scale(rig.state, rig.ints, rig.params, side, T0 + round(after_s * NS)))


def test_a_good_or_even_fill_fades_nothing() -> None:
    assert scale(scores(1.0, 0.0, -0.2, 5.0)) == 1.0


def test_a_single_bad_fill_fades_nothing() -> None:
    assert scale(scores(-9.0)) == 1.0


def test_a_bad_mean_widens_by_a_tenth_per_bps() -> None:
    rig = scores(1.0, -9.0, 1.0, -9.0)  # never three in a row
    assert mean_score(rig.state, rig.ints, rig.params, BID) == pytest.approx(-4.0)
    assert scale(rig) == pytest.approx(1.4, abs=1e-6)


def test_the_mean_is_weighted_by_size_and_looks_at_the_window_only() -> None:
    rig = scores(-100.0, *[1.0] * 10)
    assert mean_score(rig.state, rig.ints, rig.params, BID) == pytest.approx(1.0)
    rig = scores(0.0, 0.0, usd=300.0)
    scores(-8.0, -8.0, usd=100.0, rig=rig)
    assert mean_score(rig.state, rig.ints, rig.params, BID) == pytest.approx(-2.0)


def test_three_losing_in_a_row_widen_and_halve_the_size() -> None:
    rig = scores(-1.0, -1.0, -1.0)
    assert scale(rig) == pytest.approx(2.5)
    assert fade_size(rig.ints, rig.params, BID, T0 + NS) == 0.5
    assert is_paused(rig.ints, BID, T0 + NS) == 0


def test_a_streak_that_cost_little_is_chance() -> None:
    rig = scores(-0.3, -0.3, -0.3, -0.3, -0.3)
    assert scale(rig) == 1.0
    assert fade_size(rig.ints, rig.params, BID, T0 + NS) == 1.0
    assert is_paused(rig.ints, BID, T0 + NS) == 0


def test_five_losing_in_a_row_pause_that_side_for_the_cool_down() -> None:
    rig = scores(*[-1.0] * 5)
    assert is_paused(rig.ints, BID, T0 + 59 * NS) == 1
    assert is_paused(rig.ints, BID, T0 + 61 * NS) == 0
    assert is_paused(rig.ints, ASK, T0 + NS) == 0
    assert scale(rig, ASK) == 1.0


def test_a_long_streak_pauses_the_market_but_for_what_reduces_the_position() -> None:
    rig = scores(*[-1.0] * 5, rig=Rig().liquid())
    assert rig.quote(t_ns=T0 + NS) == ([], [])
    assert rig.out[O_WHY] == rig.out[O_WHY + 1] == WHY_PAUSED
    bids, asks = rig.quote(100 * 10**6 // PX, t_ns=T0 + NS)
    assert not bids
    assert asks
    assert all(rig.quote(t_ns=T0 + 61 * NS))


def test_a_streak_may_pause_its_own_side_alone() -> None:
    rig = scores(*[-1.0] * 5, rig=Rig(fade_pause_market=False).liquid())
    bids, asks = rig.quote(t_ns=T0 + NS)
    assert not bids
    assert asks


def test_a_good_fill_ends_the_streak() -> None:
    rig = scores(-1.0, -1.0, 1.0, -1.0, -1.0)
    assert fade_size(rig.ints, rig.params, BID, T0 + NS) == 1.0


def test_a_fade_fades_with_its_half_life() -> None:
    rig = scores(-1.0, -1.0, -1.0)
    assert scale(rig, after_s=60) == pytest.approx(1.75, rel=1e-3)
    assert scale(rig, after_s=600) == pytest.approx(1.0, abs=0.01)
    assert fade_size(rig.ints, rig.params, BID, T0 + 61 * NS) == 1.0


def test_a_new_loss_never_lowers_what_is_left_of_a_fade() -> None:
    rig = scores(-1.0, -1.0, -1.0, 1.0)
    before = scale(rig, after_s=10)
    learn_score(rig.state, rig.ints, rig.params, BID, -0.5, 100.0, T0 + 10 * NS)
    assert scale(rig, after_s=10) == pytest.approx(before)


def test_after_a_long_silence_a_side_starts_anew() -> None:
    rig = scores(-3.0, -3.0)
    learn_score(rig.state, rig.ints, rig.params, BID, -3.0, 100.0, T0 + 700 * NS)
    assert fade_scale(rig.state, rig.ints, rig.params, BID, T0 + 700 * NS) == 1.0


def test_a_disaster_is_bounded() -> None:
    assert scale(scores(-5000.0, -5000.0, -5000.0)) == 10.0


def test_fills_without_size_have_no_mean() -> None:
    rig = scores(-5.0, -5.0, usd=0.0)
    scores(-5.0, usd=-1.0, rig=rig)
    assert mean_score(rig.state, rig.ints, rig.params, BID) == 0.0
