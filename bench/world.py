"""What the exact world carries: stream messages delivered to their readers a second of one core's time.

Two made-up markets (an index and BTC), each played for two market minutes with everything on: six engines, the venue's
core, all texts encoded and decoded, every message range-checked. CPU time, median of several turns after one that warms
up; the floor is what the issue asks for.

`python -m bench.world` prints them.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

from backtest.timing import Timing
from backtest.world import World
from common.clock import NS
from common.config import load
from simvenue.synthetic.flows import FLOWS
from simvenue.synthetic.synthetic import Synthetic

MARKETS = {"us500": "xyz100", "btc": "btc"}
FLOOR_PER_S = 8_000.0
TURNS = 5
MARKET_S = 120
T0_NS = 1_767_657_600 * NS


def turn(market: str, flow: str) -> tuple[int, float]:
    """(messages delivered, seconds of CPU) of one run."""
    settings = load("quoter", {"MARKET": market})
    source = Synthetic(
        flow, FLOWS[flow], settings.venue.sz_decimals, px_start=settings.venue.px_start,
        vol_annual=settings.venue.vol_annual, seed=1, origin_ns=T0_NS,
    )  # fmt: skip
    world = World(settings, source, Timing(), begin_ns=T0_NS)
    began_s = time.process_time()
    played = world.play(T0_NS + MARKET_S * NS)
    return played.delivered, time.process_time() - began_s


def rows() -> dict[str, Any]:
    """Figures for `reports/bench.json`."""
    found: dict[str, Any] = {}
    for market, flow in MARKETS.items():
        turns = [turn(market, flow) for _ in range(TURNS + 1)][1:]
        value = statistics.median(delivered / cpu_s for delivered, cpu_s in turns)
        found[f"world_{market}"] = {
            "value": round(value), "unit": "messages/s", "floor": FLOOR_PER_S,
            "ratio": round(value / FLOOR_PER_S, 2), "samples": TURNS,
        }  # fmt: skip
    return found


def main() -> int:
    for name, row in rows().items():
        sys.stdout.write(f"{name:12s} {row['value']:8d} {row['unit']}, floor {row['floor']:.0f}, {row['ratio']:.2f}x\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
