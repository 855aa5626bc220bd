"""`python -m backtest edge ...`: research on recordings; see each command's --help."""

from __future__ import annotations

import argparse
import sys

from backtest import edge
from common.errors import EXIT_CONFIG, EXIT_FAULT, BadInput, ConfigError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m backtest")
    commands = parser.add_subparsers(dest="command", required=True)
    edge.arguments(
        commands.add_parser("edge", help="what each quoter would have earned, and what the forecast is worth")
    )
    told = parser.parse_args()
    try:
        return edge.main(told)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CONFIG
    except BadInput as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAULT


if __name__ == "__main__":
    raise SystemExit(main())
