"""The fewest actions from what rests to what should."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from common.kernel import istate, state
from common.messages import Level, Side
from executor import economics
from executor.diff import MISSING_BPS, SIZE_RATIO, Change, Resting, What, assign, changes

HOLD_BPS = 0.5


def rest(*px: int, sz_u: int = 100, side: Side = Side.BID, locked: tuple[int, ...] = ()) -> list[Resting]:
    return [Resting(f"c{i}", i + 1, p, sz_u, i in locked) for i, p in enumerate(px)]


def want(*px: int, sz_u: int = 100) -> list[tuple[int, Level]]:
    return [(i, Level(p, sz_u)) for i, p in enumerate(px)]


def terms(**more: float) -> Any:
    """Where an action costs nothing only the hold threshold counts; places of `economics` by their names."""
    vector = economics.new_terms()
    known = {"T_OUT": HOLD_BPS, "T_IN": HOLD_BPS, "T_SIZE": SIZE_RATIO, **more}
    for name, value in known.items():
        vector[getattr(economics, name)] = value
    return vector


FREE = terms()


def diff(resting: list[Resting], wanted: list[tuple[int, Level]], side: Side = Side.BID) -> list[Change]:
    return changes(side, resting, wanted, FREE)


def shown(found: list[Change]) -> list[tuple[str, str, int]]:
    return [(c.what.value, c.cloid, c.px_u) for c in found]


def test_nothing_changes_when_all_rests_where_it_should() -> None:
    assert diff(rest(100_000, 99_000), want(100_000, 99_000)) == []


def test_an_empty_book_gets_every_level() -> None:
    found = diff([], want(100_000, 99_000))
    assert [(c.what, c.px_u, c.level, c.gap_bps) for c in found] == [
        (What.NEW, 100_000, 0, MISSING_BPS),
        (What.NEW, 99_000, 1, MISSING_BPS),
    ]


def test_no_wanted_level_cancels_what_rests() -> None:
    assert {c.what for c in diff(rest(100_000, 99_000), [])} == {What.CANCEL}


def test_an_order_within_hold_stays() -> None:
    assert diff(rest(100_004), want(100_000)) == []  # 0.4 bps
    assert [c.what for c in diff(rest(100_006), want(100_000))] == [What.OUTWARD]


def test_the_actions_price_widens_the_hold_of_small_orders() -> None:
    """$0.0005 keep an order of $10 that is 0.8 bps off, not one of $1,000."""
    dear = terms(T_PRICE=0.0005, T_A=0.05, T_K=0.5, T_LIFE=60.0, T_FAIR=100_030.0, T_SHARE=0.5)
    assert changes(Side.BID, rest(100_008, sz_u=100), want(100_000, sz_u=100), dear) == []
    assert changes(Side.BID, rest(100_008, sz_u=10_000), want(100_000, sz_u=10_000), dear) != []


def test_out_and_in_have_thresholds_of_their_own() -> None:
    apart = terms(T_OUT=0.5, T_IN=0.2)
    for side in Side:
        for nearer_px, moves in ((4, False), (6, True), (-1, False), (-3, True)):
            found = changes(side, rest(100_000 + side * nearer_px), want(100_000), apart)
            assert bool(found) is moves


def test_a_size_beyond_30_percent_moves() -> None:
    assert diff(rest(100_000, sz_u=75), want(100_000)) == []
    assert [c.what for c in diff(rest(100_000, sz_u=65), want(100_000))] == [What.INWARD]
    assert [c.what for c in diff(rest(100_000, sz_u=135), want(100_000))] == [What.OUTWARD]


def test_outward_is_away_from_the_other_side() -> None:
    assert diff(rest(100_100), want(100_000))[0].what is What.OUTWARD
    assert diff(rest(100_100), want(100_000), Side.ASK)[0].what is What.INWARD


def test_a_filled_inner_level_costs_one_action() -> None:
    assert shown(diff(rest(99_000, 98_000, 97_000), want(100_000, 99_000, 98_000, 97_000))) == [("new", "", 100_000)]


def test_a_moved_market_moves_each_order_once_to_its_neighbour() -> None:
    found = diff(rest(100_000, 99_000, 98_000), want(99_900, 98_900, 97_900))
    assert shown(found) == [("outward", "c0", 99_900), ("outward", "c1", 98_900), ("outward", "c2", 97_900)]


def test_moves_travel_least_when_a_level_is_missing() -> None:
    """The inner order was filled and the market moved 2 bps: the others shift, the new one goes inside."""
    found = diff(rest(99_900, 99_600, 99_300), want(100_180, 99_880, 99_580, 99_280))
    assert ("new", "", 100_180) in shown(found)
    assert len(found) == 4


def test_surplus_orders_are_cancelled_where_they_are_furthest_from_a_level() -> None:
    found = diff(rest(100_000, 99_000, 98_000), want(99_050, 98_050))
    assert [c.cloid for c in found if c.what is What.CANCEL] == ["c0"]


def test_a_locked_order_keeps_its_level_and_is_left_alone() -> None:
    found = diff(rest(100_300, 99_000, locked=(0,)), want(100_000, 99_000))
    assert found == []


def test_a_level_is_not_quoted_anew_while_its_order_is_locked() -> None:
    found = diff(rest(100_300, locked=(0,)), want(100_000, 99_000))
    assert shown(found) == [("new", "", 99_000)]


def test_best_first_on_the_ask_side_too() -> None:
    found = diff(rest(102_000, 101_000), want(101_100, 102_100), Side.ASK)
    assert shown(found) == [("outward", "c1", 101_100), ("outward", "c0", 102_100)]


PRICES = st.lists(st.integers(9_900, 10_100), max_size=8, unique=True)
SIZES = st.integers(10, 200)


@given(
    st.sampled_from(Side),
    st.lists(st.tuples(st.integers(9_900, 10_100), SIZES, st.booleans()), max_size=8, unique_by=lambda t: t[0]),
    st.lists(st.tuples(st.integers(9_900, 10_100), SIZES), max_size=8, unique_by=lambda t: t[0]),
)
def test_diff_rules(side: Side, held: list[tuple[int, int, bool]], levels: list[tuple[int, int]]) -> None:
    resting = [Resting(f"c{i}", i + 1, px, sz, locked) for i, (px, sz, locked) in enumerate(held)]
    ordered = sorted(levels, key=lambda t: -side * t[0])
    wanted = [(i, Level(px, sz)) for i, (px, sz) in enumerate(ordered)]
    found = changes(side, resting, wanted, FREE)
    locked = {r.cloid for r in resting if r.locked}
    touched = [c.cloid for c in found if c.cloid]
    assert len(touched) == len(set(touched))  # one action an order
    assert not locked & set(touched)  # locked orders are left alone
    targets = [c.px_u for c in found if c.what is not What.CANCEL]
    assert len(targets) == len(set(targets))  # a level is served once
    assert set(targets) <= {level.px_u for _, level in wanted}
    stays = len(resting) - len(locked) - len(touched)
    free_levels = len(wanted) - min(len(locked), len(wanted))
    assert len(found) == max(len(touched), free_levels - stays)  # no more actions than the stays demand
    assert len([c for c in found if c.what is What.CANCEL]) == max(len(touched) - (free_levels - stays), 0)
    assert len([c for c in found if c.what is What.NEW]) == max(free_levels - stays - len(touched), 0)


@given(st.sampled_from(Side), PRICES)
def test_the_result_of_a_diff_needs_no_further_one(side: Side, prices: list[int]) -> None:
    wanted = [(i, Level(px, 100)) for i, px in enumerate(sorted(prices, key=lambda p: -side * p))]
    found = changes(side, [], wanted, FREE)
    after = [Resting(f"n{i}", i + 1, c.px_u, c.sz_u, False) for i, c in enumerate(found)]
    assert changes(side, after, wanted, FREE) == []


def vector(*values: int) -> Any:
    found = istate(len(values))
    for i, value in enumerate(values):
        found[i] = value
    return found


def test_assign_reports_how_many_stay() -> None:
    out = istate(10)
    two = (vector(100, 90), vector(5, 5), vector(0, 0), state(2), 2, vector(100, 50), vector(5, 5))
    assert assign(1, 2, *two, FREE, out) == 1
    assert [int(out[i]) for i in range(4)] == [0, 1, 1, 0]
