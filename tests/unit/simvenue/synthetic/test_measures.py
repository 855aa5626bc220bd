"""The statistics' room: figures of a stream written by hand, and of the page's own recordings."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simvenue.recorded.recording import Columns, load
from simvenue.source import ASK_LEVEL, BID_LEVEL, BUY_PRINT, GAP, SELL_PRINT
from simvenue.synthetic.measures import (
    Market,
    book_figures,
    collect,
    figures,
    flow_figures,
    impact_figures,
    market,
    markouts,
    price_figures,
    reaches,
)
from tests.support.shared import shared
from tests.unit.simvenue.tape import T0, Row, S, Tape

TICK = 10


def a_market(*stamps: tuple[float, list[Row]]) -> Market:
    """Stamps of (seconds, rows) behind a book of 100,000 x 100,010 px_u with 1,000 lots a side."""
    book = [(BID_LEVEL, 100_000, 1_000), (ASK_LEVEL, 100_010, 1_000)]
    tape = Tape([(0, book), *((s * 1_000, rows) for s, rows in stamps)])
    return market(collect(tape, T0 + 10_000 * S))


def moved(by: int) -> list[Row]:
    """The whole book so many px_u higher than it was at the start."""
    gone = [(BID_LEVEL, 100_000, 0), (ASK_LEVEL, 100_010, 0)]
    return [*gone, (BID_LEVEL, 100_000 + by, 1_000), (ASK_LEVEL, 100_010 + by, 1_000)]


def test_states_count_by_how_long_they_lasted() -> None:
    found = book_figures(a_market((1, [(ASK_LEVEL, 100_010, 0), (ASK_LEVEL, 100_030, 500)]), (4, [])), TICK)
    assert found["spread_one_tick"] == 1.0  # the last state has no length: nothing changed after it
    m = a_market((1, [(ASK_LEVEL, 100_010, 0), (ASK_LEVEL, 100_030, 500)]), (4, [(BID_LEVEL, 99_990, 5)]))
    found = book_figures(m, TICK)
    assert found["spread_one_tick"] == pytest.approx(0.25)
    assert found["spread_bps"] == pytest.approx((1 * 10 + 3 * 30) / 4 / 100_010 * 1e4, rel=1e-3)
    assert found["touch_usd"] == pytest.approx(0.1 * (1_000 + 3 * 750) / 4, rel=1e-3)
    assert found["touch_updates_per_s"] == pytest.approx(1 / 4)


def test_depth_is_summed_by_distance_from_the_mid() -> None:
    m = a_market((0.001, [(BID_LEVEL, 99_990, 700), (ASK_LEVEL, 100_100, 300)]), (10, [(BID_LEVEL, 99_000, 9)]))
    found = book_figures(m, TICK)
    assert found["band_0.5bps_usd"] == pytest.approx(100, rel=1e-3)  # half a bp: the touches
    assert found["band_1.5bps_usd"] == pytest.approx(35, rel=1e-2)
    assert found["band_10bps_usd"] == pytest.approx(15, rel=1e-2)
    assert found["depth_10bps_usd"] == pytest.approx(150, rel=1e-2)


def test_prints_of_one_stamp_and_side_are_one_order() -> None:
    prints = [(BUY_PRINT, 100_010, 10), (BUY_PRINT, 100_030, 30), (SELL_PRINT, 100_000, 7), (BUY_PRINT, 100_010, 10)]
    m = a_market((1, prints), (2, [(BUY_PRINT, 100_010, 1)]), (3, moved(0)))
    assert list(m.order_side) == [1, -1, 1]
    assert list(m.order_prints) == [3, 1, 1]
    assert list(m.order_worst) == [100_030, 100_000, 100_010]
    assert m.order_usd[0] == pytest.approx((100_010 * 20 + 100_030 * 30) / 1e6)
    assert flow_figures(m)["prints_per_s"] == pytest.approx(5 / 3)


def test_reach_and_markout_are_seen_from_the_mid_before_the_order() -> None:
    m = a_market((1, [(SELL_PRINT, 99_900, 5), *moved(-100)]), (4, moved(-200)), (40, moved(-200)), (60, moved(0)))
    assert reaches(m)[0] == pytest.approx(105 / 100_005 * 1e4)
    assert markouts(m, 1.0)[0] == pytest.approx(100 / 100_005 * 1e4)
    assert markouts(m, 5.0)[0] == pytest.approx(200 / 100_005 * 1e4)
    assert impact_figures(m)["paid_bps"] == pytest.approx(105 / 100_005 * 1e4)


def test_nothing_is_measured_across_a_hole() -> None:
    m = a_market((1, moved(0)), (2, [(BUY_PRINT, 100_010, 5)]), (100, moved(500)), (101, moved(510)), (103, moved(510)))
    assert m.span_s == pytest.approx(4.0)
    assert math.isnan(markouts(m, 99.0)[0])
    assert price_figures(m)["vol_1s_bps"] < 1


def test_a_gap_forgets_the_book() -> None:
    m = a_market((1, [(GAP, 0, 0), (BID_LEVEL, 90_000, 1)]), (2, [(ASK_LEVEL, 90_010, 1)]), (3, [(BID_LEVEL, 1, 1)]))
    assert list(m.bid) == [100_000, 90_000, 90_000]
    assert list(m.ask) == [100_010, 90_010, 90_010]


def test_volatility_is_the_root_mean_square_of_moves_on_a_grid() -> None:
    steps = [(float(k), moved(100 * (k % 2))) for k in range(1, 61)]
    found = price_figures(a_market(*steps, (61.0, moved(0))))
    assert found["vol_1s_bps"] == pytest.approx(10.0, rel=1e-2)
    assert found["moved_1s"] == pytest.approx(1.0, abs=0.04)
    assert found["kurtosis_1s"] == pytest.approx(1.0, abs=0.05)


# ---------------------------------------------------------------------- the page's own recordings
def recorded(name: str, sz_decimals: int, tick_u: int) -> dict[str, float]:
    return figures(market(load(shared(f"data/events/{name}.npz"), sz_decimals)), tick_u)


HL_BTC = {
    "spread_bps": 0.119, "spread_bps_p50": 0.090, "spread_bps_p95": 0.180, "spread_one_tick": 0.94,
    "touch_usd": 986e3, "depth_1bps_usd": 2_940e3, "depth_2bps_usd": 4_990e3, "band_0.25bps_usd": 1_430e3,
    "band_0.5bps_usd": 507e3, "band_1bps_usd": 1_004e3, "band_1.5bps_usd": 1_184e3, "orders_per_s": 1.22,
    "order_usd_p10": 12, "order_usd_p50": 451, "order_usd_p99": 2.6e6, "gap_cv": 1.01, "vol_1s_bps": 0.48,
    "vol_5s_bps": 1.29, "moved_1s": 0.29, "imbalance_sd": 0.78,
}  # fmt: skip
HL_ETH = {
    "spread_bps": 0.264, "touch_usd": 674e3, "depth_1bps_usd": 1_440e3, "depth_2bps_usd": 3_560e3,
    "band_0.25bps_usd": 619e3, "band_0.5bps_usd": 281e3, "band_1bps_usd": 530e3, "band_3bps_usd": 2_509e3,
    "orders_per_s": 1.30, "prints_per_s": 2.86, "usd_per_s": 31_000, "order_usd_p50": 492, "order_usd_p90": 9.9e3,
    "order_usd_p99": 436e3, "order_usd_mean": 23.8e3, "gap_cv": 0.96, "vol_1s_bps": 0.63, "vol_5s_bps": 1.64,
    "paid_bps": 0.40,
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "sz_decimals", "page"), [("hl_BTC_2025-09-03", 5, HL_BTC), ("hl_ETH_2025-09-03", 4, HL_ETH)]
)
def test_hyperliquid_minutes_measure_as_the_page_has_them(name: str, sz_decimals: int, page: dict[str, float]) -> None:
    """Mids come from the touch stream on the page and from the snapshots in these files: 10 % apart at most."""
    found = recorded(name, sz_decimals, 10)
    assert {key: found[key] for key in page} == {key: pytest.approx(value, rel=0.1) for key, value in page.items()}


def test_empty_columns_of_orders_make_figures_that_are_not_numbers() -> None:
    m = a_market((1, moved(0)), (2, moved(100)))
    found = flow_figures(m)
    assert found["orders_per_s"] == 0
    assert math.isnan(found["order_usd_p50"])
    assert math.isnan(found["gap_cv"])


def test_lists_and_arrays_measure_alike() -> None:
    columns = collect(Tape([(0, [(BID_LEVEL, 10, 1), (ASK_LEVEL, 20, 1)]), (9, [(BUY_PRINT, 20, 1)])]), T0 + S)
    as_lists = Columns(
        columns.what.tolist(), columns.px_u.tolist(), columns.sz_u.tolist(), columns.stamp_ns, columns.begin, 20
    )
    first, second = market(columns), market(as_lists)
    assert np.array_equal(first.order_usd, second.order_usd)
