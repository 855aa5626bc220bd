"""`python -m backtest edge`: does quoting earn on this market, and what is the forecast worth?

Fits a forecast on one span of a recording, scores it on another, and plays every comparison quoter there through the
venue's matching. Decides nothing about quoting; the figures go to the terminal, to an HTML page and to `latest.json`
(one object a quoter, one for the forecast, one for the run).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from backtest.playing import Terms
from backtest.quoters import Stall
from backtest.studies import study
from backtest.studies.contest import NAMES, NO_EDGE, Contest, Entry
from backtest.studies.gating import stop_said
from backtest.studies.pictures import write_page
from backtest.tape import Tape, cut, iso, read_tape
from common.build import build_id
from common.config import Settings, load
from common.errors import BadInput, ConfigError
from common.kernel import COMPILED, ROOT
from common.ticks import px_decimals, tick_u
from quoter.card import Card, Score
from quoter.fit import fit, judged
from quoter.rows import Rows, find, span_ns
from quoter.samples import Samples, take_samples
from quoter.state import NS
from simvenue.book.queue_model import MODELS

DAY_NS = 86_400 * NS
FEE_BPS = 0.3
EXECUTORS = ("plain", "production")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--market", default="standx", help="profile in config/")
    parser.add_argument("--data", nargs="+", required=True, help="recorded files or a folder")
    parser.add_argument("--fit", default="", help="START/END in UTC of the recording; default: the day before --score")
    parser.add_argument("--score", default="", help="START/END; default: the recording's last whole day")
    parser.add_argument("--tick", default="", help="price step of our orders in quote; default: the venue's")
    parser.add_argument("--strict", action="store_true", help="keep two ticks from the opposite best")
    parser.add_argument("--fee", type=float, default=FEE_BPS, help="maker fee, bps")
    parser.add_argument("--latency", default="100,300", help="FEED,ORDER in ms")
    parser.add_argument("--profile", default="", help=f"quoters, comma-separated: {','.join(NAMES)}")
    parser.add_argument(
        "--executor", choices=EXECUTORS, default=EXECUTORS[0],
        help="of the production ladders: a desk that follows every change, or ours with its action budget",
    )  # fmt: skip
    parser.add_argument("--queue", choices=sorted(MODELS), default="risk-averse")
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "edge")


def main(told: argparse.Namespace) -> int:
    """Run and report; raises ConfigError and BadInput for what the person must change."""
    if not COMPILED:
        raise ConfigError("the edge study needs compiled kernels: unset AMM_KERNELS")
    settings = load("quoter", over={"MARKET": told.market})
    tape = read_tape(find(told.data, told.market), settings.venue.sz_decimals)
    fit_span, score_span = spans(tape, told.fit, told.score)
    samples = take_samples(rows_of(tape))
    card, why = fitted(samples, fit_span, settings)
    scores = judged(card, samples, score_span) if card is not None else {}
    feed_ms, order_ms = pair(told.latency)
    terms = Terms(*score_span, feed_ms, order_ms, MODELS[told.queue])
    stall = Stall(settings, told.fee, tick_px_u(told.tick, tape, settings), told.strict)
    contest = Contest(cut(tape, *score_span), terms, stall, card, executes=told.executor == EXECUTORS[1])
    entries: list[Entry] = []
    for entry in contest.run(wanted(told.profile)):
        sys.stderr.write(f"{entry.name} played\n")
        entries.append(entry)
    report = written(told, settings, tape, (fit_span, score_span), card, scores, why, entries)
    told.out.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(report), indent=1)
    (told.out / "latest.json").write_bytes(text + b"\n")
    lines = said(report, entries)
    write_page(told.out / "latest.html", f"Edge: {settings.market.coin}", lines, entries, told.fee)
    show(report, entries, lines, beside=is_studied(told, score_span))
    return 0


def is_studied(told: argparse.Namespace, score_span: tuple[int, int]) -> bool:
    """Whether the study has figures for these terms."""
    terms = told.market, iso(score_span[0]), told.tick, told.strict, told.fee, told.latency
    return told.executor == EXECUTORS[0] and terms == ("standx", study.SCORED, "0.1", True, FEE_BPS, "100,300")


# ---------------------------------------------------------------------- what was asked for
def spans(tape: Tape, fit_text: str, score_text: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """(fit, score); by default the last whole day and the day before it, or the halves of a shorter recording."""
    first_t_ns, end_t_ns = int(tape.stamp_ns[0]), int(tape.stamp_ns[-1]) + 1
    last_day = (end_t_ns + 60 * NS) // DAY_NS * DAY_NS - DAY_NS
    is_long = last_day - DAY_NS >= first_t_ns - 60 * NS
    middle = (first_t_ns + end_t_ns) // 2
    score = (last_day, last_day + DAY_NS) if is_long else (middle, end_t_ns)
    if score_text:
        score = span_ns(score_text)
    before = score[0] - DAY_NS if is_long or score_text else first_t_ns
    fitted_on = span_ns(fit_text) if fit_text else (before, score[0])
    if fitted_on[0] < score[1] and score[0] < fitted_on[1]:
        raise ConfigError("--fit and --score overlap: a forecast is never scored on what it was fitted on")
    return fitted_on, score


def pair(text: str) -> tuple[float, float]:
    try:
        feed_ms, order_ms = (float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"--latency {text!r}: FEED,ORDER in ms") from None
    if not (0 <= feed_ms <= 60_000 and 0 <= order_ms <= 60_000):
        raise ConfigError(f"--latency {text!r}: 0..60000 ms each")
    return feed_ms, order_ms


def wanted(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(",") if part.strip()) or NAMES
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise ConfigError(f"--profile {','.join(unknown)}: one of {', '.join(NAMES)}")
    return names


def tick_px_u(text: str, tape: Tape, settings: Settings) -> int:
    """Price step of our orders in px_u."""
    decimals = settings.venue.sz_decimals
    if not text:
        return int(tick_u(int(tape.px_u[0]), decimals))
    try:
        return max(round(float(text) * 10.0 ** px_decimals(decimals)), 1)
    except ValueError:
        raise ConfigError(f"--tick {text!r}: a price step in quote") from None


def rows_of(tape: Tape) -> list[Rows]:
    """The tape's files as the fit reads them."""
    starts = [*np.flatnonzero(tape.begins_file).tolist(), len(tape.stamp_ns)]
    parts = []
    for first, last in pairwise(starts):
        rows = slice(int(tape.begin[first]), int(tape.begin[last]))
        parts.append(
            Rows(
                tape.what[rows],
                tape.px_u[rows],
                tape.sz_u[rows],
                tape.stamp_ns[first:last],
                tape.begin[first : last + 1] - tape.begin[first],
                tape.kept,
            )
        )
    return parts


def fitted(samples: Samples, span: tuple[int, int], settings: Settings) -> tuple[Card | None, str]:
    """The forecast fitted on the span when it is accepted, else why it is not."""
    try:
        card = fit(samples, span, settings)
    except BadInput as error:
        return None, error.detail
    return (None, card.refusal) if card.refusal else (card, "")


# ---------------------------------------------------------------------- what is told
def written(
    told: argparse.Namespace, settings: Settings, tape: Tape, both: tuple[tuple[int, int], tuple[int, int]],
    card: Card | None, scores: dict[int, Score], why: str, entries: Sequence[Entry],
) -> dict[str, Any]:  # fmt: skip
    """The report; a quoter's `m60` is its mean, with the interval beside it."""
    report: dict[str, Any] = {}
    for entry in entries:
        m60 = entry.figures["m60"]
        report[entry.name] = {**entry.figures, "m60": m60["mean"], "m60_interval": m60}
    report["forecast"] = {
        "accepted": card is not None,
        "why_not": why,
        **{f"r2_{s}s": score.mean for s, score in scores.items()},
        **{f"r2_{s}s_interval": msgspec.to_builtins(score) for s, score in scores.items()},
        "deviation_bps": card.forecast_deviation_bps if card is not None else None,
    }
    (fit_from, fit_to), (score_from, score_to) = both
    report["run"] = {
        "market": settings.profile, "coin": settings.market.coin, "files": list(tape.names),
        "fit": f"{iso(fit_from)}/{iso(fit_to)}", "score": f"{iso(score_from)}/{iso(score_to)}",
        "fee_bps": told.fee, "latency_ms": told.latency, "queue": told.queue, "executor": told.executor,
        "tick": told.tick or "venue", "strict": told.strict, "cap_usd": settings.risk.hard_ratio * settings.equity_usd,
        "build": build_id(), "config_hash": settings.config_hash(), "command": " ".join(sys.argv[1:]),
        "conclusion": conclusion(entries, why),
    }  # fmt: skip
    return report


def conclusion(entries: Sequence[Entry], why: str) -> str:
    """The sentence a person reads first."""
    lean = next((entry for entry in entries if entry.name == "lean"), None)
    if lean is None:
        return f"{NO_EDGE}: there is no accepted forecast ({why}), so lean does not quote" if why else "lean not played"
    if lean.figures["verdict"] == NO_EDGE:
        return f"{NO_EDGE}: lean's 60 s markout is below 0 with its whole interval; the edge gate stops it"
    if len(lean.played.fills) == 0:
        return f"{NO_EDGE}: lean never traded"
    return f"lean: {lean.figures['verdict']}"


def said(report: dict[str, Any], entries: Sequence[Entry]) -> list[str]:
    run, forecast = report["run"], report["forecast"]
    lines = [
        f"{run['coin']} fitted on {run['fit']}, scored on {run['score']}; fee {run['fee_bps']} bps, latency "
        f"{run['latency_ms']} ms, queue {run['queue']}, tick {run['tick']}{', strict' if run['strict'] else ''}, "
        f"cap USD {run['cap_usd']:.0f}",
    ]
    if forecast["accepted"]:
        lines.append("forecast R2 on the scored span: " + ", ".join(
            f"{s} s {forecast[f'r2_{s}s']:.3f}" for s in (5, 30, 60)
        ))  # fmt: skip
    for entry in entries:
        if entry.name == "best_fixed":
            lines.append(f"best fixed spread in hindsight: {entry.note}")
    return [*lines, run["conclusion"]]


def show(report: dict[str, Any], entries: Sequence[Entry], lines: Sequence[str], *, beside: bool) -> None:
    table = Table(show_edge=False)
    headings = [
        "quoter",
        "net bps",
        "90 %",
        "m60",
        "90 %",
        "USD/day",
        "fills/day",
        "actions/USD",
        "drawdown",
        "verdict",
        "edge gate",
    ]
    for heading in [*headings, *(["study bps", "study fills"] if beside else [])]:
        table.add_column(
            heading, justify="left" if heading in ("quoter", "verdict", "edge gate") else "right", no_wrap=True
        )
    for entry in entries:
        f = entry.figures
        row = [
            entry.name, number(f["edge_bps"]["mean"]), span_of(f["edge_bps"]), number(f["m60"]["mean"]),
            span_of(f["m60"]), number(f["pnl_per_day"], 1), number(f["fills_per_day"], 0),
            number(f["actions_per_usd"], 3), number(f["max_drawdown_usd"], 1), f["verdict"],
            stop_said(f["gate"]),
        ]  # fmt: skip
        if beside:
            theirs = study.FIGURES.get(entry.name)
            row += [number(theirs[0]), number(theirs[1], 0)] if theirs else ["", ""]
        table.add_row(*row)
    console = Console(width=None if sys.stdout.isatty() else 220)
    console.print(table)
    for line in lines:
        console.print(line, highlight=False)


def number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def span_of(found: dict[str, float | None]) -> str:
    return "" if found["lo"] is None else f"{number(found['lo'])} .. {number(found['hi'])}"
