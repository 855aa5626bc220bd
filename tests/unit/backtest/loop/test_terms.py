"""Terms of play: when news reach us, what comes first at one instant, and a desk that knows its orders by price."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backtest import quoters
from backtest.loop.layout import FILL_SLOT, FILL_SZ, FILL_T
from backtest.playing import Terms, drawn_ns, play
from backtest.quoters import Stall
from backtest.tape import Seen, Tape, as_told
from common.errors import ConfigError
from quoter.state import NS, QUOTES_MAX
from simvenue.door.latency import Latency, Tails
from simvenue.source import BID_LEVEL
from tests.unit.backtest.builders import (
    BID,
    MID,
    MS,
    T0,
    TICK,
    Script,
    a_quoter,
    random_market,
    run,
    seller,
    stall,
    terms,
)

OURS = MID - 930


def told_late(script: Script, by_ms: int) -> Tape:
    tape = script.tape()
    object.__setattr__(tape, "local_ns", np.asarray(tape.stamp_ns) + by_ms * MS)
    return tape


def test_a_recorded_feed_is_as_late_as_it_was() -> None:
    script = random_market(4)
    constant = run(script, conditions=terms(250.0, 300.0, reply_ms=100.0))
    tape = told_late(script, 250)
    script.tape = lambda: tape  # type: ignore[method-assign]
    recorded = run(script, conditions=terms(100.0, 300.0, is_recorded=True))
    assert np.array_equal(constant.fills, recorded.fills)
    assert constant.actions == recorded.actions


def test_a_tape_without_receive_times_has_no_recorded_feed() -> None:
    with pytest.raises(ConfigError, match="received"):
        run(random_market(4), conditions=terms(is_recorded=True))


def test_a_table_without_tails_plays_like_its_constants() -> None:
    flat = Tails(*(((0.0, ns), (1.0, ns)) for ns in (100 * MS, 300 * MS, 100 * MS)))
    latency = Latency(100 * MS, 300 * MS, 100 * MS, flat)
    drawn = run(random_market(5), conditions=terms(latency=latency))
    constant = run(random_market(5))
    assert np.array_equal(drawn.fills, constant.fills)


def test_drawn_delays_follow_their_table_and_their_seed() -> None:
    table = ((0.0, 50 * MS), (0.99, 150 * MS), (1.0, 5_000 * MS))
    drawn = drawn_ns(table, "a")
    assert drawn == drawn_ns(table, "a") != drawn_ns(table, "b")
    assert min(drawn) >= 50 * MS
    assert np.mean(np.asarray(drawn) > 150 * MS) == pytest.approx(0.01, abs=0.004)


@pytest.mark.parametrize(("first", "fills"), [(False, 1), (True, 0)])
def test_a_print_of_the_very_instant_of_arrival_fills_when_requests_act_first(first: bool, fills: int) -> None:
    script = Script().open().at(0.4, seller(OURS - 10, 5_000)).calm(0.5, 0.7)
    assert len(run(script, conditions=terms(is_market_first=first)).fills) == fills


def test_a_whole_order_is_filled_in_full_by_a_smaller_print() -> None:
    script = Script().open().at(0.5, seller(OURS - 10, 3)).calm(0.75, 1.0)
    parted, whole = (run(script, conditions=terms(is_whole=whole)).fills for whole in (False, True))
    assert parted[0, FILL_SZ] == 3
    assert whole[0, FILL_SZ] == 10


def test_a_print_never_meets_whole_orders_of_its_own_side_even_when_no_other_rests() -> None:
    script = Script().open().at(0.5, seller(OURS - 10, 10)).calm(0.75, 2.0)
    script.at(2.1, seller(MID + 2_000, 3)).calm(2.2, 3.0)
    quoter = a_quoter(cap_usd=150.0)
    parted, whole = (run(script, quoter, terms(is_whole=whole)).fills for whole in (False, True))
    assert [(int(slot < QUOTES_MAX), sz) for slot, sz in parted[:, [FILL_SLOT, FILL_SZ]].tolist()] == [(1, 10), (0, 3)]
    assert [(int(slot < QUOTES_MAX), sz) for slot, sz in whole[:, [FILL_SLOT, FILL_SZ]].tolist()] == [(1, 10)]


def test_the_reference_trades_and_knows_its_position_by_its_orders() -> None:
    script = random_market(6, instants=800)
    tape = script.tape()
    quoter = quoters.reference(Stall(stall().settings, 0.3, TICK, False), 10, 500.0)
    played = play(tape, quoter, Terms(T0, int(tape.stamp_ns[-1]), 50.0, 50.0, is_whole=True))
    assert len(played.fills) > 5
    assert set(played.fills[:, FILL_SZ].tolist()) == {10}
    assert played.placed > played.cancelled > 0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("step_ms", "lag_ms"), [(100.0, 700), (500.0, 90), (20.0, 500)])
def test_pictures_of_the_venues_book_show_what_a_book_of_our_own_would(seed: int, step_ms: float, lag_ms: int) -> None:
    tape = random_market(seed, instants=800).tape()
    stamps = np.asarray(tape.stamp_ns)
    told = as_told(stamps + np.random.default_rng(seed).integers(0, lag_ms * MS, len(stamps)))
    rows = tape.what, tape.px_u, tape.sz_u, told, tape.begin, told
    quoter = quoters.reference(Stall(stall().settings, 0.3, TICK, False), 10, step_ms)
    under = Terms(T0, int(stamps[-1]), 0.0, 50.0, reply_ms=50.0, is_whole=True, is_market_first=True)
    own, shared = (
        play(replace(tape, seen=Seen(*rows, lag_ns)), quoter, under) for lag_ns in (None, int((told - stamps).max()))
    )
    assert len(own.fills) > 5
    assert np.array_equal(own.fills, shared.fills)
    assert (own.placed, own.cancelled, own.refused) == (shared.placed, shared.cancelled, shared.refused)


def test_crossed_levels_are_passed_over_only_in_a_ruled_book() -> None:
    wide = Script().open().at(0.5, (BID_LEVEL, BID - 1, 5)).at(0.6, (BID_LEVEL, 10**9, 5)).calm(1.0, 1.5)
    with pytest.raises(ConfigError, match="ruled"):
        run(wide, conditions=terms(hides_crossed=True))
    kept = run(random_market(3), conditions=terms(hides_crossed=True))
    assert kept.fills[0, FILL_T] > T0 + NS // 10
