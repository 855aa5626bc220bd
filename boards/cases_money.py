"""Cases of the alerts about money, orders and permission; the numbers are the design's, written by hand."""

from __future__ import annotations

from boards.case import Case, Phase, Rise, gauge

MARGIN = 'amm_margin_ratio{account="main",service="riskd"}'
DRAWDOWN = 'amm_drawdown_ratio{account="main"}'
PNL = 'amm_session_pnl_usd{account="main",service="riskd"}'
LIMIT = 'amm_session_loss_limit_usd{account="main",service="riskd"}'
TAKER = 'amm_fill_notional_usd_total{coin="x",side="bid",liquidity="taker"}'
MAKER = 'amm_fill_notional_usd_total{coin="x",side="bid",liquidity="maker"}'
FILLS = 'amm_fills_total{coin="x",side="bid",liquidity="maker"}'
BUDGET = 'amm_rate_limit_remaining_requests{account="main",service="executor"}'
SENT, REFUSED = 'amm_orders_sent_total{action="order"}', 'amm_order_rejects_total{reason="tick"}'
ENABLED = 'amm_trading_enabled{service="riskd"}'
GOOD = 'amm_markout_favourable_bps_total{coin="x",horizon="5s",service="quoter"}'
BAD = 'amm_markout_adverse_bps_total{coin="x",horizon="5s",service="quoter"}'
SCORED = 'amm_markout_fills_total{coin="x",horizon="5s",service="quoter"}'


def _band(alert: str, series: str, floor: float, inside: float, upto: float, texts: tuple[str, str]) -> Case:
    """A band: nothing at its lower edge, the alert within and at its upper edge, nothing above."""
    labels = {"account": "main"}
    for_s = {"MarginRatioElevated": 30, "MarginRatioHigh": 15}.get(alert, 0)
    return Case(
        alert, labels,
        (
            Phase(60, {series: floor}),
            Phase(for_s + 30, {series: inside}, loud=texts[0]),
            Phase(60, {series: floor}),
            Phase(for_s + 30, {series: upto}, loud=texts[1]),
            Phase(60, {series: upto + 1e-6}),
        ),
    )  # fmt: skip


def _loss(pnl_usd: float, limit_usd: float = 100.0) -> dict[str, float]:
    return {PNL: pnl_usd, LIMIT: limit_usd}


def _fills(taker: float, maker: float, fills: float = 1.0) -> dict[str, Rise]:
    return {TAKER: Rise(taker), MAKER: Rise(maker), FILLS: Rise(fills)}


def _markouts(good: float, bad: float, fills: float) -> dict[str, Rise]:
    return {GOOD: Rise(good), BAD: Rise(bad), SCORED: Rise(fills)}


def _sent(entries: float, refused: float) -> dict[str, Rise]:
    return {SENT: Rise(entries), REFUSED: Rise(refused)}


def _fires(silent: float, unheard: float) -> dict[str, float]:
    name = 'amm_deadman_fires_total{reason="%s"}'
    return {name % "executor silent": silent, name % "nobody heard": unheard}


MONEY_CASES = (
    _band("MarginRatioElevated", MARGIN, 0.70, 0.700001, 0.80, ("70%", "80%")),
    _band("MarginRatioHigh", MARGIN, 0.80, 0.800001, 0.85, ("80%", "85%")),
    _band("MarginRatioCritical", MARGIN, 0.85, 0.850001, 0.90, ("85%", "90%")),
    gauge("MarginRatioEmergency", MARGIN, 0.90, 0.900001, "90%", account="main"),
    _band("DrawdownWarning", DRAWDOWN, 0.02, 0.020001, 0.05, ("2%", "5%")),
    gauge("DrawdownKill", DRAWDOWN, 0.05, 0.050001, "5%", account="main"),
    Case("SessionLossWarning", {"account": "main"}, (
        Phase(60, _loss(-50.0)),
        Phase(30, _loss(-50.5), loud="-50.5%"),
        Phase(30, _loss(-100.0), loud="-100%"),
        Phase(60, _loss(-100.5)),
    ), "limit of 100"),
    Case("SessionLossWarning", {"account": "main"}, (
        Phase(60, _loss(-20.0, 40.0)),
        Phase(30, _loss(-21.0, 40.0), loud="-52.5%"),
        Phase(60, _loss(0.0, 0.0)),
    ), "a tenth of an equity of 400, and no limit before the session began"),
    Case("SessionLossKill", {"account": "main"}, (
        Phase(60, _loss(-100.0)), Phase(30, _loss(-100.5), loud="-100.5%"), Phase(60, _loss(5.0)),
    ), "limit of 100"),
    Case("SessionLossKill", {"account": "main"}, (
        Phase(60, _loss(-40.0, 40.0)), Phase(30, _loss(-41.0, 40.0), loud="-102.5%"), Phase(60, _loss(-40.0, 40.0)),
    ), "a tenth of an equity of 400"),
    Case("TakerRatioHigh", {}, (
        Phase(300, _fills(5.0, 95.0, 2.0)),
        Phase(300, _fills(10.0, 90.0, 2.0), loud="5.903%"),
        Phase(300, _fills(0.0, 500.0, 2.0)),
    ), "exactly 5 % is no alert, a hair more is"),
    Case("TakerRatioHigh", {}, (
        Phase(490, _fills(50.0, 50.0)),
        Phase(120, _fills(50.0, 50.0), loud="50%", settle_s=10),
    ), "99 fills prove nothing, 100 do"),
    Case("MakerSharePause", {}, (
        Phase(300, _fills(20.0, 80.0, 2.0)),
        Phase(300, _fills(30.0, 70.0, 2.0), loud="21.81%"),
        Phase(300, _fills(0.0, 500.0, 2.0)),
    ), "exactly 20 % is no alert, a hair more is"),
    gauge("LosingFillsStreak", 'amm_consecutive_losing_fills{coin="x",service="riskd"}', 9, 10, "10", coin="x"),
    gauge("KillSwitchTripped", 'amm_kill_switch_tripped{reason="rule",service="riskd"}', 0, 1, "1", reason="rule"),
    gauge("PositionDiffers", 'amm_position_differs_seconds{coin="x"}', 10, 11, "11s", coin="x"),
    gauge("PnlResidual", 'amm_pnl_residual_usd{account="main"}', 0.01, -0.011, "11m", account="main"),
    Case("FeeDifferences", {"coin": "x", "liquidity": "maker"}, (
        Phase(60, {'amm_fee_differences_total{coin="x",liquidity="maker"}': 0.0}),
        Phase(60, {'amm_fee_differences_total{coin="x",liquidity="maker"}': 1.0}, loud="1"),
        Phase(960, {'amm_fee_differences_total{coin="x",liquidity="maker"}': 1.0}),
    )),
    gauge("UnknownOrders", 'amm_unknown_orders{coin="x",service="executor"}', 0, 1, "1", coin="x"),
    Case("NoQuotes", {"coin": "x"}, (
        Phase(150, {'amm_open_orders{coin="x",service="executor"}': 1.0, ENABLED: 1.0}),
        Phase(150, {'amm_open_orders{coin="x",service="executor"}': 0.0, ENABLED: 1.0}, loud="0"),
        Phase(60, {'amm_open_orders{coin="x",service="executor"}': 0.0, ENABLED: 0.0}),
    )),
    gauge("TradingStopped", ENABLED, 1, 0, "0"),
    Case("OrderRejects", {}, (
        Phase(330, _sent(4.0, 1.0)),
        Phase(330, _sent(4.0, 2.0), loud="50%"),
        Phase(330, _sent(4.0, 0.0)),
    ), "a quarter is no alert"),
    Case("OrderRejects", {}, (
        Phase(700, _sent(1.0, 1.0)),
    ), "60 entries in five minutes prove nothing"),
    gauge("RateLimitLow", BUDGET, 2000, 1999, "1.999k", account="main"),
    gauge("ActionBudgetExhausted", BUDGET, 1000, 999, "999", account="main"),
    gauge("ActionBudgetHours", 'amm_action_budget_hours_left{account="main"}', 6, 5.9, "5.9", account="main"),
    Case("DeadManNotArmed", {}, (
        Phase(60, {"amm_deadman_state": 1.0, ENABLED: 1.0}),
        Phase(60, {"amm_deadman_state": 0.0, ENABLED: 1.0}, loud="0"),
        Phase(60, {"amm_deadman_state": 0.0, ENABLED: 0.0}),
        Phase(60, {"amm_deadman_state": 3.0, ENABLED: 1.0}, loud="3"),
        Phase(60, {"amm_deadman_state": 1.0, ENABLED: 1.0}),
    )),
    Case("DeadManFired", {"reason": "executor silent"}, (
        Phase(60, _fires(0.0, 1.0)),
        Phase(60, _fires(1.0, 2.0), loud="1"),
        Phase(400, _fires(1.0, 2.0)),
        Phase(60, _fires(1.0, 3.0)),
    ), "a start without an executor is no alert"),
    gauge("FundingHigh", 'amm_funding_rate_hourly_ratio{coin="x"}', 0.0001, 0.00011, "0.011%", coin="x"),
    gauge("FundingHigh", 'amm_funding_rate_hourly_ratio{coin="x"}', -0.0001, -0.00011, "0.011%", coin="x"),
    Case("MarkoutNegative", {"coin": "x", "horizon": "5s"}, (
        Phase(330, _markouts(0.0, 2.0, 1.0)),
        Phase(330, _markouts(0.0, 4.0, 1.0), loud="-4"),
        Phase(330, _markouts(3.0, 4.0, 1.0)),
    ), "a mean of -2 bps is no alert"),
    Case("MarkoutNegative", {"coin": "x", "horizon": "5s"}, (
        Phase(700, _markouts(0.0, 1.2, 0.3)),
    ), "18 fills in five minutes prove nothing"),
    gauge("EdgeStopped", 'amm_edge_stopped{coin="x"}', 0, 1, "1", coin="x"),
    gauge("SessionCalendarEnds", 'amm_session_calendar_days{coin="x"}', 30, 29.9, "29.9", coin="x"),
)  # fmt: skip
