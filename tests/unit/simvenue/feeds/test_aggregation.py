"""Coarser books and fills put together: nothing is lost, nothing looks better than it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simvenue.events import BUY, SELL
from simvenue.feeds.aggregation import FINEST, MANTISSAS, SIG_FIGS, Grid, by_time, coarse, grid_of
from tests.unit.simvenue.feeds.test_wire import a_fill

GRIDS = [Grid(n) for n in SIG_FIGS] + [Grid(5, m) for m in MANTISSAS]


def test_grids_are_those_the_venue_knows() -> None:
    assert grid_of(None, None) == FINEST
    assert grid_of(5, 2) == Grid(5, 2)
    assert [grid_of(*wrong) for wrong in ((1, None), (6, None), (4, 2), (5, 3), (None, 2))] == [None] * 5


def test_level_with_fewer_figures_than_asked_for_stays() -> None:
    assert coarse([(123, 5, 1)], BUY, Grid(5, 1), 20) == [(123, 5, 1)]


@given(
    st.lists(
        st.tuples(st.integers(1, 10**7), st.integers(1, 10**6)), min_size=1, max_size=60, unique_by=lambda r: r[0]
    ),
    st.sampled_from([BUY, SELL]),
    st.sampled_from(GRIDS),
)
def test_coarse_book_keeps_sizes_orders_and_their_order(rows: list[tuple[int, int]], side: int, grid: Grid) -> None:
    fine = [(px, sz, 1) for px, sz in sorted(rows, reverse=side == BUY)]
    found = coarse(fine, side, grid, len(fine))
    assert sum(sz for _, sz, _ in found) == sum(sz for _, sz, _ in fine)
    assert sum(n for _, _, n in found) == len(fine)
    prices = [px for px, _, _ in found]
    assert prices == sorted(set(prices), reverse=side == BUY)
    assert side * found[0][0] <= side * fine[0][0]
    assert side * found[-1][0] <= side * fine[-1][0]


def test_fills_of_different_orders_or_instants_stay_apart() -> None:
    fills = [a_fill(oid=1), a_fill(oid=2), a_fill(oid=1, t_ns=5), a_fill(oid=1)]
    assert [f.oid for f in by_time(fills)] == [1, 2, 1]


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), min_size=1, max_size=8))
def test_fill_put_together_has_the_sums_and_the_average_price(parts: list[tuple[int, int]]) -> None:
    fills = [a_fill(px_u=px, sz_u=sz, fee_e8=7, closed_pnl_e8=-3) for px, sz in parts]
    (whole,) = by_time(fills)
    assert whole.sz_u == sum(sz for _, sz in parts)
    assert (whole.fee_e8, whole.closed_pnl_e8) == (7 * len(parts), -3 * len(parts))
    assert abs(whole.px_u * whole.sz_u - sum(px * sz for px, sz in parts)) * 2 <= whole.sz_u
