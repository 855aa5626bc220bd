"""Figures mean what they say; intervals come of the same rule; what cannot be told is None."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from backtest.report.account import Account
from backtest.report.blocks import SUMS, blocks_of, round_trips
from backtest.report.figures import Figure, Terms, figures, sharpe_basis, sharpe_se
from tests.unit.backtest.builders import MID
from tests.unit.backtest.report.builders import COSTS, an_account, flat, in_turn, some_trades, steady, wandering

TERMS = Terms(COSTS, growth=True, seed=1)
LIVELY = an_account(some_trades(48.0, 3, 400), wandering(48.0, 3), 48.0)


def of(account: Account) -> dict[str, Figure]:
    return figures(account, TERMS)[0]


def value(account: Account, name: str) -> float:
    found = of(account)[name].value
    assert found is not None
    return found


def test_edge_is_net_over_what_was_traded() -> None:
    net = LIVELY.parts_e8["net"] * 1e-8
    assert value(LIVELY, "edge_bps") == pytest.approx(1e4 * net / LIVELY.usd.sum())


def test_what_blocks_add_is_what_the_account_gained() -> None:
    sums = blocks_of(LIVELY, 20).sums.sum(0)
    assert sums[SUMS.index("net")] == pytest.approx(LIVELY.parts_e8["net"] * 1e-8)
    assert sums[SUMS.index("spread")] == pytest.approx(LIVELY.parts_e8["spread"] * 1e-8)
    assert sums[SUMS.index("fees")] == pytest.approx(LIVELY.parts_e8["fees"] * 1e-8)
    assert sums[SUMS.index("fills")] == len(LIVELY.px_u)


def test_drawdown_is_the_largest_fall_over_all_moments() -> None:
    path = COSTS.equity_usd + np.concatenate(([0.0], LIVELY.equity_e8 * 1e-8))
    peak = np.maximum.accumulate(path)
    assert value(LIVELY, "max_drawdown") == pytest.approx(((peak - path) / peak).max())


def test_a_loss_shows_in_every_figure_of_money() -> None:
    loses = steady(-10)
    found = of(loses)
    for name in ("edge_bps", "roi", "pnl_per_day", "sharpe"):
        assert found[name].value is not None
        assert found[name].value < 0  # type: ignore[operator]
        assert found[name].hi is not None
        assert found[name].hi < 0  # type: ignore[operator]
    assert value(loses, "max_drawdown") > 0
    assert value(loses, "win_rate") == 0.0
    assert value(steady(1_000), "win_rate") == 1.0


def test_the_interval_holds_the_value_and_narrows_with_more_hours() -> None:
    short, long = (of(an_account(in_turn(h, 5), wandering(h, 5), h))["edge_bps"] for h in (24.0, 240.0))
    for found in (short, long):
        assert found.lo is not None
        assert found.value is not None
        assert found.hi is not None
        assert found.lo < found.value < found.hi
    assert (long.hi or 0) - (long.lo or 0) < (short.hi or 0) - (short.lo or 0)


def test_nothing_traded_has_no_edge_and_no_shares() -> None:
    found = of(an_account())
    for name in ("edge_bps", "maker_share", "taker_share", "win_rate", "spread_bps", "sharpe", "actions_per_usd"):
        assert found[name] == Figure(None)
    assert found["pnl_per_day"].value == 0.0
    assert found["max_drawdown"].value == 0.0


def test_a_handful_of_fills_has_no_interval() -> None:
    """Four lucky fills in two days are no evidence, however many hours they are spread over."""
    few = an_account([(k * 3_600.0 + 9, 1 - 2 * (k % 2), MID, 10) for k in range(4)], wandering(48.0, 1), 48.0)
    assert of(few)["edge_bps"].value is not None
    assert of(few)["edge_bps"].lo is None


def test_fills_of_one_moment_are_one_trade() -> None:
    account = an_account([(9.0, 1, MID, 10), (9.0, 1, MID - 9, 10), (99.0, -1, MID, 20)], hours=24.0)
    assert value(account, "trades_per_day") == pytest.approx(2.0)


def test_a_win_is_judged_after_both_fees_against_the_average_entry() -> None:
    fee = MID * 3e-5
    gain = round(2 * fee)
    for extra, won in ((-9, 0.0), (9, 1.0)):
        account = an_account([(9.0, 1, MID - 40, 10), (19.0, 1, MID + 40, 10), (29.0, -1, MID + gain + extra, 20)])
        closes, wins = round_trips(account)
        assert closes.tolist() == [0.0, 0.0, 1.0]
        assert wins.sum() == won


def test_a_fill_that_turns_the_position_closes_only_what_was_held() -> None:
    closes, wins = round_trips(an_account([(9.0, 1, MID, 10), (19.0, -1, MID + 5_000, 30), (29.0, 1, MID, 20)]))
    assert closes.tolist() == [0.0, 1.0, 1.0]
    assert wins.tolist() == [0.0, 1.0, 1.0]


def test_sharpes_error_is_that_of_independent_returns() -> None:
    """By simulation: ratios of 400 samples of 250 independent daily returns spread as the formula says."""
    rng = random.Random(1)
    ratios = []
    for _ in range(400):
        returns = np.array([rng.gauss(0.1, 1.0) for _ in range(250)])
        ratios.append(returns.mean() / returns.std(ddof=1) * math.sqrt(365))
    assert np.std(ratios) == pytest.approx(sharpe_se(float(np.mean(ratios)), 250, 365.0), rel=0.12)


def test_sharpe_is_of_days_only_when_there_are_days() -> None:
    assert sharpe_basis(blocks_of(an_account(mids=flat(24.0 * 7), hours=24.0 * 7), 20)) == (24, 365.0, 7)
    assert sharpe_basis(blocks_of(an_account(hours=24.0), 20))[0] == 1


def test_the_budget_counts_what_growth_mode_earns() -> None:
    account = an_account(some_trades(24.0, 1), wandering(24.0, 1), 24.0, actions=12_000)
    slow, fast = of(account), figures(account, Terms(COSTS, growth=False, seed=1))[0]
    usd = float(account.usd.sum())
    assert slow["budget_use"].value == pytest.approx(12_000 / (10_000 + usd / 10))
    assert fast["budget_use"].value == pytest.approx(12_000 / (10_000 + usd))


def test_the_same_seed_draws_the_same_interval() -> None:
    assert of(LIVELY) == of(LIVELY)
    assert figures(LIVELY, Terms(COSTS, growth=True, seed=2))[0]["edge_bps"] != of(LIVELY)["edge_bps"]
