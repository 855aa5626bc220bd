"""Alerts about money, orders and permission to trade; grafana.md section 4 and what a person on call needs beside it.

Safety never depends on them: riskd, executor and warden have acted by the time one fires.
"""

from __future__ import annotations

from boards import bounds as b
from boards.rule import DURATION, PERCENT, Compare, Group, Rule, equal, over, under
from common.messages import Severity
from executor.vigil import KILL, SILENT, State

INFO, WARNING, CRITICAL, EMERGENCY = Severity.INFO, Severity.WARNING, Severity.CRITICAL, Severity.EMERGENCY

MARGIN = "max by (account) (amm_margin_ratio)"
DRAWDOWN = "max by (account) (amm_drawdown_ratio)"
LOSS = (
    'min by (account) (amm_session_pnl_usd{service="riskd"})'
    ' / max by (account) (amm_session_loss_limit_usd{service="riskd"})'
)
BUDGET = "min by (account) (amm_rate_limit_remaining_requests)"
TRADING = Compare("min(amm_trading_enabled)", "==", "1")
ARMED = list(State).index(State.ARMED)
FIRES = f'sum by (reason) (increase(amm_deadman_fires_total{{reason=~"{SILENT}|{KILL}"}}[5m]))'


def _margin(name: str, severity: Severity, band: int, for_s: int, what: str, runbook: str) -> Rule:
    upto = b.MARGIN_BANDS[band + 1] if band + 1 < len(b.MARGIN_BANDS) else None
    return Rule(
        name, severity, over(MARGIN, b.MARGIN_BANDS[band], upto),
        summary=f"Margin of {{account}} is {{value}}, above {b.MARGIN_BANDS[band]:.0%}",
        description=f"Used margin over equity of account {{account}} is {{value}}. riskd: {what}.",
        runbook=runbook, for_s=for_s, form=PERCENT, panel="risk/Margin used over equity",
    )  # fmt: skip


MARGIN_RULES = (
    _margin("MarginRatioElevated", INFO, 0, 30, "quotes lean against the position",
            "Watch the position on the Risk board; nothing to do unless it rises."),
    _margin("MarginRatioHigh", WARNING, 1, 15, "sizes are 80 %",
            "Check inventory and leverage; add collateral or lower LEVERAGE if the position is meant to stay."),
    _margin("MarginRatioCritical", CRITICAL, 2, 0, "sizes are 60 % and the position is being reduced to 70 %",
            "See that the position shrinks within a minute; if it does not: make drain, or add collateral."),
    _margin("MarginRatioEmergency", EMERGENCY, 3, 0, "everything is cancelled and quoting is paused",
            "Open the venue's own page, add collateral or close part of the position by hand, then make resume."),
)  # fmt: skip

MONEY_RULES = (
    Rule(
        "TakerRatioHigh", WARNING, over("amm:taker_ratio:notional_24h", b.TAKER_MAX),
        guard=Compare("amm:fills:count_24h", ">=", str(b.TAKER_MIN_FILLS)),
        summary=f"Taker share of 24 h is {{value}}, above {b.TAKER_MAX:.0%}",
        description="Taker share of the notional of the last 24 h is {value}; riskd widens the quotes by half.",
        runbook="See on the Trading board which fills took: stop-loss or drain takes on purpose; else make pause and "
                "read the executor's log for orders that crossed.",
        for_s=60, form=PERCENT, panel="risk/Taker share",
    ),
    Rule(
        "MakerSharePause", CRITICAL, over("amm:taker_ratio:notional_24h", b.TAKER_PAUSE),
        guard=Compare("amm:fills:count_24h", ">=", str(b.TAKER_MIN_FILLS)),
        summary=f"Taker share of 24 h is {{value}}: quoting is paused above {b.TAKER_PAUSE:.0%}",
        description="More than a fifth of the notional of 24 h was taken ({value} taker): this is no market maker.",
        runbook="Find out why orders take (Trading board, fills by liquidity); quoting resumes by itself when old "
                "taker fills leave the window.",
        for_s=60, form=PERCENT, panel="risk/Taker share",
    ),
    Rule(
        "DrawdownWarning", WARNING, over(DRAWDOWN, b.DRAWDOWN_ALERT, b.DRAWDOWN_KILL),
        summary=f"Equity of {{account}} is {{value}} below its peak (alert {b.DRAWDOWN_ALERT:.0%})",
        description=f"Drawdown of {{account}} is {{value}}; at {b.DRAWDOWN_KILL:.0%} trading is killed.",
        runbook="Look at the parts of PnL and the markouts; make pause if the loss is adverse selection.",
        form=PERCENT, panel="risk/Drawdown",
    ),
    Rule(
        "DrawdownKill", EMERGENCY, over(DRAWDOWN, b.DRAWDOWN_KILL),
        summary="Equity of {account} is {value} below its peak: trading is killed",
        description=f"Drawdown of {{account}} is {{value}}, beyond the limit of {b.DRAWDOWN_KILL:.0%}.",
        runbook="Check that 0 orders rest and what the position is (make status); close it by hand if wanted; arm "
                "again only when the cause is understood: make arm REASON=...",
        form=PERCENT, panel="risk/Drawdown",
    ),
    Rule(
        "SessionLossWarning", WARNING, under(LOSS, -b.SESSION_LOSS_ALERT, -b.SESSION_LOSS_KILL),
        summary="This session's loss of {account} is past half of its limit",
        description="Session PnL of {account} is {value} of the loss that kills (amm_session_loss_limit_usd).",
        runbook="Compare spread, inventory and fees on the Trading board; make pause if the loss goes on.",
        form=PERCENT, panel="risk/Session PnL and its limits",
    ),
    Rule(
        "SessionLossKill", EMERGENCY, under(LOSS, -b.SESSION_LOSS_KILL),
        summary="This session's loss of {account} is beyond its limit: trading is killed",
        description="Session PnL of {account} is {value} of the loss that kills.",
        runbook="Check that 0 orders rest (make status) and decide about the position; make arm begins a new session.",
        form=PERCENT, panel="risk/Session PnL and its limits",
    ),
    Rule(
        "LosingFillsStreak", EMERGENCY,
        (Compare("max by (coin) (amm_consecutive_losing_fills)", ">=", str(b.STREAK_KILL)),),
        summary="{value} losing fills in a row on {coin}",
        description=f"{{value}} fills of {{coin}} lost in a row. From {b.STREAK_KILL} on trading is killed when they "
                    f"cost more than {b.RISK.streak_min_loss_ratio:.1%} of equity; a streak that cost less is chance.",
        runbook="Read the streak's loss on the Risk board; if trading was killed, look for a stale reference price "
                "or a one-sided market before make arm.",
        panel="risk/Losing fills in a row",
    ),
    Rule(
        "KillSwitchTripped", EMERGENCY, equal("max by (reason) (amm_kill_switch_tripped)", 1),
        summary="Kill switch tripped: {reason}",
        description="A kill is latched ({reason}); nobody quotes until a person arms again.",
        runbook="make status tells the reason; check that 0 orders rest and what the position is; then make arm.",
        panel="risk/Kill switches",
    ),
    Rule(
        "PositionDiffers", CRITICAL, over("max by (coin) (amm_position_differs_seconds)", b.POSITION_DIFFERS_S),
        summary="The venue's position in {coin} has not been ours for {value}",
        description="The monitor's own look at the account and our fills disagree about {coin} for {value}.",
        runbook="Look for trades made by hand or from elsewhere with this account; else make pause and restart the "
                "executor, which reconciles.",
        form=DURATION, panel="risk/Second opinion",
    ),
    Rule(
        "PnlResidual", CRITICAL, over("max by (account) (abs(amm_pnl_residual_usd))", b.RESIDUAL_USD),
        summary="Cash of {account} changed by {value} USD that nothing explains",
        description="Fills, fees and funding leave {value} USD of {account}'s cash unexplained.",
        runbook="Look for deposits, withdrawals or another user of the account; else compare the venue's ledger with "
                "the journal before trading on.",
        for_s=90, panel="risk/Second opinion",
    ),
    Rule(
        "FeeDifferences", WARNING, over("sum by (coin, liquidity) (increase(amm_fee_differences_total[15m]))", 0),
        summary="{value} {liquidity} fills of {coin} were charged another fee than expected",
        description="The venue's fee of {value} {liquidity} fills of {coin} is outside the model's tolerance.",
        runbook="Read the account's fees at the venue (tier, referral, growth mode); restart the executor to read them "
                "anew; a changed rule needs a change of common/fees.py.",
        panel="trading/Fee rates and differences",
    ),
)  # fmt: skip

ORDER_RULES = (
    Rule(
        "UnknownOrders", CRITICAL, over("max by (coin) (amm_unknown_orders)", 0), for_s=30,
        summary="{value} orders of {coin} have an unknown fate",
        description="{value} orders of {coin} have had no trustworthy answer for 30 s; they count as exposure.",
        runbook="Check the venue's status page and the order list there; make pause if it lasts; never send them again "
                "by hand.",
        panel="trading/Orders",
    ),
    Rule(
        "NoQuotes", WARNING, (Compare("max by (coin) (amm_open_orders)", "<", "1"),), guard=TRADING, for_s=120,
        summary="Nothing rests in {coin} although trading is enabled",
        description="For two minutes no order of ours has rested in {coin} while riskd and executor permit quoting.",
        runbook="make status tells why the quoter withholds (volatility, session, edge gate, fees); read its log if it "
                "gives no reason.",
        panel="trading/Orders",
    ),
    Rule(
        "TradingStopped", WARNING, (Compare("min(amm_trading_enabled)", "<", "1"),), for_s=300,
        summary="Trading has been off for five minutes",
        description="riskd or the executor has permitted no new orders for five minutes.",
        runbook="make status gives the reasons; make resume if it was paused and forgotten.",
        panel="risk/Trading and kill switches",
    ),
    Rule(
        "OrderRejects", WARNING,
        over("sum(increase(amm_order_rejects_total[5m])) / sum(increase(amm_orders_sent_total[5m]))", b.REJECTS_RATIO),
        guard=Compare("sum(increase(amm_orders_sent_total[5m]))", ">=", str(b.REJECTS_MIN)), for_s=300,
        summary="{value} of our orders are refused",
        description="Of the order entries sent in five minutes {value} were refused by the venue or our own checks.",
        runbook="See the reasons on the Trading board: bad_alo_px = prices too old (latency), margin or budget = "
                "account, nonce or unknown_signer = keys.",
        form=PERCENT, panel="trading/Orders refused",
    ),
    Rule(
        "RateLimitLow", WARNING, under(BUDGET, b.ACTIONS_LOW), for_s=60,
        summary="{value} exchange actions are left for {account}",
        description="The address of {account} may send {value} more actions; it earns one with each USDC traded.",
        runbook="Raise ACTION_BUDGET_HORIZON_H or HOLD_BPS so that fewer orders move, or buy request weight.",
        panel="risk/Action budget",
    ),
    Rule(
        "ActionBudgetExhausted", CRITICAL, under(BUDGET, b.ACTIONS_RESERVE), for_s=60,
        summary="Only {value} actions are left for {account}: cancels only",
        description=f"Below {b.ACTIONS_RESERVE} actions the governor of {{account}} sends nothing but cancels.",
        runbook="Buy request weight at the venue (reserveRequestWeight) or stop for now: make drain.",
        panel="risk/Action budget",
    ),
    Rule(
        "ActionBudgetHours", WARNING, under("min by (account) (amm_action_budget_hours_left)", b.BUDGET_HOURS_LOW),
        summary="At this pace the action budget of {account} ends in {value} h",
        description=f"The governor aims at {b.EXECUTION.action_budget_horizon_h:g} h; {{account}} has {{value}} h.",
        runbook="Look for a market that moves every tick (Trading board, actions); widen HOLD_BPS.",
        for_s=600, panel="risk/Hours of budget left",
    ),
    Rule(
        "DeadManNotArmed", CRITICAL, (Compare("max(amm_deadman_state)", "!=", str(ARMED)),), guard=TRADING, for_s=15,
        summary="The dead-man process does not stand guard while we trade",
        description="Trading is enabled, the warden is not armed (state {value}): a dead executor's orders stay.",
        runbook="Look whether the warden runs and shares RUN_DIR with the executor; restart it; make pause until it is "
                "armed.",
        panel="risk/Dead-man state",
    ),
    Rule(
        "DeadManFired", CRITICAL, over(FIRES, 0),
        summary="The dead-man process has cancelled our orders: {reason}",
        description="The warden began to cancel {value} times in five minutes ({reason}). After a planned end, or a "
                    "start without an executor, it cancels as well and does not alert.",
        runbook="Read the warden's log for the reason and the executor's for its end; quoting resumes by itself when "
                "the executor is back, unless a kill is latched.",
        panel="risk/Dead-man state",
    ),
    Rule(
        "FundingHigh", INFO, over("abs(max by (coin) (amm_funding_rate_hourly_ratio))", b.FUNDING_HIGH_1H), for_s=300,
        summary="Funding of {coin} is {value} an hour",
        description="The hourly funding rate of {coin} is {value} in size; against our position it costs that share.",
        runbook="Nothing to do: skew follows by itself. Check the position's side if it stays for hours.",
        form=PERCENT, panel="risk/Funding",
    ),
    Rule(
        "MarkoutNegative", WARNING, under('amm:markout_bps:mean_5m{horizon="5s"}', b.MARKOUT_BAD_BPS), for_s=300,
        guard=Compare('amm:markout_fills:count_5m{horizon="5s"}', ">=", str(b.MARKOUT_MIN_FILLS)), guard_on="on (coin)",
        summary="Fills of {coin} are {value} bps worth after 5 s",
        description="The mean 5 s markout of the last five minutes in {coin} is {value} bps: we are picked off.",
        runbook="Compare feed age and tick-to-order on the System board; if both are fine the flow is informed: wider "
                "MIN_SPREAD_BPS, or make pause.",
        panel="trading/Markout by horizon",
    ),
    Rule(
        "EdgeStopped", WARNING, equal("max by (coin) (amm_edge_stopped)", 1),
        summary="Our own fills show no edge in {coin}",
        description="The whole confidence interval of our net edge in {coin} is below 0; live, quoting stops there.",
        runbook="Do not override: fit a new forecast on recent recordings, or leave this market.",
        panel="trading/Net edge of our fills",
    ),
    Rule(
        "SessionCalendarEnds", WARNING, under("min by (coin) (amm_session_calendar_days)", b.CALENDAR_DAYS), for_s=60,
        summary="The calendar of sessions for {coin} ends in {value} days",
        description="After its end every session of {coin} counts as unknown: the widest quotes, the smallest sizes.",
        runbook="make sessions, commit config/sessions.json, restart the quoter and the monitor.",
        panel="risk/Calendar of sessions",
    ),
)  # fmt: skip

MONEY_GROUPS = (
    Group("amm_margin", 5, MARGIN_RULES),
    Group("amm_money", 5, MONEY_RULES),
    Group("amm_orders", 5, ORDER_RULES),
)
