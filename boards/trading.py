"""The Trading board: what we earn and from what, our quotes against the market, fills and what they were worth."""

from __future__ import annotations

from boards import bounds as b
from boards.panel import (
    COUNT,
    GREEN,
    NONE,
    ORANGE,
    PLAIN_USD,
    RATE,
    RATIO,
    RED,
    USD,
    YELLOW,
    Ask,
    Board,
    Panel,
    Row,
    label,
    of_coin,
    one,
    stat,
)

FEED, QUOTER = 'service="feed"', 'service="quoter"'
SIGN = (("red", None), ("green", 0.0))


def _depth(side: str) -> Panel:
    """The book as buckets: the datasource takes series labelled `le` for cumulative ones, which depth within is."""
    depth = f"sum by (distance_bps) ({of_coin('amm_book_depth_usd', label('side', side))})"
    expr = f'sum by (le) (label_replace({depth}, "le", "$1", "distance_bps", "0*(.+)"))'
    return Panel(
        f"L2 depth, {side}s", "heat", USD,
        f"Dollars resting on the {side} side in each band of distance from the mid, bps; the brighter the deeper.",
        one(expr, "{{le}}"), axis=NONE,
    )  # fmt: skip


def _quotes(side: str) -> Ask:
    return Ask(f"{of_coin('amm_quote_price_usd', label('side', side))} > 0", f"{side} {{{{level}}}}")


MONEY = (
    stat("Session PnL", USD, 'sum(amm_session_pnl_usd{service="monitor"})', "session",
         "Realised and open profit of this session after fees and funding.", SIGN, decimals=2),
    stat("Equity", USD, 'sum(amm_equity_usd{service="riskd"})', "equity", "Account value as last reconciled."),
    stat("Fills per hour", COUNT, "amm:fills:count_1h", "fills", "Fills of the last hour, machine time.", decimals=0),
    stat("Net edge", NONE, "amm:edge_bps:net_1h", "bps",
         "Spread captured less fees per dollar traded in the last hour, bps.",
         ((RED, None), (YELLOW, 0.0), (GREEN, 0.2)), decimals=2),
    stat("Maker share", RATIO, "1 - amm:taker_ratio:notional_24h", "maker",
         f"Maker share of the notional of 24 h; below {1 - b.TAKER_MAX:.0%} quotes widen, below "
         f"{1 - b.TAKER_PAUSE:.0%} they pause.",
         ((RED, None), (YELLOW, 1 - b.TAKER_PAUSE), (GREEN, 1 - b.TAKER_MAX)), decimals=1),
    stat("Inventory", USD, f"sum by (coin) ({of_coin('amm_position_notional_usd')})", "{{coin}}",
         "Signed position at the mark.", decimals=2),
    Panel("PnL and its parts", "lines", USD,
          "Where the money comes from: net is spread + inventory + fees + funding, each as what it added.", (
              Ask(f"sum({of_coin('amm_realized_pnl_usd')}) + sum({of_coin('amm_unrealized_pnl_usd')})"
                  f" - sum({of_coin('amm_fees_paid_usd')}) - sum({of_coin('amm_funding_paid_usd')})", "net"),
              Ask(f"sum({of_coin('amm_spread_captured_usd')})", "spread captured"),
              Ask(f"sum({of_coin('amm_inventory_pnl_usd')})", "inventory"),
              Ask(f"-sum({of_coin('amm_fees_paid_usd')})", "fees"),
              Ask(f"-sum({of_coin('amm_funding_paid_usd')})", "funding"),
              Ask(f"sum({of_coin('amm_realized_pnl_usd')})", "realised"),
              Ask(f"sum({of_coin('amm_unrealized_pnl_usd')})", "unrealised"),
          )),
    Panel("Net edge of our fills", "lines", NONE,
          "Net 60 s markout of our fills, bps: mean and bounds of its interval, as the monitor sees it now and as the "
          "quoter's gate judged it last; the gate stops a market whose upper bound is below 0.", (
              Ask(of_coin("amm_edge_net_bps"), "{{coin}} {{estimator}}, {{service}}"),
              Ask(of_coin("amm_edge_stopped"), "{{coin}} stopped = 1"),
          ), steps=((RED, None), (GREEN, 0.0))),
)  # fmt: skip

QUOTES = (
    Panel("Quotes against mid", "lines", PLAIN_USD, "Our innermost quotes, the touch, mid and microprice.", (
        Ask(of_coin("amm_mid_price_usd", FEED), "mid"),
        Ask(of_coin("amm_microprice_usd"), "micro"),
        Ask(f"{of_coin('amm_quote_price_usd', label('level', '00'))} > 0", "our {{side}}"),
        Ask(of_coin("amm_best_bid_price_usd", FEED), "best bid"),
        Ask(of_coin("amm_best_ask_price_usd", FEED), "best ask"),
    )),
    Panel("All quote levels", "points", PLAIN_USD,
          "Every level we want to rest, bids and asks, against the mid (line).", (
              _quotes("bid"), _quotes("ask"), Ask(of_coin("amm_mid_price_usd", FEED), "mid"))),
    Panel("Half spread and floor", "lines", NONE, "Distance of our innermost quotes from fair, and the least that pays "
          "fees and adverse selection, bps.", (
              Ask(of_coin("amm_spread_half_bps"), "half spread"), Ask(of_coin("amm_spread_floor_bps"), "floor"),
              Ask(of_coin("amm_requote_hold_bps"), "held back {{side}}")), width=8),
    Panel("Fade", "lines", NONE, "Factor by which losing fills widen our quotes; 1 = none. Levels merged into a "
          "neighbour for want of size.", (
              Ask(of_coin("amm_quote_fade_multiplier"), "fade x"), Ask(of_coin("amm_levels_merged"), "levels merged")),
          width=8, low=0.0),
    Panel("Quoted size", "lines", USD, "Dollars wanted on each side, all levels together.",
          one(f"sum by (side) ({of_coin('amm_quote_size_usd')})", "{{side}}"), width=8, low=0.0),
    _depth("bid"),
    _depth("ask"),
)  # fmt: skip

FILLS = (
    Panel("Fills by side and liquidity", "lines", COUNT, "Fills a minute.",
          one(f"sum by (side, liquidity) (rate({of_coin('amm_fills_total')}[{RATE}])) * 60", "{{side}} {{liquidity}}"),
          width=8, low=0.0),
    Panel("Volume", "lines", USD, "Dollars filled a minute.",
          one(f"sum by (liquidity) (rate({of_coin('amm_fill_notional_usd_total')}[{RATE}])) * 60", "{{liquidity}}"),
          width=8, low=0.0),
    Panel("Inventory over equity", "lines", RATIO,
          "Position over equity divided by the delta scale: one-sided from 2.5 %, never beyond 5 %.",
          one(of_coin("amm_delta_ratio"), "{{coin}}"), width=8,
          steps=((GREEN, None), (ORANGE, b.DELTA_ONE_SIDED), (RED, b.DELTA_FULL))),
    Panel("Markout by horizon", "lines", NONE,
          f"Mean move in our favour after our fills of the last 5 min, bps; alert below {b.MARKOUT_BAD_BPS:g} at 5 s.",
          one(of_coin("amm:markout_bps:mean_5m"), "{{coin}} {{horizon}}"),
          steps=((RED, None), (GREEN, b.MARKOUT_BAD_BPS))),
    Panel("Markout distribution, 5 s", "heat", NONE, "How many fills were worth what after 5 s, bps.",
          one(f"sum by (le) (increase({of_coin('amm_markout_bps_bucket', QUOTER, label('horizon', '5s'))}"
              f"[{RATE}]))", "{{le}}")),
    Panel("Last hour by horizon", "table", NONE, "Mean markout of the last hour's fills at each horizon, bps.",
          one(of_coin("amm:markout_bps:mean_1h"), "{{coin}} {{horizon}}"), width=8, decimals=2),
    Panel("Adverse selection", "lines", NONE,
          "What the quoter's floor reckons with 60 s after a fill, bps: mean, upper bound, slope per bps of distance.",
          one(of_coin("amm_adverse_bps"), "{{side}} {{estimator}}"), width=8),
    Panel("Position", "lines", NONE, "Signed position in units of the contract.",
          one(of_coin("amm_position_base_units"), "{{coin}}"), width=8),
    Panel("Queue ahead of us", "lines", USD, "Size of others before our order at its price, estimated, by level.",
          one(f"sum by (side, level) ({of_coin('amm_queue_ahead_usd')})", "{{side}} {{level}}"), low=0.0),
    Panel("Queue estimate, expected and seen", "lines", USD,
          "Dollars that prints should have filled of us and did, by the share of the level before us.",
          one(f"sum by (bucket, estimator) ({of_coin('amm_queue_fill_usd')})", "{{bucket}} {{estimator}}")),
)  # fmt: skip

MARKET = (
    Panel("Volatility", "lines", RATIO, "Annualised, by estimator; it rests on enough samples when known = 1.", (
        Ask(of_coin("amm_volatility_annualized_ratio"), "{{estimator}}"),
        Ask(of_coin("amm_vol_known"), "known")), width=8, low=0.0),
    Panel("Book imbalance", "lines", NONE, "Depth imbalance, plain and weighed to the near levels, -1 to 1.", (
        Ask(of_coin("amm_book_imbalance_ratio"), "imbalance"), Ask(of_coin("amm_book_pressure_ratio"), "pressure")),
          width=8, low=-1.0, high=1.0),
    Panel("Order flow", "lines", NONE, "Signed root of the touch's decayed order flow imbalance.",
          one(of_coin("amm_order_flow_imbalance"), "{{window}}"), width=8),
    Panel("Session and liquidity", "states", NONE,
          "Which session of the underlying quotes follow, and whether the book is deep enough to quote in full.", (
              Ask(of_coin("amm_session_active"), "{{session}}"), Ask(of_coin("amm_book_liquid"), "liquid")),
          texts={0: ("no", "text"), 1: ("yes", GREEN)}),
    Panel("Thin levels", "lines", COUNT, "Levels of the best ten that are far thinner than their side's median.",
          one(of_coin("amm_book_thin_levels"), "{{side}}"), low=0.0),
)  # fmt: skip

ORDERS = (
    Panel("Orders", "lines", COUNT, "Orders resting at the venue, and orders whose fate is not known (must be 0).", (
        Ask(f"max by (coin) ({of_coin('amm_open_orders')})", "{{coin}} resting"),
        Ask(f"max by (coin) ({of_coin('amm_unknown_orders')})", "{{coin}} unknown")), width=8, low=0.0),
    Panel("Actions sent", "lines", COUNT, "Order entries a minute, by action.",
          one(f"sum by (action) (rate(amm_orders_sent_total[{RATE}])) * 60", "{{action}}"), width=8, low=0.0),
    Panel("Orders refused", "lines", COUNT, "Refusals a minute by reason, the venue's and our own checks'.",
          one(f"sum by (reason) (rate(amm_order_rejects_total[{RATE}])) * 60", "{{reason}}"), width=8, low=0.0),
    Panel("What moving orders earns and costs", "lines", USD, "Expected gain of moves, and their price, a minute.", (
        Ask(f"sum(rate({of_coin('amm_requote_gain_usd_total')}[{RATE}])) * 60", "gain"),
        Ask(f"sum(rate({of_coin('amm_requote_cost_usd_total')}[{RATE}])) * 60", "cost")), width=8, low=0.0),
    Panel("Price of an action", "lines", USD, "What one more action costs at the present budget; 0 = what is not spent "
          "is lost.", one("max(amm_action_price_usd)", "price"), width=8, low=0.0, decimals=5),
    Panel("Fee rates and differences", "lines", NONE, "Fee the venue charges us, bps (a rebate is below 0), and fills "
          "that were charged otherwise (must be 0).", (
              Ask(of_coin("amm_fee_rate_bps"), "{{coin}} {{liquidity}}"),
              Ask(f"sum by (liquidity) (increase({of_coin('amm_fee_differences_total')}[{RATE}]))",
                  "{{liquidity}} differences")), width=8),
)  # fmt: skip

TRADING = Board(
    "trading", "AMM-500 / Trading", "Profit and its parts, quotes against the market, fills and markouts.",
    (*MONEY, Row("Quotes"), *QUOTES, Row("Fills and what they were worth"), *FILLS, Row("The market"), *MARKET,
     Row("Orders and what they cost"), *ORDERS),
)  # fmt: skip
