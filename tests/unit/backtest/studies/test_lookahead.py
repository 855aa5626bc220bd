"""No replay knows what comes later - and the checks that say so find a replay that does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backtest.playing import Played, Terms, play
from backtest.studies import lookahead
from backtest.studies.lookahead import Gain, Shifted, ending, foreseeing, later, prefix_faults
from backtest.tape import Tape
from common.kernel import ROOT
from tests.unit.backtest.builders import T0, a_quoter, random_market, terms


def test_a_later_forecast_is_that_of_the_instant_before() -> None:
    assert later([1.0, 2.0, 3.0]).tolist() == [0.0, 1.0, 2.0]


def test_foresight_is_the_mids_next_move() -> None:
    found = foreseeing([0.0, 1.0, 0.0, 0.0], [20_000, 20_002, 0, 20_000])
    assert found.tolist() == pytest.approx([1.0, 1.0, 0.0, 0.0])  # 1 bps up; then the next mid is not known


def test_a_shift_is_judged_by_its_interval() -> None:
    honest = Shifted(foresight=Gain(0.5, 0.4, 0.6), later=Gain(-0.02, -0.05, 0.01))
    assert honest.faults == ()
    assert "more" in replace(honest, later=Gain(0.2, 0.1, 0.3)).faults[0]
    assert "blind" in replace(honest, foresight=Gain(0.1, -0.1, 0.3)).faults[0]


@pytest.mark.parametrize("seed", range(4))
def test_what_comes_later_changes_nothing_before(seed: int) -> None:
    tape = random_market(seed, 160).tape()
    for last in (30, 31, 90, 120):
        assert prefix_faults(tape, a_quoter((0.5, 2.0), (100.0, 100.0)), terms(), last) == ()


def test_a_replay_that_knows_the_next_instant_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The forecast of each instant is the move to the next one: at the cut it cannot be known."""
    tape = random_market(1, 160).tape()
    mid2 = play(tape, a_quoter(), terms()).mid2

    def peeping(tape: Tape, quoter: Any, terms: Terms, model: Any = None, given: Any = None) -> Played:
        known = mid2[: len(tape.stamp_ns)]
        return play(tape, quoter, terms, model, foreseeing(np.zeros(len(known)), known))

    cut = next(k for k in range(60, 150) if mid2[k] > 0 and mid2[k + 1] > 0 and mid2[k + 1] != mid2[k])
    monkeypatch.setattr(lookahead, "play", peeping)
    assert "forecasts" in prefix_faults(tape, a_quoter((0.5,), (100.0,), weight=1.0), terms(), cut)[0]


def test_a_tape_that_ends_early_is_the_tape_until_then() -> None:
    tape = random_market(2, 60).tape()
    short = ending(tape, 29)
    assert len(short.stamp_ns) == 30
    assert len(short.what) == int(tape.begin[30])
    assert T0 <= short.stamp_ns[-1] < tape.stamp_ns[30]


@pytest.mark.slow
def test_the_compiled_replay_of_a_planted_market_passes() -> None:
    """Seven made-up days, forecast shifted by one instant; twelve cuts of the production ladder with a model."""
    environ = {name: value for name, value in os.environ.items() if name != "AMM_KERNELS"}
    command = [sys.executable, "-m", "backtest", "lookahead"]
    ran = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = json.loads(ran.stdout)
    assert told["faults"] == []
    assert told["foresight"]["lo"] > 0.0
