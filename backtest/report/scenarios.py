"""Under which queue models and latencies a backtest is run: the headline's, and those that make its band.

Nobody knows how a venue's queue really moves or how late we will be, and either can flip a sign (strategy.md 1.5,
edge.md 5); so every figure is shown for three queue models x three latencies. The middle one is what is expected of
this venue, so it is a measured table with its tail: a quote that is picked off is picked off in a slow moment, which a
constant at the median never has. The outer two are constants: bounds that are easy to hold against other engines.
Latencies in ms, feed + order; those of a table are its medians.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common.errors import ConfigError
from simvenue.book.queue_model import MODELS
from simvenue.door import latency_table
from simvenue.door.latency import LATENCIES, Latency, Quantiles

MS = 1_000_000
QUEUES = ("risk-averse", "probabilistic", "optimistic")
NAMED = ("good", "typical", "bad")
TABLE, RECORDED = "table:", "recorded"
USUAL = "table:typical"
BAND = ("good", USUAL, "bad")
MS_MAX = 60_000.0
TAIL_SHARE = 0.99
KNOWN = "good, typical, bad, FEED,ORDER in ms, table:NAME or table:FILE.csv (measured, with tails), or recorded"


@dataclass(frozen=True, slots=True)
class Delays:
    """How late we are: constants, or with `table` drawn from it; `is_recorded`: books as the recorder received them."""

    latency: str
    feed_ms: float
    order_ms: float
    table: Latency | None = None
    is_recorded: bool = False

    @property
    def said(self) -> str:
        """In words, for a report."""
        medians = f"{self.feed_ms:g} + {self.order_ms:g} ms"
        tails = self.table.tails if self.table is not None else None
        if tails is None:
            return f"{self.latency} {medians}" if self.latency in NAMED else self.latency
        late = f"{slowest_ms(tails.feed):.0f} + {slowest_ms(tails.order):.0f} ms"
        if self.is_recorded:
            return f"{self.latency}: books when the recorder had them, orders at a median of {self.order_ms:g} ms"
        return f"{self.latency} {medians} at the median, one in a hundred beyond {late}"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One queue model at one latency."""

    queue: str
    delays: Delays

    @property
    def name(self) -> str:
        return f"{self.queue}, {self.delays.latency}"

    @property
    def model(self) -> int:
        return next(number for name, number in MODELS.items() if name == self.queue)


def slowest_ms(quantiles: Quantiles) -> float:
    """What one in a hundred is slower than."""
    return next(delay for share, delay in quantiles if share >= TAIL_SHARE) / MS


def latency_of(text: str) -> Delays:
    """What `--latency` names (`KNOWN`); raises ConfigError."""
    if text in NAMED:
        found = LATENCIES[text]
        return Delays(text, found.feed_ns / MS, found.order_ns / MS)
    if text == RECORDED:
        return _drawn(RECORDED, latency_table.FOLDER / "typical.csv", is_recorded=True)
    if text.startswith(TABLE):
        name = text.removeprefix(TABLE)
        return _drawn(text, latency_table.FOLDER / f"{name}.csv" if name in NAMED else Path(name))
    try:
        feed_ms, order_ms = (float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"--latency {text!r}: {KNOWN}") from None
    if not (0 <= feed_ms <= MS_MAX and 0 <= order_ms <= MS_MAX):
        raise ConfigError(f"--latency {text!r}: 0..{MS_MAX:.0f} ms each")
    return Delays(f"{feed_ms:g}+{order_ms:g} ms", feed_ms, order_ms)


def _drawn(name: str, path: Path, *, is_recorded: bool = False) -> Delays:
    table = latency_table.read(path)
    return Delays(name, table.feed_ns / MS, table.order_ns / MS, table, is_recorded)


def scenarios(queue: str, latency: str, *, ends_only: bool = False) -> tuple[Scenario, ...]:
    """The headline's first, then the rest of the band: all nine, or with `ends_only` just its two corners."""
    base = Scenario(queue, latency_of(latency))
    pairs: Sequence[tuple[str, str]] = [(q, name) for name in BAND for q in QUEUES]
    if ends_only:
        pairs = [("optimistic", "good"), ("risk-averse", "bad")]
    rest = [Scenario(q, latency_of(name)) for q, name in pairs]
    return (base, *(one for one in rest if one != base))
