"""Whether a new ladder differs enough from the published one to be worth the actions it may cost.

A difference is a level that stands nearer than wanted by more than out_bps or further than wanted by more than in_bps
(or a share of its distance), another number of levels, or a size that changed by more than a third. Safety triggers are
the engine's. Works on two `out` vectors.
"""

from __future__ import annotations

from common.kernel import kernel
from quoter.state import (
    BID_SIDE,
    BPS,
    O_COUNT,
    O_ROWS,
    O_SIDE,
)

SAME = 0
COUNT = 1
MOVED = 2
SIZED = 3


@kernel("i8(i8[::1], i8[::1], f8, f8, f8, f8, f8)")
def difference(
    target: list[int], shown: list[int], fair: float, out_bps: float, in_bps: float, hold_ratio: float,
    size_ratio: float,
) -> int:  # fmt: skip
    """The first difference found, best levels first; SAME = keep what is shown."""
    if fair <= 0.0:
        return SAME
    for side in range(2):
        if target[O_COUNT + side] != shown[O_COUNT + side]:
            return COUNT
        for level in range(target[O_COUNT + side]):
            at = O_ROWS + side * O_SIDE + 2 * level
            outwards = float(shown[at] - target[at]) if side == BID_SIDE else float(target[at] - shown[at])
            moved_bps = abs(outwards) / fair / BPS
            hold_bps = out_bps if outwards > 0.0 else in_bps
            distance_bps = abs(float(target[at]) - fair) / fair / BPS
            if moved_bps > max(hold_bps, hold_ratio * distance_bps):
                return MOVED
            before = float(shown[at + 1])
            if abs(float(target[at + 1]) - before) > size_ratio * before:
                return SIZED
    return SAME


@kernel("f8(i8[::1], i8)")
def side_usd(out: list[int], side: int) -> float:
    """Notional of one side of a ladder in USD."""
    total = 0.0
    for level in range(out[O_COUNT + side]):
        at = O_ROWS + side * O_SIDE + 2 * level
        total += float(out[at]) * float(out[at + 1]) * 1e-6
    return total
