"""Settings and limits of a real simvenue process, asked for by the official SDK: leverage, agents, modes, purchases."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import eth_account
import pytest
from hyperliquid.exchange import Exchange
from hyperliquid.utils.signing import sign_agent, sign_l1_action

from tests.integration.simvenue_process import SimVenue

DONE = {"status": "ok", "response": {"type": "default"}}
DEXES = ["", "km"]
COINS = ("km:US500", "BTC")
SIZES = {"km:US500": 0.5, "BTC": 0.01}
ALO, IOC = ({"limit": {"tif": tif}} for tif in ("Alo", "Ioc"))


@pytest.fixture(scope="module")
def venue() -> Iterator[SimVenue]:
    wallets = [eth_account.Account.from_key(f"0x{i:064x}") for i in range(1, 9)]
    fund = [part for wallet in wallets for part in ("--fund", f"{wallet.address}=100000")]
    with SimVenue("--also", "BTC", "--latency", "zero", "--speed", "2", "--no-ip-limit", *fund) as running:
        yield running
        assert running.errors() == []


def an_exchange(venue: SimVenue, number: int) -> Exchange:
    return Exchange(eth_account.Account.from_key(f"0x{number:064x}"), venue.url, perp_dexs=DEXES, timeout=10)


def market_ms(venue: SimVenue) -> int:
    return int(venue.get("/sim/clock")["now_ns"]) // 1_000_000


def l1(venue: SimVenue, wallet: Any, action: dict[str, Any]) -> Any:
    """An action the SDK has no method for."""
    nonce = time.time_ns() // 1_000_000
    body = {"action": action, "nonce": nonce, "signature": sign_l1_action(wallet, action, None, nonce, None, False)}
    return json.loads(venue.post("/exchange", json.dumps(body).encode())[1])


def far(exchange: Exchange, coin: str) -> float:
    return float(f"{float(exchange.info.l2_snapshot(coin)['levels'][0][0]['px']) * 0.99:.5g}")


# ---------------------------------------------------------------------- leverage and isolated margin
@pytest.mark.parametrize("coin", COINS)
def test_isolated_margin_of_a_position(venue: SimVenue, coin: str) -> None:
    hand = an_exchange(venue, 1)
    assert hand.update_leverage(5, coin, is_cross=False) == DONE
    assert hand.update_isolated_margin(10.0, coin)["response"] == "Cannot update margin for empty position."
    bought = hand.market_open(coin, True, SIZES[coin])
    assert "filled" in bought["response"]["data"]["statuses"][0], bought
    switched = hand.update_leverage(5, coin, is_cross=True)
    assert switched == {"status": "err", "response": "Cannot switch leverage type with open position."}
    assert hand.update_isolated_margin(25.0, coin) == DONE
    state = hand.info.user_state(hand.wallet.address, "km" if ":" in coin else "")
    (position,) = (p["position"] for p in state["assetPositions"] if p["position"]["coin"] == coin)
    assert (position["leverage"]["type"], position["leverage"]["value"]) == ("isolated", 5)
    assert float(position["marginUsed"]) > 25.0
    assert hand.update_leverage(1_000, coin, is_cross=False)["response"] == "Invalid leverage value"


# ---------------------------------------------------------------------- dead man's switch
def test_schedule_cancel_needs_a_million(venue: SimVenue) -> None:
    hand = an_exchange(venue, 2)
    for time_ms in (market_ms(venue) + 60_000, None):
        answer = hand.schedule_cancel(time_ms)
        assert answer["status"] == "err"
        assert answer["response"] == (
            "Cannot set scheduled cancel time until enough volume traded. Required: $1000000. Traded: $0."
        )


# ---------------------------------------------------------------------- fast cancel, budget
@pytest.mark.parametrize("coin", COINS)
def test_fast_cancel_and_noop(venue: SimVenue, coin: str) -> None:
    hand = an_exchange(venue, 3)
    status = hand.order(coin, True, SIZES[coin], far(hand, coin), ALO)["response"]["data"]["statuses"][0]
    cancel = {"a": hand.info.name_to_asset(coin), "o": status["resting"]["oid"]}
    answer = l1(venue, hand.wallet, {"type": "cancel", "cancels": [cancel], "f": True})
    assert answer == {"status": "ok", "response": {"type": "cancel", "data": {"statuses": ["success"]}}}
    assert hand.noop(time.time_ns() // 1_000_000) == DONE


def test_bought_actions_show_in_the_rate_limit(venue: SimVenue) -> None:
    hand = an_exchange(venue, 4)
    before = hand.info.user_rate_limit(hand.wallet.address)
    assert l1(venue, hand.wallet, {"type": "reserveRequestWeight", "weight": 100}) == DONE
    after = hand.info.user_rate_limit(hand.wallet.address)
    assert after["nRequestsUsed"] == 0
    assert after["nRequestsSurplus"] == 100 - (before["nRequestsUsed"] + 1)
    assert float(hand.info.user_state(hand.wallet.address)["withdrawable"]) == pytest.approx(99_999.95)


# ---------------------------------------------------------------------- account modes
@pytest.mark.parametrize("mode", ["unifiedAccount", "portfolioMargin", "disabled"])
def test_account_mode_by_the_account_and_by_its_agent(venue: SimVenue, mode: str) -> None:
    hand = an_exchange(venue, 5)
    address = hand.wallet.address
    assert hand.user_set_abstraction(address, mode) == DONE
    assert hand.info.query_user_abstraction_state(address) == mode
    short = {"unifiedAccount": "u", "portfolioMargin": "p", "disabled": "i"}[mode]
    assert hand.agent_set_abstraction("i") == DONE
    assert hand.agent_set_abstraction(short) == DONE
    assert hand.info.query_user_abstraction_state(address) == mode


# ---------------------------------------------------------------------- agents
def test_agents_are_named_replaced_limited_and_removed(venue: SimVenue) -> None:
    hand = an_exchange(venue, 6)
    for name in ("a", "b", "c"):
        answer, _ = hand.approve_agent(name)
        assert answer == DONE
    refused, _ = hand.approve_agent("d")
    assert refused["response"] == "Too many extra agents for cumulative volume traded. Current limit is 3"
    answer, key = hand.approve_agent("a")
    assert answer == DONE
    agents = hand.info.extra_agents(hand.wallet.address)
    assert sorted(a["name"] for a in agents) == ["a", "b", "c"]
    agent = eth_account.Account.from_key(key)
    assert agent.address.lower() in {a["address"] for a in agents}
    assert _approve(venue, hand.wallet, "0x" + "0" * 40, "a") == DONE
    assert sorted(a["name"] for a in hand.info.extra_agents(hand.wallet.address)) == ["b", "c"]
    refused, _ = hand.approve_agent("e")
    assert refused["response"] == "User has pending agent removal"
    answer = Exchange(agent, venue.url, account_address=hand.wallet.address, perp_dexs=DEXES, timeout=10).noop(
        time.time_ns() // 1_000_000
    )
    assert answer["response"] == f"User or API Wallet {agent.address.lower()} does not exist."


def _approve(venue: SimVenue, wallet: Any, agent: str, name: str) -> Any:
    nonce = time.time_ns() // 1_000_000
    action: dict[str, Any] = {"type": "approveAgent", "agentAddress": agent, "agentName": name, "nonce": nonce}
    body = {"action": action, "nonce": nonce, "signature": sign_agent(wallet, action, False), "vaultAddress": None}
    return json.loads(venue.post("/exchange", json.dumps(body).encode())[1])


# ---------------------------------------------------------------------- limits of one IP
async def test_an_ip_that_asks_too_much_gets_429() -> None:
    with SimVenue("--ip-limits", "strict", "--latency", "zero") as strict:
        async with aiohttp.ClientSession() as client:
            sockets = [await client.ws_connect(strict.url + "/ws") for _ in range(10)]
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.ws_connect(strict.url + "/ws")
            assert refused.value.status == 429
            for socket in sockets:
                await socket.close()
        asked = [strict.post("/info", b'{"type":"meta"}')[0] for _ in range(60)]
        assert asked == [200] * 60  # 1,200 weight
        assert strict.post("/info", b'{"type":"meta"}') == (429, "null")
        assert strict.post("/exchange", b"{}") == (429, "null")
        assert strict.errors() == []
