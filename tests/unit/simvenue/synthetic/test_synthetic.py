"""The made-up market: seeded, lazy, fast, and with the figures it claims."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise
from statistics import fmean, stdev

import pytest

from common.config import load
from common.kernel import istate, state
from simvenue.desk.grid import tick_u
from simvenue.desk.rules import text_of
from simvenue.events import BUY, SELL, Bbo, Book, CancelOrders, OrderSpec, Output, PlaceOrders, Trade
from simvenue.exchange import Exchange, Latency
from simvenue.market import market_of
from simvenue.synthetic import layout, stretch
from simvenue.synthetic.flows import FLOWS, planted
from simvenue.synthetic.synthetic import Synthetic
from tests.unit.simvenue.tape import ANN, T0, S


def a_source(flow: str = "xyz100", *, profile: str = "us500", seed: int = 1) -> Synthetic:
    venue = load("simvenue", {"MARKET": profile}).venue
    return Synthetic(
        flow,
        FLOWS[flow],
        venue.sz_decimals,
        px_start=venue.px_start,
        vol_annual=venue.vol_annual,
        seed=seed,
        origin_ns=T0,
    )


def an_exchange(
    flow: str = "xyz100", *, profile: str = "us500", seed: int = 1, latency: Latency | None = None
) -> Exchange:
    market = market_of(load("simvenue", {"MARKET": profile}))
    source = a_source(flow, profile=profile, seed=seed)
    return Exchange([(market, source)], origin_ns=T0, latency=latency or Latency())


def first_rows(source: Synthetic, count: int) -> list[tuple[int | None, list[int], list[int], list[int]]]:
    found = []
    for _ in range(count):
        t_ns = source.next_t_ns()
        rows = source.take()
        found.append((t_ns, list(rows.what), list(rows.px_u), list(rows.sz_u)))
    return found


@pytest.fixture(scope="module")
def an_hour() -> list[Output]:
    return an_exchange().advance(T0 + 3_600 * S)


def orders(outputs: list[Output]) -> list[tuple[int, int, float]]:
    """Aggressor orders: (time, side, USD)."""
    prints = [o for o in outputs if isinstance(o, Trade)]
    return [
        (t, side, sum(p.px_u * p.sz_u for p in group) / 1e6)
        for (t, side), group in groupby(prints, lambda p: (p.t_ns, p.side))
    ]


def test_one_seed_is_one_market() -> None:
    assert first_rows(a_source(seed=4711), 300) == first_rows(a_source(seed=4711), 300)
    assert first_rows(a_source(seed=1), 50) != first_rows(a_source(seed=2), 50)


def test_a_market_written_in_one_go_is_the_one_that_is_played() -> None:
    """Whatever the columns hold: full ones are gone on from where they are full."""
    end_t_ns = T0 + 120 * S
    whole, source = a_source(), a_source()
    wanted: list[tuple[int, int, int, int]] = []
    while (t_ns := source.next_t_ns() or 0) < end_t_ns:
        rows = source.take()
        wanted += [(t_ns, *row) for row in zip(*rows[:3], strict=True)][rows.begin : rows.end]
    found: list[tuple[int, int, int, int]] = []
    is_over = False
    while not is_over:
        what, px, sz = (istate(layout.ROWS_MAX + 100) for _ in range(3))
        stamp_ns, end, signal, written = istate(50), istate(50), state(50), istate(2)
        is_over = whole.write(end_t_ns, (what, px, sz, stamp_ns, end, signal), written)
        begins = [0, *end]
        for k in range(written[stretch.STAMPS]):
            found += [(stamp_ns[k], what[row], px[row], sz[row]) for row in range(begins[k], begins[k + 1])]
    assert len(wanted) > 500
    assert found == wanted


def test_it_never_ends_and_time_only_goes_forward() -> None:
    times = [row[0] or 0 for row in first_rows(a_source(), 2_000)]
    assert times[0] == T0
    assert all(a < b for a, b in pairwise(times))


def test_the_book_is_whole_from_the_first_stamp_and_never_crosses(an_hour: list[Output]) -> None:
    first = next(o for o in an_hour if isinstance(o, Book))
    assert (len(first.bids), len(first.asks)) == (5, 5)
    touches = [o for o in an_hour if isinstance(o, Bbo)]
    assert all(o.bid and o.ask and o.bid[0] < o.ask[0] for o in touches)


def test_every_price_is_one_the_venue_takes(an_hour: list[Output]) -> None:
    for book in (o for o in an_hour if isinstance(o, Book) and not o.fast):
        assert all(px % tick_u(px, 3) == 0 for px, _, _ in (*book.bids, *book.asks))


def test_the_flow_is_that_of_the_xyz100_column(an_hour: list[Output]) -> None:
    found = orders(an_hour)
    assert len(found) / 3_600 == pytest.approx(0.54, rel=0.1)
    sizes = sorted(usd for _, _, usd in found)
    for share, usd in ((0.5, 332), (0.9, 1_556)):
        assert sizes[int(share * len(sizes))] == pytest.approx(usd, rel=0.2)
    assert 6_000 < sizes[int(0.99 * len(sizes))] < 25_000
    signs = [side for _, side, _ in found]
    assert fmean(a * b for a, b in pairwise(signs)) == pytest.approx(0.2, abs=0.06)


def test_the_book_is_as_deep_as_it_says(an_hour: list[Output]) -> None:
    touches = [o for o in an_hour if isinstance(o, Bbo) and o.bid and o.ask]
    assert fmean(o.bid[0] * o.bid[1] / 1e6 for o in touches if o.bid) == pytest.approx(30_000, rel=0.25)
    spreads = [(o.ask[0] - o.bid[0]) / o.ask[0] * 1e4 for o in touches if o.bid and o.ask]
    assert 0.2 < fmean(spreads) < 0.4
    within = []
    for book in (o for o in an_hour if isinstance(o, Book) and not o.fast):
        mid = (book.bids[0][0] + book.asks[0][0]) / 2
        within.append(sum(px * sz for px, sz, _ in book.bids if px >= mid * (1 - 1e-4)) / 1e6)
    assert fmean(within) == pytest.approx(100_000, rel=0.2)


def test_the_mid_follows_the_flow(an_hour: list[Output]) -> None:
    touches = [(o.t_ns, (o.bid[0] + o.ask[0]) / 2) for o in an_hour if isinstance(o, Bbo) and o.bid and o.ask]

    def mid(t_ns: int) -> float:
        while len(cursor) > 1 and cursor[1][0] <= t_ns:
            cursor.pop(0)
        return cursor[0][1]

    scores = []
    for t_ns, side, _ in orders(an_hour)[:3_000]:
        cursor = touches[_last_before(touches, t_ns - 1) :][:60]
        before = mid(t_ns - 1)
        scores.append(side * (mid(t_ns + 5 * S) - before) / before * 1e4)
    told = a_source().describe()["markout_mean_bps"]
    assert told > 0.08
    assert fmean(scores) == pytest.approx(told, abs=3 * stdev(scores) / len(scores) ** 0.5)


def _last_before(touches: list[tuple[int, float]], t_ns: int) -> int:
    low, high = 0, len(touches)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if touches[middle][0] <= t_ns else (low, middle)
    return max(low - 1, 0)


def test_quoting_the_touch_blindly_loses_after_fees() -> None:
    """A simulator in which a naive symmetric quoter earns is wrong (edge.md 7.1)."""
    exchange = an_exchange(seed=3, latency=Latency(100_000_000, 300_000_000, 100_000_000))
    exchange.fund(ANN, 100_000)
    asset = exchange.markets[0].asset_id
    for k in range(1, 1_800):
        t_ns = T0 + k * S
        exchange.advance(t_ns)
        mine = tuple((asset, order.oid) for order in exchange.open_orders(ANN))
        exchange.submit(t_ns, 2 * k, CancelOrders(ANN, mine))
        book = exchange.snapshot("km:US500", 1)
        specs = tuple(
            OrderSpec(asset, side == BUY, text_of(levels[0][0], 3), "1", False, "Alo")
            for side, levels in ((BUY, book.bids), (SELL, book.asks))
        )
        exchange.submit(t_ns, 2 * k + 1, PlaceOrders(ANN, specs))
    account = exchange.account(ANN)
    assert account.volume_e6 > 25_000 * 10**6
    assert exchange.equity_e8(ANN) < account.deposits_e8
    assert account.taker_e6 == 0


@pytest.mark.parametrize(
    ("flow", "profile", "per_s"), [("km", "us500", 0.1), ("btc", "btc", 1.0), ("xyz100", "standx", 0.54)]
)
def test_every_flow_plays_in_its_market(flow: str, profile: str, per_s: float) -> None:
    outputs = an_exchange(flow, profile=profile, seed=5).advance(T0 + 900 * S)
    pace = a_source(flow, profile=profile, seed=5).activity
    assert len(orders(outputs)) / 900 == pytest.approx(per_s * pace, rel=0.5)


def test_it_says_what_it_is() -> None:
    told = a_source("km").describe()
    assert (told["flow"], told["hours"], told["touch_usd"], told["jumps_per_h"]) == ("km", "index", 33_900.0, 0.5)
    assert told["depth_1bps_usd"] == pytest.approx(105_000, rel=0.1)
    assert told["orders_per_s"] == pytest.approx(1 / 30, abs=0.001)
    assert told["orders_per_s_in_session"] == 0.1
    assert told["order_usd_p50_p90_p99"] == [332, 1_556, 13_000]
    assert 0 < told["impact_scale"] <= 1
    assert "predictor" not in told


@pytest.mark.parametrize("flow", FLOWS)
def test_every_profile_plays_a_whole_book_that_never_crosses(flow: str) -> None:
    source = a_source(flow, profile="btc" if flow == "btc" else "us500")
    books: dict[int, dict[int, int]] = {1: {}, -1: {}}
    for _ in range(1_500):
        rows = source.take()
        columns = (list(column)[rows.begin : rows.end] for column in (rows.what, rows.px_u, rows.sz_u))
        for what, px, sz in zip(*columns, strict=True):
            assert px > 0
            if what in books and sz > 0:
                books[what][px] = sz
            elif what in books:
                del books[what][px]
            else:
                assert sz > 0
        assert max(books[1]) < min(books[-1])
        assert all(len(side) >= layout.LEVELS - 60 for side in books.values())


def test_the_book_is_quoted_anew_where_the_tick_changes() -> None:
    """From five digits to six a price steps by ten times as much; no level of the old grid stays."""
    flow = replace(FLOWS["xyz100"], jumps_per_h=36_000.0, jump_bps=30.0, vol_annual_min=5.0)
    source = Synthetic("jumpy", flow, 3, px_start=997.0, vol_annual=5.0, seed=3, origin_ns=T0)
    ticks = set()
    shown: set[int] = set()
    for _ in range(1_200):
        rows = source.take()
        for k in range(rows.begin, rows.end):
            if abs(int(rows.what[k])) == 1:
                (shown.add if rows.sz_u[k] > 0 else shown.discard)(int(rows.px_u[k]))
        tick = 100 if all(px % 100 == 0 for px in shown) else 10
        assert all(px % tick == 0 for px in shown)
        assert tick == 100 or max(shown) < 1_000_000 + 10 * layout.LEVELS * 10
        ticks.add(tick)
    assert ticks == {10, 100}


def test_prints_of_a_stamp_come_before_the_levels_they_change() -> None:
    source = a_source(seed=5)
    for _ in range(1_000):
        rows = source.take()
        what = [abs(int(w)) for w in list(rows.what)[rows.begin : rows.end]]
        assert what == sorted(what, reverse=True)


def test_the_oracle_stands_below_the_mid_by_the_premium() -> None:
    settings = load("simvenue", {"MARKET": "us500"})
    flow = replace(FLOWS["calm"], premium_bps=((0.0, 20.0),))
    source = Synthetic("own", flow, 3, px_start=752.4, vol_annual=0.05, seed=2, origin_ns=T0)
    exchange = Exchange([(market_of(settings), source)], origin_ns=T0, latency=Latency())
    exchange.advance(T0 + 60 * S)
    context = exchange.context("km:US500")
    assert context is not None
    mid = exchange.snapshot("km:US500", 1).bids[0][0]
    assert mid / context.oracle_px_u - 1 == pytest.approx(20e-4, abs=2e-4)


def test_a_planted_market_says_what_was_planted() -> None:
    flow = planted(FLOWS["us500"], {"eps": 0.4, "eta": 0.5, "A": 0.05, "k": 1.5, "r2": 0.1, "vol": 0.3})
    told = Synthetic("own", flow, 3, px_start=752.4, vol_annual=0.1, seed=1, origin_ns=T0).describe()
    assert (told["eps_bps"], told["eta"], told["fill_rate_per_s"], told["fill_decay_per_bps"]) == (0.4, 0.5, 0.05, 1.5)
    assert (told["impact_scale"], told["vol_annual"]) == (1.0, 0.3)
    assert told["predictor"]["r2"] == 0.1


def test_planted_figures_that_the_volatility_cannot_hold_are_refused() -> None:
    with pytest.raises(ValueError, match=r"livelier market: vol of 1\.07"):
        Synthetic("own", planted(FLOWS["xyz100"], {"eps": 5.0}), 3, px_start=1.0, vol_annual=0.1, seed=1, origin_ns=T0)
