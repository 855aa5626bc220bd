"""What one IP may ask for, and that whoever keeps the rule in real time keeps it at the venue."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.weights import SHARED, WARDEN, LocalBucket
from simvenue.door.ip_limits import CAPS, DOCS, OFF, STRICT, Caps, IpLimits
from tests.unit.simvenue.small_market import T0

S = 10**9


def test_1200_weight_may_be_spent_in_any_minute() -> None:
    limits = IpLimits()
    assert limits.take_weight("a", 1_200, T0)
    assert not limits.take_weight("a", 1, T0 + 59 * S)
    assert limits.take_weight("b", 1_200, T0)
    assert limits.take_weight("a", 1_200, T0 + 60 * S)


def test_weight_comes_back_as_the_minute_moves_on() -> None:
    limits = IpLimits()
    for second in range(60):
        assert limits.take_weight("a", 20, T0 + second * S)
    assert not limits.take_weight("a", 20, T0 + 59 * S)
    assert limits.take_weight("a", 20, T0 + 60 * S)
    assert not limits.take_weight("a", 20, T0 + 60 * S)


def test_a_refused_request_takes_nothing_and_a_late_one_is_owed() -> None:
    limits = IpLimits()
    assert not limits.take_weight("a", 1_201, T0)
    assert limits.has_weight("a", 1_200, T0)
    limits.owe_weight("a", 1_190, T0)
    assert limits.take_weight("a", 10, T0)
    assert not limits.has_weight("a", 1, T0)


def test_connections_are_counted_while_they_last() -> None:
    limits = IpLimits(STRICT)
    assert all(limits.connect("a", T0) for _ in range(10))
    assert not limits.connect("a", T0)
    limits.disconnect("a")
    assert limits.connect("a", T0)


def test_new_connections_are_counted_by_the_minute() -> None:
    limits = IpLimits(STRICT)
    for _ in range(30):
        assert limits.connect("a", T0)
        limits.disconnect("a")
    assert not limits.connect("a", T0 + 59 * S)
    assert limits.connect("a", T0 + 60 * S)


def test_messages_and_posts_are_limited_over_all_connections() -> None:
    limits = IpLimits()
    assert sum(limits.message("a", T0) for _ in range(2_005)) == 2_000
    assert limits.message("b", T0)
    assert sum(limits.post("a") for _ in range(105)) == 100
    limits.answered("a")
    assert limits.post("a")


def test_without_limits_nothing_is_refused() -> None:
    limits = IpLimits(OFF)
    assert limits.take_weight("a", 10**9, T0)
    assert all(limits.connect("a", T0) and limits.message("a", T0) and limits.post("a") for _ in range(5_000))


def test_the_documented_limits_are_the_default() -> None:
    assert CAPS["docs"] == DOCS == Caps(1_200, 100, None, 2_000, 100)


@given(st.lists(st.tuples(st.integers(0, 40 * S), st.integers(1, 900)), max_size=60))
def test_no_minute_ever_holds_more_than_its_weight(asked: list[tuple[int, int]]) -> None:
    limits, t_ns, taken = IpLimits(), T0, []
    for wait_ns, weight in asked:
        t_ns += wait_ns
        if limits.take_weight("a", weight, t_ns):
            taken.append((t_ns, weight))
    for begin, _ in taken:
        inside = [weight for at_ns, weight in taken if begin <= at_ns < begin + 59 * S]
        assert sum(inside) <= 1_200


@pytest.mark.parametrize("speed", [1.0, 4.0, 20.0])
def test_services_that_spend_all_they_may_are_never_refused(speed: float) -> None:
    """The services' shared bucket and the warden's own, emptied whenever they can be, for ten real minutes."""
    limits, shared, warden = IpLimits(), LocalBucket(SHARED, 0), LocalBucket(WARDEN, 0)
    for tenth in range(6_000):
        mono_ns = tenth * S // 10
        for bucket in (shared, warden):
            while bucket.take(1.0, mono_ns) == 0.0:
                assert limits.take_weight("127.0.0.1", 1, T0 + int(mono_ns * speed))
