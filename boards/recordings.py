"""Recording rules: what several panels and alerts need, and every window that is not a dashboard's own.

Markouts are counted by the quoter and by the monitor, so one of them is named; so are other figures with two sources.
"""

from __future__ import annotations

from boards.rule import Recording

QUOTER = 'service="quoter"'


def _ratio(part: str, whole: str) -> str:
    """Nothing, rather than 0 / 0, while there is nothing to divide by."""
    return f"{part} / ({whole} > 0)"


def _notional(window: str, liquidity: str = "") -> str:
    chosen = f'{{liquidity="{liquidity}"}}' if liquidity else ""
    return f"sum(increase(amm_fill_notional_usd_total{chosen}[{window}]))"


def _markouts(name: str, window: str) -> str:
    return f"sum by (coin, horizon) (increase(amm_markout_{name}_total{{{QUOTER}}}[{window}]))"


RECORDINGS = (
    Recording("amm:taker_ratio:notional_24h", _ratio(_notional("24h", "taker"), _notional("24h"))),
    Recording("amm:fills:count_24h", "sum(increase(amm_fills_total[24h]))"),
    Recording("amm:fills:count_1h", "sum(increase(amm_fills_total[1h]))"),
    Recording("amm:notional_usd:1h", _notional("1h")),
    Recording(
        "amm:markout_bps:mean_5m",
        _ratio(f"({_markouts('favourable_bps', '5m')} - {_markouts('adverse_bps', '5m')})", _markouts("fills", "5m")),
    ),
    Recording("amm:markout_fills:count_5m", _markouts("fills", "5m")),
    Recording(
        "amm:markout_bps:mean_1h",
        _ratio(f"({_markouts('favourable_bps', '1h')} - {_markouts('adverse_bps', '1h')})", _markouts("fills", "1h")),
    ),
    Recording(
        "amm:tick_to_order_seconds:p99_5m",
        "histogram_quantile(0.99, sum by (le, coin) (rate(amm_tick_to_order_seconds_bucket[5m])))",
    ),
    Recording(
        "amm:edge_bps:net_1h",
        "1e4 * (sum(delta(amm_spread_captured_usd[1h])) - sum(delta(amm_fees_paid_usd[1h])))"
        f" / ({_notional('1h')} > 0)",
    ),
)
RECORDING_GROUP, RECORDING_S = "amm_recording", 15
