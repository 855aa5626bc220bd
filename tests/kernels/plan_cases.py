"""Random inputs for the kernels of a plan: the bucket, the throttle, the last checks, and all of them together."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from executor import checks as ck
from executor import governor as gv
from executor import plan as pl
from executor import terms as tm
from executor import throttle as th
from executor.economics import T_IN, T_LEN, T_LIFE, T_OUT, T_SHARE, T_SIZE
from tests.kernels.drawn import as_vector

Args = tuple[Any, ...]

MID = 752_400
T0 = 1_780_000_000 * 10**9
ORDERS = 14
CHANGES = 2 * (ORDERS + pl.LEVELS_MAX)
SECOND = 10**9


def _px(rng: random.Random, side: int) -> int:
    return MID - side * 10 * rng.randrange(1, 60)


def _sz(rng: random.Random) -> int:
    return rng.randrange(5, 400)


def _side(rng: random.Random) -> int:
    return rng.choice((1, -1))


# ---------------------------------------------------------------------- the bucket
def bucket(rng: random.Random) -> list[float]:
    made = [0.0] * gv.V_LEN
    made[gv.V_TOKENS] = rng.choice((0.0, 0.5, rng.uniform(0, 60), 60.0))
    made[gv.V_HORIZON_S], made[gv.V_BURST] = 86_400.0, rng.choice((60.0, 10.0))
    made[gv.V_PRICE] = rng.choice((0.0, 0.0005))
    return made


def counts(rng: random.Random) -> list[int]:
    made = [0] * gv.N_LEN
    made[gv.N_USED], made[gv.N_CAP] = rng.randrange(0, 12_000), rng.randrange(0, 12_000)
    made[gv.N_T], made[gv.N_KNOWN] = rng.choice((0, T0)), rng.randrange(2)
    made[gv.N_RESERVE] = rng.choice((0, 1_000))
    return made


def rate_per_s(rng: random.Random) -> Args:
    return bucket(rng), counts(rng), rng.randrange(600)


def reconcile(rng: random.Random) -> Args:
    return bucket(rng), counts(rng), rng.randrange(12_000), rng.randrange(12_000)


def exhaust(rng: random.Random) -> Args:
    return bucket(rng), counts(rng)


def refill(rng: random.Random) -> Args:
    return bucket(rng), counts(rng), T0 + rng.randrange(-SECOND, 100 * SECOND), rng.randrange(60)


def price_bps(rng: random.Random) -> Args:
    return bucket(rng), rng.random(), rng.choice((0.5, rng.uniform(1, 80)))


def price_usd(rng: random.Random) -> Args:
    return (bucket(rng),)


def worth_of(rng: random.Random) -> Args:
    mean = rng.choice((0.0, float(_sz(rng))))
    return rng.uniform(0, 9), float(_px(rng, 1)), float(_sz(rng)), float(MID), rng.uniform(1, 300), mean


# ---------------------------------------------------------------------- the throttle
def ring(rng: random.Random) -> list[int]:
    size = rng.choice((3, 8))
    made = [0] * (th.X_ROWS + th.X_STRIDE * size)
    made[th.X_SIZE], made[th.X_HEAD], made[th.X_N] = size, rng.randrange(size), rng.randrange(size + 1)
    for k in range(made[th.X_N]):
        row = th.X_ROWS + th.X_STRIDE * ((made[th.X_HEAD] + k) % size)
        side = _side(rng)
        made[row : row + th.X_STRIDE] = [T0 + k * SECOND // 7, side, MID - side * 10, 100, rng.randrange(2)]
    return made


def expire(rng: random.Random) -> Args:
    return ring(rng), T0 + rng.randrange(2 * SECOND)


def too_soon(rng: random.Random) -> Args:
    side = _side(rng)
    px = rng.choice((MID - side * 10, _px(rng, side)))
    return ring(rng), side, px, rng.choice((100, 120)), rng.randrange(2), T0 + rng.randrange(2 * SECOND)


# ---------------------------------------------------------------------- the last checks
def limits(rng: random.Random) -> list[int]:
    made = [0] * ck.LM_LEN
    made[ck.LM_DECIMALS], made[ck.LM_HARD] = 3, rng.choice((0, 300_000_000, 900_000_000))
    made[ck.LM_SOFT], made[ck.LM_POSITION] = rng.choice((0, 250_000_000)), rng.randrange(-600, 600)
    made[ck.LM_REDUCING] = int(rng.random() < 0.3)
    made[ck.LM_BID], made[ck.LM_ASK] = rng.choice((0, MID - 10)), rng.choice((0, MID + 10))
    made[ck.LM_PRICES] = rng.randrange(4)
    return made


def marks(rng: random.Random) -> list[float]:
    prices = [float(MID + rng.randrange(-200, 200)) for _ in range(ck.PRICES_MAX)]
    if rng.random() < 0.2:
        prices[rng.randrange(3)] = rng.choice((0.0, -5.0, 9e5))
    return [rng.choice((5.0, 200.0)), *prices]


def book(rng: random.Random) -> list[int]:
    return [rng.choice((0, MID)), rng.randrange(600), rng.randrange(600), MID - 10, rng.choice((MID, ck.PX_U_MAX))]


def clear_book(rng: random.Random) -> Args:
    return book(rng), MID


def count_in(rng: random.Random) -> Args:
    return book(rng), _side(rng), rng.randrange(100)


def stretch(rng: random.Random) -> Args:
    side = _side(rng)
    return book(rng), side, _px(rng, side)


def room_of(rng: random.Random) -> Args:
    side = _side(rng)
    return book(rng), limits(rng), side, _px(rng, side), rng.randrange(100)


def malformed(rng: random.Random) -> Args:
    return limits(rng), rng.choice((0, _px(rng, 1), _px(rng, 1) + 1)), rng.choice((0, 10, _sz(rng), 10**16))


def misplaced(rng: random.Random) -> Args:
    side = _side(rng)
    return limits(rng), marks(rng), book(rng), side, _px(rng, side)


def too_much(rng: random.Random) -> Args:
    side = _side(rng)
    return limits(rng), book(rng), side, _px(rng, side), _sz(rng), rng.randrange(100)


def why_refused(rng: random.Random) -> Args:
    side = _side(rng)
    return limits(rng), marks(rng), book(rng), side, _px(rng, side), _sz(rng), rng.randrange(100)


# ---------------------------------------------------------------------- the plan
def facts(rng: random.Random) -> list[float]:
    made = [0.0] * tm.F_LEN
    made[tm.F_IS_KNOWN], made[tm.F_FAIR] = float(rng.randrange(2)), rng.choice((0.0, float(MID) + rng.uniform(-5, 5)))
    made[tm.F_FLOOR], made[tm.F_FLOOR + 1] = rng.uniform(0, 4), rng.uniform(0, 4)
    made[tm.F_A], made[tm.F_K] = rng.choice((0.0, 0.05)), rng.choice((0.0, 0.4))
    made[tm.F_QUEUE_TICKS], made[tm.F_DECIMALS] = 0.5, 3.0
    return made


def terms(rng: random.Random) -> list[float]:
    made = [0.0] * T_LEN
    made[T_OUT], made[T_IN], made[T_SIZE] = rng.random(), rng.random(), 0.3
    made[T_LIFE], made[T_SHARE] = 60.0, rng.random()
    return made


def set_terms(rng: random.Random) -> Args:
    return terms(rng), facts(rng), rng.randrange(2), rng.choice((0.0, 0.0005, 1e3))


def want(rng: random.Random) -> list[int]:
    made = [0] * pl.W_LEN
    for s in range(2):
        made[pl.W_COUNT + s] = rng.randrange(0, 10)
        prices = sorted({_px(rng, 1 - 2 * s) for _ in range(40)}, reverse=s == 0)
        for j in range(made[pl.W_COUNT + s]):
            at = pl.W_ROWS + pl.W_SIDE * s + pl.W_STRIDE * j
            made[at : at + 3] = [prices[j], _sz(rng), j]
    return made


def orders(rng: random.Random) -> tuple[list[int], int]:
    n = rng.randrange(0, ORDERS + 1)
    made = [0] * (pl.R_STRIDE * ORDERS)
    for i in range(n):
        side = _side(rng)
        state = rng.choice(("open", "open", "open", "moving", "cancelling", "pending", "ended"))
        is_live, is_busy = int(state != "ended"), int(state != "open" or rng.random() < 0.1)
        px, sz = _px(rng, side), _sz(rng)
        to_px = _px(rng, side) if state == "moving" else 0
        made[pl.R_STRIDE * i : pl.R_STRIDE * (i + 1)] = [
            side, is_live, to_px or px, sz, int(state != "open" or is_busy), int(is_live and state != "cancelling"),
            int(state == "open"), is_busy, px, to_px, sz * is_live, rng.choice((0, 0, 9)),
        ]  # fmt: skip
    return made, n


def q(rng: random.Random) -> list[int]:
    made = [int(rng.random() < 0.2), rng.randrange(3)]
    for side in (1, -1):
        made += [_px(rng, side), rng.choice((0, T0 - SECOND, T0 - 3 * SECOND))]
    return made


def changes(rng: random.Random) -> list[int]:
    made = [0] * (1 + pl.C_STRIDE * CHANGES)
    made[0] = rng.randrange(0, 12)
    for k in range(made[0]):
        side, what = _side(rng), rng.randrange(4)
        order = -1 if what == pl.NEW else rng.randrange(ORDERS)
        at = 1 + pl.C_STRIDE * k
        made[at : at + pl.C_STRIDE] = [what, side, order, _px(rng, side), _sz(rng), 1, _px(rng, side), k]
    return made


def nothing() -> list[int]:
    return [0] * (1 + pl.C_STRIDE * CHANGES)


def gaps(rng: random.Random) -> list[float]:
    return [rng.uniform(0, 9) for _ in range(CHANGES)]


def places(rng: random.Random) -> list[float]:
    return [rng.random() for _ in range(ORDERS)]


def work(rng: random.Random) -> list[Any]:
    """px .. refused of `Work`."""
    return [
        [0] * ORDERS, [0] * ORDERS, [0] * ORDERS, [0.0] * ORDERS, [0] * pl.LEVELS_MAX, [0] * pl.LEVELS_MAX,
        [0] * (3 * ORDERS + 2 * pl.LEVELS_MAX), [0] * CHANGES, [0] * ORDERS, book(rng), nothing(), [0.0] * CHANGES,
        [0.0] * CHANGES, nothing(), [0] * (1 + pl.X_STRIDE * CHANGES),
    ]  # fmt: skip


def narrow(rng: random.Random) -> Args:
    return want(rng), _side(rng), rng.randrange(-600, 600)


def put(rng: random.Random) -> Args:
    side = _side(rng)
    return changes(rng), rng.randrange(4), side, rng.randrange(ORDERS), _px(rng, side), _sz(rng), 2, _px(rng, side)


def sorted_orders(rng: random.Random) -> Args:
    made, n = orders(rng)
    return made, n, _side(rng), [0] * CHANGES, rng.choice((pl.R_PX, pl.R_AT_PX)), _side(rng)


def off_bps(rng: random.Random) -> Args:
    return _px(rng, 1), _sz(rng), _px(rng, 1), rng.choice((0, _sz(rng)))


def diff_side(rng: random.Random) -> Args:
    made, n = orders(rng)
    scratch = work(rng)
    return (_side(rng), made, n, places(rng), want(rng), _set(rng), *scratch[:8], nothing(), gaps(rng))


def _set(rng: random.Random) -> list[float]:
    made = as_vector(terms(rng))
    tm.set_terms(made, as_vector(facts(rng)), rng.randrange(2), rng.choice((0.0, 0.0005, 1e3)))
    return [float(x) for x in made]


def is_going(rng: random.Random) -> Args:
    return changes(rng), rng.randrange(-1, ORDERS)


def drop_excess(rng: random.Random) -> Args:
    made, n = orders(rng)
    return _side(rng), made, n, limits(rng), [0] * CHANGES, changes(rng), gaps(rng)


def cancel_first(rng: random.Random) -> Args:
    return changes(rng), q(rng)


def fill_book(rng: random.Random) -> Args:
    made, n = orders(rng)
    return made, n, [0] * ORDERS, book(rng), MID


def rank(rng: random.Random) -> Args:
    least = rng.choice([0.0, rng.uniform(0.0, 10.0), float("inf")])
    return changes(rng), want(rng), gaps(rng), [0.0] * CHANGES, float(MID), least, [0] * CHANGES


def mean_size(rng: random.Random) -> Args:
    return want(rng), rng.randrange(2)


def goes_before(rng: random.Random) -> Args:
    return changes(rng), gaps(rng), rng.randrange(12), rng.randrange(12)


def just_crossed(rng: random.Random) -> Args:
    side = _side(rng)
    return q(rng), side, _px(rng, side), T0


def choose(rng: random.Random) -> Args:
    found = changes(rng)
    return (
        found, found[0], list(range(CHANGES)), limits(rng), marks(rng), ring(rng), bucket(rng), q(rng), gaps(rng),
        [_sz(rng) for _ in range(ORDERS)], book(rng), nothing(), [0] * (1 + pl.X_STRIDE * CHANGES), 0.3, T0, T0,
    )  # fmt: skip


def is_too_near(rng: random.Random) -> Args:
    side = _side(rng)
    return side, rng.choice((0, _px(rng, side))), _px(rng, side), facts(rng), 0.3


def plan(rng: random.Random) -> Args:
    made, n = orders(rng)
    return (
        made, n, places(rng), want(rng), limits(rng), marks(rng), bucket(rng), facts(rng), terms(rng), ring(rng),
        q(rng), 0.3, float(MID), rng.choice((0, MID)), T0, T0, *work(rng),
    )  # fmt: skip


CASES: dict[str, Callable[[random.Random], Args]] = {
    "executor.governor.rate_per_s": rate_per_s,
    "executor.governor.reconcile": reconcile,
    "executor.governor.exhaust": exhaust,
    "executor.governor.refill": refill,
    "executor.governor.price_bps": price_bps,
    "executor.governor.price_usd": price_usd,
    "executor.governor.worth_of": worth_of,
    "executor.throttle.expire": expire,
    "executor.throttle.too_soon": too_soon,
    "executor.throttle.note_sent": too_soon,
    "executor.checks.clear_book": clear_book,
    "executor.checks.count_in": count_in,
    "executor.checks.stretch": stretch,
    "executor.checks.room_of": room_of,
    "executor.checks.malformed": malformed,
    "executor.checks.misplaced": misplaced,
    "executor.checks.too_much": too_much,
    "executor.checks.why_refused": why_refused,
    "executor.terms.set_terms": set_terms,
    "executor.plan.narrow": narrow,
    "executor.plan.put": put,
    "executor.plan.sorted_orders": sorted_orders,
    "executor.plan.off_bps": off_bps,
    "executor.plan.diff_side": diff_side,
    "executor.plan.is_going": is_going,
    "executor.plan.drop_excess": drop_excess,
    "executor.plan.cancel_first": cancel_first,
    "executor.plan.fill_book": fill_book,
    "executor.plan.rank": rank,
    "executor.plan.mean_size": mean_size,
    "executor.plan.goes_before": goes_before,
    "executor.plan.just_crossed": just_crossed,
    "executor.plan.choose": choose,
    "executor.plan.is_too_near": is_too_near,
    "executor.plan.plan": plan,
}
