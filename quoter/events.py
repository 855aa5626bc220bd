"""What goes into the quoter's core besides messages and time, and what it asks of its shell."""

from __future__ import annotations

from dataclasses import dataclass

from common.messages import Ladder
from quoter.card import Card
from quoter.edge_gate import Kept
from quoter.view import MarketView


# ---------------------------------------------------------------------- in
@dataclass(frozen=True, slots=True)
class Stop:
    """The process is about to end: withdraw all quotes now and for good."""


@dataclass(frozen=True, slots=True)
class Model:
    """The forecast to use from now on, None = none; the shell has read it, held it to its age and found it whole."""

    card: Card | None


@dataclass(frozen=True, slots=True)
class EdgeKept:
    """The edge gate's evidence as an earlier process left it (`edge_file.py`); None = it is there but says nothing."""

    kept: Kept | None


# ---------------------------------------------------------------------- out
@dataclass(frozen=True, slots=True)
class Figures:
    """What the newest decision rests on, for gauges and logs."""

    ladder: Ladder
    view: MarketView
    position_u: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that changed nothing because it breaks its contract."""

    reason: str
