"""Position and equity between two looks at the venue."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from common.clock import MS, NS
from common.messages import FundingPayment, Side
from executor.account import DIFFERENCES_MAX, Account
from executor.events import AccountSeen, Holding
from executor.governor import Governor
from tests.unit.executor.builders import COIN, MID_U, T0, a_fill, an_account, settings

E8 = 10**8


def account(signed_u: int = 0) -> Account:
    found = Account(COIN)
    found.on_mark(MID_U)
    found.on_seen(an_account(signed_u, t_ns=T0))
    return found


def test_nothing_is_known_before_the_first_look() -> None:
    found = Account(COIN)
    assert not found.known
    assert found.state(T0, Governor(settings().execution), 0, 0, "start") is None


def test_a_later_fill_moves_position_and_equity() -> None:
    """100 lots of 0.001 bought 0.2 below the mark: +$0.02, less the fee."""
    found = account()
    assert found.on_fill(a_fill(t_ns=T0 + NS, fee_e8=2_000))
    assert found.position_u == 100
    assert found.equity_e8 == 1000 * E8 + 100 * 200 * 100 - 2_000


def test_a_fill_counts_once() -> None:
    found = account()
    assert found.on_fill(a_fill(t_ns=T0 + NS))
    assert not found.on_fill(a_fill(t_ns=T0 + NS))
    assert found.position_u == 100


def test_a_fill_from_before_the_look_is_in_it() -> None:
    found = account(100)
    found.on_fill(a_fill(t_ns=T0 - NS))
    assert found.position_u == 100


def test_a_fill_of_the_same_millisecond_is_told_by_the_position_before_it() -> None:
    before = account(0)
    before.on_fill(a_fill(t_ns=T0, start_u=0))
    assert before.position_u == 100
    after = account(100)
    after.on_fill(a_fill(t_ns=T0, start_u=0))
    assert after.position_u == 100


def test_a_newer_look_takes_over() -> None:
    found = account()
    found.on_fill(a_fill(t_ns=T0 + NS))
    found.on_seen(an_account(100, t_ns=T0 + 2 * NS))
    assert found.position_u == 100
    assert found.equity_e8 == 1000 * E8


def test_an_older_look_is_left_out() -> None:
    found = account(5)
    assert not found.on_seen(an_account(0, t_ns=T0 - NS))
    assert found.position_u == 5


def test_equity_follows_the_mark() -> None:
    found = account(1000)
    found.on_mark(MID_U + 1_000)
    assert found.equity_e8 == 1000 * E8 + 1000 * 1_000 * 100


def test_funding_after_the_look_counts_until_the_next() -> None:
    found = account(1000)
    payment = FundingPayment(T0, COIN, T0 + NS, -5_000, 0.0001, 1000)
    assert found.on_funding(payment)
    assert not found.on_funding(payment)
    assert found.equity_e8 == 1000 * E8 - 5_000
    found.on_seen(an_account(1000, t_ns=T0 + 2 * NS))
    assert found.equity_e8 == 1000 * E8


def test_a_lasting_difference_is_told_and_a_passing_one_is_not() -> None:
    found = account()
    for i in range(1, DIFFERENCES_MAX):
        found.on_seen(an_account(100, t_ns=T0 + i * NS))
    assert found.agrees
    found.on_fill(a_fill(t_ns=T0 + NS // 2))  # the fill behind it arrives late
    found.on_seen(an_account(100, t_ns=T0 + 20 * NS))
    assert found.differences == 0
    for i in range(DIFFERENCES_MAX):
        found.on_seen(an_account(300, t_ns=T0 + (30 + i) * NS))
    assert not found.agrees
    found.accept()
    assert found.agrees


def test_taker_share_is_by_notional_over_a_day_of_market_time() -> None:
    found = account()
    found.on_fill(a_fill(tid=1, t_ns=T0 + NS, sz_u=300))
    found.on_fill(a_fill(tid=2, t_ns=T0 + NS, sz_u=100, taker=True))
    assert abs(found.taker_ratio(T0 + 2 * NS) - 0.25) < 1e-9
    assert found.taker_ratio(T0 + 86_402 * NS) == 0.0


def test_what_earlier_lives_recorded_is_known_and_counts_once() -> None:
    found = account()
    past = [a_fill(tid=9, t_ns=T0 - NS, taker=True)]
    found.seed(past, [])
    found.seed(past, [])
    assert not found.on_fill(past[0])
    assert found.taker_ratio(T0) == 1.0


def test_the_message_shows_the_position_with_its_later_fills() -> None:
    found = account(100)
    found.on_fill(a_fill(t_ns=T0 + NS, px_u=MID_U - 400, start_u=100))
    state = found.state(T0 + NS, Governor(settings().execution), 3, 1, "")
    assert state is not None
    position = state.positions[0]
    assert (position.signed_u, position.entry_px) == (200, MID_U - 200)
    assert position.unrealised_e8 == 200 * 200 * 100
    assert (state.reconciled, state.open_orders, state.unknown_orders) == (True, 3, 1)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=type(state)) == state


@given(st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 50), st.integers(0, 2)), max_size=20), st.data())
def test_position_is_the_venues_in_whatever_order_fills_and_looks_arrive(
    trades: list[tuple[Side, int, int]], data: st.DataObject
) -> None:
    """Truth: a position after each trade. One look a millisecond, at any place among its fills; all else shuffled."""
    t_ns, held, fills = T0 + NS, 0, []
    shown: dict[int, list[int]] = {}
    for tid, (chosen, sz_u, gap_ms) in enumerate(trades):
        t_ns += gap_ms * MS
        side = fills[-1].side if fills and not gap_ms else chosen  # no round trip within a millisecond
        fills.append(a_fill(side, sz_u, tid=tid, t_ns=t_ns, start_u=held))
        shown.setdefault(t_ns, [held]).append(held + side * sz_u)
        held += side * sz_u
    looks = []
    for at_ns, positions in shown.items():
        signed_u = data.draw(st.sampled_from(positions))
        rows = (Holding(COIN, signed_u, float(MID_U), 0, 0),) if signed_u else ()
        looks.append(AccountSeen(at_ns, 1000 * E8, 0, 0, rows))
    found = account()
    for event in data.draw(st.permutations([*fills, *fills[:3], *looks])):
        if isinstance(event, AccountSeen):
            found.on_seen(event)
        else:
            found.on_fill(event)
    assert found.position_u == held
