"""What one address may send: figures of the docs, texts of the captures, and never more than was earned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simvenue.desk import budget
from simvenue.desk.actions import action_cap
from simvenue.desk.budget import Budget, Means
from simvenue.desk.deadman import dollars

S = 10**9
DAY = 86_400 * S


def test_cancels_have_a_further_allowance() -> None:
    purse = Budget(sent=19_997)
    assert purse.charge(2, True, Means(), 0) is not None
    assert purse.charge(1, True, Means(), 0) is None
    rich = Budget(sent=299_997)
    assert rich.charge(1, True, Means(credit_e6=190_000 * 10**6), 0) is None
    assert rich.charge(2, True, Means(credit_e6=190_000 * 10**6), 0) is not None


def test_cancels_pass_when_orders_do_not() -> None:
    purse = Budget(sent=10_000, slow_t_ns=0)
    assert purse.charge(1, False, Means(), 1) is not None
    assert purse.charge(200, True, Means(), 1) is None


def test_a_refusal_costs_nothing_and_does_not_put_the_slow_lane_off() -> None:
    """A public probe: one request a second for 45 s, one passed every 11 s."""
    purse, passed = Budget(sent=9_999), []
    for second in range(45):
        if purse.charge(1, False, Means(), second * S) is None:
            passed.append(second)
    assert passed == [0, 10, 20, 30, 40]
    assert purse.sent == 9_999 + 5


def test_a_batch_never_uses_the_slow_lane() -> None:
    assert Budget(sent=10_000).charge(2, False, Means(), 0) is not None


@pytest.mark.parametrize(
    ("sent", "volume_usd", "text"),
    [
        (97_459, "87457.46", "(97460 > 97456) for cumulative volume traded $87457.46."),
        (15_400, "4643", "(15401 > 14642) for cumulative volume traded $4643."),
        (165_959, "153554.48", "(165960 > 163553) for cumulative volume traded $153554.48."),
    ],
)
def test_public_captures_are_reproduced(sent: int, volume_usd: str, text: str) -> None:
    whole, _, cents = volume_usd.partition(".")
    credit = (int(whole) * 100 + int(cents or 0)) * 10**4
    refused = Budget(sent=sent, slow_t_ns=0).charge(1, False, Means(credit), 1)
    assert refused is not None
    assert text in refused


def test_bought_actions_first_cancel_what_was_used_then_stand_as_surplus() -> None:
    purse = Budget(sent=30)
    assert (purse.used(10), purse.surplus(10)) == (20, 0)
    assert (purse.used(50), purse.surplus(50)) == (0, 20)


def test_coming_too_late_costs_five_times() -> None:
    purse = Budget()
    purse.penalise(3, 0)
    assert purse.sent == 15


@pytest.mark.parametrize("mode", ["unifiedAccount", "portfolioMargin"])
def test_unified_modes_have_fifty_thousand_actions_a_utc_day(mode: str) -> None:
    rich = Means(credit_e6=10**15, mode=mode)
    purse = Budget()
    assert purse.charge(50_000, False, rich, 0) is None
    assert purse.charge(1, True, rich, DAY - 1) is not None
    assert purse.charge(1, True, Means(credit_e6=10**15), DAY - 1) is None
    assert purse.charge(1, False, rich, DAY) is None


@pytest.mark.parametrize(
    ("open_now", "reduce_only", "volume_usd", "may"),
    [
        (999, False, 0, True),
        (1_000, False, 0, False),
        (1_000, False, 5_000_000, True),
        (999, True, 10**8, True),
        (1_000, True, 10**8, False),
        (4_999, False, 10**12, True),
        (5_000, False, 10**12, False),
    ],
)
def test_open_orders_are_limited_by_volume(open_now: int, reduce_only: bool, volume_usd: int, may: bool) -> None:
    assert budget.may_open(open_now, reduce_only, volume_usd * 10**6) is may


_CALLS = st.lists(
    st.tuples(st.integers(1, 4_000), st.booleans(), st.integers(0, 20 * S), st.integers(0, 3_000 * 10**6)), max_size=60
)


@given(_CALLS, st.integers(0, 5_000))
def test_nobody_sends_more_than_he_earned_bought_and_waited_for(
    calls: list[tuple[int, bool, int, int]], bought: int
) -> None:
    purse, t_ns, credit, sent = Budget(), 0, 0, 0
    slow: list[int] = []
    for entries, is_cancel, wait_ns, traded_e6 in calls:
        t_ns += wait_ns
        credit += traded_e6
        means, before = Means(credit, bought), purse.sent
        refused = purse.charge(entries, is_cancel, means, t_ns)
        assert purse.sent - before == (0 if refused else entries)
        sent += 0 if refused else entries
        limit = action_cap(credit) - 1
        most = min(limit + 100_000, 2 * limit) if is_cancel else limit
        if refused is None and purse.sent - bought > most:
            assert entries == 1
            assert all(t_ns - other >= 10 * S for other in slow)
            slow.append(t_ns)
    assert purse.sent == sent
    assert purse.used(bought) - purse.surplus(bought) == purse.sent - bought


@given(st.integers(0, 10**18))
def test_amounts_are_printed_without_trailing_zeros(e6: int) -> None:
    text = dollars(e6)
    whole, _, fraction = text.partition(".")
    assert int(whole) * 10**6 + int(fraction.ljust(6, "0") or 0) == e6
    assert not ("." in text and text.endswith("0"))
