"""When a new ladder is worth publishing."""

from __future__ import annotations

from typing import Any

import pytest

from quoter.hold import COUNT, MOVED, SAME, SIZED, difference, side_usd
from quoter.state import O_COUNT, O_ROWS, O_SIDE, new_out

FAIR = 1_000_000.0


def a_ladder(*bids: tuple[int, int], asks: tuple[tuple[int, int], ...] = ()) -> Any:
    out = new_out()
    for side, rows in ((0, bids), (1, asks)):
        out[O_COUNT + side] = len(rows)
        for i, (px_u, sz_u) in enumerate(rows):
            at = O_ROWS + side * O_SIDE + 2 * i
            out[at], out[at + 1] = px_u, sz_u
    return out


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        (((999_700, 100), (998_000, 50)), SAME),
        (((999_730, 100), (998_000, 50)), SAME),  # 0.3 bps
        (((999_740, 100), (998_000, 50)), MOVED),
        (((999_700, 100), (998_090, 50)), SAME),  # 5 % of 20 bps
        (((999_700, 100), (998_120, 50)), MOVED),
        (((999_700, 100),), COUNT),
        (((999_700, 130), (998_000, 50)), SAME),
        (((999_700, 131), (998_000, 50)), SIZED),
        (((999_700, 69), (998_000, 50)), SIZED),
    ],
)
def test_only_a_real_difference_counts(target: tuple[tuple[int, int], ...], wanted: int) -> None:
    shown = a_ladder((999_700, 100), (998_000, 50))
    assert difference(a_ladder(*target), shown, FAIR, 0.3, 0.3, 0.05, 0.3) == wanted


def test_asks_count_like_bids() -> None:
    shown = a_ladder(asks=((1_000_300, 100),))
    assert difference(a_ladder(asks=((1_000_340, 100),)), shown, FAIR, 0.3, 0.3, 0.05, 0.3) == MOVED


@pytest.mark.parametrize(("bid", "wanted"), [(999_660, SAME), (999_640, MOVED), (999_715, SAME), (999_725, MOVED)])
def test_out_and_in_have_thresholds_of_their_own(bid: int, wanted: int) -> None:
    """Shown 0.5 bps too near, or 0.2 too far, at most."""
    assert difference(a_ladder((bid, 100)), a_ladder((999_700, 100)), FAIR, 0.5, 0.2, 0.0, 0.3) == wanted
    mirrored = a_ladder(asks=((2_000_000 - bid, 100),))
    assert difference(mirrored, a_ladder(asks=((1_000_300, 100),)), FAIR, 0.5, 0.2, 0.0, 0.3) == wanted


def test_nothing_can_be_told_without_a_fair_price() -> None:
    assert difference(a_ladder((1, 1)), a_ladder(), 0.0, 0.3, 0.3, 0.05, 0.3) == SAME


def test_a_sides_notional() -> None:
    assert side_usd(a_ladder((1_000_000, 100), (500_000, 10)), 0) == pytest.approx(105.0)
