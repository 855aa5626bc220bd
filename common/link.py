"""Is the link up?  One answer from several connections, and who wants to know when it changes.

`Wiring` is what every loop of a bus is given: who it works for, how to connect, the clocks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from common import metrics
from common.bus_types import Wire
from common.log import get_log

RETRY_S = 0.25
"""Pause before the next try after any fault of the link."""

log = get_log("bus")


class Link:
    """The connections of one bus, by name; up only when each of them is."""

    def __init__(self, mono_ns: Callable[[], int]) -> None:
        self.last_ok_mono_ns = 0
        self._mono_ns = mono_ns
        self._up: dict[str, bool] = {}
        self._callbacks: list[Callable[[bool], None]] = []
        self._was_up = False

    @property
    def up(self) -> bool:
        return bool(self._up) and all(self._up.values())

    def on_change(self, callback: Callable[[bool], None]) -> None:
        self._callbacks.append(callback)

    def expect(self, name: str) -> None:
        """A connection that must work from now on; it counts as down until its first good reply."""
        self._up[name] = False
        self._tell()

    def forget(self, name: str) -> None:
        """A connection that was ended on purpose."""
        self._up.pop(name, None)

    def ok(self, name: str) -> None:
        """A good reply came."""
        self.last_ok_mono_ns = self._mono_ns()
        if not self._up.get(name, True):
            self._up[name] = True
            log.info("connection_made", connection=name)
            self._tell()

    def down(self, name: str, reason: str) -> None:
        """No reply, or a wrong one."""
        if self._up.get(name, False):
            self._up[name] = False
            log.warning("connection_lost", connection=name, reason=reason)
            self._tell()

    def _tell(self) -> None:
        metrics.set("amm_bus_link_up", float(self.up))
        if self.up != self._was_up:
            self._was_up = self.up
            for callback in self._callbacks:
                callback(self.up)


@dataclass(frozen=True)
class Wiring:
    """`now_ms` is the wall clock entry ids are made of, `mono_ns` the machine time that measures waiting."""

    service: str
    connect: Callable[[], Awaitable[Wire]]
    link: Link
    now_ms: Callable[[], int]
    mono_ns: Callable[[], int]
    block_ms: int
