"""One market of a run, ready to be played: its settings, its data, the forecast it may use, and its plan.

Decides what is asked for in words (market, profile, leverage, fee, step, forecast) and refuses what cannot be; data
come from `data/`, what is reported from `report/`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from backtest.data.opened import Opened, Part, joined
from backtest.data.sources import open_source
from backtest.quoters import Stall
from backtest.report.account import Costs
from backtest.report.running import Piece, Plan
from backtest.tape import Tape
from common.config import Settings, load
from common.errors import BadInput, ConfigError
from common.kernel import ROOT
from common.ticks import px_decimals, tick_u
from quoter.card import Card, accept
from quoter.card_file import model_path, read_card
from simvenue.market import market_of
from simvenue.money.fees import PPB_PER_BPS, rates_ppb

WHOLE_DAYS_MAX = 31.0
"""A span up to this is one replay from its begin to its end, and in memory as a whole."""
LONG_SPAN_DAYS = 7.0
"""A longer one is played in stretches of this."""
COUNTED_SPAN_DAYS = 1.0
"""... or of this, where each has an action budget of its own: what the executor makes last a day."""
NEXT_WITHIN_NS = 3_600 * 10**9
"""Parts that follow each other within an hour belong to one replay."""
CACHE = ROOT / "run" / "backtest"
DAY_NS = 86_400 * 10**9


@dataclass(frozen=True, slots=True)
class Stand:
    """`why_none`: why there is no forecast; `leverage_asked`: what was asked for beyond the market's maximum, or 0."""

    settings: Settings
    opened: Opened
    plan: Plan
    why_none: str
    leverage_asked: int

    @property
    def name(self) -> str:
        return self.settings.profile


def stands_of(told: argparse.Namespace, days: float) -> list[Stand]:
    """The markets of a run, each with its source; raises ConfigError and BadInput for what the person must change."""
    names = [name.strip() for name in told.market.split(",") if name.strip()]
    if len(set(names)) != len(names) or not names:
        raise ConfigError(f"--market {told.market!r}: one market, or several different ones with commas between them")
    if len(names) > 1 and (told.tick or told.model not in ("auto", "none")):
        raise ConfigError("--tick and a --model file are one market's: not with several")
    sources = sources_of(told.data, names)
    return [stand_of(told, name, sources[name], days) for name in names]


def sources_of(text: str, names: Sequence[str]) -> dict[str, str]:
    """`--data`: one PATH or word for all, or MARKET=PATH,MARKET=PATH."""
    given = [part.partition("=") for part in text.split(",")]
    if not any(mark and name.strip() in names for name, mark, _ in given):
        return dict.fromkeys(names, text)
    named = {name.strip(): source.strip() for name, _, source in given}
    if set(named) != set(names) or not all(named.values()):
        raise ConfigError(f"--data {text!r}: one source for all, or MARKET=SOURCE for each of {', '.join(names)}")
    return named


def stand_of(told: argparse.Namespace, name: str, source: str, days: float) -> Stand:
    settings, asked = settings_of(told, name)
    opened = open_source(source, settings, days, CACHE, seed=told.seed)
    card, why_none = forecast_of(told.model, settings, opened)
    return Stand(settings, opened, plan_of(told, settings, opened, card), why_none, asked)


def settings_of(told: argparse.Namespace, name: str) -> tuple[Settings, int]:
    """The market's settings, and the leverage asked for when it is more than the market allows (else 0)."""
    over = {"MARKET": name} | ({"PROFILE": told.profile} if told.profile else {})
    settings = load("quoter", over=over)
    if told.leverage < 0:
        raise ConfigError(f"--leverage {told.leverage}: 1 or more")
    if not told.leverage:
        return settings, 0
    most = settings.venue.max_leverage
    execution = settings.execution.model_copy(update={"leverage": min(told.leverage, most)})
    return settings.model_copy(update={"execution": execution}), told.leverage if told.leverage > most else 0


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
    return Plan(stall, settings.quoting.profile, costs, card, told.budget == "enforced", opened.cycle_ms)


# ---------------------------------------------------------------------- pieces
def pieces_of(stands: Sequence[Stand]) -> Iterator[Piece]:
    """What is replayed apart: of one market its tapes, of several what they have at the same time."""
    if len(stands) == 1:
        long_days = LONG_SPAN_DAYS if stands[0].plan.has_budget else COUNTED_SPAN_DAYS
        return (((0, tape),) for tape in pieces(stands[0].opened, long_days))
    return shared_pieces([stand.opened for stand in stands], [stand.name for stand in stands])


def pieces(opened: Opened, long_days: float = LONG_SPAN_DAYS) -> Iterator[Tape]:
    """Tapes to be replayed apart: what follows each other in one, in a long span up to `long_days`."""
    most_ns = int((long_days if opened.days > WHOLE_DAYS_MAX else WHOLE_DAYS_MAX) * DAY_NS)
    run: list[Tape] = []
    for tape in opened.tapes():
        is_apart = bool(run) and tape.stamp_ns[0] - run[-1].stamp_ns[-1] > NEXT_WITHIN_NS
        if is_apart or (run and tape.stamp_ns[-1] - run[0].stamp_ns[0] > most_ns):
            yield joined(run)
            run = []
        run.append(tape)
    yield joined(run)


def shared_pieces(markets: Sequence[Opened], names: Sequence[str]) -> Iterator[Piece]:
    """Stretches in which some market has data, an hour's silence of all between them; raises ConfigError.

    A market's tapes of one stretch are joined, and time goes on where it has none.
    """
    stretches = _stretches(markets)
    for stretch in stretches:
        days = (max(part.last_t_ns for _, part in stretch) - stretch[0][1].first_t_ns) / DAY_NS
        if days > WHOLE_DAYS_MAX:
            raise ConfigError(
                f"several markets are played as a whole, up to {WHOLE_DAYS_MAX:g} days; these have {days:.0f}: --days"
            )
    if not any(len({market for market, _ in stretch}) > 1 for stretch in stretches):
        raise ConfigError(f"{' and '.join(names)} have no data of the same time: run them apart")
    return (_loaded(stretch) for stretch in stretches)


def _stretches(markets: Sequence[Opened]) -> list[list[tuple[int, Part]]]:
    parts = [(market, part) for market, opened in enumerate(markets) for part in opened.parts]
    found: list[list[tuple[int, Part]]] = []
    end_t_ns = 0
    for market, part in sorted(parts, key=lambda one: one[1].first_t_ns):
        if not found or part.first_t_ns - end_t_ns > NEXT_WITHIN_NS:
            found.append([])
        found[-1].append((market, part))
        end_t_ns = max(end_t_ns, part.last_t_ns)
    return found


def _loaded(stretch: Sequence[tuple[int, Part]]) -> Piece:
    markets = sorted({market for market, _ in stretch})
    return [(market, joined([part.load() for owner, part in stretch if owner == market])) for market in markets]
