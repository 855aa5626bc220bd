"""What one full ladder costs: 15 levels a side through all stages, compiled, in plain Python, and through the engine.

ladder_warm: the price has moved a little, no slow input has; ladder_cold: another market, volatility, fee and position
each time, so that nothing of the last decision can be taken over (both with 200 marked-out fills a side, and with the
call from Python in them); ladder_call: that call alone, of a kernel with the same arguments that does nothing;
ladder_engine: a market message in, the decision, its record and the ladder message out. Each process times itself in
many turns of about a millisecond, short enough to fall between what others do on the machine, which only ever adds,
and gives the best turn's mean. The peer of a compiled figure is the same work in plain Python in the same run; `ratio`
is value over peer.

`python -m bench.ladder` prints them; with `--times` as one JSON line of this process' own mode.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from common.kernel import COMPILED, ROOT, SIGNATURES, kernel
from common.messages import Ladder
from quoter.adverse import learn_reach
from quoter.quote import quote_sides
from quoter.state import I_POSITION, NS, O_COUNT, S_FAIR, S_FEE, S_MICRO, S_VOL_FAST
from tests.unit.quoter.builders import PX, T0, Desk, Rig, a_book

LEVELS = 15
TURNS = 300
FILLS = 200
WANTED_US: dict[str, float | None] = {
    "ladder_warm": 2.0, "ladder_cold": 6.0, "ladder_engine": 100.0, "ladder_call": None,
}  # fmt: skip


@kernel(SIGNATURES["quoter.quote.quote_sides"])
def nothing(
    state: list[float], ints: list[int], params: list[float], book: list[int], t_ns: int, out: list[int]
) -> int:
    """What the call alone costs."""
    return t_ns


def best_us(work: Callable[[int], None], calls: int) -> float:
    """Microseconds a call in the best of several turns."""
    found = []
    for _ in range(TURNS):
        began = time.perf_counter_ns()
        for k in range(calls):
            work(k)
        found.append((time.perf_counter_ns() - began) / calls / 1e3)
    return min(found)


def a_rig(seed: int = 0) -> Rig:
    """A market that carries the whole ladder on both sides."""
    rng = random.Random(seed)
    rig = Rig(order_levels=LEVELS).told(equity=10_000.0, hard=5_000.0, soft=2_500.0)
    rig.vol(rng.uniform(0.05, 0.2)).see(*a_book(PX + 10 * seed))
    rig.ints[I_POSITION] = rng.randrange(-200, 200)
    for fill in range(2 * FILLS):
        learn_reach(rig.state, rig.ints, fill % 2, rng.uniform(0.3, 20.0), rng.gauss(0.3, 1.0))
    return rig


def times() -> dict[str, float]:
    """This process' figures."""
    turn, engine_turn = (400, 10) if COMPILED else (8, 2)
    one, many = a_rig(), [a_rig(seed) for seed in range(64)]
    near = [float(one.state[S_MICRO]) + step for step in range(-8, 8)]

    def warm(k: int) -> None:
        one.state[S_MICRO] = near[k % 16]
        quote_sides(one.state, one.ints, one.params, one.vector, T0 + k, one.out)

    def cold(k: int) -> None:
        rig = many[k % len(many)]
        rig.state[S_VOL_FAST] = 0.05 + 0.06 * (k // len(many) % 2)
        rig.state[S_FEE] = 0.3 + 0.001 * (k // len(many) % 7)
        quote_sides(rig.state, rig.ints, rig.params, rig.vector, T0 + k * NS, rig.out)

    def call(k: int) -> None:
        nothing(one.state, one.ints, one.params, one.vector, T0 + k, one.out)

    warm(0)
    if one.out[O_COUNT] + one.out[O_COUNT + 1] < 2 * LEVELS - 6 or one.state[S_FAIR] <= 0.0:
        raise SystemExit("the ladder of the benchmark is not whole")
    return {
        "ladder_warm": best_us(warm, turn),
        "ladder_cold": best_us(cold, turn),
        "ladder_engine": best_us(_engine(), engine_turn),
        "ladder_call": best_us(call, turn),
    }


def _engine() -> Callable[[int], None]:
    """One market message that moves every quote: decision, record and ladder message."""
    desk = Desk(order_levels=LEVELS)
    desk.send(desk.spec(), desk.context(), desk.account(10_000.0), desk.permit(soft_usd=2_500.0, hard_usd=5_000.0))
    desk.send(desk.book())
    books = [desk.book(PX + 400 * k) for k in (1, 0)]
    turn = 0

    def move(k: int) -> None:
        nonlocal turn
        turn += 1
        out = desk.send(books[1 - turn % 2]).out
        if not any(isinstance(item, Ladder) for item in out):
            raise SystemExit("a move of the market gave no ladder")

    return move


def rows() -> dict[str, Any]:
    """Compiled figures beside plain ones, for `reports/bench.json`."""
    compiled, plain = (_in_process(mode) for mode in ("", "plain"))
    return {
        name: {
            "value": round(compiled[name], 3), "unit": "us", "peer": round(plain[name], 1),
            "floor": round(plain[name], 1), "ratio": round(compiled[name] / plain[name], 4), "wanted": wanted,
            "samples": TURNS,
        }
        for name, wanted in WANTED_US.items()
    }  # fmt: skip


def _in_process(mode: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.ladder", "--times"]
    environ = {**os.environ, "AMM_KERNELS": mode}
    found = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True, timeout=600)
    told: dict[str, float] = json.loads(found.stdout.splitlines()[-1])
    return told


def main(arguments: list[str]) -> int:
    sys.stdout.write(json.dumps(times() if "--times" in arguments else rows()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
