"""`python -m backtest fetch`: bring a market's history into `data/`, each part by itself.

Candles (1m, 5m, 15m, 1h: the newest 5,000 of each) and funding from the venue, for an index the S&P 100 from Yahoo, and
with `--archive` the venue's bucket, which is requester pays. A part that fails leaves one sentence and everything that
was there; the others go on. Ends with 75 when a part failed. Run again, it continues.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from backtest.data import bucket, yahoo
from backtest.data.asked import Yahoo
from backtest.data.history import EVERY_MS, fetch_candles, fetch_funding
from backtest.data.places import DATA, OEX, Places
from common.clock import wall_ms
from common.config import MAINNET_URL, Settings, load
from common.errors import EXIT_OK, EXIT_REFUSED, AmmError, ConfigError, LinkDown
from common.hyperliquid import InfoClient
from common.weights import Weights

DAYS = 30.0
DAYS_MAX = 1_100.0
TIMEOUT_S = 20.0
PATIENCE_S = 120.0
"""A request waits so long for its weight: the venue gives this address's share back within a minute."""

VENUE = "the venue"
Job = Callable[[Callable[[int, int], None]], Awaitable[str]]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--market", default="us500", help="profile in config/")
    parser.add_argument("--days", type=float, default=DAYS, help="how far back")
    parser.add_argument("--archive", action="store_true", help=f"books too: {bucket.PAYS}")
    parser.add_argument("--url", default=MAINNET_URL, help="the venue")
    parser.add_argument("--out", type=Path, default=DATA, help="the data folder")


def main(told: argparse.Namespace, console: Console | None = None, bars_of: Yahoo = yahoo.fetch) -> int:
    """Fetch and say what came; raises ConfigError for a wrong option."""
    if not 0 < told.days <= DAYS_MAX:
        raise ConfigError(f"--days {told.days:g}: more than 0, at most {DAYS_MAX:g}")
    settings = load("quoter", over={"MARKET": told.market})
    return asyncio.run(_fetch(told, settings, console or Console(), bars_of))


async def _fetch(told: argparse.Namespace, settings: Settings, console: Console, bars_of: Yahoo) -> int:
    places, coin, now_ms = Places(told.out), settings.market.coin, wall_ms()
    failures = 0
    silent: set[str] = set()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}"), TimeRemainingColumn())
    async with InfoClient(told.url, Weights("fetch"), TIMEOUT_S, PATIENCE_S) as client:
        with Progress(*columns, console=console, transient=True) as progress:
            for title, host, job in _jobs(told, settings, client, places, now_ms, bars_of):
                if host in silent:
                    failures += 1
                    continue
                task = progress.add_task(title, total=None)
                try:
                    _say(console, f"{title}: {await job(partial(_show, progress, task))}")
                except LinkDown as error:
                    silent.add(host)
                    failures += 1
                    _say(console, f"{title}: not fetched: {error}; what is there stays, and {host} is asked no further")
                except AmmError as error:
                    failures += 1
                    _say(console, f"{title}: not fetched: {error}; what is there stays")
                progress.remove_task(task)
    if not told.archive:
        _say(console, f"{coin} books: not asked for (--archive): {bucket.PAYS}")
    return EXIT_REFUSED if failures else EXIT_OK


def _jobs(
    told: argparse.Namespace, settings: Settings, client: InfoClient, places: Places, now_ms: int, bars_of: Yahoo
) -> list[tuple[str, str, Job]]:
    """(title, who is asked, what to do)."""
    coin, days = settings.market.coin, told.days
    jobs: list[tuple[str, str, Job]] = []
    for interval in EVERY_MS:
        job = partial(_candles, client, places, coin, interval, days, now_ms)
        jobs.append((f"{coin} candles {interval}", VENUE, job))
    jobs.append((f"{coin} funding", VENUE, partial(_funding, client, places, coin, days, now_ms)))
    if settings.market.kind == "index":
        jobs.append((f"{OEX} bars", "Yahoo", partial(_stand_in, places, days, bars_of)))
    if told.archive:
        jobs.append((f"{coin} books", bucket.BUCKET, partial(_books, places, coin, days, now_ms)))
    return jobs


async def _candles(
    client: InfoClient, places: Places, coin: str, interval: str, days: float, now_ms: int,
    tell: Callable[[int, int], None],
) -> str:  # fmt: skip
    got = await fetch_candles(client, places, coin, interval, days, now_ms)
    tell(got.rows, got.rows)
    return f"{got.new} new, {got.rows} in all, {got.rows * EVERY_MS[interval] / 86_400_000:.1f} days"


async def _funding(
    client: InfoClient, places: Places, coin: str, days: float, now_ms: int, tell: Callable[[int, int], None]
) -> str:
    got = await fetch_funding(client, places, coin, days, now_ms, tell)
    return f"{got.new} new, {got.rows} hours in all"


async def _stand_in(places: Places, days: float, bars_of: Yahoo, tell: Callable[[int, int], None]) -> str:
    """yfinance blocks, so it has a thread of its own."""
    path = await asyncio.to_thread(bars_of, places, days)
    noted = places.noted(path)
    rows = noted.rows if noted is not None else 0
    tell(rows, rows)
    return f"{rows} bars in {path.name}"


async def _books(places: Places, coin: str, days: float, now_ms: int, tell: Callable[[int, int], None]) -> str:
    hours = await bucket.fetch_archive(places, coin, days, now_ms, tell)
    return f"{hours.new} new files, {hours.known} there already, {hours.absent} not in the bucket; {bucket.PAYS}"


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)


def _show(progress: Progress, task: TaskID, done: int, total: int) -> None:
    progress.update(task, completed=done, total=total)
