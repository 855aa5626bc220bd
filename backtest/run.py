"""`python -m backtest run`: what would this configuration have earned, and how sure can one be?

Opens one market or several (own recordings, event arrays, an archive, bars, or made-up ones), replays them under three
queue models and three latencies on all cores, and writes the report: a table in the terminal, a page, `latest.json`; of
several markets one for each, and one for the account they share. Decides what is played and where it is written; what a
market is comes from `stands.py`, the rules of time and matching from `replay.py`, figures from `report/`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from backtest.report import story, terminal, written
from backtest.report.bands import Result, result_of
from backtest.report.figures import Terms
from backtest.report.page import Material, write_page
from backtest.report.running import Done, Ran, all_replayed
from backtest.report.scenarios import KNOWN, QUEUES, USUAL, Scenario, scenarios
from backtest.report.several import terms_of, together
from backtest.report.words import Facts
from backtest.stands import Stand, pieces_of, stands_of
from common.config import PROFILES
from common.errors import ConfigError
from common.kernel import COMPILED
from common.sessions_file import calendar_of

MONTH_DAYS = 365.0 / 12.0
DAYS_MAX = 3_660.0


def arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--market", default="us500", help="profile in config/; several with commas share one account")
    add(
        "--data", default="auto",
        help="files or folder, or auto, recorded, hyperliquid, xyz100, btc, synthetic; MARKET=PATH,... for several",
    )  # fmt: skip
    add("--days", type=float, default=0.0, help="days to play, the newest ones (default: all of a PATH, else a week)")
    add("--months", type=float, default=0.0, help="the same in months: a stress run of three scenarios")
    add("--profile", default="", choices=("", *PROFILES), help="default: the market file's")
    add(
        "--leverage", type=int, default=0, help="default: the market file's; more than the market allows is its maximum"
    )
    add("--latency", default=USUAL, help=f"of the headline: {KNOWN}")
    add("--queue", default="risk-averse", choices=QUEUES, help="of the headline")
    add("--scenarios", default="", choices=("", "nine", "three", "one"), help="how much of the band is played")
    add("--fee", type=float, default=None, help="maker fee in bps; default: the venue's schedule for this market")
    add("--tick", type=float, default=0.0, help="price step of our orders in quote; default: the venue's")
    add("--strict", action="store_true", help="keep two ticks from the opposite best")
    add("--model", default="auto", help="forecast: auto (models/MARKET.json if it may be used), none, or a file")
    add("--budget", choices=("counted", "enforced"), default="enforced", help="whether unearned actions are refused")
    add("--seed", type=int, default=1, help="of made-up data and of resampling")
    add("--processes", type=int, default=0, help="default: one more than cores")
    add("--out", type=Path, default=None, help="folder of the report (default reports/backtest)")


def main(told: argparse.Namespace) -> int:
    """Run and report; raises ConfigError and BadInput for what the person must change."""
    began = time.monotonic()
    if not COMPILED:
        raise ConfigError("the backtest needs compiled kernels: unset AMM_KERNELS")
    days, band = days_of(told), band_of(told)
    stands = stands_of(told, days)
    for stand in stands:
        sys.stderr.write(f"source: {f'{stand.name}: ' if len(stands) > 1 else ''}{stand.opened.name}\n")
        check_recorded(stand, band)
    ran = played(stands, band, told)
    results = [result_for(m, stand, ran, band, told.seed) for m, stand in enumerate(stands)]
    facts = [facts_for(stand, band, result, days) for stand, result in zip(stands, results, strict=True)]
    default = stands[0].settings.reports_dir / "backtest"
    folder = told.out or default
    report = Report(folder, default, lambda: time.monotonic() - began)
    if len(stands) == 1:
        report.write(facts[0], results[0], stands, newest=True)
        return 0
    for stand, lines, result in zip(stands, facts, results, strict=True):
        Report(folder / stand.name, default, report.seconds).write(lines, result, [stand], newest=False)
    whole = whole_result(stands, ran, band, told.seed)
    names = [stand.name for stand in stands]
    said = story.beside(list(zip(names, facts, results, strict=True)), whole)
    report.write(said, whole, stands, newest=True, markets=dict(zip(names, results, strict=True)))
    return 0


class Report:
    """Where a report goes: page, file and terminal."""

    def __init__(self, folder: Path, default: Path, seconds: Callable[[], float]) -> None:
        self._folder, self._default, self.seconds = folder, default, seconds

    def write(
        self, facts: Facts, result: Result, stands: Sequence[Stand], *, newest: bool,
        markets: dict[str, Result] | None = None,
    ) -> None:  # fmt: skip
        """`newest`: it is also what `reports/backtest/latest.json` says; `markets`: the parts of a whole."""
        command = "python -m backtest " + " ".join(sys.argv[1:])
        calendar = calendar_of(stands[0].settings) if len(stands) == 1 else None
        datasets = tuple(one for stand in stands for one in stand.opened.datasets)
        page = self._folder / "latest.html"
        self._folder.mkdir(parents=True, exist_ok=True)
        write_page(page, Material(facts, result, calendar, datasets, command, markets or {}))
        tree: dict[str, Any] = written.report(facts, result, calendar, datasets, command, self.seconds())
        if markets:
            tree["markets"] = {name: written.part(one) for name, one in markets.items()}
        paths = [self._folder / "latest.json", *([self._default / "latest.json"] if newest else [])]
        written.write(tree, list(dict.fromkeys(paths)))
        terminal.show(result, facts, page)


# ---------------------------------------------------------------------- what was asked for
def days_of(told: argparse.Namespace) -> float:
    """How many days are wanted; 0 = what is usual for the source."""
    if told.days and told.months:
        raise ConfigError("--days and --months say the same: give one")
    days = told.months * MONTH_DAYS if told.months else told.days
    if not 0.0 <= days <= DAYS_MAX:
        raise ConfigError(f"--days {days:g}: 0 (what is usual) to {DAYS_MAX:g}")
    return float(days)


def band_of(told: argparse.Namespace) -> tuple[Scenario, ...]:
    """Nine scenarios, or of a stress run the headline and the band's two corners."""
    wanted = told.scenarios or ("three" if told.months else "nine")
    band = scenarios(told.queue, told.latency, ends_only=wanted == "three")
    return band[:1] if wanted == "one" else band


def check_recorded(stand: Stand, band: Sequence[Scenario]) -> None:
    """Raises ConfigError where receive times are wanted and the data have none."""
    if not any(one.delays.is_recorded for one in band):
        return
    for part in stand.opened.parts:
        tape = part.load()
        if len(tape.local_ns) != len(tape.stamp_ns):
            raise ConfigError(f"--latency recorded: {part.name} does not say when it was received")


# ---------------------------------------------------------------------- play
def played(stands: Sequence[Stand], band: tuple[Scenario, ...], told: argparse.Namespace) -> Ran:
    """All replays, with a bar of days x scenarios."""
    whole = sum(stand.opened.days for stand in stands)
    with terminal.progress() as bar:
        task = bar.add_task(f"{len(band)} scenarios x {whole:.1f} days", total=len(band))

        def hear(done: Done) -> None:
            bar.advance(task, done.account.length_ns / 86_400e9 / whole)

        plans = [stand.plan for stand in stands]
        ran = all_replayed(pieces_of(stands), plans, band, hear, told.processes or None)
        bar.update(task, completed=len(band))
    return ran


def result_for(market: int, stand: Stand, ran: Ran, band: tuple[Scenario, ...], seed: int) -> Result:
    """One market's part of what was played."""
    settings = stand.settings
    terms = Terms(stand.plan.costs, settings.venue.growth_mode, seed)
    gates = {scenario: ran.gates[market, scenario] for scenario in band}
    return result_of([one for one in ran.done if one.market == market], band, terms, settings.risk.hard_ratio, gates)


def facts_for(stand: Stand, band: tuple[Scenario, ...], result: Result, days: float) -> Facts:
    return story.facts_of(
        stand.settings, stand.opened, stand.plan, band, result, stand.why_none, leverage_asked=stand.leverage_asked,
        days_asked=days,
    )  # fmt: skip


def whole_result(stands: Sequence[Stand], ran: Ran, band: tuple[Scenario, ...], seed: int) -> Result:
    """The account of all markets."""
    growths = [stand.settings.venue.growth_mode for stand in stands]
    terms = terms_of([stand.plan for stand in stands], growths, seed)
    hard_ratio = sum(stand.settings.risk.hard_ratio for stand in stands)
    return result_of(together(ran.done, [stand.name for stand in stands]), band, terms, hard_ratio)
