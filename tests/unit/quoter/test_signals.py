"""Book signals: depth by distance and level, balances, thin spots; our own size is never in them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.messages import Side
from quoter.analysis import VIEW
from quoter.signals import (
    BANDS_BPS,
    G_BALANCE,
    G_DEPTH,
    G_HOLE,
    G_KNOWN,
    G_LEVEL,
    G_MICRO,
    G_PRESSURE,
    G_REACH,
    G_THIN,
    G_THIN_AT,
    G_TOP5,
    G_TOUCH,
    band_bps,
    new_signals,
    read_signals,
)
from quoter.state import BPS
from tests.unit.quoter.builders import PX, Desk, Rig, a_book, levels

Levels = list[tuple[int, int]]


def signals(bids: Levels, asks: Levels, *, fast: int = 32, weight: float = 1.0, thin: float = 0.5) -> list[float]:
    rig, out = Rig(), new_signals()
    rig.see(bids, asks)
    read_signals(rig.vector, out, fast, weight, thin)
    return list(out)


def usd(rows: Levels) -> float:
    return sum(px * sz for px, sz in rows) / 1e6


def within(rows: Levels, mid: float, bps: float) -> float:
    return usd([(px, sz) for px, sz in rows if abs(px - mid) <= mid * bps * BPS])


SIDE = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 10**6)), min_size=1, max_size=20)


@given(SIDE, SIDE)
def test_depth_of_a_band_is_that_of_the_levels_within_its_distance(bids: Levels, asks: Levels) -> None:
    """Steps between levels and sizes are drawn; 60 units are 0.8 bps here."""
    rows: list[Levels] = []
    for drawn, sign in ((bids, -1), (asks, 1)):
        px, side = PX, []
        for step, sz in drawn:
            px += sign * step
            side.append((px, sz))
        rows.append(side)
    found = signals(*rows)
    mid = (rows[0][0][0] + rows[1][0][0]) / 2
    for band, bps in enumerate(BANDS_BPS):
        for side in range(2):
            assert found[G_DEPTH + 2 * band + side] == pytest.approx(within(rows[side], mid, bps), rel=1e-9)
        assert -1.0 <= found[G_BALANCE + band] <= 1.0
    for side in range(2):
        assert found[G_REACH + side] == pytest.approx(abs(rows[side][-1][0] - mid) / mid / BPS)


def test_pressure_weighs_near_levels_more() -> None:
    bids, asks = levels(PX - 100, -100, 1000), levels(PX + 100, 100, 1000)
    assert signals([(px, 3 * sz) for px, sz in bids], asks)[G_PRESSURE] == pytest.approx(0.5, abs=0.01)
    bids[0], asks[-1] = (bids[0][0], 9000), (asks[-1][0], 9000)
    assert signals(bids, asks)[G_PRESSURE] > 0.1


@given(SIDE, SIDE)
def test_wider_bands_hold_no_less(bids: Levels, asks: Levels) -> None:
    a = [(PX - 10 * (i + 1), sz) for i, (_, sz) in enumerate(bids)]
    b = [(PX + 10 * (i + 1), sz) for i, (_, sz) in enumerate(asks)]
    found = signals(a, b)
    for side in range(2):
        depths = [found[G_DEPTH + 2 * band + side] for band in range(len(BANDS_BPS))]
        assert depths == sorted(depths)


@given(SIDE, SIDE)
def test_mirrored_sides_turn_every_balance_round(bids: Levels, asks: Levels) -> None:
    a, b = (
        [(10 * (i + 1), sz) for i, (_, sz) in enumerate(bids)],
        [(10 * (i + 1), sz) for i, (_, sz) in enumerate(asks)],
    )
    one = signals([(PX - d, sz) for d, sz in a], [(PX + d, sz) for d, sz in b])
    other = signals([(PX - d, sz) for d, sz in b], [(PX + d, sz) for d, sz in a])
    for place in (G_MICRO, G_TOUCH):
        assert one[place] == pytest.approx(-other[place], abs=1e-9)
    for place in (G_TOP5, G_BALANCE, G_BALANCE + 3):
        assert one[place] == pytest.approx(-other[place], abs=1e-2)  # in USD a bid is a little cheaper


def test_a_heavy_bid_raises_the_microprice_and_every_balance() -> None:
    bids, asks = a_book()
    found = signals([(px, 3 * sz) for px, sz in bids], asks)
    assert found[G_MICRO] > 0.0
    assert found[G_TOUCH] == pytest.approx(0.5)
    assert found[G_TOP5] == pytest.approx(0.5, abs=1e-3)
    assert all(found[G_BALANCE + band] == pytest.approx(0.5, abs=1e-3) for band in range(len(BANDS_BPS)))


def test_levels_are_told_one_by_one() -> None:
    bids, asks = levels(PX - 10, -10, 1_000, 3), levels(PX + 10, 10, 2_000, 12)
    found = signals(bids, asks)
    assert found[G_LEVEL : G_LEVEL + VIEW] == pytest.approx([usd([row]) for row in bids] + [0.0] * 7)
    assert found[G_LEVEL + VIEW : G_LEVEL + 2 * VIEW] == pytest.approx([usd([row]) for row in asks[:VIEW]])


def test_a_thin_level_and_a_hole_are_found_where_they_are() -> None:
    bids, asks = levels(PX - 10, -10, 1_000), levels(PX + 10, 10, 1_000)
    bids[3] = (bids[3][0], 400)
    bids[7] = (bids[7][0], 100)
    asks[5:] = [(px + 100, sz) for px, sz in asks[5:]]
    found = signals(bids, asks)
    assert found[G_THIN : G_THIN + 2] == [2.0, 0.0]
    assert found[G_THIN_AT] == pytest.approx(40 / PX / BPS)
    assert found[G_HOLE] == pytest.approx(10 / PX / BPS)
    assert found[G_HOLE + 1] == pytest.approx(110 / PX / BPS)


def test_old_levels_count_less() -> None:
    bids, asks = a_book()
    fresh, old = signals(bids, asks), signals(bids, asks, fast=5, weight=0.5)
    assert old[G_DEPTH + 6] == pytest.approx(0.75 * fresh[G_DEPTH + 6], rel=1e-3)
    assert old[G_TOP5] == fresh[G_TOP5]


def test_without_a_side_there_are_no_signals() -> None:
    assert all(value == 0.0 for value in signals(a_book()[0], []))
    assert signals(*a_book())[G_KNOWN] == 1.0
    assert all(math.isfinite(value) for value in signals(*a_book()))


def test_the_kernels_bands_are_the_named_ones() -> None:
    assert [band_bps(band) for band in range(len(BANDS_BPS))] == list(BANDS_BPS)


def test_our_own_size_is_not_in_the_depth() -> None:
    desk = Desk().start()
    before = list(desk.engine.signals())
    book = desk.book()
    best_px, best_sz = book.bids[0]
    shown = desk.book(bids=[(best_px, best_sz + 900), *book.bids[1:]])
    desk.wait(0.5, desk.order(Side.BID, best_px, 900), shown)
    assert list(desk.engine.signals()) == before
    desk.wait(0.5, desk.book(bids=[(best_px, best_sz + 1_800), *book.bids[1:]]))
    assert desk.engine.signals()[G_DEPTH] == pytest.approx(before[G_DEPTH] + usd([(best_px, 900)]))
