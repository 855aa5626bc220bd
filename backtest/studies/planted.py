"""`python -m backtest planted`: what our engine earns of what there is to earn, on markets whose truth we planted.

Four made-up markets (`Setting`). In three of them something is to be had, and each names beforehand the profile meant
for such a market: `lean` where takers know so much that only the forecast earns, `glft` where quoting itself pays and
distance is everything. In the fourth nothing is, and the edge gate must stop whoever quotes. The engine is the
production ladder through the venue's matching, fees and latency; it is told the planted predictor (what a perfect fit
would find), or its own fit on the hours before (`fitted`). Held against the best policy of an exhaustive search
(`optimum.py`). The figures go to the terminal and to `latest.json`. Moves bps, money USD.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from backtest.data.made_up import MadeUp, made_up
from backtest.playing import Played, Terms, play
from backtest.quoters import Stall, production, symmetric
from backtest.scoring import markout, told
from backtest.studies.edge import pair, rows_of
from backtest.studies.gating import gate_line, gated, stop_said
from backtest.studies.optimum import Policy, best_distance_bps, earned_usd, fill_edge_bps, policies
from backtest.tape import TAIL_NS
from common.build import build_id
from common.config import PROFILES, Settings, load
from common.errors import BadInput, ConfigError
from common.kernel import COMPILED, ROOT
from common.ticks import tick_u
from quoter.card import Card
from quoter.fit import fit, judged
from quoter.forecast import new_model
from quoter.samples import take_samples
from quoter.state import NS
from simvenue.synthetic.flows import FLOWS, Flow, as_column, planted
from simvenue.synthetic.planting import least_vol

ORIGIN_NS = 1_767_571_200 * NS
"""A Monday's midnight (UTC): whole hours for the fit's folds."""
FEE_BPS = 0.3
SCORE_H = 24.0
WARM_NS = 600 * NS
"""Volatility and features are known so long after a market's beginning."""
SHARE_MIN = 0.60
STOP_H_MAX = 3.0
COST_SHARE_MAX = 0.01


@dataclass(frozen=True, slots=True)
class Setting:
    """A made-up market: whose lot, price and parameters it has, what is planted, and the profile meant for it."""

    name: str
    market: str
    profile: str
    figures: Mapping[str, float]
    why: str

    @property
    def flow(self) -> Flow:
        return planted(as_column(FLOWS["xyz100"]), self.figures)


SETTINGS = (
    Setting("forecast", "standx", "lean", {"A": 0.1, "k": 1.2, "eps": 0.4, "eta": 0.5, "r2": 0.15},
            "a quote that knows nothing earns only far out; the predictor earns near"),
    Setting("informed", "standx", "lean", {"A": 0.1, "k": 1.5, "eps": 0.3, "eta": 0.9, "r2": 0.20},
            "takers know nearly all they reach for: without the predictor no distance earns"),
    Setting("spread", "us500", "glft", {"A": 0.1, "k": 0.8, "eps": 0.1, "eta": 0.1, "r2": 0.10},
            "takers know little: the spread earns, and the predictor adds to it"),
    Setting("none", "standx", "glft", {"A": 0.15, "k": 1.1, "eps": 0.6, "eta": 1.05},
            "every order moves the price by more than it reaches: no distance breaks even, nothing is foretold"),
)  # fmt: skip
NO_EDGE_SETTING = "none"


@dataclass(frozen=True, slots=True)
class Stage:
    """A setting played out: the market written down, and the terms everybody meets there."""

    setting: Setting
    settings: Settings
    made: MadeUp
    stall: Stall
    terms: Terms
    deviation_bps: float  # of the planted predictor

    @property
    def model(self) -> Any:
        """No weights: the forecast is told, only its deviation is looked up."""
        return new_model((), (), self.deviation_bps)


def stage_of(setting: Setting, seed: int, score_h: float, fit_h: float, latency: tuple[float, float]) -> Stage:
    """Make the market; quoting begins after `fit_h` hours, or ten minutes where nothing is fitted."""
    settings, flow = load("quoter", over={"MARKET": setting.market}), setting.flow
    vol = max(settings.venue.vol_annual, 1.02 * least_vol(flow))
    made = made_up(setting.name, flow, settings, span_h=fit_h + score_h, seed=seed, origin_ns=ORIGIN_NS, vol_annual=vol)
    start_ns = ORIGIN_NS + max(int(fit_h * 3600 * NS), WARM_NS)
    terms = Terms(start_ns, ORIGIN_NS + int((fit_h + score_h) * 3600 * NS) - TAIL_NS, *latency)
    tick = int(tick_u(int(made.tape.px_u[0]), settings.venue.sz_decimals))
    return Stage(setting, settings, made, Stall(settings, FEE_BPS, tick, False), terms, float(made.signal_bps.std()))


# ---------------------------------------------------------------------- who plays
def engine(stage: Stage, profile: str, card: Card | None = None) -> Played:
    """The production ladder, told the planted predictor or, with a card, its own forecast."""
    if card is not None:
        return play(stage.made.tape, production(stage.stall, profile, weight=1.0), stage.terms, card.model())
    if stage.deviation_bps > 0.0:
        quoter = production(stage.stall, profile, weight=1.0)
        return play(stage.made.tape, quoter, stage.terms, stage.model, stage.made.signal_bps)
    return play(stage.made.tape, production(stage.stall, profile, weight=0.0), stage.terms)


def optimum(stage: Stage) -> list[Policy]:
    """All policies of the search, the best first."""
    signal = stage.made.signal_bps if stage.deviation_bps > 0.0 else None
    found = policies(stage.made.tape, stage.stall, stage.terms, stage.model, signal, stage.deviation_bps)
    return sorted(found, key=lambda policy: -policy.usd)


def own_fit(stage: Stage) -> tuple[Card | None, dict[str, Any]]:
    """The forecast fitted on the hours before scoring, and what it is worth in the scored ones."""
    samples = take_samples(rows_of(stage.made.tape))
    try:
        card = fit(samples, (ORIGIN_NS, stage.terms.from_t_ns), stage.settings)
    except BadInput as error:
        return None, {"accepted": False, "why": error.detail}
    worth = judged(card, samples, (stage.terms.from_t_ns, stage.terms.to_t_ns))
    found = {"accepted": not card.refusal, "why": card.refusal, **{f"r2_{s}s": v.mean for s, v in worth.items()}}
    return (card if not card.refusal else None), found


# ---------------------------------------------------------------------- what came of it
def line(stage: Stage, played: Played, best_usd: float) -> dict[str, Any]:
    """One player's figures; its share of the optimum where there is one."""
    hours = (stage.terms.to_t_ns - stage.terms.from_t_ns) / (3600 * NS)
    usd = earned_usd(played, FEE_BPS)
    return {
        "usd_per_day": usd / hours * 24.0,
        "share": usd / best_usd if best_usd > 0.0 else None,
        "m60": told(markout(played, 60, FEE_BPS)),
        "fills_per_h": len(played.fills) / hours,
    }


def scored(stage: Stage) -> dict[str, Any]:
    """A setting's whole result."""
    found = optimum(stage)
    best, hours = found[0], (stage.terms.to_t_ns - stage.terms.from_t_ns) / (3600 * NS)
    flow = stage.setting.flow
    x = best_distance_bps(flow, FEE_BPS)
    result: dict[str, Any] = {
        "market": stage.setting.market, "planted": dict(stage.setting.figures), "profile": stage.setting.profile,
        "vol_annual": stage.made.told["vol_annual"], "hours": hours,
        "closed_form": {"distance_bps": x, "edge_bps": None if x is None else fill_edge_bps(flow, x, FEE_BPS)},
        "optimum": {**asdict(best), "said": best.said, "usd_per_day": best.usd / hours * 24.0, "policies": len(found),
                    "median_usd": found[len(found) // 2].usd},
        "engine": {name: line(stage, engine(stage, name), 0.0 if x is None else best.usd) for name in PROFILES},
    }  # fmt: skip
    if stage.terms.from_t_ns > ORIGIN_NS + WARM_NS and stage.deviation_bps > 0.0:
        card, result["fit"] = own_fit(stage)
        if card is not None:
            result["fitted"] = {name: line(stage, engine(stage, name, card), best.usd) for name in PROFILES}
    return result


def stopped(stage: Stage) -> dict[str, Any]:
    """Who quotes where nothing is to be had, under the edge gate."""
    stall, tape = stage.stall, stage.made.tape
    players = {name: production(stall, name, weight=0.0) for name in PROFILES} | {"symmetric": symmetric(stall)}
    return {
        name: gate_line(gated(tape, quoter, stage.terms, stage.settings, FEE_BPS), stage.settings, FEE_BPS)
        for name, quoter in players.items()
    }


# ---------------------------------------------------------------------- command
def arguments(parser: argparse.ArgumentParser) -> None:
    names = [setting.name for setting in SETTINGS]
    parser.add_argument("--setting", default=",".join(names), help=f"of {', '.join(names)}, comma-separated")
    parser.add_argument(
        "--hours", type=float, default=SCORE_H, help="scored; the first ten minutes of a market warm up"
    )
    parser.add_argument("--fit-hours", type=float, default=0.0, help="before them, for a forecast of our own; 8..48")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--latency", default="100,300", help="FEED,ORDER in ms")
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "planted")


def main(asked: argparse.Namespace) -> int:
    """Run and report; raises ConfigError for what the person must change."""
    if not COMPILED:
        raise ConfigError("the planted study needs compiled kernels: unset AMM_KERNELS")
    known = {setting.name: setting for setting in SETTINGS}
    names = [name.strip() for name in asked.setting.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise ConfigError(f"--setting {','.join(unknown)}: one of {', '.join(known)}")
    if not 1.0 <= asked.hours <= 240.0:
        raise ConfigError(f"--hours {asked.hours:g}: 1..240")
    if asked.fit_hours and not 8.0 <= asked.fit_hours <= 48.0:
        raise ConfigError(f"--fit-hours {asked.fit_hours:g}: 8..48, or 0 for none")
    feed_ms, order_ms = pair(asked.latency)
    report: dict[str, Any] = {
        "run": {"seed": asked.seed, "latency_ms": [feed_ms, order_ms], "fee_bps": FEE_BPS, "commit": build_id()}
    }
    for name in names:
        fit_h = asked.fit_hours if known[name].figures.get("r2") else 0.0
        stage = stage_of(known[name], asked.seed, asked.hours, fit_h, (feed_ms, order_ms))
        report[name] = scored(stage)
        if name == NO_EDGE_SETTING:
            report[name]["gate"] = stopped(stage)
        sys.stderr.write(f"{name} played\n")
    asked.out.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(report), indent=1)
    (asked.out / "latest.json").write_bytes(text + b"\n")
    show(report)
    return 0


def show(report: dict[str, Any]) -> None:
    console = Console(width=None if sys.stdout.isatty() else 160)
    table = Table(show_edge=False)
    for heading in ("setting", "player", "USD/day", "of optimum", "m60 bps", "fills/h"):
        table.add_column(heading, justify="left" if heading in ("setting", "player") else "right", no_wrap=True)
    for name, found in report.items():
        if name == "run":
            continue
        best = found["optimum"]
        table.add_row(name, f"optimum: {best['said']}", f"{best['usd_per_day']:.1f}", "", "", "")
        for kind in ("engine", "fitted"):
            for profile, figures in found.get(kind, {}).items():
                m60 = figures["m60"]["mean"]
                table.add_row(
                    "", f"{profile}{' (own fit)' if kind == 'fitted' else ''}"
                    f"{' *' if profile == found['profile'] else ''}",
                    f"{figures['usd_per_day']:.1f}", _percent(figures["share"]), "-" if m60 is None else f"{m60:.2f}",
                    f"{figures['fills_per_h']:.0f}",
                )  # fmt: skip
        for player, figures in found.get("gate", {}).items():
            table.add_row("", f"{player}, gated", stop_said(figures), "", "", str(figures["fills"]))
    console.print(table)
    console.print(
        "* the profile meant for that market; the optimum is the best of a grid in hindsight", highlight=False
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100.0 * share:.0f} %"
