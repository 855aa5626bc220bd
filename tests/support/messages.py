"""Builders of small valid stream messages."""

from __future__ import annotations

from typing import Any

import msgspec

from common.inbox import FIELD
from common.messages import (
    Alert,
    AnyMessage,
    Envelope,
    Fill,
    Heartbeat,
    Liquidity,
    Mode,
    RiskPermit,
    Severity,
    Side,
    Touch,
)

COIN = "km:US500"


def a_touch(n: int, **more: Any) -> Touch:
    facts: dict[str, Any] = {
        "t_ns": n, "coin": COIN, "venue_t_ns": n, "recv_t_ns": n,
        "bid_px_u": 752_000, "bid_sz_u": 10, "ask_px_u": 752_100, "ask_sz_u": 10,
    }  # fmt: skip
    return Touch(**{**facts, **more})


def a_fill(n: int, **more: Any) -> Fill:
    facts: dict[str, Any] = {
        "t_ns": n, "coin": COIN, "venue_t_ns": n, "tid": n, "oid": 1, "cloid": "", "side": Side.BID, "px_u": 752_000,
        "sz_u": 5, "fee_e8": 10, "liquidity": Liquidity.MAKER, "start_position_u": 0,
    }  # fmt: skip
    return Fill(**{**facts, **more})


def a_permit(n: int, **more: Any) -> RiskPermit:
    facts: dict[str, Any] = {
        "t_ns": n, "version": n, "mode": Mode.ACTIVE, "size_scale": 1.0, "spread_scale": 1.0, "soft_usd": 250.0,
        "hard_usd": 500.0, "margin_ratio": 0.1, "drawdown": 0.0, "expires_t_ns": n, "reasons": [],
    }  # fmt: skip
    return RiskPermit(**{**facts, **more})


def an_alert(n: int) -> Alert:
    return Alert(t_ns=n, name="test", severity=Severity.INFO, text=str(n))


def a_heartbeat(service: str, n: int = 1) -> Heartbeat:
    return Heartbeat(
        t_ns=n, service=service, build="b", schema=1, config_hash="c", loop_lag_s=0.0, ready=True, state="quoting"
    )


def an_entry(producer: str, epoch: int, seq: int, message: AnyMessage) -> list[bytes]:
    """The fields a producer would write."""
    return [FIELD, msgspec.msgpack.encode(Envelope(producer, epoch, seq, message))]
