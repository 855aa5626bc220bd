"""Orders a machine second, and repetitions of the same one: a ring of what was sent within the last second.

The ring is one vector (`X_*`), the same in the executor and in the compiled replay; times are machine ns.
"""

from __future__ import annotations

from typing import Any

from common.clock import NS
from common.kernel import istate, kernel
from executor.diff import Change

REPEATS_MAX = 2
"""Identical new orders (side, price, size) within one machine second (reliability.md P09)."""

X_SIZE, X_HEAD, X_N, X_ROWS = range(4)
XR_T, XR_SIDE, XR_PX, XR_SZ, XR_IS_NEW, X_STRIDE = range(6)

PASSES, TOO_MANY, REPEATED = range(3)
WORDS = (None, "throttle", "repeated")


def new_ring(orders_per_s: int) -> Any:
    ring = istate(X_ROWS + X_STRIDE * orders_per_s)
    ring[X_SIZE] = orders_per_s
    return ring


@kernel("void(i8[::1], i8)")
def expire(ring: list[int], mono_ns: int) -> None:
    """Forget what was sent a second ago or earlier."""
    while ring[X_N] > 0 and ring[X_ROWS + X_STRIDE * ring[X_HEAD] + XR_T] <= mono_ns - NS:
        ring[X_HEAD] = (ring[X_HEAD] + 1) % max(ring[X_SIZE], 1)
        ring[X_N] -= 1


@kernel("i8(i8[::1], i8, i8, i8, i8, i8)")
def too_soon(ring: list[int], side: int, px_u: int, sz_u: int, is_new: int, mono_ns: int) -> int:
    """Why an order comes too soon (TOO_MANY, REPEATED), or PASSES."""
    expire(ring, mono_ns)
    if ring[X_N] >= ring[X_SIZE]:
        return TOO_MANY
    if is_new == 0:
        return PASSES
    same = 0
    for k in range(ring[X_N]):
        row = X_ROWS + X_STRIDE * ((ring[X_HEAD] + k) % max(ring[X_SIZE], 1))
        if ring[row + XR_IS_NEW] == 1 and ring[row + XR_SIDE] == side:
            same += 1 if ring[row + XR_PX] == px_u and ring[row + XR_SZ] == sz_u else 0
    return REPEATED if same >= REPEATS_MAX else PASSES


@kernel("void(i8[::1], i8, i8, i8, i8, i8)")
def note_sent(ring: list[int], side: int, px_u: int, sz_u: int, is_new: int, mono_ns: int) -> None:
    """It is sent; beyond the limit the oldest gives way, which changes no answer."""
    size = max(ring[X_SIZE], 1)
    if ring[X_N] >= ring[X_SIZE]:
        ring[X_HEAD] = (ring[X_HEAD] + 1) % size
        ring[X_N] -= 1
    row = X_ROWS + X_STRIDE * ((ring[X_HEAD] + ring[X_N]) % size)
    ring[row + XR_T] = mono_ns
    ring[row + XR_SIDE] = side
    ring[row + XR_PX] = px_u
    ring[row + XR_SZ] = sz_u
    ring[row + XR_IS_NEW] = is_new
    ring[X_N] += 1


class Throttle:
    """The ring, for one signer."""

    def __init__(self, orders_per_s: int) -> None:
        self.ring = new_ring(orders_per_s)

    def refuse(self, change: Change, mono_ns: int) -> str | None:
        """Why this order comes too soon, or None; `note` it when it is sent."""
        is_new = int(not change.cloid)
        return WORDS[too_soon(self.ring, int(change.side), change.px_u, change.sz_u, is_new, mono_ns)]

    def note(self, change: Change, mono_ns: int) -> None:
        note_sent(self.ring, int(change.side), change.px_u, change.sz_u, int(not change.cloid), mono_ns)
