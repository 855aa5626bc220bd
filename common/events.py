"""What the run loop tells an engine besides messages, `Gap` and `Tick`; pure data, so that cores may import it."""

from __future__ import annotations

from dataclasses import dataclass

from common.messages import AnyMessage


@dataclass(frozen=True, slots=True)
class Replayed:
    """A message from the past, delivered to rebuild state: it must cause no action."""

    message: AnyMessage


@dataclass(frozen=True, slots=True)
class Link:
    """The bus works from now on, or does not."""

    up: bool
    mono_ns: int


@dataclass(frozen=True, slots=True)
class BatchEnd:
    """All messages that were read at once have been applied; sent to engines with `wants_batch_end = True` only."""

    t_ns: int
    mono_ns: int
