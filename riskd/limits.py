"""The risk limits as one table: a figure within a band -> mode, size, spread, alert (design section 6).

`engine.py` measures the figures, this room decides what they mean, and nothing else in riskd does. A band is
above < figure <= upto, so that a value exactly at a limit belongs to the milder side; a figure that is no number lies
in every one of its bands. Of all rows that hold the most severe mode wins; sizes and spreads multiply. Rows that
latch make a kill.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.kernel import kernel, state
from common.messages import Mode, Severity

if TYPE_CHECKING:
    from common.config import Risk

# ---------------------------------------------------------------------- figures (one vector)
MARGIN = 0  # used margin over equity
MARGIN_REDUCING = 1  # 1 while a reduction to the info level goes on
DRAWDOWN = 2  # fall from the peak, share of the peak
SESSION_LOSS = 3  # loss since the session began, share of what kills
STREAK = 4  # losing fills in a row
STREAK_PAUSED = 5  # 1 during the pause after too many
STREAK_KILL = 6  # 1 when the streak is long and dear enough to kill
TAKER = 7  # taker share of 24 h; 0 until there are enough fills
ADVERSE = 8  # move of the mark against the open position, share of its entry
ACCOUNT_AGE_S = 9  # machine seconds since the account was heard of (or older by its own stamp)
UNRECONCILED_S = 10  # machine seconds since it was last reconciled
MARKET_AGE_S = 11  # machine seconds since market data
NO_ACCOUNT = 12  # flags, 0 or 1, from here on
MISMATCH = 13  # executor and monitor see different positions for too long
GAP = 14  # fills or commands were missed
BUILDS = 15  # services of different build, schema or configuration
PAUSED = 16  # by a person
DRAINING = 17
DRAINED = 18  # flat after a drain
DISARMED = 19
STARTING = 20  # the kill file was not looked at yet
LIQUIDATED = 21
KILLED = 22
FIGURES = 23

MODES = (Mode.ACTIVE, Mode.REDUCING, Mode.PAUSED, Mode.DISARMED, Mode.KILLED)
"""From the mildest to the most severe; a permit takes the most severe of all rows that hold."""

ACTIVE, REDUCING, PAUSE, DISARM, KILL = range(5)

MARKET_AGE_S_MAX = 3.0
"""Machine seconds without market data after which riskd is blind; the executor pulls quotes before (P01)."""
MAKER_WARN = 0.90
"""Maker share below which a person is told (design section 6)."""
CRITICAL_OF_MAX = 0.8
"""Risk level CRITICAL begins at this share of the drawdown that kills (4 % of 5 %)."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One row.  `alert` None: nobody is told (a state somebody asked for, or of every start)."""

    name: str
    figure: int
    above: float
    upto: float
    mode: int
    size_scale: float = 1.0
    spread_scale: float = 1.0
    alert: Severity | None = None
    text: str = ""

    @property
    def latches(self) -> bool:
        """A rule that kills, as against the latch that says so."""
        return self.mode == KILL and self.figure != KILLED


def limits_of(risk: Risk) -> tuple[Limit, ...]:
    """The table with this configuration's levels."""
    top = math.inf
    warn, crit, emergency = Severity.WARNING, Severity.CRITICAL, Severity.EMERGENCY
    critical = CRITICAL_OF_MAX * risk.max_drawdown
    alert_at = min(risk.drawdown_alert, critical)
    maker_pause = 1.0 - risk.maker_pause_ratio
    maker_warn = min(1.0 - MAKER_WARN, maker_pause)
    taker_max = min(risk.taker_ratio_max, maker_warn)
    return (
        Limit("margin_info", MARGIN, risk.margin_info, risk.margin_high, ACTIVE, alert=Severity.INFO,
              text="margin ratio is elevated"),
        Limit("margin_high", MARGIN, risk.margin_high, risk.margin_critical, ACTIVE, risk.margin_high_scale, alert=warn,
              text="margin ratio is high: smaller quotes"),
        Limit("margin_critical", MARGIN, risk.margin_critical, risk.margin_emergency, REDUCING,
              risk.margin_critical_scale, alert=crit, text="margin ratio is critical: reducing"),
        Limit("margin_emergency", MARGIN, risk.margin_emergency, top, PAUSE, alert=emergency,
              text="margin ratio is an emergency: everything is cancelled"),
        Limit("margin_reducing", MARGIN_REDUCING, 0.5, top, REDUCING),
        Limit("drawdown_medium", DRAWDOWN, alert_at / 2.0, alert_at, ACTIVE, 1.0, 1.25),
        Limit("drawdown_high", DRAWDOWN, alert_at, critical, ACTIVE, 0.5, 1.75, warn, "equity fell from its peak"),
        Limit("drawdown_critical", DRAWDOWN, critical, risk.max_drawdown, REDUCING, 0.5, 1.75, crit,
              "equity is near the drawdown that kills: closing"),
        Limit("drawdown", DRAWDOWN, risk.max_drawdown, top, KILL, alert=emergency, text="drawdown killed trading"),
        Limit("session_loss_half", SESSION_LOSS, 0.5, 1.0, ACTIVE, alert=warn, text="half of the session's loss limit"),
        Limit("session_loss", SESSION_LOSS, 1.0, top, KILL, alert=emergency, text="the session's loss killed trading"),
        Limit("streak_fade", STREAK, risk.streak_fade - 0.5, top, ACTIVE),
        Limit("streak_pause", STREAK_PAUSED, 0.5, top, PAUSE, alert=warn, text="losing fills in a row: a pause"),
        Limit("streak", STREAK_KILL, 0.5, top, KILL, alert=emergency, text="losing fills in a row killed trading"),
        Limit("taker_share", TAKER, taker_max, maker_warn, ACTIVE, 1.0, risk.taker_spread_scale, warn,
              "taker share is above its limit: wider quotes"),
        Limit("maker_share_low", TAKER, maker_warn, maker_pause, ACTIVE, 1.0, risk.taker_spread_scale, warn,
              "maker share is low: wider quotes"),
        Limit("maker_share", TAKER, maker_pause, top, PAUSE, alert=crit, text="maker share is far too low: a pause"),
        Limit("stop_loss", ADVERSE, risk.stop_loss, top, REDUCING, alert=crit,
              text="the position moved against us: closing"),
        Limit("account_old", ACCOUNT_AGE_S, risk.account_age_max_s, top, REDUCING, alert=warn,
              text="account data is old"),
        Limit("unreconciled", UNRECONCILED_S, risk.account_age_max_s, top, REDUCING, alert=warn,
              text="the executor's books and the venue's are not reconciled"),
        Limit("market_data_old", MARKET_AGE_S, MARKET_AGE_S_MAX, top, PAUSE, alert=warn, text="no market data"),
        Limit("no_account", NO_ACCOUNT, 0.5, top, PAUSE),
        Limit("position_mismatch", MISMATCH, 0.5, top, REDUCING, alert=crit,
              text="executor and monitor see different positions"),
        Limit("messages_missed", GAP, 0.5, top, REDUCING, alert=warn, text="fills were missed on the way to riskd"),
        Limit("builds_differ", BUILDS, 0.5, top, PAUSE, alert=crit,
              text="services run different builds or configurations"),
        Limit("paused", PAUSED, 0.5, top, PAUSE),
        Limit("draining", DRAINING, 0.5, top, REDUCING),
        Limit("drained", DRAINED, 0.5, top, PAUSE),
        Limit("disarmed", DISARMED, 0.5, top, DISARM),
        Limit("starting", STARTING, 0.5, top, PAUSE),
        Limit("liquidation", LIQUIDATED, 0.5, top, KILL, alert=emergency,
              text="the venue liquidated or deleveraged us"),
        Limit("killed", KILLED, 0.5, top, KILL),
    )  # fmt: skip


# ---------------------------------------------------------------------- the judgement, on flat vectors
ROW_FIGURE, ROW_ABOVE, ROW_UPTO, ROW_MODE, ROW_SIZE, ROW_SPREAD = range(6)
ROW = 6
OUT_MODE, OUT_SIZE, OUT_SPREAD, OUT_SOFT_USD, OUT_HARD_USD = range(5)
OUT = 5
SPREAD_SCALE_MAX = 100.0
USD_MAX = 1e9


@kernel("i8(f8[::1], f8[::1], i8, f8[::1])")
def judge(figures: Any, rows: Any, n: int, out: Any) -> int:
    """Mode, size and spread of the `n` rows that hold, into `out`; returns which rows hold, as bits (n <= 62)."""
    held = 0
    mode, size, spread = 0.0, 1.0, 1.0
    for i in range(n):
        at = i * ROW
        figure = figures[int(rows[at + ROW_FIGURE])]
        if figure <= rows[at + ROW_ABOVE] or figure > rows[at + ROW_UPTO]:
            continue
        held |= 1 << i
        mode = max(mode, rows[at + ROW_MODE])
        size *= rows[at + ROW_SIZE]
        spread *= rows[at + ROW_SPREAD]
    out[OUT_MODE] = mode
    out[OUT_SIZE] = min(max(size, 0.0), 1.0) if mode < PAUSE else 0.0
    out[OUT_SPREAD] = min(max(spread, 1.0), SPREAD_SCALE_MAX)
    return held


@kernel("i8(f8, f8, f8, f8[::1])")
def caps(equity_usd: float, soft_ratio: float, hard_ratio: float, out: Any) -> int:
    """Net position limits in USD for the mode in `out`: none while nothing may rest, soft 0 while reducing."""
    out[OUT_SOFT_USD] = 0.0
    out[OUT_HARD_USD] = 0.0
    if not equity_usd > 0.0 or out[OUT_MODE] >= PAUSE:
        return 0
    out[OUT_HARD_USD] = min(hard_ratio * equity_usd, USD_MAX)
    if out[OUT_MODE] < REDUCING:
        out[OUT_SOFT_USD] = min(soft_ratio * equity_usd, out[OUT_HARD_USD])
    return 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the table says of one set of figures."""

    mode: Mode
    size_scale: float
    spread_scale: float
    soft_usd: float
    hard_usd: float
    held: tuple[Limit, ...]

    @property
    def reasons(self) -> list[str]:
        return [limit.name for limit in self.held]


class Limits:
    """The table, ready to judge."""

    def __init__(self, risk: Risk) -> None:
        self.table = limits_of(risk)
        self._soft, self._hard = risk.soft_ratio, risk.hard_ratio
        self._rows = state(len(self.table) * ROW)
        self._out = state(OUT)
        for i, limit in enumerate(self.table):
            cells = (limit.figure, limit.above, limit.upto, limit.mode, limit.size_scale, limit.spread_scale)
            for j, cell in enumerate(cells):
                self._rows[i * ROW + j] = float(cell)

    def verdict(self, figures: Any, equity_usd: float, size_scale: float = 1.0) -> Verdict:
        """Judge; `size_scale` (0-1) is what a person allows at most."""
        held = int(judge(figures, self._rows, len(self.table), self._out))
        caps(equity_usd, self._soft, self._hard, self._out)
        size = float(self._out[OUT_SIZE]) * (min(max(size_scale, 0.0), 1.0) if math.isfinite(size_scale) else 0.0)
        return Verdict(
            mode=MODES[int(self._out[OUT_MODE])],
            size_scale=size,
            spread_scale=float(self._out[OUT_SPREAD]),
            soft_usd=float(self._out[OUT_SOFT_USD]),
            hard_usd=float(self._out[OUT_HARD_USD]),
            held=tuple(limit for i, limit in enumerate(self.table) if held >> i & 1),
        )
