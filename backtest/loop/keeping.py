"""The executor's action economics in the replay: a resting order whose move is not worth an action keeps its place.

Runs between decision and re-quote and changes the target alone: a level whose order pays to stay is wanted where that
order rests. The rule itself is `executor/economics.py`'s; here an action has a constant price (`L_PRICE`, USD; 0 = the
rule is off) and no order has a queue place to lose. Prices px_u, distances bps.
"""

from __future__ import annotations

from backtest.loop.fixed import L_LIFE, L_PRICE, L_SHARE
from backtest.loop.layout import D_ROWS, K_BUSY, K_LEFT, K_LIVE, K_PX, K_STRIDE
from common.kernel import kernel
from executor.economics import pays_to_stay
from quoter.state import O_COUNT, O_ROWS, O_SIDE, QUOTES_MAX, S_FAIR, S_FILL_A, S_FILL_K, S_NEAR, USD


@kernel("i8(i8[::1], f8[::1], f8[::1], i8[::1])")
def keep_places(desk: list[int], state: list[float], rules: list[float], target: list[int]) -> int:
    """Want what pays to stay where it rests; returns how many orders that are off their place."""
    if rules[L_PRICE] <= 0.0:
        return 0
    kept = 0
    for side in range(2):
        sign = 1 - 2 * side
        for level in range(target[O_COUNT + side]):
            row = D_ROWS + K_STRIDE * (side * QUOTES_MAX + level)
            if desk[row + K_LIVE] == 0 or desk[row + K_BUSY] == 1:
                continue
            at = O_ROWS + side * O_SIDE + 2 * level
            px = desk[row + K_PX]
            usd = float(px) * float(desk[row + K_LEFT]) * USD
            if px != target[at] and pays_to_stay(
                sign, px, target[at], usd, state[S_FAIR], state[S_NEAR + side], state[S_FILL_A], state[S_FILL_K],
                rules[L_LIFE], rules[L_PRICE], 0.0, rules[L_SHARE],
            ) == 1:  # fmt: skip
                target[at] = px
                kept += 1
    return kept
