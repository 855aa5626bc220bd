"""The quoter's memory: flat vectors with one named place per number, so that rules and their memory exist once.

`QuoterState` is a float64 vector (`S_*`) and an int64 vector (`I_*`: times, counts, flags); `params` (`P_*`) is built
once from the settings; `book` (`B_*`) is the market without our own orders; `out` (`O_*`) is a ladder. A place
whose comment says "a side" is two neighbouring ones: bid at +0, ask at +1. Units stand beside every name: USD is the
collateral, px_u and sz_u are venue units, bps are 1e-4 of the fair price, volatilities are annual (0.2 = 20 %).

This room decides the layout alone; what the numbers mean to a quote is decided in the rooms that fill them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from common.kernel import COMPILED, istate, kernel, state

if TYPE_CHECKING:
    from common.config import Quoting, Settings

BID_SIDE = 0
ASK_SIDE = 1

NS = 1_000_000_000
YEAR_S = 365.0 * 86_400.0
BPS = 1e-4
USD = 1e-6  # px_u * sz_u -> USD
LN2 = math.log(2.0)

QUOTES_MAX = 20  # levels a side of ours (ORDER_LEVELS' range)
VIEW_MAX = 32  # levels a side of the market (messages.MAX_LEVELS)
RING_MAX = 200  # scored fills a side (fade_window's range)
TABLE_MAX = 12  # rows of the volatility table
MODE_ROWS = 5  # adaptive modes

# sums of the intensity fit: two windows, then survival counts, then the bucket being filled
FIT_SHORT, FIT_LONG = 0, 4
FIT_N, FIT_UNCENSORED, FIT_EXCESS, FIT_TIME = range(4)  # events, those not cut, bps beyond the nearest depth, s
FIT_BINS = 8
FIT_COUNTS = 8  # decayed events at least as deep as each bin's border
FIT_DEPTH = FIT_COUNTS + FIT_BINS  # bps a side, deepest print of the bucket; 0 = none
FIT_MID = FIT_DEPTH + 2  # px_u, mid at the bucket's beginning
FIT_LEN = FIT_MID + 1

BANDS = 8  # of distance from fair, in which adverse selection is measured (`adverse.py`)
REACH_MEAN, REACH_SQUARE, REACH_CROSS = range(3)  # bps; bps^2, sums of (squared, mixed) deviations
REACH_LEN = 3
LADDER_KEY = 11 + QUOTES_MAX  # numbers that decide the distances and shares of a side
NEED_KEY = 14 + 3 * BANDS  # numbers that decide what its bands ask for
NO_FLOOR = 1e6  # bps, the floor of a level that must not be quoted

# ---------------------------------------------------------------------- QuoterState, floats
(
    # what the engine was told
    S_EQUITY,  # USD, of the account
    S_FEE,  # bps, maker fee the venue charges
    S_HARD,  # USD, worst-case position of the permit
    S_SOFT,  # USD, position of the permit beyond which only the reducing side is quoted
    S_SIZE_SCALE,  # 0..1, of the permit
    S_SPREAD_SCALE,  # >= 1, of the permit
    S_MARGIN,  # ratio, margin used over equity
    S_ORACLE,  # px_u
    S_FORECAST,  # bps the mid is expected to move
    S_FORECAST_WEIGHT,  # 0 = no accepted forecast
    # book analysis
    S_MID,  # px_u, 0 = a side is empty
    S_MICRO,  # px_u, mid weighted by the opposite side
    S_DEPTH,  # USD a side, best 10 levels
    _S_DEPTH_ASK,
    S_IMBALANCE,  # -1..1, bids over asks in the best 10 levels
    S_IMBALANCE_SLOW,  # -1..1, the same averaged over time
    S_DEPTH_USUAL,  # USD, slow average of the thinner side's depth
    # volatility
    S_VOL_REF,  # px_u, mid at the last border of the grid
    S_VOL_LAST,  # px_u, newest mid
    S_VOL_FAST_SUM,  # sum of decayed squared returns
    S_VOL_FAST_WEIGHT,  # sum of their weights
    S_VOL_SLOW_SUM,
    S_VOL_SLOW_WEIGHT,
    S_VOL_FAST,  # annual
    S_VOL_SLOW,  # annual
    S_VOL_USED,  # annual, what the table is asked with (hysteresis)
    # the decision's parts
    S_FAIR,  # px_u
    S_LO,  # bps, inner half spread
    S_HI,  # bps, outer half spread
    S_WIDENING,  # factor on all distances
    S_DELTA,  # position notional over (equity x DELTA_SCALE), signed
    S_URGENCY,  # 0..2, of getting rid of the position
    S_FLOOR,  # bps a side, nearest distance
    _S_FLOOR_ASK,
    S_NEAR,  # bps a side, floor of the innermost level: less than S_FLOOR where it only reduces the position
    _S_NEAR_ASK,
    S_FADE,  # factor a side on distances
    _S_FADE_ASK,
    S_BUDGET,  # USD a side that may rest
    _S_BUDGET_ASK,
    S_BLEND,  # 0..1, weight of a new reading of the local book
    # memory of own fills
    S_FADE_BASE,  # factor a side at the last losing fill
    _S_FADE_BASE_ASK,
    S_STREAK_SUM,  # bps a side, of the losing streak
    _S_STREAK_SUM_ASK,
    S_ADVERSE_MEAN,  # bps a side, 60 s adverse selection
    _S_ADVERSE_MEAN_ASK,
    S_ADVERSE_M2,  # bps^2 a side, sum of squared deviations
    _S_ADVERSE_M2_ASK,
    # profiles and sessions
    S_FORECAST_SD,  # bps, standard deviation of the accepted model's forecasts; 0 = not known
    S_SESSION_SPREAD,  # factor on all distances, of the session
    S_SESSION_SIZE,  # factor on all sizes, of the session
    S_SESSION_INVENTORY,  # 0..1, factor on soft and hard cap, of the session
    S_SIGMA,  # bps per square root second, of the newest decision
    S_STEP,  # bps between levels (ladder = glft)
    S_CENTRE,  # bps by which the quotes' centre lies below fair; negative = above
    S_MODE_SCORE,  # bps, recent score of both sides
    S_WHOLE,  # USD a side that the levels' shares are of
    _S_WHOLE_ASK,
    S_FILL_A,  # 1/s a side, fill intensity at the fair price
    S_FILL_K,  # 1/bps, its decay
    S_VOL_MODEL,  # annual, forecast of the volatility model handed in; 0 = none
    S_RING,  # (score bps, USD) pairs: 2 x RING_MAX x 2, per side
) = range(63)
S_LOCAL = S_RING + 4 * RING_MAX  # ratio per side and level: local depth over its median, averaged over time
S_WORK = S_LOCAL + 2 * QUOTES_MAX  # no memory: distances, then weights of the side being built
S_SCORES = S_WORK + 2 * QUOTES_MAX  # (score bps, USD) pairs of both sides: RING_MAX x 2
S_FIT = S_SCORES + 2 * RING_MAX  # sums of the intensity fit (FIT_*)
S_BAND = S_FIT + FIT_LEN  # (mean bps, sum of squared deviations) of the adverse selection: 2 x BANDS x 2, per side
S_REACH = S_BAND + 4 * BANDS  # REACH_* per side: distances of those fills and how adverse selection goes with them
S_PLACE = S_REACH + 2 * REACH_LEN  # bps per side and level, wanted distance moved out to where it pays; no memory
S_NEED = S_PLACE + 2 * QUOTES_MAX  # bps per side and band: what a quote there must earn; no memory
S_BASE = S_NEED + 2 * BANDS  # bps per side and level, the profile's distance; kept while its inputs are the same
S_SHARE = S_BASE + 2 * QUOTES_MAX  # per side and level, share of the side's volume; kept likewise
S_LADDER_KEY = S_SHARE + 2 * QUOTES_MAX  # inputs of the two a side, as they were (`kept.py`)
S_NEED_KEY = S_LADDER_KEY + 2 * LADDER_KEY  # inputs of S_NEED a side, as they were (`kept.py`)
S_LEN = S_NEED_KEY + 2 * NEED_KEY

# ---------------------------------------------------------------------- QuoterState, integers
(
    I_T,  # market ns of the newest book analysed
    I_DECIDED_T,  # market ns of the last decision
    I_SZ_DECIMALS,
    I_POSITION,  # sz_u, long > 0
    I_POSITION_T,  # market ns since which the position has had this sign, 0 = flat
    I_REDUCING,  # 1 = only the reducing side, and no more than the position
    I_FAST_LEVELS,  # levels a side that are not from the slow layer
    I_DEEP_T,  # venue ns of the slow layer
    I_LIQUID,  # 1 = enough depth
    I_LIQUID_T,  # market ns since which the depth has said the opposite, 0 = it agrees
    I_ILLIQUID_T,  # market ns since which I_LIQUID is 0
    I_DEPTH_T,  # market ns of the first book: S_DEPTH_USUAL counts a while later
    I_DEPTH_CLASS,  # 1 deep, -1 thin, 0 usual
    I_IMBALANCED,  # 1 = the imbalance widens
    I_VOL_BUCKET,  # number of the grid's bucket the newest mid is in
    I_VOL_N,  # returns seen
    I_VOL_MODE,  # VOL_*
    I_SKEWING,  # 1 = the position tilts the quotes
    I_STREAK,  # losing fills in a row, a side
    _I_STREAK_ASK,
    I_SCORED_T,  # market ns of the last scored fill, a side
    _I_SCORED_T_ASK,
    I_FADE_T,  # market ns of the last losing fill, a side
    _I_FADE_T_ASK,
    I_HALF_T,  # market ns until which the size is halved, a side
    _I_HALF_T_ASK,
    I_PAUSE_T,  # market ns until which the side is withheld, a side
    _I_PAUSE_T_ASK,
    I_RING_N,  # scored fills ever put into the ring, a side
    _I_RING_N_ASK,
    I_ADVERSE_N,  # fills in the adverse selection estimate, a side
    _I_ADVERSE_N_ASK,
    I_SCORES_N,  # scored fills of both sides ever put into S_SCORES
    I_MODE,  # MODE_*, -1 = adaptive modes are off
    I_FIT_T,  # market ns at which the bucket of the intensity fit began, 0 = none
    I_FIT_MODE,  # FIT_IS_*
    I_BAND_N,  # fills marked out at 60 s: 2 x BANDS, per side and band of distance
) = range(37)
I_LEN = I_BAND_N + 2 * BANDS

VOL_NORMAL = 0
VOL_DEFENSIVE = 1
VOL_PULLED = 2

MODE_OFF = -1
MODE_DEFENSIVE, MODE_MODERATE, MODE_NORMAL, MODE_AGGRESSIVE, MODE_VERY_AGGRESSIVE = range(MODE_ROWS)
MODE_WORDS = ("defensive", "moderate", "normal", "aggressive", "very_aggressive")

LADDER_TABLE, LADDER_LIST, LADDER_GLFT = 0, 1, 2
LADDERS = {"table": LADDER_TABLE, "list": LADDER_LIST, "glft": LADDER_GLFT}

FIT_IS_PRIOR, FIT_IS_MEASURED, FIT_IS_VOL = 0, 1, 2  # what A and k are: configured, fitted, not exponential

# ---------------------------------------------------------------------- parameters
(
    P_LEVELS,
    P_MIN_SPREAD,  # bps
    P_MAX_SPREAD,  # bps
    P_VOL_HYSTERESIS,  # share
    P_VOL_BUCKET,  # s
    P_VOL_FAST,  # decay of one bucket
    P_VOL_SLOW,
    P_VOL_MIN_SAMPLES,
    P_HIGH_VOL,  # annual
    P_HIGH_VOL_PAUSE,  # multiple of it
    P_IMBALANCE,
    P_IMBALANCE_MIN,
    P_IMBALANCE_MAX,
    P_BOOK_HALF_LIFE,  # s, of the averaged imbalance and local depth
    P_DEEP_SCALE,
    P_THIN_SCALE,
    P_USUAL_HALF_LIFE,  # s, of the usual depth
    P_LIQUID,  # USD
    P_LIQUID_EXIT,  # share of it
    P_LIQUID_AFTER,  # s
    P_ILLIQUID_PULL,  # s
    P_ILLIQUID_SPREAD,
    P_ILLIQUID_SIZE,
    P_SHARE_INNER,
    P_SHARE_MIDDLE,
    P_SHARE_OUTER,
    P_BREAK_INNER,
    P_BREAK_OUTER,
    P_NOTIONAL_MARGIN,
    P_THICK_RATIO,
    P_THICK_SCALE,
    P_THIN_RATIO,
    P_THIN_SIZE,
    P_EPS,  # bps
    P_ETA,
    P_K,  # 1/bps
    P_SAFETY,  # bps
    P_FLOOR_FILLS,
    P_DELTA_SCALE,
    P_BALANCED,
    P_SKEW,
    P_ONE_SIDED,
    P_FULL,
    P_AWAY,
    P_TOWARDS,
    P_POSITION_AGE,  # s
    P_POSITION_URGENCY,
    P_FADE_LOSING,  # bps
    P_FADE_WINDOW,
    P_FADE_MEAN,  # bps
    P_FADE_STREAK,
    P_FADE_STREAK_SCALE,
    P_FADE_PAUSE_STREAK,
    P_FADE_COOLDOWN,  # s
    P_FADE_REARM,  # s
    P_COLLAR,  # bps
    P_HARD_RATIO,  # of equity
    P_ROWS,
    # profile
    P_LADDER,  # LADDER_*
    P_LIST_N,  # distances in P_LIST
    P_LEVELS_MAX,
    P_NEEDS_FORECAST,  # 0 or 1, like every switch here
    P_GATE,  # forecast deviations; 0 = P_GATE_AGAINST counts
    P_GATE_AGAINST,  # bps
    P_FORECAST_EPS,  # bps
    P_FORECAST_ETA,
    P_FEE_MAX,  # bps, 0 = any
    P_BOOK_WIDENING,
    P_SIZE_DECAY,  # 0 = the thirds' shares
    P_SIZES_OF_CAP,
    P_DEPTH_SIZES,
    P_TILT,
    P_CENTRE,  # bps at the cap
    P_SKEW_LEAST,
    P_MARGIN_FROM,
    P_MARGIN_SLOPE,
    P_TICKS,  # kept from the opposite best
    P_STEP_INSIDE,
    P_SIGMA_MAX,  # sigmas, 0 = off
    P_HORIZON,  # s
    # fade and modes
    P_FADE_STEP,  # bps
    P_FADE_SIZE,
    P_FADE_MAX,
    P_FADE_MARKET,
    P_MODES,
    P_MODE_WINDOW,
    P_MODE_MIN,
    P_MODE_NEAR,
    # ladder = glft
    P_GAMMA,  # 1 / (bps clip)
    P_CLIP,  # of equity
    P_FILL_A,  # 1/s
    P_SIGMA_MIN,  # bps per square root second
    P_SIGMA_CAP,
    P_SIGMA_REF,
    P_ADJ_HALF,
    P_ADJ_SKEW,
    P_FIT_FROM,  # bps
    P_FIT_TO,
    P_FIT_SHORT,  # s
    P_FIT_LONG,
    P_FIT_WEIGHT,  # events
    P_FIT_EVENTS,
    P_FIT_R2,
    P_FIT_BUCKET,  # s
    P_BAND_WEIGHT,  # fills of the side that a band's own are weighed against
    P_VOL_PULL,  # share by which a model may pull the measured volatility
    P_TABLE,  # (from_vol, lo bps, hi bps) x TABLE_MAX
) = range(107)
P_LIST = P_TABLE + 3 * TABLE_MAX  # bps, distances of ladder = list: QUOTES_MAX
P_MODE_TABLE = P_LIST + QUOTES_MAX  # (up to bps, levels, least bps) x MODE_ROWS
P_LEN = P_MODE_TABLE + 3 * MODE_ROWS

# ---------------------------------------------------------------------- book: counts a side, then (px_u, sz_u) rows
B_COUNT = 0
B_ROWS = 2
B_SIDE = 2 * VIEW_MAX
B_LEN = B_ROWS + 2 * B_SIDE

# ---------------------------------------------------------------------- out: a ladder
O_COUNT = 0  # levels a side
O_WHY = 2  # WHY_* bits a side
O_MERGED = 4  # levels merged into a neighbour, both sides
O_ROWS = 5  # (px_u, sz_u) rows, best first
O_SIDE = 2 * QUOTES_MAX
O_LEN = O_ROWS + 2 * O_SIDE

WHY_NO_BOOK = 1
WHY_ILLIQUID = 2
WHY_HIGH_VOL = 4
WHY_ONE_SIDED = 8
WHY_REDUCING = 16
WHY_PAUSED = 32
WHY_NO_BUDGET = 64
WHY_COLLAR = 128
WHY_FORECAST = 256  # the forecast does not speak for the side
WHY_NO_FORECAST = 512  # the profile needs an accepted one
WHY_FEE = 1024
WHY_ADVERSE = 2048  # measured adverse selection lets no distance pay

WHY_WORDS = {
    WHY_NO_BOOK: "no_book",
    WHY_ILLIQUID: "illiquid",
    WHY_HIGH_VOL: "high_vol",
    WHY_ONE_SIDED: "one_sided",
    WHY_REDUCING: "reducing",
    WHY_PAUSED: "fade_pause",
    WHY_NO_BUDGET: "no_budget",
    WHY_COLLAR: "collar",
    WHY_FORECAST: "side_gate",
    WHY_NO_FORECAST: "no_forecast",
    WHY_FEE: "fee_too_high",
    WHY_ADVERSE: "adverse_selection",
}


@kernel("f8(i8, f8)")
def decay(elapsed_ns: int, half_life_s: float) -> float:
    """What is left of one after `elapsed_ns`; 1 for no or negative time, 0 when nothing is to last."""
    if elapsed_ns <= 0:
        return 1.0
    if half_life_s <= 0.0:
        return 0.0
    return math.exp(-LN2 * (float(elapsed_ns) / 1e9) / half_life_s)


def new_state() -> tuple[Any, Any]:
    """Memory of a quoter that has seen nothing: (floats, integers)."""
    floats, ints = state(S_LEN), istate(I_LEN)
    for side in (BID_SIDE, ASK_SIDE):
        floats[S_FADE + side] = 1.0
        floats[S_FADE_BASE + side] = 1.0
        for level in range(QUOTES_MAX):
            floats[S_LOCAL + side * QUOTES_MAX + level] = 1.0
    for place in (S_SPREAD_SCALE, S_SESSION_SPREAD, S_SESSION_SIZE, S_SESSION_INVENTORY):
        floats[place] = 1.0
    ints[I_MODE] = MODE_OFF
    return floats, ints


def new_book() -> Any:
    return istate(B_LEN)


def new_out() -> Any:
    return istate(O_LEN)


def numbers(vector: Any, begin: int, end: int) -> list[Any]:
    """A slice of a vector as plain Python numbers, which messages can carry."""
    part = vector[begin:end]
    return list(part.tolist()) if COMPILED else list(part)


def make_params(settings: Settings) -> Any:
    """The parameter vector of these settings."""
    q = settings.quoting
    params = state(P_LEN)
    fixed = {
        P_LEVELS: q.order_levels, P_MIN_SPREAD: q.min_spread_bps, P_MAX_SPREAD: q.max_spread_bps,
        P_VOL_HYSTERESIS: q.vol_hysteresis, P_VOL_BUCKET: q.vol_bucket_s, P_VOL_PULL: q.vol_pull_max,
        P_VOL_FAST: math.exp(-LN2 * q.vol_bucket_s / q.vol_fast_half_life_s),
        P_VOL_SLOW: math.exp(-LN2 * q.vol_bucket_s / q.vol_slow_half_life_s),
        P_VOL_MIN_SAMPLES: q.vol_min_samples, P_HIGH_VOL: q.high_vol_annual, P_HIGH_VOL_PAUSE: q.high_vol_pause_ratio,
        P_IMBALANCE: q.imbalance_trigger, P_IMBALANCE_MIN: q.imbalance_scale_min,
        P_IMBALANCE_MAX: q.imbalance_scale_max, P_BOOK_HALF_LIFE: q.book_half_life_s,
        P_DEEP_SCALE: q.deep_book_scale, P_THIN_SCALE: q.thin_book_scale, P_USUAL_HALF_LIFE: q.vol_slow_half_life_s,
        P_LIQUID: q.liquid_usd, P_LIQUID_EXIT: q.liquid_exit_ratio, P_LIQUID_AFTER: q.liquid_after_s,
        P_ILLIQUID_PULL: q.illiquid_pull_s, P_ILLIQUID_SPREAD: q.illiquid_spread_scale,
        P_ILLIQUID_SIZE: q.illiquid_size_scale,
        P_SHARE_INNER: q.tier_shares[0], P_SHARE_MIDDLE: q.tier_shares[1], P_SHARE_OUTER: q.tier_shares[2],
        P_BREAK_INNER: q.tier_breaks[0], P_BREAK_OUTER: q.tier_breaks[1], P_NOTIONAL_MARGIN: q.notional_margin,
        P_THICK_RATIO: q.thick_ratio, P_THICK_SCALE: q.thick_scale,
        P_THIN_RATIO: q.thin_ratio, P_THIN_SIZE: q.thin_scale,
        P_EPS: q.eps_bps, P_ETA: q.eta, P_K: q.k_per_bps, P_SAFETY: q.safety_bps, P_FLOOR_FILLS: q.floor_min_fills,
        P_BAND_WEIGHT: q.floor_band_fills,
        P_DELTA_SCALE: q.delta_scale, P_BALANCED: q.delta_balanced, P_SKEW: q.delta_skew,
        P_ONE_SIDED: q.delta_one_sided, P_FULL: q.delta_full, P_AWAY: q.skew_away, P_TOWARDS: q.skew_towards,
        P_POSITION_AGE: q.max_position_s, P_POSITION_URGENCY: q.max_position_urgency,
        P_FADE_LOSING: q.fade_losing_bps, P_FADE_WINDOW: q.fade_window, P_FADE_MEAN: q.fade_mean_bps,
        P_FADE_STREAK: q.fade_streak, P_FADE_STREAK_SCALE: q.fade_streak_scale,
        P_FADE_PAUSE_STREAK: q.fade_pause_streak, P_FADE_COOLDOWN: q.fade_cooldown_s, P_FADE_REARM: q.fade_rearm_s,
        P_COLLAR: q.collar_bps, P_HARD_RATIO: settings.risk.hard_ratio, P_ROWS: len(q.vol_table),
    }  # fmt: skip
    for place, value in (fixed | _profile_params(q)).items():
        params[place] = float(value)
    for level, distance in enumerate(q.ladder_bps):
        params[P_LIST + level] = distance
    for row, mode in enumerate(q.modes):
        for column, value in enumerate((mode.upto_bps, mode.levels, mode.least_bps)):
            params[P_MODE_TABLE + 3 * row + column] = float(value)
    for row, entry in enumerate(q.vol_table):
        for column, value in enumerate((entry.from_vol, entry.lo_bps, entry.hi_bps)):
            params[P_TABLE + 3 * row + column] = float(value)
    return params


def _profile_params(q: Quoting) -> dict[int, float]:
    """What makes a profile, and the numbers of its ladder."""
    return {
        P_LADDER: LADDERS[q.ladder], P_LIST_N: len(q.ladder_bps), P_LEVELS_MAX: q.levels_max,
        P_NEEDS_FORECAST: q.needs_forecast, P_GATE: q.side_gate, P_GATE_AGAINST: q.side_gate_against_bps,
        P_FORECAST_EPS: q.forecast_eps_bps, P_FORECAST_ETA: q.forecast_eta, P_FEE_MAX: q.fee_max_bps,
        P_BOOK_WIDENING: q.book_widening, P_SIZE_DECAY: q.size_decay, P_SIZES_OF_CAP: q.sizes_of_cap,
        P_DEPTH_SIZES: q.depth_sizes, P_TILT: q.tilt, P_CENTRE: q.centre_skew_bps, P_SKEW_LEAST: q.skew_least,
        P_MARGIN_FROM: q.margin_skew_from, P_MARGIN_SLOPE: q.margin_skew_slope, P_TICKS: q.ticks_from_opposite,
        P_STEP_INSIDE: q.step_inside, P_SIGMA_MAX: q.sigma_max, P_HORIZON: q.forecast_horizon_s,
        P_FADE_STEP: q.fade_mean_step_bps, P_FADE_SIZE: q.fade_size_scale, P_FADE_MAX: q.fade_scale_max,
        P_FADE_MARKET: q.fade_pause_market, P_MODES: q.adaptive_modes, P_MODE_WINDOW: q.mode_window,
        P_MODE_MIN: q.mode_min_fills, P_MODE_NEAR: q.mode_near_ratio, P_GAMMA: q.glft_gamma,
        P_CLIP: q.glft_clip_ratio, P_FILL_A: q.glft_a_per_s, P_SIGMA_MIN: q.glft_sigma_min_bps,
        P_SIGMA_CAP: q.glft_sigma_max_bps, P_SIGMA_REF: q.glft_sigma_ref_bps, P_ADJ_HALF: q.glft_adj_half,
        P_ADJ_SKEW: q.glft_adj_skew, P_FIT_FROM: q.glft_fit_from_bps, P_FIT_TO: q.glft_fit_to_bps,
        P_FIT_SHORT: q.glft_fit_short_s, P_FIT_LONG: q.glft_fit_long_s, P_FIT_WEIGHT: q.glft_fit_weight,
        P_FIT_EVENTS: q.glft_fit_events, P_FIT_R2: q.glft_fit_r2, P_FIT_BUCKET: q.glft_bucket_s,
    }  # fmt: skip
