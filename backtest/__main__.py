"""`python -m backtest run ...`: backtests and research on recordings; see each command's --help."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import Any

from common.errors import EXIT_CONFIG, EXIT_FAULT, BadInput, ConfigError

COMMANDS = {
    "run": ("backtest.run", "what a configuration would have earned, with its report"),
    "edge": ("backtest.studies.edge", "what each quoter would have earned, and what the forecast is worth"),
    "planted": ("backtest.studies.planted", "what the engine earns where the truth was planted"),
    "vol": ("backtest.studies.vol", "which volatility estimator forecasts best"),
    "lookahead": ("backtest.studies.foresight", "does a replay know anything before it could?"),
    "queue": ("backtest.studies.queue_watch", "the queue estimate against the venue's own queue"),
    "fetch": ("backtest.data.fetch", "bring a market's history into data/"),
}


def main() -> int:
    told, command = parsed(sys.argv[1:])
    try:
        done: int = command.main(told)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CONFIG
    except BadInput as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAULT
    return done


def parsed(words: list[str]) -> tuple[argparse.Namespace, Any]:
    """What was asked for, and the module that does it: the only one that is imported."""
    parser = argparse.ArgumentParser(prog="python -m backtest")
    commands = parser.add_subparsers(dest="command", required=True)
    wanted = next((word for word in words if word in COMMANDS), "")
    chosen: Any = None
    for name, (module, does) in COMMANDS.items():
        its = commands.add_parser(name, help=does)
        if name == wanted:
            chosen = importlib.import_module(module)
            chosen.arguments(its)
    return parser.parse_args(words), chosen


if __name__ == "__main__":
    raise SystemExit(main())
