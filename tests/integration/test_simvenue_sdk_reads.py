"""The SDK's `Info`: every question a market maker or its user would ask, and the venue's refusal of the others."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hyperliquid.info import Info
from hyperliquid.utils.error import ClientError

from tests.integration.sdk_trader import ALO, COINS, DEXES, IOC, SIZES, Trader, a_trader, funding, hang_up, resting
from tests.integration.simvenue_process import SimVenue, until

DAY_MS = 86_400_000
HERE = Path(__file__)
#: Questions about staking, deploying and multi-signature accounts: not a trading client's, refused with 422.
REFUSED = {
    "user_staking_summary": "delegatorSummary",
    "user_staking_delegations": "delegations",
    "user_staking_rewards": "delegatorRewards",
    "delegator_history": "delegatorHistory",
    "query_user_to_multi_sig_signers": "userToMultiSigSigners",
    "query_perp_deploy_auction_status": "perpDeployAuctionStatus",
    "query_user_dex_abstraction_state": "userDexAbstraction",
    "query_spot_deploy_auction_status": "spotDeployState",
}


@pytest.fixture(scope="module")
def venue() -> Iterator[SimVenue]:
    arguments = ["--also", "BTC", "--latency", "good", "--speed", "10", "--no-ip-limit", *funding(3)]
    with SimVenue(*arguments) as running:
        yield running
        assert running.errors() == []


@pytest.fixture(scope="module")
def trader(venue: SimVenue) -> Trader:
    """Somebody with an order, a position and fills in both markets."""
    trader = a_trader(venue, 1)
    for coin in COINS:
        resting(trader.exchange.order(coin, True, SIZES[coin], trader.far(coin), ALO))
        trader.exchange.order(coin, True, 2 * SIZES[coin], trader.far(coin, buy=False), IOC)
    return trader


def now_ms(venue: SimVenue) -> int:
    return int(venue.get("/sim/clock")["now_ns"]) // 10**6


# ---------------------------------------------------------------------- the market
def test_listings_and_contexts(trader: Trader) -> None:
    info = trader.info
    assert [d["name"] for d in info.perp_dexs()[1:]][4] == "km"
    for dex in DEXES:
        assert [p["name"] for p in info.meta(dex)["universe"]]
    meta, contexts = info.meta_and_asset_ctxs()
    assert len(meta["universe"]) == len(contexts)
    spot, spot_contexts = info.spot_meta_and_asset_ctxs()
    assert spot == info.spot_meta()
    assert len(spot["universe"]) == len(spot_contexts)
    assert info.all_mids("km")["km:US500"]


@pytest.mark.parametrize("coin", COINS)
def test_candles_of_a_market(trader: Trader, coin: str) -> None:
    end = now_ms(trader.venue)
    rows = until(lambda: trader.info.candles_snapshot(coin, "1m", end - DAY_MS, end + DAY_MS), 20, "a candle")
    assert {(row["s"], row["i"]) for row in rows} == {(coin, "1m")}
    assert all(float(row["l"]) <= float(row["o"]) <= float(row["h"]) for row in rows)
    assert sum(row["n"] for row in rows) > 0


@pytest.mark.parametrize("coin", COINS)
def test_funding_history_is_empty_within_the_first_hour_or_has_hourly_rows(trader: Trader, coin: str) -> None:
    rows = trader.info.funding_history(coin, now_ms(trader.venue) - DAY_MS)
    assert all(set(row) == {"coin", "fundingRate", "premium", "time"} for row in rows)


# ---------------------------------------------------------------------- the account
@pytest.mark.parametrize("coin", COINS)
def test_orders_and_fills_of_a_market(trader: Trader, coin: str) -> None:
    info, address, dex = trader.info, trader.address, trader.dex(coin)
    (order,) = info.open_orders(address, dex)
    (shown,) = info.frontend_open_orders(address, dex)
    assert (shown["oid"], shown["tif"]) == (order["oid"], "Alo")
    assert info.query_order_by_oid(address, order["oid"])["order"]["status"] == "open"
    history = [row for row in info.historical_orders(address) if row["order"]["coin"] == coin]
    assert {row["status"] for row in history} == {"open", "filled"}
    fills = [f for f in info.user_fills(address) if f["coin"] == coin]
    assert sum(float(f["sz"]) for f in fills) == pytest.approx(2 * SIZES[coin])
    since = info.user_fills_by_time(address, fills[-1]["time"], fills[0]["time"])
    assert {f["tid"] for f in fills} <= {f["tid"] for f in since}
    together = [f for f in info.user_fills_by_time(address, 0, aggregate_by_time=True) if f["coin"] == coin]
    assert len(together) == 1
    assert float(together[0]["sz"]) == pytest.approx(2 * SIZES[coin])


@pytest.mark.parametrize("coin", COINS)
def test_state_of_the_account(trader: Trader, coin: str) -> None:
    state = trader.info.user_state(trader.address, trader.dex(coin))
    (held,) = [p["position"] for p in state["assetPositions"]]
    assert (held["coin"], float(held["szi"])) == (coin, 2 * SIZES[coin])
    assert float(state["withdrawable"]) < float(state["marginSummary"]["accountValue"])


def test_other_facts_of_the_account(trader: Trader) -> None:
    info, address = trader.info, trader.address
    assert {b["coin"] for b in info.spot_user_state(address)["balances"]} == {"USDC", "USDH"}
    assert info.user_fees(address)["feeSchedule"]["tiers"]["vip"][0]["ntlCutoff"] == "5000000.0"
    assert info.user_funding_history(address, 0) == []
    assert info.user_non_funding_ledger_updates(address, 0)[0]["delta"] == {"type": "deposit", "usdc": "1000000.0"}
    assert info.user_rate_limit(address)["nRequestsUsed"] >= 4
    assert info.user_role(address) == {"role": "user"}
    assert info.extra_agents(address) == []
    assert info.query_user_abstraction_state(address) == "disabled"
    assert info.query_sub_accounts(address) is None
    assert info.query_referral_state(address)["referredBy"] is None
    assert [name for name, _ in info.portfolio(address)][:2] == ["day", "week"]
    assert info.user_twap_slice_fills(address) == []
    assert info.user_vault_equities(address) == []
    assert info.query_order_by_cloid(address, trader.cloid()) == {"status": "unknownOid"}


# ---------------------------------------------------------------------- refused
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_served_is_a_422_and_named_in_the_log(venue: SimVenue, trader: Trader, name: str) -> None:
    ask = getattr(trader.info, name)
    with pytest.raises(ClientError) as caught:
        ask(*[trader.address] * len(inspect.signature(ask).parameters))
    assert caught.value.status_code == 422
    until(lambda: f'"reason":"type_unknown","detail":"{REFUSED[name]}"' in venue.log, 5, "the log line")


# ---------------------------------------------------------------------- subscriptions
@pytest.mark.parametrize("coin", COINS)
def test_every_subscription_the_sdk_knows_delivers(venue: SimVenue, coin: str) -> None:
    trader = a_trader(venue, 2 + COINS.index(coin))
    listener = Info(venue.url, perp_dexs=DEXES, timeout=10)
    user = {"user": trader.address}
    kinds: list[dict[str, Any]] = [{"type": k, "coin": coin} for k in ("l2Book", "bbo", "trades", "activeAssetCtx")]
    kinds += [{"type": k, **user} for k in ("orderUpdates", "userFills", "userEvents", "userFundings", "webData2")]
    kinds += [{"type": "userNonFundingLedgerUpdates", **user}, {"type": "activeAssetData", "coin": coin, **user}]
    kinds += [{"type": "allMids"}, {"type": "candle", "coin": coin, "interval": "1m"}]
    heard: dict[str, list[Any]] = {kind["type"]: [] for kind in kinds}
    try:
        for kind in kinds:
            listener.subscribe(kind, heard[kind["type"]].append)
        until(lambda: listener.ws_manager.ws_ready, 10, "the socket")
        until(lambda: heard["userFills"] and heard["webData2"], 20, "the snapshots")
        trader.exchange.order(coin, True, SIZES[coin], trader.far(coin, buy=False), IOC)
        until(lambda: all(heard.values()), 30, str([k for k, messages in heard.items() if not messages]))
        number = listener.subscribe({"type": "bbo", "coin": "ETH"}, heard["bbo"].append)
        assert listener.unsubscribe({"type": "bbo", "coin": "ETH"}, number)
    finally:
        hang_up(listener)
    assert heard["candle"][-1]["data"]["s"] == coin
    assert heard["activeAssetData"][0]["data"]["coin"] == coin
    assert heard["webData2"][0]["data"]["user"] == trader.address.lower()
    assert heard["userNonFundingLedgerUpdates"][0]["data"]["isSnapshot"] is True


# ---------------------------------------------------------------------- nothing is forgotten
def test_every_question_of_the_sdk_is_asked_or_refused() -> None:
    """What stands in no test of the SDK is not claimed to work."""
    plumbing = {"post", "subscribe", "unsubscribe", "disconnect_websocket", "set_perp_meta", "name_to_asset"}
    tests = "".join((HERE.parent / name).read_text() for name in (HERE.name, "test_simvenue_sdk.py", "sdk_trader.py"))
    public = {name for name, _ in inspect.getmembers(Info, inspect.isfunction) if not name.startswith("_")}
    assert {name for name in public - plumbing - set(REFUSED) if f".{name}(" not in tests} == set()
