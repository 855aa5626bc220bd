"""One venue with 8 markets of several dexes and 16 clients: everybody hears everything and trades everywhere."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.integration.simvenue_process import SimVenue, run_to_end
from tests.unit.simvenue.signing import MASTER, address, an_order, place, signed

MARKETS = """
[[market]]
profile = "btc"

[[market]]
profile = "btc"
coin = "ETH"
px_start = 2986.3
sz_decimals = 4

[[market]]
profile = "btc"
coin = "SOL"
px_start = 150.0
sz_decimals = 2

[[market]]
profile = "btc"
coin = "HYPE"
px_start = 40.0
sz_decimals = 2
asset_index = 159

[[market]]
profile = "us500"

[[market]]
profile = "us500"
coin = "km:GOLD"
px_start = 400.0

[[market]]
profile = "us500"
coin = "xyz:SP500"
dex_index = 1
collateral = "USDC"
px_start = 7525.0
sz_decimals = 4

[[market]]
profile = "standx"
"""
COINS = ("BTC", "ETH", "SOL", "HYPE", "km:US500", "km:GOLD", "xyz:SP500", "sx:BTC")
CLIENTS = 16


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimVenue]:
    path = tmp_path_factory.mktemp("markets") / "markets.toml"
    path.write_text(MARKETS)
    fund = ("--fund", f"{address(MASTER)}=1000000")
    with SimVenue("--markets", str(path), "--latency", "zero", "--no-ip-limit", *fund) as running:
        yield running


def ids(venue: SimVenue) -> dict[str, int]:
    """Asset ids as a client finds them."""
    found = {}
    for place_of_dex, dex in enumerate(venue.info("perpDexs")):
        base = 100_000 + 10_000 * place_of_dex if place_of_dex else 0
        for index, row in enumerate(venue.info("meta", dex=dex["name"] if dex else "")["universe"]):
            found[row["name"]] = base + index
    return found


def test_every_market_is_found_where_its_dex_lists_it(venue: SimVenue) -> None:
    found = ids(venue)
    assert {coin: found[coin] for coin in COINS} == {
        "BTC": 0, "ETH": 1, "SOL": 2, "HYPE": 159, "km:US500": 150000, "km:GOLD": 150001, "xyz:SP500": 110000,
        "sx:BTC": 210000,
    }  # fmt: skip


async def test_sixteen_clients_hear_all_of_eight_markets(venue: SimVenue) -> None:
    async def listen(session: aiohttp.ClientSession) -> set[tuple[str, str]]:
        heard: set[tuple[str, str]] = set()
        async with session.ws_connect(venue.url + "/ws") as socket:
            for coin in COINS:
                for topic in ({"type": "bbo"}, {"type": "activeAssetCtx"}, {"type": "l2Book", "fast": True}):
                    await socket.send_json({"method": "subscribe", "subscription": {**topic, "coin": coin}})
            await socket.receive_str()
            async with asyncio.timeout(30):
                while len(heard) < 3 * len(COINS):
                    message = await socket.receive_json()
                    if message["channel"] in ("bbo", "l2Book", "activeAssetCtx"):
                        heard.add((message["channel"], message["data"]["coin"]))
        return heard

    async with aiohttp.ClientSession() as session:
        heard = await asyncio.gather(*(listen(session) for _ in range(CLIENTS)))
    assert all(len(one) == 3 * len(COINS) for one in heard)


def test_one_account_trades_in_every_market_and_all_of_it_adds_up(venue: SimVenue) -> None:
    found = ids(venue)
    for number, coin in enumerate(COINS):
        _, asks = venue.info("l2Book", coin=coin)["levels"]
        ask, size = float(asks[0]["px"]), asks[0]["sz"]
        order = an_order(a=found[coin], b=True, p=_five(ask * 1.01), s=size, t={"limit": {"tif": "Ioc"}})
        nonce = int(time.time() * 1000) + number
        status, body = venue.post("/exchange", signed(place(order), nonce, wallet=MASTER))
        assert status == 200
        assert "filled" in json.loads(body)["response"]["data"]["statuses"][0], (coin, body)
    ledger = venue.get("/sim/ledger")
    assert {fill["coin"] for fill in venue.info("userFills", user=address(MASTER))} == set(COINS)
    assert _all_zero(ledger["zero"])
    assert venue.errors() == []


def _five(px: float) -> str:
    """Five significant figures, as the venue wants them."""
    text = f"{px:.5g}"
    return f"{float(text):f}".rstrip("0").rstrip(".")


def _all_zero(sums: Any) -> bool:
    return all(_all_zero(value) if isinstance(value, dict) else value == 0 for value in sums.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[market]]\nprofile = "btc"\nflow = "nowhere"', "nowhere"),
        ('[[market]]\nprofile = "btc"\ndata = "missing.npz"', "missing.npz"),
        ('[[market]]\nprofile = "btc"\ncolour = 1', "colour"),
    ],
)
def test_wrong_markets_end_the_start_with_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "markets.toml"
    path.write_text(text)
    code, out, err = run_to_end("--port", "0", "--metrics-port", "0", "--markets", str(path))
    assert (code, out) == (78, "")
    assert words in err
    assert "Traceback" not in err
