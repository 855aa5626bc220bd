"""`make bench`: each figure beside its floor or peer, measured in the same run; writes `reports/bench.json`.

tick_to_order: a market message is handed to the feed's socket -> the order's first bytes reach the venue's socket,
through the real feed, quoter and executor processes and a real Redis, with the journal and the signature in the
path. Its floor is the same hops by the barest client. venue_*: what one simvenue carries (`capacity.py`). made_up_*:
how much faster than time its synthetic markets run (`made_up.py`). ladder_*: one ladder of 15 levels a side, beside the
same in plain Python (`ladder.py`). world_*: stream messages the exact world delivers a second of one core's time,
beside what is asked of it (`world.py`). backtest_*: the replay beside hftbacktest and its floors (`backtest.py`).
"""

from __future__ import annotations

import asyncio
import json
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import backtest, capacity, floor, ladder, made_up, script, world
from bench.tap import Tap, pair
from common.errors import EXIT_OK
from common.kernel import ROOT
from scripts.stack import Plan, Stack, wait_for

STEPS = 330
EVERY_S = 0.25
PORT_BASE = 31_000


async def tick_to_order(folder: Path) -> tuple[list[int], list[int]]:
    """(system, floor) in ns per round."""
    data = folder / "steps.npz"
    script.write(data, steps=STEPS, every_s=EVERY_S)
    async with Tap(3001 + PORT_BASE) as tap:
        plan = Plan(
            market="standx", data=data, latency="zero", port_base=PORT_BASE, run_dir=folder / "run", cut_gaps=False,
            environ={"VENUE_URL": f"http://127.0.0.1:{tap.port}", "ACTION_BUDGET_HORIZON_H": "0.05"},
        )  # fmt: skip
        stack = Stack(plan)
        try:
            stack.prepare()
            stack.start()
            await asyncio.to_thread(wait_for, lambda: stack.resting() > 0, 60, "first quotes at the venue")
            floor_times = await asyncio.to_thread(floor.measure, str(stack.dir / "redis" / "redis.sock"))
            tap.quotes_ns.clear()
            tap.orders_ns.clear()
            await asyncio.sleep(STEPS * EVERY_S * 0.7)
            return pair(tap.quotes_ns, tap.orders_ns), floor_times
        finally:
            await asyncio.to_thread(stack.stop)


def main() -> int:
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="amm-bench-") as folder:
        system, bare = asyncio.run(tick_to_order(Path(folder)))
    for name, place in (("p50", 0), ("p99", 1)):
        value, least = floor.percentiles(system)[place], floor.percentiles(bare)[place]
        results[f"tick_to_order_{name}"] = {
            "value": round(value, 4),
            "unit": "ms",
            "floor": round(least, 4),
            "ratio": round(value / least, 2),
            "samples": len(system),
        }
    with tempfile.TemporaryDirectory(prefix="amm-bench-") as folder:
        results |= capacity.rows(Path(folder))
    results |= made_up.rows()
    results |= ladder.rows()
    results |= backtest.rows()
    results |= world.rows()
    path = ROOT / "reports" / "bench.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
    sys.stdout.write(f"{platform.machine()} {platform.system()}, Python {platform.python_version()}\n")
    for name, row in results.items():
        sys.stdout.write(
            f"  {name:22s} {row['value']:8.3f} {row['unit']}  floor {row['floor']:8.3f}  ratio {row['ratio']:5.2f}"
            f"  ({row['samples']} samples)\n"
        )
    sys.stdout.write(f"written: {path.relative_to(ROOT)}\n")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
