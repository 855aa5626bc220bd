"""A panel as data: title, kind, unit, what it asks Prometheus, and where a threshold lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["lines", "points", "stat", "gauge", "heat", "states", "bars", "table"]
Step: TypeAlias = tuple[str, float | None]
"""(colour, from which value); None = from the bottom."""

COIN = 'coin=~"$coin"'
RATE = "$__rate_interval"

USD, RATIO, SECONDS, BYTES, COUNT, NONE = "currencyUSD", "percentunit", "s", "bytes", "short", "none"
PLAIN_USD = "none"
"""Prices: a currency unit would round 752.413 to $752."""

GREEN, YELLOW, ORANGE, RED, DARK_RED, BLUE = "green", "yellow", "orange", "red", "dark-red", "blue"


@dataclass(frozen=True)
class Ask:
    """One query and its legend."""

    expr: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """`steps`: thresholds, lines in a series panel, colours elsewhere.  `texts`: what whole numbers mean."""

    title: str
    kind: Kind
    unit: str
    description: str
    asks: Sequence[Ask]
    width: int = 12
    height: int = 8
    steps: Sequence[Step] = ()
    texts: Mapping[int, tuple[str, str]] = field(default_factory=dict)  # value -> (text, colour)
    low: float | None = None
    high: float | None = None
    decimals: int | None = None
    axis: str = ""  # unit of a heat map's vertical axis; "" = the panel's


@dataclass(frozen=True)
class Row:
    """A heading above the panels that follow."""

    title: str


@dataclass(frozen=True)
class Board:
    """One dashboard; `name` is its short name, uid and file are made from it."""

    name: str
    title: str
    description: str
    items: Sequence[Panel | Row]

    @property
    def uid(self) -> str:
        return f"amm-{self.name}"


def stat(
    title: str, unit: str, expr: str, legend: str, description: str, steps: Sequence[Step] = (), **more: Any
) -> Panel:
    """A figure, four columns wide."""
    options: dict[str, Any] = {"width": 4, "height": 4, **more}
    return Panel(title, "stat", unit, description, (Ask(expr, legend),), steps=steps, **options)


def one(expr: str, legend: str) -> tuple[Ask, ...]:
    return (Ask(expr, legend),)


def of_coin(metric: str, *labels: str) -> str:
    """A metric of the chosen coins: `amm_x{coin=~"$coin",...}`."""
    return f"{metric}{{{','.join((COIN, *labels))}}}"


def label(name: str, value: str) -> str:
    return f'{name}="{value}"'
