"""The Risk board: how near every limit is, in which mode we are, and who stands guard."""

from __future__ import annotations

from boards import bounds as b
from boards.panel import (
    COUNT,
    DARK_RED,
    GREEN,
    NONE,
    ORANGE,
    RATE,
    RATIO,
    RED,
    SECONDS,
    USD,
    YELLOW,
    Ask,
    Board,
    Panel,
    Row,
    of_coin,
    one,
    stat,
)
from common.messages import Mode
from executor.vigil import State

RISKD = 'service="riskd"'
MARGIN_STEPS = tuple(zip((GREEN, YELLOW, ORANGE, RED, DARK_RED), (None, *b.MARGIN_BANDS), strict=True))
MODE_COLOUR = {
    Mode.DISARMED: "blue", Mode.ACTIVE: GREEN, Mode.REDUCING: YELLOW, Mode.PAUSED: ORANGE, Mode.KILLED: RED,
}  # fmt: skip
MODES = {place: (mode.value, MODE_COLOUR[mode]) for place, mode in enumerate(Mode)}
STATE_COLOUR = {
    State.WAITING: YELLOW, State.ARMED: GREEN, State.DISARMED: "blue", State.FIRING: RED, State.DONE: ORANGE,
}  # fmt: skip
STATES = {place: (state.value, STATE_COLOUR[state]) for place, state in enumerate(State)}
YES_NO = {0: ("no", "text"), 1: ("yes", RED)}
ON_OFF = {0: ("off", RED), 1: ("on", GREEN)}


def _session_limit(share: float) -> str:
    return f"-{share:g} * max(amm_session_loss_limit_usd)"


LIMITS = (
    Panel("Margin used over equity", "gauge", RATIO,
          "USDH (collateral) margin in use over equity: from 70 % quotes lean, from 80 % sizes shrink, from 85 % the "
          "position is reduced, above 90 % everything is cancelled.",
          one("max by (account) (amm_margin_ratio)", "{{account}}"), width=6, steps=MARGIN_STEPS, low=0.0, high=1.0,
          decimals=1),
    Panel("Taker share", "lines", RATIO,
          f"Taker share of our notional over 24 h, recorded here and from riskd's journal; above {b.TAKER_MAX:.0%} "
          f"quotes widen, above {b.TAKER_PAUSE:.0%} they pause (from {b.TAKER_MIN_FILLS} fills on).", (
              Ask("amm:taker_ratio:notional_24h", "24 h, recorded"),
              Ask("max by (window) (amm_taker_ratio)", "{{window}}, journal")),
          width=9, steps=((GREEN, None), (RED, b.TAKER_MAX)), low=0.0),
    Panel("Drawdown", "lines", RATIO,
          f"Fall of equity from its peak; alert at {b.DRAWDOWN_ALERT:.0%}, kill at {b.DRAWDOWN_KILL:.0%}.",
          one("max by (account) (amm_drawdown_ratio)", "{{account}}"), width=9,
          steps=((GREEN, None), (ORANGE, b.DRAWDOWN_ALERT), (RED, b.DRAWDOWN_KILL)), low=0.0),
    Panel("Mode", "states", NONE, "The mode of riskd's newest permit.", one("max(amm_risk_mode)", "mode"), height=5,
          texts=MODES),
    Panel("Trading and kill switches", "states", NONE, "Whether new orders may be sent: on only when riskd and the "
          "executor both agree.", one("min(amm_trading_enabled)", "trading"), height=5, texts=ON_OFF),
    Panel("Dead-man state", "states", NONE,
          "The warden, which cancels when the executor is silent or a kill file appears; armed is as it should be.",
          one("max(amm_deadman_state)", "dead-man"), height=5, texts=STATES),
    Panel("Kill switches", "states", NONE, "Which kill is latched: the file, riskd's rules, the executor's own.",
          one("max by (reason) (amm_kill_switch_tripped)", "{{reason}}"), height=5, texts=YES_NO),
    Panel("Session PnL and its limits", "lines", USD,
          "Session PnL as riskd reckons it (equity since the start), half of the loss that kills, and that loss.", (
              Ask(f"min by (account) (amm_session_pnl_usd{{{RISKD}}})", "{{account}}"),
              Ask(_session_limit(b.SESSION_LOSS_ALERT), "alert"), Ask(_session_limit(b.SESSION_LOSS_KILL), "kill"))),
    Panel("Equity and its peak", "lines", USD, "Account value and the highest one, from which drawdown is measured.", (
        Ask(f"max by (account) (amm_equity_usd{{{RISKD}}})", "equity"),
        Ask("max by (account) (amm_equity_peak_usd)", "peak"))),
    stat("Losing fills in a row", COUNT, f"max by (coin) ({of_coin('amm_consecutive_losing_fills')})", "{{coin}}",
         f"{b.STREAK_FADE} fade, {b.STREAK_PAUSE} pause, {b.STREAK_KILL} kill if they cost enough.",
         ((GREEN, None), (YELLOW, b.STREAK_FADE), (ORANGE, b.STREAK_PAUSE), (RED, b.STREAK_KILL)), width=6, decimals=0),
    stat("Loss of the streak", USD, f"max by (coin) ({of_coin('amm_losing_streak_loss_usd')})", "{{coin}}",
         f"What these fills lost; below {b.RISK.streak_min_loss_ratio:.1%} of equity a streak does not kill.", width=6,
         decimals=3),
    stat("Hours of budget left", COUNT, "min(amm_action_budget_hours_left)", "hours",
         f"How long the actions left last at the present pace; the governor aims at "
         f"{b.EXECUTION.action_budget_horizon_h:g} h (shown up to 1,000).",
         ((RED, None), (ORANGE, b.BUDGET_HOURS_LOW), (GREEN, b.EXECUTION.action_budget_horizon_h)), width=6,
         decimals=1),
    stat("Calendar of sessions", COUNT, "min(amm_session_calendar_days) or vector(0)", "days",
         "Days for which config/sessions.json still reaches; none is needed where the underlying trades all day.",
         ((RED, None), (GREEN, b.CALENDAR_DAYS)), width=6, decimals=0, texts={0: ("none needed", "text")}),
)  # fmt: skip

MONEY = (
    Panel("Funding", "lines", RATIO, "Hourly funding rate; above 0.01 % and against us the position is skewed away.",
          one(of_coin("amm_funding_rate_hourly_ratio"), "{{coin}}"),
          steps=((GREEN, None), (ORANGE, b.FUNDING_HIGH_1H)), decimals=5),
    Panel("Margin used and free", "lines", USD, "Collateral in use and equity that is not.", (
        Ask("max by (account) (amm_margin_used_usd)", "used"),
        Ask("max by (account) (amm_margin_available_usd)", "free")), low=0.0),
    Panel("Action budget", "lines", COUNT,
          f"Actions the venue still allows this address, and what the governor would spend now; cancels only below "
          f"{b.ACTIONS_RESERVE}.", (
              Ask("min by (account) (amm_rate_limit_remaining_requests)", "left"),
              Ask("max by (account) (amm_governor_tokens)", "governor")),
          steps=((RED, None), (ORANGE, b.ACTIONS_RESERVE), (GREEN, b.ACTIONS_LOW))),
    Panel("Alerts sent", "lines", COUNT, "Alerts that the monitor told people about.",
          one(f"sum by (channel, severity) (increase(amm_alerts_sent_total[{RATE}]))", "{{channel}} {{severity}}"),
          low=0.0),
    Panel("Second opinion", "lines", SECONDS,
          "How long the venue's position has not been that of our fills, s, and cash nobody explains, USD; both 0.", (
              Ask("max by (coin) (amm_position_differs_seconds)", "{{coin}} position differs"),
              Ask("max by (account) (amm_pnl_residual_usd)", "{{account}} unexplained USD"))),
    Panel("Dead-man fires", "lines", COUNT, "Times the warden began to cancel, by what made it.",
          one(f"sum by (reason) (increase(amm_deadman_fires_total[{RATE}]))", "{{reason}}"), low=0.0),
)  # fmt: skip

RISK = Board(
    "risk", "AMM-500 / Risk", "Distance to every limit, mode, permission to trade, and who stands guard.",
    (*LIMITS, Row("Money and permission to act"), *MONEY),
)  # fmt: skip
