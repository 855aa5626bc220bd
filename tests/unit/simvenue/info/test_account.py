"""Every question about an address: money, margin, orders, fills; against captures and our own strict client types."""

from __future__ import annotations

import pytest

from common import venue_types
from simvenue.events import CancelOrders, OrderSpec, PlaceOrders, SetAbstraction, UpdateLeverage
from tests.unit.simvenue.feeds.test_wire import same_shape
from tests.unit.simvenue.info_desk import AGENT, CLOID, SECOND, Desk, fixture, typed
from tests.unit.simvenue.small_market import MS, T0, USER


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


# ---------------------------------------------------------------------- the account
def test_clearinghouse_state_adds_up(desk: Desk) -> None:
    state = typed(desk.ask("clearinghouseState", user=USER, dex="km"), venue_types.ClearinghouseState)
    (held,) = state.asset_positions
    position = held.position
    assert (position.coin, position.szi, position.entry_px) == ("km:US500", "0.25", "752.46")
    assert position.position_value == "188.1125"
    assert position.unrealized_pnl == "-0.0025"
    assert position.margin_used == "9.405625"
    equity, raw = float(state.margin_summary.account_value), float(state.margin_summary.total_raw_usd)
    assert equity == pytest.approx(raw + 188.1125, abs=1e-6)
    theirs = fixture("official_doc_examples")["pages"]["/for-developers/api/info-endpoint/perpetuals"][3]
    same_shape(desk.ask("clearinghouseState", user=USER, dex="km"), theirs, optional=("rawUsd",))


def test_short_position_is_liquidated_above_the_mark() -> None:
    desk = Desk()
    sell = OrderSpec(150000, False, "752", "40", False, "Ioc")
    desk.exchange.submit(T0 + 8 * SECOND, 2, PlaceOrders(USER, (sell,)))
    desk.exchange.advance(T0 + 10 * SECOND)
    position = desk.ask("clearinghouseState", user=USER, dex="km")["assetPositions"][0]["position"]
    assert float(position["szi"]) < 0
    assert float(position["liquidationPx"]) > 752.44


def test_upper_case_address_is_the_same_address(desk: Desk) -> None:
    assert desk.ask("openOrders", user="0x" + "AA" * 20, dex="km") == desk.ask("openOrders", user=USER, dex="km")


def test_agent_and_stranger_hold_nothing(desk: Desk) -> None:
    for address in (AGENT, "0x" + "cc" * 20):
        state = desk.ask("clearinghouseState", user=address, dex="km")
        assert state["marginSummary"]["accountValue"] == "0.0"
        assert desk.ask("openOrders", user=address, dex="km") == []
        assert desk.ask("userFills", user=address) == []


def test_open_orders_are_of_one_dex(desk: Desk) -> None:
    (ours,) = desk.ask("openOrders", user=USER, dex="km")
    same_shape(ours, fixture("rest_open_orders")[0]["response"][0], optional=("cloid", "origSz"))
    assert (ours["coin"], ours["cloid"]) == ("km:US500", CLOID)
    assert [o["coin"] for o in desk.ask("openOrders", user=USER)] == ["BTC"]


def test_frontend_orders_tell_tif_and_reduce_only(desk: Desk) -> None:
    (ours,) = desk.ask("frontendOpenOrders", user=USER, dex="km")
    same_shape(ours, fixture("rest_frontend_open_orders")[0]["response"][2], optional=("cloid", "children"))
    assert (ours["tif"], ours["reduceOnly"], ours["cloid"]) == ("Alo", False, CLOID)
    typed([ours], list[venue_types.OrderRow])


def test_order_status_by_oid_and_by_cloid(desk: Desk) -> None:
    by_cloid = desk.ask("orderStatus", user=USER, oid=CLOID)
    oid = by_cloid["order"]["order"]["oid"]
    assert desk.ask("orderStatus", user=USER, oid=oid) == by_cloid
    assert by_cloid["order"]["status"] == "open"
    documented = fixture("official_doc_examples")["pages"]["/for-developers/api/info-endpoint"][6]
    same_shape(by_cloid, documented, optional=("children",))
    assert desk.ask("orderStatus", user=USER, oid=1) == {"status": "unknownOid"}
    assert desk.ask("orderStatus", user=AGENT, oid=oid) == {"status": "unknownOid"}


def test_history_keeps_orders_that_are_gone() -> None:
    desk = Desk()
    desk.exchange.submit(T0 + 8 * SECOND, 2, CancelOrders(USER, ((150000, CLOID),)))
    desk.exchange.advance(T0 + 9 * SECOND)
    assert desk.ask("orderStatus", user=USER, oid=CLOID)["order"]["status"] == "canceled"
    rows = desk.ask("historicalOrders", user=USER)
    assert {row["status"] for row in rows} == {"canceled", "filled", "open"}
    same_shape(rows[0], fixture("rest_historical_orders")[0]["response"][0], optional=("children",))


def test_fills_carry_fee_and_token(desk: Desk) -> None:
    (fill,) = desk.ask("userFills", user=USER)
    same_shape(fill, fixture("rest_user_fills_2026")[0], optional=("cloid",))
    assert (fill["dir"], fill["crossed"], fill["feeToken"]) == ("Open Long", True, "USDH")
    assert float(fill["fee"]) == pytest.approx(188.115 * 0.81e-4, rel=1e-3)
    typed([fill], list[venue_types.FillRow])


def test_fills_by_time_page_on_from_their_start(desk: Desk) -> None:
    time = desk.ask("userFills", user=USER)[0]["time"]
    assert len(desk.ask("userFillsByTime", user=USER, startTime=time)) == 1
    assert desk.ask("userFillsByTime", user=USER, startTime=time + 1) == []
    assert desk.ask("userFillsByTime", user=USER, startTime=0, endTime=time - 1) == []


def test_fees_are_before_the_dex_scales_them(desk: Desk) -> None:
    fees = desk.ask("userFees", user=USER)
    typed(fees, venue_types.UserFees)
    assert (fees["userCrossRate"], fees["userAddRate"]) == ("0.00045", "0.00015")
    assert fees["dailyUserVlm"][0]["userCross"] == "188.115"
    pages = fixture("official_doc_examples")["pages"]["/for-developers/api/info-endpoint"]
    (theirs,) = [page for page in pages if isinstance(page, dict) and "userCrossRate" in page]
    assert set(fees) == set(theirs)


def test_rate_limit_counts_growth_mode_volume_at_a_tenth(desk: Desk) -> None:
    limit = desk.ask("userRateLimit", user=USER)
    assert limit == {"cumVlm": "18.8115", "nRequestsUsed": 0, "nRequestsCap": 10018, "nRequestsSurplus": 0}
    typed(limit, venue_types.RateLimit)


def test_role_tells_agent_user_and_missing(desk: Desk) -> None:
    assert desk.ask("userRole", user=AGENT) == {"role": "agent", "data": {"user": USER}}
    assert desk.ask("userRole", user=USER) == {"role": "user"}
    assert desk.ask("userRole", user="0x" + "cc" * 20) == {"role": "missing"}


def test_extra_agents_have_an_expiry(desk: Desk) -> None:
    (agent,) = desk.ask("extraAgents", user=USER)
    same_shape(agent, fixture("rest_extra_agents")[0]["response"][0])
    assert agent["validUntil"] > T0 // MS


def test_remaining_questions_answer_in_shape(desk: Desk) -> None:
    assert desk.ask("userAbstraction", user=USER) == "disabled"
    asset = desk.ask("activeAssetData", user=USER, coin="km:US500")
    theirs = fixture("official_doc_examples")["pages"]["/for-developers/api/info-endpoint/perpetuals"][9]
    same_shape(asset, theirs)
    balances = desk.ask("spotClearinghouseState", user=USER)["balances"]
    same_shape(balances[0], fixture("rest_spot_clearinghouse_state")["balances"][0])
    assert desk.ask("userFunding", user=USER, startTime=0) == desk.ask("userFunding", user=USER) == []
    assert len(desk.ask("allPerpMetas")) == 6
    assert desk.ask("recentTrades", coin="km:US500")[0]["side"] == "B"
    assert desk.ask("fundingHistory", coin="BTC", startTime=0) == []
    assert "totalOiCap" in desk.ask("perpDexLimits", dex="km")


def test_funding_is_wrapped_as_rest_has_it() -> None:
    desk = Desk()
    desk.exchange.advance(T0 + 3700 * SECOND)
    (row,) = desk.ask("userFunding", user=USER, startTime=0)
    same_shape(row, fixture("rest_user_funding")[0]["response"][0])
    typed([row], list[venue_types.FundingRow])
    history = desk.ask("fundingHistory", coin="km:US500", startTime=0)
    assert history[0]["fundingRate"] == row["delta"]["fundingRate"]
    held = desk.ask("clearinghouseState", user=USER, dex="km")["assetPositions"][0]["position"]
    assert float(held["cumFunding"]["sinceOpen"]) == pytest.approx(-float(row["delta"]["usdc"]))


# ---------------------------------------------------------------------- orders and fills
def test_history_has_one_row_for_each_status() -> None:
    desk = Desk()
    desk.submit(CancelOrders(USER, ((150000, CLOID),)))
    rows = [row for row in desk.ask("historicalOrders", user=USER) if row["order"]["cloid"] == CLOID]
    assert [row["status"] for row in rows] == ["canceled", "open"]
    theirs = fixture("rest_open_order_duplicate_history")
    assert [row["status"] for row in theirs] == ["canceled", "open"]
    same_shape(rows, theirs)


def test_aggregated_fills_are_one_row_of_an_order_and_instant() -> None:
    desk = Desk()
    desk.submit(PlaceOrders(USER, (OrderSpec(150000, True, "752.48", "25", False, "Ioc"),)))
    apart = [f for f in desk.ask("userFills", user=USER) if f["time"] > T0 // MS + 7000]
    together = desk.ask("userFills", user=USER, aggregateByTime=True)[0]
    assert len(apart) == 3
    assert together["sz"] == "25.0"
    assert float(together["fee"]) == pytest.approx(sum(float(f["fee"]) for f in apart))
    assert min(float(f["px"]) for f in apart) < float(together["px"]) < max(float(f["px"]) for f in apart)
    (by_time,) = desk.ask("userFillsByTime", user=USER, startTime=T0 // MS + 7000, aggregateByTime=True)
    assert by_time == together


def test_reversed_fills_begin_with_the_newest() -> None:
    desk = Desk()
    desk.submit(PlaceOrders(USER, (OrderSpec(150000, True, "752.46", "1", False, "Ioc"),)))
    times = [f["time"] for f in desk.ask("userFillsByTime", user=USER, startTime=0)]
    assert times == sorted(times)
    assert [f["time"] for f in desk.ask("userFillsByTime", user=USER, startTime=0, reversed=True)] == times[::-1]


# ---------------------------------------------------------------------- account modes and margin
def test_isolated_position_shows_its_own_cash() -> None:
    desk = Desk()
    desk.submit(
        UpdateLeverage(USER, 0, False, 10), PlaceOrders(USER, (OrderSpec(0, True, "77563", "1", False, "Ioc"),))
    )
    state = desk.ask("clearinghouseState", user=USER)
    (position,) = [p["position"] for p in state["assetPositions"] if p["position"]["coin"] == "BTC"]
    assert (position["leverage"]["type"], position["leverage"]["value"]) == ("isolated", 10)
    own = float(position["positionValue"]) + float(position["leverage"]["rawUsd"])
    assert float(position["marginUsed"]) == pytest.approx(own)
    whole, cross = state["marginSummary"], state["crossMarginSummary"]
    assert float(whole["accountValue"]) == pytest.approx(float(cross["accountValue"]) + own)
    assert float(whole["totalRawUsd"]) == pytest.approx(
        float(cross["totalRawUsd"]) + float(position["leverage"]["rawUsd"])
    )
    asset = desk.ask("activeAssetData", user=USER, coin="BTC")
    assert asset["leverage"] == position["leverage"]


def test_reducing_side_may_trade_more(desk: Desk) -> None:
    buy, sell = desk.ask("activeAssetData", user=USER, coin="km:US500")["maxTradeSzs"]
    assert float(sell) > float(buy) > 0  # a long position is held


@pytest.mark.parametrize("mode", ["unifiedAccount", "portfolioMargin"])
def test_pooled_modes_keep_their_money_in_the_spot_state(mode: str) -> None:
    desk = Desk()
    before = desk.ask("clearinghouseState", user=USER, dex="km")
    assert {b["total"] for b in desk.ask("spotClearinghouseState", user=USER)["balances"]} == {"0.0"}
    desk.submit(SetAbstraction(USER, mode))
    assert desk.ask("userAbstraction", user=USER) == mode
    state = desk.ask("clearinghouseState", user=USER, dex="km")
    assert (state["marginSummary"]["accountValue"], state["withdrawable"]) == ("0.0", "0.0")
    assert state["assetPositions"][0]["position"]["szi"] == before["assetPositions"][0]["position"]["szi"]
    (balance,) = [b for b in desk.ask("spotClearinghouseState", user=USER)["balances"] if b["coin"] == "USDH"]
    unrealised = float(state["assetPositions"][0]["position"]["unrealizedPnl"])
    assert float(balance["total"]) == pytest.approx(
        float(before["marginSummary"]["accountValue"]) - unrealised, abs=1e-4
    )
    assert 0 < float(balance["hold"]) < float(balance["total"])


# ---------------------------------------------------------------------- ledger and what does not exist here
def test_deposit_is_a_ledger_update(desk: Desk) -> None:
    (row,) = desk.ask("userNonFundingLedgerUpdates", user=USER, startTime=0)
    same_shape(row, fixture("rest_user_non_funding_ledger")[0]["response"][0])
    assert row["delta"] == {"type": "deposit", "usdc": "100000.0"}
    assert desk.ask("userNonFundingLedgerUpdates", user=USER, startTime=row["time"] + 1) == []


def test_questions_about_what_nobody_has_here(desk: Desk) -> None:
    assert desk.ask("subAccounts", user=USER) is None
    assert desk.ask("userVaultEquities", user=USER) == []
    assert desk.ask("userTwapSliceFills", user=USER) == []
    pages = fixture("official_doc_examples")["pages"]["/for-developers/api/info-endpoint"]
    assert set(desk.ask("referral", user=USER)) == set(pages[20])
    portfolio = desk.ask("portfolio", user=USER)
    assert [name for name, _ in portfolio] == [name for name, _ in pages[19]]
    assert all(set(figures) == set(pages[19][0][1]) for _, figures in portfolio)
    assert portfolio[0][1]["vlm"] == "188.115"


def test_front_ends_page_is_put_together_from_the_other_answers(desk: Desk) -> None:
    page = desk.ask("webData2", user=USER)
    assert page["clearinghouseState"] == desk.ask("clearinghouseState", user=USER)
    assert page["openOrders"] == desk.ask("frontendOpenOrders", user=USER)
    assert [page["meta"], page["assetCtxs"]] == desk.ask("metaAndAssetCtxs")
    assert (page["user"], page["cumLedger"], page["isVault"]) == (USER, "100000.0", False)
