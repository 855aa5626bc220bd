"""The built images trade a recorded market: orders, fills, and books that agree with the venue's to the last unit."""

from __future__ import annotations

import json

import pytest

from common.ticks import px_decimals, to_text
from scripts.session_report import reconciled
from scripts.stack import wait_for
from tests.support.containers import SERVICES, Running, make, note

pytestmark = pytest.mark.container

FILL_S = 400.0
"""A quiet market takes its time; the recording's first fill came after 150 s."""


def test_every_container_is_healthy(stack: Running) -> None:
    for name in SERVICES:
        wait_for(lambda service=name: stack.healthy(service), 60, f"{name} healthy", every_s=0.5)


def test_make_status_shows_fills(stack: Running) -> None:
    wait_for(lambda: stack.status()["fills_count"] >= 3, FILL_S, "three fills", every_s=0.5)
    shown = json.loads(make("status", PORT_BASE=str(stack.port_base)))
    assert shown["fills_count"] >= len(shown["fills"]) >= 3
    assert {fill["liquidity"] for fill in shown["fills"]} == {"maker"}
    note(f"{shown['fills_count']} fills, {shown['volume_usd']:.2f} USD")


def test_the_monitor_shows_the_orders_that_rest_at_the_venue(stack: Running) -> None:
    wait_for(lambda: stack.cloids() and stack.cloids() == stack.booked(), 30, "the venue's orders are ours")


def test_our_books_equal_the_venues_to_the_last_unit(stack: Running) -> None:
    stack.command("pause")
    try:
        wait_for(lambda: stack.resting() == 0, 20, "0 resting at the venue")
        wait_for(lambda: differences(stack) == [], 20, "our books equal the venue's")
    finally:
        stack.command("resume")
    stack.await_health()


def differences(stack: Running) -> list[str]:
    """What two books of nearly one moment disagree about: what fell between the questions is there the next time."""
    ledger = stack.ledger()
    coin = stack.status()["market"]["coin"]
    market = ledger["markets"][coin]
    session = stack.session(to_text(market["mark_px_u"], px_decimals(market["sz_decimals"])))
    found: list[str] = reconciled(session, ledger["accounts"][stack.address], ledger)["differences"]
    return found
