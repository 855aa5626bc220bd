"""What the position does to the quotes: urgency, the tilt of distances, and which side may grow it.

delta = position notional / (equity x DELTA_SCALE). A tilt begins at P_SKEW and ends at P_BALANCED; between P_BALANCED
and P_FULL the urgency rises from 0 to 1, more with a used-up margin or an old position. Long: bids go away by
(1 + 2u), asks come nearer by (1 - 0.3u); short: the mirror image. Profiles without tilt move the centre of both sides
instead. Beyond the soft cap only the reducing side is quoted. A session's inventory multiplier scales caps and levels.
"""

from __future__ import annotations

from common.kernel import kernel
from quoter.state import (
    BID_SIDE,
    I_POSITION,
    I_POSITION_T,
    I_SKEWING,
    P_AWAY,
    P_BALANCED,
    P_CENTRE,
    P_DELTA_SCALE,
    P_FULL,
    P_HARD_RATIO,
    P_MARGIN_FROM,
    P_MARGIN_SLOPE,
    P_ONE_SIDED,
    P_POSITION_AGE,
    P_POSITION_URGENCY,
    P_SKEW,
    P_SKEW_LEAST,
    P_TILT,
    P_TOWARDS,
    S_CENTRE,
    S_DELTA,
    S_EQUITY,
    S_HARD,
    S_MARGIN,
    S_SESSION_INVENTORY,
    S_SOFT,
    S_URGENCY,
    USD,
)

DELTA_MAX = 1e6
"""A position whose session allows none is this far beyond every level."""


@kernel("f8(i8[::1], f8)")
def position_usd(ints: list[int], px: float) -> float:
    """Signed notional of the position at px (px_u)."""
    return float(ints[I_POSITION]) * px * USD


@kernel("f8(i8[::1], f8[::1], i8)")
def age_urgency(ints: list[int], params: list[float], t_ns: int) -> float:
    """What a position older than MAX_POSITION_SECONDS adds: rising to P_POSITION_URGENCY at twice that age."""
    if ints[I_POSITION_T] == 0 or params[P_POSITION_AGE] <= 0.0:
        return 0.0
    age = float(t_ns - ints[I_POSITION_T]) / 1e9 / params[P_POSITION_AGE]
    return params[P_POSITION_URGENCY] * min(max(age - 1.0, 0.0), 1.0)


@kernel("f8(f8[::1], f8[::1])")
def margin_scale(state: list[float], params: list[float]) -> float:
    """Factor that a used-up margin puts on urgency and centre skew; 1 up to P_MARGIN_FROM."""
    return 1.0 + params[P_MARGIN_SLOPE] * max(min(state[S_MARGIN], 1.0) - params[P_MARGIN_FROM], 0.0)


@kernel("f8(f8[::1])")
def inventory_scale(state: list[float]) -> float:
    """Share of the caps that the session leaves, 0..1."""
    return min(max(state[S_SESSION_INVENTORY], 0.0), 1.0)


@kernel("f8(f8[::1], f8[::1])")
def hard_usd(state: list[float], params: list[float]) -> float:
    """The hard inventory cap: the permit's or the configuration's, as far as the session allows it."""
    return max(min(state[S_HARD], params[P_HARD_RATIO] * state[S_EQUITY]) * inventory_scale(state), 0.0)


@kernel("void(f8[::1], i8[::1], f8[::1], f8, i8)")
def set_urgency(state: list[float], ints: list[int], params: list[float], px: float, t_ns: int) -> None:
    """S_DELTA and S_URGENCY for the position valued at px; where the session allows less, the same delta is more."""
    scale = state[S_EQUITY] * params[P_DELTA_SCALE]
    delta = 0.0
    if scale > 0.0:
        delta = position_usd(ints, px) / scale
    size = abs(delta)
    allowed = inventory_scale(state)
    if allowed > 0.0:
        size /= allowed
    elif size > 0.0:
        size = DELTA_MAX
    if size >= params[P_SKEW]:
        ints[I_SKEWING] = 1
    elif size <= params[P_BALANCED]:
        ints[I_SKEWING] = 0
    urgency = 0.0
    if ints[I_SKEWING] == 1:
        width = params[P_FULL] - params[P_BALANCED]
        urgency = 1.0
        if width > 0.0:
            urgency = min(max((size - params[P_BALANCED]) / width, 0.0), 1.0)
        urgency = min(urgency + age_urgency(ints, params, t_ns), 1.0)
        urgency *= margin_scale(state, params)
    state[S_DELTA] = delta
    state[S_URGENCY] = urgency


@kernel("i8(i8[::1], i8)")
def is_reducing(ints: list[int], side: int) -> int:
    """1 when a fill on `side` would make the position smaller."""
    if side == BID_SIDE:
        return 1 if ints[I_POSITION] < 0 else 0
    return 1 if ints[I_POSITION] > 0 else 0


@kernel("f8(f8[::1], i8[::1], f8[::1], i8)")
def tilt(state: list[float], ints: list[int], params: list[float], side: int) -> float:
    """Factor on the distances of a side."""
    if params[P_TILT] <= 0.0:
        return 1.0
    if is_reducing(ints, side) == 1:
        return max(1.0 - params[P_TOWARDS] * state[S_URGENCY], params[P_SKEW_LEAST])
    return 1.0 + params[P_AWAY] * state[S_URGENCY]


@kernel("void(f8[::1], i8[::1], f8[::1], f8)")
def set_centre(state: list[float], ints: list[int], params: list[float], px: float) -> None:
    """S_CENTRE: P_CENTRE bps below the fair price for a long position of the hard cap's size, above it for a short."""
    state[S_CENTRE] = 0.0
    hard = hard_usd(state, params)
    held = position_usd(ints, px)
    if params[P_CENTRE] <= 0.0 or held == 0.0:
        return
    share = 1.0 if held > 0.0 else -1.0
    if abs(held) < hard:
        share = held / hard
    state[S_CENTRE] = params[P_CENTRE] * share * margin_scale(state, params)


@kernel("i8(f8[::1], i8[::1], f8[::1], i8, f8)")
def is_capped(state: list[float], ints: list[int], params: list[float], side: int, px: float) -> int:
    """1 when `side` would grow a position that is at the soft cap already."""
    usd = abs(position_usd(ints, px))
    if usd <= 0.0 or is_reducing(ints, side) == 1:
        return 0
    soft = min(state[S_SOFT], params[P_ONE_SIDED] * state[S_EQUITY] * params[P_DELTA_SCALE]) * inventory_scale(state)
    return 1 if usd >= soft else 0
