"""Every question about a market is answered in the venue's shape."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from common import venue_types
from simvenue.info.universe import Universe
from tests.unit.simvenue.feeds.test_wire import same_shape
from tests.unit.simvenue.info_desk import SECOND, Desk, fixture, typed
from tests.unit.simvenue.small_market import MS, T0, US500


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


# ---------------------------------------------------------------------- what is listed
def test_a_market_at_its_cap_of_open_interest_is_named(desk: Desk) -> None:
    assert desk.ask("perpsAtOpenInterestCap", dex="km") == []
    capped = Desk(replace(US500, oi_cap_usd=100))  # a quarter of a contract at 752 is held
    assert capped.ask("perpsAtOpenInterestCap", dex="km") == ["km:US500"]
    assert capped.ask("perpsAtOpenInterestCap") == []


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
    universe = Universe([replace(US500, asset_index=2, asset_id=150002)])
    entries = universe.meta("km")["universe"]
    assert [e.get("isDelisted", False) for e in entries] == [True, True, False]
    assert universe.coin_of[150002] == "km:US500"


def test_a_dex_of_another_name_takes_its_place_and_stays_unique() -> None:
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


# ---------------------------------------------------------------------- books on a coarser grid
def test_coarse_book_keeps_every_contract_and_rounds_away_from_the_touch(desk: Desk) -> None:
    fine = desk.ask("l2Book", coin="km:US500")["levels"]
    coarse = desk.ask("l2Book", coin="km:US500", nSigFigs=4)["levels"]
    assert [level["px"] for level in coarse[0]] == ["752.4", "752.3", "752.2"]
    assert [level["px"] for level in coarse[1]] == ["752.5", "752.6", "752.7"]
    assert float(coarse[0][0]["px"]) <= float(fine[0][0]["px"])
    assert float(coarse[1][0]["px"]) >= float(fine[1][0]["px"])
    assert coarse[0][0] == {"px": "752.4", "sz": "50.5", "n": 6}  # ours among them


def test_mantissa_widens_the_fifth_figure(desk: Desk) -> None:
    bids, asks = desk.ask("l2Book", coin="km:US500", nSigFigs=5, mantissa=5)["levels"]
    assert [level["px"] for level in bids[:2]] == ["752.4", "752.35"]
    assert [level["px"] for level in asks[:2]] == ["752.5", "752.55"]
    assert desk.ask("l2Book", coin="km:US500", nSigFigs=5, mantissa=1) == desk.ask("l2Book", coin="km:US500")


# ---------------------------------------------------------------------- candles, prints, spot, status
def test_candles_are_those_of_the_prints(desk: Desk) -> None:
    begin = T0 // MS
    (row,) = desk.ask(
        "candleSnapshot", req={"coin": "km:US500", "interval": "1m", "startTime": begin, "endTime": begin}
    )
    same_shape(row, fixture("rest_candle_snapshot")[1]["response"][0])
    assert (row["s"], row["i"], row["T"] - row["t"]) == ("km:US500", "1m", 59_999)
    assert (row["o"], row["v"], row["n"]) == ("752.46", "0.25", 1)


def test_candle_reply_weighs_by_its_length() -> None:
    later = Desk()
    later.advance(T0 + 2 * 3600 * SECOND)
    req = {"coin": "km:US500", "interval": "1m", "startTime": 0}
    body = json.dumps({"type": "candleSnapshot", "req": req}).encode()
    answer = later.info.answer(body, later.exchange.now_ns)
    assert (len(answer.body), answer.weight) == (121, 22)


def test_spot_contexts_follow_the_pairs(desk: Desk) -> None:
    meta, contexts = desk.ask("spotMetaAndAssetCtxs")
    assert meta == desk.ask("spotMeta")
    assert [c["coin"] for c in contexts] == [pair["name"] for pair in meta["universe"]]


def test_exchange_status_tells_market_time(desk: Desk) -> None:
    assert desk.ask("exchangeStatus") == {"time": (T0 + 7 * SECOND) // MS, "specialStatuses": None}


def test_predicted_funding_is_of_the_first_dex_and_the_running_hour(desk: Desk) -> None:
    ((coin, ((venue, funding),)),) = desk.ask("predictedFundings")
    assert (coin, venue, funding["fundingRate"]) == ("BTC", "HlPerp", "0.0000125")
    assert 0 < funding["nextFundingTime"] - T0 // MS <= 3_600_000


def test_delisted_market_is_marked_in_the_metadata() -> None:
    desk = Desk()
    desk.exchange.delist("km:US500")
    assert desk.ask("meta", dex="km")["universe"][0]["isDelisted"] is True
