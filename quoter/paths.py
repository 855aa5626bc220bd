"""Mid prices remembered for up to ten minutes, so that a move over any horizon is one subtraction.

A path is a ring of (market ns, log mid); each horizon has a pointer to the newest entry at least that old, which only
ever moves on: no window is scanned again. An entry is made when the mid changed, and once a second while it does not,
so that a silence can be told from a calm market: a move whose reference is too old (2 x horizon + 2 s) counts as 0.
Several markets share the two vectors: path 0 is our own, the others are reference markets. The layout: the ring's size
(a power of two), the number of paths, the horizons, then one block a path.
"""

from __future__ import annotations

from typing import Any

from common.kernel import istate, kernel, state
from quoter.state import NS

RING = 8192
"""Ten minutes at 13 changes a second; a faster market's longest move spans what the ring remembers."""
HORIZONS_S = (1, 5, 30, 120, 600)
HORIZONS = 5
CALM_NS = NS
SLACK_NS = 2 * NS

T_SIZE = 0
T_PATHS = 1
T_SPANS = 2  # the horizons in ns
T_HEAD = T_SPANS + HORIZONS
T_N = 0  # entries ever made
T_AT = 1  # one pointer a horizon, as number of the entry
T_RING = 1 + HORIZONS


def new_paths(paths: int, size: int = RING) -> tuple[Any, Any]:
    """(log mids, times and pointers) of so many markets."""
    times = istate(T_HEAD + paths * (T_RING + size))
    times[T_SIZE] = size
    times[T_PATHS] = paths
    for k, horizon_s in enumerate(HORIZONS_S):
        times[T_SPANS + k] = horizon_s * NS
    return state(paths * size), times


@kernel("void(f8[::1], i8[::1], i8, i8, f8)")
def remember(logs: list[float], times: list[int], path: int, t_ns: int, log_mid: float) -> None:
    """The path's mid at `t_ns`; of one instant the last word counts."""
    size = times[T_SIZE]
    base = T_HEAD + path * (T_RING + size)
    n = times[base + T_N]
    if n > 0:
        last = (n - 1) & (size - 1)
        last_t_ns = times[base + T_RING + last]
        if t_ns <= last_t_ns:
            logs[path * size + last] = log_mid
            return
        if log_mid == logs[path * size + last] and t_ns - last_t_ns < CALM_NS:
            return
    at = n & (size - 1)
    logs[path * size + at] = log_mid
    times[base + T_RING + at] = t_ns
    times[base + T_N] = n + 1


@kernel("void(f8[::1], i8[::1], i8, i8, i8, f8[::1], i8)")
def read_moves(
    logs: list[float], times: list[int], path: int, horizons: int, t_ns: int, x: list[float], place: int
) -> None:
    """Moves in bps over the first `horizons` horizons up to `t_ns`, into `x` from `place` on; 0 where not known."""
    size = times[T_SIZE]
    head = T_HEAD + path * (T_RING + size)
    ring = head + T_RING
    base = path * size
    n = times[head + T_N]
    last = logs[base + ((n - 1) & (size - 1))]
    for k in range(horizons):
        x[place + k] = 0.0
        if n == 0:
            continue
        span_ns = times[T_SPANS + k]
        at = max(times[head + T_AT + k], n - size)
        while at + 1 < n and times[ring + ((at + 1) & (size - 1))] <= t_ns - span_ns:
            at += 1
        times[head + T_AT + k] = at
        if t_ns - times[ring + (at & (size - 1))] < 2 * span_ns + SLACK_NS:
            x[place + k] = (last - logs[base + (at & (size - 1))]) * 1e4
