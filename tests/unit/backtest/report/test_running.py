"""Columns travel whole, a scenario's pieces follow each other, the band is the one that was asked for."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backtest.loop.account import Standing
from backtest.loop.layout import NEVER
from backtest.report.account import Account
from backtest.report.running import Done, Gates, Plan, all_replayed, read_columns, replayed, span_of, write_columns
from backtest.report.scenarios import Scenario, latency_of, scenarios
from backtest.tape import Context, Tape
from common.errors import ConfigError
from quoter.state import NS
from tests.unit.backtest.builders import T0, random_market, stall
from tests.unit.backtest.report.builders import COSTS, an_account

PLAN = Plan(stall(), "tiered", COSTS, None)


def test_nine_scenarios_with_the_headline_first() -> None:
    band = scenarios("probabilistic", "bad")
    assert [one.delays.table is not None for one in band].count(True) == 3
    assert len(band) == len(set(band)) == 9
    assert band[0].name == "probabilistic, bad"
    assert {one.queue for one in band} == {"risk-averse", "probabilistic", "optimistic"}
    assert {one.delays.order_ms for one in band} == {100.0, 300.0, 1_500.0}


def test_a_latency_of_ones_own_makes_ten() -> None:
    band = scenarios("risk-averse", "20,40")
    assert len(band) == 10
    assert (band[0].delays.feed_ms, band[0].delays.order_ms) == (20.0, 40.0)


@pytest.mark.parametrize("text", ["typical", "20,40", "recorded"])
def test_what_is_not_in_the_band_is_played_beside_it(text: str) -> None:
    assert [one.name for one in scenarios("risk-averse", text)[1:]] == [
        f"{queue}, {latency}" for latency in ("good", "table:typical", "bad")
        for queue in ("risk-averse", "probabilistic", "optimistic")
    ]  # fmt: skip


def test_a_table_of_ones_own_is_read_and_its_tail_is_said(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("share,feed_ms,order_ms,reply_ms\n0,10,20,10\n0.5,50,80,50\n0.99,200,900,200\n1,400,2000,400\n")
    found = latency_of(f"table:{path}")
    assert (found.feed_ms, found.order_ms) == (50.0, 80.0)
    assert "50 + 80 ms at the median, one in a hundred beyond 200 + 900 ms" in found.said
    assert found.table is not None
    assert found.table.tails is not None
    with pytest.raises(ConfigError, match="cannot be read"):
        latency_of("table:nowhere.csv")


def test_a_stress_run_keeps_the_corners() -> None:
    assert [one.name for one in scenarios("risk-averse", "table:typical", ends_only=True)] == [
        "risk-averse, table:typical", "optimistic, good", "risk-averse, bad",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "fast", "table:", "1,2,3", "-1,2", "1,70000", "nan,1"])
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
    done = all_replayed([[(0, tape)] for tape in tapes], [PLAN], band, heard.append, 2).done
    assert [(one.piece, one.scenario) for one in done] == [(piece, one) for piece in (0, 1) for one in band]
    assert len(heard) == 6
    left: dict[Scenario, Standing | None] = {}
    for one in done:
        [here] = replayed(
            [(0, tapes[one.piece])], [PLAN], one.scenario, one.piece, measures_flow=one.scenario == band[0],
            standing=left.get(one.scenario),
        )  # fmt: skip
        assert same(here.account, one.account)
        assert here.flow == one.flow
        assert here.standing == one.standing
        left[one.scenario] = one.standing


def test_a_span_without_budget_left_sends_next_to_nothing() -> None:
    plan, piece = replace(PLAN, has_budget=True), [(0, random_market(5, 1_500).tape())]
    [free] = replayed(piece, [plan], ALL[0], 0, measures_flow=False)
    spent = Standing(10**11, 10**11, -1, 0, sent=9_999, earned_e6=0, killed_t_ns=0, kill_rows=0)
    [poor] = replayed(piece, [plan], ALL[0], 0, measures_flow=False, standing=spent)
    assert free.account.counts["placed"] > 20
    assert poor.account.counts["placed"] <= 2
    [counted] = replayed(piece, [PLAN], ALL[0], 0, measures_flow=False, standing=spent)
    assert counted.account.counts["placed"] == free.account.counts["placed"]


def test_markets_that_share_an_account_leave_one_standing() -> None:
    piece = [(m, random_market(seed, 1_500).tape()) for m, seed in enumerate((5, 6))]
    both = replayed(piece, [PLAN, PLAN], ALL[0], 0, measures_flow=False)
    left = both[0].standing
    assert left == both[1].standing
    assert left is not None
    added = sum(int(one.account.equity_e8[-1]) for one in both)  # valued at the mid, not at the mark
    assert left.equity_e8 - round(COSTS.equity_usd * 1e8) == pytest.approx(added, abs=10**6)
    assert left.sent == sum(one.account.counts["actions"] - one.account.counts["over budget"] for one in both)


# ---------------------------------------------------------------------- the edge gate over pieces
BLOCK_S = 10
ALL = scenarios("risk-averse", "typical")[:1]


def gated_plan(gate: str) -> Plan:
    """Short blocks, and a fee that the quoter does not know of and cannot earn."""
    made = stall()
    quoting = made.settings.quoting.model_copy(
        update={"edge_gate": gate, "edge_gate_block_s": float(BLOCK_S), "edge_gate_blocks_min": 8}
    )
    settings = made.settings.model_copy(update={"quoting": quoting})
    costs = replace(COSTS, maker_ppb=3_000_000)
    return replace(PLAN, stall=replace(made, settings=settings, fee_bps=0.0), costs=costs)


def scored(piece: int, first_block: int, blocks: int, net_bps: float) -> Done:
    """A piece with one fill a block, each worth the same."""
    first = T0 // NS // BLOCK_S * BLOCK_S + first_block * BLOCK_S
    t_ns = (first + BLOCK_S * np.arange(blocks) + 1) * NS
    told = (t_ns, net_bps + 0.01 * np.arange(blocks), np.full(blocks, 100.0), t_ns + 60 * NS)
    quoted_ns = (first + BLOCK_S * np.arange(blocks + 20)) * NS
    return Done(piece, ALL[0], an_account(), None, 0, told, quoted_ns, int(quoted_ns[-1]))


def test_the_gate_remembers_the_pieces_before() -> None:
    gates = Gates([gated_plan("enforce")], ALL)
    assert not gates.see([scored(0, 0, 5, -2.0)])
    assert gates.stops_t_ns(ALL[0], (0,)) == (NEVER,)
    assert gates.see([scored(1, 100, 5, -2.0)])
    stop = gates.stops_t_ns(ALL[0], (0,))[0]
    assert 103 * BLOCK_S * NS < stop - T0 <= 112 * BLOCK_S * NS
    assert not gates.see([scored(1, 100, 5, -2.0)])  # played again with the stop: it holds, and is not judged anew
    judged = gates.judged()[0, ALL[0]]
    assert judged.stop_t_ns == stop
    assert "net 60 s markout -1.9" in judged.why


def test_a_gate_that_warns_tells_when_and_stops_nothing() -> None:
    gates = Gates([gated_plan("warn")], ALL)
    assert not gates.see([scored(0, 0, 20, -2.0)])
    assert gates.stops_t_ns(ALL[0], (0,)) == (NEVER,)
    assert gates.judged()[0, ALL[0]].stop_t_ns is not None


def test_of_two_markets_that_stop_the_earlier_counts_first() -> None:
    """What the later one did after that was another account's; it is judged on what is played then."""
    gates = Gates([gated_plan("enforce"), gated_plan("enforce")], ALL)
    late = replace(scored(0, 10, 20, -2.0), market=1)
    assert gates.see([scored(0, 0, 20, -2.0), late])
    first, second = gates.stops_t_ns(ALL[0], (0, 1))
    assert first < NEVER == second
    assert gates.see([scored(0, 0, 5, -2.0), late])
    assert gates.stops_t_ns(ALL[0], (0, 1))[1] < NEVER


@pytest.mark.slow
def test_an_enforced_gate_stops_the_market_in_its_piece_and_in_all_that_follow() -> None:
    tapes = [random_market(3, 1_500).tape(), later(random_market(5, 1_500).tape(), 7_200)]
    ran = {gate: all_replayed([[(0, tape)] for tape in tapes], [gated_plan(gate)], ALL, lambda _: None, 2)
           for gate in ("enforce", "warn")}  # fmt: skip
    stop = ran["enforce"].gates[0, ALL[0]].stop_t_ns
    assert stop is not None
    assert stop == ran["warn"].gates[0, ALL[0]].stop_t_ns
    stopped, free = (ran[gate].done for gate in ("enforce", "warn"))
    before = [one[0].account.fill_t_ns[one[0].account.fill_t_ns < stop] for one in (stopped, free)]
    assert np.array_equal(*before)
    assert len(before[0]) < len(free[0].account.fill_t_ns)
    assert len(free[1].account.fill_t_ns) > 0
    assert stopped[1].account.counts["placed"] == 0


def later(tape: Tape, by_s: int) -> Tape:
    return replace(tape, stamp_ns=np.asarray(tape.stamp_ns) + by_s * NS)


def same(one: Account, other: Account) -> bool:
    columns = ("fill_t_ns", "px_u", "sz_u", "fee_e8", "equity_e8")
    return one.counts == other.counts and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in columns
    )
