"""`python -m feed verify FILE...` and `python -m feed parquet FOLDER...`: recordings looked at, and made into tables.

Runs beside the feed, never in it. Exit codes: 0 done, 1 something recorded is damaged, 78 a wrong command line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from common.errors import EXIT_CONFIG, EXIT_FAULT, EXIT_OK, BadInput, ConfigError
from feed.disk import RAW_FOLDER, SUFFIX
from feed.verify import lines, verify

NO_PYARROW = "Parquet needs pyarrow: python -m pip install --require-hashes -r requirements/recordings.txt"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message} (see python -m feed --help)")


def run(arguments: Sequence[str]) -> int:
    """The exit code; what was found is on stdout, what went wrong is one sentence on stderr."""
    try:
        given = _parser().parse_args(arguments)
        return _verify(given.paths) if given.tool == "verify" else _parquet(given.folders, given.unfinished)
    except (ConfigError, BadInput, OSError) as error:
        sys.stderr.write(f"feed: {error}\n")
        return EXIT_FAULT if isinstance(error, BadInput) else EXIT_CONFIG


def _parser() -> _Parser:
    parser = _Parser(prog="python -m feed", description="Tools for recordings; without a tool, the service itself.")
    tools = parser.add_subparsers(dest="tool", required=True, parser_class=_Parser)
    check = tools.add_parser("verify", help="frames, span, gaps and damage of raw recordings")
    check.add_argument("paths", nargs="+", type=Path, metavar="FILE", help=f"a {SUFFIX} file, or a folder of them")
    tables = tools.add_parser("parquet", help="one Parquet file per stream and finished hour")
    tables.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a market's folder, the one with raw/")
    tables.add_argument("--unfinished", action="store_true", help="the last hour too, whose file was never closed")
    return parser


def _verify(paths: Sequence[Path]) -> int:
    damaged = False
    for path in _files(paths):
        report = verify(path)
        damaged |= report.is_damaged
        for line in lines(report):
            sys.stdout.write(line + "\n")
    return EXIT_FAULT if damaged else EXIT_OK


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        found = sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]
        if not found:
            raise ConfigError(f"{path}: there is no {SUFFIX} file in this folder")
        yield from found


def _parquet(folders: Sequence[Path], unfinished_too: bool) -> int:
    try:
        from feed.tables import convert  # noqa: PLC0415 (pyarrow is not installed where the service runs)
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        raise ConfigError(NO_PYARROW) from None
    damaged = False
    for folder in folders:
        if not (folder / RAW_FOLDER).is_dir():
            raise ConfigError(f"{folder}: there is no folder {RAW_FOLDER} in it")
        for hour in convert(folder, unfinished_too=unfinished_too):
            damaged |= hour.damages > 0
            rows = ", ".join(f"{stream} {count}" for stream, count in hour.rows.items())
            lost = f"; {hour.damages} damages, {hour.unreadable} unreadable" if hour.damages or hour.unreadable else ""
            sys.stdout.write(f"{folder} {hour.hour}: {hour.done}{': ' * bool(rows)}{rows}{lost}\n")
    return EXIT_FAULT if damaged else EXIT_OK
