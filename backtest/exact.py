"""`python -m backtest.exact`: a span of a recording through the exact world, with the session's own report.

The same engines, market, latencies and block period as `make demo MARKET= DATA=`, on one virtual clock, so that what
the processes trade can be held against what their engines would trade without the machine's own delays. The figures are
those of the monitor's session report (`monitor/session.py`); beside them stand the venue's own count and our residual.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from backtest.tape import read_tape
from backtest.timing import Timing
from backtest.world import World, WorldPlayed, play_world
from common.clock import MS, NS
from common.config import load
from common.errors import EXIT_CONFIG, EXIT_FAULT, EXIT_OK, BadInput, ConfigError
from monitor.session import session
from simvenue.book.queue_model import MODELS
from simvenue.desk.blocks import BLOCK_MS
from simvenue.door.latency import LATENCIES
from simvenue.recorded.recording import recordings

HOUR_NS = 3_600 * NS


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m backtest.exact", description=__doc__)
    parser.add_argument("--market", default="standx", help="profile in config/")
    parser.add_argument("--data", type=Path, required=True, help="an event array (.npz) or a folder of them")
    parser.add_argument("--from-hour", type=float, default=0.0, help="hours of the recording to leave out first")
    parser.add_argument("--hours", type=float, default=4.0, help="market hours to play; 0 = to the end")
    parser.add_argument("--latency", choices=sorted(LATENCIES), default="typical")
    parser.add_argument("--queue", choices=sorted(MODELS), default="risk-averse")
    parser.add_argument("--block-ms", type=int, default=BLOCK_MS)
    parser.add_argument("--keep-gaps", action="store_true", help="play silences as they are instead of cutting them")
    parser.add_argument("--speed", type=float, default=1.0, help="market seconds a second, as the demo's SPEED")
    parser.add_argument("--json", action="store_true", help="the whole session report")
    return parser


def timing_of(told: argparse.Namespace) -> Timing:
    latency = LATENCIES[told.latency]
    return replace(
        Timing(), feed_ns=latency.feed_ns, order_ns=latency.order_ns, reply_ns=latency.reply_ns,
        block_ns=told.block_ms * MS,
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    told = arguments().parse_args(argv)
    try:
        settings = load("quoter", over={"MARKET": told.market})
        tape = read_tape(recordings(told.data), settings.venue.sz_decimals)
        first = int(tape.stamp_ns[0]) + round(told.from_hour * HOUR_NS)
        worlds: list[World] = []
        began_s = time.process_time()
        played = play_world(
            tape, settings, timing_of(told), from_t_ns=first,
            market_ns=round(told.hours * HOUR_NS), cut_gaps=not told.keep_gaps, queue=told.queue, rate=told.speed,
            seen=worlds.append,
        )  # fmt: skip
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CONFIG
    except BadInput as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAULT
    report = report_of(worlds[0], played)
    spent_s = time.process_time() - began_s
    text = msgspec.json.format(msgspec.json.encode(report), indent=1).decode() if told.json else shown(report)
    sys.stdout.write(f"{text}\n{played.delivered / spent_s:.0f} messages delivered a second of this core's time\n")
    return EXIT_OK if report["residual_e8"] == 0 else EXIT_FAULT


def report_of(world: World, played: WorldPlayed) -> dict[str, Any]:
    """The session report, what the venue says, and by how much the two differ (1e-8 quote, 0 = not at all)."""
    return {
        **session(world.monitor.monitor, "world", played.mark_px_u),
        "venue_fills": played.account["fills"],
        "residual_e8": played.parts.total_e8 - played.earned_e8,
        "digest": played.digest,
    }


def shown(report: dict[str, Any]) -> str:
    """The lines a person compares with the demonstration's."""
    edge, pnl = report["edge_bps"], report["pnl"]
    parts = ", ".join(f"{name} {pnl[name]:+.4f}" for name in ("net", "spread", "inventory", "fees", "funding"))
    return "\n".join(
        (
            f"{report['market']} {report['span']} ({report['market_hours']} market hours, {report['cut_s']:.0f} s cut)",
            f"{report['fills']} fills, {report['volume_usd']:.0f} USD, maker share {report['maker_share']}",
            f"USD: {parts}; residual {report['residual_e8']}e-8",
            f"net edge at 60 s, bps: {edge['mean']} [{edge['lo']}, {edge['hi']}]",
            f"{report['actions_per_market_minute']} actions a market minute",
            f"log {report['digest'][:16]}",
        )
    )


if __name__ == "__main__":
    sys.exit(main())
