"""What executor, riskd and quoter know of market and account, and when: read at a pace, looked at now and then.

The executor reads market data every `CF_PACE`, so that a plan is made from the touch, mark and oracle of its last
look; it looks at the account every 2 s, and wholly every `RECONCILE`, adds the fills and the funding it has heard of
since, and tells what that comes to twice a second and after each fill: when it is woken next, by its clock, by market
data, a ladder or a permit. riskd reads that by its own clock and makes its permits of what it had read before; another
row of its table makes one at once. The places are those of `own.py` (`OW_*`); a time that is now is not read yet.
Times ns, money 1e-8 quote, prices px_u, sizes sz_u.
"""

from __future__ import annotations

from backtest.loop.account import (
    A_LEVERAGE,
    A_LOOK,
    A_MARK,
    A_ORACLE,
    A_OTHERS_MARGIN_E8,
    A_PAUSE_T,
    A_SCORED,
    E6_TO_E8,
    equity_e8,
)
from backtest.loop.course import next_tick
from backtest.loop.guard import G_PAUSE_S, G_STREAK_PAUSE, LOSING_BPS
from backtest.loop.layout import (
    CF_PACE,
    CF_PLAN,
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
    OW_BASE_USED_E8,
    OW_BID,
    OW_JUDGE_T,
    OW_LOOK_T,
    OW_MARK,
    OW_MID2,
    OW_MID_T,
    OW_NEW_ASK,
    OW_NEW_BID,
    OW_NEW_MARK,
    OW_NEW_ORACLE,
    OW_NEW_PRICE_T,
    OW_NEW_T,
    OW_ORACLE,
    OW_PAID_E8,
    OW_PAID_T,
    OW_PERMIT_T,
    OW_RISK_E8,
    OW_RISK_USED_E8,
    OW_STATE_E8,
    OW_STATE_T,
    OW_STATE_USED_E8,
    OW_TELL_T,
    OW_WHOLE_T,
)
from common.kernel import kernel
from common.markout import GAP_NS_MAX, markout_bps
from quoter.layering import C_TOUCH
from quoter.state import NS, QUOTES_MAX, S_EQUITY, S_ORACLE
from riskd.margin import margin_ratio
from riskd.streak import HORIZON_S, step
from simvenue.money.margin import initial_e8

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


@kernel("void(i8[::1], i8[::1], i8, i8[::1], i8)")
def note_prices(own: list[int], account: list[int], origin_ns: int, config: list[int], told_t: int) -> None:
    """Mark and oracle of the venue set out, to be told at `told_t`."""
    read_market(own, origin_ns, config[CF_PACE], told_t)
    own[OW_NEW_MARK] = account[A_MARK]
    own[OW_NEW_ORACLE] = account[A_ORACLE]
    own[OW_NEW_PRICE_T] = told_t
    own[OW_JUDGE_T] = min(own[OW_JUDGE_T], next_tick(origin_ns, told_t, config[CF_TICK]))


@kernel("void(i8[::1], f8[::1], i8)")
def hear_prices(own: list[int], state: list[float], now: int) -> None:
    """The quoter hears of an oracle when it is told."""
    if 0 < own[OW_NEW_PRICE_T] <= now:
        state[S_ORACLE] = float(own[OW_NEW_ORACLE])


# ---------------------------------------------------------------------- the account
@kernel("void(i8[::1], i8, i8, i8)")
def begin_reading(own: list[int], ready_t: int, whole_ns: int, equity_e8: int) -> None:
    """The account is looked at, told and judged from `ready_t` on (NEVER: there is none)."""
    own[OW_WHOLE_T] = ready_t + whole_ns if ready_t < NEVER else NEVER
    for place in (OW_BASE_T, OW_TELL_T, OW_STATE_T, OW_PERMIT_T):
        own[place] = ready_t
    own[OW_STATE_E8] = equity_e8
    own[OW_RISK_E8] = equity_e8


@kernel("i8(i8[::1])", inline=True)
def reading_due(own: list[int]) -> int:
    """When the account is told, looked at as a whole or judged next."""
    return min(own[OW_STATE_T], own[OW_WHOLE_T], own[OW_PERMIT_T], own[OW_JUDGE_T])


@kernel("i8(i8[::1], i8[::1], i8[::1])")
def position_known(own: list[int], desk: list[int], fills: list[int]) -> int:
    """Position as the executor has it: what the account held when it was looked at, and the fills heard of since."""
    held = own[OW_BASE_U]
    for k in range(own[OW_BASE_FILLS], desk[D_HEARD_N]):
        at = LOG_ROWS + FILL_STRIDE * k
        held += fills[at + FILL_SZ] if fills[at + FILL_SLOT] < QUOTES_MAX else -fills[at + FILL_SZ]
    return held


@kernel("void(i8[::1], i8, i8)")
def note_funding(own: list[int], paid_e8: int, told_t: int) -> None:
    """Funding was paid, which is told at `told_t`."""
    own[OW_PAID_E8] = paid_e8
    own[OW_PAID_T] = told_t


@kernel("i8(i8[::1], i8[::1], i8[::1], i8)")
def equity_known(own: list[int], desk: list[int], fills: list[int], now: int) -> int:
    """Equity as the executor has it, at the newest mark it knows."""
    equity = own[OW_BASE_E8] + (own[OW_PAID_E8] if own[OW_PAID_T] <= now else 0)
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


@kernel("void(i8[::1], i8[::1], i8[::1], i8[::1], i8, i8, i8, i8)")
def look_at_account(
    own: list[int], account: list[int], desk: list[int], fills: list[int], position: int, origin_ns: int, pace_ns: int,
    now: int,
) -> None:  # fmt: skip
    """The executor looks at the account at `now`."""
    read_market(own, origin_ns, pace_ns, now)
    used_e8 = initial_e8(abs(position) * account[A_MARK], account[A_LEVERAGE])
    own[OW_BASE_T] = next_tick(origin_ns, now + 1, ACCOUNT_NS)
    own[OW_BASE_E8] = equity_e8(account, desk, position)
    own[OW_BASE_USED_E8] = used_e8 + account[A_OTHERS_MARGIN_E8]
    own[OW_BASE_MARK] = own[OW_MARK]
    own[OW_BASE_U] = position
    own[OW_BASE_FILLS] = fills[LOG_N]
    own[OW_PAID_E8] = 0


@kernel("void(i8[::1], i8, i8[::1], i8, i8, i8)")
def tell_whole(own: list[int], origin_ns: int, config: list[int], whole_ns: int, ladder_t: int, now: int) -> None:
    """The executor has looked at everything at `now`: it says so at its next look at the clock or the market.

    Both may be of this very instant: the clock's when a ladder, told at `ladder_t`, had woken it before.
    """
    own[OW_WHOLE_T] = now + whole_ns
    own[OW_TELL_T] = now
    own[OW_STATE_T] = now if now in (own[OW_LOOK_T], ladder_t) else next_look(origin_ns, config, now + 1)


@kernel("void(i8[::1], i8[::1], i8[::1], i8[::1], f8[::1], i8, i8[::1], i8)")
def tell_account(
    own: list[int], account: list[int], desk: list[int], fills: list[int], state: list[float], origin_ns: int,
    config: list[int], now: int,
) -> None:  # fmt: skip
    """The executor tells the account at `now`: the quoter hears of it at once, riskd at its next look.

    Where a permit woke the executor riskd has looked already.
    """
    read_market(own, origin_ns, config[CF_PACE], now)
    own[OW_STATE_E8] = equity_known(own, desk, fills, now)
    own[OW_STATE_USED_E8] = own[OW_BASE_USED_E8]
    own[OW_TELL_T] = now + STATE_NS
    own[OW_STATE_T] = next_look(origin_ns, config, own[OW_TELL_T])
    woken = 1 if own[OW_PERMIT_T] == now + account[A_LOOK] else 0
    own[OW_JUDGE_T] = min(own[OW_JUDGE_T], next_tick(origin_ns, now + woken, config[CF_TICK]))
    state[S_EQUITY] = float(own[OW_STATE_E8]) / 1e8


@kernel("i8(i8[::1], i8[::1], i8, i8[::1], i8)")
def begin_judging(own: list[int], account: list[int], origin_ns: int, config: list[int], now: int) -> int:
    """riskd judges at `now`: returns 1 when a permit is due, of what it knew; else what it was told is read."""
    if now >= own[OW_PERMIT_T]:
        own[OW_PERMIT_T] = now + max(account[A_LOOK], 1)
        return 1
    own[OW_RISK_E8] = own[OW_STATE_E8]
    own[OW_RISK_USED_E8] = own[OW_STATE_USED_E8]
    own[OW_JUDGE_T] = NEVER
    if account[A_PAUSE_T] > now:
        own[OW_JUDGE_T] = next_tick(origin_ns, account[A_PAUSE_T], config[CF_TICK])
    if own[OW_NEW_PRICE_T] > now:
        own[OW_JUDGE_T] = min(own[OW_JUDGE_T], next_tick(origin_ns, own[OW_NEW_PRICE_T], config[CF_TICK]))
    return 0


@kernel("f8(i8[::1])")
def margin_known(own: list[int]) -> float:
    """Used margin over equity as riskd has read them."""
    return margin_ratio(float(own[OW_RISK_USED_E8]) / 1e8, float(own[OW_RISK_E8]) / 1e8)


@kernel("i8(i8[::1], i8)")
def mark_told(own: list[int], now: int) -> int:
    """The newest mark told by `now`."""
    return own[OW_NEW_MARK] if 0 < own[OW_NEW_PRICE_T] <= now else own[OW_MARK]


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, i8[::1], f8[::1], f8[::1], i8[::1])")
def score_touch(
    own: list[int], account: list[int], fills: list[int], t_ns: int, read_t: int, channel: list[int],
    knobs: list[float], losing: list[float], desk: list[int],
) -> int:  # fmt: skip
    """riskd reads a touch of venue time `t_ns` at `read_t`: fills whose 5 s are over by then; returns how many."""
    found = 0
    while account[A_SCORED] < desk[D_HEARD_N] and own[OW_MID2] > 0:
        at = LOG_ROWS + FILL_STRIDE * account[A_SCORED]
        due_t = fills[at + FILL_T] // MS * MS + HORIZON_S * NS
        if due_t >= t_ns:
            break
        account[A_SCORED] += 1
        if t_ns - own[OW_MID_T] > GAP_NS_MAX:
            continue
        px = fills[at + FILL_PX]
        bps = markout_bps(1 if fills[at + FILL_SLOT] < QUOTES_MAX else -1, px, own[OW_MID2])
        if step(losing, bps, float(px * fills[at + FILL_SZ]) / 1e6, LOSING_BPS) >= knobs[G_STREAK_PAUSE]:
            account[A_PAUSE_T] = read_t + int(knobs[G_PAUSE_S] * NS)
        found += 1
    if channel[C_TOUCH] > 0 and channel[C_TOUCH + 2] > 0:
        own[OW_MID2] = channel[C_TOUCH] + channel[C_TOUCH + 2]
        own[OW_MID_T] = t_ns
    if found > 0:
        own[OW_JUDGE_T] = min(own[OW_JUDGE_T], read_t)
    return found


@kernel("void(i8[::1], i8, i8[::1], i8)")
def tell_soon(own: list[int], origin_ns: int, config: list[int], now: int) -> None:
    """A fill was heard of at `now`: the account is told at the executor's next look at the clock or the market."""
    if own[OW_TELL_T] < NEVER:
        own[OW_TELL_T] = now
        own[OW_STATE_T] = next_look(origin_ns, config, now)
        if own[OW_LOOK_T] >= now:
            own[OW_STATE_T] = min(own[OW_STATE_T], own[OW_LOOK_T])


@kernel("void(i8[::1], i8, i8, i8)")
def look_soon(own: list[int], origin_ns: int, pace_ns: int, now: int) -> None:
    """The feed told something at `now`: the executor looks at it, and tells the account when that is due."""
    own[OW_LOOK_T] = next_tick(origin_ns, now, pace_ns)
    if own[OW_LOOK_T] >= own[OW_TELL_T]:
        own[OW_STATE_T] = min(own[OW_STATE_T], own[OW_LOOK_T])


# ---------------------------------------------------------------------- the clock
@kernel("i8(i8, i8[::1], i8)")
def next_look(origin_ns: int, config: list[int], due_t: int) -> int:
    """The executor's first look at `due_t` or later: by its clock, or as it reads the facts the feed repeats."""
    by_clock = next_tick(origin_ns, due_t, config[CF_TICK])
    facts_t = next_tick(origin_ns, due_t - config[CF_PACE] + 1, FACTS_NS)
    by_facts = next_tick(origin_ns, facts_t, config[CF_PACE])
    return min(by_clock, by_facts) if by_facts >= due_t else by_clock


@kernel("i8(i8, i8[::1], i8)")
def next_plan(origin_ns: int, config: list[int], planned_t: int) -> int:
    """When the executor looks whether a plan of `planned_t` is to be made anew."""
    return next_look(origin_ns, config, planned_t + config[CF_PLAN])
