"""Several markets are one account: every sum is exact, at every moment, and nothing of one is taken for another's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.report.account import Account, chained
from backtest.report.blocks import round_trips
from backtest.report.figures import GROWTH_USD, Terms, figures
from backtest.report.running import Done
from backtest.report.scenarios import scenarios
from backtest.report.several import beside, summed, together
from tests.unit.backtest.builders import MID
from tests.unit.backtest.report.builders import COSTS, a_flow, an_account, in_turn, some_trades, wandering

NAMES = ("us500", "btc")
BASE = scenarios("risk-averse", "typical")[0]


def two(seeds: tuple[int, int] = (1, 2), hours: tuple[float, float] = (12.0, 9.0)) -> list[tuple[int, Account]]:
    return [
        (k, an_account(some_trades(h, seed, 60), wandering(h, seed, 60.0 + 17 * k), h))
        for k, (seed, h) in enumerate(zip(seeds, hours, strict=True))
    ]


@settings(max_examples=20, deadline=None)
@given(seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)))
def test_every_part_is_the_sum_of_the_markets(seeds: tuple[int, int]) -> None:
    parts = two(seeds)
    whole = summed(parts, NAMES)
    for name, value in whole.parts_e8.items():
        assert value == sum(account.parts_e8[name] for _, account in parts)
    assert whole.counts == {k: sum(account.counts[k] for _, account in parts) for k in whole.counts}
    assert (np.diff(whole.fill_t_ns) >= 0).all()
    assert (np.diff(whole.t_ns) > 0).all()


def test_equity_and_margin_are_summed_at_every_moment() -> None:
    parts = two()
    whole = summed(parts, NAMES)
    for at in (0, len(whole.t_ns) // 3, len(whole.t_ns) - 1):
        t_ns = whole.t_ns[at]
        rows = [int(np.searchsorted(account.t_ns, t_ns, "right")) - 1 for _, account in parts]
        for name in ("equity_e8", "margin_e8"):
            held = [int(getattr(account, name)[row]) for (_, account), row in zip(parts, rows, strict=True)]
            assert getattr(whole, name)[at] == sum(held)
        gross = [abs(int(a.position_u[r])) * int(a.row_mid2[r]) // 2 for (_, a), r in zip(parts, rows, strict=True)]
        assert whole.position_u[at] == sum(gross)


def test_a_trip_ends_in_the_market_in_which_it_began() -> None:
    """Bought in one and sold in the other at a gain is nothing closed."""
    bought = an_account([(60.0, 1, MID, 10)], hours=2.0)
    sold = an_account([(120.0, -1, MID + 900, 10)], hours=2.0)
    closes, _ = round_trips(summed([(0, bought), (1, sold)], NAMES))
    assert closes.sum() == 0
    parts = [(k, an_account(in_turn(12.0, k), hours=12.0)) for k in range(2)]
    trips = [round_trips(account) for _, account in parts]
    both = round_trips(summed(parts, NAMES))
    assert [column.sum() for column in both] == [sum(t[k].sum() for t in trips) for k in range(2)]


def test_each_market_earns_actions_by_its_own_rate() -> None:
    parts = two()
    whole = summed(parts, NAMES)
    terms = Terms(COSTS, growth=False, seed=1, usd_per_action=(GROWTH_USD, 1.0))
    usd = [float(account.usd.sum()) for _, account in parts]
    assert float(terms.earned(whole).sum()) == pytest.approx(usd[0] / GROWTH_USD + usd[1])
    found, _ = figures(whole, terms)
    assert found["budget_use"].value == pytest.approx(20 / (10_000 + usd[0] / GROWTH_USD + usd[1]))


def test_pieces_and_scenarios_stay_apart() -> None:
    done = [
        Done(piece, BASE, account, a_flow(days=1.0), market) for piece in (0, 1) for market, account in two((piece, 7))
    ]
    whole = together(done, NAMES)
    assert [one.piece for one in whole] == [0, 1]
    both = chained([one.account for one in whole])
    assert both.parts_e8["net"] == sum(one.account.parts_e8["net"] for one in done)
    assert set(both.market.tolist()) == {0, 1}


def test_what_stopped_one_market_is_told_with_its_name() -> None:
    parts = two()
    killed = replace(parts[1][1], events=("killed at noon",))
    assert summed([parts[0], (1, killed)], NAMES).events == ("btc: killed at noon",)


def test_flows_of_one_day_add_up() -> None:
    found = beside([a_flow(days=1.0, trades_per_day=10.0), a_flow(days=0.5, trades_per_day=4.0)], 1.0)
    assert found.trades_per_day == pytest.approx(12.0)
    assert found.vol_annual is None
    assert found.spread_bps == pytest.approx(1.0)
