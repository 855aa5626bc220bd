"""scheduleCancel: who may set it, when it fires, and how often."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simvenue.desk.deadman import DeadMan
from simvenue.events import BUY, SELL, OrderEvent, Reply, Resting, ScheduleCancel
from tests.unit.simvenue.tape import ANN, BOB, MS, T0, Desk

MILLION = 10**12
T0_MS = T0 // MS
DAY_MS = 86_400_000


@pytest.mark.parametrize("time_ms", [T0_MS + 60_000, None])
def test_setting_and_clearing_need_a_million_traded(time_ms: int | None) -> None:
    text = "Cannot set scheduled cancel time until enough volume traded. Required: $1000000. Traded: $373.47205."
    assert DeadMan().schedule(ANN, time_ms, 373_472_050, T0) == text
    assert DeadMan().schedule(ANN, time_ms, MILLION - 1, T0) is not None
    assert DeadMan().schedule(ANN, time_ms, MILLION, T0) is None


def test_the_time_is_at_least_five_seconds_ahead() -> None:
    switch = DeadMan()
    text = "Scheduled cancel time too early, must be at least 5 seconds from now."
    assert switch.schedule(ANN, T0_MS + 4_999, MILLION, T0) == text
    assert switch.schedule(ANN, 1, MILLION, T0) == text
    assert switch.schedule(ANN, T0_MS + 5_000, MILLION, T0) is None
    assert switch.scheduled_ms(ANN) == T0_MS + 5_000


def test_a_new_time_replaces_the_old_and_none_clears_it() -> None:
    switch = DeadMan()
    for ahead in (10_000, 20_000):
        switch.schedule(ANN, T0_MS + ahead, MILLION, T0)
    assert switch.next_t_ns() == (T0_MS + 20_000) * MS
    switch.schedule(ANN, None, MILLION, T0)
    assert switch.next_t_ns() is None
    assert switch.take_due(T0 + 10**15) == []


def test_ten_triggers_a_utc_day() -> None:
    switch, t_ns = DeadMan(), T0 - T0 % (DAY_MS * MS)
    for _ in range(10):
        assert switch.schedule(ANN, t_ns // MS + 5_000, MILLION, t_ns) is None
        t_ns += 5_000 * MS
        assert switch.take_due(t_ns) == [ANN]
    assert switch.schedule(ANN, t_ns // MS + 5_000, MILLION, t_ns) is not None
    assert switch.schedule(BOB, t_ns // MS + 5_000, MILLION, t_ns) is None
    midnight = T0 - T0 % (DAY_MS * MS) + DAY_MS * MS
    assert switch.schedule(ANN, midnight // MS + 5_000, MILLION, midnight) is None


@given(st.lists(st.tuples(st.integers(0, 20_000), st.integers(5_000, 30_000)), max_size=40))
def test_a_switch_fires_once_for_each_setting_that_was_not_replaced(steps: list[tuple[int, int]]) -> None:
    switch, t_ms, expected, armed = DeadMan(), T0_MS, 0, None
    fired = 0
    for wait, ahead in steps:
        t_ms += wait
        fired += len(switch.take_due(t_ms * MS))
        if armed is not None and armed <= t_ms:
            expected, armed = expected + 1, None
        if switch.schedule(ANN, t_ms + ahead, MILLION, t_ms * MS) is None:
            armed = t_ms + ahead
    assert fired == expected


# ---------------------------------------------------------------------- in the exchange
def a_trader(block_ms: int = 0) -> Desk:
    """Ann has traded a million and has two orders; Bob has one."""
    desk = Desk(block_ms=block_ms)
    desk.exchange._clearing.accounts._credit_e6[ANN] = MILLION
    for who, side, px in ((ANN, BUY, "89999"), (ANN, SELL, "90002"), (BOB, BUY, "89998")):
        assert isinstance(desk.place(side, px, "0.01", who=who), Resting)
    return desk


def test_everything_of_the_address_is_cancelled_at_its_time() -> None:
    desk = a_trader()
    assert desk.ask(ScheduleCancel(ANN, T0_MS + 6_000)).error is None
    desk.until(5_999)
    assert desk.exchange.open_order_count(ANN) == 2
    desk.until(6_000)
    assert desk.exchange.open_order_count(ANN) == 0
    assert desk.exchange.open_order_count(BOB) == 1
    ends = [e for e in desk.of(OrderEvent) if e.status == "scheduledCancel"]
    assert [(e.address, e.t_ns) for e in ends] == [(ANN, T0 + 6_000 * MS)] * 2


def test_the_switch_acts_in_a_block() -> None:
    desk = a_trader(block_ms=80)
    desk.post(ScheduleCancel(ANN, T0_MS + 6_001))
    desk.until(7_000)
    (end, _) = [e for e in desk.of(OrderEvent) if e.status == "scheduledCancel"]
    assert end.t_ns == T0 + 6_080 * MS


def test_a_poor_trader_is_told_how_much_he_lacks() -> None:
    desk = Desk()
    reply = desk.ask(ScheduleCancel(ANN, T0_MS + 60_000))
    assert reply.error is not None
    assert reply.error.endswith("Traded: $0.")
    assert [o.error for o in desk.of(Reply)] == [reply.error]
