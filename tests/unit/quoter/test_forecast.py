"""The forecast, the card that vouches for it, the file it lies in, and the ladder round it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from backtest.loop.fixed import NO_GATE, WHY_FORECAST, is_off, new_fixed, quote_fixed
from common.errors import BadInput, OurFault
from common.kernel import state
from quoter.card import SCHEMA, Card, Horizon, Score, accept
from quoter.card_file import ModelWatch, model_path, read_card, write_card
from quoter.engine import QuoteEngine
from quoter.events import Model
from quoter.features import FEATURES_MAX, names
from quoter.forecast import Z_MAX, favours, forecast_bps, new_model
from quoter.state import (
    ASK_SIDE,
    B_COUNT,
    B_ROWS,
    B_SIDE,
    BID_SIDE,
    I_POSITION,
    I_SZ_DECIMALS,
    NS,
    O_COUNT,
    O_ROWS,
    O_SIDE,
    O_WHY,
    S_FORECAST,
    S_FORECAST_WEIGHT,
    S_MID,
)
from tests.unit.quoter.builders import COIN, Rig, settings
from tests.unit.quoter.tapes import FeedOf, tape

T = 1_767_700_000 * NS
HOUR = 3600 * NS


def vector(values: list[float]) -> Any:
    made = state(FEATURES_MAX)
    made[: len(values)] = values
    return made


# ---------------------------------------------------------------------- forecast
def test_the_forecast_is_the_weighted_sum_of_standardised_features() -> None:
    model = new_model([2.0, -1.0], [0.5, 4.0])
    assert forecast_bps(model, vector([1.0, 2.0])) == pytest.approx(2.0 * 2.0 - 0.5)


def test_a_feature_far_beyond_anything_seen_counts_as_the_limit() -> None:
    assert forecast_bps(new_model([1.0], [1.0]), vector([1e6])) == Z_MAX


def test_no_model_expects_nothing() -> None:
    assert forecast_bps(new_model(), vector([1.0])) == 0.0


def test_a_model_needs_a_deviation_for_every_weight() -> None:
    with pytest.raises(OurFault):
        new_model([1.0], [])


def test_a_side_is_favoured_by_its_own_direction() -> None:
    assert [favours(f, 1.0, side) for f in (1.0, -1.0) for side in (0, 1)] == [1, 0, 0, 1]


# ---------------------------------------------------------------------- card
def a_card(r2: float = 0.13, lo: float | None = 0.1, **changes: Any) -> Card:
    score = Score(r2, lo, None if lo is None else r2 + 0.03)
    weights = [0.1] * len(names())
    card = Card(
        schema=SCHEMA, profile="us500", coin=COIN, start_t_ns=T - 24 * HOUR, end_t_ns=T, data=[], samples=10, hours=24,
        features=list(names()), references=[], deviations=[1.0] * len(weights), horizon_s=60,
        forecast_deviation_bps=1.3, latency_ms=400.0,
        horizons=[Horizon(s, 0.03, weights, score, score) for s in (5, 30, 60)], config_hash="abc",
    )  # fmt: skip
    return msgspec.structs.replace(card, **changes)


def test_a_model_is_accepted_by_its_held_back_hours_alone() -> None:
    assert a_card().refusal == ""
    assert "R2 at 30 s" in a_card(r2=0.05).refusal
    assert "R2 at 30 s" in a_card(lo=0.0).refusal
    assert "too few hours" in a_card(lo=None).refusal
    assert "not scored" in a_card(horizons=[]).refusal


def test_an_old_a_foreign_and_a_present_model_are_refused() -> None:
    assert accept(a_card(), COIN, T + 47 * HOUR, 48.0) == ""
    assert "h old" in accept(a_card(), COIN, T + 49 * HOUR, 48.0)
    assert "fitted for" in accept(a_card(), "BTC", T + HOUR, 48.0)
    assert "very time" in accept(a_card(), COIN, T - HOUR, 48.0)


def test_a_card_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_card(a_card(), tmp_path / "m.json")
    found = read_card(tmp_path / "m.json")
    assert msgspec.structs.replace(found, seal="") == a_card()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda text: text.replace(b"0.13", b"0.53"), "broken_seal"),
        (lambda text: text[:-20], "not_a_model"),
        (lambda text: text.replace(b'"hours"', b'"hourz"'), "not_a_model"),
        (lambda text: b"[" * 100_000, "not_a_model"),
        (lambda text: text + b" " * 300_000, "not_a_model"),
    ],
)
def test_a_damaged_card_is_no_model(tmp_path: Path, damage: Any, reason: str) -> None:
    path = tmp_path / "m.json"
    write_card(a_card(), path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BadInput) as caught:
        read_card(path)
    assert caught.value.reason == reason


@pytest.mark.parametrize("change", [{"features": ["move1"]}, {"schema": 2}, {"deviations": [1.0]}])
def test_a_card_for_other_features_is_no_model(tmp_path: Path, change: dict[str, Any]) -> None:
    write_card(a_card(**change), tmp_path / "m.json")
    with pytest.raises(BadInput):
        read_card(tmp_path / "m.json")


def test_a_new_card_is_taken_up_and_a_removed_or_old_one_given_up(tmp_path: Path) -> None:
    mine = settings().model_copy(update={"models_dir": tmp_path})
    watch = ModelWatch(mine)
    assert watch.look(T + HOUR)
    assert watch.why_not.startswith("no_model")
    assert not watch.look(T + HOUR)
    write_card(a_card(), model_path(mine))
    assert watch.look(T + HOUR)
    assert watch.in_use is not None
    assert not watch.look(T + 2 * HOUR)
    assert watch.look(T + 100 * HOUR)
    assert watch.in_use is None
    model_path(mine).write_text("{}")
    assert watch.look(T + HOUR)
    assert watch.why_not.startswith("not_a_model")


# ---------------------------------------------------------------------- the engine's hook
def test_the_engine_forecasts_only_with_a_model() -> None:
    engine, feed = QuoteEngine(settings()), FeedOf()
    instants = tape(1)
    for instant in instants[:30]:
        for message in feed.messages(instant):
            engine.on(message)
    assert (engine.state[S_FORECAST], engine.state[S_FORECAST_WEIGHT]) == (0.0, 0.0)
    engine.on(Model(a_card()))
    for instant in instants[30:]:
        for message in feed.messages(instant):
            engine.on(message)
    expected = forecast_bps(a_card().model(), vector(engine.outlook.features()))
    assert engine.state[S_FORECAST_WEIGHT] == 1.0
    assert engine.state[S_FORECAST] != 0.0
    assert engine.state[S_FORECAST] == pytest.approx(expected)
    engine.on(Model(None))
    engine.on(next(m for i in tape(1) for m in FeedOf().messages(i)))
    assert engine.outlook.card is None


# ---------------------------------------------------------------------- the ladder
class Bench:
    """A lean ladder on a book of one level a side, one tick (10) wide on each side of the mid."""

    def __init__(self, **lean: Any) -> None:
        self.rig = Rig("standx", sz_decimals=5)
        self.rig.state[S_MID] = 9_300_000.0
        self.rig.ints[I_SZ_DECIMALS] = 5
        for side, px in ((BID_SIDE, 9_299_950), (ASK_SIDE, 9_300_050)):
            self.rig.vector[B_COUNT + side] = 1
            self.rig.vector[B_ROWS + side * B_SIDE : B_ROWS + side * B_SIDE + 2] = [px, 1_000]
        base: dict[str, Any] = {
            "distances_bps": (1.3, 1.8, 2.3), "sizes_usd": (150.0, 150.0, 150.0), "weight": 1.0, "gate_bps": 1.0,
            "cap_usd": 500.0, "skew_bps": 2.0, "out_bps": 0.5, "in_bps": 0.2,
        }  # fmt: skip
        self.lean = new_fixed(**{**base, **lean})

    def quote(self, forecast: float = 0.0, held_u: int = 0) -> list[list[int]]:
        rig = self.rig
        rig.state[S_FORECAST], rig.ints[I_POSITION] = forecast, held_u
        quote_fixed(rig.state, rig.ints, rig.params, self.lean, rig.vector, rig.out)
        return [
            [int(rig.out[O_ROWS + side * O_SIDE + 2 * k]) for k in range(int(rig.out[O_COUNT + side]))]
            for side in (BID_SIDE, ASK_SIDE)
        ]


def test_a_side_is_quoted_only_while_the_forecast_speaks_for_it() -> None:
    bench = Bench()
    assert [len(side) for side in bench.quote(0.0)] == [0, 0]
    assert [int(bench.rig.out[O_WHY + side]) for side in range(2)] == [WHY_FORECAST, WHY_FORECAST]
    assert [len(side) for side in bench.quote(1.5)] == [3, 0]
    assert [len(side) for side in bench.quote(-1.5)] == [0, 3]


def test_levels_lie_round_the_forecast_price() -> None:
    bids, _ = Bench().quote(2.0)
    wanted = [9_300_000 * (1 + 2e-4) * (1 - d * 1e-4) for d in (1.3, 1.8, 2.3)]
    assert bids == [min(int(px // 10 * 10), 9_300_040) for px in wanted]


def test_strict_placing_keeps_two_ticks_from_the_opposite_best() -> None:
    assert Bench().quote(9.0)[0][0] == 9_300_040
    assert Bench(ticks=2).quote(9.0)[0][0] == 9_300_030


def test_joining_never_betters_the_best_price() -> None:
    assert Bench(join=True).quote(9.0)[0][0] == 9_299_950


def test_the_cap_counts_what_is_held() -> None:
    held = 36  # 335 USD
    assert [len(side) for side in Bench(gate_bps=NO_GATE).quote(0.0, held)] == [1, 3]


def test_a_position_moves_the_centre_against_it() -> None:
    flat, held = Bench(gate_bps=NO_GATE), Bench(gate_bps=NO_GATE)
    assert held.quote(0.0, 20)[1][0] < flat.quote(0.0)[1][0]
    assert held.quote(0.0, -20)[0][0] > flat.quote(0.0)[0][0]


def test_sides_mirror_each_other_to_a_tick() -> None:
    bench = Bench(gate_bps=NO_GATE)
    bids, asks = bench.quote(1.0, 10)
    mirrored_bids, mirrored_asks = bench.quote(-1.0, -10)
    assert [18_600_000 - px for px in asks] == pytest.approx(mirrored_bids, abs=10)
    assert [18_600_000 - px for px in bids] == pytest.approx(mirrored_asks, abs=10)


@pytest.mark.parametrize(
    ("px", "off"), [(9_300_000, 0), (9_300_460, 0), (9_300_480, 1), (9_299_820, 0), (9_299_800, 1)]
)
def test_a_level_too_near_moves_later_than_one_too_far(px: int, off: int) -> None:
    assert is_off(BID_SIDE, px, 100, 9_300_000, 100, 9_300_000.0, 0.5, 0.2, 0.3) == off
    assert is_off(ASK_SIDE, 18_600_000 - px, 100, 9_300_000, 100, 9_300_000.0, 0.5, 0.2, 0.3) == off


def test_a_level_is_filled_up_again_when_little_is_left() -> None:
    assert is_off(BID_SIDE, 100, 30, 100, 100, 100.0, 1e9, 1e9, 0.3) == 1
    assert is_off(BID_SIDE, 100, 31, 100, 100, 100.0, 1e9, 1e9, 0.3) == 0
