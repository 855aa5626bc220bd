"""One random, valid argument tuple per kernel of the quoter, as plain lists: compiled and plain must agree on it."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable
from typing import Any

from common.config import load
from common.ticks import tick_u
from quoter.hold import H_AGE
from quoter.state import (
    B_COUNT,
    B_LEN,
    B_ROWS,
    B_SIDE,
    BANDS,
    FIT_BINS,
    FIT_COUNTS,
    FIT_DEPTH,
    FIT_LONG,
    FIT_MID,
    FIT_SHORT,
    I_ADVERSE_N,
    I_BAND_N,
    I_DECIDED_T,
    I_DEEP_T,
    I_DEPTH_CLASS,
    I_DEPTH_T,
    I_FADE_T,
    I_FAST_LEVELS,
    I_FIT_MODE,
    I_FIT_T,
    I_HALF_T,
    I_ILLIQUID_T,
    I_IMBALANCED,
    I_LEN,
    I_LIQUID,
    I_LIQUID_T,
    I_MODE,
    I_PAUSE_T,
    I_POSITION,
    I_POSITION_T,
    I_REDUCING,
    I_RING_N,
    I_SCORED_T,
    I_SCORES_N,
    I_SKEWING,
    I_STREAK,
    I_SZ_DECIMALS,
    I_T,
    I_VOL_BUCKET,
    I_VOL_MODE,
    I_VOL_N,
    MODE_ROWS,
    NEED_KEY,
    NO_FLOOR,
    NS,
    O_COUNT,
    O_LEN,
    O_ROWS,
    O_SIDE,
    P_FADE_MARKET,
    P_LEVELS,
    P_NEEDS_FORECAST,
    P_SIZE_DECAY,
    P_SIZES_OF_CAP,
    P_STEP_INSIDE,
    P_TICKS,
    P_TILT,
    QUOTES_MAX,
    REACH_LEN,
    RING_MAX,
    S_ADVERSE_M2,
    S_ADVERSE_MEAN,
    S_BAND,
    S_BLEND,
    S_BUDGET,
    S_CENTRE,
    S_DEPTH,
    S_DEPTH_USUAL,
    S_EQUITY,
    S_FADE,
    S_FADE_BASE,
    S_FAIR,
    S_FEE,
    S_FILL_A,
    S_FILL_K,
    S_FIT,
    S_FLOOR,
    S_FORECAST,
    S_FORECAST_SD,
    S_FORECAST_WEIGHT,
    S_HARD,
    S_HI,
    S_IMBALANCE_SLOW,
    S_LEN,
    S_LO,
    S_LOCAL,
    S_MARGIN,
    S_MICRO,
    S_MID,
    S_MODE_SCORE,
    S_NEED,
    S_NEED_KEY,
    S_ORACLE,
    S_REACH,
    S_RING,
    S_SCORES,
    S_SESSION_INVENTORY,
    S_SESSION_SIZE,
    S_SESSION_SPREAD,
    S_SIGMA,
    S_SIZE_SCALE,
    S_SOFT,
    S_SPREAD_SCALE,
    S_STEP,
    S_STREAK_SUM,
    S_URGENCY,
    S_VOL_FAST,
    S_VOL_FAST_SUM,
    S_VOL_FAST_WEIGHT,
    S_VOL_LAST,
    S_VOL_MODEL,
    S_VOL_REF,
    S_VOL_SLOW,
    S_VOL_SLOW_SUM,
    S_VOL_SLOW_WEIGHT,
    S_VOL_USED,
    S_WHOLE,
    S_WIDENING,
    S_WORK,
    VIEW_MAX,
    make_params,
)
from tests.kernels.drawn import normals, uniforms

T0 = 1_780_000_000 * NS


class World:
    """Vectors that could meet in one decision, each drawn when first asked for: most kernels take two or three."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.sz_decimals = rng.randint(0, 6)
        px_u = int(10 ** rng.uniform(3, 8))
        self.step = tick_u(px_u, self.sz_decimals)
        self.px_u = max(px_u // self.step * self.step, self.step)
        self.t_ns = T0 + rng.randrange(10 * NS)
        self.side = rng.randrange(2)
        self.levels = rng.randint(1, QUOTES_MAX)
        self.is_quotable = rng.random() < 0.6  # nothing is in the way: most worlds would give an empty ladder

    @functools.cached_property
    def params(self) -> list[float]:
        return _params(self.rng)

    @functools.cached_property
    def state(self) -> list[float]:
        drawn = _state(self.rng, self.px_u, self.step)
        if self.is_quotable:
            _let_quote(drawn, self)
        return drawn

    @functools.cached_property
    def ints(self) -> list[int]:
        position_u = self.rng.choice([0, 1, -1]) * int(self.rng.uniform(0, 600) * 1e6 / self.px_u)
        drawn = _ints(self.rng, self.sz_decimals, position_u)
        if self.is_quotable:
            drawn[I_LIQUID], drawn[I_VOL_MODE], drawn[I_REDUCING] = 1, 0, self.rng.choice([0, 0, 1])
            drawn[I_PAUSE_T] = drawn[I_PAUSE_T + 1] = 0
            drawn[I_POSITION] //= 3
        return drawn

    @functools.cached_property
    def book(self) -> list[int]:
        return _book(self.rng, self.px_u, self.step)

    @functools.cached_property
    def out(self) -> list[int]:
        return _out(self.rng, self.px_u, self.step)

    @functools.cached_property
    def other(self) -> list[int]:
        return _out(self.rng, self.px_u, self.step)


@functools.cache
def _profile(name: str, profile: str, modes: str) -> tuple[float, ...]:
    environ = {"MARKET": name, "PROFILE": profile, "ADAPTIVE_MODES": modes}
    return tuple(float(value) for value in make_params(load("quoter", environ)))


def _params(rng: random.Random) -> list[float]:
    """Of any market and profile; what switches a rule is drawn anew now and then."""
    market, profile = rng.choice(["us500", "btc", "standx"]), rng.choice(["tiered", "lean", "glft"])
    params = list(_profile(market, profile, rng.choice(["on", "off"])))
    params[P_LEVELS] = float(rng.randint(1, 20))
    params[P_TICKS] = float(rng.randint(1, 3))
    params[P_SIZE_DECAY] = rng.choice([params[P_SIZE_DECAY], 0.0, 0.85, 1.0])
    for switch in (P_STEP_INSIDE, P_SIZES_OF_CAP, P_FADE_MARKET, P_TILT):
        if rng.random() < 0.2:
            params[switch] = float(rng.randrange(2))
    return params


def _time(rng: random.Random) -> int:
    """A time shortly before or after T0, or never."""
    return rng.choice([0, T0 - rng.randrange(120 * NS), T0 - rng.randrange(5 * NS), T0 + rng.randrange(60 * NS)])


def _book(rng: random.Random, px_u: int, step: int) -> list[int]:
    book = [0] * B_LEN
    best = (px_u, px_u + step * rng.randint(1, 6))
    for side, direction in ((0, -1), (1, 1)):
        n = rng.choice([0, 1, 3, 5, 10, 20, VIEW_MAX])
        px = best[side]
        at = B_ROWS + side * B_SIDE
        for level in range(n):
            if px <= 0:
                break
            book[at + 2 * level : at + 2 * level + 2] = [px, 1 + int(rng.expovariate(1e-3))]
            book[B_COUNT + side] = level + 1
            px += direction * step * rng.randint(1, 4)
    return book


def _out(rng: random.Random, px_u: int, step: int) -> list[int]:
    out = [0] * O_LEN
    for side, direction in ((0, -1), (1, 1)):
        out[O_COUNT + side] = rng.randint(0, QUOTES_MAX)
        px = px_u
        for level in range(out[O_COUNT + side]):
            px = max(px + direction * step * rng.randint(1, 5), 1)
            size = rng.choice([0, 1, int(2e7 / px) + 1, rng.randrange(10**6)])
            at = O_ROWS + side * O_SIDE + 2 * level
            out[at : at + 2] = [px, size]
    return out


def _ints(rng: random.Random, sz_decimals: int, position_u: int) -> list[int]:
    ints = [0] * I_LEN
    single = {
        I_T: rng.choice([0, T0 - rng.randrange(10 * NS)]), I_DECIDED_T: _time(rng), I_SZ_DECIMALS: sz_decimals,
        I_POSITION: position_u, I_POSITION_T: _time(rng) if position_u else 0, I_REDUCING: rng.randrange(2),
        I_FAST_LEVELS: rng.randrange(21), I_DEEP_T: _time(rng), I_LIQUID: rng.randrange(2), I_LIQUID_T: _time(rng),
        I_ILLIQUID_T: _time(rng), I_DEPTH_T: _time(rng), I_DEPTH_CLASS: rng.randrange(-1, 2),
        I_IMBALANCED: rng.randrange(2), I_VOL_BUCKET: T0 // (5 * NS) - rng.randrange(30), I_VOL_N: rng.randrange(60),
        I_VOL_MODE: rng.randrange(3), I_SKEWING: rng.randrange(2), I_SCORES_N: rng.randrange(3 * RING_MAX),
        I_MODE: rng.randrange(-1, MODE_ROWS), I_FIT_T: _time(rng), I_FIT_MODE: rng.randrange(3),
    }  # fmt: skip
    for place, value in single.items():
        ints[place] = value
    for side in range(2):
        ints[I_STREAK + side] = rng.randrange(8)
        ints[I_RING_N + side] = rng.randrange(3 * RING_MAX)
        ints[I_ADVERSE_N + side] = rng.choice([0, 1, 2, 150, 250, 999, 1000])
        for band in range(BANDS):
            ints[I_BAND_N + side * BANDS + band] = rng.choice([0, 1, 2, 40, 999, 1000])
        for place in (I_SCORED_T, I_FADE_T, I_HALF_T, I_PAUSE_T):
            ints[place + side] = _time(rng)
    return ints


def _state(rng: random.Random, px_u: int, step: int) -> list[float]:
    state = [0.0] * S_LEN
    mid = rng.choice([0.0, px_u + 0.5 * step])
    single = {
        S_EQUITY: rng.uniform(100, 100_000), S_FEE: rng.uniform(-0.3, 3), S_HARD: rng.choice([0.0, 50.0, 500.0, 1e6]),
        S_SOFT: rng.uniform(0, 5e4), S_SIZE_SCALE: rng.random(), S_SPREAD_SCALE: rng.uniform(1, 3),
        S_MARGIN: rng.uniform(0, 1.1), S_ORACLE: rng.choice([0.0, px_u * rng.uniform(0.985, 1.015)]),
        S_FORECAST: rng.gauss(0, 3), S_FORECAST_WEIGHT: float(rng.randrange(2)), S_MID: mid,
        S_MICRO: px_u + step * rng.random(), S_IMBALANCE_SLOW: rng.uniform(-1, 1),
        S_DEPTH_USUAL: rng.uniform(0, 1e5), S_VOL_REF: rng.choice([0.0, px_u * rng.uniform(0.99, 1.01)]),
        S_VOL_LAST: px_u * rng.uniform(0.99, 1.01), S_VOL_FAST_SUM: rng.uniform(0, 1e-6),
        S_VOL_FAST_WEIGHT: rng.random(), S_VOL_SLOW_SUM: rng.uniform(0, 1e-6), S_VOL_SLOW_WEIGHT: rng.random(),
        S_VOL_FAST: rng.uniform(0, 2), S_VOL_SLOW: rng.uniform(0, 1), S_VOL_USED: rng.uniform(0, 1),
        S_FAIR: px_u * rng.uniform(0.999, 1.001), S_LO: rng.uniform(0.5, 10), S_HI: rng.uniform(10, 50),
        S_FORECAST_SD: rng.choice([0.0, rng.uniform(0, 3)]), S_SESSION_SPREAD: rng.uniform(0, 3),
        S_SESSION_SIZE: rng.uniform(-0.1, 2), S_SESSION_INVENTORY: rng.choice([0.0, 0.5, 1.0, 1.5]),
        S_VOL_MODEL: rng.choice([0.0, rng.uniform(0, 2)]),
        S_SIGMA: rng.uniform(0, 3), S_STEP: rng.uniform(0, 2), S_CENTRE: rng.gauss(0, 3),
        S_MODE_SCORE: rng.gauss(0, 8), S_FILL_A: rng.uniform(0, 2), S_FILL_K: rng.uniform(0, 2),
        S_WIDENING: rng.uniform(0.8, 3), S_URGENCY: rng.choice([0.0, rng.uniform(0, 1.9)]), S_BLEND: rng.random(),
    }  # fmt: skip
    for place, value in single.items():
        state[place] = float(value)
    for side in range(2):
        for place, value in (
            (S_DEPTH, rng.uniform(0, 1e5)),
            (S_FLOOR, rng.uniform(0.1, 5)), (S_FADE, rng.uniform(1, 3)), (S_BUDGET, rng.uniform(0, 5e4)),
            (S_FADE_BASE, rng.uniform(1, 5)), (S_STREAK_SUM, rng.uniform(-20, 0)),
            (S_ADVERSE_MEAN, rng.gauss(1, 2)), (S_ADVERSE_M2, rng.uniform(0, 1e4)), (S_WHOLE, rng.uniform(0, 5e4)),
            (S_FIT + FIT_DEPTH, rng.choice([0.0, rng.expovariate(0.5)])),
        ):  # fmt: skip
            state[place + side] = value
        local = S_LOCAL + side * QUOTES_MAX
        state[local : local + QUOTES_MAX] = uniforms(rng, QUOTES_MAX, 0, 3)
        works = uniforms(rng, QUOTES_MAX, 0.5, 2)
        state[S_WORK : S_WORK + QUOTES_MAX] = [work * (level + 1) for level, work in enumerate(works)]
        marks = uniforms(rng, QUOTES_MAX)
        state[S_WORK + QUOTES_MAX : S_WORK + 2 * QUOTES_MAX] = [float(mark < 0.5) for mark in marks]
        for band in range(BANDS):
            at = side * BANDS + band
            state[S_BAND + 2 * at : S_BAND + 2 * at + 2] = [rng.gauss(1, 2), rng.uniform(0, 1e4)]
            state[S_NEED + at] = rng.choice([NO_FLOOR, rng.uniform(0.1, 9)])
        reach = S_REACH + side * REACH_LEN
        state[reach : reach + REACH_LEN] = [
            rng.uniform(0, 5),
            rng.choice([0.0, rng.uniform(0, 1e3)]),
            rng.gauss(0, 100),
        ]
        ring = S_RING + 2 * side * RING_MAX
        state[ring : ring + 2 * RING_MAX : 2] = normals(rng, RING_MAX, -1, 3)
        state[ring + 1 : ring + 2 * RING_MAX : 2] = uniforms(rng, RING_MAX, 0, 500)
    state[S_SCORES : S_SCORES + 2 * RING_MAX : 2] = normals(rng, RING_MAX, 0, 8)
    state[S_SCORES + 1 : S_SCORES + 2 * RING_MAX : 2] = uniforms(rng, RING_MAX, 0, 500)
    state[S_FIT : S_FIT + FIT_COUNTS] = [max(0.0, x) for x in uniforms(rng, FIT_COUNTS, -400, 400)]
    bins = [max(0.0, x) for x in uniforms(rng, FIT_BINS, -1.2, 1.2)]
    state[S_FIT + FIT_COUNTS : S_FIT + FIT_COUNTS + FIT_BINS] = [
        400.0 * math.exp(-0.3 * place) * x for place, x in enumerate(bins)
    ]
    state[S_FIT + FIT_MID] = rng.choice([0.0, float(px_u)])
    return state


def _let_quote(state: list[float], w: World) -> None:
    """Change what would empty the ladder."""
    state[S_MID] = w.px_u + 0.5
    state[S_HARD] = state[S_EQUITY]
    state[S_SOFT] = state[S_EQUITY]
    state[S_SIZE_SCALE] = 1.0
    state[S_ORACLE] = float(w.px_u)
    state[S_FORECAST_WEIGHT] = float(w.params[P_NEEDS_FORECAST])
    state[S_FORECAST_SD] = 0.5
    state[S_SESSION_SPREAD] = state[S_SESSION_SIZE] = state[S_SESSION_INVENTORY] = 1.0
    state[S_VOL_FAST] = state[S_VOL_SLOW] = w.rng.uniform(0, 0.3)


def world(rng: random.Random) -> World:
    return World(rng)


Make = Callable[[World], Any]


def number(low: float, high: float) -> Make:
    return lambda w: w.rng.uniform(low, high)


def whole(low: int, high: int) -> Make:
    return lambda w: w.rng.randint(low, high)


def state(w: World) -> list[float]:
    return w.state


def ints(w: World) -> list[int]:
    return w.ints


def params(w: World) -> list[float]:
    return w.params


def book(w: World) -> list[int]:
    return w.book


def out(w: World) -> list[int]:
    return w.out


def a_hold(w: World) -> list[float]:
    """Thresholds of `hold.py`."""
    return [*(w.rng.uniform(0, 2) for _ in range(H_AGE)), w.rng.uniform(0, 9), w.rng.uniform(0, 20)]


def other(w: World) -> list[int]:
    return w.other


def t(w: World) -> int:
    return w.t_ns


def px(w: World) -> float:
    return w.px_u * w.rng.uniform(0.999, 1.001)


def px_u(w: World) -> int:
    return w.px_u


def side(w: World) -> int:
    return w.side


def levels(w: World) -> int:
    return w.levels


def level(w: World) -> int:
    return w.rng.randrange(w.levels)


def written(w: World) -> int:
    """Rows that `out` really holds on the side."""
    return w.out[O_COUNT + w.side]


def window(w: World) -> int:
    return w.rng.choice([FIT_SHORT, FIT_LONG])


def book_level(w: World) -> int:
    return w.rng.randrange(VIEW_MAX)


def of(*makers: Make) -> Callable[[random.Random], tuple[Any, ...]]:
    def case(rng: random.Random) -> tuple[Any, ...]:
        w = world(rng)
        return tuple(make(w) for make in makers)

    return case


LEARNING = (state, ints, params, side)
BUILDING = (state, ints, params, book, side, levels, out)
IN_BOOK = (book, side, whole(0, 20), whole(0, 20), number(0, 1))

CASES: dict[str, Callable[[random.Random], tuple[Any, ...]]] = {
    "quoter.record.resized": of(state, params, side, levels, lambda w: w.rng.choice([-1, 1])),
    "quoter.adverse.band_of": of(number(-2, 30)),
    "quoter.adverse.learn_reach": of(state, ints, side, number(-1, 20), number(-20, 20)),
    "quoter.adverse.reach_slope": of(state, ints, side),
    "quoter.adverse.line_bps": of(state, ints, side, number(0, 20)),
    "quoter.adverse.line_error_bps": of(state, ints, side, number(-1, 20)),
    "quoter.adverse.band_bound_bps": of(*LEARNING, whole(0, BANDS - 1)),
    "quoter.adverse.set_needs": of(*LEARNING),
    "quoter.adverse.floor_at_bps": of(state, side, number(0, 20)),
    "quoter.adverse.side_floor_bps": of(*LEARNING, number(0, 2)),
    "quoter.adverse.set_places": of(state, side, levels, number(0, 2)),
    "quoter.state.decay": of(whole(-NS, 600 * NS), number(0, 600)),
    "quoter.analysis.microprice": of(px_u, whole(0, 10**9), px_u, whole(0, 10**9)),
    "quoter.analysis.imbalance": of(number(0, 1e6), number(0, 1e6)),
    "quoter.analysis.deep_share": of(t, whole(T0 - 20 * NS, T0 + 20 * NS)),
    "quoter.analysis.level_usd": of(book, side, book_level, whole(0, 20), number(0, 1)),
    "quoter.analysis.depth_usd": of(*IN_BOOK),
    "quoter.analysis.median_usd": of(*IN_BOOK, state, lambda w: S_WORK),
    "quoter.analysis.watch_liquidity": of(ints, params, number(0, 1e5), t),
    "quoter.analysis.averaged": of(number(-1, 1), number(-1, 1), whole(-NS, 600 * NS), number(0, 600)),
    "quoter.analysis.analyse": of(state, ints, params, book, t),
    "quoter.fade.mean_score": of(*LEARNING),
    "quoter.fade.fade_scale": of(*LEARNING, t),
    "quoter.fade.fade_size": of(ints, params, side, t),
    "quoter.fade.is_paused": of(ints, side, t),
    "quoter.fade.forget_old": of(*LEARNING, t),
    "quoter.fade.step_back": of(*LEARNING, t),
    "quoter.fade.learn_score": of(*LEARNING, number(-20, 20), number(0, 500), t),
    "quoter.fair.collar_px": of(px, number(1, 200), lambda w: w.rng.choice([-1, 1])),
    "quoter.fair.fair_px": of(px, px, number(-20, 20), number(0, 1), px, number(1, 200)),
    "quoter.floor.prior_floor_bps": of(params, number(-0.3, 3)),
    "quoter.floor.adverse_bound_bps": of(state, ints, side),
    "quoter.floor.learn_adverse": of(state, ints, side, number(-20, 20)),
    "quoter.floor.tick_bps": of(px, whole(0, 6)),
    "quoter.floor.reduce_floor_bps": of(state, params, number(0, 2)),
    "quoter.skew.position_usd": of(ints, px),
    "quoter.skew.age_urgency": of(ints, params, t),
    "quoter.skew.set_urgency": of(state, ints, params, px, t),
    "quoter.skew.is_reducing": of(ints, side),
    "quoter.skew.tilt": of(*LEARNING),
    "quoter.skew.is_capped": of(*LEARNING, px),
    "quoter.sizing.least_level_usd": of(px, number(1, 2)),
    "quoter.sizing.side_budget_usd": of(*LEARNING, px, t),
    "quoter.sizing.level_count": of(params, number(0, 5e4), px),
    "quoter.sizing.level_share": of(params, level, levels),
    "quoter.sizing.level_behind": of(book, side, px_u, whole(0, 3)),
    "quoter.sizing.local_ratio": of(book, side, book_level, number(-1e-9, 1e-9)),
    "quoter.sizing.thickness": of(params, number(0, 3)),
    "quoter.vol.annual": of(number(0, 1e-6), number(0, 1), number(0, 60)),
    "quoter.vol.add_return": of(state, params, number(0, 1e-6)),
    "quoter.vol.see_mid": of(state, ints, params, px, t),
    "quoter.vol.vol_now": of(state, params),
    "quoter.vol.vol_known": of(ints, params),
    "quoter.spread.table_bps": of(params, number(0, 2), whole(1, 2)),
    "quoter.spread.sticky": of(number(0, 1), number(0, 1), number(0, 0.5)),
    "quoter.spread.vol_mode": of(params, number(0, 3), whole(0, 2)),
    "quoter.spread.set_range": of(state, ints, params),
    "quoter.spread.imbalance_scale": of(state, ints, params),
    "quoter.spread.depth_scale": of(state, ints, params),
    "quoter.spread.set_widening": of(state, ints, params),
    "quoter.spread.is_pulled_illiquid": of(ints, params, t),
    "quoter.ladder.level_bps": of(params, level, levels, number(0.5, 10), number(10, 50)),
    "quoter.ladder.level_px": of(side, px, number(0, 50), px_u, whole(0, 6)),
    "quoter.ladder.opposite_best": of(book, side),
    "quoter.ladder.short_of": of(side, lambda w: w.rng.choice([0, w.px_u]), whole(0, 6)),
    "quoter.ladder.set_levels": of(*BUILDING),
    "quoter.ladder.set_reducing": of(state, ints, side, levels, out),
    "quoter.ladder.set_prices": of(*BUILDING),
    "quoter.ladder.drop_row": of(out, state, side, whole(0, 5), whole(6, 20)),
    "quoter.ladder.merge_small": of(state, side, written, out),
    "quoter.ladder.build_side": of(*BUILDING),
    "quoter.quote.why_not": of(state, ints, params, side, whole(0, 2), t),
    "quoter.quote.quote_sides": of(state, ints, params, book, t, out),
    "quoter.hold.difference": of(out, other, px, number(0, 5), number(0, 5), number(0, 0.2), number(0, 1)),
    "quoter.hold.side_usd": of(out, side),
    "quoter.hold.is_worth_telling": of(out, other, state, a_hold, whole(0, 1), whole(0, 9 * NS)),
    "quoter.hold.has_run_away": of(out, px, px, a_hold),
    "quoter.floor.floor_prior_bps": of(state, params),
    "quoter.skew.margin_scale": of(state, params),
    "quoter.skew.inventory_scale": of(state),
    "quoter.skew.hard_usd": of(state, params),
    "quoter.skew.set_centre": of(state, ints, params, px),
    "quoter.sizing.size_scale": of(*LEARNING, t),
    "quoter.sizing.set_budget": of(*LEARNING, px, t),
    "quoter.sizing.decayed_share": of(params, level, levels),
    "quoter.side_gate.forecast_why": of(state, params, side),
    "quoter.side_gate.fee_why": of(*LEARNING),
    "quoter.side_gate.gate_why": of(*LEARNING),
    "quoter.ladder.set_shape": of(state, params, side, levels),
    "quoter.kept.noted": of(state, whole(0, S_LEN - 1), lambda w: w.rng.choice([0.0, 1.0])),
    "quoter.kept.ladder_differs": of(state, params, side, levels),
    "quoter.kept.fills_differ": of(state, ints, side, whole(S_NEED_KEY, S_NEED_KEY + NEED_KEY - 3 - 3 * BANDS)),
    "quoter.kept.needs_differ": of(*LEARNING),
    "quoter.sizing.third_begin": of(whole(0, 3), levels),
    "quoter.ladder.base_bps": of(state, params, level, levels),
    "quoter.ladder.kept_from": of(params, book, side, whole(0, 6)),
    "quoter.ladder.joined_px": of(params, book, side, whole(0, 6)),
    "quoter.ladder.placed_px": of(side, px, number(0, 50), px_u, lambda w: w.rng.choice([0, w.px_u]), whole(0, 6)),
    "quoter.ladder.set_distances": of(*LEARNING, levels),
    "quoter.ladder.set_sizes": of(state, side, levels, out),
    "quoter.quote.set_inventory": of(state, ints, params, whole(0, 2), t),
    "quoter.modes.mode_of": of(params, number(-20, 20)),
    "quoter.modes.learn_mode": of(state, ints, params, number(-20, 20), number(-1, 500)),
    "quoter.modes.set_mode": of(state, ints, params),
    "quoter.modes.limit_near": of(*LEARNING, levels),
    "quoter.glft.per_root_second": of(number(0, 2)),
    "quoter.glft.c1": of(number(-0.1, 1), number(-0.1, 2)),
    "quoter.glft.c2": of(number(1e-3, 1), number(-0.1, 2), number(-0.1, 2)),
    "quoter.glft.held_sigma": of(params, number(0, 5)),
    "quoter.glft.set_fill": of(state, ints, params),
    "quoter.glft.set_glft_range": of(state, ints, params),
    "quoter.glft.set_glft_centre": of(state, ints, params, px),
    "quoter.intensity.add_event": of(state, params, number(0, 12)),
    "quoter.intensity.fade_window": of(state, window, number(0, 5), number(0, 600)),
    "quoter.intensity.window_k": of(state, window, number(0.1, 2)),
    "quoter.intensity.window_a": of(state, params, window, number(0.1, 2)),
    "quoter.intensity.straightness": of(state),
    "quoter.intensity.fit": of(state, ints, params),
    "quoter.intensity.pass_bucket": of(state, ints, params, t),
    "quoter.intensity.see_print": of(state, ints, params, px_u, t),
}
