"""The record of a decision says exactly what made the levels: it makes them again."""

from __future__ import annotations

import math
import random

import msgspec
import pytest

from common.messages import Envelope
from quoter.adverse import learn_reach
from quoter.fair import fair_px
from quoter.quote import quote_sides
from quoter.record import levels_again, record_of
from quoter.report import levels_of, words_of
from quoter.state import (
    ASK_SIDE,
    BID_SIDE,
    I_REDUCING,
    O_COUNT,
    O_LEN,
    O_WHY,
    S_FAIR,
    S_FORECAST,
    S_FORECAST_WEIGHT,
    S_SESSION_SIZE,
    S_SESSION_SPREAD,
    S_SPREAD_SCALE,
    make_params,
    numbers,
)
from tests.kernels.quoter_cases import world
from tests.kernels.run_kernels import prepared
from tests.unit.quoter.builders import PX, Desk, Rig, a_book


def of(rig: Rig) -> tuple[list[int], list[int]]:
    """What was decided, and what its record makes, without the work space."""
    record = record_of(rig.state, rig.ints, rig.params, rig.vector, rig.out)
    sent = msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=type(record))
    return numbers(rig.out, 0, O_LEN), numbers(levels_again(sent, rig.params), 0, O_LEN)


@pytest.mark.parametrize("profile", ["tiered", "lean", "glft"])
@pytest.mark.parametrize("seed", range(12))
def test_the_record_makes_the_very_same_levels(profile: str, seed: int) -> None:
    rng = random.Random(seed)
    forecast = rng.uniform(-4, 4)
    rig = Rig(
        "us500",
        order_levels=rng.randint(1, 20),
        ladder={"tiered": "table", "lean": "list", "glft": "glft"}[profile],
        tilt=profile == "tiered",
        centre_skew_bps=rng.choice([0.0, 2.0]),
        sigma_max=rng.choice([0.0, 3.0]),
    )
    rig.told(equity=10 ** rng.uniform(2, 5), fee=rng.uniform(0, 3), hard=1e4, soft=1e4, size_scale=rng.random())
    rig.vol(rng.uniform(0.02, 0.6)).see(*a_book(tick=10 * rng.randint(1, 5), usd=10 ** rng.uniform(3.5, 5)))
    rig.state[S_FORECAST], rig.state[S_FORECAST_WEIGHT] = forecast, float(rng.randrange(2))
    rig.state[S_SESSION_SPREAD], rig.state[S_SESSION_SIZE] = rng.uniform(1, 2), rng.random()
    for _ in range(rng.choice([0, 260])):
        for side in (BID_SIDE, ASK_SIDE):
            distance = rng.uniform(0, 9)
            learn_reach(rig.state, rig.ints, side, distance, rng.gauss(0.4 + 0.5 * distance, 1.0))
    rig.ints[I_REDUCING] = rng.choice([0, 0, 1])
    rig.quote(position_u=rng.choice([0, 1, -1]) * rng.randrange(1, 10**6))
    decided, again = of(rig)
    assert again == decided
    assert decided[O_COUNT] + decided[O_COUNT + 1] > 0 or any(decided[O_WHY : O_WHY + 2])


@pytest.mark.parametrize("seed", range(100))
def test_the_record_makes_the_same_levels_in_any_world(seed: int) -> None:
    w = world(random.Random(f"record {seed}"))
    state, params = (prepared(vector, "f8[::1]") for vector in (w.state, w.params))
    ints, book, out = (prepared(vector, "i8[::1]") for vector in (w.ints, w.book, w.out))
    quote_sides(state, ints, params, book, w.t_ns, out)
    if state[S_FAIR] <= 0.0:
        return
    record = record_of(state, ints, params, book, out)
    assert numbers(levels_again(record, params), 0, O_LEN) == numbers(out, 0, O_LEN)


# ---------------------------------------------------------------------- what each stage says of itself
def test_the_stages_of_a_record_make_each_other() -> None:
    """Fair price, widening, tilt, budgets and level count follow from the inputs beside them."""
    rig = Rig().told(size_scale=0.8).liquid()
    rig.state[S_FORECAST], rig.state[S_FORECAST_WEIGHT] = 1.5, 1.0
    rig.state[S_SPREAD_SCALE], rig.state[S_SESSION_SPREAD] = 1.25, 1.3
    rig.quote(position_u=200)
    r = record_of(rig.state, rig.ints, rig.params, rig.vector, rig.out)
    assert r.fair_px == fair_px(r.mid_px, r.micro_px, r.forecast_bps, r.forecast_weight, r.oracle_px, 100.0)
    factors = (r.by_imbalance, r.by_depth, r.by_illiquid, r.by_permit, r.by_session)
    assert r.widening == pytest.approx(math.prod(factors), rel=1e-12)
    assert r.tilt == pytest.approx((1 + 2 * r.urgency, 1 - 0.3 * r.urgency))
    held_usd = r.position_u * r.fair_px * 1e-6
    assert r.budget_usd == pytest.approx(((r.hard_usd - held_usd) * r.size_scale, r.hard_usd * r.size_scale))
    assert r.floors_bid == [r.prior_bps]
    assert r.levels[0] > 0


def test_measured_bands_are_in_the_record() -> None:
    rig = Rig().liquid()
    for _ in range(250):
        learn_reach(rig.state, rig.ints, BID_SIDE, 1.0, 0.5)
    rig.quote()
    r = record_of(rig.state, rig.ints, rig.params, rig.vector, rig.out)
    assert r.marked_out == (250, 0)
    assert r.floors_bid == [pytest.approx(0.3 + 0.5 + 0.1)]
    assert r.floors_ask == [pytest.approx(2.7667, abs=1e-3)]


# ---------------------------------------------------------------------- in the ladder
def test_a_ladder_carries_the_record_of_its_own_decision() -> None:
    desk = Desk().start()
    record = desk.ladder.record
    assert record is not None
    again = levels_again(record, make_params(desk.settings))
    assert (levels_of(again, BID_SIDE), levels_of(again, ASK_SIDE)) == (desk.ladder.bids, desk.ladder.asks)
    assert words_of(again) == desk.ladder.reasons


def test_a_renewal_keeps_the_record_though_the_figures_move_on() -> None:
    desk = Desk().start()
    before = desk.ladder
    desk.live(0.9, mid_u=PX + 10)
    assert desk.ladder.version == before.version
    assert desk.ladder.inputs is not None
    assert desk.ladder.inputs.mid_px != before.inputs.mid_px  # type: ignore[union-attr]
    assert desk.ladder.record == before.record


def test_a_ladder_without_a_decision_has_no_record() -> None:
    desk = Desk().start().wait(3.0)
    assert desk.ladder.reasons
    assert desk.ladder.record is None


def test_a_record_stays_small_on_the_wire() -> None:
    desk = Desk().start()
    whole = msgspec.msgpack.encode(Envelope("quoter", 1, 1, desk.ladder))
    bare = msgspec.msgpack.encode(Envelope("quoter", 1, 1, msgspec.structs.replace(desk.ladder, record=None)))
    assert len(whole) - len(bare) < 800
