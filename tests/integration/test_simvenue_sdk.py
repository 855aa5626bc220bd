"""The official SDK (0.24.0) as a client of a real simvenue process, for a first-dex and a builder-dex market."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import eth_account
import pytest
from hyperliquid.exchange import Exchange
from hyperliquid.info import Info

from tests.integration.sdk_trader import (
    ALO,
    COINS,
    DEXES,
    GTC,
    IOC,
    SIZES,
    SPEED,
    Trader,
    a_trader,
    a_wallet,
    funding,
    hang_up,
    resting,
    status_of,
)
from tests.integration.simvenue_process import SimVenue, until


@pytest.fixture(scope="module")
def venue() -> Iterator[SimVenue]:
    arguments = ["--also", "BTC", "--latency", "good", "--speed", SPEED, "--no-ip-limit", *funding(10)]
    with SimVenue(*arguments) as running:
        yield running
        assert running.errors() == []


@pytest.fixture(scope="module")
def trader(venue: SimVenue) -> Trader:
    return a_trader(venue, 1)


# ---------------------------------------------------------------------- reading the market
def test_asset_ids_are_those_of_the_venue(trader: Trader) -> None:
    assert trader.info.name_to_asset("km:US500") == 150000
    assert trader.info.name_to_asset("BTC") == 0
    assert trader.info.name_to_asset("ETH") == 1
    assert trader.info.asset_to_sz_decimals[150000] == 3


def test_metadata_reads(trader: Trader) -> None:
    assert trader.info.meta("km")["universe"][0]["name"] == "km:US500"
    assert trader.info.perp_dexs()[5]["name"] == "km"
    assert {t["index"] for t in trader.info.spot_meta()["tokens"]} >= {0, 360}
    assert len(trader.info.meta_and_asset_ctxs()) == 2


@pytest.mark.parametrize("coin", COINS)
def test_book_and_mids_agree(trader: Trader, coin: str) -> None:
    bid, ask = trader.touch(coin)
    assert bid < ask
    mids = trader.info.all_mids("km" if ":" in coin else "")
    assert float(mids[coin]) == pytest.approx((bid + ask) / 2, rel=2e-3)


# ---------------------------------------------------------------------- orders
@pytest.mark.parametrize("coin", COINS)
def test_post_only_order_lives_from_placing_to_cancel(trader: Trader, coin: str) -> None:
    cloid, px, size = trader.cloid(), trader.far(coin), SIZES[coin]
    oid = resting(trader.exchange.order(coin, True, size, px, ALO, cloid=cloid))
    dex = "km" if ":" in coin else ""
    (order,) = [o for o in trader.info.open_orders(trader.address, dex) if o["oid"] == oid]
    assert (order["coin"], order["side"], float(order["limitPx"]), float(order["sz"])) == (coin, "B", px, size)
    assert [o["tif"] for o in trader.info.frontend_open_orders(trader.address, dex) if o["oid"] == oid] == ["Alo"]
    by_oid = trader.info.query_order_by_oid(trader.address, oid)
    assert by_oid == trader.info.query_order_by_cloid(trader.address, cloid)
    assert by_oid["order"]["status"] == "open"
    assert status_of(trader.exchange.cancel(coin, oid)) == "success"
    assert trader.info.query_order_by_oid(trader.address, oid)["order"]["status"] == "canceled"
    late = status_of(trader.exchange.cancel(coin, oid))
    assert late["error"].startswith("Order was never placed, already canceled, or filled.")


@pytest.mark.parametrize("coin", COINS)
def test_modify_keeps_the_cloid_and_gives_a_new_oid(trader: Trader, coin: str) -> None:
    cloid, size = trader.cloid(), SIZES[coin]
    oid = resting(trader.exchange.order(coin, True, size, trader.far(coin), ALO, cloid=cloid))
    px = trader.far(coin, away=0.02)
    moved = resting(trader.exchange.modify_order(cloid, coin, True, size, px, ALO, cloid=cloid))
    assert moved != oid
    order = trader.info.query_order_by_cloid(trader.address, cloid)["order"]["order"]
    assert (order["oid"], float(order["limitPx"])) == (moved, px)
    requests = [
        {
            "oid": moved,
            "order": {
                "coin": coin, "is_buy": True, "sz": size, "limit_px": trader.far(coin, away=0.03), "order_type": ALO,
                "reduce_only": False, "cloid": cloid,
            },
        }
    ]  # fmt: skip
    again = resting(trader.exchange.bulk_modify_orders_new(requests))
    assert again != moved
    assert status_of(trader.exchange.cancel_by_cloid(coin, cloid)) == "success"


@pytest.mark.parametrize("coin", COINS)
def test_crossing_post_only_order_is_refused_with_the_touch(trader: Trader, coin: str) -> None:
    px = trader.far(coin, buy=False)
    error = status_of(trader.exchange.order(coin, True, SIZES[coin], px, ALO))["error"]
    assert error.startswith("Post only order would have immediately matched, bbo was ")
    assert error.endswith(f" asset={trader.info.name_to_asset(coin)}")


@pytest.mark.parametrize("coin", COINS)
def test_taker_order_fills_pays_and_moves_the_position(venue: SimVenue, coin: str) -> None:
    trader = a_trader(venue, 2 + COINS.index(coin))
    size = SIZES[coin]
    filled = status_of(trader.exchange.order(coin, True, size, trader.far(coin, buy=False), IOC))["filled"]
    assert float(filled["totalSz"]) == size
    fills = trader.info.user_fills(trader.address)
    assert sum(float(f["sz"]) for f in fills) == pytest.approx(size)
    notional = sum(float(f["px"]) * float(f["sz"]) for f in fills)
    rate_bps = 0.81 if ":" in coin else 4.5
    assert sum(float(f["fee"]) for f in fills) == pytest.approx(notional * rate_bps * 1e-4, rel=1e-3)
    assert {f["crossed"] for f in fills} == {True}
    state = trader.info.user_state(trader.address, "km" if ":" in coin else "")
    (held,) = [p["position"] for p in state["assetPositions"] if p["position"]["coin"] == coin]
    assert float(held["szi"]) == size
    assert float(held["entryPx"]) == pytest.approx(float(filled["avgPx"]), rel=1e-4)
    closed = status_of(trader.exchange.order(coin, False, size, trader.far(coin), IOC, reduce_only=True))
    assert float(closed["filled"]["totalSz"]) == size
    assert trader.info.user_fills(trader.address)[0]["dir"] == "Close Long"
    since = trader.info.user_fills_by_time(trader.address, fills[0]["time"])
    assert len(since) >= 2


def test_market_open_and_close_of_the_sdk_work(venue: SimVenue) -> None:
    trader = a_trader(venue, 4)
    assert "filled" in status_of(trader.exchange.market_open("BTC", False, 0.01))
    assert "filled" in status_of(trader.exchange.market_close("BTC"))
    assert trader.info.user_state(trader.address)["assetPositions"] == []


def test_resting_gtc_order_is_filled_by_the_market(venue: SimVenue) -> None:
    """At ten times real speed an order at the touch of a busy market fills within seconds."""
    trader = a_trader(venue, 5)

    def at_the_touch() -> list[Any]:
        if not trader.info.open_orders(trader.address):
            trader.exchange.order("BTC", True, 0.001, trader.touch("BTC")[0], GTC)
        return [f for f in trader.info.user_fills(trader.address) if not f["crossed"]]

    (fill, *_) = until(at_the_touch, 40, "a maker fill")
    notional = float(fill["px"]) * float(fill["sz"])
    assert float(fill["fee"]) == pytest.approx(notional * 1.5e-4, rel=1e-3)


def test_bulk_orders_answer_in_their_order(trader: Trader) -> None:
    coin = "km:US500"
    px = trader.far(coin)
    orders = [
        {"coin": coin, "is_buy": True, "sz": 0.5, "limit_px": px, "order_type": ALO, "reduce_only": False},
        {"coin": coin, "is_buy": True, "sz": 0.001, "limit_px": px, "order_type": ALO, "reduce_only": False},
    ]
    answer = trader.exchange.bulk_orders(orders)
    first, second = answer["response"]["data"]["statuses"]
    assert "resting" in first
    assert second["error"].startswith("Order must have minimum value of $10.")
    assert status_of(trader.exchange.cancel(coin, first["resting"]["oid"])) == "success"


def test_noop_uses_up_its_nonce(trader: Trader) -> None:
    nonce = int(time.time() * 1000) + 3_600_000
    assert trader.exchange.noop(nonce) == {"status": "ok", "response": {"type": "default"}}
    again = trader.exchange.noop(nonce)
    assert again["status"] == "err"
    assert again["response"].startswith("Invalid nonce")


def test_leverage_is_set_and_shown(trader: Trader) -> None:
    assert trader.exchange.update_leverage(7, "km:US500")["status"] == "ok"
    asset = trader.info.post("/info", {"type": "activeAssetData", "user": trader.address, "coin": "km:US500"})
    assert asset["leverage"]["value"] == 7
    refused = trader.exchange.update_leverage(21, "km:US500")
    assert refused == {"status": "err", "response": "Invalid leverage value"}


# ---------------------------------------------------------------------- the account
def test_account_reads(trader: Trader) -> None:
    fees = trader.info.user_fees(trader.address)
    assert (fees["userAddRate"], fees["userCrossRate"]) == ("0.00015", "0.00045")
    limit = trader.info.user_rate_limit(trader.address)
    assert limit["nRequestsUsed"] > 0
    assert limit["nRequestsCap"] >= 10_000
    assert trader.info.user_role(trader.address) == {"role": "user"}
    assert trader.info.query_user_abstraction_state(trader.address) == "disabled"
    assert trader.info.user_funding_history(trader.address, 0) == []


def test_approved_agent_trades_for_its_master(venue: SimVenue) -> None:
    master = a_trader(venue, 6)
    answer, key = master.exchange.approve_agent("bot")
    assert answer == {"status": "ok", "response": {"type": "default"}}
    agent = eth_account.Account.from_key(key)
    assert master.info.user_role(agent.address)["data"]["user"] == master.address.lower()
    assert [a["name"] for a in master.info.extra_agents(master.address)] == ["bot"]
    hand = Exchange(agent, venue.url, account_address=master.address, perp_dexs=DEXES, timeout=10)
    oid = resting(hand.order("km:US500", True, 0.5, master.far("km:US500"), ALO))
    assert [o["oid"] for o in master.info.open_orders(master.address, "km")] == [oid]
    assert master.info.open_orders(agent.address, "km") == []
    assert status_of(hand.cancel("km:US500", oid)) == "success"


def test_stranger_is_refused_by_name(venue: SimVenue) -> None:
    stranger = a_trader(venue, 99)
    answer = stranger.exchange.order("BTC", True, 0.01, stranger.far("BTC"), ALO)
    assert answer == {
        "status": "err",
        "response": f"User or API Wallet {stranger.address.lower()} does not exist.",
    }


# ---------------------------------------------------------------------- subscriptions
@pytest.mark.parametrize("coin", COINS)
def test_every_subscription_delivers(venue: SimVenue, coin: str) -> None:
    trader = a_trader(venue, 7 + COINS.index(coin))
    listener = Info(venue.url, perp_dexs=DEXES, timeout=10)
    heard: dict[str, list[Any]] = {}
    kinds: list[dict[str, Any]] = [{"type": k, "coin": coin} for k in ("l2Book", "bbo", "trades", "activeAssetCtx")]
    kinds += [{"type": k, "user": trader.address} for k in ("orderUpdates", "userFills", "userEvents")]
    try:
        for kind in kinds:
            listener.subscribe(kind, lambda message, key=kind["type"]: heard.setdefault(key, []).append(message))
        until(lambda: {"l2Book", "bbo", "activeAssetCtx", "userFills"} <= set(heard), 20, str(heard.keys()))
        cloid = trader.cloid()
        resting(trader.exchange.order(coin, True, SIZES[coin], trader.far(coin), ALO, cloid=cloid))
        trader.exchange.order(coin, True, SIZES[coin], trader.far(coin, buy=False), IOC)
        assert status_of(trader.exchange.cancel_by_cloid(coin, cloid)) == "success"
        until(lambda: "trades" in heard and "userEvents" in heard, 20, "trades and events")
        until(lambda: len(_updates(heard)) >= 3, 20, "order updates")
    finally:
        hang_up(listener)
    assert {m["data"]["coin"] for m in heard["l2Book"]} == {coin}
    assert len(heard["l2Book"][0]["data"]["levels"][0]) == 20
    assert {t["coin"] for m in heard["trades"] for t in m["data"]} == {coin}
    assert heard["activeAssetCtx"][0]["data"]["ctx"]["markPx"]
    assert heard["userFills"][0]["data"]["isSnapshot"] is True
    statuses = [u["status"] for u in _updates(heard)]
    assert statuses.count("open") == 1
    assert {"filled", "canceled"} <= set(statuses)
    told = [f["tid"] for m in heard["userEvents"] for f in m["data"]["fills"]]
    kept = [f["tid"] for f in trader.info.user_fills(trader.address)]
    assert sorted(told) == sorted(kept)


def _updates(heard: dict[str, list[Any]]) -> list[Any]:
    return [update for message in heard.get("orderUpdates", []) for update in message["data"]]


# ---------------------------------------------------------------------- afterwards
def test_the_venues_own_ledger_sums_to_zero(venue: SimVenue) -> None:
    ledger = venue.get("/sim/ledger")
    zero = ledger["zero"]
    assert zero["cash_e8"] == zero["fees_e8"] == zero["funding_e8"] == 0
    assert set(zero["positions_u"].values()) <= {0}
    assert ledger["actions"][a_wallet(1).address.lower()]["used"] > 0
