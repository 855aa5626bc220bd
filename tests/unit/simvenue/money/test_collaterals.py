"""BTC in USDC and km:US500 in USDH on one venue: one cash book each, nothing flows between them."""

from __future__ import annotations

from simvenue.events import BUY, SELL, Error, Filled, Resting
from simvenue.feeds.wire import Wire
from simvenue.info.universe import Universe
from simvenue.info.views import AccountViews
from tests.unit.simvenue.floor import BTC, US500, USD, Floor, a_thick_book, empty
from tests.unit.simvenue.tape import ANN, BOB, is_zero


def a_floor(usd: int = 10_000) -> Floor:
    return Floor((US500, 752_450, 10), (BTC, 776_000, 10), usd=usd, sz_u=1_000_000)


def test_a_deposit_without_a_name_goes_into_every_book() -> None:
    floor = a_floor()
    assert [floor.exchange.equity_e8(ANN, name) for name in ("USDH", "USDC")] == [10_000 * USD] * 2
    floor.exchange.fund(ANN, 5, "USDC")
    assert [floor.exchange.equity_e8(ANN, name) for name in ("USDH", "USDC")] == [10_000 * USD, 10_005 * USD]
    assert floor.exchange.addresses() == [ANN, BOB]


def test_a_fill_pays_its_fee_in_its_markets_collateral() -> None:
    floor = a_floor()
    floor.trade(BUY, "BTC", "77700", "0.1")
    floor.trade(SELL, US500.coin, "752", "10")
    usdc, usdh = floor.exchange.fills(ANN)
    assert (usdc.fee_token, usdh.fee_token) == ("USDC", "USDH")
    assert floor.exchange.account(ANN, "USDC").fees_e8 == usdc.fee_e8
    assert floor.exchange.account(ANN, "USDH").fees_e8 == usdh.fee_e8
    assert [is_zero(sums) for sums in floor.zero()] == [True, True]


def test_margin_of_one_collateral_does_not_carry_the_other() -> None:
    floor = a_floor(usd=100)  # 2,000 of notional in each
    assert isinstance(floor.trade(BUY, "BTC", "70000", "0.028", "Alo"), Resting)
    assert isinstance(floor.trade(BUY, "BTC", "70000", "0.001", "Alo"), Error)
    assert isinstance(floor.trade(BUY, US500.coin, "700", "2.8", "Alo"), Resting)


def test_a_liquidation_in_one_collateral_leaves_the_other_alone() -> None:
    floor = a_floor(usd=1_000)
    floor.trade(BUY, "BTC", "77700", "0.2")
    assert isinstance(floor.trade(BUY, US500.coin, "753", "10"), Filled)
    assert isinstance(floor.trade(BUY, US500.coin, "700", "1", "Alo"), Resting)
    floor.mark("BTC", 710_000, book=empty(a_thick_book(776_000, 10, 1_000_000)))
    assert floor.exchange.account(ANN, "USDC").positions_u == {"BTC": 0}
    assert floor.exchange.account(ANN, "USDH").positions_u == {US500.coin: 10_000}
    assert [order.coin for order in floor.exchange.open_orders(ANN)] == [US500.coin]
    assert [is_zero(sums) for sums in floor.zero()] == [True, True]


def test_funding_is_paid_from_the_book_of_the_market() -> None:
    floor = a_floor()
    floor.trade(BUY, "BTC", "77700", "0.1")
    floor.trade(BUY, US500.coin, "753", "10")
    floor.wait(3_600)
    assert {p.coin for p in floor.exchange.fundings(ANN)} == {"BTC", US500.coin}
    for name, coin in (("USDC", "BTC"), ("USDH", US500.coin)):
        paid = sum(p.usd_e8 for p in floor.exchange.fundings(ANN) if p.coin == coin)
        assert floor.exchange.account(ANN, name).funding_e8 == paid != 0
    assert [is_zero(sums) for sums in floor.zero()] == [True, True]


def test_each_dexs_state_shows_its_own_money_and_positions() -> None:
    floor = a_floor()
    floor.exchange.set_leverage(ANN, "BTC", 10, is_cross=False)
    floor.trade(BUY, "BTC", "77700", "0.1")
    floor.trade(SELL, US500.coin, "752", "10")
    floor.exchange.fund(ANN, 77, "USDC")
    universe = Universe(floor.exchange.markets)
    views = AccountViews(floor.exchange, universe, Wire(universe.sz_decimals()))
    first, km = views.state(ANN, "", 0), views.state(ANN, "km", 0)
    (btc,), (us500,) = (state["assetPositions"] for state in (first, km))
    raw = btc["position"]["leverage"].pop("rawUsd")
    assert btc["position"]["leverage"] == {"type": "isolated", "value": 10}
    assert us500["position"]["leverage"] == {"type": "cross", "value": 20}
    equity = float(raw) + float(btc["position"]["positionValue"])
    assert abs(equity - float(btc["position"]["marginUsed"])) < 1e-6
    cross, whole = (float(first[name]["accountValue"]) for name in ("crossMarginSummary", "marginSummary"))
    assert abs(whole - cross - equity) < 1e-6
    assert float(km["marginSummary"]["accountValue"]) < 10_000
    assert float(first["crossMarginSummary"]["totalNtlPos"]) == 0.0
