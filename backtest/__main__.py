"""`python -m backtest edge ...`: research on recordings; see each command's --help."""

from __future__ import annotations

import argparse
import sys

from backtest import run
from backtest.data import fetch
from backtest.studies import edge, foresight, planted, queue_watch, vol
from common.errors import EXIT_CONFIG, EXIT_FAULT, BadInput, ConfigError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m backtest")
    commands = parser.add_subparsers(dest="command", required=True)
    edge.arguments(
        commands.add_parser("edge", help="what each quoter would have earned, and what the forecast is worth")
    )
    run.arguments(commands.add_parser("run", help="what a configuration would have earned, with its report"))
    vol.arguments(commands.add_parser("vol", help="which volatility estimator forecasts best"))
    fetch.arguments(commands.add_parser("fetch", help="bring a market's history into data/"))
    foresight.arguments(commands.add_parser("lookahead", help="does a replay know anything before it could?"))
    planted.arguments(commands.add_parser("planted", help="what the engine earns where the truth was planted"))
    queue_watch.arguments(commands.add_parser("queue", help="the queue estimate against the venue's own queue"))
    mains = {
        "edge": edge.main, "run": run.main, "vol": vol.main, "fetch": fetch.main, "lookahead": foresight.main,
        "planted": planted.main, "queue": queue_watch.main,
    }  # fmt: skip
    told = parser.parse_args()
    try:
        return mains[told.command](told)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CONFIG
    except BadInput as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAULT


if __name__ == "__main__":
    raise SystemExit(main())
