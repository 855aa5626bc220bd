"""The bands of the made-up markets' statistics, column by column, from market-data.md.

How a band comes about, once and for all: where the page states a range ("Suggested generator settings", a share of time
in two columns) the range is the band; where it gives figures, one or several comparable columns, it runs from 25 %
below the lowest to 25 % above the highest (samples of minutes do not know their figures better than that); where the
page counts nothing in T minutes, the band is 0 .. 3 / T (rule of three) for both sides together. No band is wider.
Names are those of `simvenue.synthetic.measures`.
"""

from __future__ import annotations

from dataclasses import dataclass

LEEWAY = 0.25


@dataclass(frozen=True, slots=True)
class Band:
    low: float
    high: float
    source: str

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


def within(low: float, high: float, source: str) -> Band:
    """A range the page states."""
    return Band(low, high, source)


def near(*figures: float, source: str) -> Band:
    """Figures the page measured."""
    return Band((1 - LEEWAY) * min(figures), (1 + LEEWAY) * max(figures), source)


def none_in(minutes: float, source: str) -> Band:
    """Nothing was counted; per minute and side."""
    return Band(0.0, 3 / minutes / 2, source)


SUGGESTED = "suggested generator settings"
T1 = "table 1, HL BTC 09-01..05 and 09-03"
T2_BTC = "table 2, HL BTC"
T2_STANDX = "table 2, StandX 01-06 and 01-07"
T3 = "table 3, xyz:XYZ100"

BTC = {
    "spread_bps": near(0.106, 0.119, source=T1),
    "spread_bps_p50": near(0.092, 0.090, source=T1),
    "spread_bps_p95": near(0.093, 0.180, source=T1),
    "spread_one_tick": within(0.94, 0.96, T1),
    "touch_updates_per_s": within(6, 8, SUGGESTED),
    "touch_usd": near(914e3, 986e3, source=T1),
    "depth_1bps_usd": near(2_940e3, source=T1),
    "band_0.25bps_usd": near(1_430e3, source=T2_BTC),
    "band_0.5bps_usd": near(507e3, source=T2_BTC),
    "band_1bps_usd": near(1_004e3, source=T2_BTC),
    "band_1.5bps_usd": near(1_184e3, source=T2_BTC),
    "prints_per_s": near(2.66, 5.81, source=T1),
    "orders_per_s": within(0.8, 1.5, SUGGESTED),
    "usd_per_s": near(40_000, 123_500, source=T1),
    "order_usd_p10": near(18, 12, source=T1),
    "order_usd_p50": near(623, 451, source=T1),
    "order_usd_p90": near(53e3, 52e3, source=T1),
    "order_usd_p99": within(1e6, 2.5e6, SUGGESTED),
    "order_usd_mean": near(48e3, 101e3, source=T1),
    "sign_ac1": within(0.05, 0.1, SUGGESTED),
    "gap_cv": within(1.0, 1.2, SUGGESTED),
    "vol_1s_bps": near(0.33, 0.48, source=T1),
    "vol_5s_bps": near(0.96, 1.29, source=T1),
    "vol_60s_bps": near(3.6, source=T1),
    "moved_1s": near(0.21, 0.29, source=T1),
    "kurtosis_1s": within(10, 15, SUGGESTED),
    "paid_bps": near(0.61, 0.72, source=T1),
    "markout_1s_bps": near(0.71, 0.20, source=T1),
    "markout_1s_bps_eq": near(0.13, 0.18, source=T1),
    "markout_5s_bps": near(1.20, 0.22, source=T1),
    "markout_5s_bps_eq": near(0.19, 0.30, source=T1),
    "markout_30s_bps": near(0.71, source=T1),
    "markout_30s_bps_eq": near(0.14, source=T1),
    "reach_0.5bps_per_min": near(1.83, 3.3, source=T1),
    "reach_1bps_per_min": near(0.69, 1.6, source=T1),
    "reach_2bps_per_min": near(0.12, 0.37, source=T1),
    "reach_3bps_per_min": near(0.03, 0.12, source=T1),
    "reach_5bps_per_min": none_in(51, T1),
    "reach_10bps_per_min": none_in(51, T1),
    "imbalance_sd": near(0.78, source=T1),
    "imbalance_corr": within(0.2, 0.3, SUGGESTED),
}

_INDEX_BOOK = {
    "spread_bps": within(0.2, 0.4, SUGGESTED),
    "touch_usd": within(25e3, 35e3, SUGGESTED),
    "depth_1bps_usd": near(100e3, source=SUGGESTED),
    "band_0.25bps_usd": near(46e3, 69e3, source=T2_STANDX),
    "band_0.5bps_usd": near(16e3, 17e3, source=T2_STANDX),
    "band_1bps_usd": near(42e3, 50e3, source=T2_STANDX),
    "band_1.5bps_usd": near(55e3, 77e3, source=T2_STANDX),
    "band_2bps_usd": near(45e3, 62e3, source=T2_STANDX),
    "order_usd_p10": near(34, source=T3),
    "order_usd_p50": near(332, source=T3),
    "order_usd_p90": near(1_556, source=T3),
    "order_usd_p99": near(13e3, source=T3),
    "touch_updates_per_s": within(1, 3, SUGGESTED),
    "sign_ac1": near(0.2, source=SUGGESTED),
    "vol_session_annual": within(0.05, 0.19, SUGGESTED),
    "markout_5s_bps_eq": near(0.2, source=SUGGESTED),
    "markout_5s_bps": near(0.8, source=SUGGESTED),
    "imbalance_sd": near(0.77, 0.79, source="table 1, StandX"),
    "imbalance_corr": within(0.2, 0.3, SUGGESTED),
}
US500 = {
    **_INDEX_BOOK,
    "orders_per_s": near(0.54, source=T3),
    "usd_per_s": near(633, source=T3),
    "prints_per_s": near(66 / 54, source=T3),
}
KM = {
    **_INDEX_BOOK,
    "orders_per_s": near(1 / 30, source="table 3, km[0]"),
    "usd_per_s": near(39, source="table 3, km[0]"),
}
