"""Under which queue models and latencies a backtest is run: the headline's, and those that make its band.

Nobody knows how a venue's queue really moves or how late we will be, and either can flip a sign (strategy.md 1.5,
edge.md 5); so every figure is shown for three queue models x three latencies. Latencies in ms, feed + order.
"""

from __future__ import annotations

from dataclasses import dataclass

from common.errors import ConfigError
from simvenue.book.queue_model import MODELS
from simvenue.door.latency import LATENCIES

MS = 1_000_000
QUEUES = ("risk-averse", "probabilistic", "optimistic")
NAMED = ("good", "typical", "bad")
MS_MAX = 60_000.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One queue model at one latency."""

    queue: str
    latency: str
    feed_ms: float
    order_ms: float

    @property
    def name(self) -> str:
        return f"{self.queue}, {self.latency}"

    @property
    def model(self) -> int:
        return next(number for name, number in MODELS.items() if name == self.queue)


def latency_of(text: str) -> tuple[str, float, float]:
    """(name, feed ms, order ms) of `good`, `typical`, `bad` or `FEED,ORDER`; raises ConfigError."""
    if text in NAMED:
        found = LATENCIES[text]
        return text, found.feed_ns / MS, found.order_ns / MS
    try:
        feed_ms, order_ms = (float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"--latency {text!r}: good, typical, bad or FEED,ORDER in ms") from None
    if not (0 <= feed_ms <= MS_MAX and 0 <= order_ms <= MS_MAX):
        raise ConfigError(f"--latency {text!r}: 0..{MS_MAX:.0f} ms each")
    return f"{feed_ms:g}+{order_ms:g} ms", feed_ms, order_ms


def scenarios(queue: str, latency: str, *, ends_only: bool = False) -> tuple[Scenario, ...]:
    """The headline's first, then the rest of the band: all nine, or with `ends_only` just its two corners."""
    base = Scenario(queue, *latency_of(latency))
    pairs = [(q, name) for name in NAMED for q in QUEUES]
    if ends_only:
        pairs = [("optimistic", "good"), ("risk-averse", "bad")]
    rest = [Scenario(q, *latency_of(name)) for q, name in pairs]
    return (base, *(one for one in rest if one != base))
