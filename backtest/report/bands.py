"""The whole backtest in figures: each scenario's, the band they span, verdicts, liquidation, and the headline's parts.

A band's outer bounds are the lowest lower and the highest upper bound of any scenario: what neither the queue model,
nor the latency, nor chance rules out. Decides nothing about how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from backtest.report.account import Account, chained
from backtest.report.figures import Figure, Terms, figures, sharpe_basis, sharpe_se
from backtest.report.flow import Flow, together
from backtest.report.liquidation import Liquidation, full_scale, liquidation
from backtest.report.running import Done
from backtest.report.scenarios import Scenario
from backtest.report.targets import Line, judged
from backtest.studies.gating import Judged


@dataclass(frozen=True, slots=True)
class Found:
    """One scenario; its figures' names are those of `headings.py`."""

    scenario: Scenario
    account: Account
    figures: dict[str, Figure]
    gate: Judged | None = None
    """What the edge gate said; None = it was not asked."""


@dataclass(frozen=True, slots=True)
class Band:
    """One figure: the headline's value and interval, the scenarios' lowest and highest value, the outer bounds."""

    name: str
    base: Figure
    lo: float | None
    hi: float | None
    outer_lo: float | None
    outer_hi: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """Everything a report says; the headline's scenario is the first."""

    found: list[Found]
    bands: list[Band]
    flow: Flow
    targets: list[Line]
    played: Liquidation
    at_full: Liquidation
    sharpe_se: float | None
    sharpe_basis: str
    terms: Terms

    @property
    def base(self) -> Found:
        return self.found[0]


def result_of(
    done: Sequence[Done], scenarios: Sequence[Scenario], terms: Terms, hard_ratio: float,
    gates: Mapping[Scenario, Judged] = MappingProxyType({}),
) -> Result:  # fmt: skip
    """Pieces joined, scenarios measured, band and verdicts drawn; `gates`: what the edge gate said of each scenario."""
    found = []
    basis, error = "", None
    played = at_full = None
    for scenario in scenarios:
        account = chained([one.account for one in done if one.scenario == scenario])
        measured, blocks = figures(account, terms)
        found.append(Found(scenario, account, measured, gates.get(scenario)))
        if played is None:
            _, a_year, periods = sharpe_basis(blocks)
            basis = f"{periods} returns of {'a day' if a_year == 365 else f'{blocks.length_ns // 10**9} s'}"
            value = measured["sharpe"].value
            error = None if value is None else sharpe_se(value, periods, a_year)
            equity = terms.costs.equity_usd
            played = liquidation(blocks, equity, 1.0, terms.seed)
            at_full = liquidation(blocks, equity, full_scale(terms.costs.leverage, hard_ratio), terms.seed)
    assert played is not None  # there is always a headline
    assert at_full is not None
    flow = together([one.flow for one in done if one.flow is not None])
    lines = judged([one.figures for one in found], flow, terms.costs.equity_usd, flow.days)
    return Result(found, bands(found), flow, lines, played, at_full, error, basis, terms)


def bands(found: Sequence[Found]) -> list[Band]:
    return [_band(name, [one.figures[name] for one in found]) for name in found[0].figures]


def _band(name: str, figures: Sequence[Figure]) -> Band:
    values = [one.value for one in figures if one.value is not None]
    lows = [one.lo for one in figures if one.lo is not None]
    highs = [one.hi for one in figures if one.hi is not None]
    return Band(
        name, figures[0], min(values, default=None), max(values, default=None), min(lows, default=None),
        max(highs, default=None),
    )  # fmt: skip
