"""A market where our own fills show no edge is stopped soon, and one that earns is left alone.

The generated fills follow the study's two quoters on 7 Jan at 100 + 300 ms and fee 0.3 (edge.md 7, `detect.py`). Taken
from their replays: net 60 s markout, share of 5-minute blocks without a fill (12 % and 15 %), median and log
sd of fills a block, USD a fill. The noise is rougher than theirs: they have 2.1-2.2 bps between the means of blocks and
3.8-4.0 bps within a block.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from common.messages import Alert, Command, Severity, Side, Verb
from quoter.edge_gate import EdgeGate
from quoter.state import NS
from tests.unit.quoter.builders import PX, T0, Desk, settings

BLOCK_NS = 300 * NS
SETTLED_NS = 90 * NS


@dataclass(frozen=True)
class Flow:
    """Moments of a quoter's fills; `net_bps` is the mean per dollar."""

    net_bps: float
    fills_median: float
    fills_log_sd: float
    block_sd_bps: float = 1.8
    fill_sd_bps: float = 5.5
    empty: float = 0.13
    fill_usd: float = 63.0


SYMMETRIC = Flow(net_bps=-1.68, fills_median=9.0, fills_log_sd=1.18)
LEAN = Flow(net_bps=0.80, fills_median=8.0, fills_log_sd=0.9, fill_usd=115.0)


def played(flow: Flow, seed: int, hours: float) -> tuple[EdgeGate, float, int, float]:
    """(gate, hours until it stopped or all of them, fills until then, PnL in USD until then)."""
    rng = random.Random(seed)
    gate = EdgeGate(settings())
    fills, pnl = 0, 0.0
    for block in range(round(hours * 12)):
        begin_ns = T0 // BLOCK_NS * BLOCK_NS + block * BLOCK_NS
        if gate.look(begin_ns + SETTLED_NS, SETTLED_NS):
            return gate, block / 12, fills, pnl
        if rng.random() < flow.empty:
            continue
        level_bps = rng.gauss(flow.net_bps, flow.block_sd_bps)
        for _ in range(max(round(flow.fills_median * math.exp(rng.gauss(0.0, flow.fills_log_sd))), 1)):
            usd = rng.uniform(0.2, 1.8) * flow.fill_usd
            net_bps = level_bps + rng.gauss(0.0, flow.fill_sd_bps)
            gate.on_score(begin_ns + rng.randrange(BLOCK_NS), net_bps, usd)
            fills += 1
            pnl += net_bps * usd / 1e4
    return gate, hours, fills, pnl


# ---------------------------------------------------------------------- on the study's flows
def test_a_losing_configuration_is_recognised_within_three_hours() -> None:
    """Of 40 seeded starts at least 38, each after at most 1,000 fills and for less than 1 % of 1,000 USD."""
    found = [played(SYMMETRIC, seed, hours=3.0) for seed in range(40)]
    stopped = [(hours, fills, pnl) for gate, hours, fills, pnl in found if gate.stopped]
    assert len(stopped) >= 38
    assert max(fills for _, fills, _ in stopped) <= 1_000
    assert min(pnl for _, _, pnl in stopped) > -10.0


def test_a_configuration_that_earns_is_stopped_in_fewer_than_one_start_of_twenty() -> None:
    assert sum(played(LEAN, 1_000 + seed, hours=3.0)[0].stopped for seed in range(60)) < 3


# ---------------------------------------------------------------------- rules
def a_gate(**quoting: Any) -> EdgeGate:
    return EdgeGate(settings(**quoting))


def fed(gate: EdgeGate, net_bps: float, blocks: int = 14) -> bool:
    """Whether so many blocks of ten fills each stop it."""
    said = False
    for block in range(blocks):
        begin_ns = T0 + block * BLOCK_NS
        said |= gate.look(begin_ns + SETTLED_NS, SETTLED_NS)
        for k in range(10):
            gate.on_score(begin_ns, net_bps + 0.1 * (k % 3), 100.0)
    return said


def test_too_few_blocks_prove_nothing() -> None:
    assert not fed(a_gate(), -5.0, blocks=12)
    assert fed(a_gate(), -5.0, blocks=15)


def test_a_stop_says_why_once_and_holds() -> None:
    gate = a_gate()
    assert fed(gate, -5.0)
    assert "-4.9" in gate.why
    assert not gate.look(T0 + 10_000 * BLOCK_NS, SETTLED_NS)
    assert gate.stopped


def test_the_newest_block_counts_only_once_it_is_settled() -> None:
    gate = a_gate()
    fed(gate, 0.1, blocks=14)
    gate.on_score(T0 + 14 * BLOCK_NS, -1e5, 100.0)
    assert not gate.look(T0 + 15 * BLOCK_NS + SETTLED_NS // 2 - T0 % BLOCK_NS, SETTLED_NS)


def test_old_blocks_no_longer_count() -> None:
    gate = a_gate(edge_gate_window_h=2.0)
    fed(gate, 1.0, blocks=60)
    assert gate.fills == 240


def test_late_scores_find_their_block() -> None:
    gate = a_gate()
    gate.on_score(T0 + BLOCK_NS, 1.0, 10.0)
    gate.on_score(T0, 2.0, 10.0)
    gate.on_score(T0 + BLOCK_NS, 3.0, 10.0)
    assert [block.fills for block in gate._blocks] == [1, 2]


def test_another_forecast_a_lower_fee_or_a_person_re_arms_and_time_does_not() -> None:
    changes: tuple[Callable[[EdgeGate], None], ...] = (
        lambda gate: gate.on_fee(20_000),
        lambda gate: gate.on_model("b"),
        lambda gate: gate.rearm(),
    )
    for change in changes:
        gate = a_gate()
        gate.on_fee(30_000)
        gate.on_model("a")
        fed(gate, -5.0)
        gate.on_fee(40_000)
        gate.on_model("a")
        gate.on_model(None)
        assert gate.stopped
        change(gate)
        assert not gate.stopped
        assert gate.fills == 0


@pytest.mark.parametrize(
    ("gate", "network", "enforces"),
    [("auto", "paper", False), ("auto", "mainnet", True), ("enforce", "paper", True), ("warn", "mainnet", False)],
)
def test_live_enforces_and_paper_warns_unless_told_otherwise(gate: str, network: str, enforces: bool) -> None:
    found = settings(edge_gate=gate).model_copy(update={"network": network})
    assert found.enforces_edge is enforces


# ---------------------------------------------------------------------- the trial of those without a forecast
TRIAL_BLOCKS = 30


def tried(gate: EdgeGate, net_bps: float, fills: int = 10, blocks: int = TRIAL_BLOCKS + 2) -> int | None:
    """The block at whose look the gate stopped, quoting through all of them, with so many fills in each."""
    for block in range(blocks):
        begin_ns = T0 // BLOCK_NS * BLOCK_NS + block * BLOCK_NS
        gate.on_quoted(begin_ns)
        if gate.look(begin_ns + SETTLED_NS, SETTLED_NS):
            return block
        for k in range(fills):
            gate.on_score(begin_ns, net_bps + (-1) ** block + 0.1 * k, 100.0)
    return None


def test_without_a_forecast_what_is_not_shown_by_the_end_of_the_trial_is_stopped() -> None:
    rare = a_gate()
    assert tried(rare, 3.0, fills=0) is None
    rare.on_score(T0 // BLOCK_NS * BLOCK_NS + 5 * BLOCK_NS, 3.0, 100.0)
    assert rare.look(T0 + 40 * BLOCK_NS, SETTLED_NS)
    assert rare.why == "2.7 h of quoting without a forecast have not shown an edge: 1 fill, too few to tell"
    even = a_gate()
    assert tried(even, 0.0, fills=1) == TRIAL_BLOCKS - 1
    assert even.found is not None
    assert even.found.lo is not None
    assert even.found.hi is not None
    assert even.found.lo <= 0.0 <= even.found.hi
    assert "have not shown an edge: net 60 s markout" in even.why


def test_an_edge_that_was_shown_once_ends_the_trial() -> None:
    gate = a_gate()
    assert tried(gate, 1.0) is None
    assert gate.keep().proven
    again = a_gate()
    again.take_up(gate.keep())
    assert tried(again, 0.0, fills=1, blocks=60) is None


def test_a_forecast_is_evidence_of_its_own_and_losing_it_begins_the_trial() -> None:
    gate = a_gate()
    gate.on_model("a")
    assert tried(gate, 0.0, fills=1) is None
    assert gate.keep().trial_blocks == 0
    gate.on_model(None)
    assert tried(gate, 0.0, fills=1) == TRIAL_BLOCKS - 1


def test_a_trial_goes_on_over_a_restart_and_begins_anew_when_re_armed() -> None:
    first, second = a_gate(), a_gate()
    assert tried(first, 0.0, fills=1, blocks=20) is None
    second.take_up(first.keep())
    assert tried(second, 0.0, fills=1) == TRIAL_BLOCKS - 20 - 1
    second.rearm()
    assert tried(second, 0.0, fills=1) == TRIAL_BLOCKS - 1


def test_a_block_counts_once_however_often_quotes_are_told() -> None:
    gate = a_gate()
    for second in range(600):
        gate.on_quoted(T0 // BLOCK_NS * BLOCK_NS + second * NS)
    assert gate.keep().trial_blocks == 2


# ---------------------------------------------------------------------- in the engine
def test_time_without_quotes_is_no_trial() -> None:
    desk = Desk(edge_gate="enforce").start()
    desk.live(2.0)
    assert desk.ladder.bids
    before = desk.engine.edge_gate.keep().trial_blocks
    assert before == 1
    desk.mono_s += 4_300.0  # everything is stale now: nothing may be quoted
    desk.live(5.0)
    assert desk.engine.edge_gate.keep().trial_blocks - before <= 1


def stopped(desk: Desk) -> Desk:
    desk.engine.edge_gate.on_score(desk.t_ns, -5.0, 100.0)
    fed(desk.engine.edge_gate, -5.0, blocks=14)
    desk.engine.edge_gate.stopped = False
    desk.engine.edge_gate._judged = 0
    desk.mono_s += 4_300.0
    return desk.send(desk.context(), desk.account(), desk.permit(), desk.book())


def test_no_edge_ends_quoting_and_calls_a_person() -> None:
    desk = stopped(Desk(edge_gate="enforce").start())
    assert [alert.severity for alert in desk.found(Alert) if alert.name == "NoEdge"] == [Severity.CRITICAL]
    assert desk.ladder.reasons == ["no_edge"]
    assert not desk.ladder.bids


def test_on_paper_no_edge_is_only_said() -> None:
    desk = stopped(Desk().start())
    assert [alert.severity for alert in desk.found(Alert) if alert.name == "NoEdge"] == [Severity.WARNING]
    assert desk.ladder.bids


def test_a_stopped_market_still_gets_rid_of_its_position() -> None:
    desk = Desk(edge_gate="enforce").start()
    desk.send(desk.fill(Side.BID, 200))
    desk.send(desk.account())
    stopped(desk)
    assert "no_edge" in desk.ladder.reasons
    assert not desk.ladder.bids
    assert sum(level.sz_u for level in desk.ladder.asks) == 200


def test_a_person_may_try_again() -> None:
    desk = stopped(Desk(edge_gate="enforce").start())
    desk.send(Command(desk.t_ns, Verb.RESUME, "a-command-1", 1, "new day"), desk.permit(), desk.book())
    assert desk.ladder.bids


def test_the_charged_fee_is_part_of_the_evidence() -> None:
    desk = Desk().start()
    desk.send(desk.fill(Side.BID, 1_000, fee_e8=-1_000_000))
    desk.live(62.0)
    block = desk.engine.edge_gate._blocks[0]
    assert block.fills == 1
    assert block.net / block.usd == pytest.approx(1_000_000 / (PX * 1_000 / 1e6) / 1e4)
