"""Queue, fills and books: each rule by an example, then all of them against a model written the slow way."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simvenue.book import levels
from simvenue.events import BUY, SELL, Filled, OrderEvent, Resting, Trade, UserFill
from simvenue.exchange import QueueModel
from simvenue.source import ASK_LEVEL, BID_LEVEL, BUY_PRINT, SELL_PRINT
from tests.unit.simvenue.tape import ANN, BOB, Desk, Row, a_book, is_zero

BID, ASK = 9_000_000, 9_000_100
TICK = 100


def ahead(desk: Desk, status: object, who: str = ANN) -> int | None:
    assert isinstance(status, Resting)
    return desk.exchange.queue_ahead_u(who, status.oid)


def filled(desk: Desk, who: str = ANN) -> list[tuple[int, int]]:
    return [(f.px_u, f.sz_u) for f in desk.fills(who)]


# ---------------------------------------------------------------------- rule (b): our price, behind the queue
def test_prints_at_our_price_use_up_the_size_ahead_first() -> None:
    desk = Desk((1, [(SELL_PRINT, BID, 950)]), (2, [(SELL_PRINT, BID, 80)]), (3, [(SELL_PRINT, BID, 80)]))
    order = desk.place(BUY, "90000", "0.01")
    desk.until(1)
    assert ahead(desk, order) == 50
    desk.until(2)
    assert filled(desk) == [(BID, 30)]
    desk.until(3)
    assert filled(desk) == [(BID, 30), (BID, 70)]
    assert [(t.sz_u, t.buyer == ANN) for t in desk.of(Trade)[1:]] == [(30, True), (50, False), (70, True), (10, False)]


def test_a_print_of_the_other_sign_at_our_price_does_nothing() -> None:
    desk = Desk((1, [(BUY_PRINT, BID, 5_000)]))
    order = desk.place(BUY, "90000", "0.01")
    desk.until(1)
    assert filled(desk) == []
    assert ahead(desk, order) == 1_000


def test_the_print_and_the_level_change_of_one_stamp_are_not_counted_twice() -> None:
    desk = Desk((1, [(SELL_PRINT, BID, 300), (BID_LEVEL, BID, 700)]))
    order = desk.place(BUY, "90000", "0.01")
    desk.until(1)
    assert ahead(desk, order) == 700


def test_risk_averse_only_a_level_below_our_place_moves_us_up() -> None:
    desk = Desk((1, [(BID_LEVEL, BID, 1_500)]), (2, [(BID_LEVEL, BID, 1_200)]), (3, [(BID_LEVEL, BID, 400)]))
    order = desk.place(BUY, "90000", "0.01")
    places = []
    for ms in (1, 2, 3):
        desk.until(ms)
        places.append(ahead(desk, order))
    assert places == [1_000, 1_000, 400]


def test_probabilistic_shares_a_withdrawal_between_front_and_back() -> None:
    desk = Desk((1, [(BID_LEVEL, BID, 2_000)]), (2, [(BID_LEVEL, BID, 1_000)]), queue="probabilistic")
    order = desk.place(BUY, "90000", "0.01")
    desk.until(1)
    assert ahead(desk, order) == 1_000
    desk.until(2)
    assert ahead(desk, order) == 500


@pytest.mark.parametrize("queue", ["risk-averse", "probabilistic"])
def test_first_come_first_served_among_our_orders(queue: QueueModel) -> None:
    desk = Desk((1, [(SELL_PRINT, BID, 1_150)]), queue=queue)
    desk.place(BUY, "90000", "0.01", who=BOB)
    desk.place(BUY, "90000", "0.01", who=ANN)
    desk.until(1)
    assert (filled(desk, BOB), filled(desk, ANN)) == ([(BID, 100)], [(BID, 50)])


def test_the_source_between_two_of_our_orders_keeps_its_place() -> None:
    """Bob, then 500 more of the source, then Ann: each print goes down that line."""
    desk = Desk(
        (1, [(BID_LEVEL, BID, 1_500)]), (3, [(SELL_PRINT, BID, 1_200)]), (4, [(SELL_PRINT, BID, 450)])
    )  # fmt: skip
    desk.place(BUY, "90000", "0.01", who=BOB)
    desk.until(2)
    desk.place(BUY, "90000", "0.01", who=ANN)
    desk.until(3)
    assert (filled(desk, BOB), filled(desk, ANN)) == ([(BID, 100)], [])
    desk.until(4)
    assert filled(desk, ANN) == [(BID, 50)]


# ---------------------------------------------------------------------- rule (a): through our price
@pytest.mark.parametrize("sign", [SELL_PRINT, BUY_PRINT])
def test_a_print_through_our_price_fills_us_whatever_its_sign(sign: int) -> None:
    desk = Desk((1, [(sign, BID - TICK, 60)]))
    desk.place(BUY, "90000", "0.01")
    desk.until(1)
    assert filled(desk) == [(BID, 60)]
    (trade,) = desk.of(Trade)
    assert (trade.side, trade.seller != ANN, trade.buyer) == (SELL, True, ANN)


def test_a_print_through_several_orders_is_shared_best_first() -> None:
    desk = Desk((1, [(BUY_PRINT, ASK + 5 * TICK, 250)]))
    for px in ("90003", "90001", "90002"):
        desk.place(SELL, px, "0.01")
    desk.until(1)
    assert filled(desk) == [(ASK, 100), (ASK + TICK, 100), (ASK + 2 * TICK, 50)]


def test_what_a_print_spends_on_better_orders_it_no_longer_has_at_its_own_price() -> None:
    desk = Desk((1, [(SELL_PRINT, BID - TICK, 1_150)]))
    desk.place(BUY, "90000", "0.01")
    behind = desk.place(BUY, "89999", "0.01")
    desk.until(1)
    assert filled(desk) == [(BID, 100), (BID - TICK, 50)]
    assert ahead(desk, behind) == 0


# ---------------------------------------------------------------------- rule (c): the opposite best
def test_the_opposite_best_reaching_our_price_fills_us_in_full() -> None:
    desk = Desk((1, [(BID_LEVEL, BID, 0), (ASK_LEVEL, BID, 1)]))
    desk.place(BUY, "90000", "0.5")
    desk.until(1)
    assert filled(desk) == [(BID, 5_000)]
    assert desk.exchange.snapshot("sx:BTC", 1).asks == ((BID, 1, 1),)


def test_an_opposite_level_that_is_gone_by_the_end_of_the_stamp_fills_nobody() -> None:
    desk = Desk((1, [(ASK_LEVEL, BID, 10), (ASK_LEVEL, BID, 0)]))
    desk.place(BUY, "90000", "0.01")
    desk.until(1)
    assert filled(desk) == []


def test_a_level_a_taker_has_used_up_does_not_cross_what_rests_behind_it() -> None:
    desk = Desk((1, [(BID_LEVEL, BID - TICK, 900)]), (2, [(ASK_LEVEL, ASK, 10)]))
    desk.place(BUY, "90001", "0.15", "Gtc")
    desk.until(1)
    assert len(filled(desk)) == 1
    desk.until(2)
    assert filled(desk)[1:] == [(ASK, 500)]


# ---------------------------------------------------------------------- prices out of view
def test_an_order_beyond_the_visible_levels_waits_to_learn_its_place() -> None:
    first = a_book(levels=3)
    desk = Desk(
        (1, [(SELL_PRINT, BID - 4 * TICK, 50)]),
        (2, [(BID_LEVEL, BID, 0), (BID_LEVEL, BID - TICK, 0), (BID_LEVEL, BID - 4 * TICK, 700)]),
        first=first, visible=3,
    )  # fmt: skip
    order = desk.place(BUY, "89996", "0.01")
    assert ahead(desk, order) == -1
    desk.until(1)
    assert (filled(desk), ahead(desk, order)) == ([], -1)
    desk.until(2)
    assert ahead(desk, order) == 700


def test_an_order_beyond_the_visible_levels_is_filled_by_a_print_through_it() -> None:
    desk = Desk((1, [(SELL_PRINT, BID - 5 * TICK, 50)]), first=a_book(levels=3), visible=3)
    desk.place(BUY, "89996", "0.01")
    desk.until(1)
    assert filled(desk) == [(BID - 4 * TICK, 50)]


def test_an_empty_price_in_view_has_nobody_ahead() -> None:
    desk = Desk(first=[(BID_LEVEL, BID, 5), (BID_LEVEL, BID - 5 * TICK, 5), (ASK_LEVEL, ASK, 5)], visible=2)
    assert ahead(desk, desk.place(BUY, "89998", "0.01")) == 0
    assert ahead(desk, desk.place(BUY, "89900", "0.01")) == -1


def test_takers_use_what_stands_before_an_order_first() -> None:
    desk = Desk()
    order = desk.place(SELL, "90001", "0.01")
    desk.place(BUY, "90001", "0.05", "Ioc", who=BOB)
    assert (filled(desk), ahead(desk, order)) == ([], 500)
    desk.place(BUY, "90001", "0.055", "Ioc", who=BOB)
    assert filled(desk) == [(ASK, 50)]


def test_a_taker_takes_better_prices_first_whoever_stands_there() -> None:
    desk = Desk(first=a_book(ask=ASK + 2 * TICK))
    desk.place(SELL, "90002", "0.01")
    desk.place(SELL, "90003", "0.01")
    status = desk.place(BUY, "90004", "0.13", "Ioc", who=BOB)
    assert isinstance(status, Filled)
    assert filled(desk, BOB) == [
        (ASK + TICK, 100),
        (ASK + 2 * TICK, 1_000),
        (ASK + 2 * TICK, 100),
        (ASK + 3 * TICK, 100),
    ]


# ---------------------------------------------------------------------- the recording's own faults
def crossed(desk: Desk) -> tuple[int, int]:
    """(stamps, levels) that the ledger counts as locked or crossed."""
    market = desk.exchange.ledger()["markets"]["sx:BTC"]
    return market["crossed_stamps"], market["yielded_levels"]


def test_of_a_crossed_recording_the_older_level_yields() -> None:
    desk = Desk((1, [(BID_LEVEL, ASK + TICK, 7)]), (2, [(ASK_LEVEL, BID, 9)]), (3, [(ASK_LEVEL, BID + TICK, 9)]))
    assert crossed(desk) == (0, 0)
    desk.until(1)
    assert crossed(desk) == (1, 2)
    assert desk.exchange.source_levels("sx:BTC", SELL)[0] == (ASK + 2 * TICK, 1_000)
    desk.until(2)
    assert desk.exchange.source_levels("sx:BTC", SELL)[0] == (BID, 9)
    assert desk.exchange.source_levels("sx:BTC", BUY)[0] == (BID - TICK, 1_000)
    assert crossed(desk) == (2, 4)  # the bid at ASK + TICK and that at BID
    desk.until(3)
    assert crossed(desk) == (2, 4)


def test_levels_locked_within_one_stamp_both_yield() -> None:
    desk = Desk(first=[*a_book(), (BID_LEVEL, ASK + TICK, 7)])
    assert desk.exchange.source_levels("sx:BTC", BUY)[0] == (BID, 1_000)
    assert desk.exchange.source_levels("sx:BTC", SELL)[0] == (ASK + TICK, 1_000)
    assert crossed(desk) == (1, 2)


def test_a_full_side_forgets_its_worst_level() -> None:
    rows = [(BID_LEVEL, BID - k * TICK, 5) for k in range(levels.LEVELS + 3)]
    desk = Desk((1, [(BID_LEVEL, BID + 50, 6)]), first=rows)
    desk.until(1)
    shown = desk.exchange.source_levels("sx:BTC", BUY)
    assert len(shown) == levels.LEVELS
    assert (shown[0], shown[-1]) == ((BID + 50, 6), (BID - (levels.LEVELS - 2) * TICK, 5))


def test_what_a_recorder_has_lost_sight_of_is_forgotten() -> None:
    """A tape that keeps 3 levels: when the price runs away and comes back, the old levels are not believed."""
    up = [(BID_LEVEL, BID + k * TICK, 5) for k in (2, 3, 4)] + [(ASK_LEVEL, ASK + k * TICK, 0) for k in range(5)]
    desk = Desk((1, [*up, (ASK_LEVEL, ASK + 9 * TICK, 5)]), kept=3)
    desk.until(1)
    assert [px for px, _ in desk.exchange.source_levels("sx:BTC", BUY)] == [BID + k * TICK for k in (4, 3, 2)]


# ---------------------------------------------------------------------- against a slow model
@dataclass
class SlowOrder:
    oid: int
    side: int
    px: int
    left: int
    ahead: int


class SlowVenue:
    """The rules with plain dicts and lists: one owner, no takers, risk-averse, everything in view."""

    def __init__(self) -> None:
        self.source: dict[int, dict[int, tuple[int, int]]] = {BUY: {}, SELL: {}}
        self.orders: list[SlowOrder] = []
        self.fills: list[tuple[int, int, int]] = []
        self.stamp = 0

    def line(self, side: int) -> list[SlowOrder]:
        return sorted((o for o in self.orders if o.side == side and o.left), key=lambda o: (-side * o.px, o.oid))

    def fill(self, order: SlowOrder, sz: int) -> int:
        sz = min(sz, order.left)
        order.left -= sz
        if sz:
            self.fills.append((order.oid, order.px, sz))
        return sz

    def play(self, rows: list[Row]) -> None:
        """One stamp: its prints, then its levels (the last word on a price counts), then what the book then shows."""
        self.stamp += 1
        for what, px, sz in rows:
            if abs(what) == 2:
                self.print(BUY if what > 0 else SELL, px, sz)
        for (what, px), sz in {(what, px): sz for what, px, sz in rows if abs(what) == 1}.items():
            self.source[what].pop(px, None)
            if sz:
                self.source[what][px] = (sz, self.stamp)
            for order in self.line(what):
                if order.px == px:
                    order.ahead = min(order.ahead, sz)
        self.uncross()
        for side in (BUY, SELL):
            if self.source[-side]:
                best = max(self.source[-side], key=lambda px: -side * px)
                for order in self.line(side):
                    if side * order.px >= side * best:
                        self.fill(order, order.left)

    def print(self, aggressor: int, px: int, sz: int) -> None:
        for side in (BUY, SELL):
            for order in self.line(side):
                if side * order.px > side * px:
                    sz -= self.fill(order, sz)
        here = [o for o in self.line(-aggressor) if o.px == px]
        used = 0
        for order in here:
            step = min(sz, max(0, order.ahead - used))
            used, sz = used + step, sz - step
            sz -= self.fill(order, sz)
        used += sz
        for order in here:
            order.ahead = max(0, order.ahead - used)

    def uncross(self) -> None:
        bids, asks = self.source[BUY], self.source[SELL]
        while bids and asks and max(bids) >= min(asks):
            bid, ask = max(bids), min(asks)
            bid_stamp, ask_stamp = bids[bid][1], asks[ask][1]
            if bid_stamp <= ask_stamp:
                del bids[bid]
            if ask_stamp <= bid_stamp:
                del asks[ask]


PXS = st.integers(BID // TICK - 4, BID // TICK + 4).map(lambda k: k * TICK)
ROWS = st.lists(
    st.tuples(st.sampled_from([BID_LEVEL, ASK_LEVEL, BUY_PRINT, SELL_PRINT]), PXS, st.integers(0, 40)).filter(
        lambda row: abs(row[0]) == 1 or row[2] > 0
    ),
    min_size=1, max_size=6,
)  # fmt: skip
STEPS = st.lists(
    st.one_of(ROWS, st.tuples(st.sampled_from([BUY, SELL]), PXS, st.integers(2, 30)), st.integers(0, 20)),
    min_size=1, max_size=25,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_fills_are_those_of_the_slow_model(steps: list[object]) -> None:
    """Stamps (lists), post-only orders (tuples) and cancels (numbers) in any order give the same fills and places."""
    stamps = [(k + 1, step) for k, step in enumerate(steps) if isinstance(step, list)]
    desk, slow = Desk(*stamps, first=a_book(sz=20)), SlowVenue()
    slow.play(a_book(sz=20))
    for k, step in enumerate(steps):
        desk.until(k + 1)
        if isinstance(step, list):
            slow.play(step)
        elif isinstance(step, tuple):
            side, px, sz = step
            status = desk.place(side, str(px // TICK), f"{sz / 10_000:.4f}")
            if isinstance(status, Resting):
                slow.orders.append(SlowOrder(status.oid, side, px, sz, slow.source[side].get(px, (0, 0))[0]))
        elif alive := [o for o in slow.orders if o.left]:
            victim = alive[step % len(alive)]  # type: ignore[operator]
            desk.cancel(victim.oid)
            victim.left = 0
        for order in slow.orders:
            if order.left:
                assert desk.exchange.queue_ahead_u(ANN, order.oid) == order.ahead
    assert [(f.oid, f.px_u, f.sz_u) for f in desk.fills()] == slow.fills
    for side in (BUY, SELL):
        shown = sorted(((px, sz) for px, (sz, _) in slow.source[side].items()), reverse=side == BUY)
        assert desk.exchange.source_levels("sx:BTC", side) == shown


# ---------------------------------------------------------------------- what must hold whatever happens
ORDERS = st.tuples(
    st.sampled_from([ANN, BOB]), st.sampled_from([BUY, SELL]), PXS, st.integers(2, 60),
    st.sampled_from(["Alo", "Gtc", "Ioc"]), st.booleans(),
)  # fmt: skip


def _check(desk: Desk) -> None:
    """Money and contracts are conserved, the book is the source plus the resting orders and nothing crosses."""
    exchange = desk.exchange
    assert is_zero(desk.zero())
    resting = [o for who in (ANN, BOB) for o in exchange.open_orders(who)]
    for side in (BUY, SELL):
        published = {px: (sz, n) for px, sz, n in exchange._by_coin["sx:BTC"].depth(side, 60)}
        for order in resting:
            if order.side == side:
                sz, n = published[order.px_u]
                published[order.px_u] = (sz - order.sz_u, n - 1)
        source = dict(exchange.source_levels("sx:BTC", side))
        assert {px: sz for px, (sz, n) in published.items() if n} == source
    bids, asks = exchange.snapshot("sx:BTC").bids, exchange.snapshot("sx:BTC").asks
    assert not (bids and asks and bids[0][0] >= asks[0][0])
    for who in (ANN, BOB):
        assert exchange.account(who).positions_u.get("sx:BTC", 0) == exchange._by_coin["sx:BTC"].position_u(who)


def _check_fills(desk: Desk, reduce_only: set[int]) -> None:
    """No order gets more than it asked for, nobody is filled without an order, reduce-only never adds."""
    for who in (ANN, BOB):
        got: dict[int, int] = {}
        for fill in desk.fills(who):
            got[fill.oid] = got.get(fill.oid, 0) + fill.sz_u
            if fill.oid in reduce_only:
                after = fill.start_position_u + fill.side * fill.sz_u
                assert abs(after) < abs(fill.start_position_u)
                assert after * fill.start_position_u >= 0
        for oid, total in got.items():
            state = desk.exchange.order_status(who, oid)
            assert state is not None
            assert total == state.order.orig_sz_u - state.order.sz_u


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(ROWS, ORDERS, st.integers(0, 50)), min_size=1, max_size=30), st.sampled_from([100, 100_000]))
def test_nothing_is_made_or_lost(steps: list[object], usd: int) -> None:
    stamps = [(100 * (k + 1), step) for k, step in enumerate(steps) if isinstance(step, list)]
    desk = Desk(*stamps, first=a_book(sz=30), usd=usd, queue="probabilistic")
    reduce_only = set()
    for k, step in enumerate(steps):
        desk.until(100 * (k + 1))
        if isinstance(step, tuple):
            who, side, px, sz, tif, reduce = step
            status = desk.place(side, str(px // TICK), f"{sz / 10_000:.4f}", tif, who=who, reduce=reduce)
            if reduce and isinstance(status, (Resting, Filled)):
                reduce_only.add(status.oid)
        elif isinstance(step, int):
            orders = desk.exchange.open_orders(ANN)
            if orders and step % 2:
                desk.cancel(orders[step % len(orders)].oid)
            elif orders:
                order = orders[step % len(orders)]
                desk.modify(order.oid, order.side, str(order.px_u // TICK - order.side), "0.0020")
        _check(desk)
    _check_fills(desk, reduce_only)
    ended = [e for e in desk.of(OrderEvent) if e.status != "open"]
    assert len({e.oid for e in ended}) == len(ended)


@settings(max_examples=30, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=20), st.lists(ORDERS, min_size=1, max_size=10))
def test_the_same_history_gives_the_same_output(
    stamps: list[list[Row]], orders: list[tuple[str, int, int, int, str, bool]]
) -> None:
    def run() -> list[object]:
        desk = Desk(*((10 * k + 10, rows) for k, rows in enumerate(stamps)))
        for k, (who, side, px, sz, tif, reduce) in enumerate(orders):
            desk.until(7 * k)
            desk.place(side, str(px // TICK), f"{sz / 10_000:.4f}", tif, who=who, reduce=reduce)
        desk.until(1_000)
        return [*desk.outputs, desk.exchange.ledger()]

    assert run() == run()


def test_a_market_of_many_orders_fills_each_once() -> None:
    desk = Desk((1, [(SELL_PRINT, 8_000_000, 10**7)]), usd=10_000_000)
    for k in range(300):
        desk.place(BUY, str(89_999 - k % 40), "0.001", who=(ANN, BOB)[k % 2])
    desk.until(1)
    assert sum(f.sz_u for f in desk.of(UserFill)) == 3_000
    assert len(desk.of(UserFill)) == 300
