"""On markets whose truth we planted the engine earns most of what there is, and stops where there is nothing.

Through the commands a person types, in processes of their own: the work needs compiled kernels whatever the mode of
the tests.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backtest.studies.planted import COST_SHARE_MAX, NO_EDGE_SETTING, SETTINGS, SHARE_MIN, STOP_H_MAX
from tests.integration.test_edge import TIMEOUT_S, run
from tests.support.shared import shared

pytestmark = [pytest.mark.timeout(TIMEOUT_S), pytest.mark.slow]

EARNING = [setting for setting in SETTINGS if setting.name != NO_EDGE_SETTING]
SIGMAS = 3.0
Z90 = 1.645

PROBE = """
import json
from dataclasses import replace
from backtest.studies.optimum import fill_edge_bps, fill_rate, policies, seen_at, best_distance_bps
from backtest.studies.planted import FEE_BPS, Setting, stage_of
from backtest.playing import Terms
from quoter.state import NS
figures = {"A": 0.1, "k": 0.8, "eps": 0.1, "eta": 0.1}
class Calm(Setting):
    @property
    def flow(self):  # orders come one by one, makers look often: what the closed form assumes
        return replace(Setting.flow.fget(self), own_excitement=0.0, jumps_per_h=0.0, updates_per_s=10.0)
stage = stage_of(Calm("calm", "us500", "glft", figures, ""), 7, 12.0, 0.0, (100.0, 300.0))
flow, tick_bps = stage.setting.flow, 1e4 * stage.stall.tick_px_u / stage.made.tape.px_u[0]
terms = replace(stage.terms, silence_ms=60_000.0)
rows = []
for x in (1.5, 2.0, 3.0):
    seen = seen_at(stage.made.tape, stage.stall, terms, x)
    rows.append({
        "x": seen.distance_bps, "rate": seen.rate, "rate_error": seen.rate_error, "edge": seen.edge.mean,
        "edge_error": (seen.edge.hi - seen.edge.lo) / 2, "formula_rate": fill_rate(flow, seen.distance_bps),
        "formula_rate_far": fill_rate(flow, seen.distance_bps + tick_bps),
        "formula_edge": fill_edge_bps(flow, seen.distance_bps, FEE_BPS),
    })
best = max(policies(stage.made.tape, stage.stall, stage.terms, stage.model, None, 0.0), key=lambda p: p.usd)
print(json.dumps({"rows": rows, "best": best.distance_bps, "formula_best": best_distance_bps(flow, FEE_BPS)}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("planted")
    run("-m", "backtest", "planted", "--hours", "24", "--out", str(out))
    report: dict[str, Any] = json.loads((out / "latest.json").read_text(encoding="utf-8"))
    return report


@pytest.mark.parametrize("setting", EARNING, ids=lambda setting: setting.name)
def test_the_engine_earns_most_of_what_an_omniscient_player_could(found: dict[str, Any], setting: Any) -> None:
    result = found[setting.name]
    assert result["optimum"]["usd"] > 0.0
    assert result["engine"][setting.profile]["share"] >= SHARE_MIN
    assert result["engine"][setting.profile]["m60"]["lo"] > 0.0


def test_where_takers_know_all_a_player_without_the_signal_earns_nothing(found: dict[str, Any]) -> None:
    """The planted predictor is what earns there, not the spread."""
    assert found["informed"]["optimum"]["weight"] == 1.0
    assert found["informed"]["closed_form"]["distance_bps"] > 10.0


def test_where_there_is_no_edge_whoever_quotes_is_stopped_soon_and_cheaply(found: dict[str, Any]) -> None:
    result = found[NO_EDGE_SETTING]
    assert result["closed_form"]["distance_bps"] is None
    assert result["optimum"]["median_usd"] < 0.0  # of the fixed policies at least half lose, and the best has luck
    for player in ("tiered", "glft", "symmetric"):
        gate = result["gate"][player]
        assert 0.0 < gate["stopped_after_h"] <= STOP_H_MAX
        assert gate["cost_share"] < COST_SHARE_MAX
    assert result["gate"]["lean"]["fills"] == 0  # without a forecast it never starts


def test_fills_through_the_exchange_come_and_earn_as_the_closed_form_says() -> None:
    probed = json.loads(run("-c", PROBE))
    for row in probed["rows"]:
        slack = SIGMAS * row["rate_error"]
        assert 0.8 * row["formula_rate_far"] - slack <= row["rate"] <= row["formula_rate"] + slack
        assert row["edge"] == pytest.approx(row["formula_edge"], abs=SIGMAS * row["edge_error"] / Z90 + 0.02)
    assert probed["best"] == pytest.approx(probed["formula_best"], abs=0.7)


def test_at_a_normal_fee_the_gate_stops_those_who_quote(tmp_path: Path) -> None:
    data = [str(shared(f"data/events/standx_BTC_2026-01-{day}.npz")) for day in ("05", "06", "07")]
    for fee in ("1.5", "3.0"):
        run("-m", "backtest", "edge", "--data", *data, "--tick", "0.1", "--strict", "--score", "2026-01-07",
            "--fee", fee, "--profile", "symmetric", "--out", str(tmp_path))  # fmt: skip
        gate = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))["symmetric"]["gate"]
        assert gate["stopped_after_h"] <= STOP_H_MAX
        assert 0.0 < gate["cost_share"] < COST_SHARE_MAX


def test_on_minutes_of_another_venue_the_gate_stops_those_who_quote(tmp_path: Path) -> None:
    data = [str(shared(f"data/events/hl_BTC_touch_2025-09-{day:02d}.npz")) for day in range(1, 6)]
    run("-m", "backtest", "edge", "--market", "btc", "--data", *data, "--fit", "2025-08-31", "--fee", "1.5",
        "--score", "2025-09-01/2025-09-06", "--profile", "symmetric,touch", "--out", str(tmp_path))  # fmt: skip
    report = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
    for player in ("symmetric", "touch"):
        assert report[player]["gate"]["stopped_after_h"] is not None
        assert report[player]["gate"]["block_s"] < 300.0  # the recording has but an hour


def test_the_queue_estimate_agrees_with_the_venues_queue_and_with_the_fills(tmp_path: Path) -> None:
    data = str(shared("data/events/standx_BTC_2026-01-07.npz"))
    for name, source in (("real", ["--data", data, "--hours", "1"]), ("made up", ["--hours", "1"])):
        run("-m", "backtest", "queue", "--out", str(tmp_path), *source)
        report = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
        averse, shared_out, optimistic = (report[m] for m in ("risk-averse", "probabilistic", "optimistic"))
        assert averse["fills"] > 500, name
        assert averse["bias"] < shared_out["bias"] < optimistic["bias"]  # the estimate is the same, the truth moves up
        assert max(abs(averse["bias"]), abs(shared_out["bias"])) < 0.05, name
        assert min(averse["correlation"], shared_out["correlation"]) > 0.8, name
        for model in (averse, shared_out):
            assert 0.85 < model["filled_over_promised"] < 1.1, name
            for expected, observed in zip(model["expected_usd"], model["observed_usd"], strict=True):
                assert 0.75 * expected < observed < 1.25 * expected, name
