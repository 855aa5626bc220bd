"""The report as people read it in a terminal: progress while it runs, then one table, verdicts and the page's path."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from backtest.report.bands import Result
from backtest.report.headings import HEADINGS, shown, spanned
from backtest.report.targets import IMPOSSIBLE, MET
from backtest.report.words import Facts, answer, exact, number, said_liquidation

WIDTH = 130
"""Columns when nobody's terminal says otherwise."""
COLOURS = {MET: "green", IMPOSSIBLE: "yellow"}


def console(*, on_stderr: bool = False) -> Console:
    stream = sys.stderr if on_stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else WIDTH, highlight=False)


def progress() -> Progress:
    """A bar of replays; on a terminal it moves, in a log it is written once."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console(on_stderr=True),
    )  # fmt: skip


def show(result: Result, facts: Facts, page: Path) -> None:
    out = console()
    asked = f" (the market's maximum; {facts.leverage_asked} was asked for)" if facts.leverage_asked else ""
    out.print(f"\n[bold]{facts.coin}[/bold], {facts.profile}, leverage {facts.leverage}{asked}, {facts.span}")
    out.print(f"source: {facts.source}\n")
    out.print(_figures(result))
    out.print(_targets(result))
    parts = result.base.account.parts_e8
    names = ("spread", "inventory", "fees", "funding")
    out.print(f"net PnL {exact(parts['net'])} USD = " + " ".join(f"{name} {exact(parts[name])}" for name in names))
    out.print(said_liquidation(result.played, result.at_full, facts))
    if facts.gate:
        out.print(facts.gate)
    out.print(f"[bold]{answer(result)[0]}[/bold]")
    out.print(f"report: {page}", soft_wrap=True)


def _figures(result: Result) -> Table:
    table = Table(show_edge=False, title=f"{result.base.scenario.name}; band over {len(result.found)} scenarios")
    table.add_column("figure", no_wrap=True)
    for column in ("value", "90 % interval", "band", "outer bounds"):
        table.add_column(column, justify="right", no_wrap=True)
    for band in result.bands:
        heading = HEADINGS[band.name]
        table.add_row(
            f"{heading.label}{', ' + heading.unit if heading.unit else ''}",
            shown(band.name, band.base.value) + _error(result, band.name),
            spanned(band.name, band.base.lo, band.base.hi), spanned(band.name, band.lo, band.hi),
            spanned(band.name, band.outer_lo, band.outer_hi),
        )  # fmt: skip
    return table


def _error(result: Result, name: str) -> str:
    """Sharpe's standard error beside it."""
    return f" ± {number(result.sharpe_se, 2)}" if name == "sharpe" and result.sharpe_se is not None else ""


def _targets(result: Result) -> Table:
    table = Table(show_edge=False, title="the seeds' targets")
    for column in ("target", "found", "verdict", "why"):
        table.add_column(column, justify="right" if column == "found" else "left", overflow="fold")
    for line in result.targets:
        colour = COLOURS.get(line.verdict, "red")
        table.add_row(line.target.name, line.shown(line.value), f"[{colour}]{line.verdict}[/{colour}]", line.why)
    return table
