"""The action budget: what may be spent, on what, and what happens when it is gone."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from common.clock import NS
from common.messages import Level, Side
from executor.diff import MISSING_BPS, Change, What
from executor.governor import Governor, scale, worth_bps
from tests.unit.executor.builders import MID_U, settings

HOLD = 0.3


def governor(used: int = 0, cap: int = 10_000, **changes: float) -> Governor:
    found = Governor(settings(**changes).execution)
    found.reconcile(used, cap)
    return found


def change(what: What, bps: float = 1.0, *, side: Side = Side.BID, px_u: int = MID_U - 200, sz_u: int = 100) -> Change:
    return Change(what, side, "" if what is What.NEW else f"c{px_u}", 1, px_u, sz_u, 0, px_u, bps)


def choose(found: Governor, changes: list[Change], measures: Any = None) -> list[Change]:
    """What a plan would send when nothing else speaks against it."""
    sent = []
    for worth, change in found.rank(changes, measures or scales()):
        if found.affords(worth, HOLD):
            found.take()
            sent.append(change)
    return sent


def scales(*px_u: int, sz_u: int = 100) -> dict[Side, Any]:
    return {side: scale([Level(p, sz_u) for p in px_u or (MID_U - 200,)], MID_U) for side in Side}


def test_the_budget_lasts_its_horizon() -> None:
    """10,000 less 1,000 in reserve over 24 h: 6.25 a minute."""
    assert abs(governor().rate_per_s(0) * 60 - 6.25) < 1e-9
    assert governor(used=9_500).rate_per_s(0) == 0.0


def test_each_open_order_keeps_actions_back() -> None:
    assert governor().rate_per_s(500) < governor().rate_per_s(0)


def test_tokens_rise_with_market_time_up_to_the_burst() -> None:
    found = governor(action_burst=60.0)
    found.tokens = 0.0
    found.refill(NS, 0)
    found.refill(97 * NS, 0)
    assert abs(found.tokens - 10.0) < 1e-6
    found.refill(10**6 * NS, 0)
    assert found.tokens == 60.0


def test_a_clock_that_steps_back_gives_nothing() -> None:
    found = governor()
    found.tokens = 5.0
    found.refill(100 * NS, 0)
    found.refill(50 * NS, 0)
    found.refill(100 * NS, 0)
    assert found.tokens == 5.0


def test_the_first_count_fills_the_bucket_with_a_hundredth_of_what_is_left() -> None:
    assert governor(used=0).tokens == 60.0
    assert governor(used=8_000).tokens == 10.0
    assert governor(used=9_999).tokens == 0.0


def test_later_counts_do_not_fill_it_again() -> None:
    found = governor()
    found.tokens = 3.0
    found.reconcile(10, 10_000)
    assert found.tokens == 3.0


def test_an_empty_budget_lets_nothing_pass() -> None:
    found = governor(used=10_000)
    assert choose(found, [change(What.OUTWARD, 50.0), change(What.NEW, 50.0)], scales()) == []


def test_a_full_bucket_lets_everything_pass() -> None:
    found = governor(action_burst=60.0)
    assert len(choose(found, [change(What.INWARD, 0.35), change(What.NEW, MISSING_BPS)], scales())) == 2


def test_outward_moves_come_first_then_worth_decides() -> None:
    found = governor()
    found.tokens = 2.0
    inward = [change(What.INWARD, bps, px_u=MID_U - 200 - i) for i, bps in enumerate((20.0, 30.0))]
    chosen = choose(found, [*inward, change(What.OUTWARD, 10.0)], scales(MID_U - 200))
    assert [c.what for c in chosen] == [What.OUTWARD, What.INWARD]
    assert chosen[1].gap_bps == 30.0


def test_the_price_rises_as_the_bucket_empties() -> None:
    found = governor(action_burst=60.0)
    prices = [found.price_bps(HOLD, tokens) for tokens in (60.0, 30.0, 6.0, 1.0)]
    assert prices[0] == 0.0
    assert abs(prices[1] - HOLD) < 1e-9
    assert prices == sorted(prices)
    assert found.price_bps(HOLD, 0.5) == float("inf")


def test_the_price_in_money_is_the_venues_at_half_a_bucket_and_nothing_at_a_full_one() -> None:
    found = governor(action_burst=60.0)
    prices = []
    for tokens in (60.0, 30.0, 6.0, 0.5):
        found.tokens = tokens
        prices.append(found.price_usd())
    assert prices[0] == 0.0
    assert abs(prices[1] - 0.0005) < 1e-12
    assert prices == sorted(prices)
    assert prices[3] == float("inf")


def test_where_actions_are_free_an_empty_bucket_has_no_price() -> None:
    found = governor(action_price_usd=0.0)
    found.tokens = 0.5
    assert found.price_usd() == 0.0


def test_what_is_worth_less_than_its_price_waits() -> None:
    found = governor(action_burst=60.0)
    found.tokens = 1.5
    assert choose(found, [change(What.INWARD, 0.5)], scales()) == []
    assert found.tokens == 1.5
    assert len(choose(found, [change(What.INWARD, 5.0)], scales())) == 1
    assert found.tokens == 0.5


def test_inner_and_larger_levels_are_worth_more() -> None:
    measure = scale([Level(MID_U - 200, 100), Level(MID_U - 1000, 100)], MID_U)
    inner, outer = change(What.INWARD), change(What.INWARD, px_u=MID_U - 1000)
    assert worth_bps(inner, measure) == 1.0
    assert abs(worth_bps(outer, measure) - 0.2) < 1e-9
    assert worth_bps(change(What.INWARD, sz_u=200), measure) == 2.0


def test_exhausted_means_cancels_only_until_the_next_count() -> None:
    found = governor()
    found.exhausted()
    found.refill(NS, 0)
    found.refill(100 * NS, 0)
    assert found.tokens == 0.0
    found.reconcile(5_000, 10_000)
    found.refill(200 * NS, 0)
    assert found.tokens > 0.0


@given(
    st.lists(st.tuples(st.floats(0.0, 5.0), st.integers(0, 20)), max_size=60),
    st.integers(0, 12_000),
)
def test_spending_never_passes_burst_plus_rate(steps: list[tuple[float, int]], used: int) -> None:
    """Over any span: tokens taken <= burst at its start + rate x time."""
    found = governor(used=used, action_burst=20.0)
    t_ns, taken = NS, 0
    found.refill(t_ns, 0)
    start = found.tokens
    rate = found.rate_per_s(0)
    for seconds, wanted in steps:
        t_ns += int(seconds * NS)
        found.refill(t_ns, 0)
        chosen = choose(found, [change(What.OUTWARD, 100.0, px_u=MID_U - i - 1) for i in range(wanted)], scales())
        taken += len(chosen)
        assert found.tokens >= -1e-9
    assert taken <= start + rate * (t_ns - NS) / NS + 1e-6
