"""Random inputs for our own orders in the told book, and for what each process of ours knows when."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from backtest.loop import layout as lo
from backtest.loop import own as ow
from backtest.loop.guard import G_LEN, G_PAUSE_S, G_STREAK_PAUSE
from backtest.loop.slots import ALL_SLOTS, SLOTS_A_SIDE
from quoter.state import NS
from tests.kernels.backtest_cases import a_config, a_desk, a_log, a_ring, actions, an_account
from tests.kernels.executing_cases import some_slots
from tests.kernels.forecast_cases import PX, STEP, a_channel, a_feature_state, a_side, some_rows
from tests.kernels.quoter_cases import T0, _book, world

Args = tuple[Any, ...]

KINDS = (lo.RESTS, lo.TRADED, lo.ENDED, lo.KEPT, lo.CROSSED, lo.WITHDRAWN)


def _px(rng: random.Random) -> int:
    return PX + STEP * rng.randint(-9, 9)


def some_own(rng: random.Random) -> list[int]:
    """Orders of ours that are shown and looked for, and what was read last."""
    own = ow.new_own()
    for slot in rng.sample(range(ALL_SLOTS), rng.randint(0, 12)):
        own[ow.OW_SLOTS + 2 * slot], own[ow.OW_SLOTS + 2 * slot + 1] = _px(rng), rng.randint(0, 90)
        side = int(slot >= SLOTS_A_SIDE)
        if own[ow.OW_SLOTS + 2 * slot + 1] > 0:
            row = ow.OW_SLOTS + 2 * slot
            ow.add_up(own, ow.OW_SHOWN + side * ow.SHOWN_SIDE, side, int(own[row]), int(own[row + 1]))
        ow.rest_place(own, slot, _px(rng), rng.randint(1, 90), T0)
        if rng.random() < 0.3:
            ow.end_places(own, slot, T0 + rng.randint(-NS, NS))
    ow.add_places(own, T0 - NS)
    for place in (ow.OW_BID, ow.OW_ASK, ow.OW_NEW_BID, ow.OW_NEW_ASK, ow.OW_MARK, ow.OW_NEW_MARK, ow.OW_BASE_MARK):
        own[place] = rng.choice((0, _px(rng)))
    for place in (ow.OW_NEW_T, ow.OW_NEW_PRICE_T):
        own[place] = rng.choice((0, T0 + rng.randint(-NS, NS)))
    for place in (
        ow.OW_BASE_T, ow.OW_WHOLE_T, ow.OW_TELL_T, ow.OW_STATE_T, ow.OW_LOOK_T, ow.OW_PERMIT_T, ow.OW_JUDGE_T,
    ):  # fmt: skip
        own[place] = rng.choice((lo.NEVER, T0 + rng.randint(-NS, NS)))
    own[ow.OW_BASE_E8], own[ow.OW_BASE_U], own[ow.OW_BASE_FILLS] = 10**11, rng.randint(-90, 90), rng.randint(0, 3)
    own[ow.OW_RISK_E8], own[ow.OW_RISK_USED_E8] = rng.choice((0, 10**11)), rng.randint(0, 10**10)
    own[ow.OW_PAID_E8], own[ow.OW_PAID_T] = rng.choice((0, -(10**6))), T0 + rng.randint(-NS, NS)
    own[ow.OW_MID_T] = T0 - rng.choice((1, 60)) * NS
    own[ow.OW_MID2], own[ow.OW_TELLS], own[ow.OW_ANSWERED] = (
        rng.choice((0, 2 * PX)),
        rng.randrange(16),
        rng.randrange(6),
    )
    return [int(x) for x in own]


def sent(rng: random.Random, ring: list[int], slots: int) -> list[int]:
    """The ring's rows with the times they set out, and slots of which there are so many."""
    for k in range(ring[lo.RING_HEAD], ring[lo.RING_TAIL]):
        row = lo.RING_ROWS + lo.RING_STRIDE * (k & (ring[lo.RING_SIZE] - 1))
        ring[row + lo.G_SENT_T] = ring[row + lo.G_T] - rng.randint(0, NS // 10)
        ring[row + lo.G_SLOT] = rng.randrange(slots)
    return ring


def some_news(rng: random.Random) -> list[int]:
    return sent(rng, a_ring(rng, KINDS), ALL_SLOTS)


def with_news(rng: random.Random) -> tuple[list[int], list[int]]:
    """Own orders that have not seen the ring's last rows."""
    own, news = some_own(rng), some_news(rng)
    own[ow.OW_TOLD] = rng.randint(news[lo.RING_HEAD], news[lo.RING_TAIL])
    own[ow.OW_HEARD] = rng.randint(news[lo.RING_HEAD], news[lo.RING_TAIL])
    return own, news


def with_rings(rng: random.Random) -> tuple[list[int], list[int], list[int]]:
    own, news = with_news(rng)
    requests = sent(rng, actions(rng), ALL_SLOTS)
    own[ow.OW_SENT] = rng.randint(requests[lo.RING_HEAD], requests[lo.RING_TAIL])
    return own, requests, news


def add_up(rng: random.Random) -> Args:
    side = rng.randrange(2)
    return some_own(rng), ow.OW_SHOWN + side * ow.SHOWN_SIDE, side, _px(rng), rng.randint(1, 90)


def ring_row(rng: random.Random) -> Args:
    return some_news(rng), rng.randint(0, 300)


def own_due(rng: random.Random) -> Args:
    return *with_news(rng), NS // 10


def show_own(rng: random.Random) -> Args:
    return *with_news(rng), T0 + rng.randint(0, 2 * NS)


def copy_best_with(rng: random.Random) -> Args:
    side = rng.randrange(2)
    return a_side(rng, 1 - 2 * side), some_own(rng), side, rng.randint(0, 20), [0] * 50, rng.randint(0, 5)


def touch_changed_with(rng: random.Random) -> Args:
    side = rng.randrange(2)
    return a_side(rng, 1 - 2 * side), some_own(rng), side, a_channel(rng)


def end_places(rng: random.Random) -> Args:
    return some_own(rng), rng.randrange(ALL_SLOTS), T0


def rest_place(rng: random.Random) -> Args:
    return some_own(rng), rng.randrange(ALL_SLOTS), _px(rng), rng.randint(1, 90), T0


def fill_place(rng: random.Random) -> Args:
    return some_own(rng), rng.randrange(ALL_SLOTS), rng.randint(1, 90), T0


def heard_before(rng: random.Random) -> Args:
    return *with_news(rng), T0 + rng.randint(0, 2 * NS)


def look_for(rng: random.Random) -> Args:
    return *with_rings(rng), T0 + rng.randint(0, 2 * NS)


def add_places(rng: random.Random) -> Args:
    return some_own(rng), T0 + rng.randint(-NS, NS)


def put_without(rng: random.Random) -> Args:
    return a_channel(rng), some_own(rng), rng.randrange(2), _book(rng, PX, STEP)


def hear_change(rng: random.Random) -> Args:
    n = rng.randint(1, 12)
    begin = rng.randint(0, n - 1)
    floats, ints, _, _ = a_feature_state(rng)
    own, news = with_news(rng)
    return (
        *some_rows(rng, n), begin, rng.randint(begin, n), 9, T0 + rng.randint(0, NS), a_side(rng, 1), a_side(rng, -1),
        a_channel(rng), floats, ints, own, news,
    )  # fmt: skip


def hear_snapshot(rng: random.Random) -> Args:
    return a_side(rng, 1), a_side(rng, -1), a_channel(rng), some_own(rng), T0, rng.randrange(2)


def see_told(rng: random.Random) -> Args:
    t_ns = T0 + rng.randint(0, NS)
    return *with_rings(rng), a_channel(rng), t_ns, t_ns + NS // 10, _book(rng, PX, STEP), *a_feature_state(rng)


def traded_from(rng: random.Random) -> Args:
    return *with_news(rng), T0 + rng.randint(0, NS)


def see_prints(rng: random.Random) -> Args:
    n, w = rng.randint(1, 12), world(rng)
    begin = rng.randint(0, n - 1)
    own, news = with_news(rng)
    row = lo.RING_ROWS + lo.RING_STRIDE * ((own[ow.OW_TOLD] - 1) & (news[lo.RING_SIZE] - 1))
    t_ns = news[row + lo.G_SENT_T]
    return *some_rows(rng, n), begin, rng.randint(begin, n), t_ns, own, news, w.state, w.ints, w.params


def note_news(rng: random.Random) -> Args:
    return some_own(rng), some_slots(rng), some_news(rng)


# ---------------------------------------------------------------------- reading
def some_fills(rng: random.Random) -> list[int]:
    fills = a_log(8, lo.FILL_STRIDE)
    fills[lo.LOG_N] = rng.randint(4, 8)
    for k in range(8):
        at = lo.LOG_ROWS + lo.FILL_STRIDE * k
        fills[at + lo.FILL_T], fills[at + lo.FILL_SLOT] = T0 - (8 - k) * NS, rng.randrange(lo.SLOTS)
        fills[at + lo.FILL_PX], fills[at + lo.FILL_SZ] = _px(rng), rng.randint(1, 90)
        fills[at + lo.FILL_FEE] = rng.randint(-900, 900)
    return fills


def a_heard_desk(rng: random.Random) -> list[int]:
    desk = a_desk(rng)
    desk[lo.D_HEARD_N] = rng.randint(0, 4)
    return desk


def read_market(rng: random.Random) -> Args:
    return some_own(rng), T0 - 9 * NS, NS // 50, T0 + rng.randint(-NS, NS)


def note_touch(rng: random.Random) -> Args:
    return some_own(rng), a_channel(rng), T0 - 9 * NS, NS // 50, T0


def note_prices(rng: random.Random) -> Args:
    return some_own(rng), an_account(rng)[0], T0 - 9 * NS, _clocks(rng), T0


def note_funding(rng: random.Random) -> Args:
    return some_own(rng), rng.randint(-(10**6), 10**6), T0


def hear_prices(rng: random.Random) -> Args:
    return some_own(rng), world(rng).state, T0


def begin_reading(rng: random.Random) -> Args:
    return some_own(rng), rng.choice((lo.NEVER, T0)), 30 * NS, 10**11


def reading_due(rng: random.Random) -> Args:
    return (some_own(rng),)


def position_known(rng: random.Random) -> Args:
    return some_own(rng), a_heard_desk(rng), some_fills(rng)


def equity_known(rng: random.Random) -> Args:
    return some_own(rng), a_heard_desk(rng), some_fills(rng), T0


def look_at_account(rng: random.Random) -> Args:
    return (
        some_own(rng), an_account(rng)[0], a_heard_desk(rng), some_fills(rng), rng.randint(-90, 90), T0 - 9 * NS,
        NS // 50, T0,
    )  # fmt: skip


def tell_whole(rng: random.Random) -> Args:
    return some_own(rng), T0 - 9 * NS, _clocks(rng), 30 * NS, rng.choice((0, T0)), T0


def tell_account(rng: random.Random) -> Args:
    return (
        some_own(rng), an_account(rng)[0], a_heard_desk(rng), some_fills(rng), world(rng).state, T0 - 9 * NS,
        _clocks(rng), T0,
    )  # fmt: skip


def begin_judging(rng: random.Random) -> Args:
    return some_own(rng), an_account(rng)[0], T0 - 9 * NS, _clocks(rng), T0


def mark_told(rng: random.Random) -> Args:
    return some_own(rng), T0


def score_touch(rng: random.Random) -> Args:
    account, knobs = an_account(rng)[0], [0.0] * G_LEN
    knobs[G_STREAK_PAUSE], knobs[G_PAUSE_S] = float(rng.randint(1, 4)), 60.0
    losing = [float(rng.randrange(4)), rng.uniform(0, 9)]
    return (
        some_own(rng), account, some_fills(rng), T0 + rng.randint(-3 * NS, 3 * NS), T0 + 3 * NS, a_channel(rng), knobs,
        losing, a_heard_desk(rng),
    )  # fmt: skip


def tell_soon(rng: random.Random) -> Args:
    return some_own(rng), T0 - 9 * NS, _clocks(rng), T0


def look_soon(rng: random.Random) -> Args:
    return some_own(rng), T0 - 9 * NS, NS // 50, T0


def next_plan(rng: random.Random) -> Args:
    return T0 - 9 * NS, _clocks(rng), T0 + rng.randint(0, NS)


def _clocks(rng: random.Random) -> list[int]:
    config = a_config(rng)
    config[lo.CF_PACE], config[lo.CF_TICK], config[lo.CF_PLAN] = NS // 50, NS // 20, NS // 5
    config[lo.CF_START] = rng.choice((0, 2 * NS // 5))
    return config


CASES: dict[str, Callable[[random.Random], Args]] = {
    **{
        f"backtest.loop.own.{case.__name__}": case
        for case in (
            add_up, ring_row, own_due, show_own, copy_best_with, touch_changed_with, end_places, rest_place, fill_place,
            heard_before, look_for, add_places, put_without, hear_change, hear_snapshot, see_told,
            traded_from, see_prints, note_news,
        )
    },
    "backtest.loop.own.hears_more": note_news,
    **{
        f"backtest.loop.reading.{case.__name__}": case
        for case in (
            read_market, note_touch, note_prices, note_funding, hear_prices, begin_reading, reading_due, position_known,
            equity_known, look_at_account, tell_whole, tell_account, begin_judging, mark_told, score_touch,
            tell_soon, look_soon, next_plan,
        )
    },
    "backtest.loop.reading.margin_known": reading_due,
    "backtest.loop.reading.next_look": next_plan,
}  # fmt: skip
