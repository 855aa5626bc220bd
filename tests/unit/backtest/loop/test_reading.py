"""What executor and riskd know of the account, and when they say so."""

from __future__ import annotations

from typing import Any

import pytest

from backtest.loop import account as ac
from backtest.loop import layout as lo
from backtest.loop import own as ow
from backtest.loop import reading as rd
from backtest.loop.account import Charges
from backtest.loop.guard import guard, new_guard
from backtest.loop.market import log_fill
from common.clock import MS
from common.config import Risk
from common.kernel import istate, state
from quoter.state import NS, S_EQUITY, new_state
from riskd.streak import COUNT

T0 = 1_767_657_600 * NS
PX = 9_300_000
EQUITY_E8 = 1_000 * 10**8
CHARGES = Charges(maker_ppb=30_000, taker_ppb=450_000, leverage=10, max_leverage=20, equity_usd=1_000.0)


def an_own(**places: int) -> Any:
    """An executor and a riskd that know of 1,000 USD and have nothing due."""
    own = ow.new_own()
    rd.begin_reading(own, lo.NEVER, 30 * NS, EQUITY_E8)
    own[ow.OW_BASE_E8] = EQUITY_E8
    for name, value in places.items():
        own[getattr(ow, f"OW_{name}")] = value
    return own


def an_account() -> Any:
    account = ac.new_account(CHARGES, T0)[0]
    account[ac.A_MARK] = account[ac.A_ORACLE] = PX
    return account


def a_clock() -> Any:
    config = istate(lo.CF_LEN)
    config[lo.CF_TICK], config[lo.CF_PACE], config[lo.CF_PLAN] = 50 * MS, 20 * MS, 200 * MS
    return config


def some_fills(*fills: tuple[int, int, int]) -> tuple[Any, Any]:
    """Bids of ours filled at (time, px, sz), all heard of; the log and the desk."""
    log, desk = lo.new_log(8, lo.FILL_STRIDE), lo.new_desk()
    for t_ns, px, sz in fills:
        log_fill(desk, an_account(), log, t_ns, 0, 1, px, sz, 0.0, 0)
        desk[lo.D_HEARD_N] += 1
    return log, desk


# ---------------------------------------------------------------------- riskd
def test_a_due_permit_is_of_what_riskd_had_read_before() -> None:
    own = an_own(PERMIT_T=T0, JUDGE_T=T0, STATE_E8=EQUITY_E8 - 7)
    assert rd.begin_judging(own, an_account(), T0, a_clock(), T0) == 1
    assert own[ow.OW_RISK_E8] == EQUITY_E8
    assert rd.begin_judging(own, an_account(), T0, a_clock(), T0) == 0
    assert own[ow.OW_RISK_E8] == EQUITY_E8 - 7
    assert rd.reading_due(own) == T0 + ac.LOOK_NS


def test_riskd_looks_again_when_its_pause_ends_and_when_a_mark_is_told() -> None:
    account = an_account()
    account[ac.A_PAUSE_T] = T0 + 60 * NS
    own = an_own(JUDGE_T=T0, NEW_PRICE_T=T0 + 110 * MS)
    rd.begin_judging(own, account, T0, a_clock(), T0)
    assert own[ow.OW_JUDGE_T] == T0 + 150 * MS
    rd.begin_judging(own, account, T0, a_clock(), T0 + 150 * MS)
    assert own[ow.OW_JUDGE_T] == T0 + 60 * NS


def test_another_row_of_the_table_is_told_at_once_though_the_mode_is_the_same() -> None:
    knobs, rows, figures, verdict, losing = new_guard(Risk.model_validate({}))
    account, (log, desk) = an_account(), some_fills()

    def differs() -> int:
        return int(guard(account, desk, log, 0, EQUITY_E8, 0.0, PX, T0, knobs, rows, figures, verdict, losing))

    assert differs() == 0
    losing[COUNT] = 3.0
    assert differs() == 1
    assert account[ac.A_MODE] == 0
    assert differs() == 0


def test_no_fill_is_scored_where_half_a_minute_has_no_mid() -> None:
    knobs, _, _, _, losing = new_guard(Risk.model_validate({}))
    channel = istate(4096)
    for quiet_s, lost in ((1, 1.0), (31, 0.0)):
        losing[COUNT] = 0.0
        log, desk = some_fills((T0 - 5 * NS - 1, PX, 5))
        own = an_own(MID2=2 * PX - 2_000, MID_T=T0 - quiet_s * NS)
        rd.score_touch(own, an_account(), log, T0, T0, channel, knobs, losing, desk)
        assert losing[COUNT] == lost


# ---------------------------------------------------------------------- the executor
@pytest.mark.parametrize(
    ("due_ms", "look_ms"),
    [(500, 500), (501, 550), (740, 750), (751, 760), (761, 800)],
    ids=["both", "the clock", "the clock again", "the facts", "the facts are over"],
)
def test_the_executor_looks_by_its_clock_and_as_the_feed_repeats_the_facts(due_ms: int, look_ms: int) -> None:
    found = rd.next_look(T0, a_clock(), T0 + due_ms * MS)
    assert (found - T0) // MS == look_ms


def test_market_data_wakes_the_executor_to_tell_an_account_that_is_due() -> None:
    own = an_own(TELL_T=T0 + 530 * MS, STATE_T=T0 + 550 * MS)
    rd.look_soon(own, T0, 20 * MS, T0 + 505 * MS)
    assert own[ow.OW_STATE_T] == T0 + 550 * MS
    rd.look_soon(own, T0, 20 * MS, T0 + 525 * MS)
    assert own[ow.OW_STATE_T] == T0 + 540 * MS


def test_an_account_is_told_half_a_second_after_it_was_told() -> None:
    own, (log, desk), told = an_own(STATE_T=T0), some_fills(), new_state()[0]
    own[ow.OW_BASE_E8] += 5
    rd.tell_account(own, an_account(), desk, log, told, T0, a_clock(), T0)
    assert own[ow.OW_STATE_T] == T0 + 500 * MS
    assert own[ow.OW_JUDGE_T] == T0
    assert told[S_EQUITY] == (EQUITY_E8 + 5) / 1e8


def test_an_account_that_a_permit_woke_is_read_at_riskds_next_look() -> None:
    own, (log, desk) = an_own(PERMIT_T=T0 + ac.LOOK_NS), some_fills()
    rd.tell_account(own, an_account(), desk, log, state(S_EQUITY + 1), T0, a_clock(), T0)
    assert own[ow.OW_JUDGE_T] == T0 + 50 * MS


@pytest.mark.parametrize(("look_ms", "ladder_ms", "told_ms"), [(-10, -10, 50), (0, -10, 0), (-10, 0, 0)])
def test_a_look_at_everything_is_told_when_the_executor_is_woken_next(
    look_ms: int, ladder_ms: int, told_ms: int
) -> None:
    own = an_own(LOOK_T=T0 + look_ms * MS)
    rd.tell_whole(own, T0 - 50 * MS, a_clock(), 30 * NS, T0 + ladder_ms * MS, T0)
    assert own[ow.OW_STATE_T] == T0 + told_ms * MS


def test_funding_counts_from_its_telling_to_the_next_look_at_the_account() -> None:
    own, (log, desk), account = an_own(), some_fills(), an_account()
    rd.note_funding(own, -900, T0 + 100 * MS)
    assert rd.equity_known(own, desk, log, T0 + 99 * MS) == EQUITY_E8
    assert rd.equity_known(own, desk, log, T0 + 100 * MS) == EQUITY_E8 - 900
    account[ac.A_FUNDING_E8] = -900
    rd.look_at_account(own, account, desk, log, 0, T0, 20 * MS, T0 + 200 * MS)
    assert rd.equity_known(own, desk, log, T0 + 200 * MS) == EQUITY_E8 - 900
