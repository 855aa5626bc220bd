"""Several markets of one account played in turns: each goes up to the same time, then all hear of the others.

What markets have in common is the account: its equity (so drawdown, session loss and liquidation), the margin in use,
the taker share, the action budget, and riskd's word - one permit for all, so a pause or a kill in one stops the others.
They hear of each other every `TURN_NS`; within a turn each knows the others as they were at its begin. Prices, books,
queues and forecasts have nothing to do with each other. At the venue markets of different dexes hold their collateral
apart; here it is one account. Money 1e-8 quote.
"""

from __future__ import annotations

from collections.abc import Sequence

from backtest.loop.account import (
    A_CREDIT_SHARE,
    A_KILL_ROWS,
    A_KILLED_T,
    A_LEVERAGE,
    A_MARK,
    A_MAX_LEVERAGE,
    A_OTHERS_E6,
    A_OTHERS_E8,
    A_OTHERS_EARNED_E6,
    A_OTHERS_FILLS,
    A_OTHERS_MARGIN_E8,
    A_OTHERS_NEED_E8,
    A_OTHERS_SENT,
    A_OTHERS_TAKEN_E6,
    A_PAUSE_T,
    A_SENT,
    A_START_E8,
    A_TAKEN_E6,
    equity_e8,
)
from backtest.loop.layout import D_VOLUME, LOG_N
from backtest.playing import Played, Replay
from common.clock import NS
from simvenue.money.margin import half_initial_e8, initial_e8

TURN_NS = NS
OTHERS = (
    A_OTHERS_E8, A_OTHERS_MARGIN_E8, A_OTHERS_NEED_E8, A_OTHERS_E6, A_OTHERS_TAKEN_E6, A_OTHERS_EARNED_E6,
    A_OTHERS_SENT, A_OTHERS_FILLS,
)  # fmt: skip


def play_together(replays: Sequence[Replay], first_t_ns: int, turn_ns: int = TURN_NS) -> list[Played]:
    """Play all to their ends; a market that has ended keeps what it holds, at its last mark."""
    until = (first_t_ns // turn_ns + 1) * turn_ns
    going = list(replays)
    while going:
        for one in going:
            one.go(until)
        tell(replays)
        going = [one for one in going if not one.has_ended]
        until += turn_ns
    return [one.played() for one in replays]


def tell(replays: Sequence[Replay]) -> None:
    """Everybody hears what the account is without him, until when it is paused, and that it was killed."""
    shares = [_share(one) for one in replays]
    whole = [sum(column) for column in zip(*shares, strict=True)]
    paused = max(int(one.account[A_PAUSE_T]) for one in replays)
    killed = min((one for one in replays if one.account[A_KILLED_T]), key=_killed_t, default=None)
    for one, own in zip(replays, shares, strict=True):
        for place, total, mine in zip(OTHERS, whole, own, strict=True):
            one.account[place] = total - mine
        one.account[A_PAUSE_T] = paused
        if killed is not None and one.account[A_KILLED_T] == 0:
            one.account[A_KILLED_T], one.account[A_KILL_ROWS] = killed.account[A_KILLED_T], killed.account[A_KILL_ROWS]


def _killed_t(one: Replay) -> int:
    return int(one.account[A_KILLED_T])


def _share(one: Replay) -> tuple[int, ...]:
    """What one market adds to the account, in the order of `OTHERS`."""
    account, position = one.account, one.position_u
    held_e6 = abs(position) * int(account[A_MARK])
    added = int(equity_e8(account, one.desk, position)) - int(account[A_START_E8]) - int(account[A_OTHERS_E8])
    return (
        added, int(initial_e8(held_e6, account[A_LEVERAGE])), int(half_initial_e8(held_e6, account[A_MAX_LEVERAGE])),
        int(one.desk[D_VOLUME]), int(account[A_TAKEN_E6]), int(one.desk[D_VOLUME]) // int(account[A_CREDIT_SHARE]),
        int(account[A_SENT]), int(one.fills[LOG_N]),
    )  # fmt: skip
