"""The Overview board: is it running, is it allowed to trade, does it earn, is anything wrong."""

from __future__ import annotations

from boards import bounds as b
from boards.alerts_system import HEARTBEAT_AGE
from boards.panel import (
    COUNT,
    GREEN,
    NONE,
    ORANGE,
    PLAIN_USD,
    RATIO,
    RED,
    SECONDS,
    USD,
    Ask,
    Board,
    Panel,
    label,
    of_coin,
    one,
    stat,
)
from boards.risk import MARGIN_STEPS, MODES, ON_OFF, STATES
from boards.system import UP
from boards.trading import SIGN

OVERVIEW = Board(
    "overview", "AMM-500 / Overview", "One look: running, allowed, earning, healthy.",
    (
        stat("Mode", NONE, "max(amm_risk_mode)", "mode", "The mode of riskd's newest permit.", texts=MODES),
        stat("Trading", NONE, "min(amm_trading_enabled)", "trading", "Whether new orders may be sent.", texts=ON_OFF),
        stat("Dead-man", NONE, "max(amm_deadman_state)", "dead-man", "The warden; it should be armed.", texts=STATES),
        stat("Alerts firing", COUNT, 'count(ALERTS{alertstate="firing"}) or vector(0)', "alerts",
             "Prometheus' alerts that fire now; see Alerting for their runbook lines.", ((GREEN, None), (RED, 1.0)),
             decimals=0),
        stat("Margin", RATIO, "max(amm_margin_ratio)", "margin", "Margin used over equity.", MARGIN_STEPS, decimals=1),
        stat("Drawdown", RATIO, "max(amm_drawdown_ratio)", "drawdown", "Fall of equity from its peak.",
             ((GREEN, None), (ORANGE, b.DRAWDOWN_ALERT), (RED, b.DRAWDOWN_KILL)), decimals=2),
        stat("Session PnL", USD, 'sum(amm_session_pnl_usd{service="monitor"})', "session",
             "Profit of this session after fees and funding.", SIGN, decimals=2),
        stat("Net edge", NONE, "amm:edge_bps:net_1h", "bps", "Spread captured less fees in the last hour, bps.", SIGN,
             decimals=2),
        stat("Volume per hour", USD, "amm:notional_usd:1h", "volume", "Notional filled in the last hour."),
        stat("Fills, 24 h", COUNT, "amm:fills:count_24h", "fills", "Fills of the last 24 h, machine time.", decimals=0),
        stat("Inventory", USD, f"sum by (coin) ({of_coin('amm_position_notional_usd')})", "{{coin}}",
             "Signed position at the mark.", decimals=2),
        stat("Orders resting", COUNT, f"max by (coin) ({of_coin('amm_open_orders')})", "{{coin}}",
             "Orders at the venue.", ((RED, None), (GREEN, 1.0)), decimals=0),
        Panel("Equity", "lines", USD, "Account value as last reconciled.",
              one('max by (account) (amm_equity_usd{service="riskd"})', "{{account}}"), width=8),
        Panel("PnL", "lines", USD, "Spread captured, inventory and fees of this session.", (
            Ask('sum(amm_session_pnl_usd{service="monitor"})', "net"),
            Ask(f"sum({of_coin('amm_spread_captured_usd')})", "spread captured"),
            Ask(f"sum({of_coin('amm_inventory_pnl_usd')})", "inventory"),
            Ask(f"-sum({of_coin('amm_fees_paid_usd')})", "fees")), width=8),
        Panel("Our quotes", "lines", PLAIN_USD, "Innermost quotes against the mid.", (
            Ask(of_coin("amm_mid_price_usd", 'service="feed"'), "mid"),
            Ask(f"{of_coin('amm_quote_price_usd', label('level', '00'))} > 0", "{{side}}")), width=8),
        Panel("Services", "states", NONE, "Whether each service answers.",
              one('max by (service) (up{job="amm500"})', "{{service}}"), width=16, texts=UP),
        Panel("Heartbeats", "bars", SECONDS, "Since each service was last heard by others.",
              one(HEARTBEAT_AGE, "{{service}}"), width=8,
              steps=((GREEN, None), (ORANGE, b.HEARTBEAT_S / 2), (RED, b.HEARTBEAT_S)), low=0.0,
              high=2 * b.HEARTBEAT_S),
    ),
)  # fmt: skip
