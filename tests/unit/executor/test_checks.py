"""The last hop refuses whatever is not positively right."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clock import NS
from common.messages import OrderState, Side
from common.orders import OrderTable, make_cloid
from common.ticks import is_legal_px
from executor.checks import Book, Bounds, Throttle, refuse
from executor.diff import Change, What
from tests.unit.executor.builders import COIN, MID_U

USD = 10**6


def bounds(**changes: object) -> Bounds:
    found = Bounds(
        sz_decimals=3, hard_e6=500 * USD, soft_e6=250 * USD, position_u=0, reducing=False, collar_bps=200.0,
        prices=(float(MID_U),), bid_px_u=MID_U - 10, ask_px_u=MID_U + 10,
    )  # fmt: skip
    return msgspec.structs.replace(found, **changes)


def new(side: Side = Side.BID, px_u: int = MID_U - 200, sz_u: int = 100, cloid: str = "") -> Change:
    return Change(What.NEW if not cloid else What.INWARD, side, cloid, 1, px_u, sz_u, 0)


def resting(*orders: tuple[Side, int, int]) -> tuple[OrderTable, Book]:
    table = OrderTable(COIN)
    for i, (side, px_u, sz_u) in enumerate(orders):
        table.adopt(0, make_cloid(1, 0, side, i), side, px_u, sz_u, oid=i + 1, state=OrderState.OPEN)
    return table, Book(table)


EMPTY = resting()[1]


def test_a_good_order_passes() -> None:
    assert refuse(new(), bounds(), EMPTY) is None
    assert refuse(new(Side.ASK, MID_U + 200), bounds(), EMPTY) is None


@pytest.mark.parametrize(
    ("change", "limits", "reason"),
    [
        (new(sz_u=0), {}, "size"),
        (new(sz_u=-5), {}, "size"),
        (new(sz_u=10**16), {}, "size"),
        (new(px_u=MID_U - 201), {}, "off_tick"),
        (new(px_u=-MID_U), {}, "off_tick"),
        (new(sz_u=13), {}, "min_notional"),
        (new(), {"prices": ()}, "no_reference"),
        (new(px_u=700_000), {}, "collar"),
        (new(), {"prices": (float(MID_U), 900_000.0)}, "collar"),
        (new(), {"prices": (math.nan,)}, "collar"),
        (new(), {"prices": (math.inf,)}, "collar"),
        (new(px_u=MID_U + 10), {}, "would_cross"),
        (new(Side.ASK, MID_U - 10), {}, "would_cross"),
        (new(sz_u=700), {}, "hard_limit"),
        (new(), {"hard_e6": 0}, "hard_limit"),
        (new(), {"hard_e6": -5}, "hard_limit"),
        (new(), {"position_u": 600}, "soft_limit"),
        (new(), {"reducing": True}, "reducing"),
        (new(), {"reducing": True, "position_u": 50}, "reducing"),
        (new(sz_u=60), {"reducing": True, "position_u": -50}, "reducing"),
    ],
)  # fmt: skip
def test_each_limit_refuses_by_name(change: Change, limits: dict[str, object], reason: str) -> None:
    assert refuse(change, bounds(**limits), EMPTY) == reason


def test_reducing_passes_what_takes_the_position_down() -> None:
    assert refuse(new(sz_u=50), bounds(reducing=True, position_u=-50), EMPTY) is None


def test_the_reducing_side_is_not_bound_by_the_soft_limit() -> None:
    assert refuse(new(Side.ASK, MID_U + 200), bounds(position_u=600), EMPTY) is None


def test_everything_that_may_rest_counts_against_the_hard_limit() -> None:
    _, book = resting((Side.BID, MID_U - 400, 600))
    assert refuse(new(), bounds(), book) == "hard_limit"
    assert refuse(new(Side.ASK, MID_U + 200), bounds(), book) is None


def test_a_move_counts_only_what_it_adds() -> None:
    table, book = resting((Side.BID, MID_U - 400, 600))
    cloid = next(iter(table)).cloid
    assert refuse(new(sz_u=600, cloid=cloid), bounds(), book) is None
    assert refuse(new(sz_u=700, cloid=cloid), bounds(), book) == "hard_limit"


def test_orders_of_one_decision_add_up() -> None:
    book = resting()[1]
    for _ in range(6):
        assert refuse(new(), bounds(), book) is None
        book.add(new())
    assert refuse(new(), bounds(), book) == "hard_limit"


def test_a_fill_the_venue_reports_counts_until_it_is_booked() -> None:
    """`orderUpdates` may say filled before `userFills` says at what: the order is gone, the position not yet there."""
    from common.orders import Said

    table = OrderTable(COIN)
    cloid = make_cloid(1, 0, Side.BID, 1)
    table.adopt(0, cloid, Side.BID, MID_U - 200, 600, oid=5, state=OrderState.OPEN)
    table.hear(1, cloid, Said.STATUS, oid=5, status="filled")
    assert table.orders[cloid].state is OrderState.FILLED
    assert refuse(new(), bounds(), Book(table)) == "hard_limit"


def test_own_orders_never_meet() -> None:
    _, book = resting((Side.ASK, MID_U + 100, 50))
    crossing = bounds(bid_px_u=0, ask_px_u=0)
    assert refuse(new(px_u=MID_U + 100), crossing, book) == "own_cross"
    assert refuse(new(px_u=MID_U + 50), crossing, book) is None


def test_a_moving_order_counts_at_both_its_prices() -> None:
    table, _ = resting((Side.ASK, MID_U + 100, 50))
    order = next(iter(table))
    table.move(1, order.cloid, MID_U + 300, 50)
    assert refuse(new(px_u=MID_U + 200), bounds(bid_px_u=0, ask_px_u=0), Book(table)) == "own_cross"


@given(
    st.sampled_from(Side),
    st.integers(-(10**16), 10**16),
    st.integers(-(10**16), 10**16),
    st.integers(-2000, 2000),
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=3),
)
def test_what_passes_is_legal_near_and_within_limits(
    side: Side, px_u: int, sz_u: int, position_u: int, prices: list[float]
) -> None:
    limits = bounds(position_u=position_u, prices=tuple(p for p in prices if p != 0), bid_px_u=0, ask_px_u=0)
    if refuse(new(side, px_u, sz_u), limits, EMPTY) is None:
        assert is_legal_px(px_u, 3)
        assert px_u * sz_u >= 10 * USD
        assert sz_u == 0 or (side * position_u + sz_u) * px_u <= limits.hard_e6
        assert all(math.isfinite(p) and abs(px_u / p - 1) * 1e4 <= 200.0 for p in limits.prices)


# ---------------------------------------------------------------------- throttle
def test_orders_a_second_are_limited() -> None:
    throttle = Throttle(5)
    for i in range(5):
        assert throttle.refuse(new(px_u=MID_U - 10 * i), NS) is None
        throttle.note(new(px_u=MID_U - 10 * i), NS)
    assert throttle.refuse(new(px_u=1), NS) == "throttle"
    assert throttle.refuse(new(px_u=1), 2 * NS) is None


def test_the_same_new_order_passes_twice_a_second() -> None:
    throttle = Throttle(50)
    for _ in range(2):
        assert throttle.refuse(new(), NS) is None
        throttle.note(new(), NS)
    assert throttle.refuse(new(), NS) == "repeated"
    assert throttle.refuse(new(px_u=MID_U - 210), NS) is None
    assert throttle.refuse(new(), 2 * NS) is None


def test_a_move_is_no_repetition() -> None:
    throttle = Throttle(50)
    for _ in range(4):
        assert throttle.refuse(new(cloid="c"), NS) is None
        throttle.note(new(cloid="c"), NS)


@given(st.lists(st.tuples(st.integers(0, 3 * 10**9), st.integers(0, 3)), max_size=60))
def test_no_second_holds_more_orders_than_allowed(times: list[tuple[int, int]]) -> None:
    throttle, sent = Throttle(7), []
    for mono_ns, level in sorted(times):
        order = new(px_u=MID_U - 10 * level)
        if throttle.refuse(order, mono_ns) is None:
            throttle.note(order, mono_ns)
            sent.append((mono_ns, order.px_u))
    for mono_ns, px_u in sent:
        window = [(t, p) for t, p in sent if mono_ns - NS < t <= mono_ns]
        assert len(window) <= 7
        assert sum(p == px_u for _, p in window) <= 2
