"""The SDK's `Exchange`: every action a market maker or its user would send, and every rejection with its exact text."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import eth_account
import pytest
from hyperliquid.exchange import Exchange
from hyperliquid.utils.error import ClientError
from hyperliquid.utils.types import Cloid

from tests.integration.sdk_trader import ALO, COINS, GTC, IOC, SIZES, Trader, a_trader, funding, resting, status_of
from tests.integration.simvenue_process import SimVenue, until

HERE = Path(__file__)
OK = {"status": "ok", "response": {"type": "default"}}
GONE = "Order was never placed, already canceled, or filled."
SOMEBODY = "0x" + "5" * 40
#: Transfers, vaults, sub-accounts, deployment, staking, validators: another business, refused with 422.
REFUSED: dict[str, tuple[Any, ...]] = {
    "set_referrer": ("setReferrer", "CODE"),
    "create_sub_account": ("createSubAccount", "name"),
    "usd_class_transfer": ("usdClassTransfer", 1.0, True),
    "send_asset": ("sendAsset", SOMEBODY, "", "km", "USDC", 1.0),
    "sub_account_transfer": ("subAccountTransfer", SOMEBODY, True, 1),
    "sub_account_spot_transfer": ("subAccountSpotTransfer", SOMEBODY, True, "USDC:0x0", 1.0),
    "vault_usd_transfer": ("vaultTransfer", SOMEBODY, True, 1),
    "usd_transfer": ("usdSend", 1.0, SOMEBODY),
    "spot_transfer": ("spotSend", 1.0, SOMEBODY, "USDC:0x0"),
    "token_delegate": ("tokenDelegate", SOMEBODY, 1, False),
    "withdraw_from_bridge": ("withdraw3", 1.0, SOMEBODY),
    "approve_builder_fee": ("approveBuilderFee", SOMEBODY, "0.001%"),
    "convert_to_multi_sig_user": ("convertToMultiSigUser", [SOMEBODY], 1),
    "use_big_blocks": ("evmUserModify", True),
    "agent_enable_dex_abstraction": ("agentEnableDexAbstraction",),
    "user_dex_abstraction": ("userDexAbstraction", SOMEBODY, True),
    "gossip_priority_bid": ("gossipPriorityBid", 0, "127.0.0.1", 1),
}
#: Methods of those who deploy markets and run validators, never sent here.
DEPLOYERS = ("spot_deploy_", "perp_deploy_", "c_signer_", "c_validator_", "multi_sig")


@pytest.fixture(scope="module")
def venue() -> Iterator[SimVenue]:
    arguments = ["--also", "BTC", "--latency", "good", "--speed", "10", "--no-ip-limit", *funding(12)]
    with SimVenue(*arguments) as running:
        yield running
        assert running.errors() == []
        assert set(running.get("/sim/ledger")["zero"]["positions_u"].values()) <= {0}


@pytest.fixture(scope="module")
def trader(venue: SimVenue) -> Trader:
    return a_trader(venue, 1)


def now_ms(venue: SimVenue) -> int:
    return int(venue.get("/sim/clock")["now_ns"]) // 10**6


# ---------------------------------------------------------------------- several at once
@pytest.mark.parametrize("coin", COINS)
def test_batches_of_orders_modifies_and_cancels(trader: Trader, coin: str) -> None:
    asked = [_order(coin, trader.far(coin, away=0.01 * i), trader.cloid()) for i in (1, 2, 3)]
    placed = trader.exchange.bulk_orders(asked)["response"]["data"]["statuses"]
    oids = [status["resting"]["oid"] for status in placed]
    moved = [{"oid": oid, "order": {**order, "limit_px": trader.far(coin, away=0.05)}} for oid, order in
             zip(oids[:2], asked, strict=False)]  # fmt: skip
    statuses = trader.exchange.bulk_modify_orders_new(moved)["response"]["data"]["statuses"]
    oids[:2] = [status["resting"]["oid"] for status in statuses]
    answer = trader.exchange.bulk_cancel([{"coin": coin, "oid": oid} for oid in (*oids[:1], 1)])
    first, second = answer["response"]["data"]["statuses"]
    assert first == "success"
    assert second["error"] == f"{GONE} asset={trader.info.name_to_asset(coin)}"
    left = [{"coin": coin, "cloid": order["cloid"]} for order in asked[1:]]
    assert trader.exchange.bulk_cancel_by_cloid(left)["response"]["data"]["statuses"] == ["success"] * 2
    assert trader.info.open_orders(trader.address, trader.dex(coin)) == []


@pytest.mark.parametrize("coin", COINS)
def test_fast_cancel_is_taken(trader: Trader, coin: str) -> None:
    oid = resting(trader.exchange.order(coin, True, SIZES[coin], trader.far(coin), ALO))
    cancel = {"type": "cancel", "cancels": [{"a": trader.info.name_to_asset(coin), "o": oid}], "f": True}
    assert status_of(trader.act(cancel)) == "success"


def test_market_orders_of_the_sdk_open_and_close(venue: SimVenue) -> None:
    trader = a_trader(venue, 2)
    assert "filled" in status_of(trader.exchange.market_open("BTC", True, 0.01, cloid=trader.cloid()))
    assert "filled" in status_of(trader.exchange.market_close("BTC"))


# ---------------------------------------------------------------------- every rejection, word by word
REJECTIONS: dict[str, tuple[Callable[[Trader, str], Any], str]] = {
    "crossing post-only": (
        lambda t, c: t.exchange.order(c, True, SIZES[c], t.far(c, buy=False), ALO),
        "Post only order would have immediately matched, bbo was ",
    ),
    "ioc without a match": (
        lambda t, c: t.exchange.order(c, True, SIZES[c], t.far(c), IOC),
        "Order could not immediately match against any resting orders.",
    ),
    "off the tick": (
        lambda t, c: t.exchange.order(c, True, SIZES[c], _off_tick(t, c), GTC),
        "Price must be divisible by tick size.",
    ),
    "too many decimals": (
        lambda t, c: t.exchange.order(c, True, SIZES[c], 1.23456789, GTC),
        "Order has invalid price.",
    ),
    "off the lot": (
        lambda t, c: t.exchange.order(c, True, SIZES[c] + 1e-8, t.far(c), GTC),
        "Order has invalid size.",
    ),
    "nothing at all": (lambda t, c: t.exchange.order(c, True, 0.0, t.far(c), GTC), "Order has zero size."),
    "too small": (
        lambda t, c: t.exchange.order(c, True, {"BTC": 0.0001, "km:US500": 0.01}[c], t.far(c), GTC),
        "Order must have minimum value of $10.",
    ),
    "far from the market": (
        lambda t, c: t.exchange.order(c, True, 100 * SIZES[c], t.far(c, away=0.9), GTC),
        "Order price cannot be more than 80% away from the reference price",
    ),
    "more than the margin": (
        lambda t, c: t.exchange.order(c, True, {"BTC": 400.0, "km:US500": 40_000.0}[c], t.far(c), GTC),
        "Insufficient margin to place order.",
    ),
    "reduce-only that opens": (
        lambda t, c: t.exchange.order(c, True, SIZES[c], t.far(c), GTC, reduce_only=True),
        "Reduce only order would increase position.",
    ),
    "cancel of nothing": (lambda t, c: t.exchange.cancel(c, 1), GONE),
    "cancel of an unknown cloid": (lambda t, c: t.exchange.cancel_by_cloid(c, Cloid.from_int(1)), GONE),
    "modify of nothing": (
        lambda t, c: t.exchange.modify_order(1, c, True, SIZES[c], t.far(c), GTC),
        "Cannot modify canceled or filled order",
    ),
}


@pytest.mark.parametrize("coin", COINS)
@pytest.mark.parametrize("name", REJECTIONS)
def test_rejection_of_an_order_has_the_venues_words(trader: Trader, coin: str, name: str) -> None:
    send, text = REJECTIONS[name]
    error = status_of(send(trader, coin))["error"]
    asset = trader.info.name_to_asset(coin)
    if text.endswith("bbo was "):
        bid, ask = error.removeprefix(text).removesuffix(f". asset={asset}").split("@")
        assert float(bid) < float(ask)
    else:
        assert error == f"{text} asset={asset}"


REFUSALS: dict[str, tuple[Callable[[Trader], Any], str]] = {
    "leverage too high": (lambda t: t.exchange.update_leverage(41, "BTC"), "Invalid leverage value"),
    "leverage of nothing": (lambda t: t.exchange.update_leverage(0, "km:US500"), "Invalid leverage value"),
    "switch too early": (
        lambda t: t.exchange.schedule_cancel(now_ms(t.venue) + 60_000),
        "Cannot set scheduled cancel time until enough volume traded. Required: $1000000. Traded: $0",
    ),
    "market of nobody": (
        lambda t: t.act({"type": "cancel", "cancels": [{"a": 7, "o": 1}]}), "Invalid perp asset 7"
    ),
    "builder": (
        lambda t: t.exchange.order(
            "BTC", True, 0.01, t.far("BTC"), ALO, builder={"b": SOMEBODY, "f": 10}
        ),
        "Builder fee has not been approved.",
    ),
    "nonce of yesterday's yesterday": (lambda t: t.exchange.noop(1), "Invalid nonce: nonce too low 1 < "),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_refusal_of_an_action_has_the_venues_words(venue: SimVenue, name: str) -> None:
    send, text = REFUSALS[name]
    answer = send(a_trader(venue, 3))
    assert answer["status"] == "err", answer
    assert answer["response"].startswith(text)


def test_used_nonce_is_refused(trader: Trader) -> None:
    nonce = int(time.time() * 1000) + 7_200_000
    assert trader.exchange.noop(nonce) == OK
    assert trader.exchange.noop(nonce)["response"] == f"Invalid nonce: duplicate nonce {nonce}"


def test_action_that_comes_too_late_is_refused_and_costs_five(venue: SimVenue) -> None:
    trader = a_trader(venue, 4)
    before = trader.info.user_rate_limit(trader.address)["nRequestsUsed"]
    trader.exchange.set_expires_after(now_ms(venue))
    late = trader.exchange.order("BTC", True, 0.01, trader.far("BTC"), ALO)
    trader.exchange.set_expires_after(None)
    assert late == {"status": "err", "response": "Action already expired"}
    assert trader.info.user_rate_limit(trader.address)["nRequestsUsed"] == before + 5


# ---------------------------------------------------------------------- settings of the account
@pytest.mark.parametrize("coin", COINS)
def test_isolated_margin_is_moved_in_and_out(venue: SimVenue, coin: str) -> None:
    trader = a_trader(venue, 5 + COINS.index(coin))
    assert trader.exchange.update_isolated_margin(10.0, coin)["status"] == "err"  # nothing is held
    assert trader.exchange.update_leverage(5, coin, is_cross=False) == OK
    trader.exchange.order(coin, True, SIZES[coin], trader.far(coin, buy=False), IOC)
    before = _own_cash(trader, coin)
    assert trader.exchange.update_isolated_margin(25.0, coin) == OK
    assert _own_cash(trader, coin) == pytest.approx(before + 25.0)
    assert trader.exchange.update_isolated_margin(-20.0, coin) == OK
    assert _own_cash(trader, coin) == pytest.approx(before + 5.0)
    switched = trader.exchange.update_leverage(5, coin)
    assert switched == {"status": "err", "response": "Cannot switch leverage type with open position."}


def test_bought_actions_are_taken_off_what_was_used(venue: SimVenue) -> None:
    trader = a_trader(venue, 7)
    before = float(trader.info.user_state(trader.address, "km")["marginSummary"]["accountValue"])
    assert trader.act({"type": "reserveRequestWeight", "weight": 1000}) == OK
    limit = trader.info.user_rate_limit(trader.address)
    assert (limit["nRequestsUsed"], limit["nRequestsSurplus"]) == (0, 999)
    after = float(trader.info.user_state(trader.address, "km")["marginSummary"]["accountValue"])
    assert before - after == pytest.approx(0.5)


def test_scheduled_cancel_takes_every_order_at_its_time(venue: SimVenue) -> None:
    """After a million is traded; five seconds of market time are half a second here."""
    trader = a_trader(venue, 8)
    while float(trader.info.user_rate_limit(trader.address)["cumVlm"]) < 1_000_000:
        trader.exchange.market_open("BTC", True, 2.0)
        trader.exchange.market_open("BTC", False, 2.0)
    early = trader.exchange.schedule_cancel(now_ms(venue) + 1_000)
    assert early["response"] == "Scheduled cancel time too early, must be at least 5 seconds from now."
    oid = resting(trader.exchange.order("km:US500", True, 0.5, trader.far("km:US500"), GTC))
    assert trader.exchange.schedule_cancel(now_ms(venue) + 60_000) == OK
    assert trader.exchange.schedule_cancel(None) == OK
    assert trader.exchange.schedule_cancel(now_ms(venue) + 8_000) == OK
    until(lambda: trader.info.open_orders(trader.address, "km") == [], 20, "the switch")
    assert trader.info.query_order_by_oid(trader.address, oid)["order"]["status"] == "scheduledCancel"


def test_account_mode_moves_the_money_to_the_spot_state(venue: SimVenue) -> None:
    trader = a_trader(venue, 9)
    assert trader.exchange.user_set_abstraction(trader.address, "unifiedAccount") == OK
    assert trader.info.query_user_abstraction_state(trader.address) == "unifiedAccount"
    assert trader.info.user_state(trader.address, "km")["marginSummary"]["accountValue"] == "0.0"
    assert {b["total"] for b in trader.info.spot_user_state(trader.address)["balances"]} >= {"1000000.0"}
    assert trader.exchange.agent_set_abstraction("i") == OK
    assert trader.info.query_user_abstraction_state(trader.address) == "disabled"


def test_agent_is_replaced_under_its_name_and_has_no_account_of_its_own(venue: SimVenue) -> None:
    trader = a_trader(venue, 10)
    keys = [trader.exchange.approve_agent("bot") for _ in range(2)]
    assert [answer for answer, _ in keys] == [OK, OK]
    old, new = (eth_account.Account.from_key(key) for _, key in keys)
    assert [a["address"] for a in trader.info.extra_agents(trader.address)] == [new.address.lower()]
    dismissed = Exchange(old, venue.url, account_address=trader.address, timeout=10)
    answer = dismissed.cancel("BTC", 1)
    assert answer["response"] == f"User or API Wallet {old.address.lower()} does not exist."


# ---------------------------------------------------------------------- refused
@pytest.mark.parametrize("name", REFUSED)
def test_action_of_another_business_is_a_422_and_named_in_the_log(venue: SimVenue, trader: Trader, name: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(trader.exchange, name)(*REFUSED[name][1:])
    assert caught.value.status_code == 422
    named = f'"reason":"action_left_out","action":"{REFUSED[name][0]}"'
    until(lambda: named in venue.log, 5, "the log line")


def test_every_action_of_the_sdk_is_sent_or_refused() -> None:
    """What stands in no test of the SDK is not claimed to work."""
    tests = "".join((HERE.parent / name).read_text() for name in (HERE.name, "test_simvenue_sdk.py"))
    public = {name for name, _ in inspect.getmembers(Exchange, inspect.isfunction) if not name.startswith("_")}
    ours = {name for name in public if not name.startswith(DEPLOYERS)} - set(REFUSED) - {"post"}
    assert {name for name in ours if f".{name}(" not in tests} == set()


# ---------------------------------------------------------------------- small things
def _order(coin: str, px: float, cloid: Cloid) -> dict[str, Any]:
    return {
        "coin": coin, "is_buy": True, "sz": SIZES[coin], "limit_px": px, "order_type": ALO, "reduce_only": False,
        "cloid": cloid,
    }  # fmt: skip


def _off_tick(trader: Trader, coin: str) -> float:
    """A price with six significant figures, as many decimals as the market allows."""
    return trader.far(coin) + {"BTC": 0.1, "km:US500": 0.001}[coin]


def _own_cash(trader: Trader, coin: str) -> float:
    state = trader.info.user_state(trader.address, trader.dex(coin))
    (held,) = [p["position"] for p in state["assetPositions"] if p["position"]["coin"] == coin]
    return float(held["leverage"]["rawUsd"])
