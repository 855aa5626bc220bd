"""Nonces rise for ever, whatever clocks and restarts do."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from executor.nonce import BLOCK, MS, Nonces

T0_MS = 1_780_000_000_000


def test_nonce_follows_market_time_in_ms() -> None:
    nonces = Nonces()
    assert nonces.take(T0_MS * MS) == T0_MS


def test_nonces_of_one_millisecond_differ() -> None:
    nonces = Nonces()
    assert [nonces.take(T0_MS * MS) for _ in range(3)] == [T0_MS, T0_MS + 1, T0_MS + 2]


def test_block_is_due_before_the_first_nonce_and_not_again_until_half_is_used() -> None:
    nonces = Nonces()
    until = nonces.due(T0_MS * MS)
    assert until == T0_MS + BLOCK
    nonces.reserve(until)
    assert nonces.due(T0_MS * MS) is None
    assert nonces.due((T0_MS + BLOCK // 2) * MS) is None
    assert nonces.due((T0_MS + BLOCK // 2 + 1) * MS) is not None


def test_block_grows_with_the_speed_of_market_time() -> None:
    assert Nonces().due(T0_MS * MS, 20.0) == T0_MS + 20 * BLOCK


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-3_600_000, 3_600_000), st.booleans(), st.integers(1, 30)), min_size=1, max_size=40)
)
def test_no_nonce_repeats_over_restarts_and_clock_steps(steps: list[tuple[int, bool, int]]) -> None:
    """A restart keeps only what was made durable: the reservations."""
    now_ms, durable, used = T0_MS, 0, []
    nonces = Nonces()
    for step_ms, restart, count in steps:
        now_ms += step_ms
        if restart:
            nonces = Nonces(durable)
        for _ in range(count):
            until = nonces.due(now_ms * MS)
            if until is not None:
                durable = max(durable, until)
                nonces.reserve(until)
            used.append(nonces.take(now_ms * MS))
            assert used[-1] <= durable
    assert used == sorted(set(used))
