"""Venue messages as the feed's socket sees them, and the smallest way to drive its engine."""

from __future__ import annotations

import json
from typing import Any

from common.messages import MarketSpec, Tick
from feed.engine import FeedEngine
from feed.events import DEEP, MAIN, Frame, Opened, SpecRead

S = 1_000_000_000
MS = 1_000_000
T0 = 1_780_000_000 * S
COIN = "km:US500"


def a_spec(**changes: Any) -> MarketSpec:
    facts: dict[str, Any] = {
        "t_ns": T0,
        "coin": COIN,
        "asset_id": 150000,
        "sz_decimals": 3,
        "max_leverage": 20,
        "collateral": "USDH",
        "growth_mode": True,
        "is_delisted": False,
    }
    return MarketSpec(**(facts | changes))


def level(px: str, sz: str = "1.5", n: int = 1) -> dict[str, Any]:
    return {"px": px, "sz": sz, "n": n}


def bbo(at_ms: int = 0, bid: str | None = "752.4", ask: str | None = "752.5", coin: str = COIN) -> dict[str, Any]:
    """A `bbo` message; `at_ms` is counted from T0."""
    sides = [None if px is None else level(px) for px in (bid, ask)]
    return {"channel": "bbo", "data": {"coin": coin, "time": T0 // MS + at_ms, "bbo": sides}}


def l2(at_ms: int = 0, bids: Any = None, asks: Any = None, coin: str = COIN, **more: Any) -> dict[str, Any]:
    sides = [
        [level(px) for px in (["752.4", "752.3"] if bids is None else bids)],
        [level(px) for px in (["752.5", "752.6"] if asks is None else asks)],
    ]
    return {"channel": "l2Book", "data": {"coin": coin, "time": T0 // MS + at_ms, "levels": sides, **more}}


def trade(at_ms: int = 0, tid: int = 7, px: str = "752.5", sz: str = "0.2", side: str = "B") -> dict[str, Any]:
    time = T0 // MS + at_ms
    return {
        "coin": COIN,
        "side": side,
        "px": px,
        "sz": sz,
        "hash": "0x0",
        "time": time,
        "tid": tid,
        "users": ["a", "b"],
    }


def trades(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"channel": "trades", "data": list(rows)}


def context(oracle: str = "752.51", mark: str = "752.44", coin: str = COIN, **more: Any) -> dict[str, Any]:
    ctx = {
        "funding": "0.0000057078",
        "openInterest": "3007.456",
        "premium": "-0.0000843843",
        "oraclePx": oracle,
        "markPx": mark,
        "midPx": None,
        "impactPxs": None,
        **more,
    }
    return {"channel": "activeAssetCtx", "data": {"coin": coin, "ctx": ctx}}


def ack(kind: str, coin: str | None = COIN) -> dict[str, Any]:
    subscription = {"type": kind, **({} if coin is None else {"coin": coin})}
    return {"channel": "subscriptionResponse", "data": {"method": "subscribe", "subscription": subscription}}


def text(message: Any) -> str:
    return json.dumps(message, separators=(",", ":"))


class Driver:
    """An engine with its clocks: machine and market time run together from T0 (market) and 0 (machine)."""

    def __init__(self, rate: float = 1.0, **spec: Any) -> None:
        self.engine = FeedEngine(COIN)
        self.engine.on(SpecRead(a_spec(**spec)))
        self.ms = 0
        self.opened = [*self.open(MAIN, rate), *self.open(DEEP, rate)]

    def open(self, link: str, rate: float = 1.0) -> list[Any]:
        return self.engine.on(Opened(link, self.ms * MS, rate))

    def frame(self, message: Any, at_ms: int | None = None, link: str = MAIN) -> list[Any]:
        self.ms = self.ms if at_ms is None else at_ms
        body = message if isinstance(message, (str, bytes)) else text(message)
        return self.engine.on(Frame(link, body, T0 + self.ms * MS, self.ms * MS))

    def tick(self, at_ms: int) -> list[Any]:
        self.ms = at_ms
        return self.engine.on(Tick(T0 + at_ms * MS, at_ms * MS))
