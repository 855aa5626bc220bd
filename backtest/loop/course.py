"""Where a replay stands, so that it can be stopped at a time and gone on with: one vector, and what is outside of it.

Several markets of one account are played in turns of `TURN_NS` (`backtest/together.py`): each goes up to the same time,
then all are told what the account came to in the others. A replay of its own is one turn without end. Times ns of the
recording.
"""

from __future__ import annotations

from typing import Any

from backtest.loop.layout import NEVER
from common.kernel import istate, kernel

(
    C_UNTIL_T,  # nothing of this time or later is played in this turn
    C_BEGUN,  # 1 = the replay has begun
    C_MARKET,  # next instant of the venue's
    C_VIEW,  # next instant we are told
    C_PULL_T,  # when silence makes us cancel, NEVER = not now
    C_STOPPED,  # 1 = quoting is over
    C_STEP_T,  # next decision by the clock
    C_ENDED,  # 1 = nothing more can come
    C_PLAN_T,  # the executor's next plan
    C_DECIDE_T,  # the quoter's next decision and renewal
    C_RENEW_T,
    C_TELL_FAST_T,  # the venue's next fast and deep book
    C_TELL_DEEP_T,
    C_LEN,
) = range(14)

TIMERS = (C_PULL_T, C_STEP_T, C_PLAN_T, C_DECIDE_T, C_RENEW_T, C_TELL_FAST_T, C_TELL_DEEP_T)


def new_course() -> Any:
    """A replay that has not begun, in one turn."""
    course = istate(C_LEN)
    for place in (C_UNTIL_T, *TIMERS):
        course[place] = NEVER
    return course


@kernel("i8(i8, i8, i8)")
def next_tick(origin_ns: int, t_ns: int, tick_ns: int) -> int:
    """The first look at the clock at `t_ns` or later."""
    return origin_ns + -((origin_ns - t_ns) // max(tick_ns, 1)) * max(tick_ns, 1)
