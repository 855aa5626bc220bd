"""Reconnecting: fast at first, slower each time, never too often."""

from __future__ import annotations

import random

from feed.links import BACKOFF_S_MAX, CONNECTS_PER_MIN, Backoff, LinkWatch

S = 1_000_000_000


def test_first_connection_does_not_wait() -> None:
    assert Backoff(random.Random(1)).wait_s("main", 0) == 0.0


def test_waits_double_with_jitter_up_to_five_seconds() -> None:
    backoff = Backoff(random.Random(1))
    waits = [backoff.wait_s("main", i * 100 * S) for i in range(9)]
    for i, wait in enumerate(waits[1:], 1):
        ceiling = min(0.25 * 2**i, BACKOFF_S_MAX)
        assert ceiling / 2 <= wait <= ceiling
    assert len(set(waits)) == len(waits)


def test_second_try_comes_within_half_a_second() -> None:
    backoff = Backoff(random.Random(1))
    backoff.wait_s("main", 0)
    assert 0.25 <= backoff.wait_s("main", S) <= 0.5


def test_links_share_one_limit_of_connections_a_minute() -> None:
    backoff = Backoff(random.Random(4))
    now, connects = 0, []
    for i in range(120):
        name = ("main", "deep")[i % 2]
        now += round(backoff.wait_s(name, now) * S) + 1_000
        connects.append(now)
        backoff.ended(name, 11.0)
    for i, at in enumerate(connects):
        assert sum(1 for other in connects[: i + 1] if at - other < 60 * S) <= CONNECTS_PER_MIN


def test_connection_that_lived_starts_the_series_anew() -> None:
    backoff = Backoff(random.Random(1))
    for i in range(8):
        backoff.wait_s("main", i * 100 * S)
    backoff.ended("main", 9.0)
    assert backoff.wait_s("main", 1_000 * S) > 2.0
    backoff.ended("main", 10.0)
    assert backoff.wait_s("main", 1_100 * S) <= 0.5


def test_silence_of_two_pings_gives_a_link_up() -> None:
    watch = LinkWatch("deep", [], data_age_s_max=1_000.0)
    watch.opened(0)
    assert watch.fault(31 * S) == ""
    assert watch.fault(32 * S) == "silent"
    watch.heard(31 * S)
    assert watch.fault(32 * S) == ""


def test_closed_link_has_no_fault() -> None:
    watch = LinkWatch("deep", [{"type": "l2Book", "coin": "BTC"}], 5.0)
    assert watch.fault(10**18) == ""
    assert not watch.ping_due(10**18)
