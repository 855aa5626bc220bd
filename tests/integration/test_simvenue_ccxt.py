"""ccxt as a client: it shares no code with the official SDK, neither for its reads nor for its signatures.

Pointed at the simulator by its URL alone. It asks for a builder's fee approval and a referrer before its first order;
both are refused here (422), which it takes as a no. ccxt is needed for this test only: without it, all are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.sdk_trader import SIZES, a_wallet, funding
from tests.integration.simvenue_process import SimVenue, until

ccxt = pytest.importorskip("ccxt", reason="ccxt is not installed (development requirement): no second public client")

MARKETS = {"BTC": "BTC/USDC:USDC", "km:US500": "KM-US500/USDH:USDH"}
POST_ONLY = {"postOnly": True}


@pytest.fixture(scope="module")
def venue() -> Iterator[SimVenue]:
    arguments = ["--also", "BTC", "--latency", "good", "--speed", "10", "--no-ip-limit", *funding(3)]
    with SimVenue(*arguments) as running:
        yield running
        assert running.errors() == []


def a_client(venue: SimVenue, number: int) -> Any:
    wallet = a_wallet(number)
    options = {"fetchMarkets": {"types": ["spot", "swap", "hip3"], "hip3": {"dexes": ["km"]}}}
    settings = {"walletAddress": wallet.address, "privateKey": f"0x{number:064x}", "options": options}
    client = ccxt.hyperliquid({**settings, "enableRateLimit": False})
    client.urls["api"] = dict.fromkeys(("public", "private"), venue.url)
    client.load_markets()
    return client


@pytest.fixture(scope="module")
def client(venue: SimVenue) -> Any:
    return a_client(venue, 1)


def below(client: Any, symbol: str, share: float) -> float:
    """A legal price below the market."""
    bid = client.fetch_order_book(symbol)["bids"][0][0]
    return float(client.price_to_precision(symbol, bid * (1 - share)))


# ---------------------------------------------------------------------- reading
def test_markets_of_both_dexes_are_found(client: Any) -> None:
    assert set(MARKETS.values()) <= set(client.symbols)
    market = client.market(MARKETS["km:US500"])
    assert (market["baseId"], market["settle"]) == ("150000", "USDH")
    assert market["precision"]["amount"] == pytest.approx(0.001)


@pytest.mark.parametrize("symbol", MARKETS.values())
def test_market_data(client: Any, symbol: str) -> None:
    book = client.fetch_order_book(symbol)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert client.fetch_ticker(symbol)["bid"] > 0
    assert client.fetch_open_interest(symbol)["openInterestAmount"] >= 0
    (candle, *_) = until(lambda: client.fetch_ohlcv(symbol, "1m"), 20, "a candle")
    assert candle[3] <= candle[1] <= candle[2]
    assert isinstance(client.fetch_funding_rate_history(symbol), list)
    assert client.fetch_funding_rate(symbol)["markPrice"] > 0


def test_venue_and_account_facts(client: Any) -> None:
    assert client.fetch_status()["status"] == "ok"
    assert client.fetch_time() > 1_700_000_000_000
    assert client.fetch_balance()["USDC"]["total"] > 0
    assert {entry["amount"] for entry in client.fetch_deposits()} == {1_000_000.0}
    assert client.fetch_ledger()[0]["type"] == "deposit"
    assert client.fetch_withdrawals() == []
    fee = client.fetch_trading_fee(MARKETS["BTC"])
    assert (fee["maker"], fee["taker"]) == (0.00015, 0.00045)


# ---------------------------------------------------------------------- trading
@pytest.mark.parametrize("coin", MARKETS)
def test_order_from_placing_over_editing_to_cancel(client: Any, coin: str) -> None:
    symbol, size = MARKETS[coin], SIZES[coin]
    placed = client.create_order(symbol, "limit", "buy", size, below(client, symbol, 0.01), dict(POST_ONLY))
    (shown,) = [o for o in client.fetch_open_orders(symbol) if o["id"] == placed["id"]]
    assert (shown["side"], shown["amount"], shown["postOnly"]) == ("buy", size, True)
    moved = client.edit_order(
        placed["id"], symbol, "limit", "buy", size, below(client, symbol, 0.02), dict(POST_ONLY)
    )  # fmt: skip
    assert client.fetch_order(placed["id"], symbol)["status"] == "canceled"
    assert client.fetch_order(moved["id"], symbol)["status"] == "open"
    client.cancel_order(moved["id"], symbol)
    assert client.fetch_open_orders(symbol) == []
    assert moved["id"] in [o["id"] for o in client.fetch_canceled_orders(symbol)]
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order(moved["id"], symbol)


@pytest.mark.parametrize("coin", MARKETS)
def test_taker_order_fills_and_is_closed_again(venue: SimVenue, coin: str) -> None:
    client = a_client(venue, 2 + list(MARKETS).index(coin))
    symbol, size = MARKETS[coin], SIZES[coin]
    client.set_leverage(5, symbol, {"marginMode": "cross"})
    price = client.fetch_order_book(symbol)["asks"][0][0]
    client.create_order(symbol, "market", "buy", size, price)
    position = client.fetch_position(symbol)
    assert (position["side"], position["contracts"], position["leverage"]) == ("long", size, 5.0)
    fills = client.fetch_my_trades(symbol)
    assert sum(fill["amount"] for fill in fills) == pytest.approx(size)
    assert {fill["takerOrMaker"] for fill in fills} == {"taker"}
    client.create_order(symbol, "market", "sell", size, price, {"reduceOnly": True})
    assert client.fetch_positions([symbol]) == []


def test_refusals_become_the_clients_own_errors(client: Any) -> None:
    symbol = MARKETS["BTC"]
    ask = client.fetch_order_book(symbol)["asks"][0][0]
    with pytest.raises(ccxt.InvalidOrder, match="Post only order would have immediately matched"):
        client.create_order(symbol, "limit", "buy", 0.01, ask * 1.001, dict(POST_ONLY))
    with pytest.raises(ccxt.InvalidOrder, match="minimum value"):
        client.create_order(symbol, "limit", "buy", 0.00002, below(client, symbol, 0.01))
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(symbol, "limit", "buy", 900.0, below(client, symbol, 0.01))
