"""Who stands before us: the formula against its source, the three models against each other and against the truth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simvenue.book.queue_model import MODELS, POWER_MAX, POWER_MIN, QueueModel, front_after, share_behind
from simvenue.events import BUY, SELL, Resting
from simvenue.source import ASK_LEVEL, BID_LEVEL, BUY_PRINT, SELL_PRINT
from tests.unit.simvenue.tape import ANN, Desk, Row, a_book

BID, ASK, TICK = 9_000_000, 9_000_100, 100
ALL: tuple[QueueModel, ...] = ("risk-averse", "probabilistic", "optimistic")


# ---------------------------------------------------------------------- the formula
def est_front(front: float, prev_qty: float, new_qty: float, traded: float, n: float) -> float:
    """hftbacktest's `ProbQueueModel.depth` with `PowerProbQueueFunc(n)`, written from its description."""
    change = prev_qty - new_qty - traded
    if change < 0 or front == 0:
        return min(front, new_qty)
    back = prev_qty - front
    probability = math.pow(back, n) / (math.pow(back, n) + math.pow(front, n))
    estimate = front - (1 - probability) * change + min(back - probability * change, 0)
    return min(estimate, new_qty)


SIZES = st.integers(1, 10**7)
POWERS = st.floats(POWER_MIN, POWER_MAX)


@given(SIZES, SIZES, SIZES, st.floats(0, 1), POWERS)
def test_the_power_model_is_hftbacktests(front: int, back: int, gone: int, traded_share: float, power: float) -> None:
    """A resting order's whole step: prints first, then the level; hftbacktest lets a place fall below 0, we do not."""
    shown, traded = front + back, round(traded_share * front)
    sz = max(0, shown - traded - gone)
    desk = Desk((1, [(BID_LEVEL, BID, shown)]), (2, _prints(traded)), (3, [(BID_LEVEL, BID, sz)]),
                first=a_book(sz=front), queue="probabilistic", queue_power=power)  # fmt: skip
    order = desk.place(BUY, "90000", "0.01")
    desk.until(3)
    assert isinstance(order, Resting)
    place = desk.exchange.queue_ahead_u(ANN, order.oid)
    expected = max(0.0, est_front(front - traded, shown, sz, traded, power))
    assert place in {math.ceil(expected - 1e-6), math.ceil(expected), math.ceil(expected + 1e-6)}


def _prints(sz: int) -> list[Row]:
    return [(SELL_PRINT, BID, sz)] if sz else []


@given(SIZES, SIZES, POWERS)
def test_a_share_is_a_share_and_favours_the_longer_part(front: int, back: int, power: float) -> None:
    behind = share_behind(float(front), float(back), power)
    assert 0.0 <= behind <= 1.0
    assert (behind >= 0.5) == (back >= front) or front == pytest.approx(back, rel=1e-3)


def test_power_one_shares_in_proportion_and_a_higher_power_protects_the_front() -> None:
    assert front_after(200.0, 1_000.0, 100.0, 1.0) == pytest.approx(180.0)
    left = [front_after(200.0, 1_000.0, 100.0, power) for power in (1.0, 2.0, 3.0, 10.0)]
    assert left == sorted(left)
    assert left[-1] > 199.9


def test_small_withdrawals_add_up() -> None:
    """A hundred single contracts leave: in halves of a contract, not in nothings."""
    steps = [(k + 1, [(BID_LEVEL, BID, 2_000 - k)]) for k in range(101)]
    desk = Desk(*steps, queue="probabilistic", queue_power=1.0)
    order = desk.place(BUY, "90000", "0.01")
    assert isinstance(order, Resting)
    desk.until(101)
    assert desk.exchange.queue_ahead_u(ANN, order.oid) == 950


# ---------------------------------------------------------------------- model against model, on the same stream
PXS = st.integers(-4, 4).map(lambda k: BID + k * TICK)
ROWS = st.lists(
    st.tuples(st.sampled_from([BID_LEVEL, ASK_LEVEL, BUY_PRINT, SELL_PRINT]), PXS, st.integers(0, 60)).filter(
        lambda row: abs(row[0]) == 1 or row[2] > 0
    ),
    min_size=1, max_size=6,
)  # fmt: skip
BIDS = st.lists(st.tuples(st.integers(0, 4), st.integers(2, 40)), min_size=1, max_size=4)


def play(model: QueueModel, stamps: Sequence[list[Row]], bids: Sequence[tuple[int, int]], power: float) -> Desk:
    """Bids (ticks below the best, size) rest from the start; then the stamps, one a ms."""
    desk = Desk(*((k + 1, rows) for k, rows in enumerate(stamps)), first=a_book(sz=50), queue=model, queue_power=power)
    for ticks, sz in bids:
        desk.place(BUY, str((BID - ticks * TICK) // 100), f"{sz / 10_000:.4f}")
    return desk


@settings(max_examples=150, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=15), BIDS, POWERS)
def test_risk_averse_fills_less_than_probabilistic_less_than_optimistic(
    stamps: list[list[Row]], bids: list[tuple[int, int]], power: float
) -> None:
    """At every moment, for every order and so in sum."""
    desks = [play(model, stamps, bids, power) for model in ALL]
    for ms in range(1, len(stamps) + 1):
        least, middle, most = (filled(desk, ms) for desk in desks)
        for oid in {*least, *middle, *most}:
            assert least.get(oid, 0) <= middle.get(oid, 0) <= most.get(oid, 0)


def filled(desk: Desk, ms: int) -> dict[int, int]:
    """What each order has got by then; oids are the same on every desk."""
    desk.until(ms)
    got: dict[int, int] = {}
    for fill in desk.fills():
        got[fill.oid] = got.get(fill.oid, 0) + fill.sz_u
    return got


@settings(max_examples=150, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=15), BIDS, st.sampled_from(ALL), POWERS)
def test_a_place_is_never_negative_and_never_gets_worse(
    stamps: list[list[Row]], bids: list[tuple[int, int]], model: QueueModel, power: float
) -> None:
    desk = play(model, stamps, bids, power)
    before: dict[int, int] = {}
    for ms in range(len(stamps) + 1):
        desk.until(ms)
        now = {o.oid: desk.exchange.queue_ahead_u(ANN, o.oid) for o in desk.exchange.open_orders(ANN)}
        for oid, place in now.items():
            assert place is not None
            assert 0 <= place <= before.get(oid, place)
            before[oid] = place


@settings(max_examples=150, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=15), BIDS, st.sampled_from(ALL), POWERS)
def test_nobody_is_filled_by_more_than_traded_at_or_through_his_price(
    stamps: list[list[Row]], bids: list[tuple[int, int]], model: QueueModel, power: float
) -> None:
    """Of each stamp: all bids at a price and above together get at most the prints at or below it, unless the asks
    the stamp leaves behind have reached them."""
    desk = play(model, stamps, bids, power)
    for ms, rows in enumerate(stamps, 1):
        known = len(desk.fills())
        desk.until(ms)
        asks = desk.exchange.source_levels("sx:BTC", SELL)
        new = [f for f in desk.fills()[known:] if not (asks and asks[0][0] <= f.px_u)]
        for px in {f.px_u for f in new}:
            # Whatever its sign below the price, at the price a seller's.
            traded = sum(sz for what, at, sz in rows if abs(what) == 2 and (at < px or (at == px and what < 0)))
            through = sum(sz for what, at, sz in rows if abs(what) == 2 and at <= max(f.px_u for f in new))
            assert sum(f.sz_u for f in new if f.px_u == px) <= traded
            assert sum(f.sz_u for f in new) <= through


# ---------------------------------------------------------------------- model against the truth
@dataclass
class Line:
    """One price, order by order, first come first served; `mine` marks where we joined."""

    orders: list[int] = field(default_factory=list)
    before_us: int = 0

    @property
    def ahead(self) -> int:
        return sum(self.orders[: self.before_us])

    def join(self, sz: int) -> None:
        self.orders.append(sz)

    def leave(self, k: int) -> None:
        if self.orders:
            k %= len(self.orders)
            del self.orders[k]
            self.before_us -= k < self.before_us

    def trade(self, sz: int) -> int:
        """Takes from the front, at most what stands before us; returns how much."""
        sz = min(sz, self.ahead)
        rest = sz
        while rest:
            step = min(rest, self.orders[0])
            rest -= step
            self.orders[0] -= step
            if not self.orders[0]:
                self.leave(0)
        return sz


HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.integers(1, 50)),
        st.tuples(st.just("leave"), st.integers(0, 20)),
        st.tuples(st.just("trade"), st.integers(1, 60)),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), HAPPENINGS, POWERS)
def test_the_truth_lies_between_risk_averse_and_optimistic(
    first: list[int], happenings: list[tuple[str, int]], power: float
) -> None:
    """A price kept order by order, told as prints and pictures of its size: what such a recording is made of."""
    line = Line(list(first), len(first))
    stamps: list[list[Row]] = []
    truth: list[int] = []
    for what, k in happenings:
        rows: list[Row] = []
        if what == "trade":
            traded = line.trade(k)
            rows = [(SELL_PRINT, BID, traded)] if traded else []
        else:
            (line.join if what == "join" else line.leave)(k)
        stamps.append([*rows, (BID_LEVEL, BID, sum(line.orders))])
        truth.append(line.ahead)
    desks = {}
    for model in ALL:
        book: list[Row] = [(BID_LEVEL, BID, sum(first)), (BID_LEVEL, BID - TICK, 9), (ASK_LEVEL, ASK, 9)]
        desk = Desk(*((ms + 1, rows) for ms, rows in enumerate(stamps)), first=book, queue=model, queue_power=power)
        order = desk.place(BUY, "90000", "0.01")
        assert isinstance(order, Resting)
        desks[model] = desk, order.oid
    for ms, ahead in enumerate(truth, 1):
        place = {}
        for model, (desk, oid) in desks.items():
            desk.until(ms)
            place[model] = desk.exchange.queue_ahead_u(ANN, oid) or 0
        assert place["optimistic"] <= ahead <= place["risk-averse"]
        assert place["optimistic"] <= place["probabilistic"] <= place["risk-averse"]


def test_prints_between_two_pictures_are_not_taken_for_withdrawals() -> None:
    """A recording of snapshots and trades: 400 trade, then the picture shows 300 less; 100 joined behind us."""
    for model in ALL:
        desk = Desk((1, [(SELL_PRINT, BID, 400)]), (2, [(BID_LEVEL, BID, 700)]), queue=model)
        order = desk.place(BUY, "90000", "0.01")
        assert isinstance(order, Resting)
        desk.until(2)
        assert desk.exchange.queue_ahead_u(ANN, order.oid) == 600


@pytest.mark.parametrize(("model", "place"), [("risk-averse", 700), ("probabilistic", 350), ("optimistic", 0)])
def test_an_order_that_waited_out_of_view_stands_behind_all_half_or_nothing(model: QueueModel, place: int) -> None:
    rows: list[Row] = [(BID_LEVEL, BID, 0), (BID_LEVEL, BID - TICK, 0), (BID_LEVEL, BID - 4 * TICK, 700)]
    desk = Desk((1, rows), first=a_book(levels=3), visible=3, queue=model)
    order = desk.place(BUY, "89996", "0.01")
    assert isinstance(order, Resting)
    desk.until(1)
    assert desk.exchange.queue_ahead_u(ANN, order.oid) == place


def test_every_model_has_a_number_for_the_kernels() -> None:
    assert sorted(MODELS) == sorted(ALL)
    assert len(set(MODELS.values())) == len(MODELS)
