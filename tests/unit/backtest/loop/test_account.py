"""An account pays exact fees and hourly funding, is liquidated and killed by the rules, and its parts add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backtest.loop import account as ac
from backtest.loop.account import Charges, Standing
from backtest.loop.layout import (
    D_LEN,
    FAIR_PARTS,
    FILL_FAIR,
    FILL_FEE,
    FILL_PX,
    FILL_SLOT,
    FILL_STRIDE,
    FILL_SZ,
    FILL_T,
    FILL_TAKER,
    LOG_ROWS,
    new_log,
)
from backtest.loop.market import log_fill
from backtest.playing import Money, Played, Replay
from backtest.tape import Context
from common.config import Risk
from common.kernel import istate, state
from quoter.state import NS, QUOTES_MAX
from riskd.limits import KILL
from simvenue.book.levels import new_book as new_levels
from simvenue.money.fees import fee_e8
from simvenue.money.funding import cash_e8
from simvenue.source import ASK_LEVEL, BID_LEVEL
from tests.unit.backtest.builders import ASK, BID, MID, T0, Script, a_quoter, random_market, run, seller, terms

OURS = MID - 930
CHARGES = Charges(maker_ppb=30_000, taker_ppb=450_000, leverage=10, max_leverage=20, equity_usd=1_000.0)


def money(played: Played) -> Money:
    assert played.money is not None
    return played.money


def sold_into_us() -> Script:
    """Our bid is filled at 0.5 s and the market stays."""
    return Script().open().at(0.5, seller(OURS - 10, 5_000)).calm(0.75, 20.0)


def held_u(played: Played) -> int:
    side = np.where(played.fills[:, FILL_SLOT] < QUOTES_MAX, 1, -1)
    return int((side * played.fills[:, FILL_SZ]).sum())


@pytest.mark.parametrize("seed", range(3))
def test_fees_are_the_venues_own_of_every_fill(seed: int) -> None:
    played = run(random_market(seed), a_quoter((0.5,)), terms(charges=CHARGES))
    fees = [fee_e8(int(px * sz), 30_000) for px, sz in played.fills[:, [FILL_PX, FILL_SZ]]]
    assert len(fees) > 3
    assert played.fills[:, FILL_FEE].tolist() == fees
    assert money(played).fees_e8 == sum(fees)


@pytest.mark.parametrize("seed", range(3))
def test_an_account_that_only_watches_changes_nothing(seed: int) -> None:
    free, watched = (run(random_market(seed), a_quoter((0.5,)), terms(charges=charges)) for charges in (None, CHARGES))
    assert np.array_equal(free.fills[:, : FILL_SZ + 1], watched.fills[:, : FILL_SZ + 1])
    assert free.actions == watched.actions
    assert free.money is None


def test_the_change_of_equity_is_the_sum_of_its_parts() -> None:
    played = run(sold_into_us(), a_quoter((1.0,), cap_usd=150.0), terms(charges=CHARGES))
    found, position = money(played), held_u(played)
    assert position > 0
    cash = -int((played.fills[:, FILL_PX] * played.fills[:, FILL_SZ]).sum())
    mark = (BID + ASK) // 2
    left = found.equity_e8 - 1_000 * 10**8 + found.fees_e8 - found.funding_e8
    assert left == pytest.approx((cash + position * mark) * 100, abs=position * 1_000 * 100)


def test_funding_is_paid_by_the_hour_at_the_tapes_own_rate() -> None:
    script = Script().open().at(0.5, seller(OURS - 10, 5_000)).calm(0.75, 8.0)
    hour = (T0 // (3_600 * NS) + 1) * 3_600
    script.at(hour - T0 / NS + 1.0, (BID_LEVEL, BID, 1_003)).calm(hour - T0 / NS + 2.0, hour - T0 / NS + 4.0)
    tape = script.tape()
    told = Context(np.array([T0]), np.array([MID]), np.array([MID]), np.array([0.0001]))
    object.__setattr__(tape, "context", told)
    script.tape = lambda: tape  # type: ignore[method-assign]
    played = run(script, a_quoter((1.0,), cap_usd=150.0), terms(charges=CHARGES))
    bought = played.fills[played.fills[:, FILL_T] < T0 + 3_600 * NS]
    position = int(bought[:, FILL_SZ].sum())
    assert position > 0
    assert money(played).funding_e8 == cash_e8(position, MID, 1_000_000)


def test_the_venue_samples_every_5_s_and_pays_at_the_full_hour() -> None:
    first_t = T0 + 3_590 * NS + 100_000_000
    account, sums = ac.new_account(CHARGES, first_t)
    tape = istate(0), istate(0), istate(0), state(0)
    book = new_levels(1), new_levels(-1), istate(64), istate(64), istate(64)
    looks: list[int] = []
    samples: list[int] = []
    while account[ac.A_DUE_T] <= first_t + 11 * NS:
        now = int(account[ac.A_DUE_T])
        account[ac.A_ORACLE] = MID
        next_t = int(account[ac.A_SAMPLE_T])
        ac.look(account, sums, istate(D_LEN), 0, now, *tape, *book)
        looks.append(now)
        if account[ac.A_SAMPLE_T] != next_t:
            samples.append(now)
    assert samples == [first_t, first_t + 5 * NS, first_t + 10 * NS]
    assert T0 + 3_600 * NS in looks
    assert [t for t in looks if t != T0 + 3_600 * NS] == [first_t + k * ac.LOOK_NS for k in range(45)]
    assert account[ac.A_HOUR_T] == T0 + 7_200 * NS


def test_a_fills_fair_price_keeps_its_last_bit() -> None:
    fair = float(9_300_000 + 2**-29)
    log, desk = new_log(4, FILL_STRIDE), istate(D_LEN)
    log_fill(desk, istate(ac.A_LEN), log, T0, 0, 1, OURS, 5, fair, 0)
    assert log[LOG_ROWS + FILL_FAIR] / FAIR_PARTS == fair


def test_oracle_is_the_mid_of_an_update_ago_and_the_mark_a_median() -> None:
    account, _ = ac.new_account(CHARGES, T0)
    account[ac.A_LAST] = 1_020
    told = istate(0), istate(0), istate(0)
    assert ac.price(account, 2_000, T0, *told) == 1_000
    assert ac.price(account, 2_010, T0 + 3 * NS, *told) == 1_000
    assert account[ac.A_MARK] == 1_005


def test_an_account_below_maintenance_is_sold_out_and_killed() -> None:
    script = Script().open().at(0.5, seller(OURS - 10, 5_000)).calm(0.75, 3.0)
    fallen = BID - 60_000
    script.at(
        3.1, (BID_LEVEL, BID, 0), (BID_LEVEL, BID - 100, 0), (BID_LEVEL, fallen, 9_000), (ASK_LEVEL, fallen + 20, 50)
    ).calm(3.2, 4.0)
    for k in range(60):
        script.at(4.0 + k * 0.25, (ASK_LEVEL, fallen + 20, 50 + k % 2))
    poor = Charges(30_000, 450_000, 10, 20, equity_usd=1.0)
    played = run(
        script, a_quoter((1.0,), cap_usd=150.0), terms(charges=poor, risk=Risk.model_validate({}), seconds=3.0)
    )
    found = money(played)
    assert found.liquidations == 1
    assert held_u(played) == 0
    assert played.fills[-1, FILL_TAKER] == 1
    assert found.mode == KILL
    assert "liquidation" in found.killed_by or "session_loss" in found.killed_by or "drawdown" in found.killed_by


def test_a_loss_beyond_the_sessions_kills_and_flattens_with_a_taker() -> None:
    script = Script().open().at(0.5, seller(OURS - 10, 5_000)).calm(0.75, 3.0)
    fallen = BID - 60_000
    script.at(
        3.1, (BID_LEVEL, BID, 0), (BID_LEVEL, BID - 100, 0), (BID_LEVEL, fallen, 9_000), (ASK_LEVEL, fallen + 20, 50)
    )
    for k in range(60):
        script.at(3.2 + k * 0.25, (ASK_LEVEL, fallen + 20, 50 + k % 2))
    small = Charges(30_000, 450_000, 10, 20, equity_usd=10.0)
    played = run(script, a_quoter((1.0,), cap_usd=150.0), terms(charges=small, risk=Risk.model_validate({})))
    found = money(played)
    assert found.killed_t_ns > T0 + 3 * NS
    assert {"session_loss", "drawdown"} & set(found.killed_by)
    assert found.liquidations == 0
    assert held_u(played) == 0
    assert found.taken_e6 > 0
    assert played.fills[-1, FILL_TAKER] == 1
    after = played.fills[played.fills[:, FILL_T] > found.killed_t_ns + NS]
    assert not np.any(after[:, FILL_TAKER] == 0)


def test_without_budget_requests_are_refused_and_what_rests_stays() -> None:
    account, _ = ac.new_account(Charges(30_000, 450_000, 10, 20, 1_000.0, has_budget=True), T0)
    desk = istate(D_LEN)
    account[ac.A_SENT] = 9_999
    assert ac.charge_action(account, desk, 1, T0) == 1  # one every ten seconds still passes
    assert ac.charge_action(account, desk, 1, T0 + NS) == 0
    assert ac.charge_action(account, desk, 3, T0 + NS) == 1  # a cancel has an allowance of its own
    assert account[ac.A_OVER] == 1


def test_what_earlier_spans_sent_and_earned_counts_against_the_budget() -> None:
    before = Standing(10**11, 10**11, -1, 0, sent=10_050, earned_e6=60 * 10**6, killed_t_ns=0, kill_rows=0)
    account, _ = ac.new_account(Charges(30_000, 450_000, 10, 20, 1_000.0, has_budget=True, standing=before), T0)
    desk = istate(D_LEN)
    taken = [ac.charge_action(account, desk, 1, T0 + k) for k in range(12)]
    assert taken == [1] * 10 + [0, 0]  # nine within the cap less one, and the one in ten seconds
    assert (account[ac.A_SENT], account[ac.A_OVER]) == (10, 2)


def test_an_account_goes_on_where_the_span_before_left_it() -> None:
    first = Replay(random_market(2).tape(), a_quoter((0.5,)), terms(charges=CHARGES))
    first.go()
    left, told = first.standing, money(first.played())
    assert left.equity_e8 == told.equity_e8 != 10**11
    assert left.peak_e8 >= 10**11
    assert 10_000 + left.earned_e6 // 10**6 - left.sent == told.actions_left
    second = Replay(random_market(3).tape(), a_quoter((0.5,)), terms(charges=replace(CHARGES, standing=left)))
    begun = second.standing
    assert (begun.equity_e8, begun.sent, begun.earned_e6) == (left.equity_e8, left.sent, left.earned_e6)
    second.go()
    alone = run(random_market(3), a_quoter((0.5,)), terms(charges=CHARGES))
    assert second.standing.equity_e8 - left.equity_e8 == money(alone).equity_e8 - 10**11
    assert second.standing.sent - left.sent == money(alone).actions_counted


def test_who_was_killed_stays_killed_in_the_next_span() -> None:
    killed = Standing(10**11, 10**11, -1, 0, 0, 0, killed_t_ns=T0 - NS, kill_rows=1)
    conditions = terms(charges=replace(CHARGES, standing=killed), risk=Risk.model_validate({}))
    assert run(random_market(2), a_quoter((0.5,)), terms(charges=CHARGES)).placed > 0
    stopped = run(random_market(2), a_quoter((0.5,)), conditions)
    assert money(stopped).killed_t_ns == T0 - NS
    assert len(stopped.fills) == 0


def test_actions_counted_are_those_that_arrived() -> None:
    played = run(random_market(2), a_quoter((0.5,)), terms(charges=CHARGES))
    assert 0 < money(played).actions_counted <= played.actions
    assert (
        money(played).actions_left
        == 10_000
        + int((played.fills[:, FILL_PX] * played.fills[:, FILL_SZ]).sum() // 10**6)
        - money(played).actions_counted
    )
