"""The numbers that alerts compare with and panels draw, each once.

What the configuration decides is read from its defaults, which no market's file changes (a test holds that); what it
does not decide stands here with its source.
"""

from __future__ import annotations

from common.config import Execution, Quoting, Risk

RISK = Risk.model_validate({})
EXECUTION = Execution.model_validate({})
DELTA_ONE_SIDED, DELTA_FULL, CALENDAR_DAYS = (
    float(Quoting.model_fields[name].default) for name in ("delta_one_sided", "delta_full", "session_alert_days")
)

MARGIN_BANDS = (RISK.margin_info, RISK.margin_high, RISK.margin_critical, RISK.margin_emergency)
DRAWDOWN_ALERT, DRAWDOWN_KILL = RISK.drawdown_alert, RISK.max_drawdown
TAKER_MAX, TAKER_PAUSE = RISK.taker_ratio_max, round(1.0 - RISK.maker_pause_ratio, 6)
TAKER_MIN_FILLS = RISK.taker_min_fills
STREAK_FADE, STREAK_PAUSE, STREAK_KILL = RISK.streak_fade, RISK.streak_pause, RISK.streak_kill
SESSION_LOSS_ALERT, SESSION_LOSS_KILL = 0.5, 1.0
"""Shares of the loss that kills, which riskd exports (design section 6)."""

ACTIONS_LOW = 2_000
"""Actions left of the address' budget (grafana.md section 4)."""
ACTIONS_RESERVE = EXECUTION.action_reserve
"""At and below this only cancels go out (governor)."""
BUDGET_HOURS_LOW = EXECUTION.action_budget_horizon_h / 4
"""The governor spends so that the budget lasts its horizon; a quarter of that means that it does not."""

FUNDING_HIGH_1H = 0.0001
MARKOUT_BAD_BPS, MARKOUT_MIN_FILLS = -2.0, 20
HEARTBEAT_S, FEED_S = 10.0, 5.0
LAG_MESSAGES, PENDING_S = 500, 2.0
RECONNECTS = 5
TICK_TO_ORDER_S = 0.05
"""All from grafana.md section 4."""

LOOP_LAG_S = 0.25
CLOCK_STEP_S = 0.25
"""Design section 6; reliability.md section 5, host clock."""
POSITION_DIFFERS_S = 10.0
RESIDUAL_USD = 0.01
"""reliability.md P21; a cent is the venue's rounding."""
REJECTS_RATIO, REJECTS_MIN = 0.25, 100
"""Post-only orders are refused when the market meets them first; a quarter of all is no market to blame."""
BAD_INPUT_PER_S = 1.0
"""A fifth of the rate at which the feed gives the market up (reliability.md section 5)."""
MEMORY_BYTES = 1e9
"""Every service stays below 0.4 GB; a growth beyond this is a leak."""
SIM_LAGS = 15
"""Late steps of a simulated market in five minutes: one in twenty seconds."""
SCRAPE_S = 5
