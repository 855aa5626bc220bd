"""How much faster than time the made-up markets run: one hour of each flow, generator alone and through the venue.

CPU time of this process with compiled kernels; the floor is the hundredfold that a simulator must reach to be of use.
"""

from __future__ import annotations

import time
from typing import Any

from common.clock import NS
from common.config import load
from simvenue.door.latency import Latency
from simvenue.exchange import Exchange
from simvenue.market import market_of
from simvenue.synthetic.flows import FLOWS
from simvenue.synthetic.synthetic import Synthetic

ORIGIN_NS = 1_767_657_600 * NS
HOUR_S = 3_600
FLOOR_X = 100.0
MARKET_OF_FLOW = {"btc": "btc", "us500": "us500", "km": "us500"}


def rows() -> dict[str, Any]:
    """`reports/bench.json` entries: market seconds per CPU second."""
    found: dict[str, Any] = {}
    for flow in MARKET_OF_FLOW:
        found[f"made_up_{flow}"] = _row(*_generated(_source(flow)))
        found[f"made_up_{flow}_venue"] = _row(*_played(flow))
    return found


def _source(flow: str) -> Synthetic:
    venue = load("simvenue", {"MARKET": MARKET_OF_FLOW[flow]}).venue
    return Synthetic(
        flow,
        FLOWS[flow],
        venue.sz_decimals,
        px_start=venue.px_start,
        vol_annual=venue.vol_annual,
        seed=1,
        origin_ns=ORIGIN_NS,
    )


def _generated(source: Synthetic) -> tuple[float, int]:
    """(market seconds per CPU second, stamps) of an hour of the generator alone."""
    stamps, end_ns = 0, ORIGIN_NS + HOUR_S * NS
    begin = time.process_time()
    while (t_ns := source.next_t_ns()) is not None and t_ns < end_ns:
        source.take()
        stamps += 1
    return HOUR_S / (time.process_time() - begin), stamps


def _played(flow: str) -> tuple[float, int]:
    """The same through the exchange, with its books, contexts and trades told."""
    market = market_of(load("simvenue", {"MARKET": MARKET_OF_FLOW[flow]}))
    exchange = Exchange([(market, _source(flow))], origin_ns=ORIGIN_NS, latency=Latency())
    begin = time.process_time()
    told = sum(len(exchange.advance(ORIGIN_NS + second * NS)) for second in range(60, HOUR_S + 1, 60))
    return HOUR_S / (time.process_time() - begin), told


def _row(times: float, samples: int) -> dict[str, Any]:
    return {
        "value": round(times, 1),
        "unit": "x",
        "floor": FLOOR_X,
        "ratio": round(times / FLOOR_X, 2),
        "samples": samples,
    }
