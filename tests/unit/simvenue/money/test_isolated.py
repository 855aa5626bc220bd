"""Isolated margin and leverage: the figures of the captures, the settings, and the venue's words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simvenue.desk import refusals
from simvenue.events import BUY, SELL, Account, Error, Filled, Resting, UpdateIsolatedMargin
from simvenue.money import margin
from simvenue.money.accounts import Accounts, equity_e8
from simvenue.money.margin import Exposure
from tests.support.shared import shared
from tests.unit.simvenue.floor import STRICT, USD, Floor
from tests.unit.simvenue.tape import ANN, BOB, STANDX, is_zero

COIN = "sx:BTC"


def a_floor(usd: int = 10_000, **change: Any) -> Floor:
    return Floor((replace(STANDX, **change), 9_000_000, 100), usd=usd)


def isolated(floor: Floor, n: int = 20) -> Floor:
    assert floor.exchange.set_leverage(ANN, COIN, n, is_cross=False) is None
    return floor


def update(floor: Floor, usd_e6: int, coin: str = COIN) -> str | None:
    return floor.exchange._desk.settings.act(floor.now_ns, UpdateIsolatedMargin(ANN, 0, usd_e6), coin)


# ---------------------------------------------------------------------- captures
def positions(name: str) -> Iterator[dict[str, Any]]:
    """Every isolated position of a captured or documented state."""
    data = json.loads(shared(f"fixtures/hyperliquid/{name}").read_text())
    todo: list[Any] = [data]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            leverage = node.get("leverage")
            if isinstance(leverage, dict) and leverage.get("type") == "isolated" and node.get("liquidationPx"):
                yield node
            todo += node.values()
        elif isinstance(node, list):
            todo += node


@pytest.mark.parametrize("name", ["rest_clearinghouse_state_isolated.json", "official_doc_examples.json"])
def test_equity_and_liquidation_price_of_captured_isolated_positions_are_ours(name: str) -> None:
    found = list(positions(name))
    assert found
    for row in found:
        size_u = int(Fraction(row["szi"]) * 10**4)  # ETH: szDecimals 4, so prices in 0.01
        mark_u = int(Fraction(row["positionValue"]) / abs(Fraction(row["szi"])) * 100)
        held = Exposure(size_u, mark_u, 0, 0, 20, int(Fraction(row["leverage"]["rawUsd"]) * USD))
        assert Fraction(margin.used_e8(held), USD) == Fraction(row["marginUsed"])
        top = int(row["maxLeverage"])
        available = margin.used_e8(held) - margin.maintenance_e8(held.notional_e6, top)
        px = margin.liquidation_px(size_u, mark_u, available, Fraction(1, 2 * top))
        assert px is not None
        last_digit = Fraction(1, 10**6) / abs(Fraction(row["szi"]))  # of the printed rawUsd
        assert abs(px / 100 - Fraction(row["liquidationPx"])) < last_digit


def test_opening_takes_initial_margin_and_pays_the_fee_out_of_it_as_captured() -> None:
    """0.2259 ETH at 2,213.9, 20x, 2.5 bps taker: the captured `rawUsd` -475.23904 and `marginUsed` 24.88097."""
    (row,) = positions("rest_clearinghouse_state_isolated.json")
    accounts = Accounts()
    accounts.deposit(ANN, 125)
    fee_e8 = 221_390 * 2_259 * 250_000 // 10**9 * 100
    accounts.fill(ANN, "ETH", BUY, 221_390, 2_259, fee_e8, True, False, isolated_leverage=20)
    raw_e8 = accounts.get(ANN).isolated_e8["ETH"]
    assert abs(Fraction(raw_e8, 10**8) - Fraction(row["leverage"]["rawUsd"])) < Fraction(1, 10**5)
    assert abs(Fraction(raw_e8 + 2_259 * 221_390 * 100, 10**8) - Fraction(row["marginUsed"])) < Fraction(1, 10**5)


# ---------------------------------------------------------------------- booking
FILLS = st.lists(
    st.tuples(
        st.sampled_from([BUY, SELL]), st.integers(1, 10**6), st.integers(1, 10**4), st.integers(0, 10**4),
        st.sampled_from([0, 1, 3, 20]),
    ),
    min_size=1, max_size=30,
)  # fmt: skip


@given(FILLS, st.integers(1, 10**6))
def test_isolating_moves_money_inside_the_account_and_never_makes_any(
    fills: list[tuple[int, int, int, int, int]], mark: int
) -> None:
    """The same fills with isolated and with cross margin: same cash, position and value; a flat one owns nothing."""
    mine, other = Accounts(), Accounts()
    for accounts in (mine, other):
        accounts.deposit(ANN, 10)
    account: Account = mine.get(ANN)
    for side, px, sz, fee, leverage in fills:
        flat = not account.positions_u.get("X")
        mode = leverage if flat else (5 if "X" in account.isolated_e8 else 0)
        mine.fill(ANN, "X", side, px, sz, fee, True, False, isolated_leverage=mode)
        other.fill(ANN, "X", side, px, sz, fee, True, False)
        assert ("X" in account.isolated_e8) == (mode > 0 and account.positions_u["X"] != 0)
    assert (account.cash_e8, account.positions_u) == (other.get(ANN).cash_e8, other.get(ANN).positions_u)
    assert equity_e8(account, {"X": mark}) == equity_e8(other.get(ANN), {"X": mark})
    assert mine.house.cash_e8 + account.cash_e8 == account.deposits_e8


def test_closing_a_part_gives_back_its_share_of_the_margin() -> None:
    floor = isolated(a_floor())
    floor.trade(BUY, COIN, "90010", "1")
    before = floor.exchange.standing(ANN)
    floor.trade(SELL, COIN, "89990", "0.25")
    after = floor.exchange.standing(ANN)
    (was,), (now,) = before.positions, after.positions
    worth_at_fill = was.raw_e8 + 10_000 * 8_999_900 * 100
    assert (
        now.raw_e8 + 7_500 * 8_999_900 * 100
        == worth_at_fill - worth_at_fill // 4 - floor.exchange.fills(ANN)[-1].fee_e8
    )
    assert after.cross_value_e8 - before.cross_value_e8 == worth_at_fill // 4


def test_turning_a_position_over_gives_the_old_margin_back_and_takes_the_new() -> None:
    floor = isolated(a_floor())
    floor.trade(BUY, COIN, "90010", "0.5")
    floor.trade(SELL, COIN, "89990", "1")
    (held,) = floor.exchange.standing(ANN).positions
    fee = floor.exchange.fills(ANN)[-1].fee_e8
    assert held.size_u == -5_000
    assert held.raw_e8 == 5_000 * 8_999_900 * 100 + 5_000 * 8_999_900 * 100 // 20 - fee


def test_funding_is_paid_out_of_the_isolated_margin() -> None:
    floor = isolated(a_floor())
    floor.trade(BUY, COIN, "90010", "1")
    cross = floor.exchange.standing(ANN).cross_value_e8
    raw = floor.exchange.account(ANN).isolated_e8[COIN]
    floor.wait(3_600)
    paid = floor.exchange.account(ANN).funding_e8
    assert paid != 0
    assert floor.exchange.account(ANN).isolated_e8[COIN] - raw == paid
    assert floor.exchange.standing(ANN).cross_value_e8 == cross
    assert is_zero(floor.zero()[0])


# ---------------------------------------------------------------------- orders
def test_isolated_orders_ask_for_margin_beside_what_the_position_has() -> None:
    floor = isolated(a_floor(usd=1_000))  # 20,000 of notional
    assert isinstance(floor.trade(BUY, COIN, "90010", "0.1"), Filled)
    assert isinstance(floor.trade(BUY, COIN, "89000", "0.1", "Alo"), Resting)
    assert floor.trade(BUY, COIN, "88000", "0.1", "Alo") == Error(refusals.NO_MARGIN.of(STANDX.asset_id))
    assert isinstance(floor.trade(SELL, COIN, "91000", "0.2", "Alo"), Resting)


def test_cross_and_isolated_markets_share_what_is_free() -> None:
    other = replace(STANDX, coin="sx:ETH", asset_id=210001, asset_index=1)
    floor = Floor((STANDX, 9_000_000, 100), (other, 9_000_000, 100), usd=1_000)
    isolated(floor)
    floor.trade(BUY, COIN, "90010", "0.15")
    assert isinstance(floor.trade(BUY, "sx:ETH", "89000", "0.09", "Alo"), Error)
    assert isinstance(floor.trade(BUY, "sx:ETH", "89000", "0.06", "Alo"), Resting)


def test_above_a_tier_the_leverage_must_be_the_tiers() -> None:
    floor = a_floor(usd=100_000_000, margin_table_id=54)  # 20x up to 70M, then 10x
    assert isinstance(floor.trade(BUY, COIN, "89000", "400", "Alo"), Resting)
    assert isinstance(floor.trade(BUY, COIN, "88000", "380", "Alo"), Resting)
    refused = floor.trade(BUY, COIN, "88000", "40", "Alo")
    assert refused == Error(refusals.OVER_TIER.of(STANDX.asset_id))
    assert floor.exchange.set_leverage(ANN, COIN, 10) is None
    assert isinstance(floor.trade(BUY, COIN, "88000", "40", "Alo"), Resting)


# ---------------------------------------------------------------------- settings
def test_the_mode_of_an_open_position_stays() -> None:
    floor = isolated(a_floor())
    floor.trade(BUY, COIN, "90010", "0.1")
    assert floor.exchange.set_leverage(ANN, COIN, 20, is_cross=True) == refusals.LEVERAGE_TYPE.text
    floor.trade(SELL, COIN, "89990", "0.1")
    assert floor.exchange.set_leverage(ANN, COIN, 20, is_cross=True) is None
    assert not floor.exchange.is_isolated(ANN, COIN)


@pytest.mark.parametrize("mode", ["noCross", "strictIsolated"])
def test_where_cross_is_not_allowed_everything_is_isolated(mode: str) -> None:
    floor = a_floor(margin_mode=mode)
    assert floor.exchange.set_leverage(ANN, COIN, 5, is_cross=True) == refusals.NO_CROSS.text
    floor.trade(BUY, COIN, "90010", "0.1")
    (held,) = floor.exchange.standing(ANN).positions
    assert held.is_isolated


def test_an_isolated_leverage_goes_down_only_as_far_as_its_margin() -> None:
    floor = isolated(a_floor())
    floor.trade(BUY, COIN, "90010", "0.1")
    assert floor.exchange.set_leverage(ANN, COIN, 10, is_cross=False) == refusals.ISOLATED_LEVERAGE_MARGIN.text
    assert update(floor, 500 * 10**6) is None
    assert floor.exchange.set_leverage(ANN, COIN, 10, is_cross=False) is None
    assert floor.exchange.leverage(ANN, COIN) == 10


def test_margin_is_moved_in_and_out_to_the_unit() -> None:
    floor = isolated(a_floor())
    floor.trade(BUY, COIN, "90010", "0.1")  # margin 450
    before = floor.exchange.standing(ANN)
    assert update(floor, 123_456_789) is None
    after = floor.exchange.standing(ANN)
    assert after.positions[0].raw_e8 - before.positions[0].raw_e8 == 12_345_678_900
    assert before.cross_value_e8 - after.cross_value_e8 == 12_345_678_900
    assert after.value_e8 == before.value_e8
    assert update(floor, -123_456_789) == refusals.ISOLATED_DECREASE.text  # a tenth of 9,000 must stay
    assert update(floor, 400 * 10**6) is None
    assert update(floor, -50 * 10**6) is None


def test_each_refused_update_says_why() -> None:
    floor = a_floor()
    assert update(floor, 1) == refusals.ISOLATED_EMPTY.text
    floor.trade(BUY, COIN, "90010", "0.1")
    assert update(floor, 0) == refusals.ISOLATED_ZERO.text
    assert update(floor, 10**6) == refusals.NOT_ISOLATED.text
    floor = isolated(a_floor())
    floor.trade(BUY, COIN, "90010", "0.1")
    assert update(floor, 10_000 * 10**6) == refusals.ISOLATED_INCREASE.text


def test_strict_isolated_margin_goes_in_but_not_out_and_can_be_topped_up_to_a_leverage() -> None:
    floor = Floor((STRICT, 9_000_000, 100))
    coin = STRICT.coin
    floor.trade(BUY, coin, "90010", "0.1")
    assert update(floor, -1, coin) == refusals.ISOLATED_STRICT.text
    leverages = floor.exchange._desk.settings._leverages
    assert leverages.top_up(ANN, coin, "4.0") is None
    (held,) = floor.exchange.standing(ANN).positions
    assert held.equity_e8 == held.notional_e6 * 100 // 4
    assert leverages.top_up(ANN, coin, "4.0") == refusals.ISOLATED_ZERO.text
    assert leverages.top_up(ANN, coin, "-1") == refusals.BAD_LEVERAGE.text
    assert leverages.top_up(BOB, coin, "2") == refusals.ISOLATED_ZERO.text


def test_only_a_strict_market_is_topped_up_by_leverage() -> None:
    floor = isolated(a_floor())
    assert floor.exchange._desk.settings._leverages.top_up(ANN, COIN, "4") == "Asset not strict isolated"
