"""The seeds' targets beside what was found: met, not met, or impossible for this market's flow.

*Met* asks it of every scenario of the band and of the headline's whole interval, not of the best one. *Impossible* is
computed: the figure could not be reached by being the maker of every print of the span at its price, for all of it up
to twice the inventory cap, with no move against us (`flow.py`). What the targets are worth is another matter: Sharpe
and trades a day follow from the sign of the edge, so two lines are ours: the net edge comes first, the action budget
last. Source: strategy.md 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from backtest.report.figures import Figure
from backtest.report.flow import Flow

MINUS = "\N{MINUS SIGN}"
MET, NOT_MET, IMPOSSIBLE = "met", "not met", "impossible for this market's flow"
WEEK_DAYS = 7.0


@dataclass(frozen=True, slots=True)
class Target:
    """`figure` above (or below) `bound`; people read it times `scale`, with `digits` and `unit`."""

    name: str
    figure: str
    bound: float
    above: bool
    source: str
    scale: float
    digits: int
    unit: str


TARGETS = (
    Target("Net edge, lower bound above 0", "edge_lo", 0.0, True, "ours", 1.0, 2, " bps"),
    Target("Sharpe ratio above 2.5", "sharpe", 2.5, True, "seeds", 1.0, 2, ""),
    Target("7-day ROI above 5 %", "roi_7d", 0.05, True, "seeds", 100.0, 3, " %"),
    Target("Max drawdown below 0.5 %", "max_drawdown", 0.005, False, "seeds", 100.0, 3, " %"),
    Target("Trades a day above 2,000", "trades_per_day", 2_000.0, True, "seeds", 1.0, 1, ""),
    Target("Maker share above 90 %", "maker_share", 0.90, True, "seeds", 100.0, 1, " %"),
    Target("Taker share below 5 %", "taker_share", 0.05, False, "seeds", 100.0, 1, " %"),
    Target("Margin use below 85 %", "peak_margin", 0.85, False, "seeds", 100.0, 1, " %"),
    Target("Actions within the earned budget", "budget_use", 1.0, False, "ours", 100.0, 1, " %"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One target's line: the headline's value, the band's ends, in how many scenarios it holds, and why not."""

    target: Target
    value: float | None
    lo: float | None
    hi: float | None
    holds: int
    scenarios: int
    verdict: str
    why: str

    def shown(self, value: float | None) -> str:
        """A value as people read it."""
        if value is None:
            return "-"
        return f"{value * self.target.scale:,.{self.target.digits}f}{self.target.unit}".replace("-", MINUS)


def judged(found: Sequence[Mapping[str, Figure]], flow: Flow, equity_usd: float, days: float) -> list[Line]:
    """All targets; `found` are the scenarios' figures, the headline's first."""
    ceilings = _ceilings(flow, equity_usd)
    lines = []
    for target in TARGETS:
        values = [_value(one, target.figure, days) for one in found]
        known = [value for value in values if value is not None]
        holds = sum(value > target.bound if target.above else value < target.bound for value in known)
        doubt = _doubt(target, found[0])
        verdict, why = MET if holds == len(values) and not doubt else NOT_MET, _why(values, holds) + doubt
        ceiling = ceilings.get(target.figure)
        if verdict != MET and holds == 0 and ceiling is not None and ceiling[0] <= target.bound:
            verdict, why = IMPOSSIBLE, ceiling[1]
        lines.append(
            Line(
                target, values[0], min(known, default=None), max(known, default=None), holds, len(values), verdict, why
            )
        )
    return lines


def _value(found: Mapping[str, Figure], name: str, days: float) -> float | None:
    """A figure by name, the edge's lower bound, or the ROI brought to seven days."""
    special: dict[str, Callable[[], float | None]] = {
        "edge_lo": lambda: found["edge_bps"].lo,
        "roi_7d": lambda: None if found["roi"].value is None else found["roi"].value * WEEK_DAYS / days,
    }
    return special[name]() if name in special else found[name].value


def _doubt(target: Target, base: Mapping[str, Figure]) -> str:
    """What the headline's own interval says against it, "" where it does not reach beyond the bound."""
    figure = base.get(target.figure)
    if target.figure == "sharpe" and figure is not None and figure.value is not None and figure.lo is None:
        return ", but what was traded is too little for an interval"
    bound = None if figure is None else figure.lo if target.above else figure.hi
    if figure is None or bound is None or (bound > target.bound if target.above else bound < target.bound):
        return ""
    return f", its interval reaches {bound * target.scale:,.{target.digits}f}{target.unit}".replace("-", MINUS)


def _why(values: Sequence[float | None], holds: int) -> str:
    if all(value is None for value in values):
        return "cannot be told: nothing traded, or too few hours"
    return f"in {holds} of {len(values)} scenarios"


def _ceilings(flow: Flow, equity_usd: float) -> dict[str, tuple[float, str]]:
    """The most each figure could be, and the sentence that says why."""
    best = flow.best_usd_per_day
    week = best * WEEK_DAYS / equity_usd
    said = f"making every print up to twice the cap, with no adverse move, pays {best:,.2f} USD a day"
    ceilings = {
        "trades_per_day": (flow.trades_per_day, f"the whole market prints {flow.trades_per_day:,.0f} times a day"),
        "roi_7d": (week, f"{said}: {100 * week:.2f} % of equity in 7 days"),
    }
    if best <= 0.0:
        sentence = "no print pays more than the maker fee"
        ceilings |= {"edge_lo": (0.0, sentence), "sharpe": (0.0, sentence)}
    return ceilings
