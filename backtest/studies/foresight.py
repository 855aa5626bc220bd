"""`python -m backtest lookahead`: the look-ahead checks of `lookahead.py` on a market whose predictor was planted.

The quoter is told the planted predictor (what may be known, nothing more), so the shift check knows its truth; the
production ladder plays the prefix check. Prints one JSON line; exit code 1 with the reason when a check fails.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

import msgspec
import numpy as np

from backtest.data.made_up import made_up
from backtest.playing import Terms, play
from backtest.quoters import Stall, bare_lean, production
from backtest.studies.lookahead import prefix_faults, shifted
from backtest.tape import TAIL_NS, Tape
from common.config import load
from common.errors import EXIT_FAULT, ConfigError
from common.kernel import COMPILED
from common.ticks import tick_u
from quoter.features import names
from quoter.forecast import new_model
from quoter.state import NS
from simvenue.synthetic.flows import FLOWS, as_column, planted

FLOW = "xyz100"
PLANTED = {"r2": 0.3, "horizon": 30.0, "memory": 30.0}
VOL_ANNUAL = 0.5
"""Lively enough to hold what is planted."""
ORIGIN_NS = 1_767_571_200 * NS
WARM_NS = 600 * NS
FEE_BPS = 0.3
FEED_MS, ORDER_MS = 50.0, 100.0
"""Good latency: an instant of foresight must be worth something."""
DAYS = 7.0
CUTS = 12
CUT_WITHIN_NS = 6 * 3_600 * NS
WEIGHT_BPS = 0.05
"""Of each feature in the model the prefix check plays: whatever a feature knows too early shows in the forecast."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--days", type=float, default=DAYS, help="made-up days")
    parser.add_argument("--seed", type=int, default=1)


def main(told: argparse.Namespace) -> int:
    if not COMPILED:
        raise ConfigError("the look-ahead checks need compiled kernels: unset AMM_KERNELS")
    settings = load("quoter", over={"MARKET": "us500"})
    made = made_up(
        FLOW, as_column(planted(FLOWS[FLOW], PLANTED)), settings, span_h=24 * told.days, seed=told.seed,
        origin_ns=ORIGIN_NS, vol_annual=VOL_ANNUAL,
    )  # fmt: skip
    tape = made.tape
    last_t_ns = int(tape.stamp_ns[-1]) - TAIL_NS
    terms = Terms(ORIGIN_NS + WARM_NS, last_t_ns, FEED_MS, ORDER_MS, silence_ms=1e9)
    stall = Stall(settings, FEE_BPS, tick_u(int(tape.px_u[0]), settings.venue.sz_decimals), strict=False)
    quoter = bare_lean(stall, float(made.signal_bps.std()))
    mid2 = play(tape, quoter, terms, given=made.signal_bps).mid2
    found = shifted(tape, quoter, terms, made.signal_bps, mid2, FEE_BPS)
    faults = (*found.faults, *_prefixes(tape, stall, terms, told.seed))
    line = {"days": told.days, "seed": told.seed, **asdict(found), "faults": faults}
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    return EXIT_FAULT if faults else 0


def _prefixes(tape: Tape, stall: Stall, terms: Terms, seed: int) -> list[str]:
    """The production ladder with a model of every feature, cut after instants drawn from the first hours."""
    model = new_model([WEIGHT_BPS] * len(names()), [1.0] * len(names()), 1.0, 60.0)
    ladder = production(stall, stall.settings.quoting.profile, weight=1.0)
    first, last = np.searchsorted(tape.stamp_ns, (terms.from_t_ns, terms.from_t_ns + CUT_WITHIN_NS))
    cuts = np.random.default_rng(seed).integers(first, last, CUTS)
    return [fault for cut in cuts for fault in prefix_faults(tape, ladder, terms, int(cut), model)]
