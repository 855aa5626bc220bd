"""Random inputs for the executor in the compiled replay: its slots, the ladder in force, a plan and what is sent."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from backtest.loop import executing as ex
from backtest.loop import layout as lo
from backtest.loop import own as ow
from backtest.loop import slots as sl
from common.config import load
from common.kernel import istate, state
from executor.plan import Q_LEN
from quoter.state import NS
from tests.kernels import plan_cases as pc
from tests.kernels.backtest_cases import a_config, a_desk, a_log, actions, an_account, news
from tests.kernels.drawn import as_vector
from tests.kernels.forecast_cases import PX, STEP
from tests.kernels.quoter_cases import T0, world

Args = tuple[Any, ...]

SETTINGS = load("quoter", over={"MARKET": "standx"})


def _px(rng: random.Random, side: int) -> int:
    return PX + (2 * side - 1) * STEP * rng.randint(1, 30)


def some_slots(rng: random.Random) -> list[int]:
    return [int(x) for x in _lived(rng)]


def _lived(rng: random.Random) -> Any:
    """Slots after a life of their own."""
    slots, desk, ring = sl.new_slots(), istate(lo.D_LEN), as_vector(actions(rng, filled=False))
    ring[lo.RING_TAIL] = ring[lo.RING_HEAD]
    for _ in range(rng.randint(0, 12)):
        side = rng.randrange(2)
        at = T0 - rng.randint(0, 90) * NS
        slot = sl.open_slot(slots, at, side, _px(rng, side), rng.randint(5, 400), rng.randrange(12))
        if rng.random() < 0.8:
            slots[sl.SL_ROWS + sl.OS_STRIDE * slot + sl.OS_IS_BUSY] = 0
            sl.rests(slots, slot, _px(rng, side), rng.randint(5, 400), at)
            fate = rng.random()
            if fate < 0.2:
                sl.move_slot(slots, desk, ring, at, slot, _px(rng, side), rng.randint(5, 400))
            elif fate < 0.3:
                sl.cancel_slot(slots, desk, ring, at, slot)
            elif fate < 0.4:
                sl.free_slot(slots, slot)
            elif fate < 0.5:
                slots[sl.SL_ROWS + sl.OS_STRIDE * slot + sl.OS_STATE] = sl.ENDED_BUSY
                slots[sl.SL_ROWS + sl.OS_STRIDE * slot + sl.OS_IS_BUSY] = 1
    slots[sl.SL_STANCE], slots[sl.SL_SHOWN_T] = int(rng.random() < 0.2), rng.choice((0, T0 - rng.randint(0, 9) * NS))
    slots[sl.SL_SENT_T], slots[sl.SL_COUNTED_T] = T0 - rng.randint(0, NS), rng.choice((0, T0 - NS, T0 - 40 * NS))
    slots[sl.SL_ADAPTS] = rng.randrange(2)
    return slots


def a_used(rng: random.Random, slots: list[int]) -> int:
    n = slots[sl.SL_N]
    return slots[sl.SL_LIST + rng.randrange(n)] if n else -1


def with_order(rng: random.Random) -> tuple[list[int], int]:
    """Slots of which one at least is in use, and its number."""
    slots = _lived(rng)
    if slots[sl.SL_N] == 0:
        sl.open_slot(slots, T0, 0, _px(rng, 0), 50, 1)
    found = [int(x) for x in slots]
    return found, a_used(rng, found)


def take_slot(rng: random.Random) -> Args:
    return some_slots(rng), rng.randrange(2)


def free_slot(rng: random.Random) -> Args:
    return with_order(rng)


def cancel_slot(rng: random.Random) -> Args:
    slots, slot = with_order(rng)
    return slots, a_desk(rng), actions(rng, filled=False), T0, slot


def cancel_all(rng: random.Random) -> Args:
    return some_slots(rng), a_desk(rng), actions(rng, filled=False), T0


def move_slot(rng: random.Random) -> Args:
    return *cancel_slot(rng), PX, 40


def open_slot(rng: random.Random) -> Args:
    return some_slots(rng), T0, rng.randrange(2), PX, 40, rng.randrange(12)


def hear_order(rng: random.Random) -> Args:
    slots, slot = with_order(rng)
    ring, desk, fills = news(rng), a_desk(rng), a_log(40, lo.FILL_STRIDE)
    row = lo.RING_ROWS + lo.RING_STRIDE * (ring[lo.RING_HEAD] & (ring[lo.RING_SIZE] - 1))
    kinds = (lo.RESTS, lo.TRADED, lo.ENDED, lo.KEPT, lo.TOOK, lo.CROSSED, lo.WITHDRAWN)
    ring[row + lo.G_SLOT], ring[row + lo.G_KIND] = slot, rng.choice(kinds)
    return slots, desk, ring, [0] * Q_LEN, fills, T0


def rests(rng: random.Random) -> Args:
    return *with_order(rng), PX, 40, T0


def pack_orders(rng: random.Random) -> Args:
    orders, places = [0] * (ex.R_STRIDE * ex.ORDERS), [0.0] * ex.ORDERS
    return some_slots(rng), T0, 30 * NS, orders, places


def in_state(rng: random.Random) -> Args:
    return some_slots(rng), rng.randint(1, 5)


NEW = [
    [int(x) for x in vector] if kind.startswith("i") else [float(x) for x in vector]
    for kind, vector in zip(ex.TYPES, ex.new_executing(SETTINGS, 4), strict=True)
]


def vectors(rng: random.Random) -> list[Any]:
    """An executor in the middle of its life, as plain lists."""
    made = [list(vector) for vector in NEW]
    w = world(rng)
    at = {name: k for k, name in enumerate(ex.Executing._fields)}
    made[at["slots"]], made[at["shown"]] = some_slots(rng), w.out + (w.out if rng.random() < 0.7 else [0] * len(w.out))
    made[at["manner"]][ex.X_SHOWN_MID] = rng.choice((0.0, float(w.px_u)))
    made[at["bucket"]], made[at["counts"]] = pc.bucket(rng), pc.counts(rng)
    made[at["facts"]], made[at["recent"]], made[at["q"]] = pc.facts(rng), pc.ring(rng), pc.q(rng)
    return made


def an_own(rng: random.Random) -> list[int]:
    """What the executor has read of the market."""
    own = [0] * ow.OW_SLOTS
    for place in (ow.OW_BID, ow.OW_ASK, ow.OW_MARK, ow.OW_ORACLE):
        own[place] = rng.choice((0, PX + STEP * rng.randint(-5, 5)))
    return own


def want_nothing(rng: random.Random) -> Args:
    return (world(rng).out,)


def take_permit(rng: random.Random) -> Args:
    verdict = [float(rng.randrange(3)), rng.choice((1.0, 0.5)), rng.choice((1.0, 1.75)), 0.0, 0.0]
    return world(rng).state, vectors(rng)[2], verdict, rng.random(), rng.choice((10**11, 0))


def take_over(rng: random.Random) -> Args:
    slots, shown, manner = vectors(rng)[:3]
    slots[sl.SL_ON_ITS_WAY], slots[sl.SL_IS_URGENT] = rng.randrange(3), rng.randrange(2)
    return slots, shown, pc.facts(rng), pc.q(rng), manner


def take_figures(rng: random.Random) -> Args:
    return vectors(rng)[2], world(rng).state


def is_overdue(rng: random.Random) -> Args:
    return vectors(rng)[0], a_config(rng), T0


def tell_ladder(rng: random.Random) -> Args:
    w, made = world(rng), vectors(rng)
    slots, shown, manner, hold = made[:4]
    target = shown[: ex.O_LEN] if rng.random() < 0.5 else w.out
    return slots, shown, manner, hold, target, w.state, T0


def renew_ladder(rng: random.Random) -> Args:
    made = vectors(rng)
    return made[0], made[2], world(rng).state, T0


def pack_wanted(rng: random.Random) -> Args:
    return world(rng).out + world(rng).out, pc.want(rng)


def set_limits(rng: random.Random) -> Args:
    w, made = world(rng), vectors(rng)
    return pc.limits(rng), pc.marks(rng), an_own(rng), made[2], w.state, w.ints, rng.randint(-90, 90), 10**11


def count_actions(rng: random.Random) -> Args:
    made = vectors(rng)
    return pc.bucket(rng), pc.counts(rng), made[0], a_desk(rng), an_account(rng)[0], T0


def send_chosen(rng: random.Random) -> Args:
    lived = _lived(rng)
    n = sl.pack_orders(lived, T0, NS, istate(ex.R_STRIDE * ex.ORDERS), state(ex.ORDERS))
    slots = [int(x) for x in lived]
    chosen = pc.changes(rng)
    for k in range(chosen[0]):
        at = 1 + ex.C_STRIDE * k
        if chosen[at + ex.C_ORDER] >= n:
            chosen[at + ex.C_WHAT], chosen[at + ex.C_ORDER] = ex.NEW, -1
    return slots, a_desk(rng), actions(rng, filled=False), chosen, T0


def execute(rng: random.Random) -> Args:
    w = world(rng)
    return (
        a_desk(rng), an_account(rng)[0], actions(rng, filled=False), an_own(rng), w.state, w.ints,
        rng.randint(-90, 90), rng.choice((10**11, 10**9)), T0, *vectors(rng),
    )  # fmt: skip


def level_slot(rng: random.Random) -> Args:
    return with_order(rng)


CASES: dict[str, Callable[[random.Random], Args]] = {
    **{
        f"backtest.loop.slots.{case.__name__}": case
        for case in (
            take_slot, free_slot, level_slot, cancel_slot, cancel_all, move_slot, open_slot, hear_order, rests,
            pack_orders, in_state,
        )
    },
    **{
        f"backtest.loop.executing.{case.__name__}": case
        for case in (
            want_nothing, take_permit, take_figures, take_over, is_overdue, tell_ladder, renew_ladder, pack_wanted,
            set_limits, count_actions, send_chosen, execute,
        )
    },
}  # fmt: skip
