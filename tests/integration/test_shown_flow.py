"""The made-up market that `make up` shows: its orders reach the ladder, the market's own hardly do, and nobody gains.

In a process of its own: the work needs compiled kernels whatever the mode of the tests.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.test_edge import TIMEOUT_S, run

pytestmark = [pytest.mark.timeout(TIMEOUT_S), pytest.mark.slow]

SEEDS = (1, 2, 3)
PROBE = """
import json, sys
import numpy as np
from backtest.data.made_up import made_up
from backtest.playing import Terms, play
from backtest.quoters import Stall, production
from backtest.scoring import edge, told
from backtest.tape import TAIL_NS
from common.config import load
from common.ticks import tick_u
from quoter.state import NS
from simvenue.synthetic.flows import FLOWS
HOURS, HOUR_NS, WARM_NS, FEE_BPS = 12, 3_600 * NS, 600 * NS, 0.3
ORIGIN_NS = 1_796_050_800 * NS  # a Monday, 15:00 UTC, in New York's session
flow, seed = sys.argv[1], int(sys.argv[2])
settings = load("quoter", {}, over={"MARKET": "us500"})
made = made_up(flow, FLOWS[flow], settings, span_h=HOURS, seed=seed, origin_ns=ORIGIN_NS)
tick = int(tick_u(int(made.tape.px_u[0]), settings.venue.sz_decimals))
quoter = production(Stall(settings, FEE_BPS, tick, False), "tiered", weight=0.0, executes=True)
played = play(made.tape, quoter, Terms(ORIGIN_NS + WARM_NS, ORIGIN_NS + HOURS * HOUR_NS - TAIL_NS))
fills = np.asarray(played.fills)[:, 0] if len(played.fills) else np.empty(0)
begins = np.arange(ORIGIN_NS + WARM_NS, ORIGIN_NS + (HOURS - 1) * HOUR_NS, 60 * NS)
filled = [bool(np.any((fills >= t) & (fills < t + HOUR_NS))) for t in begins]
print(json.dumps({
    "fills_per_h": len(fills) / (HOURS - WARM_NS / HOUR_NS), "hours_with_a_fill": float(np.mean(filled)),
    "edge": told(edge(played, FEE_BPS)),
}))
"""


def played(flow: str, seed: int) -> dict[str, Any]:
    """`tiered` on US500 for 12 hours: fills an hour, share of hours (begun at any minute) with a fill, edge."""
    found: dict[str, Any] = json.loads(run("-c", PROBE, flow, str(seed)))
    print(flow, seed, found)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_an_hour_of_it_hardly_passes_without_a_fill_and_the_ladder_has_no_edge(seed: int) -> None:
    found = played("lively", seed)
    assert found["hours_with_a_fill"] >= 0.97
    assert 5 <= found["fills_per_h"] <= 40
    assert found["edge"]["lo"] < 0


@pytest.mark.parametrize("seed", SEEDS)
def test_of_the_markets_own_flow_most_hours_pass_without_one(seed: int) -> None:
    assert played("us500", seed)["hours_with_a_fill"] <= 0.5
