"""The executor in the replay: the ladder in force, the plan, and the requests that come of it.

What `executor/engine.py` and `planner.py` do round the kernel that plans (`executor/plan.py`) is done here round the
very same kernel: the bucket is filled and counted, what rests is handed over, what was chosen is sent. The quoter's
side of it too: a target is told when it is worth telling (`quoter/hold.py`), and renewed with its newest figures.
Nothing here decides about an order. Times ns, prices px_u, sizes sz_u.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from backtest.loop.account import A_BEFORE_SENT, A_ON, A_OTHERS_SENT, A_OVER, earned_e6
from backtest.loop.desk import post
from backtest.loop.layout import CF_REBALANCE, D_ACTIONS, PLACE
from backtest.loop.own import OW_ASK, OW_BID, OW_MARK, OW_ORACLE
from backtest.loop.slots import (
    A_LADDER,
    CANCELLING,
    NEWS,
    OPEN,
    QUOTE,
    RENEWAL,
    SL_ACTION,
    SL_ADAPTS,
    SL_COUNTED_T,
    SL_DECIDED_T,
    SL_IS_NEW,
    SL_IS_URGENT,
    SL_LEN,
    SL_ON_ITS_WAY,
    SL_PACKED,
    SL_PLANNED_T,
    SL_SENT_T,
    SL_SHOWN_T,
    SL_STANCE,
    cancel_all,
    cancel_slot,
    in_state,
    move_slot,
    new_slots,
    open_slot,
    pack_orders,
)
from common.kernel import istate, kernel, state
from executor.checks import (
    LM_ASK,
    LM_BID,
    LM_DECIMALS,
    LM_HARD,
    LM_LEN,
    LM_POSITION,
    LM_PRICES,
    LM_REDUCING,
    LM_SOFT,
    MK_COLLAR,
    MK_LEN,
    MK_PRICES,
)
from executor.governor import N_KNOWN, N_T, N_USED, new_bucket, reconcile, refill
from executor.plan import (
    C_LEVEL,
    C_ORDER,
    C_PX,
    C_SIDE,
    C_STRIDE,
    C_SZ,
    C_WHAT,
    CANCEL,
    NEW,
    Q_IS_CANCELLING,
    Q_IS_URGENT,
    Q_LEN,
    R_STRIDE,
    W_COUNT,
    W_LEN,
    W_NUMBER,
    W_PX,
    W_ROWS,
    W_SIDE,
    W_STRIDE,
    W_SZ,
    new_work,
    plan,
)
from executor.terms import F_A, F_DECIMALS, F_FAIR, F_FLOOR, F_IS_KNOWN, F_K, F_LEN, F_QUEUE_TICKS, new_terms_of
from executor.throttle import new_ring
from quoter.hold import has_run_away, is_worth_telling, new_hold
from quoter.state import (
    I_REDUCING,
    NS,
    O_COUNT,
    O_LEN,
    O_ROWS,
    O_SIDE,
    S_FAIR,
    S_FILL_A,
    S_FILL_K,
    S_HARD,
    S_MARGIN,
    S_MID,
    S_NEAR,
    S_SIZE_SCALE,
    S_SOFT,
    S_SPREAD_SCALE,
)
from riskd.limits import OUT_HARD_USD, OUT_SIZE, OUT_SOFT_USD, OUT_SPREAD, caps
from simvenue.desk.actions import action_cap

if TYPE_CHECKING:
    from common.config import Settings

ORDERS = 2 * 64
LEVERAGE_SET = 1
"""The first action of every life."""

(
    X_HOLD_BPS,
    X_QUEUE_AGE_NS,
    X_SOFT_RATIO,
    X_HARD_RATIO,
    X_RENEW_NS,
    X_RECONCILE_NS,
    X_SHOWN_MID,  # px_u, when the ladder in force was first told
    X_FIGURES,  # those the ladder on its way was told with: `F_FAIR` to `F_K`
) = range(8)
X_LEN = X_FIGURES + F_K + 1 - F_FAIR


EXECUTING = (
    "i8[::1], i8[::1], f8[::1], f8[::1], i8[::1], f8[::1], i8[::1], i8[::1], f8[::1], f8[::1], i8[::1], f8[::1], "
    "f8[::1], i8[::1], i8[::1], "
    "i8[::1], i8[::1], i8[::1], f8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], f8[::1], "
    "f8[::1], i8[::1], i8[::1]"
)
"""The types of `new_executing`'s vectors."""
TYPES = EXECUTING.split(", ")


class Executing(NamedTuple):
    """The executor's vectors, as the kernels take them; `Work` of `executor/plan.py` follows."""

    slots: Any
    shown: Any  # the ladder told last (`O_*`), and behind it the one the executor has
    manner: Any  # `X_*`
    hold: Any
    orders: Any
    places: Any
    want: Any
    limits: Any
    marks: Any
    bucket: Any
    counts: Any
    facts: Any
    terms: Any
    recent: Any
    q: Any


def new_executing(settings: Settings | None, sz_decimals: int) -> tuple[Any, ...]:
    """All vectors of an executor that has sent nothing yet, or those of none."""
    if settings is None:
        return tuple(istate(SL_LEN if k == 0 else 1) if kind == "i8[::1]" else state(1) for k, kind in enumerate(TYPES))
    execution, manner = settings.execution, state(X_LEN)
    for place, value in (
        (X_HOLD_BPS, settings.quoting.hold_bps), (X_QUEUE_AGE_NS, execution.queue_age_s * NS),
        (X_SOFT_RATIO, settings.risk.soft_ratio), (X_HARD_RATIO, settings.risk.hard_ratio),
        (X_RENEW_NS, settings.quoting.renew_s * NS),
        (X_RECONCILE_NS, execution.reconcile_s * NS),
    ):  # fmt: skip
        manner[place] = value
    limits, marks, facts = istate(LM_LEN), state(MK_LEN), state(F_LEN)
    limits[LM_DECIMALS], marks[MK_COLLAR] = sz_decimals, execution.collar_bps
    facts[F_QUEUE_TICKS], facts[F_DECIMALS] = execution.queue_ticks, float(sz_decimals)
    made = Executing(
        new_slots(), istate(2 * O_LEN), manner, new_hold(settings.quoting), istate(R_STRIDE * ORDERS), state(ORDERS),
        istate(W_LEN), limits, marks, *new_bucket(execution), facts, new_terms_of(settings),
        new_ring(execution.orders_per_s), istate(Q_LEN),
    )  # fmt: skip
    return (*made, *new_work(ORDERS))


@kernel("i8(f8[::1], f8[::1], f8[::1], f8, i8)")
def take_permit(
    state: list[float], manner: list[float], verdict: list[float], margin_ratio: float, equity_e8: int
) -> int:
    """riskd's word as the quoter reads it; returns 1 when even a small move counts now."""
    adapts = 1 if verdict[OUT_SIZE] != state[S_SIZE_SCALE] or verdict[OUT_SPREAD] != state[S_SPREAD_SCALE] else 0
    equity_usd = float(equity_e8) / 1e8
    caps(equity_usd, manner[X_SOFT_RATIO], manner[X_HARD_RATIO], verdict)
    state[S_HARD] = verdict[OUT_HARD_USD]
    state[S_SOFT] = verdict[OUT_SOFT_USD]
    state[S_SIZE_SCALE] = verdict[OUT_SIZE]
    state[S_SPREAD_SCALE] = verdict[OUT_SPREAD]
    state[S_MARGIN] = margin_ratio
    return adapts


@kernel("i8(i8[::1], i8[::1], i8)")
def is_overdue(slots: list[int], config: list[int], now: int) -> int:
    """1 when the quoter decides at whatever it hears of, its last decision is so long past."""
    return 1 if slots[SL_DECIDED_T] > 0 and now - slots[SL_DECIDED_T] >= config[CF_REBALANCE] else 0


# ---------------------------------------------------------------------- the ladder in force
@kernel("i8(i8[::1])")
def want_nothing(target: list[int]) -> int:
    """Nothing may be quoted: an empty target; returns its levels."""
    for k in range(O_LEN):
        target[k] = 0
    return 0


@kernel("i8(i8[::1], i8[::1], f8[::1], f8[::1], i8[::1], f8[::1], i8)")
def tell_ladder(
    slots: list[int], shown: list[int], manner: list[float], hold: list[float], target: list[int], state: list[float],
    now: int,
) -> int:  # fmt: skip
    """A decision was made: the target is told when it is worth it; returns 1 when it is a new ladder."""
    urgent = has_run_away(shown, state[S_MID], manner[X_SHOWN_MID], hold)
    adapts = slots[SL_ADAPTS]
    slots[SL_ADAPTS] = 0
    if (
        slots[SL_SHOWN_T] > 0
        and urgent == 0
        and is_worth_telling(target, shown, state, hold, adapts, now - slots[SL_SHOWN_T]) == 0
    ):
        return 0
    for k in range(O_LEN):
        shown[k] = target[k]
    manner[X_SHOWN_MID] = state[S_MID]
    slots[SL_SHOWN_T] = now
    slots[SL_SENT_T] = now
    take_figures(manner, state)
    slots[SL_IS_URGENT] = urgent
    slots[SL_ON_ITS_WAY] = A_LADDER
    return 1


@kernel("i8(i8[::1], f8[::1], f8[::1], i8)")
def renew_ladder(slots: list[int], manner: list[float], state: list[float], now: int) -> int:
    """The ladder in force is told again when it is time; returns 1 then."""
    if slots[SL_SHOWN_T] == 0 or float(now - slots[SL_SENT_T]) < manner[X_RENEW_NS]:
        return 0
    slots[SL_SENT_T] = now
    take_figures(manner, state)
    slots[SL_ON_ITS_WAY] = max(slots[SL_ON_ITS_WAY], RENEWAL)
    return 1


@kernel("void(f8[::1], f8[::1])")
def take_figures(manner: list[float], state: list[float]) -> None:
    """A ladder sets out with the newest figures."""
    at = X_FIGURES - F_FAIR
    manner[at + F_FAIR] = state[S_FAIR]
    manner[at + F_FLOOR] = state[S_NEAR]
    manner[at + F_FLOOR + 1] = state[S_NEAR + 1]
    manner[at + F_A] = state[S_FILL_A]
    manner[at + F_K] = state[S_FILL_K]


@kernel("i8(i8[::1], i8[::1], f8[::1], i8[::1], f8[::1])")
def take_over(slots: list[int], shown: list[int], facts: list[float], q: list[int], manner: list[float]) -> int:
    """What the quoter told reaches the executor, figures and all; returns 1 when it is to be planned at once."""
    is_new = 1 if slots[SL_ON_ITS_WAY] == A_LADDER else 0
    slots[SL_ON_ITS_WAY] = 0
    facts[F_IS_KNOWN] = 1.0
    for k in range(F_K + 1 - F_FAIR):
        facts[F_FAIR + k] = manner[X_FIGURES + k]
    if is_new == 1:
        for k in range(O_LEN):
            shown[O_LEN + k] = shown[k]
        q[Q_IS_URGENT] = slots[SL_IS_URGENT]
        slots[SL_IS_NEW] = A_LADDER
    return is_new


# ---------------------------------------------------------------------- what a plan is made from
@kernel("void(i8[::1], i8[::1])")
def pack_wanted(shown: list[int], want: list[int]) -> None:
    """The levels of the ladder in force."""
    for side in range(2):
        want[W_COUNT + side] = shown[O_LEN + O_COUNT + side]
        for level in range(want[W_COUNT + side]):
            at = W_ROWS + W_SIDE * side + W_STRIDE * level
            row = O_LEN + O_ROWS + O_SIDE * side + 2 * level
            want[at + W_PX] = shown[row]
            want[at + W_SZ] = shown[row + 1]
            want[at + W_NUMBER] = level


@kernel("i8(i8[::1], f8[::1], i8[::1], f8[::1], f8[::1], i8[::1], i8, i8)")
def set_limits(
    limits: list[int], marks: list[float], own: list[int], manner: list[float], state: list[float], ints: list[int],
    position: int, equity_e8: int,
) -> int:  # fmt: skip
    """What holds for all orders of a plan; returns the price a position is valued at."""
    hard_usd = min(state[S_HARD], manner[X_HARD_RATIO] * float(equity_e8) / 1e8)
    limits[LM_HARD] = int(max(hard_usd, 0.0) * 1e6)
    limits[LM_SOFT] = int(state[S_SOFT] * 1e6)
    limits[LM_POSITION] = position
    limits[LM_REDUCING] = ints[I_REDUCING]
    limits[LM_BID] = own[OW_BID]
    limits[LM_ASK] = own[OW_ASK]
    n = 0
    dearest = 0
    for k in range(3):
        px = 0.0
        if k == 0 and limits[LM_BID] > 0 and limits[LM_ASK] > 0:
            px = 0.5 * float(limits[LM_BID] + limits[LM_ASK])
            dearest = (limits[LM_BID] + limits[LM_ASK] + 1) // 2
        elif k > 0:
            told = own[OW_MARK] if k == 1 else own[OW_ORACLE]
            px = float(told)
            dearest = max(dearest, told)
        if px > 0.0:
            marks[MK_PRICES + n] = px
            n += 1
    limits[LM_PRICES] = n
    return dearest


@kernel("void(f8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8)")
def count_actions(
    bucket: list[float], counts: list[int], slots: list[int], desk: list[int], account: list[int], now: int
) -> None:
    """Let the bucket fill, and take over the venue's own count, as of now."""
    if counts[N_KNOWN] == 0:
        counts[N_T] = now
    refill(bucket, counts, now, in_state(slots, OPEN))
    sent = desk[D_ACTIONS]
    if account[A_ON] == 1:
        sent += LEVERAGE_SET + account[A_OTHERS_SENT] + account[A_BEFORE_SENT] - account[A_OVER]
    reconcile(bucket, counts, sent, action_cap(earned_e6(account, desk)))
    slots[SL_COUNTED_T] = now


# ---------------------------------------------------------------------- the plan
@kernel("i8(i8[::1], i8[::1], i8[::1], i8[::1], i8)")
def send_chosen(slots: list[int], desk: list[int], actions: list[int], chosen: list[int], now: int) -> int:
    """Cancels, then moves, then new orders; returns how many entries set out."""
    before = desk[D_ACTIONS]
    for kind in range(3):
        slots[SL_ACTION] += 1
        for k in range(chosen[0]):
            at = 1 + C_STRIDE * k
            what = chosen[at + C_WHAT]
            px = chosen[at + C_PX]
            sz = chosen[at + C_SZ]
            if kind == 0 and what == CANCEL:
                cancel_slot(slots, desk, actions, now, slots[SL_PACKED + chosen[at + C_ORDER]])
            elif kind == 1 and what not in (CANCEL, NEW):
                move_slot(slots, desk, actions, now, slots[SL_PACKED + chosen[at + C_ORDER]], px, sz)
            elif kind == 2 and what == NEW:
                side = 0 if chosen[at + C_SIDE] > 0 else 1
                slot = open_slot(slots, now, side, px, sz, chosen[at + C_LEVEL])
                if slot >= 0:
                    post(desk, actions, now, slot, PLACE, px, sz)
    return desk[D_ACTIONS] - before


@kernel("i8(i8[::1], i8[::1], i8[::1], i8[::1], f8[::1], i8[::1], i8, i8, i8, " + EXECUTING + ")")
def execute(
    desk: list[int], account: list[int], actions: list[int], own: list[int], state: list[float], ints: list[int],
    position: int, equity_e8: int, now: int,
    slots: list[int], shown: list[int], manner: list[float], hold: list[float], orders: list[int],
    places: list[float], want: list[int], limits: list[int], marks: list[float], bucket: list[float],
    counts: list[int], facts: list[float], terms: list[float], recent: list[int], q: list[int],
    px: list[int], sz: list[int], locked: list[int], place: list[float], want_px: list[int], want_sz: list[int],
    assigned: list[int], index: list[int], held: list[int], found_book: list[int], found: list[int],
    gaps: list[float], worths: list[float], chosen: list[int], refused: list[int],
) -> int:  # fmt: skip
    """Bring what rests nearer to the ladder in force; returns how many entries set out."""
    slots[SL_PLANNED_T] = now
    if counts[N_KNOWN] == 0 or (account[A_ON] == 0 and float(now - slots[SL_COUNTED_T]) >= manner[X_RECONCILE_NS]):
        count_actions(bucket, counts, slots, desk, account, now)
    elif slots[SL_IS_NEW] != NEWS:  # which come between two looks at the clock
        refill(bucket, counts, now, in_state(slots, OPEN))
    slots[SL_IS_NEW] = 0
    if slots[SL_STANCE] != QUOTE:
        sent = cancel_all(slots, desk, actions, now)
        counts[N_USED] += sent
        return sent
    if slots[SL_SHOWN_T] == 0:
        return 0
    n = pack_orders(slots, now, int(manner[X_QUEUE_AGE_NS]), orders, places)
    pack_wanted(shown, want)
    q[Q_IS_CANCELLING] = in_state(slots, CANCELLING)
    value_px = set_limits(limits, marks, own, manner, state, ints, position, equity_e8)
    mid = marks[MK_PRICES] if limits[LM_BID] > 0 and limits[LM_ASK] > 0 else state[S_MID]
    chose = plan(
        orders, n, places, want, limits, marks, bucket, facts, terms, recent, q, manner[X_HOLD_BPS], mid, value_px,
        now, now, px, sz, locked, place, want_px, want_sz, assigned, index, held, found_book, found, gaps, worths,
        chosen, refused,
    )  # fmt: skip
    if chose == 0:
        return 0
    sent = send_chosen(slots, desk, actions, chosen, now)
    counts[N_USED] += sent
    return sent
