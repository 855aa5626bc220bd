"""The smaller rooms of riskd: what a session remembers, the taker window, and two opinions."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.messages import Fill, Liquidity, Position, Side
from riskd.opinions import Opinions
from riskd.session import COMMANDS_KEPT, DAY_NS, Session, load
from riskd.taker import WINDOW_NS, TakerWindow

S = 1_000_000_000
T0 = 1_780_000_000 * S


def a_fill(t_ns: int, tid: int, *, taker: bool = False, sz_u: int = 10) -> Fill:
    liquidity = Liquidity.TAKER if taker else Liquidity.MAKER
    return Fill(t_ns, "BTC", t_ns, tid, 1, "", Side.BID, 100, sz_u, 0, liquidity, 0)


def test_a_session_begins_at_the_first_equity_and_the_peak_only_rises() -> None:
    session = Session()
    assert not session.began
    assert session.drawdown(5) == session.loss_share(5, 100.0, 0.1) == 0.0
    assert session.on_equity(T0, 1_000)
    assert not session.on_equity(T0, 990)
    assert session.on_equity(T0, 1_010)
    assert session.drawdown(909) == 101 / 1_010
    assert session.drawdown(2_000) == 0.0


def test_a_session_may_lose_the_smaller_of_an_amount_and_a_share_of_its_start() -> None:
    session = Session()
    assert session.loss_limit_usd(100.0, 0.1) == 0.0, "it has not begun"
    session.on_equity(T0, 400 * 10**8)
    assert session.loss_limit_usd(100.0, 0.1) == pytest.approx(40.0)
    assert session.loss_limit_usd(30.0, 0.1) == 30.0


def test_a_late_start_is_not_kinder_than_the_fills() -> None:
    session = Session()
    session.on_equity(T0, 950, earned_e8=-50)
    assert (session.start_e8, session.peak_e8) == (1_000, 1_000)
    winner = Session()
    winner.on_equity(T0, 1_050, earned_e8=50)
    assert (winner.start_e8, winner.peak_e8) == (1_000, 1_050)


def test_commands_are_remembered_up_to_a_bound() -> None:
    session = Session()
    assert not session.heard("a")
    assert session.heard("a")
    for i in range(COMMANDS_KEPT + 5):
        session.heard(str(i))
    assert len(session.commands) == COMMANDS_KEPT


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 2**60),
    st.integers(-(10**17), 10**17),
    st.floats(0, 1e9),
    st.booleans(),
    st.lists(st.text(max_size=20), max_size=5),
)
def test_a_session_survives_the_disk(epoch: int, start: int, streak: float, paused: bool, commands: list[str]) -> None:
    session = Session("a", epoch, 3, start, start, streak, streak, paused, commands=commands)
    assert load(session.body(), "a") == session


def test_the_day_is_that_of_market_time() -> None:
    session = Session()
    session.on_equity(10 * DAY_NS - 1, 100)
    session.on_equity(10 * DAY_NS, 90)
    assert (session.day, session.start_e8, session.peak_e8) == (10, 90, 100)
    session.on_equity(9 * DAY_NS, 80)
    assert session.day == 10, "a clock that is set back begins no new day"


# ---------------------------------------------------------------------- taker window
@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 60))
def test_the_window_equals_a_plain_sum_in_any_order_of_arrival(seed: int, n: int) -> None:
    rng = random.Random(seed)
    fills = [
        a_fill(T0 + rng.randint(0, 2 * WINDOW_NS), tid, taker=rng.random() < 0.3, sz_u=rng.randint(1, 99))
        for tid in range(n)
    ]
    now = T0 + 2 * WINDOW_NS
    window = TakerWindow()
    arrivals = fills + fills[: n // 3]
    rng.shuffle(arrivals)
    for fill in arrivals:
        window.on_fill(fill)
    window.on_time(now)
    inside = [f for f in fills if f.venue_t_ns >= now - WINDOW_NS]
    taker = sum(f.px_u * f.sz_u for f in inside if f.liquidity is Liquidity.TAKER)
    total = sum(f.px_u * f.sz_u for f in inside)
    assert (window.taker_e6, window.total_e6, len(window)) == (taker, total, len(inside))
    assert window.ratio == (taker / total if total else 0.0)


# ---------------------------------------------------------------------- opinions
def held(*pairs: tuple[str, int]) -> list[Position]:
    return [Position(coin, signed_u, 1.0, 0, 0) for coin, signed_u in pairs]


def test_flat_coins_do_not_count_and_order_does_not_matter() -> None:
    opinions = Opinions()
    for second in range(30):
        opinions.on_account(held(("A", 1), ("B", -2), ("C", 0)), second * S)
        opinions.on_wallet(held(("B", -2), ("A", 1)), second * S)
        assert not opinions.mismatch(second * S)


def test_a_difference_in_another_coin_is_one() -> None:
    opinions = Opinions()
    for second in range(12):
        opinions.on_account(held(), second * S)
        opinions.on_wallet(held(("OTHER", 1)), second * S)
        assert opinions.mismatch(second * S) == (second > 10)


def test_one_agreement_starts_the_clock_anew() -> None:
    opinions = Opinions()
    for second in range(40):
        opinions.on_account(held(), second * S)
        opinions.on_wallet(held() if second % 9 == 8 else held(("A", 1)), second * S)
        assert not opinions.mismatch(second * S)
