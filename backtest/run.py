"""`python -m backtest run`: what would this configuration have earned, and how sure can one be?

Opens a market (own recordings, event arrays, an archive, bars, or a made-up one), replays it under three queue models
and three latencies on all cores, and writes the report: a table in the terminal, a page, `latest.json`. Decides what
is played and what is said of it; data come from `data/`, the rules of time and matching from `replay.py`, figures from
`report/`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from backtest.data.opened import Opened, joined
from backtest.data.sources import open_source
from backtest.quoters import Stall
from backtest.report import terminal, written
from backtest.report.account import Costs
from backtest.report.bands import Result, result_of
from backtest.report.figures import Terms
from backtest.report.page import Material, write_page
from backtest.report.running import Done, Plan, all_replayed
from backtest.report.scenarios import QUEUES, Scenario, scenarios
from backtest.report.story import facts_of
from backtest.tape import Tape
from common.config import PROFILES, Settings, load
from common.errors import BadInput, ConfigError
from common.kernel import COMPILED, ROOT
from common.sessions_file import calendar_of
from common.ticks import px_decimals, tick_u
from quoter.card import Card, accept
from quoter.card_file import model_path, read_card
from simvenue.market import market_of
from simvenue.money.fees import PPB_PER_BPS, rates_ppb

MONTH_DAYS = 365.0 / 12.0
DAYS_MAX = 3_660.0
WHOLE_DAYS_MAX = 31.0
"""A span up to this is one replay from its begin to its end; a longer one is played part by part (`data/opened.py`)."""
NEXT_WITHIN_NS = 3_600 * 10**9
"""Parts that follow each other within an hour belong to one replay."""
CACHE = ROOT / "run" / "backtest"


def arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--market", default="us500", help="profile in config/")
    add("--data", default="auto", help="files or folder, or auto, recorded, hyperliquid, xyz100, btc, synthetic")
    add("--days", type=float, default=0.0, help="days to play, the newest ones (default: all of a PATH, else a week)")
    add("--months", type=float, default=0.0, help="the same in months: a stress run of three scenarios")
    add("--profile", default="", choices=("", *PROFILES), help="default: the market file's")
    add(
        "--leverage", type=int, default=0, help="default: the market file's; more than the market allows is its maximum"
    )
    add("--latency", default="typical", help="of the headline: good, typical, bad or FEED,ORDER in ms")
    add("--queue", default="risk-averse", choices=QUEUES, help="of the headline")
    add("--scenarios", default="", choices=("", "nine", "three", "one"), help="how much of the band is played")
    add("--fee", type=float, default=None, help="maker fee in bps; default: the venue's schedule for this market")
    add("--tick", type=float, default=0.0, help="price step of our orders in quote; default: the venue's")
    add("--strict", action="store_true", help="keep two ticks from the opposite best")
    add("--model", default="auto", help="forecast: auto (models/MARKET.json if it may be used), none, or a file")
    add("--budget", choices=("counted", "enforced"), default="counted", help="whether unearned actions are refused")
    add("--seed", type=int, default=1, help="of made-up data and of resampling")
    add("--processes", type=int, default=0, help="default: one a core")
    add("--out", type=Path, default=None, help="folder of the report (default reports/backtest)")


def main(told: argparse.Namespace) -> int:
    """Run and report; raises ConfigError and BadInput for what the person must change."""
    began = time.monotonic()
    if not COMPILED:
        raise ConfigError("the backtest needs compiled kernels: unset AMM_KERNELS")
    settings, asked = settings_of(told)
    days = days_of(told)
    opened = open_source(told.data, settings, days, CACHE, seed=told.seed)
    sys.stderr.write(f"source: {opened.name}\n")
    card, why_none = forecast_of(told.model, settings, opened)
    plan = plan_of(told, settings, opened, card)
    band = band_of(told)
    result = played(opened, plan, band, told, settings)
    command = "python -m backtest " + " ".join(sys.argv[1:])
    facts = facts_of(settings, opened, plan, band, result, why_none, leverage_asked=asked, days_asked=days)
    folder = told.out or settings.reports_dir / "backtest"
    page, calendar = folder / "latest.html", calendar_of(settings)
    folder.mkdir(parents=True, exist_ok=True)
    write_page(page, Material(facts, result, calendar, opened.datasets, command))
    tree = written.report(facts, result, calendar, opened.datasets, command, time.monotonic() - began)
    written.write(tree, [folder / "latest.json", settings.reports_dir / "backtest" / "latest.json"])
    terminal.show(result, facts, page)
    return 0


# ---------------------------------------------------------------------- what was asked for
def settings_of(told: argparse.Namespace) -> tuple[Settings, int]:
    """The market's settings, and the leverage asked for when it is more than the market allows (else 0)."""
    over = {"MARKET": told.market} | ({"PROFILE": told.profile} if told.profile else {})
    settings = load("quoter", over=over)
    if told.leverage < 0:
        raise ConfigError(f"--leverage {told.leverage}: 1 or more")
    if not told.leverage:
        return settings, 0
    most = settings.venue.max_leverage
    execution = settings.execution.model_copy(update={"leverage": min(told.leverage, most)})
    return settings.model_copy(update={"execution": execution}), told.leverage if told.leverage > most else 0


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


def forecast_of(text: str, settings: Settings, opened: Opened) -> tuple[Card | None, str]:
    """The forecast that may be used on this span, else why there is none; never one fitted on what is played."""
    if text == "none":
        return None, "none was wanted"
    path = model_path(settings) if text == "auto" else Path(text)
    try:
        card = read_card(path)
    except BadInput as error:
        if text != "auto":
            raise
        return None, error.detail
    first, last = opened.parts[0].first_t_ns, opened.parts[-1].last_t_ns
    overlaps = card.start_t_ns <= last and first <= card.end_t_ns
    why = "fitted on what is played" if overlaps else accept(card, settings.market.coin, first, float("inf"))
    if why and text != "auto":
        raise ConfigError(f"--model {path.name}: {why}")
    return (None, f"{path.name}: {why}") if why else (card, "")


def plan_of(told: argparse.Namespace, settings: Settings, opened: Opened, card: Card | None) -> Plan:
    """Fees, price step and profile of every replay."""
    maker_ppb, taker_ppb = rates_ppb(market_of(settings))
    if told.fee is not None:
        if not -10.0 <= told.fee <= 100.0:
            raise ConfigError(f"--fee {told.fee:g}: -10..100 bps")
        maker_ppb = round(told.fee * PPB_PER_BPS)
    decimals = settings.venue.sz_decimals
    tick = round(told.tick * 10 ** px_decimals(decimals)) if told.tick else 0
    costs = Costs(maker_ppb, taker_ppb, settings.execution.leverage, settings.venue.max_leverage, settings.equity_usd)
    if not tick:
        tick = tick_u(int(opened.parts[0].load().px_u[0]), decimals)
    stall = Stall(settings, maker_ppb / PPB_PER_BPS, tick, told.strict)
    return Plan(
        stall, settings.quoting.profile, costs, card, opened.kind in ("synthetic", "bars"), told.budget == "enforced"
    )


# ---------------------------------------------------------------------- play
def pieces(opened: Opened) -> Iterator[Tape]:
    """Tapes to be replayed apart: a short span in one, a long one part by part."""
    if opened.days > WHOLE_DAYS_MAX:
        yield from opened.tapes()
        return
    run: list[Tape] = []
    for tape in opened.tapes():
        if run and tape.stamp_ns[0] - run[-1].stamp_ns[-1] > NEXT_WITHIN_NS:
            yield joined(run)
            run = []
        run.append(tape)
    yield joined(run)


def played(
    opened: Opened, plan: Plan, band: tuple[Scenario, ...], told: argparse.Namespace, settings: Settings
) -> Result:
    """All replays, with a bar of days x scenarios."""
    with terminal.progress() as bar:
        task = bar.add_task(f"{len(band)} scenarios x {opened.days:.1f} days", total=len(band))
        whole = opened.days

        def hear(done: Done) -> None:
            bar.advance(task, done.account.length_ns / 86_400e9 / whole)

        done = all_replayed(pieces(opened), plan, band, hear, told.processes or None)
        bar.update(task, completed=len(band))
    terms = Terms(plan.costs, settings.venue.growth_mode, told.seed)
    return result_of(done, band, terms, settings.risk.hard_ratio)
