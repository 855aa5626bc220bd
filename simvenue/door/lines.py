"""The three lines of one venue, and what comes over them stamped with when it is there."""

from __future__ import annotations

from dataclasses import replace

from simvenue.door.latency import Latency, Tails, arrive, new_line, new_table
from simvenue.events import Output, Reply


class Lines:
    """The three lines of one venue."""

    def __init__(self, latency: Latency, seed: int = 0) -> None:
        self.latency = latency
        self._tails = latency.tails is not None
        tails = latency.tails or Tails(*(((1.0, ns),) for ns in (latency.feed_ns, latency.order_ns, latency.reply_ns)))
        self._tables = [new_table(quantiles) for quantiles in (tails.feed, tails.order, tails.reply)]
        self._lines = [new_line(f"{name} {seed}") for name in ("feed", "order", "reply")]

    def arrives(self, t_ns: int) -> int:
        """When the venue has what a client sends at `t_ns`."""
        if not self._tails:
            return t_ns + self.latency.order_ns
        return int(arrive(self._lines[1], self._tables[1], t_ns))

    def stamped(self, outputs: list[Output]) -> list[Output]:
        """What the venue said, in its order, with the time at which clients have it."""
        return [self._stamp(output) for output in outputs] if self._tails else outputs

    def _stamp(self, output: Output) -> Output:
        line = 2 if isinstance(output, Reply) else 0
        return replace(output, deliver_t_ns=int(arrive(self._lines[line], self._tables[line], output.t_ns)))
