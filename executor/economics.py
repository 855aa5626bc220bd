"""What a re-quote gains and what it costs: an order stays off its place until moving it is worth the action.

An order that is x bps off its wanted place loses x bps of its worth when it is filled there (too near), or misses a
fill of about that worth (too far). With fill intensity A exp(-k d) a second (strategy.md 1.7), over the forecast's
horizon:
    gain = usd x 1e-4 x (1 - exp(-A exp(-k d) life)) x bps off,
and the cost is the action's price at the current budget (`governor.py`) plus the queue place given up: `queue_ticks` of
a tick for an order at the front, by the same chance (strategy.md 1.5). Levels that are hardly ever hit are left alone.
A quadratic loss round an optimum would hold about 0.9 bps at lean's sizes, and that lost money on a recorded day (lean,
StandX 6 Jan 2026: -6 USD a day, 90 % -12 .. -1): fills come when the target moves, so being off costs to first order.

This room decides what a move is worth; it leaves to `diff.py` who moves where. Never kept for its price: an order
nearer to the fair price than its side's floor, or further off than a share of its distance. Without an estimate of the
intensity only the hold thresholds count. Prices px_u, money USD, distances bps, times s; `side` 1 = bid, -1 = ask.
"""

from __future__ import annotations

import math
from typing import Any

from common.kernel import kernel, state

(
    T_OUT,  # bps an order may be too near whatever an action costs
    T_IN,  # bps it may be too far away
    T_SIZE,  # share of the wanted size by which it may differ
    T_PRICE,  # USD an action costs now
    T_A,  # 1/s, fill intensity at the fair price
    T_K,  # 1/bps
    T_FAIR,  # px_u, 0 = not known
    T_FLOOR,  # bps, nearest distance of the side
    T_QUEUE,  # bps, worth of the first place in a queue
    T_LIFE,  # s over which a fill counts
    T_SHARE,  # of its distance an order may be off at most
    T_LEN,
) = range(12)

BPS = 1e-4
E6 = 1e-6
EXPONENT_MAX = 700.0


def new_terms() -> Any:
    """Terms that know nothing: every difference is worth a move."""
    return state(T_LEN)


@kernel("f8(f8, f8, f8, f8)")
def fill_chance(a_per_s: float, k_per_bps: float, distance_bps: float, life_s: float) -> float:
    """Chance that an order so far from the fair price is hit within `life_s`."""
    rate = a_per_s * math.exp(-min(max(k_per_bps * distance_bps, 0.0), EXPONENT_MAX))
    return 1.0 - math.exp(-min(max(rate * life_s, 0.0), EXPONENT_MAX))


@kernel("f8(f8, f8, f8)")
def gain_usd(usd: float, gap_bps: float, chance: float) -> float:
    """Expected gain of moving an order of `usd` that is `gap_bps` off and filled with `chance`."""
    return usd * BPS * gap_bps * chance


@kernel("f8(f8, f8, f8, f8)")
def cost_usd(usd: float, price_usd: float, queue_bps: float, chance: float) -> float:
    """The action's price and a queue place worth `queue_bps` a fill."""
    return max(price_usd, 0.0) + gain_usd(usd, max(queue_bps, 0.0), chance)


@kernel("f8(f8, f8, f8, f8, f8)")
def band_bps(usd: float, price_usd: float, queue_bps: float, chance: float, most_bps: float) -> float:
    """How far off an order may be before moving it pays: where gain meets cost, at most `most_bps`."""
    cost = cost_usd(usd, price_usd, queue_bps, chance)
    a_bps = gain_usd(usd, 1.0, chance)
    if cost <= 0.0:
        return 0.0
    if a_bps * most_bps <= cost:
        return max(most_bps, 0.0)
    return cost / a_bps


@kernel("f8(f8, i8, i8)")
def away_bps(fair: float, px_u: int, side: int) -> float:
    """Distance of a price from the fair price, outwards positive."""
    if fair <= 0.0:
        return 0.0
    return float(side) * (fair - float(px_u)) / fair / BPS


@kernel("i8(i8, i8, i8, f8, f8, f8, f8, f8, f8, f8, f8, f8)")
def pays_to_stay(
    side: int, px_u: int, want_px_u: int, usd: float, fair: float, floor_bps: float, a_per_s: float, k_per_bps: float,
    life_s: float, price_usd: float, queue_bps: float, share: float,
) -> int:  # fmt: skip
    """1 when moving the order from px_u to its place gains less than it costs, and safety does not ask for it."""
    if fair <= 0.0 or px_u <= 0 or a_per_s <= 0.0 or k_per_bps <= 0.0:
        return 0
    if side * (px_u - want_px_u) > 0 and away_bps(fair, px_u, side) < floor_bps:
        return 0
    distance = max(away_bps(fair, want_px_u, side), 0.0)
    gap = abs(float(px_u) - float(want_px_u)) / float(px_u) / BPS
    if gap >= share * distance:  # no price makes it stay
        return 0
    if gain_usd(usd, share * distance, 1.0) <= price_usd:  # no chance makes it move
        return 1
    chance = fill_chance(a_per_s, k_per_bps, distance, life_s)
    return 1 if gap < band_bps(usd, price_usd, queue_bps, chance, share * distance) else 0


@kernel("i8(f8[::1], i8, i8, i8, i8, i8, f8)")
def stays(
    terms: list[float], side: int, px_u: int, sz_u: int, want_px_u: int, want_sz_u: int, place: float
) -> int:  # fmt: skip
    """1 when the order may stay where it is; `place` is 0 at the back of its queue and 1 at the front."""
    if px_u <= 0 or sz_u <= 0 or abs(sz_u - want_sz_u) > terms[T_SIZE] * want_sz_u:
        return 0
    gap = float(abs(px_u - want_px_u)) * 10_000.0 / float(px_u)
    if gap < (terms[T_OUT] if side * (px_u - want_px_u) > 0 else terms[T_IN]):
        return 1
    return pays_to_stay(
        side, px_u, want_px_u, float(px_u) * float(sz_u) * E6, terms[T_FAIR], terms[T_FLOOR], terms[T_A], terms[T_K],
        terms[T_LIFE], terms[T_PRICE], min(max(place, 0.0), 1.0) * terms[T_QUEUE], terms[T_SHARE],
    )  # fmt: skip
