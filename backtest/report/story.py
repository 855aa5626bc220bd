"""What the report says of itself: source, span, parameters, and every assumption a reader must know.

Nothing here is measured but the market's own flow, which it puts into words.
"""

from __future__ import annotations

from collections.abc import Sequence

from backtest.data.opened import Opened
from backtest.report.bands import Result
from backtest.report.figures import GROWTH_USD
from backtest.report.flow import Flow
from backtest.report.running import Plan
from backtest.report.scenarios import Scenario
from backtest.report.words import Facts, moment, number, said_gate
from backtest.together import TURN_NS
from common.build import build_id
from common.config import Settings
from common.ticks import px_decimals
from simvenue.desk.actions import START_ACTIONS
from simvenue.money.fees import PPB_PER_BPS

NINE = 9
MOST_OF = 0.95


def facts_of(
    settings: Settings, opened: Opened, plan: Plan, band: Sequence[Scenario], result: Result, why_no_forecast: str, *,
    leverage_asked: int, days_asked: float = 0.0,
) -> Facts:  # fmt: skip
    """`leverage_asked` is what was asked for beyond the market's maximum, `days_asked` the days; 0 = nothing was."""
    spans = result.base.account.spans
    lines = [
        *_always(plan, band, len(spans)),
        *_fewer(days_asked, opened.days),
        *_here(settings, plan, band, why_no_forecast, leverage_asked),
        *(_sentence(line) for line in opened.caveats),
    ]
    return Facts(
        coin=settings.market.coin,
        market=settings.profile,
        profile=plan.profile,
        source=opened.name,
        kind=opened.kind,
        span=f"{moment(spans[0][0])} to {moment(spans[-1][1])} UTC",
        commit=build_id(),
        config_hash=settings.config_hash(),
        equity_usd=settings.equity_usd,
        leverage=plan.costs.leverage,
        growth=settings.venue.growth_mode,
        px_decimals=px_decimals(settings.venue.sz_decimals),
        ceiling=_ceiling(result.flow),
        budget=_budget(settings),
        assumptions=tuple(lines),
        parameters=_parameters(settings, plan, band, result.flow),
        enforces_edge=settings.enforces_edge,
        cap_ratio=settings.risk.hard_ratio,
        leverage_asked=leverage_asked,
        gate=said_gate(result, settings.enforces_edge, settings.quoting.edge_gate_block_s),
    )


def _sentence(line: str) -> str:
    first = line[:1].upper() if line.partition(" ")[0].isalpha() else line[:1]  # a file's name stays as it is
    return first + line[1:] + ("" if line.endswith(".") else ".")


def _ceiling(flow: Flow) -> str:
    return (
        f"{number(flow.trades_per_day, 0)} moments with prints and {number(flow.usd_per_day, 0)} USD a day, "
        f"{number(flow.spread_bps, 2)} bps paid against the mid. Making every print up to twice the inventory cap, "
        f"with no move against us, would pay {number(flow.best_usd_per_day, 2)} USD a day after fees."
    )


def _budget(settings: Settings) -> str:
    per = GROWTH_USD if settings.venue.growth_mode else 1.0
    return (
        f"An address starts with {START_ACTIONS:,} actions and earns one per {per:g} USD traded; beyond that the "
        f"venue lets one action through every 10 s."
    )


def _always(plan: Plan, band: Sequence[Scenario], spans: int) -> list[str]:
    """What every replay of such a source assumes."""
    lines = [
        "Nobody reacts to our quotes, and what we trade leaves no mark on the market.",
        "Both books are kept, the venue's and our delayed one; a request acts when it arrives. " + _late(band),
        "A fill needs a print at or through our price once the queue before us is gone, or the other best at it.",
    ]
    lines.append(
        "Fees, funding, margin, liquidation and the risk rules' kills are the venue's and riskd's own kernels "
        "inside the replay. Orders are planned by the executor's kernels, which spend actions as the budget lasts; "
        "what goes beyond the earned budget is " + ("refused." if plan.has_budget else "counted, not refused.")
    )
    lines.append("The venue tells its books by its own clock: a market without events is quiet, not out of touch.")
    if spans == 1:
        lines.append("Quoting ends 310 s before the data do, so that the last fills can be marked out.")
    else:
        lines.append(
            f"{spans} spans are replayed one after the other: each begins flat, with the equity that the one before it "
            f"left and {'what it left of the' if plan.has_budget else 'a new'} action budget, is quoted until 310 s "
            "before its end, and what is then held is valued at the mid."
        )
    return lines


def _late(band: Sequence[Scenario]) -> str:
    drawn = dict.fromkeys(one.delays.latency for one in band if one.delays.table is not None)
    if not drawn:
        return "Latencies are constant."
    return (
        f"Latencies are constant, but for {', '.join(drawn)}: drawn from measured tables, each draw for a second, "
        "because slow moments come in spells; nothing overtakes."
    )


def _fewer(asked: float, days: float) -> list[str]:
    """That the data do not reach as far as was asked, when they do not."""
    if days >= MOST_OF * asked:
        return []
    return [f"{asked:.0f} days were asked for; the data have {days:.1f} days in which their market traded."]


def _here(
    settings: Settings, plan: Plan, band: Sequence[Scenario], why_no_forecast: str, leverage_asked: int
) -> list[str]:
    """What this run assumes."""
    lines = []
    if why_no_forecast:
        lines.append(f"No forecast was used ({why_no_forecast}): the fair price is what the book alone says.")
    if plan.stall.strict:
        lines.append("Strict placing: two ticks are kept from the opposite best.")
    if leverage_asked:
        most = settings.venue.max_leverage
        lines.append(f"Leverage {leverage_asked} was asked for; {settings.market.coin} allows {most}, which was used.")
    if len(band) < NINE:
        lines.append(f"The band has {len(band)} of {NINE} scenarios: " + "; ".join(one.name for one in band) + ".")
    return lines


def _parameters(settings: Settings, plan: Plan, band: Sequence[Scenario], flow: Flow) -> tuple[tuple[str, str], ...]:
    quoting, risk, market, costs = settings.quoting, settings.risk, settings.market, plan.costs
    latencies = dict.fromkeys(one.delays.said for one in band)
    card = plan.card
    forecast = "none"
    if card is not None:
        forecast = f"fitted on {moment(card.start_t_ns)} to {moment(card.end_t_ns)}, seal {card.seal[:12]}"
    return (
        ("market", f"{market.coin} (config/{settings.profile}.toml), collateral {market.collateral}"),
        ("profile", f"{plan.profile}, {quoting.order_levels} levels a side"),
        ("equity", f"{number(settings.equity_usd, 0)} USD, inventory {risk.soft_ratio:g} to {risk.hard_ratio:g} of it"),
        ("leverage", f"{costs.leverage}, the market's maximum is {costs.max_leverage}"),
        ("fees", f"maker {costs.maker_ppb / PPB_PER_BPS:g} bps, taker {costs.taker_ppb / PPB_PER_BPS:g} bps"),
        ("price step of our orders", f"{plan.stall.tick_px_u / 10 ** px_decimals(settings.venue.sz_decimals):g}"),
        ("queue models", ", ".join(dict.fromkeys(one.queue for one in band))),
        ("latencies, feed + order", "; ".join(latencies)),
        ("edge gate", _gate_terms(settings)),
        ("forecast", forecast),
        ("rows played", f"{flow.rows:,}"),
        ("market's volatility", "-" if flow.vol_annual is None else f"{100 * flow.vol_annual:.1f} % a year"),
    )


def _gate_terms(settings: Settings) -> str:
    quoting = settings.quoting
    return (
        f"EDGE_GATE={'enforce' if settings.enforces_edge else 'warn'}, blocks of {quoting.edge_gate_block_s:g} s, at "
        f"least {quoting.edge_gate_blocks_min} with fills"
    )


def beside(parts: Sequence[tuple[str, Facts, Result]], whole: Result) -> Facts:
    """What is said of the account of several markets, each by its name."""
    facts = [said for _, said, _ in parts]
    names, first = [name for name, _, _ in parts], facts[0]
    spans = whole.base.account.spans
    shared = [
        f"One account of {number(first.equity_usd, 0)} USD for {', '.join(names)}: equity, margin, drawdown, session "
        "loss, taker share and the action budget are those of all together, and a pause, a kill or a liquidation in "
        f"one market stops all; they hear of each other every {TURN_NS / 1e9:g} s. At the venue, markets of different "
        "dexes hold their collateral apart.",
        "Nothing else is shared: prices, books, queues and forecasts know nothing of the other market, each keeps its "
        "own inventory cap, and each is under an edge gate of its own.",
        "Margin is summed over markets without netting; the maintenance margin of the resampled paths is that of the "
        "market which asks for most.",
    ]
    lines = [f"{name}: {line}" for name, said, _ in parts for line in said.assumptions]
    parameters = [(f"{name}: {key}", value) for name, said, _ in parts for key, value in said.parameters]
    return Facts(
        coin=" + ".join(said.coin for said in facts), market=",".join(names),
        profile=", ".join(dict.fromkeys(said.profile for said in facts)),
        source="; ".join(f"{name}: {said.source}" for name, said, _ in parts),
        kind=", ".join(dict.fromkeys(said.kind for said in facts)),
        span=f"{moment(spans[0][0])} to {moment(spans[-1][1])} UTC", commit=first.commit,
        config_hash="+".join(said.config_hash for said in facts), equity_usd=first.equity_usd,
        leverage=min(said.leverage for said in facts), growth=all(said.growth for said in facts), px_decimals=0,
        ceiling=_ceiling(whole.flow),
        budget=" ".join(dict.fromkeys(f"{name}: {said.budget}" for name, said, _ in parts)),
        assumptions=(*shared, *lines), parameters=tuple(parameters),
        cap_ratio=sum(said.cap_ratio for said in facts), enforces_edge=any(said.enforces_edge for said in facts),
        gate=" ".join(f"{name}: {said.gate}" for name, said, _ in parts if said.gate),
    )  # fmt: skip
