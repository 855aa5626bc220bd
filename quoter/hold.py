"""Whether a new ladder differs enough from the published one to be worth the actions it may cost.

A difference is a level that stands nearer than wanted by more than out_bps or further than wanted by more than in_bps
(or a share of its distance), another number of levels, or a size that changed by more than a third. Safety triggers are
the engine's. Works on two `out` vectors, with the thresholds of the configuration in a third (`H_*`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.kernel import kernel, state
from quoter.state import (
    BID_SIDE,
    BPS,
    NS,
    O_COUNT,
    O_LEN,
    O_ROWS,
    O_SIDE,
    O_WHY,
    S_BUDGET,
    S_FAIR,
)

if TYPE_CHECKING:
    from common.config import Quoting

BUDGET_SLACK = 1.0 + 1e-6

(
    H_OUT,  # bps a shown level may be too near
    H_IN,  # bps it may be too far
    H_RATIO,  # ... or this share of its distance
    H_SIZE,  # relative change of a size
    H_AGE,  # s after which even a small move counts
    H_AWAY,  # bps the mid may have moved before orders must go first
    H_LEN,
) = range(7)

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
    bps = 1.0 / (fair * BPS)
    for side in range(2):
        if target[O_COUNT + side] != shown[O_COUNT + side]:
            return COUNT
        for level in range(target[O_COUNT + side]):
            at = O_ROWS + side * O_SIDE + 2 * level
            outwards = float(shown[at] - target[at]) if side == BID_SIDE else float(target[at] - shown[at])
            moved_bps = abs(outwards) * bps
            hold_bps = out_bps if outwards > 0.0 else in_bps
            distance_bps = abs(float(target[at]) - fair) * bps
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


def new_hold(q: Quoting) -> Any:
    """The thresholds as the kernels read them."""
    hold = state(H_LEN)
    for place, value in (
        (H_OUT, q.out_bps), (H_IN, q.in_bps), (H_RATIO, q.hold_ratio), (H_SIZE, q.hold_size_ratio),
        (H_AGE, q.order_max_age_s), (H_AWAY, q.cancel_move_bps),
    ):  # fmt: skip
        hold[place] = float(value)
    return hold


@kernel("i8(i8[::1], i8[::1], f8[::1], f8[::1], i8, i8)")
def is_worth_telling(
    target: list[int], shown: list[int], state: list[float], hold: list[float], adapt: int, age_ns: int
) -> int:
    """1 when `target` should replace what is shown for `age_ns`; with `adapt` even a small move counts."""
    for side in range(2):
        if target[O_WHY + side] != shown[O_WHY + side]:
            return 1
    if adapt == 1:
        for k in range(O_LEN):
            if target[k] != shown[k]:
                return 1
    for side in range(2):
        if side_usd(shown, side) > state[S_BUDGET + side] * BUDGET_SLACK:
            return 1
    if float(age_ns) >= hold[H_AGE] * NS:
        return 1 if difference(target, shown, state[S_FAIR], 0.0, 0.0, 0.0, hold[H_SIZE]) != SAME else 0
    found = difference(target, shown, state[S_FAIR], hold[H_OUT], hold[H_IN], hold[H_RATIO], hold[H_SIZE])
    return 1 if found != SAME else 0


@kernel("i8(i8[::1], f8, f8, f8[::1])")
def has_run_away(shown: list[int], mid: float, shown_mid: float, hold: list[float]) -> int:
    """1 when the book moved so far since the shown ladder that orders must go before new ones come."""
    if shown[O_COUNT] + shown[O_COUNT + 1] == 0 or shown_mid <= 0.0 or mid <= 0.0:
        return 0
    return 1 if abs(mid / shown_mid - 1.0) > hold[H_AWAY] * BPS else 0
