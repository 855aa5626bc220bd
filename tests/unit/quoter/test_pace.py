"""Time as a core is told it."""

from __future__ import annotations

from common.messages import Tick
from quoter.pace import NS, Pace
from tests.unit.quoter.builders import T0


def test_the_rate_is_market_seconds_a_machine_second() -> None:
    pace = Pace()
    for step in range(20):
        pace.tick(Tick(T0 + step * NS, step * NS // 20))
    assert pace.rate == 20.0
    assert pace.market_ns(1.5) == 30 * NS


def test_market_time_never_goes_back() -> None:
    pace = Pace()
    pace.tick(Tick(T0, 0))
    pace.see(T0 + 5)
    pace.tick(Tick(T0 + 1, 1))
    assert pace.t_ns == T0 + 5


def test_a_clock_that_stands_or_jumps_back_has_no_rate() -> None:
    pace = Pace()
    pace.tick(Tick(T0, 0))
    pace.tick(Tick(T0 - NS, NS))
    assert pace.rate == 1.0


def test_machine_time_is_unknown_before_the_first_tick() -> None:
    pace = Pace()
    pace.see(T0)
    assert pace.mono_ns is None
