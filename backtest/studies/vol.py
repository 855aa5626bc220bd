"""`python -m backtest vol`: which volatility estimator forecasts best on a recording or on bars, and by how much.

Reads, asks `vol_study.py` and prints one row an estimator: QLIKE, its difference to what the quotes use (below 0 =
better), R2 of the log variance, and mean forecast over mean truth, with 95 % block-bootstrap intervals. It decides
nothing; `VOL_MODEL` in the configuration does.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from backtest.studies.vol_grid import Grid, read_grid
from backtest.studies.vol_study import NAMES, USED, Scored, forecasts, scores
from common.config import load
from common.errors import ConfigError
from common.kernel import COMPILED
from common.stats import Interval


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--market", default="standx", help="profile in config/")
    parser.add_argument("--data", nargs="+", required=True, help="event arrays (.npz) or a folder, or one file of bars")
    parser.add_argument("--out", type=Path, default=None, help="also write the figures there, as JSON")


def main(told: argparse.Namespace) -> int:
    """Raises ConfigError and BadInput for what the person must change."""
    if not COMPILED:
        raise ConfigError("the volatility study needs compiled kernels: unset AMM_KERNELS")
    settings = load("quoter", over={"MARKET": told.market})
    grid = read_grid(told.data, told.market, settings.venue.sz_decimals)
    rows = scores(forecasts(grid, settings), grid.block_ns)
    show(grid, rows)
    if told.out is not None:
        told.out.write_bytes(
            msgspec.json.format(msgspec.json.encode({row.name: row._asdict() for row in rows})) + b"\n"
        )
    return 0


def show(grid: Grid, rows: list[Scored]) -> None:
    table = Table(title=heading(grid, rows))
    for name in ("estimator", "QLIKE", f"less that of {USED}", "R2 (log)", "mean / truth"):
        table.add_column(name, justify="left" if name == "estimator" else "right")
    for row in sorted(rows, key=lambda row: row.qlike.mean):
        table.add_row(row.name, said(row.qlike), said(row.against, "+"), said(row.r2), f"{row.bias:.2f}")
    Console(width=120).print(table)


def heading(grid: Grid, rows: list[Scored]) -> str:
    """What was scored on what."""
    count = next(row for row in rows if row.name == NAMES[0]).qlike
    what = "minutes from 5 s mids" if grid.bars_a_period == 1 else "periods of twelve bars"
    return f"{grid.name}: {count.n} {what}, {count.blocks} blocks"


def said(found: Interval, sign: str = "") -> str:
    if found.lo is None or found.hi is None:
        return f"{found.mean:{sign}.3f}"
    return f"{found.mean:{sign}.3f} [{found.lo:{sign}.3f}, {found.hi:{sign}.3f}]"
