"""Our own orders come off the told book where they are looked for, and nowhere else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backtest.loop.own import add_places, new_own, put_without, rest_place
from backtest.loop.slots import SLOTS_A_SIDE
from quoter.layering import C_SIDE, C_TOLD, C_TOLD_N, C_TOUCH, new_channels, put_over
from quoter.state import B_COUNT, B_ROWS, B_SIDE, new_book

PX = 10_000
T_NS = 10**12
STEPS = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 90)), max_size=20)
"""How much farther from the touch than the last level, and its size."""


@given(st.integers(0, 1), st.booleans(), st.integers(-4, 4), STEPS, st.lists(st.integers(0, 60), max_size=10))
def test_the_book_told_is_the_merged_one_less_our_own_orders(
    side: int, has_touch: bool, moved: int, told: list[tuple[int, int]], ours: list[int]
) -> None:
    """`moved`: the touch may be newer than the levels told behind it."""
    away = -1 if side == 0 else 1
    channel, own = new_channels(), new_own()
    at, px = C_TOLD + side * C_SIDE, PX
    for k, (step, sz) in enumerate(told):
        px += away * step
        channel[at + 2 * k], channel[at + 2 * k + 1] = px, sz
    channel[C_TOLD_N + side] = len(told)
    if has_touch:
        channel[C_TOUCH + 2 * side], channel[C_TOUCH + 2 * side + 1] = PX + away * moved, 50
    mine: dict[int, int] = {}
    for slot, distance in enumerate(ours):
        price = PX + away * distance
        rest_place(own, side * SLOTS_A_SIDE + slot, price, 20, T_NS)
        mine[price] = mine.get(price, 0) + 20
    add_places(own, T_NS)
    merged, without = new_book(), new_book()
    put_over(channel, side, merged)
    rows = [merged[B_ROWS + side * B_SIDE + 2 * k :][:2] for k in range(merged[B_COUNT + side])]
    wanted = [(int(price), int(sz) - mine.get(int(price), 0)) for price, sz in rows]
    found = put_without(channel, own, side, without)
    levels = [without[B_ROWS + side * B_SIDE + 2 * k :][:2] for k in range(found)]
    assert [(int(price), int(sz)) for price, sz in levels] == [row for row in wanted if row[1] > 0]
    assert without[B_COUNT + side] == found
