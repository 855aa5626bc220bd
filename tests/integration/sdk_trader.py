"""The official SDK (0.24.0) as a client of a simvenue process: a trader with an account of its own."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import Any

import eth_account
from hyperliquid.exchange import Exchange
from hyperliquid.info import Info
from hyperliquid.utils.signing import get_timestamp_ms, sign_l1_action
from hyperliquid.utils.types import Cloid

from tests.integration.simvenue_process import SimVenue

COINS = ("km:US500", "BTC")
DEXES = ["", "km"]
USD = 1_000_000
ALO, IOC, GTC = ({"limit": {"tif": tif}} for tif in ("Alo", "Ioc", "Gtc"))
SIZES = {"km:US500": 0.5, "BTC": 0.01}
SPEED = "10"


@dataclass
class Trader:
    """An SDK client with a funded account of its own."""

    venue: SimVenue
    wallet: Any
    exchange: Exchange
    info: Info
    cloids: int = 0
    heard: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return str(self.wallet.address)

    def cloid(self) -> Cloid:
        self.cloids += 1
        return Cloid.from_int(0xA000 + self.cloids)

    def touch(self, coin: str) -> tuple[float, float]:
        bids, asks = self.info.l2_snapshot(coin)["levels"]
        return float(bids[0]["px"]), float(asks[0]["px"])

    def far(self, coin: str, *, buy: bool = True, away: float = 0.01) -> float:
        """A legal price that rests away from the market."""
        bid, ask = self.touch(coin)
        px = bid * (1 - away) if buy else ask * (1 + away)
        return float(f"{px:.5g}")

    def dex(self, coin: str) -> str:
        return "km" if ":" in coin else ""

    def act(self, action: dict[str, Any]) -> Any:
        """An action the SDK has no method for, signed and sent by its own means."""
        nonce = get_timestamp_ms()
        signature = sign_l1_action(self.wallet, action, None, nonce, None, False)
        return self.exchange._post_action(action, signature, nonce)


def a_wallet(number: int) -> Any:
    return eth_account.Account.from_key(f"0x{number:064x}")


def funding(count: int) -> list[str]:
    """Command line words that give the first `count` wallets a million each."""
    return [word for number in range(1, count + 1) for word in ("--fund", f"{a_wallet(number).address}={USD}")]


def a_trader(venue: SimVenue, number: int) -> Trader:
    wallet = a_wallet(number)
    exchange = Exchange(wallet, venue.url, perp_dexs=DEXES, timeout=10)
    return Trader(venue, wallet, exchange, exchange.info)


def status_of(answer: Any) -> Any:
    assert answer["status"] == "ok", answer
    (status,) = answer["response"]["data"]["statuses"]
    return status


def resting(answer: Any) -> int:
    status = status_of(answer)
    assert "resting" in status, status
    return int(status["resting"]["oid"])


def hang_up(listener: Info) -> None:
    """End the SDK's reading thread now: it would notice a socket closed under it only after 10 s."""
    listener.ws_manager.ws.sock.sock.shutdown(socket.SHUT_RDWR)
    listener.ws_manager.join(10)
    listener.disconnect_websocket()
