"""Liquidation as the fact sheet has it: the book first, a part of a large position, the backstop, deleveraging."""

from __future__ import annotations

import pytest

from simvenue.events import BUY, SELL, Filled, Liquidated, Liquidation, OrderEvent, Resting, UserFill
from simvenue.money.liquidation import VAULT_BASE
from tests.unit.simvenue.floor import CAT, USD, Floor, a_thick_book, empty
from tests.unit.simvenue.tape import ANN, BOB, STANDX, is_zero

COIN = "sx:BTC"
PX = 9_000_000  # 90,000
VAULT = f"0x4{'0' * 38}b"


def a_floor(usd: int = 10_000, sz_u: int = 100_000, **more: object) -> Floor:
    return Floor((STANDX, PX, 100), usd=usd, sz_u=sz_u, **more)  # type: ignore[arg-type]


def a_long(usd: int, sz: str, **more: object) -> Floor:
    """ANN is long `sz` from 90,001."""
    floor = a_floor(usd, **more)
    assert isinstance(floor.trade(BUY, COIN, "90010", sz), Filled)
    return floor


def moved(floor: Floor, px_u: int, sz_u: int = 100_000) -> list[tuple[int, int, int]]:
    """The rows that move the book to another price."""
    before = a_thick_book(floor.tapes[COIN].told.mark_px_u, 100, sz_u)  # type: ignore[union-attr]
    return empty(before) + a_thick_book(px_u, 100, sz_u)


def position(floor: Floor, who: str = ANN) -> int:
    return floor.exchange.account(who).positions_u.get(COIN, 0)


def all_zero(floor: Floor) -> bool:
    return all(is_zero(sums) for sums in floor.zero())


def test_an_account_at_its_maintenance_is_left_alone_and_below_it_is_sold_through_the_book() -> None:
    floor = a_long(5_000, "1")  # 90,000 of notional, maintenance 2.5 %
    standing = floor.exchange.standing(ANN)
    (held,) = standing.positions
    assert held.maintenance_e8 == 2_250 * USD
    edge = -(-held.liquidation_px_e8 // 10**6)  # type: ignore[operator]
    floor.mark(COIN, edge + 1, book=moved(floor, edge + 1))
    assert position(floor) == 10_000
    floor.mark(COIN, edge - 1, book=moved(floor, edge - 1))
    fill = floor.exchange.fills(ANN)[-1]
    assert position(floor) == 0
    assert fill.liquidation == Liquidation(ANN, edge - 1, "market")
    assert (fill.direction, fill.crossed, fill.fee_e8 > 0) == ("Close Long", True, True)
    assert floor.exchange.standing(ANN).cross_value_e8 > 0  # what is left stays with him
    assert all_zero(floor)


def test_the_maker_of_a_liquidation_is_told_whose_it_was() -> None:
    floor = a_long(5_000, "1")
    down = PX - 300_000
    floor.trade(BUY, COIN, "86900", "0.5", "Alo", who=BOB)
    floor.mark(COIN, down, book=[*empty(a_thick_book(PX, 100, 100_000)), (-1, down + 100, 10)])
    (fill,) = floor.exchange.fills(BOB)
    assert (fill.crossed, fill.sz_u, fill.liquidation) == (False, 5_000, Liquidation(ANN, down, "market"))


def test_resting_orders_of_the_liquidated_are_cancelled_first_under_the_venues_word() -> None:
    floor = a_long(5_000, "0.9")
    assert isinstance(floor.trade(BUY, COIN, "80000", "0.01", "Alo"), Resting)
    down = PX - 400_000
    floor.mark(COIN, down, book=moved(floor, down))
    statuses = [o.status for o in floor.of(OrderEvent) if o.address == ANN]
    assert statuses[-2:] == ["liquidatedCanceled", "filled"]
    assert floor.exchange.open_orders(ANN) == []


def test_of_a_position_above_100k_a_fifth_goes_first_and_within_30_s_all_of_it() -> None:
    floor = a_long(10_000, "2")  # 180,000
    down = PX - 280_000  # value 4,400 - fees, maintenance 4,360
    floor.mark(COIN, down, book=moved(floor, down))
    assert position(floor) == 20_000
    lower = down - 25_000
    floor.mark(COIN, lower, book=moved(floor, lower))
    assert position(floor) == 16_000
    lowest = lower - 60_000
    floor.mark(COIN, lowest, book=moved(floor, lowest))
    assert position(floor) == 0


def test_after_the_cooldown_it_is_a_fifth_again() -> None:
    floor = a_long(20_000, "4")
    px = PX
    for left in (32_000, 25_600):
        value = floor.exchange.standing(ANN)
        (held,) = value.positions
        px = held.liquidation_px_e8 // 10**6 - 1  # type: ignore[operator]
        floor.mark(COIN, px, book=moved(floor, px))
        assert position(floor) == left
        floor.wait(30)


def test_what_the_book_does_not_take_goes_to_the_backstop_with_all_cross_margin() -> None:
    floor = a_long(5_000, "1")
    down = PX - 400_000  # value 1,000: below two thirds of 2,150
    floor.mark(COIN, down, book=empty(a_thick_book(PX, 100, 100_000)))
    fill = floor.exchange.fills(ANN)[-1]
    assert (position(floor), floor.exchange.equity_e8(ANN)) == (0, 0)
    assert fill.liquidation == Liquidation(ANN, down, "backstop")
    assert (fill.direction, fill.fee_e8, fill.px_u) == ("Liquidated Cross Long", 0, down)
    vault = floor.exchange.ledger()["vaults"][VAULT]
    assert (VAULT_BASE + 11, vault["positions_u"]) == (int(VAULT, 16), {COIN: 10_000})
    assert vault["cash_e8"] + 10_000 * down * 100 > 0
    assert all_zero(floor)


def test_between_two_thirds_and_maintenance_an_empty_book_leaves_the_position() -> None:
    floor = a_long(5_000, "1")
    down = PX - 300_000  # value 1,990 of 2,175
    floor.mark(COIN, down, book=empty(a_thick_book(PX, 100, 100_000)))
    assert position(floor) == 10_000
    assert floor.of(Liquidated) == []


def test_a_liquidation_is_told_once_with_what_was_held() -> None:
    floor = a_long(5_000, "1")
    down = PX - 400_000
    floor.mark(COIN, down, book=empty(a_thick_book(PX, 100, 100_000)))
    floor.wait(30)
    (told,) = floor.of(Liquidated)
    assert (told.address, told.is_cross, told.positions) == (ANN, True, ((COIN, 10_000),))
    assert told.notional_e6 == 10_000 * down


def test_a_market_order_goes_no_further_than_what_leaves_nothing() -> None:
    floor = a_long(5_000, "1")
    down = PX - 310_000
    floor.mark(COIN, down, book=[*empty(a_thick_book(PX, 100, 100_000)), (1, 1_000_000, 100_000)])
    assert floor.exchange.equity_e8(ANN) >= 0
    assert position(floor) == 10_000


def test_below_zero_the_best_ranked_of_the_other_side_is_closed_at_the_previous_mark() -> None:
    floor = a_floor(usd=1_000_000, who=(BOB, CAT))
    floor.exchange.fund(ANN, 5_000)
    floor.trade(BUY, COIN, "90010", "1")
    floor.exchange.set_leverage(CAT, COIN, 20)
    floor.trade(SELL, COIN, "89990", "0.4", who=BOB)
    floor.trade(SELL, COIN, "89990", "4", who=CAT)  # ten times the notional on the same value: ranks first
    before = floor.exchange.equity_e8(CAT)
    floor.mark(COIN, PX - 1_500_000, book=empty(a_thick_book(PX, 100, 100_000)))
    fills = {who: floor.exchange.fills(who)[-1] for who in (ANN, BOB, CAT)}
    assert [position(floor, who) for who in (ANN, BOB, CAT)] == [0, -4_000, -30_000]
    assert (fills[CAT].direction, fills[CAT].px_u, fills[CAT].fee_e8) == ("Auto-Deleveraging", PX, 0)
    assert fills[ANN].direction == "Liquidated Cross Long"
    assert floor.exchange.equity_e8(ANN) >= 0
    assert floor.exchange.equity_e8(CAT) > before
    assert all_zero(floor)


def test_nobody_without_a_position_pays_for_a_deleveraging() -> None:
    floor = a_floor(usd=5_000, who=(ANN, BOB))
    floor.trade(BUY, COIN, "90010", "1")
    floor.mark(COIN, PX // 2, book=empty(a_thick_book(PX, 100, 100_000)))
    assert position(floor) == 0
    assert floor.exchange.equity_e8(BOB) == 5_000 * USD
    assert floor.exchange.equity_e8(ANN) >= 0
    assert all_zero(floor)


def test_a_backstop_below_zero_is_deleveraged_too() -> None:
    floor = a_long(5_000, "1")
    floor.trade(SELL, COIN, "89990", "0.1", who=BOB)
    down = PX - 400_000
    floor.mark(COIN, down, book=empty(a_thick_book(PX, 100, 100_000)))
    floor.mark(COIN, down - 300_000)
    vault = floor.exchange.ledger()["vaults"][VAULT]
    assert (vault["positions_u"], vault["cash_e8"] >= 0) == ({COIN: 0}, True)
    assert position(floor, BOB) == 0
    assert floor.exchange.fills(BOB)[-1].direction == "Auto-Deleveraging"
    assert all_zero(floor)


def test_an_outsiders_bankruptcy_can_deleverage_us() -> None:
    floor = a_long(5_000, "0.5")
    assert floor.exchange.deleverage(COIN, BUY, 3_000) == [ANN]
    floor.wait(0)
    fill = floor.exchange.fills(ANN)[-1]
    assert (position(floor), fill.direction, fill.side, fill.sz_u) == (2_000, "Auto-Deleveraging", SELL, 3_000)
    assert fill in floor.of(UserFill)
    assert floor.exchange.deleverage(COIN, SELL, 3_000) == []
    assert all_zero(floor)


def test_an_isolated_loss_never_reaches_the_cross_account() -> None:
    """Bought 10 % above the mark at 20x: worth less than nothing at once, and at the previous mark too."""
    floor = a_floor(usd=10_000)
    floor.mark(COIN, PX, book=[*empty(a_thick_book(PX, 100, 100_000)), (-1, 9_900_000, 100_000)])
    assert floor.exchange.set_leverage(ANN, COIN, 20, is_cross=False) is None
    assert isinstance(floor.trade(BUY, COIN, "99000", "1"), Filled)
    cross = floor.exchange.standing(ANN).cross_value_e8
    assert cross == (10_000 - 4_950) * USD
    floor.wait(3)
    standing = floor.exchange.standing(ANN)
    assert (standing.positions, standing.cross_value_e8, standing.value_e8) == ((), cross, cross)
    assert floor.exchange.fills(ANN)[-1].direction == "Liquidated Isolated Long"
    assert all_zero(floor)


def test_an_isolated_backstop_takes_that_position_and_its_margin_only() -> None:
    floor = a_floor(usd=10_000)
    floor.exchange.set_leverage(ANN, COIN, 20, is_cross=False)
    floor.trade(SELL, COIN, "89990", "1")
    cross = floor.exchange.standing(ANN).cross_value_e8
    up = PX + 350_000
    floor.mark(COIN, up, book=empty(a_thick_book(PX, 100, 100_000)))
    assert floor.exchange.standing(ANN).cross_value_e8 == cross
    (told,) = floor.of(Liquidated)
    assert (told.is_cross, told.positions) == (False, ((COIN, -10_000),))
    assert floor.exchange.ledger()["vaults"][VAULT]["positions_u"] == {COIN: -10_000}
    assert all_zero(floor)


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("is_cross", [True, False])
def test_the_liquidation_price_is_where_liquidation_begins(side: int, is_cross: bool) -> None:
    floor = a_floor(usd=6_000)
    floor.exchange.set_leverage(ANN, COIN, 20, is_cross=is_cross)
    floor.trade(side, COIN, "90010" if side > 0 else "89990", "1")
    (held,) = floor.exchange.standing(ANN).positions
    inside = held.liquidation_px_e8 // 10**6 + (2 if side > 0 else -2)  # type: ignore[operator]
    floor.mark(COIN, inside, book=moved(floor, inside))
    assert position(floor) == side * 10_000
    outside = inside - 4 * side
    floor.mark(COIN, outside, book=moved(floor, outside))
    assert position(floor) == 0
