"""riskd in the replay: the figures of its table, measured on the account, and what the table makes of them.

The rules are riskd's own kernels and its own rows; what a replay cannot fail at (processes, reconciliation, commands)
is always well. Where an executor plans, riskd judges what it has been told (`reading.py`), else the venue's truth at
every look at the account. A kill is latched for the rest of the tape. One vector of knobs (`G_*`), the figures and the
verdict are riskd's vectors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backtest.loop.account import (
    A_BASIS_E6,
    A_DAY,
    A_DAY_E8,
    A_HELD,
    A_KILL_ROWS,
    A_KILLED_T,
    A_LIQUIDATIONS,
    A_MODE,
    A_OTHERS_E6,
    A_OTHERS_FILLS,
    A_OTHERS_TAKEN_E6,
    A_PAUSE_T,
    A_PEAK_E8,
    A_SCORED,
    A_TAKEN_E6,
)
from backtest.loop.layout import D_VOLUME, FILL_PX, FILL_SLOT, FILL_STRIDE, FILL_SZ, FILL_T, LOG_N, LOG_ROWS
from common.kernel import kernel, state
from quoter.state import NS, QUOTES_MAX
from riskd import limits
from riskd.limits import (
    ADVERSE,
    DRAWDOWN,
    FIGURES,
    KILL,
    KILLED,
    LIQUIDATED,
    MARGIN,
    MARGIN_REDUCING,
    OUT,
    OUT_MODE,
    SESSION_LOSS,
    STREAK,
    STREAK_KILL,
    STREAK_PAUSED,
    TAKER,
    judge,
)
from riskd.losses import adverse_share, drawdown, loss_share
from riskd.margin import reducing
from riskd.streak import COUNT, HORIZON_S, kills, step

if TYPE_CHECKING:
    from common.config import Risk

DAY_NS = 86_400 * NS
E8 = 1e8
LOSING_BPS = 0.2
"""A fill that loses less is not losing (design section 5)."""

(
    G_ROWS,  # of the table, 0 = nobody guards
    G_LOSS_USD,
    G_LOSS_RATIO,
    G_CRITICAL,
    G_INFO,
    G_STREAK_KILL,
    G_STREAK_LOSS,
    G_STREAK_PAUSE,
    G_PAUSE_S,
    G_TAKER_FILLS,
    G_LEN,
) = range(11)


def new_guard(risk: Risk | None) -> tuple[Any, Any, Any, Any, Any]:
    """Knobs, the table's rows, figures, verdict, streak; without limits nobody guards."""
    knobs, figures, verdict, losing = state(G_LEN), state(FIGURES), state(OUT), state(2)
    if risk is None:
        return knobs, state(limits.ROW), figures, verdict, losing
    table = limits.limits_of(risk)
    rows = state(limits.ROW * len(table))
    for i, limit in enumerate(table):
        cells = (limit.figure, limit.above, limit.upto, limit.mode, limit.size_scale, limit.spread_scale)
        for j, cell in enumerate(cells):
            rows[limits.ROW * i + j] = float(cell)
    for place, value in (
        (G_ROWS, len(table)), (G_LOSS_USD, risk.session_loss_usd), (G_LOSS_RATIO, risk.session_loss_ratio),
        (G_CRITICAL, risk.margin_critical), (G_INFO, risk.margin_info), (G_STREAK_KILL, risk.streak_kill),
        (G_STREAK_LOSS, risk.streak_min_loss_ratio), (G_STREAK_PAUSE, risk.streak_pause),
        (G_PAUSE_S, risk.streak_pause_s), (G_TAKER_FILLS, risk.taker_min_fills),
    ):  # fmt: skip
        knobs[place] = float(value)
    return knobs, rows, figures, verdict, losing


def names_of(bits: int, risk: Risk) -> tuple[str, ...]:
    """The limits whose bits are set, and which kill."""
    return tuple(limit.name for i, limit in enumerate(limits.limits_of(risk)) if bits >> i & 1 and limit.latches)


@kernel("i8(i8[::1], i8[::1], i8, i8, f8[::1], f8[::1])")
def score_fills(
    account: list[int], fills: list[int], now: int, mid2: int, knobs: list[float], losing: list[float]
) -> int:
    """Fills whose 5 s are over lengthen or end the streak; returns how many there were."""
    found = 0
    while account[A_SCORED] < fills[LOG_N] and mid2 > 0:
        at = LOG_ROWS + FILL_STRIDE * account[A_SCORED]
        if fills[at + FILL_T] + HORIZON_S * NS > now:
            break
        px = float(fills[at + FILL_PX])
        move = (0.5 * float(mid2) - px) / px * 1e4
        bps = move if fills[at + FILL_SLOT] < QUOTES_MAX else -move
        if step(losing, bps, px * float(fills[at + FILL_SZ]) * 1e-6, LOSING_BPS) >= knobs[G_STREAK_PAUSE]:
            account[A_PAUSE_T] = now + int(knobs[G_PAUSE_S] * NS)
        account[A_SCORED] += 1
        found += 1
    return found


@kernel("i8(i8[::1], i8[::1], i8[::1], i8, i8, f8, i8, i8, f8[::1], f8[::1], f8[::1], f8[::1], f8[::1])")
def guard(
    account: list[int], desk: list[int], fills: list[int], position: int, equity: int, ratio: float, mark: int,
    now: int, knobs: list[float], rows: list[float], figures: list[float], verdict: list[float], losing: list[float],
) -> int:  # fmt: skip
    """Measure and judge what is known: equity, margin ratio, mark; returns 1 when other rows of the table hold.

    Mode and rows are kept in the account.
    """
    account[A_PEAK_E8] = max(account[A_PEAK_E8], equity)
    if account[A_DAY] != now // DAY_NS:
        account[A_DAY] = now // DAY_NS
        account[A_DAY_E8] = equity
    figures[MARGIN] = ratio
    figures[MARGIN_REDUCING] = reducing(figures[MARGIN_REDUCING], ratio, knobs[G_CRITICAL], knobs[G_INFO])
    figures[DRAWDOWN] = drawdown(account[A_PEAK_E8], equity)
    figures[SESSION_LOSS] = loss_share(account[A_DAY_E8], equity, knobs[G_LOSS_USD], knobs[G_LOSS_RATIO])
    figures[STREAK] = losing[COUNT]
    figures[STREAK_PAUSED] = 1.0 if now < account[A_PAUSE_T] else 0.0
    figures[STREAK_KILL] = kills(losing, knobs[G_STREAK_KILL], float(equity) / E8, knobs[G_STREAK_LOSS])
    traded = desk[D_VOLUME] + account[A_OTHERS_E6]
    taken = account[A_TAKEN_E6] + account[A_OTHERS_TAKEN_E6]
    known = float(fills[LOG_N] + account[A_OTHERS_FILLS]) >= knobs[G_TAKER_FILLS] and traded > 0
    figures[TAKER] = float(taken) / float(max(traded, 1)) if known else 0.0
    entry = float(account[A_BASIS_E6]) / float(position) if position != 0 else 0.0
    figures[ADVERSE] = adverse_share(position, entry, float(mark))
    figures[LIQUIDATED] = 1.0 if account[A_LIQUIDATIONS] > 0 else 0.0
    figures[KILLED] = 1.0 if account[A_KILLED_T] > 0 else 0.0
    held = judge(figures, rows, int(knobs[G_ROWS]), verdict)
    account[A_MODE] = int(verdict[OUT_MODE])
    if account[A_MODE] == KILL and account[A_KILLED_T] == 0:
        account[A_KILLED_T] = now
        account[A_KILL_ROWS] = held
    differs = 1 if held != account[A_HELD] else 0
    account[A_HELD] = held
    return differs
