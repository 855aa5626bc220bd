"""A ruled book answers every question as the sorted one does."""

from __future__ import annotations

import random

import pytest

from common.errors import OurFault
from simvenue.book import levels
from simvenue.book.matching import BUY, SELL

LOW, HIGH, TICK = 1_000, 1_400, 5


def pair(side: int, keep: int) -> tuple[list[int], list[int]]:
    ruled, plain = levels.new_ruled(side, keep, LOW, HIGH, TICK), levels.new_book(side, keep)
    return ruled, plain


def shown(book: list[int]) -> list[tuple[int, int, int]]:
    """Levels that exist, worst first: price, size, stamp."""
    rows = (levels.HEAD + levels.STRIDE * i for i in range(int(book[levels.B_N])))
    return [
        (int(book[r + levels.L_PX]), int(book[r + levels.L_SZ]), int(book[r + levels.L_STAMP]))
        for r in rows
        if book[r + levels.L_SZ] > 0
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("keep", [6, 512])
def test_both_hold_the_same_levels_whatever_the_source_says(seed: int, keep: int) -> None:
    rng = random.Random(seed)
    books = {side: pair(side, keep) for side in (BUY, SELL)}
    for stamp in range(1, 400):
        side, px = rng.choice((BUY, SELL)), LOW + TICK * rng.randint(0, 80)
        size = rng.choice((0, rng.randint(1, 50)))
        for book in books[side]:
            levels.set_level(book, px, size, stamp // 3)
        if rng.random() < 0.5:
            gone = [levels.uncross(books[BUY][k], books[SELL][k]) for k in range(2)]
            assert gone[0] == gone[1]
        if rng.random() < 0.02:
            until = rng.choice((0, px))
            for book in books[side]:
                levels.clear_levels(book, until)
        visible = rng.randint(1, 9)
        for ruled, plain in books.values():
            assert shown(ruled) == shown(plain)
            for question in (levels.shown_at, levels.recorded_at):
                assert question(ruled, px) == question(plain, px)
            assert levels.best_px(ruled) == levels.best_px(plain)
            assert levels.is_seen(ruled, px, visible) == levels.is_seen(plain, px, visible)


def test_a_price_between_the_lines_has_no_level() -> None:
    book, _ = pair(BUY, 10)
    levels.set_level(book, 1_100, 7, 1)
    levels.set_level(book, 1_102, 7, 1)
    assert levels.shown_at(book, 1_102) == 0
    assert levels.level_from(book, 1_098) == 20
    assert levels.level_from(book, 1_102) == 21


def test_rows_that_cannot_be_numbered_are_refused() -> None:
    with pytest.raises(OurFault):
        levels.new_ruled(BUY, 10, 1, 10**9, 10**6)
