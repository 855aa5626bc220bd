"""What executor, riskd and quoter know of market and account, and when: read at a pace, looked at now and then.

The executor reads market data every `CF_PACE`, so that a plan is made from the touch, mark and oracle of its last
look; it looks at the account every 2 s, and wholly every `RECONCILE`, adds the fills it has heard of since, and tells
what that comes to twice a second and after each fill. riskd makes its permits of what it was told. The places are those
of `own.py` (`OW_*`); a time that is now is not read yet. Times ns, money 1e-8 quote, prices px_u, sizes sz_u.
"""

from __future__ import annotations

from backtest.loop.account import A_LOOK, A_MARK, A_ORACLE, A_PAUSE_T, A_SCORED, E6_TO_E8, equity_e8
from backtest.loop.course import next_tick
from backtest.loop.guard import G_PAUSE_S, G_STREAK_PAUSE, LOSING_BPS
from backtest.loop.layout import (
    CF_PACE,
    CF_PLAN,
    CF_START,
    CF_TICK,
    D_HEARD_N,
    FILL_FEE,
    FILL_PX,
    FILL_SLOT,
    FILL_STRIDE,
    FILL_SZ,
    FILL_T,
    LOG_N,
    LOG_ROWS,
    NEVER,
)
from backtest.loop.own import (
    OW_ASK,
    OW_BASE_E8,
    OW_BASE_FILLS,
    OW_BASE_MARK,
    OW_BASE_T,
    OW_BASE_U,
    OW_BID,
    OW_JUDGE_T,
    OW_MARK,
    OW_MID2,
    OW_NEW_ASK,
    OW_NEW_BID,
    OW_NEW_MARK,
    OW_NEW_ORACLE,
    OW_NEW_PRICE_T,
    OW_NEW_T,
    OW_ORACLE,
    OW_PERMIT_T,
    OW_STATE_E8,
    OW_STATE_T,
)
from common.kernel import kernel
from quoter.layering import C_TOUCH
from quoter.state import NS, QUOTES_MAX, S_EQUITY, S_ORACLE
from riskd.streak import HORIZON_S, step

PERMIT, JUDGE, LOOKED_WHOLE = 1, 2, 4
MS = 1_000_000
ACCOUNT_NS = 2 * NS
STATE_NS = NS // 2
FACTS_NS = NS // 4
"""As in the shells: how often the executor looks at the account and tells it, how often the feed repeats what is."""


# ---------------------------------------------------------------------- the market
@kernel("void(i8[::1], i8, i8, i8)")
def read_market(own: list[int], origin_ns: int, pace_ns: int, now: int) -> None:
    """What was told before the last look that lies before `now` is what the executor knows."""
    if own[OW_NEW_T] > 0 and next_tick(origin_ns, own[OW_NEW_T], pace_ns) < now:
        own[OW_BID] = own[OW_NEW_BID]
        own[OW_ASK] = own[OW_NEW_ASK]
        own[OW_NEW_T] = 0
    if own[OW_NEW_PRICE_T] > 0 and next_tick(origin_ns, own[OW_NEW_PRICE_T], pace_ns) < now:
        own[OW_MARK] = own[OW_NEW_MARK]
        own[OW_ORACLE] = own[OW_NEW_ORACLE]


@kernel("void(i8[::1], i8[::1], i8, i8, i8)")
def note_touch(own: list[int], channel: list[int], origin_ns: int, pace_ns: int, now: int) -> None:
    """A touch was told at `now`."""
    read_market(own, origin_ns, pace_ns, now)
    own[OW_NEW_BID] = channel[C_TOUCH]
    own[OW_NEW_ASK] = channel[C_TOUCH + 2]
    own[OW_NEW_T] = now


@kernel("void(i8[::1], i8[::1], i8, i8, i8)")
def note_prices(own: list[int], account: list[int], origin_ns: int, pace_ns: int, told_t: int) -> None:
    """Mark and oracle of the venue set out, to be told at `told_t`."""
    read_market(own, origin_ns, pace_ns, told_t)
    own[OW_NEW_MARK] = account[A_MARK]
    own[OW_NEW_ORACLE] = account[A_ORACLE]
    own[OW_NEW_PRICE_T] = told_t


@kernel("void(i8[::1], f8[::1], i8)")
def hear_prices(own: list[int], state: list[float], now: int) -> None:
    """The quoter hears of an oracle when it is told."""
    if 0 < own[OW_NEW_PRICE_T] <= now:
        state[S_ORACLE] = float(own[OW_NEW_ORACLE])


# ---------------------------------------------------------------------- the account
@kernel("void(i8[::1], i8, i8)")
def begin_reading(own: list[int], ready_t: int, equity_e8: int) -> None:
    """The account is looked at, told and judged from `ready_t` on (NEVER: there is none)."""
    own[OW_BASE_T] = ready_t
    own[OW_STATE_T] = ready_t
    own[OW_PERMIT_T] = ready_t
    own[OW_STATE_E8] = equity_e8


@kernel("i8(i8[::1])", inline=True)
def reading_due(own: list[int]) -> int:
    """When one of them comes next."""
    return min(own[OW_BASE_T], own[OW_STATE_T], own[OW_PERMIT_T], own[OW_JUDGE_T])


@kernel("i8(i8[::1], i8[::1], i8[::1])")
def position_known(own: list[int], desk: list[int], fills: list[int]) -> int:
    """Position as the executor has it: what the account held when it was looked at, and the fills heard of since."""
    held = own[OW_BASE_U]
    for k in range(own[OW_BASE_FILLS], desk[D_HEARD_N]):
        at = LOG_ROWS + FILL_STRIDE * k
        held += fills[at + FILL_SZ] if fills[at + FILL_SLOT] < QUOTES_MAX else -fills[at + FILL_SZ]
    return held


@kernel("i8(i8[::1], i8[::1], i8[::1])")
def equity_known(own: list[int], desk: list[int], fills: list[int]) -> int:
    """Equity as the executor has it, at the newest mark it knows."""
    equity = own[OW_BASE_E8]
    mark = own[OW_MARK]
    if own[OW_BASE_MARK] > 0 and mark > 0:
        equity += own[OW_BASE_U] * (mark - own[OW_BASE_MARK]) * E6_TO_E8
    for k in range(own[OW_BASE_FILLS], desk[D_HEARD_N]):
        at = LOG_ROWS + FILL_STRIDE * k
        gained = fills[at + FILL_SZ] * ((mark if mark > 0 else fills[at + FILL_PX]) - fills[at + FILL_PX])
        if fills[at + FILL_SLOT] >= QUOTES_MAX:
            gained = -gained
        equity += gained * E6_TO_E8 - fills[at + FILL_FEE]
    return equity


@kernel("i8(i8[::1], i8[::1], i8[::1], i8[::1], i8, f8[::1], i8, i8[::1], i8, i8)")
def read_account(
    own: list[int], account: list[int], desk: list[int], fills: list[int], position: int, state: list[float],
    origin_ns: int, config: list[int], whole_ns: int, now: int,
) -> int:  # fmt: skip
    """All that is due at `now`; returns PERMIT, JUDGE (a permit when it says something new), LOOKED_WHOLE."""
    read_market(own, origin_ns, config[CF_PACE], now)
    ready_t = origin_ns + config[CF_START]
    found = 0
    if now >= own[OW_BASE_T]:
        own[OW_BASE_E8] = equity_e8(account, desk, position)
        own[OW_BASE_MARK] = own[OW_MARK]
        own[OW_BASE_U] = position
        own[OW_BASE_FILLS] = fills[LOG_N]
        if (now - ready_t) % max(whole_ns, 1) == 0:
            own[OW_STATE_T] = now
            found += LOOKED_WHOLE
        own[OW_BASE_T] = min(
            next_tick(origin_ns, now + 1, ACCOUNT_NS), next_tick(ready_t, now + 1, whole_ns)
        )  # fmt: skip
    if now >= own[OW_STATE_T]:
        own[OW_STATE_E8] = equity_known(own, desk, fills)
        own[OW_STATE_T] = next_tick(origin_ns, now + STATE_NS, config[CF_TICK])
        state[S_EQUITY] = float(own[OW_STATE_E8]) / 1e8
    if now >= own[OW_JUDGE_T]:
        own[OW_JUDGE_T] = NEVER
        found += JUDGE
    if now >= own[OW_PERMIT_T]:
        own[OW_PERMIT_T] = now + max(account[A_LOOK], 1)
        found += PERMIT
    return found


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, i8[::1], f8[::1], f8[::1], i8[::1])")
def score_touch(
    own: list[int], account: list[int], fills: list[int], t_ns: int, read_t: int, channel: list[int],
    knobs: list[float], losing: list[float], desk: list[int],
) -> int:  # fmt: skip
    """riskd reads a touch of venue time `t_ns` at `read_t`: fills whose 5 s are over by then; returns how many."""
    found = 0
    while account[A_SCORED] < desk[D_HEARD_N] and own[OW_MID2] > 0:
        at = LOG_ROWS + FILL_STRIDE * account[A_SCORED]
        if fills[at + FILL_T] // MS * MS + HORIZON_S * NS >= t_ns:
            break
        px = float(fills[at + FILL_PX])
        move = (0.5 * float(own[OW_MID2]) - px) / px * 1e4
        bps = move if fills[at + FILL_SLOT] < QUOTES_MAX else -move
        if step(losing, bps, px * float(fills[at + FILL_SZ]) * 1e-6, LOSING_BPS) >= knobs[G_STREAK_PAUSE]:
            account[A_PAUSE_T] = read_t + int(knobs[G_PAUSE_S] * NS)
        account[A_SCORED] += 1
        found += 1
    if channel[C_TOUCH] > 0 and channel[C_TOUCH + 2] > 0:
        own[OW_MID2] = channel[C_TOUCH] + channel[C_TOUCH + 2]
    if found > 0:
        own[OW_JUDGE_T] = read_t
    return found


@kernel("void(i8[::1], i8, i8[::1], i8)")
def tell_soon(own: list[int], origin_ns: int, config: list[int], now: int) -> None:
    """A fill was heard of at `now`: the account is told at the executor's next look at the clock or the market."""
    if own[OW_STATE_T] < NEVER:
        own[OW_STATE_T] = min(next_tick(origin_ns, now, config[CF_TICK]), next_tick(origin_ns, now, config[CF_PACE]))


# ---------------------------------------------------------------------- the clock
@kernel("i8(i8, i8[::1], i8)")
def next_plan(origin_ns: int, config: list[int], planned_t: int) -> int:
    """When the executor looks whether a plan of `planned_t` is to be made anew: by its clock, or as it reads facts."""
    due_t = planned_t + config[CF_PLAN]
    by_clock = next_tick(origin_ns, due_t, config[CF_TICK])
    facts_t = next_tick(origin_ns, due_t - config[CF_PACE] + 1, FACTS_NS)
    by_facts = next_tick(origin_ns, facts_t, config[CF_PACE])
    return min(by_clock, by_facts) if by_facts >= due_t else by_clock
