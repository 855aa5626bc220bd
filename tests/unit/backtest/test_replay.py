"""Orders take their time, rest where they may, fill by the venue's own rules, and never exceed the cap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backtest import quoters
from backtest.loop.fixed import NO_GATE
from backtest.loop.layout import (
    CANCEL,
    CURVE_CASH,
    CURVE_POSITION,
    CURVE_VOLUME,
    FILL_PX,
    FILL_SLOT,
    FILL_SZ,
    FILL_T,
    G_KIND,
    PLACE,
)
from backtest.playing import grid_decimals
from common.errors import ConfigError
from quoter.forecast import new_model
from quoter.state import QUOTES_MAX
from simvenue.source import ASK_LEVEL, BID_LEVEL
from tests.unit.backtest.builders import (
    ASK,
    BID,
    MID,
    T0,
    Script,
    a_quoter,
    random_market,
    run,
    seller,
    stall,
    terms,
)

OURS = MID - 930  # the bid of a quoter 1 bps from the mid, on the grid
SIZE = 10  # 100 USD at the mid in whole lots of 0.0001


def first_fill_s(print_s: float, feed_ms: float = 100.0, order_ms: float = 300.0) -> float | None:
    """When a print through our bid at `print_s` fills us, with an order sent at the first picture."""
    script = Script().open().at(print_s, seller(OURS - 10, 5_000)).calm(2.0, 3.0)
    found = run(script, conditions=terms(feed_ms, order_ms)).fills
    return None if len(found) == 0 else (int(found[0, FILL_T]) - T0) / 1e9


def test_an_order_rests_only_after_feed_and_order_latency() -> None:
    assert first_fill_s(0.399) is None
    assert first_fill_s(0.401) == pytest.approx(0.401)
    assert first_fill_s(0.151, 50, 100) == pytest.approx(0.151)


def test_a_print_through_our_price_fills_up_to_its_size() -> None:
    script = Script().open().at(0.5, seller(OURS - 10, 6)).at(0.6, seller(OURS - 10, 5_000)).calm(1.0, 2.0)
    fills = run(script).fills
    assert fills[:2, FILL_SZ].tolist() == [6, SIZE - 6]
    assert fills[:2, FILL_PX].tolist() == [OURS, OURS]


def test_a_print_at_our_price_fills_after_the_size_ahead() -> None:
    quoter = a_quoter(distances=(0.0,), join=True)
    script = Script().open().at(0.5, seller(BID, 990)).at(0.6, seller(BID, 18)).calm(1.0, 2.0)
    fills = run(script, quoter).fills
    assert fills[0, [FILL_T, FILL_PX, FILL_SZ]].tolist() == [T0 + 600_000_000, BID, 8]


def test_a_book_that_crosses_our_price_fills_us() -> None:
    script = Script().open().at(0.5, (BID_LEVEL, BID, 0), (BID_LEVEL, BID - 100, 0), (ASK_LEVEL, OURS, 5))
    fills = run(script.calm(2.0, 2.5)).fills
    assert fills[0, [FILL_PX, FILL_SZ]].tolist() == [OURS, SIZE]


def test_a_post_only_order_that_would_cross_is_refused() -> None:
    script = Script().open().at(0.3, (ASK_LEVEL, OURS - 20, 5), (BID_LEVEL, BID, 0), (BID_LEVEL, BID - 100, 0))
    played = run(script.calm(5.0, 6.0), a_quoter())
    assert played.refused == 1
    assert not any(fill[FILL_SLOT] < QUOTES_MAX for fill in played.fills if fill[FILL_T] < T0 + 10**9)


def test_a_move_that_comes_after_the_fill_is_lost() -> None:
    away = 10 * 930
    script = Script().open().calm(0.25, 0.9)
    script.at(1.0, (BID_LEVEL, BID, 0), (BID_LEVEL, BID - 100, 0), (BID_LEVEL, BID - away, 1_000))
    script.at(1.2, seller(OURS - 10, 5_000)).calm(1.3, 1.4)
    played = run(script, conditions=terms(seconds=1.25))
    assert len(played.fills) == 1
    assert played.lost >= 1


def test_silence_cancels_everything_and_the_next_book_brings_it_back() -> None:
    quiet = Script().open().calm(0.25, 1.0).at(2.9, seller(OURS - 10, 5_000)).calm(6.0, 7.0)
    assert len(run(quiet).fills) == 0
    early = Script().open().calm(0.25, 1.0).at(2.2, seller(OURS - 10, 5_000)).calm(6.0, 7.0)
    assert len(run(early).fills) == 1
    back = Script().open().calm(0.25, 1.0).calm(6.0, 7.0).at(7.0, seller(OURS - 10, 5_000)).calm(7.5, 8.0)
    played = run(back)
    assert len(played.fills) == 1
    assert played.pulls >= 1


def test_nothing_is_quoted_outside_the_span() -> None:
    script = Script().open().calm(0.25, 20.0).at(15.0, seller(OURS - 10, 5_000))
    assert len(run(script, conditions=terms(seconds=10.0)).fills) == 0
    assert len(run(script, conditions=terms(seconds=18.0)).fills) == 1


def test_a_new_file_begins_with_its_own_picture() -> None:
    script = Script().open().calm(0.25, 1.0)
    script.at(2.0, (BID_LEVEL, BID - 5_000, 900), (ASK_LEVEL, ASK - 5_000, 900)).calm(2.1, 2.2)
    tape = script.tape()
    again = int(np.flatnonzero(np.asarray(tape.stamp_ns) == T0 + 2 * 10**9)[0])
    tape.begins_file[again] = 1
    script.tape = lambda: tape  # type: ignore[method-assign]
    played = run(script)
    assert int(played.mid2[again]) == BID + ASK - 10_000


@pytest.mark.parametrize("seed", range(4))
def test_what_is_held_and_rests_never_exceeds_the_cap(seed: int) -> None:
    quoter = a_quoter((0.3, 0.8, 1.3), (150.0, 150.0, 150.0))
    played = run(random_market(seed), quoter)
    usd = np.cumsum(np.where(played.fills[:, FILL_SLOT] < QUOTES_MAX, 1, -1) * played.fills[:, FILL_SZ]) * MID * 1e-6
    assert len(played.fills) > 10
    assert np.abs(usd).max() <= 500.0 * 1.01


@pytest.mark.parametrize("seed", range(3))
def test_cash_volume_and_position_are_the_sums_of_the_fills(seed: int) -> None:
    played = run(random_market(seed), a_quoter((0.3, 0.8)[:1]), terms(seconds=150.0))
    fills, last = played.fills, played.curve[-1]
    side = np.where(fills[:, FILL_SLOT] < QUOTES_MAX, 1, -1)
    money = fills[:, FILL_PX] * fills[:, FILL_SZ]
    assert len(fills) > 3
    assert int(last[CURVE_POSITION]) == int((side * fills[:, FILL_SZ]).sum())
    assert int(last[CURVE_CASH]) == -int((side * money).sum())
    assert int(last[CURVE_VOLUME]) == int(money.sum())


def test_the_same_tape_gives_the_same_result() -> None:
    first, second = (run(random_market(7), a_quoter((0.5,))) for _ in range(2))
    assert np.array_equal(first.fills, second.fills)
    assert np.array_equal(first.curve, second.curve)
    assert first.actions == second.actions


def test_a_forecast_given_from_outside_is_the_models_own() -> None:
    made = quoters.bare_lean(stall(), 0.2)
    model = new_model([0.5] * 16, [1.0] * 16, 0.2, 60.0)
    own = run(random_market(3), made, model=model)
    told = run(random_market(3), made, model=model, given=own.forecast)
    assert np.any(np.asarray(own.forecast) != 0.0)
    assert len(own.fills) > 0
    assert np.array_equal(own.fills, told.fills)


def test_a_gated_ladder_without_a_forecast_never_trades() -> None:
    assert len(run(random_market(3), quoters.bare_lean(stall(), 1.0)).fills) == 0


@pytest.mark.parametrize("make", [quoters.symmetric, quoters.touch, quoters.grid, quoters.seeds])
def test_every_comparison_quoter_trades(make: object) -> None:
    played = run(random_market(5), make(stall()))  # type: ignore[operator]
    assert len(played.fills) > 0
    assert played.actions > 0


def test_the_production_ladder_plays_too() -> None:
    assert run(random_market(5), quoters.production(stall(), "tiered", weight=0.0)).actions > 0


def test_the_production_executor_sends_what_its_budget_allows() -> None:
    plain, planned = (
        run(random_market(5), quoters.production(stall(), "tiered", weight=0.0, executes=executes))
        for executes in (False, True)
    )
    assert 0 < planned.actions < plain.actions
    volume_usd = (planned.fills[:, FILL_PX] * planned.fills[:, FILL_SZ]).sum() * 1e-6
    span_s = (planned.stamp_ns[-1] - planned.stamp_ns[0]) / 1e9
    most = 60.0 + (10_000.0 + volume_usd) / 86_400.0 * span_s  # a full bucket, and what it is filled with
    assert planned.placed + planned.moved <= most


def test_the_production_executor_leaves_nothing_behind() -> None:
    conditions = replace(terms(seconds=100.0), keeps_requests=True)
    played = run(random_market(5), quoters.production(stall(), "tiered", weight=0.0, executes=True), conditions)
    kinds = played.requests[:, G_KIND]
    ended = (kinds == CANCEL).sum() + len(np.unique(played.fills[:, FILL_T]))
    assert (kinds == PLACE).sum() == played.placed > 0
    assert ended >= played.placed


def test_a_slower_cycle_takes_fewer_actions() -> None:
    quick, slow = quoters.seeds(stall()), quoters.grid(stall())
    assert (quick.cycle_ms, slow.cycle_ms) == (1_000.0, 3_000.0)


def test_optimistic_queues_fill_no_later() -> None:
    quoter = a_quoter(distances=(0.0,), join=True)
    averse = run(random_market(9), quoter, terms(queue=0)).fills
    optimistic = run(random_market(9), quoter, terms(queue=2)).fills
    assert optimistic[:, FILL_SZ].sum() >= averse[:, FILL_SZ].sum()


def test_the_grid_of_our_orders_is_one_the_venue_has() -> None:
    assert grid_decimals(10, MID) == 5
    assert grid_decimals(100, MID) == 4
    assert grid_decimals(10, 433_670) == 5
    assert grid_decimals(10, 433_670, 4) == 4
    with pytest.raises(ConfigError):
        grid_decimals(7, MID)


def test_no_gate_is_below_every_forecast() -> None:
    assert NO_GATE < -1e6
