"""Another backtester on the same rows: with each of our differences switched to its way, the same money to the cent.

At the end, and at each decision: fills, position and cash. hftbacktest with its no-partial-fill exchange, constant
order latency, recorded feed latency and fees by notional, both queue models, playing the ladder of `loop/reference.py`.
Run in processes of its own, because it needs compiled kernels whatever the mode of the tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from common.kernel import ROOT
from tests.support.oracle_streams import AWKWARD
from tests.support.shared import shared

TIMEOUT_S = 900
STREAMS = ("", *AWKWARD)
SEED, STAMPS, STAMPS_LONG = 1, 4_000, 60_000
STEPS_MIN = 100
HELD_MAX = 60
"""Orders held, from which the ladder has one side only (`new_reference`)."""

#: File -> (size decimals, tick, size of an order).
FILES: dict[str, tuple[str, str, str]] = {
    "hl_BTC_2025-09-03": ("5", "0.1", "0.1"),
    "hl_ETH_2025-09-03": ("4", "0.1", "1"),
    "hl_SOL_2025-09-03": ("2", "0.01", "10"),
    "hl_ETH_2025-12-10": ("4", "0.1", "1"),
    **{f"hl_BTC_touch_2025-09-0{day}": ("5", "0.1", "0.1") for day in range(1, 6)},
    **{f"standx_BTC_2026-01-0{day}": ("4", "0.1", "1") for day in range(5, 8)},
}

pytest.importorskip("hftbacktest")
pytestmark = pytest.mark.timeout(TIMEOUT_S)


def compared(*arguments: str) -> dict[str, Any]:
    environ = {name: value for name, value in os.environ.items() if name != "AMM_KERNELS"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.oracle", *arguments], cwd=ROOT, env=environ, capture_output=True,
        text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def assert_equal(found: dict[str, Any], fills_min: int) -> None:
    for name, models in found.items():
        for model, both in models.items():
            assert both["ours"] == both["theirs"], f"{name}, {model}: {both}"
            assert both["steps"] > STEPS_MIN, f"{name}, {model}: {both}"
            assert both["apart"] == 0, f"{name}, {model}: {both}"
            assert both["ours"][0] >= fills_min, f"{name}, {model}: {both}"


@pytest.fixture(scope="module")
def streams() -> dict[str, Any]:
    return compared("made", str(SEED), str(STAMPS), *STREAMS)


def test_every_awkward_thing_alone_ends_with_the_same_money(streams: dict[str, Any]) -> None:
    assert set(streams) == {"calm", *AWKWARD}
    assert_equal(streams, fills_min=200)


def test_the_awkward_things_did_happen(streams: dict[str, Any]) -> None:
    assert streams["reject"]["risk-averse"]["refused"] > streams["calm"]["risk-averse"]["refused"]
    assert streams["cancel_crossing"]["risk-averse"]["lost"] > streams["calm"]["risk-averse"]["lost"]
    assert streams["sweep"]["risk-averse"]["ours"][0] > 2 * streams["calm"]["risk-averse"]["ours"][0]
    assert streams["one_sided"]["risk-averse"]["held"] >= HELD_MAX


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["2", "3"])
def test_long_streams_play_with_the_same_money(seed: str) -> None:
    assert_equal(compared("made", seed, str(STAMPS_LONG), *STREAMS), fills_min=5_000)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_recorded_file_plays_with_the_same_money(name: str) -> None:
    path = shared(f"data/events/{name}.npz")
    assert_equal(compared("file", str(path), *FILES[name]), fills_min=1)
