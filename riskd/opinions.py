"""Two opinions of one account: the executor's and the monitor's.  Do they see the same positions?

The monitor's view is older than the executor's by a fraction of a second, so it agrees when it equals a position the
executor had within the last seconds. Only a difference that lasts is one; a silent monitor is no difference.
Machine time (`mono_ns`).
"""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

from common.clock import NS
from common.messages import Position

LASTING_S = 10.0
"""P21: a mismatch that persists this long reduces."""
FRESH_S = 5.0
RECENT_S = 10.0

Held: TypeAlias = frozenset[tuple[str, int]]


def held(positions: list[Position]) -> Held:
    """Open positions as a set; flat coins do not count."""
    return frozenset((p.coin, p.signed_u) for p in positions if p.signed_u)


class Opinions:
    """The newest of both, and since when they differ."""

    def __init__(self) -> None:
        self._account: deque[tuple[int, Held]] = deque()
        self._wallet: tuple[int, Held] | None = None
        self._since_ns: int | None = None

    def on_account(self, positions: list[Position], mono_ns: int) -> None:
        self._account.append((mono_ns, held(positions)))
        while self._account[0][0] < mono_ns - RECENT_S * NS and len(self._account) > 1:
            self._account.popleft()

    def on_wallet(self, positions: list[Position], mono_ns: int) -> None:
        self._wallet = (mono_ns, held(positions))

    def mismatch(self, mono_ns: int) -> bool:
        """Whether both have been heard lately and have differed for `LASTING_S`."""
        if not self._differ(mono_ns):
            self._since_ns = None
            return False
        if self._since_ns is None:
            self._since_ns = mono_ns
        return mono_ns - self._since_ns > LASTING_S * NS

    def _differ(self, mono_ns: int) -> bool:
        if self._wallet is None or not self._account:
            return False
        oldest = mono_ns - FRESH_S * NS
        if self._wallet[0] < oldest or self._account[-1][0] < oldest:
            return False
        return all(self._wallet[1] != positions for _, positions in self._account)
