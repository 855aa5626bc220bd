"""Columns travel whole, pieces are played apart, the band is the one that was asked for."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backtest.report.account import Account
from backtest.report.running import Done, Plan, all_replayed, read_columns, replayed, span_of, write_columns
from backtest.report.scenarios import latency_of, scenarios
from backtest.tape import Context
from common.errors import ConfigError
from tests.unit.backtest.builders import random_market, stall
from tests.unit.backtest.report.builders import COSTS

PLAN = Plan(stall(), "tiered", COSTS, None, is_made_up=True)


def test_nine_scenarios_with_the_headline_first() -> None:
    band = scenarios("probabilistic", "bad")
    assert len(band) == len(set(band)) == 9
    assert band[0].name == "probabilistic, bad"
    assert {one.queue for one in band} == {"risk-averse", "probabilistic", "optimistic"}
    assert {one.order_ms for one in band} == {100.0, 300.0, 1_500.0}


def test_a_latency_of_ones_own_makes_ten() -> None:
    band = scenarios("risk-averse", "20,40")
    assert len(band) == 10
    assert (band[0].feed_ms, band[0].order_ms) == (20.0, 40.0)


def test_a_stress_run_keeps_the_corners() -> None:
    assert [one.name for one in scenarios("risk-averse", "typical", ends_only=True)] == [
        "risk-averse, typical", "optimistic, good", "risk-averse, bad",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "fast", "1,2,3", "-1,2", "1,70000", "nan,1"])
def test_a_latency_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        latency_of(text)


def test_a_tape_comes_back_as_it_was_written(tmp_path: Path) -> None:
    tape = random_market(1, 50).tape()
    write_columns(tape, tmp_path / "piece")
    read = read_columns(tmp_path / "piece")
    for name in ("what", "px_u", "sz_u", "stamp_ns", "begin", "begins_file", "local_ns"):
        assert np.array_equal(getattr(read, name), getattr(tape, name))
    assert (read.names, read.visible) == (tape.names, tape.visible)
    assert len(read.context.t_ns) == len(Context().t_ns)


def test_a_read_tape_may_be_written_on_without_harm(tmp_path: Path) -> None:
    """The compiled loop takes writable arrays only."""
    tape = random_market(1, 50).tape()
    write_columns(replace(tape, px_u=np.asarray(tape.px_u)), tmp_path / "piece")
    first = read_columns(tmp_path / "piece")
    first.px_u[0] = -1
    assert read_columns(tmp_path / "piece").px_u[0] == tape.px_u[0]


def test_a_plan_can_be_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(PLAN)).costs == COSTS


def test_the_tail_is_kept_for_markouts() -> None:
    tape = random_market(1, 400).tape()
    first, last = span_of(tape)
    assert first == tape.stamp_ns[0]
    assert last == max(int(tape.stamp_ns[-1]) - 310 * 10**9, first + 1)


@pytest.mark.slow
def test_other_processes_give_what_this_one_gives() -> None:
    tapes = [random_market(seed, 400).tape() for seed in (1, 2)]
    heard: list[Done] = []
    band = scenarios("risk-averse", "typical", ends_only=True)
    done = all_replayed(tapes, PLAN, band, heard.append, 2)
    assert [(one.piece, one.scenario) for one in done] == [(piece, one) for piece in (0, 1) for one in band]
    assert len(heard) == 6
    for one in done:
        here = replayed(tapes[one.piece], PLAN, one.scenario, one.piece, measures_flow=one.scenario == band[0])
        assert same(here.account, one.account)
        assert here.flow == one.flow


def same(one: Account, other: Account) -> bool:
    columns = ("fill_t_ns", "px_u", "sz_u", "fee_e8", "equity_e8")
    return one.counts == other.counts and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in columns
    )
