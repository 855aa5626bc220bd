"""Every info type answers in the venue's shape: held against captures and against our own strict client types."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import venue_types
from common.errors import BadInput
from simvenue.events import CancelOrders, OrderSpec, PlaceOrders
from simvenue.exchange import Exchange
from simvenue.gateway import Gateway
from simvenue.info import Info
from simvenue.universe import Universe
from simvenue.wire import Wire
from tests.support.shared import shared
from tests.unit.simvenue.small_market import BTC, MS, T0, US500, USER, an_exchange
from tests.unit.simvenue.test_wire import same_shape

CLOID = "0x00000000000000000000000000000a01"
AGENT = "0x" + "bb" * 20
SECOND = 1000 * MS


class Desk:
    """Info over a small exchange that has traded a little."""

    def __init__(self) -> None:
        self.exchange: Exchange = an_exchange()
        universe = Universe((US500, BTC))
        self.gateway = Gateway(self.exchange)
        self.gateway.register(AGENT, USER, "bot", T0)
        self.info = Info(self.exchange, self.gateway, universe, Wire(universe.sz_decimals()))
        self.exchange.advance(T0)
        orders = (
            OrderSpec(150000, True, "752.44", "0.5", False, "Alo", CLOID),
            OrderSpec(150000, True, "752.46", "0.25", False, "Ioc"),
            OrderSpec(0, True, "77562", "0.001", False, "Gtc"),
        )
        self.exchange.submit(T0, 1, PlaceOrders(USER, orders))
        self.exchange.advance(T0 + 7 * SECOND)

    def ask(self, kind: str, **fields: Any) -> Any:
        body = json.dumps({"type": kind, **fields}).encode()
        return json.loads(msgspec.json.encode(self.info.answer(body, T0 + 7 * SECOND).body))

    def weight(self, kind: str, **fields: Any) -> int:
        return self.info.answer(json.dumps({"type": kind, **fields}).encode(), T0).weight


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


def typed(answer: Any, kind: Any) -> Any:
    return msgspec.json.decode(json.dumps(answer), type=kind)


def fixture(name: str) -> Any:
    return json.loads(shared(f"fixtures/hyperliquid/{name}.json").read_text())


# ---------------------------------------------------------------------- what is listed
def test_dexes_stand_at_their_real_places(desk: Desk) -> None:
    dexes = desk.ask("perpDexs")
    assert dexes[0] is None
    assert [d["name"] for d in dexes[1:]] == ["xyz", "flx", "vntl", "hyna", "km"]
    assert dexes[5]["deployerFeeScale"] == "1.0"
    typed(dexes, list[venue_types.PerpDex | None])


def test_meta_of_the_builder_dex(desk: Desk) -> None:
    meta = desk.ask("meta", dex="km")
    assert meta["collateralToken"] == 360
    (entry,) = meta["universe"]
    assert entry | {"marginTableId": 0} == {
        "name": "km:US500", "szDecimals": 3, "maxLeverage": 20, "growthMode": "enabled", "marginTableId": 0,
    }  # fmt: skip
    assert entry["marginTableId"] in [number for number, _ in meta["marginTables"]]
    typed(meta, venue_types.PerpMeta)


def test_first_dex_lists_btc_and_eth_whether_traded_or_not(desk: Desk) -> None:
    assert [p["name"] for p in desk.ask("meta")["universe"]] == ["BTC", "ETH"]
    assert [p["name"] for p in desk.ask("meta", dex="")["universe"]] == ["BTC", "ETH"]


def test_places_below_the_traded_market_are_delisted() -> None:
    from dataclasses import replace

    universe = Universe([replace(US500, asset_index=2, asset_id=150002)])
    entries = universe.meta("km")["universe"]
    assert [e.get("isDelisted", False) for e in entries] == [True, True, False]
    assert universe.coin_of[150002] == "km:US500"


def test_a_dex_of_another_name_takes_its_place_and_stays_unique() -> None:
    from dataclasses import replace

    universe = Universe([replace(US500, coin="xyz:SP500", dex="xyz")])
    assert universe.dexes[5] == "xyz"
    assert len(set(universe.dexes)) == len(universe.dexes)


def test_spot_tokens_have_gaps_in_their_indices(desk: Desk) -> None:
    meta = desk.ask("spotMeta")
    assert {t["name"]: t["index"] for t in meta["tokens"]}["USDH"] == 360
    known = {t["index"] for t in meta["tokens"]}
    assert all(set(pair["tokens"]) <= known for pair in meta["universe"])
    typed(meta, venue_types.SpotMeta)


def test_alignment_is_that_of_the_collateral(desk: Desk) -> None:
    assert desk.ask("alignedQuoteTokenInfo", token=360)["isAligned"] is True
    assert desk.ask("alignedQuoteTokenInfo", token=0)["isAligned"] is False


def test_contexts_follow_the_universe_and_untraded_ones_are_empty(desk: Desk) -> None:
    meta, contexts = desk.ask("metaAndAssetCtxs")
    assert len(meta["universe"]) == len(contexts) == 2
    assert contexts[0]["markPx"] == "77562.5"
    assert contexts[1]["midPx"] is None
    theirs = fixture("ws_active_asset_ctx_derived")[1]["data"]["ctx"]
    same_shape(contexts[0], theirs)


def test_mids_are_of_one_dex(desk: Desk) -> None:
    assert desk.ask("allMids") == {"BTC": "77562.5"}
    assert desk.ask("allMids", dex="km") == {"km:US500": "752.45"}


def test_book_shows_our_order_among_twenty_levels(desk: Desk) -> None:
    book = desk.ask("l2Book", coin="km:US500")
    assert [len(side) for side in book["levels"]] == [20, 20]
    assert book["levels"][0][0] == {"px": "752.44", "sz": "10.5", "n": 2}
    same_shape(book, fixture("ws_l2book")[0]["data"])
    assert desk.ask("l2Book", coin="ETH")["levels"] == [[], []]
    assert desk.ask("l2Book", coin="DOGE") is None


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
    assert desk.ask("userFunding", user=USER, startTime=0) == []
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


# ---------------------------------------------------------------------- weights and refusals
@pytest.mark.parametrize(
    ("kind", "fields", "weight"),
    [("l2Book", {"coin": "BTC"}, 2), ("meta", {}, 20), ("userRole", {"user": USER}, 60),
     ("clearinghouseState", {"user": USER}, 2)],
)  # fmt: skip
def test_weights_are_the_venues(desk: Desk, kind: str, fields: dict[str, str], weight: int) -> None:
    assert desk.weight(kind, **fields) == weight


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"type": "webData2", "user": USER}, "type_unknown"),
        ({"type": "userFills"}, "shape"),
        ({"type": "userFills", "user": "0x12"}, "shape"),
        ({"type": "userFills", "user": USER + "\n"}, "shape"),
        ({"type": "meta", "dex": "nope"}, "dex_unknown"),
        ({"type": "orderStatus", "user": USER, "oid": -1}, "shape"),
        ({"type": "l2Book", "coin": "BTC", "nSigFigs": 3}, "aggregation_left_out"),
        ({"type": "userFills", "user": USER, "aggregateByTime": True}, "aggregation_left_out"),
        ({"type": "activeAssetData", "user": USER, "coin": "ETH"}, "coin_unknown"),
        ({"user": USER}, "shape"),
        ([], "shape"),
    ],
)
def test_what_the_venue_would_not_read_is_refused_by_name(desk: Desk, query: Any, reason: str) -> None:
    with pytest.raises(BadInput) as caught:
        desk.info.answer(json.dumps(query).encode(), T0)
    assert caught.value.reason == reason


_VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=50) | st.sampled_from([USER, "BTC", "km:US500"])
_KINDS = st.sampled_from(
    ["meta", "l2Book", "orderStatus", "userFills", "userFillsByTime", "userFunding", "fundingHistory", "recentTrades",
     "activeAssetData", "clearinghouseState", "alignedQuoteTokenInfo", "allMids", "userRole"]
)  # fmt: skip


@given(_KINDS, st.dictionaries(st.sampled_from(["user", "coin", "dex", "oid", "startTime", "token"]), _VALUES))
def test_any_query_is_answered_or_refused(desk: Desk, kind: str, fields: dict[str, Any]) -> None:
    try:
        answer = desk.info.answer(json.dumps({"type": kind, **fields}).encode(), T0)
    except BadInput:
        return
    assert answer.weight >= 2
    msgspec.json.encode(answer.body)


@given(st.binary(max_size=100))
def test_any_bytes_are_refused(desk: Desk, body: bytes) -> None:
    with pytest.raises(BadInput):
        desk.info.answer(body, T0)
