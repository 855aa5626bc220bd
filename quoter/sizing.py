"""How much rests: the budget of a side, how many levels it can feed, and each level's share of it.

Budget = hard inventory cap - position already on that side, times what permit, liquidity, fade and session leave of it.
Shares are 70/20/10 % over the inner, middle and outer third of the levels, or fall by P_SIZE_DECAY from level to level
(1 = equal); a level next to a thick place of the market's book gets more, next to a thin one less. They are shares of
the budget, or of the whole cap (P_SIZES_OF_CAP): then a position takes the outer levels away and leaves the inner ones
as they are. Money in USD, sizes in sz_u, prices in px_u.
"""

from __future__ import annotations

from common.kernel import kernel
from common.ticks import MIN_NOTIONAL_E6
from quoter.fade import fade_size
from quoter.skew import hard_usd, is_reducing, position_usd
from quoter.state import (
    ASK_SIDE,
    B_COUNT,
    B_ROWS,
    B_SIDE,
    I_LIQUID,
    LADDER_LIST,
    P_DEPTH_SIZES,
    P_ILLIQUID_SIZE,
    P_LADDER,
    P_LEVELS,
    P_LEVELS_MAX,
    P_LIST_N,
    P_NOTIONAL_MARGIN,
    P_SHARE_INNER,
    P_SIZE_DECAY,
    P_SIZES_OF_CAP,
    P_THICK_RATIO,
    P_THICK_SCALE,
    P_THIN_RATIO,
    P_THIN_SIZE,
    QUOTES_MAX,
    S_BUDGET,
    S_SESSION_SIZE,
    S_SIZE_SCALE,
    S_WHOLE,
    USD,
)


@kernel("f8(f8, f8)")
def least_level_usd(px: float, margin: float) -> float:
    """Notional of the smallest legal order at px: whole lots worth at least the venue's minimum, times a margin."""
    if px < 1.0:
        return 1e18
    lots = -(-MIN_NOTIONAL_E6 // int(px))
    return float(lots) * px * USD * margin


@kernel("f8(f8[::1], i8[::1], f8[::1], i8, i8)")
def size_scale(state: list[float], ints: list[int], params: list[float], side: int, t_ns: int) -> float:
    """What permit, fade, liquidity and session leave of a side's size, 0..1."""
    scale = state[S_SIZE_SCALE] * fade_size(ints, params, side, t_ns) * state[S_SESSION_SIZE]
    if ints[I_LIQUID] == 0:
        scale *= params[P_ILLIQUID_SIZE]
    return min(max(scale, 0.0), 1.0)


@kernel("f8(f8[::1], i8[::1], f8[::1], i8, f8, i8)")
def side_budget_usd(state: list[float], ints: list[int], params: list[float], side: int, px: float, t_ns: int) -> float:
    """USD that may rest on a side; never negative."""
    room = hard_usd(state, params)
    if is_reducing(ints, side) == 0:
        room -= abs(position_usd(ints, px))
    return max(room * size_scale(state, ints, params, side, t_ns), 0.0)


@kernel("void(f8[::1], i8[::1], f8[::1], i8, f8, i8)")
def set_budget(state: list[float], ints: list[int], params: list[float], side: int, px: float, t_ns: int) -> None:
    """S_BUDGET and S_WHOLE of a side."""
    state[S_BUDGET + side] = side_budget_usd(state, ints, params, side, px, t_ns)
    state[S_WHOLE + side] = state[S_BUDGET + side]
    if params[P_SIZES_OF_CAP] > 0.0:
        state[S_WHOLE + side] = hard_usd(state, params) * size_scale(state, ints, params, side, t_ns)


@kernel("i8(f8[::1], f8, f8)")
def level_count(params: list[float], budget: float, px: float) -> int:
    """Levels a side: as many as configured, as the profile has and as the budget can feed."""
    fed = budget / least_level_usd(px, params[P_NOTIONAL_MARGIN])
    most = min(params[P_LEVELS], params[P_LEVELS_MAX], float(QUOTES_MAX))
    if int(params[P_LADDER]) == LADDER_LIST:
        most = min(most, params[P_LIST_N])
    return int(min(fed, most))


@kernel("f8(f8[::1], i8, i8)")
def decayed_share(params: list[float], level: int, levels: int) -> float:
    """Share of one of `levels` when each is P_SIZE_DECAY times its inner neighbour."""
    mine = 0.0
    total = 0.0
    weight = 1.0
    for i in range(levels):
        if i == level:
            mine = weight
        total += weight
        weight *= params[P_SIZE_DECAY]
    return mine / total if total > 0.0 else 0.0


@kernel("i8(i8, i8)")
def third_begin(third: int, levels: int) -> int:
    """The first of `levels` levels in a third: the least i with 3 i >= third x levels."""
    return (third * levels + 2) // 3


@kernel("f8(f8[::1], i8, i8)")
def level_share(params: list[float], level: int, levels: int) -> float:
    """Share of the side's volume in one of `levels`; shares of thirds without a level go to the others."""
    if params[P_SIZE_DECAY] > 0.0:
        return decayed_share(params, level, levels)
    third = 3 * level // levels
    mine = 0
    present = 0.0
    for t in range(3):
        inside = third_begin(t + 1, levels) - third_begin(t, levels)
        if inside > 0:
            present += params[P_SHARE_INNER + t]
        if t == third:
            mine = inside
    if mine == 0:
        return 0.0
    if present <= 0.0:
        return 1.0 / float(levels)
    return params[P_SHARE_INNER + third] / present / float(mine)


@kernel("i8(i8[::1], i8, i8, i8)")
def level_behind(book: list[int], side: int, px_u: int, begin: int) -> int:
    """The first of a side's market levels, from `begin` on, at or behind px_u; their number when none is."""
    for level in range(begin, book[B_COUNT + side]):
        px = book[B_ROWS + side * B_SIDE + 2 * level]
        if px >= px_u if side == ASK_SIDE else px <= px_u:
            return level
    return book[B_COUNT + side]


@kernel("f8(i8[::1], i8, i8, f8)")
def local_ratio(book: list[int], side: int, level: int, scale: float) -> float:
    """Size of a market level over the median one's, whose px_u x sz_u is 1 / `scale`; 1 behind the last visible one."""
    if scale <= 0.0 or level >= book[B_COUNT + side]:
        return 1.0
    at = B_ROWS + side * B_SIDE + 2 * level
    return float(book[at]) * float(book[at + 1]) * scale


@kernel("f8(f8[::1], f8)")
def thickness(params: list[float], ratio: float) -> float:
    """Factor on a level's size for its local depth over the median."""
    if params[P_DEPTH_SIZES] <= 0.0:
        return 1.0
    if ratio > params[P_THICK_RATIO]:
        return params[P_THICK_SCALE]
    if ratio < params[P_THIN_RATIO]:
        return params[P_THIN_SIZE]
    return 1.0
