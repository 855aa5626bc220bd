"""One random, valid argument tuple per kernel of the forecast and its ladder, as plain lists."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from backtest.loop import fixed as ln
from quoter import features as ft
from quoter import layering as ly
from quoter import paths as pt
from quoter import rebuilt as rb
from quoter.forecast import M_DEVIATION, M_LEN, M_N, M_ROWS
from quoter.state import NS, S_MID
from tests.kernels.quoter_cases import T0, _book, world

Args = tuple[Any, ...]

PX = 93_000
STEP = 10
KEEP = 12
RING = 16


# ---------------------------------------------------------------------- a rebuilt book
def a_side(rng: random.Random, side: int, full: bool = False) -> list[int]:
    count = KEEP if full else rng.randint(0, KEEP)
    rows = [0] * (rb.HEAD + rb.STRIDE * (KEEP + 1))
    rows[rb.R_N], rows[rb.R_SIDE], rows[rb.R_KEEP] = count, side, KEEP
    prices = sorted(rng.sample(range(-4, 30), count), reverse=True)
    for k, distance in enumerate(prices):
        at = rb.HEAD + rb.STRIDE * k
        px = PX - side * STEP * distance
        rows[at : at + 3] = [px, rng.randint(1, 5000), rng.randint(1, 4)]
    return rows


def a_px(rng: random.Random) -> int:
    return PX + STEP * rng.randint(-20, 20)


def some_rows(rng: random.Random, n: int) -> tuple[list[int], list[int], list[int]]:
    kinds = (rb.BID_ROW, rb.ASK_ROW, rb.BUY_ROW, rb.SELL_ROW, 3, 0)
    what = [rng.choice(kinds) for _ in range(n)]
    px = [a_px(rng) for _ in range(n)]
    return what, px, [rng.choice((0, rng.randint(1, 5000))) for _ in range(n)]


def place_of(rng: random.Random) -> Args:
    return a_side(rng, rng.choice((1, -1))), a_px(rng)


def forget(rng: random.Random) -> Args:
    rows = a_side(rng, rng.choice((1, -1)), full=True)
    rows[rb.R_N] = rng.randint(1, KEEP)
    return rows, rng.randrange(rows[rb.R_N])


def make_room(rng: random.Random) -> Args:
    rows = a_side(rng, rng.choice((1, -1)), full=rng.random() < 0.4)
    return rows, rng.randint(0, rows[rb.R_N])


def set_row(rng: random.Random) -> Args:
    return a_side(rng, rng.choice((1, -1))), a_px(rng), rng.choice((0, rng.randint(1, 5000))), rng.randint(4, 9)


def part(rng: random.Random) -> Args:
    return a_side(rng, 1), a_side(rng, -1)


def see_rows(rng: random.Random) -> Args:
    n = rng.randint(1, 12)
    begin = rng.randint(0, n - 1)
    return *some_rows(rng, n), begin, rng.randint(begin, n), rng.randint(5, 9), a_side(rng, 1), a_side(rng, -1)


# ---------------------------------------------------------------------- channels
def a_channel(rng: random.Random) -> list[int]:
    channel = [0] * ly.C_LEN
    if rng.random() < 0.2:
        return channel
    channel[ly.C_TOUCH : ly.C_TOUCH + 4] = [PX - STEP, rng.randint(1, 900), PX + STEP, rng.randint(1, 900)]
    channel[ly.C_FAST_T], channel[ly.C_DEEP_T] = T0 - rng.randint(0, NS), T0 - rng.randint(0, 14 * NS)
    channel[ly.C_TOUCH_T], channel[ly.C_FAST_LEVELS] = T0 - rng.randint(0, NS), rng.randint(0, 5)
    for block, count in ((ly.C_DEEP_N, ly.C_DEEP), (ly.C_TOLD_N, ly.C_TOLD)):
        for side, direction in ((0, -1), (1, 1)):
            n = rng.randint(0, 20)
            channel[block + side] = n
            px = PX + direction * STEP * rng.randint(0, 2)
            for k in range(n):
                channel[count + side * ly.C_SIDE + 2 * k] = px
                channel[count + side * ly.C_SIDE + 2 * k + 1] = rng.randint(1, 5000)
                px += direction * STEP * rng.randint(1, 3)
    return channel


def a_time(rng: random.Random) -> int:
    return T0 + rng.choice((0, rng.randint(0, NS), rng.randint(0, 20 * NS)))


def touch_changed(rng: random.Random) -> Args:
    return a_side(rng, rng.choice((1, -1))), a_channel(rng)


def copy_best(rng: random.Random) -> Args:
    return a_side(rng, rng.choice((1, -1))), rng.randint(0, 20), [0] * 50, rng.randint(0, 5)


def add_deep(rng: random.Random) -> Args:
    return a_channel(rng), rng.randrange(2), a_time(rng)


def put_over(rng: random.Random) -> Args:
    return a_channel(rng), rng.randrange(2), _book(rng, PX, STEP)


def tell(rng: random.Random) -> Args:
    return a_side(rng, 1), a_side(rng, -1), a_channel(rng), a_time(rng), _book(rng, PX, STEP)


def tell_touch(rng: random.Random) -> Args:
    return a_side(rng, 1), a_side(rng, -1), a_channel(rng), a_time(rng)


# ---------------------------------------------------------------------- paths and features
def some_paths(rng: random.Random, paths: int) -> tuple[list[float], list[int]]:
    logs = [0.0] * (paths * RING)
    times = [0] * (pt.T_HEAD + paths * (pt.T_RING + RING))
    times[pt.T_SIZE], times[pt.T_PATHS] = RING, paths
    for k, horizon_s in enumerate(pt.HORIZONS_S):
        times[pt.T_SPANS + k] = horizon_s * NS
    for path in range(paths):
        base = pt.T_HEAD + path * (pt.T_RING + RING)
        n = rng.choice((0, 1, 5, RING, 3 * RING))
        times[base + pt.T_N] = n
        stamps = sorted(T0 - int(rng.expovariate(1e-2) * NS) for _ in range(min(n, RING)))
        for k, t_ns in enumerate(stamps):
            at = (n - len(stamps) + k) & (RING - 1)
            times[base + pt.T_RING + at] = t_ns
            logs[path * RING + at] = 11.0 + rng.gauss(0, 1e-4)
        for k in range(pt.HORIZONS):
            times[base + pt.T_AT + k] = rng.randint(0, max(n - 1, 0))
    return logs, times


def remember(rng: random.Random) -> Args:
    paths = rng.randint(1, 3)
    logs, times = some_paths(rng, paths)
    return (
        logs,
        times,
        rng.randrange(paths),
        T0 + rng.randint(-NS, 3 * NS),
        rng.choice((11.0, 11.0 + rng.gauss(0, 1e-4))),
    )


def read_moves(rng: random.Random) -> Args:
    paths = rng.randint(1, 3)
    logs, times = some_paths(rng, paths)
    return logs, times, rng.randrange(paths), rng.randint(0, 5), a_time(rng), [0.0] * 20, rng.randint(0, 10)


def a_feature_state(rng: random.Random) -> tuple[list[float], list[int], list[float], list[int]]:
    references = rng.choice((0, 0, 1, ft.REFERENCES_MAX))
    floats, ints = [0.0] * ft.F_LEN, [0] * ft.J_LEN
    ints[ft.J_REFERENCES] = references
    logs, times = some_paths(rng, 1 + references)
    if rng.random() < 0.15:
        return floats, ints, logs, times
    for k in range(ft.F_LEN):
        floats[k] = rng.gauss(0, 2)
    floats[ft.F_LOG_MID], floats[ft.F_LOG_LAST] = 11.0 + rng.gauss(0, 1e-4), 11.0 + rng.gauss(0, 1e-4)
    floats[ft.F_MID] = rng.choice((0.0, PX + 0.5 * STEP))
    floats[ft.F_TOUCH_SZ], floats[ft.F_PRINT_SZ] = rng.uniform(1, 5000), rng.uniform(1, 5000)
    ints[ft.J_T] = T0 - rng.choice((0, rng.randint(0, 10 * NS)))
    ints[ft.J_TOUCH : ft.J_TOUCH + 4] = [
        rng.choice((0, PX - STEP)), rng.randint(1, 900), PX + STEP, rng.randint(1, 900),
    ]  # fmt: skip
    ints[ft.J_PRINTS], ints[ft.J_MID] = rng.choice((0, 5, 5000)), rng.choice((0, 1, 1))
    ints[ft.J_DOUBT_T] = rng.choice((0, T0 + rng.randint(-NS, NS)))
    for slot in range(references):
        ints[ft.J_REF_T + slot] = rng.choice((0, T0 - rng.randint(0, NS)))
    return floats, ints, logs, times


def pass_time(rng: random.Random) -> Args:
    floats, ints, _, _ = a_feature_state(rng)
    return floats, ints, T0 + rng.randint(-NS, 60 * NS)


def a_touch(rng: random.Random) -> tuple[int, int, int, int]:
    bid = PX + STEP * rng.randint(-2, 1)
    return bid, rng.randint(1, 900), bid + STEP * rng.randint(1, 3), rng.randint(1, 900)


def touch_flow(rng: random.Random) -> Args:
    return a_feature_state(rng)[1], *a_touch(rng)


def asked_or_not(rng: random.Random) -> tuple[list[float], list[int], list[float], list[int]]:
    return a_feature_state(rng) if rng.random() < 0.95 else ([], [], [], [])


def see_touch(rng: random.Random) -> Args:
    floats, ints, _, _ = asked_or_not(rng)
    touch = a_touch(rng) if rng.random() < 0.9 else (0, 0, PX, 5)
    return floats, ints, a_time(rng), *touch


def see_near(rng: random.Random) -> Args:
    mid = PX + STEP * rng.random()
    return [0.0] * ft.F_LEN, _book(rng, PX, STEP), rng.randrange(2), mid, rng.randint(0, 6), rng.random()


def see_book(rng: random.Random) -> Args:
    t_ns = a_time(rng)
    return *asked_or_not(rng), t_ns, _book(rng, PX, STEP), rng.randint(0, 6), t_ns - rng.randint(-NS, 14 * NS)


def see_print(rng: random.Random) -> Args:
    floats, ints, _, _ = asked_or_not(rng)
    return floats, ints, a_time(rng), rng.choice((1, -1)), rng.choice((0, a_px(rng))), rng.randint(0, 900)


def see_reference(rng: random.Random) -> Args:
    return *a_feature_state(rng), rng.randint(-1, 4), a_time(rng), rng.choice((0.0, rng.uniform(1, 9e4)))


def doubt_flow(rng: random.Random) -> Args:
    floats, ints, _, _ = a_feature_state(rng)
    return floats, ints, a_time(rng)


def is_known(rng: random.Random) -> Args:
    return (a_feature_state(rng)[1],)


def signed_sqrt(rng: random.Random) -> Args:
    return (rng.choice((0.0, rng.gauss(0, 5))),)


def read_features(rng: random.Random) -> Args:
    return *a_feature_state(rng), [0.0] * ft.FEATURES_MAX


def a_model(rng: random.Random) -> list[float]:
    model = [0.0] * M_LEN
    n = rng.choice((0, ft.OWN_FEATURES, ft.FEATURES_MAX))
    model[M_N], model[M_DEVIATION] = float(n), rng.uniform(0, 3)
    for k in range(n):
        model[M_ROWS + 2 * k] = rng.gauss(0, 0.5)
        model[M_ROWS + 2 * k + 1] = rng.choice((0.0, rng.uniform(0.1, 5)))
    return model


def forecast_bps(rng: random.Random) -> Args:
    return a_model(rng), [rng.gauss(0, 5) for _ in range(ft.FEATURES_MAX)]


def favours(rng: random.Random) -> Args:
    return rng.gauss(0, 2), rng.gauss(0, 2), rng.randrange(2)


def see_instant(rng: random.Random) -> Args:
    n = rng.randint(1, 12)
    begin = rng.randint(0, n - 1)
    return (
        *some_rows(rng, n), begin, rng.randint(begin, n), 9, a_time(rng), a_side(rng, 1), a_side(rng, -1),
        a_channel(rng), _book(rng, PX, STEP), *a_feature_state(rng),
    )  # fmt: skip


def take_rows(rng: random.Random) -> Args:
    told = see_instant(rng)
    return *told[:9], told[11], told[12]


def sample(rng: random.Random) -> Args:
    n = rng.randint(2, 30)
    edges = sorted({0, n, *(rng.randint(0, n) for _ in range(4))})
    stamps = sorted(T0 + rng.randint(0, 9 * NS) for _ in range(len(edges) - 1))
    count = len(stamps)
    return (
        *some_rows(rng, n), stamps, edges, 0, count, a_side(rng, 1), a_side(rng, -1), a_channel(rng),
        _book(rng, PX, STEP), *a_feature_state(rng), [0.0] * ft.FEATURES_MAX, ft.OWN_FEATURES, [0] * count,
        [0.0] * count, [0.0] * (count * ft.OWN_FEATURES),
    )  # fmt: skip


# ---------------------------------------------------------------------- the ladder
def a_lean(rng: random.Random) -> list[float]:
    lean = [0.0] * ln.L_LEN
    levels = rng.randint(0, 20)
    for place, value in (
        (ln.L_LEVELS, levels), (ln.L_WEIGHT, rng.choice((0, 1))), (ln.L_GATE, rng.choice((ln.NO_GATE, 0.0, 1.2))),
        (ln.L_CAP, rng.choice((0.0, 500.0, 5000.0))), (ln.L_SKEW, rng.choice((0, 2))),
        (ln.L_TILT, rng.choice((0, 500))), (ln.L_TICKS, rng.choice((1, 2))), (ln.L_JOIN, rng.choice((0, 1))),
        (ln.L_OUT, rng.random()), (ln.L_IN, rng.random()), (ln.L_REFILL, rng.random()),
    ):  # fmt: skip
        lean[place] = float(value)
    for k in range(levels):
        lean[ln.L_ROWS + 2 * k], lean[ln.L_ROWS + 2 * k + 1] = 0.5 * k + rng.random(), rng.uniform(5, 300)
    return lean


def tilt_of(rng: random.Random) -> Args:
    return a_lean(rng), rng.randrange(2), rng.choice((0.0, rng.gauss(0, 300)))


def place_px(rng: random.Random) -> Args:
    w = world(rng)
    centre = w.px_u * rng.uniform(0.999, 1.001)
    return a_lean(rng), w.book, w.side, centre, rng.uniform(0, 20), rng.randint(0, 6)


def fixed_side(rng: random.Random) -> Args:
    w = world(rng)
    w.state[S_MID] = float(w.px_u)
    return w.state, w.ints, a_lean(rng), w.book, w.side, rng.gauss(0, 300), w.out


def leave_side(rng: random.Random) -> Args:
    w = world(rng)
    return w.ints, rng.randrange(2), w.out


def quote_fixed(rng: random.Random) -> Args:
    w = world(rng)
    return w.state, w.ints, w.params, a_lean(rng), w.book, w.out


def is_off(rng: random.Random) -> Args:
    px = a_px(rng)
    return (
        rng.randrange(2), px, rng.randint(0, 900), px + STEP * rng.randint(-3, 3), rng.randint(1, 900),
        rng.choice((0.0, float(PX))), rng.random(), rng.random(), rng.random(),
    )  # fmt: skip


CASES: dict[str, Callable[[random.Random], Args]] = {
    **{
        f"quoter.rebuilt.{case.__name__}": case for case in (place_of, forget, make_room, set_row, part, see_rows)
    },
    **{
        f"quoter.layering.{case.__name__}": case
        for case in (touch_changed, copy_best, add_deep, put_over, tell, tell_touch)
    },
    **{f"quoter.layering.{name}": tell_touch for name in ("take_deep", "take_fast")},
    **{f"quoter.paths.{case.__name__}": case for case in (remember, read_moves)},
    **{
        f"quoter.features.{case.__name__}": case
        for case in (
            pass_time, touch_flow, see_touch, see_near, see_book, see_print, see_reference, doubt_flow,
            is_known, signed_sqrt, read_features,
        )
    },
    **{f"quoter.forecast.{case.__name__}": case for case in (forecast_bps, favours)},
    **{f"quoter.sampling.{case.__name__}": case for case in (take_rows, see_instant, sample)},
    **{
        f"backtest.loop.fixed.{case.__name__}": case
        for case in (tilt_of, place_px, fixed_side, leave_side, quote_fixed, is_off)
    },
}  # fmt: skip
