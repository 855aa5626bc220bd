"""How much rests: the budget of a side, how many levels it can feed, and each level's share of it.

Budget = hard inventory cap - position already on that side, times what permit, liquidity and fade leave of it. Shares
are 70/20/10 % over the inner, middle and outer third of the levels; a level next to a thick place of the market's book
gets more, next to a thin one less. Money in USD, sizes in sz_u, prices in px_u.
"""

from __future__ import annotations

from common.kernel import kernel
from common.ticks import MIN_NOTIONAL_E6
from quoter.fade import fade_size
from quoter.skew import is_reducing, position_usd
from quoter.state import (
    ASK_SIDE,
    B_COUNT,
    B_ROWS,
    B_SIDE,
    I_LIQUID,
    P_HARD_RATIO,
    P_ILLIQUID_SIZE,
    P_LEVELS,
    P_NOTIONAL_MARGIN,
    P_SHARE_INNER,
    P_THICK_RATIO,
    P_THICK_SCALE,
    P_THIN_RATIO,
    P_THIN_SIZE,
    QUOTES_MAX,
    S_EQUITY,
    S_HARD,
    S_SIZE_SCALE,
    USD,
)


@kernel("f8(f8, f8)")
def least_level_usd(px: float, margin: float) -> float:
    """Notional of the smallest legal order at px: whole lots worth at least the venue's minimum, times a margin."""
    if px < 1.0:
        return 1e18
    lots = -(-MIN_NOTIONAL_E6 // int(px))
    return float(lots) * px * USD * margin


@kernel("f8(f8[::1], i8[::1], f8[::1], i8, f8, i8)")
def side_budget_usd(state: list[float], ints: list[int], params: list[float], side: int, px: float, t_ns: int) -> float:
    """USD that may rest on a side; never negative."""
    hard = min(state[S_HARD], params[P_HARD_RATIO] * state[S_EQUITY])
    if is_reducing(ints, side) == 0:
        hard -= abs(position_usd(ints, px))
    scale = state[S_SIZE_SCALE] * fade_size(ints, side, t_ns)
    if ints[I_LIQUID] == 0:
        scale *= params[P_ILLIQUID_SIZE]
    return max(hard * scale, 0.0)


@kernel("i8(f8[::1], f8, f8)")
def level_count(params: list[float], budget: float, px: float) -> int:
    """Levels a side: as many as configured and as the budget can feed."""
    fed = budget / least_level_usd(px, params[P_NOTIONAL_MARGIN])
    return int(min(fed, params[P_LEVELS], float(QUOTES_MAX)))


@kernel("f8(f8[::1], i8, i8)")
def level_share(params: list[float], level: int, levels: int) -> float:
    """Share of the side's volume in one of `levels`; shares of thirds without a level go to the others."""
    third = 3 * level // levels
    mine = 0
    present = 0.0
    for t in range(3):
        inside = 0
        for i in range(levels):
            if 3 * i // levels == t:
                inside += 1
        if inside > 0:
            present += params[P_SHARE_INNER + t]
        if t == third:
            mine = inside
    if mine == 0:
        return 0.0
    if present <= 0.0:
        return 1.0 / float(levels)
    return params[P_SHARE_INNER + third] / present / float(mine)


@kernel("f8(i8[::1], i8, i8, f8)")
def local_ratio(book: list[int], side: int, px_u: int, median: float) -> float:
    """USD of the first market level at or behind px_u over the median level; 1 behind the last visible one."""
    if median <= 0.0:
        return 1.0
    for level in range(book[B_COUNT + side]):
        at = B_ROWS + side * B_SIDE + 2 * level
        behind = book[at] - px_u if side == ASK_SIDE else px_u - book[at]
        if behind >= 0:
            return float(book[at]) * float(book[at + 1]) * USD / median
    return 1.0


@kernel("f8(f8[::1], f8)")
def thickness(params: list[float], ratio: float) -> float:
    """Factor on a level's size for its local depth over the median."""
    if ratio > params[P_THICK_RATIO]:
        return params[P_THICK_SCALE]
    if ratio < params[P_THIN_RATIO]:
        return params[P_THIN_SIZE]
    return 1.0
