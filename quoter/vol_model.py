"""A second opinion on volatility: one protocol for every model that looks ahead, HAR now, a learned one when handed in.

The measured volatility (`vol.py`) always counts; a model may only pull it within `vol_pull_max`, and only while it has
a forecast. This room decides what a model is asked and when; whether a learned one may be used at all is decided where
it is trained and accepted (it must have beaten HAR out of sample).
"""

from __future__ import annotations

from typing import Protocol

from common.config import Quoting
from quoter.har import har_see, new_har


class VolModel(Protocol):
    """Told every mid, asked for a forecast; all else (windows, memory, weights) is its own."""

    @property
    def name(self) -> str:
        """One word for metrics and records."""

    def see(self, mid: float, t_ns: int, wall_ns: int) -> float:
        """A mid (px_u) at market time `t_ns`, which stands for UTC `wall_ns`.

        Returns the forecast, annual (0.2 = 20 %); 0.0 = too little data yet.
        """


class HarVol:
    """HAR on realised variance with the time of day (`har.py`)."""

    name = "har"

    def __init__(self) -> None:
        self._floats, self._ints = new_har()

    def see(self, mid: float, t_ns: int, wall_ns: int) -> float:
        return float(har_see(self._floats, self._ints, mid, t_ns, wall_ns))


def model_of(quoting: Quoting) -> VolModel | None:
    """The configured model; None = the measured volatility alone."""
    return HarVol() if quoting.vol_model == "har" else None
