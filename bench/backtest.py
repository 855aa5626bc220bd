"""The backtest beside hftbacktest, beside the least a replay can do, and as the product: days a minute, memory, start.

engine: five million events, the ladder of `backtest/loop/reference.py` in both engines with all differences switched to
theirs, so that both end with the same money (which is asserted). day: a profile's whole ladder over one recorded day of
a young market (made-up events where there is none), deciding every 500 ms. Of both CPU time, turn by turn, the least of
each: another tenant of the machine only adds to a turn. memory: what playing adds to the peak of
reading, beside the columns. start: a process from its begin to a replay that could go, kernels cached; of it reading
the machine code, and beside it numba alone.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np

from backtest import quoters
from backtest.loop.account import Charges
from backtest.playing import Terms, play
from backtest.quoters import Stall
from backtest.tape import Tape, read_tape
from bench import stream
from common.config import load
from common.kernel import ROOT
from quoter.state import NS
from tests.support.oracle import Case
from tests.support.shared import shared_root

ROWS = 5_000_000
TURNS = 5
DAY_TURNS = 15
STEPS_MS = (500, 100)
MODEL = "risk-averse"
DAY = "data/events/standx_BTC_2026-01-07.npz"
DAY_S = 86_400.0
CYCLE_MS = 500.0
DAYS_PER_MINUTE = 80.0
START_S = 0.5
START_TURNS = 7
MEMORY_RATIO = 1.2
NUMBA = """
import sys, time
sys.modules["coverage"] = None
import numba, numba.core.codegen
print(time.process_time())
"""
BEGIN = """
import sys, time
sys.modules["coverage"] = None
from backtest.playing import replay
from common.kernel import bring_in
imported = time.process_time()
bring_in(replay)
print(time.process_time(), time.process_time() - imported)
"""
"""As a user's process begins: numba imports coverage where it is installed, which is among developers only."""


def rows() -> dict[str, Any]:
    """All figures, by name."""
    return {**engine(), **product(), **start()}


def row(value: float, unit: str, floor: float, ratio: float, samples: int) -> dict[str, Any]:
    return {
        "value": round(value, 4),
        "unit": unit,
        "floor": round(floor, 4),
        "ratio": round(ratio, 2),
        "samples": samples,
    }


# ---------------------------------------------------------------------- the engine
def engine(count: int = ROWS, turns: int = TURNS) -> dict[str, Any]:
    """ns a row of ours; the peer's, and the floor's, in `floor`."""
    case = Case("bench", stream.events(count), stream.SZ_DECIMALS, stream.TICK, 1.0)
    n = len(case.events)
    times: dict[str, list[float]] = {name: [] for name in ("floor", *(f"{who}{ms}" for who in "ot" for ms in STEPS_MS))}
    events = case.events
    tick, lots = np.rint(events["px"] / stream.TICK), np.rint(events["qty"] / stream.LOT)
    least = events["ev"].astype(np.int64), tick.astype(np.int64), lots.astype(np.int64)
    low, high = int(least[1].min()), int(least[1].max())
    stream.floor_book(*(column[:400] for column in least), low, high - low + 1)
    Case("warm", events[:2_000], stream.SZ_DECIMALS, stream.TICK, 1.0).compared()
    for _ in range(turns):
        begin = time.process_time()
        stream.floor_book(*least, low, high - low + 1)
        times["floor"].append(time.process_time() - begin)
        for ms in STEPS_MS:
            theirs, seconds = case.theirs(MODEL, ms)
            times[f"t{ms}"].append(seconds)
            ours, seconds, _ = case.ours(MODEL, ms)
            times[f"o{ms}"].append(seconds)
            assert ours == theirs, f"{ms} ms: ours {ours}, hftbacktest {theirs}"
    ns = {name: min(found) / n * 1e9 for name, found in times.items()}
    beside = {
        f"backtest_{ms}ms": row(ns[f"o{ms}"], "ns/row", ns[f"t{ms}"], ns[f"t{ms}"] / ns[f"o{ms}"], n) for ms in STEPS_MS
    }
    return {**beside, "backtest_one_book": row(ns["o500"], "ns/row", ns["floor"], ns["o500"] / ns["floor"], n)}


# ---------------------------------------------------------------------- the product
def a_day() -> tuple[Tape, float]:
    """(tape, its days): the recorded day where it is at hand."""
    settings = load("quoter", over={"MARKET": "standx"})
    path = shared_root() / DAY
    if not path.exists():
        case = Case("bench", stream.events(1_500_000), stream.SZ_DECIMALS, stream.TICK, 1.0)
        tape = case.tape
        return tape, float(tape.stamp_ns[-1] - tape.stamp_ns[0]) / NS / DAY_S
    tape = read_tape([path], settings.venue.sz_decimals)
    return tape, float(tape.stamp_ns[-1] - tape.stamp_ns[0]) / NS / DAY_S


def product() -> dict[str, Any]:
    """Simulated days a minute of one core, and memory beside the columns, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.backtest"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def a_days_play(turns: int = DAY_TURNS) -> dict[str, Any]:
    """What `product` tells."""
    settings = load("quoter", over={"MARKET": "standx"})
    tape, days = a_day()
    made = quoters.production(Stall(settings, 0.3, 10, False), "tiered", weight=0.0, executes=True)
    quoter = replace(made, cycle_ms=CYCLE_MS)
    charges = Charges(30_000, 450_000, 10, 20, settings.equity_usd)
    terms = Terms(int(tape.stamp_ns[0]), int(tape.stamp_ns[-1]), charges=charges, risk=settings.risk)
    vectors = (tape.what, tape.px_u, tape.sz_u, tape.stamp_ns, tape.begin, tape.begins_file)
    columns = sum(np.asarray(vector).nbytes for vector in vectors)
    seconds = []
    before = peak_bytes()  # reading the tape included: what playing adds to it
    for _ in range(turns):
        begin = time.process_time()
        play(tape, quoter, terms)
        seconds.append(time.process_time() - begin)
    pace, memory = days * 60.0 / min(seconds), (columns + max(peak_bytes() - before, 0)) / columns
    return {
        "backtest_day": row(pace, "days/min", DAYS_PER_MINUTE, pace / DAYS_PER_MINUTE, turns),
        "backtest_memory": row(memory, "x columns", MEMORY_RATIO, memory / MEMORY_RATIO, turns),
    }


def peak_bytes() -> int:
    """Highest resident memory of this process so far."""
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kib * (1 if sys.platform == "darwin" else 1024)


def start(turns: int = START_TURNS) -> dict[str, Any]:
    """CPU seconds from nothing to a replay that could begin, least of the turns: modules imported, machine code read.

    `read` is the second part alone; `numba` what that library takes before anything is ours.
    """
    whole, read, numba = [], [], []
    for _ in range(turns):
        both = seconds_of(BEGIN)
        whole.append(both[0])
        read.append(both[1])
        numba += seconds_of(NUMBA)
    return {
        "backtest_start": row(min(whole), "s", START_S, min(whole) / START_S, turns),
        "backtest_start_read": row(min(read), "s", START_S, min(read) / START_S, turns),
        "backtest_start_numba": row(min(numba), "s", START_S, min(numba) / START_S, turns),
    }


def seconds_of(program: str) -> list[float]:
    """The numbers that a process of its own prints; it may keep bytecode, as a user's does."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environ, check=True, capture_output=True, text=True
    )
    return [float(text) for text in done.stdout.split()]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(a_days_play()) + "\n")
