"""What is asked of a source of data, and where it may look."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from backtest.data.kept import Shelf
from backtest.data.places import Places
from common.config import Settings


class Yahoo(Protocol):
    """Brings `^OEX` bars into the data folder; raises LinkDown, BadInput or ConfigError in one sentence."""

    def __call__(self, places: Places, days: float) -> Path: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """`days` 0 = what is usual for the source, `flow` '' = the market's own, no `yahoo` = no network is asked."""

    settings: Settings
    days: float
    shelf: Shelf
    places: Places
    seed: int = 1
    flow: str = ""
    yahoo: Yahoo | None = None
