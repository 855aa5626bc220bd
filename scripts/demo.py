"""`make demo`: the whole system on a synthetic or recorded market, one status table, an honest report at the end.

No Docker, no keys, no network: everything runs on 127.0.0.1 under one supervisor. Ctrl-C, or MINUTES gone by,
pauses quoting, waits until the venue itself shows 0 resting orders, compares our books with the venue's, writes
`reports/session/` and stops all.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from common.config import load
from common.errors import EXIT_CONFIG, EXIT_FAULT, EXIT_OK, AmmError, ConfigError, LinkDown
from common.kernel import ROOT
from scripts.session_report import Report, interval, settle, shown, write
from scripts.stack import Plan, Stack, wait_for
from simvenue.synthetic.flows import FLOWS

FIRST_QUOTE_S = 60.0
REFRESH_S = 0.5
PLAIN_LINE_S = 5.0


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)
    console = Console(highlight=False, soft_wrap=True)
    try:
        return run(arguments, console)
    except ConfigError as error:
        console.print(f"[bold red]cannot start:[/] {error}")
        return EXIT_CONFIG
    except AmmError as error:
        console.print(f"[bold red]the demonstration failed:[/] {error}")
        return EXIT_FAULT


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Run until told to stop; 0 only when nothing rests, the books agree and nothing was logged as an error."""
    settings = load("monitor", {"MARKET": arguments.market})
    plan = Plan(
        market=arguments.market,
        data=arguments.data.resolve() if arguments.data else None,
        speed=arguments.speed,
        seed=arguments.seed,
        latency=arguments.latency,
        flow=arguments.flow,
        equity_usd=int(settings.equity_usd),
        port_base=arguments.port_base,
    )
    stop = _StopFlag()
    with Stack(plan) as stack:
        stack.prepare()
        began = time.monotonic()
        stack.start()
        console.print(f"starting {settings.market.coin} at {plan.speed:g}x; page http://127.0.0.1:{stack.page_port}/")
        first = wait_for(lambda: stop.set or stack.resting() > 0, FIRST_QUOTE_S, "first quotes at the venue")
        if first and not stop.set:
            console.print(f"first quotes rest at the venue {time.monotonic() - began:.1f} s after the start")
        _watch(stack, stop, began, _end(stack, arguments), console)
        console.print("stopping: no new quotes, cancelling all")
        report = settle(stack, plan, settings)
        code = stack.stop()
    paths = write(report, ROOT / "reports" / "session")
    console.print(shown(report))
    console.print(f"written: {', '.join(str(p.relative_to(ROOT)) for p in paths)}")
    return EXIT_OK if _is_clean(report, code, console) else EXIT_FAULT


def _is_clean(report: Report, supervisor_code: int | None, console: Console) -> bool:
    faults = list(report.faults())
    if supervisor_code != 0:
        faults.append(f"supervisor ended with {supervisor_code}")
    for fault in faults:
        console.print(f"[bold red]not clean:[/] {fault}")
    return not faults


class _StopFlag:
    """Set by Ctrl-C or SIGTERM; the second Ctrl-C is ignored while orders are being cancelled."""

    def __init__(self) -> None:
        self.set = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        self.set = True


def _end(stack: Stack, arguments: argparse.Namespace) -> float:
    """When to stop by itself, on our own clock: MINUTES x SPEED of market time, counted from the market's start."""
    if arguments.minutes is None:
        return float("inf")
    clock = stack.clock()
    played_s = (clock["now_ns"] - clock["origin_ns"]) / 1e9 / clock["rate"]
    return float(time.monotonic() + arguments.minutes * 60 - played_s)


def _watch(stack: Stack, stop: _StopFlag, began: float, until: float, console: Console) -> None:
    """Show the status until stopped; a terminal gets one table that updates, a file one line every 5 s."""
    said = 0.0
    with Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else _NoLive() as live:
        while not stop.set and time.monotonic() < until:
            if not stack.alive():
                raise LinkDown(f"supervisor ended early: see {stack.dir / 'logs'}")
            try:
                status = stack.status()
            except LinkDown:
                status = {}
            if console.is_terminal:
                live.update(_table(status, time.monotonic() - began))
            elif status and time.monotonic() - said > PLAIN_LINE_S:
                said = time.monotonic()
                console.print(_line(status, time.monotonic() - began))
            time.sleep(min(REFRESH_S, max(until - time.monotonic(), 0.0)))


class _NoLive:
    def __enter__(self) -> _NoLive:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def update(self, table: Table) -> None:
        raise AssertionError("only a terminal is updated in place")


def _pieces(status: dict[str, Any]) -> list[tuple[str, str]]:
    """The status as (name, text) pairs, the same for table and line."""
    pnl, budget = status["pnl"], status["action_budget"]
    return [
        ("mode", str(status["mode"])),
        ("net", _usd(pnl["net"])),
        ("spread", _usd(pnl["spread"])),
        ("inventory", _usd(pnl["inventory"])),
        ("fees", _usd(pnl["fees"])),
        ("funding", _usd(pnl["funding"])),
        ("edge", interval(status["edge_bps"])),
        ("position", str(status["position"]["text"])),
        ("quotes", str(status["open_orders"])),
        ("fills", str(status["fills_count"])),
        ("actions left", str(budget["remaining"])),
    ]


def _usd(amount: float | None) -> str:
    return "-" if amount is None else f"{amount:+.4f}"


def _line(status: dict[str, Any], elapsed_s: float) -> str:
    return f"{elapsed_s:6.0f} s  " + "  ".join(f"{name} {text}" for name, text in _pieces(status))


def _table(status: dict[str, Any], elapsed_s: float) -> Table:
    table = Table(title=f"AMM-500, {elapsed_s:.0f} s (Ctrl-C stops and reports)", show_header=False)
    for name, text in _pieces(status) if status else [("state", "starting")]:
        table.add_row(name, text)
    return table


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--market", default="us500", help="profile in config/")
    parser.add_argument("--data", type=Path, help="event arrays (.npz) to replay; without it the market is synthetic")
    parser.add_argument("--speed", type=float, default=1.0, help="market seconds per second")
    parser.add_argument("--minutes", type=float, help="stop by itself after this many minutes of the machine's time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--latency", choices=("good", "typical", "bad"), default="typical")
    parser.add_argument("--flow", default="", help="synthetic flow: " + ", ".join(FLOWS))
    parser.add_argument("--port-base", type=int, default=0, help="added to every port")
    parsed = parser.parse_args(argv)
    if not 0 < parsed.speed <= 100:
        parser.exit(EXIT_CONFIG, f"SPEED = {parsed.speed}: allowed is above 0 and at most 100\n")
    if parsed.minutes is not None and not 0 < parsed.minutes <= 10_000:
        parser.exit(EXIT_CONFIG, f"MINUTES = {parsed.minutes}: allowed is above 0 and at most 10000\n")
    return parsed


if __name__ == "__main__":
    sys.exit(main())
