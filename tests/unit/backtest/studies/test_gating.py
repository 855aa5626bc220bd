"""The edge gate in the replay decides what the live gate would have decided on the same fills, and stops as it does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.loop.fixed import leave_side
from backtest.loop.layout import FILL_PX, FILL_SLOT, FILL_SZ, FILL_T
from backtest.playing import Played, play
from backtest.studies.gating import for_span, gate_line, gated, judge, scores, stop_said
from common.config import Settings
from common.markout import Markouts
from common.messages import Fill, Liquidity, Side
from quoter.edge_gate import HORIZON_S, SETTLED_NS, EdgeGate
from quoter.state import I_POSITION, NS, O_COUNT, O_LEN, O_ROWS, O_SIDE, QUOTES_MAX, new_out, new_state
from tests.unit.backtest.builders import MID, T0, a_quoter, random_market, terms
from tests.unit.quoter.builders import settings

FEE_BPS = 4.0
SECONDS = 420.0


def short_blocks(**more: Any) -> Settings:
    """A gate that can judge minutes."""
    return settings("standx", edge_gate_block_s=10.0, edge_gate_blocks_min=8, **more)


@pytest.fixture(scope="module")
def free() -> Played:
    """A market played without the gate, with a good many fills."""
    return play(random_market(3, 700).tape(), a_quoter((1.0, 3.0), (60.0, 60.0)), terms(seconds=SECONDS))


def lived(played: Played, conditions: Settings, fee_bps: float, to_t_ns: int) -> tuple[int | None, EdgeGate, list[Any]]:
    """What the live rooms make of the same fills and mids, looking every second: (stopped at, gate, scores)."""
    gate, book, stop = EdgeGate(conditions), Markouts((HORIZON_S,)), None
    scored: list[Any] = []
    known = played.mid2 > 0
    events: list[tuple[int, int, Any]] = [
        (int(t), 0, int(mid2)) for t, mid2 in zip(played.stamp_ns[known], played.mid2[known], strict=True)
    ]
    for n, row in enumerate(played.fills):
        side = Side.BID if row[FILL_SLOT] < QUOTES_MAX else Side.ASK
        t, px, sz = int(row[FILL_T]), int(row[FILL_PX]), int(row[FILL_SZ])
        events.append((t, 1, Fill(t, "BTC", t, n + 1, 1, "", side, px, sz, 0, Liquidity.MAKER, 0)))
    events += [(t, 2, None) for t in range(T0, to_t_ns + 1, NS)]
    for t, kind, what in sorted(events, key=lambda event: event[:2]):
        found = book.on_mid(t, what) if kind == 0 else book.on_fill(what) if kind == 1 else []
        for one in found:
            usd = one.fill.px_u * one.fill.sz_u / 1e6
            scored.append((one.fill.venue_t_ns, one.bps - fee_bps, usd))
            if stop is None:
                gate.on_score(one.fill.venue_t_ns, one.bps - fee_bps, usd)
        if kind == 0 and stop is None and t >= T0:
            gate.on_quoted(t)
        if kind == 2 and stop is None and gate.look(t, SETTLED_NS):
            stop = t
    return stop, gate, scored


def test_the_scores_are_those_of_the_live_markouts(free: Played) -> None:
    t_ns, net_bps, usd, _ = scores(free, FEE_BPS)
    _, _, live = lived(free, short_blocks(), FEE_BPS, T0)
    assert len(live) > 30
    assert np.array(sorted(live)) == pytest.approx(np.array(sorted(zip(t_ns, net_bps, usd, strict=True))))


@pytest.mark.parametrize("trial_h", [0.01, 0.05, 2.5])
@pytest.mark.parametrize("fee_bps", [-20.0, 0.0, FEE_BPS, 30.0])
def test_the_gate_stops_a_replay_when_the_live_gate_would(free: Played, fee_bps: float, trial_h: float) -> None:
    conditions = short_blocks(edge_gate_trial_h=trial_h)
    judged = judge(free, conditions, fee_bps, terms(seconds=SECONDS), forecasts=False)
    stop, gate, _ = lived(free, conditions, fee_bps, terms(seconds=SECONDS).to_t_ns)
    assert (judged.stop_t_ns is None) == (stop is None)
    if judged.stop_t_ns is not None and stop is not None:
        assert 0 <= stop - judged.stop_t_ns < NS  # it looks every second, or when a block is over
        assert (judged.found is None) == (gate.found is None)
        if judged.found is not None and gate.found is not None:
            assert (judged.found.lo, judged.found.hi) == pytest.approx((gate.found.lo, gate.found.hi))
        assert judged.why == gate.why


def test_up_to_the_stop_nothing_is_different_and_after_it_the_position_only_shrinks(free: Played) -> None:
    tape, quoter = random_market(3, 700).tape(), a_quoter((1.0, 3.0), (60.0, 60.0))
    found = gated(tape, quoter, terms(seconds=SECONDS), short_blocks(), 30.0, played=free)
    stop = found.judged.stop_t_ns
    assert stop is not None
    before = [played.fills[played.fills[:, FILL_T] < stop] for played in (free, found.played)]
    assert np.array_equal(*before)
    assert 0 < len(before[0]) < len(free.fills)
    signed = np.where(found.played.fills[:, FILL_SLOT] < QUOTES_MAX, 1, -1) * found.played.fills[:, FILL_SZ]
    held = np.abs(np.cumsum(signed))
    late = found.played.fills[:, FILL_T] > stop + 2 * NS  # what was on its way has arrived
    assert (np.diff(held)[late[1:]] <= 0).all()
    assert found.cost_usd is not None
    assert stop_said(gate_line(found, short_blocks(), 30.0)).startswith("stopped after 0.1 h at ")


def test_a_gate_that_only_warns_tells_the_time_and_plays_on(free: Played) -> None:
    tape, quoter = random_market(3, 700).tape(), a_quoter((1.0, 3.0), (60.0, 60.0))
    found = gated(tape, quoter, terms(seconds=SECONDS), short_blocks(), 30.0, played=free, enforces=False)
    assert found.played is free
    assert found.hours is not None
    assert found.cost_usd is None


def test_a_replay_that_earns_is_played_once(free: Played) -> None:
    tape, quoter = random_market(3, 700).tape(), a_quoter((1.0, 3.0), (60.0, 60.0))
    found = gated(tape, quoter, terms(seconds=SECONDS), short_blocks(), -20.0, played=free)
    assert found.played is free
    assert gate_line(found, short_blocks(), -20.0)["stopped_after_h"] is None
    nothing = replace(free, fills=free.fills[:0])
    assert judge(nothing, short_blocks(), 30.0, terms(seconds=SECONDS), forecasts=False).stop_t_ns is None


def test_a_replay_with_a_forecast_has_no_trial(free: Played) -> None:
    conditions = short_blocks(edge_gate_trial_h=0.01)
    for forecasts in (False, True):
        stop_t_ns = judge(free, conditions, 0.0, terms(seconds=SECONDS), forecasts=forecasts).stop_t_ns
        assert (stop_t_ns is None) == forecasts


def test_a_short_recording_is_judged_in_short_blocks() -> None:
    gate = settings("standx").quoting
    minutes = np.arange(0, 20 * 60 * NS, NS)
    apart = np.concatenate([minutes[:600], 3 * 86_400 * NS + minutes[:600]])  # ten minutes each, days apart
    assert for_span(settings("standx"), minutes).quoting.edge_gate_block_s == pytest.approx(1_199 / 24)
    found = for_span(settings("standx"), apart).quoting
    assert found.edge_gate_block_s == pytest.approx(1_198 / 24)
    assert found.edge_gate_window_h > 72.0
    whole_day = np.arange(0, 86_400 * NS, NS)
    assert for_span(settings("standx"), whole_day).quoting.edge_gate_block_s == gate.edge_gate_block_s


@given(
    position=st.integers(-2_000, 2_000), side=st.integers(0, 1),
    sizes=st.lists(st.integers(1, 900), min_size=0, max_size=QUOTES_MAX),
)  # fmt: skip
def test_what_is_left_of_a_ladder_can_only_take_the_position_down(position: int, side: int, sizes: list[int]) -> None:
    _, ints = new_state()
    out = new_out()
    ints[I_POSITION] = position
    out[O_COUNT + side] = len(sizes)
    for k, sz in enumerate(sizes):
        out[O_ROWS + side * O_SIDE + 2 * k], out[O_ROWS + side * O_SIDE + 2 * k + 1] = MID, sz
    kept = leave_side(ints, side, out)
    left = sum(int(out[O_ROWS + side * O_SIDE + 2 * k + 1]) for k in range(kept))
    grows = position >= 0 if side == 0 else position <= 0
    assert left <= (0 if grows else abs(position))
    assert len(out) == O_LEN
