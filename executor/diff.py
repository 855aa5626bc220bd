"""From what rests to what should rest, with the fewest actions.

Decides which resting order serves which wanted level: it stays (its move is worth less than its queue place plus the
action's price: `economics.py`), it moves, it goes, or a level is new. What may be sent now is the governor's and the
checks' business. Prices px_u, sizes sz_u (of resting orders: what is left), distances in bps of the order's own price.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from common.kernel import istate, kernel, state
from common.messages import Level, Side
from executor.economics import stays

SIZE_RATIO = 0.30
"""An order whose size is within this share of the wanted one need not move for its size."""


MISSING_BPS = 5.0
"""A level without its order is missed as much as one whose order is this far away; part of a size: part of it."""


class What(enum.Enum):
    CANCEL = "cancel"
    OUTWARD = "outward"  # further from the mid, or smaller: takes risk off
    INWARD = "inward"
    NEW = "new"


class Resting(Struct, frozen=True, gc=False):
    """An order as the diff sees it: where it rests, or where it will once its open request has landed."""

    cloid: str
    oid: int
    px_u: int
    sz_u: int
    locked: bool  # a request is open or the state is unknown: it counts, and nothing may be asked of it
    place: float = 0.0  # share of its queue that is behind it: 0 at the back, 1 at the front


class Change(Struct, frozen=True, gc=False):
    """One wanted change; `gap_bps` is how far the order is from its place, in price and size (MISSING_BPS)."""

    what: What
    side: Side
    cloid: str
    oid: int
    px_u: int
    sz_u: int
    level: int
    from_px_u: int = 0
    gap_bps: float = 0.0


@kernel("f8(i8, i8)")
def gap_bps(a_px_u: int, b_px_u: int) -> float:
    """Distance of two prices in bps of the first (0 when that is not a price)."""
    if a_px_u <= 0:
        return 0.0
    return abs(a_px_u - b_px_u) * 10_000.0 / a_px_u


@kernel("i8(i8, i8, i8[::1], i8[::1], i8[::1], f8[::1], i8, i8[::1], i8[::1], f8[::1], i8[::1])")
def assign(
    side: int,
    n: int,
    px_u: Any,
    sz_u: Any,
    locked: Any,
    place: Any,
    m: int,
    want_px_u: Any,
    want_sz_u: Any,
    terms: Any,
    out: Any,
) -> int:
    """Give each of n resting orders a level of m wanted ones; both best first.  Returns how many orders stay.

    out[i] for i < n: the level order i serves, or -1; out[n + i]: 1 when it needs no action (it stays or is locked).
    The rest of `out` (length >= 3n + 2m) is scratch. Locked orders take the nearest free level first; then orders that
    may stay are paired in one pass from the best; the remaining ones are moved in order, shifted so that they travel
    least in all. The number of actions is the least possible for the stays found.
    """
    taken, rest, free = 2 * n, 2 * n + m, 3 * n + m
    for i in range(n):
        out[i] = -1
        out[n + i] = locked[i]
    for j in range(m):
        out[taken + j] = 0
    for i in range(n):
        if locked[i] == 1:
            best = -1
            for j in range(m):
                if out[taken + j] == 0 and (best < 0 or abs(want_px_u[j] - px_u[i]) < abs(want_px_u[best] - px_u[i])):
                    best = j
            if best >= 0:
                out[i] = best
                out[taken + best] = 1
    i = 0
    j = 0
    stay = 0
    while i < n and j < m:
        if out[n + i] == 1:
            i += 1
        elif out[taken + j] == 1:
            j += 1
        elif stays(terms, side, px_u[i], sz_u[i], want_px_u[j], want_sz_u[j], place[i]) == 1:
            out[i] = j
            out[n + i] = 1
            out[taken + j] = 1
            stay += 1
            i += 1
            j += 1
        elif side * (px_u[i] - want_px_u[j]) > 0:
            i += 1
        else:
            j += 1
    n_rest = 0
    n_free = 0
    for i in range(n):
        if out[n + i] == 0:
            out[rest + n_rest] = i
            n_rest += 1
    for j in range(m):
        if out[taken + j] == 0:
            out[free + n_free] = j
            n_free += 1
    pairs = min(n_rest, n_free)
    shift_i = 0
    shift_j = 0
    least = -1
    for shift in range(max(n_rest, n_free) - pairs + 1):
        skip_i = shift if n_rest > n_free else 0
        skip_j = 0 if n_rest > n_free else shift
        way = 0
        for k in range(pairs):
            way += abs(px_u[out[rest + skip_i + k]] - want_px_u[out[free + skip_j + k]])
        if least < 0 or way < least:
            least = way
            shift_i = skip_i
            shift_j = skip_j
    for k in range(pairs):
        out[out[rest + shift_i + k]] = out[free + shift_j + k]
    return stay


def changes(
    side: Side,
    resting: Sequence[Resting],
    wanted: Sequence[tuple[int, Level]],
    terms: Any,
) -> list[Change]:
    """The changes that turn `resting` into `wanted` ((level number, level), best first) on one side, at these terms."""
    n, m = len(resting), len(wanted)
    ordered = sorted(resting, key=lambda r: -side * r.px_u)
    out = istate(3 * n + 2 * m)
    px_u, sz_u, locked = istate(n), istate(n), istate(n)
    want_px_u, want_sz_u = istate(m), istate(m)
    place = state(n)
    for i, order in enumerate(ordered):
        px_u[i], sz_u[i], locked[i], place[i] = order.px_u, order.sz_u, int(order.locked), order.place
    for j, (_, level) in enumerate(wanted):
        want_px_u[j], want_sz_u[j] = level.px_u, level.sz_u
    assign(int(side), n, px_u, sz_u, locked, place, m, want_px_u, want_sz_u, terms, out)
    served = {int(out[i]) for i in range(n)}
    found = [_change(side, order, wanted, int(out[i])) for i, order in enumerate(ordered) if not out[n + i]]
    found += [_new(side, number, level) for j, (number, level) in enumerate(wanted) if j not in served]
    return found


def _change(side: Side, order: Resting, wanted: Sequence[tuple[int, Level]], j: int) -> Change:
    if j < 0:
        return Change(What.CANCEL, side, order.cloid, order.oid, order.px_u, order.sz_u, -1, order.px_u)
    number, level = wanted[j]
    nearer = side * (order.px_u - level.px_u)
    outward = nearer > 0 or (nearer == 0 and order.sz_u > level.sz_u)
    what = What.OUTWARD if outward else What.INWARD
    gap = gap_bps(order.px_u, level.px_u) + MISSING_BPS * min(abs(order.sz_u - level.sz_u) / level.sz_u, 1.0)
    return Change(what, side, order.cloid, order.oid, level.px_u, level.sz_u, number, order.px_u, gap)


def _new(side: Side, number: int, level: Level) -> Change:
    return Change(What.NEW, side, "", 0, level.px_u, level.sz_u, number, gap_bps=MISSING_BPS)
