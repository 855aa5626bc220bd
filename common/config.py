"""Settings: read once from a market profile (TOML) and the environment, checked, then frozen.

Only this file reads the environment (besides `AMM_KERNELS` and `AMM_KERNEL_CACHE` in `common/kernel.py`).
Precedence: environment, then `.env`, then the profile `config/<market>.toml`, then the defaults here. Unknown keys,
bad ranges, mixed networks and keys in the environment are refused with ConfigError, whose text names the key, the
value and the allowed range. Every number carries its unit in its name; `Field(description=...)` gives its meaning
and source.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import math
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from common.config_text import parse_dotenv, read_text, sentence, to_bool, to_typed
from common.errors import ConfigError
from common.kernel import ROOT
from common.redact import redact

MAINNET_URL = "https://api.hyperliquid.xyz"
TESTNET_URL = "https://api.hyperliquid-testnet.xyz"
METRICS_PORTS = {
    "feed": 9101, "quoter": 9102, "executor": 9103, "riskd": 9104, "monitor": 9105, "simvenue": 9106, "warden": 9107,
}  # fmt: skip
PAGE_PORT = 8080
VENUE_PORT = 3001


SOFT_MAX, HARD_MAX = 0.25 + 1e-9, 0.50 + 1e-9
"""Net position over equity beyond which no configuration goes (design sections 5 and 6)."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class VolRow(_Part):
    """One row: at or above `from_vol` (annual, 0.2 = 20 %), half spreads run from `lo_bps` to `hi_bps`."""

    from_vol: float = Field(ge=0, le=10)
    lo_bps: float = Field(gt=0, le=500)
    hi_bps: float = Field(gt=0, le=500)


class Market(_Part):
    """Which market; everything the venue knows about it is read from the venue, not configured."""

    coin: str = Field(pattern=r"^([a-z0-9]{2,8}:)?[A-Za-z0-9]{1,16}$", description="venue name, with its dex prefix")
    collateral: str = Field(pattern=r"^[A-Z0-9]{2,8}$", description="token the market is margined in")
    kind: Literal["index", "crypto"] = Field(description="which volatility thresholds and sessions apply")
    calendar: Literal["auto", "none", "us-ats", "us-futures"] = Field(
        "auto", description="whose hours the oracle keeps (config/sessions.json); auto: by kind and dex"
    )

    @property
    def dex(self) -> str:
        """Builder dex of the coin, "" for the first dex."""
        return self.coin.partition(":")[0] if ":" in self.coin else ""

    @property
    def session_calendar(self) -> str:
        """Crypto trades all day; xyz's index oracle keeps the futures' hours, others' the ATS' (hyperliquid.md 11)."""
        if self.calendar != "auto":
            return self.calendar
        if self.kind == "crypto":
            return "none"
        return "us-futures" if self.dex == "xyz" else "us-ats"


class Venue(_Part):
    """What `simvenue` takes the market to be (the market file of a replay); the services never read it."""

    sz_decimals: int = Field(ge=0, le=6)
    max_leverage: int = Field(ge=1, le=100)
    asset_index: int = Field(ge=0, le=9999, description="place in its dex's universe")
    dex_index: int = Field(ge=0, le=200, description="place in perpDexs; 0 = the first dex")
    deployer_fee_scale: float = Field(ge=0, le=3, description="HIP-3 deployer's share; 0 on the first dex")
    growth_mode: bool
    aligned: bool = Field(description="aligned quote token (USDH): lower taker fee")
    px_start: float = Field(gt=0, description="price the synthetic market starts at, quote")
    vol_annual: float = Field(gt=0, le=5, description="volatility of the synthetic market")
    interest_rate_1h: float = Field(ge=-0.001, le=0.001, description="funding's interest component per hour")
    impact_notional_usd: float = Field(
        gt=0, description="notional of the impact prices (docs: 20k BTC and ETH, 6k others)"
    )


class ModeRow(_Part):
    """One adaptive mode: how many levels may live near the inner edge, and how near the nearest may be."""

    upto_bps: float = Field(ge=-1e4, le=1e4, description="score (bps) up to which this row holds; the last has no end")
    levels: int = Field(ge=1, le=20, description="levels a side nearer than mode_near_ratio x the inner edge")
    least_bps: float = Field(ge=0, le=500, description="least distance of any level")


#: The quoting modes by recent score (design section 5; the least distances are $2 / 1 / 0.5 / 0.5 / 0.25 at 6,900).
MODES = (
    ModeRow(upto_bps=-3.0, levels=1, least_bps=2.9),  # DEFENSIVE
    ModeRow(upto_bps=1.0, levels=2, least_bps=1.45),  # MODERATE
    ModeRow(upto_bps=10.0, levels=3, least_bps=0.72),  # NORMAL
    ModeRow(upto_bps=15.0, levels=5, least_bps=0.72),  # AGGRESSIVE
    ModeRow(upto_bps=1e4, levels=8, least_bps=0.36),  # VERY_AGGRESSIVE
)

#: Sessions a calendar may name. `gap`: the daily pause of an oracle's sources; `reopen`: around the end of a weekend or
#: holiday, when the first prices from outside meet what the market thought meanwhile.
SESSION_NAMES = ("regular", "extended", "overnight", "gap", "weekend", "holiday", "reopen")


class SessionRow(_Part):
    """What one session of the underlying does to quotes."""

    name: Literal["regular", "extended", "overnight", "gap", "weekend", "holiday", "reopen"]
    spread: float = Field(ge=1, le=10, description="factor on all distances")
    size: float = Field(gt=0, le=1, description="factor on all sizes")
    inventory: float = Field(gt=0, le=1, description="factor on the soft and the hard cap")


#: Safety, never counted as edge (edge.md 7). Measured: km:US500's weekend spread is 1.64 x that of regular hours, its
#: off-hours 0.78 x (hyperliquid.md 8), volatility outside the cash session 0.24 x (strategy.md 1.8; the volatility
#: table follows it), flow there about a fifth (strategy.md 4, A). The rest are assumptions on the careful side.
SESSIONS = (
    SessionRow(name="regular", spread=1.0, size=1.0, inventory=1.0),
    SessionRow(name="extended", spread=1.1, size=0.8, inventory=0.8),
    SessionRow(name="overnight", spread=1.2, size=0.6, inventory=0.6),
    SessionRow(name="gap", spread=2.0, size=0.5, inventory=0.5),
    SessionRow(name="weekend", spread=2.0, size=0.5, inventory=0.5),
    SessionRow(name="holiday", spread=2.0, size=0.5, inventory=0.5),
    SessionRow(name="reopen", spread=3.0, size=0.25, inventory=0.25),
)

#: What a profile changes of `Quoting`'s defaults; a market file or the environment may still say otherwise.
#: Sources: `lean` edge.md 6, `glft` strategy.md 4.
PROFILES: dict[str, dict[str, Any]] = {
    "tiered": {},
    "lean": {
        "ladder": "list", "needs_forecast": True, "side_gate": 1.0, "fee_max_bps": 0.7, "book_widening": False,
        "size_decay": 1.0, "sizes_of_cap": True, "depth_sizes": False, "tilt": False, "centre_skew_bps": 2.0,
        "sigma_max": 3.0, "requote_out_bps": 0.5, "requote_in_bps": 0.2,
    },
    "glft": {"ladder": "glft", "levels_max": 5, "size_decay": 0.85, "tilt": False, "book_widening": False},
}  # fmt: skip


#: Volatility tables besides a market's own.  `btc-seed`: the older BTC rows (design 5).  Their low ends, log-linear
#: between 4, 11.5, 20 and 30 % a year, are as the edge study played them (its quoters.py); it kept no high ends, so
#: each low end has the one it has in the US500 table.
VOL_TABLES: dict[str, list[dict[str, float]]] = {
    "btc-seed": [
        {"from_vol": 0.0, "lo_bps": 1.0, "hi_bps": 5.0}, {"from_vol": 0.04, "lo_bps": 1.0, "hi_bps": 5.0},
        {"from_vol": 0.115, "lo_bps": 2.0, "hi_bps": 10.0}, {"from_vol": 0.2, "lo_bps": 5.0, "hi_bps": 25.0},
        {"from_vol": 0.3, "lo_bps": 10.0, "hi_bps": 50.0},
    ],
}  # fmt: skip


class Quoting(_Part):
    """Design section 5; every number is a parameter of the quoter's kernels."""

    profile: Literal["tiered", "lean", "glft"] = Field("tiered", description="PROFILE: which row of PROFILES")
    order_levels: int = Field(12, ge=1, le=20, description="levels a side at most")
    min_spread_bps: float = Field(1.0, gt=0, le=500, description="nearest half spread whatever the table says")
    max_spread_bps: float = Field(50.0, gt=0, le=500, description="furthest half spread")
    vol_table: list[VolRow] = Field(min_length=1, max_length=12, description="annual volatility -> half spread range")
    vol_rows: Literal["market", "btc-seed"] = Field(
        "market", description="VOL_TABLE: the market's own vol_table, or one of VOL_TABLES in its place"
    )
    vol_hysteresis: float = Field(0.10, ge=0, le=0.5, description="share by which a row's border must be passed")
    vol_bucket_s: float = Field(5.0, gt=0, le=60, description="spacing of the mids whose returns are averaged")
    vol_fast_half_life_s: float = Field(60.0, gt=0, le=3600)
    vol_slow_half_life_s: float = Field(600.0, gt=0, le=86400)
    vol_min_samples: int = Field(24, ge=2, le=1000, description="5 s returns before the estimate is trusted")
    vol_model: Literal["ewma", "har"] = Field(
        "ewma", description="VOL_MODEL: the measured volatility alone, or pulled by HAR (strategy.md 1.8)"
    )
    vol_pull_max: float = Field(0.2, ge=0, le=0.2, description="share by which a model may pull it (design 5)")
    high_vol_annual: float = Field(0.5, gt=0, le=10, description="HIGH_VOL_THRESHOLD: defensive above, then pause")
    imbalance_trigger: float = Field(0.30, ge=0, le=1)
    imbalance_scale_min: float = Field(1.3, ge=1, le=5)
    imbalance_scale_max: float = Field(1.5, ge=1, le=5)
    deep_book_scale: float = Field(0.85, gt=0, le=1)
    thin_book_scale: float = Field(1.2, ge=1, le=5)
    liquid_usd: float = Field(5_000.0, gt=0, description="depth a side from which the book counts as liquid")
    liquid_exit_ratio: float = Field(0.6, gt=0, le=1)
    liquid_after_s: float = Field(3.0, ge=0, le=60, description="how long a liquidity change must last")
    illiquid_pull_s: float = Field(3.0, ge=0, le=60, description="illiquid for this much longer: pull all levels")
    illiquid_spread_scale: float = Field(1.2, ge=1, le=5)
    illiquid_size_scale: float = Field(0.5, ge=0, le=1)
    tier_shares: tuple[float, float, float] = Field((0.7, 0.2, 0.1), description="volume in inner, middle, outer third")
    tier_breaks: tuple[float, float] = Field((0.08, 0.29), description="where in lo..hi the thirds end (strategy.md 4)")
    notional_margin: float = Field(1.05, ge=1, le=2, description="least level notional over the venue's minimum")
    thick_ratio: float = Field(1.5, ge=1, le=10, description="local depth over its median: size x thick_scale")
    thick_scale: float = Field(1.5, ge=1, le=5)
    thin_ratio: float = Field(0.5, ge=0, le=1)
    thin_scale: float = Field(0.5, ge=0, le=1)
    eps_bps: float = Field(0.5, ge=0, le=50, description="prior adverse selection at 60 s (strategy.md 4)")
    eta: float = Field(0.4, ge=0, lt=1, description="prior impact per bps of depth")
    k_per_bps: float = Field(0.5, gt=0, le=10, description="prior decay of the fill intensity")
    safety_bps: float = Field(0.1, ge=0, le=50)
    floor_min_fills: int = Field(
        200, ge=10, le=100_000, description="marked-out fills before the measured floor counts"
    )
    floor_band_fills: float = Field(
        30.0, gt=0, le=10_000, description="a distance band's own mean weighs n / (n + this) against its side's"
    )
    delta_scale: float = Field(10.0, gt=0, le=100, description="DELTA_SCALE: delta = notional / (equity x this)")
    delta_balanced: float = Field(0.005, ge=0, le=1)
    delta_skew: float = Field(0.015, ge=0, le=1)
    delta_one_sided: float = Field(0.025, ge=0, le=0.025, description="= 0.25x equity at scale 10; more is refused")
    delta_full: float = Field(0.05, gt=0, le=0.05, description="= 0.5x equity, the hard cap")
    skew_away: float = Field(2.0, ge=0, le=10, description="distance of the growing side x (1 + this x urgency)")
    skew_towards: float = Field(0.3, ge=0, lt=1, description="distance of the reducing side x (1 - this x urgency)")
    max_position_s: float = Field(
        30.0, gt=0, le=86400, description="MAX_POSITION_SECONDS: older inventory adds urgency"
    )
    fade_horizon_s: float = Field(5.0, gt=0, le=300)
    fade_losing_bps: float = Field(0.2, ge=0, le=50, description="a fill whose 5 s score is below minus this is losing")
    fade_window: int = Field(10, ge=2, le=200)
    fade_mean_bps: float = Field(2.0, ge=0, le=50)
    fade_streak: int = Field(3, ge=2, le=50)
    fade_streak_scale: float = Field(2.5, ge=1, le=10)
    fade_pause_streak: int = Field(5, ge=3, le=50)
    fade_cooldown_s: float = Field(60.0, ge=0, le=3600)
    fade_rearm_s: float = Field(60.0, gt=0, le=3600, description="half life of a fade after its last losing fill")
    hold_bps: float = Field(0.3, ge=0, le=50, description="a smaller move of the target is not published")
    forecast_weight: float = Field(1.0, ge=0, le=3, description="of an accepted forecast in the fair price (edge.md 4)")
    references: str = Field(
        "", pattern=r"^([a-z0-9]{2,8}:)?[A-Za-z0-9]{1,16}(,([a-z0-9]{2,8}:)?[A-Za-z0-9]{1,16}){0,3}$|^$",
        description="REFERENCES: up to four other coins, comma-separated, whose moves a forecast may use (design 5)",
    )  # fmt: skip
    forecast_age_h_max: float = Field(
        48.0, gt=0, le=24 * 30, description="hours after its data's end in which a fitted forecast may be used"
    )
    rebalance_interval_s: float = Field(0.5, gt=0, le=60, description="REBALANCE_INTERVAL, market time")
    renew_s: float = Field(0.4, gt=0, le=1.0, description="an unchanged ladder is renewed this often, machine time")
    order_max_age_s: float = Field(5.0, gt=0, le=3600)
    cancel_move_bps: float = Field(10.0, gt=0, le=1000, description="a book move beyond this cancels first")
    collar_bps: float = Field(100.0, gt=0, le=2000, description="quotes stay this near to the oracle")
    data_age_max_s: float = Field(1.5, gt=0, le=30)
    high_vol_pause_ratio: float = Field(
        1.5, ge=1, le=10, description="above this multiple of high_vol_annual: no quotes"
    )
    book_half_life_s: float = Field(
        5.0, gt=0, le=600, description="averaging of imbalance and local depth, so that one print does not flip a rule"
    )
    max_position_urgency: float = Field(
        0.5, ge=0, le=1, description="urgency an overdue position adds, in full at 2x max_position_s"
    )
    hold_ratio: float = Field(
        0.05, ge=0, le=1, description="nor is a move below this share of the level's distance published"
    )
    hold_size_ratio: float = Field(0.3, ge=0, le=1, description="a smaller relative change of a size is not published")
    # edge gate (design section 5; edge.md 6, 7)
    edge_gate: Literal["auto", "enforce", "warn"] = Field(
        "auto", description="EDGE_GATE: no edge -> stop the market or only say so; auto: enforce live, warn on paper"
    )
    edge_gate_level: float = Field(0.95, gt=0.5, lt=1, description="two-sided level of the interval (edge.md 7)")
    edge_gate_block_s: float = Field(300.0, ge=10, le=3600, description="block that is resampled whole (edge.md 6)")
    edge_gate_blocks_min: int = Field(
        12, ge=8, le=288, description="blocks with fills before the gate judges: an hour, so that few looks are wrong"
    )
    edge_gate_window_h: float = Field(24.0, gt=0, le=720, description="older blocks no longer count")
    edge_gate_trial_h: float = Field(
        2.5, gt=0, le=720, description="hours of quoting without a forecast by which own fills must have shown an edge"
    )
    # what makes a profile (PROFILES): one ladder, other parameters
    ladder: Literal["table", "list", "glft"] = Field("table", description="distances: vol_table, ladder_bps or glft_*")
    ladder_bps: list[float] = Field(
        [1.3, 1.8, 2.3], min_length=1, max_length=20, description="distances of ladder = list (edge.md 6)"
    )
    levels_max: int = Field(20, ge=1, le=20, description="levels a side of the profile, whatever order_levels allows")
    needs_forecast: bool = Field(False, description="no quotes without an accepted forecast (design 5)")
    side_gate: float = Field(
        0.0, ge=0, le=10, description="SIDE_GATE: forecast deviations in favour of a side that is quoted; 0 = the next"
    )
    side_gate_against_bps: float = Field(
        0.6, ge=0, le=500, description="without side_gate a side stops when the forecast is so far against it"
    )
    forecast_eps_bps: float = Field(
        0.9, ge=0, le=50, description="adverse selection left after an accepted forecast (edge.md 6: 1 + fee - safety)"
    )
    forecast_eta: float = Field(0.0, ge=0, lt=1, description="impact per bps of depth left after it (edge.md 6)")
    fee_max_bps: float = Field(
        0.0, ge=0, le=50, description="no quotes at a higher maker fee until floor_min_fills are measured; 0 = any fee"
    )
    book_widening: bool = Field(
        True, description="distances x imbalance and depth scales; a forecast holds them already"
    )
    size_decay: float = Field(
        0.0, ge=0, le=1, description="SIZE_DECAY: a level's size over its inner neighbour's; 0 = tier_shares, 1 = equal"
    )
    sizes_of_cap: bool = Field(
        False,
        description="sizes are shares of the whole cap, inner levels first while there is room; else of the room",
    )
    depth_sizes: bool = Field(True, description="sizes follow the local depth (thick_*, thin_*)")
    tilt: bool = Field(True, description="urgency stretches distances (skew_away, skew_towards)")
    centre_skew_bps: float = Field(
        0.0, ge=0, le=50, description="the centre moves away from a position of the cap's size by this (edge.md 6: 1-2)"
    )
    skew_least: float = Field(
        0.1, gt=0, le=1, description="however urgent, a distance shrinks to no less than this share"
    )
    margin_skew_from: float = Field(0.70, gt=0, lt=1, description="margin ratio from which urgency grows (design 5)")
    margin_skew_slope: float = Field(
        3.0, ge=0, le=100, description="urgency x (1 + this x (margin - margin_skew_from))"
    )
    ticks_from_opposite: int = Field(
        1, ge=1, le=100, description="ticks kept from the opposite best: 1 = not crossing, 2 = strict (edge.md 1)"
    )
    step_inside: bool = Field(True, description="may a quote be better than the best price shown")
    sigma_max: float = Field(
        0.0, ge=0, le=20, description="no level beyond so many sigmas of the forecast's horizon (edge.md 6: 3); 0 = any"
    )
    forecast_horizon_s: float = Field(60.0, gt=0, le=3600, description="the horizon sigma_max speaks of (edge.md 6)")
    requote_out_bps: float = Field(
        0.0, ge=0, le=50, description="a level so much too near moves out (edge.md 6: 0.5); 0 = hold_bps"
    )
    requote_in_bps: float = Field(
        0.0, ge=0, le=50, description="a level so much too far moves in (edge.md 6: 0.2); 0 = hold_bps"
    )
    # fade and adaptive modes
    fade_mean_step_bps: float = Field(10.0, gt=0, le=500, description="a bad mean widens x (1 + |mean| / this)")
    fade_size_scale: float = Field(0.5, ge=0, le=1, description="size while a losing streak fades")
    fade_scale_max: float = Field(10.0, ge=1, le=100, description="no fade widens more")
    fade_pause_market: bool = Field(True, description="the long streak pauses both sides (design 5), else its own")
    adaptive_modes: bool = Field(
        False, description="ADAPTIVE_MODES: levels near the inner edge follow the recent score"
    )
    modes: list[ModeRow] = Field(list(MODES), min_length=5, max_length=5, description="DEFENSIVE .. VERY_AGGRESSIVE")
    mode_window: int = Field(50, ge=2, le=200, description="fills of both sides in the recent score, by size")
    mode_min_fills: int = Field(20, ge=1, le=200, description="fewer: NORMAL")
    mode_near_ratio: float = Field(
        2.0, ge=1, le=10, description="only levels nearer than this x the inner edge are limited"
    )
    # ladder = glft (strategy.md 1.2, 1.7, 4); its prior of k is k_per_bps
    glft_gamma: float = Field(0.01, gt=0, le=10, description="risk aversion, 1 / (bps x clip)")
    glft_clip_ratio: float = Field(0.1, gt=0, le=0.5, description="a clip as share of equity (100 USD of 1,000)")
    glft_a_per_s: float = Field(0.05, gt=0, le=1000, description="prior fill intensity at the fair price, per side")
    glft_sigma_min_bps: float = Field(0.10, gt=0, le=100, description="least volatility, bps per square root second")
    glft_sigma_max_bps: float = Field(2.0, gt=0, le=100, description="greatest volatility, bps per square root second")
    glft_sigma_ref_bps: float = Field(
        0.479, gt=0, le=100, description="volatility at which the priors hold (US500 cash session, strategy.md 1.8)"
    )
    glft_adj_half: float = Field(1.0, ge=0, le=10, description="factor on the half spread before the floor part")
    glft_adj_skew: float = Field(0.5, ge=0, le=10, description="factor on the skew a clip (strategy.md 4: 0.05-1)")
    glft_fit_from_bps: float = Field(0.5, ge=0, le=50, description="nearest depth of a print that counts for A and k")
    glft_fit_to_bps: float = Field(
        5.0, gt=0, le=500, description="deeper prints count as this deep: fit where we quote"
    )
    glft_fit_short_s: float = Field(600.0, gt=0, le=86400, description="half life of the short window")
    glft_fit_long_s: float = Field(86400.0, gt=0, le=604800, description="half life of the long window")
    glft_fit_weight: float = Field(200.0, ge=0, le=1e6, description="short window's share = n / (n + this)")
    glft_fit_events: float = Field(30.0, ge=2, le=1e6, description="events in the long window before the fit counts")
    glft_fit_r2: float = Field(
        0.8,
        ge=0,
        le=1,
        description="below this the intensity is not exponential: half and skew follow volatility alone",
    )
    glft_bucket_s: float = Field(
        0.1, gt=0, le=60, description="of the prints of one bucket and side the deepest counts"
    )

    # sessions of the underlying (design 5)
    session_table: list[SessionRow] = Field(
        list(SESSIONS), min_length=7, max_length=7, description="one row a session, each name once"
    )
    session: Literal["auto", "regular", "extended", "overnight", "gap", "weekend", "holiday", "reopen"] = Field(
        "auto", description="SESSION: what to take the session for, whatever the calendar says; auto = the calendar"
    )
    session_alert_days: float = Field(
        30.0, ge=0, le=365, description="config/sessions.json ends sooner: an alert (design 5)"
    )

    @model_validator(mode="before")
    @classmethod
    def _of_profile(cls, tree: Any) -> Any:
        """Fill in what the profile says and nobody else does, and a volatility table asked for by name."""
        if not isinstance(tree, dict):
            return tree
        rows = VOL_TABLES.get(str(tree.get("vol_rows")))
        return {**PROFILES.get(str(tree.get("profile")), {}), **tree, **({"vol_table": rows} if rows else {})}

    @property
    def reference_coins(self) -> tuple[str, ...]:
        """Other markets that a forecast may use, in the order of their features."""
        return tuple(self.references.split(",")) if self.references else ()

    @property
    def out_bps(self) -> float:
        """How much too near a level may stay."""
        return self.requote_out_bps or self.hold_bps

    @property
    def in_bps(self) -> float:
        """How much too far away a level may stay."""
        return self.requote_in_bps or self.hold_bps

    @field_validator("tier_shares")
    @classmethod
    def _shares(cls, value: tuple[float, float, float]) -> tuple[float, float, float]:
        if any(v < 0 for v in value) or not math.isclose(sum(value), 1.0, abs_tol=1e-9):
            raise ValueError("three shares >= 0 that sum to 1")
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Quoting:
        rows = [r.from_vol for r in self.vol_table]
        if rows != sorted(set(rows)) or rows[0] != 0.0:
            raise ValueError("vol_table rows must start at from_vol = 0 and rise")
        if any(r.lo_bps >= r.hi_bps for r in self.vol_table):
            raise ValueError("vol_table: lo_bps must be below hi_bps")
        if self.min_spread_bps > self.max_spread_bps:
            raise ValueError("min_spread_bps must not exceed max_spread_bps")
        if not self.delta_balanced <= self.delta_skew <= self.delta_one_sided <= self.delta_full:
            raise ValueError("delta_balanced <= delta_skew <= delta_one_sided <= delta_full")
        if self.delta_one_sided * self.delta_scale > SOFT_MAX or self.delta_full * self.delta_scale > HARD_MAX:
            raise ValueError(
                "delta_one_sided x delta_scale must be at most 0.25 and delta_full x delta_scale 0.5 (of equity)"
            )
        if self.ladder_bps != sorted(set(self.ladder_bps)) or not 0 <= self.ladder_bps[0] <= self.ladder_bps[-1] <= 500:
            raise ValueError("ladder_bps must rise within 0 .. 500")
        borders = [row.upto_bps for row in self.modes]
        if borders != sorted(set(borders)):
            raise ValueError("modes must rise in upto_bps")
        if self.glft_fit_from_bps >= self.glft_fit_to_bps or self.glft_sigma_min_bps > self.glft_sigma_max_bps:
            raise ValueError("glft_fit_from_bps < glft_fit_to_bps and glft_sigma_min_bps <= glft_sigma_max_bps")
        if sorted(row.name for row in self.session_table) != sorted(SESSION_NAMES):
            raise ValueError(f"session_table has one row for each of {', '.join(SESSION_NAMES)}")
        return self


class Risk(_Part):
    """Design section 6: quantity, level -> action."""

    permit_ttl_s: float = Field(1.5, gt=0, le=1.5)
    permit_every_s: float = Field(0.25, gt=0, le=0.5)
    margin_info: float = Field(0.70, gt=0, le=1)
    margin_high: float = Field(0.80, gt=0, le=1)
    margin_critical: float = Field(0.85, gt=0, le=1)
    margin_emergency: float = Field(0.90, gt=0, le=1)
    margin_high_scale: float = Field(0.8, ge=0, le=1)
    margin_critical_scale: float = Field(0.6, ge=0, le=1)
    account_age_max_s: float = Field(5.0, gt=0, le=60, description="older account data -> REDUCING")
    taker_ratio_max: float = Field(0.05, ge=0, le=0.05)
    taker_min_fills: int = Field(100, ge=1, le=10_000)
    taker_spread_scale: float = Field(1.5, ge=1, le=10)
    maker_pause_ratio: float = Field(0.80, ge=0, le=1)
    drawdown_alert: float = Field(0.02, gt=0, le=1)
    max_drawdown: float = Field(0.05, gt=0, le=0.5, description="MAX_DRAWDOWN: kill")
    session_loss_usd: float = Field(
        100.0, gt=0, le=1e6, description="kill at the smaller of this and session_loss_ratio x equity"
    )
    session_loss_ratio: float = Field(0.10, gt=0, le=1)
    streak_fade: int = Field(3, ge=2, le=100)
    streak_pause: int = Field(5, ge=2, le=100)
    streak_kill: int = Field(10, ge=3, le=1000)
    streak_min_loss_ratio: float = Field(0.001, ge=0, le=1, description="STREAK_MIN_LOSS as a share of equity")
    streak_pause_s: float = Field(60.0, ge=0, le=86400)
    stop_loss: float = Field(
        0.02, gt=0, le=0.5, description="STOP_LOSS_PCT as a share: close reduce-only with a collar"
    )
    soft_ratio: float = Field(0.25, gt=0, le=0.25, description="net position over equity: one-sided beyond")
    hard_ratio: float = Field(0.50, gt=0, le=0.50, description="worst case of position and orders over equity")

    @model_validator(mode="after")
    def _ordered(self) -> Risk:
        if not self.margin_info < self.margin_high < self.margin_critical < self.margin_emergency:
            raise ValueError("margin_info < margin_high < margin_critical < margin_emergency")
        if not self.streak_fade < self.streak_pause < self.streak_kill:
            raise ValueError("streak_fade < streak_pause < streak_kill")
        if self.soft_ratio > self.hard_ratio:
            raise ValueError("soft_ratio must not exceed hard_ratio")
        if 2 * self.permit_every_s > self.permit_ttl_s:
            raise ValueError("permit_every_s must be at most half of permit_ttl_s, so that one permit may be lost")
        return self


class Execution(_Part):
    """How the ladder becomes actions."""

    leverage: int = Field(10, ge=1, le=50, description="LEVERAGE, bounded by the market's maximum")
    action_budget_horizon_h: float = Field(
        24.0, gt=0, le=720, description="ACTION_BUDGET_HORIZON_H the budget must last"
    )
    action_reserve: int = Field(1000, ge=0, le=10_000, description="actions kept back for cancels")
    action_burst: float = Field(60.0, ge=1, le=1000, description="actions that may be spent at once when saved up")
    action_price_usd: float = Field(
        0.0005, ge=0, le=1, description="what one more action costs (docs: reserveRequestWeight)"
    )
    batch_max: int = Field(40, ge=1, le=40)
    ladder_age_s: float = Field(0.75, gt=0, le=0.75, description="older ladder or permit: no new orders")
    cancel_age_s: float = Field(1.5, gt=0, le=1.5, description="older ladder or permit: cancel all")
    expires_after_s: float = Field(3.0, gt=0, le=3.0, description="expiresAfter of order actions, market time")
    reply_timeout_s: float = Field(2.0, gt=0, le=10)
    reconcile_s: float = Field(30.0, ge=1, le=300)
    fees_every_h: float = Field(
        1.0, ge=0.05, le=24, description="fees are read again so often, machine time (design 5: hourly)"
    )
    fees_age_h_max: float = Field(
        3.0, ge=0.1, le=48, description="fees not read for so long are unknown: no quotes, machine time"
    )
    fee_tolerance: float = Field(
        0.05, ge=0, le=1, description="share by which a fill's fee may differ from the model (design 4.6)"
    )
    collar_bps: float = Field(200.0, gt=0, le=2000, description="orders further from the reference price are refused")
    reference_age_s: float = Field(1.5, gt=0, le=10)
    orders_per_s: int = Field(50, ge=1, le=1000, description="throttle on order entries, machine time")
    hold_share_max: float = Field(
        0.5,
        ge=0,
        le=1,
        description="however dear an action, no order stays off by more than this share of its distance",
    )
    queue_ticks: float = Field(
        0.5, ge=0, le=10, description="worth of being first in a queue, not last, a fill (strategy.md 1.5: half a tick)"
    )
    queue_age_s: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="age at which an order has half of its queue place, where the place is not known",
    )


class Recording(_Part):
    """What `feed` keeps of the venue's own words on disk; no decision depends on it."""

    on: bool = Field(False, description="RECORD: write every raw market message to disk")
    folder: Path = Field(ROOT / "recordings", description="RECORD_DIR: in it one folder a network and market")
    keep_days: float = Field(
        30.0, ge=0.1, le=3650, description="RECORD_KEEP_DAYS: recordings of a market older than this are deleted"
    )
    max_gb: float = Field(
        20.0, ge=0.01, le=100_000, description="RECORD_MAX_GB a market (1e9 bytes): beyond it the oldest are deleted"
    )
    free_gb_min: float = Field(
        2.0, ge=0, le=100_000, description="RECORD_FREE_GB_MIN: recording stops before its disk has less room left"
    )
    flush_s: float = Field(2.0, ge=0.05, le=60, description="a frame so often, machine time: a killed feed loses this")
    fsync_s: float = Field(30.0, ge=0, le=3600, description="forced to the disk so often: a power cut loses this")
    buffer_mb: float = Field(16.0, ge=1, le=1024, description="messages (1e6 bytes) kept for a disk that stalls")


class Settings(_Part):
    """Everything one service needs; `secrets/` is named here and read only by those who may."""

    service: str
    profile: str
    network: Literal["paper", "testnet", "mainnet"] = "paper"
    venue_url: str = f"http://127.0.0.1:{VENUE_PORT}"
    redis_url: str = Field("redis://127.0.0.1:6379/0", repr=False, description="may hold a password: no repr")
    wallet_address: str = Field("", description="master account, lower case")
    equity_usd: float = Field(1000.0, ge=100, le=100_000, description="what the demonstration account is funded with")
    run_dir: Path = ROOT / "run"
    latch_dir: Path | None = Field(None, description="LATCH_DIR: where the kill file is; None = run_dir")
    line_dir: Path | None = Field(None, description="LINE_DIR: where executor and warden meet; None = run_dir")
    secrets_dir: Path = ROOT / "secrets"
    reports_dir: Path = ROOT / "reports"
    models_dir: Path = ROOT / "models"
    port_base: int = Field(0, ge=0, le=50_000, description="added to every port")
    bind: str = "127.0.0.1"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    parent_pid: int = Field(
        0, ge=0, le=2**22, description="AMM_PARENT: end when this process is gone; 1 = whoever started us, 0 = nobody"
    )
    market: Market
    venue: Venue
    quoting: Quoting
    risk: Risk
    execution: Execution
    recording: Recording = Recording.model_validate({})

    @field_validator("venue_url")
    @classmethod
    def _venue_url(cls, value: str) -> str:
        if re.fullmatch(r"https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", value, re.ASCII) is None:
            raise ValueError("must be http(s)://host or http(s)://host:port, without path, user or trailing slash")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_url(cls, value: str) -> str:
        tcp = r"rediss?://([^\s/@]*@)?[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?(/0)?"
        if re.fullmatch(rf"{tcp}|unix://([^\s/@]*@)?/[^\s?#]{{1,200}}", value) is None:
            raise ValueError("must be unix:///path, redis://host:port or redis://user:password@host:port (database 0)")
        return value

    @field_validator("wallet_address")
    @classmethod
    def _wallet(cls, value: str) -> str:
        if re.fullmatch(r"(0x[0-9a-f]{40})?", value, re.ASCII) is None:
            raise ValueError("must be 0x and 40 hexadecimal digits in lower case")
        return value

    @field_validator("bind")
    @classmethod
    def _bind(cls, value: str) -> str:
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            raise ValueError("must be an IP address, e.g. 127.0.0.1") from None

    @property
    def kill_dir(self) -> Path:
        """The folder of the kill file: containers share it, but not what else a service writes."""
        return self.latch_dir or self.run_dir

    @property
    def deadman_dir(self) -> Path:
        """The folder of the sockets between executor and warden."""
        return self.line_dir or self.run_dir

    @property
    def metrics_port(self) -> int:
        return METRICS_PORTS[self.service] + self.port_base

    @property
    def page_port(self) -> int:
        return PAGE_PORT + self.port_base

    @property
    def is_mainnet(self) -> bool:
        """Which source letter signs an action."""
        return self.network == "mainnet"

    @property
    def enforces_edge(self) -> bool:
        """Whether a market without edge is stopped: live unless EDGE_GATE says otherwise."""
        gate = self.quoting.edge_gate
        return gate == "enforce" or (gate == "auto" and self.network == "mainnet")

    @property
    def ws_url(self) -> str:
        return re.sub(r"^http", "ws", self.venue_url) + "/ws"

    def config_hash(self) -> str:
        """Equal for all services that run the same configuration; secrets are not part of it.

        Nor is the venue's address: the network decides it, and a simulated venue has one name among containers and
        another for a process beside them.
        """
        body = self.model_dump_json(include={"profile", "network", "market", "quoting", "risk", "execution"})
        return hashlib.sha256(body.encode()).hexdigest()[:12]

    @model_validator(mode="after")
    def _one_network(self) -> Settings:
        want = {"mainnet": MAINNET_URL, "testnet": TESTNET_URL}.get(self.network)
        if want is not None and self.venue_url != want:
            raise ValueError(f"venue_url must be exactly {want} when network is {self.network}")
        if want is None and "hyperliquid" in self.venue_url.lower():
            raise ValueError("network = paper never talks to a Hyperliquid host")
        if self.execution.leverage > self.venue.max_leverage:
            raise ValueError(f"execution.leverage must be 1..{self.venue.max_leverage}, the market's maximum")
        if bool(self.market.dex) != (self.venue.dex_index > 0):
            raise ValueError(
                f"market.coin = {self.market.coin!r} and venue.dex_index = {self.venue.dex_index}: a coin of a builder "
                f"dex is written dex:COIN and has a dex_index above 0, one of the first dex has neither"
            )
        if self.network == "mainnet" and self.log_level == "debug":
            raise ValueError("log_level must be info, warning or error when network is mainnet")
        if self.quoting.renew_s >= self.execution.ladder_age_s:
            raise ValueError("quoting.renew_s must be below execution.ladder_age_s, or every ladder goes stale")
        return self


#: Environment name -> path in Settings.  Names kept from the seeds where there were any.
ENVIRONMENT: dict[str, tuple[str, ...]] = {
    "NETWORK": ("network",),
    "VENUE_URL": ("venue_url",),
    "REDIS_URL": ("redis_url",),
    "WALLET_ADDRESS": ("wallet_address",),
    "EQUITY": ("equity_usd",),
    "RUN_DIR": ("run_dir",),
    "LATCH_DIR": ("latch_dir",),
    "LINE_DIR": ("line_dir",),
    "SECRETS_DIR": ("secrets_dir",),
    "REPORTS_DIR": ("reports_dir",),
    "MODELS_DIR": ("models_dir",),
    "PORT_BASE": ("port_base",),
    "BIND": ("bind",),
    "LOG_LEVEL": ("log_level",),
    "AMM_PARENT": ("parent_pid",),
    "SYMBOL": ("market", "coin"),
    "COLLATERAL": ("market", "collateral"),
    "LEVERAGE": ("execution", "leverage"),
    "ACTION_BUDGET_HORIZON_H": ("execution", "action_budget_horizon_h"),
    "ORDER_LEVELS": ("quoting", "order_levels"),
    "MIN_SPREAD_BPS": ("quoting", "min_spread_bps"),
    "MAX_SPREAD_BPS": ("quoting", "max_spread_bps"),
    "REBALANCE_INTERVAL": ("quoting", "rebalance_interval_s"),
    "ORDER_MAX_AGE": ("quoting", "order_max_age_s"),
    "HIGH_VOL_THRESHOLD": ("quoting", "high_vol_annual"),
    "ILLIQUID_PULL_S": ("quoting", "illiquid_pull_s"),
    "DELTA_SCALE": ("quoting", "delta_scale"),
    "MAX_POSITION_SECONDS": ("quoting", "max_position_s"),
    "HOLD_BPS": ("quoting", "hold_bps"),
    "PROFILE": ("quoting", "profile"),
    "SIDE_GATE": ("quoting", "side_gate"),
    "SIZE_DECAY": ("quoting", "size_decay"),
    "ADAPTIVE_MODES": ("quoting", "adaptive_modes"),
    "EDGE_GATE": ("quoting", "edge_gate"),
    "EDGE_GATE_TRIAL_H": ("quoting", "edge_gate_trial_h"),
    "SESSION": ("quoting", "session"),
    "VOL_MODEL": ("quoting", "vol_model"),
    "VOL_TABLE": ("quoting", "vol_rows"),
    "REFERENCES": ("quoting", "references"),
    "MAX_DRAWDOWN": ("risk", "max_drawdown"),
    "STOP_LOSS_PCT": ("risk", "stop_loss"),
    "RECORD": ("recording", "on"),
    "RECORD_DIR": ("recording", "folder"),
    "RECORD_KEEP_DAYS": ("recording", "keep_days"),
    "RECORD_MAX_GB": ("recording", "max_gb"),
    "RECORD_FREE_GB_MIN": ("recording", "free_gb_min"),
}
PASSWORD_FILE = "redis_password"
FORBIDDEN = ("PRIVATE_KEY", "SECRET_KEY", "AGENT_KEY", "WARDEN_KEY")


OTHER_NAMES = ("MARKET", "TESTNET")
TOOL_NAMES = (
    "SLACK_WEBHOOK", "ALERT_EMAIL", "SMTP_HOST", "SMTP_USER", "SMTP_PASS",
    "GRAFANA", "NATIVE_QUOTER", "QUOTER_PLATFORM", "QUOTER_CPUSET", "OTHERS_CPUSET",
)  # fmt: skip
"""For the tools that start the system; no service is told."""


def load(
    service: str,
    environ: Mapping[str, str] | None = None,
    root: Path = ROOT,
    over: Mapping[str, str] | None = None,
) -> Settings:
    """Settings of `service` for the profile named by `MARKET` (default `us500`); raises ConfigError.

    `environ` stands for the process' environment; names in `over` (from a command line) win over it.
    """
    env = {**read_dotenv(root), **(os.environ if environ is None else environ), **(over or {})}
    for name in FORBIDDEN:
        if env.get(name):
            raise ConfigError(
                f"{name} must not be in the environment or .env: keys are files. "
                f"Write it with: install -m 0400 /dev/stdin secrets/agent_key"
            )
    profile = env.get("MARKET") or "us500"
    tree = _profile(profile, root)
    for name, path in ENVIRONMENT.items():
        if env.get(name, "") != "":
            _put(tree, path, to_typed(name, env[name], Settings, path))
    _apply_testnet(tree, env.get("TESTNET", ""))
    _add_password(tree, service, root)
    where = f"config/{profile}.toml (or the environment)"
    try:
        text = json.dumps({**tree, "service": service, "profile": profile}, default=str)
        # From JSON and strictly: true is no number, "12" is no number, 2.5 is no whole number.
        return Settings.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise ConfigError(sentence(error, Settings, where)) from None
    except (RecursionError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from None


def _apply_testnet(tree: dict[str, Any], text: str) -> None:
    """`TESTNET=true`, kept from the seeds, means network = testnet; it may not contradict NETWORK."""
    if text == "":
        return
    wanted = to_bool("TESTNET", text)
    network = tree.get("network", "testnet" if wanted else "paper")
    if wanted != (network == "testnet"):
        raise ConfigError(f"TESTNET = {text!r} and network = {network!r} contradict each other: set one of them")
    if wanted:
        tree["network"] = "testnet"
        tree.setdefault("venue_url", TESTNET_URL)


def _add_password(tree: dict[str, Any], service: str, root: Path) -> None:
    """`secrets/redis_password`, where there is one, and the service's name go into a Redis URL that names no user."""
    url = str(tree.get("redis_url", Settings.model_fields["redis_url"].default))
    path = Path(tree.get("secrets_dir", root / "secrets")) / PASSWORD_FILE
    try:
        password = read_text(path, f"secrets/{PASSWORD_FILE}").strip()
    except FileNotFoundError:
        return
    if re.fullmatch(r"[A-Za-z0-9_-]{16,200}", password) is None:
        raise ConfigError(f"secrets/{PASSWORD_FILE}: a password is 16 to 200 of A-Z a-z 0-9 _ -")
    if "@" not in url:
        tree["redis_url"] = url.replace("://", f"://{service}:{password}@", 1)


def _profile(profile: str, root: Path) -> dict[str, Any]:
    if re.fullmatch(r"[a-z0-9_-]{1,32}", profile) is None:
        raise ConfigError(f"MARKET = {redact(profile)[:40]!r}: a profile's name is 1-32 of a-z 0-9 _ -")
    path = root / "config" / f"{profile}.toml"
    try:
        tree = tomllib.loads(read_text(path, f"config/{path.name}"))
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in (root / "config").glob("*.toml")))
        raise ConfigError(f"MARKET = {profile!r}: there is no {path.name}; known profiles: {known}") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"config/{path.name} is not valid TOML: {error}") from None
    for name in ("service", "profile"):
        if name in tree:
            raise ConfigError(f"config/{path.name}: {name}: there is no such setting")
    return tree


def read_dotenv(root: Path) -> dict[str, str]:
    """What `.env` says, nothing when there is none; raises ConfigError."""
    try:
        text = read_text(root / ".env", ".env")
    except FileNotFoundError:
        return {}
    return parse_dotenv(text, (*ENVIRONMENT, *FORBIDDEN, *OTHER_NAMES, *TOOL_NAMES))


def _put(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        tree = tree.setdefault(key, {})
    tree[path[-1]] = value
