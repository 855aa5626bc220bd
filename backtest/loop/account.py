"""Our account at the venue while a tape plays: fees, oracle and mark, funding, margin, the action budget.

Every rule is a kernel of simvenue's; this room keeps what they need between two calls and adds nothing of its own.
Where the tape has no prices of its own, oracle and mark are derived as the venue does for recordings (design section
9) and funding from the premium of the book. One vector of integers (`A_*`) and one of floats (`Y_*`). Times ns, prices
px_u, sizes sz_u, money 1e-8 quote unless a name ends in `_e6`. With `A_ON` 0 nothing here is called.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from backtest.loop.layout import CANCEL, D_CASH, D_VOLUME, NEVER
from common.kernel import istate, kernel, state
from quoter.state import NS
from riskd.margin import margin_ratio
from simvenue.book.levels import best_px
from simvenue.book.taking import impact_px
from simvenue.desk.actions import SLOW_LANE_NS, action_cap, most_actions
from simvenue.money.fees import fee_e8
from simvenue.money.funding import RATE_E10, SAMPLE_S, cash_e8, hourly_e10, middle_premium, premium
from simvenue.money.margin import half_initial_e8, initial_e8
from simvenue.money.prices import UPDATE_NS, bounded_px, middle_px

HOUR_NS = 3600 * NS
E6_TO_E8 = 100
LOOK_NS = NS // 4
"""riskd's permits (design section 3), where nothing else is said."""
GROWTH_SHARE = 10
"""In growth mode a traded dollar earns a tenth of an action."""

(
    A_ON,  # 1 = there is an account
    A_MAKER_PPB,
    A_TAKER_PPB,
    A_LEVERAGE,
    A_MAX_LEVERAGE,
    A_START_E8,  # equity at the start
    A_CREDIT_SHARE,  # dollars traded for an action
    A_HAS_BUDGET,
    A_IS_HIP3,
    A_IMPACT_E6,
    A_DUE_T,  # when the account is looked at next, NEVER = there is none
    A_PRICE_T,
    A_SAMPLE_T,
    A_HOUR_T,
    A_BEFORE2,  # recorded bid + ask of one update ago
    A_ORACLE,
    A_MARK,
    A_LAST,  # last trade
    A_ROW,  # row of the tape's own prices that holds
    A_FEES_E8,  # paid > 0
    A_FUNDING_E8,  # what it added to cash
    A_TAKEN_E6,  # volume of ours that took
    A_SENT,  # actions the venue counted
    A_SLOW_T,
    A_OVER,  # actions refused for want of budget
    A_PEAK_E8,
    A_DAY,
    A_DAY_E8,  # equity when the day began
    A_PEAK_MARGIN_E8,
    A_LIQUIDATIONS,
    A_SEIZED_E8,  # what the backstop kept, > 0
    A_BASIS_E6,  # signed cost of the open position
    A_SCORED,  # fills scored after 5 s
    A_PAUSE_T,  # until when too many losing fills pause us
    A_MODE,  # of riskd/limits.py
    A_KILLED_T,  # 0 = never
    A_KILL_ROWS,  # bits of the limits that killed
    A_POSITION,  # sz_u, after the last fill written down
    A_OTHERS_E8,  # what the account's other markets added to equity (backtest/together.py); 0 = it has no other
    A_OTHERS_MARGIN_E8,  # initial and maintenance margin they use
    A_OTHERS_NEED_E8,
    A_OTHERS_E6,  # volume they traded, and what of it took
    A_OTHERS_TAKEN_E6,
    A_OTHERS_EARNED_E6,  # actions that volume earned, and actions they sent
    A_OTHERS_SENT,
    A_OTHERS_FILLS,
    A_LOOK,  # ns between looks: riskd's permits
    A_HELD,  # bits of the limits that hold
    A_TICK_T,  # the next look of riskd's, as against one the venue's own clock asks for
    A_BEFORE_SENT,  # actions the account had sent, and those it had earned, before this replay began
    A_BEFORE_EARNED_E6,
    A_LEN,
) = range(52)

(
    Y_PREMIUM,  # sum of the hour's samples
    Y_SAMPLES,
    Y_INTEREST_1H,
    Y_CLAMP,
    Y_MULTIPLIER,
    Y_PEAK_RATIO,  # highest used margin over equity
    Y_LEN,
) = range(7)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands between two spans: nothing is held, all else goes on.  Actions sent and earned in all."""

    equity_e8: int
    peak_e8: int
    day: int
    day_e8: int
    sent: int
    earned_e6: int
    killed_t_ns: int
    kill_rows: int


@dataclass(frozen=True, slots=True)
class Charges:
    """What the venue takes and asks for: rates in ppb of notional, leverage, and how funding is made."""

    maker_ppb: int
    taker_ppb: int
    leverage: int
    max_leverage: int
    equity_usd: float
    is_growth: bool = False
    is_hip3: bool = True
    has_budget: bool = False  # actions are counted, and refused when they are used up
    interest_rate_1h: float = 0.0
    funding_clamp: float = 0.0005
    funding_multiplier: float = 1.0
    impact_usd: float = 6_000.0
    standing: Standing | None = None  # what an earlier span left; None: a new account with `equity_usd`


def new_account(charges: Charges | None, first_t_ns: int, look_ns: int = LOOK_NS) -> tuple[Any, Any]:
    """The vectors of an account, or those of none."""
    account, sums = istate(A_LEN), state(Y_LEN)
    account[A_DUE_T] = NEVER
    if charges is None:
        return account, sums
    start_e8 = round(charges.equity_usd * 1e8)
    before = charges.standing or Standing(start_e8, start_e8, -1, 0, 0, 0, 0, 0)
    for place, value in (
        (A_ON, 1), (A_MAKER_PPB, charges.maker_ppb), (A_TAKER_PPB, charges.taker_ppb),
        (A_LEVERAGE, charges.leverage), (A_MAX_LEVERAGE, charges.max_leverage), (A_START_E8, before.equity_e8),
        (A_CREDIT_SHARE, GROWTH_SHARE if charges.is_growth else 1), (A_HAS_BUDGET, int(charges.has_budget)),
        (A_IS_HIP3, int(charges.is_hip3)), (A_IMPACT_E6, round(charges.impact_usd * 1e6)), (A_DUE_T, first_t_ns),
        (A_SAMPLE_T, first_t_ns), (A_HOUR_T, (first_t_ns // HOUR_NS + 1) * HOUR_NS), (A_PEAK_E8, before.peak_e8),
        (A_DAY, before.day), (A_DAY_E8, before.day_e8), (A_SLOW_T, -SLOW_LANE_NS), (A_LOOK, look_ns),
        (A_TICK_T, first_t_ns), (A_BEFORE_SENT, before.sent), (A_BEFORE_EARNED_E6, before.earned_e6),
        (A_KILLED_T, before.killed_t_ns), (A_KILL_ROWS, before.kill_rows),
    ):  # fmt: skip
        account[place] = value
    sums[Y_INTEREST_1H], sums[Y_CLAMP] = charges.interest_rate_1h, charges.funding_clamp
    sums[Y_MULTIPLIER] = charges.funding_multiplier
    return account, sums


@kernel("i8(i8[::1], i8, i8, i8, i8)")
def book_fill(account: list[int], side: int, px: int, sz: int, is_taker: int) -> int:
    """One fill of ours (side 1 bought): its fee, which is returned, and what the open position cost."""
    notional_e6 = px * sz
    fee = fee_e8(notional_e6, account[A_TAKER_PPB] if is_taker == 1 else account[A_MAKER_PPB])
    account[A_FEES_E8] += fee
    if is_taker == 1:
        account[A_TAKEN_E6] += notional_e6
    account[A_LAST] = px
    held = side * account[A_POSITION]  # > 0: the fill adds
    account[A_POSITION] += side * sz
    if held >= 0:
        account[A_BASIS_E6] += side * notional_e6
    elif sz <= -held:
        account[A_BASIS_E6] -= int(float(account[A_BASIS_E6]) * float(sz) / float(-held))
    else:
        account[A_BASIS_E6] = side * (sz + held) * px
    return fee


@kernel("i8(i8[::1], i8[::1], i8)")
def equity_e8(account: list[int], desk: list[int], position: int) -> int:
    """Cash, position at the mark, fees and funding, and what the account's other markets added."""
    value_e6 = desk[D_CASH] + position * account[A_MARK]
    earned = value_e6 * E6_TO_E8 - account[A_FEES_E8] + account[A_FUNDING_E8] - account[A_SEIZED_E8]
    return account[A_START_E8] + earned + account[A_OTHERS_E8]


@kernel("i8(i8[::1], i8[::1])")
def earned_e6(account: list[int], desk: list[int]) -> int:
    """Actions the account has earned by trading, here, in its other markets and before, 1e-6."""
    mine = desk[D_VOLUME] // max(account[A_CREDIT_SHARE], 1)
    return mine + account[A_OTHERS_EARNED_E6] + account[A_BEFORE_EARNED_E6]


@kernel("i8(i8[::1])", inline=True)
def sent_in_all(account: list[int]) -> int:
    """Actions the venue has counted, here, in the account's other markets and before."""
    return account[A_SENT] + account[A_OTHERS_SENT] + account[A_BEFORE_SENT]


@kernel("i8(i8[::1], i8[::1], i8, i8)")
def charge_action(account: list[int], desk: list[int], kind: int, now: int) -> int:
    """1 when the venue lets one more action through; it is counted then."""
    if account[A_HAS_BUDGET] == 0:
        account[A_SENT] += 1
        return 1
    limit = action_cap(earned_e6(account, desk)) - 1
    if sent_in_all(account) + 1 > most_actions(limit, 1 if kind == CANCEL else 0):
        if now < account[A_SLOW_T] + SLOW_LANE_NS:
            account[A_OVER] += 1
            return 0
        account[A_SLOW_T] = now
    account[A_SENT] += 1
    return 1


def standing_of(account: Any, desk: Any, position: int) -> Standing:
    """What the account's next span begins with; what is held is valued at the mark."""
    return Standing(
        int(equity_e8(account, desk, position)), int(account[A_PEAK_E8]), int(account[A_DAY]), int(account[A_DAY_E8]),
        int(sent_in_all(account)), int(earned_e6(account, desk)), int(account[A_KILLED_T]), int(account[A_KILL_ROWS]),
    )  # fmt: skip


@kernel("i8(i8[::1], i8, i8, i8[::1], i8[::1], i8[::1])")
def price(
    account: list[int], recorded_mid2: int, now: int, told_t: list[int], told_oracle: list[int], told_mark: list[int]
) -> int:
    """Oracle and mark of this moment: the tape's own, or derived; returns the oracle, 0 = there is none yet."""
    if len(told_t) > 0 and told_t[0] <= now:
        while account[A_ROW] + 1 < len(told_t) and told_t[account[A_ROW] + 1] <= now:
            account[A_ROW] += 1
        account[A_ORACLE] = told_oracle[account[A_ROW]]
        account[A_MARK] = told_mark[account[A_ROW]]
        return account[A_ORACLE]
    delayed = account[A_BEFORE2] if account[A_BEFORE2] > 0 else recorded_mid2
    if recorded_mid2 > 0:
        account[A_BEFORE2] = recorded_mid2
    if delayed == 0:
        return 0
    account[A_ORACLE] = (delayed + 1) // 2
    mark = middle_px(account[A_ORACLE], recorded_mid2, account[A_LAST])
    account[A_MARK] = bounded_px(account[A_MARK], mark) if account[A_IS_HIP3] == 1 else mark
    return account[A_ORACLE]


@kernel("f8(i8[::1], f8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])")
def sample_premium(
    account: list[int], sums: list[float], bids: list[int], asks: list[int], orders: list[int], bid_queue: list[int],
    ask_queue: list[int],
) -> float:  # fmt: skip
    """One sample of how far the book stands from the oracle; returns it, 0.0 when the book is too thin."""
    bid = impact_px(bids, bid_queue, orders, account[A_IMPACT_E6])
    ask = impact_px(asks, ask_queue, orders, account[A_IMPACT_E6])
    if bid <= 0.0 or ask <= 0.0:
        return 0.0
    oracle = float(account[A_ORACLE])
    value = middle_premium(bid, ask, oracle) if account[A_IS_HIP3] == 1 else premium(bid, ask, oracle)
    sums[Y_PREMIUM] += value
    sums[Y_SAMPLES] += 1.0
    return value


@kernel("i8(i8[::1], f8[::1], i8, i8[::1], f8[::1])")
def pay_funding(account: list[int], sums: list[float], position: int, told_t: list[int], told_1h: list[float]) -> int:
    """An hour is over: the position pays or gets the hour's rate, the tape's own or that of the premium; returns it."""
    mean = sums[Y_PREMIUM] / sums[Y_SAMPLES] if sums[Y_SAMPLES] > 0.0 else 0.0
    rate_e10 = hourly_e10(mean, sums[Y_INTEREST_1H], sums[Y_CLAMP], sums[Y_MULTIPLIER])
    if len(told_1h) > 0 and told_t[0] <= account[A_HOUR_T]:
        rate_e10 = math.floor(told_1h[account[A_ROW]] * RATE_E10 + 0.5)
    sums[Y_PREMIUM] = 0.0
    sums[Y_SAMPLES] = 0.0
    paid = cash_e8(position, account[A_ORACLE], rate_e10)
    account[A_FUNDING_E8] += paid
    return paid


@kernel("f8(i8[::1], f8[::1], i8[::1], i8)")
def measure_margin(account: list[int], sums: list[float], desk: list[int], position: int) -> float:
    """Used margin over equity at the mark; remembers the highest."""
    used = initial_e8(abs(position) * account[A_MARK], account[A_LEVERAGE]) + account[A_OTHERS_MARGIN_E8]
    equity = equity_e8(account, desk, position)
    account[A_PEAK_MARGIN_E8] = max(account[A_PEAK_MARGIN_E8], used)
    ratio = margin_ratio(float(used), float(equity))
    sums[Y_PEAK_RATIO] = max(sums[Y_PEAK_RATIO], ratio)
    return ratio


@kernel("i8(i8[::1], i8[::1], i8)")
def is_liquidated(account: list[int], desk: list[int], position: int) -> int:
    """1 when equity is below maintenance."""
    if position == 0 or account[A_MARK] == 0:
        return 0
    needed = half_initial_e8(abs(position) * account[A_MARK], account[A_MAX_LEVERAGE])
    return 1 if equity_e8(account, desk, position) < needed + account[A_OTHERS_NEED_E8] else 0


@kernel("void(i8[::1])", inline=True)
def rest_until_price(account: list[int]) -> None:
    """Who judges permits by himself sees nothing new before a price, a sample, a fill or another market's."""
    if account[A_OTHERS_E8] != 0 or account[A_OTHERS_NEED_E8] != 0:
        return
    every = max(account[A_LOOK], 1)
    wait = min(account[A_PRICE_T], account[A_SAMPLE_T]) - account[A_TICK_T]
    account[A_TICK_T] += max(wait + every - 1, 0) // every * every
    account[A_DUE_T] = min(account[A_TICK_T], account[A_HOUR_T])


@kernel("void(i8[::1], i8)", inline=True)
def look_again(account: list[int], t_ns: int) -> None:
    """A fill at `t_ns`: the first look after it is the next, however long there was nothing to see."""
    every = max(account[A_LOOK], 1)
    account[A_TICK_T] -= max(account[A_TICK_T] - t_ns, 0) // every * every
    account[A_DUE_T] = min(account[A_TICK_T], account[A_HOUR_T])


@kernel("i8(i8[::1], f8[::1], i8[::1], i8, i8, i8[::1], i8[::1], i8[::1], f8[::1], "
        "i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])")  # fmt: skip
def look(
    account: list[int], sums: list[float], desk: list[int], position: int, now: int, told_t: list[int],
    told_oracle: list[int], told_mark: list[int], told_1h: list[float], bids: list[int], asks: list[int],
    orders: list[int], bid_queue: list[int], ask_queue: list[int],
) -> int:  # fmt: skip
    """All that is due at the venue: prices, premium, funding, margin; returns 1 when we are to be liquidated."""
    if now >= account[A_TICK_T]:
        account[A_TICK_T] = now + max(account[A_LOOK], 1)
    is_new = now >= account[A_PRICE_T]
    if is_new:
        account[A_PRICE_T] = now + UPDATE_NS
        bid = best_px(bids)
        ask = best_px(asks)
        price(account, bid + ask if bid > 0 and ask > 0 else 0, now, told_t, told_oracle, told_mark)
    if now >= account[A_SAMPLE_T]:
        account[A_SAMPLE_T] = now + SAMPLE_S * NS
        if account[A_ORACLE] > 0:
            sample_premium(account, sums, bids, asks, orders, bid_queue, ask_queue)
    while now >= account[A_HOUR_T]:
        pay_funding(account, sums, position, told_t, told_1h)
        account[A_HOUR_T] += HOUR_NS
    account[A_DUE_T] = min(account[A_TICK_T], account[A_HOUR_T])
    if account[A_ORACLE] == 0:
        return 0
    if is_new:
        measure_margin(account, sums, desk, position)
    return is_liquidated(account, desk, position)
