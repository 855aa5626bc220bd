"""Two recorded days played with and without the action economics, each with a forecast fitted on the other day.

`python -m tests.support.economics_days FILE...` prints one JSON object: for each day and profile the actions a day and,
hour by hour, the net USD without and with the rule. A process of its own, because it needs compiled kernels.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from backtest import quoters
from backtest.loop.fixed import L_PRICE
from backtest.playing import Terms, play
from backtest.quoters import Stall
from backtest.scoring import HOUR_NS, by_block
from backtest.studies.edge import fitted, rows_of, tick_px_u
from backtest.tape import cut, read_tape
from common.config import load
from quoter.rows import span_ns
from quoter.samples import take_samples

FEE_BPS = 0.3
PROFILES = ("tiered", "lean")
DAYS = {"2026-01-06": "2026-01-07", "2026-01-07": "2026-01-06"}


def main(paths: list[str]) -> int:
    settings = load("quoter", over={"MARKET": "standx"})
    tape = read_tape([Path(path) for path in paths], settings.venue.sz_decimals)
    samples = take_samples(rows_of(tape))
    stall = Stall(settings, FEE_BPS, tick_px_u("0.1", tape, settings), strict=True)
    found: dict[str, Any] = {}
    for scored, fitted_on in DAYS.items():
        card, why = fitted(samples, span_ns(fitted_on), settings)
        if card is None:
            raise SystemExit(f"no forecast of {fitted_on}: {why}")
        terms = Terms(*span_ns(scored))
        part = cut(tape, *span_ns(scored))
        for profile in PROFILES:
            rows = {}
            for name, price_usd in (("off", 0.0), ("on", settings.execution.action_price_usd)):
                quoter = quoters.production(stall, profile, weight=1.0)
                quoter.lean[L_PRICE] = price_usd
                played = play(part, quoter, terms, card.model())
                rows[name] = {
                    "actions": played.actions,
                    "usd_by_hour": by_block(played, FEE_BPS, HOUR_NS)[1].tolist(),
                }
            found[f"{profile} {scored}"] = rows
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
