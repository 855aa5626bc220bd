"""A target is met in every scenario, not met, or impossible by the market's own flow - and that is computed."""

from __future__ import annotations

import numpy as np
import pytest

from backtest.report.figures import Figure
from backtest.report.flow import flow_of, together
from backtest.report.targets import IMPOSSIBLE, MET, NOT_MET, Line, judged
from quoter.state import NS
from tests.unit.backtest.builders import MID, T0, Script, buyer, seller
from tests.unit.backtest.report.builders import HOUR, a_flow

GOOD = {
    "edge_bps": Figure(1.0, 0.5, 1.5), "sharpe": Figure(5.0, 3.0, 7.0), "roi": Figure(0.08),
    "max_drawdown": Figure(0.001), "trades_per_day": Figure(2_500.0), "maker_share": Figure(1.0),
    "taker_share": Figure(0.0), "peak_margin": Figure(0.1), "budget_use": Figure(0.5),
}  # fmt: skip
POOR = {
    **GOOD, "edge_bps": Figure(-1.0, -1.5, -0.5), "sharpe": Figure(-3.0), "roi": Figure(-0.01),
    "trades_per_day": Figure(40.0), "budget_use": Figure(4.0),
}  # fmt: skip


def by_figure(lines: list[Line]) -> dict[str, Line]:
    return {line.target.figure: line for line in lines}


def test_met_means_met_in_every_scenario() -> None:
    assert {line.verdict for line in judged([GOOD, GOOD], a_flow(), 1_000.0, 7.0)} == {MET}
    mixed = by_figure(judged([GOOD, POOR], a_flow(), 1_000.0, 7.0))
    assert mixed["edge_lo"].verdict == NOT_MET
    assert mixed["edge_lo"].why == "in 1 of 2 scenarios"
    assert mixed["max_drawdown"].verdict == MET


def test_more_trades_than_the_market_has_are_impossible() -> None:
    line = by_figure(judged([POOR], a_flow(trades_per_day=900.0), 1_000.0, 7.0))["trades_per_day"]
    assert line.verdict == IMPOSSIBLE
    assert "900 times a day" in line.why
    assert by_figure(judged([POOR], a_flow(), 1_000.0, 7.0))["trades_per_day"].verdict == NOT_MET


def test_more_money_than_all_spreads_pay_is_impossible() -> None:
    """5 % of 1,000 USD in 7 days are 7.14 USD a day."""
    assert by_figure(judged([POOR], a_flow(best_usd_per_day=7.0), 1_000.0, 7.0))["roi_7d"].verdict == IMPOSSIBLE
    assert by_figure(judged([POOR], a_flow(best_usd_per_day=7.2), 1_000.0, 7.0))["roi_7d"].verdict == NOT_MET


def test_what_was_reached_is_not_called_impossible() -> None:
    line = by_figure(judged([GOOD, POOR], a_flow(best_usd_per_day=1.0, trades_per_day=10.0), 1_000.0, 7.0))
    assert line["roi_7d"].verdict == NOT_MET
    assert line["trades_per_day"].verdict == NOT_MET


def test_where_no_print_pays_the_fee_no_edge_is_possible() -> None:
    lines = by_figure(judged([POOR], a_flow(best_usd_per_day=0.0), 1_000.0, 7.0))
    assert lines["edge_lo"].verdict == lines["sharpe"].verdict == IMPOSSIBLE


def test_roi_is_brought_to_seven_days() -> None:
    assert by_figure(judged([GOOD], a_flow(), 1_000.0, 14.0))["roi_7d"].value == pytest.approx(0.04)


def test_an_edge_without_an_interval_is_not_met() -> None:
    line = by_figure(judged([{**GOOD, "edge_bps": Figure(9.0)}], a_flow(), 1_000.0, 7.0))["edge_lo"]
    assert line.verdict == NOT_MET
    assert line.value is None
    assert line.shown(line.value) == "-"


# ---------------------------------------------------------------------- the flow itself
def traded(cap_usd: float = 1e9, fee_bps: float = 0.3) -> tuple[float, float, float]:
    """A buyer pays 2 bps over the mid for 10 lots, a seller is paid the mid: moments, USD, best USD in one hour."""
    script = Script().open().at(60.0, buyer(MID + 1_860, 10)).at(90.0, seller(MID, 10)).calm(91.0, 95.0)
    tape = script.tape()
    mid2 = np.full(len(tape.stamp_ns), 2 * MID)
    flow = flow_of(tape, mid2, fee_bps, cap_usd, T0, T0 + HOUR * NS)
    return flow.trades_per_day / 24, flow.usd_per_day / 24, flow.best_usd_per_day / 24


def test_the_flow_is_what_was_printed() -> None:
    moments, usd, best = traded()
    assert moments == pytest.approx(2.0)
    assert usd == pytest.approx((2 * MID + 1_860) * 10 * 1e-6)
    paid = 1_860 / (MID + 1_860) * 1e4
    assert best == pytest.approx((MID + 1_860) * 10 * 1e-6 * (paid - 0.3) * 1e-4)  # the other one pays no fee: left


def test_the_bound_knows_our_size() -> None:
    _, usd, whole = traded()
    _, same_usd, small = traded(cap_usd=1.0)
    assert usd == same_usd
    assert small == pytest.approx(whole * 2.0 / ((MID + 1_860) * 10 * 1e-6))


def test_a_fee_beyond_every_spread_leaves_nothing() -> None:
    assert traded(fee_bps=3.0)[2] == 0.0


def test_flows_of_spans_weigh_by_their_days() -> None:
    both = together([a_flow(days=1.0, usd_per_day=100.0, rows=5), a_flow(days=3.0, usd_per_day=200.0, rows=7)])
    assert both.usd_per_day == pytest.approx(175.0)
    assert both.days == 4.0
    assert both.rows == 12


def test_a_value_whose_interval_reaches_beyond_the_target_is_not_met() -> None:
    """Seven days say little of a Sharpe ratio: 6.4 with an interval from -2 to 24 is no 2.5."""
    line = by_figure(judged([{**GOOD, "sharpe": Figure(6.4, -2.0, 24.0)}], a_flow(), 1_000.0, 7.0))["sharpe"]
    assert line.verdict == NOT_MET
    assert "reaches" in line.why


def test_a_sharpe_ratio_of_too_few_fills_is_not_met() -> None:
    line = by_figure(judged([{**GOOD, "sharpe": Figure(8.6)}], a_flow(), 1_000.0, 7.0))["sharpe"]
    assert line.verdict == NOT_MET
    assert "too little" in line.why
