"""Each feature says what its name says, in any price unit, and mirrored markets give mirrored features."""

from __future__ import annotations

import math
from typing import Any

import pytest

from common.kernel import state
from quoter.features import (
    F_FLOW,
    F_OFI,
    FEATURES_MAX,
    NAMES,
    REFERENCE_NAMES,
    doubt_flow,
    is_known,
    names,
    new_features,
    read_features,
    see_book,
    see_print,
    see_reference,
    see_touch,
)
from quoter.state import ASK_SIDE, B_COUNT, B_ROWS, B_SIDE, BID_SIDE, NS, new_book
from tests.unit.quoter.builders import T0

MID = 1_000_000


class Eye:
    """Features fed by hand; `scale` is the price unit."""

    def __init__(self, references: int = 0, scale: int = 1) -> None:
        self.vectors = new_features(references)
        self.floats, self.ints = self.vectors[0], self.vectors[1]
        self.scale = scale
        self.t_ns = T0

    def after(self, seconds: float) -> Eye:
        self.t_ns += int(seconds * NS)
        return self

    def book(self, mid: int = MID, bid_sz: int = 100, ask_sz: int = 100, half: int = 10) -> Eye:
        """Two levels a side: half and 15 bps from mid, the second of size 300."""
        book: Any = new_book()
        for side, direction, sz in ((BID_SIDE, -1, bid_sz), (ASK_SIDE, 1, ask_sz)):
            at = B_ROWS + side * B_SIDE
            book[B_COUNT + side] = 2
            far = mid * 15 // 100_000
            book[at], book[at + 1] = (mid + direction * half) * self.scale, sz
            book[at + 2], book[at + 3] = (mid + direction * far) * self.scale, 300
        see_book(*self.vectors, self.t_ns, book, 2, self.t_ns)
        return self

    def touch(self, bid: int, bid_sz: int, ask: int, ask_sz: int) -> Eye:
        see_touch(self.floats, self.ints, self.t_ns, bid * self.scale, bid_sz, ask * self.scale, ask_sz)
        return self

    def print(self, side: int, sz: int, px: int = MID, late_s: float = 0.0) -> Eye:
        t_ns = self.t_ns - int(late_s * NS)
        see_print(self.floats, self.ints, t_ns, side, px * self.scale, sz)
        return self

    def read(self) -> dict[str, float]:
        x = state(FEATURES_MAX)
        n = read_features(*self.vectors, x)
        return dict(zip(names(("REF",)), (float(v) for v in x[:n]), strict=False))


def test_there_are_sixteen_of_them_and_four_more_a_reference() -> None:
    assert len(NAMES) == len(set(NAMES)) == 16
    assert names(("ES", "SPX"))[16:20] == tuple(f"ES.{name}" for name in REFERENCE_NAMES)


def test_moves_compare_with_the_mid_one_horizon_before() -> None:
    eye = Eye().book(MID)
    for k in range(1, 8):
        eye.after(1.0).book(MID + 100 * k)  # 1 bps a second
    found = eye.read()
    assert found["move1"] == pytest.approx(1.0, abs=1e-3)
    assert found["move5"] == pytest.approx(5.0, abs=1e-2)
    assert found["move30"] == pytest.approx(7.0, abs=1e-2)  # all there is


def test_a_move_over_a_silence_is_no_move() -> None:
    found = Eye().book(MID).after(20.0).book(MID + 500).read()
    assert (found["move1"], found["move5"]) == (0.0, 0.0)
    assert found["move30"] == pytest.approx(5.0, abs=1e-2)


def test_imbalance_reads_touch_and_distance() -> None:
    found = Eye().book(bid_sz=300, ask_sz=100).read()
    assert found["imb0"] == pytest.approx(0.5)
    assert found["imb1"] == pytest.approx(0.5)  # the second level lies 1.5 bps away
    assert found["imb2"] == pytest.approx(200 / 1000)
    assert found["micro"] == pytest.approx(0.5 * 10 / MID * 1e4)


def test_a_growing_bid_is_order_flow_and_fades() -> None:
    eye = Eye().touch(MID - 10, 100, MID + 10, 100).after(0.1).touch(MID - 10, 180, MID + 10, 100)
    first = float(eye.floats[F_OFI])
    assert first > 0.0
    eye.after(1.0).touch(MID - 10, 180, MID + 10, 100)
    assert float(eye.floats[F_OFI]) == pytest.approx(first / math.e, rel=1e-9)
    assert float(eye.floats[F_OFI + 2]) == pytest.approx(first * math.exp(-1 / 30), rel=1e-9)


def test_a_touch_after_a_silence_is_no_flow() -> None:
    eye = Eye().touch(MID - 10, 100, MID + 10, 100).after(3.0).touch(MID - 10, 900, MID + 10, 100)
    assert eye.read()["ofi30"] == 0.0


def test_books_and_prints_never_feed_order_flow() -> None:
    eye = Eye().touch(MID - 10, 100, MID + 10, 100)
    eye.after(0.1).book(bid_sz=900).print(1, 50)
    assert eye.read()["ofi1"] == 0.0


def test_a_buyer_is_positive_flow_and_a_late_print_counts_on_arrival() -> None:
    early, late = Eye().book().after(1.0).print(1, 100), Eye().book().after(1.0).print(1, 100, late_s=0.9)
    assert early.read()["flow1"] > 0.0
    assert late.read() == early.read()


def test_the_last_print_is_bounded() -> None:
    assert Eye().book().print(1, 1, px=MID + 10_000).read()["last"] == 3.0


def test_lost_messages_make_flow_unknown_for_half_a_minute() -> None:
    eye = Eye().book().print(1, 100)
    doubt_flow(eye.floats, eye.ints, eye.t_ns)
    assert (is_known(eye.ints), float(eye.floats[F_FLOW])) == (0, 0.0)
    eye.after(29.9).book()
    assert is_known(eye.ints) == 0
    eye.after(0.1).book()
    assert is_known(eye.ints) == 1


def story(mirror: int, scale: int = 1) -> dict[str, float]:
    """A few seconds of a market; `mirror` -1 swaps its sides."""
    eye = Eye(scale=scale)
    sizes = ((100, 300), (250, 80), (90, 90), (400, 20))
    for k, (left, right) in enumerate(sizes):
        bid_sz, ask_sz = (left, right) if mirror > 0 else (right, left)
        mid = MID + mirror * 40 * k
        eye.after(0.4).print(mirror * (1 if k % 2 else -1), 50 + k, px=mid)
        eye.touch(mid - 10, bid_sz, mid + 10, ask_sz).book(mid, bid_sz, ask_sz)
    return eye.read()


def test_a_mirrored_market_gives_the_opposite_features() -> None:
    plain, mirrored = story(1), story(-1)
    assert mirrored == pytest.approx({name: -value for name, value in plain.items()}, abs=5e-3)


def test_nothing_depends_on_the_price_unit() -> None:
    assert story(1, scale=10) == pytest.approx(story(1), rel=1e-6, abs=1e-6)


def test_a_reference_leads_by_its_moves_and_its_gap() -> None:
    eye = Eye(references=1).book()
    see_reference(*eye.vectors, 0, eye.t_ns, 6_900.0)
    eye.after(1.0)
    see_reference(*eye.vectors, 0, eye.t_ns, 6_900.0 * (1 + 3e-4))
    found = eye.book().read()
    assert found["REF.move1"] == pytest.approx(3.0, abs=1e-2)
    assert found["REF.gap"] == pytest.approx(3.0, abs=2e-2)


def test_an_unknown_slot_changes_nothing() -> None:
    eye = Eye(references=1).book()
    see_reference(*eye.vectors, 1, eye.t_ns, 5.0)
    assert eye.read()["REF.gap"] == 0.0
