"""The table of limits: each figure in its band does what the design says, and worse never permits more."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.config import Risk
from common.kernel import state
from common.messages import Mode, Severity
from riskd import limits
from riskd.limits import FIGURES, MODES, Limits, Verdict
from riskd.margin import RATIO_MAX, margin_ratio, reducing

RISK = Risk()
TABLE = Limits(RISK)
SEVERITY = {mode: i for i, mode in enumerate(MODES)}


def verdict(equity: float = 1_000.0, size_scale: float = 1.0, **figures: float) -> Verdict:
    vector = state(FIGURES)
    for name, value in figures.items():
        vector[getattr(limits, name)] = value
    return TABLE.verdict(vector, equity, size_scale)


def test_a_healthy_account_may_do_what_the_configuration_allows() -> None:
    got = verdict()
    assert (got.mode, got.size_scale, got.spread_scale, got.held) == (Mode.ACTIVE, 1.0, 1.0, ())
    assert (got.soft_usd, got.hard_usd) == (250.0, 500.0)


@pytest.mark.parametrize(
    ("ratio", "mode", "size", "name"),
    [
        (0.50, Mode.ACTIVE, 1.0, None),
        (0.70, Mode.ACTIVE, 1.0, None),
        (0.75, Mode.ACTIVE, 1.0, "margin_info"),
        (0.80, Mode.ACTIVE, 1.0, "margin_info"),
        (0.82, Mode.ACTIVE, 0.8, "margin_high"),
        (0.85, Mode.ACTIVE, 0.8, "margin_high"),
        (0.87, Mode.REDUCING, 0.6, "margin_critical"),
        (0.90, Mode.REDUCING, 0.6, "margin_critical"),
        (0.95, Mode.PAUSED, 0.0, "margin_emergency"),
        (RATIO_MAX, Mode.PAUSED, 0.0, "margin_emergency"),
    ],
)
def test_margin_bands(ratio: float, mode: Mode, size: float, name: str | None) -> None:
    """Exactly at a limit belongs to the milder side."""
    got = verdict(MARGIN=ratio)
    assert (got.mode, got.size_scale) == (mode, pytest.approx(size))
    assert got.reasons == ([name] if name else [])


@pytest.mark.parametrize(
    ("drawdown", "mode", "size", "spread"),
    [
        (0.010, Mode.ACTIVE, 1.0, 1.0),
        (0.015, Mode.ACTIVE, 1.0, 1.25),
        (0.020, Mode.ACTIVE, 1.0, 1.25),
        (0.030, Mode.ACTIVE, 0.5, 1.75),
        (0.045, Mode.REDUCING, 0.5, 1.75),
        (0.050, Mode.REDUCING, 0.5, 1.75),
        (0.051, Mode.KILLED, 0.0, 1.0),
    ],
)
def test_drawdown_levels(drawdown: float, mode: Mode, size: float, spread: float) -> None:
    got = verdict(DRAWDOWN=drawdown)
    assert (got.mode, got.size_scale, got.spread_scale) == (mode, size, spread)


@pytest.mark.parametrize(
    ("figures", "mode", "spread", "name"),
    [
        ({"TAKER": 0.05}, Mode.ACTIVE, 1.0, None),
        ({"TAKER": 0.06}, Mode.ACTIVE, 1.5, "taker_share"),
        ({"TAKER": 0.15}, Mode.ACTIVE, 1.5, "maker_share_low"),
        ({"TAKER": 0.25}, Mode.PAUSED, 1.0, "maker_share"),
        ({"SESSION_LOSS": 0.6}, Mode.ACTIVE, 1.0, "session_loss_half"),
        ({"SESSION_LOSS": 1.01}, Mode.KILLED, 1.0, "session_loss"),
        ({"STREAK": 3.0}, Mode.ACTIVE, 1.0, "streak_fade"),
        ({"STREAK_PAUSED": 1.0}, Mode.PAUSED, 1.0, "streak_pause"),
        ({"STREAK_KILL": 1.0}, Mode.KILLED, 1.0, "streak"),
        ({"ADVERSE": 0.021}, Mode.REDUCING, 1.0, "stop_loss"),
        ({"ACCOUNT_AGE_S": 5.1}, Mode.REDUCING, 1.0, "account_old"),
        ({"UNRECONCILED_S": 5.1}, Mode.REDUCING, 1.0, "unreconciled"),
        ({"MARKET_AGE_S": 3.1}, Mode.PAUSED, 1.0, "market_data_old"),
        ({"NO_ACCOUNT": 1.0}, Mode.PAUSED, 1.0, "no_account"),
        ({"MISMATCH": 1.0}, Mode.REDUCING, 1.0, "position_mismatch"),
        ({"GAP": 1.0}, Mode.REDUCING, 1.0, "messages_missed"),
        ({"BUILDS": 1.0}, Mode.PAUSED, 1.0, "builds_differ"),
        ({"PAUSED": 1.0}, Mode.PAUSED, 1.0, "paused"),
        ({"DRAINING": 1.0}, Mode.REDUCING, 1.0, "draining"),
        ({"DRAINED": 1.0}, Mode.PAUSED, 1.0, "drained"),
        ({"DISARMED": 1.0}, Mode.DISARMED, 1.0, "disarmed"),
        ({"STARTING": 1.0}, Mode.PAUSED, 1.0, "starting"),
        ({"LIQUIDATED": 1.0}, Mode.KILLED, 1.0, "liquidation"),
        ({"KILLED": 1.0}, Mode.KILLED, 1.0, "killed"),
    ],
)
def test_each_limit_has_its_action(figures: dict[str, float], mode: Mode, spread: float, name: str | None) -> None:
    got = verdict(**figures)
    assert (got.mode, got.spread_scale) == (mode, spread)
    assert got.reasons == ([name] if name else [])
    assert (got.size_scale > 0.0) == (mode in (Mode.ACTIVE, Mode.REDUCING))


def test_the_most_severe_mode_wins_and_scales_multiply() -> None:
    got = verdict(MARGIN=0.82, DRAWDOWN=0.03, TAKER=0.06, DRAINING=1.0)
    assert got.mode is Mode.REDUCING
    assert got.size_scale == pytest.approx(0.8 * 0.5)
    assert got.spread_scale == pytest.approx(1.75 * 1.5)


def test_reducing_quotes_one_side_only_and_a_stop_allows_nothing() -> None:
    assert (verdict(DRAINING=1.0).soft_usd, verdict(DRAINING=1.0).hard_usd) == (0.0, 500.0)
    assert (verdict(PAUSED=1.0).soft_usd, verdict(PAUSED=1.0).hard_usd) == (0.0, 0.0)
    for nothing in (0.0, -3.0, math.nan):
        assert verdict(equity=nothing).hard_usd == 0.0


def test_a_person_may_only_lower_sizes() -> None:
    assert verdict(size_scale=0.5).size_scale == 0.5
    assert verdict(size_scale=7.0).size_scale == 1.0
    assert verdict(size_scale=math.nan).size_scale == 0.0


def test_rows_that_kill_latch_and_the_latch_itself_does_not() -> None:
    assert {row.name for row in TABLE.table if row.latches} == {"drawdown", "session_loss", "streak", "liquidation"}
    names = [row.name for row in TABLE.table]
    assert len(set(names)) == len(names) <= 32, "a permit lists at most 32 reasons"
    assert {row.name for row in TABLE.table if row.alert is Severity.EMERGENCY} >= {"drawdown", "margin_emergency"}


def test_the_table_is_sound_for_odd_configurations() -> None:
    tight = Limits(Risk(max_drawdown=0.02, drawdown_alert=0.5, maker_pause_ratio=0.95))
    vector = state(FIGURES)
    vector[limits.DRAWDOWN] = 0.0199
    assert tight.verdict(vector, 1_000.0).mode is Mode.REDUCING
    vector[limits.DRAWDOWN], vector[limits.TAKER] = 0.0, 0.06
    assert tight.verdict(vector, 1_000.0).mode is Mode.PAUSED


@pytest.mark.parametrize("figure", range(FIGURES))
def test_a_figure_that_is_no_number_stops_trading(figure: int) -> None:
    vector = state(FIGURES)
    vector[figure] = math.nan
    if figure == limits.STREAK:
        return  # only tells people; the pause and the kill have figures of their own
    assert TABLE.verdict(vector, 1_000.0).mode is not Mode.ACTIVE


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.floats(0, 2), min_size=FIGURES, max_size=FIGURES),
    st.integers(0, FIGURES - 1),
    st.floats(0, 2),
    st.floats(0, 5_000),
    st.floats(0, 5_000),
)
def test_a_worse_figure_or_less_equity_never_permits_more(
    values: list[float], figure: int, worse: float, equity: float, loss: float
) -> None:
    vector = state(FIGURES)
    for i, value in enumerate(values):
        vector[i] = value
    before = TABLE.verdict(vector, equity)
    vector[figure] += worse
    after = TABLE.verdict(vector, max(equity - loss, 0.0))
    assert SEVERITY[after.mode] >= SEVERITY[before.mode]
    assert after.size_scale <= before.size_scale
    assert after.soft_usd <= before.soft_usd
    assert after.hard_usd <= before.hard_usd
    if after.mode in (Mode.ACTIVE, Mode.REDUCING):
        assert after.spread_scale >= before.spread_scale or SEVERITY[after.mode] > SEVERITY[before.mode]


# ---------------------------------------------------------------------- margin
def test_no_equity_is_the_worst_margin() -> None:
    assert margin_ratio(0.0, 0.0) == RATIO_MAX
    assert margin_ratio(5.0, -1.0) == RATIO_MAX
    assert margin_ratio(5.0, math.nan) == RATIO_MAX
    assert margin_ratio(-5.0, 10.0) == 0.0
    assert margin_ratio(850.0, 1_000.0) == 0.85
    assert margin_ratio(1e300, 1e-300) == RATIO_MAX


def test_a_reduction_goes_on_to_the_info_level() -> None:
    flag = reducing(0.0, 0.84, 0.85, 0.70)
    assert flag == 0.0
    flag = reducing(flag, 0.86, 0.85, 0.70)
    assert flag == 1.0
    flag = reducing(flag, 0.71, 0.85, 0.70)
    assert flag == 1.0
    assert reducing(flag, 0.70, 0.85, 0.70) == 0.0
